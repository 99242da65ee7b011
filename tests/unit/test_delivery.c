/* Two ends of the ferry in one process with a gateway made of folders that the test moves files between, and damages.
 * FRY-01 FRY-02 FRY-05 FRY-08 FRY-12 FRY-13 FRY-14 IMP-01 IMP-04 IMP-05 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "ferry/lib/envelope.h"
#include "tests/unit/scratch.h"

#define APP_ID 0x687a7401u

/* What the receiving application saw, in order. */
struct seen { char id[33], case_no[17], text[64]; uint64_t seq; };
struct app {
    struct delivery *delivery;
    struct seen seen[2000];
    size_t n;
    atomic_uint refused, held;
    atomic_bool hold;                   /* the handler answers ERR_HELD while set */
    pthread_mutex_t lock;
};
struct side {
    char dir[200];
    struct db *db;
    struct key_pair *key;
    struct app app;
};
struct world { char dir[100]; struct child_pool *parser; struct side a, b; };      /* a internet, b intranet */

static int record_prepare(void *arg, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct app *app = arg;
    (void)it;
    if (app->hold)
        return err_set(e, ERR_HELD, "held by the test");
    if (content.n == 3 && memcmp(content.p, "bad", 3) == 0)
        return err_set(e, ERR_INPUT, "field x: want good, have bad");
    *prepared = strndup((const char *)content.p, content.n);
    return 0;
}

static int record_apply(struct db_conn *c, void *arg, const struct in_item *it, void *prepared, struct err *e)
{
    struct app *app = arg;
    (void)c; (void)e;
    pthread_mutex_lock(&app->lock);
    struct seen *s = &app->seen[app->n++];
    snprintf(s->id, sizeof s->id, "%s", it->id);
    snprintf(s->case_no, sizeof s->case_no, "%s", it->case_no);
    snprintf(s->text, sizeof s->text, "%s", (const char *)prepared);
    s->seq = it->case_seq;
    pthread_mutex_unlock(&app->lock);
    return 0;
}

static int on_outcome(struct db_conn *c, void *arg, const struct in_item *it, const char *word, const struct err *why, struct err *e)
{
    struct app *app = arg;
    (void)c; (void)it; (void)why; (void)e;
    pthread_mutex_lock(&app->lock);
    app->refused += strcmp(word, "refused") == 0;
    app->held += strcmp(word, "held") == 0;
    pthread_mutex_unlock(&app->lock);
    return 0;
}

static const struct delivery_handler handlers[] = {{"application", record_prepare, record_apply, free}, {"status", record_prepare, record_apply, free},
                                                    {"slice", record_prepare, record_apply, free}};

static void open_db(struct side *s)
{
    char path[260];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/side.db", s->dir);
    struct db_options opt = {.path = path, .application_id = APP_ID, .migrations_dir = "schemas/migrations/delivery", .readers = 4};
    if (db_open(&s->db, &opt, &e) < 0)
        fail_msg("%s", e.msg);
}

static void start(struct world *w, struct side *s, const struct side *peer)
{
    struct err e = {0};
    char out[260], in[260], q[260], vault[260], status[260], spool[260];
    snprintf(out, sizeof out, "%s/out", s->dir);
    snprintf(in, sizeof in, "%s/in", s->dir);
    snprintf(q, sizeof q, "%s/quarantine", s->dir);
    snprintf(vault, sizeof vault, "%s/vault", s->dir);
    snprintf(spool, sizeof spool, "%s/spool", s->dir);
    snprintf(status, sizeof status, "%s/status.json", s->dir);
    struct delivery_options o = {.db = s->db, .own = s->key, .peer = keys_public(peer->key), .parser = w->parser, .outbox = out, .inbox = in, .quarantine = q,
                                 .vault = vault, .spool = spool, .mirror = "", .status_file = status, .handlers = handlers, .nhandlers = 3, .app = &s->app,
                                 .outcome = on_outcome, .resend_min_s = 1, .resend_max_s = 1, .beat_s = 1, .rescan_s = 1, .settle_s = 1};
    if (delivery_open(&s->app.delivery, &o, &e) < 0 || delivery_start(s->app.delivery, &e) < 0)
        fail_msg("%s", e.msg);
}

