#include "intranet-side/domain/workflow.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/file.h"
#include "intranet-side/domain/workflow_check.h"

struct workflow_set { struct workflow *v[64]; size_t n; };

static const struct { const char *word; enum wf_need bit; } need_words[] = {
    {"complete_materials", WF_NEED_MATERIALS}, {"opinion", WF_NEED_OPINION}, {"reasons", WF_NEED_REASONS}, {"rule", WF_NEED_RULE},
    {"date", WF_NEED_DATE}, {"level", WF_NEED_LEVEL}, {"confirm_text", WF_NEED_CONFIRM}, {"completion", WF_NEED_COMPLETION},
    {"scan:permit", WF_NEED_SCAN_PERMIT}, {"scan:certificate", WF_NEED_SCAN_CERTIFICATE},
};
/* Stages of schemas/effects. */
static const char *const stage_words[] = {"permit", "move_out", "move_in"};
static const struct { const char *word; enum wf_effect_kind kind; } effect_words[] = {
    {"register:cancel", WF_REGISTER_CANCEL}, {"status_out", WF_STATUS_OUT}, {"supplement_request", WF_SUPPLEMENT_REQUEST}, {"pre_archive", WF_PRE_ARCHIVE},
    {"courier_offer", WF_COURIER_OFFER}, {"archive", WF_ARCHIVE}, {"stop_clock", WF_STOP_CLOCK}, {"start_clock", WF_START_CLOCK},
};

const char *wf_need_word(enum wf_need bit)
{
    for (size_t i = 0; i < sizeof need_words / sizeof need_words[0]; i++)
        if (need_words[i].bit == bit)
            return need_words[i].word;
    return "";
}

/* A text that must be there. */
static const char *text(const json_t *o, const char *key, const char *where, struct err *e)
{
    const char *s = json_string_value(json_object_get(o, key));
    if (s == NULL || *s == '\0') {
        err_set(e, ERR_INPUT, "%s/%s: want a text, have none", where, key);
        return "";
    }
    return s;
}

static const char *text_or_null(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static int only_keys(const json_t *o, const char *const *known, const char *where, struct err *e)
{
    const char *key;
    json_t *v;
    if (!json_is_object(o))
        return err_set(e, ERR_INPUT, "%s: want an object", where);
    json_object_foreach((json_t *)o, key, v) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return err_set(e, ERR_INPUT, "%s: unknown key %s", where, key);
    }
    return 0;
}

static int state_read(struct wf_state *s, const json_t *o, const char *name, struct err *e)
{
    static const char *const keys[] = {"id", "internal", "public", "phase", "final", "deadline_days", "clock", "public_while_arriving",
                                       "internal_while_arriving", NULL};
    static const char *const phases[] = {"review", "originals", "completion", "end"};
    if (only_keys(o, keys, name, e) < 0)
        return -1;
    s->id = text(o, "id", name, e);
    s->internal = text(o, "internal", name, e);
    s->public_key = text(o, "public", name, e);
    s->phase = text(o, "phase", name, e);
    s->public_arriving = text_or_null(o, "public_while_arriving");
    s->internal_arriving = text_or_null(o, "internal_while_arriving");
    s->final = json_is_true(json_object_get(o, "final"));
    s->deadline_days = (int)json_integer_value(json_object_get(o, "deadline_days"));
    const char *clock = text_or_null(o, "clock");
    s->clock = clock == NULL ? WF_CLOCK_OURS : strcmp(clock, "citizen") == 0 ? WF_CLOCK_CITIZEN : WF_CLOCK_STOPPED;
    if (e->code)
        return -1;
    if (clock && strcmp(clock, "citizen") != 0 && strcmp(clock, "stopped") != 0)
        return err_set(e, ERR_INPUT, "%s: state %s: clock: want citizen or stopped, have %s", name, s->id, clock);
    if (s->deadline_days < 0 || s->deadline_days > 365)
        return err_set(e, ERR_INPUT, "%s: state %s: deadline_days: want 0 to 365, have %d", name, s->id, s->deadline_days);
    for (size_t i = 0; i < 4; i++)
        if (strcmp(phases[i], s->phase) == 0)
            return 0;
    return err_set(e, ERR_INPUT, "%s: state %s: unknown phase %s", name, s->id, s->phase);
}

