#include "internet-side/store/guard.h"

#include <stdio.h>
#include <string.h>

enum { Q_SUBMISSION, Q_SUBMISSION_ADD, Q_CONTENT, Q_CONTENT_SET, Q_CONTENT_PRUNE, Q_CONTENT_FORGET, Q_DEVICE, Q_DEVICE_ADD, Q_UNLOCK,
       Q_UNLOCK_SAVE, Q_SERIAL, Q_SERIAL_RAISE, Q_OUT_ADD, Q_OUT, Q_OUT_ANSWERED, Q_CONFIG, Q_CONFIG_ADD, Q_CONFIG_PRUNE, Q__COUNT };

static const char *const sql[Q__COUNT] = {
    [Q_SUBMISSION] = "SELECT body, case_no, record, pages, at_ms FROM submission WHERE key = ?1",
    [Q_SUBMISSION_ADD] = "INSERT INTO submission(key, body, case_no, record, pages, at_ms, gmt_create, gmt_modified) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6)",
    [Q_CONTENT] = "SELECT case_no FROM content_guard WHERE content = ?1 AND at_ms > ?2",
    [Q_CONTENT_SET] = "INSERT INTO content_guard(content, case_no, at_ms, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3, ?3) "
                      "ON CONFLICT(content) DO UPDATE SET case_no = ?2, at_ms = ?3, gmt_modified = ?3",
    [Q_CONTENT_PRUNE] = "DELETE FROM content_guard WHERE at_ms <= ?1",
    [Q_CONTENT_FORGET] = "DELETE FROM content_guard WHERE case_no = ?1",
    [Q_DEVICE] = "SELECT 1 FROM device_grant WHERE case_no = ?1 AND device = ?2",
    [Q_DEVICE_ADD] = "INSERT OR IGNORE INTO device_grant(case_no, device, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3)",
    [Q_UNLOCK] = "SELECT tries, locked_until_ms FROM unlock_try WHERE case_no = ?1",
    [Q_UNLOCK_SAVE] = "INSERT INTO unlock_try(case_no, tries, locked_until_ms, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?4) "
                      "ON CONFLICT(case_no) DO UPDATE SET tries = ?2, locked_until_ms = ?3, gmt_modified = ?4",
    /* Never below a number that is there: a database refilled from the intranet has rows but no counter. ?4, ?5: bounds of the month. */
    [Q_SERIAL_RAISE] = "INSERT INTO case_counter(month, reserved, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3) "
                       "ON CONFLICT(month) DO UPDATE SET reserved = max(reserved, ?2), gmt_modified = ?3",
    [Q_SERIAL] = "INSERT INTO case_counter(month, reserved, gmt_create, gmt_modified) SELECT ?1, ?2 + coalesce((SELECT CAST(substr(max(case_no), 9, 7) AS INTEGER) "
                 "FROM tracking WHERE case_no BETWEEN ?4 AND ?5), 0), ?3, ?3 WHERE true "
                 "ON CONFLICT(month) DO UPDATE SET reserved = max(reserved + ?2, excluded.reserved), gmt_modified = ?3 RETURNING reserved",
    [Q_OUT_ADD] = "INSERT INTO outgoing_record(record, case_no, kind, seq, hash, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    [Q_OUT] = "SELECT record, case_no, kind, seq, hash, word FROM outgoing_record WHERE record = ?1",
    [Q_OUT_ANSWERED] = "UPDATE outgoing_record SET word = ?2, answered_ms = CASE WHEN ?2 IN ('confirmed', 'refused') THEN ?3 ELSE 0 END, "
                       "gmt_modified = ?3 WHERE record = ?1",
    [Q_CONFIG] = "SELECT bundle FROM configuration ORDER BY version DESC LIMIT 1 OFFSET ?1",
    [Q_CONFIG_ADD] = "INSERT INTO configuration(version, hash, bundle, published_ms, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
    [Q_CONFIG_PRUNE] = "DELETE FROM configuration WHERE version NOT IN (SELECT version FROM configuration ORDER BY version DESC LIMIT 2)",
};
const struct db_statements guard_statements = { sql, Q__COUNT };

static void copy_hash(struct hash256 *out, sqlite3_stmt *s, int i)
{
    const struct bytes b = db_col_blob(s, i);
    memset(out, 0, sizeof *out);
    if (b.n == sizeof out->b)
        memcpy(out->b, b.p, sizeof out->b);
}

static void bind_hash(sqlite3_stmt *s, int i, const struct hash256 *h)
{
    db_bind_blob(s, i, (struct bytes){ h->b, sizeof h->b });
}

int submission_load(struct submission *out, struct db_conn *c, const struct hash256 *key, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_SUBMISSION);
    bind_hash(s, 1, key);
    const int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    out->key = *key;
    copy_hash(&out->body, s, 0);
    snprintf(out->no.s, sizeof out->no.s, "%s", db_col_text(s, 1));
    snprintf(out->record.s, sizeof out->record.s, "%s", db_col_text(s, 2));
    out->pages = (int)db_col_int(s, 3);
    out->at_ms = db_col_int(s, 4);
    return 1;
}

int submission_add(struct db_conn *c, const struct submission *v, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_SUBMISSION_ADD);
    bind_hash(s, 1, &v->key);
    bind_hash(s, 2, &v->body);
    db_bind_text(s, 3, v->no.s);
    db_bind_text(s, 4, v->record.s);
    db_bind_int(s, 5, v->pages);
    db_bind_int(s, 6, v->at_ms);
    return db_run(c, s, e);
}

