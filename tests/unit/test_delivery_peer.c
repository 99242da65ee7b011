/* One end of the ferry (the intranet's) against a peer that the test plays by hand: repeats, lies, damage, backups. */
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/temps.h"
#include "tests/unit/scratch.h"

#define OTHER "fedcba9876543210"         /* the stream that the test plays */
#define CASE "3407261100000017"

static struct child_pool *parser;
static struct key_pair *internet, *intranet, *stranger;

/* What the handlers saw, on the database's writer thread. */
struct notes {
    char applied[64][80];                /* "case/seq/text" */
    size_t n, refused, held;
    char why[256];
};

struct world {
    struct scratch s;
    pthread_mutex_t lock;                /* guards live */
    struct notes live;
    struct db *db;
    struct delivery *d;
    struct delivery_options opt;
    char paths[6][128];
    int in, out, aside, vault, spool;
    uint64_t beat, heard;
    char incarnation[17];                /* theirs, once a beat was read */
    struct notes seen;                   /* as of the last look */
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
    (void)c;
    if (strcmp(prepared, "bad at apply") == 0)
        return err_set(e, ERR_INPUT, "case: want open, have closed");
    pthread_mutex_lock(&w->lock);
    if (w->live.n < 64)
        snprintf(w->live.applied[w->live.n++], sizeof w->live.applied[0], "%s/%llu/%.30s", it->case_no, (unsigned long long)it->case_seq, (const char *)prepared);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static int outcome(struct db_conn *c, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e)
{
    struct world *w = app;
    (void)c; (void)it; (void)e;
    pthread_mutex_lock(&w->lock);
    *(strcmp(word, "held") == 0 ? &w->live.held : &w->live.refused) += 1;
    snprintf(w->live.why, sizeof w->live.why, "%s", why->msg);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static const struct delivery_handler handlers[] = {{"status", prepare, apply, free}};

static void start(struct world *w)
{
    struct err e = {0};
    if (delivery_open(&w->d, &w->opt, &e) < 0 || delivery_start(w->d, &e) < 0)
        fail_msg("%s", e.msg);
}

static void stop(struct world *w)
{
    delivery_stop(w->d);
    delivery_close(w->d);
    w->d = NULL;
}

static int setup(void **state)
{
    static const char *const folders[] = {"out", "in", "aside", "vault", "spool", "mirror"};
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    int *fds[] = {&w->out, &w->in, &w->aside, &w->vault, &w->spool};
    scratch_open(&w->s);
    pthread_mutex_init(&w->lock, NULL);
    *state = w;
    for (int i = 0; i < 6; i++) {
        memcpy(w->paths[i], scratch_path(&w->s, folders[i]), sizeof w->paths[i]);
        if (folder_make(w->paths[i], 0700, &e) < 0 || (i < 5 && folder_open(fds[i], w->paths[i], 0, &e) < 0))
            fail_msg("%s", e.msg);
    }
    struct db_options o = {.path = scratch_path(&w->s, "side.db"), .application_id = 0x687a7402, .migrations_dir = "schemas/migrations/delivery", .readers = 2};
    if (db_open(&w->db, &o, &e) < 0)
        fail_msg("%s", e.msg);
    w->opt = (struct delivery_options){.db = w->db, .own = intranet, .peer = keys_public(internet), .parser = parser, .outbox = w->paths[0], .inbox = w->paths[1],
                                       .quarantine = w->paths[2], .vault = w->paths[3], .spool = w->paths[4], .mirror = w->paths[5], .status_file = "",
                                       .handlers = handlers, .nhandlers = 1, .app = w, .outcome = outcome, .resend_min_s = 1, .resend_max_s = 1, .beat_s = 1,
                                       .rescan_s = 1, .settle_s = 1};
    start(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    const int fds[] = {w->in, w->out, w->aside, w->vault, w->spool};
    if (w->d)
        stop(w);
    db_close(w->db);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
    scratch_close(&w->s);
    free(w);
    return 0;
}

/* --- the peer's hand --- */

struct letter { struct id128 id; char kind[24]; char case_no[17]; uint64_t seq; struct buf sealed; };

static struct letter letter_by(const char *text, const char *case_no, uint64_t seq, const struct key_pair *from, const struct key_public *to, unsigned protocol)
{
    struct letter l = {.kind = "status", .seq = seq};
    struct manifest m = {.kind = "status", .protocol = protocol};
    struct err e = {0};
    id_random(&l.id);
    m.id = l.id;
    snprintf(l.case_no, sizeof l.case_no, "%s", case_no);
    buf_init(&l.sealed, 0);
    if (seal_item(&l.sealed, &m, bytes_of(text), from, to, &e) < 0)
        fail_msg("%s", e.msg);
    return l;
}

static struct letter letter(const char *text, const char *case_no, uint64_t seq)
{
    return letter_by(text, case_no, seq, internet, keys_public(intranet), 1);
}

static struct envelope_head head_of(enum envelope_kind kind, uint64_t number)
{
    return (struct envelope_head){.kind = kind, .from = "internet", .to = "intranet", .incarnation = OTHER, .number = number, .created_ms = 1795426866000};
}

static void put_file(struct world *w, const char *name, struct bytes body)
{
    struct err e = {0};
    if (file_publish(w->in, name, body, PUBLISH_REPLACE, &e) < 0)
        fail_msg("%s", e.msg);
}

static void write_letter(struct buf *file, const struct envelope_head *h, const struct letter *l, const struct key_pair *key)
{
    struct envelope_item it = {.id = l->id, .case_seq = l->seq, .sealed = buf_bytes(&l->sealed)};
    struct err e = {0};
    snprintf(it.kind, sizeof it.kind, "%s", l->kind);
    snprintf(it.case_no, sizeof it.case_no, "%s", l->case_no);
    buf_init(file, ENVELOPE_MAX);
    if (envelope_write(file, h, &it, 1, key, &e) < 0)
        fail_msg("%s", e.msg);
}

/* One letter as a file signed by `key`; the bytes go to `kept` when it is not NULL, else they are dropped. */
static void post_as(struct world *w, const struct envelope_head *h, const struct letter *l, const struct key_pair *key, const char *name, struct buf *kept)
{
    struct buf file;
    char own[80];
    envelope_name(own, h);
    write_letter(&file, h, l, key);
    put_file(w, name ? name : own, buf_bytes(&file));
    if (kept)
        *kept = file;
    else
        buf_clear(&file);
}

static void post(struct world *w, uint64_t number, struct letter *l)
{
    struct envelope_head h = head_of(ENVELOPE_BATCH, number);
    post_as(w, &h, l, internet, NULL, NULL);
}

static void post_text(struct world *w, uint64_t number, const char *text, uint64_t seq)
{
    struct letter l = letter(text, CASE, seq);
    post(w, number, &l);
    buf_clear(&l.sealed);
}

/* A beat of ours that says: of your stream `ack` I have everything up to `contiguous`, and heard your beat `heard`. */
static void beat(struct world *w, const char *ack, uint64_t contiguous, uint64_t heard)
{
    struct envelope_head h = head_of(ENVELOPE_BEAT, ++w->beat);
    struct beat b = {.contiguous = contiguous, .sent = 9, .heard = heard, .health = "fine", .config_version = 3, .protocol = 1};
    struct buf file;
    struct err e = {0};
    char name[80];
    snprintf(b.ack, sizeof b.ack, "%s", ack);
    buf_init(&file, 0);
    envelope_name(name, &h);
    if (envelope_write_beat(&file, &h, &b, internet, &e) < 0)
        fail_msg("%s", e.msg);
    put_file(w, name, buf_bytes(&file));
    buf_clear(&file);
}

/* Take everything out of the outbox; the newest beat into *b. Returns the number of files that are no beats. */
static unsigned take_outbox(struct world *w, struct beat *b)
{
    struct dir_entry *list;
    size_t n;
    unsigned files = 0;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, w->out, 1000, &e), 0);
    for (size_t i = 0; i < n; i++) {
        struct buf body;
        struct envelope v;
        buf_init(&body, ENVELOPE_MAX);
        err_clear(&e);
        const struct key_public *keys[] = {keys_public(intranet)};
        if (file_read(&body, w->out, list[i].name, ENVELOPE_MAX, &e) == 0) {
            assert_int_equal(envelope_verify(buf_bytes(&body), keys, 1, NULL, &e), 0);
            assert_int_equal(envelope_read(&v, buf_bytes(&body), parser, &e), 0);
            snprintf(w->incarnation, sizeof w->incarnation, "%s", v.head.incarnation);
            if (v.head.kind == ENVELOPE_BEAT && v.head.number >= w->heard) {
                w->heard = v.head.number;
                if (b)
                    *b = v.beat;
            }
            files += v.head.kind != ENVELOPE_BEAT;
            envelope_free(&v);
            unlinkat(w->out, list[i].name, 0);
        }
        buf_clear(&body);
    }
    free(list);
    return files;
}

static unsigned count(int dirfd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, dirfd, 10000, &e), 0);
    free(list);
    return (unsigned)n;
}

