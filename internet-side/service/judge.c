#include "internet-side/service/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"

int judge_parse(struct draft *out, const json_t *body, enum draft_shape shape, struct reply *r, struct err *e)
{
    char field[48];
    if (draft_parse(out, body, shape, field, e) == 0)
        return 0;
    if (field[0])
        reply_field(r, field, "shape", "这一项的格式不对，请刷新后重试");
    snprintf(r->zh, sizeof r->zh, "内容没有传完整，请刷新后重试");
    return -1;
}

void judge_add_findings(json_t *findings, const struct form_report *report)
{
    json_t *list = form_report_json(report);
    json_array_extend(findings, list);
    json_decref(list);
}

static void find(json_t *findings, const char *field, const char *rule, const char *message)
{
    json_array_append_new(findings, json_pack("{s:s, s:s, s:s}", "field", field, "rule", rule, "message", message));
}

/* The edition the draft was filled in under, and its item, open. */
static int choose(struct judged *j, struct core *c, const struct draft *d, struct reply *r, struct err *e)
{
    j->edition = configuration_version(c->configuration, d->config);
    if (!j->edition) {
        reply_field(r, "config_version", "config_version", "办事内容有更新，请刷新后核对一遍");
        return reply_refuse(r, e, ERR_CONFLICT, "draft: config_version: want the current or the one before, have another",
                            "办事内容有更新，请刷新后核对一遍再提交，您填的内容还在");
    }
    j->item = catalogue_item_for(edition_catalogue(j->edition), d->item, d->entries);
    if (!j->item || !j->item->enabled)
        return reply_refuse(r, e, ERR_MISSING, "draft: item: unknown or switched off", "没有这项业务，请重新选择");
    if (!j->item->online_open) {
        const char *note = json_string_value(json_object_get(j->item->json, "closed_note"));
        return reply_refuse(r, e, ERR_DENIED, "draft: item is not open online", "%s", note ? note : "这种情况要到窗口办，现在可以先约时间");
    }
    return 0;
}

static int judge_entries(struct judged *j, const struct draft *d, const struct form_identity *identity, int64_t now_ms, struct err *e)
{
    const struct form_context ctx = { clock_beijing_date(now_ms), identity, NULL };
    struct form_slot slots[DRAFT_MAX_SLOTS];
    struct form_report report = {0};
    size_t n = 0;
    int rc = form_check(&report, edition_catalogue(j->edition), d->item, d->entries, &ctx, e);
    for (size_t i = 0; i < d->n_slots; i++)
        if (d->slots[i].n > 0)
            slots[n++] = (struct form_slot){ d->slots[i].no == DRAFT_CHARACTER_SLOT ? FORM_SLOT_CHARACTER : d->slots[i].no, (int)d->slots[i].n, false };
    if (rc == 0)
        rc = form_check_materials(&report, edition_catalogue(j->edition), d->item, report.clean, slots, n, e);
    if (rc == 0) {
        judge_add_findings(j->findings, &report);
        j->clean = json_incref(report.clean);
    }
    form_report_clear(&report);
    return rc;
}

/* A pinyin and a photograph belong to a field that holds the mark for a character that cannot be typed. */
static void judge_untypeable(struct judged *j, const struct draft *d)
{
    for (size_t i = 0; i < d->n_untypeable; i++) {
        const struct draft_untypeable *u = &d->untypeable[i];
        const char *value = json_string_value(json_object_get(j->clean, u->field));
        bool page = false;
        if (!family_field(j->item->family, u->field) || !value || !text_has_untypeable(bytes_of(value)))
            find(j->findings, "untypeable", "untypeable_field", "“有字打不出来”的这一项里没有打不出的字，请去掉");
        if (!*u->pinyin || text_length(bytes_of(u->pinyin)) > 60 || !text_is_pinyin(bytes_of(u->pinyin)))
            find(j->findings, u->field, "untypeable_pinyin", "请用拼音写出打不出的字，如 zhé");
        for (size_t k = 0; k < j->pages.n_slots; k++)
            for (size_t p = 0; j->pages.slots[k].no == DRAFT_CHARACTER_SLOT && p < j->pages.slots[k].n; p++)
                page = page || strcmp(j->pages.slots[k].pages[p].id.s, u->page.s) == 0;
        if (!page)
            find(j->findings, u->field, "untypeable_page", "请拍一张打不出的字的照片");
    }
}

static void judge_alternatives(struct judged *j, const struct draft *d)
{
    for (size_t i = 0; i < d->n_slots; i++)
        for (size_t k = 0; d->slots[i].alternative >= 0 && k < j->item->n_materials; k++)
            if (j->item->materials[k].no == d->slots[i].no && (size_t)d->slots[i].alternative >= j->item->materials[k].n_alternatives) {
                char field[24];
                snprintf(field, sizeof field, "material.%d", d->slots[i].no);
                find(j->findings, field, "material_alternative", "没有这种替代材料，请重新选择");
            }
}

int judge_application(struct judged *out, struct core *c, const struct hash256 *account, const struct draft *d,
                      const struct form_identity *identity, int64_t now_ms, struct reply *r, struct err *e)
{
    *out = (struct judged){ .findings = json_array() };
    if (choose(out, c, d, r, e) < 0 || judge_entries(out, d, identity, now_ms, e) < 0 ||
        page_set_load(&out->pages, c, account, d, out->findings, e) < 0)
        return -1;
    judge_untypeable(out, d);
    judge_alternatives(out, d);
    out->content = (struct content){ out->item->code, d->config, out->clean, out->pages.n_slots, d->n_untypeable, out->pages.slots, d->untypeable };
    return json_array_size(out->findings) ? 0 : content_hash(&out->hash, &out->content, e);
}

void judged_clear(struct judged *j)
{
    page_set_clear(&j->pages);
    json_decref(j->findings);
    json_decref(j->clean);
    edition_release(j->edition);
    *j = (struct judged){0};
}

/* Whose identity and face the item wants. */
static json_t *verify_json(const struct judged *j)
{
    const json_t *identity = json_object_get(j->item->json, "identity");
    const char *who = json_string_value(json_object_get(identity, "who")), *text = json_string_value(json_object_get(identity, "text"));
    const char *name = json_string_value(json_object_get(j->clean, "applicant_name"));
    return json_pack("{s:s, s:s, s:s}", "who", who ? who : "self", "name", name ? name : "", "text", text ? text : "");
}

int judge_check(struct core *c, struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    struct draft d;
    struct judged j = {0};
    int rc = -1;
    const unsigned wait = limiter_take(c->limiter, LIMIT_CHECK, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "check: too often", wait);
    if (judge_parse(&d, body, DRAFT_CHECK, r, e) == 0 && judge_application(&j, c, session_account(s), &d, NULL, now_ms, r, e) == 0) {
        const bool ok = json_array_size(j.findings) == 0;
        char hex[65];
        r->body = json_pack("{s:b, s:O, s:o}", "ok", ok, "findings", j.findings, "verify", verify_json(&j));
        hash_hex(hex, &j.hash);
        if (ok)
            json_object_set_new(r->body, "hash", json_string(hex));
        rc = 0;
    }
    judged_clear(&j);
    draft_clear(&d);
    return rc;
}
