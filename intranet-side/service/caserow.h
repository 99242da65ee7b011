/* caserow.h - one row of a list: CaseRow of intranet.yaml. Inside a closure.
 * Owns: nothing. Threads: safe. */
#ifndef INTRANET_SERVICE_CASEROW_H
#define INTRANET_SERVICE_CASEROW_H

#include "intranet-side/service/dossier.h"

/* New reference; the ID number is opened and masked. NULL on failure. */
json_t *caserow_json(struct core *c, struct db_conn *conn, const struct actor *a, const struct case_file *f, int64_t now_ms, struct err *e);
const char *caserow_channel(const char *channel);       /* 微信 APP 电脑 */
const char *caserow_item_name(const struct core *c, const char *item);

#endif
