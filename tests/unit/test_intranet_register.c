/* Finishing really changes the register, before and after are kept; what stands against it is said; who may look people up.
 * WFL-105 WFL-206 WFL-906 WFL-1006 REV-05 REV-06 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/registerquery.h"
#include "intranet-side/service/reversal.h"

#define OK "\"unseen_ok\":true"

static void finish(struct world *w, const char *no)
{
    takes(w, &w->officer, no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, no, "originals_ok", "", "awaiting_completion");
    takes(w, &w->officer, no, "finish", OK, "completed");
}

static json_t *effect(struct world *w, const char *no)
{
    struct reply r = {0};
    struct err e = {0};
    must(caseview_effect(&w->c, &w->officer, no, w->now, &r, &e), &e);
    return r.body;
}

static json_t *history(struct world *w, const char *person)
{
    struct reply r = {0};
    struct err e = {0};
    must(registerquery_person(&w->c, &w->officer, person, w->now, &r, &e), &e);
    json_t *h = json_incref(json_object_get(r.body, "history"));
    reply_clear(&r);
    return h;
}

/* HJ001: the child stands in the mother's household with a number of its own: area, birth date, even for a girl, right check digit. */
static void test_birth(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_t *plan = effect(w, a->no);
    assert_true(json_array_size(json_object_get(plan, "obstacles")) == 0);
    assert_string_equal(text_of(json_array_get(json_object_get(plan, "changes"), 0), "what"), "公民身份号码");
    json_decref(plan);
    finish(w, a->no);
    json_t *child = registered(w, "340799202611020021"), *head = registered(w, "340799199502245374");
    assert_string_equal(text_of(child, "name"), "柳小禾");
    assert_string_equal(text_of(child, "mother_id_no"), "340799199710206943");
    assert_string_equal(text_of(child, "household_id"), text_of(head, "household_id"));
    assert_string_equal(text_of(child, "status"), "normal");
    json_t *h = history(w, text_of(child, "person_id"));
    assert_int_equal(json_array_size(h), 1);
    assert_string_equal(text_of(json_array_get(h, 0), "before"), "");
    assert_non_null(strstr(text_of(json_array_get(h, 0), "after"), "姓名：柳小禾"));
    assert_string_equal(text_of(json_array_get(h, 0), "no"), a->no);
    json_decref(h);

    struct app *again = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    takes(w, &w->officer, again->no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, again->no, "originals_ok", "", "awaiting_completion");
    refused(w, &w->officer, again->no, "finish", OK, ERR_CONFLICT, "请核对是否重复登记");
    json_decref(child);
    json_decref(head);
    app_free(a);
    app_free(again);
}

/* HJ083: cancelled with kind, day and cause; a second time refused; the register keeps the row. */
static void test_death(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ083", DEATH, DEATH_SLOTS), *b = open_case(w, "HJ083", DEATH, DEATH_SLOTS);
    json_t *before = registered(w, "340799194703110844");
    finish(w, a->no);
    json_t *p = registered(w, "340799194703110844"), *h = history(w, text_of(p, "person_id"));
    assert_string_equal(text_of(p, "status"), "cancelled");
    assert_string_equal(text_of(p, "cancel_kind"), "death");
    assert_string_equal(text_of(p, "cancel_date"), "2026-11-01");
    assert_string_equal(text_of(p, "cancel_reason"), "正常死亡");
    assert_int_equal(json_array_size(json_object_get(before, "members")), json_array_size(json_object_get(p, "members")) + 1);
    assert_non_null(strstr(text_of(json_array_get(h, 0), "before"), "户口状态：正常"));
    assert_non_null(strstr(text_of(json_array_get(h, 0), "after"), "户口状态：已注销"));
    takes(w, &w->officer, b->no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, b->no, "originals_ok", "", "awaiting_completion");
    refused(w, &w->officer, b->no, "finish", OK, ERR_CONFLICT, "已经注销");
    json_t *plan = effect(w, b->no);
    assert_string_equal(json_string_value(json_array_get(json_object_get(plan, "obstacles"), 0)), "袁淑贞的户口已经注销，不能再次注销");
    json_decref(plan);
    json_decref(before);
    json_decref(p);
    json_decref(h);
    app_free(a);
    app_free(b);
}

