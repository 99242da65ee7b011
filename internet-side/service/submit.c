#include "internet-side/service/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/judge.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/numbers.h"
#include "internet-side/service/parcel.h"
#include "internet-side/service/session.h"
#include "internet-side/service/upkeep.h"
#include "internet-side/store/tracking.h"

struct commit {
    const struct parcel *parcel;
    const struct submission *key;
    const struct tracking *tracking;
    const struct hash256 *content, *device;      /* device NULL: none */
    int64_t now_ms;
    struct case_no twice;                        /* set when the content was handed in before */
};
struct before { const struct submission *k; struct submission found; struct tracking t; int have; };
struct guarded { const struct hash256 *content; int64_t since_ms; struct case_no no; int have; };

int submit_key(struct submission *out, struct core *c, const struct session *s, const char *purpose, const struct submit_request *q, struct reply *r,
               struct err *e)
{
    if (!q->key || !id_valid(q->key)) {
        reply_field(r, "Idempotency-Key", "pattern", "请刷新后重试");
        return reply_refuse(r, e, ERR_INPUT, "submit: Idempotency-Key: want 32 lower-case hex digits", "提交没有开始，请刷新后重试");
    }
    json_t *content = json_copy((json_t *)q->body);
    json_object_del(content, "evidence");        /* a retry may have had to verify again */
    char *text = content ? json_dumps(content, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(content);
    if (!text)
        return err_set(e, ERR_FULL, "submit: no memory");
    core_hash_account(&out->key, c, purpose, session_account(s), bytes_of(q->key));
    core_hash_account(&out->body, c, purpose, session_account(s), bytes_of(text));
    explicit_bzero(text, strlen(text));
    free(text);
    return 0;
}

json_t *submit_receipt(struct core *c, const struct tracking *t, int64_t at_ms, int pages)
{
    char at[21];
    struct edition *d = configuration_current(c->configuration);
    clock_rfc3339(at, at_ms);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o}", "no", t->no.s, "submitted", at, "item", t->item, "plain_name",
                             edition_plain_name(d, t->item), "pages", pages, "unit", edition_unit(d, t->unit));
    edition_release(d);
    return body;
}

static int before_read(struct db_conn *c, void *arg, struct err *e)
{
    struct before *b = arg;
    b->have = submission_load(&b->found, c, &b->k->key, e);
    return b->have < 0 || (b->have == 1 && tracking_load(&b->t, c, b->found.no.s, e) < 0) ? -1 : 0;
}

int submit_before(const struct submission *k, struct core *c, struct reply *r, struct err *e)
{
    struct before b = { .k = k };
    if (db_read(c->db, before_read, &b, e) < 0)
        return -1;
    int rc = b.have;
    if (rc == 1 && !hash_equal(&b.found.body, &k->body))
        rc = reply_refuse(r, e, ERR_CONFLICT, "submit: another content under this Idempotency-Key", "提交的内容和上一次不一样，请回到检查页再提交一次");
    else if (rc == 1)
        r->body = submit_receipt(c, &b.t, b.found.at_ms, b.found.pages);
    tracking_clear(&b.t);
    return rc;
}

static int guarded_read(struct db_conn *c, void *arg, struct err *e)
{
    struct guarded *g = arg;
    g->have = content_guard_find(&g->no, c, g->content, g->since_ms, e);
    return g->have < 0 ? -1 : 0;
}

static int refuse_twice(struct reply *r, struct err *e, const char *no)
{
    json_decref(r->fields);
    r->fields = json_pack("[{s:s, s:s, s:s, s:s}]", "field", "no", "rule", "twice", "have", no, "message", "这份申请已提交过，没有重复");
    return reply_refuse(r, e, ERR_CONFLICT, "submit: the same content within ten minutes", "这份申请已提交过，没有重复。受理号 %.4s %.4s %.4s %.4s", no,
                        no + 4, no + 8, no + 12);
}

/* The same request under another key, recognised before its pages are looked at: they may be gone already. */
static int refuse_same(const struct submission *k, struct core *c, int64_t now_ms, struct reply *r, struct err *e)
{
    struct guarded g = { .content = &k->body, .since_ms = now_ms - SUBMIT_TWICE_MS };
    if (db_read(c->db, guarded_read, &g, e) < 0)
        return -1;
    return g.have ? refuse_twice(r, e, g.no.s) : 0;
}

