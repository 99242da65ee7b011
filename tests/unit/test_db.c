#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "tests/unit/scratch.h"

#define OURS 0x487a5431u

enum { Q_ADD, Q_COUNT, Q_BY_NAME, Q_LINK };
static const char *const sql[] = {
    [Q_ADD] = "INSERT INTO thing(name, body) VALUES(?1, ?2)",
    [Q_COUNT] = "SELECT count(*) FROM thing",
    [Q_BY_NAME] = "SELECT id, body FROM thing WHERE name = ?1",
    [Q_LINK] = "INSERT INTO link(thing) VALUES(?1)",
};
static const struct db_statements st = {sql, 4};

struct fixture { struct scratch s; char path[128], migrations[128]; struct db *d; };

static void migration(struct fixture *f, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "migrations/%s", name);
    scratch_write(&f->s, path, bytes_of(text));
}

static int open_db(struct fixture *f, struct err *e)
{
    struct db_options o = {f->path, OURS, f->migrations, 4};
    return db_open(&f->d, &o, e);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = {0};
    scratch_open(&f->s);
    snprintf(f->path, sizeof f->path, "%s/a.db", f->s.dir);
    snprintf(f->migrations, sizeof f->migrations, "%s/migrations", f->s.dir);
    mkdir(f->migrations, 0700);
    migration(f, "0001_start.sql", "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB NOT NULL, CHECK(length(name) < 40)) STRICT;\n"
                                   "CREATE TABLE link(thing INTEGER NOT NULL REFERENCES thing(id)) STRICT;");
    *state = f;
    if (open_db(f, &e) < 0 || db_prepare(f->d, &st, &e) < 0)
        fail_msg("%s", e.msg);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(f->d);
    scratch_close(&f->s);
    free(f);
    return 0;
}

static int add(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_ADD);
    db_bind_text(s, 1, arg);
    db_bind_blob(s, 2, bytes_of("body"));
    return db_run(c, s, e);
}

static int count(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_COUNT);
    int rc = db_step(c, s, e);
    *(int64_t *)arg = rc == 1 ? db_col_int(s, 0) : -1;
    return rc == 1 ? 0 : -1;
}

static int64_t rows(struct fixture *f)
{
    int64_t n = -1;
    struct err e = {0};
    if (db_read(f->d, count, &n, &e) < 0)
        fail_msg("%s", e.msg);
    return n;
}

static int lookup(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_BY_NAME);
    db_bind_text(s, 1, arg);
    int rc = db_step(c, s, e);
    if (rc == 1 && !bytes_equal(db_col_blob(s, 1), bytes_of("body")))
        return err_set(e, ERR_CORRUPT, "other body");
    return rc == 1 ? 0 : err_set(e, ERR_MISSING, "no such thing");
}

/* What was written is read by another connection, and the file is ours alone. */
static void test_write_then_read(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct stat sb;
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"张三 ' OR 1=1 --", &e), 0);
    assert_int_equal(db_read(f->d, lookup, (void *)(uintptr_t)"张三 ' OR 1=1 --", &e), 0);
    assert_error(db_read(f->d, lookup, (void *)(uintptr_t)"x", &e), &e, ERR_MISSING, "no such thing");
    assert_int_equal(stat(f->path, &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0600);
}

/* A rule of the table comes back as a conflict that names it. */
static void test_constraints_have_names(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"a", &e), 0);
    assert_error(db_write(f->d, add, (void *)(uintptr_t)"a", &e), &e, ERR_CONFLICT, "UNIQUE constraint failed: thing.name");
    assert_error(db_write(f->d, add, (void *)(uintptr_t)"0123456789012345678901234567890123456789", &e), &e, ERR_CONFLICT, "CHECK constraint failed");
    assert_error(db_write(f->d, add, NULL, &e), &e, ERR_CONFLICT, "NOT NULL constraint failed: thing.name");
    assert_int_equal(rows(f), 1);
}

static int add_orphan(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_LINK);
    (void)arg;
    db_bind_int(s, 1, 77);
    return db_run(c, s, e);
}

static void test_foreign_keys_hold(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    assert_error(db_write(f->d, add_orphan, NULL, &e), &e, ERR_CONFLICT, "FOREIGN KEY constraint failed");
}

static int add_then_fail(struct db_conn *c, void *arg, struct err *e)
{
    return add(c, arg, e) < 0 ? -1 : err_set(e, ERR_INPUT, "second thoughts");
}