static void look(struct world *w)
{
    pthread_mutex_lock(&w->lock);
    w->seen = w->live;
    pthread_mutex_unlock(&w->lock);
}

/* The inbox is empty: everything was settled (deliveries remove a file only after its commit). */
static void settle(struct world *w)
{
    for (int i = 0; i < 500 && count(w->in); i++)
        usleep(20000);
    assert_int_equal(count(w->in), 0);
    look(w);
}

static void wait_applied(struct world *w, size_t n)
{
    look(w);
    for (int i = 0; i < 200 && w->seen.n < n; i++) {
        usleep(20000);
        look(w);
    }
    assert_int_equal(w->seen.n, n);
}

static void wait_beat(struct world *w, uint64_t contiguous, struct beat *b)
{
    for (int i = 0; i < 200; i++) {
        *b = (struct beat){0};
        take_outbox(w, b);
        if (strcmp(b->ack, OTHER) == 0 && b->contiguous == contiguous)
            return;
        usleep(20000);
    }
    fail_msg("no beat with contiguous %llu", (unsigned long long)contiguous);
}

static void reason_of(struct world *w, const char *name, const char *words)
{
    struct buf text;
    struct err e = {0};
    char note[200];
    snprintf(note, sizeof note, "%s.reason", name);
    buf_init(&text, 0);
    if (file_read(&text, w->aside, note, 4096, &e) < 0 || !strstr(buf_text(&text), words))
        fail_msg("%s: want '%s', have '%s' %s", note, words, buf_text(&text), e.msg);
    buf_clear(&text);
}

