/* limiter.h - how often somebody may do something. In memory only: what it knows of people is a hash that dies with the process.
 * Owns:    a fixed table; when it is full the entry longest untouched of a few neighbours makes room.
 * Threads: safe, one lock.
 * Up to LIMITER_EXACT events a window are counted exactly (a ring of times); more are estimated from two windows. */
#ifndef INTERNET_SERVICE_LIMITER_H
#define INTERNET_SERVICE_LIMITER_H

#include "common/bytes.h"

#define LIMITER_EXACT 32u

enum limit { LIMIT_CODE_WAIT, LIMIT_CODE_HOUR, LIMIT_CODE_ADDRESS, LIMIT_CODE_ALL, LIMIT_LOGIN_ADDRESS, LIMIT_CHECK, LIMIT_VERIFY, LIMIT_VERIFY_FAILED,
             LIMIT_SUBMIT, LIMIT_UPLOAD, LIMIT_PART, LIMIT_VIEW, LIMIT_UNLOCK, LIMIT_SEARCH, LIMIT_SEARCH_ALL, LIMIT__COUNT };

struct limiter;
/* scale multiplies every number of the table, for load tests; 1 in service. */
int limiter_open(struct limiter **out, unsigned scale, struct err *e);
void limiter_close(struct limiter *l);
/* Count one event. 0 when it may happen, else the seconds to wait; what was refused is not counted. key: address, account... */
unsigned limiter_take(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms);
/* As limiter_take, but counts nothing. */
unsigned limiter_wait(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms);
/* How many more may happen now. */
unsigned limiter_left(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms);
void limiter_forget(struct limiter *l, enum limit kind, struct bytes key);

#endif