/* A head who dies leaves others behind: refused until the officer names who follows him (POP-24, POP-57). */
static void test_death_of_a_head(void **state)
{
    struct world *w = *state;
    json_t *e = json_loads(DEATH, 0, NULL);
    json_object_set_new(e, "applicant_name", json_string("吴雨桐"));
    json_object_set_new(e, "applicant_id_no", json_string("340799199710206943"));
    json_object_set_new(e, "subject_name", json_string("孔晓东"));
    json_object_set_new(e, "subject_id_no", json_string("340799198102061555"));
    json_object_set_new(e, "is_head", json_true());
    char *text = json_dumps(e, 0);
    struct app *a = open_case(w, "HJ083", text, DEATH_SLOTS);
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    refused(w, &w->officer, a->no, "finish", OK, ERR_CONFLICT, "逝者是户主，户内还有 3 名家庭成员");
    json_t *asked = effect(w, a->no), *typed = json_pack("{s:s}", "done_new_head_id_no", "340799194703110844");
    assert_string_equal(text_of(json_array_get(json_object_get(asked, "completion"), 0), "id"), "done_new_head_id_no");
    assert_int_equal(json_array_size(json_object_get(asked, "obstacles")), 1);
    struct reply r = {0};
    struct err err = {0};
    must(caseview_effect_with(&w->c, &w->officer, a->no, typed, w->now, &r, &err), &err);      /* what is typed is looked at, not kept */
    assert_int_equal(json_array_size(json_object_get(r.body, "obstacles")), 0);
    reply_clear(&r);
    json_decref(asked);
    json_decref(typed);
    refused(w, &w->officer, a->no, "finish", OK, ERR_CONFLICT, "逝者是户主");
    refused(w, &w->officer, a->no, "finish", "\"completion\":{\"done_new_head_id_no\":\"340799194703110845\"}", ERR_INPUT, "身份证号不对");
    refused(w, &w->officer, a->no, "finish", "\"completion\":{\"done_other\":\"1\"}", ERR_INPUT, "不认识");
    refused(w, &w->officer, a->no, "finish", "\"completion\":{\"done_new_head_id_no\":\"340799199710206943\"}", ERR_CONFLICT, "新户主不是户内的正常成员");
    takes(w, &w->officer, a->no, "finish", "\"completion\":{\"done_new_head_id_no\":\"340799194703110844\"}", "completed");
    asked = effect(w, a->no);
    assert_string_equal(text_of(json_object_get(asked, "completed"), "done_new_head_id_no"), "340799194703110844");
    json_decref(asked);
    json_t *head = registered(w, "340799194703110844");
    assert_string_equal(text_of(head, "relation_to_head"), "02");
    json_decref(head);
    free(text);
    json_decref(e);
    app_free(a);
}

