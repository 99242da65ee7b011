/* editing_view.c - what administrators look at: items with their switches, one item to be edited, sets of changes, versions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/domain/rules.h"
#include "intranet-side/service/editing_parts.h"

enum { DONE_MOST = 200 };

struct view { struct core *c; const struct actor *a; json_t *open, *done, *versions; const char *uid; struct change_set set; bool author; struct db_conn *conn; };

/* ---- one set ---- */

static json_t *person_json(const char *name, int64_t at)
{
    return json_pack("{s:s, s:o}", "name", name, "at", json_time(at));
}

static void tell_now(json_t *out, struct core *c, const struct change_set *s)
{
    struct catalogue *next = NULL;
    struct err mine = {0};
    json_t *findings = NULL;
    if (editing_try(&next, &findings, c, s->changes, catalogue_version(c->catalogue) + 1, &mine) == 0)
        json_object_set_new(out, "words", changes_words(s->changes, c->catalogue, next));
    json_object_set_new(out, "findings", findings ? findings : json_array());
    catalogue_unref(next);
}

json_t *editing_json(struct core *c, const struct actor *a, const struct change_set *s, bool author)
{
    const bool open = strcmp(s->state, "draft") == 0 || strcmp(s->state, "submitted") == 0;
    json_t *out = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:O, s:O, s:s, s:s, s:I, s:b, s:b, s:I}", "id", s->uid, "version", (json_int_t)s->version, "state", s->state,
                            "source", s->source, "title", s->title, "wish", s->wish, "restores", (json_int_t)s->restores, "changes", s->changes, "words", s->words, "reason",
                            s->reason, "answer", s->answer, "released", (json_int_t)s->released, "author", author, "may_release",
                            a->role == ROLE_ADMIN && !author && strcmp(s->state, "submitted") == 0, "base", (json_int_t)catalogue_version(c->catalogue));
    json_object_set_new(out, "edited", person_json(s->edited_name, s->edited_at));
    json_object_set_new(out, "submitted", person_json(s->submitted_name, s->submitted_at));
    json_object_set_new(out, "decided", person_json(s->decided_name, s->decided_at));
    json_object_set_new(out, "findings", json_array());
    if (open)
        tell_now(out, c, s);
    return out;
}

static int get(struct db_conn *conn, void *arg, struct err *e)
{
    struct view *v = arg;
    return change_author_is(&v->author, conn, v->uid, v->a->id.s, e) < 0 ? -1 : change_get(conn, v->uid, &v->set, e);
}

int editing_get(struct core *c, const struct actor *a, const char *uid, struct reply *r, struct err *e)
{
    struct view v = {.c = c, .a = a, .uid = uid};
    struct err mine = {0};
    if (editing_admin(a, r, e) < 0)
        return -1;
    if (db_read(c->db, get, &v, &mine) < 0)
        return mine.code == ERR_MISSING ? reply_refuse(r, e, ERR_MISSING, "no such set", "没有这份改动") : err_set(e, mine.code, "%s", mine.msg);
    r->body = editing_json(c, a, &v.set, v.author);
    change_clear(&v.set);
    return 0;
}

/* ---- sets and versions ---- */

/* Kept raw inside the read; judged and told afterwards, for that reads the database again. */
struct sets { struct db_conn *conn; const char *officer; struct kept { struct change_set s; bool author; } *v; size_t n; };

static int keep(const struct change_set *s, void *arg, struct err *e)
{
    struct sets *x = arg;
    struct kept *grown = realloc(x->v, (x->n + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, ERR_INTERNAL, "sets: no memory");
    x->v = grown;
    x->v[x->n] = (struct kept){.s = *s};
    json_incref(s->changes);
    json_incref(s->words);
    x->n++;
    return change_author_is(&x->v[x->n - 1].author, x->conn, s->uid, x->officer, e);
}

static void sets_clear(struct sets *x)
{
    for (size_t i = 0; i < x->n; i++)
        change_clear(&x->v[i].s);
    free(x->v);
}

static int version_row(int64_t version, int64_t published, const char *hash, void *arg, struct err *e)
{
    (void)e;
    json_array_append_new(arg, json_pack("{s:I, s:o, s:s}", "version", (json_int_t)version, "published", json_time(published), "hash", hash));
    return 0;
}

struct lists { struct sets open, done; json_t *versions; };

static int read_lists(struct db_conn *conn, void *arg, struct err *e)
{
    struct lists *l = arg;
    l->open.conn = l->done.conn = conn;
    return change_each_open(conn, keep, &l->open, e) < 0 || change_each_done(conn, DONE_MOST, keep, &l->done, e) < 0 ||
           version_each(conn, DONE_MOST, version_row, l->versions, e) < 0 ? -1 : 0;
}

static json_t *sets_json(struct core *c, const struct actor *a, const struct sets *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->n; i++)
        json_array_append_new(list, editing_json(c, a, &x->v[i].s, x->v[i].author));
    return list;
}