static void stop(struct side *s)
{
    delivery_stop(s->app.delivery);
    delivery_close(s->app.delivery);
    s->app.delivery = NULL;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    snprintf(w->dir, sizeof w->dir, "/tmp/hz-delivery-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    char schemas[4096];
    assert_non_null(realpath("schemas/xsd", schemas));
    const char *args[] = {schemas, NULL};
    struct child_options opt = {.path = built("libexec/parser"), .argv = args, .n = 2, .max_answer = (size_t)16 << 20, .deadline_ms = 20000, .clean_env = true};
    if (seal_init(&e) < 0 || child_pool_open(&w->parser, &opt, &e) < 0)
        fail_msg("%s", e.msg);
    struct side *sides[] = {&w->a, &w->b};
    static const char *const names[] = {"internet", "intranet"};
    for (int i = 0; i < 2; i++) {
        snprintf(sides[i]->dir, sizeof sides[i]->dir, "%s/%s", w->dir, names[i]);
        pthread_mutex_init(&sides[i]->app.lock, NULL);
        if (folder_make(sides[i]->dir, 0700, &e) < 0 || keys_generate_in(&sides[i]->key, names[i], scratch_suite(), &e) < 0)
            fail_msg("%s", e.msg);
        open_db(sides[i]);
    }
    start(w, &w->a, &w->b);
    start(w, &w->b, &w->a);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char cmd[160];
    if (w->a.app.delivery)
        stop(&w->a);
    if (w->b.app.delivery)
        stop(&w->b);
    db_close(w->a.db);
    db_close(w->b.db);
    keys_free(w->a.key);
    keys_free(w->b.key);
    child_pool_close(w->parser);
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", w->dir);
    int rc = getenv("HZ_KEEP") ? 0 : system(cmd);
    (void)rc;
    free(w);
    return 0;
}

/* --- the gateway --- */

struct gateway { unsigned seed, drop, twice, flip; };      /* percent */

static bool chance(struct gateway *g, unsigned percent)
{
    return (unsigned)rand_r(&g->seed) % 100 < percent;
}

static void carry_one(struct gateway *g, int from, int to, const char *name)
{
    struct buf b;
    struct err e = {0};
    char other[300];
    buf_init(&b, ENVELOPE_MAX);
    if (file_read(&b, from, name, ENVELOPE_MAX, &e) == 0) {
        if (b.n && chance(g, g->flip))
            b.p[(size_t)rand_r(&g->seed) % b.n] ^= 4;
        if (!chance(g, g->drop))
            file_publish(to, name, buf_bytes(&b), PUBLISH_REPLACE, &e);
        snprintf(other, sizeof other, "again-%s", name);
        if (chance(g, g->twice))
            file_publish(to, other, buf_bytes(&b), PUBLISH_REPLACE, &e);
        unlinkat(from, name, 0);
    }
    buf_clear(&b);
}

static void carry_lane(struct gateway *g, const struct side *from, const struct side *to, bool backwards)
{
    char out[260], in[260];
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    int fo, fi;
    snprintf(out, sizeof out, "%s/out", from->dir);
    snprintf(in, sizeof in, "%s/in", to->dir);
    if (folder_open(&fo, out, 0, &e) < 0 || folder_open(&fi, in, 0, &e) < 0 || folder_list(&list, &n, fo, 1000, &e) < 0)
        fail_msg("%s", e.msg);
    for (size_t i = 0; i < n; i++)
        carry_one(g, fo, fi, list[backwards ? n - 1 - i : i].name);
    free(list);
    close(fo);
    close(fi);
}

static void carry(struct world *w, struct gateway *g)
{
    carry_lane(g, &w->a, &w->b, chance(g, 50));
    carry_lane(g, &w->b, &w->a, chance(g, 50));
}

static size_t seen_count(struct side *s)
{
    pthread_mutex_lock(&s->app.lock);
    size_t n = s->app.n;
    pthread_mutex_unlock(&s->app.lock);
    return n;
}

static bool wait_seen(struct world *w, struct gateway *g, struct side *s, size_t n, int seconds)
{
    for (int64_t end = clock_mono_ms() + seconds * 1000LL; clock_mono_ms() < end;) {
        carry(w, g);
        if (seen_count(s) >= n)
            return true;
        usleep(20000);
    }
    return false;
}

/* --- sending --- */

struct send_job { struct side *s; const char *kind, *case_no, *text; bool ordered, retain; struct id128 id; struct buf sealed; };

static int do_send(struct db_conn *c, void *arg, struct err *e)
{
    struct send_job *j = arg;
    uint64_t seq = 0;
    if (j->ordered && delivery_next_seq(c, j->case_no, &seq, clock_wall_ms(), e) < 0)
        return -1;
    struct out_item it = {.id = j->id, .kind = j->kind, .case_no = j->case_no, .case_seq = seq, .retain = j->retain, .sealed = buf_bytes(&j->sealed)};
    return delivery_enqueue(c, &it, clock_wall_ms(), e);
}

static struct id128 send_text(struct side *s, const struct side *to, const char *kind, const char *case_no, const char *text, bool ordered, bool retain)
{
    struct send_job j = {.s = s, .kind = kind, .case_no = case_no, .text = text, .ordered = ordered, .retain = retain};
    struct manifest m = {.protocol = 1};
    struct err e = {0};
    id_random(&j.id);
    m.id = j.id;
    snprintf(m.kind, sizeof m.kind, "%s", kind);
    buf_init(&j.sealed, 0);
    if (seal_item(&j.sealed, &m, bytes_of(text), s->key, keys_public(to->key), &e) < 0 || db_write(s->db, do_send, &j, &e) < 0)
        fail_msg("%s", e.msg);
    buf_clear(&j.sealed);
    delivery_wake(s->app.delivery);
    return j.id;
}

static void wait_acked(struct world *w, struct gateway *g, struct side *s, int seconds)
{
    struct delivery_state st;
    for (int64_t end = clock_mono_ms() + seconds * 1000LL;;) {
        carry(w, g);
        delivery_health(s->app.delivery, &st);
        if (st.beat_ms && st.queued == 0 && st.unacked == 0)
            return;
        if (clock_mono_ms() > end)
            fail_msg("not acknowledged within %d s: queued %llu unacked %llu", seconds, (unsigned long long)st.queued, (unsigned long long)st.unacked);
        usleep(20000);
    }
}

static void assert_ledger(struct side *s, const char *case_no, size_t want)
{
    uint64_t last = 0;
    for (size_t i = 0; i < s->app.n; i++) {
        if (strcmp(s->app.seen[i].case_no, case_no) != 0)
            continue;
        assert_int_equal(s->app.seen[i].seq, last + 1);      /* each once, in order, without a gap */
        last++;
    }
    assert_int_equal(last, want);
}

/* --- tests --- */

/* FRY-01 FRY-02 FRY-12: a record goes there, is applied once, acknowledged, and the way back works too. */
static void one_record_there_and_acknowledged(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 1};
    send_text(&w->a, &w->b, "application", "3407261100000017", "hello", true, false);
    assert_true(wait_seen(w, &g, &w->b, 1, 10));
    assert_string_equal(w->b.app.seen[0].text, "hello");
    wait_acked(w, &g, &w->a, 10);
    send_text(&w->b, &w->a, "status", "3407261100000017", "seen", true, false);
    assert_true(wait_seen(w, &g, &w->a, 1, 10));
    wait_acked(w, &g, &w->b, 10);
    assert_int_equal(w->b.app.n, 1);
}

