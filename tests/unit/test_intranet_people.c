/* Lists of people in a case: each person beside the register, masked, noted, revealed, asked for anew as a whole. CIT-06 REV-02 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/casepeople.h"

#define WU "340799199710206943"
#define LIU "340799199502245374"
#define NOBODY "340799199001010083"

/* The change of an employer as it is, with a list of the household's members behind it: no item of ours has to be open for this. */
static void with_members(struct world *w)
{
    static const char *list = "{\"id\":\"members\",\"label\":\"户内成员\",\"min\":0,\"max\":3,\"section\":\"people\",\"fields\":["
                              "{\"id\":\"name\",\"label\":\"姓名\",\"type\":\"text\",\"required\":true,\"mask\":\"none\",\"max_length\":50,\"pattern_name\":\"person_name\"},"
                              "{\"id\":\"id_no\",\"label\":\"公民身份号码\",\"type\":\"id_number\",\"required\":true,\"mask\":\"id\",\"max_length\":18},"
                              "{\"id\":\"relation_after\",\"label\":\"变更后与户主关系\",\"type\":\"enum\",\"required\":true,\"code_table\":\"GB/T 4761\",\"mask\":\"none\"}]}";
    struct buf bytes;
    struct err e = {0};
    buf_init(&bytes, 64u << 20);
    must(catalogue_bundle(&bytes, w->c.catalogue, &e), &e);
    json_t *root = json_loadb((const char *)bytes.p, bytes.n, 0, NULL);
    json_t *family = json_object_get(json_object_get(root, "families"), "non_core_change"), *repeats = json_array();
    assert_int_equal(json_array_append_new(repeats, json_loads(list, 0, NULL)), 0);
    json_object_set_new(family, "repeats", repeats);
    json_array_append_new(json_object_get(family, "sections"), json_pack("{s:s, s:s, s:[], s:[s]}", "id", "people", "title", "户内成员", "fields", "repeats", "members"));
    char *text = json_dumps(root, JSON_COMPACT);
    struct catalogue *c = NULL;
    must(catalogue_load_bundle(&c, bytes_of(text), &e), &e);
    catalogue_unref(w->c.catalogue);
    w->c.catalogue = c;
    free(text);
    json_decref(root);
    buf_clear(&bytes);
}

static struct app *open_with(struct world *w, const char *members)
{
    json_t *typed = json_loads(CHANGE, 0, NULL);
    json_object_set_new(typed, "members", json_loads(members, 0, NULL));
    char *text = json_dumps(typed, 0);
    struct app *a = open_case(w, "HJ043", text, CHANGE_SLOTS);
    free(text);
    json_decref(typed);
    return a;
}

#define TWO "[{\"name\":\"吴雨桐\",\"id_no\":\"" WU "\",\"relation_after\":\"10\"},{\"name\":\"柳长木\",\"id_no\":\"" LIU "\",\"relation_after\":\"20\"}]"

/* A row of the case page by its field; NULL when it is not there. Borrowed from file. */
static const json_t *row(const json_t *file, const char *field)
{
    size_t i, k;
    json_t *s, *r;
    json_array_foreach(json_object_get(file, "sections"), i, s)
        json_array_foreach(json_object_get(s, "rows"), k, r)
            if (strcmp(text_of(r, "field"), field) == 0)
                return r;
    return NULL;
}

/* Each person stands under the list's label, number masked, beside what the register has under that number. */
static void test_rows(void **state)
{
    struct world *w = *state;
    struct app *a = open_with(w, TWO);
    json_t *c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(row(c, "members.0.id_no"), "value"), WU);              /* who may decide it sees it whole */
    json_decref(c);
    struct reply r = {0};
    struct err e = {0};
    must(decide_claim(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    c = see(w, &w->colleague, a->no);
    const json_t *name = row(c, "members.0.name"), *number = row(c, "members.0.id_no"), *other = row(c, "members.1.name");
    assert_string_equal(text_of(name, "person"), "户内成员 第 1 人");
    assert_string_equal(text_of(name, "value"), "吴雨桐");
    assert_string_equal(text_of(name, "check"), "ok");
    assert_string_equal(text_of(row(c, "members.0.relation_after"), "value"), "配偶");
    assert_string_equal(text_of(number, "value"), "340***********6943");
    assert_string_equal(text_of(number, "register"), "340***********6943");
    assert_string_equal(text_of(number, "check"), "ok");
    assert_true(json_is_true(json_object_get(number, "masked")));
    assert_string_equal(text_of(other, "register"), "柳长林");
    assert_string_equal(text_of(other, "check"), "differs");
    assert_true(json_is_true(json_object_get(other, "differs")));
    assert_null(row(c, "members.2.name"));
    json_decref(c);
    app_free(a);
}

/* A number that nobody has says so, and is no difference: he may come from elsewhere. */
static void test_unknown(void **state)
{
    struct world *w = *state;
    struct app *a = open_with(w, "[{\"name\":\"柳〓\",\"name_pinyin\":\"zhé\",\"id_no\":\"" NOBODY "\",\"relation_after\":\"10\"}]");
    json_t *c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(row(c, "members.0.id_no"), "register"), "没有登记");
    assert_string_equal(text_of(row(c, "members.0.id_no"), "check"), "none");
    assert_true(json_is_null(json_object_get(row(c, "members.0.name"), "register")));
    assert_string_equal(text_of(row(c, "members.0.name"), "untypeable"), "zhé");
    json_decref(c);
    app_free(a);
}

