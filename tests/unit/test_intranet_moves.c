/* Flows ③ to ⑧ and the investigation, walked to their ends by officer and aux; which flow a case gets and why; scans at the desk; 续办; charts.
 * The flows do not depend on an item's form: here items that are open online are given the flow of a move.
 * WFL-02 WFL-04 WFL-09 WFL-11 WFL-12 WFL-13 WFL-14 WFL-15 WFL-301..806 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/caselist.h"
#include "intranet-side/service/flowview.h"
#include "intranet-side/service/scans.h"

#define OK "\"unseen_ok\":true"
#define UP "\"opinion\":\"情况属实，请审批\",\"level\":\"sub_bureau\",\"unseen_ok\":true"
#define END "\"sentence\":\"一直没有收到迁移证\",\"opinion\":\"长期未交，终止\",\"confirm_text\":\"终止办理\""
static const char jpeg[] = "\xff\xd8\xff\xe0 a paper", png[] = "\x89PNG\r\n\x1a\n a paper", pdf_file[] = "%PDF-1.4 a paper";

/* The catalogue in force with one member of one item changed. */
static void reflow(struct world *w, const char *code, const char *key, const char *value)
{
    struct buf b, changed;
    struct err e = {0};
    size_t i;
    json_t *item;
    struct catalogue *fresh = NULL;
    buf_init(&b, 0);
    buf_init(&changed, 0);
    must(catalogue_bundle(&b, w->c.catalogue, &e), &e);
    json_t *all = json_loadb((const char *)b.p, b.n, 0, NULL);
    json_array_foreach(json_object_get(all, "items"), i, item)
        if (strcmp(text_of(item, "code"), code) == 0)
            json_object_set_new(item, key, json_string(value));
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    must(catalogue_load_bundle(&fresh, bytes_of(text), &e), &e);
    catalogue_unref(w->c.catalogue);
    w->c.catalogue = fresh;
    free(text);
    json_decref(all);
    buf_clear(&b);
    buf_clear(&changed);
}

/* 袁淑贞 is in our register; of the newborn child nothing is known there. */
static struct app *inside(struct world *w)
{
    reflow(w, "HJ083", "flow", "move_in");
    return open_case(w, "HJ083", DEATH, DEATH_SLOTS);
}

static struct app *outside(struct world *w)
{
    reflow(w, "HJ001", "flow", "move_in");
    return open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
}

static struct app *leaving(struct world *w)
{
    reflow(w, "HJ083", "flow", "move_out");
    return open_case(w, "HJ083", DEATH, DEATH_SLOTS);
}

static void to_completion(struct world *w, const struct actor *reviewer, const char *no)
{
    takes(w, reviewer, no, "pass", OK, "awaiting_originals");
    takes(w, &w->officer, no, "originals_ok", "", "awaiting_completion");
}

static int scan(struct world *w, const struct actor *a, const char *no, const char *kind, const char *bytes, size_t n, struct reply *r, struct err *e)
{
    memset(r, 0, sizeof *r);
    memset(e, 0, sizeof *e);
    return scan_add(&w->c, a, no, kind, (struct bytes){(const uint8_t *)bytes, n}, NULL, w->now, r, e);
}

static void scans(struct world *w, const struct actor *a, const char *no, const char *kind)
{
    struct reply r;
    struct err e;
    must(scan(w, a, no, kind, jpeg, sizeof jpeg - 1, &r, &e), &e);
    reply_clear(&r);
}

static void scan_refused(struct world *w, const struct actor *a, const char *no, const char *kind, const char *bytes, enum err_code code, const char *zh)
{
    struct reply r;
    struct err e;
    assert_int_equal(scan(w, a, no, kind, bytes, strlen(bytes), &r, &e), -1);
    if (e.code != code || !strstr(r.zh, zh))
        fail_msg("scan: want %s \"%s\", have %s \"%s\"", err_word(code), zh, err_word(e.code), r.zh);
    reply_clear(&r);
}

static void assert_status(struct world *w, const char *no, const char *state)
{
    const char *xml = last_sent(w, "status", no);
    if (!xml || !strstr(xml, state))
        fail_msg("last status: want %s, have %s", state, xml ? xml : "none");
}

