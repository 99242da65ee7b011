/* workflow.h - flows as data: states, transitions, who may, what is asked, what follows. Knows nothing of household registration.
 * Format and refusals of the loader: schemas/workflows/README.md.
 * Owns:    a workflow keeps the JSON it was read from; its strings live as long as it.
 * Threads: constant once loaded.
 * Fails:   ERR_INPUT "file: where: want X, have Y"; nothing half-loaded is returned. */
#ifndef INTRANET_DOMAIN_WORKFLOW_H
#define INTRANET_DOMAIN_WORKFLOW_H

#include <jansson.h>

#include "common/err.h"
#include "intranet-side/domain/role.h"

enum wf_clock { WF_CLOCK_OURS, WF_CLOCK_CITIZEN, WF_CLOCK_STOPPED };
enum wf_if { WF_ALWAYS, WF_ORIGINALS_DUE, WF_NO_ORIGINALS_DUE };
enum wf_need {                           /* bits */
    WF_NEED_MATERIALS = 1, WF_NEED_OPINION = 2, WF_NEED_REASONS = 4, WF_NEED_RULE = 8, WF_NEED_DATE = 16, WF_NEED_LEVEL = 32,
    WF_NEED_CONFIRM = 64, WF_NEED_COMPLETION = 128, WF_NEED_SCAN_PERMIT = 256, WF_NEED_SCAN_CERTIFICATE = 512,
    WF_NEED_LAST = WF_NEED_SCAN_CERTIFICATE,
    WF_NEED_SCANS = WF_NEED_SCAN_PERMIT | WF_NEED_SCAN_CERTIFICATE
};
enum wf_effect_kind {
    WF_REGISTER, WF_REGISTER_CANCEL, WF_STATUS_OUT, WF_SMS, WF_SUPPLEMENT_REQUEST, WF_PRE_ARCHIVE, WF_COURIER_OFFER, WF_ARCHIVE,
    WF_STOP_CLOCK, WF_START_CLOCK        /* said for the reader: the clock itself follows the state */
};
enum { WF_MAX_STATES = 40, WF_MAX_TRANSITIONS = 80, WF_MAX_FROM = 20, WF_MAX_EFFECTS = 10 };

struct wf_state {
    const char *id, *internal, *public_key, *phase;
    const char *public_arriving, *internal_arriving;      /* NULL where nothing else is shown while materials arrive */
    bool final;
    int deadline_days;                   /* 0 = none */
    enum wf_clock clock;
    unsigned forward_roles;              /* who moves it on with F2; a holder of another role lets go when the case comes here. 0: nobody */
    unsigned wait_roles;                 /* people for whom the case is to do here: those who have a main way on (F2 or F9) */
    bool wait_up;                        /* they sit in the sub-bureau */
};
struct wf_effect { enum wf_effect_kind kind; const char *arg; };      /* arg: SMS template; of WF_REGISTER the stage, one of wf_stages */
struct wf_transition {
    const char *action, *label, *key;    /* key NULL */
    const char *from[WF_MAX_FROM];
    size_t n_from;
    const char *to;                      /* "@previous" possible */
    const char *stage;                   /* of the register: its own, else the next one on the way forward; NULL where there is none */
    unsigned roles;
    bool up;                             /* taken in the sub-bureau */
    enum wf_if when;
    unsigned needs;
    struct wf_effect effects[WF_MAX_EFFECTS];
    size_t n_effects;
};
struct workflow {
    const char *id, *number, *title, *channel, *flow_type, *variant, *initial;
    int total_days;
    struct wf_state states[WF_MAX_STATES];
    size_t n_states;
    struct wf_transition transitions[WF_MAX_TRANSITIONS];
    size_t n_transitions;
    json_t *json;
};

/* Words that a flow may use: arrays of {"key"} public states and of {"id"} SMS templates. */
struct wf_words { const json_t *public_states, *sms; };

/* Read one flow from its JSON (a reference is kept). name stands in messages. */
int workflow_parse(struct workflow **out, const char *name, json_t *json, const struct wf_words *words, struct err *e);
void workflow_free(struct workflow *w);                   /* accepts NULL */

struct workflow_set;
/* All *.json of the folder; refuses two flows for one channel, type and variant, and variants with different initial states. */
int workflow_set_load(struct workflow_set **out, const char *dir, const struct wf_words *words, struct err *e);
void workflow_set_free(struct workflow_set *s);
const struct workflow *workflow_find(const struct workflow_set *s, const char *id);      /* NULL */
const struct workflow *workflow_pick(const struct workflow_set *s, const char *channel, const char *flow_type, const char *variant);

const struct wf_state *workflow_state(const struct workflow *w, const char *id);         /* NULL */
/* The transition for this action out of this state. ERR_CONFLICT: the state has no such action. ERR_DENIED: not with this role. */
int workflow_choose(const struct wf_transition **out, const struct workflow *w, const char *state, const char *action, enum role role,
                    bool originals_due, struct err *e);
/* The way forward (F2) out of a state, whoever takes it; NULL. */
const struct wf_transition *workflow_forward(const struct workflow *w, const char *state);
/* Transitions that a role has out of a state, in the file's order; at most cap. */
size_t workflow_actions(const struct wf_transition **out, size_t cap, const struct workflow *w, const char *state, enum role role,
                        bool originals_due);
/* The flow at a place of the set, in the files' order; NULL behind the last. */
const struct workflow *workflow_at(const struct workflow_set *s, size_t i);
/* Names of the states of a phase, over all flows; each once. */
size_t workflow_states_of(const struct workflow_set *s, const char *phase, const char **out, size_t cap);
/* Names of the states, over all flows, out of which the system may take an action; each once. */
size_t workflow_states_with(const struct workflow_set *s, const char *action, const char **out, size_t cap);
bool wf_has_effect(const struct wf_transition *t, enum wf_effect_kind kind);
const char *wf_need_word(enum wf_need bit);
/* "F2" and "F9" are the ways on. */
bool wf_is_main(const struct wf_transition *t);
/* Stage of the register that this transition carries out; NULL when it carries none out. */
const char *wf_register_stage(const struct wf_transition *t);
#define WF_STAGE_FINISH "finish"         /* of plain `register` */
/* The stage whose completion and plan the step's dialog shows: its own, or the next one when it asks for what that needs. NULL: neither. */
const char *wf_asks_stage(const struct wf_transition *t);
bool wf_touches_register(const struct wf_transition *t);      /* carries a stage out or takes stages back: not to be undone */

#endif
