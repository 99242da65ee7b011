/* Deciding: the four flows walked to their ends, who may not, what leaves, undo, supplements, withdrawal, expiry.
 * WFL-01 WFL-02 WFL-03 WFL-06 WFL-07 WFL-08 WFL-16 WFL-19 REV-01 REV-03 REV-07 REV-08 NTF-03 NTF-04 NTF-12 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/caselist.h"

#define OK "\"unseen_ok\":true"
#define UP "\"opinion\":\"情况属实，请审批\",\"level\":\"sub_bureau\",\"unseen_ok\":true"

static json_t *trail_last(struct world *w, const char *no)
{
    json_t *c = see(w, &w->officer, no), *t = json_object_get(c, "trail"), *last = json_incref(json_array_get(t, json_array_size(t) - 1));
    json_decref(c);
    return last;
}

static void assert_sms(struct world *w, const char *no, const char *words)
{
    json_t *c = see(w, &w->officer, no), *m = json_object_get(c, "messages");
    const char *text = text_of(json_array_get(m, json_array_size(m) - 1), "text");
    if (!strstr(text, words))
        fail_msg("last SMS: want %s, have %s", words, text);
    json_decref(c);
}

/* WFL-101..106: flow ①, officer: review, pass, originals, finish; status, SMS 1 to 3 and archive on the way. */
static void test_flow_1(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"passed_originals\" stage=\"3\" final=\"false\""));
    assert_sms(w, a->no, "审核通过，请");
    takes(w, &w->officer, a->no, "originals_received", "", "originals_check");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    assert_sms(w, a->no, "原件核对一致");
    takes(w, &w->officer, a->no, "finish", "", "completed");
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"completed\" stage=\"5\" final=\"true\""));
    assert_sms(w, a->no, "已办结");
    json_t *c = see(w, &w->officer, a->no), *t = trail_last(w, a->no);
    assert_true(json_array_size(json_object_get(c, "actions")) == 0);
    assert_string_equal(text_of(t, "who"), "周建国");
    assert_string_equal(text_of(t, "role"), "民警");
    assert_string_equal(text_of(t, "state"), "已办结");
    json_decref(c);
    json_decref(t);
    app_free(a);
}

/* What officers added so far, as the next one sees it. */
static void assert_kept(struct world *w, const char *no, const char *new_head)
{
    struct reply r = {0};
    struct err e = {0};
    must(caseview_effect(&w->c, &w->officer, no, w->now, &r, &e), &e);
    assert_string_equal(text_of(json_object_get(r.body, "completed"), "done_new_head_id_no"), new_head);
    json_decref(r.body);
}

/* WFL-201..207: flow ②: the aux reviews and fills in, the officer checks originals and finishes; either one's part is closed to the other. */
static void test_flow_2(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ083", DEATH, DEATH_SLOTS);
    takes(w, &w->aux, a->no, "pass", OK, "awaiting_originals");
    refused(w, &w->officer, a->no, "pass", OK, ERR_CONFLICT, "现在的状态不能这样办");
    refused(w, &w->aux, a->no, "originals_ok", "", ERR_DENIED, "不由您办理");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    refused(w, &w->officer, a->no, "submit_completion", "", ERR_DENIED, "不由您办理");
    refused(w, &w->aux, a->no, "submit_completion", "\"completion\":{\"done_nothing\":\"1\"}", ERR_INPUT, "不认识");
    takes(w, &w->aux, a->no, "submit_completion", "\"completion\":{\"done_new_head_id_no\":\"340799198102061555\"}", "completion_review");
    assert_kept(w, a->no, "340799198102061555");         /* the aux fills in for the officer who finishes */
    refused(w, &w->aux, a->no, "finish", "", ERR_DENIED, "不由您办理");
    takes(w, &w->officer, a->no, "return_to_aux", "\"opinion\":\"不是户主，不用填新户主\"", "awaiting_completion");
    takes(w, &w->aux, a->no, "submit_completion", "\"completion\":{\"done_new_head_id_no\":\"\"}", "completion_review");
    assert_kept(w, a->no, "");
    takes(w, &w->officer, a->no, "finish", OK, "completed");
    app_free(a);
}

