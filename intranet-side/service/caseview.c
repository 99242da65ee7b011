#include "intranet-side/service/caseview.h"

#include <stdio.h>
#include <string.h>

#include "ferry/lib/delivery.h"
#include "intranet-side/domain/mask.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/casebody.h"
#include "intranet-side/service/casepeople.h"
#include "intranet-side/service/caserow.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/decision.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/register.h"

struct job { struct core *c; const struct actor *a; const char *no, *person, *field; const json_t *completion; int64_t now; struct reply *r; };

/* Put a piece under its key; false once one is missing. */
static bool put(json_t *body, const char *key, json_t *piece)
{
    return piece && json_object_set_new(body, key, piece) == 0;
}

static json_t *head(const struct view *v)
{
    const struct case_file *f = &v->d->f;
    struct flow_shown s;
    bool mine = strcmp(f->holder, v->a->id.s) == 0;
    bool claimable = !f->final && *f->holder == '\0' && (flow_wait_roles(v->c->rules, f) & v->a->role) && f->up == (v->a->role == ROLE_SUB_BUREAU);
    flow_show(&s, v->c->rules, f);
    json_t *b = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:s, s:b, s:b}", "no", f->no, "item", f->item, "item_name",
                          caserow_item_name(v->c, f->item), "state", f->state, "internal", s.internal, "icon", s.icon, "tone", s.tone, "version",
                          (json_int_t)f->version, "submitted", json_time(f->submitted), "received", json_time(f->received), "channel",
                          caserow_channel(f->channel), "unit", unit_json(&v->d->unit), "clock", flow_clock(v->c->rules, f, v->now_ms), "holder",
                          mine ? "我" : *f->holder ? f->holder_name : "未领", "held_by_me", mine, "claimable", claimable);
    bool undo = f->undo_until > v->now_ms && strcmp(f->undo_officer, v->a->id.s) == 0;
    json_object_set_new(b, "undo_until", undo ? json_time(f->undo_until) : json_null());
    json_object_set_new(b, "crossing", json_pack("{s:o, s:o, s:o}", "submitted", json_time(f->submitted), "received", json_time(f->received), "confirmed",
                                                 json_time(f->confirmed)));
    return b;
}

static json_t *assemble(struct view *v, struct err *e)
{
    json_t *b = head(v);
    bool revoked = false, ok = delivery_case_revoked(v->conn, v->d->f.no, &revoked, e) == 0;
    json_object_set_new(b, "key_revoked", json_boolean(revoked));
    ok = ok && put(b, "sections", casebody_sections(v, e)) && put(b, "materials", casebody_materials(v, e)) && put(b, "actions", casebody_actions(v, e)) &&
              put(b, "trail", casebody_trail(v, e)) && put(b, "related", casebody_related(v, e)) && put(b, "checks", casebody_checks(v)) &&
              put(b, "messages", casebody_messages(v, e));
    if (ok && (v->a->role == ROLE_SUB_BUREAU || v->d->f.up))
        ok = put(b, "summary", casebody_summary(v, json_object_get(b, "trail"), e));
    if (!ok) {
        json_decref(b);
        err_set(e, ERR_INTERNAL, "case %s could not be shown", v->d->f.no);
        return NULL;
    }
    bool offered = false;
    char zh[160];
    if (reversal_obstacle(v->conn, &v->d->f, v->a, &offered, zh, sizeof zh, e) < 0) {
        json_decref(b);
        return NULL;
    }
    json_object_set_new(b, "reversal", json_pack("{s:b, s:s, s:o}", "offered", offered, "why_not", zh, "at", json_time(v->d->f.reversed)));
    json_object_set_new(b, "pages", json_pack("{s:I, s:I, s:i}", "done", (json_int_t)v->d->f.pages_done, "total", (json_int_t)v->d->f.pages_total, "seen",
                                              v->review.seen));
    json_object_set_new(b, "differences", json_pack("{s:i, s:i}", "total", v->review.differences, "noted", v->review.noted));
    return b;
}

static int read_case(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct case_file f;
    struct dossier d;
    if (access_case(conn, j->a, j->no, &f, j->r, e) < 0 || dossier_open(&d, j->c, conn, &f, e) < 0)
        return -1;
    struct view v = {.c = j->c, .conn = conn, .a = j->a, .d = &d, .unmasked = access_case_unmasked(j->a, &f, j->c->rules), .now_ms = j->now};
    j->r->body = assemble(&v, e);
    dossier_close(&d);
    return j->r->body ? 0 : -1;
}

/* What was read is handed out only after the log has it. */
static int log_reading(struct job *j, const char *act, const char *object, const char *result, struct err *e)
{
    if (core_audit_now(j->c, j->a, j->now, act, object, result, e) == 0)
        return 0;
    json_decref(j->r->body);
    j->r->body = NULL;
    return -1;
}

int caseview_get(struct core *c, const struct actor *a, const char *no, bool quiet, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    if (db_read(c->db, read_case, &j, e) < 0)
        return -1;
    return quiet ? 0 : log_reading(&j, "read_case", no, "ok", e);
}

/* --- effect --- */
static int tried_good(const json_t *completion, struct reply *r, struct err *e)
{
    const char *id;
    json_t *v;
    json_object_foreach((json_t *)completion, id, v)
        if (strncmp(id, "done_", 5) != 0 || !json_is_string(v)) {
            reply_field(r, id, "unknown", "办结信息有一项不认识的内容，请刷新后重试");
            return reply_refuse(r, e, ERR_INPUT, "completion", "办结信息有一项不认识的内容，请刷新后重试");
        }
    return 0;
}

