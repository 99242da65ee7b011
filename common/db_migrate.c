/* db_migrate.c - whose file it is, which version it has, and the numbered steps to ours. */
#include "common/db_parts.h"

#include <fcntl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"

#define SQL_CAP ((size_t)1 << 20)

static int number(struct db_conn *c, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = -1;
    if (sqlite3_prepare_v2(c->sql, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        *out = sqlite3_column_int64(s, 0);
        rc = 0;
    } else {
        err_set(e, ERR_CORRUPT, "%s: %s", c->path, sqlite3_errmsg(c->sql));
    }
    sqlite3_finalize(s);
    return rc;
}

static int execute(struct db_conn *c, const char *sql, const char *what, struct err *e)
{
    char *why = NULL;
    if (sqlite3_exec(c->sql, sql, NULL, NULL, &why) == SQLITE_OK)
        return 0;
    err_set(e, ERR_INTERNAL, "%s: %s: %s", c->path, what, why ? why : "failed");
    sqlite3_free(why);
    return -1;
}

int db_check_identity(struct db_conn *c, uint32_t application_id, struct err *e)
{
    int64_t id, tables;
    char sql[64];
    if (number(c, "PRAGMA application_id", &id, e) < 0 || number(c, "SELECT count(*) FROM sqlite_schema", &tables, e) < 0)
        return -1;
    if (id == (int64_t)application_id)
        return 0;
    if (id != 0 || tables != 0)
        return err_set(e, ERR_INPUT, "%s: application_id: want %u, have %lld: this is another program's database", c->path, application_id, (long long)id);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%u", application_id);
    return execute(c, sql, "application_id", e);
}

int db_quick_check(struct db_conn *c, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = -1;
    if (sqlite3_prepare_v2(c->sql, "PRAGMA quick_check(1)", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW &&
        strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0)
        rc = 0;
    else
        err_set(e, ERR_CORRUPT, "%s: quick_check: %s", c->path, s ? (const char *)sqlite3_column_text(s, 0) : sqlite3_errmsg(c->sql));
    sqlite3_finalize(s);
    return rc;
}

static int apply(struct db_conn *c, int dirfd, const char *name, int64_t version, struct err *e)
{
    struct buf sql;
    char tail[64];
    buf_init(&sql, SQL_CAP);
    buf_str(&sql, "BEGIN IMMEDIATE;\n");
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);      /* a name may be a link: both sides share the delivery tables */
    if (fd < 0) {
        err_sys(e, "migration %s", name);
        goto fail;
    }
    char part[65536];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        buf_put(&sql, part, (size_t)n);
    if (n < 0)
        err_sys(e, "migration %s", name);
    close(fd);
    if (n < 0)
        goto fail;
    snprintf(tail, sizeof tail, "\nPRAGMA user_version=%lld; COMMIT;", (long long)version);
    buf_str(&sql, tail);
    if (buf_done(&sql, name, e) < 0)
        goto fail;
    if (execute(c, buf_text(&sql), name, e) < 0) {
        sqlite3_exec(c->sql, "ROLLBACK;", NULL, NULL, NULL);
        goto fail;
    }
    buf_clear(&sql);
    log_event(LOG_INFO, "migrated", "version %lld", (long long)version);
    return 0;
fail:
    buf_clear(&sql);
    return -1;
}

/* "0002_name.sql" -> 2; 0 when it is not a migration. */
static int64_t version_of(const char *name)
{
    size_t n = strlen(name);
    if (n < 10 || strspn(name, "0123456789") != 4 || name[4] != '_' || strcmp(name + n - 4, ".sql") != 0)
        return 0;
    return strtol(name, NULL, 10);
}

static int apply_all(struct db_conn *c, int dirfd, const struct dir_entry *list, size_t n, const char *dir, struct err *e)
{
    int64_t have, newest = 0;
    if (number(c, "PRAGMA user_version", &have, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int64_t v = version_of(list[i].name);
        if (v == 0)
            continue;
        if (v != newest + 1)
            return err_set(e, ERR_INPUT, "%s/%s: want number %04lld", dir, list[i].name, (long long)newest + 1);
        newest = v;
        if (v > have && apply(c, dirfd, list[i].name, v, e) < 0)
            return -1;
    }
    if (have > newest)
        return err_set(e, ERR_INPUT, "%s: schema version %lld is newer than this program's %lld: start the newer program", c->path, (long long)have,
                       (long long)newest);
    return 0;
}

int db_migrate(struct db_conn *c, const struct db_options *opt, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    int dirfd, rc;
    if (!opt->migrations_dir)
        return 0;
    if (folder_open(&dirfd, opt->migrations_dir, 0, e) < 0)
        return -1;
    rc = folder_list(&list, &n, dirfd, 1000, e);
    if (rc == 0) {
        rc = apply_all(c, dirfd, list, n, opt->migrations_dir, e);
        free(list);
    }
    close(dirfd);
    return rc;
}
