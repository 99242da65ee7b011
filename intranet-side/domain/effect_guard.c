/* effect_guard.c - the checks of a rule: what must hold before its ops are done, and that they change something. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"
#include "intranet-side/domain/rules.h"

/* One check being looked at. values: what its message may name. */
struct look { struct effect_work *w; const json_t *g; json_t *values; bool broken, unsure; };

static void put(struct look *k, const char *key, const char *value)
{
    json_object_set_new(k->values, key, json_string(value));
}

/* --- households --- */
static int duplicate(struct look *k, const json_t *home, struct err *e)
{
    json_t *members = NULL, *m, *src;
    const char *column;
    size_t i;
    int rc = work_members(k->w, effect_text(home, "household_id"), &members, e);
    json_array_foreach(members, i, m) {
        bool all = true;
        json_object_foreach(json_object_get(k->g, "match"), column, src) {
            struct buf b;
            buf_init(&b, 1 << 16);
            rc = rc < 0 ? rc : effect_source(k->w, &b, src, column, m, e);
            all &= b.n == 0 || effect_is(m, column, buf_text(&b));
            buf_clear(&b);
        }
        k->broken |= all;
    }
    json_decref(members);
    return rc;
}

/* Not marked yet is no refusal, but the officer has to look. */
static void land(struct look *k, const json_t *home)
{
    k->broken = effect_is(home, "land_kind", "collective");
    k->unsure = *effect_text(home, "land_kind") == '\0';
}

static int land_at(struct look *k, struct err *e)
{
    const char *address = effect_text(k->w->x->entries, effect_text(k->g, "address"));
    json_t *there = NULL, *v;
    size_t i;
    if (strspn(address, "0123456789") == 6 && address[6] == ' ')
        address += 7;
    if (*address && k->w->x->look.at_address(k->w->x->look.arg, address, &there, e) < 0)
        return -1;
    k->unsure = true;
    json_array_foreach(there, i, v) {
        k->broken |= effect_is(v, "land_kind", "collective");
        k->unsure &= *effect_text(v, "land_kind") == '\0';
    }
    json_decref(there);
    return 0;
}

static int household_check(struct look *k, const char *check, struct err *e)
{
    json_t *home = NULL;
    int rc = 0;
    if (strcmp(check, "land_is_state") == 0 && json_object_get(k->g, "address"))
        return land_at(k, e);
    if (work_household(k->w, json_object_get(k->g, "household"), &home, e) < 0)
        return -1;
    put(k, "book_no", effect_text(home, "book_no"));
    put(k, "head_name", effect_text(home, "head_name"));
    if (strcmp(check, "household_found") == 0 || strcmp(check, "household_not_found") == 0)
        k->broken = (home == NULL) == (strcmp(check, "household_found") == 0);
    else if (home == NULL)
        ;                                /* the others have nothing to say of none */
    else if (strcmp(check, "household_normal") == 0)
        k->broken = !effect_is(home, "status", "normal");
    else if (strcmp(check, "household_in_unit") == 0)
        k->broken = !effect_is(home, "unit_code", k->w->x->unit);
    else if (strcmp(check, "household_not_frozen") == 0)
        k->broken = effect_is(home, "frozen", "1");
    else if (strcmp(check, "land_is_state") == 0)
        land(k, home);
    else if (strcmp(check, "no_duplicate") == 0)
        rc = duplicate(k, home, e);
    json_decref(home);
    return rc;
}

/* --- persons --- */
static int head_with_others(struct look *k, const json_t *person, bool asks_head, struct err *e)
{
    json_t *home = NULL, *members = NULL;
    char n[16];
    if (work_household_by_id(k->w, effect_text(person, "household_id"), &home, e) < 0)
        return -1;
    bool is_head = home && effect_is(home, "head_person_id", effect_text(person, "person_id"));
    int rc = home ? work_members(k->w, effect_text(person, "household_id"), &members, e) : 0;
    size_t others = json_array_size(members) ? json_array_size(members) - 1 : 0;
    snprintf(n, sizeof n, "%zu", others);
    put(k, "n", n);
    put(k, "head_name", effect_text(home, "head_name"));
    k->broken = asks_head ? !is_head : is_head && others > 0 && !household_collective(home);    /* there the longest member follows by itself */
    json_decref(home);
    json_decref(members);
    return rc;
}

static int together(struct look *k, const json_t *person, struct err *e)
{
    json_t *other = NULL;
    int rc = work_person(k->w, json_object_get(k->g, "other"), &other, e);
    k->broken = rc == 0 && other && (!effect_is(other, "household_id", effect_text(person, "household_id")) || !effect_is(other, "status", "normal"));
    json_decref(other);
    return rc;
}

static int in_unit(struct look *k, const json_t *person, struct err *e)
{
    json_t *home = NULL;
    int rc = work_household_by_id(k->w, effect_text(person, "household_id"), &home, e);
    k->broken = rc == 0 && (home == NULL || !effect_is(home, "unit_code", k->w->x->unit));
    json_decref(home);
    return rc;
}

static bool among(const json_t *list, const char *value)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), value) == 0)
            return true;
    return list == NULL;
}

/* What the application says: of the element inside for_each, else of the form. */
static const char *said(const struct look *k)
{
    return json_object_get(k->g, "of") ? effect_text(k->w->element, effect_text(k->g, "of"))
                                       : effect_text(k->w->x->entries, effect_text(k->g, "field"));
}

