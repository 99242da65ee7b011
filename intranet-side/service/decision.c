#include "intranet-side/service/decision.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/service/core_parts.h"

static int bad_value(struct reply *r, struct err *e, const char *field, const char *rule, const char *want, const char *have, const char *zh)
{
    reply_finding(r, field, rule, want, have, zh);
    return reply_refuse(r, e, ERR_INPUT, *field ? field : "body", "%s", zh);
}

static int bad(struct reply *r, struct err *e, const char *field, const char *rule, const char *zh)
{
    return bad_value(r, e, field, rule, "", "", zh);
}

static const struct { const char *name; size_t at; long max; } texts[] = {
    {"action", offsetof(struct decision, action), 40},          {"opinion", offsetof(struct decision, opinion), 1000},
    {"sentence", offsetof(struct decision, sentence), 500},     {"rule", offsetof(struct decision, rule), 60},
    {"remedy", offsetof(struct decision, remedy), 500},         {"date", offsetof(struct decision, date), 10},
    {"level", offsetof(struct decision, level), 20},            {"confirm_text", offsetof(struct decision, confirm_text), 40},
};
enum { N_TEXTS = sizeof texts / sizeof texts[0] };

static int text_set(struct decision *out, const char *key, const json_t *v, bool *known, struct reply *r, struct err *e)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        if (strcmp(texts[i].name, key) != 0)
            continue;
        const char *s = json_string_value(v);
        char want[48], have[24];
        *known = true;
        if (s == NULL)
            return bad_value(r, e, key, "type", "text", "", "内容的格式不对，请刷新后重试");
        snprintf(want, sizeof want, "at most %ld characters", texts[i].max);
        snprintf(have, sizeof have, "%ld", text_length(bytes_of(s)));
        if (text_length(bytes_of(s)) > texts[i].max)
            return bad_value(r, e, key, "length", want, have, "内容太长，请修改");
        if (strcmp(key, "opinion") != 0 && text_fault_of(bytes_of(s)) != TEXT_OK)
            return bad(r, e, key, "xml_char", "里面有不能保存的字符，请删掉后重填");
        *(const char **)((char *)out + texts[i].at) = s;
    }
    return 0;
}

static int reasons_read(const json_t *list, struct reply *r, struct err *e)
{
    size_t i;
    json_t *v, *x;
    const char *key;
    if (!json_is_array(list) || json_array_size(list) > 60)
        return bad(r, e, "reasons", "type", "理由有误，请重新填写");
    json_array_foreach(list, i, v) {
        const char *text = json_string_value(json_object_get(v, "text"));
        if (text == NULL || *text == '\0' || text_length(bytes_of(text)) > 300 || text_fault_of(bytes_of(text)) != TEXT_OK)
            return bad(r, e, "reasons", "required", "每条理由都要写，最多 300 个字");
        json_object_foreach(v, key, x)
            if ((strcmp(key, "material") == 0 && (!json_is_integer(x) || json_integer_value(x) < 0 || json_integer_value(x) > 99)) ||
                ((strcmp(key, "field") == 0 || strcmp(key, "kind") == 0) && !json_is_string(x)) ||
                (strcmp(key, "material") && strcmp(key, "field") && strcmp(key, "kind") && strcmp(key, "text")))
                return bad(r, e, "reasons", "unknown", "理由有误，请重新填写");
    }
    return 0;
}