/* --- tests --- */

/* FRY-14: the same file under its own, another and a hidden-looking name: applied once, one copy in the vault. */
static void test_replay_under_other_names(void **state)
{
    struct world *w = *state;
    struct letter l = letter("once", CASE, 1);
    struct envelope_head h = head_of(ENVELOPE_BATCH, 1);
    struct buf file;
    struct beat b;
    post_as(w, &h, &l, internet, NULL, &file);
    settle(w);
    for (int i = 0; i < 5; i++) {
        char name[40];
        snprintf(name, sizeof name, "again-%d.xml", i);
        put_file(w, name, buf_bytes(&file));
    }
    settle(w);
    wait_beat(w, 1, &b);
    assert_int_equal(w->seen.n, 1);
    assert_int_equal(count(w->vault), 1);
    assert_int_equal(count(w->aside), 0);
    buf_clear(&file);
    buf_clear(&l.sealed);
}

/* IMP-05: the gateway calls each file by the other's name: both are kept in the vault, each under its own. */
static void test_vault_trusts_no_names(void **state)
{
    struct world *w = *state;
    char name[80];
    for (uint64_t i = 1; i <= 2; i++) {
        struct letter l = letter(i == 1 ? "one" : "two", CASE, i);
        struct envelope_head h = head_of(ENVELOPE_BATCH, i);
        post_as(w, &h, &l, internet, "same.xml", NULL);
        settle(w);
        buf_clear(&l.sealed);
        envelope_name(name, &h);
        assert_int_equal(faccessat(w->vault, name, F_OK, 0), 0);
    }
    assert_int_equal(w->seen.n, 2);
    assert_int_equal(count(w->vault), 2);
}