/* differs: he does not live there already. */
static int elsewhere(struct look *k, const json_t *p, struct err *e)
{
    json_t *home = NULL;
    int rc = work_household(k->w, json_object_get(k->g, "household"), &home, e);
    k->broken = rc == 0 && home && effect_is(p, "status", "normal") && effect_is(p, "household_id", effect_text(home, "household_id"));
    json_decref(home);
    return rc;
}

static int person_state(struct look *k, const char *check, const json_t *p, struct err *e)
{
    const char *column = *effect_text(k->g, "column") ? effect_text(k->g, "column") : "name", *value = said(k);
    bool cancelled = effect_is(p, "status", "cancelled");
    if (strcmp(check, "person_normal") == 0)
        k->broken = cancelled;
    else if (strcmp(check, "person_alive") == 0)
        k->broken = effect_is(p, "cancel_kind", "death") || effect_is(p, "cancel_kind", "duplicate");
    else if (json_object_get(k->g, "household"))
        return elsewhere(k, p, e);
    else if (strcmp(check, "person_cancelled") == 0)
        k->broken = !cancelled || !among(json_object_get(k->g, "kinds"), effect_text(p, "cancel_kind"));
    else if (strcmp(check, "person_unlocked") == 0)
        k->broken = *effect_text(p, "lock_case") && !effect_is(p, "lock_case", k->w->x->case_no);
    else if (strcmp(check, "name_matches") == 0 || strcmp(check, "equals") == 0)
        k->broken = *value && strcmp(effect_text(p, column), value) != 0;
    else if (strcmp(check, "differs") == 0)
        k->broken = *value && strcmp(effect_text(p, column), value) == 0;
    else if (strcmp(check, "person_in_unit") == 0)
        return in_unit(k, p, e);
    else if (strcmp(check, "same_household") == 0)
        return together(k, p, e);
    else if (strcmp(check, "not_head_or_alone") == 0 || strcmp(check, "is_head") == 0)
        return head_with_others(k, p, *check == 'i', e);
    return 0;
}

static int person_check(struct look *k, const char *check, struct err *e)
{
    json_t *p = NULL;
    int rc = work_person(k->w, json_object_get(k->g, "person"), &p, e);
    put(k, "name", p ? effect_text(p, "name") : effect_text(k->w->element, "name"));
    put(k, "lock_case", effect_text(p, "lock_case"));
    if (strcmp(check, "person_found") == 0)
        k->broken = p == NULL;
    else if (strcmp(check, "person_not_found") == 0)
        k->broken = p != NULL;
    else if (rc == 0 && p)
        rc = person_state(k, check, p, e);
    json_decref(p);
    return rc;
}

static int paper_check(struct look *k, struct err *e)
{
    json_t *list = NULL, *v;
    size_t i, good = 0;
    int rc = paper_find(k->w, k->g, &list, e);
    json_array_foreach(list, i, v) {
        const char *until = effect_text(v, "valid_until");
        good += *until == '\0' || strcmp(until, k->w->x->today) >= 0;
        put(k, "paper_no", effect_text(v, "no"));
        put(k, "valid_until", until);
    }
    k->broken = good == 0;
    json_decref(list);
    return rc;
}

static bool something_changes(const struct effect_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].before == NULL || !json_equal(p->v[i].before, p->v[i].after))
            return true;
    return false;
}

static int one(struct effect_work *w, const json_t *g, struct err *e)
{
    const char *check = effect_text(g, "check");
    char text[300];
    struct look k = {.w = w, .g = g, .values = json_object()};
    int rc = 0;
    if (strcmp(check, "something_changes") == 0)
        k.broken = json_array_size(w->refusals) == 0 && !something_changes(w->p) && (w->p->n || strcmp(w->x->stage, "finish") == 0);
    else if (strcmp(check, "paper_valid") == 0)
        rc = paper_check(&k, e);
    else if (strncmp(check, "household_", 10) == 0 || strcmp(check, "land_is_state") == 0 || strcmp(check, "no_duplicate") == 0)
        rc = household_check(&k, check, e);
    else
        rc = person_check(&k, check, e);
    if (rc == 0 && k.broken) {
        text_fill(text, sizeof text, effect_text(g, "message"), k.values);
        json_array_append_new(effect_is(g, "severity", "warn") ? w->p->warnings : w->p->refusals, json_string(text));
    } else if (rc == 0 && k.unsure) {
        json_array_append_new(w->p->warnings, json_string("土地性质还没有标注，请先核实是不是国有土地"));
    }
    json_decref(k.values);
    return rc;
}

static int each(struct effect_work *w, const json_t *g, const char *over, struct err *e)
{
    json_t *v;
    size_t i;
    int rc = 0;
    json_array_foreach(json_object_get(w->x->entries, over), i, v) {
        w->element = v;
        if (rc == 0)
            rc = one(w, g, e);
    }
    w->element = NULL;
    return rc;
}

int effect_guards(struct effect_work *w, bool after_ops, struct err *e)
{
    size_t i;
    json_t *g;
    json_array_foreach(json_object_get(w->rule, "guards"), i, g) {
        const char *over = json_string_value(json_object_get(g, "for_each"));
        if (effect_is(g, "check", "something_changes") != after_ops || !effect_in_stage(g, w->x->stage, NULL) ||
            !effect_holds(w, json_object_get(g, "when")))
            continue;
        if ((over ? each(w, g, over, e) : one(w, g, e)) < 0)
            return -1;
    }
    return 0;
}
