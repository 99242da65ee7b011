#include "intranet-side/service/registry.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/event.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"
#include "intranet-side/store/register.h"

/* --- how the rules look into the register --- */
struct eyes { struct register_store s; const char *unit; };

static int look_person(void *arg, const char *id_no, json_t **out, struct err *e)
{
    return register_by_id_no(&((struct eyes *)arg)->s, id_no, out, e);
}

static int look_household(void *arg, const char *uid, json_t **out, struct err *e)
{
    return register_household(&((struct eyes *)arg)->s, uid, out, e);
}

static int look_household_by(void *arg, const char *column, const char *value, json_t **out, struct err *e)
{
    struct eyes *x = arg;
    return strcmp(column, "name") == 0 ? register_household_by_name(&x->s, value, x->unit, out, e) : register_household_by_book(&x->s, value, out, e);
}

static int look_members(void *arg, const char *uid, json_t **out, struct err *e)
{
    return register_members(&((struct eyes *)arg)->s, uid, true, out, e);
}

static int look_address(void *arg, const char *address, json_t **out, struct err *e)
{
    return register_households_at(&((struct eyes *)arg)->s, address, out, e);
}

static int look_papers(void *arg, const struct paper_query *q, json_t **out, struct err *e)
{
    return paper_valid(&((struct eyes *)arg)->s, q->kind, q->household, q->person, q->no, q->case_no, out, e);
}

static int look_number(void *arg, const char *id_no, bool *used, struct err *e)
{
    return register_number_given(&((struct eyes *)arg)->s, id_no, used, e);
}

static int draw(void *arg, const char *what, unsigned nth, char out[40], struct err *e)
{
    struct eyes *x = arg;
    struct id128 id;
    if (strcmp(what, "book_no") == 0)
        return register_next_book(&x->s, x->unit, nth, out, e);
    if (strcmp(what, "id") != 0)
        return paper_next(&x->s, what, x->unit, nth, out, e);
    id_random(&id);
    memcpy(out, id.s, sizeof id.s);
    return 0;
}

/* --- one case's rule with its values --- */
static const json_t *rule_of(struct core *c, const struct dossier *d)
{
    return d->item ? json_object_get(c->rules->effects, d->item->family->id) : NULL;
}

struct asked { struct eyes eyes; struct effect_context x; json_t *entries; char today[11]; };

static void asked_open(struct asked *k, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, int64_t now_ms)
{
    *k = (struct asked){.eyes = {{conn, c->vault}, d->f.unit}, .entries = json_copy((json_t *)d->entries)};
    json_object_update(k->entries, json_object_get(d->payload, "completion"));
    today_text(k->today, now_ms);
    k->x = (struct effect_context){.catalogue = d->catalogue, .family = d->item->family, .entries = k->entries, .unit = d->f.unit,
                                   .unit_region = d->unit.region, .case_no = d->f.no, .today = k->today, .stage = stage,
                                   .look = {&k->eyes, look_person, look_household, look_household_by, look_members, look_address, look_papers, look_number,
                                            draw}};
}

int registry_plan(struct effect_plan *out, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, int64_t now_ms, struct err *e)
{
    struct asked k;
    const json_t *rule = rule_of(c, d);
    memset(out, 0, sizeof *out);
    if (rule == NULL || stage == NULL) {
        out->refusals = json_array();
        out->warnings = json_array();
        return 0;
    }
    asked_open(&k, c, conn, d, stage, now_ms);
    int rc = effect_make(out, rule, &k.x, e);
    json_decref(k.entries);
    return rc;
}

/* The dialog shows a list: the values of a code table are written out. */
static void values_out(json_t *field, const struct catalogue *c)
{
    const struct code_table *t = catalogue_table(c, text_of(field, "code_table"));
    if (t == NULL)
        return;
    json_t *values = json_array();
    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(values, json_pack("{s:s, s:s}", "code", t->values[i].code, "label", t->values[i].label));
    json_object_set_new(field, "values", values);
    json_object_del(field, "code_table");
}

