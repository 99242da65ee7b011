/* ferry_end.c - one end of the ferry with its numbers as they are installed, for measuring the crossing.
 *
 *   ferry_end SIDE DIR       DIR as tests/support/ends.mjs makes it. Obeys lines on standard input, answers each with one line of JSON:
 *     records N GAP_US BYTES   internet: N records, one every GAP_US; 0: a hundred in each transaction, as fast as it goes
 *     slices N BYTES           internet: N photographs of that many bytes, in the spool
 *     count                    {"records":applied,"slices":applied,"confirmed":…}
 *     times FILE               milliseconds of every record so far, one a line: the intranet from made to applied, the internet from made to confirmed
 *     forget                   drops those times
 *   Ends at the end of its input.
 *
 * Every content begins with the monotonic time at which it was made, before it was sealed; the intranet's confirmation says it again. Both ends apply into a table
 * with a unique index: what is counted came exactly once. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"

#define BATCH 100u

struct end {
    const char *dir, *side;
    bool internet;
    struct db *db;
    struct keyring *ring;
    struct child_pool *parser;
    struct delivery *delivery;
    int spool, store;
    pthread_mutex_t lock;                /* of what follows */
    double *times;
    size_t n, room;
    uint64_t records, slices, confirmed;
};

enum { Q_APPLIED, Q__COUNT };
static const char *const sql[Q__COUNT] = {[Q_APPLIED] = "INSERT INTO applied(item_id, kind, case_no, case_seq, hash, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"};
static const struct db_statements st = {sql, Q__COUNT};

static void check(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "ferry_end: %s: %s\n", what, e->msg);
    exit(1);
}

