/* Two ends whose folders are each other's: journals that vouch for one another, evidence files, the comparison of the day.
 * SEC-12 SEC-13 FRY-14 MON-03 */
#include <stdio.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/lib/evidence.h"
#include "ferry/lib/heads.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/resync.h"
#include "ferry/lib/runs.h"
#include "tests/unit/scratch.h"

#define APP_ID 0x687a7401u
#define CASE_NO "3407261100000018"
#define WAIT_MS 15000

struct side { char dir[200]; struct db *db; struct key_pair *key; struct delivery *delivery; };
struct world { char dir[100]; struct child_pool *parser; struct side a, b; };      /* a internet, b intranet */

static int take(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    (void)c, (void)app, (void)it, (void)prepared, (void)e;
    return 0;
}

static const struct delivery_handler handlers[] = {{"application", NULL, take, NULL}, {"status", NULL, take, NULL}};

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
    char q[260], status[260], out[260], in[260], vault[260];
    snprintf(out, sizeof out, "%s/in", peer->dir);
    snprintf(in, sizeof in, "%s/in", s->dir);
    snprintf(q, sizeof q, "%s/quarantine", s->dir);
    snprintf(status, sizeof status, "%s/status.json", s->dir);
    snprintf(vault, sizeof vault, "%s/vault", s->dir);
    struct delivery_options o = {.db = s->db, .own = s->key, .peer = keys_public(peer->key), .parser = w->parser, .outbox = out, .inbox = in, .quarantine = q, .vault = s == &w->b ? vault : "",
                                 .spool = "", .mirror = "", .status_file = status, .handlers = handlers, .nhandlers = 2, .resend_min_s = 1, .resend_max_s = 1, .beat_s = 1,
                                 .rescan_s = 1, .settle_s = 1};
    if (delivery_open(&s->delivery, &o, &e) < 0 || delivery_start(s->delivery, &e) < 0)
        fail_msg("%s", e.msg);
}

