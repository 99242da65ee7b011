/* http_request.c - one request: its head, cookies, query, body, memory. */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/http_parts.h"
#include "common/text.h"

#define BODY_MS 10000
#define STREAM_MS 120000
#define CHUNK 65536
#define JSON_DEPTH 32
#define DISCARD_MAX (4 << 20)    /* twice what nginx lets through */
#define DISCARD_MS 500          /* nginx has the whole body and sends it at once; a direct client that sends none is not waited for */

/* --- begin and end --- */

static bool same_secret(const char *have, const char *want)
{
    struct hash256 a, b;         /* hashed first: equal lengths, and the time tells nothing of where they differ */
    hash_of(&a, bytes_of(have));
    hash_of(&b, bytes_of(want));
    return hash_equal(&a, &b);
}

static void find_peer(struct request *rq)
{
    const char *secret = head_value(&rq->head, "X-Proxy-Secret"), *real = head_value(&rq->head, "X-Real-IP"), *want = rq->server->proxy_secret;
    const char *peer = rq->ri->remote_addr;
    uint8_t binary[16];
    if (want && *want && secret && real && same_secret(secret, want) &&
        (inet_pton(AF_INET, real, binary) == 1 || inet_pton(AF_INET6, real, binary) == 1))
        peer = real;
    size_t n = strnlen(peer, sizeof rq->peer - 1);
    memcpy(rq->peer, peer, n);
    rq->peer[n] = 0;
}

static int take_query(struct request *rq, struct err *e)
{
    if (!rq->head.query)
        return 0;
    size_t n = strlen(rq->head.query);
    char *copy = request_alloc(rq, n + 1);
    if (!copy)
        return err_set(e, ERR_INTERNAL, "query: out of memory");
    memcpy(copy, rq->head.query, n + 1);
    return query_parse(&rq->query, copy, e);
}

int request_begin(struct request *rq, struct http_server *s, struct mg_connection *conn, struct err *e)
{
    const struct mg_request_info *ri = mg_get_request_info(conn);
    uint8_t id[3];
    *rq = (struct request){.server = s, .conn = conn, .ri = ri, .now_ms = clock_wall_ms(), .start_mono_ms = clock_mono_ms()};
    rq->head = (struct head){ri->request_method, ri->request_uri, ri->query_string, ri->http_version, ri->http_headers, ri->num_headers};
    rq->framing = (struct framing){.length = -1, .close = true};
    randombytes_buf(id, sizeof id);
    for (size_t i = 0; i < 6; i++)
        rq->id[i] = "0123456789ABCDEF"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
    find_peer(rq);
    if (check_layout(ri, e) < 0 || check_head(&rq->head, &rq->framing, e) < 0) {
        rq->framing.close = true;
        return -1;
    }
    rq->unread = rq->framing.length > 0 ? rq->framing.length : 0;
    return take_query(rq, e);
}

void request_end(struct request *rq)
{
    if (rq->session && rq->release)
        rq->release(rq->session);
    json_decref(rq->json);
    if (rq->body)
        explicit_bzero(rq->body, rq->body_n);
    free(rq->body);
    for (struct arena *a = rq->arena, *next; a; a = next) {
        next = a->next;
        free(a);
    }
}

void *request_alloc(struct request *rq, size_t n)
{
    if (n > SIZE_MAX - 64)
        return NULL;
    struct arena *a = calloc(1, 16 + n);      /* 16 keeps what follows aligned for every type */
    if (!a)
        return NULL;
    a->next = rq->arena;
    rq->arena = a;
    return (char *)a + 16;
}

/* --- query --- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Form decoding in place; refuses broken escapes, control bytes and what is not UTF-8. */
static int decode(char *s, struct err *e)
{
    char *to = s;
    for (const char *p = s; *p; p++) {
        int c = (unsigned char)*p;
        if (c == '+')
            c = ' ';
        else if (c == '%') {
            int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);
            if (low < 0)
                return err_set(e, ERR_INPUT, "query: broken escape");
            c = high << 4 | low;
            p += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return err_set(e, ERR_INPUT, "query: control byte 0x%02x", (unsigned)c);
        *to++ = (char)c;
    }
    *to = 0;
    return text_length(bytes_of(s)) < 0 ? err_set(e, ERR_INPUT, "query: not UTF-8") : 0;
}

