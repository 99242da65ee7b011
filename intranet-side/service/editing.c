/* editing.c - the acts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/service/editing_parts.h"
#include "intranet-side/service/publish.h"

int editing_admin(const struct actor *a, struct reply *r, struct err *e)
{
    return a->role == ROLE_ADMIN ? 0 : reply_refuse(r, e, ERR_DENIED, "for administrators", "您没有这个权限");
}

int editing_try(struct catalogue **out, json_t **findings, struct core *c, const json_t *changes, uint32_t version, struct err *e)
{
    json_t *released = NULL, *all = NULL;
    *out = NULL;
    *findings = changes_findings(changes, c->catalogue);
    if (json_array_size(*findings))
        return err_set(e, ERR_INPUT, "changes: %zu findings", json_array_size(*findings));
    if (releases_overrides(&released, c->db, 0, e) < 0)
        return -1;
    all = changes_merge(released, changes);
    int rc = changes_apply(out, releases_base(c->releases), all, version, e);
    if (rc == 0 && (rc = releases_fits(c, *out, e)) < 0) {
        catalogue_unref(*out);
        *out = NULL;
    }
    if (rc < 0 && e->code == ERR_INPUT)
        json_array_append_new(*findings, changes_refusal(e));
    json_decref(released);
    json_decref(all);
    return rc;
}

/* ---- bodies ---- */

struct body { const char *title, *reason; const json_t *changes; int64_t version, base; };

static void body_text(struct reply *r, const json_t *body, const char *key, long max, const char **out)
{
    const json_t *v = json_object_get(body, key);
    const char *s = json_string_value(v);
    char zh[64];
    *out = s ? s : "";
    if (v && !s)
        reply_finding(r, key, "type", "text", "", "内容的格式不对，请刷新后重试");
    else if (s && text_length(bytes_of(s)) > max) {
        snprintf(zh, sizeof zh, "内容太长，最多 %ld 个字", max);
        reply_field(r, key, "length", zh);
    } else if (s && text_fault_of(bytes_of(s)) != TEXT_OK)
        reply_field(r, key, "xml_char", "里面有不能保存的字符，请删掉后重填");
}

static void body_number(struct reply *r, const json_t *body, const char *key, bool needed, int64_t *out)
{
    const json_t *v = json_object_get(body, key);
    *out = json_integer_value(v);
    if (v ? !json_is_integer(v) || *out < 0 : needed)
        reply_finding(r, key, v ? "type" : "required", "a number", "", "内容的格式不对，请刷新后重试");
}

/* keys: " title changes version ": what this call takes; version is needed where it stands. */
static int body_take(struct body *out, const json_t *body, const char *keys, struct reply *r, struct err *e)
{
    const char *key;
    json_t *v;
    char word[48];
    if (!json_is_object(body))
        return reply_refuse(r, e, ERR_INPUT, "body: want an object", "内容的格式不对，请刷新后重试");
    json_object_foreach((json_t *)body, key, v) {
        snprintf(word, sizeof word, " %.40s ", key);
        if (!strstr(keys, word))
            reply_finding(r, key, "unknown", "", key, "多了一项不认识的内容，请刷新后重试");
    }
    body_text(r, body, "title", 60, &out->title);
    body_text(r, body, "reason", 300, &out->reason);
    body_number(r, body, "version", strstr(keys, " version ") != NULL, &out->version);
    body_number(r, body, "base", strstr(keys, " base ") != NULL, &out->base);
    out->changes = json_object_get(body, "changes");
    if (strstr(keys, " changes ") && !json_is_array(out->changes))
        reply_finding(r, "changes", "required", "a list", "", "没有改动");
    if (strstr(keys, " reason ") && *out->reason == '\0')
        reply_field(r, "reason", "required", "请写明原因");
    return r->fields ? reply_refuse(r, e, ERR_INPUT, "body", "%s", text_of(json_array_get(r->fields, 0), "message")) : 0;
}

/* A draft may be saved while it does not fit together yet; what is malformed by itself may not. */
static int well_formed(const json_t *changes, struct core *c, struct reply *r, struct err *e)
{
    json_t *findings = changes_findings(changes, c->catalogue);
    if (json_array_size(findings) == 0) {
        json_decref(findings);
        return 0;
    }
    r->fields = findings;
    return reply_refuse(r, e, ERR_INPUT, "changes", "%s", text_of(json_array_get(findings, 0), "message"));
}

