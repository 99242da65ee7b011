#include "ferry/lib/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/journal.h"
#include "ferry/lib/parts.h"

#define NS "urn:hz:record:1"
#define ROWS 5000                        /* of a part; the schema's bound */
#define BEIJING_MS ((int64_t)8 * 3600 * 1000)
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define AFTER_MS ((int64_t)5 * 60 * 1000)
#define IMPORTED "applied refused held waiting"

enum { Q_DAY, Q_SENT, Q_HEARD, Q_DIFFERS, Q_OPEN, Q_LIST, Q_SETTLE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_DAY] = "SELECT sent_ms FROM reconcile_day WHERE day = ?1",
    [Q_SENT] = "INSERT INTO reconcile_day(day, sent_ms, gmt_create, gmt_modified) VALUES(?1, ?2, ?2, ?2) ON CONFLICT(day) DO UPDATE SET sent_ms = ?2, gmt_modified = ?2",
    [Q_HEARD] = "INSERT INTO reconcile_day(day, heard_ms, compared, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?4) "
                "ON CONFLICT(day) DO UPDATE SET heard_ms = max(heard_ms, ?2), compared = compared + ?3, gmt_modified = ?4",
    [Q_DIFFERS] = "INSERT INTO reconcile_difference(day, subject, kind, case_no, peer, own, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) "
                  "ON CONFLICT(day, subject, peer) DO NOTHING",
    [Q_OPEN] = "SELECT count(*) FROM reconcile_difference WHERE settled_ms = 0",
    [Q_LIST] = "SELECT id, day, subject, kind, case_no, peer, own, gmt_create FROM reconcile_difference WHERE settled_ms = 0 ORDER BY id LIMIT ?1",
    [Q_SETTLE] = "UPDATE reconcile_difference SET settled_ms = ?2, reason = ?3, gmt_modified = ?2 WHERE settled_ms = 0 AND (id = ?1 OR ?1 = 0)",
};
static const struct db_statements st = {sql, Q__COUNT};

int reconcile_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

/* --- our list --- */

struct telling { struct delivery *d; struct db_conn *c; const char *day; int64_t now_ms; struct xml_out x; unsigned part, rows, all; };

static void begin_part(struct telling *t)
{
    char part[12];
    snprintf(part, sizeof part, "%u", ++t->part);
    xml_begin(&t->x, "reconciliation", NS);
    xml_attr(&t->x, "day", t->day);
    xml_attr(&t->x, "part", part);
    t->rows = 0;
}

static int end_part(struct telling *t, struct err *e)
{
    int rc = xml_end(&t->x, e);
    if (rc == 0)
        rc = delivery_send_record(t->c, t->d, "reconciliation", "", 0, buf_bytes(&t->x.out), 0, NULL, t->now_ms, e);
    buf_clear(&t->x.out);
    return rc;
}

struct row { bool file, out; struct journal_entry x; char word[12]; };

/* One row of ours of the day; 0: not a thing that is told. */
static int row_of(struct db_conn *c, struct row *r, const struct journal_entry *x, struct err *e)
{
    struct journal_entry later;
    const char *first = x->what;
    bool sealed = strcmp(first, "sealed") == 0, sent = strcmp(first, "sent") == 0, received = strcmp(first, "received") == 0;
    bool import = *x->item && strstr(" " IMPORTED " ", first) != NULL;
    *r = (struct row){.file = sent || received, .out = sealed || sent, .x = *x};
    if (!sealed && !sent && !received && !import)
        return 0;
    int rc = sent ? journal_last(c, "sent acked", NULL, x->incarnation, x->number, &later, e)
                  : journal_last(c, sealed ? "sealed placed confirmed" : received ? "received" : IMPORTED, received ? NULL : x->item, x->incarnation, x->number, &later, e);
    if (rc < 0)
        return -1;
    snprintf(r->word, sizeof r->word, "%s", rc == 1 ? later.what : first);
    if (!sealed || rc != 1 || strcmp(later.what, "placed") != 0)
        return 1;
    struct journal_entry file;
    rc = journal_last(c, "acked", NULL, later.incarnation, later.number, &file, e);
    if (rc == 1)
        snprintf(r->word, sizeof r->word, "acked");
    return rc < 0 ? -1 : 1;
}

