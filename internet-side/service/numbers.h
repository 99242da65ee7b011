/* numbers.h - case numbers, each given once: serials are reserved in blocks, a restart skips what is left of one.
 * Owns:    what is left of a block.
 * Threads: safe, one lock, held during the reservation's transaction (once in a block). */
#ifndef INTERNET_SERVICE_NUMBERS_H
#define INTERNET_SERVICE_NUMBERS_H

#include "common/db.h"
#include "internet-side/domain/case_no.h"

struct numbers;
int numbers_open(struct numbers **out, struct db *db, struct err *e);
void numbers_close(struct numbers *n);
/* The next number of the month in Beijing. ERR_FULL: the month is used up. Never gives one number twice. */
int numbers_next(struct case_no *out, struct numbers *n, int64_t now_ms, struct err *e);

/* What is left of a block is not given out: the next number reserves anew. */
void numbers_forget(struct numbers *n);

#endif