/* HJ025: the new name, the old one kept as former name. */
static void test_rename(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    takes(w, &w->officer, a->no, "submit_up", "\"opinion\":\"属实\",\"level\":\"sub_bureau\",\"unseen_ok\":true", "awaiting_sub_bureau");
    takes(w, &w->chief, a->no, "approve", "", "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    takes(w, &w->officer, a->no, "finish", "", "completed");
    json_t *p = registered(w, "340799199902101476"), *c = see(w, &w->officer, a->no), *t = json_object_get(c, "trail");
    assert_string_equal(text_of(p, "name"), "蒋望远");
    assert_string_equal(text_of(p, "former_name"), "蒋国庆");
    assert_non_null(strstr(text_of(json_array_get(t, json_array_size(t) - 1), "after"), "姓名由 蒋国庆 变更为 蒋望远"));
    json_decref(p);
    json_decref(c);
    app_free(a);
}

/* HJ043: one column and no other. */
static void test_change(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ043", CHANGE, CHANGE_SLOTS);
    json_t *before = registered(w, "340799200204265823");
    finish(w, a->no);
    json_t *after = registered(w, "340799200204265823");
    assert_string_equal(text_of(after, "employer"), "江州市第二中学");
    json_object_set(before, "employer", json_object_get(after, "employer"));
    json_object_del(before, "members");
    json_object_del(after, "members");
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    app_free(a);
}

/* What stands against finishing is said in words: other station, other name, nobody. */
static void test_obstacles(void **state)
{
    struct world *w = *state;
    static const struct { const char *field, *value, *zh; } t[] = {
        {"subject_name", "袁淑珍", "申请的姓名和户籍登记不同"},
        {"subject_id_no", "34079919470311081X", "没有这个身份证号"},
        {"subject_id_no", "340797199401071851", "户口不在受理派出所辖区"},
    };
    for (size_t i = 0; i < 3; i++) {
        json_t *e = json_loads(DEATH, 0, NULL);
        json_object_set_new(e, t[i].field, json_string(t[i].value));
        char *text = json_dumps(e, 0);
        struct app *a = open_case(w, "HJ083", text, DEATH_SLOTS);
        json_t *plan = effect(w, a->no), *v;
        bool said = false;
        size_t k;
        json_array_foreach(json_object_get(plan, "obstacles"), k, v)
            said |= strstr(json_string_value(v), t[i].zh) != NULL;
        if (!said)
            fail_msg("%s: %s", t[i].zh, json_dumps(plan, 0));
        json_decref(plan);
        free(text);
        json_decref(e);
        app_free(a);
    }
}

static int take_back(struct world *w, const struct actor *a, const char *no, const char *reason, const char *confirm, enum err_code code, const char *zh)
{
    struct reply r = {0};
    struct err e = {0};
    int rc = reversal_take(&w->c, a, no, reason, confirm, w->now, &r, &e);
    if (code == ERR_NONE && rc < 0)
        fail_msg("reversal: %s %s (%s)", err_word(e.code), e.msg, r.zh);
    if (code != ERR_NONE && (rc == 0 || e.code != code || !strstr(r.zh, zh)))
        fail_msg("reversal: want %s \"%s\", have %s \"%s\"", err_word(code), zh, err_word(e.code), r.zh);
    reply_clear(&r);
    return rc;
}

/* POP-61: a second officer of the station takes a finished case back, with reason and typed words; the register, the trail and the citizen know. */
static void test_reversal(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ083", DEATH, DEATH_SLOTS);
    json_t *before = registered(w, "340799194703110844");
    take_back(w, &w->colleague, a->no, "录错人", REVERSAL_CONFIRM, ERR_CONFLICT, "还没有办结");
    finish(w, a->no);
    json_t *c = see(w, &w->officer, a->no);
    assert_true(json_is_true(json_object_get(json_object_get(c, "reversal"), "offered")));
    assert_non_null(strstr(text_of(json_object_get(c, "reversal"), "why_not"), "另一名民警"));
    json_decref(c);
    take_back(w, &w->officer, a->no, "录错人", REVERSAL_CONFIRM, ERR_DENIED, "另一名民警");
    take_back(w, &w->aux, a->no, "录错人", REVERSAL_CONFIRM, ERR_DENIED, "受理派出所的民警");
    take_back(w, &w->neighbour, a->no, "录错人", REVERSAL_CONFIRM, ERR_MISSING, "没有这件");
    take_back(w, &w->colleague, a->no, " ", REVERSAL_CONFIRM, ERR_INPUT, "为什么撤销");
    take_back(w, &w->colleague, a->no, "录错人", "撤销", ERR_INPUT, "请输入");
    take_back(w, &w->colleague, a->no, "录错人，证明是同名的另一人", REVERSAL_CONFIRM, ERR_NONE, "");
    world_tick(w, 6000);
    json_t *after = registered(w, "340799194703110844"), *h = history(w, text_of(after, "person_id"));
    assert_true(json_equal(before, after));
    assert_string_equal(text_of(json_array_get(h, 0), "text"), REVERSAL_CONFIRM);
    assert_true(json_is_true(json_object_get(json_array_get(h, 1), "undone")));
    assert_non_null(last_sent(w, "status", a->no));
    assert_non_null(strstr(last_sent(w, "status", a->no), "correcting"));
    assert_null(strstr(last_sent(w, "status", a->no), "周建国"));
    c = see(w, &w->colleague, a->no);
    assert_string_equal(text_of(c, "internal"), "已办结（已撤销）");
    const json_t *t = json_object_get(c, "trail");
    assert_string_equal(text_of(json_array_get(t, json_array_size(t) - 1), "opinion"), "录错人，证明是同名的另一人");
    take_back(w, &w->colleague, a->no, "再一次", REVERSAL_CONFIRM, ERR_CONFLICT, "已经撤销过");
    json_decref(c);
    json_decref(h);
    json_decref(before);
    json_decref(after);
    app_free(a);
}

/* Looking people up: nothing without a condition, one's own area only, masked, counted, logged. */
static void test_query(void **state)
{
    struct world *w = *state;
    struct reply r = {0};
    struct err e = {0};
    assert_error(registerquery_find(&w->c, &w->officer, "", NULL, "", w->now, &r, &e), &e, ERR_INPUT, "no condition");
    reply_clear(&r);
    assert_error(registerquery_find(&w->c, &w->officer, " \t ", NULL, NULL, w->now, &r, &e), &e, ERR_INPUT, "no condition");
    reply_clear(&r);
    assert_error(registerquery_find(&w->c, &w->officer, NULL, "\xe3\x80\x80 ", NULL, w->now, &r, &e), &e, ERR_INPUT, "no condition");
    assert_string_equal(r.zh, "请至少填写一个条件");
    reply_clear(&r);
    assert_error(registerquery_find(&w->c, &w->officer, NULL, "吴", NULL, w->now, &r, &e), &e, ERR_INPUT, "one character");
    reply_clear(&r);
    assert_error(registerquery_find(&w->c, &w->admin, NULL, "吴雨桐", NULL, w->now, &r, &e), &e, ERR_DENIED, "role");
    reply_clear(&r);
    must(registerquery_find(&w->c, &w->officer, "340799 19971020 6943", NULL, NULL, w->now, &r, &e), &e);
    json_t *p = json_array_get(json_object_get(r.body, "persons"), 0);
    assert_string_equal(text_of(p, "name"), "吴雨桐");
    assert_string_equal(text_of(p, "id_no"), "340***********6943");
    char id[33];
    snprintf(id, sizeof id, "%s", text_of(p, "id"));
    reply_clear(&r);
    static const struct { size_t who; unsigned total; } t[] = {{0, 0}, {1, 1}, {2, 0}};
    const struct actor *who[] = {&w->neighbour, &w->chief, &w->other_chief};
    for (size_t i = 0; i < 3; i++) {
        must(registerquery_find(&w->c, who[t[i].who], "340799199710206943", NULL, NULL, w->now, &r, &e), &e);
        assert_int_equal(json_integer_value(json_object_get(r.body, "total")), t[i].total);
        reply_clear(&r);
    }
    assert_error(registerquery_person(&w->c, &w->neighbour, id, w->now, &r, &e), &e, ERR_MISSING, "outside");
    reply_clear(&r);
    assert_error(caseview_reveal(&w->c, &w->neighbour, NULL, id, "id_no", "核对", w->now, &r, &e), &e, ERR_MISSING, "outside");
    reply_clear(&r);
    must(caseview_reveal(&w->c, &w->officer, NULL, id, "id_no", "核对", w->now, &r, &e), &e);
    assert_string_equal(text_of(r.body, "value"), "340799199710206943");
    reply_clear(&r);
    int rc = 0;
    for (int i = 0; i < 40 && rc == 0; i++) {
        rc = registerquery_find(&w->c, &w->officer, NULL, "吴雨桐", NULL, w->now, &r, &e);
        if (rc == 0)
            reply_clear(&r);
    }
    assert_error(rc, &e, ERR_BUSY, "too many");
    assert_int_equal(r.retry_s, 60);
    reply_clear(&r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {T(test_birth), T(test_death), T(test_death_of_a_head), T(test_rename), T(test_change), T(test_obstacles), T(test_reversal), T(test_query)};
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