static void put_row(struct xml_out *x, const struct row *r)
{
    xml_open(x, r->file ? "file" : "item");
    xml_attr(x, "direction", r->out ? "out" : "in");
    xml_attr(x, r->file ? "stream" : "id", r->file ? r->x.incarnation : r->x.item);
    if (r->file)
        xml_attr_int(x, "number", (int64_t)r->x.number);
    else {
        xml_attr(x, "kind", r->x.kind);
        xml_attr(x, "case", r->x.case_no);
    }
    xml_attr(x, "hash", r->x.hash);
    xml_attr(x, "word", r->word);
    xml_close(x);
}

struct gathering { struct db_conn *c; struct row *rows; size_t n, have; };

static int gather(void *arg, const struct journal_entry *x, struct err *e)
{
    struct gathering *g = arg;
    if (g->n == g->have) {
        size_t have = g->have ? g->have * 2 : 1024;
        struct row *more = realloc(g->rows, have * sizeof *more);
        if (!more)
            return err_set(e, ERR_FULL, "reconciliation: no memory");
        g->rows = more;
        g->have = have;
    }
    int rc = row_of(g->c, &g->rows[g->n], x, e);
    g->n += rc == 1;
    return rc < 0 ? -1 : 0;
}

/* From midnight to midnight in Beijing. */
static int day_limits(const char *day, int64_t *from, int64_t *to, struct err *e)
{
    struct date d;
    char text[32];
    if (date_parse(&d, day) < 0)
        return err_set(e, ERR_INPUT, "reconcile: want a day like 2026-11-23, have '%.20s'", day);
    snprintf(text, sizeof text, "%sT00:00:00Z", day);
    if (clock_parse_rfc3339(from, text, e) < 0)
        return -1;
    *from -= BEIJING_MS;
    *to = *from + DAY_MS;
    return 0;
}

static int tell_rows(struct telling *t, const struct row *rows, size_t n, struct err *e)
{
    size_t at = 0;
    do {
        begin_part(t);
        xml_attr(&t->x, "last", n - at > ROWS ? "no" : "yes");
        for (; at < n && t->rows < ROWS; at++, t->rows++)
            put_row(&t->x, &rows[at]);
        if (end_part(t, e) < 0)
            return -1;
    } while (at < n);
    t->all = (unsigned)n;
    return 0;
}

static int note_sent(struct db_conn *c, const char *day, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_SENT);
    db_bind_text(s, 1, day);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

/* A day of which the journal knows nothing is noted and not told: nothing crossed. */
static int tell_day(struct db_conn *c, void *arg, struct err *e)
{
    struct telling *t = arg;
    struct gathering g = {.c = c};
    int64_t from = 0, to = 0;
    t->c = c;
    t->part = 0;
    int rc = day_limits(t->day, &from, &to, e);
    if (rc == 0)
        rc = journal_each(c, from, to, gather, &g, e);
    if (rc == 0 && g.n)
        rc = tell_rows(t, g.rows, g.n, e);
    free(g.rows);
    return rc < 0 ? -1 : note_sent(c, t->day, t->now_ms, e);
}

struct day_job { const char *day; int64_t sent_ms; };

