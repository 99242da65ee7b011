#include <stdio.h>
#include <string.h>

#include "ferry/lib/parts.h"

enum {
    Q_MET, Q_NEWEST, Q_HEARD, Q_CONTIGUOUS, Q_FILE_KNOWN, Q_FILE_IN, Q_FILE_NEXT, Q_ADVANCE, Q_FILE_PRUNE, Q_RANGES, Q_ITEM_STATE, Q_ITEM_PUT,
    Q_CASE_SEQ, Q_CASE_SETTLE, Q_READY, Q_HELD, Q_LIST, Q_COUNT_IN, Q__COUNT
};
static const char *const sql[Q__COUNT] = {
    [Q_MET] = "SELECT count(*) FROM in_stream",
    [Q_NEWEST] = "SELECT incarnation FROM in_stream ORDER BY id DESC LIMIT 1",
    [Q_HEARD] = "INSERT INTO in_stream(incarnation, heard_ms, gmt_create, gmt_modified) VALUES(?1, ?2, ?2, ?2) "
                "ON CONFLICT(incarnation) DO UPDATE SET heard_ms = ?2, gmt_modified = ?2",
    [Q_CONTIGUOUS] = "SELECT contiguous FROM in_stream WHERE incarnation = ?1",
    [Q_FILE_KNOWN] = "SELECT 1 FROM in_file WHERE incarnation = ?1 AND number = ?2",
    [Q_FILE_IN] = "INSERT INTO in_file(incarnation, number, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3)",
    [Q_FILE_NEXT] = "SELECT number FROM in_file WHERE incarnation = ?1 AND number > ?2 ORDER BY number LIMIT 1",
    [Q_ADVANCE] = "UPDATE in_stream SET contiguous = ?2, gmt_modified = ?3 WHERE incarnation = ?1",
    [Q_FILE_PRUNE] = "DELETE FROM in_file WHERE incarnation = ?1 AND number <= ?2",
    [Q_RANGES] = "SELECT number FROM in_file WHERE incarnation = ?1 ORDER BY number",
    [Q_ITEM_STATE] = "SELECT state FROM in_item WHERE item_id = ?1",
    [Q_ITEM_PUT] = "INSERT INTO in_item(item_id, kind, case_no, case_seq, state, hash, sealed, reason, received_ms, gmt_create, gmt_modified) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?9) "
                   "ON CONFLICT(item_id) DO UPDATE SET state = ?5, sealed = ?7, reason = ?8, gmt_modified = ?9",
    [Q_CASE_SEQ] = "SELECT seq FROM in_case WHERE case_no = ?1",
    [Q_CASE_SETTLE] = "INSERT INTO in_case(case_no, seq, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) "
                      "ON CONFLICT(case_no) DO UPDATE SET seq = ?2, gmt_modified = ?3",
    /* "state <> 'applied'" stands word for word where in_item_open is to be used: the table keeps every item that ever came. */
    [Q_READY] = "SELECT w.item_id, w.kind, w.case_no, w.case_seq, w.sealed, w.id FROM in_item w LEFT JOIN in_case c ON c.case_no = w.case_no "
                "WHERE w.state <> 'applied' AND w.state = 'waiting' AND w.id > ?1 AND w.case_seq <= coalesce(c.seq, 0) + 1 ORDER BY w.id LIMIT 1",
    [Q_HELD] = "SELECT item_id, kind, case_no, case_seq, sealed, id FROM in_item WHERE item_id = ?1 AND state = 'held'",
    [Q_LIST] = "SELECT item_id, kind, case_no, state, reason, received_ms FROM in_item WHERE state <> 'applied' ORDER BY id DESC LIMIT ?1",
    [Q_COUNT_IN] = "SELECT coalesce(sum(state = 'held'), 0), coalesce(sum(state = 'waiting'), 0), coalesce(sum(state = 'refused'), 0), "
                   "coalesce(min(CASE WHEN state = 'waiting' THEN received_ms END), 0) FROM in_item WHERE state <> 'applied'",
};
static const struct db_statements st = {sql, Q__COUNT};

int store_incoming_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

int store_case_seq(struct db_conn *c, const char *case_no, uint64_t *settled, struct err *e)
{
    return store_number_of(c, db_stmt(c, &st, Q_CASE_SEQ), case_no, settled, e);
}

int store_case_settle(struct db_conn *c, const char *case_no, uint64_t seq, int64_t now_ms, struct err *e)
{
    return store_number_set(c, db_stmt(c, &st, Q_CASE_SETTLE), case_no, seq, now_ms, e);
}

int store_met(struct db_conn *c, bool *met, struct err *e)
{
    int64_t n = 0;
    int rc = store_one(c, db_stmt(c, &st, Q_MET), &n, e);
    *met = n > 0;
    return rc;
}

int store_last_stream(struct db_conn *c, char incarnation[17], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_NEWEST);
    int rc = db_step(c, s, e);
    snprintf(incarnation, 17, "%s", rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_heard(struct db_conn *c, const char *incarnation, uint64_t *contiguous, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_HEARD);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e) < 0 ? -1 : store_number_of(c, db_stmt(c, &st, Q_CONTIGUOUS), incarnation, contiguous, e);
}

int store_file_known(struct db_conn *c, const char *incarnation, uint64_t number, bool *known, struct err *e)
{
    uint64_t contiguous;
    if (store_number_of(c, db_stmt(c, &st, Q_CONTIGUOUS), incarnation, &contiguous, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILE_KNOWN);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)number);
    int rc = db_step(c, s, e);
    sqlite3_reset(s);
    *known = number <= contiguous || rc == 1;
    return rc < 0 ? -1 : 0;
}

