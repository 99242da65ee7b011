/* answer.h - what every handler of this folder shares: who acts, the request's JSON, sending a reply.
 * Threads: no shared state. */
#ifndef INTRANET_WEB_ANSWER_H
#define INTRANET_WEB_ANSWER_H

#include "intranet-side/web/web.h"

const struct actor *web_actor(const struct request *rq);             /* never NULL behind a guard */
/* Send what a use case left behind: rc 0 gives `status` with its body (204 when the body is NULL), -1 the error in words. Clears the reply. */
int web_send(struct response *rs, struct request *rq, int status, int rc, struct reply *r, const struct err *e);
/* What a request's object may hold. max: characters. MEMBER_SECRET: any character, and the finding does not repeat it. */
enum member_kind { MEMBER_TEXT, MEMBER_SECRET, MEMBER_FLAG };
struct member {
    const char *name;
    enum member_kind kind;
    bool needed;
    long max;                            /* of a text */
    const char **text;                   /* out, borrowed from the request's JSON; unchanged when absent */
    bool *flag;
};
/* Read the request's object; -1 has sent 400 with a finding for every member that is missing, of another kind, too long or not in the table. */
int web_members(struct request *rq, struct response *rs, const struct member *m, size_t n);
/* A whole number of the query, `fallback` when absent; -1 has sent 400 that names it. */
int web_query_number(struct request *rq, struct response *rs, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out);
int web_query_needed(struct request *rq, struct response *rs, const char *name);      /* -1 has sent 400: the query does not say it */

/* A handler whose use case takes the case number of the path and nothing else. */
typedef int (*case_use)(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
int web_case(struct request *rq, struct response *rs, struct web *w, case_use use);

#endif