/* WFL-901..907: flow ⑨: nothing of the result is told before the sub-bureau approved. */
static void test_flow_9(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"sub_bureau\""));
    json_t *c = see(w, &w->officer, a->no);
    assert_true(json_array_size(json_object_get(c, "messages")) == 0);
    json_decref(c);
    takes(w, &w->chief, a->no, "disapprove_return", "\"opinion\":\"请补充调查\"", "awaiting_review");
    takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
    c = see(w, &w->chief, a->no);
    json_t *s = json_object_get(c, "summary");
    assert_string_equal(text_of(json_array_get(json_object_get(s, "changes"), 0), "after"), "蒋望远");
    assert_true(json_array_size(json_object_get(s, "opinions")) == 3);
    json_decref(c);
    takes(w, &w->chief, a->no, "approve", "", "awaiting_originals");
    assert_sms(w, a->no, "审核通过");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    takes(w, &w->officer, a->no, "finish", "", "completed");
    app_free(a);
}

/* WFL-1001..1007: flow ⑩: aux, officer, sub-bureau, officer. */
static void test_flow_10(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    refused(w, &w->chief, a->no, "approve", "", ERR_MISSING, "没有这件");
    takes(w, &w->aux, a->no, "pass", OK, "awaiting_officer");
    takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
    takes(w, &w->chief, a->no, "approve", "", "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    refused(w, &w->aux, a->no, "finish", "", ERR_CONFLICT, "周建国");
    takes(w, &w->officer, a->no, "finish", "", "completed");
    app_free(a);
}

/* WFL-07 REV-07: refusing wants rule, reason, typed words; ends the case, archives it, tells why and what else can be done. */
static void test_refuse(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    refused(w, &w->officer, a->no, "refuse", "", ERR_INPUT, "请选择依据");
    refused(w, &w->officer, a->no, "refuse", "\"rule\":\"no_good_reason\"", ERR_INPUT, "请输入“不予办理”确认");
    refused(w, &w->officer, a->no, "refuse", "\"rule\":\"invented\",\"confirm_text\":\"不予办理\"", ERR_INPUT, "请选择依据");
    takes(w, &w->officer, a->no, "refuse", "\"rule\":\"no_good_reason\",\"confirm_text\":\"不予办理\"", "refused");
    const char *xml = last_sent(w, "status", a->no);
    assert_non_null(strstr(xml, "state=\"refused\" stage=\"5\" final=\"true\""));
    assert_non_null(strstr(xml, "改名的理由不充分"));
    assert_non_null(strstr(xml, "第十八条"));
    assert_non_null(strstr(xml, "补充能够说明理由的材料后可以再申请"));
    assert_sms(w, a->no, "没有通过");
    app_free(a);
}

/* Issue: refused by the sub-bureau; the citizen reads it, the station cannot go on. */
static void test_sub_bureau_refuses(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
    refused(w, &w->other_chief, a->no, "approve", "", ERR_MISSING, "没有这件");
    takes(w, &w->chief, a->no, "disapprove_refuse", "\"rule\":\"name_not_allowed\",\"confirm_text\":\"不予办理\"", "refused");
    refused(w, &w->officer, a->no, "submit_up", UP, ERR_CONFLICT, "这件已经结束");
    app_free(a);
}

/* REV-07: decisions wait until every page is here; unseen pages are asked about once. */
static void test_materials_and_unseen(void **state)
{
    struct world *w = *state;
    struct err why;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    assert_string_equal(arrive_record(w, a, &why), "applied");
    refused(w, &w->officer, a->no, "pass", OK, ERR_CONFLICT, "材料还在传 0/2，传齐后才能决定");
    arrive_parts(w, a);
    refused(w, &w->officer, a->no, "pass", "", ERR_CONFLICT, "还有 2 页没看，1 处不同没有说明。仍要审核通过？");
    saw_all(w, &w->officer, a->no);
    must(page_decoded(&w->c, a->page[1].id, false, 1, w->now, (memset(&why, 0, sizeof why), &why)), &why);
    refused(w, &w->officer, a->no, "pass", "", ERR_CONFLICT, "无法读取");
    must(page_decoded(&w->c, a->page[1].id, true, 1, w->now, &why), &why);
    refused(w, &w->officer, a->no, "pass", "", ERR_CONFLICT, "还有 0 页没看，1 处不同没有说明");
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    app_free(a);
}

/* A difference to the register wants a note or a word; what the application asks to change is no difference. */
static void test_differences(void **state)
{
    struct world *w = *state;
    json_t *typed = json_loads(BIRTH, 0, NULL);
    json_object_set_new(typed, "target_address", json_string("340799 江州市江州区状元巷180号14栋604室"));
    char *text = json_dumps(typed, 0);
    struct app *a = open_case(w, "HJ001", text, BIRTH_SLOTS);
    saw_all(w, &w->officer, a->no);
    refused(w, &w->officer, a->no, "pass", "", ERR_CONFLICT, "还有 0 页没看，2 处不同没有说明");
    struct reply r = {0};
    struct err e = {0};
    must(decide_note(&w->c, &w->officer, a->no, "applicant_phone", "换了号码", w->now, &r, &e), &e);
    reply_clear(&r);
    must(decide_note(&w->c, &w->officer, a->no, "target_address", "门牌写错，已电话核实", w->now, &r, &e), &e);
    assert_true(json_is_true(json_object_get(r.body, "held_by_me")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.body, "differences"), "noted")), 2);
    reply_clear(&r);
    takes(w, &w->officer, a->no, "pass", "", "awaiting_originals");
    struct app *b = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    json_t *c = see(w, &w->officer, b->no);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "differences"), "total")), 1);      /* the phone, not the new name */
    json_decref(c);
    free(text);
    json_decref(typed);
    app_free(a);
    app_free(b);
}

