#include "intranet-side/service/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "intranet-side/service/auth.h"
#include "intranet-side/service/auth_password.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"
#include "intranet-side/store/people.h"
#include "intranet-side/store/register.h"

struct job {
    struct core *c;
    const json_t *json;
    json_t *accounts;                /* with the passwords and hashes drawn outside the transaction */
    struct officer o;
    int64_t now, n;
    bool keep;
};

/* --- units --- */
static int units_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    size_t i;
    json_t *u;
    json_array_foreach(j->json, i, u) {
        if (strcmp(text_of(u, "kind"), "committee") == 0)
            continue;                        /* a value of the table 村居: has neither accounts nor cases */
        struct unit x = {.accepting = json_is_true(json_object_get(u, "accepting"))};
        const char *region = json_string_value(json_array_get(json_object_get(u, "regions"), 0));
        snprintf(x.code, sizeof x.code, "%s", text_of(u, "code"));
        snprintf(x.name, sizeof x.name, "%s", text_of(u, "name"));
        snprintf(x.short_name, sizeof x.short_name, "%s", text_of(u, "short"));
        snprintf(x.parent, sizeof x.parent, "%s", text_of(u, "parent"));
        snprintf(x.level, sizeof x.level, "%s", text_of(u, "kind"));
        snprintf(x.region, sizeof x.region, "%s", region ? region : "");
        snprintf(x.address, sizeof x.address, "%s", text_of(u, "address"));
        snprintf(x.phone, sizeof x.phone, "%s", text_of(u, "phone"));
        if (unit_put(conn, &x, e) < 0)
            return err_wrap(e, "unit %s", x.code);
    }
    return 0;
}

int setup_units(struct core *c, struct err *e)
{
    struct job j = {.c = c, .json = catalogue_part(c->catalogue, "units")};
    return j.json ? db_write(c->db, units_write, &j, e) : err_set(e, ERR_INPUT, "the configuration has no units");
}

/* --- first administrator --- */
static int any_account(const struct officer *o, void *arg, struct err *e)
{
    struct job *j = arg;
    (void)o, (void)e;
    j->n++;
    return 0;
}

static int city(const struct unit *u, void *arg, struct err *e)
{
    struct job *j = arg;
    (void)e;
    if (strcmp(u->level, "city") == 0)
        snprintf(j->o.unit, sizeof j->o.unit, "%s", u->code);
    return 0;
}

static int admin_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    if (officer_each(conn, any_account, j, e) < 0 || unit_each(conn, city, j, e) < 0)
        return -1;
    if (j->n)
        return err_set(e, ERR_CONFLICT, "there are accounts already: an administrator makes further ones");
    if (officer_add(conn, &j->o, e) < 0)
        return -1;
    return core_audit(j->c, conn, NULL, j->now, "account_add", j->o.uid, "first administrator", e);
}

int setup_first_admin(struct core *c, int64_t now_ms, char password[17], struct err *e)
{
    struct job j = {.c = c, .now = now_ms, .o = {.login = "admin", .name = "首任管理员", .role = "admin", .must_change = true}};
    struct id128 id;
    id_random(&id);
    memcpy(j.o.uid, id.s, sizeof j.o.uid);
    password_first(password);
    return password_hash(j.o.password, password, e) < 0 ? -1 : db_write(c->db, admin_write, &j, e);
}

/* --- demonstration --- */
static json_t *load(const char *dir, const char *file, struct err *e)
{
    char path[700];
    json_error_t je;
    if (str_fmt(path, sizeof path, e, "%s/%s", dir, file) < 0)
        return NULL;
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (j == NULL)
        err_set(e, ERR_INPUT, "%s:%d: %s", path, je.line, je.text);
    return j;
}

