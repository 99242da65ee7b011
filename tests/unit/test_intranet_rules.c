/* The domain's rules by themselves: the flows' loader and its refusals, working days, masks, words, new numbers.
 * WFL-01 WFL-04 WFL-05 WFL-19 REV-02 REV-12 */
#include <stdio.h>

#include "common/text.h"
#include "intranet-side/domain/caseno.h"
#include "intranet-side/domain/idassign.h"
#include "intranet-side/domain/mask.h"
#include "intranet-side/domain/rules.h"
#include "tests/unit/scratch.h"

static struct rules *rules;

static int load(void **state)
{
    struct err e = {0};
    (void)state;
    if (rules_load(&rules, SOURCE_DIR "/schemas", &e) < 0)
        fail_msg("%s", e.msg);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    rules_free(rules);
    return 0;
}

/* The ten flows are there, each with its variant (WFL-01), and that of an investigation (WFL-12); every state has its public one (WFL-05, WFL-19). */
static void test_ten_flows(void **state)
{
    (void)state;
    static const struct { const char *id, *number; } ten[] = {
        {"online-spot-officer", "①"}, {"online-spot-aux", "②"}, {"online-province-officer", "③"}, {"online-province-aux", "④"},
        {"online-outside-officer", "⑤"}, {"online-outside-aux", "⑥"}, {"online-moveout-officer", "⑦"}, {"online-moveout-aux", "⑧"},
        {"online-subbureau-officer", "⑨"}, {"online-subbureau-aux", "⑩"}, {"online-investigation-officer", "⑨"}, {"online-investigation-aux", "⑩"},
    };
    for (size_t i = 0; i < 12; i++) {
        const struct workflow *w = workflow_find(rules->flows, ten[i].id);
        assert_non_null(w);
        assert_string_equal(w->number, ten[i].number);
        assert_ptr_equal(workflow_pick(rules->flows, w->channel, w->flow_type, w->variant), w);
        for (size_t k = 0; k < w->n_states; k++)
            assert_non_null(rules_public_state(rules, w->states[k].public_key));
    }
    assert_null(workflow_find(rules->flows, "online-move-in-officer"));
}

/* --- refusals: one small flow, broken in one place at a time --- */
static const char *const good =
    "{\"id\":\"t\",\"number\":\"1\",\"title\":\"t\",\"channel\":\"online\",\"flow_type\":\"on_the_spot\",\"variant\":\"officer\",\"initial\":\"a\","
    "\"clock\":{\"total_days\":7},\"states\":["
    "{\"id\":\"a\",\"internal\":\"A\",\"public\":\"reviewing\",\"phase\":\"review\",\"final\":false,\"deadline_days\":3},"
    "{\"id\":\"b\",\"internal\":\"B\",\"public\":\"passed\",\"phase\":\"completion\",\"final\":false,\"deadline_days\":3},"
    "{\"id\":\"z\",\"internal\":\"Z\",\"public\":\"completed\",\"phase\":\"end\",\"final\":true,\"deadline_days\":null}],\"transitions\":["
    "{\"action\":\"go\",\"label\":\"Go\",\"key\":\"F2\",\"from\":[\"a\"],\"to\":\"b\",\"roles\":[\"officer\"],\"unit\":\"accepting\",\"if\":\"originals_due\",\"needs\":[],\"effects\":[\"status_out\"]},"
    "{\"action\":\"go\",\"label\":\"Go\",\"key\":\"F2\",\"from\":[\"a\"],\"to\":\"z\",\"roles\":[\"officer\"],\"unit\":\"accepting\",\"if\":\"no_originals_due\",\"needs\":[\"opinion\"],\"effects\":[\"sms:passed\"]},"
    "{\"action\":\"end\",\"label\":\"End\",\"key\":\"F2\",\"from\":[\"b\"],\"to\":\"z\",\"roles\":[\"officer\"],\"unit\":\"accepting\",\"needs\":[],\"effects\":[\"archive\"]}]}";

