/* session.c - the guard in front of every handler, signing in and out, health. */
#include <string.h>

#include "internet-side/service/login.h"
#include "internet-side/service/upkeep.h"
#include "internet-side/web/handlers.h"

#define YEAR_S (365ll * 86400)

int web_guard(struct request *rq, const struct route *route, void *app, struct err *e)
{
    struct core *c = app;
    if (route->csrf == CSRF_HEADER) {
        const char *with = request_header(rq, "X-Requested-With");
        return with && strcmp(with, "hz") == 0 ? 0 : err_set(e, ERR_DENIED, "%s: want header X-Requested-With: hz", route->path);
    }
    if (route->auth == AUTH_NONE)
        return 0;
    struct session *s = session_find(c->sessions, request_cookie(rq), request_now_ms(rq));
    if (!s)
        return err_set(e, ERR_AUTH, "%s: want a session, have none", route->path);
    request_set_session(rq, s, session_release);
    if (route->csrf == CSRF_TOKEN && !session_csrf_equal(s, request_header(rq, "X-CSRF-Token")))
        return err_set(e, ERR_DENIED, "%s: X-CSRF-Token is missing or not this session's", route->path);
    return 0;
}

int web_health(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    struct reply r = {0};
    struct err e = {0};
    const bool fine = upkeep_health(c, c->upkeep, &r);
    return web_send(rs, rq, fine ? 200 : 503, 0, &r, &e);
}

int web_session_get(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    struct reply r = {0};
    struct err e = {0};
    struct session *s = session_find(c->sessions, request_cookie(rq), request_now_ms(rq));
    if (!web_device(rq)) {
        struct id128 device;
        id_random(&device);
        response_cookie_named(rs, WEB_DEVICE_COOKIE, device.s, YEAR_S);
    }
    const int rc = login_session_body(c, s, request_now_ms(rq), &r, &e);
    session_release(s);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_login_code(struct request *rq, struct response *rs, void *app)
{
    static const char *const names[] = { "phone", NULL };
    const char *v[1];
    struct reply r = {0};
    struct err e = {0};
    if (web_texts(rq, rs, names, v) < 0)
        return -1;
    const int rc = login_send_code(app, v[0], request_peer(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_login(struct request *rq, struct response *rs, void *app)
{
    static const char *const names[] = { "phone", "code", NULL };
    struct core *c = app;
    const char *v[2];
    char token[65];
    struct session *s = NULL;
    struct reply r = {0};
    struct err e = {0};
    if (web_texts(rq, rs, names, v) < 0)
        return -1;
    int rc = login_enter(&s, token, c, v[0], v[1], request_peer(rq), request_now_ms(rq), &r, &e);
    if (rc == 0) {
        struct session *old = session_find(c->sessions, request_cookie(rq), request_now_ms(rq));
        if (old)
            session_end(old);
        session_release(old);
        response_cookie(rs, token, 0);
        rc = login_session_body(c, s, request_now_ms(rq), &r, &e);
    }
    explicit_bzero(token, sizeof token);
    session_release(s);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_logout(struct request *rq, struct response *rs, void *app)
{
    (void)app;
    session_end(web_session(rq));
    response_cookie(rs, NULL, 0);
    return response_empty(rs, 204);
}