static int officer_write(struct job *j, struct db_conn *conn, json_t *a, struct err *e)
{
    struct officer o = {.must_change = !j->keep}, known;
    struct err mine = {0};
    struct id128 id;
    id_random(&id);
    snprintf(o.uid, sizeof o.uid, "%s", id.s);
    snprintf(o.login, sizeof o.login, "%s", text_of(a, "login"));
    snprintf(o.name, sizeof o.name, "%s", text_of(a, "name"));
    snprintf(o.role, sizeof o.role, "%s", text_of(a, "role"));
    snprintf(o.unit, sizeof o.unit, "%s", text_of(a, "unit"));
    snprintf(o.badge, sizeof o.badge, "%s", text_of(a, "badge"));
    snprintf(o.password, sizeof o.password, "%s", text_of(a, "hash"));
    if (officer_by_login(conn, o.login, &known, &mine) == 0) {
        json_object_del(a, "password");
        return 0;
    }
    if (mine.code != ERR_MISSING || officer_add(conn, &o, e) < 0)
        return mine.code != ERR_MISSING ? err_set(e, mine.code, "%s", mine.msg) : err_wrap(e, "account %s", o.login);
    return core_audit(j->c, conn, NULL, j->now, "account_add", o.uid, "demonstration", e);
}

/* JSON nulls of the file are absent columns here. */
static json_t *without_nulls(const json_t *row)
{
    json_t *out = json_object(), *v;
    const char *k;
    json_object_foreach((json_t *)row, k, v)
        if (json_is_string(v) && *json_string_value(v))
            json_object_set(out, k, v);
    return out;
}

static int people_write(struct job *j, struct db_conn *conn, struct err *e)
{
    struct register_store s = {conn, j->c->vault};
    size_t i;
    json_t *v;
    int rc = 0;
    json_array_foreach(json_object_get(j->json, "addresses"), i, v)
        if (rc == 0)
            rc = register_add_address(&s, v, e);
    json_array_foreach(json_object_get(j->json, "households"), i, v)
        if (rc == 0)
            rc = register_add_household(&s, v, e);
    json_array_foreach(json_object_get(j->json, "persons"), i, v) {
        json_t *p = without_nulls(v);
        if (rc == 0)
            rc = register_add_person(&s, p, e);
        json_decref(p);
    }
    json_array_foreach(json_object_get(j->json, "papers"), i, v)
        if (rc == 0)
            rc = paper_add(&s, v, e);
    return rc;
}

static int demo_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    size_t i;
    json_t *a;
    json_array_foreach(j->accounts, i, a)
        if (officer_write(j, conn, a, e) < 0)
            return -1;
    if (register_count(conn, &j->n, e) < 0)
        return -1;
    return j->n ? 0 : people_write(j, conn, e);
}

static int accounts_draw(struct job *j, const json_t *org, struct err *e)
{
    size_t i, k;
    json_t *o, *u;
    j->accounts = json_array();
    json_array_foreach(json_object_get(org, "officers"), i, o) {
        char first[17], hash[128];
        json_t *a = json_copy(o);
        password_first(first);
        json_array_append_new(j->accounts, a);
        if (password_hash(hash, first, e) < 0)
            return -1;
        json_object_set_new(a, "password", json_string(first));
        json_object_set_new(a, "hash", json_string(hash));
        json_array_foreach(json_object_get(org, "units"), k, u)
            if (strcmp(text_of(u, "code"), text_of(o, "unit")) == 0)
                json_object_set(a, "unit_name", json_object_get(u, "short"));
    }
    return 0;
}

static int accounts_file(struct job *j, const char *path, struct err *e)
{
    size_t i;
    json_t *a;
    json_array_foreach(j->accounts, i, a)
        json_object_del(a, "hash");
    json_t *all = json_pack("{s:O}", "accounts", j->accounts);
    char *text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    int rc = text ? file_write_path(path, bytes_of(text), 0600, e) : err_set(e, ERR_INTERNAL, "accounts: out of memory");
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

int setup_demo(struct core *c, const char *dir, const char *accounts, bool keep_passwords, int64_t now_ms, struct err *e)
{
    struct job j = {.c = c, .now = now_ms, .keep = keep_passwords};
    json_t *org = load(dir, "demo.json", e), *residents = org ? load(dir, "demo-residents.json", e) : NULL;
    int rc = residents ? accounts_draw(&j, org, e) : -1;
    j.json = residents;
    if (rc == 0)
        rc = db_write(c->db, demo_write, &j, e);
    if (rc == 0)
        rc = accounts_file(&j, accounts, e);
    if (rc == 0)
        log_event(LOG_WARN, "demonstration_data_loaded", "accounts %zu residents_before %lld first_passwords %s", json_array_size(j.accounts), (long long)j.n,
                  keep_passwords ? "kept: for demonstrations only" : "to be changed");
    json_decref(j.accounts);
    json_decref(org);
    json_decref(residents);
    return rc;
}
