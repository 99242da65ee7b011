#include "intranet-side/service/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/auth.h"
#include "intranet-side/service/auth_password.h"
#include "intranet-side/service/casebody.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/people.h"

struct job {
    struct core *c;
    const struct actor *a;
    struct db_conn *conn;
    json_t *out;
    int64_t now;
    struct reply *r;
    struct officer o;
    const char *act;
    bool new_password;
};

static int admin_only(const struct actor *a, struct reply *r, struct err *e)
{
    return a->role == ROLE_ADMIN ? 0 : reply_refuse(r, e, ERR_DENIED, "for administrators", "您没有这个权限");
}

/* A unit of the administrator's own tree, or of an officer's own line. */
static int unit_visible(struct db_conn *conn, const struct actor *a, const struct unit *u, bool *yes, struct err *e)
{
    struct unit parent = {.code = ""};
    if (*u->parent && unit_get(conn, u->parent, &parent, e) < 0)
        return -1;
    *yes = access_unit_below(a, u->code, u->parent, parent.parent);
    return 0;
}

/* --- units --- */
struct units { struct unit v[512]; size_t n; };
static int unit_keep(const struct unit *u, void *arg, struct err *e)
{
    struct units *x = arg;
    if (x->n == 512)
        return err_set(e, ERR_TOO_LARGE, "more than 512 units");
    x->v[x->n++] = *u;
    return 0;
}

static int units(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct units *x = calloc(1, sizeof *x);
    int rc = x ? unit_each(conn, unit_keep, x, e) : err_set(e, ERR_INTERNAL, "units: out of memory");
    for (size_t i = 0; rc == 0 && i < x->n; i++) {
        bool yes;
        rc = unit_visible(conn, j->a, &x->v[i], &yes, e);
        if (rc == 0 && yes)
            json_array_append_new(j->out, unit_json(&x->v[i]));
    }
    free(x);
    return rc;
}

/* Below the stations that are listed: they stand in the published tree, not among the units of accounts. */
static void add_committees(const struct core *c, json_t *list)
{
    static const char *const keys[] = {"code", "name", "short", "parent"};
    const size_t n = json_array_size(list);
    size_t i, k;
    json_t *u, *station;
    json_array_foreach(catalogue_part(c->catalogue, "units"), i, u) {
        bool below = false;
        for (k = 0; k < n; k++) {
            station = json_array_get(list, k);
            below = below || strcmp(text_of(station, "code"), text_of(u, "parent")) == 0;
        }
        if (!below || strcmp(text_of(u, "kind"), "committee") != 0)
            continue;
        json_t *row = json_pack("{s:s}", "level", "committee");
        for (k = 0; k < sizeof keys / sizeof keys[0]; k++)
            json_object_set(row, keys[k], json_object_get(u, keys[k]));
        json_array_append_new(list, row);
    }
}

int admin_units(struct core *c, const struct actor *a, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .out = json_array(), .r = r};
    if (db_read(c->db, units, &j, e) < 0) {
        json_decref(j.out);
        return -1;
    }
    add_committees(c, j.out);
    r->body = json_pack("{s:o}", "units", j.out);
    return 0;
}

/* --- accounts --- */
static json_t *officer_json(const struct officer *o, int64_t now)
{
    enum role role = role_parse(o->role);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o}", "id", o->uid, "login", o->login, "name", o->name, "role", o->role, "role_name",
                     role_name(role), "unit", o->unit, "unit_name", o->unit_name, "enabled", o->enabled, "locked", o->locked_until > now, "must_change_password",
                     o->must_change, "last_login", json_time(o->last_login));
}

struct officers { struct job *j; struct officer *v; size_t n; };
static int officer_keep(const struct officer *o, void *arg, struct err *e)
{
    struct officers *x = arg;
    struct officer *grown = realloc(x->v, (x->n + 1) * sizeof *grown);
    if (grown == NULL)
        return err_set(e, ERR_INTERNAL, "accounts: out of memory");
    x->v = grown;
    x->v[x->n++] = *o;
    return 0;
}

