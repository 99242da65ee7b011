/* completion.h - what the officer adds when he finishes (办结信息): checked against what the effect asks for, kept sealed with the case.
 * Owns: nothing. Threads: inside a write closure. */
#ifndef INTRANET_SERVICE_COMPLETION_H
#define INTRANET_SERVICE_COMPLETION_H

#include "intranet-side/domain/workflow.h"
#include "intranet-side/service/dossier.h"

/* given: NULL or the decision's `completion`. A transition that leaves the register alone takes none. Findings per field go to r->fields with
 * ERR_INPUT. What is good stands in the payload afterwards, saved. */
int completion_take(struct core *c, struct db_conn *conn, struct dossier *d, const struct wf_transition *t, const json_t *given, int64_t now_ms,
                    struct reply *r, struct err *e);

#endif
