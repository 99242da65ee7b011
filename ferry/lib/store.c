#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ferry/lib/journal.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/store_operate.h"

enum {
    Q_STREAM, Q_STREAM_NEW, Q_BEATS, Q_NUMBER, Q_ITEM_ADD, Q_BODY_ADD, Q_SEQ_GET, Q_SEQ_SET, Q_QUEUED, Q_TAKE, Q_FILE_ADD, Q_FLIGHT, Q_DUE, Q_ITEMS, Q_PUBLISHED,
    Q_ACK_FILES, Q_ACK_KEEP, Q_ACK_SPOOL, Q_ACK_DROP, Q_ACK_DELETE, Q_RTT, Q_ACK_FROM, Q_HIGHEST, Q_CONFIRM_GET, Q_CONFIRM_DROP, Q_TRASH_ADD,
    Q_TRASH_GET, Q_TRASH_DONE, Q_CASE, Q_COUNT_OUT, Q_COUNT_FILES, Q__COUNT
};
static const char *const sql[Q__COUNT] = {
    [Q_STREAM] = "SELECT incarnation FROM delivery_stream WHERE id = 1",
    [Q_STREAM_NEW] = "INSERT INTO delivery_stream(id, incarnation, gmt_create, gmt_modified) VALUES(1, ?1, ?2, ?2)",
    [Q_BEATS] = "UPDATE delivery_stream SET beat_counter = beat_counter + 1000 WHERE id = 1 RETURNING beat_counter - 999",
    [Q_NUMBER] = "UPDATE delivery_stream SET next_number = next_number + 1, gmt_modified = ?1 WHERE id = 1 RETURNING next_number - 1",
    [Q_ITEM_ADD] = "INSERT INTO out_item(item_id, kind, case_no, case_seq, bulk, retain, spool, size, hash, gmt_create, gmt_modified) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
    [Q_BODY_ADD] = "INSERT INTO out_body(id, sealed, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3)",
    [Q_SEQ_GET] = "SELECT seq FROM out_case WHERE case_no = ?1",
    [Q_SEQ_SET] = "INSERT INTO out_case(case_no, seq, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) "
                  "ON CONFLICT(case_no) DO UPDATE SET seq = ?2, gmt_modified = ?3",
    [Q_QUEUED] = "SELECT id, size FROM out_item WHERE number = 0 AND bulk = ?1 ORDER BY id LIMIT 500",
    [Q_TAKE] = "UPDATE out_item SET number = ?2, gmt_modified = ?3 WHERE id = ?1",
    [Q_FILE_ADD] = "INSERT INTO out_file(id, kind, created_ms, size, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
    [Q_FLIGHT] = "SELECT coalesce(sum(kind = 'batch'), 0), coalesce(sum(kind = 'slice'), 0), coalesce(sum(CASE WHEN kind = 'slice' THEN size ELSE 0 END), 0) FROM out_file",
    [Q_DUE] = "SELECT id, kind, created_ms, first_ms, last_ms, hash, size, sends FROM out_file WHERE last_ms < ?1 OR last_ms > ?3 ORDER BY kind = 'slice', id LIMIT ?2",
    [Q_ITEMS] = "SELECT o.item_id, o.kind, o.case_no, o.case_seq, b.sealed, o.spool, o.hash FROM out_item o LEFT JOIN out_body b ON b.id = o.id "
                "WHERE o.number = ?1 ORDER BY o.id",
    [Q_PUBLISHED] = "UPDATE out_file SET hash = ?2, size = ?3, sends = sends + 1, first_ms = CASE WHEN first_ms = 0 THEN ?4 ELSE first_ms END, last_ms = ?4, "
                    "gmt_modified = ?4 WHERE id = ?1",
    [Q_ACK_FILES] = "DELETE FROM out_file WHERE id BETWEEN ?1 AND ?2",
    [Q_ACK_KEEP] = "UPDATE out_item SET acked_ms = ?3, gmt_modified = ?3 WHERE number BETWEEN ?1 AND ?2 AND acked_ms = 0",
    [Q_ACK_SPOOL] = "INSERT INTO spool_trash(name, gmt_create, gmt_modified) SELECT spool, ?3, ?3 FROM out_item "
                    "WHERE number BETWEEN ?1 AND ?2 AND retain = 0 AND spool <> ''",
    [Q_ACK_DROP] = "DELETE FROM out_body WHERE id IN (SELECT id FROM out_item WHERE number BETWEEN ?1 AND ?2 AND retain = 0 AND bulk = 1)",
    [Q_ACK_DELETE] = "DELETE FROM out_item WHERE number BETWEEN ?1 AND ?2 AND retain = 0",
    /* Of a file sent again nobody knows which sending was answered. It counts while nothing else was measured, and when the answer came sooner after
     * the last sending than any answer does: else a road longer than the first resend would never be measured, and everything sent many times. */
    [Q_RTT] = "SELECT ?3 - first_ms FROM out_file WHERE id BETWEEN ?1 AND ?2 AND sends > 0 AND (sends = 1 OR ?4 = 0 OR ?3 - last_ms < ?4 / 2) "
              "ORDER BY sends > 1, id DESC LIMIT 1",
    [Q_ACK_FROM] = "SELECT coalesce(min(id), 0) FROM out_file WHERE id BETWEEN ?1 AND ?2",
    [Q_HIGHEST] = "SELECT next_number - 1 FROM delivery_stream WHERE id = 1",
    [Q_CONFIRM_GET] = "SELECT hash, spool, retain = 1 AND bulk = 0, gmt_create, acked_ms FROM out_item WHERE item_id = ?1",
    [Q_CONFIRM_DROP] = "DELETE FROM out_item WHERE item_id = ?1",
    [Q_TRASH_ADD] = "INSERT INTO spool_trash(name, gmt_create, gmt_modified) VALUES(?1, ?2, ?2)",
    [Q_TRASH_GET] = "SELECT id, name FROM spool_trash WHERE id > ?1 ORDER BY id LIMIT 1",
    [Q_TRASH_DONE] = "DELETE FROM spool_trash WHERE id = ?1",
    [Q_CASE] = "SELECT coalesce(sum(acked_ms = 0), 0), coalesce(sum(retain = 1), 0), coalesce(min(CASE WHEN acked_ms = 0 THEN gmt_create END), 0) "
               "FROM out_item WHERE case_no = ?1",
    [Q_COUNT_OUT] = "SELECT (SELECT count(*) FROM out_item WHERE acked_ms = 0 AND number = 0), (SELECT count(*) FROM out_item WHERE retain = 1), "
                    "coalesce((SELECT min(gmt_create) FROM out_item WHERE acked_ms = 0 AND bulk = 0), 0)",
    [Q_COUNT_FILES] = "SELECT count(*) FROM out_file",
};
static const struct db_statements st = {sql, Q__COUNT};

