/* The HTTP server over raw sockets: what has two readings is refused, the rest is answered exactly (threats: HTTP). */
#include "common/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#define HOST "Host: a.test\r\n"

static struct http_server *server, *secure_server;
static atomic_int calls, released;       /* handlers run; sessions given back */

/* --- the app under test --- */

static int echo(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    calls++;
    const char *q = request_query(rq, "q"), *no = request_path_arg(rq, "no");
    return response_json(rs, 200, json_pack("{s:s?, s:s?, s:s, s:s?, s:s?}", "q", q, "no", no, "peer", request_peer(rq), "cookie",
                                            request_cookie(rq), "device", request_cookie_named(rq, "hzd")));
}
static int mine(struct request *rq, struct response *rs, void *app)
{
    (void)rq;
    (void)app;
    calls++;
    return response_json(rs, 200, json_pack("{s:b}", "mine", 1));
}
static int take_json(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    calls++;
    return response_json(rs, 201, json_pack("{s:O}", "have", request_json(rq)));
}
static int take_raw(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    calls++;
    struct bytes b = request_body(rq);
    return response_json(rs, 200, json_pack("{s:I, s:I}", "n", (json_int_t)b.n, "length", (json_int_t)request_length(rq)));
}
static int take_stream(struct request *rq, struct response *rs, void *app)
{
    static const size_t piece = 1000;
    uint8_t block[1000];
    size_t sum = 0, got = 0;
    struct err e = {0};
    (void)app;
    calls++;
    if (request_query(rq, "stop"))
        return response_empty(rs, 204);      /* leaves the body unread */
    do {
        if (request_read(rq, block, piece, &got, &e) < 0)
            return response_error(rs, rq, &e);
        for (size_t i = 0; i < got; i++)
            sum += block[i];
    } while (got);
    return response_json(rs, 200, json_pack("{s:I}", "sum", (json_int_t)sum));
}
static int refuse(struct request *rq, struct response *rs, void *app)
{
    struct err e = {0};
    (void)app;
    uint64_t code = 0;
    parse_u64(request_path_arg(rq, "code"), 0, 99, &code, "code", NULL);
    err_set(&e, (enum err_code)code, "on purpose");
    if (code == ERR_BUSY)
        response_header(rs, "Retry-After", "30");
    return response_error(rs, rq, &e);
}
static int fields(struct request *rq, struct response *rs, void *app)
{
    struct err e = {0};
    (void)app;
    err_set(&e, ERR_INPUT, "on purpose");
    return response_error_zh(rs, rq, &e, "请核对，编号%REQ%。", json_pack("[{s:s}]", "field", "name"));
}
static int silent(struct request *rq, struct response *rs, void *app)
{
    (void)rq;
    (void)rs;
    (void)app;
    return 0;
}
static int twice(struct request *rq, struct response *rs, void *app)
{
    (void)rq;
    (void)app;
    assert_int_equal(response_header(rs, "X-Bad", "a\r\nSet-Cookie: x=1"), -1);
    assert_int_equal(response_header(rs, "X Bad", "a"), -1);
    assert_int_equal(response_cookie(rs, "a; Domain=b", 0), -1);
    response_empty(rs, 204);
    return response_empty(rs, 200);
}
static int cookies(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    response_cookie(rs, request_query(rq, "off") ? NULL : "abc", 60);
    response_cookie_named(rs, "hzd", "dev", 0);
    return response_empty(rs, 204);
}
static int slow(struct request *rq, struct response *rs, void *app)
{
    (void)rq;
    (void)app;
    calls++;
    usleep(500000);
    return response_json(rs, 200, json_pack("{s:b}", "late", 1));
}
static int with_session(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    calls++;
    return response_json(rs, 200, json_pack("{s:s}", "who", (const char *)request_session(rq)));
}
static void release(void *session)
{
    free(session);
    released++;
}
static int guard(struct request *rq, const struct route *route, void *app, struct err *e)
{
    assert_ptr_equal(app, &calls);
    if (!request_header(rq, "X-Who"))
        return err_set(e, ERR_AUTH, "nobody");
    if (route->auth == AUTH_ROLE && !(route->roles & 1u))
        return err_set(e, ERR_DENIED, "role");
    request_set_session(rq, strdup(request_header(rq, "X-Who")), release);
    return 0;
}

