/* edition.c - one set of rules and the answers made of it alone. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internet-side/service/edition.h"

struct edition {
    atomic_uint refs;
    struct catalogue *catalogue;
    char *index, *search;                /* JSON texts */
    char tag[67];
    pthread_mutex_t lock;                /* guards items */
    json_t *regions;                     /* array of {code, name}: the districts of the city */
    size_t n_items;
    char **items;                        /* JSON text per place (the city, then each district) and item in catalogue order, NULL until wished for */
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static json_t *unit_json(const json_t *unit)
{
    static const char *const keys[] = { "code", "name", "short", "parent", "address", "phone", "hours", "regions" };
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *v = json_object_get(unit, keys[i]);
        if (v && !json_is_null(v))
            json_object_set(out, keys[i], v);
    }
    return out;
}

static json_t *brief_json(const struct item *it)
{
    static const char *const keys[] = { "code", "name", "plain_name", "category", "subcategory", "path", "menu", "channels" };
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(it->json, keys[i]))
            json_object_set(out, keys[i], json_object_get(it->json, keys[i]));
    json_object_set_new(out, "online_open", json_boolean(it->online_open));
    return out;
}

/* In the city, or in one of its districts at least. */
static bool somewhere(const struct catalogue *c, const struct item *it)
{
    const char *region;
    json_t *of;
    bool yes = it->enabled;
    json_object_foreach((json_t *)catalogue_part(c, "districts"), region, of)
        yes = yes || catalogue_item_in(c, it->code, region)->enabled;
    return yes;
}

/* Items that citizens may see, in order of code. */
static json_t *items_json(const struct catalogue *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < catalogue_item_count(c); i++) {
        const struct item *it = catalogue_item_at(c, i);
        if (!somewhere(c, it))
            continue;
        json_t *brief = brief_json(it);
        if (!it->enabled)
            json_object_set_new(brief, "enabled", json_false());
        json_array_append_new(list, brief);
    }
    return list;
}

static json_t *units_json(const struct catalogue *c)
{
    json_t *list = json_array();
    size_t i;
    const json_t *unit;
    json_array_foreach(catalogue_part(c, "units"), i, unit)
        if (strcmp(text_of(unit, "kind"), "committee") != 0)
            json_array_append_new(list, unit_json(unit));
    return list;
}

/* The districts of the city, by their names in GB/T 2260. */
static json_t *regions_json(const struct catalogue *c)
{
    json_t *list = json_array(), *seen = json_object();
    size_t i, k;
    const json_t *unit, *region;
    json_array_foreach(catalogue_part(c, "units"), i, unit)
        json_array_foreach(json_object_get(unit, "regions"), k, region) {
            const char *code = json_string_value(region), *name = code ? catalogue_label(c, "GB/T 2260", code) : NULL;
            if (name && json_object_get(seen, code) == NULL) {
                json_object_set_new(seen, code, json_true());
                json_array_append_new(list, json_pack("{s:s, s:s}", "code", code, "label", name));
            }
        }
    json_decref(seen);
    return list;
}

/* region -> code -> what a list shows otherwise there. */
static json_t *districts_json(const struct catalogue *c)
{
    static const char *const keys[] = { "plain_name", "online_open", "enabled" };
    const char *region, *code;
    json_t *of, *own, *out = json_object();
    json_object_foreach((json_t *)catalogue_part(c, "districts"), region, of) {
        json_t *items = json_object();
        json_object_foreach(of, code, own) {
            json_t *brief = json_object();
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if (json_object_get(own, keys[i]))
                    json_object_set(brief, keys[i], json_object_get(own, keys[i]));
            json_object_set_new(items, code, brief);
        }
        json_object_set_new(out, region, items);
    }
    return out;
}

static json_t *part_or_empty(const json_t *part)
{
    return part ? json_incref((json_t *)part) : json_object();
}

static char *index_text(const struct catalogue *c)
{
    const char *city = json_string_value(catalogue_part(c, "city"));
    json_t *body = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "version", (json_int_t)catalogue_version(c), "city", city ? city : "", "items",
                             items_json(c), "guide", part_or_empty(json_object_get(catalogue_part(c, "guide"), "guide")), "units", units_json(c),
                             "regions", regions_json(c), "districts", districts_json(c));
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

/* What the search works on, apart from the index because only who searches needs it. An item without words of its own there has the catalogue's. */
static char *search_text(const struct catalogue *c)
{
    json_t *body = json_deep_copy(catalogue_part(c, "search"));
    json_t *words = body ? json_object_get(body, "words") : NULL;
    for (size_t i = 0; words && i < catalogue_item_count(c); i++) {
        const struct item *it = catalogue_item_at(c, i);
        if (it->enabled && !json_object_get(words, it->code) && json_object_get(it->json, "search"))
            json_object_set(words, it->code, json_object_get(it->json, "search"));
    }
    char *text = body ? json_dumps(body, JSON_COMPACT) : strdup("{}");
    json_decref(body);
    return text;
}