static int load_day(struct db_conn *c, void *arg, struct err *e)
{
    struct day_job *j = arg;
    sqlite3_stmt *s = db_stmt(c, &st, Q_DAY);
    db_bind_text(s, 1, j->day);
    int rc = db_step(c, s, e);
    j->sent_ms = rc == 1 ? db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

static void day_text(char day[11], struct date d)
{
    snprintf(day, 11, "%04u-%02u-%02u", (unsigned)d.y % 10000, (unsigned)d.m % 100, (unsigned)d.d % 100);
}

static void yesterday(char day[11], int64_t now_ms)
{
    day_text(day, date_add_days(clock_beijing_date(now_ms - AFTER_MS), -1));
}

void reconcile_tick(struct delivery *d, int64_t now_ms)
{
    char day[11];
    struct err e = {0};
    yesterday(day, now_ms);
    if (strcmp(day, d->reconciled) == 0)
        return;
    struct day_job j = {.day = day};
    struct telling t = {.d = d, .day = day, .now_ms = now_ms};
    if (db_read(d->opt.db, load_day, &j, &e) < 0 || (!j.sent_ms && db_write(d->opt.db, tell_day, &t, &e) < 0)) {
        log_error("reconcile", &e);      /* tried again with the next tick */
        return;
    }
    memcpy(d->reconciled, day, sizeof d->reconciled);
    if (t.all)
        log_event(LOG_INFO, "reconciliation_sent", "day %s rows %u", day, t.all);
    delivery_wake(d);
}

/* --- the peer's list --- */

static int differs(struct db_conn *c, const char *day, const struct row *r, const struct journal_entry *own, int64_t now_ms, struct err *e)
{
    char subject[48], peer[96], ours[96] = "nothing";
    if (r->file)
        snprintf(subject, sizeof subject, "%s/%llu", r->x.incarnation, (unsigned long long)r->x.number);
    else
        snprintf(subject, sizeof subject, "%s", r->x.item);
    snprintf(peer, sizeof peer, "%s %s", r->word, r->x.hash);
    if (own)
        snprintf(ours, sizeof ours, "%s %s", own->what, own->hash);
    log_event(LOG_ERROR, "difference", "day %s subject %s peer %s own %s", day, subject, peer, ours);
    sqlite3_stmt *s = db_stmt(c, &st, Q_DIFFERS);
    db_bind_text(s, 1, day);
    db_bind_text(s, 2, subject);
    db_bind_text(s, 3, r->file ? "file" : r->x.kind);
    db_bind_text(s, 4, r->x.case_no);
    db_bind_text(s, 5, peer);
    db_bind_text(s, 6, ours);
    db_bind_int(s, 7, now_ms);
    return db_run(c, s, e);
}

int reconcile_reused(struct db_conn *c, const char *incarnation, uint64_t number, const char *hash, int64_t now_ms, struct err *e)
{
    char day[11];
    struct journal_entry first;
    struct row r = {.file = true, .word = "sent", .x.number = number};
    day_text(day, clock_beijing_date(now_ms));
    memcpy(r.x.incarnation, incarnation, sizeof r.x.incarnation);
    snprintf(r.x.hash, sizeof r.x.hash, "%s", hash);
    int rc = journal_last(c, "received", NULL, incarnation, number, &first, e);
    return rc < 0 ? -1 : differs(c, day, &r, rc == 1 ? &first : NULL, now_ms, e);
}

static void read_row(struct row *r, const struct rec_node *n)
{
    *r = (struct row){.file = strcmp(n->name, "file") == 0, .out = strcmp(rec_attr(n, "direction"), "out") == 0};
    snprintf(r->x.incarnation, sizeof r->x.incarnation, "%s", rec_attr(n, "stream"));
    r->x.number = (uint64_t)rec_attr_int(n, "number", 1, 999999999999);
    snprintf(r->x.item, sizeof r->x.item, "%s", rec_attr(n, "id"));
    snprintf(r->x.kind, sizeof r->x.kind, "%s", rec_attr(n, "kind"));
    snprintf(r->x.case_no, sizeof r->x.case_no, "%s", rec_attr(n, "case"));
    snprintf(r->x.hash, sizeof r->x.hash, "%s", rec_attr(n, "hash"));
    snprintf(r->word, sizeof r->word, "%s", rec_attr(n, "word"));
}

/* What the peer sent we must have received, once it heard so from us; what it received we must have sent. */
static int compare(struct db_conn *c, const char *day, const struct row *r, int64_t now_ms, struct err *e)
{
    struct journal_entry own;
    bool under_way = r->out && strcmp(r->word, "acked") != 0 && strcmp(r->word, "confirmed") != 0;
    const char *words = r->file ? (r->out ? "received" : "sent") : (r->out ? IMPORTED : "sealed");
    int rc = journal_last(c, words, r->file ? NULL : r->x.item, r->x.incarnation, r->x.number, &own, e);
    if (rc < 0 || (rc == 0 && under_way) || (rc == 1 && strcmp(own.hash, r->x.hash) == 0))
        return rc < 0 ? -1 : 0;
    int was = rc == 1 && r->file ? journal_file_was(c, words, r->x.incarnation, r->x.number, r->x.hash, e) : 0;
    return was ? (was < 0 ? -1 : 0) : differs(c, day, r, rc == 1 ? &own : NULL, now_ms, e);
}

int reconcile_apply(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e)
{
    const struct rec_node *root = ((struct record *)prepared)->root;
    const char *day = rec_attr(root, "day");
    int64_t n = 0;
    struct row r;
    (void)delivery;
    for (const struct rec_node *x = root->child; x; x = x->next, n++) {
        read_row(&r, x);
        if (compare(c, day, &r, it->now_ms, e) < 0)
            return -1;
    }
    log_event(LOG_INFO, "reconciliation_compared", "day %s part %s rows %lld", day, rec_attr(root, "part"), (long long)n);
    sqlite3_stmt *s = db_stmt(c, &st, Q_HEARD);
    db_bind_text(s, 1, day);
    db_bind_int(s, 2, strcmp(rec_attr(root, "last"), "yes") == 0 ? it->now_ms : 0);
    db_bind_int(s, 3, n);
    db_bind_int(s, 4, it->now_ms);
    return db_run(c, s, e);
}

/* --- the operator --- */

int reconcile_open(struct db_conn *c, uint64_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_OPEN);
    int rc = db_step(c, s, e);
    *n = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int reconcile_list(struct db_conn *c, int64_t max, json_t *rows, struct err *e)
{
    int rc;
    sqlite3_stmt *s = db_stmt(c, &st, Q_LIST);
    db_bind_int(s, 1, max);
    while ((rc = db_step(c, s, e)) == 1)
        json_array_append_new(rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "difference", (json_int_t)db_col_int(s, 0), "day", db_col_text(s, 1), "subject",
                                              db_col_text(s, 2), "kind", db_col_text(s, 3), "case", db_col_text(s, 4), "peer", db_col_text(s, 5), "own", db_col_text(s, 6), "at_ms",
                                              (json_int_t)db_col_int(s, 7)));
    sqlite3_reset(s);
    return rc;
}

