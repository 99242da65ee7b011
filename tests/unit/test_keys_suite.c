/* SEC-04, FRY-14: what a peer may announce: a key whose halves are of the suite that it says and make the id that it says. */
#include <stdio.h>

#include "ferry/lib/keys_parts.h"
#include "tests/unit/scratch.h"

static struct child_pool *parser;
static struct key_pair *one, *two;

static int setup_all(void **state)
{
    static char schemas[4096];
    static const char *args[] = {schemas, NULL};
    struct err e = {0};
    (void)state;
    struct child_options o = {.path = built("libexec/parser"), .argv = args, .n = 1, .max_answer = (size_t)1 << 20, .deadline_ms = 20000, .clean_env = true};
    if (!realpath("schemas/xsd", schemas) || child_pool_open(&parser, &o, &e) < 0 || keys_generate_in(&one, "internet", 1, &e) < 0 || keys_generate_in(&two, "internet", 2, &e) < 0) {
        print_error("%s\n", e.msg);
        return -1;
    }
    return 0;
}

static int teardown_all(void **state)
{
    (void)state;
    child_pool_close(parser);
    keys_free(one);
    keys_free(two);
    return 0;
}

/* The record that a peer could send: halves of one key, suite and id as it likes. */
static int announced(const struct key_public *halves, const char *suite, const struct key_public *id, const char *spoil, struct err *e)
{
    static struct delivery d;
    struct in_item it = {.kind = "key"};
    char sign[2 * KEY_HALF + 1], box[2 * KEY_HALF + 1], hex[17];
    void *prepared = NULL;
    struct buf text;
    d.opt.parser = parser;
    d.spool = -1;
    hex_put(sign, halves->sign_pk, keys_half(halves));
    hex_put(box, halves->box_pk, keys_half(halves));
    hex_put(hex, id->id.b, 8);
    if (spoil)
        memcpy(box, spoil, strlen(spoil));
    buf_init(&text, 4096);
    buf_fmt(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<key xmlns=\"urn:hz:record:1\" word=\"announced\" id=\"%s\" name=\"internet\" suite=\"%s\" sign=\"%s\" box=\"%s\" expires=\"1\"/>", hex, suite,
            sign, box);
    int rc = keys_prepare(&d, &it, buf_bytes(&text), &prepared, e);
    keys_discard(prepared);
    buf_clear(&text);
    return rc;
}

static void test_announced_key_is_of_the_suite_it_says(void **state)
{
    const struct key_public *a = keys_public(one), *b = keys_public(two);
    struct err e = {0};
    (void)state;
    assert_int_equal(announced(a, "1", a, NULL, &e), 0);
    assert_int_equal(announced(b, "2", b, NULL, &e), 0);
    assert_error(announced(a, "2", a, NULL, &e), &e, ERR_INPUT, "says suite 2, its halves are of suite 1");
    assert_error(announced(b, "1", b, NULL, &e), &e, ERR_INPUT, "says suite 1, its halves are of suite 2");
    assert_error(announced(a, "3", a, NULL, &e), &e, ERR_HELD, "its suite is not known here");
    assert_error(announced(b, "2", a, NULL, &e), &e, ERR_INPUT, "its halves make");
    assert_error(announced(b, "2", b, "00", &e), &e, ERR_INPUT, "two points of the curve");
    assert_int_equal(announced(b, "2", b, "xy", &e), -1);            /* the schema's business */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_announced_key_is_of_the_suite_it_says)};
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