/* The flow with `from` replaced once by `to`. */
static int parse(struct workflow **out, const char *from, const char *to, struct err *e)
{
    char text[4000];
    const char *at = strstr(good, from);
    struct wf_words words = {json_object_get(rules->public_states, "states"), json_object_get(rules->sms, "templates")};
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    json_t *j = json_loads(text, 0, NULL);
    if (j == NULL)
        fail_msg("not JSON: %s", text);
    int rc = workflow_parse(out, "t.json", j, &words, e);
    json_decref(j);
    return rc;
}

/* Every refusal of schemas/workflows/README.md, with file, place and what was wrong. */
static void test_loader_refuses(void **state)
{
    (void)state;
    static const struct { const char *from, *to, *words; } t[] = {
        {"\"to\":\"b\"", "\"to\":\"c\"", "unknown state c"},
        {"\"from\":[\"b\"]", "\"from\":[\"q\"]", "unknown state q"},
        {"\"initial\":\"a\"", "\"initial\":\"x\"", "initial: unknown state x"},
        {"\"roles\":[\"officer\"]", "\"roles\":[\"mayor\"]", "unknown role mayor"},
        {"\"roles\":[\"officer\"]", "\"roles\":[\"admin\"]", "unknown role admin"},
        {"\"roles\":[\"officer\"]", "\"roles\":[]", "one role"},
        {"\"needs\":[\"opinion\"]", "\"needs\":[\"luck\"]", "unknown need luck"},
        {"\"effects\":[\"archive\"]", "\"effects\":[\"explode\"]", "unknown effect explode"},
        {"\"sms:passed\"", "\"sms:hello\"", "unknown SMS hello"},
        {"\"public\":\"passed\"", "\"public\":\"somewhere\"", "unknown public state somewhere"},
        {"\"phase\":\"completion\"", "\"phase\":\"limbo\"", "unknown phase limbo"},
        {"\"unit\":\"accepting\"", "\"unit\":\"moon\"", "want accepting or parent, have moon"},
        {"\"if\":\"originals_due\"", "\"if\":\"monday\"", "unknown condition monday"},
        {"\"if\":\"originals_due\",", "", "no condition tells apart"},
        {"\"if\":\"no_originals_due\"", "\"if\":\"originals_due\"", "no condition tells apart"},
        {"\"final\":true", "\"final\":false", "is a dead end"},
        {"\"from\":[\"b\"],\"to\":\"z\"", "\"from\":[\"b\"],\"to\":\"b\"", "state b is a dead end"},
        {"\"from\":[\"b\"],\"to\":\"z\"", "\"from\":[\"b\",\"z\"],\"to\":\"z\"", "final state z has a way out"},
        {"\"to\":\"b\"", "\"to\":\"z\"", "state b cannot be reached"},
        {"\"id\":\"b\",\"internal\"", "\"id\":\"a\",\"internal\"", "twice"},
        {"\"total_days\":7", "\"total_days\":0", "want 1 to 365"},
        {"\"deadline_days\":3", "\"deadline_days\":-1", "want 0 to 365"},
        {"\"label\":\"End\"", "\"label\":\"End\",\"when\":\"later\"", "unknown key when"},
        {"\"deadline_days\":3}", "\"deadline_days\":3,\"clock\":\"mine\"}", "want citizen or stopped, have mine"},
        {"\"effects\":[\"archive\"]", "\"effects\":[\"register:later\"]", "unknown effect register:later"},
        {"\"effects\":[\"archive\"]", "\"effects\":[\"register:permit\"]", "state z ends the case while a stage of the register is open"},
        {"\"effects\":[\"status_out\"]", "\"effects\":[\"register:permit\"]", "state z ends the case while a stage of the register is open"},
        {"\"effects\":[\"archive\"]", "\"effects\":[\"register:cancel\"]", "nothing to take back in state b"},
        {"\"needs\":[],\"effects\":[\"archive\"]", "\"needs\":[\"completion\"],\"effects\":[\"archive\"]", "no stage of the register lies ahead"},
        {"{\"action\":\"end\",\"label\":\"End\",\"key\":\"F2\",\"from\":[\"b\"]", "{\"action\":\"end\",\"label\":\"End\",\"key\":\"F2\",\"from\":[\"b\",\"a\"]", "key F2 means both"},
    };
    struct workflow *w = NULL;
    struct err e = {0};
    assert_int_equal(parse(&w, "\"number\":\"1\"", "\"number\":\"1\"", &e), 0);
    workflow_free(w);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        assert_error(parse(&w, t[i].from, t[i].to, &e), &e, ERR_INPUT, t[i].words);
        assert_null(w);
    }
}

