/* identity.h - the gate before submitting: identity and live face, answered and signed by a provider, bound to what is handed in.
 * Owns:    nothing; evidence goes into the session.
 * Threads: safe. */
#ifndef INTERNET_SERVICE_IDENTITY_H
#define INTERNET_SERVICE_IDENTITY_H

#include "internet-side/service/core.h"

struct session;

/* body of POST /api/identity/verify. The face picture is in memory for the call alone. Three failures end the attempts for 30 minutes;
 * ERR_UNAVAILABLE after 5 s in words: nothing of the draft is touched. */
int identity_verify(struct core *c, struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e);

#endif
