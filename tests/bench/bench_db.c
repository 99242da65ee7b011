/* bench_db.c - durable writes a second: one after the other, and shared by 32 threads (group commit), beside what the disk itself gives. */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/file.h"
#include "common/log.h"

#define RUN_MS 1500
#define THREADS 32

enum { Q_ADD };
static const char *const sql[] = {[Q_ADD] = "INSERT INTO entry(body) VALUES(?1)"};
static const struct db_statements st = {sql, 1};

struct work { struct db *d; int64_t until; unsigned done; };

static int add(struct db_conn *c, void *arg, struct err *e)
{
    static const uint8_t body[1024];
    sqlite3_stmt *s = db_stmt(c, &st, Q_ADD);
    (void)arg;
    db_bind_blob(s, 1, (struct bytes){body, sizeof body});
    return db_run(c, s, e);
}

static void *write_on(void *arg)
{
    struct work *w = arg;
    struct err e = {0};
    while (clock_mono_ms() < w->until && db_write(w->d, add, NULL, &e) == 0)
        w->done++;
    return NULL;
}

static double writes(struct db *d, int threads)
{
    struct work w[THREADS];
    pthread_t t[THREADS];
    int64_t start = clock_mono_ms();
    unsigned done = 0;
    for (int i = 0; i < threads; i++) {
        w[i] = (struct work){d, start + RUN_MS, 0};
        pthread_create(&t[i], NULL, write_on, &w[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(t[i], NULL);
        done += w[i].done;
    }
    return done * 1000.0 / (double)(clock_mono_ms() - start);
}

/* The machine's own limit: append 4 KiB and fdatasync, as the write-ahead log does. */
static double syncs(const char *path)
{
    static const uint8_t page[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int64_t start = clock_mono_ms();
    unsigned done = 0;
    while (fd >= 0 && clock_mono_ms() - start < RUN_MS && fd_write_all(fd, (struct bytes){page, sizeof page}) == 0 && fdatasync(fd) == 0)
        done++;
    if (fd >= 0)
        close(fd);
    return done * 1000.0 / (double)(clock_mono_ms() - start);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
    (void)sb; (void)kind; (void)f;
    return remove(path);
}

int main(void)
{
    char dir[] = "/tmp/hz-bench-XXXXXX", path[64], migrations[64], file[96];
    static const char schema[] = "CREATE TABLE entry(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;";
    struct err e = {0};
    struct db *d = NULL;
    log_open("bench", LOG_WARN);
    if (!mkdtemp(dir) || str_fmt(path, sizeof path, &e, "%s/a.db", dir) < 0 || str_fmt(migrations, sizeof migrations, &e, "%s/m", dir) < 0 ||
        str_fmt(file, sizeof file, &e, "%s/0001_start.sql", migrations) < 0 || folder_make(migrations, 0700, &e) < 0 ||
        file_write_path(file, bytes_of(schema), 0600, &e) < 0)
        return 1;
    struct db_options o = {path, 0x62656e63, migrations, 1};
    if (db_open(&d, &o, &e) < 0 || db_prepare(d, &st, &e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    double one = writes(d, 1), many = writes(d, THREADS);
    db_close(d);
    str_fmt(file, sizeof file, &e, "%s/raw", dir);
    double limit = syncs(file);
    printf("durable writes a second: 1 thread %.0f, %d threads %.0f; the disk's own 4 KiB append and sync: %.0f\n", one, THREADS, many, limit);
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : 1;
}
