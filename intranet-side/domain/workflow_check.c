#include "intranet-side/domain/workflow_check.h"

#include <string.h>

static int state_at(const struct workflow *w, const char *id)
{
    for (size_t i = 0; i < w->n_states; i++)
        if (strcmp(w->states[i].id, id) == 0)
            return (int)i;
    return -1;
}

static bool listed(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *v;
    json_array_foreach(array, i, v) {
        const char *s = json_string_value(json_object_get(v, key));
        if (s && strcmp(s, value) == 0)
            return true;
    }
    return false;
}

static int names_known(const struct workflow *w, const char *name, const struct wf_words *words, struct err *e)
{
    if (state_at(w, w->initial) < 0)
        return err_set(e, ERR_INPUT, "%s: initial: unknown state %s", name, w->initial);
    for (size_t i = 0; i < w->n_states; i++) {
        const struct wf_state *s = &w->states[i];
        if (state_at(w, s->id) != (int)i)
            return err_set(e, ERR_INPUT, "%s: state %s stands there twice", name, s->id);
        if (!listed(words->public_states, "key", s->public_key))
            return err_set(e, ERR_INPUT, "%s: state %s: unknown public state %s", name, s->id, s->public_key);
        if (s->public_arriving && !listed(words->public_states, "key", s->public_arriving))
            return err_set(e, ERR_INPUT, "%s: state %s: unknown public state %s", name, s->id, s->public_arriving);
    }
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        if (strcmp(t->to, "@previous") != 0 && state_at(w, t->to) < 0)
            return err_set(e, ERR_INPUT, "%s: %s: to: unknown state %s", name, t->action, t->to);
        for (size_t j = 0; j < t->n_from; j++) {
            int at = state_at(w, t->from[j]);
            if (at < 0)
                return err_set(e, ERR_INPUT, "%s: %s: from: unknown state %s", name, t->action, t->from[j]);
            if (w->states[at].final)
                return err_set(e, ERR_INPUT, "%s: %s: final state %s has a way out", name, t->action, t->from[j]);
        }
        for (size_t j = 0; j < t->n_effects; j++)
            if (t->effects[j].kind == WF_SMS && !listed(words->sms, "id", t->effects[j].arg))
                return err_set(e, ERR_INPUT, "%s: %s: unknown SMS %s", name, t->action, t->effects[j].arg);
        if ((t->needs & WF_NEED_COMPLETION) && t->stage == NULL)
            return err_set(e, ERR_INPUT, "%s: %s: completion: no stage of the register lies ahead", name, t->action);
    }
    return 0;
}

/* reach[a][b]: one transition leads from a to b. @previous leads to every state from which its own state is entered. */
static void edges(const struct workflow *w, bool reach[WF_MAX_STATES][WF_MAX_STATES])
{
    for (size_t i = 0; i < w->n_transitions; i++)
        for (size_t j = 0; j < w->transitions[i].n_from; j++) {
            int a = state_at(w, w->transitions[i].from[j]), b = state_at(w, w->transitions[i].to);
            if (b >= 0)
                reach[a][b] = true;
        }
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        if (strcmp(t->to, "@previous") != 0)
            continue;
        for (size_t j = 0; j < t->n_from; j++) {
            int here = state_at(w, t->from[j]);
            for (size_t k = 0; k < w->n_states; k++)
                if (reach[k][here])
                    reach[here][k] = true;
        }
    }
}

static void close_over(size_t n, bool reach[WF_MAX_STATES][WF_MAX_STATES])
{
    for (size_t k = 0; k < n; k++)
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; reach[a][k] && b < n; b++)
                reach[a][b] |= reach[k][b];
}