struct confirm_job { const char *id, *hash; int result; };

static int do_confirm(struct db_conn *c, void *arg, struct err *e)
{
    struct confirm_job *j = arg;
    j->result = delivery_confirm(c, j->id, j->hash, clock_wall_ms(), e);
    return j->result < 0 ? -1 : 0;
}

/* FRY-13: an acknowledged item that is retained stays until its hash is confirmed; a wrong hash purges nothing. */
static void purge_needs_the_right_hash(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 2};
    struct err e = {0};
    struct delivery_state st;
    struct id128 id = send_text(&w->a, &w->b, "application", "3407261100000025", "keep me", true, true);
    assert_true(wait_seen(w, &g, &w->b, 1, 10));
    wait_acked(w, &g, &w->a, 10);
    sleep(3);
    delivery_health(w->a.app.delivery, &st);
    assert_int_equal(st.unconfirmed, 1);
    char wrong[65];
    memset(wrong, 'a', 64);
    wrong[64] = 0;
    struct confirm_job j = {.id = id.s, .hash = wrong};
    assert_int_equal(db_write(w->a.db, do_confirm, &j, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "names another hash"));
}

/* FRY-08 FRY-14 IMP-05: loss, doubling and reordering of files: each record once and in the order of its case. */
static void loss_doubling_reordering(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 3, .drop = 20, .twice = 20};
    char text[32];
    for (int i = 0; i < 120; i++) {
        snprintf(text, sizeof text, "%d", i);
        send_text(&w->a, &w->b, "application", i % 3 ? "3407261100000033" : "3407261100000041", text, true, false);
        if (i % 7 == 0)
            carry(w, &g);
    }
    assert_true(wait_seen(w, &g, &w->b, 120, 40));
    g = (struct gateway){.seed = 4};
    wait_acked(w, &g, &w->a, 20);
    assert_int_equal(w->b.app.n, 120);
    assert_ledger(&w->b, "3407261100000033", 80);
    assert_ledger(&w->b, "3407261100000041", 40);
}

