/* test_intranet_editing.c - the configuration edited: what may be changed, laid over the base, released by two persons, brought back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "intranet-side/domain/change.h"
#include "intranet-side/service/editing.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/service/releases.h"
#include "tests/unit/intranet_world.h"

static struct catalogue *first;          /* the world's, put aside while releases are in force */
static struct actor second;

static int setup(void **state)
{
    struct world *w = world_open();
    struct err e = {0};
    *state = w;
    first = w->c.catalogue;
    snprintf(w->c.schema_dir, sizeof w->c.schema_dir, "%s/schemas", SOURCE_DIR);
    snprintf(w->c.bundle_dir, sizeof w->c.bundle_dir, "%s", scratch_path(&w->dir, "released"));
    must(folder_make(w->c.bundle_dir, 0700, &e), &e);
    must(releases_open(&w->c.releases, &w->c, &e), &e);
    struct world_person p = {w, &second, "admin_b", "顾明远", "admin", "340700000000"};
    must(db_write(w->c.db, world_officer_write, &p, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    releases_close(w->c.releases);
    w->c.releases = NULL;
    w->c.catalogue = first;
    world_close(w);
    return 0;
}

static json_t *parsed(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!v)
        fail_msg("not JSON: %s", text);
    return v;
}

static json_t *draft(struct world *w, const struct actor *a, const char *changes)
{
    struct reply r = {0};
    struct err e = {0};
    json_t *body = json_pack("{s:o}", "changes", parsed(changes));
    must(editing_add(&w->c, a, body, ++w->now, &r, &e), &e);
    json_decref(body);
    return r.body;
}

/* The act with the set's version and the version in force; returns the code, keeps the sentence. */
static char said[384];
static enum err_code acts(struct world *w, const struct actor *a, json_t **set, const char *act, const char *reason)
{
    struct reply r = {0};
    struct err e = {0};
    char id[33];
    snprintf(id, sizeof id, "%s", text_of(*set, "id"));
    json_t *body = json_pack("{s:O}", "version", json_object_get(*set, "version"));
    if (reason)
        json_object_set_new(body, "reason", json_string(reason));
    if (strcmp(act, "release") == 0)
        json_object_set_new(body, "base", json_integer(catalogue_version(w->c.catalogue)));
    const int rc = editing_act(&w->c, a, id, act, body, ++w->now, &r, &e);
    snprintf(said, sizeof said, "%s", r.zh);
    json_decref(body);
    if (rc == 0) {
        json_decref(*set);
        *set = json_incref(r.body);
    }
    reply_clear(&r);
    return rc == 0 ? ERR_NONE : e.code;
}

static void released(struct world *w, const char *changes)
{
    json_t *s = draft(w, &w->admin, changes);
    assert_int_equal(acts(w, &w->admin, &s, "submit", "本市口径"), ERR_NONE);
    if (acts(w, &second, &s, "release", NULL) != ERR_NONE)
        fail_msg("release: %s", said);
    assert_string_equal(text_of(s, "state"), "released");
    json_decref(s);
}

static const char *plain(struct world *w, const char *code)
{
    return text_of(catalogue_item(w->c.catalogue, code)->json, "plain_name");
}
#define RENAME_ITEM(to) "[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"" to "\"}]"

/* ADM-01, CIT-05: a text is changed, another person releases it, the next number has it and the earlier one keeps its own. */
static void test_release(void **state)
{
    struct world *w = *state;
    const struct catalogue *before = w->c.catalogue;
    const uint32_t n = catalogue_version(before);
    json_t *s = draft(w, &w->admin, RENAME_ITEM("宝宝落户（跟妈妈）")), *word = json_array_get(json_object_get(s, "words"), 0);
    assert_string_equal(text_of(s, "title"), "给宝宝上户口（跟妈妈）");
    assert_string_equal(text_of(word, "before"), "给宝宝上户口（跟妈妈）");
    assert_string_equal(text_of(word, "after"), "宝宝落户（跟妈妈）");
    assert_string_equal(text_of(word, "label"), "名称");
    assert_string_equal(plain(w, "HJ001"), "给宝宝上户口（跟妈妈）");
    assert_int_equal(acts(w, &w->admin, &s, "submit", "群众看不懂原名"), ERR_NONE);
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_NONE);
    assert_int_equal(json_integer_value(json_object_get(s, "released")), n + 1);
    assert_int_equal(catalogue_version(w->c.catalogue), n + 1);
    assert_string_equal(plain(w, "HJ001"), "宝宝落户（跟妈妈）");
    assert_string_equal(text_of(catalogue_item(before, "HJ001")->json, "plain_name"), "给宝宝上户口（跟妈妈）");      /* whoever holds the old one reads on */
    assert_ptr_equal(releases_version(&w->c, n), before);
    assert_ptr_equal(releases_version(&w->c, n + 1), w->c.catalogue);
    assert_null(releases_version(&w->c, n + 2));
    json_decref(s);
}

