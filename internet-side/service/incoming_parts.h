/* incoming_parts.h - what incoming.c and answer.c share. Not for others. */
#ifndef INTERNET_SERVICE_INCOMING_PARTS_H
#define INTERNET_SERVICE_INCOMING_PARTS_H

#include "common/record.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/core.h"
#include "internet-side/store/guard.h"
#include "internet-side/store/tracking.h"

int incoming_time(int64_t *ms, const struct rec_node *n, const char *name, struct err *e);
/* Copy, cut at a whole character when it is longer. */
void incoming_cut(char *out, size_t cap, const char *text);
/* The case the record speaks of; ERR_INPUT when it is not ours or not its item's. */
int incoming_case(struct tracking *t, struct db_conn *c, const struct rec_node *root, const struct in_item *it, struct err *e);
/* One of the four answers. confirmed and refused purge; both only against the hashes of what we sent. */
int incoming_answer(struct db_conn *c, struct core *core, const struct rec_node *root, struct tracking *t, const struct in_item *it, struct err *e);

#endif
