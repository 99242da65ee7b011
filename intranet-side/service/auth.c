#include "intranet-side/service/auth.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "intranet-side/service/auth_password.h"
#include "intranet-side/service/casebody.h"
#include "intranet-side/service/channel.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/people.h"

enum { MAX_SESSIONS = 2048, FAILURES = 5 };
struct session { struct hash256 token; char officer[33], address[64], csrf[65], name[65]; int64_t made, used; };
struct sessions {
    pthread_mutex_t lock;
    struct session v[MAX_SESSIONS];      /* made 0: free */
};

int sessions_open(struct sessions **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return err_set(e, ERR_INTERNAL, "sessions: out of memory");
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

void sessions_close(struct sessions *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    sodium_memzero(s, sizeof *s);
    free(s);
}

static void random_hex(char out[65])
{
    uint8_t raw[32];
    randombytes_buf(raw, sizeof raw);
    hex_put(out, raw, sizeof raw);
    sodium_memzero(raw, sizeof raw);
}

static bool over(const struct core *c, const struct session *x, int64_t now)
{
    return now - x->used > (int64_t)c->idle_s * 1000 || now - x->made > (int64_t)c->session_s * 1000;
}

/* Place for a new one: free, over, or the one used longest ago. */
static void session_add(struct core *c, const char *officer, const char *address, int64_t now, char token[65])
{
    struct sessions *s = c->sessions;
    pthread_mutex_lock(&s->lock);
    struct session *x = &s->v[0];
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        if (s->v[i].made == 0 || over(c, &s->v[i], now)) {
            x = &s->v[i];
            break;
        }
        if (s->v[i].used < x->used)
            x = &s->v[i];
    }
    sodium_memzero(x, sizeof *x);
    random_hex(token);
    random_hex(x->csrf);
    random_hex(x->name);
    hash_of(&x->token, bytes_of(token));             /* memory that leaks gives no cookie */
    snprintf(x->officer, sizeof x->officer, "%s", officer);
    snprintf(x->address, sizeof x->address, "%s", address);
    x->made = x->used = now;
    pthread_mutex_unlock(&s->lock);
}

static void sessions_drop(struct core *c, const char *officer, const char *name)
{
    pthread_mutex_lock(&c->sessions->lock);
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        struct session *x = &c->sessions->v[i];
        if (x->made && ((officer && strcmp(x->officer, officer) == 0) || (name && strcmp(x->name, name) == 0)))
            sodium_memzero(x, sizeof *x);
    }
    pthread_mutex_unlock(&c->sessions->lock);
}

void auth_end_sessions(struct core *c, const char *officer_id)
{
    sessions_drop(c, officer_id, NULL);
}

/* --- account read --- */
struct account { const char *key; struct officer o; struct unit u; bool by_login, found; };
static int account_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct account *x = arg;
    struct err mine = {0};
    int rc = x->by_login ? officer_by_login(conn, x->key, &x->o, &mine) : officer_by_uid(conn, x->key, &x->o, &mine);
    x->found = rc == 0;
    if (rc < 0)
        return mine.code == ERR_MISSING ? 0 : err_set(e, mine.code, "%s", mine.msg);
    return unit_get(conn, x->o.unit, &x->u, e);
}

static void actor_of(struct actor *a, const struct account *x, const char *address)
{
    memset(a, 0, sizeof *a);
    memcpy(a->id.s, x->o.uid, sizeof a->id.s);
    memcpy(a->login, x->o.login, sizeof a->login);
    memcpy(a->name, x->o.name, sizeof a->name);
    memcpy(a->unit, x->o.unit, sizeof a->unit);
    snprintf(a->unit_name, sizeof a->unit_name, "%s", x->u.short_name);
    snprintf(a->address, sizeof a->address, "%s", address);
    a->role = role_parse(x->o.role);
    a->must_change_password = x->o.must_change;
}

int auth_session(struct core *c, const char *token, const char *address, int64_t now_ms, struct actor *out, struct err *e)
{
    struct hash256 h;
    struct session found = {.made = 0};
    if (token == NULL || strlen(token) != 64)
        return err_set(e, ERR_AUTH, "no session");
    hash_of(&h, bytes_of(token));
    pthread_mutex_lock(&c->sessions->lock);
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        struct session *x = &c->sessions->v[i];
        if (x->made == 0 || !hash_equal(&x->token, &h))
            continue;
        if (over(c, x, now_ms) || strcmp(x->address, address) != 0)
            sodium_memzero(x, sizeof *x);
        else {
            x->used = now_ms;
            found = *x;
        }
        break;
    }
    pthread_mutex_unlock(&c->sessions->lock);
    struct account x = {.key = found.officer};
    if (found.made == 0)
        return err_set(e, ERR_AUTH, "session unknown or over");
    if (db_read(c->db, account_read, &x, e) < 0)
        return -1;
    if (!x.found || !x.o.enabled) {
        sessions_drop(c, NULL, found.name);
        return err_set(e, ERR_AUTH, "account is not enabled");
    }
    actor_of(out, &x, address);
    memcpy(out->csrf, found.csrf, sizeof out->csrf);
    memcpy(out->session, found.name, sizeof out->session);
    return 0;
}

