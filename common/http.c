/* http.c - the server: civetweb's options, and the way of a request: framing, route, guard, body, handler, log. */
#include "common/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http_parts.h"
#include "common/log.h"

#define DRAIN_MS 30000

/* --- the way of a request --- */

static void refuse_method(struct request *rq, struct response *rs, const char *allow)
{
    response_header(rs, "Allow", allow);
    response_json(rs, 405, json_pack("{s:{s:s, s:s, s:s}}", "error", "code", "input", "message", "这个地址不接受这样的请求", "request", rq->id));
}

static void serve_static(struct request *rq, struct response *rs)
{
    struct err e = {0};
    bool reads = strcmp(rq->head.method, "GET") == 0 || strcmp(rq->head.method, "HEAD") == 0;
    if (reads && rq->unread == 0 && static_answer(rq->server->files, rq, rs, rq->head.path))
        return;
    err_set(&e, ERR_MISSING, "no such path");
    response_error(rs, rq, &e);
}

static void serve_route(struct request *rq, struct response *rs, const struct route *route)
{
    const struct http_options *opt = &rq->server->opt;
    struct err e = {0};
    bool guarded = route->auth != AUTH_NONE || route->csrf != CSRF_NONE;
    if (guarded && !opt->guard)
        err_set(&e, ERR_DENIED, "route wants a guard and there is none");
    /* The guard goes first: who may not call cannot make us read a body. */
    if (e.code || (guarded && opt->guard(rq, route, opt->app, &e) < 0) || request_take_body(rq, route, &e) < 0) {
        response_error(rs, rq, &e);
        return;
    }
    route->handler(rq, rs, opt->app);
    if (rs->status == 0) {
        err_set(&e, ERR_INTERNAL, "handler gave no answer");
        response_error(rs, rq, &e);
    }
}

static void serve(struct request *rq, struct response *rs)
{
    const struct http_options *opt = &rq->server->opt;
    if (router_find(opt->routes, opt->nroutes, rq->head.method, rq->head.path, &rq->match)) {
        for (size_t i = 0; i < rq->match.nargs; i++) {      /* ended in the arena: handlers read C strings */
            struct route_arg *a = &rq->match.args[i];
            char *copy = request_alloc(rq, a->value_n + 1);
            a->value = copy ? memcpy(copy, a->value, a->value_n) : "";
        }
        serve_route(rq, rs, rq->match.route);
    } else if (rq->match.allow[0])
        refuse_method(rq, rs, rq->match.allow);
    else
        serve_static(rq, rs);
}

static void log_request(const struct request *rq, const struct response *rs)
{
    const char *path = rq->match.route ? rq->match.route->path : rs->status < 400 ? "static" : "-";      /* never what the client wrote */
    log_event(rs->status >= 500 ? LOG_WARN : LOG_DEBUG, "request", "id %s method %s path %s status %d ms %lld", rq->id, rq->head.method, path,
              rs->status, (long long)(clock_mono_ms() - rq->start_mono_ms));
}

static int on_begin(struct mg_connection *conn)
{
    struct http_server *s = mg_get_user_data(mg_get_context(conn));
    struct request rq;
    struct response rs;
    struct err e = {0};
    int rc = request_begin(&rq, s, conn, &e);
    bool open = watch_enter(&s->watch, &rq.watched, rq.ri);
    response_begin(&rs, &rq);
    if (!open) {
        rs.close = true;
        err_clear(&e);
        err_set(&e, ERR_UNAVAILABLE, "stopping");
        response_header(&rs, "Retry-After", "5");
        response_error_zh(&rs, &rq, &e, "系统正在重新启动，请稍后再试", NULL);
    } else if (rc < 0) {
        rs.close = true;
        response_error_zh(&rs, &rq, &e, "请求不符合规则", NULL);
    } else
        serve(&rq, &rs);
    log_request(&rq, &rs);
    int status = rs.status ? rs.status : 500;
    response_end(&rs);
    request_discard_body(&rq);
    request_end(&rq);
    watch_leave(&s->watch, &rq.watched);      /* last: http_stop returns when nobody is left, and frees what we used */
    return status;
}

