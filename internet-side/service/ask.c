/* ask.c - withdrawal; the supplement is in supplement.c. */
#include "internet-side/service/ask.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/ask_parts.h"
#include "internet-side/service/cases.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"

struct last { const char *no; uint64_t seq; };
struct withdrawal { const struct parcel *parcel; const char *no; int64_t now_ms; };

static int last_read(struct db_conn *c, void *arg, struct err *e)
{
    struct last *l = arg;
    return delivery_last_seq(c, l->no, &l->seq, e);
}

int ask_next_seq(int64_t *seq, struct core *c, const char *no, struct err *e)
{
    struct last l = { .no = no };
    if (db_read(c->db, last_read, &l, e) < 0)
        return -1;
    *seq = (int64_t)l.seq + 1;
    return 0;
}

static int withdraw_write(struct db_conn *c, void *arg, struct err *e)
{
    struct withdrawal *w = arg;
    struct tracking t;
    int rc = tracking_load(&t, c, w->no, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_MISSING, "case is gone");
    if (t.final || strcmp(t.local_state, "withdraw_asked") == 0) {
        rc = err_set(e, ERR_CONFLICT, "withdraw: the case moved in between");
    } else {
        snprintf(t.local_state, sizeof t.local_state, "withdraw_asked");
        t.updated_ms = w->now_ms;
        rc = tracking_save(c, &t, w->now_ms, e) < 0 || parcel_put(c, w->parcel, w->now_ms, e) < 0 ||
             tracking_event_add(c, w->no, w->now_ms, t.stage, "您申请撤回", w->now_ms, e) < 0 ? -1 : 0;
    }
    tracking_clear(&t);
    return rc;
}

/* Seal with the place that is next now; -1 with ERR_BUSY when another record took it. */
static int withdraw_once(struct core *c, const struct tracking *t, const char *reason, int64_t now_ms, struct err *e)
{
    struct parcel p;
    struct buf xml;
    char at[21];
    int64_t seq;
    clock_rfc3339(at, now_ms);
    if (ask_next_seq(&seq, c, t->no.s, e) < 0 || content_withdrawal_xml(&xml, t->no.s, seq, reason, at, e) < 0 ||
        parcel_seal(&p, c, "withdrawal", t->no.s, seq, &xml, t->config, NULL, e) < 0)
        return -1;
    struct withdrawal w = { &p, t->no.s, now_ms };
    const int rc = db_write(c->db, withdraw_write, &w, e);
    parcel_clear(&p, c, rc == 0);
    return rc;
}

static int parse_reason(struct buf *reason, const json_t *body, struct reply *r, struct err *e)
{
    const char *key, *text = "";
    json_t *v;
    json_object_foreach((json_t *)body, key, v) {
        if (strcmp(key, "reason") != 0 || !json_is_string(v)) {
            reply_field(r, key, "unknown", "多了一项不认识的内容，请刷新后重试");
            return reply_refuse(r, e, ERR_INPUT, "withdraw: want reason alone", "多了一项不认识的内容，请刷新后重试");
        }
        text = json_string_value(v);
    }
    text_normalise(reason, bytes_of(text), TEXT_PLAIN);
    if (text_fault_of(buf_bytes(reason)) != TEXT_OK || text_length(buf_bytes(reason)) > 200) {
        reply_field(r, "reason", "length", "撤回的原因最多 200 个字，不要有特殊符号");
        return reply_refuse(r, e, ERR_INPUT, "withdraw: reason: want at most 200 plain characters", "撤回的原因最多 200 个字，不要有特殊符号");
    }
    return 0;
}

static bool may_withdraw(struct core *c, const struct tracking *t, int64_t now_ms)
{
    struct edition *d = configuration_current(c->configuration);
    const bool may = cases_withdrawable(t, d, now_ms);
    edition_release(d);
    return may;
}

int ask_withdraw(struct core *c, struct session *s, const char *device, const char *no, const json_t *body, int64_t now_ms, struct reply *r,
                 struct err *e)
{
    struct tracking t = {0};
    struct buf reason;
    int rc = -1;
    buf_init(&reason, 4096);
    const unsigned wait = limiter_take(c->limiter, LIMIT_SUBMIT, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "withdraw: too often", wait);
    if (parse_reason(&reason, body, r, e) < 0 || cases_own(&t, c, s, device, no, r, e) < 0)
        rc = -1;
    else if (strcmp(t.local_state, "withdraw_asked") == 0)
        rc = 0;
    else if (!may_withdraw(c, &t, now_ms))
        rc = reply_refuse(r, e, ERR_CONFLICT, "withdraw: the state does not allow it", "已经作出决定的不能撤回，可以打电话问受理的派出所");
    else
        for (int i = 0; i < 5 && (rc = withdraw_once(c, &t, buf_text(&reason), now_ms, e)) < 0 && e->code == ERR_BUSY; i++)
            err_clear(e);
    tracking_clear(&t);
    buf_wipe(&reason);
    if (rc < 0)
        return e->code ? -1 : err_set(e, ERR_BUSY, "withdraw: other records of the case kept coming");
    if (c->delivery)
        delivery_wake(c->delivery);
    return cases_get(c, s, device, no, now_ms, r, e);
}
