/* Flows ③ to ⑧ and the investigation, walked to their ends by officer and aux; which flow a case gets and why; scans at the desk; 续办; charts.
 * The flows do not depend on an item's form: here items that are open online are given the flow of a move.
 * WFL-02 WFL-04 WFL-09 WFL-11 WFL-12 WFL-13 WFL-14 WFL-15 WFL-301..806 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/caselist.h"
#include "intranet-side/service/flowview.h"
#include "intranet-side/service/scans.h"
#include "intranet-side/service/step.h"

#define OK "\"unseen_ok\":true"
#define UP "\"opinion\":\"情况属实，请审批\",\"level\":\"sub_bureau\",\"unseen_ok\":true"
#define END "\"sentence\":\"一直没有收到迁移证\",\"opinion\":\"长期未交，终止\",\"confirm_text\":\"终止办理\""
static const char jpeg[] = "\xff\xd8\xff\xe0 a paper", png[] = "\x89PNG\r\n\x1a\n a paper", pdf_file[] = "%PDF-1.4 a paper";

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
    const json_t *clock = json_object_get(json_array_get(json_object_get(r.body, "rows"), 0), "clock");
    assert_non_null(strstr(text_of(clock, "text"), "群众超 "));
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

/* --- every way of every flow --- */
struct explorer {
    struct world *w;
    const struct workflow *flow;
    unsigned taken[WF_MAX_TRANSITIONS];
    char name[32];                       /* of the person, who is renamed each time a case is finished */
    unsigned renamed;
};

static struct app *apply(struct explorer *x)
{
    static const char *const given[] = {"望远", "望岳", "望山", "望川", "望舒", "望野", "望晴", "望辰"};
    char form[1200];
    snprintf(form, sizeof form,
             "{\"applicant_name\":\"%s\",\"applicant_id_no\":\"340799199902101476\",\"applicant_phone\":\"13905620001\",\"subject_name\":\"%s\","
             "\"subject_id_no\":\"340799199902101476\",\"subject_region\":\"340799\",\"accept_unit\":\"" STATION "\",\"new_name\":\"蒋%s\","
             "\"reason_text\":\"与同单位同事重名，多有不便\"}",
             x->name, x->name, given[x->renamed % 8]);
    return open_case(x->w, "HJ025", form, RENAME_SLOTS);
}

/* What a decision must carry for this step. */
static void members(char *out, size_t cap, const struct wf_transition *t, const char *day)
{
    size_t n = (size_t)snprintf(out, cap, OK);
    const struct { bool on; const char *text; } v[] = {
        {(t->needs & WF_NEED_OPINION) != 0, ",\"opinion\":\"核实过\""}, {(t->needs & WF_NEED_LEVEL) != 0, ",\"level\":\"sub_bureau\""},
        {(t->needs & WF_NEED_RULE) != 0, ",\"rule\":\"no_good_reason\""},
        {(t->needs & WF_NEED_REASONS) != 0, ",\"reasons\":[{\"material\":1,\"text\":\"请在亮处重拍整页\"}]"},
    };
    for (size_t i = 0; i < 4; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s", v[i].on ? v[i].text : "");
    if (t->needs & WF_NEED_DATE)
        n += (size_t)snprintf(out + n, cap - n, ",\"date\":\"%s\"", day);
    if (t->needs & WF_NEED_CONFIRM)
        snprintf(out + n, cap - n, ",\"confirm_text\":\"%s\"", t->label);
}

struct push { struct world *w; const char *no, *action; };
static int push_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct push *p = arg;
    struct case_file f;
    struct dossier d;
    bool done = false;
    if (case_get(conn, p->no, &f, e) < 0 || dossier_open(&d, &p->w->c, conn, &f, e) < 0)
        return -1;
    int rc = step_system(&p->w->c, conn, &d, p->action, "", p->w->now, &done, e);
    dossier_close(&d);
    return rc == 0 && !done ? err_set(e, ERR_INTERNAL, "%s: not taken", p->action) : rc;
}