/* A closure that fails takes back what it wrote, and only that. */
static void test_failed_closure_rolls_back_itself(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"kept", &e), 0);
    assert_error(db_write(f->d, add_then_fail, (void *)(uintptr_t)"dropped", &e), &e, ERR_INPUT, "second thoughts");
    assert_int_equal(rows(f), 1);
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"dropped", &e), 0);
}

/* --- many at once --- */

struct writer { struct fixture *f; int nr, ok, refused; };

static void *write_many(void *arg)
{
    struct writer *w = arg;
    for (int i = 0; i < 50; i++) {
        char name[32];
        struct err e = {0};
        bool bad = i % 10 == 9;
        snprintf(name, sizeof name, "w%d-%d", w->nr, i);
        int rc = db_write(w->f->d, bad ? add_then_fail : add, name, &e);
        if (rc == 0 && !bad)
            w->ok++;
        if (rc < 0 && bad && e.code == ERR_INPUT)
            w->refused++;
    }
    return NULL;
}

/* Sixteen threads share commits; refused closures in the middle of a group cost their neighbours nothing. */
static void test_group_commit_keeps_savepoints_apart(void **state)
{
    struct fixture *f = *state;
    pthread_t t[16];
    struct writer w[16];
    for (int i = 0; i < 16; i++) {
        w[i] = (struct writer){f, i, 0, 0};
        pthread_create(&t[i], NULL, write_many, &w[i]);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(w[i].ok, 45);
        assert_int_equal(w[i].refused, 5);
    }
    assert_int_equal(rows(f), 16 * 45);
}

struct gate { pthread_mutex_t lock; pthread_cond_t moved; bool entered, open; };

static int wait_at_gate(struct db_conn *c, void *arg, struct err *e)
{
    struct gate *g = arg;
    (void)c; (void)e;
    pthread_mutex_lock(&g->lock);
    g->entered = true;
    pthread_cond_broadcast(&g->moved);
    while (!g->open)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return 0;
}

static void *hold(void *arg)
{
    struct { struct db *d; struct gate *g; } *h = arg;
    struct err e = {0};
    return db_write(h->d, wait_at_gate, h->g, &e) == 0 ? NULL : (void *)1;
}

struct one { struct db *d; char name[16]; int rc; struct err e; bool bad; };

static void *write_one(void *arg)
{
    struct one *o = arg;
    o->rc = db_write(o->d, o->bad ? add_then_fail : add, o->name, &o->e);
    return NULL;
}

/* The commit of a group fails: nothing of it is there, everyone in it is told; who was refused keeps his own reason. */
static void test_failed_commit_tells_everyone(void **state)
{
    struct fixture *f = *state;
    struct gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    struct { struct db *d; struct gate *g; } h = {f->d, &g};
    pthread_t holder, t[8];
    struct one o[8];
    struct err e = {0};
    uint64_t errors = log_count(LOG_ERROR);
    pthread_create(&holder, NULL, hold, &h);
    pthread_mutex_lock(&g.lock);
    while (!g.entered)
        pthread_cond_wait(&g.moved, &g.lock);
    pthread_mutex_unlock(&g.lock);
    for (int i = 0; i < 8; i++) {                 /* these wait behind the gate and share the next commit */
        o[i] = (struct one){.d = f->d, .bad = i == 3};
        snprintf(o[i].name, sizeof o[i].name, "n%d", i);
        pthread_create(&t[i], NULL, write_one, &o[i]);
    }
    usleep(200000);
    db_fail_commit(f->d, 2);
    pthread_mutex_lock(&g.lock);
    g.open = true;
    pthread_cond_broadcast(&g.moved);
    pthread_mutex_unlock(&g.lock);
    void *rc;
    pthread_join(holder, &rc);
    assert_null(rc);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 8; i++)
        assert_error(o[i].rc, &o[i].e, i == 3 ? ERR_INPUT : ERR_FULL, i == 3 ? "second thoughts" : "commit failed on request");
    assert_int_equal(log_count(LOG_ERROR) - errors, 1);
    assert_int_equal(rows(f), 0);
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"after", &e), 0);
    assert_int_equal(rows(f), 1);
}

