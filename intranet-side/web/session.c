/* session.c - the guard in front of every handler, and signing in and out. */
#include <string.h>

#include "intranet-side/service/admin.h"
#include "intranet-side/service/auth.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

static int check_csrf(struct request *rq, const struct route *route, const struct actor *a, struct err *e)
{
    if (route->csrf == CSRF_TOKEN && !auth_csrf_equal(a, request_header(rq, "X-CSRF-Token")))
        return err_set(e, ERR_DENIED, "%s: X-CSRF-Token is missing or not this session's", route->path);
    return 0;
}

int web_guard(struct request *rq, const struct route *route, void *app, struct err *e)
{
    struct web *w = app;
    if (route->csrf == CSRF_HEADER) {
        const char *with = request_header(rq, "X-Requested-With");
        return with && strcmp(with, "hz") == 0 ? 0 : err_set(e, ERR_DENIED, "%s: want header X-Requested-With: hz", route->path);
    }
    if (route->auth == AUTH_NONE)
        return 0;
    struct actor *a = request_alloc(rq, sizeof *a);
    if (!a)
        return err_set(e, ERR_FULL, "guard: no memory");
    if (auth_session(w->core, request_cookie(rq), request_peer(rq), request_now_ms(rq), a, e) < 0 ||
        auth_allowed(a, request_method(rq), route->path, e) < 0)
        return -1;
    if (route->auth == AUTH_ROLE && !(route->roles & (uint32_t)a->role))
        return err_set(e, ERR_DENIED, "%s: not for role %s", route->path, role_word(a->role));
    if (check_csrf(rq, route, a, e) < 0)
        return -1;
    request_set_session(rq, a, NULL);
    return 0;
}

int web_health(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    bool fine = admin_health(w->core, request_now_ms(rq), &r);
    return web_send(rs, rq, fine ? 200 : 503, 0, &r, &e);
}

int web_login(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *login = "", *password = "";
    char token[65];
    struct reply r = {0};
    struct err e = {0};
    const struct member m[] = {{"login", MEMBER_TEXT, true, 32, &login, NULL}, {"password", MEMBER_SECRET, true, 128, &password, NULL}};
    if (web_members(rq, rs, m, 2) < 0)
        return -1;
    int rc = auth_login(w->core, login, password, request_peer(rq), request_now_ms(rq), token, &r, &e);
    if (rc == 0)
        response_cookie(rs, token, 0);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_logout(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = auth_logout(w->core, web_actor(rq), request_now_ms(rq), &e);
    if (rc == 0)
        response_cookie(rs, NULL, 0);
    return web_send(rs, rq, 204, rc, &r, &e);
}

int web_password(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *old = "", *new_password = "";
    char token[65];
    struct reply r = {0};
    struct err e = {0};
    const struct member m[] = {{"old", MEMBER_SECRET, true, 512, &old, NULL}, {"new", MEMBER_SECRET, true, 512, &new_password, NULL}};
    if (web_members(rq, rs, m, 2) < 0)
        return -1;
    int rc = auth_password(w->core, web_actor(rq), old, new_password, request_now_ms(rq), token, &r, &e);
    if (rc == 0)
        response_cookie(rs, token, 0);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_me(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = auth_me(w->core, web_actor(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