int decision_read(struct decision *out, const json_t *json, struct reply *r, struct err *e)
{
    const char *key;
    json_t *v;
    *out = (struct decision){.action = "", .opinion = "", .sentence = "", .rule = "", .remedy = "", .date = "", .level = "", .confirm_text = "", .version = -1,
                             .rule_text = "", .rule_remedy = "", .rule_reason = ""};
    if (!json_is_object(json))
        return bad(r, e, "", "type", "请求有误，请刷新后重试");
    json_object_foreach((json_t *)json, key, v) {
        bool known = false;
        if (text_set(out, key, v, &known, r, e) < 0)
            return -1;
        if (known)
            continue;
        if (strcmp(key, "version") == 0) {
            if (!json_is_integer(v) || json_integer_value(v) < 0)
                return bad_value(r, e, key, "type", "number", "", "请求有误，请刷新后重试");
            out->version = json_integer_value(v);
        } else if (strcmp(key, "unseen_ok") == 0) {
            if (!json_is_boolean(v))
                return bad_value(r, e, key, "type", "true, false", "", "请求有误，请刷新后重试");
            out->unseen_ok = json_is_true(v);
        } else if (strcmp(key, "completion") == 0) {
            if (!json_is_object(v) || json_object_size(v) > 20)
                return bad_value(r, e, key, "type", "object", "", "办结信息有误，请重新填写");
            out->completion = v;
        } else if (strcmp(key, "reasons") == 0) {
            if (reasons_read(v, r, e) < 0)
                return -1;
            out->reasons = v;
        } else
            return bad_value(r, e, key, "unknown", "", key, "多了一项不认识的内容，请刷新后重试");
    }
    return *out->action && out->version >= 0 ? 0 : bad(r, e, *out->action ? "version" : "action", "required", "请求有误，请刷新后重试");
}

/* Borrowed from the rules, which outlive the decision. */
static const json_t *refusal(const struct rules *rules, const struct dossier *d, const char *id)
{
    json_t *all = rules_refusals(rules, d->f.item, d->item ? d->item->family->id : NULL), *v;
    const json_t *found = NULL;
    size_t i;
    json_array_foreach(all, i, v)
        if (!found && strcmp(text_of(v, "id"), id) == 0)
            found = v;
    json_decref(all);
    return found;
}

static int need_rule(struct decision *x, const struct rules *rules, const struct dossier *d, struct reply *r, struct err *e)
{
    const json_t *v = refusal(rules, d, x->rule);
    if (v == NULL)
        return bad(r, e, "rule", "required", "请选择依据");
    x->rule_text = text_of(v, "rule");
    x->rule_remedy = text_of(v, "remedy");
    x->rule_reason = text_of(v, "reason");
    if (*x->remedy == '\0')
        x->remedy = x->rule_remedy;
    return 0;
}

void decision_propose_date(char out[11], const struct rules *rules, int64_t now_ms)
{
    const json_t *s = json_object_get(rules->reasons, "supplement");
    json_int_t days = json_integer_value(json_object_get(s, "default_working_days"));
    date_text(out, calendar_add(rules->calendar, clock_beijing_date(now_ms), days > 0 ? (int)days : 7));
}

static int need_date(const struct decision *x, const struct rules *rules, const struct wf_transition *t, int64_t now_ms, struct reply *r, struct err *e)
{
    const json_t *s = json_object_get(rules->reasons, "supplement");
    struct date d, today = clock_beijing_date(now_ms);
    json_int_t min = json_integer_value(json_object_get(s, "min_working_days")), max = json_integer_value(json_object_get(s, "max_working_days"));
    bool citizen = wf_has_effect(t, WF_SUPPLEMENT_REQUEST);
    if (date_parse(&d, x->date) < 0)
        return bad_value(r, e, "date", "date", "2026-01-31", x->date, "请填写日期");
    int days = calendar_between(rules->calendar, today, d);
    if (days < (citizen ? min : 1) || days > (citizen ? max : 130)) {
        char zh[120], want[48];
        snprintf(want, sizeof want, "%d to %d working days", citizen ? (int)min : 1, citizen ? (int)max : 130);
        snprintf(zh, sizeof zh, citizen ? "日期要在 %d 到 %d 个工作日之间" : "日期要在今天之后，半年之内", (int)min, (int)max);
        return bad_value(r, e, "date", "date_max", want, x->date, zh);
    }
    return 0;
}

static int need_level(const struct decision *x, const struct dossier *d, struct reply *r, struct err *e)
{
    if (strcmp(x->level, "sub_bureau") == 0 || strcmp(x->level, d->unit.parent) == 0)
        return *d->unit.parent ? 0 : bad(r, e, "level", "code_value", "本单位没有上级审批单位");
    return bad_value(r, e, "level", "code_value", "sub_bureau", x->level, "请选择上报到哪一级");
}

static bool blank(const char *s)
{
    return s[strspn(s, " \t\r\n")] == '\0';
}