static const char *path_of(const struct end *p, const char *side, const char *name)
{
    static char paths[16][512];
    static unsigned at;
    char *path = paths[at++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s%s%s", p->dir, side, *side ? "/" : "", name);
    return path;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void keep_time(struct end *p, double made, uint64_t *counter)
{
    pthread_mutex_lock(&p->lock);
    if (p->n == p->room) {
        p->room = p->room ? p->room * 2 : 1024;
        p->times = realloc(p->times, p->room * sizeof *p->times);
        if (!p->times)
            abort();
    }
    if (counter != &p->slices)
        p->times[p->n++] = now_ms() - made;
    ++*counter;
    pthread_mutex_unlock(&p->lock);
}

/* --- what comes in --- */

static int keep_text(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct end *p = app;
    bool slice = strcmp(it->kind, "slice") == 0;
    if (slice && file_publish(p->store, it->id, content, PUBLISH_REPLACE, e) < 0)
        return -1;
    *prepared = strndup((const char *)content.p, content.n < 200 ? content.n : 200);
    return *prepared ? 0 : err_set(e, ERR_FULL, "no memory");
}

static int note(struct db_conn *c, const struct in_item *it, const char *text, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_APPLIED);
    db_bind_text(s, 1, it->id);
    db_bind_text(s, 2, it->kind);
    db_bind_text(s, 3, it->case_no);
    db_bind_int(s, 4, (int64_t)it->case_seq);
    db_bind_text(s, 5, it->hash);
    db_bind_text(s, 6, text);
    return db_run(c, s, e) < 0 ? err_set(e, ERR_INTERNAL, "applied twice") : 0;
}

static int apply_at_intranet(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct end *p = app;
    char text[200];
    double made = strtod(prepared, NULL);
    bool slice = strcmp(it->kind, "slice") == 0;
    uint64_t seq = 0;
    snprintf(text, sizeof text, "%s %s %s %.3f", slice ? "slice" : "record", it->id, it->hash, made);
    if (note(c, it, "", e) < 0 || (*it->case_no && delivery_next_seq(c, it->case_no, &seq, it->now_ms, e) < 0) ||
        delivery_send_record(c, p->delivery, "answer", it->case_no, seq, bytes_of(text), 1, NULL, it->now_ms, e) < 0)
        return -1;
    keep_time(p, made, slice ? &p->slices : &p->records);
    return 0;
}

static int apply_answer(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    char kind[8], id[33], hash[65];
    double made;
    struct end *p = app;
    if (sscanf(prepared, "%7s %32s %64s %lf", kind, id, hash, &made) != 4)
        return err_set(e, ERR_INPUT, "answer: want a kind, an id, a hash and a time");
    if (note(c, it, id, e) < 0 || delivery_confirm(c, id, hash, it->now_ms, e) < 0)
        return -1;
    keep_time(p, made, strcmp(kind, "slice") == 0 ? &p->slices : &p->confirmed);
    return 0;
}

static const struct delivery_handler at_intranet[] = {{"application", keep_text, apply_at_intranet, free}, {"slice", keep_text, apply_at_intranet, free}};
static const struct delivery_handler at_internet[] = {{"answer", keep_text, apply_answer, free}};

/* --- what goes out --- */

struct made { struct id128 id; struct buf sealed; char case_no[17]; };
struct make { struct end *p; struct made *all; size_t n; bool slice; int64_t now_ms; };

static void seal_one(struct end *p, struct made *m, bool slice, size_t bytes, uint64_t number)
{
    struct err e = {0};
    struct manifest f = {.config_version = 1, .protocol = 1};
    struct buf content;
    buf_init(&content, 0);
    buf_init(&m->sealed, 0);
    buf_fmt(&content, "%.3f ", now_ms());
    while (content.n < bytes)
        buf_str(&content, "3407260000000000 ");
    id_random(&f.id);
    snprintf(f.kind, sizeof f.kind, "%s", slice ? "slice" : "application");
    check(keyring_seal(&m->sealed, &f, (struct bytes){content.p, bytes}, p->ring, &e), &e, "seal");
    m->id = f.id;
    snprintf(m->case_no, sizeof m->case_no, "34072611%08" PRIu32, (uint32_t)(number % 100000000));
    buf_clear(&content);
}

static int enqueue_all(struct db_conn *c, void *arg, struct err *e)
{
    struct make *j = arg;
    for (size_t i = 0; i < j->n; i++) {
        struct made *m = &j->all[i];
        struct out_item it = {.id = m->id, .kind = j->slice ? "slice" : "application", .case_no = m->case_no, .bulk = j->slice, .retain = true, .sealed = buf_bytes(&m->sealed)};
        if (j->slice) {
            it.sealed = (struct bytes){0};
            it.spool = m->id.s;
            it.spool_size = m->sealed.n;
            hash_of(&it.spool_hash, buf_bytes(&m->sealed));
        } else if (delivery_next_seq(c, m->case_no, &it.case_seq, j->now_ms, e) < 0)
            return -1;
        if (delivery_enqueue(c, &it, j->now_ms, e) < 0)
            return -1;
    }
    return 0;
}

static void make_some(struct end *p, size_t n, bool slice, size_t bytes)
{
    static uint64_t number;
    struct made all[BATCH];
    struct err e = {0};
    for (size_t i = 0; i < n; i++) {
        seal_one(p, &all[i], slice, bytes, ++number);
        if (slice)
            check(file_publish(p->spool, all[i].id.s, buf_bytes(&all[i].sealed), PUBLISH_NEW, &e), &e, "spool");
    }
    struct make j = {.p = p, .all = all, .n = n, .slice = slice, .now_ms = clock_wall_ms()};
    check(db_write(p->db, enqueue_all, &j, &e), &e, "enqueue");
    delivery_wake(p->delivery);
    for (size_t i = 0; i < n; i++)
        buf_clear(&all[i].sealed);
}

static void make_all(struct end *p, uint64_t n, uint64_t gap_us, bool slice, size_t bytes)
{
    double next = now_ms();
    for (uint64_t i = 0, one; i < n; i += one, next += (double)gap_us / 1e3) {
        double wait = next - now_ms();
        one = gap_us || slice ? 1 : n - i < BATCH ? n - i : BATCH;
        if (gap_us && wait > 0)
            usleep((useconds_t)(wait * 1e3));
        make_some(p, one, slice, bytes);
    }
}

/* --- */

static void open_end(struct end *p)
{
    static char key[64], other[64];
    static const char *args[] = {SOURCE_DIR "/schemas/xsd", NULL};
    struct child_options o = {.path = BUILD_DIR "/libexec/parser", .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .clean_env = true};
    struct err e = {0};
    const char *peer = p->internet ? "intranet" : "internet";
    snprintf(key, sizeof key, "keys/%s.key", p->side);
    snprintf(other, sizeof other, "keys/%s.pub", peer);
    check(keyring_open(&p->ring, path_of(p, p->side, key), path_of(p, p->side, other), &e), &e, "key");
    check(child_pool_open(&p->parser, &o, &e), &e, "parser");
    check(folder_make(path_of(p, p->side, "spool"), 0700, &e), &e, "spool");
    check(folder_make(path_of(p, p->side, "store"), 0700, &e), &e, "store");
    check(folder_open(&p->spool, path_of(p, p->side, "spool"), 0, &e), &e, "spool");
    check(folder_open(&p->store, path_of(p, p->side, "store"), 0, &e), &e, "store");
    struct db_options db = {.path = path_of(p, p->side, "end.db"), .application_id = 0x687a7465, .migrations_dir = path_of(p, "", "migrations"), .readers = 2};
    check(db_open(&p->db, &db, &e), &e, "database");
    check(db_prepare(p->db, &st, &e), &e, "statements");
    char outbox[64], inbox[64];
    snprintf(outbox, sizeof outbox, "%s-outbox", p->side);
    snprintf(inbox, sizeof inbox, "%s-inbox", p->side);
    struct delivery_options d = {.db = p->db, .keys = p->ring, .commands = path_of(p, p->side, "commands"), .parser = p->parser, .outbox = path_of(p, "gateway", outbox),
                                 .inbox = path_of(p, "gateway", inbox), .quarantine = path_of(p, p->side, "quarantine"), .vault = p->internet ? "" : path_of(p, p->side, "vault"),
                                 .spool = path_of(p, p->side, "spool"), .mirror = "", .status_file = path_of(p, p->side, "status.json"),
                                 .handlers = p->internet ? at_internet : at_intranet, .nhandlers = p->internet ? 1 : 2, .app = p, .keep_acked = !p->internet};
    check(delivery_open(&p->delivery, &d, &e), &e, "delivery");
    check(delivery_start(p->delivery, &e), &e, "start");
}

static void write_times(struct end *p, const char *path)
{
    struct buf out;
    struct err e = {0};
    buf_init(&out, 0);
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n; i++)
        buf_fmt(&out, "%.3f\n", p->times[i]);
    pthread_mutex_unlock(&p->lock);
    check(file_write_path(path, buf_bytes(&out), 0600, &e), &e, "times");
    buf_clear(&out);
}