/* Whose completion is asked: the stage of the step itself or of the next one ahead. */
static void test_stage_ahead(void **state)
{
    (void)state;
    static const struct { const char *flow, *from, *action, *stage; } t[] = {
        {"online-spot-officer", "awaiting_completion", "finish", "finish"}, {"online-spot-aux", "awaiting_completion", "submit_completion", "finish"},
        {"online-province-officer", "awaiting_completion", "move_in_registration", "permit"}, {"online-province-aux", "awaiting_completion", "submit_completion", "permit"},
        {"online-province-aux", "awaiting_move_out", "move_out", "move_out"}, {"online-outside-officer", "awaiting_certificate", "scan_certificate", "finish"},
        {"online-moveout-officer", "awaiting_completion", "move_out", "finish"}, {"online-moveout-officer", "awaiting_certificate_scan", "scan_certificate", NULL},
        {"online-outside-officer", "awaiting_certificate", "terminate", NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const struct wf_transition *x = NULL;
        struct err e = {0};
        const struct workflow *w = workflow_find(rules->flows, t[i].flow);
        enum role role = strcmp(t[i].action, "submit_completion") == 0 ? ROLE_AUX : ROLE_OFFICER;
        assert_int_equal(workflow_choose(&x, w, t[i].from, t[i].action, role, true, &e), 0);
        if (t[i].stage == NULL)
            assert_null(x->stage);
        else
            assert_string_equal(x->stage, t[i].stage);
    }
}

/* --- WFL-02: which flow --- */
static void test_where(void **state)
{
    (void)state;
    static const struct { bool here; const char *region; enum flow_where where; } t[] = {
        {true, "110101", FLOW_CITY}, {true, NULL, FLOW_CITY}, {false, "340799", FLOW_CITY}, {false, "340700", FLOW_CITY}, {false, "340102", FLOW_PROVINCE},
        {false, "340000", FLOW_PROVINCE}, {false, "350799", FLOW_OUTSIDE}, {false, "", FLOW_OUTSIDE}, {false, NULL, FLOW_OUTSIDE}, {false, "3", FLOW_OUTSIDE},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        assert_int_equal(flow_where(t[i].here, t[i].region, "340700", "340000"), t[i].where);
    assert_int_equal(flow_where(false, "310115", "310000", "310000"), FLOW_CITY);      /* a city that is a province */
    assert_int_equal(flow_where(false, "340799", NULL, NULL), FLOW_OUTSIDE);
}

/* Every item of the list, wherever the household is (CAT, WFL-02). */
static void test_selection(void **state)
{
    (void)state;
    static const struct { const char *flow, *business; enum flow_where where; const char *type; } t[] = {
        {"on_the_spot", "birth_registration", FLOW_OUTSIDE, "on_the_spot"}, {"sub_bureau_approval", "correction", FLOW_CITY, "sub_bureau_approval"},
        {"sub_bureau_approval", "supplement", FLOW_OUTSIDE, "sub_bureau_investigation"}, {"move_in", "move_in", FLOW_CITY, "move_in_province"},
        {"move_in", "move_in", FLOW_PROVINCE, "move_in_province"}, {"move_in", "move_in", FLOW_OUTSIDE, "move_in_outside"},
        {"move_out", "move_out", FLOW_CITY, "move_out"}, {"move_out", "move_out", FLOW_OUTSIDE, "move_out"},
    };
    struct err e = {0};
    struct catalogue *c = NULL;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const struct item item = {.flow = t[i].flow, .business = t[i].business};
        const struct flow_rule *r = flow_select(rules->select, &item, t[i].where, NULL);
        assert_non_null(r);
        assert_string_equal(r->flow_type, t[i].type);
        assert_true(*r->why);
    }
    assert_null(flow_select(rules->select, &(struct item){.flow = "by_balloon", .business = ""}, FLOW_CITY, NULL));
    assert_int_equal(catalogue_load_dir(&c, SOURCE_DIR "/schemas", &e), 0);
    assert_int_equal(flow_select_covers(rules->select, c, &e), 0);
    catalogue_unref(c);
}

#define RULE(flow, more) "{\"flow\":\"" flow "\",\"flow_type\":\"on_the_spot\",\"why\":\"x\"" more "}"
static void test_selection_refuses(void **state)
{
    (void)state;
    static const struct { const char *json, *words; } t[] = {
        {"[]", "want rules"}, {"{\"rules\":{}}", "want rules"}, {"{\"rules\":[],\"more\":1}", "want rules"},
        {"{\"rules\":[{\"flow\":\"a\"}]}", "rule 1: want flow, flow_type and why"},
        {"{\"rules\":[" RULE("a", ",\"item\":\"HJ001\"") "]}", "rule 1: unknown key item"},
        {"{\"rules\":[" RULE("a", ",\"where\":[\"moon\"]") "]}", "want city, province or outside, have moon"},
        {"{\"rules\":[" RULE("a", ",\"where\":[]") "]}", "want at least one place"},
        {"{\"rules\":[" RULE("a", ",\"business\":[]") "]}", "want a list of kinds"},
        {"{\"rules\":[" RULE("a", ",\"when\":[{\"field\":\"x\"}]") "]}", "one list in, not_in or prefix"},
        {"{\"rules\":[{\"flow\":\"a\",\"flow_type\":\"by_sea\",\"why\":\"x\"}]}", "variants officer and aux, have by_sea"},
        {"{\"rules\":[" RULE("a", "") "," RULE("a", ",\"where\":[\"city\"]") "]}", "rule 2: never reached"},
    };
    struct flow_select *s = NULL;
    struct err e = {0};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        json_t *j = json_loads(t[i].json, 0, NULL);
        assert_non_null(j);
        assert_error(flow_select_parse(&s, "s.json", j, rules->flows, &e), &e, ERR_INPUT, t[i].words);
        json_decref(j);
    }
    struct catalogue *c = NULL;
    assert_int_equal(catalogue_load_dir(&c, SOURCE_DIR "/schemas", &e), 0);
    json_t *j = json_loads("{\"rules\":[" RULE("on_the_spot", ",\"where\":[\"city\",\"province\"]") "]}", 0, NULL);
    assert_int_equal(flow_select_parse(&s, "s.json", j, rules->flows, &e), 0);
    assert_error(flow_select_covers(s, c, &e), &e, ERR_INPUT, "item HJ001: flow on_the_spot: no rule for a household in outside");
    flow_select_free(s);
    j = (json_decref(j), json_loads("{\"rules\":[" RULE("on_the_spot", ",\"when\":[{\"field\":\"x\",\"in\":[\"1\"]}]") "," RULE("on_the_spot", "") "]}", 0, NULL));
    assert_int_equal(flow_select_parse(&s, "s.json", j, rules->flows, &e), 0);
    flow_select_free(s);
    json_decref(j);
    catalogue_unref(c);
}