/* Undo: within five seconds everything is as before and nothing has left; later it is too late, for others it never was. */
static void test_undo(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct reply r;
    struct err e = {0};
    size_t before = w->n_sent;
    assert_int_equal(act(w, &w->officer, a->no, "pass", OK, &r, &e), 0);
    assert_false(json_is_null(json_object_get(r.body, "undo_until")));
    reply_clear(&r);
    world_tick(w, 3000);
    assert_int_equal(w->n_sent, before);
    assert_error(decide_undo(&w->c, &w->colleague, a->no, w->now, &r, &e), &e, ERR_CONFLICT, "nothing to undo");
    reply_clear(&r);
    must(decide_undo(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    assert_string_equal(text_of(r.body, "state"), "awaiting_review");
    reply_clear(&r);
    world_tick(w, 60000);
    assert_int_equal(w->n_sent, before);
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    assert_true(w->n_sent > before);
    assert_error(decide_undo(&w->c, &w->officer, a->no, w->now, &r, &e), &e, ERR_CONFLICT, "nothing to undo");
    reply_clear(&r);
    app_free(a);
}

/* Finishing changes the register and cannot be undone. */
static void test_finish_is_not_undone(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ043", CHANGE, CHANGE_SLOTS);
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    struct reply r;
    struct err e;
    assert_int_equal(act(w, &w->officer, a->no, "finish", "", &r, &e), 0);
    assert_true(json_is_null(json_object_get(r.body, "undo_until")));
    reply_clear(&r);
    assert_error(decide_undo(&w->c, &w->officer, a->no, w->now, &r, &e), &e, ERR_CONFLICT, "nothing to undo");
    reply_clear(&r);
    world_tick(w, 1);
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"completed\""));
    app_free(a);
}

