#include "intranet-side/service/decide.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/service/access.h"
#include "intranet-side/service/casepeople.h"
#include "intranet-side/service/caseview.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/completion.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/decision.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/review.h"
#include "intranet-side/service/scans.h"
#include "intranet-side/service/step.h"
#include "intranet-side/store/page.h"
#include "intranet-side/store/trail.h"

/* One request through its closure. */
struct job {
    struct core *c;
    const struct actor *a;
    const char *no, *field, *note;
    struct decision x;
    int64_t now;
    struct reply *r;
    struct case_file f;                  /* the case afterwards */
    bool undoable;
};

static int held_by_other(struct job *j, struct err *e)
{
    char t[24] = "", since[6] = "";
    time_text(t, j->f.held_since + 8 * 3600 * 1000);          /* officers read Beijing time */
    memcpy(since, t + 11, 5);
    return reply_refuse(j->r, e, ERR_CONFLICT, "somebody else holds the case", "%s %s 起在办，可请其释放", j->f.holder_name, since);
}

/* --- claim and release --- */
static int take_hold(struct job *j, struct db_conn *conn, struct dossier *d, struct err *e)
{
    struct case_file *f = &d->f;
    if (strcmp(f->holder, j->a->id.s) == 0)
        return 0;
    if (*f->holder)
        return held_by_other(j, e);
    if (f->final)
        return reply_refuse(j->r, e, ERR_CONFLICT, "the case is closed", "这件已经结束");
    if (*f->workflow == '\0' && j->a->role != ROLE_SUB_BUREAU) {      /* the variant follows who takes the case (WFL-03) */
        const struct workflow *w = flow_variant(j->c->rules, f->flow, j->a->role == ROLE_AUX ? "aux" : "officer");
        if (w == NULL)
            return err_set(e, ERR_INTERNAL, "no variant of flow %s", f->flow);
        snprintf(f->workflow, sizeof f->workflow, "%s", w->id);
        f->wait_roles = flow_wait_roles(j->c->rules, f);
    }
    snprintf(f->holder, sizeof f->holder, "%s", j->a->id.s);
    snprintf(f->holder_name, sizeof f->holder_name, "%s", j->a->name);
    f->held_since = j->now;
    return step_trail(j->c, conn, d, j->a, "claim", "领取", NULL, j->now, e);
}

static bool may_claim(const struct job *j, const struct case_file *f)
{
    bool here = f->up == (j->a->role == ROLE_SUB_BUREAU);
    unsigned roles = flow_wait_roles(j->c->rules, f);
    return here && (roles == 0 || (roles & j->a->role));
}

static int claim(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0)
        return -1;
    if (strcmp(j->f.holder, j->a->id.s) == 0)
        return 0;
    if (*j->f.holder == '\0' && !may_claim(j, &j->f))
        return reply_refuse(j->r, e, ERR_DENIED, "not for this role in this state", "这一步不由您办理");
    if (dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    int rc = take_hold(j, conn, &d, e);
    if (rc == 0)
        rc = case_save(conn, &d.f, e);
    if (rc == 0)
        rc = core_audit(j->c, conn, j->a, j->now, "claim", j->no, "ok", e);
    j->f = d.f;
    dossier_close(&d);
    return rc;
}

static int release(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0)
        return -1;
    if (*j->f.holder && strcmp(j->f.holder, j->a->id.s) != 0)
        return held_by_other(j, e);
    if (*j->f.holder == '\0')
        return 0;
    if (dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    struct case_file *f = &d.f;
    f->holder[0] = f->holder_name[0] = '\0';
    f->held_since = 0;
    if (f->transitions == 0) {           /* nobody decided anything yet: the next one fixes the variant */
        f->workflow[0] = '\0';
        f->wait_roles = flow_wait_roles(j->c->rules, f);
    }
    int rc = step_trail(j->c, conn, &d, j->a, "release", "放回待办", NULL, j->now, e);
    if (rc == 0)
        rc = case_save(conn, f, e);
    if (rc == 0)
        rc = core_audit(j->c, conn, j->a, j->now, "release", j->no, "ok", e);
    j->f = *f;
    dossier_close(&d);
    return rc;
}

