/* change_words.c - before and after in words. */
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "intranet-side/domain/change_parts.h"

#define WORDS_CAP (64u << 10)

struct telling { json_t *out; const struct catalogue *before, *after; const struct change *k; };

static void say_value(struct buf *b, const struct field *f, const json_t *v)
{
    const char *s = json_string_value(v), *label = s && f ? field_label_of(f, s) : NULL;
    if (json_is_boolean(v))
        buf_str(b, json_is_true(v) ? "是" : "否");
    else
        buf_str(b, label ? label : s ? s : "");
}

/* "申请人与户主关系 是 父亲、母亲" */
static void say_conditions(struct buf *b, const struct family *f, const json_t *list)
{
    static const struct { const char *key, *word; } ops[] = {{"in", "是"}, {"not_in", "不是"}, {"prefix", "开头是"}};
    size_t i, n;
    const json_t *k, *v;
    if (json_array_size(list) == 0)
        buf_str(b, "（总是）");
    json_array_foreach(list, i, k) {
        const struct field *field = f ? family_field(f, change_text(k, "field")) : NULL;
        const struct repeat *repeat = f ? family_repeat(f, change_text(k, "field")) : NULL;
        const bool plain = field && field->type == FIELD_BOOLEAN && json_object_get(k, "in");
        buf_fmt(b, "%s%s", i ? "，并且 " : "", field ? field->label : repeat ? repeat->label : change_text(k, "field"));
        for (size_t o = 0; o < 3; o++)
            if (json_object_get(k, ops[o].key)) {
                buf_fmt(b, "%s%s%s", plain ? "" : " ", plain ? "：" : ops[o].word, plain ? "" : " ");
                json_array_foreach(json_object_get(k, ops[o].key), n, v) {
                    buf_str(b, n ? "、" : "");
                    say_value(b, field, v);
                }
            }
    }
}

static void say_list(struct buf *b, const json_t *list)
{
    size_t i;
    const json_t *v;
    if (json_array_size(list) == 0)
        buf_str(b, "（没有）");
    json_array_foreach(list, i, v)
        buf_fmt(b, "%s%s", i ? "；" : "", json_string_value(v) ? json_string_value(v) : "");
}

static const struct family *family_of(const struct catalogue *c, const char *item)
{
    const struct item *it = catalogue_item(c, item);
    return it ? it->family : strncmp(item, "form:", 5) == 0 ? catalogue_family(c, item + 5) : NULL;
}

static void say(struct buf *b, enum change_kind kind, const struct family *f, const json_t *v)
{
    const char *s = json_string_value(v);
    switch (kind) {
    case KIND_FLAG:
        buf_str(b, json_is_true(v) ? "开" : "关");
        break;
    case KIND_CONDITIONS:
        say_conditions(b, f, v);
        break;
    case KIND_TEXTS:
        say_list(b, v);
        break;
    case KIND_CODES:
        if (json_is_array(v))
            say_list(b, v);
        else
            buf_str(b, "（全部）");
        break;
    default:
        buf_str(b, s && *s ? s : "（没有）");
    }
}

static const char *name_of(const struct telling *t)
{
    const struct item *it = catalogue_item(t->after, t->k->item);
    const struct family *f = family_of(t->after, t->k->item);
    return it ? change_text(it->json, "plain_name") : f ? f->label : "办事引导";
}

static void add(struct telling *t, const char *label, const char *before, const char *after)
{
    const char *region = *t->k->region ? catalogue_label(t->after, "GB/T 2260", t->k->region) : "全市";
    if (strcmp(before, after) != 0)
        json_array_append_new(t->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "region", t->k->region, "region_name", region ? region : t->k->region, "item",
                                                t->k->item, "name", name_of(t), "path", t->k->path, "label", label, "before", before, "after", after));
}

/* One member of a paper, told as it is read. */
static void say_member(struct buf *b, const struct family *f, const char *key, const json_t *m)
{
    static const char *const needs[][2] = {{"required", "必须"}, {"conditional", "按情况"}, {"one_of", "几份里交一份"}};
    const json_t *v = json_object_get(m, key), *a;
    size_t i;
    if (strcmp(key, "when") == 0)
        say_conditions(b, f, v);
    else if (strcmp(key, "original") == 0)
        buf_str(b, json_is_true(v) ? "收原件" : "不收原件");
    else if (strcmp(key, "alternatives") == 0)
        json_array_foreach(v, i, a)
            buf_fmt(b, "%s%s", i ? "；" : "", change_text(a, "name"));
    else if (json_is_string(v))
        buf_str(b, json_string_value(v));
    for (i = 0; strcmp(key, "requirement") == 0 && i < 3; i++)
        if (strcmp(needs[i][0], change_text(m, key)) == 0) {
            b->n = 0;
            buf_str(b, needs[i][1]);
        }
    if (b->n == 0)
        buf_str(b, "（没有）");
}

