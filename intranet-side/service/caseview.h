/* caseview.h - the case page and what stands beside it.
 * Owns: nothing. Threads: safe. Reading personal data is written to the audit trail before the body is handed out. */
#ifndef INTRANET_SERVICE_CASEVIEW_H
#define INTRANET_SERVICE_CASEVIEW_H

#include "intranet-side/service/core.h"

/* Body: Case. Logged as a reading unless quiet (the body after the actor's own act). */
int caseview_get(struct core *c, const struct actor *a, const char *no, bool quiet, int64_t now_ms, struct reply *r, struct err *e);
/* Body: Effect: what finishing would change in the register, and what stands against it. */
/* completion: NULL, or values the officer has typed so far; nothing is kept. */
int caseview_effect_with(struct core *c, const struct actor *a, const char *no, const json_t *completion, int64_t now_ms, struct reply *r, struct err *e);
int caseview_effect(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
/* Body of /api/reasons/{item}. */
int caseview_reasons(struct core *c, const struct actor *a, const char *item, int64_t now_ms, struct reply *r, struct err *e);
/* One masked value in full, logged with its purpose. Exactly one of no and person is given (the other NULL); field as in Row. Body: {"value"}. */
int caseview_reveal(struct core *c, const struct actor *a, const char *no, const char *person, const char *field, const char *purpose,
                    int64_t now_ms, struct reply *r, struct err *e);

#endif
