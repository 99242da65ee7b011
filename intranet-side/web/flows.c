/* flows.c - the flows as charts, and scans that a flow asks for. */
#include "intranet-side/service/flowview.h"

#include "intranet-side/service/scans.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/drawing.h"
#include "intranet-side/web/handlers.h"

int web_flows(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = flowview_all(w->core, web_actor(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_flow(struct request *rq, struct response *rs, void *app)
{
    return web_case(rq, rs, app, flowview_case);
}

static int readable(void *imaging, struct bytes bytes, bool *yes, struct err *e)
{
    return drawing_readable(imaging, bytes, yes, e);
}

int web_scan(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    const struct scan_probe probe = {readable, w->imaging};
    int rc = scan_add(w->core, web_actor(rq), request_path_arg(rq, "no"), request_query(rq, "kind"), request_body(rq), w->imaging ? &probe : NULL,
                      request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
