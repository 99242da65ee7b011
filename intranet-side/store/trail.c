#include "intranet-side/store/trail.h"

#include <stdio.h>
#include <string.h>

enum {
    Q_ADD, Q_EACH, Q_PART, Q_NOTE_SET, Q_NOTES, Q_PEND, Q_DUE, Q_DROP, Q_DROP_CASE, Q_RELEASE, Q_NEXT, Q_UNDO_SET, Q_UNDO_GET, Q__COUNT
};
static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO trail(uid, case_no, at, officer, name, unit, unit_name, role, action, text, from_state, to_state, sealed)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [Q_EACH] = "SELECT uid, case_no, at, officer, name, unit, unit_name, role, action, text, from_state, to_state, sealed FROM trail"
               " WHERE case_no = ?1 ORDER BY id",
    [Q_PART] = "SELECT 1 FROM trail WHERE officer = ?2 AND case_no = ?1 LIMIT 1",
    [Q_NOTE_SET] = "INSERT INTO case_note(case_no, field, officer, sealed) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(case_no, field) DO UPDATE"
                   " SET officer = excluded.officer, sealed = excluded.sealed, gmt_modified = unixepoch() * 1000",
    [Q_NOTES] = "SELECT field, sealed FROM case_note WHERE case_no = ?1",
    [Q_PEND] = "INSERT INTO effect_pending(case_no, trail, not_before, kind, sealed) VALUES(?1, ?2, ?3, ?4, ?5)",
    [Q_DUE] = "SELECT id, case_no, trail, not_before, kind, sealed FROM effect_pending WHERE not_before <= ?1 ORDER BY id LIMIT 200",
    [Q_DROP] = "DELETE FROM effect_pending WHERE id = ?1",
    [Q_DROP_CASE] = "DELETE FROM effect_pending WHERE case_no = ?1",
    [Q_RELEASE] = "UPDATE effect_pending SET not_before = 0, gmt_modified = unixepoch() * 1000 WHERE case_no = ?1",
    [Q_NEXT] = "SELECT coalesce(min(not_before), 9223372036854775807) FROM effect_pending",
    [Q_UNDO_SET] = "UPDATE case_file SET undo = ?2, gmt_modified = unixepoch() * 1000 WHERE no = ?1",
    [Q_UNDO_GET] = "SELECT undo FROM case_file WHERE no = ?1",
};
const struct db_statements trail_statements = {sql, Q__COUNT};

int trail_add(struct db_conn *c, const struct trail_step *t, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_ADD);
    const char *const text[] = {t->officer, t->name, t->unit, t->unit_name, t->role, t->action, t->text, t->from, t->to};
    db_bind_text(s, 1, t->uid);
    db_bind_text(s, 2, t->case_no);
    db_bind_int(s, 3, t->at);
    for (int i = 0; i < 9; i++)
        db_bind_text(s, 4 + i, text[i]);
    db_bind_blob(s, 13, t->sealed.p ? t->sealed : bytes_of(""));      /* an empty blob, not NULL */
    return db_run(c, s, e);
}

#define TEXT(member, col) snprintf(t.member, sizeof t.member, "%s", db_col_text(s, col))
int trail_each(struct db_conn *c, const char *case_no, trail_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_EACH);
    int rc;
    db_bind_text(s, 1, case_no);
    while ((rc = db_step(c, s, e)) == 1) {
        struct trail_step t;
        memset(&t, 0, sizeof t);
        TEXT(uid, 0);
        TEXT(case_no, 1);
        t.at = db_col_int(s, 2);
        TEXT(officer, 3);
        TEXT(name, 4);
        TEXT(unit, 5);
        TEXT(unit_name, 6);
        TEXT(role, 7);
        TEXT(action, 8);
        TEXT(text, 9);
        TEXT(from, 10);
        TEXT(to, 11);
        t.sealed = db_col_blob(s, 12);
        if (fn(&t, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int trail_took_part(struct db_conn *c, const char *case_no, const char *officer, bool *yes, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_PART);
    db_bind_text(s, 1, case_no);
    db_bind_text(s, 2, officer);
    int rc = db_step(c, s, e);
    *yes = rc == 1;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int note_set(struct db_conn *c, const char *case_no, const char *field, const char *officer, struct bytes sealed, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_NOTE_SET);
    db_bind_text(s, 1, case_no);
    db_bind_text(s, 2, field);
    db_bind_text(s, 3, officer);
    db_bind_blob(s, 4, sealed);
    return db_run(c, s, e);
}

int note_each(struct db_conn *c, const char *case_no, note_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_NOTES);
    int rc;
    db_bind_text(s, 1, case_no);
    while ((rc = db_step(c, s, e)) == 1) {
        char field[64];
        snprintf(field, sizeof field, "%s", db_col_text(s, 0));
        if (fn(field, db_col_blob(s, 1), arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int pending_add(struct db_conn *c, const struct pending *p, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_PEND);
    db_bind_text(s, 1, p->case_no);
    db_bind_text(s, 2, p->trail);
    db_bind_int(s, 3, p->not_before);
    db_bind_text(s, 4, p->kind);
    db_bind_blob(s, 5, p->sealed);
    return db_run(c, s, e);
}

int pending_due(struct db_conn *c, int64_t now_ms, pending_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_DUE);
    int rc;
    db_bind_int(s, 1, now_ms);
    while ((rc = db_step(c, s, e)) == 1) {
        struct pending t;
        memset(&t, 0, sizeof t);
        t.id = db_col_int(s, 0);
        TEXT(case_no, 1);
        TEXT(trail, 2);
        t.not_before = db_col_int(s, 3);
        TEXT(kind, 4);
        t.sealed = db_col_blob(s, 5);
        if (fn(&t, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int pending_drop(struct db_conn *c, int64_t id, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_DROP);
    db_bind_int(s, 1, id);
    return db_run(c, s, e);
}

static int by_case(struct db_conn *c, size_t q, const char *case_no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, q);
    db_bind_text(s, 1, case_no);
    return db_run(c, s, e);
}

int pending_drop_case(struct db_conn *c, const char *case_no, struct err *e)
{
    return by_case(c, Q_DROP_CASE, case_no, e);
}

int pending_release_case(struct db_conn *c, const char *case_no, struct err *e)
{
    return by_case(c, Q_RELEASE, case_no, e);
}

int pending_next(struct db_conn *c, int64_t *at, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_NEXT);
    if (db_step(c, s, e) != 1)
        return -1;
    *at = db_col_int(s, 0);
    sqlite3_reset(s);
    return 0;
}

int undo_set(struct db_conn *c, const char *case_no, const char *json, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_UNDO_SET);
    db_bind_text(s, 1, case_no);
    db_bind_text(s, 2, json);
    return db_run(c, s, e);
}

int undo_get(struct db_conn *c, const char *case_no, struct buf *json, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &trail_statements, Q_UNDO_GET);
    db_bind_text(s, 1, case_no);
    int rc = db_step(c, s, e);
    if (rc == 1)
        buf_str(json, db_col_text(s, 0));
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
