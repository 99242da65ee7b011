/* caselist.h - the read models of lists: desk, 待办/在办/已办, what changed.
 * Owns: nothing. Threads: safe. Bodies are shaped as /api/desk, /api/cases, /api/changes of intranet.yaml. */
#ifndef INTRANET_SERVICE_CASELIST_H
#define INTRANET_SERVICE_CASELIST_H

#include "intranet-side/service/core.h"

struct case_query {
    const char *view;       /* "todo" "doing" "done" */
    const char *item;       /* NULL or "": any; the same below */
    const char *state, *q, *mine, *sort;
    unsigned page, size;    /* from 1; 0 means 1 and 20 */
};
int caselist_find(struct core *c, const struct actor *a, const struct case_query *q, int64_t now_ms, struct reply *r, struct err *e);
int caselist_desk(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);
/* From memory; counts are read again only when something changed for this viewer. */
int caselist_changes(struct core *c, const struct actor *a, uint64_t since, int64_t now_ms, struct reply *r, struct err *e);
/* Claim the next case by clock (F9). ERR_MISSING "没有可领取的件". Body: {"no"}. */
int caselist_next(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);

#endif
