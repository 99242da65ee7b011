/* db_stmt.c - statements of the stores: prepared once per connection, bound, stepped. */
#include "common/db_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A value that could not be bound for want of memory would be NULL: the statement must not run. Set by db_bind_*, read by the next db_step. */
static _Thread_local sqlite3_stmt *unbound;

/* NULL: no memory. */
static struct db_cache *cache_of(struct db_conn *c, const struct db_statements *st)
{
    for (size_t i = 0; i < c->ncache; i++)
        if (c->cache[i].table == st)
            return &c->cache[i];
    assert(c->ncache < DB_TABLES_MAX);
    struct db_cache *k = &c->cache[c->ncache];
    k->table = st;
    k->stmt = calloc(st->n, sizeof(sqlite3_stmt *));
    c->ncache += k->stmt != NULL;
    return k->stmt ? k : NULL;
}

static sqlite3_stmt *prepare(struct db_conn *c, const char *sql, struct err *e)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v3(c->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        err_set(e, ERR_INTERNAL, "%s: %s: %.120s", c->path, sqlite3_errmsg(c->sql), sql);
    return s;
}

int db_prepare_spare(struct db_conn *c, struct err *e)
{
    return (c->spare = prepare(c, "SELECT abs(-9223372036854775807 - 1)", e)) ? 0 : -1;
}

int db_prepare_all(struct db_conn *c, void *statements, struct err *e)
{
    const struct db_statements *st = statements;
    struct db_cache *k = cache_of(c, st);
    if (!k)
        return err_set(e, ERR_FULL, "%s: no memory for statements", c->path);
    for (size_t i = 0; i < st->n; i++)
        if (st->sql[i] && !k->stmt[i] && !(k->stmt[i] = prepare(c, st->sql[i], e)))
            return -1;
    return 0;
}

void db_reset_statements(struct db_conn *c)
{
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(c->sql, s));)
        if (sqlite3_stmt_busy(s))
            sqlite3_reset(s);
}

void db_drop_statements(struct db_conn *c)
{
    for (size_t i = 0; i < c->ncache; i++) {
        for (size_t j = 0; j < c->cache[i].table->n; j++)
            sqlite3_finalize(c->cache[i].stmt[j]);
        free(c->cache[i].stmt);
    }
    c->ncache = 0;
    sqlite3_finalize(c->spare);
    c->spare = NULL;
}

sqlite3_stmt *db_stmt(struct db_conn *c, const struct db_statements *st, size_t q)
{
    struct db_cache *k = cache_of(c, st);
    assert(q < st->n);
    if (k && !k->stmt[q])
        k->stmt[q] = prepare(c, st->sql[q], NULL);
    sqlite3_stmt *s = k && k->stmt[q] ? k->stmt[q] : c->spare;       /* db_prepare at the start proved every statement: memory is short */
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (unbound == s)
        unbound = NULL;
    return s;
}

static void bound(sqlite3_stmt *s, int rc)
{
    if (rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG)
        unbound = s;
}

void db_bind_text(sqlite3_stmt *s, int i, const char *v)
{
    if (v)
        bound(s, sqlite3_bind_text(s, i, v, -1, SQLITE_TRANSIENT));
    else
        bound(s, sqlite3_bind_null(s, i));
}

void db_bind_int(sqlite3_stmt *s, int i, int64_t v)
{
    bound(s, sqlite3_bind_int64(s, i, v));
}

void db_bind_blob(sqlite3_stmt *s, int i, struct bytes v)
{
    if (v.n)
        bound(s, sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_TRANSIENT));
    else
        bound(s, sqlite3_bind_zeroblob(s, i, 0));
}

int db_step(struct db_conn *c, sqlite3_stmt *s, struct err *e)
{
    if (s == unbound || s == c->spare) {
        unbound = NULL;
        return err_set(e, ERR_FULL, "%s: no memory for a statement and its values", c->path);
    }
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    enum err_code code = (rc & 0xff) == SQLITE_CONSTRAINT ? ERR_CONFLICT : (rc & 0xff) == SQLITE_FULL ? ERR_FULL : (rc & 0xff) == SQLITE_BUSY ? ERR_BUSY : ERR_INTERNAL;
    err_set(e, code, "%s", sqlite3_errmsg(c->sql));
    sqlite3_reset(s);
    return -1;
}

int db_run(struct db_conn *c, sqlite3_stmt *s, struct err *e)
{
    int rc = db_step(c, s, e);
    sqlite3_reset(s);
    return rc > 0 ? err_set(e, ERR_INTERNAL, "statement gave a row where none was wanted: %.120s", sqlite3_sql(s)) : rc;
}

int db_exec(struct db_conn *c, const char *fixed_sql, struct err *e)
{
    char *why = NULL;
    if (sqlite3_exec(c->sql, fixed_sql, NULL, NULL, &why) == SQLITE_OK)
        return 0;
    err_set(e, ERR_INTERNAL, "%s: %s: %s", c->path, fixed_sql, why ? why : "failed");
    sqlite3_free(why);
    return -1;
}

int64_t db_changes(struct db_conn *c) { return sqlite3_changes64(c->sql); }
int64_t db_last_id(struct db_conn *c) { return sqlite3_last_insert_rowid(c->sql); }

const char *db_col_text(sqlite3_stmt *s, int i)
{
    const unsigned char *t = sqlite3_column_text(s, i);
    return t ? (const char *)t : "";
}

int64_t db_col_int(sqlite3_stmt *s, int i)
{
    return sqlite3_column_int64(s, i);
}

struct bytes db_col_blob(sqlite3_stmt *s, int i)
{
    const void *p = sqlite3_column_blob(s, i);      /* before the length: the order sqlite wants */
    return (struct bytes){p, p ? (size_t)sqlite3_column_bytes(s, i) : 0};
}