/* FRY-14: a gap in the numbers shows in the beat's ranges and in the state, and closes. */
static void test_gap_is_said(void **state)
{
    struct world *w = *state;
    struct beat b;
    struct delivery_state st = {0};
    post_text(w, 1, "a", 0);
    post_text(w, 2, "b", 0);
    post_text(w, 5, "e", 0);
    post_text(w, 7, "g", 0);
    post_text(w, 8, "h", 0);
    settle(w);
    do                                   /* one may have gone out before 7 and 8 were applied */
        wait_beat(w, 2, &b);
    while (!b.nranges || b.ranges[b.nranges - 1].to < 8);
    assert_int_equal(b.nranges, 2);
    assert_true(b.ranges[0].from == 5 && b.ranges[0].to == 5 && b.ranges[1].from == 7 && b.ranges[1].to == 8);
    beat(w, "", 0, 0);                   /* says that 9 were sent */
    for (int i = 0; i < 200 && st.gap == 0; i++) {
        usleep(20000);
        delivery_health(w->d, &st);
    }
    assert_true(st.gap > 0);
    post_text(w, 3, "c", 0);
    post_text(w, 4, "d", 0);
    post_text(w, 6, "f", 0);
    settle(w);
    wait_beat(w, 8, &b);
    assert_int_equal(b.nranges, 0);
    assert_int_equal(w->seen.n, 8);
}

/* FRY-08: a record that came early waits for its predecessor, in another file, and is applied right after it. */
static void test_early_record_waits(void **state)
{
    struct world *w = *state;
    struct beat b;
    post_text(w, 1, "third", 3);
    post_text(w, 2, "second", 2);
    settle(w);
    wait_beat(w, 2, &b);                 /* received, though not applied */
    assert_int_equal(w->seen.n, 0);
    post_text(w, 3, "first", 1);
    wait_applied(w, 3);
    assert_string_equal(w->seen.applied[0], CASE "/1/first");
    assert_string_equal(w->seen.applied[1], CASE "/2/second");
    assert_string_equal(w->seen.applied[2], CASE "/3/third");
}

/* Two items claim one place in a case (a side restored from a backup gave it out twice): both are applied once, for their ids differ, and what
 * follows them goes on. */
static void test_place_taken_twice(void **state)
{
    struct world *w = *state;
    struct letter two[] = {letter("first", CASE, 1), letter("takes the place", CASE, 2)};
    struct envelope_item items[2];
    struct envelope_head h = head_of(ENVELOPE_BATCH, 2);
    struct buf file;
    struct err e = {0};
    post_text(w, 1, "waits", 2);
    settle(w);
    for (int i = 0; i < 2; i++)
        items[i] = (struct envelope_item){.id = two[i].id, .kind = "status", .case_no = CASE, .case_seq = two[i].seq, .sealed = buf_bytes(&two[i].sealed)};
    buf_init(&file, 0);
    assert_int_equal(envelope_write(&file, &h, items, 2, internet, &e), 0);
    put_file(w, "two.xml", buf_bytes(&file));
    wait_applied(w, 3);
    put_file(w, "again.xml", buf_bytes(&file));
    post_text(w, 3, "third", 3);
    wait_applied(w, 4);
    post_text(w, 4, "unordered", 0);
    wait_applied(w, 5);
    assert_string_equal(w->seen.applied[1], CASE "/2/takes the place");
    assert_string_equal(w->seen.applied[2], CASE "/2/waits");
    assert_string_equal(w->seen.applied[3], CASE "/3/third");
    assert_string_equal(w->seen.applied[4], CASE "/0/unordered");
    for (int i = 0; i < 2; i++)
        buf_clear(&two[i].sealed);
    buf_clear(&file);
}

/* IMP-04: what was re-wrapped, cut inside or sealed for or by others is refused or held, said once, and stops nobody else. */
static void test_items_that_lie(void **state)
{
    struct world *w = *state;
    struct letter l = letter("x", CASE, 0);
    id_random(&l.id);                    /* the envelope says another id than the manifest */
    post(w, 1, &l);
    buf_clear(&l.sealed);
    settle(w);
    assert_int_equal(w->seen.refused, 1);
    assert_non_null(strstr(w->seen.why, "re-wrapped"));
    l = letter("x", CASE, 0);
    l.sealed.p[l.sealed.n - 1] ^= 1;
    post(w, 2, &l);
    buf_clear(&l.sealed);
    settle(w);
    assert_int_equal(w->seen.refused, 2);
    assert_non_null(strstr(w->seen.why, "cut, changed"));
    l = letter_by("x", CASE, 0, internet, keys_public(stranger), 1);
    post(w, 3, &l);
    buf_clear(&l.sealed);
    settle(w);
    assert_int_equal(w->seen.held, 1);
    assert_non_null(strstr(w->seen.why, "key id"));
    l = letter_by("x", CASE, 0, stranger, keys_public(intranet), 1);
    post(w, 4, &l);
    buf_clear(&l.sealed);
    settle(w);
    assert_int_equal(w->seen.held, 2);
    l = letter_by("x", CASE, 0, internet, keys_public(intranet), 2);       /* a newer protocol */
    post(w, 5, &l);
    buf_clear(&l.sealed);
    settle(w);
    assert_int_equal(w->seen.held, 3);
    assert_non_null(strstr(w->seen.why, "protocol 2"));
    l = letter("bad at apply", CASE, 1);
    post(w, 6, &l);
    buf_clear(&l.sealed);
    post_text(w, 7, "good", 2);
    settle(w);
    assert_int_equal(w->seen.refused, 3);
    assert_non_null(strstr(w->seen.why, "want open, have closed"));
    assert_int_equal(w->seen.n, 1);
    assert_string_equal(w->seen.applied[0], CASE "/2/good");
    assert_int_equal(count(w->aside), 0);
}