static int effect_read(struct wf_effect *f, const char *word, const char *where, struct err *e)
{
    if (strncmp(word, "sms:", 4) == 0) {
        *f = (struct wf_effect){WF_SMS, word + 4};
        return 0;
    }
    if (strcmp(word, "register") == 0) {
        *f = (struct wf_effect){WF_REGISTER, WF_STAGE_FINISH};
        return 0;
    }
    for (size_t i = 0; strncmp(word, "register:", 9) == 0 && i < sizeof stage_words / sizeof stage_words[0]; i++)
        if (strcmp(stage_words[i], word + 9) == 0) {
            *f = (struct wf_effect){WF_REGISTER, stage_words[i]};
            return 0;
        }
    for (size_t i = 0; i < sizeof effect_words / sizeof effect_words[0]; i++)
        if (strcmp(effect_words[i].word, word) == 0) {
            *f = (struct wf_effect){effect_words[i].kind, NULL};
            return 0;
        }
    return err_set(e, ERR_INPUT, "%s: unknown effect %s", where, word);
}

static int lists_read(struct wf_transition *t, const json_t *o, const char *where, struct err *e)
{
    size_t i, j;
    json_t *v;
    json_array_foreach(json_object_get(o, "from"), i, v) {
        if (!json_is_string(v) || t->n_from == WF_MAX_FROM)
            return err_set(e, ERR_INPUT, "%s: from: want at most %d names", where, WF_MAX_FROM);
        t->from[t->n_from++] = json_string_value(v);
    }
    json_array_foreach(json_object_get(o, "roles"), i, v) {
        enum role r = json_is_string(v) ? role_parse(json_string_value(v)) : ROLE_NONE;
        if (r == ROLE_NONE || r == ROLE_ADMIN)
            return err_set(e, ERR_INPUT, "%s: unknown role %s", where, json_is_string(v) ? json_string_value(v) : "?");
        t->roles |= r;
    }
    json_array_foreach(json_object_get(o, "needs"), i, v) {
        const char *w = json_is_string(v) ? json_string_value(v) : "?";
        for (j = 0; j < sizeof need_words / sizeof need_words[0] && strcmp(need_words[j].word, w) != 0; j++)
            ;
        if (j == sizeof need_words / sizeof need_words[0])
            return err_set(e, ERR_INPUT, "%s: unknown need %s", where, w);
        t->needs |= need_words[j].bit;
    }
    json_array_foreach(json_object_get(o, "effects"), i, v) {
        if (!json_is_string(v) || t->n_effects == WF_MAX_EFFECTS)
            return err_set(e, ERR_INPUT, "%s: effects: want at most %d words", where, WF_MAX_EFFECTS);
        if (effect_read(&t->effects[t->n_effects++], json_string_value(v), where, e) < 0)
            return -1;
    }
    if (t->n_from == 0 || t->roles == 0)
        return err_set(e, ERR_INPUT, "%s: want at least one state in from and one role", where);
    return 0;
}

static int transition_read(struct wf_transition *t, const json_t *o, const char *name, struct err *e)
{
    static const char *const keys[] = {"action", "label", "key", "from", "to", "roles", "unit", "if", "needs", "effects", NULL};
    char where[160];
    if (only_keys(o, keys, name, e) < 0)
        return -1;
    t->action = text(o, "action", name, e);
    snprintf(where, sizeof where, "%s: %s", name, t->action);
    t->label = text(o, "label", where, e);
    t->to = text(o, "to", where, e);
    t->key = text_or_null(o, "key");
    const char *unit = text(o, "unit", where, e), *when = text_or_null(o, "if");
    if (e->code)
        return -1;
    t->up = strcmp(unit, "parent") == 0;
    if (!t->up && strcmp(unit, "accepting") != 0)
        return err_set(e, ERR_INPUT, "%s: unit: want accepting or parent, have %s", where, unit);
    t->when = when == NULL ? WF_ALWAYS : strcmp(when, "originals_due") == 0 ? WF_ORIGINALS_DUE : WF_NO_ORIGINALS_DUE;
    if (when && t->when == WF_NO_ORIGINALS_DUE && strcmp(when, "no_originals_due") != 0)
        return err_set(e, ERR_INPUT, "%s: unknown condition %s", where, when);
    return lists_read(t, o, where, e);
}

static int parts_read(struct workflow *w, const char *name, struct err *e)
{
    size_t i;
    json_t *v;
    w->id = text(w->json, "id", name, e);
    w->number = text(w->json, "number", name, e);
    w->title = text(w->json, "title", name, e);
    w->channel = text(w->json, "channel", name, e);
    w->flow_type = text(w->json, "flow_type", name, e);
    w->variant = text(w->json, "variant", name, e);
    w->initial = text(w->json, "initial", name, e);
    w->total_days = (int)json_integer_value(json_object_get(json_object_get(w->json, "clock"), "total_days"));
    if (e->code)
        return -1;
    if (w->total_days < 1 || w->total_days > 365)
        return err_set(e, ERR_INPUT, "%s: clock/total_days: want 1 to 365, have %d", name, w->total_days);
    json_array_foreach(json_object_get(w->json, "states"), i, v) {
        if (w->n_states == WF_MAX_STATES)
            return err_set(e, ERR_INPUT, "%s: states: want at most %d", name, WF_MAX_STATES);
        if (state_read(&w->states[w->n_states++], v, name, e) < 0)
            return -1;
    }
    json_array_foreach(json_object_get(w->json, "transitions"), i, v) {
        if (w->n_transitions == WF_MAX_TRANSITIONS)
            return err_set(e, ERR_INPUT, "%s: transitions: want at most %d", name, WF_MAX_TRANSITIONS);
        if (transition_read(&w->transitions[w->n_transitions++], v, name, e) < 0)
            return -1;
    }
    return 0;
}