static int query_add(struct query *q, char *pair, struct err *e)
{
    char *value = strchr(pair, '=');
    if (value)
        *value++ = 0;
    else
        value = pair + strlen(pair);
    if (decode(pair, e) < 0 || decode(value, e) < 0)
        return -1;
    if (!*pair || q->n == QUERY_MAX)
        return err_set(e, ERR_INPUT, "query: want named values, at most %d", QUERY_MAX);
    for (size_t i = 0; i < q->n; i++)
        if (strcmp(q->args[i].name, pair) == 0)
            return err_set(e, ERR_INPUT, "query: argument %zu repeats a name", q->n + 1);
    q->args[q->n++] = (struct query_arg){pair, value};
    return 0;
}

int query_parse(struct query *q, char *text, struct err *e)
{
    *q = (struct query){0};
    for (char *pair = text, *next; pair; pair = next) {
        next = strchr(pair, '&');
        if (next)
            *next++ = 0;
        if (*pair && query_add(q, pair, e) < 0)
            return -1;
    }
    return 0;
}

const char *request_query(const struct request *rq, const char *name)
{
    for (size_t i = 0; i < rq->query.n; i++)
        if (strcmp(rq->query.args[i].name, name) == 0)
            return rq->query.args[i].value;
    return NULL;
}

/* --- body --- */

