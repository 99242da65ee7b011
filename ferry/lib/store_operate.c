#include "ferry/lib/store_operate.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#define WITHIN_5_MS (5 * 60 * 1000LL)
#define WITHIN_10_MS (10 * 60 * 1000LL)

/* An item of ours in words: sealed (queued), sent, received (its file was acknowledged, its record is not confirmed). */
#define OUT_COLUMNS "SELECT o.item_id, o.kind, o.case_no, o.case_seq, CASE WHEN o.acked_ms > 0 THEN 'received' WHEN f.sends > 0 THEN 'sent' ELSE 'sealed' END, " \
                    "'', o.gmt_create, o.number, coalesce(f.sends, 0), o.retain, o.size FROM out_item o LEFT JOIN out_file f ON f.id = o.number "
#define IN_COLUMNS "SELECT item_id, kind, case_no, case_seq, state, reason, received_ms, 0, 0, 0, length(sealed) FROM in_item "
#define HAS_BYTES "(spool <> '' OR EXISTS (SELECT 1 FROM out_body b WHERE b.id = out_item.id))"
#define CASES "SELECT case_no FROM out_case UNION SELECT case_no FROM in_case UNION SELECT case_no FROM out_item WHERE case_no <> ''"

enum {
    Q_OPEN, Q_HELD, Q_OUT, Q_SHOW_OUT, Q_SHOW_IN, Q_FILES, Q_DRAIN, Q_CROSSED, Q_TODAY, Q_LATE, Q_STATE, Q_SET_STATE, Q_STREAM, Q_FILES_DROP, Q_ITEMS_AGAIN,
    Q_CASES, Q_REQUEUE, Q_PLACES, Q_FLOOR, Q_TOP, Q_GONE, Q_GONE_HAS, Q_OUT_GET, Q_OUT_RAISE, Q_FLOOR_RAISE, Q_FLOOR_PRUNE, Q_AHEAD, Q_AHEAD_GET, Q_AHEAD_DROP, Q__COUNT
};

