/* http.h - civetweb behind an exact route table. Loopback only; nginx faces people.
 * Owns:    struct http_server owns civetweb's threads. A request's memory (arena, parsed body) ends with the request.
 * Threads: handlers run on civetweb's workers (64); share only what is constant after start or names its lock.
 * Everything happens in begin_request: framing is checked (Transfer-Encoding with Content-Length, two lengths, signs, bare LF, no or two
 * Hosts, %00, %0d%0a, > 64 headers, dot segments are refused with 400 and the connection is closed); unknown path 404, known path
 * with another method 405 with Allow. Bodies are read by us, bounded by the route and a total deadline (10 s; uploads 120 s).
 * Any Transfer-Encoding is refused: nginx sends bodies with their length. A body that was not read to its end closes the connection.
 * Answer headers always: nosniff, frame-ancestors 'none' CSP, Referrer-Policy no-referrer, Cache-Control no-store (static files differ; a
 * handler may set its own Cache-Control or Content-Security-Policy), header and body written together, tcp_nodelay on.
 * A literal segment of a route goes before {x}. HEAD is served by the GET route. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <jansson.h>

#include "common/bytes.h"

struct request;
struct response;

enum http_auth {                 /* who may call; checked by the app's `guard` before the handler */
    AUTH_NONE,                   /* anybody */
    AUTH_SESSION,                /* a signed-in session */
    AUTH_ROLE                    /* session with one of the roles in the route's mask */
};
enum http_csrf { CSRF_NONE, CSRF_TOKEN, CSRF_HEADER };   /* HEADER: X-Requested-With: hz (before a session exists) */
enum http_body { BODY_NONE, BODY_JSON, BODY_RAW, BODY_STREAM };  /* STREAM: the handler pulls with request_read */

struct route {
    const char *method, *path;   /* "/api/cases/{no}/pages/{id}": {x} matches one segment of [A-Za-z0-9_-]{1,64} */
    enum http_auth auth;
    uint32_t roles;              /* bit mask of the app's roles, AUTH_ROLE only */
    enum http_csrf csrf;
    enum http_body body;
    size_t body_max;
    int (*handler)(struct request *rq, struct response *rs, void *app);   /* 0, or -1 after response_error */
    const char *doc;             /* one line */
};

struct http_options {
    const char *listen;          /* "127.0.0.1" */
    uint16_t port;               /* 0: any; see http_port */
    unsigned threads;            /* workers, default 64 */
    const struct route *routes;
    size_t nroutes;
    /* Called before a handler whose route wants a session, role or CSRF token. Sets the request's session with request_set_session; -1 with
     * ERR_AUTH or ERR_DENIED ends the request. */
    int (*guard)(struct request *rq, const struct route *route, void *app, struct err *e);
    void *app;
    const char *static_dir;      /* built web app or NULL; read into memory at start; /index.html for unknown non-/api GET paths of the SPA */
    bool secure;                 /* public origin is https: adds HSTS, cookies get Secure and the __Host- prefix */
    const char *proxy_secret;    /* X-Real-IP is believed when X-Proxy-Secret equals this; NULL or "": never */
};

struct http_server;
int http_start(struct http_server **out, const struct http_options *opt, struct err *e);
uint16_t http_port(const struct http_server *s);
void http_stop(struct http_server *s);          /* refuses what is new, finishes what is running, then returns; accepts NULL */

/* --- request --- */
const char *request_id(const struct request *rq);                 /* 6 upper hex, also in the log and in answers */
const char *request_method(const struct request *rq);
const char *request_path_arg(const struct request *rq, const char *name);
const char *request_query(const struct request *rq, const char *name);      /* decoded, NULL when absent; a repeated name is refused with 400 before the handler */
const char *request_header(const struct request *rq, const char *name);     /* NULL when absent */
const char *request_cookie(const struct request *rq);             /* our session cookie's value or NULL */
/* As request_cookie for another cookie of ours ("hzd"); the __Host- prefix is added by us where the origin is secure. */
const char *request_cookie_named(const struct request *rq, const char *name);
const char *request_peer(const struct request *rq);               /* client address: X-Real-IP when the shared proxy secret matches, else the socket's */
int64_t request_now_ms(const struct request *rq);
json_t *request_json(struct request *rq);                         /* BODY_JSON: borrowed; duplicate keys and trailing bytes were refused already */
struct bytes request_body(const struct request *rq);              /* BODY_RAW */
int64_t request_length(const struct request *rq);                 /* Content-Length, -1 if none */
/* BODY_STREAM: next bytes, 0 at the end, -1 on a broken or late body. */
int request_read(struct request *rq, uint8_t *into, size_t cap, size_t *got, struct err *e);
void request_set_session(struct request *rq, void *session, void (*release)(void *));   /* release runs when the request ends */
void *request_session(const struct request *rq);
void *request_alloc(struct request *rq, size_t n);                /* arena of the request; NULL when out of memory */

/* --- response: call exactly one of these --- */
int response_json(struct response *rs, int status, json_t *body);                 /* steals the reference */
int response_bytes(struct response *rs, int status, const char *type, struct bytes body);
int response_empty(struct response *rs, int status);
int response_header(struct response *rs, const char *name, const char *value);    /* before; refuses line breaks */
int response_cookie(struct response *rs, const char *value, int64_t max_age_s);   /* sets our session cookie; value NULL deletes it */
int response_cookie_named(struct response *rs, const char *name, const char *value, int64_t max_age_s);   /* max_age_s 0: ends with the browser */
/* {"error":{code,message,request,fields}}: logs e->msg, sends a Chinese sentence for the code (or `zh` if given). Returns -1. */
int response_error(struct response *rs, struct request *rq, const struct err *e);
int response_error_zh(struct response *rs, struct request *rq, const struct err *e, const char *zh, json_t *fields /* stolen, or NULL */);

/* The one map of codes to HTTP statuses. */
int http_status_of(enum err_code code);

#endif