/* FRY-08: files that are not the peer's go aside with their reason; what comes after them is read. */
static void test_files_that_lie(void **state)
{
    struct world *w = *state;
    struct letter l = letter("x", CASE, 1);
    struct envelope_head h = head_of(ENVELOPE_BATCH, 1);
    post_as(w, &h, &l, stranger, "stranger.xml", NULL);
    post_as(w, &h, &l, intranet, "reflected.xml", NULL);
    snprintf(h.to, sizeof h.to, "internet");
    post_as(w, &h, &l, internet, "to-itself.xml", NULL);
    snprintf(h.from, sizeof h.from, "intranet");
    snprintf(h.to, sizeof h.to, "intranet");
    post_as(w, &h, &l, internet, "from-us.xml", NULL);
    put_file(w, "empty.xml", (struct bytes){0});
    put_file(w, "notes.txt", bytes_of("hello"));
    assert_int_equal(symlinkat("/etc/passwd", w->in, "link.xml"), 0);
    assert_int_equal(mkfifoat(w->in, "pipe.xml", 0600), 0);
    assert_int_equal(mkdirat(w->in, "folder.xml", 0700), 0);
    post(w, 1, &l);
    settle(w);
    reason_of(w, "stranger.xml", "not one that we trust");
    reason_of(w, "reflected.xml", "not one that we trust");
    reason_of(w, "to-itself.xml", "want internet to intranet");
    reason_of(w, "from-us.xml", "want internet to intranet");
    reason_of(w, "empty.xml", "bytes");
    reason_of(w, "notes.txt", "bytes");
    reason_of(w, "link.xml", "regular file");
    reason_of(w, "pipe.xml", "regular file");
    reason_of(w, "folder.xml", "regular file");
    assert_int_equal(count(w->aside), 18);
    assert_int_equal(w->seen.n, 1);
    buf_clear(&l.sealed);
}

/* FRY-08: a file that is still being written is left alone, however often it is looked at, and read when it is whole. */
static void test_growing_file_is_left_alone(void **state)
{
    struct world *w = *state;
    struct letter l = letter("slow", CASE, 1);
    struct envelope_head h = head_of(ENVELOPE_BATCH, 1);
    struct buf file;
    write_letter(&file, &h, &l, internet);
    int fd = openat(w->in, "grows.xml", O_WRONLY | O_CREAT, 0600);
    for (size_t at = 0; at < file.n; at += file.n / 8 + 1) {
        size_t n = file.n - at < file.n / 8 + 1 ? file.n - at : file.n / 8 + 1;
        assert_int_equal(write(fd, file.p + at, n), (ssize_t)n);
        usleep(400000);
    }
    close(fd);
    settle(w);
    assert_int_equal(w->seen.n, 1);
    assert_int_equal(count(w->aside), 0);
    buf_clear(&file);
    buf_clear(&l.sealed);
}

struct queue_job { struct world *w; const char *text, *spool; bool retain; struct id128 id; struct buf sealed; };

static int queue(struct db_conn *c, void *arg, struct err *e)
{
    struct queue_job *j = arg;
    struct out_item it = {.id = j->id, .kind = "status", .case_no = "", .retain = j->retain, .sealed = buf_bytes(&j->sealed)};
    if (j->spool) {
        it.sealed = (struct bytes){0};
        it.spool = j->spool;
        it.spool_size = j->sealed.n;
        it.bulk = true;
        hash_of(&it.spool_hash, buf_bytes(&j->sealed));
    }
    return delivery_enqueue(c, &it, clock_wall_ms(), e);
}

