/* incoming.h - what the intranet says: answers, states, what is missing, new rules. Handlers of the delivery.
 * Owns:    prepared records until they are discarded.
 * Threads: prepare runs on the delivery's receiver, apply inside its transaction.
 * A record that makes no sense (unknown case, another hash) is refused and purges nothing; one that needs rules we do not have yet is held. */
#ifndef INTERNET_SERVICE_INCOMING_H
#define INTERNET_SERVICE_INCOMING_H

#include "ferry/lib/delivery.h"
#include "internet-side/service/core.h"

/* answer, status, supplement-request, configuration; app is struct core. */
const struct delivery_handler *incoming_handlers(size_t *n);
/* For delivery_options.resynced; app is the struct core. TOP: no case number up to this one is given out any more. The rest is not ours to say. */
int incoming_realign(struct db_conn *c, void *core, const char *case_no, enum resync_why why, int64_t now_ms, struct err *e);

#endif
