/* What the internet side knows only while it runs: sessions, limits; and what it shows of a case as time passes. */
#include <jansson.h>
#include <stdio.h>

#include "common/catalogue.h"
#include "common/file.h"
#include "common/seal.h"
#include "internet-side/service/cases.h"
#include "internet-side/service/caseview.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/edition.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"
#include "tests/unit/scratch.h"

#define NOW 1795425000000ll          /* 2026-11-23 */

/* A session ends after idling, after its longest life, and when it is ended; its cookie is 256 random bits. */
static void sessions(void **state)
{
    (void)state;
    struct sessions *all;
    struct session *s, *again;
    struct err e = {0};
    char token[65], second[65];
    const struct hash256 account = {{ 1 }};
    assert_int_equal(sessions_open(&all, 10, 60, 100, &e), 0);
    assert_int_equal(session_begin(&s, token, all, "13905620001", &account, NOW, &e), 0);
    assert_int_equal(strlen(token), 64);
    assert_true(session_csrf_equal(s, session_csrf(s)));
    assert_false(session_csrf_equal(s, NULL));
    assert_false(session_csrf_equal(s, token));
    session_release(s);
    assert_non_null(again = session_find(all, token, NOW + 59000));
    assert_string_equal(session_phone(again), "13905620001");
    session_release(again);
    assert_null(session_find(all, token, NOW + 100000));
    assert_null(session_find(all, NULL, NOW));
    assert_null(session_find(all, "short", NOW));
    assert_int_equal(session_begin(&s, token, all, "13905620001", &account, NOW, &e), 0);
    assert_int_equal(session_begin(&again, second, all, "13905620001", &account, NOW, &e), 0);
    assert_string_not_equal(token, second);
    session_end(s);
    session_release(s);
    session_release(again);
    assert_null(session_find(all, token, NOW));
    assert_null(session_find(all, second, NOW + 60000));
    sessions_close(all);
}

/* A full table says so; sessions that are over make room. */
static void sessions_are_bounded(void **state)
{
    (void)state;
    struct sessions *all;
    struct session *s;
    struct err e = {0};
    char token[65];
    const struct hash256 account = {{ 1 }};
    assert_int_equal(sessions_open(&all, 3, 60, 1000, &e), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(session_begin(&s, token, all, "13905620001", &account, NOW, &e), 0);
        session_release(s);
    }
    assert_error(session_begin(&s, token, all, "13905620001", &account, NOW, &e), &e, ERR_FULL, "want at most 3");
    assert_int_equal(session_begin(&s, token, all, "13905620001", &account, NOW + 60000, &e), 0);
    session_release(s);
    sessions_close(all);
}

/* Evidence lives in the session, is found by its id, and is gone after use. */
static void evidence_of_a_session(void **state)
{
    (void)state;
    struct sessions *all;
    struct session *s;
    struct err e = {0};
    char token[65];
    const struct hash256 account = {{ 1 }};
    struct evidence v = { .name = "王小明", .expires_ms = NOW }, found;
    assert_int_equal(sessions_open(&all, 3, 60, 1000, &e), 0);
    assert_int_equal(session_begin(&s, token, all, "13905620001", &account, NOW, &e), 0);
    assert_false(session_evidence(s, "", &found));
    id_random(&v.id);
    session_put_evidence(s, &v);
    assert_true(session_evidence(s, v.id.s, &found));
    assert_string_equal(found.name, "王小明");
    session_drop_evidence(s, v.id.s);
    assert_false(session_evidence(s, v.id.s, &found));
    session_release(s);
    sessions_close(all);
}