static struct queue_job send_as(struct world *w, const char *text, const char *spool, bool retain)
{
    struct queue_job j = {.w = w, .text = text, .spool = spool, .retain = retain};
    struct manifest m = {.kind = "status", .protocol = 1};
    struct err e = {0};
    id_random(&j.id);
    m.id = j.id;
    buf_init(&j.sealed, 0);
    if (seal_item(&j.sealed, &m, bytes_of(text), intranet, keys_public(internet), &e) < 0)
        fail_msg("%s", e.msg);
    if (spool && file_publish(w->spool, spool, buf_bytes(&j.sealed), PUBLISH_NEW, &e) < 0)
        fail_msg("%s", e.msg);
    if (db_write(w->db, queue, &j, &e) < 0)
        fail_msg("%s", e.msg);
    delivery_wake(w->d);
    return j;
}

static struct queue_job send_out(struct world *w, const char *text, const char *spool)
{
    return send_as(w, text, spool, false);
}

static unsigned sent_within(struct world *w, int ms)
{
    unsigned files = 0;
    for (int i = 0; i < ms / 20; i++) {
        files += take_outbox(w, NULL);
        usleep(20000);
    }
    return files;
}

static int confirm(struct db_conn *c, void *arg, struct err *e)
{
    const struct queue_job *j = arg;
    struct hash256 h;
    char hex[65];
    hash_of(&h, buf_bytes(&j->sealed));
    hash_hex(hex, &h);
    return delivery_confirm(c, j->id.s, hex, clock_wall_ms(), e);
}

/* FRY-14: its items crossed on another way and were confirmed before the file came: its number is still waited for, so it goes out without them. */
static void test_file_without_items_still_crosses(void **state)
{
    struct world *w = *state;
    struct delivery_state st = {0};
    struct err e = {0};
    struct queue_job j = send_as(w, "one", NULL, true);
    assert_true(sent_within(w, 500) >= 1);       /* the gateway lost it */
    assert_int_equal(db_write(w->db, confirm, &j, &e), 1);
    sent_within(w, 100);
    assert_true(sent_within(w, 2500) >= 1);
    beat(w, w->incarnation, 1, w->heard);
    settle(w);
    sent_within(w, 100);
    assert_int_equal(sent_within(w, 1500), 0);
    delivery_health(w->d, &st);
    assert_int_equal(st.unacked, 0);
    buf_clear(&j.sealed);
}

/* A peer that knows numbers of ours that we do not know: we were restored from a backup. Nothing goes out any more, and it is critical. */
static void test_restored_from_backup_stops(void **state)
{
    struct world *w = *state;
    struct delivery_state st = {0};
    struct queue_job j = send_out(w, "one", NULL);
    buf_clear(&j.sealed);
    assert_true(sent_within(w, 500) >= 1);
    beat(w, w->incarnation, 1, w->heard);
    settle(w);
    beat(w, w->incarnation, 40, w->heard);
    settle(w);
    j = send_out(w, "two", NULL);
    buf_clear(&j.sealed);
    assert_int_equal(sent_within(w, 2500), 0);
    delivery_health(w->d, &st);
    assert_string_equal(st.word, "critical");
    assert_non_null(strstr(st.stopped, "restored from a backup"));
}

/* FRY-14: so it is when the peer heard a beat of this stream that we did not send yet. */
static void test_beats_of_a_later_day_stop(void **state)
{
    struct world *w = *state;
    struct delivery_state st = {0};
    beat(w, "", 0, 0);
    settle(w);
    sent_within(w, 300);
    beat(w, w->incarnation, 0, w->heard);
    settle(w);
    sent_within(w, 100);
    delivery_health(w->d, &st);
    assert_string_equal(st.stopped, "");
    beat(w, w->incarnation, 0, w->heard + 50);
    settle(w);
    struct queue_job j = send_out(w, "one", NULL);
    buf_clear(&j.sealed);
    assert_int_equal(sent_within(w, 2500), 0);
    delivery_health(w->d, &st);
    assert_non_null(strstr(st.stopped, "restored from a backup"));
}

