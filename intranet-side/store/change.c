#include "intranet-side/store/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q_ADD, Q_GET, Q_RECORD, Q_SAVE, Q_AUTHOR_ADD, Q_AUTHOR, Q_OPEN, Q_DONE, Q_RELEASED, Q_COUNT, Q_VERSIONS, Q__COUNT };
#define COLUMNS                                                                                                                                      \
    "s.id, s.uid, s.version, s.state, s.source, s.title, s.wish, s.record, s.restores, s.changes, s.words, s.edited_by, s.edited_at, s.reason, "     \
    "s.submitted_by, s.submitted_at, s.answer, s.decided_by, s.decided_at, s.released, e.name, u.name, d.name FROM change_set AS s "                 \
    "LEFT JOIN officer AS e ON e.uid = s.edited_by LEFT JOIN officer AS u ON u.uid = s.submitted_by LEFT JOIN officer AS d ON d.uid = s.decided_by"
static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO change_set(uid, source, title, wish, record, restores, changes, edited_by, edited_at)"
              " VALUES(?1, ?2, ?3, ?4, nullif(?5, ''), ?6, ?7, nullif(?8, ''), ?9)",
    [Q_GET] = "SELECT " COLUMNS " WHERE s.uid = ?1",
    [Q_RECORD] = "SELECT 1 FROM change_set WHERE record = ?1",
    [Q_SAVE] = "UPDATE change_set SET version = version + 1, state = ?3, title = ?4, changes = ?5, words = ?6, edited_by = nullif(?7, ''), edited_at = ?8, reason = ?9,"
               " submitted_by = nullif(?10, ''), submitted_at = ?11, answer = ?12, decided_by = nullif(?13, ''), decided_at = ?14, released = nullif(?15, 0),"
               " gmt_modified = unixepoch() * 1000 WHERE uid = ?1 AND version = ?2",
    [Q_AUTHOR_ADD] = "INSERT INTO change_author(change_set, officer) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
    [Q_AUTHOR] = "SELECT 1 FROM change_author WHERE change_set = ?1 AND officer = ?2",
    [Q_OPEN] = "SELECT " COLUMNS " WHERE s.state IN ('draft', 'submitted') ORDER BY s.id DESC LIMIT 500",
    [Q_DONE] = "SELECT " COLUMNS " WHERE s.state IN ('released', 'dropped', 'declined') ORDER BY s.decided_at DESC, s.id DESC LIMIT ?1",
    [Q_RELEASED] = "SELECT " COLUMNS " WHERE s.state = 'released' AND (?1 = 0 OR s.released <= ?1) ORDER BY s.released",
    [Q_COUNT] = "SELECT coalesce(sum(state = 'draft' AND edited_by IS NOT NULL), 0), coalesce(sum(state = 'submitted'), 0), coalesce(sum(state = 'draft' AND edited_by IS NULL), 0)"
                " FROM change_set WHERE state IN ('draft', 'submitted')",
    [Q_VERSIONS] = "SELECT version, published, hash FROM configuration ORDER BY version DESC LIMIT ?1",
};
const struct db_statements change_statements = {sql, Q__COUNT};

void change_clear(struct change_set *s)
{
    json_decref(s->changes);
    json_decref(s->words);
    s->changes = s->words = NULL;
}

static void bind_json(sqlite3_stmt *s, int i, const json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    db_bind_text(s, i, text ? text : "[]");
    free(text);
}

int change_add(struct db_conn *c, const struct change_set *s, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_ADD);
    db_bind_text(q, 1, s->uid);
    db_bind_text(q, 2, s->source);
    db_bind_text(q, 3, s->title);
    db_bind_text(q, 4, s->wish);
    db_bind_text(q, 5, s->record);
    db_bind_int(q, 6, s->restores);
    bind_json(q, 7, s->changes);
    db_bind_text(q, 8, s->edited_by);
    db_bind_int(q, 9, s->edited_at);
    return db_run(c, q, e);
}

#define TEXT(member, col) snprintf(out->member, sizeof out->member, "%s", db_col_text(q, col))
static void read_set(struct change_set *out, sqlite3_stmt *q)
{
    memset(out, 0, sizeof *out);
    out->id = db_col_int(q, 0);
    TEXT(uid, 1);
    out->version = db_col_int(q, 2);
    TEXT(state, 3);
    TEXT(source, 4);
    TEXT(title, 5);
    TEXT(wish, 6);
    TEXT(record, 7);
    out->restores = db_col_int(q, 8);
    out->changes = json_loads(db_col_text(q, 9), 0, NULL);
    out->words = json_loads(db_col_text(q, 10), 0, NULL);
    TEXT(edited_by, 11);
    out->edited_at = db_col_int(q, 12);
    TEXT(reason, 13);
    TEXT(submitted_by, 14);
    out->submitted_at = db_col_int(q, 15);
    TEXT(answer, 16);
    TEXT(decided_by, 17);
    out->decided_at = db_col_int(q, 18);
    out->released = db_col_int(q, 19);
    TEXT(edited_name, 20);
    TEXT(submitted_name, 21);
    TEXT(decided_name, 22);
}