/* A paper that was not there: everything that decides who has to bring it. */
static void add_paper(struct telling *t, const char *label, const json_t *m)
{
    static const char *const members[][2] = {{"requirement", ""}, {"condition", ""}, {"when", "条件："}, {"original", ""}, {"alternatives", "可替代："}};
    struct buf b;
    buf_init(&b, WORDS_CAP);
    buf_str(&b, change_text(m, "name"));
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        struct buf one;
        const json_t *v = json_object_get(m, members[k][0]);
        if (!v || json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0))
            continue;
        buf_init(&one, WORDS_CAP);
        say_member(&one, family_of(t->after, t->k->item), members[k][0], m);
        buf_fmt(&b, "\n%s%s", members[k][1], buf_text(&one));
        buf_clear(&one);
    }
    add(t, label, "（没有）", buf_text(&b));
    buf_clear(&b);
}

static void compare_paper(struct telling *t, size_t i, const json_t *was, const json_t *is)
{
    static const char *const members[][2] = {{"name", "名称"}, {"plain_name", "群众看到的名称"}, {"condition", "什么情况要（文字）"}, {"requirement", "要不要"}, {"group", "组别"}, {"when", "条件"},
                                             {"original", "原件"}, {"alternatives", "可替代"}, {"alternatives_hint", "替代说明"}, {"how_to_get", "没有怎么办"}};
    char label[160];
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        struct buf a, b;
        buf_init(&a, WORDS_CAP);
        buf_init(&b, WORDS_CAP);
        say_member(&a, family_of(t->before, t->k->item), members[k][0], was);
        say_member(&b, family_of(t->after, t->k->item), members[k][0], is);
        snprintf(label, sizeof label, "材料 %zu %s", i + 1, members[k][1]);
        add(t, label, buf_text(&a), buf_text(&b));
        buf_clear(&a);
        buf_clear(&b);
    }
}

static const json_t *paper_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *m;
    json_array_foreach(list, i, m)
        if (strcmp(change_text(m, "name"), name) == 0)
            return m;
    return NULL;
}

/* Papers are the same by name; a list of the same length without a name in common at that place was renamed there. */
static void compare_papers(struct telling *t, const json_t *was, const json_t *is)
{
    size_t i;
    json_t *m;
    char label[48];
    const bool same = json_array_size(was) == json_array_size(is);
    json_array_foreach(is, i, m) {
        const json_t *old = paper_named(was, change_text(m, "name"));
        snprintf(label, sizeof label, "材料 %zu", i + 1);
        if (!old && same && !paper_named(is, change_text(json_array_get(was, i), "name")))
            old = json_array_get(was, i);
        if (!old) {
            add_paper(t, label, m);
            continue;
        }
        if (json_integer_value(json_object_get(old, "no")) != (json_int_t)i + 1) {
            char before[32];
            snprintf(before, sizeof before, "第 %d 份", (int)json_integer_value(json_object_get(old, "no")));
            add(t, change_text(m, "name"), before, label + strlen("材料 "));
        }
        compare_paper(t, i, old, m);
    }
    json_array_foreach(was, i, m)
        if (!paper_named(is, change_text(m, "name")) && (!same || paper_named(was, change_text(json_array_get(is, i), "name")))) {
            snprintf(label, sizeof label, "材料 %zu", i + 1);
            add(t, label, change_text(m, "name"), "（去掉）");
        }
}

static void tell(struct telling *t, const json_t *was, const json_t *is)
{
    char label[160];
    struct buf a, b;
    const struct family *f = family_of(t->after, t->k->item);
    const struct field *field = f && t->k->rule->target == TARGET_FIELD ? family_field(f, t->k->id) : NULL;
    buf_init(&a, WORDS_CAP);
    buf_init(&b, WORDS_CAP);
    say(&a, t->k->rule->kind, f, was);
    say(&b, t->k->rule->kind, f, is);
    if (field)
        snprintf(label, sizeof label, "%s · %s", field->label, t->k->rule->label);
    else
        snprintf(label, sizeof label, "%s", t->k->rule->label);
    add(t, label, buf_text(&a), buf_text(&b));
    buf_clear(&a);
    buf_clear(&b);
}

json_t *changes_words(const json_t *changes, const struct catalogue *before, const struct catalogue *after)
{
    json_t *out = json_array(), *was = catalogue_document(before), *is = catalogue_document(after), *c;
    size_t i;
    json_array_foreach(changes, i, c) {
        struct change k;
        change_take(&k, c);
        struct telling t = {out, before, after, &k};
        if (!k.rule)
            continue;
        const json_t *old = changes_value(was, k.region, k.item, k.path), *now = changes_value(is, k.region, k.item, k.path);
        if (k.rule->kind == KIND_MATERIALS)
            compare_papers(&t, old, now);
        else
            tell(&t, old, now);
    }
    json_decref(was);
    json_decref(is);
    return out;
}