static int commit_write(struct db_conn *c, void *arg, struct err *e)
{
    struct commit *w = arg;
    const char *no = w->tracking->no.s;
    int twice = content_guard_find(&w->twice, c, &w->key->body, w->now_ms - SUBMIT_TWICE_MS, e);
    twice = twice ? twice : content_guard_find(&w->twice, c, w->content, w->now_ms - SUBMIT_TWICE_MS, e);
    struct submission earlier;
    const int same = twice < 0 ? -1 : submission_load(&earlier, c, &w->key->key, e);
    if (same < 0)
        return -1;
    if (same)                        /* another request with this key won */
        return err_set(e, ERR_CONFLICT, "submit: key is taken");
    if (twice)
        return err_set(e, ERR_CONFLICT, "submit: content is there");
    w->twice.s[0] = 0;
    if (tracking_add(c, w->tracking, w->now_ms, e) < 0 || submission_add(c, w->key, e) < 0 || parcel_put(c, w->parcel, w->now_ms, e) < 0 ||
        content_guard_set(c, &w->key->body, no, w->now_ms, e) < 0 || content_guard_set(c, w->content, no, w->now_ms, e) < 0 ||
        tracking_event_add(c, no, w->now_ms, 1, "已提交", w->now_ms, e) < 0)
        return -1;
    return w->device ? device_grant(c, no, w->device, w->now_ms, e) : 0;
}

/* The last four characters of the applicant's number, with the case: re-issued phones do not open it. */
static void last4_hash(struct hash256 *out, struct core *c, const char *no, const char *id_no)
{
    char text[24];
    const size_t n = strlen(id_no);
    snprintf(text, sizeof text, "%.16s%s", no, n >= 4 ? id_no + n - 4 : "");
    core_hash(out, c, "last4", bytes_of(text));
    explicit_bzero(text, sizeof text);
}

static int fill_tracking(struct tracking *t, struct core *c, const struct session *s, const struct judged *j, const struct evidence *v, int64_t now_ms,
                         struct reply *r, struct err *e)
{
    const char *unit = json_string_value(json_object_get(j->clean, "accept_unit"));
    const char *id_no = json_string_value(json_object_get(j->clean, "applicant_id_no"));
    if (!unit || strlen(unit) != 12) {
        reply_field(r, "accept_unit", "required", "请选择受理的派出所");
        return reply_refuse(r, e, ERR_INPUT, "submit: accept_unit: want a unit, have none", "请选择受理的派出所");
    }
    *t = (struct tracking){ .account = *session_account(s), .config = j->content.config, .submitted_ms = now_ms, .updated_ms = now_ms,
                            .pages_total = j->pages.pages, .crossing = "crossing", .stage = 1 };
    if (numbers_next(&t->no, c->numbers, now_ms, e) < 0)
        return -1;
    snprintf(t->item, sizeof t->item, "%s", j->item->code);
    snprintf(t->unit, sizeof t->unit, "%s", unit);
    last4_hash(&t->last4, c, t->no.s, id_no && strlen(id_no) == 18 ? id_no : v->id_no);
    return 0;
}

static int seal_application(struct parcel *p, struct core *c, const struct session *s, const struct judged *j, const struct tracking *t,
                            const struct evidence *v, const char *channel, struct err *e)
{
    struct buf xml;
    char submitted[21];
    clock_rfc3339(submitted, t->submitted_ms);
    const struct application_head head = { t->no.s, t->unit, channel, submitted, session_phone(s), v->statement, v->signature };
    if (content_application_xml(&xml, &j->content, &head, &j->hash, e) < 0)
        return -1;
    return parcel_seal(p, c, "application", t->no.s, 1, &xml, j->content.config, &j->pages, e);
}

