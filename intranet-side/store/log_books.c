#include "intranet-side/store/log_books.h"

#include <stdio.h>
#include <string.h>

enum {
    Q_AUDIT_LAST, Q_AUDIT_ADD, Q_AUDIT_ALL, Q_AUDIT_COUNT, Q_SMS_ADD, Q_SMS_NEXT, Q_SMS_RESULT, Q_SMS_EACH, Q_INTAKE_ADD, Q_INTAKE,
    Q_INTAKE_EACH, Q_INTAKE_CONFIRM, Q_CONF_ADD, Q_CONF, Q__COUNT
};
#define SMS_COLUMNS "id, uid, case_no, template, text, state, attempts, next_at, sent_at, gmt_create, phone_sealed FROM sms"
static const char *const sql[Q__COUNT] = {
    [Q_AUDIT_LAST] = "SELECT mac FROM audit ORDER BY id DESC LIMIT 1",
    [Q_AUDIT_ADD] = "INSERT INTO audit(at, officer, login, role, unit, address, act, object, result, prev, mac)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [Q_AUDIT_ALL] = "SELECT at, officer, login, role, unit, address, act, object, result, prev, mac, id FROM audit ORDER BY id",
    [Q_AUDIT_COUNT] = "SELECT count(*) FROM audit WHERE officer = ?1 AND act = ?2 AND at >= ?3 AND id > (SELECT coalesce(max(id), 0) - 5000 FROM audit)",
    [Q_SMS_ADD] = "INSERT INTO sms(uid, case_no, template, text, phone_sealed, next_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_SMS_NEXT] = "SELECT " SMS_COLUMNS " WHERE state = 'queued' AND next_at <= ?1 ORDER BY id LIMIT 1",
    [Q_SMS_RESULT] = "UPDATE sms SET state = ?2, next_at = ?3, sent_at = ?4, attempts = attempts + 1, gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
    [Q_SMS_EACH] = "SELECT " SMS_COLUMNS " WHERE case_no = ?1 ORDER BY id",
    [Q_INTAKE_ADD] = "INSERT INTO intake(record, kind, case_no, round, sealed_hash) VALUES(?1, ?2, ?3, ?4, ?5)",
    [Q_INTAKE] = "SELECT record, kind, case_no, round, sealed_hash, confirmed FROM intake WHERE record = ?1",
    [Q_INTAKE_EACH] = "SELECT record, kind, case_no, round, sealed_hash, confirmed FROM intake WHERE case_no = ?1 ORDER BY id LIMIT 100",
    [Q_INTAKE_CONFIRM] = "UPDATE intake SET confirmed = ?2, gmt_modified = unixepoch() * 1000 WHERE record = ?1 AND confirmed = 0",
    [Q_CONF_ADD] = "INSERT INTO configuration(version, hash, published, item) VALUES(?1, ?2, ?3, ?4)",
    [Q_CONF] = "SELECT version, hash, published, item FROM configuration ORDER BY version DESC LIMIT 1",
};
const struct db_statements log_statements = {sql, Q__COUNT};

static const uint8_t chain_start[32];            /* zeroes: in front of the first row */

/* What a row's mac covers: the mac before it, the time, each text with its length, so that no two rows read alike. */
static void audit_mac(struct hash256 *out, const struct vault *v, struct bytes prev, int64_t at, const char *const text[8])
{
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_put(&b, prev.p, prev.n);
    buf_u64(&b, (uint64_t)at);
    for (int i = 0; i < 8; i++) {
        buf_u32(&b, (uint32_t)strlen(text[i]));
        buf_str(&b, text[i]);
    }
    vault_mac(out, v, buf_bytes(&b));
    buf_clear(&b);
}

int audit_add(struct db_conn *c, const struct vault *v, const struct audit_row *r, struct err *e)
{
    uint8_t last[32];
    struct hash256 mac;
    const char *const text[8] = {r->officer, r->login, r->role, r->unit, r->address, r->act, r->object, r->result};
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_AUDIT_LAST);
    int rc = db_step(c, s, e);
    memcpy(last, chain_start, sizeof last);
    if (rc == 1 && db_col_blob(s, 0).n == sizeof last)
        memcpy(last, db_col_blob(s, 0).p, sizeof last);
    sqlite3_reset(s);
    if (rc < 0)
        return -1;
    audit_mac(&mac, v, (struct bytes){last, sizeof last}, r->at, text);
    s = db_stmt(c, &log_statements, Q_AUDIT_ADD);
    db_bind_int(s, 1, r->at);
    for (int i = 0; i < 8; i++)
        db_bind_text(s, 2 + i, text[i]);
    db_bind_blob(s, 10, (struct bytes){last, sizeof last});
    db_bind_blob(s, 11, (struct bytes){mac.b, sizeof mac.b});
    return db_run(c, s, e);
}

int audit_check(struct db_conn *c, const struct vault *v, int64_t *rows, struct err *e)
{
    uint8_t last[32];
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_AUDIT_ALL);
    int rc;
    memcpy(last, chain_start, sizeof last);
    *rows = 0;
    while ((rc = db_step(c, s, e)) == 1) {
        const char *text[8];
        struct hash256 mac;
        struct bytes prev = db_col_blob(s, 9), have = db_col_blob(s, 10);
        for (int i = 0; i < 8; i++)
            text[i] = db_col_text(s, 1 + i);
        audit_mac(&mac, v, (struct bytes){last, sizeof last}, db_col_int(s, 0), text);
        if (!bytes_equal(prev, (struct bytes){last, sizeof last}) || !bytes_equal(have, (struct bytes){mac.b, sizeof mac.b})) {
            int64_t id = db_col_int(s, 11);
            sqlite3_reset(s);
            return err_set(e, ERR_CORRUPT, "audit: row %lld does not follow from the row before it", (long long)id);
        }
        memcpy(last, mac.b, sizeof last);
        ++*rows;
    }
    return rc;
}