/* One transition is one transaction: when its commit fails state, trail, register, queue and audit are as before. */
static void test_decide_is_atomic(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ043", CHANGE, CHANGE_SLOTS);
    takes(w, &w->officer, a->no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
    json_t *before = see(w, &w->officer, a->no);
    struct reply r;
    struct err e;
    size_t sent = w->n_sent;
    char text[200];
    snprintf(text, sizeof text, "{\"action\":\"finish\",\"version\":%lld}", (long long)json_integer_value(json_object_get(before, "version")));
    json_t *d = json_loads(text, 0, NULL);
    memset(&r, 0, sizeof r);
    memset(&e, 0, sizeof e);
    db_fail_commit(w->c.db, 1);
    assert_error(decide_take(&w->c, &w->officer, a->no, d, w->now, &r, &e), &e, ERR_FULL, "");
    reply_clear(&r);
    json_t *after = see(w, &w->officer, a->no), *p = registered(w, "340799200204265823");
    assert_true(json_equal(json_object_get(before, "trail"), json_object_get(after, "trail")));
    assert_string_equal(text_of(after, "state"), "awaiting_completion");
    assert_string_equal(text_of(p, "employer"), "江州铜材有限公司");
    world_tick(w, 6000);
    assert_int_equal(w->n_sent, sent);
    must(decide_take(&w->c, &w->officer, a->no, d, w->now, &r, &e), &e);
    reply_clear(&r);
    json_decref(d);
    json_decref(p);
    json_decref(before);
    json_decref(after);
    app_free(a);
}

/* Two officers with the same page open: the second is told, not overwritten. */
static void test_stale_version(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_t *d = json_loads("{\"action\":\"pass\",\"version\":1,\"unseen_ok\":true}", 0, NULL);
    struct reply r = {0};
    struct err e = {0};
    must(decide_claim(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    assert_error(decide_take(&w->c, &w->colleague, a->no, d, w->now, &r, &e), &e, ERR_CONFLICT, "holds the case");
    assert_non_null(strstr(r.zh, "周建国"));
    reply_clear(&r);
    assert_error(decide_take(&w->c, &w->officer, a->no, d, w->now, &r, &e), &e, ERR_CONFLICT, "changed in between");
    reply_clear(&r);
    assert_error(decide_claim(&w->c, &w->colleague, a->no, w->now, &r, &e), &e, ERR_CONFLICT, "holds the case");
    reply_clear(&r);
    json_decref(d);
    app_free(a);
}

/* WFL-03: the variant is fixed by who takes the case, and lost again by a release before the first decision. */
static void test_variant_follows_the_claimant(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    struct reply r = {0};
    struct err e = {0};
    must(decide_claim(&w->c, &w->aux, a->no, w->now, &r, &e), &e);
    assert_string_equal(text_of(json_array_get(json_object_get(r.body, "actions"), 0), "action"), "pass");
    reply_clear(&r);
    must(decide_release(&w->c, &w->aux, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    must(decide_claim(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    assert_string_equal(text_of(json_array_get(json_object_get(r.body, "actions"), 0), "action"), "submit_up");
    reply_clear(&r);
    app_free(a);
}

/* --- supplements --- */
#define ASK "\"date\":\"2026-12-02\",\"reasons\":[{\"material\":2,\"kind\":\"unclear\",\"text\":\"第 1 页印章看不清，请在亮处重拍整页\"},"                     \
            "{\"field\":\"child_name\",\"text\":\"和证件上的不一致，请核对后改正\"}]"

static const char *supplement(struct world *w, const struct app *a, int round, const char *field, const char *value, int material, struct err *why)
{
    struct xml_out x;
    struct err e = {0};
    struct app s = {.n_pages = 0};
    struct id128 id;
    char at[21];
    clock_rfc3339(at, w->now);
    xml_begin(&x, "supplement", "urn:hz:record:1");
    xml_attr(&x, "case", a->no);
    xml_attr_int(&x, "seq", 2);
    xml_attr_int(&x, "round", round);
    xml_attr(&x, "submitted", at);
    if (field) {
        xml_open(&x, "entry");
        xml_attr(&x, "field", field);
        xml_text(&x, value);
        xml_close(&x);
    }
    if (material) {
        app_page_add(&s, material);
        put_materials(&x, &s);
    }
    must(xml_end(&x, &e), &e);
    id_random(&id);
    char hash[65];
    hex_of(hash, bytes_of(id.s));
    const char *word = arrive(w, "supplement", a->no, id.s, hash, buf_bytes(&x.out), why);
    for (int k = 0; material && strcmp(word, "applied") == 0 && k < 2; k++) {
        memcpy(s.no, a->no, 17);
        arrive_part(w, &s, &s.page[0].part[k]);
    }
    buf_clear(&x.out);
    return word;
}

/* The row of a field on the case page, in whichever section it stands. */
static json_t *row_of(const json_t *page, const char *field)
{
    size_t i, k;
    json_t *section, *row;
    json_array_foreach(json_object_get(page, "sections"), i, section)
        json_array_foreach(json_object_get(section, "rows"), k, row)
            if (strcmp(text_of(row, "field"), field) == 0)
                return row;
    fail_msg("no row %s", field);
    return NULL;
}

/* WFL-19 REV-07: the citizen is asked for slots and fields with reasons; what comes back is judged by what was asked; the clock stands still. */
static void test_supplement_round(void **state)
{
    struct world *w = *state;
    struct err why;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    refused(w, &w->officer, a->no, "return_supplement", "\"sentence\":\"请补材料\"", ERR_INPUT, "请选择要补的");
    refused(w, &w->officer, a->no, "return_supplement", "\"date\":\"2027-06-01\",\"reasons\":[{\"material\":2,\"text\":\"请重拍\"}]", ERR_INPUT, "工作日之间");
    refused(w, &w->officer, a->no, "return_supplement", "\"date\":\"2026-12-02\",\"reasons\":[{\"material\":7,\"text\":\"请重拍\"}]", ERR_INPUT, "没有这份材料");
    takes(w, &w->officer, a->no, "return_supplement", ASK, "supplement");
    const char *xml = last_sent(w, "supplement-request", a->no);
    assert_non_null(strstr(xml, "round=\"1\" deadline=\"2026-12-02\""));
    assert_non_null(strstr(xml, "<slot material=\"2\">第 1 页印章看不清"));
    assert_non_null(strstr(xml, "<field field=\"child_name\">"));
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"supplement\""));
    assert_sms(w, a->no, "要补 1 份材料，12月2日前办理");
    json_t *c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(json_object_get(c, "clock"), "text"), "暂停计时");
    json_decref(c);

    assert_string_equal(supplement(w, a, 2, "child_name", "柳禾", 2, &why), "refused");
    assert_string_equal(supplement(w, a, 1, "mother_name", "别人", 0, &why), "refused");
    assert_string_equal(supplement(w, a, 1, "child_name", "柳禾", 1, &why), "refused");
    assert_string_equal(supplement(w, a, 1, "child_name", "1234", 2, &why), "refused");
    assert_non_null(strstr(last_sent(w, "answer", a->no), "to=\"supplement\""));
    assert_string_equal(supplement(w, a, 1, "child_name", "柳禾", 2, &why), "applied");
    world_tick(w, 1);
    assert_non_null(strstr(last_sent(w, "answer", a->no), "word=\"confirmed\""));
    c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(c, "state"), "awaiting_review");
    assert_true(json_is_true(json_object_get(c, "held_by_me")));
    assert_string_equal(text_of(row_of(c, "child_name"), "value"), "柳禾");
    json_decref(c);
    struct reply r = {0};
    must(caselist_find(&w->c, &w->officer, &(struct case_query){.view = "todo", .mine = "supplemented"}, w->now, &r, &why), &why);
    assert_int_equal(json_integer_value(json_object_get(r.body, "total")), 1);
    reply_clear(&r);
    assert_string_equal(supplement(w, a, 1, "child_name", "柳苗", 2, &why), "refused");
    app_free(a);
}

/* A supplement asked for and undone was never asked for. */
static void test_supplement_undone(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct reply r;
    struct err e;
    assert_int_equal(act(w, &w->officer, a->no, "return_supplement", ASK, &r, &e), 0);
    reply_clear(&r);
    must(decide_undo(&w->c, &w->officer, a->no, w->now + 1000, &r, &e), &e);
    reply_clear(&r);
    world_tick(w, 10000);
    assert_null(last_sent(w, "supplement-request", a->no));
    takes(w, &w->officer, a->no, "return_supplement", ASK, "supplement");
    assert_non_null(strstr(last_sent(w, "supplement-request", a->no), "round=\"1\""));
    app_free(a);
}

/* The day after the last day the case ends by itself, once. */
static void test_supplement_expires(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err e = {0};
    unsigned n;
    takes(w, &w->officer, a->no, "return_supplement", ASK, "supplement");
    w->now = NOW + 9 * 86400000LL;
    must(upkeep_expire(&w->c, w->now, &n, &e), &e);
    assert_int_equal(n, 0);
    w->now += 86400000LL;
    must(upkeep_expire(&w->c, w->now, &n, &e), &e);
    assert_int_equal(n, 1);
    must(upkeep_expire(&w->c, w->now, &n, &e), &e);
    assert_int_equal(n, 0);
    world_tick(w, 1);
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"supplement_overdue\" stage=\"5\" final=\"true\""));
    assert_string_equal(supplement(w, a, 1, "child_name", "柳禾", 2, &e), "refused");
    app_free(a);
}

/* --- withdrawal --- */
static const char *withdraw(struct world *w, const char *no, struct err *why)
{
    struct xml_out x;
    struct err e = {0};
    struct id128 id;
    char at[21], hash[65];
    clock_rfc3339(at, w->now);
    xml_begin(&x, "withdrawal", "urn:hz:record:1");
    xml_attr(&x, "case", no);
    xml_attr_int(&x, "seq", 2);
    xml_attr(&x, "asked", at);
    xml_open(&x, "reason");
    xml_text(&x, "先不办了");
    xml_close(&x);
    must(xml_end(&x, &e), &e);
    id_random(&id);
    hex_of(hash, bytes_of(id.s));
    const char *word = arrive(w, "withdrawal", no, id.s, hash, buf_bytes(&x.out), why);
    buf_clear(&x.out);
    return word;
}

/* A withdrawal is a request: confirmed by an officer, denied with a reason back to where the case was, refused once decided. */
static void test_withdrawal(void **state)
{
    struct world *w = *state;
    struct err why;
    struct app *a = open_case(w, "HJ083", DEATH, DEATH_SLOTS), *b = open_case(w, "HJ025", RENAME, RENAME_SLOTS), *c = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    assert_string_equal(withdraw(w, a->no, &why), "applied");
    world_tick(w, 1);
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"withdraw_asked\""));
    assert_non_null(strstr(last_sent(w, "answer", a->no), "word=\"confirmed\""));
    takes(w, &w->officer, a->no, "withdraw_confirm", "", "withdrawn");
    assert_non_null(strstr(last_sent(w, "status", a->no), "您在 11月23日申请撤回，已经撤回"));

    takes(w, &w->officer, b->no, "submit_up", UP, "awaiting_sub_bureau");
    assert_string_equal(withdraw(w, b->no, &why), "applied");
    takes(w, &w->officer, b->no, "withdraw_deny", "\"sentence\":\"这件申请已经作出决定，不能撤回\"", "awaiting_sub_bureau");
    takes(w, &w->chief, b->no, "approve", "", "awaiting_originals");

    takes(w, &w->officer, c->no, "pass", OK, "awaiting_originals");
    assert_string_equal(withdraw(w, c->no, &why), "refused");
    assert_non_null(strstr(last_sent(w, "answer", c->no), "不能撤回"));
    assert_string_equal(withdraw(w, "3407261100000042", &why), "refused");
    app_free(a);
    app_free(b);
    app_free(c);
}

