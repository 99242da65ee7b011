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

#endif