int content_guard_find(struct case_no *out, struct db_conn *c, const struct hash256 *content, int64_t since_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONTENT);
    bind_hash(s, 1, content);
    db_bind_int(s, 2, since_ms);
    const int rc = db_step(c, s, e);
    if (rc == 1)
        snprintf(out->s, sizeof out->s, "%s", db_col_text(s, 0));
    return rc;
}

int content_guard_set(struct db_conn *c, const struct hash256 *content, const char *no, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONTENT_SET);
    bind_hash(s, 1, content);
    db_bind_text(s, 2, no);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int content_guard_prune(struct db_conn *c, int64_t before_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONTENT_PRUNE);
    db_bind_int(s, 1, before_ms);
    return db_run(c, s, e);
}

int content_guard_forget(struct db_conn *c, const char *no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONTENT_FORGET);
    db_bind_text(s, 1, no);
    return db_run(c, s, e);
}

int device_granted(struct db_conn *c, const char *no, const struct hash256 *device, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_DEVICE);
    db_bind_text(s, 1, no);
    bind_hash(s, 2, device);
    return db_step(c, s, e);
}

int device_grant(struct db_conn *c, const char *no, const struct hash256 *device, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_DEVICE_ADD);
    db_bind_text(s, 1, no);
    bind_hash(s, 2, device);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int unlock_load(struct unlock_try *out, struct db_conn *c, const char *no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_UNLOCK);
    db_bind_text(s, 1, no);
    const int rc = db_step(c, s, e);
    *out = rc == 1 ? (struct unlock_try){ (int)db_col_int(s, 0), db_col_int(s, 1) } : (struct unlock_try){0};
    return rc < 0 ? -1 : 0;
}

int unlock_save(struct db_conn *c, const char *no, const struct unlock_try *t, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_UNLOCK_SAVE);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, t->tries);
    db_bind_int(s, 3, t->locked_until_ms);
    db_bind_int(s, 4, now_ms);
    return db_run(c, s, e);
}

int serial_reserve(uint32_t *last, struct db_conn *c, int month, uint32_t n, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_SERIAL);
    struct case_no first, last_no;
    case_no_make(&first, month, 1);
    case_no_make(&last_no, month, CASE_NO_SERIAL_MAX);
    db_bind_int(s, 1, month);
    db_bind_int(s, 2, n);
    db_bind_int(s, 3, now_ms);
    db_bind_text(s, 4, first.s);
    db_bind_text(s, 5, last_no.s);
    struct err why = {0};
    const int rc = db_step(c, s, &why);
    if (rc == 1) {
        *last = (uint32_t)db_col_int(s, 0);
        sqlite3_reset(s);
        return 0;
    }
    if (why.code == ERR_CONFLICT)
        return err_set(e, ERR_FULL, "case_counter: month %04d has no serial numbers left", month);
    return err_set(e, why.code ? why.code : ERR_INTERNAL, "case_counter: %.200s", why.msg);
}

int serial_raise(struct db_conn *c, int month, uint32_t serial, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_SERIAL_RAISE);
    db_bind_int(s, 1, month);
    db_bind_int(s, 2, serial);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int outgoing_add(struct db_conn *c, const struct outgoing *o, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_OUT_ADD);
    db_bind_text(s, 1, o->record.s);
    db_bind_text(s, 2, o->no.s);
    db_bind_text(s, 3, o->kind);
    db_bind_int(s, 4, o->seq);
    bind_hash(s, 5, &o->hash);
    db_bind_int(s, 6, now_ms);
    return db_run(c, s, e);
}

int outgoing_load(struct outgoing *out, struct db_conn *c, const char *record, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_OUT);
    db_bind_text(s, 1, record);
    const int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    memset(out, 0, sizeof *out);
    snprintf(out->record.s, sizeof out->record.s, "%s", db_col_text(s, 0));
    snprintf(out->no.s, sizeof out->no.s, "%s", db_col_text(s, 1));
    snprintf(out->kind, sizeof out->kind, "%s", db_col_text(s, 2));
    out->seq = db_col_int(s, 3);
    copy_hash(&out->hash, s, 4);
    snprintf(out->word, sizeof out->word, "%s", db_col_text(s, 5));
    return 1;
}

int outgoing_answered(struct db_conn *c, const char *record, const char *word, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_OUT_ANSWERED);
    db_bind_text(s, 1, record);
    db_bind_text(s, 2, word);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int configuration_load(struct buf *bundle, struct db_conn *c, int nth, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONFIG);
    db_bind_int(s, 1, nth);
    const int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    const struct bytes b = db_col_blob(s, 0);
    buf_put(bundle, b.p, b.n);
    return buf_done(bundle, "configuration", e) < 0 ? -1 : 1;
}

int configuration_add(struct db_conn *c, uint32_t version, const struct hash256 *hash, struct bytes bundle, int64_t published_ms, int64_t now_ms,
                      struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &guard_statements, Q_CONFIG_ADD);
    db_bind_int(s, 1, version);
    bind_hash(s, 2, hash);
    db_bind_blob(s, 3, bundle);
    db_bind_int(s, 4, published_ms);
    db_bind_int(s, 5, now_ms);
    return db_run(c, s, e);
}

int configuration_prune(struct db_conn *c, struct err *e)
{
    return db_run(c, db_stmt(c, &guard_statements, Q_CONFIG_PRUNE), e);
}
