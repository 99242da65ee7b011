/* Outgoing calls through build/<variant>/libexec/caller, against a small server in this process that answers what the path says. */
#include "common/caller.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/caller_frame.h"
#include "common/clock.h"

static int listener = -1;
static atomic_int served;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static char seen[65536];               /* the last request, head and body; read when no call is under way */
static char program[512], base[64], prefixed[64], closed_port[64];

/* --- the outside system --- */

static void say(int fd, const char *text) { (void)!write(fd, text, strlen(text)); }

static void read_request(int fd)
{
    size_t n = 0;
    char *end = NULL;
    while (n < sizeof seen - 1) {
        ssize_t k = recv(fd, seen + n, sizeof seen - 1 - n, 0);
        if (k <= 0)
            break;
        n += (size_t)k;
        seen[n] = 0;
        const char *length = strcasestr(seen, "content-length: ");
        if ((end = strstr(seen, "\r\n\r\n")) && length && n >= (size_t)(end + 4 - seen) + (size_t)atol(length + 16))
            break;
    }
    seen[n] = 0;
}

static void answer_path(int fd)
{
    if (strstr(seen, "/ok"))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"ok\":1}");
    else if (strstr(seen, "/refused"))
        say(fd, "HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\n{}");
    else if (strstr(seen, "/broken"))
        say(fd, "HTTP/1.1 502 No\r\nContent-Length: 6\r\n\r\nsecret");
    else if (strstr(seen, "/moved"))
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    else if (strstr(seen, "/cut"))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    else if (strstr(seen, "/late")) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        poll(&p, 1, 5000);             /* until the caller gives up */
    } else if (strstr(seen, "/huge")) {
        static char block[65536];
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        for (int i = 0; i < 1500 && send(fd, block, sizeof block, MSG_NOSIGNAL) > 0; i++)
            ;
    } else if (strstr(seen, "/nonsense"))
        say(fd, "\x01\x02 what\r\n\r\n");
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&seen_lock);
        read_request(fd);
        served++;
        pthread_mutex_unlock(&seen_lock);
        answer_path(fd);
        close(fd);
    }
}

/* What the outside system saw last, copied: valid until the next call. */
static const char *last_request(void)
{
    static char copy[sizeof seen];
    pthread_mutex_lock(&seen_lock);
    memcpy(copy, seen, sizeof copy);
    pthread_mutex_unlock(&seen_lock);
    return copy;
}


static struct caller *open_caller(void)
{
    const char *const bases[] = {base, prefixed, closed_port, NULL};
    struct caller *c = NULL;
    struct err e = {0};
    if (caller_open(&c, program, bases, 2, &e) < 0)
        fail_msg("%s", e.msg);
    return c;
}

static int post(struct caller *c, const char *name, const char *path, unsigned ms, int *status, struct buf *answer, struct err *e)
{
    *e = (struct err){0};
    buf_clear(answer);
    return caller_post(c, name, path, bytes_of("{\"id\":\"x\"}"), ms, status, answer, e);
}

/* The request arrives as JSON under the base's prefix, the answer comes back with its status; nothing speaks of us. */
static void carries_request_and_answer(void **state)
{
    struct caller *c = *state;
    struct buf answer;
    struct err e;
    int status = 0;
    buf_init(&answer, 0);
    assert_int_equal(post(c, "identity", "/ok?a=1", 2000, &status, &answer, &e), 0);
    assert_int_equal(status, 200);
    assert_string_equal(buf_text(&answer), "{\"ok\":1}");
    assert_ptr_equal(strstr(last_request(), "POST /ok?a=1 HTTP/1.1\r\n"), last_request());
    assert_non_null(strcasestr(last_request(), "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(last_request(), "\r\n\r\n{\"id\":\"x\"}"));
    assert_null(strcasestr(last_request(), "Expect:"));
    assert_null(strcasestr(last_request(), "User-Agent:"));
    assert_int_equal(post(c, "tax", "/ok", 2000, &status, &answer, &e), 0);
    assert_ptr_equal(strstr(last_request(), "POST /v1/tax/ok HTTP/1.1\r\n"), last_request());
    buf_clear(&answer);
}

/* A refusal is an answer; a redirect is not followed. */
static void gives_statuses_below_500(void **state)
{
    struct buf answer;
    struct err e;
    int status = 0;
    buf_init(&answer, 0);
    assert_int_equal(post(*state, "identity", "/refused", 2000, &status, &answer, &e), 0);
    assert_int_equal(status, 422);
    int before = served;
    assert_int_equal(post(*state, "identity", "/moved", 2000, &status, &answer, &e), 0);
    assert_int_equal(status, 302);
    assert_int_equal(served, before + 1);
    buf_clear(&answer);
}

static void fails_in_one_way(void **state)
{
    static const struct { const char *name, *path, *words; } all[] = {
        {"nobody", "/ok", "caller nobody: switched off"}, {"down", "/ok", "caller down: "}, {"identity", "/broken", "answered 502"},
        {"identity", "/cut", "caller identity: "}, {"identity", "/huge", "caller identity: "}, {"identity", "/nonsense", "caller identity: "},
        {"identity", "/silent", "caller identity: "},
    };
    struct buf answer;
    struct err e;
    int status = 0;
    buf_init(&answer, 0);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(post(*state, all[i].name, all[i].path, 3000, &status, &answer, &e), -1);
        if (e.code != ERR_UNAVAILABLE || !strstr(e.msg, all[i].words) || strstr(e.msg, "secret"))
            fail_msg("%s%s: %s: %s", all[i].name, all[i].path, err_word(e.code), e.msg);
        assert_int_equal(answer.n, 0);
    }
    assert_int_equal(post(*state, "identity", "/ok", 2000, &status, &answer, &e), 0);      /* and goes on */
    buf_clear(&answer);
}

