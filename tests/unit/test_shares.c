/* SEC-05: the key in three shares. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>

#include "common/shares.h"
#include "tests/unit/scratch.h"

/* FIPS 197, 4.2: {57}·{83} = {c1}, {57}·{13} = {fe}, the powers of x on {57}, and {53} is the inverse of {ca}. */
static void test_field_has_the_published_products(void **state)
{
    (void)state;
    assert_int_equal(gf256_mul(0x57, 0x83), 0xc1);
    assert_int_equal(gf256_mul(0x57, 0x13), 0xfe);
    assert_int_equal(gf256_mul(0x57, 0x02), 0xae);
    assert_int_equal(gf256_mul(0x57, 0x04), 0x47);
    assert_int_equal(gf256_mul(0x57, 0x08), 0x8e);
    assert_int_equal(gf256_mul(0x57, 0x10), 0x07);
    assert_int_equal(gf256_inv(0x53), 0xca);
    assert_int_equal(gf256_inv(0), 0);
}

/* Every product against long multiplication and every inverse against its product. */
static void test_field_is_one(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        if (a)
            assert_int_equal(gf256_mul((uint8_t)a, gf256_inv((uint8_t)a)), 1);
        for (unsigned b = 0; b < 256; b++) {
            unsigned product = 0;
            for (unsigned i = 0; i < 8; i++)
                if (b >> i & 1)
                    product ^= a << i;
            for (int i = 15; i >= 8; i--)
                if (product >> i & 1)
                    product ^= 0x11bu << (i - 8);
            assert_int_equal(gf256_mul((uint8_t)a, (uint8_t)b), product);
        }
    }
}

static void split(struct share s[SHARES], const void *p, size_t n)
{
    struct err e = {0};
    if (shares_split(s, "intranet.key", "0123456789abcdef", (struct bytes){p, n}, &e) < 0)
        fail_msg("%s", e.msg);
}

/* SEC-05: any two, in either order, give the secret back, for every size up to the bound; also from their files. */
static void test_any_two_give_it_back(void **state)
{
    static const size_t sizes[] = {1, 2, 31, 32, 33, 300, 4095, 4096};
    static uint8_t secret[SHARE_SECRET];
    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct share s[SHARES], copy[SHARES];
        randombytes_buf(secret, sizeof secret);
        split(s, secret, sizes[k]);
        for (int i = 0; i < SHARES; i++) {
            struct buf text;
            struct err e = {0};
            buf_init(&text, 0);
            assert_int_equal(share_write(&text, &s[i], &e), 0);
            assert_int_equal(share_read(&copy[i], buf_bytes(&text), &e), 0);
            assert_memory_equal(&copy[i], &s[i], sizeof s[i]);
            buf_clear(&text);
        }
        for (int i = 0; i < SHARES; i++)
            for (int j = 0; j < SHARES; j++) {
                struct buf back;
                struct err e = {0};
                buf_init(&back, 0);
                if (i == j)
                    assert_error(shares_join(&back, &copy[i], &copy[j], &e), &e, ERR_INPUT, "twice");
                else {
                    assert_int_equal(shares_join(&back, &copy[i], &copy[j], &e), 0);
                    assert_true(bytes_equal(buf_bytes(&back), (struct bytes){secret, sizes[k]}));
                }
                buf_clear(&back);
            }
    }
}

/* SEC-05: whichever byte of a share was changed, joining refuses it, with either of the others, and gives nothing away. */
static void test_changed_share_is_refused(void **state)
{
    struct share s[SHARES];
    (void)state;
    split(s, "the key in use", 14);
    for (size_t at = 0; at < s[0].n; at++) {
        s[0].y[at] ^= 0x20;
        for (int other = 1; other < SHARES; other++) {
            struct buf back;
            struct err e = {0};
            buf_init(&back, 0);
            assert_error(shares_join(&back, &s[0], &s[other], &e), &e, ERR_CORRUPT, "one was changed");
            assert_int_equal(back.n, 0);
            buf_clear(&back);
        }
        s[0].y[at] ^= 0x20;
    }
    struct share t[SHARES];
    struct buf back;
    struct err e = {0};
    buf_init(&back, 0);
    split(t, "the key in use", 14);
    assert_error(shares_join(&back, &s[0], &t[1], &e), &e, ERR_INPUT, "two of one splitting");
}

/* Every flipped bit and every cut of a share file is found by its own check. */
static void test_damaged_file_is_refused(void **state)
{
    struct share s[SHARES], back;
    struct buf text;
    struct err e = {0};
    (void)state;
    split(s, "secret", 6);
    buf_init(&text, 0);
    assert_int_equal(share_write(&text, &s[2], &e), 0);
    for (size_t at = 0; at < text.n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.p[at] ^= (uint8_t)(1u << bit);
            err_clear(&e);
            assert_int_equal(share_read(&back, buf_bytes(&text), &e), -1);
            assert_true((e.code == ERR_CORRUPT || e.code == ERR_HELD) && e.msg[0]);
            text.p[at] ^= (uint8_t)(1u << bit);
        }
        err_clear(&e);
        assert_error(share_read(&back, (struct bytes){text.p, at}, &e), &e, ERR_CORRUPT, "share");
    }
    buf_clear(&text);
}

/* SEC-05: one share alone says nothing: whatever the secret, each of its bytes takes every value equally often (chi-square, 255 degrees of
 * freedom: 99.9999 % lies below 385), and two secrets cannot be told apart by it. */
static void test_one_share_says_nothing(void **state)
{
    static const uint8_t secrets[2][16] = {{0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    enum { ROUNDS = 4096 };
    (void)state;
    for (int which = 0; which < 2; which++)
        for (int number = 0; number < SHARES; number++) {
            static unsigned seen[256];
            double chi = 0, want = ROUNDS * 16 / 256.0;
            memset(seen, 0, sizeof seen);
            for (int r = 0; r < ROUNDS; r++) {
                struct share s[SHARES];
                split(s, secrets[which], 16);
                for (int i = 0; i < 16; i++)
                    seen[s[number].y[i]]++;
            }
            for (int v = 0; v < 256; v++)
                chi += (seen[v] - want) * (seen[v] - want) / want;
            if (chi > 385 || chi < 150)
                fail_msg("secret %d share %d: chi-square %.1f", which, number + 1, chi);
        }
}

/* What cannot be shared is refused in words. */
static void test_bounds(void **state)
{
    struct share s[SHARES];
    static uint8_t long_one[SHARE_SECRET + 1];
    struct err e = {0};
    (void)state;
    assert_error(shares_split(s, "k", "", (struct bytes){long_one, 0}, &e), &e, ERR_INPUT, "1 to 4096");
    assert_error(shares_split(s, "k", "", (struct bytes){long_one, sizeof long_one}, &e), &e, ERR_INPUT, "1 to 4096");
    assert_error(shares_split(s, "../k", "", bytes_of("x"), &e), &e, ERR_INPUT, "want a name");
    assert_error(shares_split(s, "k", "XYZ", bytes_of("x"), &e), &e, ERR_INPUT, "want a name");
    assert_error(share_read(&s[0], bytes_of("hz-share 2\n"), &e), &e, ERR_HELD, "version 2");
    assert_error(share_read(&s[0], bytes_of(""), &e), &e, ERR_CORRUPT, "hz-share 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_has_the_published_products), cmocka_unit_test(test_field_is_one), cmocka_unit_test(test_any_two_give_it_back),
        cmocka_unit_test(test_changed_share_is_refused), cmocka_unit_test(test_damaged_file_is_refused), cmocka_unit_test(test_one_share_says_nothing),
        cmocka_unit_test(test_bounds),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
