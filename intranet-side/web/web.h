/* web.h - the officers' API: routes of schemas/openapi/intranet.yaml to use cases. A handler parses, calls one use case, sends its reply.
 * Owns:    nothing; struct web is filled by main.c and constant afterwards.
 * Threads: handlers run on the server's workers and share only struct web.
 * Access:  the guard signs the request in, checks role and CSRF token; which rows an officer sees is the use case's business (access.h). */
#ifndef INTRANET_WEB_WEB_H
#define INTRANET_WEB_WEB_H

#include "common/child.h"
#include "common/http.h"
#include "intranet-side/service/core.h"

struct web {
    struct core *core;
    struct child_pool *imaging;          /* NULL: the image child is off, pages answer "unavailable" in words */
};

const struct route *web_routes(size_t *n);
int web_guard(struct request *rq, const struct route *route, void *app, struct err *e);

#endif
