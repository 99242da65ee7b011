#include "intranet-side/service/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/store/event.h"
#include "intranet-side/store/register.h"
#include "intranet-side/store/trail.h"

/* "甲；乙": the sentence to the whole, or the reasons one after the other. */
static void reason_text(const struct step *s, char *out, size_t cap)
{
    size_t i;
    json_t *v;
    struct buf b;
    if (s->sentence && *s->sentence) {
        snprintf(out, cap, "%s", s->sentence);
        return;
    }
    buf_init(&b, cap - 1);
    json_array_foreach(s->reasons, i, v) {
        if (b.n)
            buf_str(&b, "；");
        buf_str(&b, text_of(v, "text"));
    }
    snprintf(out, cap, "%s", buf_text(&b));
    buf_clear(&b);
}

static int materials_asked(const struct step *s)
{
    size_t i;
    json_t *v;
    int n = 0;
    unsigned char seen[100] = {0};
    json_array_foreach(s->reasons, i, v) {
        json_int_t no = json_is_integer(json_object_get(v, "material")) ? json_integer_value(json_object_get(v, "material")) : -1;
        if (no >= 0 && no < 100 && !seen[no]) {
            seen[no] = 1;
            n++;
        }
    }
    return n;
}

static void set_text(json_t *o, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_new(o, key, json_string(value));
}

json_t *step_values(const struct step *s)
{
    char words[16], reason[1800];
    json_t *v = json_object();
    const struct case_file *f = &s->d->f;
    int asked = materials_asked(s);
    reason_text(s, reason, sizeof reason);
    day_words(words, flow_public_day(f));
    if (*words == '\0' && (f->final || strcmp(f->state, "withdrawn") == 0))
        date_words(words, clock_beijing_date(s->now_ms));
    set_text(v, "unit", s->d->unit.short_name);
    set_text(v, "date", words);
    set_text(v, "reason", reason);
    set_text(v, "rule", s->rule_text);
    set_text(v, "remedy", s->remedy);
    set_text(v, "tail", f->no + 12);
    json_object_set_new(v, "done", json_integer(f->pages_done));
    if (s->t && wf_has_effect(s->t, WF_SUPPLEMENT_REQUEST)) {
        if (asked) {
            json_object_set_new(v, "total", json_integer(asked));
            json_object_set_new(v, "n", json_integer(asked));
        }
    } else {
        json_object_set_new(v, "total", json_integer(f->pages_total));
    }
    return v;
}

/* Seal and queue one thing that leaves; not before the time at which it can no longer be undone. */
static int queue(struct step *s, const char *trail, const char *kind, json_t *body, struct err *e)
{
    struct buf sealed;
    struct pending p = {.not_before = s->undoable ? s->now_ms + (int64_t)s->c->undo_s * 1000 : s->now_ms};
    snprintf(p.case_no, sizeof p.case_no, "%s", s->d->f.no);
    snprintf(p.trail, sizeof p.trail, "%s", trail);
    snprintf(p.kind, sizeof p.kind, "%s", kind);
    buf_init(&sealed, 1 << 20);
    int rc = body ? dossier_seal(&sealed, s->d, kind, body, e) : err_set(e, ERR_INTERNAL, "effect: out of memory");
    p.sealed = buf_bytes(&sealed);
    if (rc == 0)
        rc = pending_add(s->conn, &p, e);
    buf_clear(&sealed);
    json_decref(body);
    return rc;
}

static int queue_status(struct step *s, const char *trail, struct err *e)
{
    struct flow_shown shown;
    char sentence[600];
    json_t *values = step_values(s);
    flow_show(&shown, s->c->rules, &s->d->f);
    const json_t *state = rules_public_state(s->c->rules, shown.public_key);
    rules_sentence(sentence, sizeof sentence, state, NULL, values);
    return queue(s, trail, "status",
                 json_pack("{s:s, s:i, s:b, s:s, s:I, s:o, s:s}", "state", shown.public_key, "stage", shown.stage, "final", s->d->f.final && !s->d->f.reversed, "deadline",
                           flow_public_day(&s->d->f), "at", (json_int_t)s->now_ms, "values", values, "event", sentence),
                 e);
}

int step_sms_text(char *out, size_t cap, const struct rules *rules, const char *template_id, const json_t *values, struct err *e)
{
    char text[512];
    const char *t = rules_sms(rules, template_id), *sign = json_string_value(json_object_get(rules->sms, "sign"));
    if (t == NULL || !text_fill(text, sizeof text, t, values))
        return err_set(e, ERR_INTERNAL, "SMS %s: a placeholder has no value", template_id);
    return str_fmt(out, cap, e, "【%s】%s", sign ? sign : "", text);
}

static int queue_sms(struct step *s, const char *trail, const char *template_id, struct err *e)
{
    char text[600];
    json_t *values = step_values(s);
    if (strcmp(template_id, "supplement") == 0 && json_object_get(values, "n") == NULL)
        template_id = "supplement_fields";
    int rc = step_sms_text(text, sizeof text, s->c->rules, template_id, values, e);
    json_decref(values);
    return rc < 0 ? -1 : queue(s, trail, "sms", json_pack("{s:s, s:s}", "template", template_id, "text", text), e);
}