struct settle_job { uint64_t id; const char *reason; int64_t now_ms, n; };

static int settle(struct db_conn *c, void *arg, struct err *e)
{
    struct settle_job *j = arg;
    sqlite3_stmt *s = db_stmt(c, &st, Q_SETTLE);
    db_bind_int(s, 1, (int64_t)j->id);
    db_bind_int(s, 2, j->now_ms);
    db_bind_text(s, 3, j->reason);
    int rc = db_run(c, s, e);
    j->n = db_changes(c);
    return rc;
}

static int settle_verb(struct delivery *d, const json_t *args, json_t *answer, struct err *e)
{
    struct settle_job j = {.now_ms = clock_wall_ms()};
    const char *id = command_text(args, "settle");
    if (command_need(args, "reason", &j.reason, e) < 0 || (strcmp(id, "all") != 0 && parse_u64(id, 1, INT64_MAX, &j.id, "settle", e) < 0) ||
        db_write(d->opt.db, settle, &j, e) < 0)
        return -1;
    if (j.n == 0)
        return err_set(e, ERR_MISSING, "reconcile: no open difference '%.20s'", id);
    json_object_set_new(answer, "settled", json_integer(j.n));
    return 0;
}

int reconcile_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    char last[11];
    struct telling t = {.d = d, .day = command_text(args, "day"), .now_ms = clock_wall_ms()};
    (void)app;
    if (*command_text(args, "settle"))
        return settle_verb(d, args, answer, e);
    yesterday(last, t.now_ms);
    if (!*t.day)
        t.day = last;
    if (db_write(d->opt.db, tell_day, &t, e) < 0)
        return -1;
    delivery_wake(d);
    json_object_set_new(answer, "day", json_string(t.day));
    json_object_set_new(answer, "rows", json_integer(t.all));
    json_object_set_new(answer, "parts", json_integer(t.part));
    return 0;
}
