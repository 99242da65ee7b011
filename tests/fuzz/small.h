/* small.h - the real catalogue with few of its services, so that an execution takes a millisecond: their forms, the tables these use, their papers to
 * write oneself, words to search by, a guide of two questions and a district that differs. Everything else as it is in schemas/. */
#ifndef TESTS_FUZZ_SMALL_H
#define TESTS_FUZZ_SMALL_H

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue.h"

static const char *const small_codes[] = {"HJ001", "HJ039", "HJ050", NULL};
#define SMALL_REGION "340797"

static bool small_has(const char *code)
{
    for (size_t i = 0; code && small_codes[i]; i++)
        if (strcmp(small_codes[i], code) == 0)
            return true;
    return false;
}

enum { SMALL_TABLE = 300 };               /* codes of a table, from its beginning: more is only more of the same */

static json_t *small_table(const json_t *from)
{
    json_t *out = json_deep_copy(from), *values = json_object_get(out, "values");
    while (json_array_size(values) > SMALL_TABLE)
        json_array_remove(values, json_array_size(values) - 1);
    return out;
}

static void small_tables_of(json_t *out, const json_t *all, const json_t *part)
{
    const char *key;
    size_t i;
    json_t *v;
    json_array_foreach(part, i, v) small_tables_of(out, all, v);
    json_object_foreach((json_t *)part, key, v) {
        if (json_is_string(v) && json_object_get(all, json_string_value(v)) && !json_object_get(out, json_string_value(v)))
            json_object_set_new(out, json_string_value(v), small_table(json_object_get(all, json_string_value(v))));
        small_tables_of(out, all, v);
    }
}

static json_t *small_items(const json_t *list, json_t *forms)
{
    json_t *out = json_array(), *v;
    size_t i;
    json_array_foreach(list, i, v)
        if (small_has(json_string_value(json_object_get(v, "code")))) {
            json_array_append(out, v);
            json_object_set_new(forms, json_string_value(json_object_get(v, "form")), json_true());
        }
    return out;
}

static json_t *small_guide(void)
{
    return json_loads("{\"none_of_these\":\"都不是\",\"window_only\":\"要到窗口办\",\"events\":[{\"id\":\"birth\",\"title\":\"宝宝出生\",\"icon\":\"birthday-cake-o\",\"home\":true,"
                      "\"start\":\"birth.place\",\"items\":[\"HJ001\",\"HJ039\",\"HJ050\"]}],\"nodes\":[{\"id\":\"birth.place\",\"question\":\"在哪里出生？\",\"hint\":null,\"answers\":["
                      "{\"label\":\"中国大陆\",\"item\":\"HJ001\",\"presets\":{\"child_birth_country\":\"CHN\"}},{\"label\":\"其他\",\"next\":\"other\"},"
                      "{\"label\":\"国外\",\"stop\":{\"text\":\"请先打电话\",\"actions\":[\"phone\"]}}]},"
                      "{\"id\":\"other\",\"question\":\"要办什么？\",\"hint\":null,\"answers\":[{\"label\":\"换户主\",\"item\":\"HJ039\"},{\"label\":\"买房迁入\",\"item\":\"HJ050\"}]}]}",
                      0, NULL);
}

static json_t *small_filtered(const json_t *o, bool (*keep)(const char *))
{
    json_t *out = json_object(), *v;
    const char *key;
    json_object_foreach((json_t *)o, key, v)
        if (keep(key))
            json_object_set(out, key, v);
    return out;
}

/* Templates that a paper of the few names. */
static json_t *small_templates(const json_t *whole, const json_t *items)
{
    json_t *list = json_array(), *t, *item, *m;
    size_t i, k, n;
    json_array_foreach(whole, i, t) {
        bool any = false;
        json_array_foreach(items, k, item)
            json_array_foreach(json_object_get(item, "materials"), n, m)
                any |= json_equal(json_object_get(m, "template"), json_object_get(t, "id"));
        if (any)
            json_array_append(list, t);
    }
    return list;
}

static json_t *small_families(const json_t *all, const json_t *forms)
{
    json_t *out = json_object(), *v;
    const char *id;
    json_object_foreach((json_t *)forms, id, v) {
        json_t *f = json_deep_copy(json_object_get(all, id)), *kept = small_filtered(json_object_get(f, "presets"), small_has);
        json_object_set_new(f, "presets", kept);
        json_object_set_new(out, id, f);
    }
    return out;
}

static json_t *small_document(void)
{
    struct catalogue *whole = NULL;
    struct err e = {0};
    if (sodium_init() < 0 || catalogue_load_dir(&whole, "schemas", &e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        abort();
    }
    json_t *document = catalogue_document(whole), *d = json_deep_copy(document), *forms = json_object(), *tables = json_object();
    json_object_set_new(d, "items", small_items(json_object_get(d, "items"), forms));
    json_object_set_new(d, "extra", small_items(json_object_get(d, "extra"), forms));
    json_object_set_new(d, "families", small_families(json_object_get(d, "families"), forms));
    small_tables_of(tables, json_object_get(d, "code_tables"), json_object_get(d, "families"));
    json_object_set_new(d, "code_tables", tables);
    if (json_object_get(d, "templates"))
        json_object_set_new(d, "templates", small_templates(json_object_get(d, "templates"), json_object_get(d, "items")));
    json_t *search = json_copy(json_object_get(d, "search"));
    json_object_set_new(search, "words", small_filtered(json_object_get(search, "words"), small_has));
    json_object_set_new(search, "sounds", json_pack("{s:s}", "hu", "户"));
    json_object_set_new(d, "search", search);
    if (json_object_get(json_object_get(d, "guide"), "guide")) {
        json_t *g = json_copy(json_object_get(d, "guide"));
        json_object_set_new(g, "guide", small_guide());
        json_object_set_new(d, "guide", g);
    }
    json_object_set_new(d, "districts", json_pack("{s:{s:{s:s, s:b}}}", SMALL_REGION, "HJ001", "plain_name", "新生儿落户", "online_open", 0));
    json_decref(forms);
    json_decref(document);
    catalogue_unref(whole);
    return d;
}

static inline struct catalogue *small_catalogue(void)
{
    static struct catalogue *c;
    struct err e = {0};
    if (!c && catalogue_load_document(&c, small_document(), &e) < 0) {
        fprintf(stderr, "the small catalogue: %s\n", e.msg);
        abort();
    }
    return c;
}

#endif