int auth_allowed(const struct actor *a, const char *method, const char *path, struct err *e)
{
    bool get = strcmp(method, "GET") == 0, post = strcmp(method, "POST") == 0;
    if (!a->must_change_password || (get && strcmp(path, "/api/me") == 0) || (post && strcmp(path, "/api/password") == 0) ||
        (post && strcmp(path, "/api/logout") == 0))
        return 0;
    return err_set(e, ERR_DENIED, "the first password must be changed first");
}

bool auth_csrf_equal(const struct actor *a, const char *header)
{
    return header && strlen(header) == 64 && strlen(a->csrf) == 64 && sodium_memcmp(header, a->csrf, 64) == 0;
}

/* --- me --- */
static int unit_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct unit *u = arg;
    char code[13];
    memcpy(code, u->code, sizeof code);
    return unit_get(conn, code, u, e);
}

int auth_me(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    struct unit u = {.code = ""};
    json_t *nav = json_array();
    memcpy(u.code, a->unit, sizeof u.code);
    if (db_read(c->db, unit_read, &u, e) < 0) {
        json_decref(nav);
        return -1;
    }
    json_array_append_new(nav, json_string("desk"));
    if (a->role & ROLES_CASE) {
        json_array_append_new(nav, json_string("cases"));
        json_array_append_new(nav, json_string("register"));
    } else {
        json_array_append_new(nav, json_string("officers"));
        json_array_append_new(nav, json_string("exceptions"));
        json_array_append_new(nav, json_string("flows"));
        json_array_append_new(nav, json_string("searches"));
        json_array_append_new(nav, json_string("configuration"));
    }
    r->body = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:s, s:i, s:i, s:o, s:o}", "name", a->name, "login", a->login, "role", role_word(a->role), "role_name",
                        role_name(a->role), "unit", unit_json(&u), "csrf", a->csrf, "must_change_password", a->must_change_password, "address", a->address,
                        "idle_s", (int)c->idle_s, "config_version", (int)catalogue_version(c->catalogue), "nav", nav, "channel", channel_json(c, now_ms));
    return r->body ? 0 : err_set(e, ERR_INTERNAL, "me: out of memory");
}

/* --- login --- */
static void count_failure(struct officer *o, const struct core *c, int64_t now)
{
    if (++o->failures < FAILURES)
        return;
    o->failures = 0;
    o->locked_until = now + (int64_t)c->lock_s * 1000;
}

struct login { struct core *c; struct account *x; const char *address; bool right; int64_t now; };
static int login_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct login *l = arg;
    struct officer o;
    struct actor a;
    if (officer_by_uid(conn, l->x->o.uid, &o, e) < 0)
        return -1;
    actor_of(&a, l->x, l->address);
    if (l->right) {
        o.failures = o.locked_until = 0;
        o.last_login = l->now;
    } else
        count_failure(&o, l->c, l->now);
    l->x->o.locked_until = o.locked_until;
    if (officer_save(conn, &o, e) < 0)
        return -1;
    return core_audit(l->c, conn, &a, l->now, "login", o.uid, l->right ? "ok" : o.locked_until > l->now ? "locked" : "wrong password", e);
}

static int wrong(struct reply *r, struct err *e, const char *why)
{
    return reply_refuse(r, e, ERR_AUTH, why, "账号或密码不对");
}

static int locked(const struct core *c, const struct officer *o, int64_t now, struct reply *r, struct err *e)
{
    r->retry_s = (unsigned)((o->locked_until - now + 999) / 1000);
    return reply_refuse(r, e, ERR_BUSY, "account is locked after five failures", "密码错了 5 次，账号锁定 %u 分钟", (c->lock_s + 59) / 60);
}

int auth_login(struct core *c, const char *login, const char *password, const char *address, int64_t now_ms, char token[65], struct reply *r, struct err *e)
{
    struct account x = {.key = login, .by_login = true};
    struct actor a;
    bool right = false;
    if (db_read(c->db, account_read, &x, e) < 0)
        return -1;
    if (x.found && x.o.locked_until > now_ms)
        return locked(c, &x.o, now_ms, r, e);
    /* The same work for a login that does not exist, so that time does not tell. */
    if (password_verify(x.found ? x.o.password : password_dummy(), password, &right, e) < 0) {
        r->retry_s = 5;
        return -1;
    }
    right = right && x.found && x.o.enabled;
    if (!x.found) {
        if (core_audit_now(c, NULL, now_ms, "login", "", "unknown login", e) < 0)
            return -1;
        return wrong(r, e, "unknown login");
    }
    struct login l = {c, &x, address, right, now_ms};
    if (db_write(c->db, login_write, &l, e) < 0)
        return -1;
    if (!right)
        return x.o.locked_until > now_ms ? locked(c, &x.o, now_ms, r, e) : wrong(r, e, "wrong password or account not enabled");
    session_add(c, x.o.uid, address, now_ms, token);
    return auth_session(c, token, address, now_ms, &a, e) < 0 ? -1 : auth_me(c, &a, now_ms, r, e);
}

