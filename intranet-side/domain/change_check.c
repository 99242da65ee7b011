/* change_check.c - what a change may say, and the loader's refusals in the administrators' words. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/domain/change_parts.h"

struct check { json_t *out; char field[256]; const struct catalogue *c; json_t *document; };

__attribute__((format(printf, 3, 4))) static void find(struct check *x, const char *rule, const char *fmt, ...)
{
    char zh[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(zh, sizeof zh, fmt, ap);
    va_end(ap);
    text_mend(zh, '?');
    text_mend(x->field, '?');
    json_array_append_new(x->out, json_pack("{s:s, s:s, s:s}", "field", x->field, "rule", rule, "message", zh));
}

static void check_text(struct check *x, const json_t *v, const char *label, long max, bool nullable)
{
    const char *s = json_string_value(v);
    const long n = s ? text_length(bytes_of(s)) : 0;
    if (json_is_null(v) && nullable)
        return;
    if (!s)
        find(x, "type", "%s要写成文字", label);
    else if (n == 0 && !nullable)
        find(x, "required", "请填写%s", label);
    else if (n > max)
        find(x, "length", "%s最多 %ld 个字，现在 %ld 个", label, max, n);
    else if (text_fault_of(bytes_of(s)) != TEXT_OK)
        find(x, "xml_char", "%s里有不能保存的字符，请删掉后重填", label);
}

static void check_texts(struct check *x, const struct change *k)
{
    size_t i;
    const json_t *v;
    if (!json_is_array(k->value))
        find(x, "type", "%s要一条一条地写", k->rule->label);
    else if (json_array_size(k->value) > k->rule->most)
        find(x, "length", "%s最多 %zu 条，现在 %zu 条", k->rule->label, k->rule->most, json_array_size(k->value));
    json_array_foreach(k->value, i, v)
        check_text(x, v, k->rule->label, k->rule->max, false);
}

static void check_conditions(struct check *x, const json_t *list, const char *label)
{
    size_t i;
    const json_t *k;
    if (!json_is_null(list) && (!json_is_array(list) || json_array_size(list) > 10))
        find(x, "type", "%s：条件最多 10 条", label);
    json_array_foreach(list, i, k) {
        const json_t *values = json_object_get(k, "in") ? json_object_get(k, "in") : json_object_get(k, "not_in") ? json_object_get(k, "not_in") : json_object_get(k, "prefix");
        if (json_object_size(k) != 2 || *change_text(k, "field") == '\0')
            find(x, "condition", "%s：第 %zu 个条件没有选字段", label, i + 1);
        else if (!json_is_array(values) || json_array_size(values) == 0 || json_array_size(values) > 100)
            find(x, "condition", "%s：第 %zu 个条件没有选值", label, i + 1);
    }
}

static void check_material(struct check *x, size_t i, const json_t *m, bool closed)
{
    static const struct { const char *key; long max; bool nullable; } texts[] = {
        {"name", 200, false}, {"plain_name", 60, true}, {"condition", 300, true}, {"group", 4, true}, {"verify", 40, true}, {"e_licence", 40, true},
        {"note", 500, true}, {"text", 500, true}, {"template", 60, true}, {"alternatives_hint", 300, true}, {"how_to_get", 300, true}};
    static const char known[] = " no name plain_name condition requirement group alternatives original supplied_by verify e_licence note seed_line text when "
                                "examples alternatives_hint how_to_get template ";
    char label[48], word[48];
    const char *key;
    json_t *v;
    snprintf(label, sizeof label, "材料 %zu", i + 1);
    if (!json_is_object(m)) {
        find(x, "type", "%s的内容不对", label);
        return;
    }
    json_object_foreach((json_t *)m, key, v) {
        snprintf(word, sizeof word, " %.40s ", key);
        if (!strstr(known, word))
            find(x, "unknown", "%s有不认识的内容“%.40s”", label, key);
    }
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
        if (json_object_get(m, texts[k].key) || !texts[k].nullable)
            check_text(x, json_object_get(m, texts[k].key), label, texts[k].max, texts[k].nullable);
    const char *need = change_text(m, "requirement");
    if (json_integer_value(json_object_get(m, "no")) != (json_int_t)i + 1)
        find(x, "order", "%s的编号不对，请刷新后重试", label);
    if (strcmp(need, "conditional") == 0 && *change_text(m, "condition") == '\0')
        find(x, "required", "%s不是人人都要，请写明什么情况要", label);
    if (!closed && strcmp(need, "conditional") == 0 && json_array_size(json_object_get(m, "when")) == 0 && strcmp(change_text(m, "supplied_by"), "police") != 0)
        find(x, "condition", "%s要设条件：网上开通的事项，由系统判断这份材料要不要", label);
    check_conditions(x, json_object_get(m, "when") ? json_object_get(m, "when") : json_null(), label);
}

static void check_value(struct check *x, const struct change *k, bool open)
{
    size_t i;
    const json_t *v;
    char base[256], at[264];
    switch (k->rule->kind) {
    case KIND_TEXT:
        check_text(x, k->value, k->rule->label, k->rule->max, k->rule->nullable);
        break;
    case KIND_CODES:
        if (json_is_null(k->value))
            break;
        /* fall through */
    case KIND_TEXTS:
        check_texts(x, k);
        break;
    case KIND_FLAG:
        if (!json_is_boolean(k->value))
            find(x, "type", "%s只能是开或关", k->rule->label);
        break;
    case KIND_CONDITIONS:
        check_conditions(x, k->value, k->rule->label);
        break;
    case KIND_MATERIALS:
        if (!json_is_array(k->value) || json_array_size(k->value) > k->rule->most)
            find(x, "type", "材料最多 %zu 份", k->rule->most);
        snprintf(base, sizeof base, "%.240s", x->field);
        json_array_foreach(k->value, i, v) {
            snprintf(at, sizeof at, "%.230s/%zu", base, i + 1);
            memcpy(x->field, at, sizeof x->field);
            check_material(x, i, v, !open);
        }
        snprintf(x->field, sizeof x->field, "%s", base);
    }
}