static const struct route routes[] = {
    {"GET", "/api/echo", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, echo, "echo"},
    {"GET", "/api/cases/{no}", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, echo, "argument"},
    {"GET", "/api/cases/mine", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, mine, "literal beside an argument"},
    {"POST", "/api/json", AUTH_NONE, 0, CSRF_NONE, BODY_JSON, 1000, take_json, "json"},
    {"DELETE", "/api/json", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, echo, "second method"},
    {"POST", "/api/raw", AUTH_NONE, 0, CSRF_NONE, BODY_RAW, 100000, take_raw, "raw"},
    {"PUT", "/api/stream", AUTH_NONE, 0, CSRF_NONE, BODY_STREAM, 1000000, take_stream, "stream"},
    {"POST", "/api/guarded", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, 1000, with_session, "guard"},
    {"GET", "/api/role", AUTH_ROLE, 2, CSRF_NONE, BODY_NONE, 0, with_session, "role"},
    {"POST", "/api/login", AUTH_NONE, 0, CSRF_HEADER, BODY_JSON, 100, with_session, "guard for the sake of the header"},
    {"GET", "/api/error/{code}", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, refuse, "errors"},
    {"GET", "/api/fields", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, fields, "findings"},
    {"GET", "/api/silent", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, silent, "no answer"},
    {"GET", "/api/twice", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, twice, "two answers"},
    {"GET", "/api/cookie", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, cookies, "cookies"},
    {"GET", "/api/slow", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, slow, "slow"},
};

/* --- a client that sends what it is told --- */

struct answer { int status; char head[4096], body[65536]; size_t n; bool closed; };

static int dial(const struct http_server *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(s)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_all(int fd, const void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
        if (k <= 0)
            return;              /* the server closed: its answer says why */
        at += (size_t)k;
    }
}

/* One byte or nothing within ms; false at the end of the connection or of patience. */
static bool get_byte(int fd, char *c, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1 && recv(fd, c, 1, 0) == 1;
}

