/* web.h - the citizens' API: routes of schemas/openapi/internet.yaml to use cases. A handler parses, calls one use case, sends its reply.
 * Owns:    nothing; struct core is filled by main.c and constant afterwards.
 * Threads: handlers run on the server's workers and share only struct core.
 * Access:  the guard finds the session and checks the CSRF token; whose case it is is the use case's business. */
#ifndef INTERNET_WEB_WEB_H
#define INTERNET_WEB_WEB_H

#include "common/http.h"
#include "internet-side/service/core.h"

const struct route *web_routes(size_t *n);
/* app is struct core. */
int web_guard(struct request *rq, const struct route *route, void *app, struct err *e);

#endif
