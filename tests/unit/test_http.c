/* The HTTP server over raw sockets: what has two readings is refused before any handler runs, the rest goes to exactly one route
 * (threats: HTTP). What answers look like is in test_http_answers.c. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/http_app.h"

/* --- framing --- */

/* A head with two readings gets 400 and the connection ends; no handler runs, not even for what was smuggled behind. */
static void refuses_ambiguous_heads(void **state)
{
    static const char *const bad[] = {
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/raw HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
        "POST /api/raw HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /api/raw HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 44\r\n\r\nGET /api/echo HTTP/1.1\r\n" HOST "\r\n",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 3x\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551619\r\n\r\nabc",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\nab",
        "POST /api/raw HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
        "GET /api/echo HTTP/1.1\n" HOST "\r\n",
        "GET /api/echo HTTP/1.1\r\nHost: a.test\n\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\nHost: a.test\nX: 1\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X: 1\n\n",
        "GET /api/echo HTTP/1.1\n\n" HOST "\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X: a\rb: c\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST " X: a\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST ": empty\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X(y): a\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n\r\n",
        "GET /api/echo HTTP/1.0\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\nHost: a.test/x\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "host: b.test\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n",
        "GET /api/echo HTTP/1.1\r\n" HOST "X-CSRF-Token: a\r\nx-csrf-token: b\r\n\r\n",
        "GET /api/echo  HTTP/1.1 \r\n" HOST "\r\n",
        "BREW /api/echo HTTP/1.1\r\n" HOST "\r\n",
    };
    (void)state;
    calls = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct answer a = ask(bad[i]);
        if (a.status / 100 != 4 || !a.closed)
            fail_msg("case %zu: status %d closed %d\n%s", i, a.status, a.closed, bad[i]);
    }
    assert_int_equal(calls, 0);
}

/* Bytes that a C string would hide: a NUL in the head. */
static void refuses_raw_nul(void **state)
{
    static const char bad[] = "GET /api/echo HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
    (void)state;
    struct answer a = ask_bytes(server, bad, sizeof bad - 1);
    assert_int_equal(a.status, 400);
    assert_true(a.closed);
}

/* The 64th header is read, the 65th would vanish: so 64 pass and 65 do not. */
static void counts_headers(void **state)
{
    (void)state;
    for (int extra = 63; extra <= 64; extra++) {
        struct buf b;
        buf_init(&b, 0);
        buf_str(&b, "GET /api/echo HTTP/1.1\r\n" HOST);
        for (int i = 0; i < extra; i++)
            buf_fmt(&b, "X-%d: 1\r\n", i);
        buf_str(&b, "\r\n");
        struct answer a = ask(buf_text(&b));
        assert_int_equal(a.status, extra == 63 ? 200 : 400);
        buf_clear(&b);
    }
}

/* The least a request may be, and each liberty that HTTP allows without a second reading. */
static void takes_plain_requests(void **state)
{
    static const char *const good[] = {
        "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n", "GET /api/echo HTTP/1.1\r\nhost:a:8080\r\n\r\n", "GET /api/echo HTTP/1.0\r\nHost: [::1]:1\r\n\r\n",
        "GET /api/echo? HTTP/1.1\r\n" HOST "X-Empty:\r\n\r\n", "GET /api/echo?q=1&a=2& HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
        "\r\nGET /api/echo HTTP/1.1\r\n" HOST "\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct answer a = ask(good[i]);
        if (a.status != 200)
            fail_msg("case %zu: status %d\n%s", i, a.status, good[i]);
    }
}

/* Two requests in one segment are two answers, in order, on one connection; HTTP/1.0 and "close" end it. */
static void keeps_connections(void **state)
{
    static const char two[] = "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /api/cases/77 HTTP/1.1\r\n" HOST "\r\n";
    struct answer a;
    (void)state;
    int fd = dial(server);
    send_all(fd, two, sizeof two - 1);
    take(fd, &a, false);
    assert_string_equal(a.body, "{\"n\":3,\"length\":3}");
    assert_false(has(&a, "Connection:"));
    take(fd, &a, false);
    assert_non_null(strstr(a.body, "\"no\":\"77\""));
    close(fd);
    assert_true(ask("GET /api/echo HTTP/1.0\r\n" HOST "\r\n").closed);
    assert_true(ask("GET /api/echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n").closed);
}

/* --- paths --- */

static void refuses_paths_with_two_spellings(void **state)
{
    static const char *const bad[] = {
        "/api/echo%00", "/api/echo%00.json", "/api/%0d%0aX:1", "/api/cases/a%2fb", "/api/cases/a%5cb", "/api/./echo", "/api/x/../echo", "/../etc/passwd",
        "/api/%2e%2e/echo", "/api/.%2E/echo", "/api/echo/..", "/api/echo/.", "/api/%zz", "/api/echo%", "/api/echo%4", "/api\\echo", "/api/echo#x",
        "/api/\"x", "/api/\xe4\xb8\xad",
    };
    char text[256];
    (void)state;
    calls = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", bad[i]);
        struct answer a = ask(text);
        if (a.status != 400 || !a.closed)
            fail_msg("%s: status %d closed %d", bad[i], a.status, a.closed);
    }
    assert_int_equal(calls, 0);
}