/* ---- acts in one write ---- */

struct act {
    struct core *c;
    const struct actor *a;
    struct reply *r;
    int64_t now;
    const char *uid, *name;
    struct body b;
    struct change_set set;
    const json_t *words;                 /* of a release */
    int64_t released;
};

static const char *title_of(const struct body *b, struct core *c, char out[256])
{
    const json_t *first = json_array_get(b->changes, 0);
    const struct item *it = catalogue_item(c->catalogue, text_of(first, "item"));
    const size_t n = json_array_size(b->changes);
    if (*b->title)
        snprintf(out, 256, "%.240s", b->title);
    else if (n)
        snprintf(out, 256, "%.120s", it ? text_of(it->json, "plain_name") : "表单或引导");
    else
        snprintf(out, 256, "配置改动");
    text_mend(out, '?');
    return out;
}

static int audit(struct act *x, struct db_conn *conn, struct err *e)
{
    char act[48];
    snprintf(act, sizeof act, "change_%s", x->name);
    return core_audit(x->c, conn, x->a, x->now, act, x->set.uid, x->set.title, e);
}

static int add_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    return change_add(conn, &x->set, e) < 0 || change_author_add(conn, x->set.uid, x->a->id.s, e) < 0 ? -1 : audit(x, conn, e);
}

static int answer(struct act *x, struct err *e)
{
    return editing_get(x->c, x->a, x->uid, x->r, e);
}

static int add(struct act *x, struct err *e)
{
    struct id128 id;
    id_random(&id);
    snprintf(x->set.uid, sizeof x->set.uid, "%s", id.s);
    snprintf(x->set.source, sizeof x->set.source, "intranet");
    snprintf(x->set.edited_by, sizeof x->set.edited_by, "%s", x->a->id.s);
    x->set.edited_at = x->now;
    x->uid = x->set.uid;
    return db_write(x->c->db, add_write, x, e) < 0 ? -1 : answer(x, e);
}

int editing_add(struct core *c, const struct actor *a, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    struct act x = {.c = c, .a = a, .r = r, .now = now_ms, .name = "draft"};
    if (editing_admin(a, r, e) < 0 || body_take(&x.b, body, " title changes ", r, e) < 0 || well_formed(x.b.changes, c, r, e) < 0)
        return -1;
    title_of(&x.b, c, x.set.title);
    x.set.changes = (json_t *)x.b.changes;
    return add(&x, e);
}

/* The set, in a state that the act is for, and the same version as the one that was looked at. */
static int load(struct act *x, struct db_conn *conn, const char *state, struct err *e)
{
    struct err mine = {0};
    if (change_get(conn, x->uid, &x->set, &mine) < 0)
        return mine.code == ERR_MISSING ? reply_refuse(x->r, e, ERR_MISSING, "no such set", "没有这份改动") : err_set(e, mine.code, "%s", mine.msg);
    const bool decided = x->set.decided_at > x->set.edited_at && x->set.decided_at > x->set.submitted_at;
    const char *who = decided ? x->set.decided_name : x->set.submitted_at > x->set.edited_at ? x->set.submitted_name : x->set.edited_name;
    if (x->b.version != x->set.version)
        return reply_refuse(x->r, e, ERR_CONFLICT, "set changed meanwhile", "%s刚改过这份改动，请刷新后再操作", *who ? who : "别人");
    if (strcmp(x->set.state, state) != 0)
        return reply_refuse(x->r, e, ERR_CONFLICT, "set is in another state", strcmp(x->set.state, "submitted") == 0 ? "这份改动已送审，退回后才能改" : "这份改动现在不能这样操作");
    return 0;
}

static int save_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    if (load(x, conn, "draft", e) < 0)
        return -1;
    json_decref(x->set.changes);
    x->set.changes = json_incref((json_t *)x->b.changes);
    if (*x->b.title)
        snprintf(x->set.title, sizeof x->set.title, "%.240s", x->b.title);
    snprintf(x->set.edited_by, sizeof x->set.edited_by, "%s", x->a->id.s);
    x->set.edited_at = x->now;
    return change_author_add(conn, x->uid, x->a->id.s, e) < 0 || change_save(conn, &x->set, e) < 0 ? -1 : audit(x, conn, e);
}

