/* fuzz_intranet_effects.c - what finishing a case does to the register: an effect file, entries of a form and what the officer adds, over the people of
 * schemas/org/demo-residents.json in memory. The first byte picks the family, the second what is changed (tree.h): 'r' the file, 's' workflows/selection.json, anything else the
 * entries, which begin as an honest application's and are judged by nobody here.
 * What must hold: a file is refused with its place, or every plan made by it is within bounds, its rows have keys, its sentences can be said; the real files make a plan from any
 * entries or say that a file is wrong; and what the register must keep is kept: no number given twice, one head among the members of a household that stays
 * normal, unless the plan is refused. */
#include <assert.h>

#include "common/text.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/flow_select.h"
#include "intranet-side/domain/rules.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/tree.h"

static struct rules *rules;
static struct catalogue *catalogue;
static json_t *town, *bases;

static const char *word(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* Columns that are empty are absent; a household has its address beside it. */
static json_t *row_of(const json_t *from)
{
    json_t *out = json_object(), *v, *a;
    const char *key;
    size_t i;
    json_object_foreach((json_t *)from, key, v)
        if (json_is_string(v))
            json_object_set(out, key, v);
    json_array_foreach(json_object_get(town, "addresses"), i, a)
        if (*word(from, "address_id") && strcmp(word(a, "address_id"), word(from, "address_id")) == 0) {
            json_object_set(out, "address", json_object_get(a, "text"));
            json_object_set(out, "region", json_object_get(a, "region"));
        }
    return out;
}

static int one(const char *list, const char *column, const char *value, json_t **out)
{
    size_t i;
    json_t *v;
    *out = NULL;
    json_array_foreach(json_object_get(town, list), i, v)
        if (*value && strcmp(word(v, column), value) == 0) {
            *out = row_of(v);
            return 0;
        }
    return 0;
}

static int many(const char *list, const char *column, const char *value, const char *status, json_t **out)
{
    size_t i;
    json_t *v;
    *out = json_array();
    json_array_foreach(json_object_get(town, list), i, v)
        if (strcmp(word(v, column), value) == 0 && (!*status || strcmp(word(v, "status"), status) == 0))
            json_array_append_new(*out, row_of(v));
    return 0;
}

static int look_person(void *a, const char *n, json_t **out, struct err *e) { (void)a, (void)e; return one("persons", "id_no", n, out); }
static int look_household(void *a, const char *id, json_t **out, struct err *e) { (void)a, (void)e; return one("households", "household_id", id, out); }
static int look_by(void *a, const char *column, const char *v, json_t **out, struct err *e) { (void)a, (void)e; return one("households", column, v, out); }
static int look_members(void *a, const char *id, json_t **out, struct err *e) { (void)a, (void)e; return many("persons", "household_id", id, "normal", out); }

static int look_at(void *a, const char *address, json_t **out, struct err *e)
{
    json_t *found = NULL;
    (void)a, (void)e;
    one("addresses", "text", address, &found);
    int rc = many("households", "address_id", found ? word(found, "address_id") : "-", "", out);
    json_decref(found);
    return rc;
}

static int look_papers(void *a, const struct paper_query *q, json_t **out, struct err *e)
{
    size_t i;
    json_t *v;
    (void)a, (void)e;
    *out = json_array();
    json_array_foreach(json_object_get(town, "papers"), i, v)
        if ((!*q->kind || strcmp(word(v, "kind"), q->kind) == 0) && (!*q->household || strcmp(word(v, "household_id"), q->household) == 0) &&
            (!*q->person || strcmp(word(v, "person_id"), q->person) == 0) && (!*q->no || strcmp(word(v, "no"), q->no) == 0) && !*q->case_no)
            json_array_append_new(*out, row_of(v));
    return 0;
}

static int look_number(void *a, const char *n, bool *used, struct err *e)
{
    json_t *p = NULL;
    (void)a, (void)e;
    one("persons", "id_no", n, &p);
    *used = p != NULL;
    json_decref(p);
    return 0;
}

static int draw(void *a, const char *what, unsigned nth, char out[40], struct err *e)
{
    (void)a, (void)e;
    snprintf(out, 40, strcmp(what, "id") == 0 ? "%032u" : "3407995%07u", 900 + nth);
    return 0;
}

/* The people of the honest base become people of the town, so that the rules find somebody. */
static void setup(void)
{
    struct err e = {0};
    json_error_t je;
    if (rules)
        return;
    json_t *cases = json_load_file("tests/unit/rules-cases.json", 0, &je);
    if (rules_load(&rules, "schemas", &e) < 0 || catalogue_load_dir(&catalogue, "schemas", &e) < 0 || !(town = json_load_file("schemas/org/demo-residents.json", 0, &je)) || !cases) {
        fprintf(stderr, "%s%s\n", e.msg, je.text);
        abort();
    }
    bases = json_incref(json_object_get(cases, "bases"));
    json_decref(cases);
}

static json_t *entries_of(const struct family *f, uint8_t pick)
{
    static const char *const numbers[] = {"340799197405025653", "340799197602271968", "340799200109173699", "340799194703110844", "340799198809225859"};
    const char *key;
    json_t *base, *out = json_object(), *p;
    json_object_foreach(bases, key, base) {
        const struct item *it = catalogue_item(catalogue, word(base, "item"));
        if (it && it->family == f)
            json_object_update_missing(out, json_object_get(base, "entries"));
    }
    json_t *copy = json_deep_copy(out);
    json_decref(out);
    for (size_t i = 0; i < f->n_fields; i++) {
        const char *id = f->fields[i].id;
        const size_t n = strlen(id);
        if (f->fields[i].type != FIELD_ID_NUMBER || n < 6 || strcmp(id, "applicant_id_no") == 0)
            continue;
        one("persons", "id_no", numbers[(pick + i) % 5], &p);
        char name[80];
        snprintf(name, sizeof name, "%.*s_name", (int)(n > 6 ? n - 6 : 0), id);
        json_object_set(copy, id, json_object_get(p, "id_no"));
        json_object_set(copy, name, json_object_get(p, "name"));
        json_decref(p);
    }
    return copy;
}

static void sentences(const json_t *list)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) assert(json_is_string(v) && text_length(bytes_of(json_string_value(v))) >= 0);
}