static void stop(struct side *s)
{
    if (s->delivery) {
        delivery_stop(s->delivery);
        delivery_close(s->delivery);
    }
    s->delivery = NULL;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    char schemas[4096];
    assert_non_null(w);
    snprintf(w->dir, sizeof w->dir, "/tmp/hz-evidence-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_non_null(realpath("schemas/xsd", schemas));
    const char *args[] = {schemas, NULL};
    struct child_options opt = {.path = built("libexec/parser"), .argv = args, .n = 2, .max_answer = (size_t)16 << 20, .deadline_ms = 20000, .clean_env = true};
    if (seal_init(&e) < 0 || child_pool_open(&w->parser, &opt, &e) < 0)
        fail_msg("%s", e.msg);
    struct side *sides[] = {&w->a, &w->b};
    static const char *const names[] = {"internet", "intranet"};
    for (int i = 0; i < 2; i++) {
        snprintf(sides[i]->dir, sizeof sides[i]->dir, "%s/%s", w->dir, names[i]);
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
    stop(&w->a);
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

struct send_job { struct side *s; const char *kind; uint64_t seq; };

static int send_one(struct db_conn *c, void *arg, struct err *e)
{
    struct send_job *j = arg;
    uint64_t seq;
    int64_t now = clock_wall_ms();
    if (delivery_next_seq(c, CASE_NO, &seq, now, e) < 0)
        return -1;
    return delivery_send_record(c, j->s->delivery, j->kind, CASE_NO, seq, bytes_of("content"), 1, NULL, now, e);
}

static void send_record(struct side *s, const char *kind)
{
    struct err e = {0};
    struct send_job j = {.s = s, .kind = kind};
    if (db_write(s->db, send_one, &j, &e) < 0)
        fail_msg("%s", e.msg);
    delivery_wake(s->delivery);
}

/* One number out of a side's database. */
static int64_t number_of(struct side *s, const char *sql)
{
    char path[260];
    sqlite3 *db;
    sqlite3_stmt *st = NULL;
    int64_t v = -1;
    snprintf(path, sizeof path, "%s/side.db", s->dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return v;
}

static void wait_number(struct side *s, const char *sql, int64_t least)
{
    int64_t end = clock_mono_ms() + WAIT_MS;
    while (number_of(s, sql) < least && clock_mono_ms() < end)
        usleep(50000);
    if (number_of(s, sql) < least)
        fail_msg("%s: want %lld, have %lld", sql, (long long)least, (long long)number_of(s, sql));
}

/* What somebody with the file and sqlite3 could do, the service being stopped. */
static void tamper(struct side *s, const char *sql)
{
    char path[260], *why = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/side.db", s->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    sqlite3_close(db);
}

static void wait_journal(struct side *s, const char *words)
{
    struct delivery_state d;
    int64_t end = clock_mono_ms() + WAIT_MS;
    do {
        usleep(50000);
        delivery_health(s->delivery, &d);
    } while (!strstr(d.journal, words) && clock_mono_ms() < end);
    if (!strstr(d.journal, words))
        fail_msg("journal: want '%s', have '%s'", words, d.journal);
}

/* Both sides have a head of the other that covers everything. */
static void settled(struct world *w)
{
    int64_t end = clock_mono_ms() + WAIT_MS;
    static const char own[] = "SELECT max(id) FROM journal", known[] = "SELECT our_size FROM journal_peer ORDER BY id DESC LIMIT 1";
    while (clock_mono_ms() < end && (number_of(&w->a, own) != number_of(&w->a, known) || number_of(&w->b, own) != number_of(&w->b, known)))
        usleep(50000);
    assert_int_equal(number_of(&w->a, own), number_of(&w->a, known));
    assert_int_equal(number_of(&w->b, own), number_of(&w->b, known));
}

#define COUNT(what) "SELECT count(*) FROM journal WHERE what = '" what "'"

static void cross(struct world *w)
{
    send_record(&w->a, "application");
    wait_number(&w->b, COUNT("applied"), 1);
    send_record(&w->b, "status");
    wait_number(&w->a, COUNT("applied"), 1);
    wait_number(&w->a, COUNT("acked"), 1);
    wait_number(&w->b, COUNT("acked"), 1);
    settled(w);
}

static void SEC_13_each_step_is_an_entry_and_both_sides_know_each_others_head(void **state)
{
    struct world *w = *state;
    struct side *sides[] = {&w->a, &w->b};
    cross(w);
    for (int i = 0; i < 2; i++) {
        static const char *const once[] = {COUNT("sealed"), COUNT("placed"), COUNT("sent"), COUNT("acked"), COUNT("received"), COUNT("applied")};
        struct delivery_state d;
        for (size_t k = 0; k < sizeof once / sizeof once[0]; k++)
            assert_int_equal(number_of(sides[i], once[k]), 1);
        delivery_health(sides[i]->delivery, &d);
        assert_string_equal(d.journal, "");
        assert_true(number_of(sides[i], "SELECT count(*) FROM journal_peer") <= 3);
        assert_int_equal(number_of(sides[i], "SELECT count(*) FROM journal_peer WHERE keep = 'day'"), 1);
    }
}

/* Two new sides that have nothing to tell each other yet do so with empty journals. */
static void SEC_13_what_continues_an_empty_journal_is_no_alarm(void **state)
{
    struct world *w = *state;
    struct delivery_state d;
    wait_number(&w->a, "SELECT count(*) FROM journal_peer WHERE size = 0", 1);
    wait_number(&w->b, "SELECT count(*) FROM journal_peer WHERE size = 0", 1);
    cross(w);
    delivery_health(w->a.delivery, &d);
    assert_string_equal(d.journal, "");
    delivery_health(w->b.delivery, &d);
    assert_string_equal(d.journal, "");
    /* It went on before it heard which head we have: nothing is shown, nothing is wrong. */
    struct delivery *b = w->b.delivery;
    struct err e = {0};
    delivery_stop(b);
    struct envelope v = {.head.number = b->peer_beat, .beat = {.journal = 1000, .since = 0, .protocol = 2}};
    memcpy(v.head.incarnation, b->peer_incarnation, sizeof v.head.incarnation);
    memset(v.beat.head, 'a', 64);
    assert_int_equal(heads_heard(b, &v, (struct bytes){0}, clock_wall_ms(), &e), 0);
    assert_string_equal(b->live.journal, "");
}

static void SEC_13_a_journal_that_was_rewritten_is_noticed_by_both(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->a);
    /* Not the rows alone: somebody who computes the hashes anew leaves a journal that is consistent in itself. Here its last entry is another one. */
    tamper(&w->a, "UPDATE journal SET own = zeroblob(32), nodes = zeroblob(length(nodes)) WHERE id = (SELECT max(id) FROM journal)");
    start(w, &w->a, &w->b);
    wait_journal(&w->b, "has another head");
    wait_journal(&w->a, "not the one that the peer heard");
}

static void SEC_13_a_journal_that_went_on_after_it_was_rewritten_is_noticed(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->a);
    stop(&w->b);
    tamper(&w->a, "UPDATE journal SET own = zeroblob(32), nodes = zeroblob(length(nodes)) WHERE id = (SELECT max(id) FROM journal)");
    start(w, &w->a, &w->b);
    send_record(&w->a, "application");
    wait_number(&w->a, COUNT("sealed"), 2);
    start(w, &w->b, &w->a);
    wait_journal(&w->b, "does not continue");
}

/* The wall clock may be set a day ahead: only an hour that passed counts. */
static void SEC_13_a_journal_that_is_never_shown_to_continue_is_noticed_after_an_hour(void **state)
{
    struct world *w = *state;
    struct delivery *d = w->b.delivery;
    const int64_t now = clock_wall_ms(), ahead[] = {0, 24LL * 3600 * 1000};
    struct err e = {0};
    cross(w);
    delivery_stop(d);                    /* the receiver's work is done here */
    struct envelope v = {.head.number = d->peer_beat, .beat = {.journal = 1000, .since = 999, .protocol = 2}};
    memcpy(v.head.incarnation, d->peer_incarnation, sizeof v.head.incarnation);
    memset(v.beat.head, 'a', 64);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(heads_heard(d, &v, (struct bytes){0}, now + ahead[i], &e), 0);
        assert_string_equal(d->live.journal, "");
    }
    d->unshown_ms -= 3600 * 1000 + 1;
    assert_int_equal(heads_heard(d, &v, (struct bytes){0}, now, &e), 0);
    assert_non_null(strstr(d->live.journal, "not shown to continue"));
}

static void SEC_13_FRY_14_a_journal_that_went_back_is_noticed_and_a_resync_ends_it_visibly(void **state)
{
    struct world *w = *state;
    struct delivery_state d;
    cross(w);
    stop(&w->a);
    tamper(&w->a, "DELETE FROM journal WHERE id > (SELECT max(id) - 2 FROM journal); DELETE FROM journal_peer");
    start(w, &w->a, &w->b);
    wait_journal(&w->b, "went back");
    wait_journal(&w->a, "went back");
    json_t *answer = json_object();
    struct err e = {0};
    assert_int_equal(resync_begin(w->a.delivery, answer, &e), 0);
    json_decref(answer);
    wait_number(&w->b, COUNT("peer-resync"), 1);
    wait_number(&w->a, COUNT("resync"), 1);
    wait_number(&w->a, "SELECT length(hash) FROM journal WHERE what = 'resync'", 64);
    settled(w);
    delivery_health(w->b.delivery, &d);
    assert_string_equal(d.journal, "");
    delivery_health(w->a.delivery, &d);
    assert_string_equal(d.journal, "");
}

/* --- a side whose database is put back to an earlier day --- */

static void copy(const char *from, const char *to, const char *end)
{
    char a[300], b[300], cmd[1300];
    snprintf(a, sizeof a, "%s%s", from, end);
    snprintf(b, sizeof b, "%s%s", to, end);
    snprintf(cmd, sizeof cmd, "if [ -e '%s' ]; then cp '%s' '%s'; else rm -f '%s'; fi", a, a, b, b);
    assert_int_equal(system(cmd), 0);
}

/* The side stands. back: from the copy into the database, else the other way round. */
static void keep_database(struct side *s, bool back)
{
    char db[260], kept[260];
    snprintf(db, sizeof db, "%s/side.db", s->dir);
    snprintf(kept, sizeof kept, "%s/kept.db", s->dir);
    db_close(s->db);
    copy(back ? kept : db, back ? db : kept, "");
    copy(back ? kept : db, back ? db : kept, "-wal");
    open_db(s);
}

#define STATUSES COUNT("applied") " AND kind = 'status'"
#define APPLICATIONS COUNT("applied") " AND kind = 'application'"
#define SENDS "SELECT count(*) FROM delivery_stream WHERE state = ''"

static void wait_fine(struct side *s)
{
    struct delivery_state d = {.journal = "?"};
    for (int i = 0; i < WAIT_MS / 20 && d.journal[0]; i++) {
        usleep(20000);
        delivery_health(s->delivery, &d);
    }
    assert_string_equal(d.journal, "");
}

static void wait_stopped(struct side *s)
{
    struct delivery_state d = {0};
    for (int i = 0; i < WAIT_MS / 20 && !d.stopped[0]; i++) {
        usleep(20000);
        delivery_health(s->delivery, &d);
    }
    assert_string_equal(d.stopped, STOPPED_WHY);
}

static void resync(struct side *s)
{
    struct err e = {0};
    json_t *answer = json_object();
    assert_int_equal(resync_begin(s->delivery, answer, &e), 0);
    json_decref(answer);
}

/* What it sent since was heard: it is told so before it gives those numbers out again. */
static void FRY_14_a_database_put_back_is_told_by_the_peer_before_it_sends(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->b);
    keep_database(&w->b, false);
    start(w, &w->b, &w->a);
    send_record(&w->b, "status");
    wait_number(&w->a, STATUSES, 2);
    wait_number(&w->b, COUNT("acked"), 2);
    settled(w);
    stop(&w->b);
    keep_database(&w->b, true);
    start(w, &w->b, &w->a);
    send_record(&w->b, "status");
    wait_stopped(&w->b);
    assert_int_equal(number_of(&w->a, STATUSES), 2);
    resync(&w->b);
    wait_number(&w->a, STATUSES, 3);
}

