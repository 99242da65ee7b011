/* cases.h - what a citizen sees of his cases: list, one case, and the gate for a new device.
 * Owns:    nothing that outlives a call.
 * Threads: safe.
 * A case of another account answers like one that does not exist. */
#ifndef INTERNET_SERVICE_CASES_H
#define INTERNET_SERVICE_CASES_H

#include "internet-side/service/core.h"
#include "internet-side/store/tracking.h"

struct session;
struct edition;

#define CASES_SLOW_MS (5 * 60000)
#define CASES_TRIES 5
#define CASES_LOCK_MS (24ll * 3600000)

/* device: value of the device cookie, NULL for none. Body: {cases, slow}. */
int cases_list(struct core *c, const struct session *s, const char *device, int64_t now_ms, struct reply *r, struct err *e);
/* Body: Case, or {no, submitted, updated, locked, tries_left} on a device that has not unlocked it. */
int cases_get(struct core *c, const struct session *s, const char *device, const char *no, int64_t now_ms, struct reply *r, struct err *e);
/* Compare the last four characters; five wrong tries lock the case for 24 h. Without a device cookie nothing can be remembered: ERR_INPUT. */
int cases_unlock(struct core *c, const struct session *s, const char *device, const char *no, const char *last4, int64_t now_ms, struct reply *r,
                 struct err *e);

/* The session's own case, unlocked on this device, for use cases that change it. ERR_MISSING or ERR_DENIED in words. *t wants tracking_clear. */
int cases_own(struct tracking *t, struct core *c, const struct session *s, const char *device, const char *no, struct reply *r, struct err *e);
/* Whether it can be withdrawn as it stands. */
bool cases_withdrawable(const struct tracking *t, const struct edition *d, int64_t now_ms);
/* Whether a supplement that was asked for is past its day. */
bool cases_overdue(const char *deadline, int64_t now_ms);

#endif
