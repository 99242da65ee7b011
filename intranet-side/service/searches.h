/* searches.h - what citizens searched for and did not find: taken in from the internet side (record `search-report`), shown to administrators.
 * Owns: nothing. Threads: safe. No row names anybody; a record that carries a long number is refused whole. */
#ifndef INTRANET_SERVICE_SEARCHES_H
#define INTRANET_SERVICE_SEARCHES_H

#include "ferry/lib/delivery.h"
#include "intranet-side/service/core.h"

int search_report_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
int search_report_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e);
void search_report_discard(void *prepared);

/* from, to: days, "" for 30 days up to today. Body: {"from", "to", "total", "times", "searches": [{"text", "count", "days", "last"}]}, the first 500. */
int searches_list(struct core *c, const struct actor *a, const char *from, const char *to, int64_t now_ms, struct reply *r, struct err *e);
/* All of them as CSV (UTF-8 with its mark); no cell begins as a formula does. Logged. */
int searches_csv(struct buf *out, struct core *c, const struct actor *a, const char *from, const char *to, int64_t now_ms, struct reply *r, struct err *e);

#endif
