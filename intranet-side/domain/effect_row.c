/* effect_row.c - persons and households as the plan so far has made them: what was looked up, with the rows of the plan laid over. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/domain/effect_work.h"

/* A name of the file's `names` stands for what is said there. */
static const json_t *named(const struct effect_work *w, const json_t *operand)
{
    const char *name = json_string_value(operand);
    return name ? json_object_get(json_object_get(w->rule, "names"), name) : operand;
}

struct effect_change *work_planned(struct effect_work *w, enum effect_kind kind, const char *id)
{
    for (size_t i = 0; i < w->p->n; i++)
        if (w->p->v[i].kind == kind && effect_is(w->p->v[i].after, effect_key(kind), id))
            return &w->p->v[i];
    return NULL;
}

/* The row as the plan has it, in place of the one that was looked up. */
static void overlay(struct effect_work *w, enum effect_kind kind, json_t **row)
{
    struct effect_change *c = *row ? work_planned(w, kind, effect_text(*row, effect_key(kind))) : NULL;
    if (c == NULL)
        return;
    json_decref(*row);
    *row = json_incref(c->after);
}

static int person_by_number(struct effect_work *w, const char *id_no, json_t **out, struct err *e)
{
    *out = NULL;
    if (*id_no == '\0')
        return 0;
    if (w->x->look.person(w->x->look.arg, id_no, out, e) < 0)
        return -1;
    overlay(w, EFFECT_PERSON, out);
    for (size_t i = 0; *out == NULL && i < w->p->n; i++)
        if (w->p->v[i].kind == EFFECT_PERSON && effect_is(w->p->v[i].after, "id_no", id_no))
            *out = json_incref(w->p->v[i].after);
    return 0;
}

/* The first of the fields that has a value. */
const char *work_number(struct effect_work *w, const json_t *operand)
{
    const json_t *where = named(w, operand), *field = json_object_get(where, "field");
    size_t i;
    json_t *v;
    if (effect_is(where, "by", "element"))
        return effect_text(w->element, *effect_text(where, "of") ? effect_text(where, "of") : "id_no");
    json_array_foreach(field, i, v)
        if (*effect_text(w->x->entries, json_string_value(v)))
            return effect_text(w->x->entries, json_string_value(v));
    return json_is_string(field) ? effect_text(w->x->entries, json_string_value(field)) : "";
}

int work_person(struct effect_work *w, const json_t *operand, json_t **out, struct err *e)
{
    if (!effect_is(named(w, operand), "by", "new"))
        return person_by_number(w, work_number(w, operand), out, e);
    struct effect_change *c = w->added ? work_planned(w, EFFECT_PERSON, w->added) : NULL;
    *out = c ? json_incref(c->after) : NULL;
    return 0;
}

/* How a household stands in a person's row for a reader. */
static void remember(struct effect_work *w, const json_t *home)
{
    char text[400];
    snprintf(text, sizeof text, "%s（户号 %s）", effect_text(home, "address"), effect_text(home, "book_no"));
    text_mend(text, '?');
    json_object_set_new(w->p->homes, effect_text(home, "household_id"), json_string(text));
}

int work_household_by_id(struct effect_work *w, const char *id, json_t **out, struct err *e)
{
    struct effect_change *c = *id ? work_planned(w, EFFECT_HOUSEHOLD, id) : NULL;
    *out = c ? json_incref(c->after) : NULL;
    if (c == NULL && *id && w->x->look.household(w->x->look.arg, id, out, e) < 0)
        return -1;
    if (*out)
        remember(w, *out);
    return 0;
}

