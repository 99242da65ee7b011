#include "internet-side/service/cases.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internet-side/service/caseview.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"
#include "internet-side/store/guard.h"

#define LIST_MAX 200

struct look {                        /* one case as the database has it */
    const struct hash256 *account, *device;      /* device NULL: none */
    const char *no;
    struct tracking t;
    struct supplement_request s;
    struct unlock_try tries;
    json_t *events;
    int granted;
    bool with_events;
};
struct listing { const struct hash256 *account, *device; struct tracking *t; struct supplement_request *s; bool *granted; size_t n; };

static void look_clear(struct look *l)
{
    tracking_clear(&l->t);
    json_decref(l->s.wanted);
    json_decref(l->events);
}

/* The account's own case. Somebody else's is as if it were not there. */
static int look_read(struct db_conn *c, void *arg, struct err *e)
{
    struct look *l = arg;
    const int rc = case_no_valid(l->no) ? tracking_load(&l->t, c, l->no, e) : 0;
    if (rc < 0)
        return -1;
    if (rc == 0 || !hash_equal(&l->t.account, l->account))
        return err_set(e, ERR_MISSING, "case: want one of this account, have another");
    if (supplement_load(&l->s, c, l->no, e) < 0 || unlock_load(&l->tries, c, l->no, e) < 0)
        return -1;
    l->granted = l->device ? device_granted(c, l->no, l->device, e) : 0;
    if (l->granted < 0)
        return -1;
    return l->with_events ? tracking_events(&l->events, c, l->no, e) : 0;
}

static int look(struct look *l, struct core *c, const struct session *s, const struct hash256 *device, const char *no, bool with_events,
                struct reply *r, struct err *e)
{
    *l = (struct look){ .account = session_account(s), .device = device, .no = no, .with_events = with_events };
    if (db_read(c->db, look_read, l, e) == 0)
        return 0;
    if (e->code == ERR_MISSING)
        snprintf(r->zh, sizeof r->zh, "没有找到这个受理号的业务");
    look_clear(l);
    return -1;
}

static const struct hash256 *device_hash(struct hash256 *room, struct core *c, const char *device)
{
    if (!device)
        return NULL;
    core_hash(room, c, "device", bytes_of(device));
    return room;
}

static void add_tries(json_t *body, const struct unlock_try *t, int64_t now_ms)
{
    json_object_set_new(body, "tries_left", json_integer(t->locked_until_ms > now_ms ? 0 : CASES_TRIES - t->tries));
}

static int answer(struct core *c, struct look *l, int64_t now_ms, struct reply *r, struct err *e)
{
    struct edition *d = configuration_current(c->configuration);
    r->body = l->granted ? caseview_full(&l->t, &l->s, l->events, d, now_ms) : caseview_locked(&l->t);
    edition_release(d);
    if (r->body && !l->granted)
        add_tries(r->body, &l->tries, now_ms);
    return r->body ? 0 : err_set(e, ERR_FULL, "case: no memory");
}

int cases_get(struct core *c, const struct session *s, const char *device, const char *no, int64_t now_ms, struct reply *r, struct err *e)
{
    struct look l;
    struct hash256 room;
    const unsigned wait = limiter_take(c->limiter, LIMIT_VIEW, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "case: too often", wait);
    if (look(&l, c, s, device_hash(&room, c, device), no, true, r, e) < 0)
        return -1;
    const int rc = answer(c, &l, now_ms, r, e);
    look_clear(&l);
    return rc;
}

int cases_own(struct tracking *t, struct core *c, const struct session *s, const char *device, const char *no, struct reply *r, struct err *e)
{
    struct look l;
    struct hash256 room;
    if (look(&l, c, s, device_hash(&room, c, device), no, false, r, e) < 0)
        return -1;
    const bool granted = l.granted != 0;
    if (granted) {
        *t = l.t;
        l.t.values = NULL;
    }
    look_clear(&l);
    return granted ? 0 : reply_refuse(r, e, ERR_DENIED, "case: locked on this device", "请先输入申请人身份证号的后四位");
}

static int list_read(struct db_conn *c, void *arg, struct err *e)
{
    struct listing *l = arg;
    if (tracking_of_account(&l->t, &l->n, c, l->account, LIST_MAX, e) < 0)
        return -1;
    l->s = calloc(l->n + 1, sizeof *l->s);
    l->granted = calloc(l->n + 1, sizeof *l->granted);
    if (!l->s || !l->granted)
        return err_set(e, ERR_FULL, "cases: no memory");
    for (size_t i = 0; i < l->n; i++) {
        const int granted = l->device ? device_granted(c, l->t[i].no.s, l->device, e) : 0;
        if (granted < 0 || supplement_load(&l->s[i], c, l->t[i].no.s, e) < 0)
            return -1;
        l->granted[i] = granted != 0;
    }
    return 0;
}

