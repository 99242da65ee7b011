/* db.c - opening, migrating, the writer thread. Statements and stepping are in db_stmt.c, migrations in db_migrate.c. */
#include "common/db_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#define QUEUE_MAX 4096u
#define GROUP_MAX 256u
#define CHECKPOINT_TRIES 100
#define CHECKPOINT_WAIT_NS 10000000

struct job {
    db_fn fn;
    void *arg;
    struct err *e;
    int rc;
    bool done;
    struct job *next;
    pthread_cond_t ready;
};

struct db {
    char *path;                      /* ours; connections point to it */
    struct db_conn writer;
    struct db_conn *readers;
    bool *reader_busy;
    unsigned nreaders;
    pthread_mutex_t lock;            /* guards queue, reader_busy, stop */
    pthread_cond_t work, reader_free;
    struct job *first, *last;
    unsigned queued;
    bool stop, started;
    pthread_mutex_t checkpoint;      /* one checkpoint at a time: the engine refuses a second one without waiting */
    pthread_t thread;
    atomic_uint fail_commit;         /* test hook: writer thread counts it down */
};

static int pragma(struct db_conn *c, const char *sql, struct err *e)
{
    char *why = NULL;
    if (sqlite3_exec(c->sql, sql, NULL, NULL, &why) == SQLITE_OK)
        return 0;
    errno = (sqlite3_errcode(c->sql) & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno(c->sql) : 0;
    if (errno)
        err_sys(e, "%s: %.60s: %s", c->path, sql, why ? why : "failed");
    else
        err_set(e, ERR_INTERNAL, "%s: %s: %s", c->path, sql, why ? why : "failed");
    sqlite3_free(why);
    return -1;
}

static int open_conn(struct db_conn *c, const struct db_options *opt, bool reader, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (reader ? 0 : SQLITE_OPEN_CREATE);
    c->path = opt->path;
    c->reader = reader;
    if (sqlite3_open_v2(opt->path, &c->sql, flags, NULL) != SQLITE_OK) {
        errno = c->sql ? sqlite3_system_errno(c->sql) : 0;       /* "unable to open" alone does not say what to mend */
        return errno ? err_sys(e, "open database %s: %s", opt->path, sqlite3_errmsg(c->sql))
                     : err_set(e, ERR_INTERNAL, "open database %s: %s", opt->path, c->sql ? sqlite3_errmsg(c->sql) : "no memory");
    }
    sqlite3_extended_result_codes(c->sql, 1);
    sqlite3_busy_timeout(c->sql, 5000);
    sqlite3_db_config(c->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(c->sql, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(c->sql, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(c->sql, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    if (pragma(c, "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;", e) < 0 ||
        pragma(c, reader ? "PRAGMA cache_size=-1024;" : "PRAGMA cache_size=-8192;", e) < 0)      /* sixteen readers: the system's own cache is behind them all */
        return -1;
    return (reader && pragma(c, "PRAGMA query_only=ON;", e) < 0) || db_prepare_spare(c, e) < 0 ? -1 : 0;
}

static void close_conn(struct db_conn *c)
{
    db_drop_statements(c);
    sqlite3_close(c->sql);
    c->sql = NULL;
}

/* Tell everybody of a group whose commit failed. */
static void fail_group(struct job **group, unsigned n, const struct err *why)
{
    for (unsigned i = 0; i < n; i++)
        if (group[i]->rc == 0)
            group[i]->rc = err_set(group[i]->e, why->code, "%s", why->msg);
}

/* false: its savepoint could not be closed (no memory), so what it did cannot be told from the rest: the group must not be committed. */
static bool run_job(struct db_conn *c, struct job *j)
{
    struct err own = {0};
    if (pragma(c, "SAVEPOINT job;", &own) < 0) {
        j->rc = err_set(j->e, own.code, "%s", own.msg);
        return true;
    }
    j->rc = j->fn(c, j->arg, j->e);
    db_reset_statements(c);
    if (j->rc < 0 && sqlite3_get_autocommit(c->sql)) {
        j->rc = err_set(j->e, ERR_INTERNAL, "%s: transaction was rolled back by the engine", c->path);
        return true;
    }
    return pragma(c, j->rc < 0 ? "ROLLBACK TO job; RELEASE job;" : "RELEASE job;", &own) == 0;
}

/* What a COMMIT or ROLLBACK left open that had no memory itself: nothing else could ever begin on this connection. */
static int end_open(struct db_conn *c, struct err *e)
{
    return sqlite3_get_autocommit(c->sql) ? 0 : pragma(c, "ROLLBACK;", e);
}

static int commit(struct db *d, struct err *e)
{
    if (d->fail_commit && --d->fail_commit == 0) {
        struct err ignored = {0};
        pragma(&d->writer, "ROLLBACK;", &ignored);
        return err_set(e, ERR_FULL, "%s: commit failed on request", d->writer.path);
    }
    int rc = sqlite3_exec(d->writer.sql, "COMMIT;", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return 0;
    err_set(e, (rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_INTERNAL, "%s: commit: %s", d->writer.path, sqlite3_errmsg(d->writer.sql));
    sqlite3_exec(d->writer.sql, "ROLLBACK;", NULL, NULL, NULL);
    return -1;
}

static void run_group(struct db *d, struct job **group, unsigned n)
{
    struct err e = {0};
    bool whole = true;
    if (end_open(&d->writer, &e) < 0 || pragma(&d->writer, "BEGIN IMMEDIATE;", &e) < 0) {
        fail_group(group, n, &e);
        return;
    }
    /* Once the engine rolled back (full disk, no memory) a savepoint would open and commit a transaction of its own: nothing more runs. */
    for (unsigned i = 0; i < n && whole && !sqlite3_get_autocommit(d->writer.sql); i++)
        whole = run_job(&d->writer, group[i]);
    if (!whole) {
        err_set(&e, ERR_FULL, "%s: no memory to close a savepoint, the group is undone", d->writer.path);
        log_error("group_undone", &e);
        fail_group(group, n, &e);
        sqlite3_exec(d->writer.sql, "ROLLBACK;", NULL, NULL, NULL);      /* or the next group does it */
    } else if (sqlite3_get_autocommit(d->writer.sql)) {
        err_set(&e, ERR_INTERNAL, "%s: the engine rolled the group back", d->writer.path);
        fail_group(group, n, &e);
    } else if (commit(d, &e) < 0) {
        log_error("commit_failed", &e);
        fail_group(group, n, &e);
    }
}

static void *writer_main(void *arg)
{
    struct db *d = arg;
    struct job *group[GROUP_MAX];
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->first && !d->stop)
            pthread_cond_wait(&d->work, &d->lock);
        if (!d->first)
            break;
        unsigned n = 0;
        while (d->first && n < GROUP_MAX) {
            group[n++] = d->first;
            d->first = d->first->next;
            d->queued--;
        }
        if (!d->first)
            d->last = NULL;
        pthread_mutex_unlock(&d->lock);
        run_group(d, group, n);
        pthread_mutex_lock(&d->lock);
        for (unsigned i = 0; i < n; i++) {
            group[i]->done = true;
            pthread_cond_signal(&group[i]->ready);
        }
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

int db_write(struct db *d, db_fn fn, void *arg, struct err *e)
{
    struct job j = {.fn = fn, .arg = arg, .e = e};
    pthread_cond_init(&j.ready, NULL);
    pthread_mutex_lock(&d->lock);
    if (d->queued >= QUEUE_MAX || d->stop) {
        pthread_mutex_unlock(&d->lock);
        pthread_cond_destroy(&j.ready);
        return err_set(e, ERR_BUSY, "%s: %u writes are waiting", d->writer.path, d->queued);
    }
    if (d->last)
        d->last->next = &j;
    else
        d->first = &j;
    d->last = &j;
    d->queued++;
    pthread_cond_signal(&d->work);
    while (!j.done)
        pthread_cond_wait(&j.ready, &d->lock);
    pthread_mutex_unlock(&d->lock);
    pthread_cond_destroy(&j.ready);
    return j.rc;
}

static unsigned take_reader(struct db *d)
{
    unsigned i;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        for (i = 0; i < d->nreaders && d->reader_busy[i]; i++)
            ;
        if (i < d->nreaders)
            break;
        pthread_cond_wait(&d->reader_free, &d->lock);
    }
    d->reader_busy[i] = true;
    pthread_mutex_unlock(&d->lock);
    return i;
}

int db_read(struct db *d, db_fn fn, void *arg, struct err *e)
{
    unsigned i = take_reader(d);
    struct db_conn *c = &d->readers[i];
    int rc = end_open(c, e) < 0 ? -1 : pragma(c, "BEGIN;", e);          /* one view for all statements of the closure */
    if (rc == 0) {
        rc = fn(c, arg, e);
        db_reset_statements(c);
        sqlite3_exec(c->sql, "COMMIT;", NULL, NULL, NULL);
    }
    pthread_mutex_lock(&d->lock);
    d->reader_busy[i] = false;
    pthread_cond_signal(&d->reader_free);
    pthread_mutex_unlock(&d->lock);
    return rc;
}

int db_checkpoint(struct db *d, struct err *e)
{
    /* A connection of its own: a checkpoint cannot run inside the writer's transaction. */
    struct db_conn c = {0};
    struct db_options opt = {.path = d->writer.path};
    pthread_mutex_lock(&d->checkpoint);
    int rc = open_conn(&c, &opt, false, e);
    if (rc == 0) {
        int frames = 0, done = 0;
        /* The busy handler is not asked while the writer's own checkpoint runs. */
        for (int i = 0; (rc = sqlite3_wal_checkpoint_v2(c.sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, &frames, &done)) == SQLITE_BUSY && i < CHECKPOINT_TRIES; i++)
            nanosleep(&(struct timespec){.tv_nsec = CHECKPOINT_WAIT_NS}, NULL);
        rc = rc == SQLITE_OK ? 0 : err_set(e, ERR_BUSY, "%s: checkpoint: %s", c.path, sqlite3_errmsg(c.sql));
    }
    close_conn(&c);
    pthread_mutex_unlock(&d->checkpoint);
    return rc;
}

void db_fail_commit(struct db *d, unsigned nth)
{
    d->fail_commit = nth;
}

static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "database %s", path);
    close(fd);
    return 0;
}

static int open_all(struct db *d, const struct db_options *opt, struct err *e)
{
    if (make_file(opt->path, e) < 0 || open_conn(&d->writer, opt, false, e) < 0 ||
        db_check_identity(&d->writer, opt->application_id, e) < 0 ||
        pragma(&d->writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=1000;", e) < 0 ||
        db_migrate(&d->writer, opt, e) < 0 || db_quick_check(&d->writer, e) < 0)
        return -1;
    d->nreaders = opt->readers ? opt->readers : 1;
    d->readers = calloc(d->nreaders, sizeof *d->readers);
    d->reader_busy = calloc(d->nreaders, sizeof *d->reader_busy);
    if (!d->readers || !d->reader_busy)
        return err_set(e, ERR_FULL, "%s: no memory", opt->path);
    for (unsigned i = 0; i < d->nreaders; i++)
        if (open_conn(&d->readers[i], opt, true, e) < 0)
            return -1;
    return 0;
}

int db_open(struct db **out, const struct db_options *opt, struct err *e)
{
    struct db *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return err_set(e, ERR_FULL, "%s: no memory", opt->path);
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->checkpoint, NULL);
    pthread_cond_init(&d->work, NULL);
    pthread_cond_init(&d->reader_free, NULL);
    struct db_options kept = *opt;
    if (!(d->path = strdup(opt->path))) {
        free(d);
        return err_set(e, ERR_FULL, "%s: no memory", opt->path);
    }
    kept.path = d->path;
    if (open_all(d, &kept, e) < 0 || pthread_create(&d->thread, NULL, writer_main, d) != 0) {
        err_set(e, ERR_INTERNAL, "%s: no writer thread", opt->path);
        db_close(d);
        return -1;
    }
    d->started = true;
    *out = d;
    return 0;
}

void db_close(struct db *d)
{
    if (!d)
        return;
    if (d->started) {
        pthread_mutex_lock(&d->lock);
        d->stop = true;
        pthread_cond_broadcast(&d->work);
        pthread_mutex_unlock(&d->lock);
        pthread_join(d->thread, NULL);
    }
    for (unsigned i = 0; d->readers && i < d->nreaders; i++)
        close_conn(&d->readers[i]);
    close_conn(&d->writer);
    free(d->readers);
    free(d->reader_busy);
    free(d->path);
    free(d);
}

int db_prepare(struct db *d, const struct db_statements *st, struct err *e)
{
    return db_write(d, db_prepare_all, (void *)(uintptr_t)st, e) < 0 || db_read(d, db_prepare_all, (void *)(uintptr_t)st, e) < 0 ? -1 : 0;
}
