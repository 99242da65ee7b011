#include "intranet-side/domain/change_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct change_rule rules[] = {
    {TARGET_ITEM, "plain_name", KIND_TEXT, false, true, 40, 0, "名称"},
    {TARGET_ITEM, "search", KIND_TEXTS, false, false, 20, 60, "搜索词"},
    {TARGET_ITEM, "closed_note", KIND_TEXT, true, true, 200, 0, "网上不开通时的说明"},
    {TARGET_ITEM, "who_may_apply", KIND_TEXT, false, true, 300, 0, "谁可以办"},
    {TARGET_ITEM, "facts.duration", KIND_TEXT, false, true, 60, 0, "一般多久"},
    {TARGET_ITEM, "facts.visits", KIND_TEXT, false, true, 60, 0, "要跑几次"},
    {TARGET_ITEM, "facts.fee", KIND_TEXT, false, true, 60, 0, "费用"},
    {TARGET_ITEM, "steps", KIND_TEXTS, false, true, 100, 5, "办理步骤"},
    {TARGET_ITEM, "notices", KIND_TEXTS, false, true, 200, 20, "注意事项"},
    {TARGET_ITEM, "legal", KIND_TEXTS, false, true, 100, 20, "法律依据"},
    {TARGET_ITEM, "enabled", KIND_FLAG, false, true, 0, 0, "列入目录"},
    {TARGET_ITEM, "online_open", KIND_FLAG, false, true, 0, 0, "网上办理"},
    {TARGET_ITEM, "channels.online", KIND_FLAG, false, true, 0, 0, "可以网上申请"},
    {TARGET_ITEM, "channels.appointment", KIND_FLAG, false, true, 0, 0, "预约"},
    {TARGET_ITEM, "channels.window", KIND_FLAG, false, true, 0, 0, "窗口办理"},
    {TARGET_ITEM, "materials", KIND_MATERIALS, false, true, 0, 40, "材料"},
    {TARGET_FIELD, "ask", KIND_TEXT, true, false, 60, 0, "问法"},
    {TARGET_FIELD, "hint", KIND_TEXT, true, false, 200, 0, "提示"},
    {TARGET_FIELD, "usual", KIND_TEXT, true, false, 60, 0, "常用值"},
    {TARGET_FIELD, "required", KIND_FLAG, false, false, 0, 0, "必填"},
    {TARGET_FIELD, "required_when", KIND_CONDITIONS, false, false, 0, 10, "什么时候必填"},
    {TARGET_FIELD, "visible_when", KIND_CONDITIONS, false, false, 0, 10, "什么时候要填"},
    {TARGET_FIELD, "allow", KIND_CODES, true, false, 40, 400, "可选的值"},
    {TARGET_NODE, "question", KIND_TEXT, false, false, 60, 0, "问题"},
    {TARGET_NODE, "hint", KIND_TEXT, true, false, 200, 0, "提示"},
    {TARGET_ANSWER, "label", KIND_TEXT, false, false, 60, 0, "回答"},
    {TARGET_EVENT, "title", KIND_TEXT, false, false, 20, 0, "标题"},
};

const char *change_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const struct change_rule *rule_of(enum change_target target, const char *member)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].target == target && strcmp(rules[i].member, member) == 0)
            return &rules[i];
    return NULL;
}

/* "fields.child_name.ask" with the start "fields.": the id into out, the rest; NULL when it has another shape. */
static const char *step(char out[64], const char *path, const char *start)
{
    const size_t n = strlen(start);
    const char *dot = strncmp(path, start, n) == 0 ? strchr(path + n, '.') : NULL;
    if (!dot || dot == path + n || dot - (path + n) > 63)
        return NULL;
    snprintf(out, 64, "%.*s", (int)(dot - (path + n)), path + n);
    return dot + 1;
}

/* "nodes.birth.place.hint", "nodes.birth.place.answers.0.label": the id has dots of its own. Into out; the rest. */
static const char *node_step(char out[64], const char *path)
{
    if (strncmp(path, "nodes.", 6) != 0)
        return NULL;
    const char *id = path + 6, *answers = strstr(id, ".answers."), *end = answers ? answers : strrchr(id, '.');
    if (!end || end == id || end - id > 63)
        return NULL;
    snprintf(out, 64, "%.*s", (int)(end - id), id);
    return end + 1;
}

/* "answers.12.label": one way to write a number, so that a place has one name. -1: none. */
static long number_of(const char *s)
{
    const size_t n = strspn(s, "0123456789");
    return n == 0 || n > 3 || s[n] || (n > 1 && *s == '0') ? -1 : strtol(s, NULL, 10);
}

