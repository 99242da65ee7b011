/* test_catalogue.c - the rules as data: what is loaded, what is published, and what the loader refuses, with place, want and have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/catalogue.h"

static struct catalogue *cat;
static json_t *bundle;                 /* the bundle of cat, to be copied and broken */

static int load(struct catalogue **out, const json_t *root, struct err *e)
{
    char *s = json_dumps(root, JSON_COMPACT);
    const int rc = catalogue_load_bundle(out, bytes_of(s), e);
    free(s);
    return rc;
}

/* The value at "families/birth/fields/0"; the last step is left to the caller. */
static json_t *walk(json_t *at, const char *path, const char **last)
{
    char step[80];
    for (;;) {
        const char *slash = strchr(path, '/');
        if (!slash) {
            *last = path;
            return at;
        }
        snprintf(step, sizeof step, "%.*s", (int)(slash - path), path);
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
        if (!at)
            fail_msg("no %s in %s", step, path);
        path = slash + 1;
    }
}

/* Put JSON text at the path, or delete with NULL. */
static void edit(json_t *root, const char *path, const char *value)
{
    const char *last;
    json_t *at = walk(root, path, &last), *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    assert_true(!value || v);
    if (json_is_array(at) && value && strcmp(last, "+") == 0)
        json_array_append_new(at, v);
    else if (json_is_array(at) && value)
        json_array_set_new(at, (size_t)atoi(last), v);
    else if (json_is_array(at))
        json_array_remove(at, (size_t)atoi(last));
    else if (value)
        json_object_set_new(at, last, v);
    else
        json_object_del(at, last);
}

static size_t open_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < catalogue_item_count(cat); i++)
        n += catalogue_item_at(cat, i)->online_open;
    return n;
}

/* CIT-07, MAT-01: the whole catalogue is there: 113 items and 37 that are switched off, each with its family and papers. */
static void test_contents(void **state)
{
    size_t enabled = 0, materials = 0;
    (void)state;
    assert_int_equal(catalogue_item_count(cat), 150);
    for (size_t i = 0; i < 150; i++) {
        const struct item *it = catalogue_item_at(cat, i);
        assert_ptr_equal(catalogue_item(cat, it->code), it);
        assert_non_null(it->family);
        assert_true(i == 0 || strcmp(catalogue_item_at(cat, i - 1)->code, it->code) < 0);
        enabled += it->enabled;
        materials += it->enabled ? it->n_materials : 0;
    }
    assert_int_equal(enabled, 113);
    assert_int_equal(materials, 387);
    assert_true(open_count() >= 4);
    assert_null(catalogue_item_at(cat, 150));
    assert_null(catalogue_item(cat, "HJ000"));
    assert_null(catalogue_family(cat, "nothing"));
}

static void test_accessors(void **state)
{
    const struct family *birth = catalogue_family(cat, "birth");
    const struct field *gender = family_field(birth, "child_gender");
    (void)state;
    assert_non_null(birth);
    assert_int_equal(gender->type, FIELD_ENUM);
    assert_true(field_allows(gender, "1"));
    assert_false(field_allows(gender, "0"));
    assert_false(field_allows(gender, "x"));
    assert_string_equal(field_label_of(gender, "0"), "未知的性别");
    assert_null(family_field(birth, "nothing"));
    assert_null(family_repeat(birth, "members"));
    assert_non_null(family_repeat(catalogue_family(cat, "split"), "members"));
    assert_string_equal(catalogue_label(cat, "GB/T 3304", "01"), "汉族");
    assert_null(catalogue_label(cat, "GB/T 3304", "00"));
    assert_null(catalogue_label(cat, "GB/T 0", "01"));
    assert_int_equal(json_array_size(family_preset(birth, "HJ001", "settle_with")), 1);
    assert_null(family_preset(birth, "HJ001", "child_name"));
    assert_true(catalogue_version(cat) >= 1);
}

/* The accepting stations are the values of GA 380; bureaux that take no applications are not. */
static void test_units(void **state)
{
    const struct code_table *t = catalogue_table(cat, "GA 380");
    (void)state;
    assert_true(t->n > 0);
    assert_non_null(catalogue_label(cat, "GA 380", "340799510000"));
    assert_null(catalogue_label(cat, "GA 380", "340700000000"));
    assert_non_null(catalogue_part(cat, "units"));
    assert_non_null(catalogue_part(cat, "public_states"));
    assert_null(catalogue_part(cat, "officers"));
}

/* The bundle goes to the internet: nobody's account, role or opinion may be in it. */
static void test_bundle_has_no_accounts(void **state)
{
    struct buf b;
    struct err e = {0};
    (void)state;
    buf_init(&b, 0);
    assert_int_equal(catalogue_bundle(&b, cat, &e), 0);
    assert_null(strstr(buf_text(&b), "hj_officer"));
    assert_null(strstr(buf_text(&b), "\"login\""));
    assert_null(strstr(buf_text(&b), "\"badge\""));
    assert_null(strstr(buf_text(&b), "\"opinions\""));
    buf_clear(&b);
}

/* Folder → bundle → bundle: the same bytes and the same hash, which is BLAKE2b-256 of them. */
static void test_canonical(void **state)
{
    struct buf a, b;
    struct err e = {0};
    struct catalogue *again = NULL;
    struct hash256 h;
    (void)state;
    buf_init(&a, 0);
    buf_init(&b, 0);
    assert_int_equal(catalogue_bundle(&a, cat, &e), 0);
    assert_int_equal(catalogue_load_bundle(&again, buf_bytes(&a), &e), 0);
    assert_int_equal(catalogue_bundle(&b, again, &e), 0);
    assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
    assert_true(hash_equal(catalogue_hash(cat), catalogue_hash(again)));
    hash_of(&h, buf_bytes(&a));
    assert_true(hash_equal(&h, catalogue_hash(cat)));
    catalogue_unref(again);
    buf_clear(&a);
    buf_clear(&b);
}

