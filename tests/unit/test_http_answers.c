/* What the HTTP server says: guard, cookies, client address, headers, errors, files of the app; start and stop. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/http_app.h"

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
        struct route table[2] = {{.method = bad[i].method, .path = bad[i].path, .body = bad[i].body, .body_max = bad[i].max, .handler = app_routes[0].handler}};
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
    struct http_options opt = {.listen = "127.0.0.1", .threads = 4, .routes = app_routes, .nroutes = napp_routes};
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_before_the_body), cmocka_unit_test(reads_cookies), cmocka_unit_test(writes_cookies),
        cmocka_unit_test(believes_the_proxy_alone), cmocka_unit_test(answers_carry_their_headers), cmocka_unit_test(errors_speak_chinese),
        cmocka_unit_test(a_handler_without_answer_is_our_fault), cmocka_unit_test(serves_the_app),
        cmocka_unit_test(unchanged_files_are_not_sent_again), cmocka_unit_test(refuses_a_bad_table),
        cmocka_unit_test(says_when_the_port_is_taken), cmocka_unit_test(stop_finishes_what_runs),
    };
    log_open("test_http_answers", LOG_ERROR);
    return cmocka_run_group_tests(tests, app_start, app_stop);
}