/* One transaction: the case, its record and its pages, or nothing. */
static int commit(struct core *c, const struct session *s, const struct submit_request *q, struct submission *k, const struct judged *j,
                  const struct evidence *v, int64_t now_ms, bool *created, struct reply *r, struct err *e)
{
    struct tracking t;
    struct parcel p = {0};
    struct hash256 content, device;
    if (fill_tracking(&t, c, s, j, v, now_ms, r, e) < 0 || seal_application(&p, c, s, j, &t, v, q->channel, e) < 0)
        return -1;
    core_hash_account(&content, c, "content", session_account(s), (struct bytes){ j->hash.b, 32 });
    core_hash(&device, c, "device", bytes_of(q->device));
    k->no = t.no;
    k->record = p.record.record;
    k->pages = j->pages.pages;
    k->at_ms = now_ms;
    struct commit w = { &p, k, &t, &content, q->device ? &device : NULL, now_ms, {{0}} };
    int rc = db_write(c->db, commit_write, &w, e);
    parcel_clear(&p, c, rc == 0);
    if (rc == 0) {
        *created = true;
        r->body = submit_receipt(c, &t, now_ms, k->pages);
        if (c->delivery)
            delivery_wake(c->delivery);
    } else if (e->code == ERR_CONFLICT && w.twice.s[0]) {
        rc = refuse_twice(r, e, w.twice.s);
    }
    return rc;
}

/* Evidence of this session, not expired; what it is bound to is compared when the hash is known. */
static int take_evidence(struct evidence *v, struct session *s, const char *id, int64_t now_ms, struct reply *r, struct err *e)
{
    if (session_evidence(s, id, v) && v->expires_ms > now_ms)
        return 0;
    reply_field(r, "evidence", "evidence", "请重新核验身份");
    return reply_refuse(r, e, ERR_DENIED, "submit: evidence: want one of this session that holds, have none", "身份核验已过期，请重新刷脸，填好的内容还在");
}

static int judge_and_commit(struct core *c, struct session *s, const struct submit_request *q, const struct draft *d, struct submission *k,
                            int64_t now_ms, bool *created, struct reply *r, struct err *e)
{
    struct judged j = {0};
    struct evidence v = {0};
    int rc = take_evidence(&v, s, d->evidence.s, now_ms, r, e);
    const struct form_identity who = { v.name, v.id_no, session_phone(s) };
    if (rc == 0)
        rc = judge_application(&j, c, session_account(s), d, &who, now_ms, r, e);
    if (rc == 0 && json_array_size(j.findings) > 0) {
        r->fields = json_incref(j.findings);
        rc = reply_refuse(r, e, ERR_INPUT, "submit: findings", "有 %zu 处要改，请核对", json_array_size(j.findings));
    } else if (rc == 0 && !hash_equal(&j.hash, &v.bound)) {
        reply_field(r, "evidence", "evidence_bound", "请重新核验身份");
        rc = reply_refuse(r, e, ERR_DENIED, "submit: evidence is bound to another content", "刷脸之后内容改过了，请重新刷脸再提交");
    } else if (rc == 0) {
        rc = commit(c, s, q, k, &j, &v, now_ms, created, r, e);
    }
    if (rc == 0)
        session_drop_evidence(s, d->evidence.s);
    explicit_bzero(&v, sizeof v);
    judged_clear(&j);
    return rc;
}

int submit_application(struct core *c, struct session *s, const struct submit_request *q, int64_t now_ms, bool *created, struct reply *r, struct err *e)
{
    struct submission k = {0};
    struct draft d = {0};
    *created = false;
    if (submit_key(&k, c, s, "key-application", q, r, e) < 0)
        return -1;
    int rc = submit_before(&k, c, r, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!upkeep_accepting(c->upkeep))
        return reply_refuse(r, e, ERR_FULL, "submit: not accepting", "系统暂停受理，请稍后再试，填好的内容还在");
    const unsigned wait = limiter_take(c->limiter, LIMIT_SUBMIT, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "submit: too often", wait);
    if (judge_parse(&d, q->body, DRAFT_SUBMIT, r, e) < 0 || refuse_same(&k, c, now_ms, r, e) < 0)
        rc = -1;
    else
        rc = judge_and_commit(c, s, q, &d, &k, now_ms, created, r, e);
    draft_clear(&d);
    if (rc == 0)
        return 0;
    /* Two requests with one key at once: the other one won, its answer is ours. Whatever else went wrong stays said. */
    struct reply again = {0};
    struct err none = {0};
    if (submit_before(&k, c, &again, &none) == 1) {
        reply_clear(r);
        err_clear(e);
        *r = again;
        return 0;
    }
    reply_clear(&again);
    return -1;
}
