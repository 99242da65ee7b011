/* answer.h - what every handler of this folder shares: who acts, the request's JSON, sending a reply.
 * Threads: no shared state. */
#ifndef INTRANET_WEB_ANSWER_H
#define INTRANET_WEB_ANSWER_H

#include "intranet-side/web/web.h"

const struct actor *web_actor(const struct request *rq);             /* never NULL behind a guard */
/* Send what a use case left behind: rc 0 gives `status` with its body (204 when the body is NULL), -1 the error in words. Clears the reply. */
int web_send(struct response *rs, struct request *rq, int status, int rc, struct reply *r, const struct err *e);
/* json_unpack_ex in strict mode; -1 has sent 400 that names the member. */
int web_unpack(struct request *rq, struct response *rs, const char *format, ...);
/* A whole number of the query, `fallback` when absent; -1 has sent 400. */
int web_query_number(struct request *rq, struct response *rs, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out);

/* A handler whose use case takes the case number of the path and nothing else. */
typedef int (*case_use)(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
int web_case(struct request *rq, struct response *rs, struct web *w, case_use use);

#endif