static bool at_end(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;
    return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static void take(int fd, struct answer *a, bool bodyless)
{
    size_t n = 0;
    *a = (struct answer){0};
    while (n < sizeof a->head - 1 && !(n >= 4 && memcmp(a->head + n - 4, "\r\n\r\n", 4) == 0) && get_byte(fd, a->head + n, 15000))
        n++;
    if (sscanf(a->head, "HTTP/1.1 %d", &a->status) != 1)
        return;
    const char *length = strstr(a->head, "Content-Length: ");
    size_t want = length && !bodyless ? (size_t)atol(length + 16) : 0;
    while (a->n < want && a->n < sizeof a->body - 1 && get_byte(fd, a->body + a->n, 5000))
        a->n++;
    assert_int_equal(a->n, want);
}

static struct answer ask_bytes(const struct http_server *s, const void *p, size_t n)
{
    static struct answer a;
    int fd = dial(s);
    send_all(fd, p, n);
    take(fd, &a, n > 5 && memcmp(p, "HEAD ", 5) == 0);
    a.closed = strstr(a.head, "Connection: close") && at_end(fd, 1500);
    close(fd);
    return a;
}
static struct answer ask(const char *text) { return ask_bytes(server, text, strlen(text)); }
#define GET(path) ask("GET " path " HTTP/1.1\r\n" HOST "\r\n")

static bool has(const struct answer *a, const char *header) { return strstr(a->head, header) != NULL; }

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

static struct answer post(const char *path, const char *headers, const void *body, size_t n)
{
    struct buf b;
    buf_init(&b, 0);
    buf_fmt(&b, "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", path, headers, n);
    buf_put(&b, body, n);
    struct answer a = ask_bytes(server, b.p, b.n);
    buf_clear(&b);
    return a;
}

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

/* --- guard, cookies, proxy --- */

static void guards_before_the_body(void **state)
{
    (void)state;
    calls = released = 0;
    struct answer a = ask("POST /api/guarded HTTP/1.1\r\n" HOST "Content-Length: 900\r\n\r\n");      /* the body never comes */
    assert_int_equal(a.status, 401);
    assert_true(a.closed);
    a = post("/api/login", "", "{}", 2);
    assert_int_equal(a.status, 401);
    a = ask("GET /api/role HTTP/1.1\r\n" HOST "X-Who: a\r\n\r\n");
    assert_int_equal(a.status, 403);
    assert_int_equal(calls, 0);
    a = post("/api/guarded", "X-Who: zhang\r\n", "{}", 2);
    assert_string_equal(a.body, "{\"who\":\"zhang\"}");
    usleep(100000);              /* the session is given back after the answer went out */
    assert_int_equal(released, 1);
}

static void reads_cookies(void **state)
{
    static const struct { const char *header, *want; } all[] = {
        {"Cookie: hz=abc\r\n", "abc"}, {"Cookie: a=1; hz=abc; b=2\r\n", "abc"}, {"Cookie: a=1\r\nCookie: hz=abc\r\n", "abc"}, {"Cookie: xhz=abc\r\n", NULL},
        {"Cookie: hzx=abc\r\n", NULL}, {"Cookie: hz=\r\n", NULL}, {"Cookie: hz\r\n", NULL}, {"Cookie: hz=a; hz=b\r\n", NULL}, {"Cookie: hz=a\r\nCookie: hz=a\r\n", NULL},
        {"Cookie: __Host-hz=a\r\n", NULL}, {"", NULL},
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(text, sizeof text, "GET /api/echo HTTP/1.1\r\n" HOST "%s\r\n", all[i].header);
        struct answer a = ask(text);
        json_t *o = json_loads(a.body, 0, NULL);
        const char *have = json_string_value(json_object_get(o, "cookie"));
        if ((have == NULL) != (all[i].want == NULL) || (have && strcmp(have, all[i].want) != 0))
            fail_msg("%s: have %s", all[i].header, have ? have : "none");
        json_decref(o);
    }
}

static void writes_cookies(void **state)
{
    static const char get[] = "GET /api/cookie HTTP/1.1\r\n" HOST "\r\n", off[] = "GET /api/cookie?off=1 HTTP/1.1\r\n" HOST "\r\n";
    (void)state;
    struct answer a = ask(get);
    assert_true(has(&a, "Set-Cookie: hz=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60\r\n"));
    assert_true(has(&a, "Set-Cookie: hzd=dev; Path=/; HttpOnly; SameSite=Strict\r\n"));
    assert_false(has(&a, "Strict-Transport-Security"));
    a = ask(off);
    assert_true(has(&a, "Set-Cookie: hz=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\r\n"));
    a = ask_bytes(secure_server, get, sizeof get - 1);
    assert_true(has(&a, "Set-Cookie: __Host-hz=abc; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=60\r\n"));
    assert_true(has(&a, "Strict-Transport-Security: max-age=31536000"));
    static const char with[] = "GET /api/echo HTTP/1.1\r\n" HOST "Cookie: hz=no; __Host-hz=yes; __Host-hzd=d\r\n\r\n";
    a = ask_bytes(secure_server, with, sizeof with - 1);
    assert_non_null(strstr(a.body, "\"cookie\":\"yes\""));
    assert_non_null(strstr(a.body, "\"device\":\"d\""));
}

/* X-Real-IP is anybody's word unless the proxy's secret stands beside it. */
static void believes_the_proxy_alone(void **state)
{
    static const struct { const char *headers, *peer; } all[] = {
        {"X-Real-IP: 10.1.2.3\r\nX-Proxy-Secret: s3cret\r\n", "10.1.2.3"}, {"X-Real-IP: 2001:db8::1\r\nX-Proxy-Secret: s3cret\r\n", "2001:db8::1"},
        {"X-Real-IP: 10.1.2.3\r\n", "127.0.0.1"}, {"X-Real-IP: 10.1.2.3\r\nX-Proxy-Secret: s3cre\r\n", "127.0.0.1"},
        {"X-Real-IP: 10.1.2.3\r\nX-Proxy-Secret:\r\n", "127.0.0.1"}, {"X-Real-IP: evil\r\nX-Proxy-Secret: s3cret\r\n", "127.0.0.1"},
        {"X-Proxy-Secret: s3cret\r\n", "127.0.0.1"},
    };
    char text[256], want[80];
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(text, sizeof text, "GET /api/echo HTTP/1.1\r\n" HOST "%s\r\n", all[i].headers);
        snprintf(want, sizeof want, "\"peer\":\"%s\"", all[i].peer);
        struct answer a = ask(text);
        if (!strstr(a.body, want))
            fail_msg("%s: %s", all[i].headers, a.body);
    }
    static const char forged[] = "GET /api/echo HTTP/1.1\r\n" HOST "X-Real-IP: 10.1.2.3\r\nX-Proxy-Secret:\r\n\r\n";
    struct answer a = ask_bytes(secure_server, forged, sizeof forged - 1);      /* no secret set: never */
    assert_non_null(strstr(a.body, "127.0.0.1"));
}

