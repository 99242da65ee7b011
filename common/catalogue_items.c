/* catalogue_items.c - items and their materials out of the bundle document. */
#include <stdlib.h>
#include <string.h>

#include "common/catalogue_parts.h"

static int alternatives_of(struct catalogue *c, struct material *m, const struct place *at, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *o;
    if (list_key(&list, m->json, "alternatives", false, at, e) < 0)
        return -1;
    struct alternative *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    m->alternatives = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, o) {
        if (text_key(&v[i].name, o, "name", true, at, e) < 0 || text_key(&v[i].verify, o, "verify", false, at, e) < 0 ||
            text_key(&v[i].e_licence, o, "e_licence", false, at, e) < 0 || conditions_key(c, &v[i].when, o, "when", at, e) < 0)
            return -1;
        m->n_alternatives = i + 1;
    }
    return 0;
}

static int material_of(struct catalogue *c, struct material *m, const json_t *o, const struct place *owner, struct err *e)
{
    static const char *const needs[] = { "required", "conditional", "one_of", NULL };
    static const char *const suppliers[] = { "applicant", "police", NULL };
    int need = 0, supplier = 0;
    long no;
    m->json = o;
    if (number_key(&no, o, "no", 1, 90, 0, owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: material %ld", owner->s, no);
    m->no = (int)no;
    if (text_key(&m->name, o, "name", true, &at, e) < 0 || text_key(&m->plain, o, "plain_name", false, &at, e) < 0 ||
        text_key(&m->condition, o, "condition", false, &at, e) < 0 ||
        text_key(&m->group, o, "group", false, &at, e) < 0 || word_key(&need, o, "requirement", needs, &at, e) < 0 ||
        bool_key(&m->original, o, "original", false, &at, e) < 0 || text_key(&m->verify, o, "verify", false, &at, e) < 0 ||
        text_key(&m->e_licence, o, "e_licence", false, &at, e) < 0 || conditions_key(c, &m->when, o, "when", &at, e) < 0 ||
        alternatives_of(c, m, &at, e) < 0)
        return -1;
    if (json_object_get(o, "supplied_by") && word_key(&supplier, o, "supplied_by", suppliers, &at, e) < 0)
        return -1;
    if (!m->plain)
        m->plain = m->name;
    m->need = (enum need)need;
    m->police = supplier == 1;
    m->manual = m->need == NEED_CONDITIONAL && m->when.n == 0;
    return 0;
}

static int materials_of(struct catalogue *c, struct item *it, const struct place *at, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *o;
    if (list_key(&list, it->json, "materials", false, at, e) < 0)
        return -1;
    struct material *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    it->materials = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, o) {
        if (material_of(c, &v[i], o, at, e) < 0)
            return -1;
        it->n_materials = i + 1;
    }
    return 0;
}

static int channels_of(struct item *it, const struct place *at, struct err *e)
{
    const json_t *o = json_object_get(it->json, "channels");
    return bool_key(&it->online, o, "online", false, at, e) < 0 || bool_key(&it->window, o, "window", true, at, e) < 0 ||
           bool_key(&it->appointment, o, "appointment", false, at, e) < 0 ? -1 : 0;
}

int catalogue_build_item(struct catalogue *c, struct item *it, const json_t *o, const char *file, bool enabled, struct err *e)
{
    const struct place owner = place_of("catalogue/%s", file);
    const char *form;
    it->json = o;
    if (text_key(&it->code, o, "code", true, &owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: %s", owner.s, it->code);
    if (text_key(&it->name, o, "name", true, &at, e) < 0 || text_key(&it->flow, o, "flow", true, &at, e) < 0 ||
        text_key(&it->business, o, "business", true, &at, e) < 0 || text_key(&form, o, "form", true, &at, e) < 0 ||
        bool_key(&it->enabled, o, "enabled", enabled, &at, e) < 0 || bool_key(&it->online_open, o, "online_open", false, &at, e) < 0 ||
        channels_of(it, &at, e) < 0)
        return -1;
    it->family = catalogue_family(c, form);
    if (!it->family)
        return want(e, &at, "form", "a family of forms/", json_object_get(o, "form"));
    return materials_of(c, it, &at, e);
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->code, ((const struct item *)b)->code);
}

int catalogue_build_items(struct catalogue *c, struct err *e)
{
    const json_t *items = json_object_get(c->root, "items"), *extra = json_object_get(c->root, "extra");
    size_t i;
    json_t *o;
    if (!json_is_array(items) || !json_is_array(extra))
        return err_set(e, ERR_INPUT, "bundle: items, extra: want lists");
    c->items = catalogue_alloc(c, json_array_size(items) + json_array_size(extra), sizeof *c->items);
    if (!c->items)
        return NO_MEMORY(e);
    json_array_foreach(items, i, o)
        if (catalogue_build_item(c, &c->items[c->n_items++], o, "items.json", true, e) < 0)
            return -1;
    json_array_foreach(extra, i, o)
        if (catalogue_build_item(c, &c->items[c->n_items++], o, "extra.json", false, e) < 0)
            return -1;
    qsort(c->items, c->n_items, sizeof *c->items, by_code);
    for (i = 1; i < c->n_items; i++)
        if (by_code(&c->items[i - 1], &c->items[i]) == 0)
            return err_set(e, ERR_INPUT, "catalogue: item %s: want once, have twice", c->items[i].code);
    return 0;
}