int edition_new(struct edition **out, struct catalogue *c, struct err *e)
{
    struct edition *d = calloc(1, sizeof *d);
    char hex[65];
    if (!d)
        return err_set(e, ERR_FULL, "edition: no memory");
    atomic_init(&d->refs, 1);
    pthread_mutex_init(&d->lock, NULL);
    hash_hex(hex, catalogue_hash(c));
    snprintf(d->tag, sizeof d->tag, "\"%s\"", hex);
    d->regions = regions_json(c);
    d->n_items = catalogue_item_count(c) * (json_array_size(d->regions) + 1);
    d->items = calloc(d->n_items + 1, sizeof *d->items);
    d->index = index_text(c);
    d->search = search_text(c);
    d->catalogue = c;
    if (!d->items || !d->index || !d->search) {
        d->catalogue = NULL;
        edition_release(d);
        return err_set(e, ERR_FULL, "edition: no memory");
    }
    *out = d;
    return 0;
}

struct edition *edition_ref(struct edition *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

void edition_release(struct edition *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) > 1)
        return;
    for (size_t i = 0; d->items && i < d->n_items; i++)
        free(d->items[i]);
    free(d->items);
    free(d->index);
    free(d->search);
    json_decref(d->regions);
    catalogue_unref(d->catalogue);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const struct catalogue *edition_catalogue(const struct edition *d) { return d->catalogue; }
uint32_t edition_version(const struct edition *d) { return catalogue_version(d->catalogue); }
struct bytes edition_index(const struct edition *d) { return bytes_of(d->index); }
struct bytes edition_search(const struct edition *d) { return bytes_of(d->search); }
const char *edition_tag(const struct edition *d) { return d->tag; }

const char *edition_city(const struct edition *d)
{
    const char *city = json_string_value(catalogue_part(d->catalogue, "city"));
    return city ? city : "";
}

static char *item_text(const struct edition *d, const char *code, const char *region)
{
    json_t *body = catalogue_item_json(d->catalogue, code, region);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

/* 0 the city, then its districts; -1 is none of them. */
static int place_of_region(const struct edition *d, const char *region)
{
    size_t i;
    json_t *r;
    if (!*region)
        return 0;
    json_array_foreach(d->regions, i, r)
        if (strcmp(text_of(r, "code"), region) == 0)
            return (int)i + 1;
    return -1;
}

int edition_item(struct bytes *out, struct edition *d, const char *code, const char *region, struct err *e)
{
    const int place = place_of_region(d, region);
    const size_t n = catalogue_item_count(d->catalogue);
    size_t i = 0;
    while (i < n && strcmp(catalogue_item_at(d->catalogue, i)->code, code) != 0)
        i++;
    if (i == n || place < 0 || !(*region ? catalogue_item_in(d->catalogue, code, region)->enabled : somewhere(d->catalogue, catalogue_item_at(d->catalogue, i))))
        return err_set(e, ERR_MISSING, "catalogue: want an item that is switched on in a district of the city, have another");
    char **text = &d->items[(size_t)place * n + i];
    pthread_mutex_lock(&d->lock);
    if (!*text)
        *text = item_text(d, code, region);
    *out = bytes_of(*text ? *text : "");
    pthread_mutex_unlock(&d->lock);
    return out->n ? 0 : err_set(e, ERR_FULL, "catalogue: item %s: no memory", code);
}

static const json_t *find_unit(const struct edition *d, const char *code)
{
    size_t i;
    const json_t *unit;
    json_array_foreach(catalogue_part(d->catalogue, "units"), i, unit) {
        const char *have = json_string_value(json_object_get(unit, "code"));
        if (have && strcmp(have, code) == 0)
            return unit;
    }
    return NULL;
}

json_t *edition_unit(const struct edition *d, const char *code)
{
    const json_t *unit = find_unit(d, code);
    return unit ? unit_json(unit) : json_pack("{s:s, s:s}", "code", code, "name", "派出所");
}

const char *edition_unit_short(const struct edition *d, const char *code)
{
    const char *name = json_string_value(json_object_get(find_unit(d, code), "short"));
    return name ? name : "派出所";
}

const char *edition_plain_name(const struct edition *d, const char *item)
{
    const struct item *it = catalogue_item(d->catalogue, item);
    const char *name = it ? json_string_value(json_object_get(it->json, "plain_name")) : NULL;
    return name ? name : "";
}