/* A file of the case's second status, aside as if the gateway had it; the database of before is back. */
static void put_back_with_a_file_under_way(struct world *w, const char *aside)
{
    char cmd[500];
    cross(w);
    stop(&w->a);
    stop(&w->b);
    keep_database(&w->b, false);
    start(w, &w->b, &w->a);
    send_record(&w->b, "status");
    wait_number(&w->b, COUNT("sent"), 2);
    stop(&w->b);
    keep_database(&w->b, true);
    snprintf(cmd, sizeof cmd, "rm -f '%s'/in/beat-*; %s", w->a.dir, aside);
    assert_int_equal(system(cmd), 0);
    start(w, &w->b, &w->a);
}

static void FRY_14_a_database_put_back_finds_its_own_later_file_in_the_outbox(void **state)
{
    struct world *w = *state;
    put_back_with_a_file_under_way(w, "true");
    wait_stopped(&w->b);
    send_record(&w->b, "status");
    start(w, &w->a, &w->b);
    wait_number(&w->a, STATUSES, 2);
    resync(&w->b);
    wait_number(&w->a, STATUSES, 3);
}

/* Nothing told the side that was put back: it gave the number of the file under way out again. */
static void give_a_number_out_twice(struct world *w)
{
    char cmd[500];
    snprintf(cmd, sizeof cmd, "mv '%s'/in/b-*2.xml '%s'/first.xml", w->a.dir, w->dir);
    put_back_with_a_file_under_way(w, cmd);
    send_record(&w->b, "status");
    wait_number(&w->b, COUNT("sent"), 2);
    snprintf(cmd, sizeof cmd, "mv '%s'/first.xml '%s'/in/a-first.xml", w->dir, w->a.dir);
    assert_int_equal(system(cmd), 0);
}

