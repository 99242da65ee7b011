/* decide.h - claim, release, decide, undo, note: one use case, one transaction with its effects, trail and audit entry.
 * Owns:    struct decision borrows from the JSON it was read from.
 * Threads: safe; the writer thread orders what happens to one case. A version given by the caller that is no longer the case's is
 *          ERR_CONFLICT with the holder's name and time. */
#ifndef INTRANET_SERVICE_DECIDE_H
#define INTRANET_SERVICE_DECIDE_H

#include "intranet-side/service/core.h"

/* All take the case number; bodies are Case, except decide (state, internal, undo_until, next) and preview (citizen, sms, findings).
 * decision is the JSON of the request (schema Decision); unknown or ill-typed members are ERR_INPUT with fields. */
int decide_claim(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
int decide_release(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
int decide_preview(struct core *c, const struct actor *a, const char *no, const json_t *decision, int64_t now_ms, struct reply *r,
                   struct err *e);
int decide_take(struct core *c, const struct actor *a, const char *no, const json_t *decision, int64_t now_ms, struct reply *r,
                struct err *e);
int decide_undo(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);
int decide_note(struct core *c, const struct actor *a, const char *no, const char *field, const char *note, int64_t now_ms,
                struct reply *r, struct err *e);

#endif