int editing_list(struct core *c, const struct actor *a, struct reply *r, struct err *e)
{
    struct lists l = {.open = {.officer = a->id.s}, .done = {.officer = a->id.s}, .versions = json_array()};
    int rc = editing_admin(a, r, e);
    if (rc == 0)
        rc = db_read(c->db, read_lists, &l, e);
    if (rc == 0)
        r->body = json_pack("{s:o, s:o, s:O, s:I}", "open", sets_json(c, a, &l.open), "done", sets_json(c, a, &l.done), "versions", l.versions, "base",
                            (json_int_t)catalogue_version(c->catalogue));
    sets_clear(&l.open);
    sets_clear(&l.done);
    json_decref(l.versions);
    return rc;
}

/* ---- items ---- */

static int read_open(struct db_conn *conn, void *arg, struct err *e)
{
    struct sets *x = arg;
    x->conn = conn;
    return change_each_open(conn, keep, x, e);
}

/* Whether a set touches the item or the form it uses. */
static bool touches(const struct change_set *s, const char *code, const char *form)
{
    size_t i;
    json_t *k;
    json_array_foreach(s->changes, i, k) {
        const char *item = text_of(k, "item");
        if (strcmp(item, code) == 0 || (form && strncmp(item, "form:", 5) == 0 && strcmp(item + 5, form) == 0))
            return true;
    }
    return false;
}

static bool changed(const json_t *overrides, const char *code)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)overrides, key, v) {
        const char *item = strchr(key, '/');
        if (item && strncmp(item + 1, code, strlen(code)) == 0)
            return true;
    }
    return false;
}

static json_t *row_json(const struct catalogue *cat, const struct item *it, const char *region, const json_t *overrides, const struct sets *open)
{
    const struct item *here = catalogue_item_in(cat, it->code, region);
    const struct change_set *waits = NULL;
    for (size_t i = 0; !waits && i < open->n; i++)
        if (touches(&open->v[i].s, it->code, NULL))
            waits = &open->v[i].s;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "code", it->code, "form", it->family->id, "name", it->name, "plain_name", text_of(here->json, "plain_name"),
                            "category", text_of(it->json, "category"), "extra", it->code[1] == 'X', "enabled", here->enabled, "online", here->online_open, "appointment",
                            here->appointment, "window", here->window, "own", here != it, "changed", changed(overrides, it->code));
    json_object_set_new(row, "waits", waits ? json_pack("{s:s, s:s, s:s}", "id", waits->uid, "state", waits->state, "title", waits->title) : json_null());
    return row;
}

static json_t *regions_json(const struct catalogue *c)
{
    json_t *list = json_array(), *seen = json_object(), *u, *v;
    size_t i, k;
    json_array_foreach(catalogue_part(c, "units"), i, u)
        json_array_foreach(json_object_get(u, "regions"), k, v) {
            const char *code = json_string_value(v), *name = code ? catalogue_label(c, "GB/T 2260", code) : NULL;
            if (name && !json_object_get(seen, code)) {
                json_object_set_new(seen, code, json_true());
                json_array_append_new(list, json_pack("{s:s, s:s}", "code", code, "label", name));
            }
        }
    json_decref(seen);
    return list;
}

static bool region_known(const struct catalogue *c, const char *region)
{
    size_t i;
    json_t *r, *all = regions_json(c);
    bool yes = *region == '\0';
    json_array_foreach(all, i, r)
        yes = yes || strcmp(text_of(r, "code"), region) == 0;
    json_decref(all);
    return yes;
}

int editing_items(struct core *c, const struct actor *a, const char *region, struct reply *r, struct err *e)
{
    const struct catalogue *cat = c->catalogue;
    struct sets open = {.officer = a->id.s};
    json_t *overrides = NULL, *list = json_array();
    int rc = editing_admin(a, r, e);
    if (rc == 0 && !region_known(cat, region))
        rc = reply_refuse(r, e, ERR_MISSING, "no such district", "没有这个县区");
    if (rc == 0)
        rc = db_read(c->db, read_open, &open, e) < 0 || releases_overrides(&overrides, c->db, 0, e) < 0 ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < catalogue_item_count(cat); i++)
        json_array_append_new(list, row_json(cat, catalogue_item_at(cat, i), region, overrides, &open));
    if (rc == 0)
        r->body = json_pack("{s:O, s:o, s:I}", "items", list, "regions", regions_json(cat), "base", (json_int_t)catalogue_version(cat));
    json_decref(list);
    json_decref(overrides);
    sets_clear(&open);
    return rc;
}

