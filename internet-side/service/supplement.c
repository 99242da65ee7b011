/* supplement.c - 补正 handed in: only what was asked, under the same case number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry/lib/delivery.h"
#include "internet-side/service/ask.h"
#include "internet-side/service/ask_parts.h"
#include "internet-side/service/cases.h"
#include "internet-side/service/judge.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"
#include "internet-side/service/upkeep.h"
#include "internet-side/store/tracking.h"

struct wanted_read { const char *no; struct supplement_request s; };
struct work {
    struct core *c;
    struct session *s;
    const struct tracking *t;
    const struct supplement_request *wanted;
    struct draft d;
    struct judged j;
    struct submission *k;
    int64_t now_ms;
    const struct parcel *parcel;
};

static int wanted_read(struct db_conn *c, void *arg, struct err *e)
{
    struct wanted_read *w = arg;
    return supplement_load(&w->s, c, w->no, e) < 0 ? -1 : 0;
}

/* Whether the case waits for this supplement now. */
static int open_round(const struct tracking *t, const struct supplement_request *s, int64_t now_ms, struct reply *r, struct err *e)
{
    if (strcmp(t->local_state, "withdraw_asked") == 0)
        return reply_refuse(r, e, ERR_CONFLICT, "supplement: withdrawal is under way", "您已申请撤回，现在不能补材料");
    if (!s->round || s->sent || t->final || strcmp(t->state, "supplement") != 0)
        return reply_refuse(r, e, ERR_CONFLICT, "supplement: none is asked for", s->sent ? "材料已经补交过了，没有重复" : "现在不需要补材料");
    if (cases_overdue(s->deadline, now_ms))
        return reply_refuse(r, e, ERR_CONFLICT, "supplement: too late", "补材料的日期已过，这次申请已结束，可以重新申请");
    return 0;
}

static void find(json_t *findings, const char *field, const char *rule, const char *message)
{
    json_array_append_new(findings, json_pack("{s:s, s:s, s:s}", "field", field, "rule", rule, "message", message));
}

static bool slot_asked(const json_t *slots, int no)
{
    size_t i;
    const json_t *v;
    json_array_foreach(slots, i, v)
        if (json_integer_value(json_object_get(v, "material")) == no)
            return true;
    return false;
}

/* Every asked slot has pages, no other slot has any. */
static void judge_slots(struct work *w)
{
    const json_t *asked = json_object_get(w->wanted->wanted, "slots"), *v;
    char field[24];
    size_t i;
    for (size_t k = 0; k < w->d.n_slots; k++)
        if (!slot_asked(asked, w->d.slots[k].no)) {
            snprintf(field, sizeof field, "material.%d", w->d.slots[k].no);
            find(w->j.findings, field, "not_asked", "这份材料没有要求补，不用重交");
        }
    json_array_foreach(asked, i, v) {
        const int no = (int)json_integer_value(json_object_get(v, "material"));
        bool there = false;
        for (size_t k = 0; k < w->d.n_slots; k++)
            there = there || (w->d.slots[k].no == no && w->d.slots[k].n > 0);
        snprintf(field, sizeof field, "material.%d", no);
        if (!there)
            find(w->j.findings, field, "material_required", "这份材料还没有补");
    }
}

/* The asked fields by the rules of the case's own edition, or of the current one when that is gone. */
static int judge_fields(struct work *w, struct err *e)
{
    const json_t *asked = json_object_get(w->wanted->wanted, "fields"), *v;
    const char **only = calloc(json_array_size(asked) + 1, sizeof *only);
    struct form_report report = {0};
    size_t i;
    if (!only)
        return err_set(e, ERR_FULL, "supplement: no memory");
    json_array_foreach(asked, i, v)
        only[i] = json_string_value(json_object_get(v, "field"));
    const struct form_context ctx = { clock_beijing_date(w->now_ms), NULL, only };
    w->j.edition = configuration_version(w->c->configuration, w->t->config);
    if (!w->j.edition)
        w->j.edition = configuration_current(w->c->configuration);
    const int rc = form_check(&report, edition_catalogue(w->j.edition), w->t->item, w->d.entries, &ctx, e);
    if (rc == 0) {
        judge_add_findings(w->j.findings, &report);
        w->j.clean = json_incref(report.clean);
    }
    form_report_clear(&report);
    free(only);
    return rc;
}

static int judge(struct work *w, const json_t *body, struct reply *r, struct err *e)
{
    w->j = (struct judged){ .findings = json_array() };
    if (judge_parse(&w->d, body, DRAFT_SUPPLEMENT, r, e) < 0 || judge_fields(w, e) < 0 ||
        page_set_load(&w->j.pages, w->c, session_account(w->s), &w->d, w->j.findings, e) < 0)
        return -1;
    judge_slots(w);
    w->j.content = (struct content){ w->t->item, w->t->config, w->j.clean, w->j.pages.n_slots, 0, w->j.pages.slots, NULL };
    if (json_array_size(w->j.findings) == 0)
        return 0;
    r->fields = json_incref(w->j.findings);
    return reply_refuse(r, e, ERR_INPUT, "supplement: findings", "有 %zu 处要改，请核对", json_array_size(w->j.findings));
}