void change_take(struct change *out, const json_t *change)
{
    const char *rest;
    char number[64];
    memset(out, 0, sizeof *out);
    out->region = change_text(change, "region");
    out->item = change_text(change, "item");
    out->path = change_text(change, "path");
    out->value = json_is_true(json_object_get(change, "reset")) ? NULL : json_object_get(change, "value");
    if (strncmp(out->item, "form:", 5) == 0) {
        if ((rest = step(out->id, out->path, "fields.")) != NULL)
            out->rule = rule_of(TARGET_FIELD, rest);
    } else if (strcmp(out->item, "guide") != 0) {
        out->rule = rule_of(TARGET_ITEM, out->path);
    } else if ((rest = step(out->id, out->path, "events.")) != NULL) {
        out->rule = rule_of(TARGET_EVENT, rest);
    } else if ((rest = node_step(out->id, out->path)) != NULL) {
        const char *member = step(number, rest, "answers.");
        out->answer = member ? number_of(number) : 0;
        out->rule = out->answer < 0 ? NULL : rule_of(member ? TARGET_ANSWER : TARGET_NODE, member ? member : rest);
    }
}

/* ---- finding and setting a place ---- */

/* A copy of a member, put in its place: what is changed below it belongs to this document alone. Borrowed; NULL when there is none. */
static json_t *own(json_t *o, const char *key)
{
    json_t *v = json_copy(json_object_get(o, key));
    return v && json_object_set_new(o, key, v) == 0 ? v : NULL;
}

static size_t index_of(const json_t *list, const char *key, const char *id)
{
    size_t i = 0;
    while (i < json_array_size(list) && strcmp(change_text(json_array_get(list, i), key), id) != 0)
        i++;
    return i;
}

static json_t *own_in(json_t *o, const char *list_key, const char *key, const char *id)
{
    json_t *list = own(o, list_key);
    const size_t i = index_of(list, key, id);
    json_t *v = json_copy(json_array_get(list, i));
    return v && json_array_set_new(list, i, v) == 0 ? v : NULL;
}

static json_t *own_answer(json_t *node, long n)
{
    json_t *list = own(node, "answers"), *v = json_copy(json_array_get(list, (size_t)n));
    return v && json_array_set_new(list, (size_t)n, v) == 0 ? v : NULL;
}

static const char *list_of(const json_t *document, const char *code)
{
    const json_t *items = json_object_get(document, "items");
    return index_of(items, "code", code) < json_array_size(items) ? "items" : "extra";
}

/* The object below which the member is set; NULL when the base has no such place. */
static json_t *place(json_t *document, const struct change *k)
{
    json_t *guide;
    switch (k->rule->target) {
    case TARGET_ITEM:
        return own_in(document, list_of(document, k->item), "code", k->item);
    case TARGET_FIELD:
        return own_in(own(own(document, "families"), k->item + 5), "fields", "id", k->id);
    case TARGET_EVENT:
        return own_in(own(own(document, "guide"), "guide"), "events", "id", k->id);
    default:
        guide = own(own(document, "guide"), "guide");
        return k->rule->target == TARGET_ANSWER ? own_answer(own_in(guide, "nodes", "id", k->id), k->answer) : own_in(guide, "nodes", "id", k->id);
    }
}

/* "facts.fee": the object facts, of the item or, in a district, a copy of the city's. */
static int put(json_t *at, const json_t *fallback, const char *member, const json_t *value)
{
    const char *dot = strchr(member, '.');
    char outer[32];
    if (!at || !dot)
        return json_object_set(at, member, (json_t *)value);
    snprintf(outer, sizeof outer, "%.*s", (int)(dot - member), member);
    json_t *inner = json_copy(json_object_get(at, outer) ? json_object_get(at, outer) : json_object_get(fallback, outer));
    if (!inner)
        inner = json_object();
    return json_object_set(inner, dot + 1, (json_t *)value) < 0 ? (json_decref(inner), -1) : json_object_set_new(at, outer, inner);
}

static json_t *own_or_new(json_t *o, const char *key)
{
    if (!json_object_get(o, key))
        json_object_set_new(o, key, json_object());
    return own(o, key);
}

static int set(json_t *document, const struct change *k, struct err *e)
{
    json_t *at = place(document, k);
    const json_t *city = at;
    if (!at)
        return err_set(e, ERR_INPUT, "change %s %s: want a place of the base, have none", k->item, k->path);
    if (*k->region)
        at = own_or_new(own_or_new(own_or_new(document, "districts"), k->region), k->item);
    return put(at, city, k->rule->member, k->value) < 0 ? err_set(e, ERR_INTERNAL, "change %s %s: no memory", k->item, k->path) : 0;
}

