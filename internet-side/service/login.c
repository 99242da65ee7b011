#include "internet-side/service/login.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"

#define SLOTS 8192u
#define NEIGHBOURS 8u
#define CODE_MS (5 * 60000)
#define LOCK_MS (15 * 60000)
#define TRIES 5
#define SLOW_MS (5 * 60000)

struct slot {
    struct hash256 account, code;    /* code: keyed hash over account and digits */
    bool used, pending;              /* pending: the code has not been used yet */
    int wrong;
    int64_t expires_ms, locked_until_ms, touched_ms;
};
struct login {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

int login_open(struct login **out, struct err *e)
{
    struct login *l = calloc(1, sizeof *l);
    if (!l)
        return err_set(e, ERR_FULL, "login: no memory");
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return 0;
}

void login_close(struct login *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    explicit_bzero(l, sizeof *l);
    free(l);
}

bool login_phone_valid(const char *phone)
{
    return strspn(phone, "0123456789") == 11 && phone[11] == 0 && phone[0] == '1' && phone[1] >= '3';
}

/* The slot of an account, or the one to take for it: free, else the one longest untouched. Accounts are keyed hashes: nobody can aim. */
static struct slot *slot_of(struct login *l, const struct hash256 *account)
{
    unsigned at;
    struct slot *best = NULL;
    memcpy(&at, account->b, sizeof at);
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        struct slot *s = &l->slots[(at + i) % SLOTS];
        if (s->used && hash_equal(&s->account, account))
            return s;
        if (!best || (best->used && (!s->used || s->touched_ms < best->touched_ms)))
            best = s;
    }
    *best = (struct slot){ .account = *account, .used = true };
    return best;
}

static void code_hash(struct hash256 *out, const struct core *c, const struct hash256 *account, const char *code)
{
    core_hash_account(out, c, "login-code", account, bytes_of(code));
}

/* Every limit in turn; the wait of the first that is reached. */
static unsigned code_limits(struct core *c, const struct hash256 *account, const char *address, int64_t now)
{
    const struct bytes phone = { account->b, 32 };
    unsigned wait = limiter_wait(c->limiter, LIMIT_CODE_HOUR, phone, now);
    wait = wait ? wait : limiter_take(c->limiter, LIMIT_CODE_ADDRESS, bytes_of(address), now);
    wait = wait ? wait : limiter_take(c->limiter, LIMIT_CODE_ALL, bytes_of("all"), now);
    wait = wait ? wait : limiter_take(c->limiter, LIMIT_CODE_WAIT, phone, now);
    return wait ? wait : limiter_take(c->limiter, LIMIT_CODE_HOUR, phone, now);
}

/* The template's text with the code in it and the sign in front; the template is data, its absence is not a reason to stay silent. */
static void code_text(struct buf *out, struct core *c, const char *code)
{
    struct edition *d = configuration_current(c->configuration);
    const json_t *sms = json_object_get(catalogue_part(edition_catalogue(d), "messages"), "sms"), *t;
    const char *sign = json_string_value(json_object_get(sms, "sign")), *text = "验证码 {code}，5 分钟内有效。";
    size_t i;
    json_array_foreach(json_object_get(sms, "templates"), i, t)
        if (strcmp(json_string_value(json_object_get(t, "id")) ? json_string_value(json_object_get(t, "id")) : "", "login_code") == 0)
            text = json_string_value(json_object_get(t, "text"));
    const char *at = text ? strstr(text, "{code}") : NULL;
    buf_fmt(out, "【%s】", sign ? sign : "户政网办");
    buf_put(out, text, at ? (size_t)(at - text) : 0);
    buf_str(out, code);
    buf_str(out, at ? at + 6 : "");
    edition_release(d);
}

static int send_sms(struct core *c, const char *phone, const char *code, int64_t now, struct err *e)
{
    struct buf text, answer;
    struct id128 id;
    char at[21];
    int status = 0;
    if (!c->caller)
        return err_set(e, ERR_UNAVAILABLE, "sms: switched off");
    buf_init(&text, 4096);
    buf_init(&answer, 65536);
    code_text(&text, c, code);
    id_random(&id);
    clock_rfc3339(at, now);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "to", phone, "text", buf_text(&text), "at", at, "id", id.s);
    char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int rc = json ? caller_post(c->caller, "sms", "/sms", bytes_of(json), 5000, &status, &answer, e) : err_set(e, ERR_FULL, "sms: no memory");
    if (rc == 0 && status / 100 != 2)
        rc = err_set(e, ERR_UNAVAILABLE, "sms: want status 2xx, have %d", status);
    if (json)
        explicit_bzero(json, strlen(json));
    free(json);
    json_decref(body);
    buf_wipe(&text);
    buf_clear(&answer);
    return rc;
}