/* The gateway lost the second: what the peer acknowledges is the first, and is not believed. */
static void I1_FRY_14_an_acknowledgement_of_another_file_of_that_number_is_not_believed(void **state)
{
    struct world *w = *state;
    char cmd[500];
    give_a_number_out_twice(w);
    snprintf(cmd, sizeof cmd, "rm '%s'/in/b-*2.xml", w->a.dir);
    assert_int_equal(system(cmd), 0);
    start(w, &w->a, &w->b);
    wait_stopped(&w->b);
    assert_int_equal(number_of(&w->b, COUNT("acked")), 1);
    resync(&w->b);
    wait_number(&w->a, STATUSES, 3);
}

/* Both come: what is in either is taken. */
static void I1_FRY_14_a_number_that_is_given_out_twice_loses_nothing_and_is_a_difference(void **state)
{
    struct world *w = *state;
    give_a_number_out_twice(w);
    start(w, &w->a, &w->b);
    wait_number(&w->a, STATUSES, 3);
    wait_stopped(&w->b);
    assert_int_equal(number_of(&w->a, "SELECT count(*) FROM reconcile_difference WHERE kind = 'file' AND peer LIKE 'sent %' AND own LIKE 'received %' AND settled_ms = 0"), 1);
    resync(&w->b);
    wait_number(&w->b, COUNT("acked"), 2);
    settled(w);
    assert_int_equal(number_of(&w->a, STATUSES), 3);
}

