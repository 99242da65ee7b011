/* searches.h - what people looked for and did not find: counted by day and words, carried to the intranet (record `search-report`).
 * Owns:    nothing. Threads: safe.
 * Nothing links a search to a person: no account, no device; the address is only counted against, in memory. */
#ifndef INTERNET_SERVICE_SEARCHES_H
#define INTERNET_SERVICE_SEARCHES_H

#include "ferry/lib/command.h"
#include "internet-side/service/core.h"

/* query: as typed. What query_clean leaves of it is counted; nothing left is no error. ERR_BUSY: too often from this address. */
int searches_note(struct core *c, const char *query, const char *address, int64_t now_ms, struct reply *r, struct err *e);
/* Enqueue everything of the days before today; `all` takes today's as well. *sent: how many different words. */
int searches_carry(struct core *c, bool all, int64_t now_ms, int64_t *sent, struct err *e);

int searches_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);     /* a delivery_verb: carry all of it now */

#endif
