#include "intranet-side/store/people.h"

#include <stdio.h>
#include <string.h>

enum { Q_UNIT_PUT, Q_UNIT, Q_UNITS, Q_ADD, Q_LOGIN, Q_UID, Q_ALL, Q_SAVE, Q_PASS_ADD, Q_PASS, Q__COUNT };
#define UNIT_COLUMNS "code, name, short, parent, level, region, address, phone, accepting FROM unit"
#define OFFICER_COLUMNS                                                                                                          \
    "o.uid, o.login, o.name, o.role, o.unit, o.badge, o.password, o.must_change, o.enabled, o.failures, o.locked_until, o.last_login, " \
    "u.short FROM officer AS o JOIN unit AS u ON u.code = o.unit"
static const char *const sql[Q__COUNT] = {
    [Q_UNIT_PUT] = "INSERT INTO unit(code, name, short, parent, level, region, address, phone, accepting) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                   " ON CONFLICT(code) DO UPDATE SET name = ?2, short = ?3, parent = ?4, level = ?5, region = ?6, address = ?7, phone = ?8,"
                   " accepting = ?9, gmt_modified = unixepoch() * 1000",
    [Q_UNIT] = "SELECT " UNIT_COLUMNS " WHERE code = ?1",
    [Q_UNITS] = "SELECT " UNIT_COLUMNS " ORDER BY code",
    [Q_ADD] = "INSERT INTO officer(uid, login, name, role, unit, badge, password, must_change) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [Q_LOGIN] = "SELECT " OFFICER_COLUMNS " WHERE o.login = ?1",
    [Q_UID] = "SELECT " OFFICER_COLUMNS " WHERE o.uid = ?1",
    [Q_ALL] = "SELECT " OFFICER_COLUMNS " ORDER BY o.login",
    [Q_SAVE] = "UPDATE officer SET password = ?2, must_change = ?3, enabled = ?4, failures = ?5, locked_until = ?6, last_login = ?7,"
               " gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
    [Q_PASS_ADD] = "INSERT INTO officer_password(officer, password) VALUES(?1, ?2)",
    [Q_PASS] = "SELECT password FROM officer_password WHERE officer = ?1 ORDER BY id DESC LIMIT 5",
};
const struct db_statements people_statements = {sql, Q__COUNT};

int unit_put(struct db_conn *c, const struct unit *u, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_UNIT_PUT);
    const char *const text[] = {u->code, u->name, u->short_name, u->parent, u->level, u->region, u->address, u->phone};
    for (int i = 0; i < 8; i++)
        db_bind_text(s, i + 1, text[i]);
    db_bind_int(s, 9, u->accepting);
    return db_run(c, s, e);
}

#define TEXT(member, col) snprintf(out->member, sizeof out->member, "%s", db_col_text(s, col))
static void read_unit(struct unit *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof *out);
    TEXT(code, 0);
    TEXT(name, 1);
    TEXT(short_name, 2);
    TEXT(parent, 3);
    TEXT(level, 4);
    TEXT(region, 5);
    TEXT(address, 6);
    TEXT(phone, 7);
    out->accepting = db_col_int(s, 8) != 0;
}

static void read_officer(struct officer *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof *out);
    TEXT(uid, 0);
    TEXT(login, 1);
    TEXT(name, 2);
    TEXT(role, 3);
    TEXT(unit, 4);
    TEXT(badge, 5);
    TEXT(password, 6);
    out->must_change = db_col_int(s, 7) != 0;
    out->enabled = db_col_int(s, 8) != 0;
    out->failures = db_col_int(s, 9);
    out->locked_until = db_col_int(s, 10);
    out->last_login = db_col_int(s, 11);
    TEXT(unit_name, 12);
}

int unit_get(struct db_conn *c, const char *code, struct unit *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_UNIT);
    db_bind_text(s, 1, code);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        read_unit(out, s);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "unit %s is not known", code) : -1;
}

int unit_each(struct db_conn *c, unit_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_UNITS);
    int rc;
    while ((rc = db_step(c, s, e)) == 1) {
        struct unit u;
        read_unit(&u, s);
        if (fn(&u, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int officer_add(struct db_conn *c, const struct officer *o, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_ADD);
    const char *const text[] = {o->uid, o->login, o->name, o->role, o->unit, o->badge, o->password};
    for (int i = 0; i < 7; i++)
        db_bind_text(s, i + 1, text[i]);
    db_bind_int(s, 8, o->must_change);
    return db_run(c, s, e);
}

static int officer_by(struct db_conn *c, size_t q, const char *key, struct officer *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, q);
    db_bind_text(s, 1, key);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        read_officer(out, s);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "no such account") : -1;
}

int officer_by_login(struct db_conn *c, const char *login, struct officer *out, struct err *e)
{
    return officer_by(c, Q_LOGIN, login, out, e);
}

int officer_by_uid(struct db_conn *c, const char *uid, struct officer *out, struct err *e)
{
    return officer_by(c, Q_UID, uid, out, e);
}

int officer_each(struct db_conn *c, officer_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_ALL);
    int rc;
    while ((rc = db_step(c, s, e)) == 1) {
        struct officer o;
        read_officer(&o, s);
        if (fn(&o, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int officer_save(struct db_conn *c, const struct officer *o, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_SAVE);
    db_bind_text(s, 1, o->uid);
    db_bind_text(s, 2, o->password);
    db_bind_int(s, 3, o->must_change);
    db_bind_int(s, 4, o->enabled);
    db_bind_int(s, 5, o->failures);
    db_bind_int(s, 6, o->locked_until);
    db_bind_int(s, 7, o->last_login);
    return db_run(c, s, e);
}

int officer_password_add(struct db_conn *c, const char *uid, const char *hash, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_PASS_ADD);
    db_bind_text(s, 1, uid);
    db_bind_text(s, 2, hash);
    return db_run(c, s, e);
}

int officer_password_each(struct db_conn *c, const char *uid, password_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &people_statements, Q_PASS);
    int rc;
    db_bind_text(s, 1, uid);
    while ((rc = db_step(c, s, e)) == 1)
        if (fn(db_col_text(s, 0), arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    return rc;
}
