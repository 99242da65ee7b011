/* submit.h - handing in an application: accepted means durable, once, and readable by nobody on this side.
 * Owns:    nothing that outlives a call.
 * Threads: safe; what two requests with one key do is settled by the writer thread. */
#ifndef INTERNET_SERVICE_SUBMIT_H
#define INTERNET_SERVICE_SUBMIT_H

#include "internet-side/service/core.h"
#include "internet-side/store/guard.h"

struct session;
struct tracking;

#define SUBMIT_TWICE_MS (10 * 60000)

struct submit_request {
    const char *key;                 /* Idempotency-Key; NULL or malformed is refused */
    const char *device;              /* value of the device cookie, NULL when there is none */
    const char *channel;             /* wechat, app, pc */
    const json_t *body;
};
/* *created false: it was accepted before under this key. The reply's body is Receipt. */
int submit_application(struct core *c, struct session *s, const struct submit_request *q, int64_t now_ms, bool *created, struct reply *r,
                       struct err *e);

/* Shared with the supplement (ask.c). */
/* Hash of the key for a purpose, and of the body without its evidence. ERR_INPUT in words when the key is malformed. */
int submit_key(struct submission *out, struct core *c, const struct session *s, const char *purpose, const struct submit_request *q, struct reply *r,
               struct err *e);
/* 1: handed in before under this key, the receipt is in the reply; 0: not; -1: another body under this key, or the database failed. */
int submit_before(const struct submission *k, struct core *c, struct reply *r, struct err *e);
json_t *submit_receipt(struct core *c, const struct tracking *t, int64_t at_ms, int pages);

#endif