int editing_save(struct core *c, const struct actor *a, const char *uid, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    struct act x = {.c = c, .a = a, .r = r, .now = now_ms, .uid = uid, .name = "draft"};
    if (editing_admin(a, r, e) < 0 || body_take(&x.b, body, " title changes version ", r, e) < 0 || well_formed(x.b.changes, c, r, e) < 0)
        return -1;
    int rc = db_write(c->db, save_write, &x, e);
    change_clear(&x.set);
    return rc < 0 ? -1 : answer(&x, e);
}

/* ---- submit, return, drop, decline ---- */

static int submit_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    if (load(x, conn, "draft", e) < 0)
        return -1;
    snprintf(x->set.state, sizeof x->set.state, "submitted");
    snprintf(x->set.reason, sizeof x->set.reason, "%s", x->b.reason);
    snprintf(x->set.submitted_by, sizeof x->set.submitted_by, "%s", x->a->id.s);
    x->set.submitted_at = x->now;
    return change_author_add(conn, x->uid, x->a->id.s, e) < 0 || change_save(conn, &x->set, e) < 0 ? -1 : audit(x, conn, e);
}

static int read_set(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    return change_get(conn, x->uid, &x->set, e);
}

/* What the loader would refuse is not handed to a second person to read. */
static int fits(struct act *x, struct err *e)
{
    struct catalogue *next = NULL;
    json_t *findings = NULL;
    struct err mine = {0};
    if (db_read(x->c->db, read_set, x, &mine) < 0)
        return mine.code == ERR_MISSING ? reply_refuse(x->r, e, ERR_MISSING, "no such set", "没有这份改动") : err_set(e, mine.code, "%s", mine.msg);
    int rc = editing_try(&next, &findings, x->c, x->set.changes, catalogue_version(x->c->catalogue) + 1, e);
    if (rc == 0 && json_array_size(x->set.changes) == 0)
        rc = reply_refuse(x->r, e, ERR_INPUT, "no changes", "还没有改动，不能送审");
    else if (rc < 0 && e->code == ERR_INPUT) {
        snprintf(x->r->zh, sizeof x->r->zh, "%s", text_of(json_array_get(findings, 0), "message"));
        x->r->fields = json_incref(findings);
    }
    json_decref(findings);
    catalogue_unref(next);
    change_clear(&x->set);
    return rc;
}

static int back_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    const bool submitted = strcmp(x->name, "return") == 0;
    if (load(x, conn, submitted ? "submitted" : "draft", e) < 0)
        return -1;
    if (strcmp(x->name, "decline") == 0 && strcmp(x->set.source, "internet") != 0)
        return reply_refuse(x->r, e, ERR_CONFLICT, "not a wish of the other side", "只有互联网侧提出的改动可以不采纳");
    snprintf(x->set.state, sizeof x->set.state, "%s", submitted ? "draft" : strcmp(x->name, "drop") == 0 ? "dropped" : "declined");
    snprintf(x->set.answer, sizeof x->set.answer, "%s", x->b.reason);
    snprintf(x->set.decided_by, sizeof x->set.decided_by, "%s", x->a->id.s);
    x->set.decided_at = x->now;
    return change_save(conn, &x->set, e) < 0 ? -1 : audit(x, conn, e);
}

/* ---- release ---- */

static int release_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct act *x = arg;
    bool author = true;
    change_clear(&x->set);
    if (load(x, conn, "submitted", e) < 0 || change_author_is(&author, conn, x->uid, x->a->id.s, e) < 0)
        return -1;
    if (author)
        return reply_refuse(x->r, e, ERR_DENIED, "released by one of its authors", "写过或送审过这份改动的人不能发布，请另一位管理员发布");
    snprintf(x->set.state, sizeof x->set.state, "released");
    snprintf(x->set.decided_by, sizeof x->set.decided_by, "%s", x->a->id.s);
    x->set.decided_at = x->now;
    x->set.released = x->released;
    json_decref(x->set.words);
    x->set.words = json_incref((json_t *)x->words);
    return change_save(conn, &x->set, e) < 0 ? -1 : audit(x, conn, e);
}

/* The number after ours; after that of the other side when it is ahead (our database was put back): a number never has two contents there. */
static uint32_t next_number(struct core *c)
{
    struct delivery_state s = {0};
    uint64_t last = catalogue_version(c->catalogue);
    if (c->delivery)
        delivery_health(c->delivery, &s);
    if (s.peer_config > last && s.peer_config < INT32_MAX)
        last = s.peer_config;
    return (uint32_t)last + 1;
}