/* The tables that the form's fields name, small ones: for the builder of conditions and the list of values. */
static json_t *places_json(const struct catalogue *cat, const struct item *it, const char *region)
{
    json_t *whole = catalogue_item_json(cat, it->code, region);
    const json_t *of = json_object_get(json_object_get(catalogue_part(cat, "districts"), region), it->code);
    const struct item *city = catalogue_item(cat, it->code);
    json_t *body = json_pack("{s:O, s:O, s:O, s:O, s:O}", "item", json_object_get(whole, "item"), "city", city->json, "family", json_object_get(whole, "family"), "code_tables",
                             json_object_get(whole, "code_tables"), "patterns", json_object_get(whole, "patterns"));
    json_t *own = json_array();
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)of, key, v)
        json_array_append_new(own, json_string(key));
    json_object_set_new(body, "own", own);
    json_decref(whole);
    return body;
}

int editing_item(struct core *c, const struct actor *a, const char *code, const char *region, struct reply *r, struct err *e)
{
    const struct catalogue *cat = c->catalogue;
    const struct item *it = catalogue_item_in(cat, code, region);
    struct sets open = {.officer = a->id.s};
    int rc = editing_admin(a, r, e);
    if (rc == 0 && (!it || !region_known(cat, region)))
        rc = reply_refuse(r, e, ERR_MISSING, "no such item or district", "没有这项业务");
    if (rc == 0)
        rc = db_read(c->db, read_open, &open, e);
    if (rc == 0) {
        json_t *sets = json_array();
        for (size_t i = 0; i < open.n; i++)
            if (touches(&open.v[i].s, code, it->family->id))
                json_array_append_new(sets, editing_json(c, a, &open.v[i].s, open.v[i].author));
        r->body = places_json(cat, it, region);
        json_object_set_new(r->body, "open", sets);
        json_object_set_new(r->body, "regions", regions_json(cat));
        json_object_set_new(r->body, "base", json_integer(catalogue_version(cat)));
    }
    sets_clear(&open);
    return rc;
}

int editing_preview(struct core *c, const struct actor *a, const json_t *body, struct reply *r, struct err *e)
{
    struct catalogue *next = NULL;
    struct err mine = {0};
    json_t *findings = NULL;
    const json_t *changes = json_object_get(body, "changes");
    if (editing_admin(a, r, e) < 0)
        return -1;
    if (!json_is_array(changes) || json_object_size(body) != 1) {
        reply_finding(r, "changes", "required", "a list and nothing else", "", "没有改动");
        return reply_refuse(r, e, ERR_INPUT, "changes: want a list", "没有改动");
    }
    const int rc = editing_try(&next, &findings, c, changes, catalogue_version(c->catalogue) + 1, &mine);
    r->body = json_pack("{s:O, s:o}", "findings", findings, "words", rc == 0 ? changes_words(changes, c->catalogue, next) : json_array());
    json_decref(findings);
    catalogue_unref(next);
    return rc < 0 && mine.code != ERR_INPUT ? err_set(e, mine.code, "%s", mine.msg) : 0;
}

/* ---- the desk ---- */

static int read_counts(struct db_conn *conn, void *arg, struct err *e)
{
    return change_count(conn, arg, e);
}

__attribute__((format(printf, 4, 5))) static void notice(json_t *out, int64_t now_ms, const char *to, const char *fmt, ...)
{
    char zh[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(zh, sizeof zh, fmt, ap);
    va_end(ap);
    json_array_append_new(out, json_pack("{s:o, s:s, s:s}", "at", json_time(now_ms), "text", zh, "to", to));
}

int editing_notices(struct core *c, const struct actor *a, json_t *notices, int64_t now_ms, struct err *e)
{
    struct change_counts n = {0};
    struct delivery_state s = {0};
    if (a->role != ROLE_ADMIN)
        return 0;
    if (db_read(c->db, read_counts, &n, e) < 0)
        return -1;
    if (n.wishes)
        notice(notices, now_ms, "/admin/releases", "互联网侧提出 %lld 份配置改动，请处理", (long long)n.wishes);
    if (n.submitted)
        notice(notices, now_ms, "/admin/releases", "%lld 份配置改动待发布，须由另一位管理员发布", (long long)n.submitted);
    const struct date today = clock_beijing_date(now_ms);
    const int year = calendar_knows(c->rules->calendar, today.y) ? today.y + (today.m == 12) : today.y;      /* the next one is published in November */
    if (!calendar_knows(c->rules->calendar, year))
        notice(notices, now_ms, "", "%lld 年的放假安排还没有录入，办理期限会算错：请维护人员补充节假日文件", (long long)year);
    if (c->delivery)
        delivery_health(c->delivery, &s);
    const int64_t ours = catalogue_version(c->catalogue);
    if (s.beat_ms && (int64_t)s.peer_config != ours)
        notice(notices, now_ms, "/admin/releases", "两侧配置版本不一致：公安网 v%lld，互联网 v%lld", (long long)ours, (long long)s.peer_config);
    return 0;
}
