/* catalogue_read.c - the folder schemas/ gathered into one bundle document. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/catalogue_parts.h"

#define FILE_CAP (4u << 20)

static json_t *read_json(const char *dir, const char *file, struct err *e)
{
    char path[PATH_MAX];
    json_error_t je;
    struct stat st;
    if (str_fmt(path, sizeof path, e, "%s/%s", dir, file) < 0)
        return NULL;
    if (stat(path, &st) < 0) {
        err_sys(e, "%s", file);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_CAP) {
        err_set(e, ERR_INPUT, "%s: want a file of at most %u bytes", file, FILE_CAP);
        return NULL;
    }
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (!j)
        err_set(e, ERR_INPUT, "%s: line %d column %d: %s", file, je.line, je.column, je.text);
    return j;
}

/* Set and give away; a NULL value is the error that made it. */
static int put(json_t *root, const char *key, json_t *value, struct err *e)
{
    if (!value)
        return e->code != ERR_NONE ? -1 : err_set(e, ERR_INTERNAL, "catalogue: no memory");
    return json_object_set_new(root, key, value) < 0 ? err_set(e, ERR_INTERNAL, "catalogue: no memory") : 0;
}

static int json_name(const struct dirent *d)
{
    const size_t n = strlen(d->d_name);
    return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

/* Every *.json of a folder into out: under its key `by` ("id"), or under its stem when by is NULL. A missing folder is an empty one. */
static int read_folder(json_t *out, const char *dir, const char *folder, const char *by, const char *skip, struct err *e)
{
    char path[PATH_MAX], file[PATH_MAX], stem[NAME_MAX + 1];
    struct dirent **list = NULL;
    int rc = 0;
    if (str_fmt(path, sizeof path, e, "%s/%s", dir, folder) < 0)
        return -1;
    const int n = scandir(path, &list, json_name, alphasort);
    if (n < 0)
        return errno == ENOENT ? 0 : err_sys(e, "%s", folder);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        snprintf(stem, sizeof stem, "%.*s", (int)strlen(name) - 5, name);
        if (rc == 0 && !(skip && strstr(skip, name))) {
            snprintf(file, sizeof file, "%s/%s", folder, name);
            json_t *j = read_json(dir, file, e);
            const char *id = by ? json_string_value(json_object_get(j, by)) : stem;
            if (j && !id)
                rc = err_set(e, ERR_INPUT, "%s: %s: want text, have none", file, by);
            else if (j && by && json_object_get(out, id))
                rc = err_set(e, ERR_INPUT, "%s: %s: \"%s\" stands in another file too", file, by, id);
            else
                rc = put(out, id ? id : "", json_incref(j), e);
            json_decref(j);
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

static int move_part(json_t *root, json_t *from, const char *key, const char *to)
{
    json_t *v = json_object_get(from, key);
    const int rc = v ? json_object_set(root, to, v) : 0;
    json_object_del(from, key);
    return rc;
}

/* The list under `key`, a new reference. */
static json_t *list_of(const json_t *doc, const char *key, const char *file, struct err *e)
{
    json_t *list = json_object_get(doc, key);
    if (doc && !json_is_array(list))
        err_set(e, ERR_INPUT, "%s: %s: want a list, have none", file, key);
    return json_is_array(list) ? json_incref(list) : NULL;
}

static int read_items(json_t *root, const char *dir, struct err *e)
{
    json_t *items = read_json(dir, "catalogue/items.json", e);
    json_t *extra = items ? read_json(dir, "catalogue/extra.json", e) : NULL;
    json_t *version = json_object_get(items, "version");
    int rc = extra ? put(root, "items", list_of(items, "items", "catalogue/items.json", e), e) : -1;
    rc = rc < 0 ? rc : put(root, "extra", list_of(extra, "items", "catalogue/extra.json", e), e);
    rc = rc < 0 ? rc : put(root, "version", version ? json_incref(version) : json_integer(1), e);
    json_decref(items);
    json_decref(extra);
    return rc;
}

/* A folder may be without templates. */
static int read_templates(json_t *root, const char *dir, struct err *e)
{
    json_t *doc = read_json(dir, "catalogue/templates.json", e);
    if (!doc && e->code == ERR_MISSING) {
        err_clear(e);
        return put(root, "templates", json_array(), e);
    }
    const int rc = put(root, "templates", list_of(doc, "templates", "catalogue/templates.json", e), e);
    json_decref(doc);
    return rc;
}

static int read_forms(json_t *root, const char *dir, struct err *e)
{
    json_t *families = json_object(), *patterns = NULL;
    int rc = put(root, "families", families, e);
    rc = rc < 0 ? rc : read_folder(families, dir, "forms", "id", "blocks.json patterns.json", e);
    rc = rc < 0 ? rc : put(root, "blocks", read_json(dir, "forms/blocks.json", e), e);
    if (rc == 0 && !(patterns = read_json(dir, "forms/patterns.json", e)))
        rc = -1;
    rc = rc < 0 ? rc : put(root, "patterns", list_of(patterns, "patterns", "forms/patterns.json", e), e);
    json_decref(patterns);
    return rc;
}

/* What of the organisation concerns citizens. Accounts, roles and anything unforeseen stay behind: this goes to the internet. */
static int read_units(json_t *root, const char *dir, struct err *e)
{
    static const char *const unit_keys[] = { "code", "name", "short", "kind", "parent", "accepting", "address", "phone", "hours", "regions", "streets" };
    static const char *const city_keys[] = { "city", "city_region", "province_region" };
    size_t i;
    json_t *unit, *units = json_array(), *org = read_json(dir, "org/demo.json", e);
    if (!org && e->code == ERR_MISSING)
        err_clear(e);
    for (size_t k = 0; org && k < sizeof city_keys / sizeof *city_keys; k++)
        if (json_object_get(org, city_keys[k]))
            json_object_set(root, city_keys[k], json_object_get(org, city_keys[k]));
    json_array_foreach(json_object_get(org, "units"), i, unit) {
        json_t *copy = json_object();
        for (size_t k = 0; k < sizeof unit_keys / sizeof *unit_keys; k++)
            if (json_object_get(unit, unit_keys[k]))
                json_object_set(copy, unit_keys[k], json_object_get(unit, unit_keys[k]));
        json_array_append_new(units, copy);
    }
    json_decref(org);
    return e->code != ERR_NONE ? (json_decref(units), -1) : put(root, "units", units, e);
}

/* The sentences of public states have their own name; the officers' ready phrases are no business of the internet side. */
static int read_messages(json_t *root, const char *dir, struct err *e)
{
    json_t *messages = json_object();
    if (put(root, "messages", messages, e) < 0 || read_folder(messages, dir, "messages", NULL, "opinions.json word-check.json", e) < 0)
        return -1;
    return move_part(root, messages, "public-states", "public_states") < 0 ? err_set(e, ERR_INTERNAL, "catalogue: no memory") : 0;
}

static int read_guide(json_t *root, const char *dir, struct err *e)
{
    json_t *guide = json_object();
    if (put(root, "guide", guide, e) < 0 || read_folder(guide, dir, "guide", NULL, NULL, e) < 0)
        return -1;
    return move_part(root, guide, "search", "search") < 0 ? err_set(e, ERR_INTERNAL, "catalogue: no memory") : 0;
}

/* The digits that every region of the place begins with: 340000 -> 34, 340700 -> 3407. NULL when the word is no place of this city. */
static json_t *place_digits(const json_t *root, const char *word)
{
    const char *key = strcmp(word, "@province") == 0 ? "province_region" : strcmp(word, "@city") == 0 ? "city_region" : "";
    const char *code = json_string_value(json_object_get(root, key));
    size_t n = code ? strlen(code) : 0;
    while (n > 2 && code[n - 1] == '0' && code[n - 2] == '0')
        n -= 2;
    return n > 0 ? json_stringn(code, n) : NULL;
}

/* Conditions name the province and the city as such; here they become this city's, once for every reader of the bundle. */
static void settle_places(const json_t *root, json_t *v)
{
    static const char *const keys[] = { "prefix", "not_prefix" };
    const char *key;
    size_t i;
    json_t *x;
    json_object_foreach(v, key, x)
        settle_places(root, x);
    json_array_foreach(v, i, x)
        settle_places(root, x);
    for (size_t k = 0; k < 2 && json_is_object(v); k++)
        json_array_foreach(json_object_get(v, keys[k]), i, x) {
            json_t *digits = json_is_string(x) ? place_digits(root, json_string_value(x)) : NULL;
            if (digits)
                json_array_set_new(json_object_get(v, keys[k]), i, digits);
        }
}

int catalogue_read_dir(json_t **out, const char *dir, struct err *e)
{
    struct err own = {0};
    json_t *root = json_object(), *tables = json_object();
    if (!e)
        e = &own;
    int rc = put(root, "format", json_integer(CATALOGUE_FORMAT), e);
    rc = rc < 0 ? (json_decref(tables), rc) : put(root, "code_tables", tables, e);
    rc = rc < 0 ? rc : read_folder(tables, dir, "code-tables", "id", NULL, e);
    rc = rc < 0 ? rc : read_items(root, dir, e);
    rc = rc < 0 ? rc : read_templates(root, dir, e);
    rc = rc < 0 ? rc : read_forms(root, dir, e);
    rc = rc < 0 ? rc : read_units(root, dir, e);
    rc = rc < 0 ? rc : read_messages(root, dir, e);
    rc = rc < 0 ? rc : read_guide(root, dir, e);
    if (rc < 0) {
        json_decref(root);
        return rc;
    }
    settle_places(root, json_object_get(root, "families"));
    settle_places(root, json_object_get(root, "items"));
    settle_places(root, json_object_get(root, "extra"));
    *out = root;
    return rc;
}