/* The disk is full (a bounded page count): ERR_FULL, the old rows stand, smaller writes go on afterwards. */
static int limit_pages(struct db_conn *c, void *arg, struct err *e)
{
    (void)e;
    sqlite3 *raw = sqlite3_db_handle(db_stmt(c, &st, Q_COUNT));
    return sqlite3_exec(raw, arg, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static int add_big(struct db_conn *c, void *arg, struct err *e)
{
    static uint8_t big[200000];
    sqlite3_stmt *s = db_stmt(c, &st, Q_ADD);
    db_bind_text(s, 1, arg);
    db_bind_blob(s, 2, (struct bytes){big, sizeof big});
    return db_run(c, s, e);
}

static void test_full_disk_is_full(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"before", &e), 0);
    assert_int_equal(db_write(f->d, limit_pages, (void *)(uintptr_t)"PRAGMA max_page_count=12", &e), 0);
    assert_error(db_write(f->d, add_big, (void *)(uintptr_t)"big", &e), &e, ERR_FULL, "full");
    assert_int_equal(rows(f), 1);
    assert_int_equal(db_write(f->d, limit_pages, (void *)(uintptr_t)"PRAGMA max_page_count=1000000", &e), 0);
    assert_int_equal(db_write(f->d, add_big, (void *)(uintptr_t)"big", &e), 0);
    assert_int_equal(rows(f), 2);
}

/* A reader cannot write, and sees one state of the data throughout its closure. */
static int write_as_reader(struct db_conn *c, void *arg, struct err *e)
{
    return add(c, arg, e);
}

struct two_looks { struct fixture *f; int64_t first, second; };

static int look_twice(struct db_conn *c, void *arg, struct err *e)
{
    struct two_looks *l = arg;
    if (count(c, &l->first, e) < 0 || db_write(l->f->d, add, (void *)(uintptr_t)"in between", e) < 0)
        return -1;
    return count(c, &l->second, e);
}

static void test_readers_only_read_one_state(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct two_looks l = {f, -1, -1};
    assert_error(db_read(f->d, write_as_reader, (void *)(uintptr_t)"x", &e), &e, ERR_INTERNAL, "readonly");
    assert_int_equal(db_read(f->d, look_twice, &l, &e), 0);
    assert_true(l.first == 0 && l.second == 0);
    assert_int_equal(rows(f), 1);
}

static int double_quoted(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3 *raw = sqlite3_db_handle(db_stmt(c, &st, Q_COUNT));
    (void)e;
    return sqlite3_exec(raw, arg, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* The engine's doors that an injected statement would use are shut. */
static void test_connection_is_defensive(void **state)
{
    struct fixture *f = *state;
    static const char *const refused[] = {"SELECT \"no such column\" FROM thing", "SELECT load_extension('x')", "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='x'"};
    struct err e = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(db_write(f->d, double_quoted, (void *)(uintptr_t)refused[i], &e), -1);
        err_clear(&e);
    }
    assert_int_equal(db_write(f->d, double_quoted, (void *)(uintptr_t)"SELECT 1", &e), 0);
}

static void test_wrong_statement_stops_the_start(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    static const char *const wrong[] = {"SELECT no_such FROM thing"};
    static const struct db_statements bad = {wrong, 1};
    assert_error(db_prepare(f->d, &bad, &e), &e, ERR_INTERNAL, "no such column: no_such");
}

static void test_checkpoint_empties_the_wal(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct stat sb;
    char wal[140];
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"a", &e), 0);
    assert_int_equal(stat(wal, &sb), 0);
    assert_true(sb.st_size > 0);
    if (db_checkpoint(f->d, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(stat(wal, &sb), 0);
    assert_int_equal(sb.st_size, 0);
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"b", &e), 0);
    assert_int_equal(rows(f), 2);
}

/* --- opening --- */

static void reopen_must_fail(struct fixture *f, enum err_code code, const char *words)
{
    struct err e = {0};
    int rc = open_db(f, &e);
    assert_error(rc, &e, code, words);
    assert_null(f->d);
}

