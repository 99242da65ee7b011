#include "intranet-side/service/reversal.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/caseview.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/step.h"
#include "intranet-side/store/event.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"

enum { MOST_REASON = 300 };

struct job {
    struct core *c;
    struct db_conn *conn;
    struct register_store s;
    const struct actor *a;
    const char *no, *reason, *confirm;
    int64_t now;
    struct reply *r;
    struct case_file f;
    json_t *events;                      /* newest first: {id, kind, subject, business, before, after} */
    json_t *homes;                       /* household ids that are touched, as keys */
};

/* --- what the case did --- */
static int gather(const struct register_event *v, void *arg, struct err *e)
{
    struct job *j = arg;
    (void)e;
    if (v->undoes || v->undone)
        return 0;
    json_array_append_new(j->events, json_pack("{s:I, s:s, s:s, s:s, s:s, s:O?, s:O?}", "id", (json_int_t)v->id, "kind", v->kind, "subject", v->subject, "business",
                                               v->business, "op", v->op, "before", (json_t *)v->before, "after", (json_t *)v->after));
    const char *ids[] = {text_of(v->before, "household_id"), text_of(v->after, "household_id")};
    for (size_t i = 0; i < 2; i++)
        if (*ids[i] && strcmp(v->kind, "paper") != 0)
            json_object_set_new(j->homes, ids[i], json_true());
    return 0;
}

static enum effect_kind kind_of(const json_t *event)
{
    const char *k = text_of(event, "kind");
    return strcmp(k, "person") == 0 ? EFFECT_PERSON : strcmp(k, "household") == 0 ? EFFECT_HOUSEHOLD : EFFECT_PAPER;
}

static int untouched_since(struct job *j, const json_t *event, struct err *e)
{
    char later[20], who[200];
    const json_t *after = json_object_get(event, "after");
    if (register_event_later(&j->s, text_of(event, "subject"), json_integer_value(json_object_get(event, "id")), j->no, later, e) < 0)
        return -1;
    if (*later == '\0')
        return 0;
    effect_who(who, sizeof who, kind_of(event), json_is_object(after) ? after : json_object_get(event, "before"));
    return reply_refuse(j->r, e, ERR_CONFLICT, "a later case touched the same row", "%s后来又办理了别的业务（受理号 %s），请先撤销那一件", who, later);
}

/* --- back --- */
static int households_empty(struct job *j, const char *uid, struct err *e)
{
    json_t *all = NULL;
    int rc = register_members(&j->s, uid, false, &all, e);
    size_t n = json_array_size(all);
    json_decref(all);
    if (rc == 0 && n)
        rc = reply_refuse(j->r, e, ERR_CONFLICT, "the new household has others by now", "这件新立的户里后来又登记了 %zu 人，请先把他们迁走", n);
    return rc;
}

/* Who came with a number keeps it; one that was drawn here is never given again. */
static int person_out(struct job *j, const json_t *event, struct err *e)
{
    if (register_delete_person(&j->s, text_of(event, "subject"), e) < 0)
        return -1;
    return strcmp(text_of(event, "op"), "admit_person") == 0 ? register_forget_number(&j->s, text_of(json_object_get(event, "after"), "id_no"), e) : 0;
}

static int row_back(struct job *j, const json_t *event, json_t **now, struct err *e)
{
    json_t *before = json_object_get(event, "before");
    const char *uid = text_of(event, "subject");
    bool was = json_is_object(before);
    *now = was ? json_incref(before) : NULL;
    switch (kind_of(event)) {
    case EFFECT_PERSON:
        return was ? register_update_person(&j->s, before, e) : person_out(j, event, e);
    case EFFECT_HOUSEHOLD:
        if (!was && households_empty(j, uid, e) < 0)
            return -1;
        return was ? register_update_household(&j->s, before, e) : register_delete_household(&j->s, uid, e);
    case EFFECT_PAPER:
        if (was)
            return paper_update(&j->s, before, e);
        *now = json_copy(json_object_get(event, "after"));          /* it was handed out: void, not unwritten */
        json_object_set_new(*now, "status", json_string("cancelled"));
        return paper_update(&j->s, *now, e);
    }
    return err_set(e, ERR_INTERNAL, "register event of an unknown kind");
}