static void hand_over(struct world *w, const struct actor *to, const char *no)
{
    const struct actor *const all[] = {&w->officer, &w->aux, &w->chief};
    struct reply r = {0};
    struct err e = {0};
    for (size_t i = 0; i < 3; i++) {
        if (all[i] != to && decide_release(&w->c, all[i], no, w->now, &r, &e) == 0)
            reply_clear(&r);
        reply_clear(&r);
        e = (struct err){0};
    }
}

static void take(struct explorer *x, const struct wf_transition *t, const char *no, unsigned roles)
{
    struct world *w = x->w;
    struct err e = {0};
    char more[600], day[11];
    if (t->roles & ROLE_SYSTEM) {
        struct push p = {w, no, t->action};
        must(db_write(w->c.db, push_write, &p, &e), &e);
        world_tick(w, 10);
        return;
    }
    const struct actor *a = t->up ? &w->chief : t->roles & roles & ROLE_OFFICER ? &w->officer : &w->aux;
    struct reply r = {0};
    hand_over(w, a, no);
    if (t->needs & WF_NEED_SCANS) {
        must(decide_claim(&w->c, a, no, w->now, &r, &e), &e);
        reply_clear(&r);
        scans(w, a, no, t->needs & WF_NEED_SCAN_PERMIT ? "permit" : "certificate");
    }
    date_text(day, calendar_add(w->c.rules->calendar, clock_beijing_date(w->now), 5));
    members(more, sizeof more, t, day);
    if (act(w, a, no, t->action, more, &r, &e) < 0)
        fail_msg("%s: %s by %s: %s (%s)", x->flow->id, t->action, a->login, r.zh, e.msg);
    reply_clear(&r);
    world_tick(w, 6000);
}

struct where { struct world *w; const char *no; struct case_file f; };
static int where_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct where *v = arg;
    return case_get(conn, v->no, &v->f, e);
}

static bool leads(const struct wf_transition *t, const char *state, bool originals_due)
{
    for (size_t k = 0; k < t->n_from; k++)
        if (strcmp(t->from[k], state) == 0)
            return t->when == WF_ALWAYS || (t->when == WF_ORIGINALS_DUE) == originals_due;
    return false;
}

/* Steps from each state to one that was never taken; 99: none ahead. */
static void distances(const struct explorer *x, unsigned d[WF_MAX_STATES])
{
    const struct workflow *f = x->flow;
    for (size_t i = 0; i < f->n_states; i++)
        d[i] = 99;
    for (size_t round = 0; round < f->n_states; round++)
        for (size_t i = 0; i < f->n_states; i++)
            for (size_t k = 0; k < f->n_transitions; k++) {
                const struct wf_state *to = workflow_state(f, f->transitions[k].to);      /* NULL: back where it was */
                unsigned far = x->taken[k] == 0 ? 0 : to ? d[to - f->states] + 1 : 99;
                if (leads(&f->transitions[k], f->states[i].id, true) && far < d[i])
                    d[i] = far;
            }
}

/* A way never taken, else one towards such a way; one that was taken often and led nowhere loses its pull. */
static size_t least(const struct explorer *x, const char *state, bool originals_due, unsigned roles)
{
    unsigned d[WF_MAX_STATES], far, best_far = 0;
    size_t best = SIZE_MAX;
    distances(x, d);
    for (size_t i = 0; i < x->flow->n_transitions; i++) {
        const struct wf_transition *t = &x->flow->transitions[i];
        const struct wf_state *to = workflow_state(x->flow, t->to);
        if (!leads(t, state, originals_due) || !(t->roles & roles))
            continue;
        far = x->taken[i] == 0 ? 0 : (to ? d[to - x->flow->states] + 1 : 99) + 2 * x->taken[i];
        if (best == SIZE_MAX || far < best_far) {
            best = i;
            best_far = far;
        }
    }
    return best;
}

