/* searches.c - a search that found nothing, said by whoever searched; no session is looked at. */
#include "internet-side/service/searches.h"
#include "internet-side/web/handlers.h"

int web_search_missed(struct request *rq, struct response *rs, void *app)
{
    static const char *const names[] = { "query", NULL };
    const char *v[1];
    struct reply r = {0};
    struct err e = {0};
    if (web_texts(rq, rs, names, v) < 0)
        return -1;
    const int rc = searches_note(app, v[0], request_peer(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 204, rc, &r, &e);
}
