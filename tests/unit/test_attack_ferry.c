/* A small batch, cut at every byte and with every bit of its header and trailer turned over, and what an insider makes of true items, through the real
 * receiver: nothing of it is applied or acknowledged, each lies aside with its reason, and the true file is applied exactly once. FRY-05 FRY-08 FRY-14 IMP-04 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/quarantine.h"
#include "tests/unit/scratch.h"

#define STREAM "fedcba9876543210"
#define CASE "3407261100000017"
#define AT_ONCE 400u                     /* files in the inbox: below the quarantine's bound */

static struct child_pool *parser;
static struct key_pair *internet, *intranet, *stranger;

struct world {
    char dir[40];
    pthread_mutex_t lock;                /* guards what follows, written on the database's writer thread */
    unsigned applied, refused, held;
    char text[64], why[256];
    struct db *db;
    struct delivery *d;
    char paths[4][128];
    int out, in, aside, vault;
    uint64_t number;
};

static int prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    (void)app; (void)it;
    *prepared = strndup((const char *)content.p, content.n);
    return *prepared ? 0 : err_set(e, ERR_FULL, "no memory");
}

static int apply(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct world *w = app;
    (void)c; (void)e;
    pthread_mutex_lock(&w->lock);
    w->applied++;
    snprintf(w->text, sizeof w->text, "%s %.40s", it->kind, (const char *)prepared);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static int outcome(struct db_conn *c, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e)
{
    struct world *w = app;
    (void)c; (void)it; (void)e;
    pthread_mutex_lock(&w->lock);
    *(strcmp(word, "held") == 0 ? &w->held : &w->refused) += 1;
    snprintf(w->why, sizeof w->why, "%s", why->msg);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static const struct delivery_handler handlers[] = {{"status", prepare, apply, free}, {"slice", prepare, apply, free}};

static int setup(void **state)
{
    static const char *const names[] = {"out", "in", "aside", "vault"};
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    char db[64];
    int *fds[] = {&w->out, &w->in, &w->aside, &w->vault};
    /* In memory: thousands of files go aside, each with three fsyncs. */
    snprintf(w->dir, sizeof w->dir, "%s/hz-attack-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    snprintf(db, sizeof db, "%s/side.db", w->dir);
    pthread_mutex_init(&w->lock, NULL);
    *state = w;
    for (int i = 0; i < 4; i++) {
        snprintf(w->paths[i], sizeof w->paths[i], "%s/%s", w->dir, names[i]);
        if (folder_make(w->paths[i], 0700, &e) < 0 || folder_open(fds[i], w->paths[i], 0, &e) < 0)
            fail_msg("%s", e.msg);
    }
    struct db_options o = {.path = db, .application_id = 0x687a7403, .migrations_dir = "schemas/migrations/delivery", .readers = 2};
    struct delivery_options opt = {.own = intranet, .peer = keys_public(internet), .parser = parser, .outbox = w->paths[0], .inbox = w->paths[1], .quarantine = w->paths[2],
                                   .vault = w->paths[3], .spool = "", .mirror = "", .status_file = "", .handlers = handlers, .nhandlers = 2, .app = w, .outcome = outcome,
                                   .resend_min_s = 1, .resend_max_s = 1, .beat_s = 1, .rescan_s = 1, .settle_s = 1};
    if (db_open(&w->db, &o, &e) < 0)
        fail_msg("%s", e.msg);
    opt.db = w->db;
    if (delivery_open(&w->d, &opt, &e) < 0 || delivery_start(w->d, &e) < 0)
        fail_msg("%s", e.msg);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    delivery_stop(w->d);
    delivery_close(w->d);
    db_close(w->db);
    const int fds[] = {w->out, w->in, w->aside, w->vault};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
    char cmd[60];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", w->dir);
    assert_int_equal(system(cmd), 0);
    free(w);
    return 0;
}

/* --- the gateway --- */

static unsigned count(int dirfd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, dirfd, 100000, &e), 0);
    free(list);
    return (unsigned)n;
}

static void empty(int dirfd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, dirfd, 100000, &e), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(unlinkat(dirfd, list[i].name, 0), 0);
    free(list);
}

