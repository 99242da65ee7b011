/* The ferry program as its users start it: carrying, setting aside, telling how it is. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/quarantine.h"
#include "tests/unit/scratch.h"

enum { INTERNET_OUT, INTRANET_IN, INTRANET_OUT, INTERNET_IN, ASIDE, KEYS, FOLDERS };
static const char *const folders[FOLDERS] = {"internet-outbox", "intranet-inbox", "intranet-outbox", "internet-inbox", "aside", "keys"};

struct world {
    struct scratch s;
    int fd[FOLDERS];
    struct key_pair *internet, *intranet, *stranger;
    pid_t mover;
    char config[512];
};

/* Run the program to its end; what it said is in `out`. */
static int ferry(struct buf *out, const char *lang, const char *const *args)
{
    char *argv[16];
    int fds[2], status;
    size_t n = 0;
    char program[700];
    snprintf(program, sizeof program, "%s", built("bin/ferry"));
    argv[n++] = program;
    for (size_t i = 0; args[i] && n < 15; i++)
        argv[n++] = (char *)(uintptr_t)args[i];
    argv[n] = NULL;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        setenv("LC_ALL", lang, 1);
        execv(program, argv);
        _exit(127);
    }
    close(fds[1]);
    buf_init(out, 1 << 20);
    char part[4096];
    for (ssize_t k; (k = read(fds[0], part, sizeof part)) > 0 || (k < 0 && errno == EINTR);)
        if (k > 0)
            buf_put(out, part, (size_t)k);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void says(const char *lang, int code, const char *words, const char *const *args)
{
    struct buf out;
    int rc = ferry(&out, lang, args);
    if (rc != code || !strstr(buf_text(&out), words))
        fail_msg("%s %s: want exit %d and '%s', have exit %d and\n%s", args[0], args[1] ? args[1] : "", code, words, rc, buf_text(&out));
    buf_clear(&out);
}

#define SAYS(lang, code, words, ...) says(lang, code, words, (const char *const[]){__VA_ARGS__, NULL})

static void start(struct world *w)
{
    char program[700];
    snprintf(program, sizeof program, "%s", built("bin/ferry"));
    w->mover = fork();
    if (w->mover == 0) {
        int log = open(scratch_path(&w->s, "log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, STDERR_FILENO);
        execl(program, program, "run", "--config", w->config, (char *)NULL);
        _exit(127);
    }
    assert_true(w->mover > 0);
}

static void stop(struct world *w, int sig, int want)
{
    int status;
    assert_int_equal(kill(w->mover, sig), 0);
    assert_int_equal(waitpid(w->mover, &status, 0), w->mover);
    w->mover = 0;
    assert_int_equal(sig == SIGKILL ? WTERMSIG(status) : WEXITSTATUS(status), want);
}

static unsigned suite = 1;                       /* every test runs in each */

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    struct buf c;
    char a[128], b[128];
    scratch_open(&w->s);
    *state = w;
    buf_init(&c, 0);
    for (int i = 0; i < FOLDERS; i++) {
        const char *path = scratch_path(&w->s, folders[i]);
        if (folder_make(path, 0700, &e) < 0 || folder_open(&w->fd[i], path, 0, &e) < 0)
            fail_msg("%s", e.msg);
    }
    if (keys_generate_in(&w->internet, "internet", suite, &e) < 0 || keys_generate_in(&w->intranet, "intranet", suite, &e) < 0 || keys_generate_in(&w->stranger, "internet", suite, &e) < 0)
        fail_msg("%s", e.msg);
    for (int i = 0; i < 2; i++) {
        snprintf(a, sizeof a, "%s/keys/%s.key", w->s.dir, i ? "intranet" : "internet");
        snprintf(b, sizeof b, "%s/keys/%s.pub", w->s.dir, i ? "intranet" : "internet");
        if (keys_save(i ? w->intranet : w->internet, a, b, &e) < 0)
            fail_msg("%s", e.msg);
    }
    buf_str(&c, "# relative paths are below this file\ninternet_outbox = internet-outbox\nintranet_inbox = intranet-inbox\nintranet_outbox = intranet-outbox\n"
                "internet_inbox = internet-inbox\nquarantine = aside\ninternet_key = keys/internet.pub\nintranet_key = keys/intranet.pub\nstatus_file = mover.json\n"
                "internet_status = internet.json\nintranet_status = intranet.json\nrescan_s = 1\nsettle_s = 1\n");
    scratch_write(&w->s, "ferry.conf", buf_bytes(&c));
    snprintf(w->config, sizeof w->config, "%s", w->s.path);
    buf_clear(&c);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->mover)
        stop(w, SIGKILL, SIGKILL);
    for (int i = 0; i < FOLDERS; i++)
        close(w->fd[i]);
    keys_free(w->internet);
    keys_free(w->intranet);
    keys_free(w->stranger);
    scratch_close(&w->s);
    free(w);
    return 0;
}