/* The order of keys and of items in what arrives makes no difference. */
static void test_order_does_not_matter(void **state)
{
    json_t *root = json_deep_copy(bundle), *city = json_incref(json_object_get(root, "city")), *items = json_object_get(root, "items");
    struct catalogue *c = NULL;
    struct err e = {0};
    (void)state;
    json_object_del(root, "city");
    json_object_set_new(root, "city", city);
    assert_int_equal(load(&c, root, &e), 0);
    assert_true(hash_equal(catalogue_hash(c), catalogue_hash(cat)));
    catalogue_unref(c);
    json_array_append(items, json_array_get(items, 0));
    json_array_remove(items, 0);
    assert_int_equal(load(&c, root, &e), 0);
    assert_non_null(catalogue_item(c, "HJ001"));
    assert_string_equal(catalogue_item_at(c, 0)->code, "HJ001");
    catalogue_unref(c);
    json_decref(root);
}

/* A new number is a new version with another hash; the old one stays as it was. */
static void test_renumbered(void **state)
{
    struct catalogue *next = NULL;
    struct err e = {0};
    const uint32_t before = catalogue_version(cat);
    (void)state;
    assert_int_equal(catalogue_renumbered(&next, cat, before + 1, &e), 0);
    assert_int_equal(catalogue_version(next), before + 1);
    assert_int_equal(catalogue_version(cat), before);
    assert_int_equal(json_integer_value(catalogue_part(cat, "version")), before);
    assert_false(hash_equal(catalogue_hash(next), catalogue_hash(cat)));
    catalogue_unref(next);
    next = NULL;
    assert_int_equal(catalogue_renumbered(&next, cat, 0, &e), -1);
    assert_non_null(strstr(e.msg, "version: want a number from 1, have 0"));
}

/* What a browser gets for one item is enough to judge it, and no large table is in it. */
static void test_item_json(void **state)
{
    json_t *j = catalogue_item_json(cat, "HJ001", "");
    const char *key;
    json_t *v;
    (void)state;
    static const char *const keys[] = { "version", "item", "family", "blocks", "code_tables", "patterns", "messages", "templates" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(j, keys[i]));
    assert_null(json_object_get(json_object_get(j, "code_tables"), "GB/T 2260"));
    assert_non_null(json_object_get(json_object_get(j, "code_tables"), "GA 380"));
    json_object_foreach(json_object_get(j, "code_tables"), key, v)
        assert_in_range(json_array_size(v), 0, 500);
    assert_true(json_is_string(json_object_get(json_object_get(j, "messages"), "required")));
    json_decref(j);
    assert_null(catalogue_item_json(cat, "HJ999", ""));
}

/* MAT-04: a condition on the province names it as such and holds for this city's in the bundle; the browser and the border see digits only. */
static void test_places(void **state)
{
    const struct condition *k = &catalogue_item(cat, "HJ058")->materials[0].when.v[0];
    char *s = json_dumps(bundle, JSON_COMPACT);
    json_t *here = json_string("340102"), *away = json_string("320102");
    (void)state;
    assert_string_equal(k->field, "subject_region");
    assert_int_equal(k->match, MATCH_NOT_PREFIX);
    assert_string_equal(json_string_value(json_array_get(k->values, 0)), "34");
    assert_true(condition_accepts(k, away) && !condition_accepts(k, here) && !condition_accepts(k, NULL) && !condition_accepts(k, json_true()));
    assert_null(strstr(s, "\"@province\""));
    assert_null(strstr(s, "\"@city\""));
    free(s);
    json_decref(here);
    json_decref(away);
}

/* MAT-18: a paper that people write themselves comes with a text for exactly that material. */
static void test_templates(void **state)
{
    json_t *j = catalogue_item_json(cat, "HJ025", ""), *list = json_object_get(j, "templates"), *t = json_array_get(list, 0);
    (void)state;
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_integer_value(json_object_get(t, "material")), 1);
    assert_string_equal(json_string_value(json_object_get(t, "title")), "姓名变更申请书");
    json_decref(j);
    j = catalogue_item_json(cat, "HJ001", "");
    assert_int_equal(json_array_size(json_object_get(j, "templates")), 0);
    json_decref(j);
}

/* CIT-07: no screen of an open item asks more than seven things, whatever is answered. */
static void test_screens(void **state)
{
    (void)state;
    for (size_t i = 0; i < catalogue_item_count(cat); i++) {
        const struct item *it = catalogue_item_at(cat, i);
        for (size_t s = 0; it->online_open && s < it->family->n_sections; s++)
            assert_in_range(section_asked(it->family, &it->family->sections[s], it->code), 0, 7);
    }
    const struct family *change = catalogue_family(cat, "non_core_change");
    size_t most = 0;
    for (size_t s = 0; s < change->n_sections; s++)
        if (strcmp(change->sections[s].id, "change") == 0)
            most = section_asked(change, &change->sections[s], "HJ043");
    assert_in_range(most, 2, 6);       /* ten fields stand in it: the changes exclude each other */
}

#define DISTRICT "{\"340797\": {\"HJ001\": {\"plain_name\": \"上户口（望江）\", \"online_open\": false}, \"HJ083\": {\"materials\": []}}}"

