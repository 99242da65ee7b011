/* SEC-05: a case whose items came under a key that is revoked later shows it to officers, also long after it came. */
#include "ferry/lib/store_keys.h"
#include "tests/unit/intranet_world.h"

struct note { const char *no, *key; bool revoke; };

static int note(struct db_conn *c, void *arg, struct err *e)
{
    const struct note *n = arg;
    return n->revoke ? store_key_revoked(c, n->key, NOW, e) : store_key_case(c, n->no, n->key, NOW, e);
}

static bool marked(struct world *w, const char *no)
{
    json_t *body = see(w, &w->officer, no);
    json_t *mark = json_object_get(body, "key_revoked");
    assert_true(json_is_boolean(mark));
    bool is = json_is_true(mark);
    json_decref(body);
    return is;
}

static void say(struct world *w, struct note n)
{
    struct err e = {0};
    must(db_write(w->c.db, note, &n, &e), &e);
}

static void test_cases_under_a_revoked_key_are_marked(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS), *b = open_case(w, "HJ083", DEATH, DEATH_SLOTS);
    say(w, (struct note){a->no, "00000000000000aa", false});
    say(w, (struct note){a->no, "00000000000000cc", false});
    say(w, (struct note){b->no, "00000000000000bb", false});
    assert_false(marked(w, a->no));
    say(w, (struct note){NULL, "00000000000000aa", true});
    say(w, (struct note){NULL, "00000000000000aa", true});      /* twice is once */
    assert_true(marked(w, a->no));
    assert_false(marked(w, b->no));
    app_free(a);
    app_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_cases_under_a_revoked_key_are_marked, world_setup, world_teardown)};
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
