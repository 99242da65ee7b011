/* db_parts.h - what db.c, db_stmt.c and db_migrate.c share; nobody else includes it.
 * Threads: a connection belongs to the thread that holds it. */
#ifndef COMMON_DB_PARTS_H
#define COMMON_DB_PARTS_H

#include <pthread.h>

#include "common/db.h"

#define DB_TABLES_MAX 48

struct db_cache {                       /* the prepared statements of one store on one connection */
    const struct db_statements *table;
    sqlite3_stmt **stmt;
};

struct db_conn {
    sqlite3 *sql;
    const char *path;                   /* borrowed from struct db */
    bool reader;
    struct db_cache cache[DB_TABLES_MAX];
    size_t ncache;
    sqlite3_stmt *spare;                /* fails when it is stepped: stands in for a statement for which there was no memory */
};

int db_prepare_spare(struct db_conn *c, struct err *e);
int db_prepare_all(struct db_conn *c, void *statements, struct err *e);
void db_reset_statements(struct db_conn *c);
void db_drop_statements(struct db_conn *c);
int db_check_identity(struct db_conn *c, uint32_t application_id, struct err *e);
int db_migrate(struct db_conn *c, const struct db_options *opt, struct err *e);
int db_quick_check(struct db_conn *c, struct err *e);

#endif
