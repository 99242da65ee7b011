#include "intranet-side/domain/effect_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/domain/rules.h"

const char *effect_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

bool effect_is(const json_t *o, const char *key, const char *value)
{
    return strcmp(effect_text(o, key), value) == 0;
}

const char *effect_key(enum effect_kind kind)
{
    static const char *const keys[] = {"person_id", "household_id", "paper_id"};
    return keys[kind];
}

void work_refuse(struct effect_work *w, const char *fmt, ...)
{
    char text[400];
    size_t i;
    json_t *v;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_mend(text, '?');                /* a sentence that is cut still stands against the plan */
    json_array_foreach(w->refusals, i, v)
        if (strcmp(json_string_value(v), text) == 0)
            return;
    json_array_append_new(w->refusals, json_string(text));
}

/* {column} after, {column_before} before, of the first person of the plan; {book_no} and {head_name} of the first household, {paper_no} of the first paper. */
static void result_text(struct effect_work *w, const json_t *rule)
{
    struct effect_plan *p = w->p;
    json_t *values = json_object(), *v;
    const char *column;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < p->n; i++) {
            if (p->v[i].kind != (enum effect_kind)k)
                continue;
            json_object_update_missing(values, p->v[i].after);
            if (k == EFFECT_PAPER)
                json_object_set(values, "paper_no", json_object_get(p->v[i].after, "no"));
            json_object_foreach(p->v[i].before, column, v) {
                char key[64];
                snprintf(key, sizeof key, "%s_before", column);
                json_object_set(values, key, v);
            }
            break;
        }
    json_t *home = NULL;
    struct err ignored = {0};
    if (*effect_text(values, "household_id") && work_household_by_id(w, effect_text(values, "household_id"), &home, &ignored) == 0)
        json_object_update_missing(values, home);
    text_fill(p->result, sizeof p->result, effect_text(rule, "result"), values);
    json_decref(home);
    json_decref(values);
}

/* What was only looked at beside the columns, and rows that came out as they were. */
static void tidy(struct effect_plan *p)
{
    static const char *const beside[] = {"head_name"};
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct effect_change *c = &p->v[i];
        for (size_t k = 0; k < sizeof beside / sizeof beside[0]; k++) {
            json_object_del(c->before, beside[k]);
            json_object_del(c->after, beside[k]);
        }
        if (c->before && json_equal(c->before, c->after)) {
            json_decref(c->before);
            json_decref(c->after);
            continue;
        }
        p->v[n++] = *c;
    }
    p->n = n;
}

int effect_make(struct effect_plan *out, const json_t *rule, const struct effect_context *ctx, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->refusals = json_array();
    out->warnings = json_array();
    out->homes = json_object();
    snprintf(out->title, sizeof out->title, "%s", effect_text(rule, "title"));
    struct effect_work w = {.p = out, .rule = rule, .x = ctx, .refusals = json_array()};
    int rc = effect_guards(&w, false, e) < 0 || effect_ops(&w, e) < 0 || effect_keep(&w, e) < 0 || effect_guards(&w, true, e) < 0 ? -1 : 0;
    if (json_array_size(out->refusals) == 0)          /* a guard says it better than the op that failed because of it */
        json_array_extend(out->refusals, w.refusals);
    json_decref(w.refusals);
    if (rc == 0) {
        result_text(&w, rule);
        tidy(out);
    }
    return rc;
}

void effect_plan_clear(struct effect_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        json_decref(p->v[i].before);
        json_decref(p->v[i].after);
    }
    json_decref(p->refusals);
    json_decref(p->warnings);
    json_decref(p->homes);
    memset(p, 0, sizeof *p);
}

bool effect_asked(const json_t *field, const json_t *entries)
{
    struct effect_context x = {.entries = entries};
    struct effect_work w = {.x = &x, .where = ""};
    return effect_holds(&w, json_object_get(field, "when"));
}

/* A condition on another completion field stays for the dialog; one on the form or on where he lives is decided here. */
static bool left_open(const json_t *condition)
{
    return strncmp(effect_text(condition, "field"), "done_", 5) == 0;
}

json_t *effect_completion(const json_t *rule, const struct effect_context *ctx, struct err *e)
{
    struct effect_work w = {.rule = rule, .x = ctx};
    json_t *out = json_array(), *f, *c;
    size_t i, k;
    (void)e;
    json_array_foreach(json_object_get(rule, "completion"), i, f) {
        json_t *decided = json_array(), *open = json_array(), *asked;
        json_array_foreach(json_object_get(f, "when"), k, c)
            json_array_append(left_open(c) ? open : decided, c);
        if (effect_in_stage(f, ctx->stage, "finish") && effect_holds(&w, decided)) {
            asked = json_copy(f);
            json_object_del(asked, "stage");
            if (json_array_size(open))
                json_object_set(asked, "when", open);
            else
                json_object_del(asked, "when");
            json_array_append_new(out, asked);
        }
        json_decref(decided);
        json_decref(open);
    }
    return out;
}