static int officer_visible(struct db_conn *conn, const struct actor *a, const char *unit, bool *yes, struct err *e)
{
    struct unit u;
    return unit_get(conn, unit, &u, e) < 0 ? -1 : unit_visible(conn, a, &u, yes, e);
}

static int officers(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct officers x = {j, NULL, 0};
    int rc = officer_each(conn, officer_keep, &x, e);
    for (size_t i = 0; rc == 0 && i < x.n; i++) {
        bool yes;
        rc = officer_visible(conn, j->a, x.v[i].unit, &yes, e);
        if (rc == 0 && yes)
            json_array_append_new(j->out, officer_json(&x.v[i], j->now));
    }
    free(x.v);
    return rc;
}

int admin_officers(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .out = json_array(), .now = now_ms, .r = r};
    if (admin_only(a, r, e) < 0 || db_read(c->db, officers, &j, e) < 0) {
        json_decref(j.out);
        return -1;
    }
    r->body = json_pack("{s:o}", "officers", j.out);
    return 0;
}

static int refuse_unit(struct job *j, struct err *e)
{
    reply_finding(j->r, "unit", "code_value", "", j->o.unit, "没有这个单位，或不在您的范围");
    return reply_refuse(j->r, e, ERR_INPUT, "unit is not there or outside the area", "没有这个单位，或不在您的范围");
}

static int refuse_login(struct job *j, struct err *e)
{
    reply_finding(j->r, "login", "unique", "", j->o.login, "这个账号已经有了");
    return reply_refuse(j->r, e, ERR_CONFLICT, "login exists", "这个账号已经有了");
}

static int add(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct unit u;
    struct err mine = {0};
    bool yes = false;
    if (unit_get(conn, j->o.unit, &u, &mine) < 0 || unit_visible(conn, j->a, &u, &yes, e) < 0 || !yes)
        return refuse_unit(j, e);
    if (strcmp(role_level(role_parse(j->o.role)), u.level) != 0) {
        reply_finding(j->r, "unit", "level", role_level(role_parse(j->o.role)), u.level, "角色和单位的级别不一致");
        return reply_refuse(j->r, e, ERR_INPUT, "role does not belong to this level of unit", "角色和单位的级别不一致");
    }
    if (officer_add(conn, &j->o, &mine) < 0)
        return mine.code == ERR_CONFLICT ? refuse_login(j, e) : err_set(e, mine.code, "%s", mine.msg);
    if (officer_by_uid(conn, j->o.uid, &j->o, e) < 0)
        return -1;
    return core_audit(j->c, conn, j->a, j->now, "account_add", j->o.uid, j->o.role, e);
}

static bool login_fits(const char *s)
{
    size_t n = strlen(s);
    return n >= 3 && n <= 32 && s[0] >= 'a' && s[0] <= 'z' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* Every part of a new account that does not fit, each with its reason. */
static int refuse_account(const char *login, const char *name, const char *role, const char *unit, struct reply *r, struct err *e)
{
    struct officer o;
    if (!login_fits(login))
        reply_finding(r, "login", "pattern", "^[a-z][a-z0-9_]{2,31}$", login, "账号用小写字母开头，3 到 32 位小写字母、数字或下划线");
    if (!text_is_name(bytes_of(name)) || strlen(name) >= sizeof o.name)
        reply_finding(r, "name", "name", "", name, "姓名填写有误");
    if (!(role_parse(role) & ROLES_ALL))
        reply_finding(r, "role", "code_value", "aux, officer, sub_bureau, admin", role, "没有这个角色");
    if (strlen(unit) != 12)
        reply_finding(r, "unit", "code_value", "12 digits", unit, "没有这个单位，或不在您的范围");
    return r->fields ? reply_refuse(r, e, ERR_INPUT, "login, name, role or unit does not fit", "账号、姓名、角色或单位填写有误") : 0;
}

int admin_officer_add(struct core *c, const struct actor *a, const char *login, const char *name, const char *role, const char *unit, int64_t now_ms,
                      struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .now = now_ms, .r = r};
    struct id128 id;
    char first[17];
    if (admin_only(a, r, e) < 0 || refuse_account(login, name, role, unit, r, e) < 0)
        return -1;
    id_random(&id);
    snprintf(j.o.uid, sizeof j.o.uid, "%s", id.s);
    snprintf(j.o.login, sizeof j.o.login, "%s", login);
    snprintf(j.o.name, sizeof j.o.name, "%s", name);
    snprintf(j.o.role, sizeof j.o.role, "%s", role);
    snprintf(j.o.unit, sizeof j.o.unit, "%s", unit);
    j.o.must_change = true;
    password_first(first);
    int rc = password_hash(j.o.password, first, e);
    if (rc == 0)
        rc = db_write(c->db, add, &j, e);
    if (rc == 0)
        r->body = json_pack("{s:o, s:s}", "officer", officer_json(&j.o, now_ms), "first_password", first);
    explicit_bzero(first, sizeof first);
    return rc;
}