static const json_t *member_of(const json_t *o, const char *member)
{
    const char *dot = strchr(member, '.');
    char outer[32];
    if (!dot)
        return json_object_get(o, member);
    snprintf(outer, sizeof outer, "%.*s", (int)(dot - member), member);
    return json_object_get(json_object_get(o, outer), dot + 1);
}

static const json_t *in_list(const json_t *list, const char *key, const char *id)
{
    return json_array_get(list, index_of(list, key, id));
}

const json_t *changes_value(const json_t *document, const char *region, const char *item, const char *path)
{
    struct change k;
    json_t *c = json_pack("{s:s, s:s, s:s}", "region", region, "item", item, "path", path);
    const json_t *v = NULL, *guide = json_object_get(json_object_get(document, "guide"), "guide"), *node;
    change_take(&k, c);
    if (k.rule && *region)
        v = member_of(json_object_get(json_object_get(json_object_get(document, "districts"), region), item), k.rule->member);
    if (k.rule && !v) {
        node = in_list(json_object_get(guide, "nodes"), "id", k.id);
        v = k.rule->target == TARGET_ITEM    ? in_list(json_object_get(document, list_of(document, item)), "code", item)
            : k.rule->target == TARGET_FIELD ? in_list(json_object_get(json_object_get(json_object_get(document, "families"), item + 5), "fields"), "id", k.id)
            : k.rule->target == TARGET_EVENT ? in_list(json_object_get(guide, "events"), "id", k.id)
            : k.rule->target == TARGET_NODE  ? node
                                             : json_array_get(json_object_get(node, "answers"), (size_t)k.answer);
        v = member_of(v, k.rule->member);
    }
    json_decref(c);
    return v;
}

/* ---- sets of changes ---- */

static void key_of(char out[256], const json_t *change)
{
    snprintf(out, 256, "%.6s/%.60s/%.160s", change_text(change, "region"), change_text(change, "item"), change_text(change, "path"));
}

json_t *changes_merge(const json_t *overrides, const json_t *changes)
{
    json_t *out = overrides ? json_copy((json_t *)overrides) : json_object(), *k;
    char key[256];
    size_t i;
    json_array_foreach(changes, i, k) {
        key_of(key, k);
        if (json_is_true(json_object_get(k, "reset")))
            json_object_del(out, key);
        else
            json_object_set(out, key, json_object_get(k, "value"));
    }
    return out;
}

static json_t *change_of(const char *key, json_t *value)
{
    const char *first = strchr(key, '/'), *second = first ? strchr(first + 1, '/') : NULL;
    if (!second)
        return NULL;
    json_t *k = json_pack("{s:s#, s:s#, s:s}", "region", key, (int)(first - key), "item", first + 1, (int)(second - first - 1), "path", second + 1);
    json_object_set(k, value ? "value" : "reset", value ? value : json_true());
    return k;
}

json_t *changes_between(const json_t *from, const json_t *to)
{
    json_t *out = json_array(), *v;
    const char *key;
    json_object_foreach((json_t *)from, key, v)
        if (!json_object_get(to, key))
            json_array_append_new(out, change_of(key, NULL));
    json_object_foreach((json_t *)to, key, v)
        if (!json_object_get(from, key) || !json_equal(json_object_get(from, key), v))
            json_array_append_new(out, change_of(key, v));
    return out;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int lay(json_t *document, const json_t *overrides, struct err *e)
{
    const size_t n = json_object_size(overrides);
    const char **keys = calloc(n + 1, sizeof *keys), *key;
    json_t *v;
    size_t i = 0;
    int rc = keys ? 0 : err_set(e, ERR_INTERNAL, "changes: no memory");
    if (keys)
        json_object_foreach((json_t *)overrides, key, v)
            keys[i++] = key;
    if (keys)
        qsort(keys, i, sizeof *keys, by_text);
    for (size_t k = 0; rc == 0 && k < i; k++) {
        json_t *change = change_of(keys[k], json_object_get(overrides, keys[k]));
        struct change c;
        change_take(&c, change);
        rc = c.rule ? set(document, &c, e) : err_set(e, ERR_INPUT, "change %s: want a place that can be changed", keys[k]);
        json_decref(change);
    }
    free(keys);
    return rc;
}

int changes_apply(struct catalogue **out, const struct catalogue *base, const json_t *overrides, uint32_t version, struct err *e)
{
    json_t *document = catalogue_document(base);
    if (!document || json_object_set_new(document, "version", json_integer(version)) < 0) {
        json_decref(document);
        return err_set(e, ERR_INTERNAL, "changes: no memory");
    }
    if (lay(document, overrides, e) < 0) {
        json_decref(document);
        return -1;
    }
    return catalogue_load_document(out, document, e);
}
