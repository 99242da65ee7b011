/* catalogue_district.c - items as the districts have them: a few members of their own in place of the city's. */
#include <string.h>

#include "common/catalogue_parts.h"

const char *const catalogue_district_keys[] = { "plain_name", "closed_note", "facts", "who_may_apply", "steps", "notices", "legal", "enabled",
                                                "online_open", "channels", "materials", NULL };

static int own_keys(const json_t *own, const struct place *at, struct err *e)
{
    const char *key;
    json_t *v;
    if (!json_is_object(own))
        return want(e, at, "definition", "an object", own);
    json_object_foreach((json_t *)own, key, v) {
        size_t k = 0;
        while (catalogue_district_keys[k] && strcmp(catalogue_district_keys[k], key) != 0)
            k++;
        if (!catalogue_district_keys[k])
            return err_set(e, ERR_INPUT, "%s: key %.40s: want one that a district may have of its own", at->s, key);
    }
    return 0;
}

static bool region_known(const struct catalogue *c, const char *region)
{
    size_t i, k;
    json_t *u, *r;
    json_array_foreach(json_object_get(c->root, "units"), i, u)
        json_array_foreach(json_object_get(u, "regions"), k, r)
            if (json_is_string(r) && strcmp(json_string_value(r), region) == 0)
                return true;
    return false;
}

static int variant_of(struct catalogue *c, const char *region, const char *code, const json_t *own, struct err *e)
{
    const struct place at = place_of("districts/%s: %s", region, code);
    const struct item *city = catalogue_item(c, code);
    struct variant *v = &c->variants[c->n_variants];
    if (!city)
        return err_set(e, ERR_INPUT, "%s: want an item of the catalogue", at.s);
    if (own_keys(own, &at, e) < 0)
        return -1;
    json_t *merged = json_copy((json_t *)city->json);
    if (!merged || json_object_update(merged, (json_t *)own) < 0 || json_array_append_new(c->variant_json, merged) < 0)
        return NO_MEMORY(e);
    v->region = region;
    c->n_variants++;
    return catalogue_build_item(c, &v->item, merged, at.s, city->enabled, e);
}

int catalogue_build_districts(struct catalogue *c, struct err *e)
{
    json_t *all = json_object_get(c->root, "districts"), *of, *own;
    const char *region, *code;
    size_t n = 0;
    if (all && !json_is_object(all))
        return err_set(e, ERR_INPUT, "bundle: districts: want an object");
    json_object_foreach(all, region, of)
        n += json_object_size(of);
    c->variants = catalogue_alloc(c, n, sizeof *c->variants);
    c->variant_json = json_array();
    if (!c->variants || !c->variant_json)
        return NO_MEMORY(e);
    json_object_foreach(all, region, of) {
        if (!region_known(c, region))
            return err_set(e, ERR_INPUT, "districts/%.20s: want a region that a unit works for", region);
        json_object_foreach(of, code, own)
            if (variant_of(c, region, code, own, e) < 0)
                return -1;
    }
    return 0;
}

const struct item *catalogue_item_in(const struct catalogue *c, const char *code, const char *region)
{
    for (size_t i = 0; region && *region && i < c->n_variants; i++)
        if (strcmp(c->variants[i].region, region) == 0 && strcmp(c->variants[i].item.code, code) == 0)
            return &c->variants[i].item;
    return catalogue_item(c, code);
}

const char *catalogue_region_of(const struct catalogue *c, const char *unit)
{
    size_t i;
    json_t *u;
    json_array_foreach(json_object_get(c->root, "units"), i, u) {
        const char *code = json_string_value(json_object_get(u, "code"));
        if (code && unit && strcmp(code, unit) == 0) {
            const char *region = json_string_value(json_array_get(json_object_get(u, "regions"), 0));
            return region ? region : "";
        }
    }
    return "";
}

const struct item *catalogue_item_for(const struct catalogue *c, const char *code, const json_t *entries)
{
    return catalogue_item_in(c, code, c->n_variants ? catalogue_region_of(c, json_string_value(json_object_get(entries, "accept_unit"))) : "");
}
