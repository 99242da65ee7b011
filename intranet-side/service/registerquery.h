/* registerquery.h - looking people up in the register. At most 50 rows, nothing without a condition; each query is logged.
 * Owns: nothing. Threads: safe. Bodies as /api/register/persons of intranet.yaml. */
#ifndef INTRANET_SERVICE_REGISTERQUERY_H
#define INTRANET_SERVICE_REGISTERQUERY_H

#include "intranet-side/service/core.h"

/* NULL or "": no condition. ERR_INPUT when none is given or a name is given alone with one character. ERR_BUSY: too many queries in a short time. */
int registerquery_find(struct core *c, const struct actor *a, const char *id_no, const char *name, const char *birth_date,
                       int64_t now_ms, struct reply *r, struct err *e);
int registerquery_person(struct core *c, const struct actor *a, const char *person_id, int64_t now_ms, struct reply *r, struct err *e);

#endif