static int release_held(struct act *x, struct err *e)
{
    struct catalogue *next = NULL;
    json_t *findings = NULL, *words = NULL;
    const uint32_t now = catalogue_version(x->c->catalogue);
    if (x->b.base != (int64_t)now)
        return reply_refuse(x->r, e, ERR_CONFLICT, "another version was released meanwhile", "刚发布了新的版本 v%u，请对照新的内容再核对一遍", now);
    if (db_read(x->c->db, read_set, x, e) < 0)
        return reply_refuse(x->r, e, e->code, e->msg, "没有这份改动");
    if (x->set.version != x->b.version)      /* what is tried and published is what the write below finds, and what was looked at */
        return reply_refuse(x->r, e, ERR_CONFLICT, "set changed meanwhile", "这份改动刚改过，请刷新后再操作");
    const uint32_t number = next_number(x->c);
    x->released = number;
    int rc = editing_try(&next, &findings, x->c, x->set.changes, number, e);
    if (rc == 0) {
        x->words = words = changes_words(x->set.changes, x->c->catalogue, next);
        rc = publish_next(x->c, next, release_write, x, x->now, e);
        if (rc == 0)
            next = NULL;
    } else if (e->code == ERR_INPUT) {
        snprintf(x->r->zh, sizeof x->r->zh, "%s", text_of(json_array_get(findings, 0), "message"));
        x->r->fields = json_incref(findings);
    }
    json_decref(words);
    json_decref(findings);
    catalogue_unref(next);
    change_clear(&x->set);
    return rc;
}

int editing_act(struct core *c, const struct actor *a, const char *uid, const char *act, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    static const struct { const char *name, *keys; db_fn write; } acts[] = {
        {"submit", " version reason ", submit_write}, {"release", " version base ", NULL}, {"return", " version reason ", back_write},
        {"drop", " version ", back_write}, {"decline", " version reason ", back_write}};
    struct act x = {.c = c, .a = a, .r = r, .now = now_ms, .uid = uid, .name = act};
    size_t i = 0;
    while (i < sizeof acts / sizeof acts[0] && strcmp(acts[i].name, act) != 0)
        i++;
    if (editing_admin(a, r, e) < 0)
        return -1;
    if (i == sizeof acts / sizeof acts[0])
        return reply_refuse(r, e, ERR_MISSING, "no such act", "没有这份改动");
    if (body_take(&x.b, body, acts[i].keys, r, e) < 0 || (i == 0 && fits(&x, e) < 0))
        return -1;
    int rc;
    if (acts[i].write) {
        rc = db_write(c->db, acts[i].write, &x, e);
    } else {
        releases_hold(c->releases);
        rc = release_held(&x, e);
        releases_let_go(c->releases);
    }
    change_clear(&x.set);
    if (rc < 0 && e->code == ERR_DENIED)     /* an author who tries to release is known afterwards */
        core_audit_now(c, a, now_ms, "change_release", uid, "denied", &(struct err){0});
    return rc < 0 ? -1 : answer(&x, e);
}

int editing_restore(struct core *c, const struct actor *a, const char *version, int64_t now_ms, struct reply *r, struct err *e)
{
    struct act x = {.c = c, .a = a, .r = r, .now = now_ms, .name = "restore"};
    struct err mine = {0};
    uint64_t n;
    json_t *then = NULL, *now = NULL;
    if (editing_admin(a, r, e) < 0)
        return -1;
    if (parse_u64(version, 1, catalogue_version(c->catalogue), &n, "version", &mine) < 0)
        return reply_refuse(r, e, ERR_MISSING, "no such version", "没有这个版本");
    int rc = releases_overrides(&then, c->db, (int64_t)n, e) < 0 || releases_overrides(&now, c->db, 0, e) < 0 ? -1 : 0;
    x.set.changes = rc == 0 ? changes_between(now, then) : NULL;
    json_decref(then);
    json_decref(now);
    x.set.restores = (int64_t)n;
    snprintf(x.set.title, sizeof x.set.title, "恢复到 v%llu", (unsigned long long)n);
    if (rc == 0 && json_array_size(x.set.changes) == 0)
        rc = reply_refuse(r, e, ERR_CONFLICT, "nothing to restore", "现在的配置与 v%llu 相同，不用恢复", (unsigned long long)n);
    json_t *changes = x.set.changes;
    if (rc == 0)
        rc = add(&x, e);
    json_decref(changes);
    return rc;
}
