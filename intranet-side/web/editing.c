/* editing.c - the configuration edited by administrators. */
#include "intranet-side/service/editing.h"

#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

static const char *region_of(const struct request *rq)
{
    const char *region = request_query(rq, "region");
    return region ? region : "";
}

int web_editing_items(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_items(w->core, web_actor(rq), region_of(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_item(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_item(w->core, web_actor(rq), request_path_arg(rq, "code"), region_of(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_preview(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_preview(w->core, web_actor(rq), request_json(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_list(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_list(w->core, web_actor(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_add(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_add(w->core, web_actor(rq), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 201, rc, &r, &e);
}

int web_editing_get(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_get(w->core, web_actor(rq), request_path_arg(rq, "id"), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_save(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_save(w->core, web_actor(rq), request_path_arg(rq, "id"), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_act(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_act(w->core, web_actor(rq), request_path_arg(rq, "id"), request_path_arg(rq, "act"), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_editing_restore(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = editing_restore(w->core, web_actor(rq), request_path_arg(rq, "version"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 201, rc, &r, &e);
}