/* Whether the item is open online once the set is released: its own switch in the set counts. */
static bool open_after(const struct check *x, const json_t *changes, const struct change *k)
{
    size_t i;
    const json_t *c;
    bool open = json_is_true(changes_value(x->document, k->region, k->item, "online_open"));
    json_array_foreach(changes, i, c)
        if (strcmp(change_text(c, "item"), k->item) == 0 && strcmp(change_text(c, "region"), k->region) == 0 && strcmp(change_text(c, "path"), "online_open") == 0)
            open = json_is_true(json_object_get(c, "value"));
    return open;
}

static bool region_known(const struct catalogue *c, const char *region)
{
    size_t i, k;
    const json_t *u, *r;
    json_array_foreach(catalogue_part(c, "units"), i, u)
        json_array_foreach(json_object_get(u, "regions"), k, r)
            if (json_is_string(r) && strcmp(json_string_value(r), region) == 0)
                return true;
    return false;
}

static bool twice(const json_t *changes, size_t at, const struct change *k)
{
    for (size_t i = 0; i < at; i++) {
        const json_t *c = json_array_get(changes, i);
        if (strcmp(change_text(c, "region"), k->region) == 0 && strcmp(change_text(c, "item"), k->item) == 0 && strcmp(change_text(c, "path"), k->path) == 0)
            return true;
    }
    return false;
}

static void check_change(struct check *x, const json_t *changes, size_t i)
{
    static const char known[] = " region item path value reset ";
    const json_t *c = json_array_get(changes, i);
    struct change k;
    const char *key;
    json_t *v;
    char word[32];
    snprintf(x->field, sizeof x->field, "changes");
    if (!json_is_object(c)) {
        find(x, "type", "第 %zu 处改动的内容不对", i + 1);
        return;
    }
    change_take(&k, c);
    snprintf(x->field, sizeof x->field, "%.60s/%.160s", k.item, k.path);
    json_object_foreach((json_t *)c, key, v) {
        snprintf(word, sizeof word, " %.24s ", key);
        if (!strstr(known, word))
            find(x, "unknown", "有不认识的内容“%.24s”", key);
    }
    const json_t *reset = json_object_get(c, "reset");
    if ((reset && !json_is_true(reset)) || (reset != NULL) == (json_object_get(c, "value") != NULL))
        find(x, "type", "改动要么有新的内容，要么恢复原样");
    else if (!k.rule)
        find(x, "unknown", "这里不能改");
    else if (*k.region && (!k.rule->district || !region_known(x->c, k.region)))
        find(x, "region", *k.region && k.rule->district ? "没有这个县区" : "%s不能按县区分别设置", k.rule->label);
    else if (twice(changes, i, &k))
        find(x, "twice", "同一处改了两次");
    else if (k.rule->target == TARGET_ITEM ? !catalogue_item(x->c, k.item)
             : k.rule->target == TARGET_FIELD ? !catalogue_family(x->c, k.item + 5) || !family_field(catalogue_family(x->c, k.item + 5), k.id)
             : k.rule->target != TARGET_NODE && !changes_value(x->document, "", k.item, k.path))
        find(x, "unknown", "没有这一项");
    else if (k.value)
        check_value(x, &k, k.rule->target == TARGET_ITEM && open_after(x, changes, &k));
}