static bool obey(struct end *p, const char *line)
{
    char word[16] = "", text[400] = "";
    uint64_t a = 0, b = 0, c = 0;
    if (sscanf(line, "records %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c) == 3)
        make_all(p, a, b, false, c);
    else if (sscanf(line, "slices %" SCNu64 " %" SCNu64, &a, &c) == 2)
        make_all(p, a, 0, true, c);
    else if (sscanf(line, "times %399s", text) == 1)
        write_times(p, text);
    else if (sscanf(line, "%15s", word) != 1 || (strcmp(word, "count") != 0 && strcmp(word, "forget") != 0))
        return false;
    pthread_mutex_lock(&p->lock);
    if (strcmp(word, "forget") == 0)
        p->n = 0;
    printf("{\"records\":%" PRIu64 ",\"slices\":%" PRIu64 ",\"confirmed\":%" PRIu64 "}\n", p->records, p->slices, p->confirmed);
    pthread_mutex_unlock(&p->lock);
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    char line[512];
    if (argc != 3) {
        fprintf(stderr, "usage: ferry_end internet|intranet DIR\n");
        return 2;
    }
    struct end p = {.dir = argv[2], .side = argv[1], .internet = strcmp(argv[1], "internet") == 0, .lock = PTHREAD_MUTEX_INITIALIZER};
    umask(0077);
    signal(SIGPIPE, SIG_IGN);
    log_open("ferry_end", LOG_ERROR);
    check(seal_init(&e), &e, "libsodium");
    open_end(&p);
    int rc = 0;
    while (rc == 0 && fgets(line, sizeof line, stdin))
        if (!obey(&p, line)) {
            fprintf(stderr, "ferry_end: what is '%s'?\n", line);
            rc = 2;
        }
    delivery_stop(p.delivery);
    delivery_close(p.delivery);
    db_close(p.db);
    child_pool_close(p.parser);
    keyring_close(p.ring);
    close(p.spool);
    close(p.store);
    free(p.times);
    return rc;
}