/* --- decide --- */
static int choose(struct job *j, const struct dossier *d, const struct wf_transition **t, struct err *e)
{
    struct err mine = {0};
    if (workflow_choose(t, flow_of(j->c->rules, &d->f), d->f.state, j->x.action, j->a->role, d->f.originals_due, &mine) < 0)
        return reply_refuse(j->r, e, mine.code, mine.msg, mine.code == ERR_DENIED ? "这一步不由您办理" : "现在的状态不能这样办，请刷新后再看");
    const char *unit = (*t)->up ? d->unit.parent : d->f.unit;
    if (strcmp(unit, j->a->unit) != 0)
        return reply_refuse(j->r, e, ERR_DENIED, "the transition belongs to another unit", "这一步不由您的单位办理");
    return 0;
}

/* Asked once: pages not seen, differences without a note, warnings of the register. */
static int ask_once(struct job *j, struct db_conn *conn, const struct dossier *d, const struct wf_transition *t, struct err *e)
{
    struct review v;
    if (j->x.unseen_ok)
        return 0;
    if ((t->needs & WF_NEED_MATERIALS) && wf_is_main(t) && !t->up) {
        if (review_count(&v, j->c, conn, d, j->a->id.s, e) < 0)
            return -1;
        if (v.unseen || v.differences > v.noted) {
            reply_field(j->r, "unseen_ok", "unseen", "还有没看的页或没有说明的不同");
            return reply_refuse(j->r, e, ERR_CONFLICT, "pages unseen or differences without a note", "还有 %d 页没看，%d 处不同没有说明。仍要%s？", v.unseen,
                                v.differences - v.noted, t->label);
        }
    }
    if (!wf_has_effect(t, WF_REGISTER))
        return 0;
    struct effect_plan p;
    int rc = registry_plan(&p, j->c, conn, d, wf_register_stage(t), j->now, e);
    const char *warning = rc == 0 ? json_string_value(json_array_get(p.warnings, 0)) : NULL;
    if (warning && json_array_size(p.refusals) == 0) {
        reply_field(j->r, "unseen_ok", "warning", warning);
        rc = reply_refuse(j->r, e, ERR_CONFLICT, "the register warns", "%s。仍要%s？", warning, t->label);
    }
    effect_plan_clear(&p);
    return rc;
}

static int scanned(struct job *j, struct db_conn *conn, const struct wf_transition *t, struct err *e)
{
    const char *paper;
    if (scan_missing(&paper, conn, j->no, t->needs, e) < 0)
        return -1;
    if (paper == NULL)
        return 0;
    reply_field(j->r, "scan", "required", "还没有扫描件");
    return reply_refuse(j->r, e, ERR_CONFLICT, "the paper was not scanned", "请先补扫%s", paper);
}

static int decide_case(struct job *j, struct db_conn *conn, struct dossier *d, struct err *e)
{
    const struct wf_transition *t = NULL;
    int64_t unreadable = 0;
    if (*d->f.holder && strcmp(d->f.holder, j->a->id.s) != 0)
        return held_by_other(j, e);
    if (d->f.version != j->x.version) {
        char want[24], have[24];
        snprintf(want, sizeof want, "%lld", (long long)d->f.version);
        snprintf(have, sizeof have, "%lld", (long long)j->x.version);
        reply_finding(j->r, "version", "version", want, have, "这件刚有变化，请刷新后再决定");
        return reply_refuse(j->r, e, ERR_CONFLICT, "the case changed in between", "这件刚有变化，请刷新后再决定");
    }
    if (take_hold(j, conn, d, e) < 0 || choose(j, d, &t, e) < 0 || page_unreadable(conn, d->f.no, &unreadable, e) < 0)
        return -1;
    if (scanned(j, conn, t, e) < 0 || decision_check(&j->x, j->c, d, t, unreadable, j->now, j->r, e) < 0 ||
        completion_take(j->c, conn, d, t, j->x.completion, j->now, j->r, e) < 0 || ask_once(j, conn, d, t, e) < 0)
        return -1;
    j->undoable = !wf_touches_register(t);
    struct step s = {.c = j->c, .conn = conn, .d = d, .a = j->a, .t = t, .opinion = j->x.opinion, .sentence = j->x.sentence, .rule_text = j->x.rule_text,
                     .remedy = j->x.remedy, .date = j->x.date, .level = j->x.level, .reasons = j->x.reasons, .undoable = j->undoable, .now_ms = j->now};
    if (step_apply(&s, j->r, e) < 0)
        return -1;
    j->f = d->f;
    return 0;
}

