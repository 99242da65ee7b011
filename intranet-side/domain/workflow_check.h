/* workflow_check.h - what the loader refuses in a flow that was read: unknown names, dead ends, ambiguous actions.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTRANET_DOMAIN_WORKFLOW_CHECK_H
#define INTRANET_DOMAIN_WORKFLOW_CHECK_H

#include "intranet-side/domain/workflow.h"

int workflow_check(const struct workflow *w, const char *name, const struct wf_words *words, struct err *e);

#endif