static bool leaves(const struct wf_transition *t, const char *state)
{
    for (size_t i = 0; i < t->n_from; i++)
        if (strcmp(t->from[i], state) == 0)
            return true;
    return false;
}

/* For whom the case is to do in each state: derived, so that no file can contradict its own transitions. */
static void waits_derive(struct workflow *w)
{
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        if (!wf_is_main(t))
            continue;
        for (size_t j = 0; j < t->n_from; j++) {
            struct wf_state *s = (struct wf_state *)workflow_state(w, t->from[j]);
            s->wait_roles |= t->roles & ROLES_CASE;
            if (strcmp(t->key, "F2") == 0)
                s->forward_roles |= t->roles & ROLES_CASE;
            s->wait_up |= t->up;
        }
    }
}

const struct wf_transition *workflow_forward(const struct workflow *w, const char *state)
{
    for (size_t i = 0; i < w->n_transitions; i++)
        if (leaves(&w->transitions[i], state) && w->transitions[i].key && strcmp(w->transitions[i].key, "F2") == 0)
            return &w->transitions[i];
    return NULL;
}

/* Which stage an officer fills in for: that of the transition, or of the next one forward that has one. */
static void stages_derive(struct workflow *w)
{
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        const char *stage = wf_register_stage(t);
        for (size_t hops = 0; stage == NULL && hops < w->n_states && (t = workflow_forward(w, t->to)); hops++)
            stage = wf_register_stage(t);
        w->transitions[i].stage = stage;
    }
}

int workflow_parse(struct workflow **out, const char *name, json_t *json, const struct wf_words *words, struct err *e)
{
    struct workflow *w = calloc(1, sizeof *w);
    struct err mine = {0};               /* text() collects its failures here even when the caller passes none */
    *out = NULL;
    if (w == NULL)
        return err_set(e, ERR_INTERNAL, "%s: out of memory", name);
    w->json = json_incref(json);
    int rc = parts_read(w, name, &mine);
    if (rc == 0)
        stages_derive(w);
    if (rc < 0 || workflow_check(w, name, words, &mine) < 0) {
        workflow_free(w);
        return err_set(e, mine.code, "%s", mine.msg);
    }
    waits_derive(w);
    *out = w;
    return 0;
}

void workflow_free(struct workflow *w)
{
    if (w == NULL)
        return;
    json_decref(w->json);
    free(w);
}

static int set_add(struct workflow_set *s, const char *dir, const char *file, const struct wf_words *words, struct err *e)
{
    char path[1024];
    json_error_t je;
    struct workflow *w = NULL;
    if (s->n == sizeof s->v / sizeof s->v[0])
        return err_set(e, ERR_TOO_LARGE, "%s: more than %zu flows", dir, s->n);
    if (str_fmt(path, sizeof path, e, "%s/%s", dir, file) < 0)
        return -1;
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (j == NULL)
        return err_set(e, ERR_INPUT, "%s:%d: %s", path, je.line, je.text);
    int rc = workflow_parse(&w, file, j, words, e);
    json_decref(j);
    if (rc < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        const struct workflow *o = s->v[i];
        bool same_flow = strcmp(o->channel, w->channel) == 0 && strcmp(o->flow_type, w->flow_type) == 0;
        if (strcmp(o->id, w->id) == 0 || (same_flow && strcmp(o->variant, w->variant) == 0))
            rc = err_set(e, ERR_INPUT, "%s: same flow as %s", file, o->id);
        else if (same_flow && strcmp(o->initial, w->initial) != 0)
            rc = err_set(e, ERR_INPUT, "%s: initial: want %s as in %s, have %s", file, o->initial, o->id, w->initial);
        if (rc < 0) {
            workflow_free(w);
            return -1;
        }
    }
    s->v[s->n++] = w;
    return 0;
}