static int act(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    char hash[128];
    struct err mine = {0};
    bool yes = false;
    memcpy(hash, j->o.password, sizeof hash);
    char uid[33];
    memcpy(uid, j->o.uid, sizeof uid);
    if (officer_by_uid(conn, uid, &j->o, &mine) < 0 || officer_visible(conn, j->a, j->o.unit, &yes, e) < 0 || !yes)
        return reply_refuse(j->r, e, ERR_MISSING, "account is not there or outside the area", "没有这个账号，或不在您的范围");
    if (strcmp(j->act, "disable") == 0 || strcmp(j->act, "enable") == 0)
        j->o.enabled = strcmp(j->act, "enable") == 0;
    j->o.failures = 0;
    if (strcmp(j->act, "disable") != 0)
        j->o.locked_until = 0;
    if (j->new_password) {
        if (officer_password_add(conn, uid, j->o.password, e) < 0)
            return -1;
        memcpy(j->o.password, hash, sizeof hash);
        j->o.must_change = true;
    }
    return officer_save(conn, &j->o, e) < 0 ? -1 : core_audit(j->c, conn, j->a, j->now, "account", uid, j->act, e);
}

int admin_officer_act(struct core *c, const struct actor *a, const char *officer_id, const char *what, int64_t now_ms, struct reply *r, struct err *e)
{
    static const char *const acts[] = {"disable", "enable", "unlock", "reset"};
    struct job j = {.c = c, .a = a, .now = now_ms, .r = r, .act = what, .new_password = strcmp(what, "reset") == 0};
    char first[17];
    size_t i = 0;
    while (i < 4 && strcmp(acts[i], what) != 0)
        i++;
    if (admin_only(a, r, e) < 0)
        return -1;
    if (i == 4 || !id_valid(officer_id))
        return reply_refuse(r, e, ERR_MISSING, "no such act or account", "没有这个账号，或不在您的范围");
    if (strcmp(officer_id, a->id.s) == 0)
        return reply_refuse(r, e, ERR_DENIED, "nobody acts on his own account", "不能操作自己的账号");
    snprintf(j.o.uid, sizeof j.o.uid, "%s", officer_id);
    password_first(first);
    int rc = j.new_password ? password_hash(j.o.password, first, e) : 0;
    if (rc == 0)
        rc = db_write(c->db, act, &j, e);
    if (rc == 0 && (j.new_password || !j.o.enabled))
        auth_end_sessions(c, officer_id);
    if (rc == 0)
        r->body = j.new_password ? json_pack("{s:o, s:s}", "officer", officer_json(&j.o, now_ms), "first_password", first)
                                 : json_pack("{s:o}", "officer", officer_json(&j.o, now_ms));
    explicit_bzero(first, sizeof first);
    return rc;
}