static int decide(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0 || dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    int rc = decide_case(j, conn, &d, e);
    dossier_close(&d);
    return rc;
}

/* --- undo --- */
static void take_text(const json_t *o, const char *key, char *out, size_t cap)
{
    snprintf(out, cap, "%s", text_of(o, key));
}

static int64_t take_int(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void put_back(struct case_file *f, const json_t *o)
{
    take_text(o, "workflow", f->workflow, sizeof f->workflow);
    take_text(o, "state", f->state, sizeof f->state);
    take_text(o, "previous", f->previous, sizeof f->previous);
    take_text(o, "holder", f->holder, sizeof f->holder);
    take_text(o, "holder_name", f->holder_name, sizeof f->holder_name);
    take_text(o, "state_due", f->state_due, sizeof f->state_due);
    take_text(o, "total_due", f->total_due, sizeof f->total_due);
    take_text(o, "stopped_on", f->stopped_on, sizeof f->stopped_on);
    take_text(o, "citizen_due", f->citizen_due, sizeof f->citizen_due);
    take_text(o, "sort_due", f->sort_due, sizeof f->sort_due);
    take_text(o, "up_unit", f->up_unit, sizeof f->up_unit);
    f->up = json_is_true(json_object_get(o, "up"));
    f->final = json_is_true(json_object_get(o, "final"));
    f->archived = json_is_true(json_object_get(o, "archived"));
    f->pre_archived = json_is_true(json_object_get(o, "pre_archived"));
    f->supplemented = json_is_true(json_object_get(o, "supplemented"));
    f->held_since = take_int(o, "held_since");
    f->transitions = take_int(o, "transitions");
    f->state_since = take_int(o, "state_since");
    f->round = take_int(o, "round");
    f->wait_roles = (unsigned)take_int(o, "wait_roles");
    f->undo_until = 0;
    f->undo_officer[0] = '\0';
}

/* Nothing has left the house: what waits is dropped, what was asked is forgotten, the trail keeps both steps. */
static int undo_case(struct job *j, struct db_conn *conn, struct dossier *d, const json_t *old, struct err *e)
{
    json_t *requests = json_object_get(d->payload, "requests");
    size_t keep = (size_t)take_int(old, "requests");
    bool shrink = json_array_size(requests) > keep;
    while (json_array_size(requests) > keep)
        json_array_remove(requests, json_array_size(requests) - 1);
    if ((shrink && dossier_save_payload(d, conn, e) < 0) || pending_drop_case(conn, d->f.no, e) < 0 || undo_set(conn, d->f.no, "", e) < 0)
        return -1;
    put_back(&d->f, old);
    if (step_trail(j->c, conn, d, j->a, "undo", "撤销刚才的决定", NULL, j->now, e) < 0 || case_save(conn, &d->f, e) < 0)
        return -1;
    j->f = d->f;
    return core_audit(j->c, conn, j->a, j->now, "undo", j->no, text_of(old, "state"), e);
}

static int undo(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    struct buf text;
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0)
        return -1;
    if (j->f.undo_until == 0 || j->now >= j->f.undo_until || strcmp(j->f.undo_officer, j->a->id.s) != 0)
        return reply_refuse(j->r, e, ERR_CONFLICT, "nothing to undo any more", "已经过了可以撤销的时间");
    buf_init(&text, 1 << 16);
    int rc = undo_get(conn, j->no, &text, e);
    json_t *old = rc == 0 ? json_loadb((const char *)text.p, text.n, 0, NULL) : NULL;
    buf_clear(&text);
    if (rc == 0 && old == NULL)
        rc = err_set(e, ERR_CONFLICT, "case %s has nothing to undo", j->no);
    if (rc == 0 && (rc = dossier_open(&d, j->c, conn, &j->f, e)) == 0) {
        rc = undo_case(j, conn, &d, old, e);
        dossier_close(&d);
    }
    json_decref(old);
    return rc;
}

