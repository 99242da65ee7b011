/* flows.c - the flows as charts, and scans that a flow asks for. */
#include "intranet-side/service/flowview.h"

#include <string.h>

#include "intranet-side/service/core_parts.h"
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

/* A scan that nobody could read later is refused while the paper still lies on the glass. */
int web_scan(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    struct bytes body = request_body(rq);
    bool readable = true;
    int rc = w->imaging && body.n ? drawing_readable(w->imaging, body, &readable, &e) : 0;
    if (rc == 0 && !readable) {
        reply_field(&r, "file", "unreadable", "这个文件打不开，请重新扫描");
        rc = reply_refuse(&r, &e, ERR_INPUT, "scan: cannot be decoded", "只能用完好的 JPG、PNG 或 PDF 文件，这个文件打不开");
    }
    if (rc == 0)
        rc = scan_add(w->core, web_actor(rq), request_path_arg(rq, "no"), request_query(rq, "kind"), body, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