static const struct effect_change *planned(const struct effect_plan *p, enum effect_kind kind, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].kind == kind && strcmp(word(p->v[i].after, effect_key(kind)), id) == 0)
            return &p->v[i];
    return NULL;
}

static void member(const struct effect_plan *p, const json_t *person, const char *home, const char *head, unsigned *members, unsigned *heads)
{
    const struct effect_change *c = planned(p, EFFECT_PERSON, word(person, "person_id"));
    const json_t *now = c ? c->after : person;
    if (strcmp(word(now, "household_id"), home) != 0 || strcmp(word(now, "status"), "normal") != 0)
        return;
    ++*members;
    *heads += strcmp(word(now, "person_id"), head) == 0;
}

/* A household that the plan touches and leaves normal, with its members as they will be. */
static void one_head(const struct effect_plan *p, const json_t *home)
{
    unsigned members = 0, heads = 0;
    size_t i;
    json_t *v;
    const char *id = word(home, "household_id"), *head = word(home, "head_person_id");
    if (strcmp(word(home, "status"), "normal") != 0 || *word(home, "collective_kind") || word(home, "kind")[0] == '2')
        return;
    json_array_foreach(json_object_get(town, "persons"), i, v) member(p, v, id, head, &members, &heads);
    for (i = 0; i < p->n; i++)
        if (p->v[i].kind == EFFECT_PERSON && !p->v[i].before)
            member(p, p->v[i].after, id, head, &members, &heads);
    assert(members == 0 || heads == 1);
}

