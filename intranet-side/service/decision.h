/* decision.h - what an officer sends with an action, read and checked against what the transition needs.
 * Owns:    struct decision borrows from the request's JSON. Threads: no shared state. */
#ifndef INTRANET_SERVICE_DECISION_H
#define INTRANET_SERVICE_DECISION_H

#include "intranet-side/domain/workflow.h"
#include "intranet-side/service/dossier.h"

struct decision {
    const char *action, *opinion, *sentence, *rule, *remedy, *date, *level, *confirm_text;     /* "" where absent */
    const json_t *reasons;               /* NULL or array */
    const json_t *completion;            /* NULL or object: what the officer adds to the register (done_*) */
    int64_t version;
    bool unseen_ok;
    const char *rule_text;               /* of the rule picked; set by decision_check */
    const char *rule_remedy, *rule_reason;
};
/* ERR_INPUT with fields for unknown or ill-typed members. */
int decision_read(struct decision *out, const json_t *json, struct reply *r, struct err *e);
/* Everything the transition asks for, and the word check. Findings go to r->fields; ERR_INPUT when one refuses, ERR_CONFLICT when materials are
 * not all here. unreadable: pages that cannot be decoded. */
int decision_check(struct decision *x, struct core *c, const struct dossier *d, const struct wf_transition *t, int64_t unreadable, int64_t now_ms,
                   struct reply *r, struct err *e);
/* The proposed last day for the citizen. */
void decision_propose_date(char out[11], const struct rules *rules, int64_t now_ms);

#endif