static int supplement_write(struct db_conn *c, void *arg, struct err *e)
{
    struct work *w = arg;
    struct tracking t;
    struct submission earlier;
    const int same = submission_load(&earlier, c, &w->k->key, e);
    if (same != 0)
        return same < 0 ? -1 : err_set(e, ERR_CONFLICT, "supplement: key is taken");
    int rc = tracking_load(&t, c, w->t->no.s, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_MISSING, "case is gone");
    if (t.final || t.local_state[0] || strcmp(t.state, "supplement") != 0) {
        rc = err_set(e, ERR_CONFLICT, "supplement: the case moved in between");
    } else {
        snprintf(t.local_state, sizeof t.local_state, "supplement_sent");
        t.updated_ms = w->now_ms;
        t.pages_total = w->j.pages.pages;
        t.pages_done = 0;
        rc = tracking_save(c, &t, w->now_ms, e) < 0 || supplement_set_sent(c, t.no.s, w->wanted->round, true, w->now_ms, e) < 0 ||
             parcel_put(c, w->parcel, w->now_ms, e) < 0 || submission_add(c, w->k, e) < 0 ||
             tracking_event_add(c, t.no.s, w->now_ms, t.stage, "您补交了材料", w->now_ms, e) < 0 ? -1 : 0;
    }
    tracking_clear(&t);
    return rc;
}

static int hand_in_once(struct work *w, struct err *e)
{
    struct parcel p;
    struct buf xml;
    char at[21];
    int64_t seq;
    clock_rfc3339(at, w->now_ms);
    if (ask_next_seq(&seq, w->c, w->t->no.s, e) < 0 ||
        content_supplement_xml(&xml, &w->j.content, w->t->no.s, seq, w->wanted->round, at, e) < 0 ||
        parcel_seal(&p, w->c, "supplement", w->t->no.s, seq, &xml, w->t->config, &w->j.pages, e) < 0)
        return -1;
    w->parcel = &p;
    w->k->no = w->t->no;
    w->k->record = p.record.record;
    w->k->pages = w->j.pages.pages;
    w->k->at_ms = w->now_ms;
    const int rc = db_write(w->c->db, supplement_write, w, e);
    parcel_clear(&p, w->c, rc == 0);
    return rc;
}

static int hand_in(struct work *w, struct reply *r, struct err *e)
{
    int rc = -1;
    for (int i = 0; i < 5 && (rc = hand_in_once(w, e)) < 0 && e->code == ERR_BUSY; i++)
        err_clear(e);
    if (rc < 0)
        return e->code ? -1 : err_set(e, ERR_BUSY, "supplement: other records of the case kept coming");
    r->body = submit_receipt(w->c, w->t, w->now_ms, w->k->pages);
    if (w->c->delivery)
        delivery_wake(w->c->delivery);
    return 0;
}

int ask_supplement(struct core *c, struct session *s, const char *no, const struct submit_request *q, int64_t now_ms, bool *created, struct reply *r,
                   struct err *e)
{
    struct submission k = {0};
    struct tracking t = {0};
    struct wanted_read wanted = { .no = no };
    struct work w = { .c = c, .s = s, .t = &t, .wanted = &wanted.s, .k = &k, .now_ms = now_ms };
    char purpose[48];
    *created = false;
    snprintf(purpose, sizeof purpose, "key-supplement-%.16s", no);
    if (cases_own(&t, c, s, q->device, no, r, e) < 0)
        return -1;
    int rc = submit_key(&k, c, s, purpose, q, r, e);
    if (rc == 0)
        rc = submit_before(&k, c, r, e);
    if (rc == 0 && !upkeep_accepting(c->upkeep))
        rc = reply_refuse(r, e, ERR_FULL, "supplement: not accepting", "系统暂停受理，请稍后再试，补的内容还在");
    if (rc == 0 && db_read(c->db, wanted_read, &wanted, e) < 0)
        rc = -1;
    if (rc == 0 && (open_round(&t, &wanted.s, now_ms, r, e) < 0 || judge(&w, q->body, r, e) < 0 || hand_in(&w, r, e) < 0))
        rc = -1;
    else if (rc == 0)
        *created = true;
    judged_clear(&w.j);
    draft_clear(&w.d);
    tracking_clear(&t);
    json_decref(wanted.s.wanted);
    return rc < 0 ? -1 : 0;
}