int registry_completion(json_t **fields, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, struct err *e)
{
    struct asked k;
    const json_t *rule = rule_of(c, d);
    size_t i;
    json_t *f;
    if (rule == NULL || stage == NULL) {
        *fields = json_array();
        return 0;
    }
    asked_open(&k, c, conn, d, stage, 0);
    *fields = effect_completion(rule, &k.x, e);
    json_decref(k.entries);
    json_array_foreach(*fields, i, f)
        values_out(f, d->catalogue);
    return *fields ? 0 : -1;
}

/* --- carrying it out --- */
static int row_write(const struct register_store *s, const struct effect_change *v, struct err *e)
{
    switch (v->kind) {
    case EFFECT_PERSON:
        return v->before ? register_update_person(s, v->after, e) : register_add_person(s, v->after, e);
    case EFFECT_HOUSEHOLD:
        return v->before ? register_update_household(s, v->after, e) : register_add_household(s, v->after, e);
    case EFFECT_PAPER:
        return v->before ? paper_update(s, v->after, e) : paper_add(s, v->after, e);
    }
    return err_set(e, ERR_INTERNAL, "register: kind %d is not known", v->kind);
}

static int change_write(const struct register_store *s, const struct dossier *d, const struct actor *a, const struct effect_plan *p,
                        const struct effect_change *v, int64_t now_ms, struct err *e)
{
    static const char *const kinds[] = {"person", "household", "paper"};
    struct register_event ev = {.kind = kinds[v->kind], .subject = text_of(v->after, effect_key(v->kind)), .case_no = d->f.no, .op = v->op,
                                .business = d->item->business, .officer = a ? a->id.s : "", .name = a ? a->name : "", .unit = a ? a->unit : "",
                                .text = p->title, .at = now_ms, .before = v->before, .after = v->after};
    return row_write(s, v, e) < 0 ? -1 : register_event_add(s, &ev, e);
}

/* A new household first, so that its people have one to live in. */
static int changes_write(const struct register_store *s, const struct dossier *d, const struct actor *a, const struct effect_plan *p, int64_t now_ms,
                         struct err *e)
{
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < p->n; i++) {
            bool first = p->v[i].kind == EFFECT_HOUSEHOLD && p->v[i].before == NULL;
            if (first == (turn == 0) && change_write(s, d, a, p, &p->v[i], now_ms, e) < 0)
                return -1;
        }
    return 0;
}

int registry_apply(struct core *c, struct db_conn *conn, struct dossier *d, const struct actor *a, const char *stage, int64_t now_ms, char *result,
                   size_t cap, struct reply *r, struct err *e)
{
    struct effect_plan p;
    struct register_store store = {conn, c->vault};
    size_t i;
    json_t *v;
    int rc = registry_plan(&p, c, conn, d, stage, now_ms, e);
    if (rc == 0 && json_array_size(p.refusals)) {
        json_array_foreach(p.refusals, i, v)
            if (r)
                reply_field(r, "", "register", json_string_value(v));
        rc = reply_refuse(r, e, ERR_CONFLICT, "the register stands against finishing", "%s", json_string_value(json_array_get(p.refusals, 0)));
    }
    if (rc == 0)
        rc = changes_write(&store, d, a, &p, now_ms, e);
    if (rc == 0)
        snprintf(result, cap, "%s", p.result);
    effect_plan_clear(&p);
    return rc;
}

static bool reads_field(const json_t *src, const char *field)
{
    const char *key;
    json_t *v;
    size_t i;
    if (strcmp(text_of(src, "field"), field) == 0)
        return true;
    json_array_foreach(src, i, v)
        if (reads_field(v, field))
            return true;
    json_object_foreach((json_t *)src, key, v)
        if (reads_field(v, field))
            return true;
    return false;
}

/* Whether a rule writes this form field into the register: then a difference is what the application asks for. */
static bool writes_field(const json_t *rule, const char *field)
{
    size_t i;
    json_t *op;
    json_array_foreach(json_object_get(rule, "ops"), i, op)
        if (reads_field(json_object_get(op, "set"), field))
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
    snprintf(out->value, sizeof out->value, "%s", register_value(d->catalogue, column, value));
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