/* --- answers --- */

static void answers_carry_their_headers(void **state)
{
    static const char *const want[] = {
        "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nReferrer-Policy: no-referrer\r\n", "\r\nCache-Control: no-store\r\n", "frame-ancestors 'none'", "\r\nX-Request-Id: ",
    };
    (void)state;
    struct answer all[] = {GET("/api/echo"), GET("/api/nothing"), GET("/api/error/1"), GET("/api/./echo"), ask("POST /api/echo HTTP/1.1\r\n" HOST "\r\n")};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t k = 0; k < sizeof want / sizeof want[0]; k++)
            if (!has(&all[i], want[k]))
                fail_msg("answer %zu has no %s\n%s", i, want[k], all[i].head);
}

static void errors_speak_chinese(void **state)
{
    static const struct { int code, status; const char *word, *zh; } all[] = {
        {ERR_INPUT, 400, "input", "填写的内容有误，请核对"}, {ERR_AUTH, 401, "auth", "登录已过期，请重新登录"}, {ERR_DENIED, 403, "denied", "您没有权限这样做"},
        {ERR_MISSING, 404, "missing", "没有找到"}, {ERR_CONFLICT, 409, "conflict", "内容已被更改，请刷新"}, {ERR_TOO_LARGE, 413, "too_large", "内容太大"},
        {ERR_BUSY, 429, "busy", "操作太频繁，请稍后再试"}, {ERR_FULL, 507, "full", "系统暂停受理，请稍后再试"}, {ERR_CORRUPT, 500, "internal", "没有办成"},
        {ERR_HELD, 500, "internal", "没有办成"}, {ERR_UNAVAILABLE, 503, "unavailable", "外部系统暂时没有回应，请稍后再试"}, {ERR_INTERNAL, 500, "internal", "没有办成"},
    };
    char text[128];
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(text, sizeof text, "GET /api/error/%d HTTP/1.1\r\n" HOST "\r\n", all[i].code);
        struct answer a = ask(text);
        json_t *o = json_loads(a.body, 0, NULL), *error = json_object_get(o, "error");
        const char *id = json_string_value(json_object_get(error, "request")), *message = json_string_value(json_object_get(error, "message"));
        assert_int_equal(a.status, all[i].status);
        assert_string_equal(json_string_value(json_object_get(error, "code")), all[i].word);
        assert_non_null(strstr(message, all[i].zh));
        assert_null(strstr(a.body, "on purpose"));      /* our own words stay in the log */
        assert_int_equal(strspn(id, "0123456789ABCDEF"), 6);
        assert_true(strstr(a.head, id) != NULL);
        if (a.status == 500)
            assert_non_null(strstr(message, id));
        assert_int_equal(json_integer_value(json_object_get(error, "retry_s")), all[i].code == ERR_BUSY ? 30 : 0);
        json_decref(o);
    }
    struct answer a = GET("/api/fields");
    assert_non_null(strstr(a.body, "\"fields\":[{\"field\":\"name\"}]"));
    assert_null(strstr(a.body, "%REQ%"));
}