static int read_effect(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct case_file f;
    struct dossier d;
    struct effect_plan p;
    if (access_case(conn, j->a, j->no, &f, j->r, e) < 0 || tried_good(j->completion, j->r, e) < 0 || dossier_open(&d, j->c, conn, &f, e) < 0)
        return -1;
    json_t *completion = NULL, *kept = json_copy(json_object_get(d.payload, "completion"));
    if (j->completion && json_object_size(j->completion)) {         /* tried, not kept */
        json_t *tried = kept ? json_copy(kept) : json_object();
        json_object_update(tried, (json_t *)j->completion);
        json_object_set_new(d.payload, "completion", tried);
    }
    const char *stage = flow_stage(j->c->rules, &f);
    int rc = registry_plan(&p, j->c, conn, &d, stage, j->now, e);
    if (rc == 0)
        rc = registry_completion(&completion, j->c, conn, &d, stage, e);
    if (rc == 0) {
        json_t *obstacles = json_array();
        json_array_extend(obstacles, p.refusals);
        j->r->body = json_pack("{s:s, s:o, s:o, s:O, s:o, s:O?}", "title", *p.title ? p.title : "不改动户籍登记", "changes",
                               effect_in_words(&p, j->c->catalogue), "obstacles", obstacles, "warnings", p.warnings, "completion", completion, "completed",
                               kept);
    }
    json_decref(kept);
    effect_plan_clear(&p);
    dossier_close(&d);
    return rc;
}

int caseview_effect_with(struct core *c, const struct actor *a, const char *no, const json_t *completion, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .completion = completion, .now = now_ms, .r = r};
    return db_read(c->db, read_effect, &j, e) < 0 ? -1 : log_reading(&j, "read_effect", no, "ok", e);
}

int caseview_effect(struct core *c, const struct actor *a, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    return caseview_effect_with(c, a, no, NULL, now_ms, r, e);
}

/* --- reasons --- */
int caseview_reasons(struct core *c, const struct actor *a, const char *item, int64_t now_ms, struct reply *r, struct err *e)
{
    const json_t *reasons = c->rules->reasons;
    const struct item *it = catalogue_item(c->catalogue, item);
    char date[11];
    if (!(a->role & ROLES_CASE) || it == NULL)
        return reply_refuse(r, e, ERR_MISSING, "no such item", "没有这个事项");
    decision_propose_date(date, c->rules, now_ms);
    r->body = json_pack("{s:O, s:o, s:O, s:s}", "supplement", json_object_get(json_object_get(reasons, "supplement"), "templates"), "refusal",
                        rules_refusals(c->rules, item, it->family->id), "opinions",
                        json_object_get(c->rules->opinions, "opinions"), "deadline", date);
    static const char *const more[] = {"originals_bad", "withdraw_denied", "terminated", "recalled"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (json_object_get(reasons, more[i]))
            json_object_set(r->body, more[i], json_object_get(reasons, more[i]));
    return r->body ? 0 : err_set(e, ERR_INTERNAL, "reasons of %s could not be made", item);
}

/* --- reveal --- */
static int reveal_case(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct case_file f;
    struct dossier d;
    char value[2000];
    if (access_case(conn, j->a, j->no, &f, j->r, e) < 0 || dossier_open(&d, j->c, conn, &f, e) < 0)
        return -1;
    const struct field *field = d.item ? family_field(d.item->family, j->field) : NULL;
    struct people_place place;
    int rc = 0;
    if (strcmp(j->field, "id_no") == 0)
        snprintf(value, sizeof value, "%s", d.id_no);
    else if (field && json_object_get(d.entries, j->field))
        registry_show(value, sizeof value, field, json_object_get(d.entries, j->field));
    else if (casepeople_find(&place, &d, j->field))
        registry_show(value, sizeof value, place.field, place.value);
    else
        rc = reply_refuse(j->r, e, ERR_MISSING, "no such field", "没有这一项内容");
    if (rc == 0)
        j->r->body = json_pack("{s:s}", "value", value);
    explicit_bzero(value, sizeof value);
    dossier_close(&d);
    return rc;
}

static int reveal_person(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct register_store s = {conn, j->c->vault};
    json_t *p = NULL, *home = NULL;
    struct unit u = {.code = ""};
    int rc = register_by_uid(&s, j->person, &p, e);
    if (rc == 0 && p)
        rc = register_household(&s, text_of(p, "household_id"), &home, e);
    if (rc == 0 && home)
        rc = unit_get(conn, text_of(home, "unit_code"), &u, e);
    if (rc == 0 && (p == NULL || !access_register_visible(j->a, u.code, u.parent) || !*text_of(p, j->field)))
        rc = reply_refuse(j->r, e, ERR_MISSING, "person is not there or outside the officer's area", "没有这个人，或不在您的范围");
    if (rc == 0)
        j->r->body = json_pack("{s:s}", "value", text_of(p, j->field));
    json_decref(p);
    json_decref(home);
    return rc;
}

int caseview_reveal(struct core *c, const struct actor *a, const char *no, const char *person, const char *field, const char *purpose, int64_t now_ms,
                    struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .person = person, .field = field, .now = now_ms, .r = r};
    char result[512];
    if (field == NULL || (no == NULL) == (person == NULL)) {
        reply_finding(r, no && person ? "person" : "no", "one_of", "no, person", "", "请求有误，请刷新后重试");
        return reply_refuse(r, e, ERR_INPUT, "reveal: want one of no and person, and a field", "请求有误，请刷新后重试");
    }
    if (db_read(c->db, no ? reveal_case : reveal_person, &j, e) < 0)
        return -1;
    snprintf(result, sizeof result, "%.40s %.400s", field, purpose && *purpose ? purpose : "-");
    return log_reading(&j, "reveal", no ? no : person, result, e);
}