static const char *const sql[Q__COUNT] = {
    [Q_OPEN] = IN_COLUMNS "WHERE state <> 'applied' ORDER BY id DESC LIMIT ?1",
    [Q_HELD] = IN_COLUMNS "WHERE state <> 'applied' AND state = 'held' ORDER BY id LIMIT ?1",
    [Q_OUT] = OUT_COLUMNS "WHERE o.acked_ms = 0 OR o.retain = 1 ORDER BY o.id LIMIT ?1",
    [Q_SHOW_OUT] = OUT_COLUMNS "WHERE o.item_id = ?1 OR (o.case_no = ?1 AND ?1 <> '') ORDER BY o.id",
    [Q_SHOW_IN] = IN_COLUMNS "WHERE item_id = ?1 OR (case_no = ?1 AND ?1 <> '') ORDER BY id",
    [Q_FILES] = "SELECT id, kind, sends, first_ms, last_ms, size, hash, gmt_create FROM out_file ORDER BY id LIMIT ?1",
    [Q_DRAIN] = "UPDATE delivery_stream SET drained = ?1, gmt_modified = ?2 WHERE id = 1",
    [Q_CROSSED] = "INSERT INTO crossing_day(day, records, within_5, within_10, slowest_ms, gmt_create, gmt_modified) VALUES(?1, 1, ?2, ?3, ?4, ?5, ?5) "
                  "ON CONFLICT(day) DO UPDATE SET records = records + 1, within_5 = within_5 + ?2, within_10 = within_10 + ?3, "
                  "slowest_ms = max(slowest_ms, ?4), gmt_modified = ?5",
    [Q_TODAY] = "SELECT records, within_5, within_10, slowest_ms FROM crossing_day WHERE day = ?1",
    [Q_LATE] = "SELECT coalesce(sum(acked_ms = 0 AND gmt_create < ?1), 0), coalesce(sum(gmt_create < ?2), 0) FROM out_item "
               "WHERE retain = 1 AND bulk = 0 AND gmt_create < ?1",
    [Q_STATE] = "SELECT state, token, state_ms, part, drained FROM delivery_stream WHERE id = 1",
    [Q_SET_STATE] = "UPDATE delivery_stream SET state_ms = CASE WHEN state = ?1 THEN state_ms ELSE ?4 END, state = ?1, token = ?2, part = ?3, gmt_modified = ?4 WHERE id = 1",
    [Q_STREAM] = "UPDATE delivery_stream SET incarnation = ?1, next_number = 1, gmt_modified = ?2 WHERE id = 1",
    [Q_FILES_DROP] = "DELETE FROM out_file",
    /* What is kept but need not go again belongs to no file of the new stream: -1. */
    [Q_ITEMS_AGAIN] = "UPDATE out_item SET number = CASE WHEN acked_ms = 0 OR retain = 1 THEN 0 ELSE -1 END, acked_ms = CASE WHEN retain = 1 THEN 0 ELSE acked_ms END, "
                      "gmt_modified = ?1",
    [Q_CASES] = "SELECT k.case_no, coalesce(i.seq, 0), coalesce(o.seq, 0) FROM (" CASES ") k LEFT JOIN in_case i ON i.case_no = k.case_no "
                "LEFT JOIN out_case o ON o.case_no = k.case_no WHERE k.case_no > ?1 AND (?2 = '' OR k.case_no <= ?2) ORDER BY k.case_no LIMIT ?3",
    /* What is in a file that is still under way arrives with it. */
    [Q_REQUEUE] = "UPDATE out_item SET number = 0, acked_ms = 0, gmt_modified = ?3 WHERE case_no = ?1 AND (case_seq > ?2 OR (retain = 1 AND case_seq = 0)) "
                  "AND acked_ms > 0 AND " HAS_BYTES,
    [Q_PLACES] = "SELECT DISTINCT case_seq FROM out_item WHERE case_no = ?1 AND case_seq > ?2 AND " HAS_BYTES " ORDER BY case_seq",
    [Q_FLOOR] = "SELECT coalesce((SELECT min(id) - 1 FROM out_file), (SELECT next_number - 1 FROM delivery_stream WHERE id = 1))",
    [Q_TOP] = "SELECT coalesce(max(case_no), '') FROM (SELECT max(case_no) AS case_no FROM out_case UNION ALL SELECT max(case_no) FROM in_case)",
    [Q_GONE] = "INSERT INTO in_gone(case_no, seq, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) ON CONFLICT(case_no, seq) DO NOTHING",
    [Q_GONE_HAS] = "SELECT 1 FROM in_gone WHERE case_no = ?1 AND seq = ?2",
    [Q_OUT_GET] = "SELECT seq FROM out_case WHERE case_no = ?1",
    [Q_OUT_RAISE] = "INSERT INTO out_case(case_no, seq, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) "
                    "ON CONFLICT(case_no) DO UPDATE SET seq = max(seq, ?2), gmt_modified = ?3",
    [Q_FLOOR_RAISE] = "UPDATE in_stream SET contiguous = max(contiguous, ?2), gmt_modified = ?3 WHERE incarnation = ?1",
    [Q_FLOOR_PRUNE] = "DELETE FROM in_file WHERE incarnation = ?1 AND number <= ?2",
    [Q_AHEAD] = "INSERT INTO resync_ahead(case_no, gmt_create, gmt_modified) VALUES(?1, ?2, ?2) ON CONFLICT(case_no) DO NOTHING",
    [Q_AHEAD_GET] = "SELECT case_no FROM resync_ahead ORDER BY id LIMIT 1",
    [Q_AHEAD_DROP] = "DELETE FROM resync_ahead WHERE case_no = ?1",
};
static const struct db_statements st = {sql, Q__COUNT};

int operate_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

static bool is_out(size_t q)
{
    return q == Q_OUT || q == Q_SHOW_OUT;
}