/* Slots and fields with their reasons, and kept with the case: a supplement is judged by what was asked. */
static int queue_request(struct step *s, const char *trail, struct err *e)
{
    struct case_file *f = &s->d->f;
    json_t *requests = json_object_get(s->d->payload, "requests");
    json_t *body = json_pack("{s:s, s:O?, s:I, s:s, s:I}", "sentence",
                             s->sentence && *s->sentence ? s->sentence : "请按下面的说明补好后提交", "reasons", (json_t *)s->reasons, "round",
                             (json_int_t)f->round, "deadline", f->citizen_due, "at", (json_int_t)s->now_ms);
    if (requests == NULL) {
        requests = json_array();
        json_object_set_new(s->d->payload, "requests", requests);
    }
    json_array_append(requests, body);
    if (dossier_save_payload(s->d, s->conn, e) < 0) {
        json_decref(body);
        return -1;
    }
    return queue(s, trail, "supplement_request", body, e);
}

/* What earlier stages did to the register, if they did anything. */
static int stages_back(struct step *s, struct reply *r, struct err *e)
{
    char officer[33];
    int64_t standing = 0;
    if (register_event_standing(s->conn, s->d->f.no, &standing, officer, e) < 0)
        return -1;
    return standing ? reversal_rows(s->c, s->conn, s->d->f.no, s->a, s->now_ms, r, e) : 0;
}

static int effect(struct step *s, const struct wf_effect *x, const char *trail, struct reply *r, struct err *e)
{
    switch (x->kind) {
    case WF_REGISTER:
        return registry_apply(s->c, s->conn, s->d, s->a, wf_register_stage(s->t), s->now_ms, s->result, sizeof s->result, r, e);
    case WF_REGISTER_CANCEL:             /* the permit is void, who was locked is free */
        return stages_back(s, r, e);
    case WF_STATUS_OUT:
        return queue_status(s, trail, e);
    case WF_SMS:
        return queue_sms(s, trail, x->arg, e);
    case WF_SUPPLEMENT_REQUEST:
        return queue_request(s, trail, e);
    case WF_PRE_ARCHIVE:
        s->d->f.pre_archived = true;
        return 0;
    case WF_ARCHIVE:
        s->d->f.archived = true;
        return 0;
    case WF_COURIER_OFFER:           /* the public state carries the offer; ordering is the citizen's */
    case WF_STOP_CLOCK:
    case WF_START_CLOCK:
        return 0;
    }
    return err_set(e, ERR_INTERNAL, "effect %d is not known", x->kind);
}

static int trail_row(struct step *s, const char *uid, const char *action, const char *text, const char *from, const char *to, const json_t *detail,
                     struct err *e)
{
    struct trail_step t = {.at = s->now_ms};
    struct buf sealed;
    buf_init(&sealed, 1 << 20);
    snprintf(t.uid, sizeof t.uid, "%s", uid);
    snprintf(t.case_no, sizeof t.case_no, "%s", s->d->f.no);
    snprintf(t.action, sizeof t.action, "%s", action);
    snprintf(t.text, sizeof t.text, "%s", text);
    snprintf(t.from, sizeof t.from, "%s", from);
    snprintf(t.to, sizeof t.to, "%s", to);
    if (s->a) {
        snprintf(t.officer, sizeof t.officer, "%s", s->a->id.s);
        snprintf(t.name, sizeof t.name, "%s", s->a->name);
        snprintf(t.unit, sizeof t.unit, "%s", s->a->unit);
        snprintf(t.unit_name, sizeof t.unit_name, "%s", s->a->unit_name);
        snprintf(t.role, sizeof t.role, "%s", role_word(s->a->role));
    } else {
        snprintf(t.role, sizeof t.role, "%s", role_word(ROLE_SYSTEM));
    }
    int rc = detail && json_object_size(detail) ? dossier_seal(&sealed, s->d, uid, detail, e) : 0;
    t.sealed = buf_bytes(&sealed);
    if (rc == 0)
        rc = trail_add(s->conn, &t, e);
    buf_clear(&sealed);
    return rc;
}

static json_t *detail_of(const struct step *s)
{
    json_t *d = json_object();
    set_text(d, "opinion", s->opinion);
    set_text(d, "sentence", s->sentence);
    set_text(d, "rule", s->rule_text);
    set_text(d, "remedy", s->remedy);
    set_text(d, "level", s->level);
    set_text(d, "result", s->result);
    if (json_array_size(s->reasons))
        json_object_set(d, "reasons", (json_t *)s->reasons);
    return d;
}