static void waits_no_longer_than_told(void **state)
{
    struct buf answer;
    struct err e;
    int status = 0;
    buf_init(&answer, 0);
    int64_t start = clock_mono_ms();
    assert_int_equal(post(*state, "identity", "/late", 500, &status, &answer, &e), -1);
    int64_t took = clock_mono_ms() - start;
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_true(took >= 400 && took < 3000);
    buf_clear(&answer);
}

/* A path can neither change the host nor climb out of the prefix; it never reaches the network. */
static void refuses_paths(void **state)
{
    static const char *const bad[] = {"", "ok", "@evil.test/", "/../ok", "/a/..", "/a b", "/a\r\nX: 1", "/\xe4", "/a#b", "/a\\b", "http://evil.test/"};
    struct buf answer;
    struct err e;
    int status = 0, before = served;
    buf_init(&answer, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(post(*state, "identity", bad[i], 2000, &status, &answer, &e), -1);
        if (e.code != ERR_INPUT)
            fail_msg("%s: %s: %s", bad[i], err_word(e.code), e.msg);
    }
    assert_int_equal(served, before);
    char *big = calloc(1, CALLER_REQUEST_MAX + 1);
    e = (struct err){0};
    assert_int_equal(caller_post(*state, "identity", "/ok", (struct bytes){(uint8_t *)big, CALLER_REQUEST_MAX + 1}, 2000, &status, &answer, &e), -1);
    assert_int_equal(e.code, ERR_INPUT);
    free(big);
    buf_clear(&answer);
}

/* A list that the helper would not take stops the start or switches the calls off; it never calls somewhere else. */
static void refuses_bad_bases(void **state)
{
    static const char *const bad[] = {"identity", "=http://a", "identity=ftp://127.0.0.1", "identity=file:///etc/passwd", "identity=http://u:p@127.0.0.1", "identity=http://a/?x"};
    struct buf answer;
    struct err e;
    int status = 0;
    (void)state;
    buf_init(&answer, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const bases[] = {bad[i], NULL};
        struct caller *c = NULL;
        e = (struct err){0};
        if (caller_open(&c, program, bases, 1, &e) == 0) {
            assert_int_equal(post(c, "identity", "/ok", 1000, &status, &answer, &e), -1);
            assert_int_equal(e.code, ERR_UNAVAILABLE);
        } else
            assert_int_equal(e.code, ERR_INPUT);
        caller_close(c);
    }
    const char *const none[] = {NULL};
    struct caller *c = NULL;
    assert_int_equal(caller_open(&c, program, none, 1, NULL), 0);      /* no outside system at all is a fine configuration */
    assert_int_equal(post(c, "identity", "/ok", 1000, &status, &answer, &e), -1);
    assert_non_null(strstr(e.msg, "switched off"));
    caller_close(c);
    caller_close(NULL);
}

static void *one_call(void *c)
{
    struct buf answer;
    struct err e = {0};
    int status = 0;
    buf_init(&answer, 0);
    int rc = caller_post(c, "identity", "/ok", bytes_of("{}"), 5000, &status, &answer, &e);
    buf_clear(&answer);
    return (void *)(intptr_t)(rc == 0 && status == 200);
}

static void serves_many_threads(void **state)
{
    pthread_t t[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, one_call, *state), 0);
    for (size_t i = 0; i < 8; i++) {
        void *fine = NULL;
        pthread_join(t[i], &fine);
        assert_non_null(fine);
    }
}

/* --- --- */

static int bound_socket(struct sockaddr_in *own)
{
    socklen_t n = sizeof *own;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *own = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)own, n) < 0 || getsockname(fd, (struct sockaddr *)own, &n) < 0)
        return -1;
    return fd;
}

static pthread_t server;
static int deaf = -1;                  /* bound and not listening: connections are refused for as long as we run */

static int start(void **state)
{
    struct sockaddr_in own, dead;
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    listener = bound_socket(&own);
    deaf = bound_socket(&dead);
    if (n < 0 || listener < 0 || deaf < 0 || listen(listener, 64) < 0)
        return -1;
    self[n] = 0;
    *strrchr(self, '/') = 0;
    *strrchr(self, '/') = 0;           /* build/<variant> */
    snprintf(program, sizeof program, "%s/libexec/caller", self);
    snprintf(base, sizeof base, "identity=http://127.0.0.1:%u", ntohs(own.sin_port));
    snprintf(prefixed, sizeof prefixed, "tax=http://127.0.0.1:%u/v1/tax", ntohs(own.sin_port));
    snprintf(closed_port, sizeof closed_port, "down=http://127.0.0.1:%u", ntohs(dead.sin_port));
    if (pthread_create(&server, NULL, serve, NULL) != 0)
        return -1;
    *state = open_caller();
    return 0;
}

static int stop(void **state)
{
    caller_close(*state);
    shutdown(listener, SHUT_RDWR);
    pthread_join(server, NULL);
    close(listener);
    close(deaf);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_request_and_answer), cmocka_unit_test(gives_statuses_below_500), cmocka_unit_test(fails_in_one_way),
        cmocka_unit_test(waits_no_longer_than_told), cmocka_unit_test(refuses_paths), cmocka_unit_test(refuses_bad_bases),
        cmocka_unit_test(serves_many_threads),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
