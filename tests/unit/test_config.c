#include <stdio.h>

#include "common/config.h"
#include "tests/unit/scratch.h"

static const struct config_key keys[] = {
    {"port", CONFIG_NUMBER, NULL, 1, 65535, "where to listen"},
    {"name", CONFIG_TEXT, "江州", 0, 0, "name of the city"},
    {"folder", CONFIG_PATH, "var/data", 0, 0, "where data lies"},
    {"extra", CONFIG_PATH, "", 0, 0, "may be absent"},
    {"sandbox", CONFIG_BOOL, "no", 0, 0, "test mode"},
    {NULL, CONFIG_TEXT, NULL, 0, 0, NULL},
};

static int load(struct scratch *s, const char *text, struct config **c, struct err *e)
{
    scratch_write(s, "a.conf", bytes_of(text));
    *c = NULL;
    return config_load(c, scratch_path(s, "a.conf"), keys, e);
}

/* Comments, blank lines, CR LF and blanks around words are allowed; defaults fill in; relative paths start at the file's folder. */
static void test_reads_values_and_defaults(void **state)
{
    (void)state;
    struct scratch s;
    struct config *c;
    struct err e = {0};
    char want[128];
    scratch_open(&s);
    if (load(&s, "# head\n\n  port = 8080 \r\nextra=/abs/x\nsandbox\t=\tyes\nname = a = b # c", &c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(config_number(c, "port"), 8080);
    assert_string_equal(config_text(c, "name"), "a = b # c");
    assert_true(config_bool(c, "sandbox"));
    assert_string_equal(config_text(c, "extra"), "/abs/x");
    snprintf(want, sizeof want, "%s/var/data", s.dir);
    assert_string_equal(config_text(c, "folder"), want);
    config_free(c);
    assert_int_equal(load(&s, "port=1", &c, &e), 0);
    assert_string_equal(config_text(c, "name"), "江州");
    assert_string_equal(config_text(c, "extra"), "");
    config_free(c);
    config_free(NULL);
    scratch_close(&s);
}

/* Whatever is not understood stops the start, with file, line, want and have. */
static void test_refuses_with_line_and_reason(void **state)
{
    (void)state;
    static const struct { const char *text, *words; } bad[] = {
        {"", "key 'port' is missing (where to listen)"},
        {"port=8080\ncolour = red\n", "a.conf line 2: unknown key 'colour'"},
        {"port=8080\nport=8081\n", "a.conf line 2: key 'port' stands twice"},
        {"port=0", "a.conf line 1: port: want a whole number from 1 to 65535, have '0'"},
        {"port=70000", "from 1 to 65535, have '70000'"},
        {"port=80 80", "have '80 80'"},
        {"port=", "have ''"},
        {"port 8080", "line 1: want 'key = value', have 'port 8080'"},
        {"= 5", "unknown key ''"},
        {"Port=5", "unknown key 'Port'"},
        {"port=5\nsandbox=true", "line 2: sandbox: want yes or no, have 'true'"},
        {"port=5\nfolder=", "line 2: folder: want a path, have nothing"},
    };
    struct scratch s;
    struct config *c;
    struct err e = {0};
    scratch_open(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = load(&s, bad[i].text, &c, &e);
        assert_error(rc, &e, ERR_INPUT, bad[i].words);
        assert_null(c);
    }
    scratch_write(&s, "a.conf", (struct bytes){(const uint8_t *)"port=1\0\nx=2", 11});
    assert_error(config_load(&c, scratch_path(&s, "a.conf"), keys, &e), &e, ERR_INPUT, "want text, have a NUL byte");
    assert_error(config_load(&c, scratch_path(&s, "none.conf"), keys, &e), &e, ERR_MISSING, "none.conf");
    scratch_close(&s);
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    struct scratch s;
    struct config *c = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, "port=1\n");
    while (b.n <= 65536)
        buf_str(&b, "# ................................................................\n");
    scratch_open(&s);
    scratch_write(&s, "a.conf", buf_bytes(&b));
    assert_error(config_load(&c, scratch_path(&s, "a.conf"), keys, &e), &e, ERR_TOO_LARGE, "want at most 65536 bytes");
    buf_clear(&b);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_values_and_defaults), cmocka_unit_test(test_refuses_with_line_and_reason), cmocka_unit_test(test_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