static json_t *item_row(sqlite3_stmt *s, bool out, int64_t now_ms)
{
    int64_t at = db_col_int(s, 6), limit = strcmp(db_col_text(s, 1), "slice") == 0 ? WITHIN_10_MS : WITHIN_5_MS;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:I}", "direction", out ? "out" : "in", "id", db_col_text(s, 0), "kind", db_col_text(s, 1),
                            "case", db_col_text(s, 2), "seq", (json_int_t)db_col_int(s, 3), "state", db_col_text(s, 4), "reason", db_col_text(s, 5), "at_ms", (json_int_t)at,
                            "bytes", (json_int_t)db_col_int(s, 10));
    if (row && out) {
        json_object_set_new(row, "number", json_integer(db_col_int(s, 7)));
        json_object_set_new(row, "sends", json_integer(db_col_int(s, 8)));
        json_object_set_new(row, "overdue", json_boolean(now_ms - at > limit));
    }
    return row;
}

static json_t *file_row_json(sqlite3_stmt *s, int64_t now_ms)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:b}", "number", (json_int_t)db_col_int(s, 0), "kind", db_col_text(s, 1), "state", db_col_int(s, 2) ? "sent" : "sealed",
                     "sends", (json_int_t)db_col_int(s, 2), "first_ms", (json_int_t)db_col_int(s, 3), "last_ms", (json_int_t)db_col_int(s, 4), "bytes", (json_int_t)db_col_int(s, 5),
                     "hash", db_col_text(s, 6), "overdue", (int)(now_ms - db_col_int(s, 7) > WITHIN_5_MS));
}

static int put_rows(struct db_conn *c, sqlite3_stmt *s, size_t q, int64_t now_ms, json_t *rows, struct err *e)
{
    int rc;
    while ((rc = db_step(c, s, e)) == 1)
        if (json_array_append_new(rows, q == Q_FILES ? file_row_json(s, now_ms) : item_row(s, is_out(q), now_ms)) < 0) {
            sqlite3_reset(s);
            return err_set(e, ERR_FULL, "list: no memory");
        }
    sqlite3_reset(s);
    return rc;
}

int operate_list(struct db_conn *c, const char *what, int64_t max, int64_t now_ms, json_t *rows, struct err *e)
{
    static const struct { const char *word; size_t q; } words[] = {{"open", Q_OPEN}, {"held", Q_HELD}, {"out", Q_OUT}, {"files", Q_FILES}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, what) == 0) {
            sqlite3_stmt *s = db_stmt(c, &st, words[i].q);
            db_bind_int(s, 1, max);
            return put_rows(c, s, words[i].q, now_ms, rows, e);
        }
    return err_set(e, ERR_INPUT, "list: want open, held, out, files or differences, have '%.30s'", what);
}

int operate_show(struct db_conn *c, const char *id_or_case, int64_t now_ms, json_t *rows, struct err *e)
{
    static const size_t both[] = {Q_SHOW_OUT, Q_SHOW_IN};
    for (size_t i = 0; i < 2; i++) {
        sqlite3_stmt *s = db_stmt(c, &st, both[i]);
        db_bind_text(s, 1, id_or_case);
        if (put_rows(c, s, both[i], now_ms, rows, e) < 0)
            return -1;
    }
    return 0;
}

int operate_drain(struct db_conn *c, bool on, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_DRAIN);
    db_bind_int(s, 1, on);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

static void day_of(char day[11], int64_t ms)
{
    struct date d = clock_beijing_date(ms);
    snprintf(day, 11, "%04u-%02u-%02u", (unsigned)d.y % 10000, (unsigned)d.m % 100, (unsigned)d.d % 100);
}