int auth_logout(struct core *c, const struct actor *a, int64_t now_ms, struct err *e)
{
    sessions_drop(c, NULL, a->session);
    return core_audit_now(c, a, now_ms, "logout", a->id.s, "ok", e);
}

/* --- change of password --- */
struct used { const char *password; bool repeated; };
static int same_as(const char *hash, void *arg, struct err *e)
{
    struct used *u = arg;
    bool equal = false;
    if (password_verify(hash, u->password, &equal, e) < 0)
        return -1;
    u->repeated |= equal;
    return 0;
}

struct hashes { char v[5][128]; size_t n; };
static int hash_keep(const char *hash, void *arg, struct err *e)
{
    struct hashes *h = arg;
    (void)e;
    if (h->n < 5)
        snprintf(h->v[h->n++], 128, "%s", hash);
    return 0;
}

struct change { struct core *c; const struct actor *a; struct officer o; char hash[128], old_hash[128]; struct hashes before; int64_t now; };
static int hashes_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct change *x = arg;
    if (officer_by_uid(conn, x->a->id.s, &x->o, e) < 0)
        return -1;
    memcpy(x->old_hash, x->o.password, sizeof x->old_hash);
    return officer_password_each(conn, x->a->id.s, hash_keep, &x->before, e);
}

static int change_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct change *x = arg;
    struct officer o;
    if (officer_by_uid(conn, x->a->id.s, &o, e) < 0)
        return -1;
    if (strcmp(o.password, x->old_hash) != 0)
        return err_set(e, ERR_CONFLICT, "the password was changed in between");
    if (officer_password_add(conn, o.uid, o.password, e) < 0)
        return -1;
    memcpy(o.password, x->hash, sizeof o.password);
    o.must_change = false;
    o.failures = 0;
    return officer_save(conn, &o, e) < 0 ? -1 : core_audit(x->c, conn, x->a, x->now, "password", o.uid, "changed", e);
}

/* Whoever found an open desk must not guess on here where the login would lock. */
static int wrong_old_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct change *x = arg;
    if (officer_by_uid(conn, x->a->id.s, &x->o, e) < 0)
        return -1;
    count_failure(&x->o, x->c, x->now);
    if (officer_save(conn, &x->o, e) < 0)
        return -1;
    return core_audit(x->c, conn, x->a, x->now, "password", x->o.uid, x->o.locked_until > x->now ? "locked" : "wrong password", e);
}

static int wrong_old(struct change *x, struct reply *r, struct err *e)
{
    if (db_write(x->c->db, wrong_old_write, x, e) < 0)
        return -1;
    if (x->o.locked_until > x->now) {
        auth_end_sessions(x->c, x->a->id.s);
        return locked(x->c, &x->o, x->now, r, e);
    }
    reply_field(r, "old", "password", "原密码不对");
    return reply_refuse(r, e, ERR_INPUT, "old password is wrong", "原密码不对");
}

int auth_password(struct core *c, const struct actor *a, const char *old, const char *new_password, int64_t now_ms, char token[65], struct reply *r,
                  struct err *e)
{
    struct change x = {.c = c, .a = a, .now = now_ms};
    struct used used = {new_password, false};
    struct actor fresh;
    bool right = false;
    const char *rule = password_rule(new_password, a->login);
    if (db_read(c->db, hashes_read, &x, e) < 0 || password_verify(x.old_hash, old, &right, e) < 0)
        return -1;
    if (!right)
        return wrong_old(&x, r, e);
    if (same_as(x.old_hash, &used, e) < 0)
        return -1;
    for (size_t i = 0; rule == NULL && !used.repeated && i < x.before.n; i++)
        if (same_as(x.before.v[i], &used, e) < 0)
            return -1;
    if (rule == NULL && used.repeated)
        rule = "不能和最近 5 次用过的密码相同";
    if (rule) {
        reply_field(r, "new", "password", rule);
        return reply_refuse(r, e, ERR_INPUT, "new password breaks a rule", "%s", rule);
    }
    if (password_hash(x.hash, new_password, e) < 0 || db_write(c->db, change_write, &x, e) < 0)
        return -1;
    auth_end_sessions(c, a->id.s);
    session_add(c, a->id.s, a->address, now_ms, token);
    return auth_session(c, token, a->address, now_ms, &fresh, e) < 0 ? -1 : auth_me(c, &fresh, now_ms, r, e);
}
