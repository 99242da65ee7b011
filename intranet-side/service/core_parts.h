/* core_parts.h - small helpers that the use cases share: audit entries, times, texts out of JSON.
 * Owns: nothing. Threads: as core.h. */
#ifndef INTRANET_SERVICE_CORE_PARTS_H
#define INTRANET_SERVICE_CORE_PARTS_H

#include "intranet-side/domain/rules.h"
#include "intranet-side/service/core.h"
#include "intranet-side/store/log_books.h"

/* Audit row inside a write closure. a NULL: the system. */
int core_audit(struct core *c, struct db_conn *conn, const struct actor *a, int64_t now_ms, const char *act, const char *object,
               const char *result, struct err *e);
/* The same as a transaction of its own. When it cannot be written the use case must not hand anything out. */
int core_audit_now(struct core *c, const struct actor *a, int64_t now_ms, const char *act, const char *object, const char *result,
                   struct err *e);
/* Prepare every statement of this side. */
int core_prepare(struct db *db, struct err *e);
void reply_field(struct reply *r, const char *field, const char *rule, const char *message);
/* The same with what was wanted and what was found; "" where there is nothing to say, or where it is a secret. */
void reply_finding(struct reply *r, const char *field, const char *rule, const char *want, const char *have, const char *message);

void time_text(char out[24], int64_t ms);           /* RFC 3339 */
json_t *json_time(int64_t ms);                      /* "" for 0 */
void today_text(char out[11], int64_t now_ms);      /* Beijing day */
const char *text_of(const json_t *o, const char *key);     /* "" when absent */

#endif