/* MAT-05, CIT-04, CIT-05: a district has texts, switches and papers of its own; everywhere else the city's stand, and so do the other members. */
static void test_districts(void **state)
{
    json_t *root = json_deep_copy(bundle), *in = json_pack("{s:s}", "accept_unit", "340797510000"), *out = json_pack("{s:s}", "accept_unit", "340799510000");
    struct catalogue *c = NULL;
    struct err e = {0};
    (void)state;
    edit(root, "districts", DISTRICT);
    if (load(&c, root, &e) < 0)
        fail_msg("%s", e.msg);
    const struct item *own = catalogue_item_in(c, "HJ001", "340797"), *city = catalogue_item(c, "HJ001");
    assert_true(city->online_open && !own->online_open && own->enabled);
    assert_int_equal(own->n_materials, city->n_materials);
    assert_string_equal(json_string_value(json_object_get(own->json, "plain_name")), "上户口（望江）");
    assert_ptr_equal(catalogue_item_in(c, "HJ001", "340799"), city);
    assert_ptr_equal(catalogue_item_in(c, "HJ001", ""), city);
    assert_string_equal(catalogue_region_of(c, "340797510000"), "340797");
    assert_string_equal(catalogue_region_of(c, "999999999999"), "");
    assert_int_equal(catalogue_item_for(c, "HJ083", in)->n_materials, 0);
    assert_true(catalogue_item_for(c, "HJ083", out)->n_materials > 0);
    json_t *j = catalogue_item_json(c, "HJ083", "");
    assert_non_null(json_object_get(json_object_get(j, "districts"), "340797"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(j, "unit_regions"), "340797520000")), "340797");
    json_decref(j);
    j = catalogue_item_json(c, "HJ025", "");
    assert_null(json_object_get(j, "districts"));
    json_decref(j);
    catalogue_unref(c);
    json_decref(root);
    json_decref(in);
    json_decref(out);
}

/* 受理单位 and 村居 are those of the organisation tree, each in its own table. */
static void test_tree_tables(void **state)
{
    (void)state;
    assert_int_equal(catalogue_table(cat, "GA 380")->n, 8);
    assert_int_equal(catalogue_table(cat, "村居")->n, 24);
    assert_string_equal(catalogue_label(cat, "村居", "340799001001"), "长江路社区居民委员会");
    assert_null(catalogue_label(cat, "GA 380", "340799001001"));
}

struct refusal { const char *path, *value, *says; };

static void refuse(const struct refusal *r)
{
    json_t *root = json_deep_copy(bundle);
    struct catalogue *c = NULL;
    struct err e = {0};
    edit(root, r->path, r->value);
    const int rc = load(&c, root, &e);
    if (rc == 0 || !strstr(e.msg, r->says))
        fail_msg("%s = %s: want \"%s\", have \"%s\"", r->path, r->value ? r->value : "deleted", r->says, rc == 0 ? "accepted" : e.msg);
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(c);
    json_decref(root);
}