/* FRY-08: damaged files are not applied and lie in quarantine with a reason; the whole ones come again. */
static void damaged_files_are_quarantined(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 5, .flip = 60};
    char text[32];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%d", i);
        send_text(&w->a, &w->b, "application", "3407261100000058", text, true, false);
        carry(w, &g);
        usleep(60000);
    }
    assert_true(wait_seen(w, &g, &w->b, 20, 60));
    assert_ledger(&w->b, "3407261100000058", 20);
    sleep(3);
    struct delivery_state st;
    g.flip = 0;
    for (int i = 0; i < 60; i++) {
        carry(w, &g);
        usleep(50000);
    }
    delivery_health(w->b.app.delivery, &st);
    assert_true(st.quarantined > 0);
    assert_string_equal(st.word, "warning");
}

/* IMP-04: a record that breaks a rule is refused once, with the outcome said, and does not stop its successors. */
static void refused_is_final_and_does_not_block(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 6};
    send_text(&w->a, &w->b, "application", "3407261100000066", "bad", true, false);
    send_text(&w->a, &w->b, "application", "3407261100000066", "good", true, false);
    assert_true(wait_seen(w, &g, &w->b, 1, 10));
    assert_string_equal(w->b.app.seen[0].text, "good");
    assert_int_equal(w->b.app.refused, 1);
    assert_int_equal(w->b.app.held, 0);
}

/* FRY-05: what cannot be processed now is held, its successors wait, and a retry lets all of them through in order. */
static void held_then_retried(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 7};
    struct err e = {0};
    char word[12] = "";
    w->b.app.hold = true;
    struct id128 id = send_text(&w->a, &w->b, "application", "3407261100000074", "one", true, false);
    send_text(&w->a, &w->b, "application", "3407261100000074", "two", true, false);
    for (int i = 0; i < 100 && w->b.app.held == 0; i++) {
        carry(w, &g);
        usleep(50000);
    }
    assert_true(w->b.app.held >= 1);
    assert_int_equal(w->b.app.n, 0);
    w->b.app.hold = false;
    for (int i = 0; i < 100 && delivery_retry(w->b.app.delivery, id.s, word, &e) < 0; i++) {       /* counted before it was committed */
        assert_int_equal(e.code, ERR_MISSING);
        err_clear(&e);
        usleep(50000);
    }
    assert_string_equal(word, "applied");
    assert_true(wait_seen(w, &g, &w->b, 2, 10));
    assert_ledger(&w->b, "3407261100000074", 2);
    assert_int_equal(delivery_retry(w->b.app.delivery, id.s, word, &e), -1);
    assert_int_equal(e.code, ERR_MISSING);
}

/* A kind that has no handler yet (a newer peer) is held, not refused. */
static void unknown_kind_is_held(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 8};
    send_text(&w->a, &w->b, "novelty", "", "x", false, false);
    for (int i = 0; i < 100 && w->b.app.held == 0; i++) {
        carry(w, &g);
        usleep(50000);
    }
    assert_int_equal(w->b.app.held, 1);
    assert_int_equal(w->b.app.refused, 0);
}

/* Stop either side at any time and start it again: nothing lost, nothing twice. */
static void restart_in_between(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 9};
    char text[32];
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "%d", i);
        send_text(&w->a, &w->b, "application", "3407261100000082", text, true, false);
        if (i % 10 == 5) {
            carry(w, &g);
            stop(&w->b);
            carry(w, &g);
            start(w, &w->b, &w->a);
        }
        if (i % 10 == 8) {
            stop(&w->a);
            carry(w, &g);
            start(w, &w->a, &w->b);
        }
    }
    assert_true(wait_seen(w, &g, &w->b, 40, 20));
    wait_acked(w, &g, &w->a, 20);
    assert_ledger(&w->b, "3407261100000082", 40);
    assert_int_equal(w->b.app.n, 40);
}

/* Links, pipes and folders in the inbox harm nobody; foreign junk goes to quarantine. */
static void junk_in_the_inbox(void **state)
{
    struct world *w = *state;
    struct gateway g = {.seed = 10};
    char path[300];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/in/link.xml", w->b.dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/in/pipe.xml", w->b.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/in/folder.xml", w->b.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/in/junk.xml", w->b.dir);
    assert_int_equal(file_write_path(path, bytes_of("not an envelope"), 0600, &e), 0);
    send_text(&w->a, &w->b, "application", "3407261100000090", "through", true, false);
    assert_true(wait_seen(w, &g, &w->b, 1, 10));
    sleep(4);
    snprintf(path, sizeof path, "%s/quarantine/junk.xml.reason", w->b.dir);
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
    log_open("test", getenv("HZ_LOG") ? LOG_INFO : LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_record_there_and_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(purge_needs_the_right_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(loss_doubling_reordering, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_files_are_quarantined, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_is_final_and_does_not_block, setup, teardown),
        cmocka_unit_test_setup_teardown(held_then_retried, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_kind_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(restart_in_between, setup, teardown),
        cmocka_unit_test_setup_teardown(junk_in_the_inbox, setup, teardown),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