/* Codes: one a minute, five an hour a phone, thirty an hour an address; other keys are not touched. */
static void limits(void **state)
{
    (void)state;
    struct limiter *l;
    struct err e = {0};
    const struct bytes a = bytes_of("a"), b = bytes_of("b");
    assert_int_equal(limiter_open(&l, 1, &e), 0);
    assert_int_equal(limiter_take(l, LIMIT_CODE_WAIT, a, NOW), 0);
    assert_int_equal(limiter_take(l, LIMIT_CODE_WAIT, a, NOW + 1000), 59);
    assert_int_equal(limiter_take(l, LIMIT_CODE_WAIT, a, NOW + 60000), 0);
    assert_int_equal(limiter_take(l, LIMIT_CODE_WAIT, b, NOW), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(limiter_take(l, LIMIT_CODE_HOUR, a, NOW + i * 60000), 0);
    assert_int_equal(limiter_take(l, LIMIT_CODE_HOUR, a, NOW + 5 * 60000), 55 * 60);
    assert_int_equal(limiter_take(l, LIMIT_CODE_HOUR, a, NOW + 3600000), 0);
    for (int i = 0; i < 30; i++)
        assert_int_equal(limiter_take(l, LIMIT_CODE_ADDRESS, a, NOW), 0);
    assert_true(limiter_take(l, LIMIT_CODE_ADDRESS, a, NOW) > 0);
    assert_int_equal(limiter_left(l, LIMIT_VERIFY_FAILED, a, NOW), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(limiter_take(l, LIMIT_VERIFY_FAILED, a, NOW), 0);
    assert_int_equal(limiter_wait(l, LIMIT_VERIFY_FAILED, a, NOW), 1800);
    limiter_forget(l, LIMIT_VERIFY_FAILED, a);
    assert_int_equal(limiter_wait(l, LIMIT_VERIFY_FAILED, a, NOW), 0);
    limiter_close(l);
}

/* Limits above the exact ring are estimated: never more than the number within a window, and it refills. */
static void limits_of_many(void **state)
{
    (void)state;
    struct limiter *l;
    struct err e = {0};
    const struct bytes a = bytes_of("a");
    unsigned taken = 0;
    assert_int_equal(limiter_open(&l, 1, &e), 0);
    for (int i = 0; i < 500; i++)
        taken += limiter_take(l, LIMIT_VIEW, a, NOW) == 0;
    assert_int_equal(taken, 240);
    for (int i = 0; i < 500; i++)
        taken += limiter_take(l, LIMIT_VIEW, a, NOW + 120000) == 0;
    assert_int_equal(taken, 480);
    for (int i = 0; i < 100000; i++) {      /* more keys than slots: old ones make room, nothing breaks */
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(limiter_take(l, LIMIT_CODE_WAIT, bytes_of(key), NOW + i), 0);
    }
    limiter_close(l);
}

static struct edition *edition(void)
{
    struct catalogue *c;
    struct edition *d;
    struct err e = {0};
    assert_int_equal(catalogue_load_dir(&c, SOURCE_DIR "/schemas", &e), 0);
    assert_int_equal(edition_new(&d, c, &e), 0);
    return d;
}

static struct tracking crossing(void)
{
    struct tracking t = { .submitted_ms = NOW, .updated_ms = NOW, .pages_total = 3, .crossing = "crossing", .stage = 1, .config = 1 };
    snprintf(t.no.s, sizeof t.no.s, "3407261100000018");
    snprintf(t.item, sizeof t.item, "HJ001");
    snprintf(t.unit, sizeof t.unit, "340799510000");
    t.values = json_object();
    return t;
}

static void shows(const struct tracking *t, const struct supplement_request *s, const struct edition *d, int64_t now, const char *key, const char *sentence)
{
    json_t *body = caseview_brief(t, s, d, now), *state = json_object_get(body, "state");
    assert_string_equal(json_string_value(json_object_get(state, "key")), key);
    assert_string_equal(json_string_value(json_object_get(state, "sentence")), sentence);
    json_decref(body);
}

/* CIT-11 Before the intranet speaks: under way, slow after five minutes, held, received page by page. */
static void states_before_the_intranet(void **state)
{
    (void)state;
    struct edition *d = edition();
    struct tracking t = crossing();
    const struct supplement_request none = {0};
    shows(&t, &none, d, NOW + 1000, "crossing", "已加密收下，正在送往长江路派出所，一般 1 分钟内");
    shows(&t, &none, d, NOW + CASES_SLOW_MS, "crossing", "已加密收下，正在送往长江路派出所，一般 1 分钟内");
    shows(&t, &none, d, NOW + CASES_SLOW_MS + 1, "crossing", "比平时慢，不会丢，不用再交，送到后短信告诉您");
    snprintf(t.crossing, sizeof t.crossing, "held");
    shows(&t, &none, d, NOW, "held", "公安网暂时处理不了，已有人在处理，申请完好，不用再交");
    snprintf(t.crossing, sizeof t.crossing, "received");
    t.pages_done = 2;
    shows(&t, &none, d, NOW, "received", "长江路派出所已收到，照片还在传 2/3");
    t.pages_done = 3;
    shows(&t, &none, d, NOW, "reviewing", "民警正在审核");
    assert_true(cases_withdrawable(&t, d, NOW));
    snprintf(t.crossing, sizeof t.crossing, "refused");
    snprintf(t.reason, sizeof t.reason, "身份核验没有通过");
    shows(&t, &none, d, NOW, "import_refused", "身份核验没有通过。您填的内容还在这台设备上，改好后重新申请");
    assert_false(cases_withdrawable(&t, d, NOW));
    tracking_clear(&t);
    edition_release(d);
}

/* CIT-12 The last day of a supplement counts in Beijing, to its end; one without papers asks for fields. */
static void supplements_end(void **state)
{
    (void)state;
    struct edition *d = edition();
    struct tracking t = crossing();
    struct supplement_request s = { .round = 1, .deadline = "2026-11-24", .wanted = json_pack("{s:[{s:i, s:s}], s:[]}", "slots", "material", 2, "reason", "看不清", "fields") };
    int64_t midnight;                    /* 2026-11-25 00:00 in Beijing */
    struct err e = {0};
    assert_int_equal(clock_parse_rfc3339(&midnight, "2026-11-24T16:00:00Z", &e), 0);
    snprintf(t.state, sizeof t.state, "supplement");
    shows(&t, &s, d, midnight - 1, "supplement", "轮到您：请补 1 份材料。11月24日前补齐，过期要重新申请");
    shows(&t, &s, d, midnight, "supplement_overdue", "没有收到补充材料，已结束");
    json_decref(s.wanted);
    s.wanted = json_pack("{s:[], s:[{s:s, s:s}]}", "slots", "fields", "field", "child_name", "reason", "写错了");
    shows(&t, &s, d, NOW, "supplement", "轮到您：请改好民警指出的内容。11月24日前补齐，过期要重新申请");
    snprintf(t.local_state, sizeof t.local_state, "supplement_sent");
    shows(&t, &s, d, NOW, "crossing", "已加密收下，正在送往长江路派出所，一般 1 分钟内");
    json_decref(s.wanted);
    tracking_clear(&t);
    edition_release(d);
}

/* CIT-09 Stages: passed ones are done, those the case jumped over are skipped, after a refusal nothing is left to do. */
static void stages(void **state)
{
    (void)state;
    struct edition *d = edition();
    struct tracking t = crossing();
    const struct supplement_request none = {0};
    json_t *events = json_pack("[{s:I, s:i, s:s}, {s:I, s:i, s:s}, {s:I, s:i, s:s}]", "at_ms", NOW, "stage", 1, "text", "已提交", "at_ms", NOW, "stage", 2, "text",
                               "已送达", "at_ms", NOW, "stage", 4, "text", "审核通过");
    static const char *const want[3][5] = { { "done", "done", "skipped", "now", "todo" }, { "done", "done", "skipped", "done", "skipped" },
                                            { "done", "done", "skipped", "done", "done" } };
    static const struct { const char *key; int stage; bool final; } at[3] = { { "passed", 4, false }, { "refused", 4, true }, { "completed", 5, true } };
    for (int i = 0; i < 3; i++) {
        snprintf(t.state, sizeof t.state, "%s", at[i].key);
        t.stage = at[i].stage;
        t.final = at[i].final;
        json_t *body = caseview_full(&t, &none, events, d, NOW);
        for (size_t k = 0; k < 5; k++)
            assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(body, "stages"), k), "state")), want[i][k]);
        json_decref(body);
    }
    json_decref(events);
    tracking_clear(&t);
    edition_release(d);
}