static void start_body(struct request *rq, int64_t ms)
{
    rq->body_deadline_ms = clock_mono_ms() + ms;
    watch_deadline(&rq->server->watch, &rq->watched, ms, false);
    if (rq->framing.expect)
        mg_write(rq->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

/* Fill `into` with n bytes of the body, n <= unread. */
static int read_body(struct request *rq, uint8_t *into, size_t n, struct err *e)
{
    for (size_t at = 0; at < n && !rq->broken;) {
        int got = mg_read(rq->conn, into + at, n - at < CHUNK ? n - at : CHUNK);
        if (got <= 0) {
            rq->broken = true;
            break;
        }
        at += (size_t)got;
        rq->unread -= got;
        if (clock_mono_ms() >= rq->body_deadline_ms && at < n)
            rq->broken = true;
    }
    if (rq->broken || rq->unread == 0)
        watch_deadline(&rq->server->watch, &rq->watched, 0, false);
    return rq->broken ? err_set(e, ERR_INPUT, "body: ended %lld bytes early or came too late", (long long)rq->unread) : 0;
}

int request_read(struct request *rq, uint8_t *into, size_t cap, size_t *got, struct err *e)
{
    size_t n = (uint64_t)rq->unread < cap ? (size_t)rq->unread : cap;
    *got = 0;
    if (rq->broken)
        return err_set(e, ERR_INPUT, "body: is broken");
    if (n == 0)
        return 0;
    if (!rq->body_deadline_ms)
        start_body(rq, STREAM_MS);
    if (read_body(rq, into, n, e) < 0)
        return -1;
    *got = n;
    return 0;
}

void request_discard_body(struct request *rq)
{
    uint8_t waste[1024];         /* small: a worker's stack is */
    int64_t end_ms = clock_mono_ms() + DISCARD_MS;
    if (rq->unread <= 0 || rq->unread > DISCARD_MAX || rq->broken || (rq->framing.expect && !rq->body_deadline_ms))
        return;
    watch_deadline(&rq->server->watch, &rq->watched, DISCARD_MS, false);
    for (int got = 1; got > 0 && rq->unread > 0 && clock_mono_ms() < end_ms; rq->unread -= got > 0 ? got : 0)
        got = mg_read(rq->conn, waste, (uint64_t)rq->unread < sizeof waste ? (size_t)rq->unread : sizeof waste);
    watch_deadline(&rq->server->watch, &rq->watched, 0, false);
    explicit_bzero(waste, sizeof waste);
}

/* jansson goes down 2048 levels by recursion; a worker's stack (100 KB) ends long before. Brackets outside of texts are counted first. */
static int check_depth(struct bytes in, struct err *e)
{
    size_t depth = 0;
    bool text = false;
    for (size_t i = 0; i < in.n; i++) {
        const uint8_t c = in.p[i];
        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '[' || c == '{') && ++depth > JSON_DEPTH)
            return err_set(e, ERR_INPUT, "body: JSON: want at most %d levels", JSON_DEPTH);
        else if (!text && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return 0;
}

static int parse_json(struct request *rq, struct err *e)
{
    json_error_t at;
    if (check_depth((struct bytes){rq->body, rq->body_n}, e) < 0)
        return -1;
    /* No JSON_DECODE_ANY, no JSON_DISABLE_EOF_CHECK, no JSON_ALLOW_NUL: an object or array, then the end, and no U+0000 inside. */
    rq->json = json_loadb((const char *)rq->body, rq->body_n, JSON_REJECT_DUPLICATES, &at);
    if (!rq->json)
        return err_set(e, ERR_INPUT, "body: JSON line %d column %d: code %d", at.line, at.column, (int)json_error_code(&at));
    return 0;
}

static int check_type(const struct request *rq, struct err *e)
{
    const char *type = head_value(&rq->head, "Content-Type");
    size_t n = strlen("application/json");
    if (type && (strncasecmp(type, "application/json", n) != 0 || !strchr("; ", type[n])))
        return err_set(e, ERR_INPUT, "header Content-Type: want application/json");
    return 0;
}

int request_take_body(struct request *rq, const struct route *route, struct err *e)
{
    if ((uint64_t)rq->unread > route->body_max)
        return err_set(e, ERR_TOO_LARGE, "body: want at most %zu bytes, have %lld", route->body_max, (long long)rq->unread);
    if (route->body == BODY_NONE || route->body == BODY_STREAM)
        return 0;
    if (route->body == BODY_JSON && check_type(rq, e) < 0)
        return -1;
    rq->body_n = (size_t)rq->unread;
    rq->body = calloc(1, rq->body_n + 1);
    if (!rq->body)
        return err_set(e, ERR_INTERNAL, "body: out of memory for %zu bytes", rq->body_n);
    if (rq->body_n) {
        start_body(rq, BODY_MS);
        if (read_body(rq, rq->body, rq->body_n, e) < 0)
            return -1;
    }
    return route->body == BODY_JSON ? parse_json(rq, e) : 0;
}

/* --- what handlers ask --- */

const char *request_id(const struct request *rq) { return rq->id; }
const char *request_method(const struct request *rq) { return rq->head.method; }
const char *request_peer(const struct request *rq) { return rq->peer; }
int64_t request_now_ms(const struct request *rq) { return rq->now_ms; }
json_t *request_json(struct request *rq) { return rq->json; }
struct bytes request_body(const struct request *rq) { return (struct bytes){rq->body, rq->body_n}; }
int64_t request_length(const struct request *rq) { return rq->framing.length; }
const char *request_header(const struct request *rq, const char *name) { return head_value(&rq->head, name); }
void *request_session(const struct request *rq) { return rq->session; }

void request_set_session(struct request *rq, void *session, void (*release)(void *))
{
    if (rq->session && rq->release)
        rq->release(rq->session);
    rq->session = session;
    rq->release = release;
}

const char *request_path_arg(const struct request *rq, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < rq->match.nargs; i++) {
        const struct route_arg *a = &rq->match.args[i];
        if (a->name_n == n && memcmp(a->name, name, n) == 0)
            return a->value;
    }
    return NULL;
}

/* The value of cookie `name` in one Cookie header; *n counts how often it stands there. */
static const char *find_cookie(const char *header, const char *name, size_t *len, unsigned *n)
{
    const char *found = NULL;
    size_t k = strlen(name);
    for (const char *p = header; *p;) {
        p += strspn(p, "; ");
        size_t part = strcspn(p, ";");
        if (part > k && p[k] == '=' && memcmp(p, name, k) == 0) {
            found = p + k + 1;
            *len = part - k - 1;
            ++*n;
        }
        p += part;
    }
    return found;
}

const char *request_cookie_named(const struct request *rq, const char *name)
{
    char full[64];
    const char *found = NULL;
    size_t len = 0;
    unsigned n = 0;
    if (str_fmt(full, sizeof full, NULL, "%s%s", rq->server->opt.secure ? "__Host-" : "", name) < 0)
        return NULL;
    for (int i = 0; i < rq->head.nheaders; i++)
        if (strcasecmp(rq->head.headers[i].name, "Cookie") == 0) {
            const char *v = find_cookie(rq->head.headers[i].value, full, &len, &n);
            found = v ? v : found;
        }
    if (n != 1 || len == 0)      /* twice: one of them was planted, and we cannot tell which */
        return NULL;
    char *copy = request_alloc((struct request *)(uintptr_t)rq, len + 1);      /* the arena is no part of what the request says */
    if (copy)
        memcpy(copy, found, len);
    return copy;
}

const char *request_cookie(const struct request *rq) { return request_cookie_named(rq, "hz"); }
