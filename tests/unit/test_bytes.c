#include <errno.h>
#include <sodium.h>

#include "tests/unit/scratch.h"

/* Appending grows, keeps a NUL behind, and reads back in the same order. */
static void test_buf_grows_and_terminates(void **state)
{
    (void)state;
    struct buf b;
    struct err e = {0};
    buf_init(&b, 0);
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 5000; i++)
        buf_fmt(&b, "%d,", i % 10);
    assert_int_equal(b.n, 10000);
    assert_int_equal(b.p[b.n], 0);
    assert_int_equal(buf_done(&b, "numbers", &e), 0);
    buf_clear(&b);
    assert_int_equal(b.n, 0);
}

/* Over its cap a buffer stays as it was, refuses what follows, and says so once at the end. */
static void test_buf_cap_is_sticky(void **state)
{
    (void)state;
    struct buf b;
    struct err e = {0};
    buf_init(&b, 8);
    buf_str(&b, "12345678");
    assert_false(b.bad);
    buf_str(&b, "9");
    buf_put(&b, "", 0);
    assert_true(b.bad);
    assert_string_equal(buf_text(&b), "12345678");
    assert_error(buf_done(&b, "field", &e), &e, ERR_TOO_LARGE, "field: want at most 8 bytes");
    buf_clear(&b);
    assert_false(b.bad);
    buf_put(&b, NULL, SIZE_MAX);
    assert_true(b.bad);
    buf_wipe(&b);
}

