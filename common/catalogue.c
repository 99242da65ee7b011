/* catalogue.c - lifetime, look-ups and the canonical bundle; see catalogue.h. */
#include "common/catalogue_parts.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct chunk { struct chunk *next; max_align_t body[]; };

void *catalogue_alloc(struct catalogue *c, size_t n, size_t size)
{
    struct chunk *k = n > SIZE_MAX / 2 / size ? NULL : calloc(1, sizeof *k + n * size);
    if (!k)
        return NULL;
    k->next = c->memory;
    c->memory = k;
    return k->body;
}

static void destroy(struct catalogue *c)
{
    for (size_t i = 0; i < c->n_patterns; i++)
        if (c->patterns[i].compiled) {
            regex_t *re = (regex_t *)c->patterns[i].compiled;
            regfree(re);
            free(re);
        }
    for (size_t i = 0; i < c->n_tables; i++)
        json_decref((json_t *)c->tables[i].index);
    while (c->memory) {
        struct chunk *k = c->memory;
        c->memory = k->next;
        free(k);
    }
    json_decref(c->variant_json);
    json_decref(c->sentences);
    json_decref(c->root);
    free(c);
}

struct catalogue *catalogue_ref(struct catalogue *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void catalogue_unref(struct catalogue *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        destroy(c);
}

int catalogue_bundle(struct buf *out, const struct catalogue *c, struct err *e)
{
    char *s = json_dumps(c->root, JSON_SORT_KEYS | JSON_COMPACT);
    if (!s)
        return err_set(e, ERR_INTERNAL, "catalogue bundle: no memory");
    buf_str(out, s);
    free(s);
    return buf_done(out, "catalogue bundle", e);
}

static int finish(struct catalogue *c, struct err *e)
{
    struct buf b;
    int rc = -1;
    const json_t *v = json_object_get(c->root, "version");
    const struct place at = place_of("bundle");
    if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > INT32_MAX)
        return want(e, &at, "version", "a number from 1", v);
    c->version = (uint32_t)json_integer_value(v);
    buf_init(&b, 0);
    if (catalogue_build(c, e) == 0 && catalogue_check(c, e) == 0 && catalogue_bundle(&b, c, e) == 0) {
        hash_of(&c->hash, buf_bytes(&b));
        rc = 0;
    }
    buf_clear(&b);
    return rc;
}

/* Takes the reference to root, also when it fails. */
static int from_root(struct catalogue **out, json_t *root, struct err *e)
{
    struct catalogue *c = calloc(1, sizeof *c);
    if (!c) {
        json_decref(root);
        return err_set(e, ERR_INTERNAL, "catalogue: no memory");
    }
    atomic_init(&c->refs, 1);
    c->root = root;
    if (finish(c, e) < 0) {
        destroy(c);
        return -1;
    }
    *out = c;
    return 0;
}

int catalogue_load_dir(struct catalogue **out, const char *dir, struct err *e)
{
    json_t *root = NULL;
    if (catalogue_read_dir(&root, dir, e) < 0)
        return err_wrap(e, "catalogue %s", dir);
    return from_root(out, root, e) < 0 ? err_wrap(e, "catalogue %s", dir) : 0;
}

int catalogue_load_bundle(struct catalogue **out, struct bytes json, struct err *e)
{
    json_error_t je;
    json_t *root = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &je);
    const struct place at = place_of("bundle");
    if (!root)
        return err_set(e, ERR_INPUT, "bundle: line %d column %d: %s", je.line, je.column, je.text);
    const json_t *format = json_object_get(root, "format");
    if (!json_is_integer(format) || json_integer_value(format) != CATALOGUE_FORMAT) {
        want(e, &at, "format", "1", format);
        json_decref(root);
        return -1;
    }
    return from_root(out, root, e);
}

int catalogue_renumbered(struct catalogue **out, const struct catalogue *c, uint32_t version, struct err *e)
{
    json_t *root = json_copy(c->root);
    if (!root || json_object_set_new(root, "version", json_integer(version)) < 0) {
        json_decref(root);
        return err_set(e, ERR_INTERNAL, "catalogue: no memory");
    }
    return from_root(out, root, e);
}

json_t *catalogue_document(const struct catalogue *c)
{
    return json_copy(c->root);
}

int catalogue_load_document(struct catalogue **out, json_t *document, struct err *e)
{
    return from_root(out, document, e);
}

uint32_t catalogue_version(const struct catalogue *c) { return c->version; }
const struct hash256 *catalogue_hash(const struct catalogue *c) { return &c->hash; }
size_t catalogue_item_count(const struct catalogue *c) { return c->n_items; }

const struct item *catalogue_item_at(const struct catalogue *c, size_t i)
{
    return i < c->n_items ? &c->items[i] : NULL;
}

static int compare_code(const void *key, const void *member)
{
    return strcmp(key, ((const struct item *)member)->code);
}

const struct item *catalogue_item(const struct catalogue *c, const char *code)
{
    return bsearch(code, c->items, c->n_items, sizeof *c->items, compare_code);
}

const struct family *catalogue_family(const struct catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->n_families; i++)
        if (strcmp(c->families[i].id, id) == 0)
            return &c->families[i];
    return NULL;
}