static int event_back(struct job *j, const json_t *event, struct err *e)
{
    json_t *now = NULL, *after = json_object_get(event, "after");
    int rc = row_back(j, event, &now, e);
    if (rc == 0) {
        struct register_event v = {.kind = text_of(event, "kind"), .subject = text_of(event, "subject"), .case_no = j->no, .op = "reverse",
                                   .business = text_of(event, "business"), .officer = j->a ? j->a->id.s : "", .name = j->a ? j->a->name : "",
                                   .unit = j->a ? j->a->unit : "", .text = REVERSAL_CONFIRM, .at = j->now,
                                   .undoes = json_integer_value(json_object_get(event, "id")), .before = json_is_object(after) ? after : NULL, .after = now};
        rc = register_event_add(&j->s, &v, e);
    }
    json_decref(now);
    return rc;
}

/* Time has passed since: the household may have ended, or its head may be gone. */
static int home_stands(struct job *j, const char *id, struct err *e)
{
    json_t *home = NULL, *members = NULL, *m;
    size_t i;
    bool head = false;
    int rc = register_household(&j->s, id, &home, e);
    if (rc == 0 && home)
        rc = register_members(&j->s, id, true, &members, e);
    json_array_foreach(members, i, m)
        head |= strcmp(text_of(m, "person_id"), text_of(home, "head_person_id")) == 0;
    size_t n = json_array_size(members);
    bool collective = *text_of(home, "collective_kind") || *text_of(home, "kind") == '2', normal = strcmp(text_of(home, "status"), "normal") == 0;
    if (rc == 0 && home && n && !normal)
        rc = reply_refuse(j->r, e, ERR_CONFLICT, "the household ended since", "原来的户（户号 %s）后来已经注销，不能直接撤销，请按恢复户口办理",
                          text_of(home, "book_no"));
    else if (rc == 0 && home && n && !head)
        rc = reply_refuse(j->r, e, ERR_CONFLICT, "the household would have no head", "撤销后户号 %s 的户主不在户内，请先办理户主变更", text_of(home, "book_no"));
    else if (rc == 0 && home && n == 0 && normal && !collective)
        rc = reply_refuse(j->r, e, ERR_CONFLICT, "a household would be left without anybody", "撤销后户号 %s 的户里没有人，请先办理户主变更", text_of(home, "book_no"));
    json_decref(members);
    json_decref(home);
    return rc;
}

static int all_back(struct job *j, struct err *e)
{
    size_t i;
    json_t *v;
    const char *id;
    if (register_event_of_case(&j->s, j->no, gather, j, e) < 0)
        return -1;
    if (json_array_size(j->events) == 0)
        return reply_refuse(j->r, e, ERR_CONFLICT, "the case changed nothing, or was taken back", "这件没有改动户籍登记，或已经撤销过");
    json_array_foreach(j->events, i, v)
        if (untouched_since(j, v, e) < 0)
            return -1;
    json_array_foreach(j->events, i, v)
        if (event_back(j, v, e) < 0)
            return -1;
    json_object_foreach(j->homes, id, v)
        if (home_stands(j, id, e) < 0)
            return -1;
    return 0;
}

int reversal_rows(struct core *c, struct db_conn *conn, const char *case_no, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    struct reply mine = {0};
    struct job j = {.c = c, .conn = conn, .s = {conn, c->vault}, .a = a, .no = case_no, .now = now_ms, .r = r ? r : &mine, .events = json_array(),
                    .homes = json_object()};
    int rc = all_back(&j, e);
    json_decref(j.events);
    json_decref(j.homes);
    reply_clear(&mine);
    return rc;
}

