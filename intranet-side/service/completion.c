#include "intranet-side/service/completion.h"

#include <stdio.h>
#include <string.h>

#include "common/idnumber.h"
#include "common/text.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/registry.h"

enum { MOST_CHARACTERS = 100 };

static bool choice_known(const json_t *values, const char *code)
{
    size_t i;
    json_t *v;
    json_array_foreach(values, i, v)
        if (strcmp(text_of(v, "code"), code) == 0)
            return true;
    return false;
}

/* Sentence for a value that cannot stand; NULL: good. rule: its name. */
static const char *fault(const json_t *field, const char *value, int64_t now_ms, const char **rule)
{
    const char *type = text_of(field, "type");
    struct date d;
    *rule = type;
    if (text_fault_of(bytes_of(value)) != TEXT_OK || text_length(bytes_of(value)) > MOST_CHARACTERS)
        return "太长，或有不能保存的字符";
    if (strcmp(type, "date") == 0 && (date_parse(&d, value) < 0 || date_compare(d, clock_beijing_date(now_ms)) > 0))
        return "请填写不晚于今天的日期，如 2026-01-31";
    if (strcmp(type, "enum") == 0 && !choice_known(json_object_get(field, "values"), value))
        return "请从列出的内容里选择";
    if (strcmp(type, "book_no") == 0 && (strlen(value) != 14 || strspn(value, "0123456789") != 14))
        return "户号是 14 位数字，请核对";
    if (strcmp(type, "id_number") == 0 && id_number_parse(NULL, value, strlen(value), clock_beijing_date(now_ms)) != ID_OK)
        return "身份证号不对，请核对";
    if (strcmp(type, "phone") == 0 && !text_is_phone(bytes_of(value)))
        return "电话不对，请核对";
    return NULL;
}

static int finding(struct reply *r, struct err *e, const char *id, const char *rule, const char *label, const char *zh)
{
    char text[300];
    snprintf(text, sizeof text, "%s：%s", label, zh);
    reply_field(r, id, rule, text);
    return reply_refuse(r, e, ERR_INPUT, *id ? id : "completion", "%s", text);
}

static int fields_check(const json_t *fields, const json_t *all, int64_t now_ms, struct reply *r, struct err *e)
{
    size_t i;
    json_t *f;
    int rc = 0;
    json_array_foreach(fields, i, f) {
        const char *id = text_of(f, "id"), *rule = "", *value = text_of(all, id);
        bool asked = effect_asked(f, all);
        if (!asked && *value)
            rc = finding(r, e, id, "hidden", text_of(f, "label"), "现在不用填");
        else if (asked && !*value && json_is_true(json_object_get(f, "required")))
            rc = finding(r, e, id, "required", text_of(f, "label"), "请填写");
        else if (*value && fault(f, value, now_ms, &rule))
            rc = finding(r, e, id, rule, text_of(f, "label"), fault(f, value, now_ms, &rule));
    }
    return rc;
}

static bool known(const json_t *fields, const char *id)
{
    size_t i;
    json_t *f;
    json_array_foreach(fields, i, f)
        if (strcmp(text_of(f, "id"), id) == 0)
            return true;
    return false;
}

static int given_known(const json_t *fields, const json_t *given, struct reply *r, struct err *e)
{
    const char *id;
    json_t *v;
    json_object_foreach((json_t *)given, id, v)
        if (!known(fields, id) || !json_is_string(v))
            return finding(r, e, id, known(fields, id) ? "type" : "unknown", "办结信息", "有一项不认识的内容，请刷新后重试");
    return 0;
}

/* What is given takes the place of what was there; an empty answer takes it away. Whether anything changed. */
static bool answer(json_t *all, const json_t *given)
{
    bool changed = false;
    json_t *v;
    const char *id;
    json_object_foreach((json_t *)given, id, v) {
        const char *text = json_string_value(v);
        if (text && *text)
            changed = json_object_set(all, id, v) == 0 || changed;
        else
            changed = json_object_del(all, id) == 0 || changed;
    }
    return changed;
}

int completion_take(struct core *c, struct db_conn *conn, struct dossier *d, const struct wf_transition *t, const json_t *given, int64_t now_ms,
                    struct reply *r, struct err *e)
{
    const char *stage = wf_asks_stage(t);
    json_t *fields = NULL;
    if (stage == NULL)
        return given && json_object_size(given) ? finding(r, e, "completion", "unknown", "办结信息", "这一步不用填") : 0;
    if (registry_completion(&fields, c, conn, d, stage, e) < 0)
        return -1;
    json_t *all = json_copy(json_object_get(d->payload, "completion"));
    if (all == NULL)
        all = json_object();
    const bool changed = answer(all, given);
    json_t *with_form = json_copy((json_t *)d->entries);
    json_object_update(with_form, all);
    int rc = given_known(fields, given, r, e) < 0 || fields_check(fields, with_form, now_ms, r, e) < 0 ? -1 : 0;
    if (rc == 0 && changed) {
        json_object_set(d->payload, "completion", all);
        rc = dossier_save_payload(d, conn, e);
    }
    json_decref(with_form);
    json_decref(all);
    json_decref(fields);
    return rc;
}
