/* ask.h - what a citizen may still ask of a case that was handed in: withdraw it, or hand in what 补正 asked for.
 * The intranet decides both by the state the case has there; here they are accepted, durable and in order.
 * Owns:    nothing that outlives a call.
 * Threads: safe. */
#ifndef INTERNET_SERVICE_ASK_H
#define INTERNET_SERVICE_ASK_H

#include "internet-side/service/submit.h"

/* body: {reason?}. The reply's body is Case. Repeating changes nothing. ERR_CONFLICT when it cannot be withdrawn any more. */
int ask_withdraw(struct core *c, struct session *s, const char *device, const char *no, const json_t *body, int64_t now_ms, struct reply *r,
                 struct err *e);
/* Only asked slots and fields are taken, all of them must be there; late is ERR_CONFLICT. The reply's body is Receipt. */
int ask_supplement(struct core *c, struct session *s, const char *no, const struct submit_request *q, int64_t now_ms, bool *created, struct reply *r,
                   struct err *e);

#endif