static void make_file(struct buf *out, const struct key_pair *key, const char *from, const char *to, uint64_t number)
{
    struct envelope_head h = {.kind = ENVELOPE_BATCH, .incarnation = "0123456789abcdef", .number = number, .created_ms = 1795426866000};
    struct envelope_item it = {.id = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, .kind = "status", .sealed = bytes_of("sealed")};
    struct err e = {0};
    snprintf(h.from, sizeof h.from, "%s", from);
    snprintf(h.to, sizeof h.to, "%s", to);
    buf_init(out, ENVELOPE_MAX);
    if (envelope_write(out, &h, &it, 1, key, &e) < 0)
        fail_msg("%s", e.msg);
}

static void put(const struct world *w, int folder, const char *name, struct bytes body)
{
    struct err e = {0};
    if (file_publish(w->fd[folder], name, body, PUBLISH_REPLACE, &e) < 0)
        fail_msg("%s", e.msg);
}

static bool there(const struct world *w, int folder, const char *name)
{
    struct stat st;
    return fstatat(w->fd[folder], name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void wait_there(const struct world *w, int folder, const char *name)
{
    for (int i = 0; i < 400 && !there(w, folder, name); i++)
        usleep(20000);
    if (!there(w, folder, name))
        fail_msg("%s never came to %s", name, folders[folder]);
}

static void wait_gone(const struct world *w, int folder, const char *name)
{
    for (int i = 0; i < 400 && there(w, folder, name); i++)
        usleep(20000);
    if (there(w, folder, name))
        fail_msg("%s never left %s", name, folders[folder]);
}

static void same_bytes(const struct world *w, int folder, const char *name, struct bytes want)
{
    struct buf have;
    struct err e = {0};
    buf_init(&have, 0);
    if (file_read(&have, w->fd[folder], name, ENVELOPE_MAX, &e) < 0 || !bytes_equal(buf_bytes(&have), want))
        fail_msg("%s: other bytes %s", name, e.msg);
    buf_clear(&have);
}

/* --- tests --- */

/* FRY-02: both ways, byte for byte, the source gone; SIGTERM ends it cleanly with its last status. */
static void test_carries_both_ways(void **state)
{
    struct world *w = *state;
    struct buf in, out;
    make_file(&in, w->internet, "internet", "intranet", 1);
    make_file(&out, w->intranet, "intranet", "internet", 1);
    put(w, INTERNET_OUT, "before.xml", buf_bytes(&in));          /* lay there before the start */
    start(w);
    wait_there(w, INTRANET_IN, "before.xml");
    wait_gone(w, INTERNET_OUT, "before.xml");
    put(w, INTRANET_OUT, "after.xml", buf_bytes(&out));
    wait_there(w, INTERNET_IN, "after.xml");
    wait_gone(w, INTRANET_OUT, "after.xml");
    same_bytes(w, INTRANET_IN, "before.xml", buf_bytes(&in));
    same_bytes(w, INTERNET_IN, "after.xml", buf_bytes(&out));
    stop(w, SIGTERM, 0);
    json_t *j = json_load_file(scratch_path(&w->s, "mover.json"), 0, NULL);
    assert_non_null(j);
    assert_true(json_is_false(json_object_get(j, "running")));
    json_decref(j);
    buf_clear(&in);
    buf_clear(&out);
}

/* FRY-08: killed between copy and removal: the next one finds the same bytes and lets the source go. A temporary name is swept. */
static void test_carries_on_after_a_crash(void **state)
{
    struct world *w = *state;
    struct buf f;
    make_file(&f, w->internet, "internet", "intranet", 1);
    put(w, INTERNET_OUT, "b.xml", buf_bytes(&f));
    put(w, INTRANET_IN, "b.xml", buf_bytes(&f));
    close(openat(w->fd[INTRANET_IN], ".c.xml.0123abcd.tmp", O_WRONLY | O_CREAT, 0600));
    start(w);
    wait_gone(w, INTERNET_OUT, "b.xml");
    same_bytes(w, INTRANET_IN, "b.xml", buf_bytes(&f));
    assert_false(there(w, INTRANET_IN, ".c.xml.0123abcd.tmp"));
    assert_false(there(w, ASIDE, "b.xml"));
    buf_clear(&f);
}

/* FRY-08: what its side did not sign is set aside with the reason, never carried, never deleted; what is sound goes on. */
static void test_sets_aside_what_does_not_verify(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *reason; } bad[] = {
        {"stranger.xml", "not one that we trust"}, {"wrong-way.xml", "not one that we trust"}, {"flipped.xml", "signature is not internet's"},
        {"cut.xml", "last 256 bytes"},             {"empty.xml", "file: want"},                {"notes.txt", "file: want"},
        {"link.xml", "regular file"},              {"pipe.xml", "regular file"},               {"folder", "regular file"},
        {"future.xml", "last 256 bytes"},
    };
    struct buf f, good;
    make_file(&f, w->stranger, "internet", "intranet", 1);
    put(w, INTERNET_OUT, "stranger.xml", buf_bytes(&f));
    buf_clear(&f);
    make_file(&f, w->intranet, "intranet", "internet", 1);
    put(w, INTERNET_OUT, "wrong-way.xml", buf_bytes(&f));
    buf_clear(&f);
    make_file(&good, w->internet, "internet", "intranet", 1);
    make_file(&f, w->internet, "internet", "intranet", 2);
    put(w, INTERNET_OUT, "cut.xml", (struct bytes){f.p, f.n - 1});
    put(w, INTERNET_OUT, "future.xml", (struct bytes){f.p, f.n - 2});
    const struct timespec times[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    assert_int_equal(utimensat(w->fd[INTERNET_OUT], "future.xml", times, 0), 0);
    f.p[100] ^= 1;
    put(w, INTERNET_OUT, "flipped.xml", buf_bytes(&f));
    put(w, INTERNET_OUT, "empty.xml", (struct bytes){0});
    put(w, INTERNET_OUT, "notes.txt", bytes_of("hello"));
    assert_int_equal(symlinkat("/etc/passwd", w->fd[INTERNET_OUT], "link.xml"), 0);
    assert_int_equal(mkfifoat(w->fd[INTERNET_OUT], "pipe.xml", 0600), 0);
    assert_int_equal(mkdirat(w->fd[INTERNET_OUT], "folder", 0700), 0);
    start(w);
    put(w, INTERNET_OUT, "zz-good.xml", buf_bytes(&good));
    wait_there(w, INTRANET_IN, "zz-good.xml");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char note[64];
        struct buf text;
        struct err e = {0};
        snprintf(note, sizeof note, "%s.reason", bad[i].name);
        wait_gone(w, INTERNET_OUT, bad[i].name);
        wait_there(w, ASIDE, bad[i].name);
        buf_init(&text, 0);
        if (file_read(&text, w->fd[ASIDE], note, 4096, &e) < 0 || !strstr(buf_text(&text), bad[i].reason))
            fail_msg("%s: want '%s', have '%s'", note, bad[i].reason, buf_text(&text));
        assert_false(there(w, INTRANET_IN, bad[i].name));
        buf_clear(&text);
    }
    SAYS("C", 1, "10 files in quarantine", "status", "--config", w->config, "--json");      /* an alarm at once; both sides are unknown here */
    buf_clear(&f);
    buf_clear(&good);
}

/* FRY-08: a file that is still being written is left alone and carried when it is whole. */
static void test_leaves_growing_files_alone(void **state)
{
    struct world *w = *state;
    struct buf f;
    make_file(&f, w->internet, "internet", "intranet", 1);
    start(w);
    int fd = openat(w->fd[INTERNET_OUT], "grows.xml", O_WRONLY | O_CREAT, 0600);
    for (size_t at = 0; at < f.n; at += f.n / 6 + 1) {
        size_t n = f.n - at < f.n / 6 + 1 ? f.n - at : f.n / 6 + 1;
        assert_int_equal(write(fd, f.p + at, n), (ssize_t)n);
        usleep(500000);
        assert_true(at + n == f.n || there(w, INTERNET_OUT, "grows.xml"));
    }
    close(fd);
    wait_there(w, INTRANET_IN, "grows.xml");
    same_bytes(w, INTRANET_IN, "grows.xml", buf_bytes(&f));
    assert_false(there(w, ASIDE, "grows.xml"));
    buf_clear(&f);
}

static void side_status(struct world *w, const char *side, int64_t age_s, const char *more)
{
    char text[700], file[40];
    long long now = (long long)clock_wall_ms();
    snprintf(text, sizeof text, "{\"program\":\"%s-side\",\"at_ms\":%lld,\"warn_s\":60,\"critical_s\":150,\"peer_beat_ms\":%lld,%s}", side,
             now - age_s * 1000LL, now - 1000, more);
    snprintf(file, sizeof file, "%s.json", side);
    scratch_write(&w->s, file, bytes_of(text));
}

#define FINE "\"running\":true,\"word\":\"fine\""

/* FRY-20: exit codes and words of ferry status, in both languages, while services run, stand, or are not to be seen. */
static void test_status_tells(void **state)
{
    struct world *w = *state;
    char more[300];
    const long long now = (long long)clock_wall_ms();
    SAYS("C", 3, "unknown", "status", "--config", w->config);
    start(w);
    wait_there(w, KEYS, "../mover.json");
    SAYS("C", 3, "no status file", "status", "--config", w->config);
    side_status(w, "internet", 0, FINE);
    side_status(w, "intranet", 0, FINE);
    SAYS("C", 0, "Ferry: fine", "status", "--config", w->config);
    SAYS("zh_CN.UTF-8", 0, "摆渡：正常", "status", "--config", w->config);
    SAYS("C", 0, "\"word\": \"fine\"", "status", "--config", w->config, "--json");
    SAYS("C", 0, "hz_ferry_state 0", "status", "--config", w->config, "--prometheus");
    side_status(w, "internet", 60, FINE);
    SAYS("C", 2, "internet-side  critical: stopped 60 s ago", "status", "--config", w->config);
    side_status(w, "internet", 0, "\"running\":false,\"word\":\"fine\"");
    SAYS("zh_CN.UTF-8", 2, "摆渡：严重，自 ", "status", "--config", w->config);
    snprintf(more, sizeof more, FINE ",\"oldest_ms\":%lld", now - 100000);
    side_status(w, "internet", 0, more);
    SAYS("C", 1, "unacknowledged for 10", "status", "--config", w->config);
    snprintf(more, sizeof more, FINE ",\"oldest_ms\":%lld", now - 200000);
    side_status(w, "internet", 0, more);
    SAYS("C", 2, "unacknowledged for 20", "status", "--config", w->config);
    snprintf(more, sizeof more, FINE ",\"gap\":3,\"gap_since_ms\":%lld", now - 100000);
    side_status(w, "internet", 0, more);
    SAYS("C", 1, "3 files of the peer's sequence missing", "status", "--config", w->config);      /* FRY-14 */
    side_status(w, "internet", 0, FINE ",\"held\":2");
    SAYS("C", 1, "2 records held", "status", "--config", w->config);
    side_status(w, "internet", 0, "\"running\":true,\"word\":\"critical\",\"stopped\":\"restored from a backup?\"");
    SAYS("C", 2, "sending stands: restored", "status", "--config", w->config);
    side_status(w, "internet", 0, FINE ",\"trouble\":\"item x: spool\"");
    SAYS("C", 1, "sending fails: item x", "status", "--config", w->config);
    side_status(w, "internet", 0, "\"running\":true,\"word\":\"warning\"");
    SAYS("C", 1, "not content", "status", "--config", w->config);
    scratch_write(&w->s, "internet.json", bytes_of("{\"half\":"));
    SAYS("C", 3, "unknown", "status", "--config", w->config);
    side_status(w, "internet", 0, FINE);
    stop(w, SIGTERM, 0);
    SAYS("C", 2, "mover  critical: stopped", "status", "--config", w->config);
}

/* OPS-10: what is typed wrong is answered with what it was, what is wanted and how the one verb goes, in the language of the operator. */
static void OPS_10_test_wrong_words_are_told(void **state)
{
    struct world *w = *state;
    SAYS("C", 2, "there is no verb lst; want one of run status doctor list", "lst");
    SAYS("zh_CN.UTF-8", 2, "没有 lst 这个命令", "lst");
    SAYS("C", 3, "there is no verb stat;", "stat");
    SAYS("C", 2, "ferry show: want ID|CASE-NO\n  ferry show ID|CASE-NO\n", "show");
    SAYS("zh_CN.UTF-8", 2, "ferry show：请写明 ID|CASE-NO", "show");
    SAYS("C", 3, "ferry status: now is too much", "status", "now");
    SAYS("C", 2, "--side: want internet or intranet, have 'inside'", "list", "--side", "inside", "--config", w->config);
    SAYS("C", 3, "--side: want internet or intranet, have 'inside'", "doctor", "--side", "inside", "--config", w->config);
    SAYS("zh_CN.UTF-8", 2, "--wait 应为 0 至 86400 之间的整数（秒），实为“abc”", "drain", "--side", "internet", "--wait", "abc", "--config", w->config);
    SAYS("C", 2, "--wait: want seconds", "resync", "--side", "internet", "--wait", "-1", "--config", w->config);
    SAYS("C", 2, "--side is not an option of it, which are --config= --json", "quarantine", "--side", "internet", "--config", w->config);
    SAYS("zh_CN.UTF-8", 2, "没有这个选项", "list", "--sied", "internet");
}

/* FRY-20: files that nobody fetches show without any status file: another gateway stands in for the mover. */
static void test_status_sees_lying_files(void **state)
{
    struct world *w = *state;
    struct timespec times[2] = {{.tv_sec = time(NULL) - 100}, {.tv_sec = time(NULL) - 100}};
    put(w, INTRANET_OUT, "b.xml", bytes_of("x"));
    SAYS("C", 3, "intranet_outbox  1 files", "status", "--config", w->config);
    assert_int_equal(utimensat(w->fd[INTRANET_OUT], "b.xml", times, 0), 0);
    SAYS("C", 1, "nobody fetches them", "status", "--config", w->config);
    times[0].tv_sec = times[1].tv_sec -= 100;
    assert_int_equal(utimensat(w->fd[INTRANET_OUT], "b.xml", times, 0), 0);
    SAYS("C", 2, "nobody fetches them", "status", "--config", w->config);
}

/* FRY-05: what was set aside, and what came beyond the bound, older lines first. */
static void test_quarantine_lists_all(void **state)
{
    struct world *w = *state;
    put(w, ASIDE, "junk.xml", bytes_of("junk"));
    put(w, ASIDE, "junk.xml.reason", bytes_of("2026-11-23T09:41:06Z 4 bytes: cut\n"));
    put(w, ASIDE, QUARANTINE_MORE_BEFORE, bytes_of("{\"at\":\"2026-11-23T09:00:00Z\",\"file\":\"older.xml\",\"bytes\":5,\"hash\":\"11\",\"head\":\"\",\"reason\":\"no trailer\"}\n"));
    put(w, ASIDE, QUARANTINE_MORE, bytes_of("{\"at\":\"2026-\n{\"at\":\"2026-11-23T10:00:00Z\",\"file\":\"newer.xml\",\"bytes\":6,\"hash\":\"22\",\"head\":\"\",\"reason\":\"cut\"}\n"));
    SAYS("C", 0, "4 bytes: cut", "quarantine", "--config", w->config);
    SAYS("C", 0, "older.xml  5\n    no trailer\n    beyond the bound: the file was let go, BLAKE2b-256 11", "quarantine", "--config", w->config);
    SAYS("zh_CN.UTF-8", 0, "newer.xml  6\n    cut\n    超出上限，未保留文件，BLAKE2b-256 22", "quarantine", "--config", w->config);
    SAYS("C", 0, "\"kept\": false", "quarantine", "--config", w->config, "--json");
}

static void test_keygen_and_inspect(void **state)
{
    struct world *w = *state;
    struct buf f;
    char keys[128], file[128], fresh[128], parser[700];
    snprintf(parser, sizeof parser, "%s", built("libexec/parser"));
    snprintf(keys, sizeof keys, "%s/keys", w->s.dir);
    snprintf(file, sizeof file, "%s/internet-outbox/b.xml", w->s.dir);
    snprintf(fresh, sizeof fresh, "%s/fresh", w->s.dir);
    SAYS("C", 0, "key id", "keygen", "--dir", fresh, "--name", "internet");
    SAYS("C", 1, "never overwritten", "keygen", "--dir", fresh, "--name", "internet");
    SAYS("C", 1, "lower-case", "keygen", "--dir", fresh, "--name", "../x");
    make_file(&f, w->internet, "internet", "intranet", 7);
    put(w, INTERNET_OUT, "b.xml", buf_bytes(&f));
    SAYS("C", 0, "signature: good, by internet", "inspect", file, "--keys", keys, "--parser", parser, "--schemas", "schemas/xsd");
    SAYS("C", 0, "item aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa status case - seq 0 bytes 6", "inspect", file, "--keys", keys, "--parser", parser, "--schemas",
         "schemas/xsd");
    SAYS("C", 0, "item aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa status", "inspect", file, "--keys", keys);        /* finds its helper by itself */
    SAYS("C", 0, "signature: not checked", "inspect", file);
    SAYS("C", 2, "signature: BAD", "inspect", file, "--keys", fresh, "--parser", parser, "--schemas", "schemas/xsd");
    f.p[100] ^= 1;
    put(w, INTERNET_OUT, "b.xml", buf_bytes(&f));
    SAYS("C", 2, "signature: BAD", "inspect", file, "--keys", keys, "--parser", parser, "--schemas", "schemas/xsd");
    SAYS("C", 3, "none.xml", "inspect", "/tmp/none.xml", "--keys", keys);
    buf_clear(&f);
}

static void test_configuration_is_checked(void **state)
{
    struct world *w = *state;
    SAYS("C", 0, "", "--check-config", "--config", w->config);
    scratch_write(&w->s, "bad.conf", bytes_of("internet_outbox = a\nrescans = 1\n"));
    SAYS("C", 2, "line 2: unknown key 'rescans'", "run", "--config", w->s.path);
    SAYS("C", 3, "line 2: unknown key 'rescans'", "status", "--config", w->s.path);
    SAYS("C", 0, "rescan_s", "--help");
    SAYS("C", 0, "ferry", "--version");
    SAYS("C", 2, "there is no verb sail", "sail");
    SAYS("C", 3, "usage", "status", "--nonsense");      /* 2 would say critical */
    SAYS("C", 3, "no configuration: want --config FILE", "status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_carries_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_carries_on_after_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sets_aside_what_does_not_verify, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaves_growing_files_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_sees_lying_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quarantine_lists_all, setup, teardown),
        cmocka_unit_test_setup_teardown(OPS_10_test_wrong_words_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keygen_and_inspect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_configuration_is_checked, setup, teardown),
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    umask(0077);
    int bad = cmocka_run_group_tests_name("suite 1", tests, NULL, NULL);
    suite = 2;
    return bad + cmocka_run_group_tests_name("suite 2", tests, NULL, NULL);
}