/* It appears whole and has stood still for long, so that nobody waits for the rest of it. */
static void put_file(struct world *w, const char *name, struct bytes body)
{
    const struct timespec old[2] = {{1700000000, 0}, {1700000000, 0}};
    int fd = openat(w->in, ".put.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, body.p, body.n) == (ssize_t)body.n && futimens(fd, old) == 0);
    close(fd);
    assert_int_equal(renameat(w->in, ".put.tmp", w->in, name), 0);
}

static void wait_empty(struct world *w)
{
    for (int i = 0; i < 3000 && count(w->in); i++)
        usleep(20000);
    assert_int_equal(count(w->in), 0);
}

/* What the newest beat acknowledges of our stream; 0: nothing. */
static uint64_t acknowledged(struct world *w)
{
    const struct key_public *keys[] = {keys_public(intranet)};
    struct dir_entry *list;
    size_t n;
    uint64_t most = 0;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, w->out, 1000, &e), 0);
    for (size_t i = 0; i < n; i++) {
        struct buf body;
        struct envelope v;
        buf_init(&body, ENVELOPE_MAX);
        err_clear(&e);
        if (file_read(&body, w->out, list[i].name, ENVELOPE_MAX, &e) == 0 && envelope_verify(buf_bytes(&body), keys, 1, NULL, &e) == 0 && envelope_read(&v, buf_bytes(&body), parser, &e) == 0) {
            if (v.head.kind == ENVELOPE_BEAT && (v.beat.contiguous > most || v.beat.nranges))
                most = v.beat.nranges ? v.beat.ranges[v.beat.nranges - 1].to : v.beat.contiguous;
            envelope_free(&v);
        }
        buf_clear(&body);
    }
    free(list);
    return most;
}

/* --- the peer's hand --- */

struct letter { struct envelope_item it; struct buf sealed; };

static struct letter letter_by(const char *kind, struct bytes text, const struct key_pair *from)
{
    struct letter l = {.it = {.case_seq = 0}};
    struct manifest m = {.protocol = 1};
    struct err e = {0};
    id_random(&m.id);
    snprintf(m.kind, sizeof m.kind, "%s", kind);
    buf_init(&l.sealed, 0);
    if (seal_item(&l.sealed, &m, text, from, keys_public(intranet), &e) < 0)
        fail_msg("%s", e.msg);
    l.it.id = m.id;
    snprintf(l.it.kind, sizeof l.it.kind, "%s", kind);
    snprintf(l.it.case_no, sizeof l.it.case_no, CASE);
    return l;
}

static void write_file(struct buf *file, enum envelope_kind kind, uint64_t number, struct letter *l, size_t n)
{
    struct envelope_head h = {.kind = kind, .from = "internet", .to = "intranet", .incarnation = STREAM, .number = number, .created_ms = 1795426866000};
    struct envelope_item items[2];
    struct err e = {0};
    for (size_t i = 0; i < n; i++) {
        items[i] = l[i].it;
        items[i].sealed = buf_bytes(&l[i].sealed);
    }
    buf_init(file, ENVELOPE_MAX);
    if (envelope_write(file, &h, items, n, internet, &e) < 0)
        fail_msg("%s", e.msg);
}

static void post(struct world *w, enum envelope_kind kind, struct letter *l, size_t n)
{
    struct buf file;
    char name[40];
    write_file(&file, kind, ++w->number, l, n);
    snprintf(name, sizeof name, "file-%llu.xml", (unsigned long long)w->number);
    put_file(w, name, buf_bytes(&file));
    wait_empty(w);
    buf_clear(&file);
}

/* --- every cut, every bit --- */

/* All of them went aside, each with a line of reason; nothing was applied, kept or acknowledged. */
static void all_aside(struct world *w, unsigned n)
{
    struct dir_entry *list;
    size_t have;
    struct err e = {0};
    wait_empty(w);
    assert_int_equal(folder_list(&list, &have, w->aside, 100000, &e), 0);
    assert_int_equal(have, 2 * n);
    for (size_t i = 0; i < have; i++)
        if (!quarantine_is_note(list[i].name)) {
            char note[300];
            struct stat st;
            snprintf(note, sizeof note, "%s.reason", list[i].name);
            if (fstatat(w->aside, note, &st, 0) < 0 || st.st_size < 40)
                fail_msg("%s: no reason", list[i].name);
        }
    free(list);
    empty(w->aside);
    assert_int_equal(w->applied + w->refused + w->held, 0);
    assert_int_equal(count(w->vault), 0);
    assert_int_equal(acknowledged(w), 0);
}