/* After a start nothing new goes out before the peer answered a beat of this start; an older beat is no answer. */
static void test_start_waits_for_an_answer(void **state)
{
    struct world *w = *state;
    beat(w, "", 0, 0);                   /* we meet */
    settle(w);
    sent_within(w, 300);
    uint64_t before = w->heard;
    stop(w);
    take_outbox(w, NULL);
    start(w);
    struct queue_job j = send_out(w, "one", NULL);
    buf_clear(&j.sealed);
    beat(w, w->incarnation, 0, before);  /* was under way while we were away */
    settle(w);
    assert_int_equal(sent_within(w, 1500), 0);
    assert_true(w->heard > before);
    beat(w, w->incarnation, 0, w->heard);
    settle(w);
    assert_true(sent_within(w, 500) >= 1);
}

/* Only the newest beat counts; an acknowledgement in an old one was true all the same. */
static void test_old_beats_change_nothing(void **state)
{
    struct world *w = *state;
    struct delivery_state st = {0};
    w->beat = 100;
    beat(w, "", 0, 0);
    settle(w);
    w->beat = 50;
    struct envelope_head h = head_of(ENVELOPE_BEAT, 50);
    struct beat b = {.health = "critical", .config_version = 99, .protocol = 1};
    struct buf file;
    struct err e = {0};
    buf_init(&file, 0);
    assert_int_equal(envelope_write_beat(&file, &h, &b, internet, &e), 0);
    put_file(w, "old.xml", buf_bytes(&file));
    settle(w);
    sent_within(w, 2500);
    delivery_health(w->d, &st);
    assert_string_equal(st.peer_health, "fine");
    assert_int_equal(st.peer_config, 3);
    buf_clear(&file);
}

/* A spool file that is gone: the mirror's copy travels; without one it alarms and the others go on. */
static void test_lost_spool_file(void **state)
{
    struct world *w = *state;
    struct delivery_state st = {0};
    struct err e = {0};
    struct queue_job j = send_out(w, "kept twice", "a");
    assert_true(sent_within(w, 400) >= 1);
    int mirror;
    assert_int_equal(folder_open(&mirror, w->paths[5], 0, &e), 0);
    assert_int_equal(file_publish(mirror, "a", buf_bytes(&j.sealed), PUBLISH_NEW, &e), 0);
    assert_int_equal(unlinkat(w->spool, "a", 0), 0);
    assert_true(sent_within(w, 2500) >= 1);              /* sent again, from the mirror */
    assert_int_equal(unlinkat(mirror, "a", 0), 0);
    sent_within(w, 1500);
    struct queue_job k = send_out(w, "another", NULL);
    assert_true(sent_within(w, 1500) >= 1);
    sent_within(w, 2200);
    delivery_health(w->d, &st);
    assert_int_equal(st.unacked, 2);                     /* not forgotten */
    assert_string_equal(st.word, "warning");
    beat(w, w->incarnation, 2, w->heard);
    settle(w);
    sent_within(w, 2200);
    delivery_health(w->d, &st);
    assert_int_equal(st.unacked, 0);
    close(mirror);
    buf_clear(&j.sealed);
    buf_clear(&k.sealed);
}

/* Temporary names of a killed predecessor go, other hidden names stay. */
static void test_temps_are_swept(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    unsigned n;
    static const char *const names[] = {".a.xml.0123abcd.tmp", ".b.0123ABCD.tmp", ".c.tmp", "d.0123abcd.tmp", ".keep"};
    for (size_t i = 0; i < 5; i++)
        close(openat(w->spool, names[i], O_CREAT | O_WRONLY, 0600));
    assert_int_equal(temps_sweep(w->spool, &n, &e), 0);
    assert_int_equal(n, 1);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(faccessat(w->spool, names[i], F_OK, 0), 0);
    assert_int_equal(temps_sweep(-1, &n, &e), 0);
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
        cmocka_unit_test_setup_teardown(test_replay_under_other_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vault_trusts_no_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early_record_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_place_taken_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items_that_lie, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_that_lie, setup, teardown),
        cmocka_unit_test_setup_teardown(test_growing_file_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_without_items_still_crosses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restored_from_backup_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beats_of_a_later_day_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_waits_for_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_beats_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_spool_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_temps_are_swept, setup, teardown),
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    log_open("test", getenv("HZ_LOG") ? LOG_INFO : LOG_ERROR);
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