int operate_crossed(struct db_conn *c, int64_t created_ms, int64_t acked_ms, int64_t now_ms, struct err *e)
{
    char day[11];
    int64_t took = now_ms - created_ms, crossed = acked_ms ? acked_ms - created_ms : took;
    sqlite3_stmt *s = db_stmt(c, &st, Q_CROSSED);
    day_of(day, now_ms);
    db_bind_text(s, 1, day);
    db_bind_int(s, 2, crossed <= WITHIN_5_MS);
    db_bind_int(s, 3, took <= WITHIN_10_MS);
    db_bind_int(s, 4, took > 0 ? took : 0);
    db_bind_int(s, 5, now_ms);
    return db_run(c, s, e);
}

int operate_crossing(struct db_conn *c, int64_t now_ms, struct crossing *out, struct err *e)
{
    char day[11];
    day_of(day, now_ms);
    *out = (struct crossing){0};
    sqlite3_stmt *s = db_stmt(c, &st, Q_TODAY);
    db_bind_text(s, 1, day);
    int rc = db_step(c, s, e);
    if (rc == 1)
        *out = (struct crossing){.records = (uint64_t)db_col_int(s, 0), .within_5 = (uint64_t)db_col_int(s, 1), .within_10 = (uint64_t)db_col_int(s, 2), .slowest_ms = db_col_int(s, 3)};
    sqlite3_reset(s);
    if (rc < 0)
        return -1;
    s = db_stmt(c, &st, Q_LATE);
    db_bind_int(s, 1, now_ms - WITHIN_5_MS);
    db_bind_int(s, 2, now_ms - WITHIN_10_MS);
    if (db_step(c, s, e) == 1) {
        out->late_5 = (uint64_t)db_col_int(s, 0);
        out->late_10 = (uint64_t)db_col_int(s, 1);
    }
    sqlite3_reset(s);
    return e && e->code ? -1 : 0;
}

int operate_state(struct db_conn *c, struct stream_state *out, struct err *e)
{
    *out = (struct stream_state){.part = 0};
    sqlite3_stmt *s = db_stmt(c, &st, Q_STATE);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        snprintf(out->state, sizeof out->state, "%s", db_col_text(s, 0));
        snprintf(out->token, sizeof out->token, "%s", db_col_text(s, 1));
        out->since_ms = db_col_int(s, 2);
        out->part = (uint64_t)db_col_int(s, 3);
        out->drained = db_col_int(s, 4) != 0;
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int operate_set_state(struct db_conn *c, const char *state, const char *token, uint64_t part, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_SET_STATE);
    db_bind_text(s, 1, state);
    db_bind_text(s, 2, token);
    db_bind_int(s, 3, (int64_t)part);
    db_bind_int(s, 4, now_ms);
    return db_run(c, s, e);
}

int operate_stop(struct db_conn *c, int64_t now_ms, struct err *e)
{
    struct stream_state s;
    if (operate_state(c, &s, e) < 0)
        return -1;
    const bool asked = strcmp(s.state, "resync") == 0 && s.part == 0;
    return asked || strcmp(s.state, "stopped") == 0 ? 0 : operate_set_state(c, "stopped", "", 0, now_ms, e);
}

int operate_new_stream(struct db_conn *c, const char *incarnation, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_STREAM);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, now_ms);
    if (db_run(c, s, e) < 0 || db_run(c, db_stmt(c, &st, Q_FILES_DROP), e) < 0)
        return -1;
    s = db_stmt(c, &st, Q_ITEMS_AGAIN);
    db_bind_int(s, 1, now_ms);
    return db_run(c, s, e);
}

int operate_cases(struct db_conn *c, const char *from, const char *to, struct case_places *out, size_t max, size_t *n, struct err *e)
{
    int rc;
    sqlite3_stmt *s = db_stmt(c, &st, Q_CASES);
    db_bind_text(s, 1, from);
    db_bind_text(s, 2, to);
    db_bind_int(s, 3, (int64_t)max);
    for (*n = 0; *n < max && (rc = db_step(c, s, e)) == 1; (*n)++) {
        out[*n] = (struct case_places){.in = (uint64_t)db_col_int(s, 1), .out = (uint64_t)db_col_int(s, 2)};
        snprintf(out[*n].no, sizeof out[*n].no, "%s", db_col_text(s, 0));
    }
    sqlite3_reset(s);
    return e && e->code ? -1 : 0;
}

