/* search_miss.h - searches that found nothing, by day and words.
 * Owns:    results are the caller's.
 * Threads: every function runs inside a db_write or db_read closure. */
#ifndef INTERNET_STORE_SEARCH_MISS_H
#define INTERNET_STORE_SEARCH_MISS_H

#include "common/db.h"

#define SEARCH_MISS_TEXT 168             /* 40 characters of UTF-8 and a NUL */

struct search_miss { char text[SEARCH_MISS_TEXT]; int64_t count; };

/* Counts one more. A day has room for `most` different words: further ones are dropped, 0 all the same. */
int search_miss_add(struct db_conn *c, const char *day, const char *text, int64_t most, int64_t now_ms, struct err *e);
/* The oldest day with rows, up to and with `upto`. 1, 0 none, -1. */
int search_miss_oldest(char day[11], struct db_conn *c, const char *upto, struct err *e);
/* The first rows of a day, and they are gone. *n at most max. */
int search_miss_take(struct search_miss *out, size_t max, size_t *n, struct db_conn *c, const char *day, struct err *e);

extern const struct db_statements search_miss_statements;

#endif
