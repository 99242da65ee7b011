#include "ferry/lib/store_keys.h"

#include <stdio.h>
#include <string.h>

#include "ferry/lib/delivery.h"

#define ROWS 50

enum { Q_PUT, Q_NEXT, Q_DROP, Q_CASE, Q_REVOKED, Q_IS_REVOKED, Q_STREAM, Q_OPEN_OUT, Q_OPEN_IN, Q_FILES, Q__COUNT };
/* A sealed item begins with 4 bytes of suite, the recipient's key id and the sender's (common/seal.h): bytes 5 to 12 and 13 to 20. */
static const char *const sql[Q__COUNT] = {
    [Q_PUT] = "INSERT INTO key_word(key_id, word, name, sign, box, expires_ms, incarnation, number, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
    [Q_NEXT] = "SELECT id, key_id, word, name, sign, box, expires_ms, incarnation, number FROM key_word WHERE id > ?1 ORDER BY id LIMIT 1",
    [Q_DROP] = "DELETE FROM key_word WHERE id = ?1",
    [Q_CASE] = "INSERT INTO key_case(case_no, key_id, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) ON CONFLICT(case_no, key_id) DO NOTHING",
    [Q_REVOKED] = "INSERT INTO key_revoked(key_id, gmt_create, gmt_modified) VALUES(?1, ?2, ?2) ON CONFLICT(key_id) DO NOTHING",
    [Q_IS_REVOKED] = "SELECT 1 FROM key_revoked r JOIN key_case k ON k.key_id = r.key_id AND k.case_no = ?1 LIMIT 1",
    [Q_STREAM] = "SELECT incarnation, next_number FROM delivery_stream WHERE id = 1",
    [Q_OPEN_OUT] = "SELECT o.item_id, o.kind, o.case_no, CASE WHEN o.acked_ms = 0 THEN 'sending' ELSE 'unconfirmed' END FROM out_item o JOIN out_body b ON b.id = o.id "
                   "WHERE (o.acked_ms = 0 OR o.retain = 1) AND o.spool = '' AND substr(b.sealed, ?2, 8) = ?1 ORDER BY o.id",
    [Q_OPEN_IN] = "SELECT item_id, kind, case_no, state FROM in_item WHERE state <> 'applied' AND state <> 'refused' AND substr(sealed, ?2, 8) = ?1 ORDER BY id",
    [Q_FILES] = "SELECT count(*) FROM out_file WHERE id < ?1",
};
static const struct db_statements st = {sql, Q__COUNT};

int keys_store_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

int store_key_word_put(struct db_conn *c, const struct key_word *w, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_PUT);
    db_bind_text(s, 1, w->key);
    db_bind_text(s, 2, w->word);
    db_bind_text(s, 3, w->name);
    db_bind_text(s, 4, w->sign);
    db_bind_text(s, 5, w->box);
    db_bind_int(s, 6, w->expires_ms);
    db_bind_text(s, 7, w->incarnation);
    db_bind_int(s, 8, (int64_t)w->number);
    db_bind_int(s, 9, now_ms);
    return db_run(c, s, e);
}

int store_key_word_next(struct db_conn *c, int64_t after, struct key_word *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_NEXT);
    db_bind_int(s, 1, after);
    int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    *out = (struct key_word){.row = db_col_int(s, 0), .expires_ms = db_col_int(s, 6), .number = (uint64_t)db_col_int(s, 8)};
    snprintf(out->key, sizeof out->key, "%s", db_col_text(s, 1));
    snprintf(out->word, sizeof out->word, "%s", db_col_text(s, 2));
    snprintf(out->name, sizeof out->name, "%s", db_col_text(s, 3));
    snprintf(out->sign, sizeof out->sign, "%s", db_col_text(s, 4));
    snprintf(out->box, sizeof out->box, "%s", db_col_text(s, 5));
    snprintf(out->incarnation, sizeof out->incarnation, "%s", db_col_text(s, 7));
    sqlite3_reset(s);
    return 1;
}

int store_key_word_drop(struct db_conn *c, int64_t row, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_DROP);
    db_bind_int(s, 1, row);
    return db_run(c, s, e);
}

int store_key_case(struct db_conn *c, const char *case_no, const char *key, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_CASE);
    db_bind_text(s, 1, case_no);
    db_bind_text(s, 2, key);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int store_key_revoked(struct db_conn *c, const char *key, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_REVOKED);
    db_bind_text(s, 1, key);
    db_bind_int(s, 2, now_ms);
    return db_run(c, s, e);
}

int delivery_case_revoked(struct db_conn *c, const char *case_no, bool *revoked, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_IS_REVOKED);
    db_bind_text(s, 1, case_no);
    int rc = db_step(c, s, e);
    *revoked = rc == 1;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int store_key_next(struct db_conn *c, char incarnation[17], uint64_t *number, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_STREAM);
    int rc = db_step(c, s, e);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(e, ERR_INTERNAL, "delivery: the stream's row is missing");
    snprintf(incarnation, 17, "%s", db_col_text(s, 0));
    *number = (uint64_t)db_col_int(s, 1);
    sqlite3_reset(s);
    return 0;
}

static int collect(struct db_conn *c, int q, const uint8_t id[8], int place, json_t *rows, uint64_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, (size_t)q);
    int rc;
    db_bind_blob(s, 1, (struct bytes){id, 8});
    db_bind_int(s, 2, place);
    while ((rc = db_step(c, s, e)) == 1) {
        if (json_array_size(rows) < ROWS)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "id", db_col_text(s, 0), "kind", db_col_text(s, 1), "case_no", db_col_text(s, 2), "what", db_col_text(s, 3)));
        (*n)++;
    }
    return rc;
}

int store_key_open(struct db_conn *c, const uint8_t id[8], bool own, json_t *rows, uint64_t *n, struct err *e)
{
    const int recipient = 5, sender = 13;
    return collect(c, Q_OPEN_OUT, id, own ? sender : recipient, rows, n, e) < 0 || collect(c, Q_OPEN_IN, id, own ? recipient : sender, rows, n, e) < 0 ? -1 : 0;
}

int store_key_files(struct db_conn *c, uint64_t below, uint64_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILES);
    db_bind_int(s, 1, (int64_t)below);
    int rc = db_step(c, s, e);
    if (rc == 1)
        *n = (uint64_t)db_col_int(s, 0);
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
