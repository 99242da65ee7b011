/* http_app.c - see http_app.h. */
#include "tests/unit/http_app.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

struct http_server *server, *secure_server;
atomic_int calls, released;

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

const struct route app_routes[] = {
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
const size_t napp_routes = sizeof app_routes / sizeof app_routes[0];

/* --- a client that sends what it is told --- */

int dial(const struct http_server *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(s)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void send_all(int fd, const void *p, size_t n)
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

void take(int fd, struct answer *a, bool bodyless)
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

struct answer ask_bytes(const struct http_server *s, const void *p, size_t n)
{
    static struct answer a;
    int fd = dial(s);
    send_all(fd, p, n);
    take(fd, &a, n > 5 && memcmp(p, "HEAD ", 5) == 0);
    a.closed = strstr(a.head, "Connection: close") && at_end(fd, 1500);
    close(fd);
    return a;
}
struct answer ask(const char *text) { return ask_bytes(server, text, strlen(text)); }

bool has(const struct answer *a, const char *header) { return strstr(a->head, header) != NULL; }

struct answer post(const char *path, const char *headers, const void *body, size_t n)
{
    struct buf b;
    buf_init(&b, 0);
    buf_fmt(&b, "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", path, headers, n);
    buf_put(&b, body, n);
    struct answer a = ask_bytes(server, b.p, b.n);
    buf_clear(&b);
    return a;
}

/* --- start and stop --- */

static void put_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (file_write_path(path, bytes_of(text), 0600, &e) < 0)
        fail_msg("%s", e.msg);
}

static char app_dir[] = "/tmp/test_http_XXXXXX";

int app_start(void **state)
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
        .listen = "127.0.0.1", .threads = 4, .routes = app_routes, .nroutes = napp_routes, .guard = guard, .app = &calls,
        .static_dir = app_dir, .proxy_secret = "s3cret",
    };
    if (http_start(&server, &opt, &e) < 0)
        return -1;
    opt.secure = true;
    opt.static_dir = "/nonexistent";
    opt.proxy_secret = "";
    return http_start(&secure_server, &opt, &e);
}

int app_stop(void **state)
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
