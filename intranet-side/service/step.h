/* step.h - one transition carried out: state, effects, trail, audit, what will leave the house. Called inside the write closure of a use case, so that
 * all of it commits together or not at all.
 * Owns:    struct step borrows everything. Threads: the writer's. */
#ifndef INTRANET_SERVICE_STEP_H
#define INTRANET_SERVICE_STEP_H

#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/workflow.h"
#include "intranet-side/service/dossier.h"

struct step {
    struct core *c;
    struct db_conn *conn;
    struct dossier *d;
    const struct actor *a;               /* NULL: the system */
    const struct wf_transition *t;
    /* What was decided; "" or NULL where nothing was said. */
    const char *opinion, *sentence, *rule_text, *remedy, *date, *level;
    const json_t *reasons;               /* [{material?, field?, kind?, text}] */
    bool undoable;                       /* hold status and SMS back for core->undo_s */
    int64_t now_ms;
    char result[512];                    /* out: what happened to the register, in words */
};
/* Carry it out; d->f is the case afterwards. ERR_CONFLICT with r->zh: an obstacle in the register. */
int step_apply(struct step *s, struct reply *r, struct err *e);
/* The same for the system by the action's name; does nothing and returns 0 with *done false when the state has no such action. */
int step_system(struct core *c, struct db_conn *conn, struct dossier *d, const char *action, const char *opinion, int64_t now_ms, bool *done,
                struct err *e);

/* Values for the citizen's sentence and SMS of a case as it stands after the step: unit, date, reason, rule, remedy, done, total, tail, n. New reference. */
json_t *step_values(const struct step *s);
/* Add a row to the trail that is no transition: claim, release, undo, note, intake. detail: JSON to seal, NULL for none. */
int step_trail(struct core *c, struct db_conn *conn, struct dossier *d, const struct actor *a, const char *action, const char *text,
               const json_t *detail, int64_t now_ms, struct err *e);
/* Queue the present public state (after an arrival changed what is shown). */
int step_status_now(struct core *c, struct db_conn *conn, struct dossier *d, int64_t now_ms, struct err *e);
/* Queue an SMS of a case outside a transition. */
int step_sms_now(struct core *c, struct db_conn *conn, struct dossier *d, const char *template_id, int64_t now_ms, struct err *e);
/* SMS text with its sign, at most 70 characters. */
int step_sms_text(char *out, size_t cap, const struct rules *rules, const char *template_id, const json_t *values, struct err *e);

#endif