static json_t *list_json(const struct listing *l, const struct edition *d, int64_t now_ms, bool *slow)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->n; i++) {
        json_array_append_new(list, l->granted[i] ? caseview_brief(&l->t[i], &l->s[i], d, now_ms) : caseview_locked(&l->t[i]));
        *slow = *slow || (strcmp(l->t[i].crossing, "crossing") == 0 && now_ms - l->t[i].submitted_ms > CASES_SLOW_MS);
    }
    return list;
}

int cases_list(struct core *c, const struct session *s, const char *device, int64_t now_ms, struct reply *r, struct err *e)
{
    struct hash256 room;
    struct listing l = { .account = session_account(s), .device = device_hash(&room, c, device) };
    bool slow = false;
    const unsigned wait = limiter_take(c->limiter, LIMIT_VIEW, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "cases: too often", wait);
    const int rc = db_read(c->db, list_read, &l, e);
    if (rc == 0) {
        struct edition *d = configuration_current(c->configuration);
        json_t *list = list_json(&l, d, now_ms, &slow);
        r->body = json_pack("{s:o, s:o}", "cases", list, "slow", slow ? json_string("申请送达比平时慢，已提交的不会丢") : json_null());
        edition_release(d);
    }
    for (size_t i = 0; i < l.n; i++) {
        tracking_clear(&l.t[i]);
        if (l.s)
            json_decref(l.s[i].wanted);
    }
    free(l.t);
    free(l.s);
    free(l.granted);
    return rc;
}

struct unlock { struct look l; const struct hash256 *guess; int64_t now_ms; bool right; };

/* Compare and count in one transaction: parallel guesses cannot share a try. */
static int unlock_write(struct db_conn *c, void *arg, struct err *e)
{
    struct unlock *u = arg;
    if (look_read(c, &u->l, e) < 0)
        return -1;
    struct unlock_try *t = &u->l.tries;
    if (t->locked_until_ms > u->now_ms)
        return 0;
    u->right = hash_equal(&u->l.t.last4, u->guess);
    if (u->right) {
        *t = (struct unlock_try){0};
        u->l.granted = 1;
        if (device_grant(c, u->l.no, u->l.device, u->now_ms, e) < 0)
            return -1;
    } else if (++t->tries >= CASES_TRIES) {
        *t = (struct unlock_try){ 0, u->now_ms + CASES_LOCK_MS };
    }
    return unlock_save(c, u->l.no, t, u->now_ms, e);
}

static int refuse_unlock(const struct unlock_try *t, int64_t now_ms, struct reply *r, struct err *e)
{
    r->has_tries = true;
    if (t->locked_until_ms > now_ms) {
        r->retry_s = (unsigned)((t->locked_until_ms - now_ms + 999) / 1000);
        return reply_refuse(r, e, ERR_BUSY, "case: unlock: locked", "输错次数太多，24 小时后再试，或带身份证到窗口查询");
    }
    r->tries_left = CASES_TRIES - t->tries;
    reply_field(r, "last4", "last4", "后四位不对，请核对");
    return reply_refuse(r, e, ERR_DENIED, "case: unlock: wrong", "申请人身份证号后四位不对，还可以试 %d 次", r->tries_left);
}

int cases_unlock(struct core *c, const struct session *s, const char *device, const char *no, const char *last4, int64_t now_ms, struct reply *r,
                 struct err *e)
{
    struct hash256 room, guess;
    char text[24];
    const unsigned wait = limiter_take(c->limiter, LIMIT_UNLOCK, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "case: unlock: too often", wait);
    if (strlen(last4) != 4 || strspn(last4, "0123456789") < 3 || (!isdigit((unsigned char)last4[3]) && last4[3] != 'X' && last4[3] != 'x')) {
        reply_field(r, "last4", "pattern", "请输入身份证号的后四位");
        return reply_refuse(r, e, ERR_INPUT, "case: unlock: want three digits and a digit or X", "请输入申请人身份证号的后四位");
    }
    if (!device)
        return reply_refuse(r, e, ERR_INPUT, "case: unlock: no device cookie", "浏览器没有保存设备标记，请允许 Cookie 后刷新重试");
    snprintf(text, sizeof text, "%.16s%.3s%c", no, last4, toupper((unsigned char)last4[3]));
    core_hash(&guess, c, "last4", bytes_of(text));
    struct unlock u = { .l = { .account = session_account(s), .device = device_hash(&room, c, device), .no = no, .with_events = true },
                        .guess = &guess, .now_ms = now_ms };
    int rc = db_write(c->db, unlock_write, &u, e);
    if (rc < 0 && e->code == ERR_MISSING)
        snprintf(r->zh, sizeof r->zh, "没有找到这个受理号的业务");
    if (rc == 0)
        rc = u.right ? answer(c, &u.l, now_ms, r, e) : refuse_unlock(&u.l.tries, now_ms, r, e);
    look_clear(&u.l);
    return rc;
}