static int next_in(struct db_conn *c, const char *incarnation, uint64_t after, uint64_t *number, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILE_NEXT);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)after);
    int rc = db_step(c, s, e);
    *number = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc;
}

int store_file_in(struct db_conn *c, const char *incarnation, uint64_t number, int64_t now_ms, struct err *e)
{
    uint64_t contiguous, next;
    int rc;
    if (store_heard(c, incarnation, &contiguous, now_ms, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILE_IN);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)number);
    db_bind_int(s, 3, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    uint64_t before = contiguous;
    while ((rc = next_in(c, incarnation, contiguous, &next, e)) == 1 && next == contiguous + 1)
        contiguous = next;
    if (rc < 0 || contiguous == before)
        return rc < 0 ? -1 : 0;
    s = db_stmt(c, &st, Q_ADVANCE);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)contiguous);
    db_bind_int(s, 3, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    s = db_stmt(c, &st, Q_FILE_PRUNE);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)contiguous);
    return db_run(c, s, e);
}

int store_ranges(struct db_conn *c, const char *incarnation, struct beat *b, struct err *e)
{
    int rc;
    b->nranges = 0;
    if (store_number_of(c, db_stmt(c, &st, Q_CONTIGUOUS), incarnation, &b->contiguous, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_RANGES);
    db_bind_text(s, 1, incarnation);
    while ((rc = db_step(c, s, e)) == 1) {
        uint64_t n = (uint64_t)db_col_int(s, 0);
        if (b->nranges && b->ranges[b->nranges - 1].to + 1 == n)
            b->ranges[b->nranges - 1].to = n;
        else if (b->nranges < ENVELOPE_RANGES)
            b->ranges[b->nranges++] = (struct beat_range){n, n};
        else
            break;
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_item_state(struct db_conn *c, const char *id, char state[12], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_ITEM_STATE);
    db_bind_text(s, 1, id);
    int rc = db_step(c, s, e);
    snprintf(state, 12, "%s", rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_item_put(struct db_conn *c, const struct in_item *it, const char *state, const char *reason, struct bytes sealed, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_ITEM_PUT);
    db_bind_text(s, 1, it->id);
    db_bind_text(s, 2, it->kind);
    db_bind_text(s, 3, it->case_no);
    db_bind_int(s, 4, (int64_t)it->case_seq);
    db_bind_text(s, 5, state);
    db_bind_text(s, 6, it->hash);
    db_bind_blob(s, 7, sealed);
    db_bind_text(s, 8, reason);
    db_bind_int(s, 9, it->now_ms);
    return db_run(c, s, e);
}

static int take_open(struct db_conn *c, sqlite3_stmt *s, struct in_item *it, struct id128 *id, int64_t *row, char kind[24], char case_no[17], struct buf *sealed, struct err *e)
{
    int rc = db_step(c, s, e);
    if (rc == 1) {
        struct bytes b = db_col_blob(s, 4);
        struct hash256 h;
        snprintf(id->s, sizeof id->s, "%s", db_col_text(s, 0));
        snprintf(kind, 24, "%s", db_col_text(s, 1));
        snprintf(case_no, 17, "%s", db_col_text(s, 2));
        *it = (struct in_item){.id = id->s, .kind = kind, .case_no = case_no, .case_seq = (uint64_t)db_col_int(s, 3)};
        buf_put(sealed, b.p, b.n);
        hash_of(&h, b);
        hash_hex(it->hash, &h);
        if (row)
            *row = db_col_int(s, 5);
        if (buf_done(sealed, "stored item", e) < 0)      /* cut for want of memory it would be refused for ever */
            rc = -1;
    }
    sqlite3_reset(s);
    return rc;
}

int store_ready(struct db_conn *c, int64_t *after, struct in_item *it, struct id128 *id, char kind[24], char case_no[17], struct buf *sealed, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_READY);
    db_bind_int(s, 1, *after);
    return take_open(c, s, it, id, after, kind, case_no, sealed, e);
}

int store_held(struct db_conn *c, const char *id, struct in_item *it, char kind[24], char case_no[17], struct buf *sealed, struct err *e)
{
    static _Thread_local struct id128 kept;
    sqlite3_stmt *s = db_stmt(c, &st, Q_HELD);
    db_bind_text(s, 1, id);
    return take_open(c, s, it, &kept, NULL, kind, case_no, sealed, e);
}

int store_list(struct db_conn *c, struct delivery_open_item *out, size_t max, size_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_LIST);
    int rc;
    db_bind_int(s, 1, (int64_t)max);
    for (*n = 0; (rc = db_step(c, s, e)) == 1 && *n < max; (*n)++) {
        struct delivery_open_item *o = &out[*n];
        *o = (struct delivery_open_item){.at_ms = db_col_int(s, 5)};
        snprintf(o->id.s, sizeof o->id.s, "%s", db_col_text(s, 0));
        snprintf(o->kind, sizeof o->kind, "%s", db_col_text(s, 1));
        snprintf(o->case_no, sizeof o->case_no, "%s", db_col_text(s, 2));
        snprintf(o->word, sizeof o->word, "%s", db_col_text(s, 3));
        snprintf(o->reason, sizeof o->reason, "%.199s", db_col_text(s, 4));
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_incoming_counts(struct db_conn *c, struct delivery_state *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_COUNT_IN);
    if (db_step(c, s, e) != 1)
        return -1;
    out->held = (uint64_t)db_col_int(s, 0);
    out->waiting = (uint64_t)db_col_int(s, 1);
    out->refused = (uint64_t)db_col_int(s, 2);
    out->waiting_ms = db_col_int(s, 3);
    return 0;
}