static int household_way(struct effect_work *w, const json_t *way, json_t **out, struct err *e)
{
    const char *by = effect_text(way, "by"), *value = effect_text(w->x->entries, effect_text(way, "field"));
    json_t *p = NULL;
    int rc = 0;
    if (strcmp(by, "new") == 0)
        return w->formed ? work_household_by_id(w, w->formed, out, e) : 0;
    if (strcmp(by, "book_no") == 0 || strcmp(by, "collective_name") == 0) {
        if (*value == '\0')
            return 0;
        if ((rc = w->x->look.household_by(w->x->look.arg, *by == 'b' ? "book_no" : "name", value, out, e)) == 0)
            overlay(w, EFFECT_HOUSEHOLD, out);
        return rc;
    }
    if (strcmp(by, "own") == 0)
        rc = work_person(w, json_object_get(way, "person"), &p, e);
    else if ((rc = person_by_number(w, value, &p, e)) == 0 && p && !effect_is(p, "status", "normal")) {
        json_decref(p);
        return 0;
    }
    if (rc == 0 && p)
        rc = work_household_by_id(w, effect_text(p, "household_id"), out, e);
    json_decref(p);
    return rc;
}

/* First way that has a value and finds one. */
int work_household(struct effect_work *w, const json_t *operand, json_t **out, struct err *e)
{
    const json_t *ways = named(w, operand);
    size_t i;
    json_t *v;
    *out = NULL;
    if (json_is_object(ways))
        return household_way(w, ways, out, e);
    json_array_foreach(ways, i, v)
        if (effect_holds(w, json_object_get(v, "when"))) {
            int rc = household_way(w, v, out, e);
            if (rc < 0 || *out)
                return rc;
        }
    return 0;
}

static bool lives_in(const json_t *person, const char *household_id)
{
    return effect_is(person, "status", "normal") && effect_is(person, "household_id", household_id);
}

int work_members(struct effect_work *w, const char *household_id, json_t **array, struct err *e)
{
    json_t *all = NULL, *m;
    size_t i;
    *array = json_array();
    if (*household_id && w->x->look.members(w->x->look.arg, household_id, &all, e) < 0)
        return -1;
    json_array_foreach(all, i, m) {
        struct effect_change *c = work_planned(w, EFFECT_PERSON, effect_text(m, "person_id"));
        if (c == NULL || lives_in(c->after, household_id))
            json_array_append(*array, c ? c->after : m);
    }
    json_decref(all);
    for (i = 0; i < w->p->n; i++) {
        struct effect_change *c = &w->p->v[i];
        if (c->kind == EFFECT_PERSON && lives_in(c->after, household_id) && !(c->before && lives_in(c->before, household_id)))
            json_array_append(*array, c->after);
    }
    return 0;
}

static struct effect_change *begin(struct effect_work *w, enum effect_kind kind, const char *op, json_t *before, json_t *after, struct err *e)
{
    struct effect_plan *p = w->p;
    if (p->n == EFFECT_MAX_CHANGES) {
        json_decref(before);
        json_decref(after);
        err_set(e, ERR_INPUT, "effect: more than %d changes", EFFECT_MAX_CHANGES);
        return NULL;
    }
    p->v[p->n] = (struct effect_change){kind, op, before, after};
    return &p->v[p->n++];
}

/* A move under way keeps everybody else's hands off. */
bool work_free(struct effect_work *w, const json_t *person)
{
    const char *lock = effect_text(person, "lock_case");
    if (*lock == '\0' || strcmp(lock, w->x->case_no) == 0)
        return true;
    work_refuse(w, "%s正在办理户口迁移（受理号 %s），那件办完或终止以后再办", effect_text(person, "name"), lock);
    return false;
}

struct effect_change *work_touch(struct effect_work *w, enum effect_kind kind, const char *op, json_t *row, struct err *e)
{
    struct effect_change *c = work_planned(w, kind, effect_text(row, effect_key(kind)));
    if (c == NULL && kind == EFFECT_PERSON)
        work_free(w, row);
    return c ? c : begin(w, kind, op, json_copy(row), json_copy(row), e);
}

struct effect_change *work_new(struct effect_work *w, enum effect_kind kind, const char *op, struct err *e)
{
    char id[40];
    if (w->x->look.draw(w->x->look.arg, "id", w->drawn_ids++, id, e) < 0)
        return NULL;
    return begin(w, kind, op, NULL, json_pack("{s:s}", effect_key(kind), id), e);
}

bool household_collective(const json_t *household)
{
    return *effect_text(household, "collective_kind") || *effect_text(household, "kind") == '2';
}