/* Both went back to the same day, so neither knows more than the other: the vault does. */
static void I1_FRY_14_both_sides_put_back_to_one_day_are_told_by_the_vault(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->a);
    stop(&w->b);
    keep_database(&w->a, false);
    keep_database(&w->b, false);
    start(w, &w->a, &w->b);
    start(w, &w->b, &w->a);
    send_record(&w->a, "application");
    wait_number(&w->b, APPLICATIONS, 2);
    wait_number(&w->a, COUNT("acked"), 2);
    stop(&w->a);
    stop(&w->b);
    keep_database(&w->a, true);
    keep_database(&w->b, true);
    start(w, &w->a, &w->b);
    start(w, &w->b, &w->a);
    wait_stopped(&w->b);
    send_record(&w->a, "application");   /* under the number of the one that only the vault has */
    wait_number(&w->b, APPLICATIONS, 2);
    resync(&w->b);
    wait_number(&w->b, APPLICATIONS, 3);
    wait_stopped(&w->a);
    resync(&w->a);
    wait_number(&w->a, SENDS, 1);
    send_record(&w->a, "application");
    wait_number(&w->b, APPLICATIONS, 4);
}

/* A file that is kept in the vault and still lies in the inbox is one whose commit did not come: no put-back. */
static void FRY_14_a_start_between_the_vault_and_the_commit_is_no_alarm(void **state)
{
    struct world *w = *state;
    struct delivery_state d = {0};
    char cmd[500];
    cross(w);
    stop(&w->b);
    send_record(&w->a, "application");
    wait_number(&w->a, COUNT("sent"), 2);
    snprintf(cmd, sizeof cmd, "cp '%s'/in/b-*2.xml '%s'/vault/", w->b.dir, w->b.dir);
    assert_int_equal(system(cmd), 0);
    start(w, &w->b, &w->a);
    wait_number(&w->b, APPLICATIONS, 2);
    settled(w);
    delivery_health(w->b.delivery, &d);
    assert_string_equal(d.stopped, "");
}

/* After the resync a number counts as received, though this database never saw its file: when that comes at last, it is taken and is no difference. */
static void I1_FRY_14_a_file_that_a_database_put_back_forgot_comes_again_and_is_no_difference(void **state)
{
    struct world *w = *state;
    char cmd[500];
    cross(w);
    stop(&w->b);
    keep_database(&w->b, false);
    send_record(&w->a, "application");
    wait_number(&w->a, COUNT("sent"), 2);
    snprintf(cmd, sizeof cmd, "cp '%s'/in/b-*2.xml '%s'/first.xml", w->b.dir, w->dir);
    assert_int_equal(system(cmd), 0);
    start(w, &w->b, &w->a);
    wait_number(&w->a, COUNT("acked"), 2);
    settled(w);
    stop(&w->b);
    keep_database(&w->b, true);
    snprintf(cmd, sizeof cmd, "rm -f '%s'/vault/*", w->b.dir);
    assert_int_equal(system(cmd), 0);
    start(w, &w->b, &w->a);
    wait_stopped(&w->b);
    resync(&w->b);
    wait_number(&w->b, COUNT("resync"), 1);
    wait_number(&w->b, SENDS, 1);
    snprintf(cmd, sizeof cmd, "mv '%s'/first.xml '%s'/in/b-again.xml", w->dir, w->b.dir);
    assert_int_equal(system(cmd), 0);
    wait_number(&w->b, APPLICATIONS, 2);
    assert_int_equal(number_of(&w->b, "SELECT count(*) FROM reconcile_difference"), 0);
    settled(w);
    assert_int_equal(number_of(&w->b, APPLICATIONS), 2);
}

/* Nothing of the stream it speaks from is missing; what it forgot happened in a later one. */
static void I1_FRY_14_a_database_put_back_to_before_its_resync_is_told_so(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->b);
    keep_database(&w->b, false);
    start(w, &w->b, &w->a);
    resync(&w->b);
    wait_number(&w->b, COUNT("resync"), 1);
    wait_number(&w->b, SENDS, 1);
    send_record(&w->b, "status");
    wait_number(&w->a, STATUSES, 2);
    settled(w);
    stop(&w->b);
    keep_database(&w->b, true);
    start(w, &w->b, &w->a);
    wait_stopped(&w->b);
    wait_journal(&w->a, "left");
    resync(&w->b);
    wait_number(&w->b, SENDS, 1);
    send_record(&w->b, "status");
    wait_number(&w->a, STATUSES, 3);
    wait_fine(&w->a);
}

