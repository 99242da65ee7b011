/* search_report.h - what citizens searched for and did not find, by day and words.
 * Owns: nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_SEARCH_REPORT_H
#define INTRANET_STORE_SEARCH_REPORT_H

#include "common/db.h"

int search_report_add(struct db_conn *c, const char *day, const char *text, int64_t count, struct err *e);
/* Days before this one go. */
int search_report_prune(struct db_conn *c, const char *before, struct err *e);

struct search_report_row { const char *text, *last; int64_t count, days; };     /* borrowed for the call */
typedef int (*search_report_fn)(const struct search_report_row *r, void *arg, struct err *e);
/* Of the days from..to (both inclusive), the most searched first. *total: different words, *times: all searches. */
int search_report_each(struct db_conn *c, const char *from, const char *to, int64_t limit, search_report_fn fn, void *arg, struct err *e);
int search_report_sum(struct db_conn *c, const char *from, const char *to, int64_t *total, int64_t *times, struct err *e);

extern const struct db_statements search_report_statements;

#endif
