/* flowview.h - flows as data for a chart (WFL-04): states by phase, transitions with who may take them; for a case also where it stands and stood.
 * Owns: nothing. Threads: safe. */
#ifndef INTRANET_SERVICE_FLOWVIEW_H
#define INTRANET_SERVICE_FLOWVIEW_H

#include "intranet-side/service/core.h"

/* {flows: [Flow]}: every flow in force, in the order of their numbers. */
int flowview_all(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);
/* {flow: Flow, state, passed: [state]}: of one case that the officer may see. Before the first claim the variant is that of his own role. */
int flowview_case(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e);

#endif
