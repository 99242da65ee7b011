/* http_response.c - the one writer of answers: head and body in one write, headers that are always there, errors in one shape. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/http_parts.h"
#include "common/log.h"

#define WRITE_MS 120000
#define HEADERS_CAP 16384

static const char closed_csp[] = "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
static const char page_csp[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n";
static const char always[] =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(self), geolocation=(), microphone=(), payment=(), usb=()\r\n";

static const char *reason(int status)
{
    static const struct { int status; const char *words; } known[] = {
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"}, {303, "See Other"},
        {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {408, "Request Timeout"}, {409, "Conflict"}, {412, "Precondition Failed"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"}, {429, "Too Many Requests"}, {500, "Internal Server Error"}, {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].words;
    return "Status";
}

int http_status_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE: return 200;
    case ERR_INPUT: return 400;
    case ERR_AUTH: return 401;
    case ERR_DENIED: return 403;
    case ERR_MISSING: return 404;
    case ERR_CONFLICT: return 409;
    case ERR_TOO_LARGE: return 413;
    case ERR_BUSY: return 429;
    case ERR_FULL: return 507;
    case ERR_UNAVAILABLE: return 503;
    case ERR_CORRUPT:
    case ERR_HELD:
    case ERR_INTERNAL: break;
    }
    return 500;
}

void response_begin(struct response *rs, struct request *rq)
{
    *rs = (struct response){.rq = rq, .retry_s = -1};
    buf_init(&rs->headers, HEADERS_CAP);
}

void response_end(struct response *rs) { buf_clear(&rs->headers); }

void response_page_csp(struct response *rs)
{
    buf_str(&rs->headers, page_csp);
    rs->own_csp = true;
}

int response_header(struct response *rs, const char *name, const char *value)
{
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(name))
        return -1;
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return -1;           /* a line break here would let a value write headers of its own */
    rs->own_csp |= strcasecmp(name, "Content-Security-Policy") == 0;
    rs->own_cache |= strcasecmp(name, "Cache-Control") == 0;
    if (strcasecmp(name, "Retry-After") == 0)
        rs->retry_s = strtol(value, NULL, 10);
    buf_fmt(&rs->headers, "%s: %s\r\n", name, value);
    return rs->headers.bad ? -1 : 0;
}

int response_cookie_named(struct response *rs, const char *name, const char *value, int64_t max_age_s)
{
    bool secure = rs->rq->server->opt.secure;
    char age[40] = "";
    for (const char *p = value ? value : ""; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || strchr("\",;\\", *p))
            return -1;
    if (!value)
        str_fmt(age, sizeof age, NULL, "; Max-Age=0");
    else if (max_age_s > 0)
        str_fmt(age, sizeof age, NULL, "; Max-Age=%lld", (long long)max_age_s);
    buf_fmt(&rs->headers, "Set-Cookie: %s%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s\r\n", secure ? "__Host-" : "", name, value ? value : "",
            secure ? "; Secure" : "", age);
    return rs->headers.bad ? -1 : 0;
}

int response_cookie(struct response *rs, const char *value, int64_t max_age_s) { return response_cookie_named(rs, "hz", value, max_age_s); }

static void put_date(struct buf *out)
{
    char text[40];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);      /* the C locale: nobody calls setlocale */
    buf_fmt(out, "Date: %s\r\n", text);
}

