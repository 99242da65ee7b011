/* db.h - SQLite as this product uses it: one process per database, one writer thread, query_only readers.
 * Owns:    struct db owns the writer thread, its connection and the readers.
 * Threads: db_write and db_read may be called from any thread. A write closure runs on the writer thread inside a savepoint; what is
 *          waiting is committed as one transaction (group commit, synchronous=FULL) and db_write returns after the commit.
 *          A closure must not call db_write or block on anything else. db_read runs in the caller's thread on a pooled connection.
 * Every connection: WAL, foreign_keys, DEFENSIVE, trusted_schema off, no double-quoted strings, cell_size_check, busy timeout 5 s;
 * application_id must be ours, so that neither side opens the other's file; a newer user_version is refused in words. */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include <sqlite3.h>

#include "common/bytes.h"

struct db;
struct db_conn;      /* one connection with its prepared statements */

struct db_options {
    const char *path;
    uint32_t application_id;
    const char *migrations_dir;      /* NNNN_name.sql, applied in order, each in one immediate transaction with user_version */
    unsigned readers;                /* pooled query_only connections, 1..64 */
};

/* Opens or creates (0600), migrates, runs quick_check. ERR_CORRUPT: quick_check failed. ERR_INPUT: other application's file, newer schema. */
int db_open(struct db **out, const struct db_options *opt, struct err *e);
void db_close(struct db *d);

/* A store's statements: one table per store, prepared on each connection at first use. q indexes it. */
struct db_statements { const char *const *sql; size_t n; };
/* Prepare all on the writer and one reader now, so that a wrong column stops the start. */
int db_prepare(struct db *d, const struct db_statements *st, struct err *e);

typedef int (*db_fn)(struct db_conn *c, void *arg, struct err *e);
/* Runs fn on the writer thread in a savepoint. fn returning -1 rolls back only itself; its error comes back. ERR_FULL when the disk is full:
 * nothing of the group was committed and everyone in it is told. ERR_BUSY when the queue (4096) is full. */
int db_write(struct db *d, db_fn fn, void *arg, struct err *e);
int db_read(struct db *d, db_fn fn, void *arg, struct err *e);
/* Truncate the WAL now (after a purge). Called on any thread. */
int db_checkpoint(struct db *d, struct err *e);

/* Inside a closure. A statement is reset and its bindings cleared by db_stmt. */
sqlite3_stmt *db_stmt(struct db_conn *c, const struct db_statements *st, size_t q);
void db_bind_text(sqlite3_stmt *s, int i, const char *v);            /* copies; NULL binds NULL */
void db_bind_int(sqlite3_stmt *s, int i, int64_t v);
void db_bind_blob(sqlite3_stmt *s, int i, struct bytes v);
/* 1 row, 0 done, -1 error (constraint -> ERR_CONFLICT with the constraint's name, full -> ERR_FULL, else ERR_INTERNAL). */
int db_step(struct db_conn *c, sqlite3_stmt *s, struct err *e);
int db_run(struct db_conn *c, sqlite3_stmt *s, struct err *e);       /* step that must be done; 0 or -1 */
/* A fixed statement without values, for savepoints inside a closure; never text that was put together. */
int db_exec(struct db_conn *c, const char *fixed_sql, struct err *e);
int64_t db_changes(struct db_conn *c);
int64_t db_last_id(struct db_conn *c);
const char *db_col_text(sqlite3_stmt *s, int i);                     /* "" for NULL; valid until the next step */
int64_t db_col_int(sqlite3_stmt *s, int i);
struct bytes db_col_blob(sqlite3_stmt *s, int i);
/* Test hook: fail the nth commit from now with ERR_FULL; 0 switches off. */
void db_fail_commit(struct db *d, unsigned nth);

#endif