int workflow_set_load(struct workflow_set **out, const char *dir, const struct wf_words *words, struct err *e)
{
    struct workflow_set *s = calloc(1, sizeof *s);
    struct dirent **names = NULL;
    *out = NULL;
    if (s == NULL)
        return err_set(e, ERR_INTERNAL, "flows: out of memory");
    int n = scandir(dir, &names, NULL, alphasort), rc = n < 0 ? err_sys(e, "read folder %s", dir) : 0;
    for (int i = 0; i < n; i++) {
        size_t len = strlen(names[i]->d_name);
        bool flow = len > 5 && strcmp(names[i]->d_name + len - 5, ".json") == 0 && strcmp(names[i]->d_name, "selection.json") != 0;
        if (rc == 0 && flow)
            rc = set_add(s, dir, names[i]->d_name, words, e);
        free(names[i]);
    }
    free(names);
    if (rc == 0 && s->n == 0)
        rc = err_set(e, ERR_INPUT, "%s: want at least one flow, have none", dir);
    if (rc < 0) {
        workflow_set_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void workflow_set_free(struct workflow_set *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        workflow_free(s->v[i]);
    free(s);
}

const struct workflow *workflow_at(const struct workflow_set *s, size_t i)
{
    return i < s->n ? s->v[i] : NULL;
}

const struct workflow *workflow_find(const struct workflow_set *s, const char *id)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i]->id, id) == 0)
            return s->v[i];
    return NULL;
}

const struct workflow *workflow_pick(const struct workflow_set *s, const char *channel, const char *flow_type, const char *variant)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i]->channel, channel) == 0 && strcmp(s->v[i]->flow_type, flow_type) == 0 &&
            strcmp(s->v[i]->variant, variant) == 0)
            return s->v[i];
    return NULL;
}

const struct wf_state *workflow_state(const struct workflow *w, const char *id)
{
    for (size_t i = 0; i < w->n_states; i++)
        if (strcmp(w->states[i].id, id) == 0)
            return &w->states[i];
    return NULL;
}

static bool holds(const struct wf_transition *t, bool originals_due)
{
    return t->when == WF_ALWAYS || (t->when == WF_ORIGINALS_DUE) == originals_due;
}

int workflow_choose(const struct wf_transition **out, const struct workflow *w, const char *state, const char *action, enum role role,
                    bool originals_due, struct err *e)
{
    bool known = false;
    for (size_t i = 0; i < w->n_transitions; i++) {
        const struct wf_transition *t = &w->transitions[i];
        if (strcmp(t->action, action) != 0 || !leaves(t, state) || !holds(t, originals_due))
            continue;
        known = true;
        if (t->roles & role) {
            *out = t;
            return 0;
        }
    }
    return known ? err_set(e, ERR_DENIED, "flow %s: %s from %s is not for role %s", w->id, action, state, role_word(role))
                 : err_set(e, ERR_CONFLICT, "flow %s: state %s has no action %s", w->id, state, action);
}

size_t workflow_actions(const struct wf_transition **out, size_t cap, const struct workflow *w, const char *state, enum role role,
                        bool originals_due)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_transitions && n < cap; i++) {
        const struct wf_transition *t = &w->transitions[i];
        if (leaves(t, state) && (t->roles & role) && holds(t, originals_due))
            out[n++] = t;
    }
    return n;
}

static size_t add_once(const char **out, size_t n, size_t cap, const char *state)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(out[i], state) == 0)
            return n;
    if (n < cap)
        out[n++] = state;
    return n;
}

size_t workflow_states_of(const struct workflow_set *s, const char *phase, const char **out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->v[i]->n_states; k++)
            if (strcmp(s->v[i]->states[k].phase, phase) == 0)
                n = add_once(out, n, cap, s->v[i]->states[k].id);
    return n;
}

size_t workflow_states_with(const struct workflow_set *s, const char *action, const char **out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->v[i]->n_transitions; k++) {
            const struct wf_transition *t = &s->v[i]->transitions[k];
            for (size_t j = 0; strcmp(t->action, action) == 0 && (t->roles & ROLE_SYSTEM) && j < t->n_from; j++)
                n = add_once(out, n, cap, t->from[j]);
        }
    return n;
}

bool wf_has_effect(const struct wf_transition *t, enum wf_effect_kind kind)
{
    for (size_t i = 0; i < t->n_effects; i++)
        if (t->effects[i].kind == kind)
            return true;
    return false;
}

const char *wf_register_stage(const struct wf_transition *t)
{
    for (size_t i = 0; i < t->n_effects; i++)
        if (t->effects[i].kind == WF_REGISTER)
            return t->effects[i].arg;
    return NULL;
}

const char *wf_asks_stage(const struct wf_transition *t)
{
    return t->needs & WF_NEED_COMPLETION ? t->stage : wf_register_stage(t);
}

bool wf_touches_register(const struct wf_transition *t)
{
    return wf_has_effect(t, WF_REGISTER) || wf_has_effect(t, WF_REGISTER_CANCEL);
}

bool wf_is_main(const struct wf_transition *t)
{
    return t->key && (strcmp(t->key, "F2") == 0 || strcmp(t->key, "F9") == 0);
}