static void assert_sms(struct world *w, const char *no, const char *words)
{
    json_t *c = see(w, &w->officer, no), *m = json_object_get(c, "messages");
    const char *text = text_of(json_array_get(m, json_array_size(m) - 1), "text");
    if (!strstr(text, words))
        fail_msg("last SMS: want %s, have %s", words, text);
    json_decref(c);
}

/* What the trail says of the choice of the flow. */
static void assert_why(struct world *w, const char *no, const char *words)
{
    json_t *c = see(w, &w->officer, no);
    const char *have = text_of(json_array_get(json_object_get(c, "trail"), 0), "after");
    if (!strstr(have, words))
        fail_msg("why this flow: want %s, have %s", words, have);
    json_decref(c);
}

/* WFL-301..305 WFL-15: flow ③: one-stop move of somebody of this province, by the officer alone; nobody waits for paper. */
static void test_flow_3(void **state)
{
    struct world *w = *state;
    struct app *a = inside(w);
    assert_why(w, a->no, "户口现在在本市，按省内迁入");
    to_completion(w, &w->officer, a->no);
    refused(w, &w->officer, a->no, "finish", "", ERR_CONFLICT, "现在的状态不能这样办");
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_move_out");
    assert_status(w, a->no, "state=\"continuing\" stage=\"4\" final=\"false\"");
    takes(w, &w->officer, a->no, "move_out", OK, "awaiting_move_in");
    takes(w, &w->officer, a->no, "finish", OK, "completed");
    assert_status(w, a->no, "state=\"completed\" stage=\"5\" final=\"true\"");
    assert_sms(w, a->no, "已办结");
    app_free(a);
}

/* WFL-401..406: flow ④: the aux reviews and fills in, the officer checks originals, approves and carries the three steps out. */
static void test_flow_4(void **state)
{
    struct world *w = *state;
    struct app *a = inside(w);
    to_completion(w, &w->aux, a->no);
    refused(w, &w->officer, a->no, "move_in_registration", "", ERR_CONFLICT, "现在的状态不能这样办");
    takes(w, &w->aux, a->no, "submit_completion", "", "completion_review");
    refused(w, &w->aux, a->no, "move_in_registration", "", ERR_DENIED, "不由您办理");
    takes(w, &w->officer, a->no, "return_to_aux", "\"opinion\":\"关系请核对\"", "awaiting_completion");
    takes(w, &w->aux, a->no, "submit_completion", "", "completion_review");
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_move_out");
    takes(w, &w->officer, a->no, "move_out", OK, "awaiting_move_in");
    refused(w, &w->aux, a->no, "finish", OK, ERR_CONFLICT, "周建国");
    takes(w, &w->officer, a->no, "finish", OK, "completed");
    app_free(a);
}

/* Permit, its scan, the citizen fetches the certificate, its scan: each step waits for its paper. */
static void outside_to_certificate(struct world *w, const struct actor *scanner, const char *no)
{
    refused(w, scanner, no, "scan_permit", "", ERR_CONFLICT, "请先补扫准迁证");
    scans(w, scanner, no, "permit");
    takes(w, scanner, no, "scan_permit", "", "awaiting_certificate");
    assert_status(w, no, "state=\"awaiting_migration_certificate\" stage=\"4\" final=\"false\"");
    assert_sms(w, no, "到原户籍地办迁移证");
    json_t *c = see(w, &w->officer, no);
    assert_string_equal(text_of(json_object_get(c, "clock"), "text"), "暂停计时");      /* the days are the citizen's now */
    json_decref(c);
    refused(w, scanner, no, "scan_certificate", "", ERR_CONFLICT, "请先补扫迁移证");
    scans(w, scanner, no, "certificate");
    takes(w, scanner, no, "scan_certificate", "", "awaiting_move_in");
    assert_status(w, no, "state=\"continuing\"");
}