static void true_file_is_applied_once(struct world *w, struct bytes file)
{
    put_file(w, "true.xml", file);
    wait_empty(w);
    put_file(w, "true-again.xml", file);
    wait_empty(w);
    assert_int_equal(w->applied, 1);
    assert_string_equal(w->text, "status small");
    assert_int_equal(count(w->aside), 0);
    for (int i = 0; i < 200 && acknowledged(w) != 1; i++)
        usleep(20000);
    assert_int_equal(acknowledged(w), 1);
}

/* FRY-05 FRY-08 I6 I7: cut at every byte, from empty to all but the last. */
static void test_cut_at_every_byte(void **state)
{
    struct world *w = *state;
    struct letter l = letter_by("status", bytes_of("small"), internet);
    struct buf file;
    unsigned n = 0;
    char name[40];
    write_file(&file, ENVELOPE_BATCH, 1, &l, 1);
    for (size_t at = 0; at < file.n; at++) {
        snprintf(name, sizeof name, "cut-%05zu.xml", at);
        put_file(w, name, (struct bytes){file.p, at});
        if (++n == AT_ONCE || at + 1 == file.n) {
            all_aside(w, n);
            n = 0;
        }
    }
    true_file_is_applied_once(w, buf_bytes(&file));
    buf_clear(&file);
    buf_clear(&l.sealed);
}

/* FRY-05 FRY-08 I6 I7: one bit another, anywhere from the first byte to the first of the sealed bytes, and in the trailer. */
static void test_every_bit_of_header_and_trailer(void **state)
{
    struct world *w = *state;
    struct letter l = letter_by("status", bytes_of("small"), internet);
    struct buf file;
    unsigned n = 0;
    char name[40];
    write_file(&file, ENVELOPE_BATCH, 1, &l, 1);
    const uint8_t *chunk = memmem(file.p, file.n, "<Chunk>", 7);
    assert_non_null(chunk);
    const size_t header = (size_t)(chunk - file.p) + 7, trailer = file.n - ENVELOPE_TRAILER;
    for (size_t bit = 0; bit < 8 * file.n; bit = bit + 1 == 8 * header ? 8 * trailer : bit + 1) {
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        snprintf(name, sizeof name, "bit-%05zu.xml", bit);
        put_file(w, name, buf_bytes(&file));
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (++n == AT_ONCE || bit + 1 == 8 * file.n) {
            all_aside(w, n);
            n = 0;
        }
    }
    true_file_is_applied_once(w, buf_bytes(&file));
    buf_clear(&file);
    buf_clear(&l.sealed);
}

/* --- true items, in a false place --- */

static void drop(struct letter *l, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_clear(&l[i].sealed);
}

/* IMP-04: the second chunks of two true items of one sender change places, in a file with a true signature. */
static void test_chunks_swapped_between_items(void **state)
{
    struct world *w = *state;
    const size_t chunk = (size_t)48 << 10;
    static uint8_t text[2][150000];
    struct letter l[2];
    for (int i = 0; i < 2; i++) {
        memset(text[i], 'a' + i, sizeof text[i]);
        l[i] = letter_by("status", (struct bytes){text[i], sizeof text[i]}, internet);
    }
    for (size_t at = chunk; at < 2 * chunk; at++) {
        const uint8_t b = l[0].sealed.p[at];
        l[0].sealed.p[at] = l[1].sealed.p[at];
        l[1].sealed.p[at] = b;
    }
    post(w, ENVELOPE_BATCH, l, 2);
    assert_int_equal(w->applied, 0);
    assert_int_equal(w->refused, 2);
    assert_non_null(strstr(w->why, "cut, changed"));
    drop(l, 2);
}

/* IMP-04: an item under the kind or the id of another; a whole item of another in its place. */
static void test_items_under_another_kind(void **state)
{
    struct world *w = *state;
    struct letter l[2] = {letter_by("slice", bytes_of("part"), internet), letter_by("status", bytes_of("small"), internet)};
    snprintf(l[0].it.kind, sizeof l[0].it.kind, "status");
    snprintf(l[1].it.kind, sizeof l[1].it.kind, "slice");
    post(w, ENVELOPE_BATCH, l, 2);
    assert_int_equal(w->refused, 2);
    assert_non_null(strstr(w->why, "re-wrapped"));
    drop(l, 2);
    l[0] = letter_by("status", bytes_of("one"), internet);
    l[1] = letter_by("status", bytes_of("two"), internet);
    const struct id128 id = l[0].it.id;
    l[0].it.id = l[1].it.id;
    l[1].it.id = id;
    post(w, ENVELOPE_SLICE, l, 2);
    assert_int_equal(w->refused, 4);
    assert_non_null(strstr(w->why, "re-wrapped"));
    assert_int_equal(w->applied, 0);
    drop(l, 2);
}

