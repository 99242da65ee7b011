/* register.c - looking people up in the register. */
#include "intranet-side/service/registerquery.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

int web_persons(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = registerquery_find(w->core, web_actor(rq), request_query(rq, "id_no"), request_query(rq, "name"), request_query(rq, "birth_date"),
                                request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_person(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = registerquery_person(w->core, web_actor(rq), request_path_arg(rq, "id"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