/* What a decision may be undone to: every column it can have changed. */
static int undo_keep(struct step *s, const struct case_file *old, const char *trail, struct err *e)
{
    struct case_file *f = &s->d->f;
    if (!s->undoable) {
        f->undo_until = 0;
        f->undo_officer[0] = '\0';
        return undo_set(s->conn, f->no, "", e);
    }
    f->undo_until = s->now_ms + (int64_t)s->c->undo_s * 1000;
    snprintf(f->undo_officer, sizeof f->undo_officer, "%s", s->a->id.s);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:i}", "trail",
                          trail, "workflow", old->workflow, "state", old->state, "previous", old->previous, "up", old->up, "holder", old->holder,
                          "holder_name", old->holder_name, "held_since", (json_int_t)old->held_since, "transitions", (json_int_t)old->transitions,
                          "state_since", (json_int_t)old->state_since, "final", old->final, "archived", old->archived, "pre_archived",
                          old->pre_archived, "supplemented", old->supplemented, "round", (json_int_t)old->round, "state_due", old->state_due,
                          "total_due", old->total_due, "stopped_on", old->stopped_on, "citizen_due", old->citizen_due, "sort_due", old->sort_due,
                          "requests", (json_int_t)json_array_size(json_object_get(s->d->payload, "requests")), "up_unit", old->up_unit, "wait_roles",
                          (int)old->wait_roles);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    int rc = text ? undo_set(s->conn, f->no, text, e) : err_set(e, ERR_INTERNAL, "undo: out of memory");
    free(text);
    json_decref(j);
    return rc;
}

static unsigned holder_role(struct step *s)
{
    struct officer o;
    struct err ignored = {0};
    if (s->a && strcmp(s->d->f.holder, s->a->id.s) == 0)
        return s->a->role;
    return *s->d->f.holder && officer_by_uid(s->conn, s->d->f.holder, &o, &ignored) == 0 ? role_parse(o.role) : 0;
}

static void enter(struct step *s)
{
    struct case_file *f = &s->d->f;
    const char *to = strcmp(s->t->to, "@previous") == 0 ? f->previous : s->t->to;
    char state[40];
    snprintf(state, sizeof state, "%s", to);
    if (wf_has_effect(s->t, WF_SUPPLEMENT_REQUEST))
        f->round++;
    f->supplemented = strcmp(s->t->action, "supplement_arrived") == 0;
    flow_enter(s->c->rules, f, state, s->date ? s->date : "", holder_role(s), s->now_ms);
    if (f->up)
        snprintf(f->up_unit, sizeof f->up_unit, "%s", s->d->unit.parent);
    f->transitions += s->a != NULL;
}

int step_apply(struct step *s, struct reply *r, struct err *e)
{
    struct case_file old = s->d->f, *f = &s->d->f;
    struct id128 uid;
    id_random(&uid);
    if (*f->workflow == '\0')
        snprintf(f->workflow, sizeof f->workflow, "%s", flow_of(s->c->rules, f)->id);
    if (pending_release_case(s->conn, f->no, e) < 0 || undo_keep(s, &old, uid.s, e) < 0)
        return -1;
    enter(s);
    for (size_t i = 0; i < s->t->n_effects; i++)
        if (effect(s, &s->t->effects[i], uid.s, r, e) < 0)
            return -1;
    json_t *detail = detail_of(s);
    int rc = trail_row(s, uid.s, s->t->action, s->t->label, old.state, f->state, detail, e);
    json_decref(detail);
    if (rc < 0 || case_save(s->conn, f, e) < 0)
        return -1;
    return core_audit(s->c, s->conn, s->a, s->now_ms, "transition", f->no, s->t->action, e);
}

int step_system(struct core *c, struct db_conn *conn, struct dossier *d, const char *action, const char *opinion, int64_t now_ms, bool *done,
                struct err *e)
{
    struct err mine = {0};
    struct step s = {.c = c, .conn = conn, .d = d, .opinion = opinion, .now_ms = now_ms};
    const struct workflow *w = flow_of(c->rules, &d->f);
    *done = false;
    if (workflow_choose(&s.t, w, d->f.state, action, ROLE_SYSTEM, d->f.originals_due, &mine) < 0)
        return 0;
    *done = true;
    return step_apply(&s, NULL, e);
}

int step_trail(struct core *c, struct db_conn *conn, struct dossier *d, const struct actor *a, const char *action, const char *text,
               const json_t *detail, int64_t now_ms, struct err *e)
{
    struct step s = {.c = c, .conn = conn, .d = d, .a = a, .now_ms = now_ms};
    struct id128 uid;
    id_random(&uid);
    return trail_row(&s, uid.s, action, text, "", "", detail, e);
}

int step_status_now(struct core *c, struct db_conn *conn, struct dossier *d, int64_t now_ms, struct err *e)
{
    struct step s = {.c = c, .conn = conn, .d = d, .now_ms = now_ms};
    return queue_status(&s, "", e);
}

int step_sms_now(struct core *c, struct db_conn *conn, struct dossier *d, const char *template_id, int64_t now_ms, struct err *e)
{
    struct step s = {.c = c, .conn = conn, .d = d, .now_ms = now_ms};
    return queue_sms(&s, "", template_id, e);
}