/* One case by ways little used until it ends; the steps are bounded, so that two states do not play ball for ever. */
static void one_life(struct explorer *x)
{
    struct world *w = x->w;
    struct app *a = apply(x);
    struct where v = {.w = w, .no = a->no};
    struct err e = {0};
    for (int steps = 0; steps < 60; steps++) {
        must(db_read(w->c.db, where_read, &v, &e), &e);
        if (v.f.final)
            break;
        /* until somebody decided, the variant is that of whoever holds it: then the first step is his */
        enum role own = strcmp(x->flow->variant, "aux") == 0 ? ROLE_AUX : ROLE_OFFICER;
        unsigned roles = v.f.transitions ? ROLES_ALL | ROLE_SYSTEM : own | ROLE_SYSTEM;
        size_t i = least(x, v.f.state, v.f.originals_due, roles);
        assert_true(i != SIZE_MAX);
        if (*v.f.workflow == '\0') {                     /* whoever claims first decides on the variant */
            struct reply r = {0};
            must(decide_claim(&w->c, own == ROLE_AUX ? &w->aux : &w->officer, a->no, w->now, &r, &e), &e);
            reply_clear(&r);
        }
        x->taken[i]++;
        take(x, &x->flow->transitions[i], a->no, roles);
    }
    must(db_read(w->c.db, where_read, &v, &e), &e);
    json_t *p = registered(w, "340799199902101476");
    x->renamed += strcmp(x->name, text_of(p, "name")) != 0;
    snprintf(x->name, sizeof x->name, "%s", text_of(p, "name"));
    json_decref(p);
    app_free(a);
}

/* A step that was never taken; the ways of a case without papers are not walked here. NULL: none is left over. */
static const struct wf_transition *left_over(const struct explorer *x)
{
    for (size_t i = 0; i < x->flow->n_transitions; i++)
        if (x->taken[i] == 0 && x->flow->transitions[i].when != WF_NO_ORIGINALS_DUE)
            return &x->flow->transitions[i];
    return NULL;
}

/* WFL-01 WFL-05: in every flow every step of people and of the system is taken by the real engine, with papers due; whatever way, no case is stuck. */
static void test_every_way(void **state)
{
    struct explorer x = {.w = *state, .name = "蒋国庆"};
    for (size_t k = 0; (x.flow = workflow_at(x.w->c.rules->flows, k)); k++) {
        char rule[300];
        struct err e = {0};
        struct flow_select *own = NULL;
        snprintf(rule, sizeof rule, "{\"rules\":[{\"flow\":\"sub_bureau_approval\",\"flow_type\":\"%s\",\"why\":\"x\"}]}", x.flow->flow_type);
        json_t *j = json_loads(rule, 0, NULL);
        must(flow_select_parse(&own, "s.json", j, x.w->c.rules->flows, &e), &e);
        json_decref(j);
        flow_select_free(x.w->c.rules->select);
        x.w->c.rules->select = own;
        memset(x.taken, 0, sizeof x.taken);
        for (int lives = 0; lives < 40 && (lives < 4 || left_over(&x)); lives++) {
            for (size_t i = 0; i < x.w->n_sent; i++)      /* the sink is small */
                free(x.w->sent[i].xml);
            x.w->n_sent = 0;
            one_life(&x);
        }
        const struct wf_transition *t = left_over(&x);
        if (t)
            fail_msg("%s: %s from %s was never taken", x.flow->id, t->action, t->from[0]);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_flow_3), T(test_flow_4), T(test_flow_5), T(test_flow_6), T(test_flow_7), T(test_flow_8), T(test_move_is_ended), T(test_investigation),
        T(test_change_is_looked_into), T(test_scans), T(test_going_on), T(test_overdue_certificate_is_due), T(test_chart), T(test_every_way),
    };
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
