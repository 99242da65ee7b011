/* upkeep.h - what happens by itself: held-back effects leave, changes are shown, supplements expire, SMS go out, configuration is published.
 * Owns:    two threads between upkeep_start and upkeep_stop: a quick one (200 ms) and a slow one for calls to the outside.
 * Threads: upkeep_tick and upkeep_expire may be called by a test instead. */
#ifndef INTRANET_SERVICE_UPKEEP_H
#define INTRANET_SERVICE_UPKEEP_H

#include "intranet-side/service/core.h"

struct upkeep;
int upkeep_start(struct upkeep **out, struct core *c, struct err *e);
void upkeep_stop(struct upkeep *u);

/* Release what is due and show what is committed. */
int upkeep_tick(struct core *c, int64_t now_ms, struct err *e);
/* Supplements whose last day has passed (WFL: supplement_expired). *n: how many. */
int upkeep_expire(struct core *c, int64_t now_ms, unsigned *n, struct err *e);

#endif