int audit_count(struct db_conn *c, const char *officer, const char *act, int64_t since, int64_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_AUDIT_COUNT);
    db_bind_text(s, 1, officer);
    db_bind_text(s, 2, act);
    db_bind_int(s, 3, since);
    if (db_step(c, s, e) != 1)
        return -1;
    *n = db_col_int(s, 0);
    sqlite3_reset(s);
    return 0;
}

int sms_add(struct db_conn *c, const char *case_no, const char *template_id, const char *text, struct bytes phone_sealed, int64_t next_at,
            struct err *e)
{
    struct id128 id;
    id_random(&id);
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_SMS_ADD);
    db_bind_text(s, 1, id.s);
    db_bind_text(s, 2, case_no);
    db_bind_text(s, 3, template_id);
    db_bind_text(s, 4, text);
    db_bind_blob(s, 5, phone_sealed.p ? phone_sealed : bytes_of(""));
    db_bind_int(s, 6, next_at);
    return db_run(c, s, e);
}

#define TEXT(member, col) snprintf(out->member, sizeof out->member, "%s", db_col_text(s, col))
static void read_sms(struct sms *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof *out);
    out->id = db_col_int(s, 0);
    TEXT(uid, 1);
    TEXT(case_no, 2);
    TEXT(template_id, 3);
    TEXT(text, 4);
    TEXT(state, 5);
    out->attempts = db_col_int(s, 6);
    out->next_at = db_col_int(s, 7);
    out->sent_at = db_col_int(s, 8);
    out->created = db_col_int(s, 9);
    struct bytes phone = db_col_blob(s, 10);
    buf_init(&out->phone_sealed, 4096);
    buf_put(&out->phone_sealed, phone.p, phone.n);
}

int sms_next(struct db_conn *c, int64_t now_ms, struct sms *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_SMS_NEXT);
    db_bind_int(s, 1, now_ms);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        read_sms(out, s);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "no SMS is due") : -1;
}

void sms_clear(struct sms *s)
{
    buf_wipe(&s->phone_sealed);
}

int sms_result(struct db_conn *c, const char *uid, const char *state, int64_t next_at, int64_t sent_at, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_SMS_RESULT);
    db_bind_text(s, 1, uid);
    db_bind_text(s, 2, state);
    db_bind_int(s, 3, next_at);
    db_bind_int(s, 4, sent_at);
    return db_run(c, s, e);
}

int sms_each(struct db_conn *c, const char *case_no, sms_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_SMS_EACH);
    int rc;
    db_bind_text(s, 1, case_no);
    while ((rc = db_step(c, s, e)) == 1) {
        struct sms m;
        read_sms(&m, s);
        int ok = fn(&m, arg, e);
        sms_clear(&m);
        if (ok < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int intake_add(struct db_conn *c, const struct intake_row *r, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_INTAKE_ADD);
    db_bind_text(s, 1, r->record);
    db_bind_text(s, 2, r->kind);
    db_bind_text(s, 3, r->case_no);
    db_bind_int(s, 4, r->round);
    db_bind_text(s, 5, r->sealed_hash);
    return db_run(c, s, e);
}

int intake_get(struct db_conn *c, const char *record, struct intake_row *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_INTAKE);
    db_bind_text(s, 1, record);
    int rc = db_step(c, s, e);
    if (rc != 1)
        return rc == 0 ? err_set(e, ERR_MISSING, "record %s was not imported", record) : -1;
    TEXT(record, 0);
    TEXT(kind, 1);
    TEXT(case_no, 2);
    out->round = db_col_int(s, 3);
    TEXT(sealed_hash, 4);
    out->confirmed = db_col_int(s, 5);
    sqlite3_reset(s);
    return 0;
}

int intake_each(struct db_conn *c, const char *case_no, intake_fn fn, void *arg, struct err *e)
{
    struct intake_row rows[100];
    size_t n = 0;
    int rc;
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_INTAKE_EACH);
    db_bind_text(s, 1, case_no);
    for (; n < 100 && (rc = db_step(c, s, e)) == 1; n++) {
        struct intake_row *out = &rows[n];
        memset(out, 0, sizeof *out);
        TEXT(record, 0);
        TEXT(kind, 1);
        TEXT(case_no, 2);
        out->round = db_col_int(s, 3);
        TEXT(sealed_hash, 4);
        out->confirmed = db_col_int(s, 5);
    }
    sqlite3_reset(s);
    if (e->code)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (fn(&rows[i], arg, e) < 0)
            return -1;
    return 0;
}

int intake_confirm(struct db_conn *c, const char *record, int64_t at, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_INTAKE_CONFIRM);
    db_bind_text(s, 1, record);
    db_bind_int(s, 2, at);
    return db_run(c, s, e);
}

int configuration_add(struct db_conn *c, const struct configuration_row *r, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_CONF_ADD);
    db_bind_int(s, 1, r->version);
    db_bind_text(s, 2, r->hash);
    db_bind_int(s, 3, r->published);
    db_bind_text(s, 4, r->item);
    return db_run(c, s, e);
}

int configuration_last(struct db_conn *c, struct configuration_row *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = db_stmt(c, &log_statements, Q_CONF);
    int rc = db_step(c, s, e);
    if (rc != 1)
        return rc == 0 ? err_set(e, ERR_MISSING, "no configuration was released yet") : -1;
    out->version = db_col_int(s, 0);
    TEXT(hash, 1);
    out->published = db_col_int(s, 2);
    TEXT(item, 3);
    sqlite3_reset(s);
    return 0;
}