/* What civetweb refuses before it asks us: broken heads, unknown methods, silence. It closes the connection by itself. */
static int on_error(struct mg_connection *conn, int status, const char *text)
{
    static const char body[] = "{\"error\":{\"code\":\"input\",\"message\":\"请求不符合规则\",\"request\":\"000000\"}}";
    char out[512];
    (void)text;
    log_event(LOG_INFO, "request_broken", "status %d", status);
    int n = snprintf(out, sizeof out,
                     "HTTP/1.1 %d Refused\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                     "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s", status, sizeof body - 1, body);
    mg_disable_connection_keep_alive(conn);
    mg_write(conn, out, (size_t)n);
    return 0;
}

static int on_log(const struct mg_connection *conn, const char *message)
{
    if (conn)
        return 1;                /* about one request: may quote what the client wrote; our own lines say what happened */
    log_event(LOG_WARN, "civetweb", "message %s", message);
    return 1;
}

static int on_access(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    (void)message;
    return 1;
}

/* --- start and stop --- */

static int start_civetweb(struct http_server *s, struct err *e)
{
    char ports[64], threads[16];
    const char *const options[] = {
        "listening_ports", ports, "num_threads", threads, "connection_queue", "128", "listen_backlog", "512", "request_timeout_ms", "5000",
        "keep_alive_timeout_ms", "2000", "enable_keep_alive", "yes", "tcp_nodelay", "1", "linger_timeout_ms", "500", "decode_url", "no",
        "enable_directory_listing", "no", "enable_auth_domain_check", "no", "allow_sendfile_call", "no", NULL,
    };
    struct mg_callbacks calls = {0};
    struct mg_server_port bound[2] = {0};
    calls.begin_request = on_begin;
    calls.http_error = on_error;
    calls.log_message = on_log;
    calls.log_access = on_access;
    if (str_fmt(ports, sizeof ports, e, "%s:%u", s->opt.listen ? s->opt.listen : "127.0.0.1", s->opt.port) < 0 ||
        str_fmt(threads, sizeof threads, e, "%u", s->opt.threads ? s->opt.threads : 64) < 0)
        return -1;
    mg_init_library(MG_FEATURES_DEFAULT);
    s->mg = mg_start(&calls, s, (const char **)(uintptr_t)options);      /* the library's type lacks a const */
    if (!s->mg || mg_get_server_ports(s->mg, 2, bound) < 1)
        return err_set(e, ERR_UNAVAILABLE, "http: cannot listen on %s", ports);
    s->port = (uint16_t)bound[0].port;
    return 0;
}

int http_start(struct http_server **out, const struct http_options *opt, struct err *e)
{
    *out = NULL;
    if (router_check(opt->routes, opt->nroutes, e) < 0)
        return -1;
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_INTERNAL, "http: out of memory");
    s->opt = *opt;
    s->proxy_secret = strdup(opt->proxy_secret ? opt->proxy_secret : "");
    if (!s->proxy_secret || static_load(&s->files, opt->static_dir, e) < 0 || watch_start(&s->watch, e) < 0) {
        err_set(e, ERR_INTERNAL, "http: out of memory");
        static_free(s->files);
        free(s->proxy_secret);
        free(s);
        return -1;
    }
    if (start_civetweb(s, e) < 0) {
        http_stop(s);
        return -1;
    }
    log_event(LOG_INFO, "http_started", "port %u routes %zu", s->port, opt->nroutes);
    *out = s;
    return 0;
}

uint16_t http_port(const struct http_server *s) { return s->port; }

void http_stop(struct http_server *s)
{
    if (!s)
        return;
    if (s->mg) {
        watch_drain(&s->watch, DRAIN_MS);      /* civetweb's own stop would cut answers in the middle */
        mg_stop(s->mg);
    }
    watch_stop(&s->watch);
    mg_exit_library();
    static_free(s->files);
    explicit_bzero(s->proxy_secret, strlen(s->proxy_secret));
    free(s->proxy_secret);
    free(s);
}