static void a_handler_without_answer_is_our_fault(void **state)
{
    (void)state;
    assert_int_equal(GET("/api/silent").status, 500);
    uint64_t errors = log_count(LOG_ERROR);
    struct answer a = GET("/api/twice");
    assert_int_equal(a.status, 204);
    assert_false(has(&a, "X-Bad"));
    usleep(50000);
    assert_int_equal(log_count(LOG_ERROR), errors + 1);
}

/* --- files of the app --- */

static void serves_the_app(void **state)
{
    static const char zipped[] = "GET /assets/a.js HTTP/1.1\r\n" HOST "Accept-Encoding: br;q=0, gzip\r\n\r\n";
    (void)state;
    struct answer a = GET("/");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "<p>index</p>");
    assert_true(has(&a, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_true(has(&a, "script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'"));
    assert_true(has(&a, "Cache-Control: no-cache\r\n"));
    assert_string_equal(GET("/cases/123/edit").body, "<p>index</p>");
    assert_int_equal(GET("/missing.js").status, 404);
    assert_int_equal(GET("/.hidden").status, 404);
    assert_int_equal(GET("/api/page").status, 404);
    assert_int_equal(ask("POST / HTTP/1.1\r\n" HOST "\r\n").status, 404);
    a = GET("/assets/a.js");
    assert_string_equal(a.body, "plain");
    assert_true(has(&a, "Cache-Control: public, max-age=31536000, immutable\r\n") && has(&a, "Vary: Accept-Encoding\r\n"));
    a = ask(zipped);
    assert_string_equal(a.body, "zipped");
    assert_true(has(&a, "Content-Encoding: gzip\r\n") && has(&a, "Content-Type: text/javascript"));
    a = ask("HEAD /assets/a.js HTTP/1.1\r\n" HOST "\r\n");
    assert_true(a.status == 200 && has(&a, "Content-Length: 5\r\n"));
}

static void unchanged_files_are_not_sent_again(void **state)
{
    char etag[64] = "", text[256];
    (void)state;
    struct answer a = GET("/");
    assert_int_equal(sscanf(strstr(a.head, "ETag: "), "ETag: %60s", etag), 1);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", etag);
    a = ask(text);
    assert_int_equal(a.status, 304);
    assert_false(has(&a, "Content-Length"));
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "If-None-Match: \"00\"\r\n\r\n");
    assert_int_equal(ask(text).status, 200);
}

/* --- start and stop --- */

static void refuses_a_bad_table(void **state)
{
    static const struct { const char *method, *path, *second; enum http_body body; size_t max; } bad[] = {
        {"BREW", "/a", NULL, BODY_NONE, 0}, {"GET", "a", NULL, BODY_NONE, 0}, {"GET", "/a//b", NULL, BODY_NONE, 0}, {"GET", "/a{b}", NULL, BODY_NONE, 0},
        {"GET", "/{}", NULL, BODY_NONE, 0}, {"GET", "/%41", NULL, BODY_NONE, 0}, {"GET", "/a/{x}", "/a/{y}", BODY_NONE, 0}, {"GET", "/a", "/a", BODY_NONE, 0},
        {"POST", "/a", NULL, BODY_JSON, 0}, {"POST", "/a", NULL, BODY_NONE, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct route table[2] = {{.method = bad[i].method, .path = bad[i].path, .body = bad[i].body, .body_max = bad[i].max, .handler = echo}};
        table[1] = table[0];
        table[1].path = bad[i].second;
        struct http_options opt = {.threads = 1, .routes = table, .nroutes = bad[i].second ? 2 : 1};
        struct http_server *s = NULL;
        struct err e = {0};
        if (http_start(&s, &opt, &e) == 0)
            fail_msg("table %zu was taken", i);
        assert_non_null(strstr(e.msg, "route "));
        assert_null(s);
    }
}

static void says_when_the_port_is_taken(void **state)
{
    struct http_options opt = {.listen = "127.0.0.1", .port = http_port(server), .threads = 1};
    struct http_server *s = NULL;
    struct err e = {0};
    (void)state;
    assert_int_equal(http_start(&s, &opt, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "cannot listen on 127.0.0.1:"));
}

static void *stop_it(void *s)
{
    http_stop(s);
    return NULL;
}

/* Stopping finishes what runs; a request that comes meanwhile gets 503 and not silence. */
static void stop_finishes_what_runs(void **state)
{
    static const char get[] = "GET /api/slow HTTP/1.1\r\n" HOST "\r\n";
    struct http_options opt = {.listen = "127.0.0.1", .threads = 4, .routes = routes, .nroutes = sizeof routes / sizeof routes[0]};
    struct http_server *s = NULL;
    struct answer a;
    pthread_t t;
    (void)state;
    assert_int_equal(http_start(&s, &opt, NULL), 0);
    int first = dial(s), second = dial(s);
    send_all(first, get, sizeof get - 1);
    usleep(100000);
    pthread_create(&t, NULL, stop_it, s);
    usleep(100000);
    send_all(second, get, sizeof get - 1);
    take(second, &a, false);
    assert_int_equal(a.status, 503);
    take(first, &a, false);
    assert_string_equal(a.body, "{\"late\":true}");
    pthread_join(t, NULL);
    close(first);
    close(second);
}

/* --- --- */

static void put_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (file_write_path(path, bytes_of(text), 0600, &e) < 0)
        fail_msg("%s", e.msg);
}