/* --- texts --- */
/* Nobody's name or number may stand in a citizen's text: it rests on the internet side. Jargon is advice. */
static void test_word_check(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    static const struct { const char *text, *zh; } bad[] = {
        {"吴雨桐的材料看不清", "不能写人的姓名"}, {"请 吴 雨桐 重拍", "不能写人的姓名"}, {"号码340799199710206943不对", "不能写身份证号码"},
        {"号码 340799 19971020 6943 不对", "不能写身份证号码"}, {"请打 １３９０５６２０００１", "不能写手机号码"}, {"HJ001 的材料不全", "不能写事项编号"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char more[400];
        snprintf(more, sizeof more, "\"date\":\"2026-12-02\",\"reasons\":[{\"material\":2,\"text\":\"%s\"}]", bad[i].text);
        refused(w, &w->officer, a->no, "return_supplement", more, ERR_INPUT, bad[i].zh);
    }
    takes(w, &w->officer, a->no, "return_supplement", "\"date\":\"2026-12-02\",\"reasons\":[{\"material\":2,\"text\":\"附件看不清，请重拍\"}]", "supplement");
    app_free(a);
}

/* The preview reads as the citizen will, and changes nothing. */
static void test_preview(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_t *before = see(w, &w->officer, a->no), *d = json_loads("{\"action\":\"return_supplement\",\"version\":1," ASK "}", 0, NULL);
    struct reply r = {0};
    struct err e = {0};
    must(decide_preview(&w->c, &w->officer, a->no, d, w->now, &r, &e), &e);
    json_t *c = json_object_get(r.body, "citizen");
    assert_string_equal(text_of(c, "sentence"), "轮到您：请补 1 份材料。12月2日前补齐，过期要重新申请");
    assert_string_equal(text_of(c, "tag"), "要您补材料");
    assert_true(json_array_size(json_object_get(c, "rows")) == 2);
    assert_non_null(strstr(text_of(r.body, "sms"), "【户政网办】您的户政业务（尾号"));
    assert_true(json_array_size(json_object_get(r.body, "findings")) == 0);
    reply_clear(&r);
    json_t *after = see(w, &w->officer, a->no);
    assert_true(json_equal(json_object_get(before, "version"), json_object_get(after, "version")));
    json_decref(d);
    json_decref(before);
    json_decref(after);
    app_free(a);
}

/* WFL-19: neither opinion nor officer's name nor notes leave in any record. */
static void test_internal_words_stay(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    takes(w, &w->officer, a->no, "submit_up", "\"opinion\":\"内部意见甲乙丙\",\"level\":\"sub_bureau\",\"unseen_ok\":true", "awaiting_sub_bureau");
    takes(w, &w->chief, a->no, "approve", "\"opinion\":\"内部意见丁\"", "awaiting_originals");
    for (size_t i = 0; i < w->n_sent; i++) {
        assert_null(strstr(w->sent[i].xml, "内部意见"));
        assert_null(strstr(w->sent[i].xml, "周建国"));
        assert_null(strstr(w->sent[i].xml, "蒋国庆"));
        assert_null(strstr(w->sent[i].xml, "340799199902101476"));
    }
    app_free(a);
}

/* FRY: the records of a case carry 1, 2, 3… without gaps, in the order of their causes. */
static void test_order_of_records(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    takes(w, &w->officer, a->no, "return_supplement", ASK, "supplement");
    uint64_t want = 1;
    for (size_t i = 0; i < w->n_sent; i++)
        assert_int_equal(w->sent[i].seq, want++);
    app_free(a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_flow_1), T(test_flow_2), T(test_flow_9), T(test_flow_10), T(test_refuse), T(test_sub_bureau_refuses), T(test_materials_and_unseen),
        T(test_differences), T(test_undo), T(test_finish_is_not_undone), T(test_decide_is_atomic), T(test_stale_version), T(test_variant_follows_the_claimant),
        T(test_supplement_round), T(test_supplement_undone), T(test_supplement_expires), T(test_withdrawal), T(test_word_check), T(test_preview),
        T(test_internal_words_stay), T(test_order_of_records),
    };
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
