/* admin.c - units, accounts, exceptions of intake, configuration. */
#include "intranet-side/service/admin.h"

#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

int web_units(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_units(w->core, web_actor(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_officers(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_officers(w->core, web_actor(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_officer_add(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *login = "", *name = "", *role = "", *unit = "";
    const struct member m[] = {{"login", MEMBER_TEXT, true, 32, &login, NULL}, {"name", MEMBER_TEXT, true, 50, &name, NULL},
                               {"role", MEMBER_TEXT, true, 20, &role, NULL}, {"unit", MEMBER_TEXT, true, 12, &unit, NULL}};
    struct reply r = {0};
    struct err e = {0};
    if (web_members(rq, rs, m, 4) < 0)
        return -1;
    int rc = admin_officer_add(w->core, web_actor(rq), login, name, role, unit, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 201, rc, &r, &e);
}

int web_officer_act(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_officer_act(w->core, web_actor(rq), request_path_arg(rq, "id"), request_path_arg(rq, "act"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_exceptions(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_exceptions(w->core, web_actor(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_exception_retry(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_exception_retry(w->core, web_actor(rq), request_path_arg(rq, "id"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_configuration(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_configuration(w->core, web_actor(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_configuration_items(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = admin_items(w->core, web_actor(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
