/* http_parts.h - what the files of the HTTP server share; nobody else includes it.
 * Threads: struct http_server is constant after start except `watch`, which has its lock. A struct request belongs to its worker. */
#ifndef COMMON_HTTP_PARTS_H
#define COMMON_HTTP_PARTS_H

#include <civetweb.h>
#include <pthread.h>

#include "common/http.h"

/* --- framing: http_check.c --- */
struct head {                    /* a request head as civetweb split it */
    const char *method, *path;   /* path: raw, without the query */
    const char *query;           /* raw, or NULL */
    const char *version;         /* "1.1" */
    const struct mg_header *headers;
    int nheaders;
};
struct framing {
    int64_t length;              /* Content-Length, -1 if none */
    bool expect;                 /* waits for 100 Continue */
    bool close;                  /* the client will not reuse the connection */
};
/* ERR_INPUT names the rule that the head breaks. */
int check_head(const struct head *h, struct framing *out, struct err *e);
/* civetweb ends names and values in place and drops what it cannot parse; the gaps between them show bare LF, folded lines, blanks before
 * colons and headers beyond the 64th. ri must be civetweb's own. */
int check_layout(const struct mg_request_info *ri, struct err *e);
/* Bounds, alphabet and escapes of a raw path: no control bytes, no dot segments, however they are written. */
int check_path(const char *path, struct err *e);
const char *head_value(const struct head *h, const char *name);      /* first, NULL when absent */

/* --- routes: http_router.c --- */
enum { ROUTE_ARGS_MAX = 8, ROUTE_SEGMENTS_MAX = 16, ALLOW_CAP = 64 };
struct route_arg { const char *name, *value; size_t name_n, value_n; };      /* borrowed from pattern and path */
struct route_match {
    const struct route *route;
    struct route_arg args[ROUTE_ARGS_MAX];
    size_t nargs;
    char allow[ALLOW_CAP];       /* "GET, HEAD" of the path, "" when no route has the path */
};
/* Patterns well formed, names known, no two routes alike. */
int router_check(const struct route *routes, size_t n, struct err *e);
/* Whether some route takes method and path; else m->allow tells 405 from 404. */
bool router_find(const struct route *routes, size_t n, const char *method, const char *path, struct route_match *m);

/* --- query: http_request.c --- */
struct query_arg { const char *name, *value; };
enum { QUERY_MAX = 32 };
struct query { struct query_arg args[QUERY_MAX]; size_t n; };
/* Decode in place: `text` is the caller's copy and lives as long as the query. */
int query_parse(struct query *q, char *text, struct err *e);

/* --- static files: http_static.c --- */
struct static_files;
int static_load(struct static_files **out, const char *dir, struct err *e);
void static_free(struct static_files *s);
/* Answers path if it is a file or a page of the app; false when it is neither. */
bool static_answer(const struct static_files *s, struct request *rq, struct response *rs, const char *path);

/* --- running requests and their deadlines: http_watch.c --- */
struct watched {                 /* one request, on its worker's stack */
    struct watched *prev, *next;
    const struct mg_request_info *ri;
    int64_t deadline_ms;         /* monotonic; 0 = none */
    bool writing;                /* a late writer is cut both ways, a late reader may still be answered */
    bool cut;
};
struct watch {
    pthread_mutex_t lock;        /* guards all below and the listed requests */
    pthread_cond_t changed;
    pthread_t thread;
    struct watched list;         /* ring */
    unsigned running;
    bool draining, ended;
};
int watch_start(struct watch *w, struct err *e);
void watch_drain(struct watch *w, int64_t most_ms);      /* refuse what is new, wait for what runs */
void watch_stop(struct watch *w);
bool watch_enter(struct watch *w, struct watched *it, const struct mg_request_info *ri);   /* false: we are stopping */
void watch_leave(struct watch *w, struct watched *it);
void watch_deadline(struct watch *w, struct watched *it, int64_t in_ms, bool writing);     /* in_ms 0: lift it */

/* --- server, request, response --- */
struct http_server {
    struct http_options opt;
    char *proxy_secret;
    struct mg_context *mg;
    struct static_files *files;
    struct watch watch;
    uint16_t port;
};

struct arena { struct arena *next; };

struct request {
    struct http_server *server;
    struct mg_connection *conn;
    const struct mg_request_info *ri;
    struct watched watched;
    struct head head;
    struct framing framing;
    struct route_match match;
    struct query query;
    char id[7];
    char peer[48];
    int64_t now_ms, start_mono_ms;
    struct arena *arena;
    uint8_t *body;
    size_t body_n;
    int64_t unread;              /* bytes of the body still to come */
    int64_t body_deadline_ms;    /* monotonic, set at the first read; 0 = not begun */
    bool broken;                 /* the body ended early or came too late */
    json_t *json;
    void *session;
    void (*release)(void *);
};

struct response {
    struct request *rq;
    struct buf headers;
    int status;                  /* 0 until answered */
    long retry_s;                /* from Retry-After, else -1 */
    bool own_csp, own_cache, close;
};

int request_begin(struct request *rq, struct http_server *s, struct mg_connection *conn, struct err *e);
/* Read (BODY_JSON, BODY_RAW) what the route wants, refuse what it does not take. */
int request_take_body(struct request *rq, const struct route *route, struct err *e);
/* After the answer: let what is left of a refused body come and forget it, within limits. Closing on unread bytes resets the connection,
 * and who still sends (nginx, a browser) then sees a broken connection (502) instead of the answer. */
void request_discard_body(struct request *rq);
void request_end(struct request *rq);
void response_begin(struct response *rs, struct request *rq);
void response_end(struct response *rs);
void response_page_csp(struct response *rs);     /* the policy of the app's own files instead of the closed one */

#endif