/* Big-endian numbers go out and come back; a short input fails for good. */
static void test_cursor_reads_what_buf_wrote(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_u8(&b, 0xfe);
    buf_u16(&b, 0x0102);
    buf_u32(&b, 0xdeadbeef);
    buf_u64(&b, 0x0102030405060708);
    const uint8_t want[] = {0xfe, 1, 2, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_memory_equal(b.p, want, sizeof want);
    struct cursor c = {.in = buf_bytes(&b)};
    assert_int_equal(cur_u8(&c), 0xfe);
    assert_int_equal(cur_u16(&c), 0x0102);
    assert_int_equal(cur_u32(&c), 0xdeadbeef);
    assert_true(cur_u64(&c) == 0x0102030405060708);
    assert_false(c.bad);
    assert_int_equal(cur_take(&c, SIZE_MAX).n, 0);
    assert_true(c.bad);
    for (size_t n = 0; n < 8; n++) {
        struct cursor cut = {.in = {b.p, n}};
        cur_u64(&cut);
        assert_true(cut.bad);
        assert_int_equal(cur_u8(&cut), 0);
    }
    buf_clear(&b);
}

static void test_parse_u64_takes_digits_only(void **state)
{
    (void)state;
    static const struct { const char *s; uint64_t v; } good[] = {{"0", 0}, {"00012", 12}, {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "18446744073709551616", "99999999999999999999999", "１", "1\n"};
    struct err e = {0};
    uint64_t v;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(parse_u64(good[i].s, 0, UINT64_MAX, &v, "n", &e), 0);
        assert_true(v == good[i].v);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_error(parse_u64(bad[i], 0, UINT64_MAX, &v, "envelope/@seq", &e), &e, ERR_INPUT, "envelope/@seq: want a whole number from 0 to");
    assert_error(parse_u64("5", 6, 9, &v, "n", &e), &e, ERR_INPUT, "from 6 to 9, have '5'");
    assert_error(parse_u64("10", 6, 9, &v, "n", &e), &e, ERR_INPUT, "have '10'");
}

static void test_str_fmt_refuses_to_cut(void **state)
{
    (void)state;
    char s[4];
    struct err e = {0};
    assert_int_equal(str_fmt(s, sizeof s, &e, "%s", "abc"), 0);
    assert_string_equal(s, "abc");
    assert_error(str_fmt(s, sizeof s, &e, "%s", "abcd"), &e, ERR_TOO_LARGE, "want at most 3");
}

static void test_hex_is_strict(void **state)
{
    (void)state;
    uint8_t raw[3], back[3] = {0};
    char hex[7];
    hex_put(hex, (const uint8_t *)"\x00\xab\xff", 3);
    assert_string_equal(hex, "00abff");
    assert_int_equal(hex_get(raw, 3, hex), 0);
    assert_memory_equal(raw, "\x00\xab\xff", 3);
    static const char *const bad[] = {"", "00abf", "00abfff", "00ABFF", "00abfg", "00 abf", "00:ab:ff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(hex_get(back, 3, bad[i]), -1);
}

/* The same verdict and the same bytes as libsodium's, whatever stands where. */
static void test_base64_agrees_with_libsodium(void **state)
{
    (void)state;
    struct buf ours;
    uint8_t raw[300], theirs[300];
    char text[401];
    size_t n;
    buf_init(&ours, 0);
    for (size_t len = 0; len < 300; len++) {
        randombytes_buf(raw, len);
        sodium_bin2base64(text, sizeof text, raw, len, sodium_base64_VARIANT_ORIGINAL);
        ours.n = 0;
        base64_put(&ours, (struct bytes){raw, len});
        assert_string_equal(buf_text(&ours), text);
    }
    for (unsigned at = 0; at < 12; at++)
        for (unsigned c = 0; c < 128; c++) {          /* 1.0.18 is wrong about some bytes above */
            memcpy(text, "TWFuTWFuTWE=", 13);
            text[at] = (char)c;
            ours.n = 0;
            int want = sodium_base642bin(theirs, sizeof theirs, text, 12, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL), have = base64_get(&ours, (struct bytes){(const uint8_t *)text, 12});
            if (want != have || (want == 0 && !bytes_equal(buf_bytes(&ours), (struct bytes){theirs, n})))
                fail_msg("byte %u at %u: want %d, have %d", c, at, want, have);
        }
    for (unsigned at = 0; at < 12; at++)
        for (unsigned c = 128; c < 256; c++) {
            memcpy(text, "TWFuTWFuTWE=", 13);
            text[at] = (char)c;
            assert_int_equal(base64_get(&ours, (struct bytes){(const uint8_t *)text, 12}), -1);
        }
    buf_clear(&ours);
}

static void test_base64_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"a", "ab", "abc", "ab==c", "a===", "ab c", "abc\n", "ab-_", "YQ=", "YR==", "====", "ab\xaf+", "ab\xab/", "ab\xc3\xa1"};
    for (size_t n = 0; n < 40; n++) {
        uint8_t raw[40];
        struct buf text, back;
        buf_init(&text, 0);
        buf_init(&back, 0);
        randombytes_buf(raw, n);
        base64_put(&text, (struct bytes){raw, n});
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_int_equal(base64_get(&back, buf_bytes(&text)), 0);
        assert_true(bytes_equal(buf_bytes(&back), (struct bytes){raw, n}));
        buf_clear(&text);
        buf_clear(&back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf back;
        buf_init(&back, 0);
        if (base64_get(&back, bytes_of(bad[i])) != -1)
            fail_msg("'%s' was accepted", bad[i]);
        assert_int_equal(back.n, 0);
        buf_clear(&back);
    }
}

static void test_ids_are_random_lower_hex(void **state)
{
    (void)state;
    struct id128 a, b;
    id_random(&a);
    id_random(&b);
    assert_true(id_valid(a.s));
    assert_string_not_equal(a.s, b.s);
    assert_false(id_valid(NULL));
    assert_false(id_valid("0123456789abcdef0123456789abcde"));
    assert_false(id_valid("0123456789abcdef0123456789abcdeF"));
    assert_false(id_valid("0123456789abcdef0123456789abcdef0"));
}

/* BLAKE2b-256 of nothing and of "abc" as published. */
static void test_hash_known_answers(void **state)
{
    (void)state;
    struct hash256 h, g;
    char hex[65];
    hash_of(&h, bytes_of("abc"));
    hash_hex(hex, &h);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    hash_of(&g, bytes_of(NULL));
    hash_hex(hex, &g);
    assert_string_equal(hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    assert_false(hash_equal(&h, &g));
    assert_int_equal(hash_parse(&h, hex), 0);
    assert_true(hash_equal(&h, &g));
    assert_int_equal(hash_parse(&h, "0e57"), -1);
}

/* The first error wins, context stands in front, a system error keeps errno and maps to a code. */
static void test_err_first_wins_and_wraps(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(err_set(&e, ERR_INPUT, "seq: want %d", 1), -1);
    err_set(&e, ERR_FULL, "later");
    assert_int_equal(e.code, ERR_INPUT);
    err_wrap(&e, "ferry inbound %s", "a.xml");
    assert_string_equal(e.msg, "ferry inbound a.xml: seq: want 1");
    err_clear(&e);
    errno = ENOSPC;
    assert_int_equal(err_sys(&e, "write x"), -1);
    assert_int_equal(errno, ENOSPC);
    assert_error(-1, &e, ERR_FULL, "write x: No space left on device");
    assert_int_equal(err_set(NULL, ERR_INPUT, "nobody listens"), -1);
    for (int i = 0; i < 600; i++)
        err_wrap(&e, "0123456789");
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_grows_and_terminates), cmocka_unit_test(test_buf_cap_is_sticky),
        cmocka_unit_test(test_cursor_reads_what_buf_wrote), cmocka_unit_test(test_parse_u64_takes_digits_only),
        cmocka_unit_test(test_str_fmt_refuses_to_cut), cmocka_unit_test(test_hex_is_strict),
        cmocka_unit_test(test_base64_is_strict), cmocka_unit_test(test_base64_agrees_with_libsodium), cmocka_unit_test(test_ids_are_random_lower_hex),
        cmocka_unit_test(test_hash_known_answers), cmocka_unit_test(test_err_first_wins_and_wraps),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