/* Who may and what the condition picks. */
static void test_choose(void **state)
{
    (void)state;
    const struct workflow *w = workflow_find(rules->flows, "online-spot-officer");
    const struct wf_transition *t;
    struct err e = {0};
    assert_int_equal(workflow_choose(&t, w, "awaiting_review", "pass", ROLE_OFFICER, true, &e), 0);
    assert_string_equal(t->to, "awaiting_originals");
    assert_int_equal(workflow_choose(&t, w, "awaiting_review", "pass", ROLE_OFFICER, false, &e), 0);
    assert_string_equal(t->to, "awaiting_completion");
    assert_error(workflow_choose(&t, w, "awaiting_review", "pass", ROLE_AUX, true, &e), &e, ERR_DENIED, "not for role aux");
    assert_error(workflow_choose(&t, w, "completed", "pass", ROLE_OFFICER, true, &e), &e, ERR_CONFLICT, "has no action pass");
    assert_error(workflow_choose(&t, w, "supplement", "supplement_arrived", ROLE_OFFICER, true, &e), &e, ERR_DENIED, "officer");
    const struct workflow *up = workflow_find(rules->flows, "online-subbureau-aux");
    assert_int_equal(workflow_state(up, "awaiting_sub_bureau")->wait_roles, ROLE_SUB_BUREAU);
    assert_true(workflow_state(up, "awaiting_sub_bureau")->wait_up);
    assert_int_equal(workflow_state(up, "supplement")->wait_roles, 0);
}