static int setup(void **state)
{
    struct err e = {0};
    (void)state;
    return seal_init(&e);
}

static int no_base(struct db_conn *c, void *arg, struct err *e)
{
    (void)c, (void)arg, (void)e;
    return 0;
}

/* ADM-15: the rules are served from memory. With the database closed behind its back the configuration answers as before, item by item and
 * district by district: no request for them reads it. */
static void configuration_in_memory(void **state)
{
    struct scratch dir;
    struct db *db = NULL;
    struct configuration *all = NULL;
    struct catalogue *c = NULL;
    struct buf bundle;
    struct bytes first, again;
    struct err e = {0};
    char path[600], base[600];
    (void)state;
    scratch_open(&dir);
    snprintf(path, sizeof path, "%s", scratch_path(&dir, "i.db"));
    snprintf(base, sizeof base, "%s", scratch_path(&dir, "base.json"));
    buf_init(&bundle, 0);
    const struct db_options opt = {.path = path, .application_id = 0x485A4554u, .migrations_dir = SOURCE_DIR "/schemas/migrations/internet", .readers = 2};
    assert_int_equal(catalogue_load_dir(&c, SOURCE_DIR "/schemas", &e), 0);
    assert_int_equal(catalogue_bundle(&bundle, c, &e), 0);
    assert_int_equal(file_write_path(base, buf_bytes(&bundle), 0600, &e), 0);
    assert_int_equal(db_open(&db, &opt, &e), 0);
    assert_int_equal(db_read(db, no_base, NULL, &e), 0);
    if (configuration_open(&all, db, base, &e) < 0)
        fail_msg("%s", e.msg);
    db_close(db);
    for (int round = 0; round < 2; round++) {
        struct edition *d = configuration_current(all);
        assert_true(edition_index(d).n > 10000);
        assert_int_equal(edition_item(&first, d, "HJ001", "", &e), 0);
        assert_int_equal(edition_item(&again, d, "HJ001", "", &e), 0);
        assert_ptr_equal(first.p, again.p);
        assert_int_equal(edition_item(&again, d, "HJ001", "340797", &e), 0);
        assert_int_equal(edition_item(&again, d, "HJ001", "110000", &e), -1);
        assert_int_equal(e.code, ERR_MISSING);
        memset(&e, 0, sizeof e);
        assert_int_equal(edition_item(&again, d, "HX001", "", &e), -1);
        memset(&e, 0, sizeof e);
        edition_release(d);
    }
    configuration_close(all);
    catalogue_unref(c);
    buf_clear(&bundle);
    scratch_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions), cmocka_unit_test(sessions_are_bounded), cmocka_unit_test(evidence_of_a_session), cmocka_unit_test(limits),
        cmocka_unit_test(limits_of_many), cmocka_unit_test(states_before_the_intranet), cmocka_unit_test(supplements_end), cmocka_unit_test(stages), cmocka_unit_test(configuration_in_memory),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
