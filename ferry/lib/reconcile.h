/* reconcile.h - the comparison of the day: after 00:05 (Beijing) each side tells the other what its journal holds of the past day, and the other looks
 * each row up in its own (record kind reconciliation, schemas/xsd/reconciliation.xsd, sealed and signed like every record, at most 5000 rows a part).
 *
 *   told            by its journal of that day                            what the reader's journal must hold, of any day
 *   file out        sent; word acked when it heard so                     received with this hash, unless it was not acked yet
 *   file in         received                                              sent with this hash
 *   item out        sealed; word placed, acked or confirmed               with acked or confirmed: imported with this hash
 *   item in         imported; word applied refused held waiting           sealed with this hash
 * What does not agree is a row of reconcile_difference, counted in status.json (`differences`, warning), until somebody settles it. A list that comes
 * again changes nothing. Source: MON-03, SEC-13, FRY-14. */
#ifndef FERRY_RECONCILE_H
#define FERRY_RECONCILE_H

#include "ferry/lib/command.h"
#include "ferry/lib/delivery.h"

int reconcile_prepare(struct db *db, struct err *e);
/* Clock thread, often: sends the list of yesterday once. */
void reconcile_tick(struct delivery *d, int64_t now_ms);
/* In a closure. */
int reconcile_open(struct db_conn *c, uint64_t *n, struct err *e);
int reconcile_list(struct db_conn *c, int64_t max, json_t *rows, struct err *e);
/* In a closure: a number of the peer's stream came again with other items in it: the peer was put back to an earlier day. A difference of today. */
int reconcile_reused(struct db_conn *c, const char *incarnation, uint64_t number, const char *hash, int64_t now_ms, struct err *e);
/* Verb reconcile {day: 2026-11-23}: sends our list of the day (again), "" = yesterday; {settle: ID | "all", reason}: open differences were looked into. */
int reconcile_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);
/* The handler; app is the struct delivery. Prepared as resync_prepare does. */
int reconcile_apply(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e);

#endif
