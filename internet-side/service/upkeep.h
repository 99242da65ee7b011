/* upkeep.h - what happens without a request: expired pages go, guards are pruned, the state of health is found out.
 * Owns:    one thread and the last findings.
 * Threads: safe; upkeep_accepting and upkeep_health read memory only. */
#ifndef INTERNET_SERVICE_UPKEEP_H
#define INTERNET_SERVICE_UPKEEP_H

#include "internet-side/service/core.h"

struct upkeep_options {
    struct core *core;
    const char *data_dir;            /* whose free space is watched */
    uint64_t min_free;               /* bytes; below this nothing more is accepted */
    unsigned every_s;
};

int upkeep_open(struct upkeep **out, const struct upkeep_options *opt, struct err *e);     /* does one round, then starts the thread */
void upkeep_close(struct upkeep *u);                 /* accepts NULL; joins the thread */
/* Whether pages and applications may be taken: the database writes, the disk has room. NULL: yes. */
bool upkeep_accepting(struct upkeep *u);
/* Body of /healthz; true when there is no problem. u may be NULL. */
bool upkeep_health(struct core *c, struct upkeep *u, struct reply *r);
/* One round now; for tests. */
void upkeep_round(struct upkeep *u);

#endif