json_t *changes_findings(const json_t *changes, const struct catalogue *c)
{
    struct check x = {.out = json_array(), .c = c, .document = catalogue_document(c)};
    snprintf(x.field, sizeof x.field, "changes");
    if (!json_is_array(changes))
        find(&x, "type", "改动的内容不对，请刷新后重试");
    else if (json_array_size(changes) > CHANGES_MAX)
        find(&x, "length", "一次最多改 %d 处", CHANGES_MAX);
    else
        for (size_t i = 0; i < json_array_size(changes); i++)
            check_change(&x, changes, i);
    json_decref(x.document);
    return x.out;
}

/* ---- the loader's words ---- */

static const struct { const char *says, *zh; } refusals[] = {
    {"want at most 7 asked fields", "这一屏要填的超过 7 项，请减少必须填的内容"},
    {"sections: want some", "这项业务的表单还没有分屏，不能在网上开通"},
    {"want values for a required field", "必填的选项没有可选的值，不能在网上开通"},
    {"when: want conditions that decide it", "网上开通的事项，按情况要的材料要设条件"},
    {"condition: want words to show", "不是人人都要的材料，请写明什么情况要"},
    {"group: want one for one_of", "“几份里交一份”的材料要有组别，必须的材料不能有组别"},
    {"want several papers or alternatives", "“几份里交一份”的一组里至少要有两份材料"},
    {"want a field of the family", "条件里的字段不在这张表单里"},
    {"want codes of the field it names", "条件里的值不是那个字段的可选值"},
    {"want codes of the table", "可选的值里有代码表没有的"},
    {"want no circle", "“什么时候要填”互相依赖，成了一个圈"},
    {"want true or false", "条件里的值只能是“是”或“不是”"},
    {"want a place of the base", "这一处已经不在基础配置里"},
    {"no: want", "材料编号要从 1 连续"},
    {"want text", "有必填的文字没有填"},
    {"want a list", "有一份清单不能为空"},
};

/* "…HJ001: material 3: when…" -> HJ001/materials/3; "forms/birth.json: field x: …" -> form:birth/fields.x; "" -> changes. */
static void place_of_refusal(char out[256], const char *msg)
{
    char form[64] = "", field[64] = "";
    const char *at = strstr(msg, "HJ") ? strstr(msg, "HJ") : strstr(msg, "HX"), *m = strstr(msg, ": material ");
    const char *f = strstr(msg, "forms/");
    int no = 0;
    snprintf(out, 256, "changes");
    if (f && sscanf(f, "forms/%63[^.].json: field %63[a-z0-9_]", form, field) == 2)
        snprintf(out, 256, "form:%s/fields.%s", form, field);
    else if (at && m && sscanf(m, ": material %d", &no) == 1)
        snprintf(out, 256, "%.5s/materials/%d", at, no);
    else if (at)
        snprintf(out, 256, "%.5s/online_open", at);
}

json_t *changes_refusal(const struct err *e)
{
    char field[256], zh[400], have[sizeof e->msg];
    const char *say = NULL;
    for (size_t i = 0; !say && i < sizeof refusals / sizeof refusals[0]; i++)
        if (strstr(e->msg, refusals[i].says))
            say = refusals[i].zh;
    place_of_refusal(field, e->msg);
    snprintf(zh, sizeof zh, "%s", say ? say : "不符合配置规则");
    snprintf(have, sizeof have, "%s", e->msg);
    text_mend(field, '?');
    text_mend(have, '?');
    return json_pack("{s:s, s:s, s:s, s:s}", "field", field, "rule", "loader", "message", zh, "have", have);
}