/* WFL-501..506: flow ⑤. */
static void test_flow_5(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    assert_why(w, a->no, "户口现在在外省");
    to_completion(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    outside_to_certificate(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "finish", OK, "completed");
    assert_sms(w, a->no, "已办结");
    app_free(a);
}

/* WFL-601..606: flow ⑥: scanning may be the aux's, the register stays the officer's. */
static void test_flow_6(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    struct reply r = {0};
    struct err e = {0};
    to_completion(w, &w->aux, a->no);
    takes(w, &w->aux, a->no, "submit_completion", "", "completion_review");
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    must(decide_release(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    must(decide_claim(&w->c, &w->aux, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    outside_to_certificate(w, &w->aux, a->no);
    refused(w, &w->aux, a->no, "finish", OK, ERR_DENIED, "不由您办理");
    takes(w, &w->officer, a->no, "finish", OK, "completed");
    app_free(a);
}

/* WFL-701..706: flow ⑦: the register is done before the certificate is scanned; completed only after it. */
static void test_flow_7(void **state)
{
    struct world *w = *state;
    struct app *a = leaving(w);
    to_completion(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "move_out", OK, "awaiting_certificate_scan");
    json_t *p = registered(w, "340799194703110844");
    assert_string_equal(text_of(p, "status"), "cancelled");
    json_decref(p);
    refused(w, &w->officer, a->no, "terminate", END, ERR_CONFLICT, "现在的状态不能这样办");
    refused(w, &w->officer, a->no, "scan_certificate", "", ERR_CONFLICT, "请先补扫迁移证");
    scans(w, &w->officer, a->no, "certificate");
    takes(w, &w->officer, a->no, "scan_certificate", "", "completed");
    assert_status(w, a->no, "state=\"completed\" stage=\"5\" final=\"true\"");
    app_free(a);
}

/* WFL-801..806: flow ⑧. */
static void test_flow_8(void **state)
{
    struct world *w = *state;
    struct app *a = leaving(w);
    to_completion(w, &w->aux, a->no);
    takes(w, &w->aux, a->no, "submit_completion", "", "completion_review");
    refused(w, &w->aux, a->no, "move_out", "", ERR_DENIED, "不由您办理");
    takes(w, &w->officer, a->no, "move_out", OK, "awaiting_certificate_scan");
    scans(w, &w->officer, a->no, "certificate");
    takes(w, &w->officer, a->no, "scan_certificate", "", "completed");
    app_free(a);
}

/* A move under way is ended only with what its stage began taken back; the citizen cannot withdraw from it. */
static void test_move_is_ended(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    struct err why;
    to_completion(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    char id[33], hash[65], xml[600], at[21];
    struct id128 fresh;
    id_random(&fresh);
    snprintf(id, sizeof id, "%s", fresh.s);
    hex_of(hash, bytes_of(id));
    clock_rfc3339(at, w->now);
    snprintf(xml, sizeof xml, "<withdrawal xmlns=\"urn:hz:record:1\" case=\"%s\" seq=\"2\" asked=\"%s\"><reason>不迁了</reason></withdrawal>", a->no, at);
    assert_string_equal(arrive(w, "withdrawal", a->no, id, hash, bytes_of(xml), &why), "refused");
    scans(w, &w->officer, a->no, "permit");
    takes(w, &w->officer, a->no, "scan_permit", "", "awaiting_certificate");
    takes(w, &w->officer, a->no, "terminate", END, "terminated");
    assert_status(w, a->no, "state=\"terminated\"");
    app_free(a);
}

/* WFL-12: 户口补录 goes up only with a report; the citizen sees that it is being looked into. */
static void test_investigation(void **state)
{
    struct world *w = *state;
    reflow(w, "HJ025", "business", "supplement");
    for (int aux = 0; aux < 2; aux++) {
        struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
        assert_why(w, a->no, "先调查核实");
        if (aux)
            takes(w, &w->aux, a->no, "pass", OK, "awaiting_officer");
        refused(w, &w->officer, a->no, "submit_up", UP, ERR_CONFLICT, "现在的状态不能这样办");
        takes(w, &w->officer, a->no, "investigate", "\"opinion\":\"请社区民警核实\",\"unseen_ok\":true", "investigating");
        assert_status(w, a->no, "state=\"investigating\" stage=\"2\"");
        refused(w, &w->officer, a->no, "report", "", ERR_INPUT, "请填写意见");
        takes(w, &w->officer, a->no, "report", "\"opinion\":\"经走访，情况属实\"", "awaiting_report_review");
        takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
        json_t *c = see(w, &w->chief, a->no), *opinions = json_object_get(json_object_get(c, "summary"), "opinions");
        assert_string_equal(text_of(json_array_get(opinions, 1), "opinion"), "经走访，情况属实");       /* the approver reads the report */
        json_decref(c);
        takes(w, &w->chief, a->no, "disapprove_return", "\"opinion\":\"再查一次\"", "awaiting_report_review");
        takes(w, &w->officer, a->no, "investigate_again", "\"opinion\":\"补充调查\"", "investigating");
        takes(w, &w->officer, a->no, "report", "\"opinion\":\"补充调查，属实\"", "awaiting_report_review");
        takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
        takes(w, &w->chief, a->no, "approve", "", "awaiting_originals");
        takes(w, &w->officer, a->no, "originals_ok", "", "awaiting_completion");
        takes(w, &w->officer, a->no, aux ? "terminate" : "finish", aux ? END : OK, aux ? "terminated" : "completed");
        app_free(a);
    }
}

/* WFL-13: a change that needs no report may have one; it comes back to the review it left. */
static void test_change_is_looked_into(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    takes(w, &w->officer, a->no, "investigate", "\"opinion\":\"请核实\"", "investigating");
    takes(w, &w->officer, a->no, "report", "\"opinion\":\"属实\"", "awaiting_review");
    takes(w, &w->officer, a->no, "submit_up", UP, "awaiting_sub_bureau");
    app_free(a);
}

/* Who may scan what, when; a better scan takes the place of the last one and the old file is gone. */
static void test_scans(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    struct reply r;
    struct err e;
    struct dir_entry *v = NULL;
    size_t before, n;
    to_completion(w, &w->officer, a->no);
    scan_refused(w, &w->officer, a->no, "permit", jpeg, ERR_CONFLICT, "不用补扫准迁证");
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    scan_refused(w, &w->officer, a->no, "certificate", jpeg, ERR_CONFLICT, "不用补扫迁移证");
    scan_refused(w, &w->officer, a->no, "passport", jpeg, ERR_INPUT, "地址有误");
    scan_refused(w, &w->officer, a->no, NULL, jpeg, ERR_INPUT, "地址有误");
    scan_refused(w, &w->officer, a->no, "permit", "GIF89a", ERR_INPUT, "只能用 JPG、PNG 或 PDF");
    scan_refused(w, &w->officer, a->no, "permit", "", ERR_INPUT, "只能用 JPG、PNG 或 PDF");
    scan_refused(w, &w->officer, a->no, "permit", " %PDF-1.4", ERR_INPUT, "只能用 JPG、PNG 或 PDF");
    scan_refused(w, &w->colleague, a->no, "permit", jpeg, ERR_DENIED, "请先领取这件");
    scan_refused(w, &w->neighbour, a->no, "permit", jpeg, ERR_MISSING, "没有这件");
    must(vault_files(w->c.vault, &v, &before, &e), &e);
    free(v);
    for (const char *const *x = (const char *const[]){jpeg, png, pdf_file, NULL}; *x; x++) {
        must(scan(w, &w->officer, a->no, "permit", *x, strlen(*x), &r, &e), &e);
        json_t *m = json_object_get(r.body, "materials"), *slot = json_array_get(m, json_array_size(m) - 1);
        assert_int_equal(json_integer_value(json_object_get(slot, "no")), SCAN_SLOT_PERMIT);
        assert_string_equal(text_of(slot, "name"), "准迁证");
        assert_int_equal(json_array_size(json_object_get(slot, "pages")), 1);
        assert_true(json_is_true(json_object_get(json_array_get(json_object_get(slot, "pages"), 0), "seen")));
        reply_clear(&r);
    }
    must(vault_files(w->c.vault, &v, &n, &e), &e);
    free(v);
    assert_int_equal(n, before + 1);
    takes(w, &w->officer, a->no, "scan_permit", "", "awaiting_certificate");
    scan_refused(w, &w->officer, a->no, "permit", jpeg, ERR_CONFLICT, "不用补扫准迁证");
    app_free(a);
}

/* WFL-09 WFL-14: 续办 holds what goes on after the originals: mine and nobody's, with the next step and since when. */
static void test_going_on(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    struct case_query q = {.view = "continue"};
    struct reply r = {0};
    struct err e = {0};
    must(caselist_find(&w->c, &w->officer, &q, w->now, &r, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(r.body, "total")), 0);
    reply_clear(&r);
    to_completion(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    scans(w, &w->officer, a->no, "permit");
    takes(w, &w->officer, a->no, "scan_permit", "", "awaiting_certificate");
    static const struct { size_t who; int want; } t[] = {{0, 1}, {1, 0}, {2, 0}};
    const struct actor *const who[] = {&w->officer, &w->colleague, &w->neighbour};
    for (size_t i = 0; i < 3; i++) {
        must(caselist_find(&w->c, who[t[i].who], &q, w->now, &r, &e), &e);
        assert_int_equal(json_integer_value(json_object_get(r.body, "total")), t[i].want);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(r.body, "counts"), "continue")), t[i].want);
        if (t[i].want) {
            const json_t *row = json_array_get(json_object_get(r.body, "rows"), 0);
            assert_string_equal(text_of(row, "internal"), "续办·待迁移证");
            assert_string_equal(text_of(row, "next"), "补扫迁移证");
            assert_true(*text_of(row, "since"));
        }
        reply_clear(&r);
    }
    must(decide_release(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    must(caselist_find(&w->c, &w->colleague, &q, w->now, &r, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(r.body, "total")), 1);
    reply_clear(&r);
    app_free(a);
}

/* WFL-14: the citizen lets the day pass: the case stands among those that are due. */
static void test_overdue_certificate_is_due(void **state)
{
    struct world *w = *state;
    struct app *a = outside(w);
    struct case_query q = {.view = "todo", .mine = "due"};
    struct reply r = {0};
    struct err e = {0};
    to_completion(w, &w->officer, a->no);
    takes(w, &w->officer, a->no, "move_in_registration", OK, "awaiting_permit_scan");
    scans(w, &w->officer, a->no, "permit");
    takes(w, &w->officer, a->no, "scan_permit", "", "awaiting_certificate");
    must(caselist_find(&w->c, &w->officer, &q, w->now, &r, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(r.body, "total")), 0);
    reply_clear(&r);
    must(caselist_find(&w->c, &w->officer, &q, w->now + 60LL * 86400 * 1000, &r, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(r.body, "total")), 1);
    reply_clear(&r);
    app_free(a);
}

/* WFL-04: the chart of a case says where it stands and what it went through; that of the administrator holds every flow, ① first. */
static void test_chart(void **state)
{
    struct world *w = *state;
    struct app *a = inside(w);
    struct reply r = {0};
    struct err e = {0};
    to_completion(w, &w->officer, a->no);
    must(flowview_case(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    assert_string_equal(text_of(json_object_get(r.body, "flow"), "number"), "③");
    assert_string_equal(text_of(r.body, "state"), "awaiting_completion");
    assert_string_equal(json_string_value(json_array_get(json_object_get(r.body, "passed"), 0)), "awaiting_review");
    reply_clear(&r);
    assert_error(flowview_case(&w->c, &w->neighbour, a->no, w->now, &r, &e), &e, ERR_MISSING, "outside");
    reply_clear(&r);
    must(flowview_all(&w->c, &w->admin, w->now, &r, &e), &e);
    json_t *flows = json_object_get(r.body, "flows");
    assert_int_equal(json_array_size(flows), 12);
    assert_string_equal(text_of(json_array_get(flows, 0), "number"), "①");
    assert_string_equal(text_of(json_array_get(flows, 11), "number"), "⑩");
    reply_clear(&r);
    app_free(a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_flow_3), T(test_flow_4), T(test_flow_5), T(test_flow_6), T(test_flow_7), T(test_flow_8), T(test_move_is_ended), T(test_investigation),
        T(test_change_is_looked_into), T(test_scans), T(test_going_on), T(test_overdue_certificate_is_due), T(test_chart),
    };
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