/* The state that a put-back brings along may be that of a resync that was under way: it is over, and the stop outlives a restart. */
static void FRY_14_a_database_put_back_into_a_resync_stops_for_good(void **state)
{
    struct world *w = *state;
    cross(w);
    stop(&w->b);
    keep_database(&w->b, false);
    start(w, &w->b, &w->a);
    send_record(&w->b, "status");
    wait_number(&w->b, COUNT("acked"), 2);
    settled(w);
    stop(&w->b);
    keep_database(&w->b, true);
    tamper(&w->b, "UPDATE delivery_stream SET state = 'resync', part = 1, token = '00112233445566778899aabbccddeeff'");
    start(w, &w->b, &w->a);
    wait_stopped(&w->b);
    wait_number(&w->b, "SELECT count(*) FROM delivery_stream WHERE state = 'stopped'", 1);
}

struct starts_job { struct beat b; };

/* A start with numbers 1 to 5; then, put back to 3 and in a loop of crashes, ten starts with a number each. */
static int many_starts(struct db_conn *c, void *arg, struct err *e)
{
    struct starts_job *j = arg;
    struct envelope_head h = {.incarnation = "0123456789abcdef", .run = "00000000000000aa"};
    for (h.number = 1; h.number <= 5; h.number++)
        if (runs_heard(c, &h, 1, e) < 0)
            return -1;
    for (h.number = 4; h.number <= 13; h.number++) {
        snprintf(h.run, sizeof h.run, "00000000000000%02u", (unsigned)h.number);
        if (runs_heard(c, &h, 1, e) < 0)
            return -1;
    }
    return runs_say(c, h.incarnation, &j->b, e);
}

static void I1_FRY_14_a_start_whose_numbers_came_twice_is_said_however_many_followed(void **state)
{
    struct world *w = *state;
    struct starts_job j = {.b.nruns = 0};
    struct err e = {0};
    bool said = false;
    assert_int_equal(db_write(w->a.db, many_starts, &j, &e), 0);
    assert_int_equal(j.b.nruns, ENVELOPE_RUNS);
    for (size_t i = 0; i < j.b.nruns; i++)
        said |= strcmp(j.b.runs[i].id, "00000000000000aa") == 0 && j.b.runs[i].from == 1 && j.b.runs[i].to == 5;
    assert_true(said);
}

/* --- evidence files --- */