/* FRY-15: nobody releases what he wrote or submitted; not in the service, and not past it in the database. */
struct forced { const char *uid, *officer; };
static int force(struct db_conn *conn, void *arg, struct err *e)
{
    struct forced *f = arg;
    struct change_set s;
    struct configuration_row row = {.version = 900, .published = 1};
    if (change_get(conn, f->uid, &s, e) < 0 || configuration_add(conn, &row, e) < 0)
        return -1;
    snprintf(s.state, sizeof s.state, "released");
    snprintf(s.decided_by, sizeof s.decided_by, "%s", f->officer);
    s.released = 900;
    int rc = change_save(conn, &s, e);
    change_clear(&s);
    return rc;
}

struct denied { const char *officer; int64_t n; };
static int denied_count(struct db_conn *conn, void *arg, struct err *e)
{
    struct denied *d = arg;
    return audit_count(conn, d->officer, "change_release", 0, &d->n, e);
}

static void test_two_persons(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    json_t *s = draft(w, &w->admin, RENAME_ITEM("甲"));
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_CONFLICT);            /* not submitted */
    assert_int_equal(acts(w, &w->admin, &s, "submit", ""), ERR_INPUT);
    assert_non_null(strstr(said, "请写明原因"));
    assert_int_equal(acts(w, &w->admin, &s, "submit", "理由"), ERR_NONE);
    assert_int_equal(acts(w, &w->admin, &s, "release", NULL), ERR_DENIED);
    assert_non_null(strstr(said, "请另一位管理员发布"));
    struct denied tried = {w->admin.id.s, 0};                                         /* SEC-13: and is known to have tried */
    must(db_read(w->c.db, denied_count, &tried, &e), &e);
    assert_int_equal(tried.n, 1);
    assert_int_equal(acts(w, &w->officer, &s, "release", NULL), ERR_DENIED);
    struct forced f = {text_of(s, "id"), w->admin.id.s};
    assert_int_equal(db_write(w->c.db, force, &f, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    /* returned with a reason, mended by the second, submitted by the first: the second is an author now */
    assert_int_equal(acts(w, &second, &s, "return", "写清楚"), ERR_NONE);
    assert_string_equal(text_of(s, "answer"), "写清楚");
    struct reply r = {0};
    json_t *body = json_pack("{s:O, s:o}", "version", json_object_get(s, "version"), "changes", parsed(RENAME_ITEM("乙")));
    memset(&e, 0, sizeof e);
    must(editing_save(&w->c, &second, text_of(s, "id"), body, ++w->now, &r, &e), &e);
    json_decref(body);
    json_decref(s);
    s = r.body;
    assert_int_equal(acts(w, &w->admin, &s, "submit", "改好了"), ERR_NONE);
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_DENIED);
    f = (struct forced){text_of(s, "id"), second.id.s};
    memset(&e, 0, sizeof e);
    assert_int_equal(db_write(w->c.db, force, &f, &e), -1);                            /* the table says it too */
    assert_int_equal(e.code, ERR_CONFLICT);
    json_decref(s);
}

static int vandal(struct db_conn *conn, void *arg, struct err *e)
{
    struct change_set s;
    if (change_get(conn, arg, &s, e) < 0)
        return -1;
    snprintf(s.title, sizeof s.title, "别的");
    int rc = change_save(conn, &s, e);
    change_clear(&s);
    return rc;
}