static int ways(const struct workflow *w, const char *name, struct err *e)
{
    bool reach[WF_MAX_STATES][WF_MAX_STATES] = {{false}};
    edges(w, reach);
    close_over(w->n_states, reach);
    size_t first = (size_t)state_at(w, w->initial);
    for (size_t i = 0; i < w->n_states; i++) {
        if (i != first && !reach[first][i])
            return err_set(e, ERR_INPUT, "%s: state %s cannot be reached from %s", name, w->states[i].id, w->initial);
        bool ends = w->states[i].final;
        for (size_t j = 0; j < w->n_states; j++)
            ends |= reach[i][j] && w->states[j].final;
        if (!ends)
            return err_set(e, ERR_INPUT, "%s: state %s is a dead end", name, w->states[i].id);
    }
    return 0;
}

static bool begins_register(const struct wf_transition *t)
{
    const char *stage = wf_register_stage(t);
    return stage && strcmp(stage, WF_STAGE_FINISH) != 0 && strcmp(stage, WF_STAGE_CANCEL) != 0;
}

static bool settles_register(const struct wf_transition *t)
{
    const char *stage = wf_register_stage(t);
    return stage && !begins_register(t);
}

/* States in which a stage has begun and neither finished nor been taken back. */
static void open_states(const struct workflow *w, bool open[WF_MAX_STATES])
{
    bool grew = true;
    while (grew) {
        grew = false;
        for (size_t i = 0; i < w->n_transitions; i++) {
            const struct wf_transition *t = &w->transitions[i];
            int to = state_at(w, t->to);
            bool from_open = false;
            for (size_t j = 0; j < t->n_from; j++)
                from_open |= open[state_at(w, t->from[j])];
            if (to >= 0 && !open[to] && !settles_register(t) && (begins_register(t) || from_open))
                grew = open[to] = true;
        }
    }
}

/* What a stage has begun in the register is finished or taken back before the case ends: so a withdrawal or an end by the way side is refused here,
 * not found out by the citizen whose move hangs in the air. */
static int register_settled(const struct workflow *w, const char *name, struct err *e)
{
    bool open[WF_MAX_STATES] = {false};
    open_states(w, open);
    for (size_t i = 0; i < w->n_states; i++)
        if (open[i] && w->states[i].final)
            return err_set(e, ERR_INPUT, "%s: state %s ends the case while a stage of the register is open", name, w->states[i].id);
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        const char *stage = wf_register_stage(t);
        for (size_t j = 0; stage && strcmp(stage, WF_STAGE_CANCEL) == 0 && j < t->n_from; j++)
            if (!open[state_at(w, t->from[j])])
                return err_set(e, ERR_INPUT, "%s: %s: nothing to take back in state %s", name, t->action, t->from[j]);
    }
    return 0;
}

static bool share_state(const struct wf_transition *a, const struct wf_transition *b, const char **where)
{
    for (size_t i = 0; i < a->n_from; i++)
        for (size_t j = 0; j < b->n_from; j++)
            if (strcmp(a->from[i], b->from[j]) == 0) {
                *where = a->from[i];
                return true;
            }
    return false;
}

static int told_apart(const struct workflow *w, const char *name, struct err *e)
{
    const char *where = "";
    for (size_t i = 0; i < w->n_transitions; i++)
        for (size_t j = i + 1; j < w->n_transitions; j++) {
            const struct wf_transition *a = &w->transitions[i], *b = &w->transitions[j];
            if (!share_state(a, b, &where))
                continue;
            bool apart = a->when != WF_ALWAYS && b->when != WF_ALWAYS && a->when != b->when;
            if (strcmp(a->action, b->action) == 0 && !apart)
                return err_set(e, ERR_INPUT, "%s: state %s: two transitions %s that no condition tells apart", name, where, a->action);
            if (a->key && b->key && strcmp(a->key, b->key) == 0 && strcmp(a->key, "F8") != 0 && (a->roles & b->roles) &&
                strcmp(a->label, b->label) != 0)
                return err_set(e, ERR_INPUT, "%s: state %s: key %s means both %s and %s", name, where, a->key, a->label, b->label);
        }
    return 0;
}

int workflow_check(const struct workflow *w, const char *name, const struct wf_words *words, struct err *e)
{
    return names_known(w, name, words, e) < 0 || ways(w, name, e) < 0 || told_apart(w, name, e) < 0 || register_settled(w, name, e) < 0 ? -1 : 0;
}
