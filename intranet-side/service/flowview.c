#include "intranet-side/service/flowview.h"

#include <string.h>

#include "intranet-side/service/access.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/store/trail.h"

static json_t *state_json(const struct rules *rules, const struct wf_state *s)
{
    static const char *const clocks[] = {"ours", "citizen", "stopped"};
    const json_t *shown = rules_public_state(rules, s->public_key);
    return json_pack("{s:s, s:s, s:s, s:b, s:i, s:s, s:s, s:s}", "id", s->id, "internal", s->internal, "phase", s->phase, "final", s->final, "days",
                     s->deadline_days, "clock", clocks[s->clock], "citizen", text_of(shown, "tag"), "tone", text_of(shown, "tone"));
}

static json_t *roles_json(unsigned roles)
{
    static const enum role all[] = {ROLE_AUX, ROLE_OFFICER, ROLE_SUB_BUREAU, ROLE_SYSTEM};
    json_t *out = json_array();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (roles & all[i])
            json_array_append_new(out, json_string(role_name(all[i])));
    return out;
}

static json_t *transition_json(const struct wf_transition *t)
{
    json_t *from = json_array();
    const char *stage = wf_register_stage(t);
    for (size_t i = 0; i < t->n_from; i++)
        json_array_append_new(from, json_string(t->from[i]));
    return json_pack("{s:s, s:s, s:o, s:s, s:o, s:b, s:s}", "action", t->action, "label", t->label, "from", from, "to", t->to, "who", roles_json(t->roles),
                     "main", t->key && strcmp(t->key, "F2") == 0, "stage", stage ? stage : "");
}

static json_t *flow_json(const struct rules *rules, const struct workflow *w)
{
    json_t *states = json_array(), *transitions = json_array(), *why = json_array();
    for (size_t i = 0; i < w->n_states; i++)
        json_array_append_new(states, state_json(rules, &w->states[i]));
    for (size_t i = 0; i < w->n_transitions; i++)
        json_array_append_new(transitions, transition_json(&w->transitions[i]));
    flow_select_reasons(rules->select, w->flow_type, why);
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:o, s:o, s:o}", "id", w->id, "number", w->number, "title", w->title, "variant", w->variant, "days",
                     w->total_days, "initial", w->initial, "states", states, "transitions", transitions, "why", why);
}

int flowview_all(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    const struct workflow *v[64], *w;
    size_t n = 0;
    (void)a;
    (void)now_ms;
    for (size_t i = 0; n < 64 && (w = workflow_at(c->rules->flows, i)); i++) {      /* ① to ⑩ lie one behind the other in Unicode */
        size_t k = n++;
        for (; k > 0 && strcmp(v[k - 1]->number, w->number) > 0; k--)
            v[k] = v[k - 1];
        v[k] = w;
    }
    json_t *flows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(flows, flow_json(c->rules, v[i]));
    r->body = json_pack("{s:o}", "flows", flows);
    return r->body ? 0 : err_set(e, ERR_INTERNAL, "flows: out of memory");
}

struct job { struct core *c; const struct actor *a; const char *no; struct reply *r; json_t *passed; };

static int passed(const struct trail_step *t, void *arg, struct err *e)
{
    struct job *j = arg;
    (void)e;
    if (*t->from)
        json_array_append_new(j->passed, json_string(t->from));
    return 0;
}

static int read_case(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct case_file f;
    if (access_case(conn, j->a, j->no, &f, j->r, e) < 0)
        return -1;
    const struct workflow *w = *f.workflow ? flow_of(j->c->rules, &f) : flow_variant(j->c->rules, f.flow, j->a->role == ROLE_AUX ? "aux" : "officer");
    if (w == NULL)
        return err_set(e, ERR_INTERNAL, "case %s: no flow %s", j->no, f.flow);
    j->passed = json_array();
    int rc = trail_each(conn, j->no, passed, j, e);
    if (rc == 0)
        j->r->body = json_pack("{s:o, s:s, s:O}", "flow", flow_json(j->c->rules, w), "state", f.state, "passed", j->passed);
    json_decref(j->passed);
    return rc;
}

int flowview_case(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .r = r};
    (void)now_ms;
    return db_read(c->db, read_case, &j, e);
}