const struct code_table *catalogue_table(const struct catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->n_tables; i++)
        if (strcmp(c->tables[i].id, id) == 0)
            return &c->tables[i];
    return NULL;
}

const char *catalogue_label(const struct catalogue *c, const char *table, const char *code)
{
    const struct code_table *t = catalogue_table(c, table);
    return t ? json_string_value(json_object_get(t->index, code)) : NULL;
}

const json_t *catalogue_part(const struct catalogue *c, const char *name)
{
    return json_object_get(c->root, name);
}

const char *catalogue_sentence(const struct catalogue *c, const char *rule)
{
    return json_string_value(json_object_get(c->sentences, rule));
}

const struct field *family_field(const struct family *f, const char *id)
{
    for (size_t i = 0; i < f->n_fields; i++)
        if (strcmp(f->fields[i].id, id) == 0)
            return &f->fields[i];
    return NULL;
}

const struct repeat *family_repeat(const struct family *f, const char *id)
{
    for (size_t i = 0; i < f->n_repeats; i++)
        if (strcmp(f->repeats[i].id, id) == 0)
            return &f->repeats[i];
    return NULL;
}

const json_t *family_preset(const struct family *f, const char *item, const char *field)
{
    return json_object_get(json_object_get(f->presets, item), field);
}

const char *field_label_of(const struct field *f, const char *code)
{
    if (f->table)
        return json_string_value(json_object_get(f->table->index, code));
    for (size_t i = 0; i < f->n_values; i++)
        if (strcmp(f->values[i].code, code) == 0)
            return f->values[i].label;
    return NULL;
}

bool field_allows(const struct field *f, const char *code)
{
    size_t i;
    json_t *v;
    if (!field_label_of(f, code))
        return false;
    if (!f->allow)
        return true;
    json_array_foreach(f->allow, i, v)
        if (strcmp(json_string_value(v), code) == 0)
            return true;
    return false;
}

bool pattern_matches(const struct pattern *p, const char *text, size_t n)
{
    const struct bytes in = { (const uint8_t *)text, n };
    if (p->person_name)
        return text_is_name(in);
    for (size_t i = 0; i < n; i++)
        if (text[i] <= 0)        /* the patterns are ASCII; a NUL would cut the match short */
            return false;
    return regexec(p->compiled, text, 0, NULL, 0) == 0;
}

bool condition_accepts(const struct condition *k, const json_t *value)
{
    size_t i;
    json_t *v;
    bool found = false;
    if (!value)
        return false;
    json_array_foreach(k->values, i, v) {
        const char *s = json_string_value(value), *start = json_string_value(v);
        found = found || (k->match >= MATCH_PREFIX ? s && start && strncmp(s, start, strlen(start)) == 0 : json_equal(value, v));
    }
    return k->match == MATCH_NOT_IN ? !found : k->match == MATCH_NOT_PREFIX ? json_is_string(value) && !found : found;
}

static int add_table(json_t *tables, const struct field *f)
{
    if (!f->table || f->table->n > CATALOGUE_SMALL_TABLE)
        return 0;
    json_t *values = json_array();
    for (size_t i = 0; i < f->table->n; i++)
        json_array_append_new(values, json_pack("{s:s, s:s}", "code", f->table->values[i].code, "label", f->table->values[i].label));
    return json_object_set_new(tables, f->table->id, values);
}

/* Where districts differ, a form follows the unit that is chosen in it: what differs by region, and each unit's region. */
static void add_districts(json_t *body, const struct catalogue *c, const char *code)
{
    const char *region;
    json_t *of, *out = json_object(), *units = json_object(), *u;
    size_t i;
    json_object_foreach(json_object_get(c->root, "districts"), region, of)
        if (json_object_get(of, code))
            json_object_set(out, region, json_object_get(of, code));
    if (json_object_size(out)) {
        json_array_foreach(json_object_get(c->root, "units"), i, u)
            if (json_is_true(json_object_get(u, "accepting")))
                json_object_set(units, json_string_value(json_object_get(u, "code")), json_array_get(json_object_get(u, "regions"), 0));
        json_object_set(body, "districts", out);
        json_object_set(body, "unit_regions", units);
    }
    json_decref(out);
    json_decref(units);
}

json_t *catalogue_item_json(const struct catalogue *c, const char *code, const char *region)
{
    const struct item *it = catalogue_item_in(c, code, region);
    if (!it)
        return NULL;
    json_t *tables = json_object();
    for (size_t i = 0; i < it->family->n_fields; i++)
        add_table(tables, &it->family->fields[i]);
    for (size_t r = 0; r < it->family->n_repeats; r++)
        for (size_t i = 0; i < it->family->repeats[r].n_fields; i++)
            add_table(tables, &it->family->repeats[r].fields[i]);
    json_t *body = json_pack("{s:i, s:O, s:O, s:O, s:o, s:O, s:O, s:o}", "version", (int)c->version, "item", it->json, "family", it->family->json,
                             "blocks", json_object_get(c->root, "blocks"), "code_tables", tables,
                             "patterns", json_object_get(c->root, "patterns"), "messages", c->sentences,
                             "templates", catalogue_templates_of(c, it));
    if (body)
        add_districts(body, c, code);
    return body;
}
