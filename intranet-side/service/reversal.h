/* reversal.h - a finished case taken back (POP-61): a business of its own, by a second officer, with its reason.
 * Every row of the register that the case touched goes back to what it was before, as new events that name the old ones: what a case added is
 * taken out again, a paper it issued is void. Refused in words when a later case touched such a row, or when a household would be left without
 * its head. A number that was given stays given.
 * Owns: nothing. Threads: safe; the rows on the writer. */
#ifndef INTRANET_SERVICE_REVERSAL_H
#define INTRANET_SERVICE_REVERSAL_H

#include "intranet-side/service/core.h"

#define REVERSAL_CONFIRM "撤销办结"

/* Inside a write closure: the rows alone. ERR_CONFLICT with r->zh: what stands against it. r may be NULL. */
int reversal_rows(struct core *c, struct db_conn *conn, const char *case_no, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);
/* Why this officer cannot take the case back, in words; "" when he can. Sets *offered: whether it is a matter for him at all (a finished case of
 * his station that changed the register). */
struct case_file;
int reversal_obstacle(struct db_conn *conn, const struct case_file *f, const struct actor *a, bool *offered, char *zh, size_t cap, struct err *e);
/* The use case: reason and the words typed for confirmation. Body: Case. */
int reversal_take(struct core *c, const struct actor *a, const char *no, const char *reason, const char *confirm_text, int64_t now_ms, struct reply *r,
                  struct err *e);

#endif