static void put_head(struct buf *out, const struct response *rs, int status, const char *type, size_t n)
{
    const struct request *rq = rs->rq;
    buf_fmt(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
    put_date(out);
    buf_fmt(out, "X-Request-Id: %s\r\n", rq->id);
    if (type)
        buf_fmt(out, "Content-Type: %s\r\n", type);
    if (status != 204 && status != 304)
        buf_fmt(out, "Content-Length: %zu\r\n", n);
    if (!rs->own_cache)
        buf_str(out, "Cache-Control: no-store\r\n");
    if (!rs->own_csp)
        buf_str(out, closed_csp);
    buf_str(out, always);
    if (rq->server->opt.secure)
        buf_str(out, "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n");
    buf_put(out, rs->headers.p, rs->headers.n);
    buf_str(out, rs->close ? "Connection: close\r\n\r\n" : "\r\n");
}

/* Must the connection end after this answer? A body that was not read to its end would be taken for the next request. */
static bool must_close(const struct response *rs)
{
    const struct request *rq = rs->rq;
    return rs->close || rq->framing.close || rq->broken || rq->unread > 0;
}

static int send_answer(struct response *rs, int status, const char *type, struct bytes body)
{
    struct request *rq = rs->rq;
    struct buf out;
    if (rs->status) {
        log_event(LOG_ERROR, "answered_twice", "request %s first %d second %d", rq->id, rs->status, status);
        return -1;
    }
    rs->close = must_close(rs);
    rs->status = status;
    bool bodyless = status == 204 || status == 304 || strcmp(rq->head.method, "HEAD") == 0;
    buf_init(&out, body.n + 2 * HEADERS_CAP);
    put_head(&out, rs, status, type, body.n);
    if (!bodyless)
        buf_put(&out, body.p, body.n);
    int rc = rs->headers.bad || out.bad ? -1 : 0;
    watch_deadline(&rq->server->watch, &rq->watched, WRITE_MS, true);
    if (rc < 0 || mg_write(rq->conn, out.p, out.n) != (int)out.n) {
        rs->close = true;        /* a half answer must not be followed by another */
        rc = -1;
    }
    watch_deadline(&rq->server->watch, &rq->watched, 0, true);
    if (rs->close)
        mg_disable_connection_keep_alive(rq->conn);
    buf_wipe(&out);
    return rc;
}

int response_bytes(struct response *rs, int status, const char *type, struct bytes body) { return send_answer(rs, status, type, body); }
int response_empty(struct response *rs, int status) { return send_answer(rs, status, NULL, (struct bytes){0}); }

int response_json(struct response *rs, int status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text) {
        struct err e = {0};
        err_set(&e, ERR_INTERNAL, "answer: JSON could not be written");
        return response_error(rs, rs->rq, &e);
    }
    int rc = send_answer(rs, status, "application/json; charset=utf-8", bytes_of(text));
    explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

/* --- errors --- */

static const char *default_zh(enum err_code code)
{
    switch (code) {
    case ERR_INPUT: return "填写的内容有误，请核对";
    case ERR_AUTH: return "登录已过期，请重新登录";
    case ERR_DENIED: return "您没有权限这样做";
    case ERR_MISSING: return "没有找到";
    case ERR_CONFLICT: return "内容已被更改，请刷新";
    case ERR_TOO_LARGE: return "内容太大";
    case ERR_BUSY: return "操作太频繁，请稍后再试";
    case ERR_FULL: return "系统暂停受理，请稍后再试";
    case ERR_UNAVAILABLE: return "外部系统暂时没有回应，请稍后再试";
    case ERR_NONE:
    case ERR_CORRUPT:
    case ERR_HELD:
    case ERR_INTERNAL: break;
    }
    return "没有办成，是我们的问题，请稍后再试。编号 %REQ%";
}

static void log_refusal(const struct request *rq, const struct err *e)
{
    int status = http_status_of(e->code);
    enum log_level level = status < 500 ? LOG_INFO : e->code == ERR_UNAVAILABLE ? LOG_WARN : LOG_ERROR;
    log_event(level, "request_error", "id %s route %s code %s error %s", rq->id, rq->match.route ? rq->match.route->path : "-", err_word(e->code),
              e->msg);
}

/* %REQ% in the sentence becomes the request's number. */
static json_t *sentence(const char *zh, const char *id)
{
    struct buf b;
    const char *at = strstr(zh, "%REQ%");
    buf_init(&b, 0);
    buf_put(&b, zh, at ? (size_t)(at - zh) : strlen(zh));
    if (at) {
        buf_str(&b, id);
        buf_str(&b, at + 5);
    }
    json_t *s = json_string(buf_text(&b));
    buf_clear(&b);
    return s ? s : json_string("没有办成，请稍后再试");      /* a sentence that is not UTF-8 */
}

int response_error_zh(struct response *rs, struct request *rq, const struct err *e, const char *zh, json_t *fields)
{
    int status = http_status_of(e->code == ERR_NONE ? ERR_INTERNAL : e->code);
    const char *word = status == 500 ? "internal" : err_word(e->code);
    log_refusal(rq, e);
    if (rs->status) {
        json_decref(fields);
        return -1;
    }
    json_t *error = json_pack("{s:s, s:o, s:s}", "code", word, "message", sentence(zh ? zh : default_zh(e->code), rq->id), "request", rq->id);
    if (fields)
        json_object_set_new(error, "fields", fields);
    if (rs->retry_s >= 0)
        json_object_set_new(error, "retry_s", json_integer(rs->retry_s));
    json_t *body = json_pack("{s:o}", "error", error);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    send_answer(rs, status, "application/json; charset=utf-8", bytes_of(text ? text : "{\"error\":{\"code\":\"internal\"}}"));
    free(text);
    return -1;
}

int response_error(struct response *rs, struct request *rq, const struct err *e) { return response_error_zh(rs, rq, e, NULL, NULL); }
