/* reports.c - figures that name nobody. */
#include "intranet-side/service/searches.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

#define CSV_MAX ((size_t)16 << 20)

static const char *query_or_empty(struct request *rq, const char *name)
{
    const char *v = request_query(rq, name);
    return v ? v : "";
}

int web_searches(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = searches_list(w->core, web_actor(rq), query_or_empty(rq, "from"), query_or_empty(rq, "to"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_searches_csv(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    struct buf csv;
    buf_init(&csv, CSV_MAX);
    int rc = searches_csv(&csv, w->core, web_actor(rq), query_or_empty(rq, "from"), query_or_empty(rq, "to"), request_now_ms(rq), &r, &e);
    if (rc < 0)
        rc = web_send(rs, rq, 200, rc, &r, &e);
    else {
        response_header(rs, "Content-Disposition", "attachment; filename=\"searches.csv\"");
        rc = response_bytes(rs, 200, "text/csv; charset=utf-8", buf_bytes(&csv));
    }
    buf_clear(&csv);
    return rc;
}
