/* What arrives from the internet side: stored once, judged again, answered. IMP-01 IMP-03 IMP-04 IMP-05 IMP-06 WFL-101 WFL-201 WFL-901 WFL-1001 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/caselist.h"

static void refused_with(struct world *w, struct app *a, const char *why_words, const char *zh)
{
    struct err why;
    const char *word = arrive_record(w, a, &why);
    if (strcmp(word, "refused") != 0 || !strstr(why.msg, why_words))
        fail_msg("want refused %s, have %s %s", why_words, word, why.msg);
    const char *xml = last_sent(w, "answer", a->no);
    assert_non_null(xml);
    assert_non_null(strstr(xml, "word=\"refused\""));
    assert_non_null(strstr(xml, zh));
}

/* IMP-01 IMP-05: record, then parts; received at once, confirmed with every hash when the last part is stored. */
static void test_record_first(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    assert_string_equal(arrive_record(w, a, &why), "applied");
    const char *xml = last_sent(w, "answer", a->no);
    assert_non_null(strstr(xml, "word=\"received\""));
    assert_non_null(strstr(xml, "pages_done=\"0\" pages_total=\"2\""));
    world_tick(w, 1);
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"received\" stage=\"2\""));
    arrive_parts(w, a);
    world_tick(w, 1);
    assert_int_equal(count_sent(w, "answer", a->no, "word=\"confirmed\""), 1);
    xml = last_sent(w, "answer", a->no);
    assert_non_null(strstr(xml, a->hash));
    for (size_t i = 0; i < a->n_pages; i++)
        for (int k = 0; k < 2; k++)
            assert_non_null(strstr(xml, a->page[i].part[k].id));
    assert_non_null(strstr(last_sent(w, "status", a->no), "state=\"reviewing\""));
    app_free(a);
}

/* Parts may all come before their record; the record then confirms at once. */
static void test_parts_first(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    arrive_parts(w, a);
    assert_null(last_sent(w, "answer", a->no));
    assert_string_equal(arrive_record(w, a, &why), "applied");
    assert_int_equal(count_sent(w, "answer", a->no, "word=\"confirmed\""), 1);
    app_free(a);
}

/* IMP-04: the same record or part again changes nothing; another record under the number is refused. */
static void test_repeat_changes_nothing(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS), *b = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    size_t before = w->n_sent;
    assert_string_equal(arrive_record(w, a, &why), "applied");
    arrive_part(w, a, &a->page[0].part[0]);
    assert_int_equal(w->n_sent, before);
    memcpy(b->no, a->no, 17);
    refused_with(w, b, "exists with another record", "受理号已经用过");
    app_free(a);
    app_free(b);
}

/* A part that is not the one its record names is refused and nothing of it stays. */
static void test_wrong_part(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    char sealed[65];
    assert_string_equal(arrive_record(w, a, &why), "applied");
    hex_of(sealed, bytes_of("x"));
    assert_string_equal(arrive(w, "slice", a->no, a->page[0].part[0].id, sealed, bytes_of("other bytes"), &why), "refused");
    assert_int_equal(why.code, ERR_CORRUPT);
    struct dir_entry *v = NULL;
    size_t n = 0;
    must(vault_files(w->c.vault, &v, &n, &why), &why);
    assert_int_equal(n, 0);
    free(v);
    app_free(a);
}

/* IMP-04: each broken record is refused for good with a sentence for the citizen. */
static void test_refusals(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    a->no[15] = a->no[15] == '9' ? '0' : (char)(a->no[15] + 1);
    refused_with(w, a, "case number", "受理号有误");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_object_set_new(a->entries, "child_name", json_string("另一个名"));
    refused_with(w, a, "the hash is not that", "损坏");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_object_set_new(a->entries, "child_gender", json_string("7"));
    app_content(a);
    refused_with(w, a, "child_gender code_value", "finding");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_object_set_new(a->entries, "is_admin", json_string("1"));
    app_content(a);
    refused_with(w, a, "is_admin unknown", "finding");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, (const int[]){1, 0});
    refused_with(w, a, "material_required", "出生医学证明");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, (const int[]){1, 2, 9, 0});
    refused_with(w, a, "material_unknown", "finding");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    snprintf(a->unit, sizeof a->unit, "%s", SUB_BUREAU);
    refused_with(w, a, "not an accepting station", "受理单位有误");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    snprintf(a->unit, sizeof a->unit, "%s", OTHER_STATION);
    refused_with(w, a, "not the one the form names", "受理单位有误");
    app_free(a);
}

/* Identity is evidence: forged, of somebody else, for other content, expired: each is refused. */
static void test_identity(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    a->forged = true;
    refused_with(w, a, "the signature is not the provider's", "身份核验没有通过");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    a->stated_name = "柳长林";
    refused_with(w, a, "of another person", "身份核验没有通过");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    a->bound = "0000000000000000000000000000000000000000000000000000000000000000";
    refused_with(w, a, "bound to another content", "身份核验没有通过");
    app_free(a);

    a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    a->expires = a->submitted - 500;
    refused_with(w, a, "expired", "身份核验没有通过");
    app_free(a);
}

/* NTF-04: a refused application is told by SMS too; its number is not kept in clear. */
static void test_refusal_sms(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, (const int[]){1, 0});
    refused_with(w, a, "material_required", "finding");
    struct buf file;
    struct err e = {0};
    must(db_checkpoint(w->c.db, &e), &e);
    buf_init(&file, 0);
    must(file_read_path(&file, scratch_path(&w->dir, "i.db"), 64 << 20, &e), &e);
    assert_non_null(memmem(file.p, file.n, "没能受理", strlen("没能受理")));
    assert_null(memmem(file.p, file.n, a->phone, strlen(a->phone)));
    buf_clear(&file);
    app_free(a);
}