/* REV-12: working days over weekends, National Day and the Saturday that is worked. */
static void test_working_days(void **state)
{
    (void)state;
    static const struct { struct date from; int n; const char *to; } t[] = {
        {{2026, 11, 23}, 3, "2026-11-26"}, {{2026, 11, 20}, 1, "2026-11-23"}, {{2026, 9, 30}, 1, "2026-10-08"}, {{2026, 10, 9}, 1, "2026-10-10"},
        {{2026, 10, 9}, 2, "2026-10-12"}, {{2026, 12, 31}, 1, "2027-01-04"}, {{2026, 11, 23}, 0, "2026-11-23"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char text[11];
        struct date d = calendar_add(rules->calendar, t[i].from, t[i].n);
        date_text(text, d);
        assert_string_equal(text, t[i].to);
        assert_int_equal(calendar_between(rules->calendar, t[i].from, d), t[i].n);
        if (calendar_is_working(rules->calendar, t[i].from))
            assert_int_equal(calendar_between(rules->calendar, d, t[i].from), -t[i].n);
    }
    struct calendar *c = NULL;
    struct err e = {0};
    json_t *j = json_loads("{\"free\":[\"2026-02-30\"]}", 0, NULL);
    assert_error(calendar_parse(&c, "h.json", j, &e), &e, ERR_INPUT, "free[0]");
    json_decref(j);
}

static void test_masks(void **state)
{
    (void)state;
    static const struct { const char *kind, *value, *shown; } t[] = {
        {"id", "34079919900101122X", "340***********122X"}, {"phone", "13905620001", "139****0001"}, {"phone", "0562-2812345", "0562-***2345"},
        {"none", "江州市", "江州市"}, {NULL, "13905620001", "13905620001"}, {"id", "1234", "****"}, {"phone", "123", "***"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char out[64];
        mask_value(out, sizeof out, t[i].kind, t[i].value);
        assert_string_equal(out, t[i].shown);
    }
}

static void test_case_numbers(void **state)
{
    (void)state;
    assert_true(caseno_valid("3407261100000018"));
    static const char *const bad[] = {"", "3407261100000017", "340726110000001", "34072611000000180", "3408261100000018", "340726110000001X", "3407261100000081"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(caseno_valid(bad[i]));
}

static int used_below(void *arg, const char *id_no, bool *used, struct err *e)
{
    (void)e;
    *used = atoi((char[]){id_no[14], id_no[15], id_no[16], 0}) < *(int *)arg;
    return 0;
}

/* The lowest free sequence of the sex, odd for men, even for women; a right check digit; full when the day is. */
static void test_new_numbers(void **state)
{
    (void)state;
    char n[19];
    int taken = 0;
    struct err e = {0};
    assert_int_equal(id_assign(n, "340799", "2026-11-02", '2', used_below, &taken, &e), 0);
    assert_string_equal(n, "340799202611020021");
    taken = 5;
    assert_int_equal(id_assign(n, "340799", "2026-11-02", '1', used_below, &taken, &e), 0);
    assert_memory_equal(n + 14, "005", 3);
    taken = 1000;
    assert_error(id_assign(n, "340799", "2026-11-02", '1', used_below, &taken, &e), &e, ERR_FULL, "no free sequence");
    assert_error(id_assign(n, "340799", "2026-02-30", '1', used_below, &taken, &e), &e, ERR_INPUT, "a day");
    assert_error(id_assign(n, "34079", "2026-11-02", '1', used_below, &taken, &e), &e, ERR_INPUT, "6 digits");
    assert_error(id_assign(n, "340799", "2026-11-02", '9', used_below, &taken, &e), &e, ERR_INPUT, "sex");
}

/* Words are advice, names and numbers refuse; a name of one character is no name to look for. */
static void test_words(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned refused; size_t findings; } t[] = {
        {"请在亮处重拍整页", 0, 0}, {"附件格式错误", 0, 2}, {"张三请重拍", 1, 1}, {"张·三请重拍", 1, 1}, {"１１位手机 139 0562 0001", 1, 1},
        {"340799199001011", 1, 1}, {"恭喜您", 0, 1}, {"第 2 页，共 12 页", 0, 0}, {"三号楼", 0, 0},
    };
    json_t *names = json_pack("[s, s]", "张三", "三");
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        json_t *found = json_array();
        unsigned n = wordcheck_text(rules->words, "f", t[i].text, names, found);
        if (n != t[i].refused || json_array_size(found) != t[i].findings)
            fail_msg("%s: want %u of %zu, have %u of %zu", t[i].text, t[i].refused, t[i].findings, n, json_array_size(found));
        json_decref(found);
    }
    json_decref(names);
}

/* A sentence whose placeholder has no value is never shown: the variant is. */
static void test_sentences(void **state)
{
    (void)state;
    char out[400];
    json_t *v = json_pack("{s:s, s:i}", "date", "12月3日", "total", 2), *none = json_object();
    rules_sentence(out, sizeof out, rules_public_state(rules, "supplement"), NULL, v);
    assert_string_equal(out, "轮到您：请补 2 份材料。12月3日前补齐，过期要重新申请");
    json_object_del(v, "total");
    rules_sentence(out, sizeof out, rules_public_state(rules, "supplement"), NULL, v);
    assert_string_equal(out, "轮到您：请改好民警指出的内容。12月3日前补齐，过期要重新申请");
    rules_sentence(out, sizeof out, rules_public_state(rules, "reviewing"), NULL, none);
    assert_string_equal(out, "民警正在审核");
    json_decref(v);
    json_decref(none);
}

/* SEC-13: a sentence that is too long is cut, but stays text: as JSON it would be lost otherwise, and with it what it refuses. */
static void test_cut(void **state)
{
    (void)state;
    char out[16];
    json_t *v = json_pack("{s:s}", "name", "一二三四五六七八九十"), *said;
    for (size_t cap = 8; cap <= sizeof out; cap++) {
        assert_false(text_fill(out, cap, "{name}", v));
        said = json_string(out);
        assert_non_null(said);
        json_decref(said);
    }
    json_decref(v);
}

/* NTF-03: with its sign every message fits one SMS of 70 characters when its values are as long as they get. */
static void test_sms_length(void **state)
{
    (void)state;
    size_t i;
    json_t *t, *v = json_pack("{s:s, s:s, s:i, s:s, s:s}", "tail", "0018", "date", "12月31日", "n", 12, "unit", "长江路派出所", "code", "123456");
    json_array_foreach(json_object_get(rules->sms, "templates"), i, t) {
        char text[600], whole[700];
        const char *id = json_string_value(json_object_get(t, "id"));
        assert_true(text_fill(text, sizeof text, rules_sms(rules, id), v));
        snprintf(whole, sizeof whole, "【%s】%s", json_string_value(json_object_get(rules->sms, "sign")), text);
        long n = text_length(bytes_of(whole));
        if (n > 70)
            fail_msg("%s: %ld characters", id, n);
    }
    json_decref(v);
}

static void refusals_start(const char *item, const char *family, const char *first)
{
    json_t *all = rules_refusals(rules, item, family);
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "id")), first);
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, json_array_size(all) - 1), "id")), "already_done");
    json_decref(all);
}

/* WFL-07: the item's own rules for refusing come first, then those of its form, then everyone's. */
static void test_refusals(void **state)
{
    (void)state;
    refusals_start("HJ027", "name_change", "parent_alive");
    refusals_start("HJ025", "name_change", "no_good_reason");
    refusals_start("HJ041", "head_change", "house_not_proved");
    refusals_start("HJ025", NULL, "conditions_not_met");
    refusals_start("HJ999", "nothing", "conditions_not_met");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_flows), cmocka_unit_test(test_loader_refuses), cmocka_unit_test(test_stage_ahead), cmocka_unit_test(test_where), cmocka_unit_test(test_selection),
        cmocka_unit_test(test_selection_refuses), cmocka_unit_test(test_choose), cmocka_unit_test(test_working_days),
        cmocka_unit_test(test_masks), cmocka_unit_test(test_case_numbers), cmocka_unit_test(test_new_numbers), cmocka_unit_test(test_words),
        cmocka_unit_test(test_sentences), cmocka_unit_test(test_cut), cmocka_unit_test(test_sms_length), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