static char app_dir[] = "/tmp/test_http_XXXXXX";

static int start(void **state)
{
    char assets[64];
    struct err e = {0};
    (void)state;
    if (sodium_init() < 0 || !mkdtemp(app_dir))
        return -1;
    snprintf(assets, sizeof assets, "%s/assets", app_dir);
    mkdir(assets, 0700);
    put_file(app_dir, "index.html", "<p>index</p>");
    put_file(assets, "a.js", "plain");
    put_file(assets, "a.js.gz", "zipped");
    put_file(assets, "a.js.br", "brotli");
    struct http_options opt = {
        .listen = "127.0.0.1", .threads = 4, .routes = routes, .nroutes = sizeof routes / sizeof routes[0], .guard = guard, .app = &calls,
        .static_dir = app_dir, .proxy_secret = "s3cret",
    };
    if (http_start(&server, &opt, &e) < 0)
        return -1;
    opt.secure = true;
    opt.static_dir = "/nonexistent";
    opt.proxy_secret = "";
    return http_start(&secure_server, &opt, &e);
}

static int stop(void **state)
{
    static const char *const names[] = {"index.html", "assets/a.js", "assets/a.js.gz", "assets/a.js.br", "assets", ""};
    char path[128];
    (void)state;
    http_stop(server);
    http_stop(secure_server);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", app_dir, names[i]);
        remove(path);
    }
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_ambiguous_heads), cmocka_unit_test(refuses_raw_nul), cmocka_unit_test(counts_headers), cmocka_unit_test(takes_plain_requests),
        cmocka_unit_test(keeps_connections), cmocka_unit_test(refuses_paths_with_two_spellings), cmocka_unit_test(routes_exactly),
        cmocka_unit_test(head_has_no_body), cmocka_unit_test(decodes_queries), cmocka_unit_test(takes_only_whole_json), cmocka_unit_test(bounds_bodies),
        cmocka_unit_test(streams_bodies), cmocka_unit_test(says_continue_when_asked), cmocka_unit_test(short_body_runs_nothing),
        cmocka_unit_test(slow_body_has_a_deadline), cmocka_unit_test(guards_before_the_body), cmocka_unit_test(reads_cookies),
        cmocka_unit_test(writes_cookies), cmocka_unit_test(believes_the_proxy_alone), cmocka_unit_test(answers_carry_their_headers),
        cmocka_unit_test(errors_speak_chinese), cmocka_unit_test(a_handler_without_answer_is_our_fault), cmocka_unit_test(serves_the_app),
        cmocka_unit_test(unchanged_files_are_not_sent_again), cmocka_unit_test(refuses_a_bad_table), cmocka_unit_test(says_when_the_port_is_taken),
        cmocka_unit_test(stop_finishes_what_runs),
    };
    log_open("test_http", LOG_ERROR);
    return cmocka_run_group_tests(tests, start, stop);
}