int operate_requeue(struct db_conn *c, const char *no, uint64_t in, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_REQUEUE);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, (int64_t)in);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int operate_gaps(struct db_conn *c, const char *no, uint64_t above, uint64_t upto, struct place_range *out, size_t max, size_t *n, struct err *e)
{
    int rc = 0;
    uint64_t next = above + 1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_PLACES);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, (int64_t)above);
    *n = 0;
    while (next <= upto && *n < max && (rc = db_step(c, s, e)) >= 0) {
        uint64_t kept = rc == 1 ? (uint64_t)db_col_int(s, 0) : upto + 1;
        if (kept > next)
            out[(*n)++] = (struct place_range){next, kept > upto ? upto : kept - 1};
        next = kept + 1;
    }
    sqlite3_reset(s);
    if (rc < 0)
        return -1;
    return next <= upto ? err_set(e, ERR_TOO_LARGE, "resync: case %s has more than %zu gaps", no, max) : 0;
}

int operate_floor(struct db_conn *c, uint64_t *floor, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FLOOR);
    int rc = db_step(c, s, e);
    *floor = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

static int one_text(struct db_conn *c, sqlite3_stmt *s, char no[17], struct err *e)
{
    int rc = db_step(c, s, e);
    snprintf(no, 17, "%s", rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc;
}

int operate_top(struct db_conn *c, char no[17], struct err *e)
{
    return one_text(c, db_stmt(c, &st, Q_TOP), no, e) < 0 ? -1 : 0;
}

int operate_gone(struct db_conn *c, const char *no, struct place_range r, int64_t now_ms, struct err *e)
{
    for (uint64_t seq = r.from; seq <= r.to; seq++) {
        sqlite3_stmt *s = db_stmt(c, &st, Q_GONE);
        db_bind_text(s, 1, no);
        db_bind_int(s, 2, (int64_t)seq);
        db_bind_int(s, 3, now_ms);
        if (db_run(c, s, e) < 0)
            return -1;
    }
    return 0;
}

int operate_skip_gone(struct db_conn *c, const char *no, uint64_t *settled, struct err *e)
{
    for (;;) {
        sqlite3_stmt *s = db_stmt(c, &st, Q_GONE_HAS);
        db_bind_text(s, 1, no);
        db_bind_int(s, 2, (int64_t)*settled + 1);
        int rc = db_step(c, s, e);
        sqlite3_reset(s);
        if (rc <= 0)
            return rc;
        (*settled)++;
    }
}

int operate_raise_out(struct db_conn *c, const char *no, uint64_t least, bool *raised, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_OUT_GET);
    db_bind_text(s, 1, no);
    int rc = db_step(c, s, e);
    uint64_t have = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    *raised = rc >= 0 && have < least;
    if (rc < 0 || !*raised)
        return rc < 0 ? -1 : 0;
    s = db_stmt(c, &st, Q_OUT_RAISE);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, (int64_t)least);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int operate_raise_floor(struct db_conn *c, const char *incarnation, uint64_t floor, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FLOOR_RAISE);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)floor);
    db_bind_int(s, 3, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    s = db_stmt(c, &st, Q_FLOOR_PRUNE);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)floor);
    return db_run(c, s, e);
}

int operate_ahead(struct db_conn *c, const char *no, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_AHEAD);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

int operate_ahead_next(struct db_conn *c, char no[17], struct err *e)
{
    int rc = one_text(c, db_stmt(c, &st, Q_AHEAD_GET), no, e);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *s = db_stmt(c, &st, Q_AHEAD_DROP);
    db_bind_text(s, 1, no);
    return db_run(c, s, e) < 0 ? -1 : 1;
}