/* History: a released set is not altered; who saves over another's work is told whose. */
static void test_kept_and_concurrent(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct reply r = {0};
    json_t *s = draft(w, &w->admin, RENAME_ITEM("甲"));
    json_t *body = json_pack("{s:O, s:o}", "version", json_object_get(s, "version"), "changes", parsed(RENAME_ITEM("乙")));
    must(editing_save(&w->c, &second, text_of(s, "id"), body, ++w->now, &r, &e), &e);
    reply_clear(&r);
    assert_int_equal(editing_save(&w->c, &w->admin, text_of(s, "id"), body, ++w->now, &r, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(r.zh, "顾明远刚改过这份改动，请刷新后再操作");
    reply_clear(&r);
    json_decref(body);
    json_decref(s);
    s = draft(w, &w->admin, RENAME_ITEM("丙"));
    assert_int_equal(acts(w, &w->admin, &s, "submit", "理由"), ERR_NONE);
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_NONE);
    char id[33];
    snprintf(id, sizeof id, "%s", text_of(s, "id"));
    memset(&e, 0, sizeof e);
    assert_int_equal(db_write(w->c.db, vandal, id, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    json_decref(s);
}

/* A version that was released after the second person read the set: he reads it again. */
static void test_base(void **state)
{
    struct world *w = *state;
    json_t *one = draft(w, &w->admin, RENAME_ITEM("一")), *two = draft(w, &w->admin, RENAME_ITEM("二"));
    struct reply r = {0};
    struct err e = {0};
    assert_int_equal(acts(w, &w->admin, &one, "submit", "理由"), ERR_NONE);
    assert_int_equal(acts(w, &w->admin, &two, "submit", "理由"), ERR_NONE);
    json_t *body = json_pack("{s:O, s:i}", "version", json_object_get(two, "version"), "base", (int)catalogue_version(w->c.catalogue));
    assert_int_equal(acts(w, &second, &one, "release", NULL), ERR_NONE);
    assert_int_equal(editing_act(&w->c, &second, text_of(two, "id"), "release", body, ++w->now, &r, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(r.zh, "刚发布了新的版本"));
    reply_clear(&r);
    json_decref(body);
    assert_int_equal(acts(w, &second, &two, "release", NULL), ERR_NONE);
    assert_string_equal(plain(w, "HJ001"), "二");
    json_decref(one);
    json_decref(two);
}

/* Roll-back is a new version with the old content; a restart comes to the same catalogue. */
static void test_restore_and_restart(void **state)
{
    struct world *w = *state;
    struct reply r = {0};
    struct err e = {0};
    char version[16];
    const uint32_t n = catalogue_version(w->c.catalogue);
    released(w, RENAME_ITEM("甲"));
    released(w, "[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"乙\"},{\"region\":\"340797\",\"item\":\"HJ025\",\"path\":\"channels.appointment\",\"value\":false}]");
    assert_false(catalogue_item_in(w->c.catalogue, "HJ025", "340797")->appointment);
    assert_true(catalogue_item(w->c.catalogue, "HJ025")->appointment);
    snprintf(version, sizeof version, "%u", n + 1);
    must(editing_restore(&w->c, &w->admin, version, ++w->now, &r, &e), &e);
    json_t *s = r.body;
    assert_int_equal(json_array_size(json_object_get(s, "changes")), 2);
    assert_int_equal(json_integer_value(json_object_get(s, "restores")), n + 1);
    assert_int_equal(acts(w, &w->admin, &s, "submit", "改错了"), ERR_NONE);
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_NONE);
    json_decref(s);
    assert_int_equal(catalogue_version(w->c.catalogue), n + 3);
    assert_string_equal(plain(w, "HJ001"), "甲");
    assert_true(catalogue_item_in(w->c.catalogue, "HJ025", "340797")->appointment);
    memset(&r, 0, sizeof r);
    memset(&e, 0, sizeof e);
    assert_int_equal(editing_restore(&w->c, &w->admin, version, ++w->now, &r, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(r.zh, "不用恢复"));
    reply_clear(&r);
    struct catalogue *again = NULL;
    memset(&e, 0, sizeof e);
    must(publish_catalogue(&again, w->c.db, w->c.schema_dir, &e), &e);
    assert_int_equal(catalogue_version(again), n + 3);
    assert_true(hash_equal(catalogue_hash(again), catalogue_hash(w->c.catalogue)));
    catalogue_unref(again);
}

struct wrong { const char *changes, *field, *message; };

/* ADM-01, WIN-03: what may not be, each named at its place in Chinese; a set that the loader refuses cannot be submitted. */
static void test_refused(void **state)
{
#define C(item, path, value) "[{\"region\":\"\",\"item\":\"" item "\",\"path\":\"" path "\",\"value\":" value "}]"
#define PAPER(more) "[{\"no\":1,\"name\":\"甲\",\"requirement\":\"required\"" more "}]"
    static const struct wrong rows[] = {
        {C("HJ001", "plain_name", "\"\""), "HJ001/plain_name", "请填写名称"},
        {C("HJ001", "plain_name", "7"), "HJ001/plain_name", "名称要写成文字"},
        {C("HJ001", "plain_name", "null"), "HJ001/plain_name", "名称要写成文字"},
        {C("HJ001", "plain_name", "\"一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一\""), "HJ001/plain_name", "最多 40 个字，现在 41 个"},
        {C("HJ001", "plain_name", "\"a\\u0007b\""), "HJ001/plain_name", "不能保存的字符"},
        {C("HJ001", "steps", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]"), "HJ001/steps", "最多 5 条，现在 6 条"},
        {C("HJ001", "steps", "\"1\""), "HJ001/steps", "一条一条"},
        {C("HJ001", "notices", "[\"\"]"), "HJ001/notices", "请填写注意事项"},
        {C("HJ001", "online_open", "\"yes\""), "HJ001/online_open", "只能是开或关"},
        {C("HJ001", "flow", "\"move_in\""), "HJ001/flow", "这里不能改"},
        {C("HJ001", "code", "\"HJ002\""), "HJ001/code", "这里不能改"},
        {C("HJ999", "plain_name", "\"甲\""), "HJ999/plain_name", "没有这一项"},
        {C("form:birth", "fields.nothing.ask", "\"甲\""), "form:birth/fields.nothing.ask", "没有这一项"},
        {C("form:nothing", "fields.a.ask", "\"甲\""), "form:nothing/fields.a.ask", "没有这一项"},
        {C("form:birth", "fields.child_name.type", "\"date\""), "form:birth/fields.child_name.type", "这里不能改"},
        {C("form:birth", "fields.child_name.required_when", "[{\"field\":\"x\"}]"), "form:birth/fields.child_name.required_when", "没有选字段"},
        {C("form:birth", "fields.child_name.required_when", "[{\"field\":\"in_wedlock\",\"in\":[]}]"), "form:birth/fields.child_name.required_when", "没有选值"},
        {C("form:birth", "fields.child_name.visible_when", "[{\"field\":\"nobody\",\"in\":[\"1\"]}]"), "form:birth/fields.child_name", "条件里的字段不在这张表单里"},
        {C("form:birth", "fields.child_gender.allow", "[\"7\"]"), "form:birth/fields.child_gender", "代码表没有"},
        {C("guide", "nodes.nothing.answers.0.label", "\"甲\""), "guide/nodes.nothing.answers.0.label", "没有这一项"},
        {C("HJ001", "materials", "{}"), "HJ001/materials", "材料最多"},
        {C("HJ001", "materials", "[{\"no\":2,\"name\":\"甲\",\"requirement\":\"required\"}]"), "HJ001/materials/1", "编号不对"},
        {C("HJ001", "materials", "[{\"no\":1,\"name\":\"\",\"requirement\":\"required\"}]"), "HJ001/materials/1", "请填写材料 1"},
        {C("HJ001", "materials", PAPER(",\"script\":\"x\"")), "HJ001/materials/1", "不认识的内容"},
        {C("HJ001", "materials", "[{\"no\":1,\"name\":\"甲\",\"requirement\":\"conditional\"}]"), "HJ001/materials/1", "请写明什么情况要"},
        {C("HJ001", "materials", "[{\"no\":1,\"name\":\"甲\",\"requirement\":\"conditional\",\"condition\":\"有的话\"}]"), "HJ001/materials/1", "由系统判断"},
        {C("HJ001", "materials", "[{\"no\":1,\"name\":\"甲\",\"requirement\":\"perhaps\"}]"), "HJ001/materials/1", "不符合配置规则"},
        {C("HJ001", "materials", "[{\"no\":1,\"name\":\"甲\",\"requirement\":\"one_of\",\"group\":\"A\"}]"), "HJ001/materials/1", "至少要有两份"},
        {"[{\"region\":\"340797\",\"item\":\"form:birth\",\"path\":\"fields.child_name.ask\",\"value\":\"甲\"}]", "form:birth/fields.child_name.ask", "不能按县区"},
        {"[{\"region\":\"110000\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"甲\"}]", "HJ001/plain_name", "没有这个县区"},
        {"[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\"}]", "HJ001/plain_name", "要么"},
        {"[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"甲\",\"reset\":true}]", "HJ001/plain_name", "要么"},
        {"[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"甲\"},{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"乙\"}]", "HJ001/plain_name", "改了两次"},
        {"[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"甲\",\"by\":\"x\"}]", "HJ001/plain_name", "不认识"},
        {"[7]", "changes", "内容不对"}, {"{}", "changes", "内容不对"},
        {C("guide", "nodes.birth.place.answers.00.label", "\"甲\""), "guide/nodes.birth.place.answers.00.label", "这里不能改"},
        {C("guide", "nodes.birth.place.answers.-1.label", "\"甲\""), "guide/nodes.birth.place.answers.-1.label", "这里不能改"},
        {C("guide", "nodes.birth.place.start", "\"甲\""), "guide/nodes.birth.place.start", "这里不能改"},
        /* Cut within a character, the place is still told: a finding that cannot be said would be none (SEC-13). */
        {C("一二三四五六七八九十一二三四五六七八九十abc", "plain_name", "\"甲\""), "", "没有这一项"},
        {C("HJ001", "a一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五", "\"甲\""), "", "这里不能改"},
        {C("form:birth", "fields.child_name.visible_when",
           "[{\"field\":\"abcde一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十\",\"in\":[\"1\"]}]"), "form:birth/fields.child_name", "条件里的字段不在这张表单里"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct catalogue *next = NULL;
        struct err e = {0};
        json_t *changes = parsed(rows[i].changes), *found = changes_findings(changes, w->c.catalogue);
        if (json_array_size(found) == 0) {
            json_t *all = changes_merge(NULL, changes);
            if (changes_apply(&next, releases_base(w->c.releases), all, 2, &e) == 0)
                fail_msg("%s: accepted", rows[i].changes);
            json_array_append_new(found, changes_refusal(&e));
            json_decref(all);
        }
        const json_t *f = json_array_get(found, 0);
        assert_non_null(f);
        if ((*rows[i].field && strcmp(text_of(f, "field"), rows[i].field) != 0) || !*text_of(f, "field") || !strstr(text_of(f, "message"), rows[i].message))
            fail_msg("%s: want %s \"%s\", have %s \"%s\" (%s)", rows[i].changes, rows[i].field, rows[i].message, text_of(f, "field"), text_of(f, "message"), e.msg);
        json_decref(found);
        json_decref(changes);
    }
    json_t *s = draft(w, &w->admin, C("form:birth", "fields.child_gender.allow", "[\"7\"]"));
    assert_int_equal(json_array_size(json_object_get(s, "findings")), 1);
    assert_int_equal(acts(w, &w->admin, &s, "submit", "理由"), ERR_INPUT);
    assert_non_null(strstr(said, "代码表没有"));
    json_decref(s);
}

/* CIT-04, CIT-18, CIT-19: switched off in the city and on in one district by data alone; the extras join the list in the same way. */
static void test_switch_on(void **state)
{
    struct world *w = *state;
    released(w, "[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"online_open\",\"value\":false},"
                "{\"region\":\"340799\",\"item\":\"HJ001\",\"path\":\"online_open\",\"value\":true},"
                "{\"region\":\"\",\"item\":\"HX001\",\"path\":\"enabled\",\"value\":true},"
                "{\"region\":\"\",\"item\":\"HJ083\",\"path\":\"channels.window\",\"value\":false}]");
    assert_true(catalogue_item_in(w->c.catalogue, "HJ001", "340799")->online_open);
    assert_false(catalogue_item_in(w->c.catalogue, "HJ001", "340797")->online_open);
    assert_false(catalogue_item(w->c.catalogue, "HJ001")->online_open);
    assert_true(catalogue_item(w->c.catalogue, "HX001")->enabled);
    assert_false(catalogue_item(w->c.catalogue, "HJ083")->window);
    assert_true(catalogue_item(w->c.catalogue, "HJ083")->appointment == catalogue_item(releases_base(w->c.releases), "HJ083")->appointment);
}

/* WIN-03: a form's question, whether it must be answered and its values, changed without programming; words tell it as people read it. */
static void test_form(void **state)
{
    struct world *w = *state;
    released(w, "[{\"region\":\"\",\"item\":\"form:birth\",\"path\":\"fields.child_name.ask\",\"value\":\"宝宝叫什么\"},"
                "{\"region\":\"\",\"item\":\"form:birth\",\"path\":\"fields.child_name.hint\",\"value\":null},"
                "{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"facts.duration\",\"value\":\"2 个工作日\"}]");
    assert_string_equal(family_field(catalogue_family(w->c.catalogue, "birth"), "child_name")->ask, "宝宝叫什么");
    const json_t *facts = json_object_get(catalogue_item(w->c.catalogue, "HJ001")->json, "facts");
    assert_string_equal(text_of(facts, "duration"), "2 个工作日");
    assert_true(*text_of(facts, "fee") != '\0');                       /* the other members stay */
    struct reply r = {0};
    struct err e = {0};
    must(editing_list(&w->c, &w->admin, &r, &e), &e);
    const json_t *words = json_object_get(json_array_get(json_object_get(r.body, "done"), 0), "words");
    assert_true(json_array_size(words) >= 2);
    reply_clear(&r);
}

/* MAT-05: a case keeps the list it was begun with, also after a restart that knows the version only from its folder. */
static void test_case_keeps_version(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    json_t *seen = see(w, &w->officer, a->no);
    const size_t papers = json_array_size(json_object_get(seen, "materials"));
    json_decref(seen);
    json_t *list = json_deep_copy(json_object_get(catalogue_item(w->c.catalogue, "HJ025")->json, "materials"));
    json_object_set_new(json_array_get(list, 0), "name", json_string("换了名字的材料"));
    json_t *changes = json_pack("[{s:s, s:s, s:s, s:o}]", "region", "340799", "item", "HJ025", "path", "materials", "value", list);
    char *text = json_dumps(changes, 0);
    released(w, text);
    free(text);
    json_decref(changes);
    assert_string_equal(catalogue_item_in(w->c.catalogue, "HJ025", "340799")->materials[0].name, "换了名字的材料");
    seen = see(w, &w->officer, a->no);
    assert_int_equal(json_array_size(json_object_get(seen, "materials")), papers);
    char *shown = json_dumps(seen, 0);
    assert_null(strstr(shown, "换了名字的材料"));
    free(shown);
    json_decref(seen);
    app_free(a);
}

struct reading { struct core *c; atomic_bool stop; unsigned n; };
static void *read_on(void *arg)
{
    struct reading *x = arg;
    while (!x->stop) {
        const struct catalogue *cat = x->c->catalogue;
        const struct item *it = catalogue_item(cat, "HJ001");
        x->n += it && *text_of(it->json, "plain_name") && releases_version(x->c, catalogue_version(cat)) == cat;
    }
    return NULL;
}

/* Switched while others read: each sees one version whole, and what he holds stays (run under the sanitizers). */
static void test_switch_while_read(void **state)
{
    struct world *w = *state;
    struct reading x = {.c = &w->c};
    pthread_t t;
    char text[160];
    assert_int_equal(pthread_create(&t, NULL, read_on, &x), 0);
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, RENAME_ITEM("第 %d 个名字"), i);
        released(w, text);
    }
    x.stop = true;
    pthread_join(t, NULL);
    assert_true(x.n > 0);
    assert_string_equal(plain(w, "HJ001"), "第 4 个名字");
}

/* A base without the place of a released change stops the start in words. */
static void test_base_without_place(void **state)
{
    struct world *w = *state;
    struct catalogue *next = NULL;
    struct err e = {0};
    json_t *all = json_pack("{s:s}", "/form:birth/fields.gone.ask", "甲");
    (void)state;
    assert_int_equal(changes_apply(&next, releases_base(w->c.releases), all, 2, &e), -1);
    assert_string_equal(e.msg, "change form:birth fields.gone.ask: want a place of the base, have none");
    json_decref(all);
}

static void wish_xml(struct buf *out, const char *change)
{
    struct xml_out x;
    struct err e = {0};
    json_t *k = *change ? parsed(change) : NULL;
    xml_begin(&x, "configuration-wish", "urn:hz:record:1");
    xml_attr(&x, "asked", "2026-11-20T01:00:00Z");
    xml_attr_int(&x, "config", 1);
    xml_open(&x, "title");
    xml_text(&x, "省平台停办");
    xml_close(&x);
    xml_open(&x, "text");
    xml_text(&x, "省统一平台今天起关闭了这一项");
    xml_close(&x);
    if (k) {
        char *value = json_dumps(json_object_get(k, "value"), JSON_ENCODE_ANY);
        xml_open(&x, "change");
        xml_attr(&x, "region", "");
        xml_attr(&x, "item", text_of(k, "item"));
        xml_attr(&x, "path", text_of(k, "path"));
        xml_text(&x, value);
        xml_close(&x);
        free(value);
        json_decref(k);
    }
    must(xml_end(&x, &e), &e);
    *out = x.out;
}

static const char *wishes(struct world *w, const char *id, const char *no, const char *change, struct err *why)
{
    struct buf xml;
    wish_xml(&xml, change);
    const char *word = arrive(w, "configuration-wish", no, id, "", buf_bytes(&xml), why);
    buf_clear(&xml);
    return word;
}
#define OFF "{\"item\":\"HJ001\",\"path\":\"online_open\",\"value\":false}"

/* WFL-14: in December the next year's holidays have to be there, else every term is counted wrong; the administrator is told. */
static void test_calendar_runs_out(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    static const struct { const char *at, *says; } rows[] = {
        {"2026-11-30T04:00:00Z", NULL}, {"2026-11-30T16:00:00Z", "2027 年的放假安排"}, {"2027-02-01T04:00:00Z", "2027 年的放假安排"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *notices = json_array();
        int64_t at;
        must(clock_parse_rfc3339(&at, rows[i].at, &e), &e);
        must(editing_notices(&w->c, &w->admin, notices, at, &e), &e);
        assert_int_equal(json_array_size(notices), rows[i].says ? 1 : 0);
        if (rows[i].says)
            assert_non_null(strstr(text_of(json_array_get(notices, 0), "text"), rows[i].says));
        json_decref(notices);
    }
}

/* IMP-07, ADM-02, FRY-15: what the other side wants becomes a draft and a prompt, and takes two persons here; or it is declined with a reason. */
static void test_wish(void **state)
{
    struct world *w = *state;
    struct err why;
    struct reply r = {0};
    struct err e = {0};
    static const char id[] = "00112233445566778899aabbccddee01", other[] = "00112233445566778899aabbccddee02";
    assert_string_equal(wishes(w, id, "", OFF, &why), "applied");
    assert_string_equal(wishes(w, id, "", OFF, &why), "applied");        /* the same again is one draft */
    assert_string_equal(wishes(w, other, "", "", &why), "applied");
    json_t *notices = json_array();
    must(editing_notices(&w->c, &w->admin, notices, w->now, &e), &e);
    assert_string_equal(text_of(json_array_get(notices, 0), "text"), "互联网侧提出 2 份配置改动，请处理");
    json_decref(notices);
    notices = json_array();
    must(editing_notices(&w->c, &w->officer, notices, w->now, &e), &e);
    assert_int_equal(json_array_size(notices), 0);
    json_decref(notices);
    must(editing_get(&w->c, &w->admin, id, &r, &e), &e);
    json_t *s = r.body;
    assert_string_equal(text_of(s, "source"), "internet");
    assert_string_equal(text_of(s, "wish"), "省统一平台今天起关闭了这一项");
    assert_string_equal(text_of(json_array_get(json_object_get(s, "words"), 0), "after"), "关");
    assert_true(catalogue_item(w->c.catalogue, "HJ001")->online_open);
    assert_int_equal(acts(w, &w->admin, &s, "submit", "核实无误"), ERR_NONE);
    assert_int_equal(acts(w, &w->admin, &s, "release", NULL), ERR_DENIED);
    assert_int_equal(acts(w, &second, &s, "release", NULL), ERR_NONE);
    assert_false(catalogue_item(w->c.catalogue, "HJ001")->online_open);
    json_decref(s);
    memset(&r, 0, sizeof r);
    must(editing_get(&w->c, &w->admin, other, &r, &e), &e);
    s = r.body;
    assert_int_equal(acts(w, &w->admin, &s, "submit", "空的"), ERR_INPUT);
    assert_int_equal(acts(w, &w->admin, &s, "decline", ""), ERR_INPUT);
    assert_int_equal(acts(w, &w->admin, &s, "decline", "省厅已恢复"), ERR_NONE);
    assert_string_equal(text_of(s, "state"), "declined");
    json_decref(s);
    s = draft(w, &w->admin, RENAME_ITEM("甲"));
    assert_int_equal(acts(w, &w->admin, &s, "decline", "不是外面提的"), ERR_CONFLICT);
    assert_int_equal(acts(w, &w->admin, &s, "drop", NULL), ERR_NONE);
    json_decref(s);
}

/* WIN-03: the guide's questions are edited by the ids they really have, with dots. */
static void test_guide(void **state)
{
    struct world *w = *state;
    released(w, "[{\"region\":\"\",\"item\":\"guide\",\"path\":\"nodes.birth.place.question\",\"value\":\"孩子在哪儿生的？\"},"
                "{\"region\":\"\",\"item\":\"guide\",\"path\":\"nodes.birth.place.answers.1.label\",\"value\":\"台湾省\"}]");
    json_t *d = catalogue_document(w->c.catalogue);
    assert_string_equal(json_string_value(changes_value(d, "", "guide", "nodes.birth.place.question")), "孩子在哪儿生的？");
    assert_string_equal(json_string_value(changes_value(d, "", "guide", "nodes.birth.place.answers.1.label")), "台湾省");
    json_decref(d);
}

static void test_wish_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{\"item\":\"HJ001\",\"path\":\"flow\",\"value\":\"x\"}", "这里不能改"}, {"{\"item\":\"HJ999\",\"path\":\"online_open\",\"value\":true}", "没有这一项"},
        {"{\"item\":\"HJ001\",\"path\":\"online_open\",\"value\":1}", "只能是开或关"}, {"{\"item\":\"../etc\",\"path\":\"x\",\"value\":1}", "这里不能改"}};
    struct world *w = *state;
    struct err why;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_string_equal(wishes(w, "00112233445566778899aabbccddee03", "", bad[i][0], &why), "refused");
        if (!strstr(why.msg, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], why.msg);
    }
    struct err e;
    /* Titles are shown as they stand: no longer than on the other side, and nothing that cannot be shown (SEC-13). */
    static const char *const titles[] = {"", "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一", "a\xe2\x80\xae b"};
    for (size_t i = 0; i < 3; i++) {
        char xml[900];
        snprintf(xml, sizeof xml, "<configuration-wish xmlns=\"urn:hz:record:1\" asked=\"2026-11-23T01:02:03Z\" config=\"1\"><title>%s</title><text>t</text></configuration-wish>", titles[i]);
        assert_string_equal(arrive(w, "configuration-wish", "", "00112233445566778899aabbccddee03", "", bytes_of(xml), &e), "refused");
    }
    assert_string_equal(arrive(w, "configuration-wish", "", "00112233445566778899aabbccddee03", "", bytes_of("<x/>"), &e), "refused");
    assert_string_equal(wishes(w, "00112233445566778899aabbccddee03", "3407990000000018", OFF, &why), "refused");
}

/* SEC-18: what a gone-mad other side reports: a day that would never be dropped, words that may be somebody's number, no words. */
static void test_report_refused(void **state)
{
    static const char *const bad[][3] = {{"9999-12-31", "给小猫上户口", "1"}, {"2026-02-30", "给小猫上户口", "1"}, {"2026-09-01", "123456", "1"}, {"2026-09-01", "a\xe2\x80\xae b", "1"},
                                         {"2026-09-01", "a", "1"}, {"2026-09-01", "给小猫上户口", "0"}, {"2026-09-01", "给小猫上户口", "1000001"}};
    struct world *w = *state;
    struct err e;
    char xml[400];
    w->now = 1795400000000;                  /* 2026-11-23 */
    for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
        const char *const *v = i ? bad[i - 1] : (const char *const[]){"2026-11-22", "给小猫上户口", "1"};
        snprintf(xml, sizeof xml, "<search-report xmlns=\"urn:hz:record:1\" day=\"%s\"><search text=\"%s\" count=\"%s\"/></search-report>", v[0], v[1], v[2]);
        const char *word = arrive(w, "search-report", "", "00112233445566778899aabbccddee04", "", bytes_of(xml), &e);
        if (strcmp(word, i ? "refused" : "applied") != 0)
            fail_msg("%s %s %s: %s %s", v[0], v[1], v[2], word, e.msg);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_release), T(test_two_persons), T(test_kept_and_concurrent), T(test_base), T(test_restore_and_restart), T(test_refused), T(test_switch_on),
                                       T(test_form), T(test_case_keeps_version), T(test_switch_while_read), T(test_base_without_place),
                                       T(test_calendar_runs_out), T(test_wish), T(test_guide), T(test_wish_refused), T(test_report_refused)};
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("editing", tests, NULL, NULL);
}
