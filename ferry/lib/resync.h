/* resync.h - two sides find together again after one of them lost part of its memory: restored from an older backup, or emptied.
 *
 * The side that forgot (X) is told to by its operator (verb resync; a peer that acknowledges numbers we never gave out stops us until then). X reads its
 * vault again, where it has one, draws a new incarnation, queues again whatever was not confirmed, and asks the peer (Y) case by case, a page at a
 * time: "of this case I remember your places up to in, mine up to out". Y queues again every record it still keeps above `in` and every retained
 * one, names the places that will never come (gone), and its own last settled place, so that X gives none out twice. What X forgot altogether is told
 * anew by the application (delivery_options.resynced). Nothing is applied twice: items are known by their ids.
 *
 *   state of X      rows                                              ends by
 *   stopped         delivery_stream.state = stopped                   the operator's resync
 *   resync, part 0  the vault is read again (receiver thread)         resync_advance: new incarnation, first question queued
 *   resync, part n  question n is open                                its answer: question n + 1, or the end
 *   ''              -                                                 -
 * Killed anywhere, the next start goes on from the row. Asked again, it begins again. Source: design, Delivery; FRY-14, IMP-05. */
#ifndef FERRY_RESYNC_H
#define FERRY_RESYNC_H

#include <jansson.h>

#include "ferry/lib/delivery.h"

/* The operator's verb: notes that a resync is wanted, *answer says so. Any thread. */
int resync_begin(struct delivery *d, json_t *answer, struct err *e);
/* Receiver thread, before it reads its inbox: does what part 0 wants. */
int resync_advance(struct delivery *d, struct err *e);

/* Handlers of the records resync-ask and resync-answer; app is the struct delivery. */
int resync_prepare(void *delivery, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
int resync_apply_ask(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e);
int resync_apply_answer(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e);
void resync_discard(void *prepared);

#endif
