#include "intranet-side/service/registry.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/register.h"

static int look_person(void *arg, const char *id_no, json_t **out, struct err *e)
{
    return register_by_id_no(arg, id_no, out, e);
}

static int look_household(void *arg, const char *uid, json_t **out, struct err *e)
{
    return register_household(arg, uid, out, e);
}

static int look_members(void *arg, const char *uid, json_t **out, struct err *e)
{
    return register_members(arg, uid, true, out, e);
}

static int look_number(void *arg, const char *id_no, bool *used, struct err *e)
{
    json_t *p = NULL;
    int rc = register_by_id_no(arg, id_no, &p, e);
    *used = p != NULL;
    json_decref(p);
    return rc;
}

static const json_t *rule_of(struct core *c, const struct dossier *d)
{
    return d->item ? json_object_get(c->rules->effects, d->item->family->id) : NULL;
}

int registry_plan(struct effect_plan *out, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, struct err *e)
{
    struct register_store store = {conn, c->vault};
    const json_t *rule = rule_of(c, d);
    memset(out, 0, sizeof *out);
    if (rule == NULL || stage == NULL || strcmp(stage, WF_STAGE_FINISH) != 0) {
        out->refusals = json_array();
        out->warnings = json_array();
        return 0;
    }
    struct effect_context x = {c->catalogue, d->item->family, d->entries, d->f.unit, d->unit.region,
                               {&store, look_person, look_household, look_members, look_number}};
    return effect_make(out, rule, &x, e);
}

static int change_write(const struct register_store *s, const struct dossier *d, const struct actor *a, const struct effect_plan *p,
                        const struct effect_change *v, int64_t now_ms, struct err *e)
{
    struct register_event ev = {.person = text_of(v->after, "person_id"), .case_no = d->f.no, .op = v->op, .officer = a ? a->id.s : "",
                                .name = a ? a->name : "", .unit = a ? a->unit : "", .text = p->title, .at = now_ms, .before = v->before,
                                .after = v->after};
    int rc = v->before ? register_update_person(s, v->after, e) : register_add_person(s, v->after, e);
    return rc < 0 ? -1 : register_event_add(s, &ev, e);
}

int registry_apply(struct core *c, struct db_conn *conn, struct dossier *d, const struct actor *a, const char *stage, int64_t now_ms, char *result,
                   size_t cap, struct reply *r, struct err *e)
{
    struct effect_plan p;
    struct register_store store = {conn, c->vault};
    size_t i;
    json_t *v;
    int rc = registry_plan(&p, c, conn, d, stage, e);
    if (rc == 0 && json_array_size(p.refusals)) {
        json_array_foreach(p.refusals, i, v)
            if (r)
                reply_field(r, "", "register", json_string_value(v));
        rc = reply_refuse(r, e, ERR_CONFLICT, "the register stands against finishing", "%s", json_string_value(json_array_get(p.refusals, 0)));
    }
    for (i = 0; rc == 0 && i < p.n; i++)
        rc = change_write(&store, d, a, &p, &p.v[i], now_ms, e);
    if (rc == 0)
        snprintf(result, cap, "%s", p.result);
    effect_plan_clear(&p);
    return rc;
}

/* Whether a rule writes this form field into the register: then a difference is what the application asks for. */
static bool writes_field(const json_t *rule, const char *field)
{
    size_t i;
    json_t *op, *src;
    const char *column;
    json_array_foreach(json_object_get(rule, "ops"), i, op)
        json_object_foreach(json_object_get(op, "set"), column, src)
            if (strcmp(text_of(src, "field"), field) == 0)
                return true;
    return false;
}

/* Person by number, with the household's address as one more column; JSON null in the cache when there is nobody. */
static int person_of(json_t **out, struct core *c, struct db_conn *conn, const char *id_no, json_t **people, struct err *e)
{
    struct register_store s = {conn, c->vault};
    json_t *p = NULL, *home = NULL;
    if (*people == NULL)
        *people = json_object();
    if ((*out = json_object_get(*people, id_no)))
        return 0;
    if (register_by_id_no(&s, id_no, &p, e) < 0)
        return -1;
    if (p && register_household(&s, text_of(p, "household_id"), &home, e) < 0) {
        json_decref(p);
        return -1;
    }
    if (home)
        json_object_set(p, "address", json_object_get(home, "address"));
    json_decref(home);
    *out = p ? p : json_null();
    json_object_set_new(*people, id_no, *out);
    return 0;
}

static const char *without_region(const char *address)
{
    size_t n = strspn(address, "0123456789");
    return n == 6 && address[6] == ' ' ? address + 7 : address;
}

int registry_compare(struct compared *out, struct core *c, struct db_conn *conn, const struct dossier *d, const struct field *f, json_t **people,
                     struct err *e)
{
    const json_t *reg = json_object_get(f->json, "register"), *mine = json_object_get(d->entries, f->id);
    const char *column = text_of(reg, "column"), *id_no = text_of(d->entries, text_of(reg, "by"));
    json_t *p = NULL;
    *out = (struct compared){COMPARE_NONE, ""};
    if (!*column || !*id_no)
        return 0;
    if (person_of(&p, c, conn, id_no, people, e) < 0)
        return -1;
    if (!json_is_object(p))
        return 0;
    const char *value = text_of(p, column), *ours = json_is_string(mine) ? json_string_value(mine) : "";
    snprintf(out->value, sizeof out->value, "%s", register_value(c->catalogue, column, value));
    if (*ours == '\0')
        out->how = COMPARE_NONE;
    else if (strcmp(without_region(ours), value) == 0)
        out->how = COMPARE_SAME;
    else
        out->how = writes_field(rule_of(c, d), f->id) ? COMPARE_CHANGES : COMPARE_DIFFERS;
    return 0;
}

void registry_show(char *out, size_t cap, const struct field *f, const json_t *value)
{
    const char *s = json_string_value(value), *label = s && f->type == FIELD_ENUM ? field_label_of(f, s) : NULL;
    if (json_is_boolean(value))
        snprintf(out, cap, "%s", json_is_true(value) ? "是" : "否");
    else if (s && f->type == FIELD_ADDRESS)
        snprintf(out, cap, "%s", without_region(s));
    else
        snprintf(out, cap, "%s", label ? label : s ? s : "");
}