static char *export_of(struct side *s)
{
    struct err e = {0};
    json_t *args = json_pack("{s:s}", "case", CASE_NO), *answer = json_object();
    if (evidence_verb(s->delivery, NULL, args, answer, &e) < 0)
        fail_msg("%s", e.msg);
    char *text = json_dumps(json_object_get(answer, "evidence"), JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(args);
    json_decref(answer);
    return text;
}

struct verdicts { size_t holds, open, fails; char want[160], have[160]; };

static void count(void *arg, const struct evidence_step *s)
{
    struct verdicts *v = arg;
    v->holds += s->verdict == EVIDENCE_HOLDS;
    v->open += s->verdict == EVIDENCE_OPEN;
    v->fails += s->verdict == EVIDENCE_FAILS;
    if (s->verdict != EVIDENCE_HOLDS && !v->want[0]) {
        memcpy(v->want, s->want, sizeof v->want);
        memcpy(v->have, s->have, sizeof v->have);
    }
}

/* -1 unreadable, else how many steps do not hold. */
static long judged(struct world *w, struct bytes file, struct verdicts *v)
{
    const struct key_public *keys[] = {keys_public(w->a.key), keys_public(w->b.key)};
    struct evidence ev;
    struct err e = {0};
    *v = (struct verdicts){0};
    if (evidence_read(&ev, file, &e) < 0) {
        assert_true(e.code == ERR_INPUT && e.msg[0]);
        return -1;
    }
    long failed = (long)evidence_check(&ev, keys, 2, count, v);
    evidence_free(&ev);
    assert_int_equal(failed, v->fails);
    return failed;
}

static void SEC_13_evidence_of_one_side_shows_every_step_signed_by_the_other(void **state)
{
    struct world *w = *state;
    struct side *sides[] = {&w->a, &w->b};
    struct verdicts v;
    cross(w);
    for (int i = 0; i < 2; i++) {
        char *text = export_of(sides[i]);
        if (judged(w, bytes_of(text), &v) != 0 || v.open)
            fail_msg("want %s, have %s", v.want, v.have);
        assert_true(v.holds >= 1 + 1 + 6);          /* file, a beat, sealed placed sent acked received applied */
        assert_true(strlen(text) < 20000);
        free(text);
    }
}

static void SEC_13_both_sides_files_agree_and_another_case_is_refused(void **state)
{
    struct world *w = *state;
    struct verdicts v = {0};
    struct evidence a, b;
    struct err e = {0};
    cross(w);
    char *one = export_of(&w->a), *two = export_of(&w->b);
    assert_int_equal(evidence_read(&a, bytes_of(one), &e), 0);
    assert_int_equal(evidence_read(&b, bytes_of(two), &e), 0);
    if (evidence_cross(&a, &b, count, &v) || v.open)
        fail_msg("want %s, have %s", v.want, v.have);
    assert_int_equal(v.holds, 8);                    /* sealed, sent, received, applied of each */
    for (size_t i = 0; i < b.nentries; i++)
        if (strcmp(b.entries[i].x.what, "applied") == 0)
            b.entries[i].x.hash[0] = b.entries[i].x.hash[0] == '0' ? '1' : '0';
    assert_int_equal(evidence_cross(&a, &b, NULL, NULL), 2);      /* seen from both */
    snprintf(b.case_no, sizeof b.case_no, "3407261100000026");
    assert_int_equal(evidence_cross(&a, &b, NULL, NULL), 1);
    assert_int_equal(evidence_cross(&a, &a, NULL, NULL), 1);
    evidence_free(&a);
    evidence_free(&b);
    free(one);
    free(two);
}

static void SEC_13_no_byte_of_an_evidence_file_can_be_changed(void **state)
{
    struct world *w = *state;
    struct verdicts v;
    cross(w);
    char *text = export_of(&w->a), *copy = strdup(text);
    size_t n = strlen(text);
    json_t *was = json_loads(text, 0, NULL);
    for (size_t i = 0; i < n; i++) {
        copy[i] = (char)(text[i] ^ (1 << i % 7));
        json_t *is = json_loadb(copy, n, JSON_REJECT_DUPLICATES, NULL);
        if (judged(w, (struct bytes){(const uint8_t *)copy, n}, &v) == 0 && !json_equal(was, is))
            fail_msg("byte %zu: '%c' became '%c' and every step holds", i, text[i], copy[i]);
        json_decref(is);
        copy[i] = text[i];
    }
    for (size_t cut = 0; cut < n; cut += 97)
        assert_true(judged(w, (struct bytes){(const uint8_t *)text, cut}, &v) < 0);
    json_decref(was);
    free(copy);
    free(text);
}

/* A dishonest side signs what it likes: the other's signed beat does not fit to it. */
static void SEC_13_a_side_that_rewrote_its_journal_has_no_evidence(void **state)
{
    struct world *w = *state;
    struct verdicts v;
    cross(w);
    stop(&w->a);
    tamper(&w->a, "UPDATE journal SET hash = '0000000000000000000000000000000000000000000000000000000000000000' WHERE what = 'sealed'");
    start(w, &w->a, &w->b);
    char *text = export_of(&w->a);
    assert_true(judged(w, bytes_of(text), &v) > 0);
    assert_non_null(strstr(v.want, "under head of"));
    free(text);
}

/* --- the comparison of the day --- */

static void today(char day[11])
{
    struct date d = clock_beijing_date(clock_wall_ms());
    snprintf(day, 11, "%04u-%02u-%02u", (unsigned)d.y % 10000, (unsigned)d.m % 100, (unsigned)d.d % 100);
}

static void reconcile(struct side *s, const char *key, const char *value, enum err_code want)
{
    struct err e = {0};
    json_t *args = json_pack("{s:s, s:s}", key, value, "reason", "looked into"), *answer = json_object();
    int rc = reconcile_verb(s->delivery, NULL, args, answer, &e);
    if ((want == ERR_NONE) != (rc == 0) || e.code != want)
        fail_msg("%s", e.msg);
    json_decref(args);
    json_decref(answer);
}

#define COMPARED "SELECT compared FROM reconcile_day WHERE heard_ms > 0"
#define DIFFERENCES "SELECT count(*) FROM reconcile_difference WHERE settled_ms = 0"

static void MON_03_lists_of_two_honest_sides_do_not_differ(void **state)
{
    struct world *w = *state;
    char day[11];
    today(day);
    cross(w);
    reconcile(&w->a, "day", day, ERR_NONE);
    reconcile(&w->b, "day", day, ERR_NONE);
    wait_number(&w->b, COMPARED, 4);                 /* sent, received, sealed, applied */
    wait_number(&w->a, COMPARED, 4);
    assert_int_equal(number_of(&w->a, DIFFERENCES), 0);
    assert_int_equal(number_of(&w->b, DIFFERENCES), 0);
    reconcile(&w->a, "day", "2026-13-01", ERR_INPUT);
}

static void MON_03_SEC_13_a_difference_is_found_told_and_settled(void **state)
{
    struct world *w = *state;
    struct delivery_state d;
    char day[11];
    today(day);
    cross(w);
    stop(&w->b);
    /* What came was another than what was sent; and what was sent came never. */
    tamper(&w->b, "UPDATE journal SET hash = '0000000000000000000000000000000000000000000000000000000000000000' WHERE what = 'applied'; "
                  "UPDATE journal SET number = 77 WHERE what = 'received'");
    start(w, &w->b, &w->a);
    reconcile(&w->a, "day", day, ERR_NONE);
    wait_number(&w->b, DIFFERENCES, 2);
    assert_int_equal(number_of(&w->b, DIFFERENCES " AND own = 'nothing' AND kind = 'file'"), 1);
    assert_int_equal(number_of(&w->b, DIFFERENCES " AND own LIKE 'applied 000%' AND case_no = '" CASE_NO "'"), 1);
    reconcile(&w->b, "day", day, ERR_NONE);
    wait_number(&w->a, DIFFERENCES, 2);              /* its own journal shows it to the other as well */
    reconcile(&w->a, "day", day, ERR_NONE);          /* again: the same differences */
    wait_number(&w->b, COMPARED, 8);
    assert_int_equal(number_of(&w->b, DIFFERENCES), 2);
    int64_t end = clock_mono_ms() + WAIT_MS;
    do {
        usleep(50000);
        delivery_health(w->b.delivery, &d);
    } while (d.differences != 2 && clock_mono_ms() < end);
    assert_int_equal(d.differences, 2);
    reconcile(&w->b, "settle", "99", ERR_MISSING);
    reconcile(&w->b, "settle", "all", ERR_NONE);
    assert_int_equal(number_of(&w->b, DIFFERENCES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(SEC_13_each_step_is_an_entry_and_both_sides_know_each_others_head, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_what_continues_an_empty_journal_is_no_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_a_journal_that_was_rewritten_is_noticed_by_both, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_a_journal_that_went_on_after_it_was_rewritten_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_a_journal_that_is_never_shown_to_continue_is_noticed_after_an_hour, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_FRY_14_a_journal_that_went_back_is_noticed_and_a_resync_ends_it_visibly, setup, teardown),
        cmocka_unit_test_setup_teardown(FRY_14_a_database_put_back_is_told_by_the_peer_before_it_sends, setup, teardown),
        cmocka_unit_test_setup_teardown(FRY_14_a_database_put_back_finds_its_own_later_file_in_the_outbox, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_an_acknowledgement_of_another_file_of_that_number_is_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_a_number_that_is_given_out_twice_loses_nothing_and_is_a_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_both_sides_put_back_to_one_day_are_told_by_the_vault, setup, teardown),
        cmocka_unit_test_setup_teardown(FRY_14_a_start_between_the_vault_and_the_commit_is_no_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_a_file_that_a_database_put_back_forgot_comes_again_and_is_no_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_a_database_put_back_to_before_its_resync_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(FRY_14_a_database_put_back_into_a_resync_stops_for_good, setup, teardown),
        cmocka_unit_test_setup_teardown(I1_FRY_14_a_start_whose_numbers_came_twice_is_said_however_many_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_evidence_of_one_side_shows_every_step_signed_by_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_both_sides_files_agree_and_another_case_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_no_byte_of_an_evidence_file_can_be_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_a_side_that_rewrote_its_journal_has_no_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(MON_03_lists_of_two_honest_sides_do_not_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(MON_03_SEC_13_a_difference_is_found_told_and_settled, setup, teardown),
    };
    cmocka_set_test_filter(getenv("HZ_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