static void routes_exactly(void **state)
{
    static const struct { const char *line; int status; } all[] = {
        {"GET /api/echo", 200}, {"GET /api/Echo", 404}, {"GET /API/echo", 404}, {"GET /api/echo/", 404}, {"GET /api/echo/x", 404}, {"GET /api/ech", 404},
        {"GET /api/echox", 404}, {"GET //api/echo", 404}, {"GET /api//echo", 404}, {"GET /api/%65cho", 404}, {"GET /api", 404}, {"GET /api/nothing", 404},
        {"GET /api/cases/", 404}, {"GET /api/cases/a.b", 404}, {"GET /api/cases/a%41", 404}, {"GET /api/cases/A_b-9", 200}, {"GET /api/cases/mine", 200},
        {"GET /api/cases/1234567890123456789012345678901234567890123456789012345678901234", 200},
        {"GET /api/cases/12345678901234567890123456789012345678901234567890123456789012345", 404}, {"POST /api/nothing", 404},
        {"POST /api/echo", 405}, {"PUT /api/json", 405}, {"GET /api/json", 405}, {"OPTIONS /api/echo", 405}, {"PATCH /api/echo", 405}, {"HEAD /api/echo", 200},
        {"HEAD /api/json", 405}, {"HEAD /api/nothing", 404},
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "\r\n", all[i].line);
        struct answer a = ask(text);
        if (a.status != all[i].status)
            fail_msg("%s: want %d, have %d", all[i].line, all[i].status, a.status);
    }
    struct answer a = GET("/api/cases/mine");
    assert_string_equal(a.body, "{\"mine\":true}");
    a = ask("PUT /api/json HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(&a, "\r\nAllow: POST, DELETE\r\n"));
    a = ask("POST /api/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(&a, "\r\nAllow: GET, HEAD\r\n"));
    a = ask("GET http://a.test/api/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_not_equal(a.status, 200);
}

/* HEAD: the length of the body, and not the body. */
static void head_has_no_body(void **state)
{
    struct answer a;
    (void)state;
    int fd = dial(server);
    static const char two[] = "HEAD /api/cases/mine HTTP/1.1\r\n" HOST "\r\nGET /api/cases/mine HTTP/1.1\r\n" HOST "\r\n";
    send_all(fd, two, sizeof two - 1);
    take(fd, &a, true);
    assert_int_equal(a.status, 200);
    assert_true(has(&a, "Content-Length: 13\r\n"));
    take(fd, &a, false);         /* begins where a body would have stood */
    assert_string_equal(a.body, "{\"mine\":true}");
    close(fd);
}

/* --- query --- */

static void decodes_queries(void **state)
{
    static const struct { const char *query; int status; const char *q; } all[] = {
        {"q=a+b%20c", 200, "a b c"}, {"q=%E6%B1%9F", 200, "江"}, {"q", 200, ""}, {"q=", 200, ""}, {"q=a=b", 200, "a=b"}, {"x=1", 200, NULL}, {"%71=z", 200, "z"},
        {"q=1&q=2", 400, NULL}, {"q=1&%71=2", 400, NULL}, {"x=1&q=1&x=1", 400, NULL}, {"q=%00", 400, NULL}, {"q=%0a", 400, NULL}, {"q=%7f", 400, NULL},
        {"q=%zz", 400, NULL}, {"q=%4", 400, NULL}, {"q=%ff", 400, NULL}, {"q=%c0%80", 400, NULL}, {"=1", 400, NULL},
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(text, sizeof text, "GET /api/echo?%s HTTP/1.1\r\n" HOST "\r\n", all[i].query);
        struct answer a = ask(text);
        if (a.status != all[i].status)
            fail_msg("%s: want %d, have %d", all[i].query, all[i].status, a.status);
        if (a.status != 200)
            continue;
        json_t *o = json_loads(a.body, 0, NULL);
        const char *q = json_string_value(json_object_get(o, "q"));
        if (all[i].q)
            assert_string_equal(q, all[i].q);
        else
            assert_null(q);
        json_decref(o);
    }
}

/* --- bodies --- */

static void takes_only_whole_json(void **state)
{
    static const struct { const char *body; int status; } all[] = {
        {"{\"a\":1}", 201}, {"[]", 201}, {" {\"a\":{\"b\":\"江\"}} \n", 201}, {"{\"a\":1,\"a\":2}", 400}, {"{\"a\":{\"b\":1,\"b\":1}}", 400}, {"{}x", 400}, {"{}{}", 400},
        {"{\"a\":\"\\u0000\"}", 400}, {"{\"\\u0000\":1}", 400}, {"{\"a\":1", 400}, {"", 400}, {"1", 400}, {"\"a\"", 400}, {"null", 400}, {"{\"a\":\"\xff\"}", 400},
        {"{\"a\":1e999}", 400}, {"{a:1}", 400}, {"{\"a\":\"\\ud800\"}", 400},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct answer a = post("/api/json", "", all[i].body, strlen(all[i].body));
        if (a.status != all[i].status)
            fail_msg("%s: want %d, have %d", all[i].body, all[i].status, a.status);
    }
    for (size_t depth = 30; depth < 490; depth += depth < 40 ? 1 : 50) {      /* a worker's stack is small: 32 levels, counted outside of texts */
        char deep[1000] = "[\"[[\\\"[[\",";
        size_t n = strlen(deep), end = n + 2 * (depth - 1);
        memset(deep + n, '[', depth - 1);
        memset(deep + n + depth - 1, ']', depth - 1);
        deep[end] = ']';
        assert_int_equal(post("/api/json", "", deep, end + 1).status, depth <= 32 ? 201 : 400);
    }
    assert_int_equal(post("/api/json", "", "{}\0", 3).status, 400);
    assert_int_equal(post("/api/json", "Content-Type: application/json; charset=utf-8\r\n", "{}", 2).status, 201);
    assert_int_equal(post("/api/json", "Content-Type: text/plain\r\n", "{}", 2).status, 400);
    assert_int_equal(post("/api/json", "Content-Type: application/jsonp\r\n", "{}", 2).status, 400);
}

/* The bound is exact; one byte more is 413 before a byte of the body is read, and the connection ends. */
static void bounds_bodies(void **state)
{
    char *big = malloc(100001);
    (void)state;
    memset(big, 'a', 100001);
    struct answer a = post("/api/raw", "", big, 100000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"n\":100000,\"length\":100000}");
    calls = 0;
    a = ask("POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n");
    assert_int_equal(a.status, 413);
    assert_true(a.closed);
    assert_non_null(strstr(a.body, "\"too_large\""));
    a = ask("POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 999999999999\r\n\r\n");
    assert_int_equal(a.status, 413);
    a = ask("GET /api/echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /");
    assert_int_equal(a.status, 413);
    assert_true(a.closed);
    assert_int_equal(calls, 0);
    a = ask("POST /api/raw HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(a.body, "{\"n\":0,\"length\":-1}");
    free(big);
}

static void streams_bodies(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    buf_str(&b, "PUT /api/stream HTTP/1.1\r\n" HOST "Content-Length: 300000\r\n\r\n");
    for (int i = 0; i < 300000; i++)
        buf_u8(&b, 1);
    struct answer a = ask(buf_text(&b));
    assert_string_equal(a.body, "{\"sum\":300000}");
    buf_clear(&b);
    /* a handler that leaves the body unread ends the connection, so the rest is never taken for a request */
    calls = 0;
    a = ask("PUT /api/stream?stop=1 HTTP/1.1\r\n" HOST "Content-Length: 60\r\n\r\nGET /api/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 204);
    assert_true(a.closed);
    assert_int_equal(calls, 1);
}

static void says_continue_when_asked(void **state)
{
    struct answer a;
    (void)state;
    int fd = dial(server);
    static const char head[] = "POST /api/raw HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    send_all(fd, head, sizeof head - 1);
    take(fd, &a, true);
    assert_int_equal(a.status, 100);
    send_all(fd, "ab", 2);
    take(fd, &a, false);
    assert_int_equal(a.status, 200);
    close(fd);
}

/* The client leaves in the middle: the handler never runs. */
static void short_body_runs_nothing(void **state)
{
    struct answer a;
    (void)state;
    calls = 0;
    int fd = dial(server);
    static const char half[] = "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc";
    send_all(fd, half, sizeof half - 1);
    shutdown(fd, SHUT_WR);
    take(fd, &a, false);
    assert_int_equal(a.status, 400);
    close(fd);
    assert_int_equal(calls, 0);
}

/* A byte now and then keeps no worker: the whole body has 10 s, then the connection ends. */
static void slow_body_has_a_deadline(void **state)
{
    struct answer a;
    (void)state;
    calls = 0;
    int fd = dial(server);
    int64_t start = clock_mono_ms();
    static const char head[] = "POST /api/raw HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n";
    send_all(fd, head, sizeof head - 1);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, 300) == 0 && clock_mono_ms() - start < 20000)
        send_all(fd, "x", 1);
    int64_t took = clock_mono_ms() - start;
    take(fd, &a, false);
    close(fd);
    assert_true(took >= 9500 && took < 13000);
    assert_int_equal(a.status, 400);
    assert_int_equal(calls, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_ambiguous_heads), cmocka_unit_test(refuses_raw_nul), cmocka_unit_test(counts_headers),
        cmocka_unit_test(takes_plain_requests), cmocka_unit_test(keeps_connections), cmocka_unit_test(refuses_paths_with_two_spellings),
        cmocka_unit_test(routes_exactly), cmocka_unit_test(head_has_no_body), cmocka_unit_test(decodes_queries),
        cmocka_unit_test(takes_only_whole_json), cmocka_unit_test(bounds_bodies), cmocka_unit_test(streams_bodies),
        cmocka_unit_test(says_continue_when_asked), cmocka_unit_test(short_body_runs_nothing), cmocka_unit_test(slow_body_has_a_deadline),
    };
    log_open("test_http", LOG_ERROR);
    return cmocka_run_group_tests(tests, app_start, app_stop);
}