/* FRY-05: the word on the file decides how soon it is carried, never what its items are: a part in a batch is a part, a record among parts a record, once. */
static void test_file_kind_decides_nothing(void **state)
{
    struct world *w = *state;
    struct letter l = letter_by("slice", bytes_of("part"), internet), m = letter_by("status", bytes_of("small"), internet);
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_string_equal(w->text, "slice part");
    post(w, ENVELOPE_SLICE, &m, 1);
    assert_string_equal(w->text, "status small");
    post(w, ENVELOPE_SLICE, &l, 1);
    post(w, ENVELOPE_BATCH, &m, 1);
    assert_int_equal(w->applied, 2);
    assert_int_equal(w->refused + w->held, 0);
    drop(&l, 1);
    drop(&m, 1);
}

/* FRY-05 I1: an item that was applied comes again under new numbers, under another case and in another place of it: never a second time. */
static void test_replay_in_new_files(void **state)
{
    struct world *w = *state;
    struct letter l = letter_by("status", bytes_of("small"), internet);
    l.it.case_seq = 1;
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_int_equal(w->applied, 1);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(l.it.case_no, sizeof l.it.case_no, "%s", i % 2 ? CASE : "3407261100000025");
        l.it.case_seq = i;
        post(w, ENVELOPE_BATCH, &l, 1);
    }
    assert_int_equal(w->applied, 1);
    assert_int_equal(w->refused + w->held, 0);
    assert_int_equal(count(w->aside), 0);
    drop(&l, 1);
}

/* IMP-04 I6: items that the peer's key did not sign inside, in files that it did: another's; another's that names the peer's key; the header cut off. */
static void test_inner_signature_is_wanted(void **state)
{
    struct world *w = *state;
    struct letter l = letter_by("status", bytes_of("small"), stranger);
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_int_equal(w->held, 1);
    memcpy(l.sealed.p + 12, keys_public(internet)->id.b, 8);     /* "HZ1" suite, recipient, sender */
    id_random(&l.it.id);
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_int_equal(w->refused, 1);
    drop(&l, 1);
    l = letter_by("status", bytes_of("small"), internet);
    memmove(l.sealed.p, l.sealed.p + 20, l.sealed.n - 20);
    l.sealed.n -= 20;
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_int_equal(w->refused, 2);
    drop(&l, 1);
    l = letter_by("status", bytes_of("small"), internet);
    buf_clear(&l.sealed);
    buf_str(&l.sealed, "<status>plain</status>");
    post(w, ENVELOPE_BATCH, &l, 1);
    assert_int_equal(w->refused, 3);
    assert_int_equal(w->applied, 0);
    drop(&l, 1);
}

static int setup_all(void **state)
{
    static char schemas[4096];
    static const char *args[] = {schemas, NULL};
    struct err e = {0};
    (void)state;
    if (!realpath("schemas/xsd", schemas))
        return -1;
    struct child_options o = {.path = built("libexec/parser"), .argv = args, .n = 2, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .clean_env = true};
    if (child_pool_open(&parser, &o, &e) < 0 || keys_generate_in(&internet, "internet", scratch_suite(), &e) < 0 || keys_generate_in(&intranet, "intranet", scratch_suite(), &e) < 0 ||
        keys_generate_in(&stranger, "internet", scratch_suite(), &e) < 0) {
        print_error("%s\n", e.msg);
        return -1;
    }
    return 0;
}

static int teardown_all(void **state)
{
    (void)state;
    child_pool_close(parser);
    keys_free(internet);
    keys_free(intranet);
    keys_free(stranger);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chunks_swapped_between_items, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items_under_another_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_kind_decides_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replay_in_new_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inner_signature_is_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_bit_of_header_and_trailer, setup, teardown),
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    log_open("test", getenv("HZ_LOG") ? LOG_INFO : LOG_ERROR);
    return cmocka_run_group_tests_name("attack_ferry", tests, setup_all, teardown_all);
}
