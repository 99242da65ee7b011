/* caseview.h - from the row of a case to what the contract calls CaseBrief and Case.
 * Owns:    nothing; results are new references.
 * Threads: no shared state. */
#ifndef INTERNET_SERVICE_CASEVIEW_H
#define INTERNET_SERVICE_CASEVIEW_H

#include "internet-side/service/configuration.h"
#include "internet-side/store/tracking.h"

/* Which public state a case shows, with the values of its sentence. */
struct shown { const char *key, *variant; json_t *values; };
/* s: newest round of 补正, round 0 for none. values is a new reference. */
void caseview_shown(struct shown *out, const struct tracking *t, const struct supplement_request *s, const struct edition *d, int64_t now_ms);
json_t *caseview_brief(const struct tracking *t, const struct supplement_request *s, const struct edition *d, int64_t now_ms);
/* events as tracking_events gives them. */
json_t *caseview_full(const struct tracking *t, const struct supplement_request *s, const json_t *events, const struct edition *d, int64_t now_ms);
json_t *caseview_locked(const struct tracking *t);

#endif