/* --- exceptions --- */
int admin_exceptions(struct core *c, const struct actor *a, struct reply *r, struct err *e)
{
    enum { MOST = 200 };
    size_t n = 0;
    if (admin_only(a, r, e) < 0)
        return -1;
    struct delivery_open_item *v = calloc(MOST, sizeof *v);
    int rc = v ? 0 : err_set(e, ERR_INTERNAL, "exceptions: out of memory");
    if (rc == 0 && c->delivery)
        rc = delivery_list(c->delivery, v, MOST, &n, e);
    json_t *list = json_array();
    for (size_t i = 0; rc == 0 && i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", v[i].id.s, "kind", v[i].kind, "no", v[i].case_no, "word", v[i].word,
                                              "reason", v[i].reason, "at", json_time(v[i].at_ms)));
    free(v);
    if (rc == 0)
        r->body = json_pack("{s:o}", "exceptions", list);
    else
        json_decref(list);
    return rc;
}

int admin_exception_retry(struct core *c, const struct actor *a, const char *id, int64_t now_ms, struct reply *r, struct err *e)
{
    char word[12] = "";
    struct err mine = {0};
    if (admin_only(a, r, e) < 0 || core_audit_now(c, a, now_ms, "retry", id, "asked", e) < 0)
        return -1;
    if (c->delivery == NULL || delivery_retry(c->delivery, id, word, &mine) < 0)
        return reply_refuse(r, e, mine.code ? mine.code : ERR_MISSING, mine.code ? mine.msg : "no delivery", "没有这条记录，或现在不能重新处理");
    r->body = json_pack("{s:s, s:s}", "word", word, "reason", mine.msg);
    return 0;
}

/* --- configuration --- */
static int last_configuration(struct db_conn *conn, void *arg, struct err *e)
{
    struct err mine = {0};
    if (configuration_last(conn, arg, &mine) < 0 && mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    return 0;
}

int admin_configuration(struct core *c, const struct actor *a, struct reply *r, struct err *e)
{
    struct configuration_row row = {0};
    struct delivery_state s = {0};
    char hex[65];
    (void)a;
    if (db_read(c->db, last_configuration, &row, e) < 0)
        return -1;
    if (c->delivery)
        delivery_health(c->delivery, &s);
    hash_hex(hex, catalogue_hash(c->catalogue));
    int64_t ours = catalogue_version(c->catalogue);
    r->body = json_pack("{s:I, s:s, s:o, s:I, s:b}", "version", (json_int_t)ours, "hash", hex, "published", json_time(row.published), "peer_version",
                        (json_int_t)s.peer_config, "same", (int64_t)s.peer_config == ours);
    return 0;
}

int admin_items(struct core *c, const struct actor *a, struct reply *r, struct err *e)
{
    json_t *list = json_array();
    (void)a, (void)e;
    for (size_t i = 0; i < catalogue_item_count(c->catalogue); i++) {
        const struct item *x = catalogue_item_at(c->catalogue, i);
        if (x->enabled)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", x->code, "name", x->name, "plain_name", text_of(x->json, "plain_name")));
    }
    r->body = json_pack("{s:o}", "items", list);
    return 0;
}

/* --- health --- */
static int probe(struct db_conn *conn, void *arg, struct err *e)
{
    (void)conn, (void)arg, (void)e;
    return 0;
}

bool admin_health(struct core *c, int64_t now_ms, struct reply *r)
{
    struct err mine = {0};
    struct delivery_state s = {.word = "fine"};
    json_t *problems = json_array();
    (void)now_ms;
    if (db_write(c->db, probe, NULL, &mine) < 0)
        json_array_append_new(problems, json_string("database does not take writes"));
    if (c->delivery)
        delivery_health(c->delivery, &s);
    if (*s.stopped)
        json_array_append_new(problems, json_string(s.stopped));
    bool ok = json_array_size(problems) == 0;
    r->body = json_pack("{s:b, s:o, s:i}", "ok", ok, "problems", problems, "config_version", (int)catalogue_version(c->catalogue));
    return ok;
}