/* --- who may --- */
int reversal_obstacle(struct db_conn *conn, const struct case_file *f, const struct actor *a, bool *offered, char *zh, size_t cap, struct err *e)
{
    char officer[33];
    int64_t n = 0;
    zh[0] = '\0';
    *offered = false;
    if (!f->final || f->reversed || a->role != ROLE_OFFICER || strcmp(a->unit, f->unit) != 0)
        return 0;
    if (register_event_standing(conn, f->no, &n, officer, e) < 0)
        return -1;
    *offered = n > 0;
    if (n && strcmp(officer, a->id.s) == 0)
        snprintf(zh, cap, "您办结的件要由本所另一名民警撤销");
    return 0;
}

static int may(struct job *j, struct err *e)
{
    char zh[160];
    bool offered = false;
    if (j->f.reversed)
        return reply_refuse(j->r, e, ERR_CONFLICT, "taken back already", "这件已经撤销过了");
    if (!j->f.final)
        return reply_refuse(j->r, e, ERR_CONFLICT, "not finished", "这件还没有办结，不用撤销");
    if (j->a->role != ROLE_OFFICER || strcmp(j->a->unit, j->f.unit) != 0)
        return reply_refuse(j->r, e, ERR_DENIED, "not an officer of the accepting station", "撤销办结由受理派出所的民警办理");
    if (reversal_obstacle(j->conn, &j->f, j->a, &offered, zh, sizeof zh, e) < 0)
        return -1;
    if (!offered)
        return reply_refuse(j->r, e, ERR_CONFLICT, "the case changed nothing", "这件没有改动户籍登记，或已经撤销过");
    return *zh ? reply_refuse(j->r, e, ERR_DENIED, "the officer who finished it", "%s", zh) : 0;
}

/* --- the use case --- */
static int told(struct job *j, struct dossier *d, struct err *e)
{
    json_t *detail = json_pack("{s:s}", "opinion", j->reason);
    int rc = step_trail(j->c, j->conn, d, j->a, "reverse", REVERSAL_CONFIRM, detail, j->now, e);
    json_decref(detail);
    if (rc == 0)
        rc = case_set_reversed(j->conn, j->no, j->now, e);
    d->f.reversed = j->now;
    if (rc == 0)
        rc = step_status_now(j->c, j->conn, d, j->now, e);
    if (rc == 0)
        rc = step_sms_now(j->c, j->conn, d, "recalled", j->now, e);
    return rc < 0 ? -1 : core_audit(j->c, j->conn, j->a, j->now, "reverse", j->no, "ok", e);
}

static int words_good(const char *reason, const char *confirm, struct reply *r, struct err *e)
{
    if (reason[strspn(reason, " \t\r\n")] == '\0' || text_length(bytes_of(reason)) > MOST_REASON) {
        reply_field(r, "reason", "required", "请写明为什么撤销，最多 300 个字");
        return reply_refuse(r, e, ERR_INPUT, "reason", "请写明为什么撤销，最多 300 个字");
    }
    if (strcmp(confirm, REVERSAL_CONFIRM) != 0) {
        reply_finding(r, "confirm_text", "required", REVERSAL_CONFIRM, "", "请输入“" REVERSAL_CONFIRM "”确认");
        return reply_refuse(r, e, ERR_INPUT, "confirm_text", "请输入“" REVERSAL_CONFIRM "”确认");
    }
    return 0;
}

static int reverse(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    j->conn = conn;
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0 || words_good(j->reason, j->confirm, j->r, e) < 0 || may(j, e) < 0 || reversal_rows(j->c, conn, j->no, j->a, j->now, j->r, e) < 0 ||
        dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    int rc = told(j, &d, e);
    dossier_close(&d);
    return rc;
}

int reversal_take(struct core *c, const struct actor *a, const char *no, const char *reason, const char *confirm_text, int64_t now_ms, struct reply *r,
                  struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .reason = reason, .confirm = confirm_text, .now = now_ms, .r = r};
    if (db_write(c->db, reverse, &j, e) < 0)
        return e->code == ERR_DENIED ? (core_audit_now(c, a, now_ms, "reverse", no, "denied", &(struct err){0}), -1) : -1;
    changes_note(c->changes, &j.f, CHANGE_CHANGED);
    return caseview_get(c, a, no, true, now_ms, r, e);
}