/* --- note --- */
static int note(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    struct buf sealed;
    char place[80];
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0)
        return -1;
    if (*j->f.holder == '\0' && !may_claim(j, &j->f))
        return reply_refuse(j->r, e, ERR_DENIED, "not for this role in this state", "这一步不由您办理");
    if (dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    buf_init(&sealed, 1 << 16);
    json_t *body = json_pack("{s:s, s:s}", "note", j->note, "by", j->a->name);
    snprintf(place, sizeof place, "note/%.48s", j->field);
    bool claims = *d.f.holder == '\0';
    struct people_place person;
    bool known = (d.item && family_field(d.item->family, j->field)) || casepeople_find(&person, &d, j->field);
    if (!known)
        reply_finding(j->r, "field", "unknown", "", j->field, "没有这一项内容");
    int rc = known ? take_hold(j, conn, &d, e) : reply_refuse(j->r, e, ERR_INPUT, "no such field", "没有这一项内容");
    if (rc == 0)
        rc = dossier_seal(&sealed, &d, place, body, e);
    if (rc == 0)
        rc = note_set(conn, j->no, j->field, j->a->id.s, buf_bytes(&sealed), e);
    if (rc == 0 && claims)
        rc = case_save(conn, &d.f, e);
    if (rc == 0)
        rc = core_audit(j->c, conn, j->a, j->now, "note", j->no, j->field, e);
    j->f = d.f;
    json_decref(body);
    buf_clear(&sealed);
    dossier_close(&d);
    return rc;
}

/* --- the use cases --- */
static int run(struct job *j, db_fn fn, struct err *e)
{
    if (db_write(j->c->db, fn, j, e) < 0)
        return -1;
    json_decref(j->r->fields);           /* advice of the word check is for the preview */
    j->r->fields = NULL;
    changes_note(j->c->changes, &j->f, j->f.final ? CHANGE_GONE : CHANGE_CHANGED);
    return 0;
}

static int run_and_show(struct job *j, db_fn fn, struct err *e)
{
    return run(j, fn, e) < 0 ? -1 : caseview_get(j->c, j->a, j->no, true, j->now, j->r, e);
}

int decide_claim(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    return run_and_show(&j, claim, e);
}

int decide_release(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    return run_and_show(&j, release, e);
}

int decide_undo(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    return run_and_show(&j, undo, e);
}

int decide_note(struct core *c, const struct actor *a, const char *no, const char *field, const char *note_text, int64_t now_ms, struct reply *r,
                struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .field = field, .note = note_text, .now = now_ms, .r = r};
    if (note_text == NULL || *note_text == '\0' || field == NULL) {
        reply_field(r, "note", "required", "请填写说明");
        return reply_refuse(r, e, ERR_INPUT, "note: none", "请填写说明");
    }
    return run_and_show(&j, note, e);
}

int decide_take(struct core *c, const struct actor *a, const char *no, const json_t *decision, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    struct flow_shown shown;
    char until[24] = "", next[17] = "";
    if (decision_read(&j.x, decision, r, e) < 0 || run(&j, decide, e) < 0)
        return -1;
    flow_show(&shown, c->rules, &j.f);
    if (j.undoable)
        time_text(until, j.f.undo_until);
    if (review_next(c, a, no, now_ms, next, e) < 0)
        return -1;
    r->body = json_pack("{s:s, s:s, s:o, s:o}", "state", j.f.state, "internal", shown.internal, "undo_until", *until ? json_string(until) : json_null(),
                        "next", *next ? json_string(next) : json_null());
    return 0;
}