int store_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e) < 0 ? -1 : store_incoming_prepare(db, e);
}

int store_one(struct db_conn *c, sqlite3_stmt *s, int64_t *out, struct err *e)
{
    int rc = db_step(c, s, e);
    if (rc == 1) {
        *out = db_col_int(s, 0);
        sqlite3_reset(s);
        return 0;
    }
    return rc == 0 ? err_set(e, ERR_INTERNAL, "delivery: the stream's row is missing") : -1;
}

int store_number_of(struct db_conn *c, sqlite3_stmt *s, const char *key, uint64_t *number, struct err *e)
{
    db_bind_text(s, 1, key);
    int rc = db_step(c, s, e);
    *number = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_number_set(struct db_conn *c, sqlite3_stmt *s, const char *key, uint64_t number, int64_t now_ms, struct err *e)
{
    db_bind_text(s, 1, key);
    db_bind_int(s, 2, (int64_t)number);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int store_open_stream(struct db_conn *c, char incarnation[17], int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_STREAM);
    int rc = db_step(c, s, e);
    uint8_t raw[8];
    if (rc == 1)
        snprintf(incarnation, 17, "%s", db_col_text(s, 0));
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    randombytes_buf(raw, sizeof raw);
    hex_put(incarnation, raw, sizeof raw);
    s = db_stmt(c, &st, Q_STREAM_NEW);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

int store_reserve_beats(struct db_conn *c, uint64_t *from, struct err *e)
{
    int64_t v = 0;
    int rc = store_one(c, db_stmt(c, &st, Q_BEATS), &v, e);
    *from = (uint64_t)v;
    return rc;
}

int store_highest(struct db_conn *c, uint64_t *number, struct err *e)
{
    int64_t v = 0;
    int rc = store_one(c, db_stmt(c, &st, Q_HIGHEST), &v, e);
    *number = (uint64_t)v;
    return rc;
}

/* What the peer's schema would refuse must not enter a file: the whole file would never be accepted. */
static int check_outgoing(const struct out_item *it, uint64_t size, struct err *e)
{
    const char *no = it->case_no ? it->case_no : "";
    size_t kind = strlen(it->kind), digits = strspn(no, "0123456789");
    if (strspn(it->id.s, "0123456789abcdef") != 32 || it->id.s[32])
        return err_set(e, ERR_INPUT, "item: id: want 32 lower-case hex digits");
    if (kind < 1 || kind > 23 || it->kind[0] == '-' || strspn(it->kind, "abcdefghijklmnopqrstuvwxyz-") != kind)
        return err_set(e, ERR_INPUT, "item %s: kind: want 1 to 23 lower-case letters, have '%.30s'", it->id.s, it->kind);
    if (no[digits] || (digits != 0 && digits != 16) || (it->case_seq && !digits))
        return err_set(e, ERR_INPUT, "item %s: case: want 16 digits, or none and no place in it, have '%.20s'", it->id.s, no);
    if (size == 0 || envelope_item_size((size_t)size) > ENVELOPE_MAX - 2048)
        return err_set(e, ERR_TOO_LARGE, "item %s: %llu sealed bytes fit into no file", it->id.s, (unsigned long long)size);
    return 0;
}

/* Of the item that was added last. */
static int add_body(struct db_conn *c, struct bytes sealed, int64_t now_ms, struct err *e)
{
    int64_t id = db_last_id(c);
    sqlite3_stmt *s = db_stmt(c, &st, Q_BODY_ADD);
    db_bind_int(s, 1, id);
    db_bind_blob(s, 2, sealed);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int delivery_enqueue(struct db_conn *c, const struct out_item *it, int64_t now_ms, struct err *e)
{
    char hex[65];
    struct hash256 h = it->spool_hash;
    bool spooled = it->spool && *it->spool;
    if (!spooled)
        hash_of(&h, it->sealed);
    hash_hex(hex, &h);
    if (check_outgoing(it, spooled ? it->spool_size : it->sealed.n, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_ITEM_ADD);
    db_bind_text(s, 1, it->id.s);
    db_bind_text(s, 2, it->kind);
    db_bind_text(s, 3, it->case_no ? it->case_no : "");
    db_bind_int(s, 4, (int64_t)it->case_seq);
    db_bind_int(s, 5, it->bulk);
    db_bind_int(s, 6, it->retain);
    db_bind_text(s, 7, spooled ? it->spool : "");
    db_bind_int(s, 8, (int64_t)(spooled ? it->spool_size : it->sealed.n));
    db_bind_text(s, 9, hex);
    db_bind_int(s, 10, now_ms);
    if (db_run(c, s, e) < 0 || (!spooled && add_body(c, it->sealed, now_ms, e) < 0))
        return -1;
    return journal_item(c, "sealed", it->id.s, it->kind, it->case_no, hex, now_ms, e);
}

int delivery_last_seq(struct db_conn *c, const char *case_no, uint64_t *seq, struct err *e)
{
    return store_number_of(c, db_stmt(c, &st, Q_SEQ_GET), case_no, seq, e);
}

int delivery_next_seq(struct db_conn *c, const char *case_no, uint64_t *seq, int64_t now_ms, struct err *e)
{
    if (store_number_of(c, db_stmt(c, &st, Q_SEQ_GET), case_no, seq, e) < 0)
        return -1;
    return store_number_set(c, db_stmt(c, &st, Q_SEQ_SET), case_no, ++*seq, now_ms, e);
}

/* Which queued items fit: their row ids into ids. */
static int choose(struct db_conn *c, bool bulk, uint64_t max, int64_t *ids, size_t *n, uint64_t *size, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_QUEUED);
    int rc;
    db_bind_int(s, 1, bulk);
    *n = 0;
    *size = 1024;                        /* head and trailer */
    while ((rc = db_step(c, s, e)) == 1) {
        uint64_t one = envelope_item_size((size_t)db_col_int(s, 1));
        if (*n && *size + one > max)
            break;                       /* the first one travels even when it alone is larger */
        ids[(*n)++] = db_col_int(s, 0);
        *size += one;
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_form(struct db_conn *c, bool bulk, uint64_t max, int64_t now_ms, struct file_row *out, bool *formed, struct err *e)
{
    int64_t ids[500], number = 0;
    size_t n;
    uint64_t size;
    *formed = false;
    if (choose(c, bulk, max, ids, &n, &size, e) < 0 || n == 0)
        return n == 0 && !(e && e->code) ? 0 : -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_NUMBER);
    db_bind_int(s, 1, now_ms);
    if (store_one(c, s, &number, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        s = db_stmt(c, &st, Q_TAKE);
        db_bind_int(s, 1, ids[i]);
        db_bind_int(s, 2, number);
        db_bind_int(s, 3, now_ms);
        if (db_run(c, s, e) < 0)
            return -1;
    }
    *out = (struct file_row){.number = (uint64_t)number, .kind = bulk ? ENVELOPE_SLICE : ENVELOPE_BATCH, .created_ms = now_ms / 1000 * 1000, .size = size};
    s = db_stmt(c, &st, Q_FILE_ADD);
    db_bind_int(s, 1, number);
    db_bind_text(s, 2, bulk ? "slice" : "batch");
    db_bind_int(s, 3, out->created_ms);
    db_bind_int(s, 4, (int64_t)size);
    db_bind_int(s, 5, now_ms);
    *formed = true;
    return db_run(c, s, e) < 0 ? -1 : journal_placed(c, out->number, now_ms, e);
}

int store_in_flight(struct db_conn *c, uint64_t *batches, uint64_t *slices, uint64_t *slice_bytes, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FLIGHT);
    int rc = db_step(c, s, e);
    *batches = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    *slices = rc == 1 ? (uint64_t)db_col_int(s, 1) : 0;
    *slice_bytes = rc == 1 ? (uint64_t)db_col_int(s, 2) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_due(struct db_conn *c, int64_t before_ms, int64_t now_ms, struct file_row *out, size_t max, size_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_DUE);
    int rc;
    db_bind_int(s, 1, before_ms);
    db_bind_int(s, 2, (int64_t)max);
    db_bind_int(s, 3, now_ms);
    for (*n = 0; (rc = db_step(c, s, e)) == 1 && *n < max; (*n)++) {
        struct file_row *f = &out[*n];
        *f = (struct file_row){.number = (uint64_t)db_col_int(s, 0), .created_ms = db_col_int(s, 2), .first_ms = db_col_int(s, 3), .last_ms = db_col_int(s, 4),
                               .size = (uint64_t)db_col_int(s, 6), .sends = (unsigned)db_col_int(s, 7)};
        f->kind = strcmp(db_col_text(s, 1), "slice") == 0 ? ENVELOPE_SLICE : ENVELOPE_BATCH;
        snprintf(f->hash, sizeof f->hash, "%s", db_col_text(s, 5));
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

static int grow(struct item_row **rows, size_t n, size_t *have, struct err *e)
{
    if (n < *have)
        return 0;
    *have = *have ? *have * 2 : 16;
    struct item_row *more = realloc(*rows, *have * sizeof *more);
    if (!more)
        return err_set(e, ERR_FULL, "delivery: no memory for %zu items", *have);
    *rows = more;
    return 0;
}

static void fill_item(struct item_row *r, sqlite3_stmt *s)
{
    struct bytes sealed = db_col_blob(s, 4);
    *r = (struct item_row){0};
    snprintf(r->item.id.s, sizeof r->item.id.s, "%s", db_col_text(s, 0));
    snprintf(r->item.kind, sizeof r->item.kind, "%s", db_col_text(s, 1));
    snprintf(r->item.case_no, sizeof r->item.case_no, "%s", db_col_text(s, 2));
    r->item.case_seq = (uint64_t)db_col_int(s, 3);
    snprintf(r->spool, sizeof r->spool, "%s", db_col_text(s, 5));
    snprintf(r->hash, sizeof r->hash, "%s", db_col_text(s, 6));
    buf_init(&r->sealed, ENVELOPE_MAX);
    buf_put(&r->sealed, sealed.p, sealed.n);
}

int store_items(struct db_conn *c, uint64_t number, struct item_row **out, size_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_ITEMS);
    size_t have = 0;
    int rc;
    *out = NULL;
    *n = 0;
    db_bind_int(s, 1, (int64_t)number);
    while ((rc = db_step(c, s, e)) == 1 && (rc = grow(out, *n, &have, e)) == 0)
        fill_item(&(*out)[(*n)++], s);
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

void store_items_free(struct item_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_clear(&rows[i].sealed);
    free(rows);
}

int store_published(struct db_conn *c, uint64_t number, const char *hash, uint64_t size, int64_t now_ms, struct err *e)
{
    if (journal_sent(c, number, hash, now_ms, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_PUBLISHED);
    db_bind_int(s, 1, (int64_t)number);
    db_bind_text(s, 2, hash);
    db_bind_int(s, 3, (int64_t)size);
    db_bind_int(s, 4, now_ms);
    return db_run(c, s, e);
}

static int run_range(struct db_conn *c, size_t q, uint64_t from, uint64_t to, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, q);
    db_bind_int(s, 1, (int64_t)from);
    db_bind_int(s, 2, (int64_t)to);
    if (sqlite3_bind_parameter_count(s) > 2)
        db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int store_ack(struct db_conn *c, uint64_t from, uint64_t to, bool keep, int64_t now_ms, int64_t *rtt_ms, struct err *e)
{
    int64_t first = 0;
    sqlite3_stmt *s = db_stmt(c, &st, Q_ACK_FROM);
    db_bind_int(s, 1, (int64_t)from);
    db_bind_int(s, 2, (int64_t)to);
    if (store_one(c, s, &first, e) < 0 || first == 0)
        return e && e->code ? -1 : 0;    /* acknowledged before */
    from = (uint64_t)first;              /* below lies every item that ever went */
    s = db_stmt(c, &st, Q_RTT);
    db_bind_int(s, 1, (int64_t)from);
    db_bind_int(s, 2, (int64_t)to);
    db_bind_int(s, 3, now_ms);
    db_bind_int(s, 4, *rtt_ms);
    int rc = db_step(c, s, e);
    *rtt_ms = rc == 1 ? db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    if (rc < 0 || (now_ms && journal_acked(c, from, to, now_ms, e) < 0))      /* time 0: a file that is forgotten unacknowledged */
        return -1;
    if (run_range(c, Q_ACK_FILES, from, to, now_ms, e) < 0)
        return -1;
    if (run_range(c, Q_ACK_KEEP, from, to, now_ms, e) < 0 || run_range(c, Q_ACK_SPOOL, from, to, now_ms, e) < 0)
        return -1;
    return run_range(c, keep ? Q_ACK_DROP : Q_ACK_DELETE, from, to, now_ms, e);
}

int delivery_trash(struct db_conn *c, const char *spool_name, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_TRASH_ADD);
    db_bind_text(s, 1, spool_name);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

int delivery_confirm(struct db_conn *c, const char *item_id, const char *sealed_hash, int64_t now_ms, struct err *e)
{
    char spool[80] = "", hash[65] = "";
    bool record = false;
    int64_t created_ms = 0, acked_ms = 0;
    sqlite3_stmt *s = db_stmt(c, &st, Q_CONFIRM_GET);
    db_bind_text(s, 1, item_id);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        snprintf(hash, sizeof hash, "%s", db_col_text(s, 0));
        snprintf(spool, sizeof spool, "%s", db_col_text(s, 1));
        record = db_col_int(s, 2) != 0;
        created_ms = db_col_int(s, 3);
        acked_ms = db_col_int(s, 4);
    }
    sqlite3_reset(s);
    if (rc <= 0)
        return rc;
    if (strcmp(hash, sealed_hash) != 0)
        return err_set(e, ERR_CORRUPT, "item %s: the confirmation names another hash: nothing is purged", item_id);
    if (record && operate_crossed(c, created_ms, acked_ms, now_ms, e) < 0)
        return -1;
    if (delivery_trash(c, spool, now_ms, e) < 0)      /* also without a file: it makes the sender truncate the log */
        return -1;
    if (journal_confirmed(c, item_id, now_ms, e) < 0)
        return -1;
    s = db_stmt(c, &st, Q_CONFIRM_DROP);
    db_bind_text(s, 1, item_id);
    return db_run(c, s, e) < 0 ? -1 : 1;
}

int store_trash(struct db_conn *c, int64_t *id, char name[80], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_TRASH_GET);
    db_bind_int(s, 1, *id);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        *id = db_col_int(s, 0);
        snprintf(name, 80, "%s", db_col_text(s, 1));
    }
    sqlite3_reset(s);
    return rc;
}

int store_trash_done(struct db_conn *c, int64_t id, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_TRASH_DONE);
    db_bind_int(s, 1, id);
    return db_run(c, s, e);
}

int delivery_case_state(struct db_conn *c, const char *case_no, struct delivery_case *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_CASE);
    db_bind_text(s, 1, case_no);
    int rc = db_step(c, s, e);
    *out = (struct delivery_case){0};
    if (rc == 1)
        *out = (struct delivery_case){(uint64_t)db_col_int(s, 0), (uint64_t)db_col_int(s, 1), db_col_int(s, 2)};
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_counts(struct db_conn *c, struct delivery_state *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_COUNT_OUT);
    if (db_step(c, s, e) != 1)
        return -1;
    out->queued = (uint64_t)db_col_int(s, 0);
    out->unconfirmed = (uint64_t)db_col_int(s, 1);
    out->oldest_ms = db_col_int(s, 2);
    s = db_stmt(c, &st, Q_COUNT_FILES);
    if (db_step(c, s, e) != 1)
        return -1;
    out->unacked = (uint64_t)db_col_int(s, 0);
    return store_incoming_counts(c, out, e);
}