static int needs(struct decision *x, struct core *c, const struct dossier *d, const struct wf_transition *t, int64_t unreadable, int64_t now_ms,
                 struct reply *r, struct err *e)
{
    const struct case_file *f = &d->f;
    if ((t->needs & WF_NEED_MATERIALS) && f->pages_done < f->pages_total)
        return reply_refuse(r, e, ERR_CONFLICT, "materials are still coming", "材料还在传 %lld/%lld，传齐后才能决定", (long long)f->pages_done,
                            (long long)f->pages_total);
    if ((t->needs & WF_NEED_MATERIALS) && unreadable && strcmp(t->action, "refuse") != 0)
        return reply_refuse(r, e, ERR_CONFLICT, "a page cannot be decoded", "有 %lld 页无法读取，请退回补正", (long long)unreadable);
    if ((t->needs & WF_NEED_OPINION) && blank(x->opinion))
        return bad(r, e, "opinion", "required", "请填写意见");
    if ((t->needs & WF_NEED_RULE) && need_rule(x, c->rules, d, r, e) < 0)
        return -1;
    if ((t->needs & WF_NEED_REASONS) && json_array_size(x->reasons) == 0 && blank(x->sentence)) {
        if (*x->rule_reason == '\0')
            return bad(r, e, "reasons", "required", "请写明理由，群众会看到");
        x->sentence = x->rule_reason;
    }
    if (wf_has_effect(t, WF_SUPPLEMENT_REQUEST) && json_array_size(x->reasons) == 0)
        return bad(r, e, "reasons", "required", "请选择要补的材料或要改的内容");
    if ((t->needs & WF_NEED_DATE) && need_date(x, c->rules, t, now_ms, r, e) < 0)
        return -1;
    if ((t->needs & WF_NEED_LEVEL) && need_level(x, d, r, e) < 0)
        return -1;
    if ((t->needs & WF_NEED_CONFIRM) && strcmp(x->confirm_text, t->label) != 0) {
        char zh[120];
        snprintf(zh, sizeof zh, "请输入“%s”确认", t->label);
        return bad_value(r, e, "confirm_text", "required", t->label, x->confirm_text, zh);
    }
    return 0;
}

static bool known_slot(const struct dossier *d, json_int_t no)
{
    for (size_t i = 0; d->item && i < d->item->n_materials; i++)
        if (d->item->materials[i].no == no)
            return true;
    return no == 0;
}

/* Slots and fields must be the item's own: the citizen is asked for them by name. */
static int reasons_fit(const struct decision *x, const struct dossier *d, struct reply *r, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(x->reasons, i, v) {
        const json_t *m = json_object_get(v, "material");
        const char *field = text_of(v, "field");
        if (json_is_integer(m) && !known_slot(d, json_integer_value(m)))
            return bad(r, e, "reasons", "material_unknown", "没有这份材料");
        if (*field && (d->item == NULL || (!family_field(d->item->family, field) && !family_repeat(d->item->family, field))))
            return bad(r, e, "reasons", "unknown", "没有这一项内容");
    }
    return 0;
}

int decision_check(struct decision *x, struct core *c, const struct dossier *d, const struct wf_transition *t, int64_t unreadable, int64_t now_ms,
                   struct reply *r, struct err *e)
{
    if (needs(x, c, d, t, unreadable, now_ms, r, e) < 0 || reasons_fit(x, d, r, e) < 0)
        return -1;
    json_t *names = dossier_names(d), *found = json_array(), *v;
    size_t i;
    unsigned refused = wordcheck_text(c->rules->words, "sentence", x->sentence, names, found);
    refused += wordcheck_text(c->rules->words, "remedy", x->remedy, names, found);
    json_array_foreach(x->reasons, i, v)
        refused += wordcheck_text(c->rules->words, "reasons", text_of(v, "text"), names, found);
    json_decref(names);
    if (r->fields == NULL)
        r->fields = json_array();
    json_array_extend(r->fields, found);
    const char *first = text_of(json_array_get(found, 0), "message");
    json_array_foreach(found, i, v)
        if (strcmp(text_of(v, "rule"), "jargon") != 0) {
            first = text_of(v, "message");
            break;
        }
    int rc = refused ? reply_refuse(r, e, ERR_INPUT, "the citizen's text carries what it may not", "%s", first) : 0;
    json_decref(found);
    return rc;
}