/* Unknown version: held, said so, taken when it can be. */
static void test_held_version(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    a->config += 7;
    app_content(a);
    assert_string_equal(arrive_record(w, a, &why), "held");
    assert_non_null(strstr(why.msg, "is not known here"));
    assert_non_null(strstr(last_sent(w, "answer", a->no), "word=\"held\""));
    struct key_public *none = NULL;
    w->c.identity = none;
    a->config -= 7;
    app_content(a);
    assert_string_equal(arrive_record(w, a, &why), "held");
    assert_non_null(strstr(why.msg, "no public key"));
    w->c.identity = &w->provider_pub;
    assert_string_equal(arrive_record(w, a, &why), "applied");
    app_free(a);
}

/* IMP-04: a commit that fails leaves nothing, and the same record is taken afterwards. */
static void test_commit_fails(void **state)
{
    struct world *w = *state;
    struct app *a = app_new(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err why;
    w->n_sent = 0;
    db_fail_commit(w->c.db, 1);
    assert_string_equal(arrive_record(w, a, &why), "again");
    assert_int_equal(why.code, ERR_FULL);
    struct reply r = {0};
    struct err none = {0};
    assert_error(caseview_get(&w->c, &w->officer, a->no, true, w->now, &r, &none), &none, ERR_MISSING, "not there");
    assert_string_equal(arrive_record(w, a, &why), "applied");
    app_free(a);
}

/* IMP-03 IMP-06: the flow follows the item, and the case is to do for the right unit and role at once. */
static void test_todo_of_the_right_people(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    const struct { const struct actor *who; int todo; } t[] = {{&w->aux, 1}, {&w->officer, 1}, {&w->neighbour, 0}, {&w->chief, 0}, {&w->admin, 0}};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct reply r = {0};
        struct err e = {0};
        must(caselist_find(&w->c, t[i].who, &(struct case_query){.view = "todo"}, w->now, &r, &e), &e);
        assert_int_equal(json_integer_value(json_object_get(r.body, "total")), t[i].todo);
        json_t *row = json_array_get(json_object_get(r.body, "rows"), 0);
        if (row) {
            assert_string_equal(text_of(row, "no"), a->no);
            assert_string_equal(text_of(row, "internal"), "待审核");
            assert_string_equal(text_of(row, "id_no"), "340***********1476");
        }
        reply_clear(&r);
    }
    app_free(a);
}

/* New rows are seen through /api/changes only once they are committed, by those who may see them. */
static void test_changes(void **state)
{
    struct world *w = *state;
    uint64_t since = changes_seq(w->c.changes);
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct reply r = {0};
    struct err e = {0};
    must(caselist_changes(&w->c, &w->officer, since, w->now, &r, &e), &e);
    json_t *c = json_object_get(r.body, "changed");
    assert_true(json_array_size(c) == 1);
    assert_string_equal(text_of(json_array_get(c, 0), "no"), a->no);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.body, "counts"), "claimable")), 1);
    reply_clear(&r);
    must(caselist_changes(&w->c, &w->neighbour, since, w->now, &r, &e), &e);
    assert_true(json_array_size(json_object_get(r.body, "changed")) == 0);
    reply_clear(&r);
    app_free(a);
}

/* Data at rest: neither number, phone nor entries stand in the database's bytes; the subject's name may. */
static void test_sealed_at_rest(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct buf file;
    struct err e = {0};
    must(db_checkpoint(w->c.db, &e), &e);
    buf_init(&file, 0);
    must(file_read_path(&file, scratch_path(&w->dir, "i.db"), 64 << 20, &e), &e);
    static const char *const secrets[] = {"340799199710206943", "13905620001", "T340123456", "340799199502245374"};
    for (size_t i = 0; i < 4; i++)
        assert_null(memmem(file.p, file.n, secrets[i], strlen(secrets[i])));
    assert_non_null(memmem(file.p, file.n, "柳小禾", strlen("柳小禾")));
    buf_clear(&file);
    app_free(a);
}

/* Files without a row are dropped once they are old; those of cases stay. */
static void test_sweep(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct err e = {0};
    unsigned n = 0;
    scratch_write(&w->dir, "files/00112233445566778899aabbccddeeff", bytes_of("left behind"));
    must(intake_sweep(&w->c, clock_wall_ms(), &n, &e), &e);
    assert_int_equal(n, 0);
    must(intake_sweep(&w->c, clock_wall_ms() + 2 * 3600 * 1000, &n, &e), &e);
    assert_int_equal(n, 1);
    struct page_original p;
    struct reply r = {0};
    must(page_open(&w->c, &w->officer, a->no, a->page[0].id, true, w->now, &p, &r, &e), &e);
    assert_int_equal(p.bytes.n, 128);
    assert_memory_equal(p.bytes.p + 64, a->page[0].part[1].bytes, 64);
    page_original_clear(&p);
    app_free(a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_record_first), T(test_parts_first), T(test_repeat_changes_nothing), T(test_wrong_part), T(test_refusals), T(test_identity), T(test_refusal_sms),
        T(test_held_version), T(test_commit_fails), T(test_todo_of_the_right_people), T(test_changes), T(test_sealed_at_rest), T(test_sweep),
    };
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