int change_get(struct db_conn *c, const char *uid, struct change_set *out, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_GET);
    memset(out, 0, sizeof *out);
    db_bind_text(q, 1, uid);
    int rc = db_step(c, q, e);
    if (rc != 1)
        return rc == 0 ? err_set(e, ERR_MISSING, "no such set of changes") : -1;
    read_set(out, q);
    sqlite3_reset(q);
    return 0;
}

static bool exists(struct db_conn *c, sqlite3_stmt *q)
{
    struct err ignored = {0};
    const bool yes = db_step(c, q, &ignored) == 1;
    sqlite3_reset(q);
    return yes;
}

bool change_by_record(struct db_conn *c, const char *record)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_RECORD);
    db_bind_text(q, 1, record);
    return exists(c, q);
}

int change_save(struct db_conn *c, const struct change_set *s, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_SAVE);
    db_bind_text(q, 1, s->uid);
    db_bind_int(q, 2, s->version);
    db_bind_text(q, 3, s->state);
    db_bind_text(q, 4, s->title);
    bind_json(q, 5, s->changes);
    bind_json(q, 6, s->words);
    db_bind_text(q, 7, s->edited_by);
    db_bind_int(q, 8, s->edited_at);
    db_bind_text(q, 9, s->reason);
    db_bind_text(q, 10, s->submitted_by);
    db_bind_int(q, 11, s->submitted_at);
    db_bind_text(q, 12, s->answer);
    db_bind_text(q, 13, s->decided_by);
    db_bind_int(q, 14, s->decided_at);
    db_bind_int(q, 15, s->released);
    if (db_run(c, q, e) < 0)
        return -1;
    return db_changes(c) == 1 ? 0 : err_set(e, ERR_CONFLICT, "set of changes %s: its version is no longer %lld", s->uid, (long long)s->version);
}

int change_author_add(struct db_conn *c, const char *uid, const char *officer, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_AUTHOR_ADD);
    db_bind_text(q, 1, uid);
    db_bind_text(q, 2, officer);
    return db_run(c, q, e);
}

int change_author_is(bool *yes, struct db_conn *c, const char *uid, const char *officer, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_AUTHOR);
    db_bind_text(q, 1, uid);
    db_bind_text(q, 2, officer);
    const int rc = db_step(c, q, e);
    sqlite3_reset(q);
    *yes = rc == 1;
    return rc < 0 ? -1 : 0;
}

static int each(struct db_conn *c, sqlite3_stmt *q, change_fn fn, void *arg, struct err *e)
{
    int rc, ok = 0;
    while (ok == 0 && (rc = db_step(c, q, e)) == 1) {
        struct change_set s;
        read_set(&s, q);
        ok = fn(&s, arg, e);
        change_clear(&s);
    }
    sqlite3_reset(q);
    return ok < 0 || rc < 0 ? -1 : 0;
}

int change_each_open(struct db_conn *c, change_fn fn, void *arg, struct err *e)
{
    return each(c, db_stmt(c, &change_statements, Q_OPEN), fn, arg, e);
}

int change_each_done(struct db_conn *c, int64_t most, change_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_DONE);
    db_bind_int(q, 1, most);
    return each(c, q, fn, arg, e);
}

int change_each_released(struct db_conn *c, int64_t up_to, change_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_RELEASED);
    db_bind_int(q, 1, up_to);
    return each(c, q, fn, arg, e);
}

int change_count(struct db_conn *c, struct change_counts *out, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_COUNT);
    memset(out, 0, sizeof *out);
    if (db_step(c, q, e) != 1)
        return -1;
    *out = (struct change_counts){db_col_int(q, 0), db_col_int(q, 1), db_col_int(q, 2)};
    sqlite3_reset(q);
    return 0;
}

int version_each(struct db_conn *c, int64_t most, version_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = db_stmt(c, &change_statements, Q_VERSIONS);
    int rc, ok = 0;
    db_bind_int(q, 1, most);
    while (ok == 0 && (rc = db_step(c, q, e)) == 1)
        ok = fn(db_col_int(q, 0), db_col_int(q, 1), db_col_text(q, 2), arg, e);
    sqlite3_reset(q);
    return ok < 0 || rc < 0 ? -1 : 0;
}