int login_send_code(struct core *c, const char *phone, const char *address, int64_t now_ms, struct reply *r, struct err *e)
{
    struct hash256 account;
    char code[8];
    if (!login_phone_valid(phone)) {
        reply_field(r, "phone", "phone", "手机号是 11 位数字，请核对");
        return reply_refuse(r, e, ERR_INPUT, "login: phone: want 11 digits", "手机号是 11 位数字，请核对");
    }
    core_hash(&account, c, "account", bytes_of(phone));
    const unsigned wait = code_limits(c, &account, address, now_ms);
    if (wait)
        return reply_busy(r, e, "login: too many codes", wait);
    snprintf(code, sizeof code, "%06u", randombytes_uniform(1000000));
    pthread_mutex_lock(&c->login->lock);
    struct slot *s = slot_of(c->login, &account);
    const int64_t locked = s->locked_until_ms - now_ms;
    if (locked <= 0) {
        code_hash(&s->code, c, &account, code);
        s->pending = true;
        s->expires_ms = now_ms + CODE_MS;
        s->touched_ms = now_ms;
    }
    pthread_mutex_unlock(&c->login->lock);
    if (locked > 0)
        return reply_busy(r, e, "login: phone is locked", (unsigned)((locked + 999) / 1000));
    const int rc = send_sms(c, phone, code, now_ms, e);
    explicit_bzero(code, sizeof code);
    if (rc < 0)
        return reply_refuse(r, e, ERR_UNAVAILABLE, "login: sms", "短信暂时发不出去，请稍后再试");
    r->body = json_pack("{s:i, s:b}", "wait_s", 60, "sandbox", c->sandbox);
    return 0;
}

enum verdict { CODE_RIGHT, CODE_WRONG, CODE_NONE, CODE_LOCKED };

/* Compare and count; a right code is used up, the fifth wrong one locks. */
static enum verdict judge(struct login *l, const struct hash256 *account, const struct hash256 *code, int64_t now, int *left, int64_t *locked)
{
    enum verdict v = CODE_RIGHT;
    pthread_mutex_lock(&l->lock);
    struct slot *s = slot_of(l, account);
    *left = 0;
    *locked = s->locked_until_ms - now;
    if (*locked > 0) {
        v = CODE_LOCKED;
    } else if (!s->pending || s->expires_ms <= now) {
        v = CODE_NONE;               /* nothing to guess: not counted, or anybody could lock any phone */
    } else if (!hash_equal(&s->code, code)) {
        v = CODE_WRONG;
        s->touched_ms = now;
        *left = TRIES - ++s->wrong;
        if (*left <= 0) {
            *s = (struct slot){ .account = *account, .used = true, .locked_until_ms = now + LOCK_MS, .touched_ms = now };
            *locked = LOCK_MS;
            v = CODE_LOCKED;
        }
    } else {
        *s = (struct slot){0};
    }
    pthread_mutex_unlock(&l->lock);
    return v;
}

static int refuse_code(enum verdict v, int left, int64_t locked, struct reply *r, struct err *e)
{
    if (v == CODE_LOCKED)
        return reply_busy(r, e, "login: phone is locked", (unsigned)((locked + 999) / 1000));
    r->has_tries = v == CODE_WRONG;
    r->tries_left = left;
    return reply_refuse(r, e, ERR_AUTH, "login: code: want the one that was sent",
                        v == CODE_NONE ? "验证码已失效，请重新获取" : "验证码不对，请核对后再试，还可以试 %d 次", left);
}

int login_enter(struct session **out, char token[65], struct core *c, const char *phone, const char *code, const char *address, int64_t now_ms,
                struct reply *r, struct err *e)
{
    struct hash256 account, hash;
    int left;
    int64_t locked;
    if (!login_phone_valid(phone) || strspn(code, "0123456789") != 6 || code[6]) {
        reply_field(r, login_phone_valid(phone) ? "code" : "phone", "pattern", "请核对手机号和 6 位验证码");
        return reply_refuse(r, e, ERR_INPUT, "login: want 11 and 6 digits", "请核对手机号和 6 位验证码");
    }
    const unsigned wait = limiter_take(c->limiter, LIMIT_LOGIN_ADDRESS, bytes_of(address), now_ms);
    if (wait)
        return reply_busy(r, e, "login: too many tries from one address", wait);
    core_hash(&account, c, "account", bytes_of(phone));
    code_hash(&hash, c, &account, code);
    const enum verdict v = judge(c->login, &account, &hash, now_ms, &left, &locked);
    return v == CODE_RIGHT ? session_begin(out, token, c->sessions, phone, &account, now_ms, e) : refuse_code(v, left, locked, r, e);
}

int login_session_body(struct core *c, const struct session *s, int64_t now_ms, struct reply *r, struct err *e)
{
    struct edition *d = configuration_current(c->configuration);
    struct delivery_state state = {0};
    char now[21];
    clock_rfc3339(now, now_ms);
    if (c->delivery)
        delivery_health(c->delivery, &state);
    r->body = json_pack("{s:b, s:s, s:s, s:I, s:s, s:i, s:b}", "signed_in", s != NULL, "csrf", s ? session_csrf(s) : "", "city", edition_city(d),
                        "config_version", (json_int_t)edition_version(d), "now", now, "idle_s", (int)sessions_idle_s(c->sessions), "sandbox", c->sandbox);
    edition_release(d);
    if (!r->body)
        return err_set(e, ERR_FULL, "session: no memory");
    if (s) {
        char masked[16];
        const char *p = session_phone(s);
        snprintf(masked, sizeof masked, "%.3s****%.4s", p, p + 7);
        json_object_set_new(r->body, "phone", json_string(masked));
    }
    if (*c->hotline)
        json_object_set_new(r->body, "hotline", json_string(c->hotline));
    const bool slow = state.oldest_ms > 0 && now_ms - state.oldest_ms > SLOW_MS;
    json_object_set_new(r->body, "slow", slow ? json_string("申请送达比平时慢，已提交的不会丢") : json_null());
    return 0;
}