static void raw(struct fixture *f, const char *text)
{
    sqlite3 *c;
    assert_int_equal(sqlite3_open(f->path, &c), SQLITE_OK);
    assert_int_equal(sqlite3_exec(c, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(c);
}

/* Neither side opens the other's file, nor somebody else's. */
static void test_other_applications_file_is_refused(void **state)
{
    struct fixture *f = *state;
    db_close(f->d);
    raw(f, "PRAGMA application_id=7");
    reopen_must_fail(f, ERR_INPUT, "this is another program's database");
    unlink(f->path);
    raw(f, "CREATE TABLE foreign_table(x)");
    reopen_must_fail(f, ERR_INPUT, "this is another program's database");
}

static void test_newer_schema_is_refused_in_words(void **state)
{
    struct fixture *f = *state;
    db_close(f->d);
    raw(f, "PRAGMA user_version=9");
    reopen_must_fail(f, ERR_INPUT, "schema version 9 is newer than this program's 1: start the newer program");
}

static void test_migrations_run_once_in_order(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    assert_int_equal(db_write(f->d, add, (void *)(uintptr_t)"old", &e), 0);
    db_close(f->d);
    migration(f, "0002_more.sql", "ALTER TABLE thing ADD COLUMN extra INTEGER NOT NULL DEFAULT 5;");
    migration(f, "0003_rows.sql", "INSERT INTO thing(name, body, extra) VALUES('from migration', x'', 6);");
    migration(f, "README.md", "not a migration");
    for (int again = 0; again < 2; again++) {
        if (open_db(f, &e) < 0)
            fail_msg("%s", e.msg);
        assert_int_equal(rows(f), 2);
        if (again == 0)
            db_close(f->d);
    }
}

/* A migration that fails leaves the database as it was, version and all. */
static void test_failed_migration_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    db_close(f->d);
    migration(f, "0002_bad.sql", "CREATE TABLE half(x) STRICT; CREATE TABLE whole(x INTEGER) STRICT; nonsense;");
    struct err why = {0};
    assert_int_equal(open_db(f, &why), -1);
    assert_non_null(strstr(why.msg, "0002_bad.sql"));
    migration(f, "0002_bad.sql", "CREATE TABLE half(x INTEGER) STRICT;");
    if (open_db(f, &e) < 0)
        fail_msg("%s", e.msg);
}

static void test_gap_in_migrations_is_refused(void **state)
{
    struct fixture *f = *state;
    db_close(f->d);
    migration(f, "0003_late.sql", "SELECT 1;");
    reopen_must_fail(f, ERR_INPUT, "0003_late.sql: want number 0002");
}

/* A flipped block is found at the start. */
static void test_damaged_file_is_corrupt(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(db_write(f->d, add, name, &e), 0);
    }
    db_close(f->d);
    int fd = open(f->path, O_RDWR);
    uint8_t junk[2000];
    memset(junk, 0x5a, sizeof junk);
    for (off_t at = 4096; at < 5 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
    close(fd);
    int rc = open_db(f, &e);
    assert_error(rc, &e, ERR_CORRUPT, "quick_check");
}

/* kill -9 in the middle of writing: what was answered is there after the restart, whole. */
static void test_answered_writes_survive_a_kill(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    int pipes[2];
    db_close(f->d);
    f->d = NULL;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        if (open_db(f, &e) < 0)
            _exit(1);
        for (int i = 0;; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%d", i);
            if (db_write(f->d, add, name, &e) < 0 || write(pipes[1], &i, sizeof i) != sizeof i)
                _exit(1);
        }
    }
    close(pipes[1]);
    int last = -1, i;
    int64_t end = clock_mono_ms() + 300;
    while (clock_mono_ms() < end && read(pipes[0], &i, sizeof i) == sizeof i)
        last = i;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(pipes[0], &i, sizeof i) == sizeof i)
        last = i;
    close(pipes[0]);
    if (open_db(f, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(last > 0);
    assert_in_range(rows(f), last + 1, last + 2);      /* the last one may be committed and not yet answered */
}

/* OPS-10: too few descriptors stop it in words that say so, wherever they run out, and nothing is lost. */
static void OPS_10_test_descriptors_run_out(void **state)
{
    struct fixture *f = *state;
    struct rlimit usual, few;
    unsigned refused = 0;
    db_close(f->d);
    f->d = NULL;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const int first = dup(0);
    close(first);
    for (rlim_t more = 0; more < 40 && !f->d; more++) {
        struct err e = {0};
        few = (struct rlimit){(rlim_t)first + more, usual.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        int rc = open_db(f, &e);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
        if (rc < 0) {
            refused++;
            if (!strstr(e.msg, "Too many open files"))
                fail_msg("with %u more: %s", (unsigned)more, e.msg);
        }
    }
    assert_non_null(f->d);
    assert_true(refused > 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(OPS_10_test_descriptors_run_out), T(test_write_then_read), T(test_constraints_have_names), T(test_foreign_keys_hold), T(test_failed_closure_rolls_back_itself),
        T(test_group_commit_keeps_savepoints_apart), T(test_failed_commit_tells_everyone), T(test_full_disk_is_full), T(test_readers_only_read_one_state),
        T(test_connection_is_defensive), T(test_wrong_statement_stops_the_start), T(test_checkpoint_empties_the_wal),
        T(test_other_applications_file_is_refused), T(test_newer_schema_is_refused_in_words), T(test_migrations_run_once_in_order),
        T(test_failed_migration_changes_nothing), T(test_gap_in_migrations_is_refused), T(test_damaged_file_is_corrupt),
        T(test_answered_writes_survive_a_kill),
    };
    log_open("test", LOG_WARN);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