/* MAT-01, MAT-04, CIT-07: each mistake is refused in words that name the file and the place. */
static void test_refused(void **state)
{
    static const struct refusal rows[] = {
        { "format", "2", "bundle: format: want 1, have 2" },
        { "format", NULL, "bundle: format: want 1, have none" },
        { "version", "0", "bundle: version" },
        { "version", "\"1\"", "bundle: version" },
        { "items", NULL, "items, extra: want lists" },
        { "districts", "[]", "districts: want an object" },
        { "districts", "{\"110000\": {}}", "districts/110000: want a region that a unit works for" },
        { "districts", "{\"340797\": {\"HJ999\": {}}}", "districts/340797: HJ999: want an item of the catalogue" },
        { "districts", "{\"340797\": {\"HJ001\": []}}", "definition: want an object" },
        { "districts", "{\"340797\": {\"HJ001\": {\"form\": \"death\"}}}", "key form: want one that a district may have" },
        { "districts", "{\"340797\": {\"HJ001\": {\"online_open\": 1}}}", "HJ001: online_open: want true or false" },
        { "districts", "{\"340797\": {\"HJ001\": {\"materials\": [{\"no\": 2, \"name\": \"x\", \"requirement\": \"required\"}]}}}", "no: want 1, have 2" },
        { "items/0/code", NULL, "catalogue/items.json: code: want text, have none" },
        { "items/0/code", "\"HJ002\"", "item HJ002: want once, have twice" },
        { "items/0/form", "\"births\"", "HJ001: form: want a family of forms/, have \"births\"" },
        { "items/0/online_open", "\"yes\"", "HJ001: online_open: want true or false" },
        { "items/0/materials/0/no", "2", "want 1, have 2" },
        { "items/0/materials/0/no", "\"1\"", "no: want a number" },
        { "items/0/materials/0/requirement", "\"must\"", "material 1: requirement: want one of required conditional one_of, have \"must\"" },
        { "items/0/materials/0/requirement", "\"one_of\"", "group: want one for one_of" },
        { "items/0/materials/0/requirement", "\"conditional\"", "condition: want words" },
        { "items/0/materials/0/supplied_by", "\"nobody\"", "supplied_by: want one of applicant police" },
        { "items/0/materials/0/group", "\"A\"", "none for required, have A" },
        { "items/0/materials/0/name", "\"\"", "material 1: name: want text" },
        { "items/0/materials/0", "{\"no\":1,\"name\":\"x\",\"requirement\":\"one_of\",\"group\":\"A\"}", "group A: want several papers" },
        { "items/0/materials/0", "{\"no\":1,\"name\":\"x\",\"requirement\":\"conditional\",\"condition\":\"y\"}", "when: want conditions that decide it" },
        { "items/0/materials/0/when", "[{\"field\":\"nothing\",\"in\":[\"1\"]}]", "when: want a field of the family, have \"nothing\"" },
        { "items/0/materials/0/when", "[{\"field\":\"child_gender\",\"in\":[\"7\"]}]", "when: want codes of the field it names, have \"7\"" },
        { "items/0/materials/0/when", "[{\"field\":\"in_wedlock\",\"in\":[\"true\"]}]", "when: want true or false" },
        { "items/0/materials/0/when", "[{\"field\":\"child_gender\"}]", "when: want a field and one list in, not_in, prefix or not_prefix" },
        { "items/0/materials/0/when", "[{\"field\":\"child_birth_region\",\"not_prefix\":[\"@moon\"]}]", "when: want @province or @city" },
        { "items/0/materials/0/when", "[{\"field\":\"child_birth_region\",\"not_prefix\":[true]}]", "when: want texts" },
        { "items/0/materials/0/when", "[{\"field\":\"child_gender\",\"in\":[]}]", "when: want a field and one list" },
        { "items/0/materials/0/when", "[{\"field\":\"child_gender\",\"in\":[\"1\"],\"not_in\":[\"2\"]}]", "when: want a field and one list" },
        { "items/0/materials/0/when", "[{\"field\":\"child_gender\",\"is\":\"1\"}]", "key is: want one of" },
        { "items/0/materials/0/when", "{}", "when: want a list" },
        { "items/0/materials/0/alternatives", "[{\"name\":\"甲\",\"when\":[{\"field\":\"nothing\",\"in\":[\"1\"]}]}]",
          "alternatives: when: want a field of the family, have \"nothing\"" },
        { "templates/0/title", "1", "catalogue/templates.json: unwed_statement: title: want text" },
        { "templates/0/signers", "[]", "unwed_statement: signers: want a list" },
        { "items/1/materials/4/template", "\"nothing\"", "HJ002: material 5: template: want one of catalogue/templates.json" },
        { "items/83/materials/0/template", "\"unwed_statement\"", "HJ084: material 1: template unwed_statement: want fields of forms/enlistment.json, have {child_name}" },
        { "templates/0/paragraphs/0", "\"{child_name\"", "want a closed {field}" },
        { "templates/0/paragraphs/1/when/0/field", "\"nobody\"", "when: want fields of the family" },
        { "items/0/materials/0/alternatives", "[{\"name\":\"甲\",\"when\":[{\"field\":\"nothing\",\"in\":[\"1\"]}]}]",
          "alternatives: when: want a field of the family, have \"nothing\"" },
        { "families/birth/label", NULL, "forms/birth.json: label: want text" },
        { "families/birth/colour", "1", "forms/birth.json: key colour: want one of" },
        { "families/birth/presets", "[]", "forms/birth.json: presets: want an object" },
        { "families/birth/presets/HJ001/nothing", "[true]", "presets HJ001: nothing: want a field of the family" },
        { "families/birth/presets/HJ001/settle_with", "[\"moon\"]", "presets HJ001: settle_with: want values of the field, have \"moon\"" },
        { "families/birth/presets/HJ001/settle_with", "[]", "presets HJ001: settle_with" },
        { "families/birth/presets/HJ001/has_birth_certificate", "[\"true\"]", "has_birth_certificate: want values of the field" },
        { "families/birth/fields", "[]", "forms/birth.json: fields: want a list" },
        { "families/birth/fields/0/id", "\"applicant_id_no\"", "field applicant_id_no: want once, have twice" },
        { "families/birth/fields/0/type", "\"number\"", "field applicant_name: type: want one of text" },
        { "families/birth/fields/0/required", "1", "field applicant_name: required: want true or false, have 1" },
        { "families/birth/fields/0/label", "null", "field applicant_name: label: want text" },
        { "families/birth/fields/0/max_lenght", "5", "key max_lenght: want one of" },
        { "families/birth/fields/0/max_length", "-1", "max_length: want a number" },
        { "families/birth/fields/0/pattern_name", "\"nothing\"", "pattern_name: want a text field and a pattern of forms/patterns.json, have \"nothing\"" },
        { "families/birth/fields/1/pattern_name", "\"person_name\"", "pattern_name: want a text field" },
        { "families/birth/fields/0/code_table", "\"GB/T 3304\"", "want a code_table or values for an enum and only there" },
        { "families/birth/fields/0/fill_from", "\"identity.age\"", "fill_from: want identity." },
        { "families/birth/fields/0/fill_from", "\"id_number:child_name:age\"", "fill_from: want birth_date or gender" },
        { "families/birth/fields/0/fill_from", "\"id_number:nobody:gender\"", "fill_from: want a field of the family, have \"nobody\"" },
        { "families/birth/fields/0/fill_from", "\"id_number:applicant_id_no:gender\"", "fill_from: want a date for birth_date, an enum for gender" },
        { "families/birth/fields/0/fill_from", "\"field:nobody\"", "fill_from: want a field of the family, have \"nobody\"" },
        { "families/birth/fields/0/fill_from", "\"field:applicant_id_no\"", "fill_from: want a field of the same type" },
        { "families/birth/fields/0/required_when", "[{\"field\":\"nobody\",\"in\":[true]}]", "required_when: want a field of the family, have \"nobody\"" },
        { "families/birth/fields/0/visible_when", "[{\"field\":\"applicant_name\",\"in\":[\"x\"]}]", "visible_when: want no circle" },
        { "families/birth/fields/0/visible_when", "[{\"field\":\"birth_certificate_no\",\"prefix\":[true]}]", "visible_when: want texts" },
        { "families/birth/fields/0/date_max", "\"tomorrow\"", "date_max: want today, a day" },
        { "families/birth/fields/0/date_min", "\"-900y\"", "date_min: want today, a day" },
        { "families/birth/fields/0/date_min", "\"2026-02-30\"", "date_min: want today, a day" },
        { "families/birth/fields/0/section", "\"child\"", "field applicant_name: want it once in the section that it names" },
        { "families/birth/fields/1/id_number_when", "[{\"field\":\"in_wedlock\",\"in\":[true]}]", "id_number_when: want a text field" },
        { "families/birth/fields/3/allow", "[\"00\"]", "allow: want codes of the table, have \"00\"" },
        { "families/birth/fields/3/code_table", "\"GB/T 0\"", "code_table: want a table of code-tables" },
        { "families/birth/fields/3/values", "[{\"code\":\"1\",\"label\":\"x\"}]", "want a code_table or values" },
        { "families/birth/sections/0/fields/0", "\"nothing\"", "section applicant: fields: want fields of the family, have \"nothing\"" },
        { "families/birth/sections/0/fields/+", "\"child_name\"", "field child_name: want it once" },
        { "families/birth/sections/0/repeats", "[\"members\"]", "section applicant: repeats: want repeats of the family" },
        { "families/birth/sections/0/title", NULL, "title: want text" },
        { "families/birth/sections", "[]", "sections: want some" },
        { "families/birth/rules/0/op", "\"sum\"", "rule parent_any: op: want one of require_any" },
        { "families/birth/rules/0/at", "\"nobody\"", "rule parent_any: at: want a field of the family" },
        { "families/birth/rules/0/fields", "[\"nobody\"]", "rule parent_any: fields: want fields of the family" },
        { "families/birth/rules/0/message", NULL, "rule parent_any: message: want text" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"not_after\",\"a\":\"child_name\",\"b\":\"today\",\"at\":\"child_name\",\"message\":\"x\"}",
          "rule x: a: want a date, an ID number or today, have \"child_name\"" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"not_after\",\"a\":\"child_birth_date\",\"at\":\"child_name\",\"message\":\"x\"}", "rule x: b: want text" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"age_at_least\",\"a\":\"child_birth_date\",\"at\":\"child_name\",\"message\":\"x\"}", "rule x: n: want a number" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"gender_is\",\"a\":\"mother_id_no\",\"value\":\"3\",\"at\":\"child_name\",\"message\":\"x\"}", "rule x: value" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"in\",\"a\":\"child_name\",\"at\":\"child_name\",\"message\":\"x\"}", "rule x: values: want a list" },
        { "families/birth/rules/0/when", "[{\"field\":\"nobody\",\"in\":[true]}]", "rule parent_any: when: want a field" },
        { "families/birth/rules/0", "{\"id\":\"x\",\"op\":\"refuse\",\"at\":\"child_name\",\"message\":\"x\"}", "rule x: when: want what is refused" },
        { "families/split/rules/+", "{\"id\":\"x\",\"op\":\"rows_differ\",\"a\":\"members\",\"at\":\"members\",\"message\":\"x\"}", "rule x: column: want text" },
        { "families/split/rules/+", "{\"id\":\"x\",\"op\":\"rows_have\",\"a\":\"members\",\"column\":\"nobody\",\"at\":\"members\",\"message\":\"x\"}", "rule x: a, column: want a list of the family and one of its fields" },
        { "families/split/rules/+", "{\"id\":\"x\",\"op\":\"rows_have\",\"a\":\"new_address\",\"column\":\"name\",\"at\":\"members\",\"message\":\"x\"}", "rule x: a, column: want a list of the family" },
        { "families/split/rules/+", "{\"id\":\"x\",\"op\":\"rows_include\",\"a\":\"members\",\"column\":\"id_no\",\"at\":\"members\",\"message\":\"x\"}", "rule x: b: want text" },
        { "families/split/rules/+", "{\"id\":\"x\",\"op\":\"rows_include\",\"a\":\"members\",\"column\":\"id_no\",\"b\":\"nobody\",\"at\":\"members\",\"message\":\"x\"}", "rule x: b: want a field" },
        { "families/birth/fields/0/fill_from", "\"field:child_gender\"", "field applicant_name: fill_from: want a field of the same type that is no copy itself" },
        { "families/birth/fields/0/fill_from", "\"field:nobody\"", "field applicant_name: fill_from: want a field of the family" },
        { "families/birth/fields/0/fill_map", "{\"1\":\"2\"}", "field applicant_name: fill_map: want an object beside fill_from" },
        { "families/birth/fields/0", "{\"id\":\"applicant_name\",\"label\":\"x\",\"type\":\"enum\",\"section\":\"applicant\",\"code_table\":\"GB/T 2261.1\",\"allow\":[\"1\",\"2\"],\"fill_from\":\"field:settle_with\",\"fill_map\":{\"mother\":\"9\"}}", "field applicant_name: fill_map: want codes" },
        { "families/split/repeats/0/fields/0/visible_when", "[{\"field\":\"name\",\"in\":[\"x\"]}]", "repeat members: field name: want no conditions" },
        { "families/split/repeats/0/max", "0", "repeat members: max: want a number" },
        { "families/split/repeats/0/id", "\"new_address\"", "repeat new_address: want a name of its own" },
        { "code_tables/GB~3304", "{\"values\":[]}", "code-tables/GB~3304: name: want text" },
        { "units", "[]", "field accept_unit: want values for a required field" },
        { "patterns/0/builtin", "\"anything\"", "builtin: want person_name and no regex" },
        { "patterns/1/regex", "\"^[A-Z$\"", "regex: want an anchored POSIX ERE" },
        { "patterns/1/regex", "\"[A-Z]\"", "regex: want an anchored POSIX ERE" },
        /* Compiled for minutes, or run for minutes on a text of 200 characters (SEC-18). */
        { "patterns/1/regex", "\"^((a|b){1,99}c?){1,99}$\"", "without repeated repetitions" },
        { "patterns/1/regex", "\"^(([A-Z]+-)*x)+$\"", "without repeated repetitions" },
        { "patterns/1/regex", "\"^(a+)*$\"", "without repeated repetitions" },
        { "patterns/1/regex", "\"^[a-z]{1,1000}$\"", "without repeated repetitions" },
        { "patterns/1/regex", "\"^a{100}$\"", "without repeated repetitions" },
        { "patterns/1/message", NULL, "pattern 1: message: want text" },
        { "messages/form-errors/rules", "[]", "messages/form-errors.json: rule unknown: want a sentence, have none" },
        { "messages", NULL, "messages/form-errors.json" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(&rows[i]);
    print_message("%zu refused\n", sizeof rows / sizeof *rows);
}

/* Node and answer of the guide in the bundle: "guide/guide/nodes/3/answers/0". */
static void guide_path(char out[160], const char *node, int answer, const char *key)
{
    const json_t *nodes = json_object_get(json_object_get(json_object_get(bundle, "guide"), "guide"), "nodes");
    size_t i;
    json_t *n;
    json_array_foreach(nodes, i, n)
        if (strcmp(json_string_value(json_object_get(n, "id")), node) == 0) {
            if (answer < 0)
                snprintf(out, 160, "guide/guide/nodes/%zu/%s", i, key);
            else
                snprintf(out, 160, "guide/guide/nodes/%zu/answers/%d%s%s", i, answer, *key ? "/" : "", key);
            return;
        }
    fail_msg("no node %s", node);
}

/* CIT-04: a guide that leaves somebody without a way on is refused: each row is one mistake in a guide that was good. */
static void test_guide_refused(void **state)
{
    static const struct { const char *node; int answer; const char *key, *value, *message; } rows[] = {
        /* an item unreachable, in two events, not there; the same of one that is switched off (CIT-19: switching it on is enough) */
        { "death.kind", -1, "answers", "[{\"label\":\"x\",\"stop\":{\"text\":\"x\",\"actions\":[\"phone\"]}}]", "event death: items: want services that its answers reach, have \"HJ083\"" },
        { "paper.lost", 0, "item", "\"HJ096\"", "event paper: items: want services that its answers reach, have \"HJ095\"" },
        { "house", 0, "item", "\"HJ046\"", "item HJ046: want it in one life event, have kin and house" },
        { "house", 0, "item", "\"HJ999\"", "item: want a service of the catalogue, have \"HJ999\"" },
        { "house", 0, "item", "\"HX001\"", "item HX001: want it in one life event, have birth and house" },
        { "house", 0, "item", "true", "item: want a service of the catalogue" },
        { "leave", 0, "item", "\"HX024\"", "move_kind: want a preset that the item on its way can take, have \"whole\"" },
        { "household.split", 2, "item", "\"HJ044\"", "event household: items: want services that its answers reach, have \"HX013\"" },
        { "leave", 0, "presets", "{\"move_kind\":\"head\"}", "move_kind: want a preset that the item on its way can take, have \"head\"" },
        { "rename.who", 4, "presets", "{\"reason\":\"adult\"}", "reason: want a preset that the item on its way can take, have \"adult\"" },
        { "birth.hongkong", 0, "", "{\"label\":\"x\",\"next\":\"proof\"}", "event birth: items: want services that its answers reach, have \"HX005\"" },
        /* dead ends, two targets */
        { "house", 0, "item", NULL, "answer \"自己买的房\": want next, item or stop, have none" },
        { "house", 0, "next", "\"kin\"", "answer \"自己买的房\": want one of next and item, have both" },
        { "house", 0, "stop", "{\"actions\":[\"phone\"]}", "stop: want words and a way on" },
        { "rename.who", 4, "stop", "{\"text\":\"x\"}", "stop: want words and a way on" },
        { "house", -1, "answers", "[]", "node house: answers: want some, have none" },
        { "house", -1, "answers", NULL, "node house: answers: want some, have none" },
        { "paper", 0, "next", "\"paper.nothing\"", "node paper: want a node of the guide, have \"paper.nothing\"" },
        { "birth.place", 2, "stop", "{\"text\":\"x\",\"actions\":[]}", "stop: want words and a way on" },
        { "birth.place", 2, "stop", "{\"actions\":[\"phone\"]}", "stop: want words and a way on" },
        { "birth.place", 2, "stop", "{\"text\":\"x\",\"actions\":[\"pray\"]}", "stop: want phone, book or ask, have \"pray\"" },
        /* circles, a fifth question */
        { "birth.with", 2, "next", "\"birth.place\"", "node birth.place: want no way back to it, have a circle" },
        { "paper.lost", 0, "", "{\"label\":\"x\",\"next\":\"paper.lost\"}", "node paper.lost: want no way back to it, have a circle" },
        { "birth.mother_kind", 0, "", "{\"label\":\"x\",\"next\":\"kin\"}", "node kin: want at most 4 questions before a service, have more" },
        /* presets */
        { "death.kind", 0, "presets", "{\"nothing\":\"x\"}", "presets: want fields of death, have \"nothing\" on the way to HJ083" },
        { "death.kind", 0, "presets", "{\"death_kind\":\"moon\"}", "death_kind: want a preset that the item on its way can take, have \"moon\"" },
        { "death.kind", 0, "presets", "{\"death_kind\":true}", "death_kind: want a preset" },
        { "death.kind", 0, "presets", "[]", "presets: want an object" },
        { "birth.certificate", 0, "presets", "{\"has_birth_certificate\":\"true\"}", "has_birth_certificate: want a preset" },
        { "birth.certificate", 1, "presets", "{\"has_birth_certificate\":true}", "has_birth_certificate: want a preset that the item on its way can take" },
        { "rename.who", 0, "presets", "{\"reason\":\"monk\"}", "reason: want a preset that the item on its way can take, have \"monk\"" },
        { "birth.place", 0, "presets", "{\"reason\":\"adult\"}", "want fields of birth, have \"reason\"" },
        /* shape */
        { "house", -1, "question", NULL, "node house: question: want text" },
        { "house", 0, "label", "\"\"", "node house: label: want text" },
        { "house", 0, "nxet", "\"kin\"", "node house: key nxet" },
        { "house", -1, "colour", "1", "node house: key colour" },
        { "house", -1, "id", "\"kin\"", "event house: want a node of the guide, have \"house\"" },
    };
    static const struct refusal whole[] = {
        { "guide/guide/none_of_these", NULL, "guide/guide.json: none_of_these: want text" },
        { "guide/guide/nodes", NULL, "guide/guide.json: nodes: want a list" },
        { "guide/guide/events", "[]", "guide/guide.json: events: want a list" },
        { "guide/guide/events/1", NULL, "guide/guide.json: item HJ046: want a way to it" },
        { "guide/guide/events/8/home", "true", "events: want at most 8 at home, have 9" },
        { "guide/guide/events/0/title", NULL, "event birth: title: want text" },
        { "guide/guide/events/0/start", "\"nothing\"", "event birth: want a node of the guide, have \"nothing\"" },
        { "guide/guide/events/0/items/+", "\"HJ046\"", "event birth: items: want services that its answers reach, have \"HJ046\"" },
        { "guide/guide/events/0/items/0", NULL, "event birth: items: want the 24 that its answers reach, have 23" },
        { "guide/guide/nodes/+", "{\"id\":\"alone\",\"question\":\"x\",\"answers\":[{\"label\":\"x\",\"item\":\"HJ083\"}]}", "node alone: want an answer that leads to it, have none" },
        { "guide/guide/nodes/+", "{\"id\":\"house\",\"question\":\"x\",\"answers\":[{\"label\":\"x\",\"item\":\"HJ083\"}]}", "want each id once, have one twice" },
        { "guide/guide/events/8", NULL, "guide/guide.json: item HX023: want a way to it, have none" },
    };
    static const struct refusal words[] = {
        { "search/fillers", NULL, "guide/search.json: fillers: want a list of words, have none" },
        { "search/fillers/+", "\"\"", "fillers: want words of at most 40 characters" },
        { "search/fillers/0", "1", "fillers: want words" },
        { "search/synonyms", "{}", "synonyms: want a list" },
        { "search/synonyms/0", "[]", "synonyms: want a list of at least one word" },
        { "search/synonyms/+", "[\"户口本\",\"本子\"]", "synonyms: want each word in one group, have \"户口本\"" },
        { "search/words/HJ999", "[\"x\"]", "words: want codes of the catalogue, have \"HJ999\"" },
        { "search/words/HJ001", "\"x\"", "HJ001: want a list of words" },
        { "search/words/HJ001/0", "true", "HJ001: want words" },
        { "search/words", "[]", "words: want an object" },
        { "search/sounds/Hu", "\"户\"", "sounds: want syllables in small letters, have \"Hu\"" },
        { "search/sounds/hu", "[]", "sounds: want text" },
        { "search/readings/长辈", "\"zhǎng bei\"", "readings: want syllables in small letters" },
        { "search/readings", NULL, "readings: want an object" },
    };
    char path[160];
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        refuse(&words[i]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        guide_path(path, rows[i].node, rows[i].answer, rows[i].key);
        refuse(&(struct refusal){ path, rows[i].value, rows[i].message });
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        refuse(&whole[i]);
    print_message("%zu guides refused\n", sizeof rows / sizeof *rows + sizeof whole / sizeof *whole);
}

/* CIT-18, CIT-19: all of the extra services switched on at once, open and by every channel: the catalogue loads, each with its place, its form and its flow. */
static void test_all_switched_on(void **state)
{
    json_t *root = json_deep_copy(bundle), *extra = json_object_get(root, "extra"), *item;
    struct catalogue *c = NULL;
    struct err e = {0};
    size_t i;
    (void)state;
    assert_int_equal(json_array_size(extra), 37);
    json_array_foreach(extra, i, item) {
        assert_false(catalogue_item(cat, json_string_value(json_object_get(item, "code")))->enabled);
        json_object_set_new(item, "enabled", json_true());
        json_object_set_new(item, "online_open", json_true());
        json_object_set_new(item, "closed_note", json_null());
    }
    if (load(&c, root, &e) < 0)
        fail_msg("%s", e.msg);
    json_array_foreach(extra, i, item) {
        const struct item *it = catalogue_item(c, json_string_value(json_object_get(item, "code")));
        assert_true(it->enabled && it->online_open && it->family);
    }
    catalogue_unref(c);
    json_decref(root);
}

/* A table with a code twice would answer with either label. */
static void test_code_twice(void **state)
{
    json_t *root = json_deep_copy(bundle);
    struct catalogue *c = NULL;
    struct err e = {0};
    (void)state;
    json_array_append_new(json_object_get(json_object_get(json_object_get(root, "code_tables"), "GB/T 3304"), "values"),
                          json_pack("{s:s, s:s}", "code", "01", "label", "另一个"));
    assert_int_equal(load(&c, root, &e), -1);
    assert_non_null(strstr(e.msg, "code-tables/GB/T 3304: code 01: want once, have twice"));
    json_decref(root);
}

/* An eighth question on a screen of an open item is refused; on a closed item it waits for the design of its form. */
static void test_long_screen(void **state)
{
    json_t *root = json_deep_copy(bundle);
    struct catalogue *c = NULL;
    struct err e = {0};
    char path[64], field[160];
    (void)state;
    for (int i = 0; i < 8; i++) {
        snprintf(field, sizeof field, "{\"id\":\"x%d\",\"label\":\"x\",\"type\":\"text\",\"section\":\"child\"}", i);
        edit(root, "families/birth/fields/+", field);
        snprintf(path, sizeof path, "\"x%d\"", i);
        edit(root, "families/birth/sections/2/fields/+", path);
    }
    assert_int_equal(load(&c, root, &e), -1);
    assert_non_null(strstr(e.msg, "section child: want at most 7 asked fields for HJ001, have "));
    for (int i = 0; i < 15; i++) {
        snprintf(path, sizeof path, "items/%d/online_open", i);
        edit(root, path, "false");
    }
    err_clear(&e);
    assert_int_equal(load(&c, root, &e), 0);
    catalogue_unref(c);
    json_decref(root);
}

/* Bytes that are no bundle: cut short, with something behind, with a repeated key, not JSON. */
static void test_not_a_bundle(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "{}", "null", "{\"format\":1}", "{\"format\":1,\"format\":1}", "{\"format\":1} x", "\xff\xfe" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct catalogue *c = NULL;
        struct err e = {0};
        assert_int_equal(catalogue_load_bundle(&c, bytes_of(bad[i]), &e), -1);
        assert_int_equal(e.code, ERR_INPUT);
        assert_true(strlen(e.msg) > 10);
        assert_null(c);
    }
    char *whole = json_dumps(bundle, JSON_COMPACT), *text = malloc(strlen(whole) + 32);
    static const char *const before[] = { "", "", "{\"format\":1," }, *const behind[] = { " x", "{}", "" };
    for (size_t i = 0; i < 3; i++) {
        struct catalogue *c = NULL;
        struct err e = {0};
        sprintf(text, "%s%s%s", before[i], whole + (i == 2), behind[i]);
        assert_int_equal(catalogue_load_bundle(&c, bytes_of(text), &e), -1);
        assert_non_null(strstr(e.msg, "bundle: line 1 column"));
    }
    free(whole);
    free(text);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect_dir(const char *dir, const char *says)
{
    struct catalogue *c = NULL;
    struct err e = {0};
    assert_int_equal(catalogue_load_dir(&c, dir, &e), -1);
    if (!strstr(e.msg, says))
        fail_msg("want \"%s\", have \"%s\"", says, e.msg);
    assert_null(c);
}

/* A folder that lacks a file, or has a malformed one, is refused with the file's name and the line. */
static void test_broken_folder(void **state)
{
    char dir[] = "/tmp/test_catalogue.XXXXXX", sub[64], command[80];
    (void)state;
    assert_non_null(mkdtemp(dir));
    expect_dir("/tmp/test_catalogue_none", "items.json");
    expect_dir(dir, "catalogue/items.json");
    snprintf(sub, sizeof sub, "%s/catalogue", dir);
    mkdir(sub, 0700);
    write_file(sub, "extra.json", "{\"items\":[]}");
    write_file(sub, "items.json", "{\"items\":[\n}");
    expect_dir(dir, "catalogue/items.json: line 2");
    write_file(sub, "items.json", "{\"items\":[],\"items\":[]}");
    expect_dir(dir, "catalogue/items.json: line 1");
    write_file(sub, "items.json", "{}");
    expect_dir(dir, "catalogue/items.json: items: want a list");
    write_file(sub, "items.json", "{\"items\":[]}");
    expect_dir(dir, "forms/blocks.json");
    snprintf(sub, sizeof sub, "%s/forms", dir);
    mkdir(sub, 0700);
    write_file(sub, "blocks.json", "{}");
    write_file(sub, "patterns.json", "{\"patterns\":{}}");
    expect_dir(dir, "forms/patterns.json: patterns: want a list");
    write_file(sub, "patterns.json", "{\"patterns\":[]}");
    write_file(sub, "a.json", "{\"label\":\"x\"}");
    expect_dir(dir, "forms/a.json: id: want text, have none");
    write_file(sub, "a.json", "{\"id\":\"a\"}");
    write_file(sub, "b.json", "{\"id\":\"a\"}");
    expect_dir(dir, "forms/b.json: id: \"a\" stands in another file too");
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void *use(void *arg)
{
    struct catalogue *c = arg;
    size_t n = 0;
    for (int i = 0; i < 200; i++) {
        catalogue_ref(c);
        n += catalogue_label(c, "GB/T 2260", "340799") != NULL && catalogue_item(c, "HJ083") != NULL;
        catalogue_unref(c);
    }
    catalogue_unref(c);
    return n == 200 ? arg : NULL;
}

/* A service lets go of the old version while requests still hold it. */
static void test_references(void **state)
{
    pthread_t thread[4];
    struct catalogue *c = NULL;
    struct err e = {0};
    void *good;
    (void)state;
    assert_int_equal(load(&c, bundle, &e), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use, catalogue_ref(c)), 0);
    catalogue_unref(c);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &good);
        assert_non_null(good);
    }
    catalogue_unref(NULL);
}

static int setup(void **state)
{
    struct err e = {0};
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    if (sodium_init() < 0 || catalogue_load_dir(&cat, "schemas", &e) < 0 || catalogue_bundle(&b, cat, &e) < 0) {
        print_error("%s\n", e.msg);
        return -1;
    }
    bundle = json_loadb(buf_text(&b), b.n, 0, NULL);
    buf_clear(&b);
    return bundle ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    catalogue_unref(cat);
    json_decref(bundle);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents), cmocka_unit_test(test_accessors), cmocka_unit_test(test_units),
        cmocka_unit_test(test_bundle_has_no_accounts), cmocka_unit_test(test_canonical), cmocka_unit_test(test_order_does_not_matter), cmocka_unit_test(test_renumbered),
        cmocka_unit_test(test_item_json), cmocka_unit_test(test_places), cmocka_unit_test(test_districts), cmocka_unit_test(test_tree_tables),
        cmocka_unit_test(test_templates), cmocka_unit_test(test_screens), cmocka_unit_test(test_refused), cmocka_unit_test(test_guide_refused), cmocka_unit_test(test_all_switched_on), cmocka_unit_test(test_code_twice),
        cmocka_unit_test(test_long_screen), cmocka_unit_test(test_not_a_bundle), cmocka_unit_test(test_broken_folder),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests_name("catalogue", tests, setup, teardown);
}