/* A list that was asked and left empty says so, and can be asked for. */
static void test_nobody(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ043", CHANGE, CHANGE_SLOTS);
    json_t *c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(row(c, "members"), "value"), "没有填");
    assert_string_equal(text_of(row(c, "members"), "label"), "户内成员");
    json_decref(c);
    takes(w, &w->officer, a->no, "return_supplement", "\"date\":\"2026-12-02\",\"reasons\":[{\"field\":\"members\",\"text\":\"请补上同住的家人\"}]", "supplement");
    app_free(a);
}

/* A difference at a person counts, wants its note, and takes it under its own path; the number is revealed one by one. */
static void test_noted_and_revealed(void **state)
{
    struct world *w = *state;
    struct app *a = open_with(w, TWO);
    struct reply r = {0};
    struct err e = {0};
    json_t *c = see(w, &w->officer, a->no);
    const json_int_t before = json_integer_value(json_object_get(json_object_get(c, "differences"), "noted"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "differences"), "total")), 2);       /* the phone and the name */
    json_decref(c);
    assert_int_equal(decide_note(&w->c, &w->officer, a->no, "members.2.name", "没有这个人", w->now, &r, &e), -1);
    assert_int_equal(e.code, ERR_INPUT);
    reply_clear(&r);
    memset(&e, 0, sizeof e);
    must(decide_note(&w->c, &w->officer, a->no, "members.1.name", "写错一个字，已电话核实", w->now, &r, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.body, "differences"), "noted")), before + 1);
    assert_string_equal(text_of(row(r.body, "members.1.name"), "note"), "写错一个字，已电话核实");
    reply_clear(&r);
    must(caseview_reveal(&w->c, &w->officer, a->no, NULL, "members.1.id_no", NULL, w->now, &r, &e), &e);
    assert_string_equal(text_of(r.body, "value"), LIU);
    reply_clear(&r);
    static const char *const bad[] = {"members.2.id_no", "members.01.id_no", "members.1", "members..id_no", "members.1.id_no.x", "members.1.phone", "others.1.id_no", "members.-1.id_no"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&e, 0, sizeof e);
        assert_int_equal(caseview_reveal(&w->c, &w->officer, a->no, NULL, bad[i], NULL, w->now, &r, &e), -1);
        assert_int_equal(e.code, ERR_MISSING);
        reply_clear(&r);
    }
    app_free(a);
}

/* One supplement round for the list: field is its text in the record. */
static const char *hand_in(struct world *w, const struct app *a, const char *text, struct err *why)
{
    struct xml_out x;
    struct err e = {0};
    struct id128 id;
    char at[21], hash[65];
    clock_rfc3339(at, w->now);
    xml_begin(&x, "supplement", "urn:hz:record:1");
    xml_attr(&x, "case", a->no);
    xml_attr_int(&x, "seq", 2);
    xml_attr_int(&x, "round", 1);
    xml_attr(&x, "submitted", at);
    xml_open(&x, "entry");
    xml_attr(&x, "field", "members");
    xml_text(&x, text);
    xml_close(&x);
    must(xml_end(&x, &e), &e);
    id_random(&id);
    hex_of(hash, bytes_of(id.s));
    const char *word = arrive(w, "supplement", a->no, id.s, hash, buf_bytes(&x.out), why);
    buf_clear(&x.out);
    return word;
}

/* CIT-12 REV-07: a list is asked for and handed in as a whole; what is no list, too long or wrong is refused. */
static void test_supplement(void **state)
{
    struct world *w = *state;
    struct err why;
    struct app *a = open_with(w, TWO);
    refused(w, &w->officer, a->no, "return_supplement", "\"date\":\"2026-12-02\",\"reasons\":[{\"field\":\"members.0.name\",\"text\":\"请改\"}]", ERR_INPUT, "没有这一项内容");
    takes(w, &w->officer, a->no, "return_supplement", "\"date\":\"2026-12-02\",\"reasons\":[{\"field\":\"members\",\"text\":\"少了孩子，请补上\"}]", "supplement");
    assert_non_null(strstr(last_sent(w, "supplement-request", a->no), "<field field=\"members\">"));
    static const char *const bad[] = {"没有", "{}", "[{\"name\":\"1\"}]", "[", "[{\"name\":\"甲\",\"id_no\":\"" WU "\",\"relation_after\":\"10\",\"more\":\"x\"}]",
                                      "[{\"name\":\"甲\",\"name\":\"乙\",\"id_no\":\"" WU "\",\"relation_after\":\"10\"}]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(hand_in(w, a, bad[i], &why), "refused");
    assert_string_equal(hand_in(w, a, "[{\"id_no\":\"" LIU "\",\"name\":\"柳长林\",\"relation_after\":\"20\"}]", &why), "applied");
    world_tick(w, 1);
    json_t *c = see(w, &w->officer, a->no);
    assert_string_equal(text_of(row(c, "members.0.name"), "value"), "柳长林");
    assert_string_equal(text_of(row(c, "members.0.name"), "check"), "ok");
    assert_null(row(c, "members.1.name"));
    json_decref(c);
    app_free(a);
}

static int setup(void **state)
{
    const int rc = world_setup(state);
    if (rc == 0)
        with_members(*state);
    return rc;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
    const struct CMUnitTest tests[] = {T(test_rows), T(test_unknown), T(test_nobody), T(test_noted_and_revealed), T(test_supplement)};
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