static void kept(const struct effect_plan *p)
{
    bool used;
    for (size_t i = 0; i < p->n; i++) {
        const struct effect_change *c = &p->v[i];
        if (c->kind == EFFECT_HOUSEHOLD)
            one_head(p, c->after);
        if (c->kind != EFFECT_PERSON)
            continue;
        if (*word(c->after, "household_id") && !planned(p, EFFECT_HOUSEHOLD, word(c->after, "household_id"))) {
            json_t *home = NULL;
            one("households", "household_id", word(c->after, "household_id"), &home);
            if (home)
                one_head(p, home);
            json_decref(home);
        }
        if (strcmp(word(c->before, "id_no"), word(c->after, "id_no")) == 0)
            continue;
        look_number(NULL, word(c->after, "id_no"), &used, NULL);
        assert(!used);
        for (size_t k = 0; k < i; k++)
            assert(p->v[k].kind != EFFECT_PERSON || !*word(c->after, "id_no") || strcmp(word(p->v[k].after, "id_no"), word(c->after, "id_no")) != 0);
    }
}

static void planned_all(const json_t *rule, const struct family *f, const json_t *entries, bool real)
{
    static const char *const stages[] = {"finish", "permit", "move_out", "move_in"};
    for (size_t i = 0; i < 4; i++) {
        struct effect_context x = {.catalogue = catalogue, .family = f, .entries = entries, .unit = "340799510000", .unit_region = "340799", .case_no = "3407990000000018",
                                   .today = "2026-11-23", .stage = stages[i],
                                   .look = {NULL, look_person, look_household, look_by, look_members, look_at, look_papers, look_number, draw}};
        struct effect_plan p;
        struct err e = {0};
        if (effect_make(&p, rule, &x, &e) < 0) {
            assert(e.code != ERR_NONE && e.msg[0] && text_length(bytes_of(e.msg)) != 0);
        } else {
            assert(p.n <= EFFECT_MAX_CHANGES && text_length(bytes_of(p.title)) >= 0 && text_length(bytes_of(p.result)) >= 0);
            sentences(p.refusals);
            sentences(p.warnings);
            for (size_t k = 0; k < p.n; k++)
                assert(p.v[k].after && *word(p.v[k].after, effect_key(p.v[k].kind)));
            json_t *words = effect_in_words(&p, catalogue);
            assert(json_is_array(words));
            json_decref(words);
            if (real && json_array_size(p.refusals) == 0)
                kept(&p);
        }
        effect_plan_clear(&p);
        err_clear(&e);
        json_t *asked = effect_completion(rule, &x, &e);
        assert(asked || e.code != ERR_NONE);
        json_decref(asked);
    }
}

static void selection(const uint8_t *data, size_t size)
{
    static json_t *base;
    struct flow_select *s = NULL;
    struct err e = {0};
    if (!base)
        base = json_load_file("schemas/workflows/selection.json", 0, NULL);
    json_t *mine = json_deep_copy(base), *none = json_object();
    tree_changes(mine, data, size);
    if (flow_select_parse(&s, "selection.json", mine, rules->flows, &e) < 0) {
        assert(e.code == ERR_INPUT && e.msg[0] && !s);
    } else {
        flow_select_covers(s, catalogue, &e);
        for (size_t i = 0; i < catalogue_item_count(catalogue); i += 7)
            for (int w = 0; w < FLOW_WHERES; w++) {
                const struct flow_rule *r = flow_select(s, catalogue_item_at(catalogue, i), (enum flow_where)w, i % 2 ? none : NULL);
                assert(!r || (r->flow_type && r->why));
            }
    }
    flow_select_free(s);
    json_decref(mine);
    json_decref(none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    setup();
    if (size < 2)
        return 0;
    if (data[1] == 's') {
        selection(data + 2, size - 2);
        return 0;
    }
    const struct family *f = catalogue_item_at(catalogue, data[0] % catalogue_item_count(catalogue))->family;
    const json_t *real = json_object_get(rules->effects, f->id);
    json_t *rule = json_deep_copy(real), *entries = entries_of(f, data[1]);
    if (data[1] == 'r') {
        tree_changes(rule, data + 2, size - 2);
        if (effect_rule_check(rule, f->id, &e) < 0)
            assert(e.code == ERR_INPUT && e.msg[0]);
        else
            planned_all(rule, f, entries, false);
    } else {
        tree_changes(entries, data + 2, size - 2);
        planned_all(rule, f, entries, true);
    }
    json_decref(rule);
    json_decref(entries);
    return 0;
}
