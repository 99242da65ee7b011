/* The probe of `ferry doctor --gateway`: its bytes follow from its name, and what a filter does to them is named by the first byte it changed. */
#include <sodium.h>
#include <stdio.h>

#include "ferry/lib/probe.h"
#include "tests/unit/scratch.h"

#define NONCE "0123456789abcdef"

static struct buf made(const char *from, const char *nonce)
{
    struct buf b;
    buf_init(&b, 0);
    probe_bytes(&b, from, nonce);
    struct err e = {0};
    assert_int_equal(buf_done(&b, "probe", &e), 0);
    return b;
}

static struct probe_verdict judged(struct bytes want, const struct buf *have)
{
    struct probe_verdict v;
    probe_judge(&v, want, buf_bytes(have));
    return v;
}

/* The same name gives the same bytes on any host; another sender or nonce gives others; no batch of ours is much larger. */
static void test_bytes_follow_from_the_name(void **state)
{
    (void)state;
    struct buf a = made("internet", NONCE), b = made("internet", NONCE), c = made("intranet", NONCE), d = made("internet", "0123456789abcdee");
    assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
    assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&c)));
    assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&d)));
    assert_in_range(a.n, 900000, 1000000);
    buf_clear(&a), buf_clear(&b), buf_clear(&c), buf_clear(&d);
}

/* Replace each occurrence of `what` by `with`, at most `most` times. */
static struct buf replaced(const struct buf *in, const char *what, const char *with, size_t most)
{
    struct buf out;
    const size_t n = strlen(what);
    buf_init(&out, 0);
    for (size_t i = 0; i < in->n;) {
        if (most && i + n <= in->n && memcmp(in->p + i, what, n) == 0) {
            buf_str(&out, with);
            i += n;
            most--;
        } else
            buf_put(&out, in->p + i++, 1);
    }
    return out;
}

/* FRY-10: each kind of change is named, with the offset of the first byte and what stands there. */
static void test_fry_10_each_filter_is_named(void **state)
{
    (void)state;
    static const struct { const char *what, *with; size_t most; enum probe_word word; const char *at; } rows[] = {
        {"<?xml", "\xef\xbb\xbf<?xml", 1, PROBE_BOM, "<?xml"},
        {"\n", "\r\n", 99, PROBE_CRLF, "\n<Probe"},
        {"  <Note>", "    <Note>", 1, PROBE_BLANKS, "<Note>"},
        {"  \n", "\n", 1, PROBE_BLANKS, "  \n"},
        {"户政", "\xbb\xa7\xd5\xfe", 1, PROBE_CHARSET, "户政"},
        {"UTF-8", "GB18030", 1, PROBE_CHARSET, "UTF-8"},
        {"<Blank a=\"1\"   b='2'></Blank>", "<Blank a=\"1\" b=\"2\"/>", 1, PROBE_REWRITTEN, "  b='2'></Blank>"},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "", 1, PROBE_REWRITTEN, "?xml"},
        {"</Probe>\n", "</Probe>\n\n", 1, PROBE_ADDED, NULL},
        {"internet", "internat", 1, PROBE_DAMAGED, "et\" nonce"},
        {"</Blank>  \n\n      <Chunk>", "</Blank>\1\2\3\4      <Chunk>", 1, PROBE_DAMAGED, "  \n\n"},
        {"'", "\"", 9, PROBE_REWRITTEN, "'0123"},
        {"Chunk", "CHUNK", 9, PROBE_REWRITTEN, "hunk"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf want = made("internet", NONCE), have = replaced(&want, rows[i].what, rows[i].with, rows[i].most);
        struct probe_verdict v = judged(buf_bytes(&want), &have);
        if (v.word != rows[i].word)
            fail_msg("row %zu: want %s, have %s", i, probe_words[rows[i].word], probe_words[v.word]);
        const uint8_t *at = rows[i].at ? memmem(want.p, want.n, rows[i].at, strlen(rows[i].at)) : want.p + want.n;
        if (v.offset != (uint64_t)(at - want.p))
            fail_msg("row %zu: want offset %zu, have %llu", i, (size_t)(at - want.p), (unsigned long long)v.offset);
        assert_memory_equal(v.want, want.p + v.offset, v.nwant);
        assert_memory_equal(v.have, have.p + v.offset, v.nhave);
        buf_clear(&want), buf_clear(&have);
    }
}

/* Cut at any place, empty, replaced, UTF-16: nothing of the end has to be there. */
static void test_short_files(void **state)
{
    (void)state;
    static const struct { const char *have; size_t n; enum probe_word word; } rows[] = {
        {"", 0, PROBE_EMPTY}, {"<?xm", 4, PROBE_CUT}, {"This file was removed by the scanner.", 37, PROBE_REPLACED}, {"<html><body>403", 15, PROBE_REPLACED},
        {"\xff\xfe<\0?\0", 6, PROBE_CHARSET}, {"<\0?\0x\0", 6, PROBE_CHARSET}, {"\0<\0?", 4, PROBE_CHARSET}};
    struct buf want = made("intranet", NONCE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_verdict v;
        probe_judge(&v, buf_bytes(&want), (struct bytes){(const uint8_t *)rows[i].have, rows[i].n});
        if (v.word != rows[i].word)
            fail_msg("row %zu: want %s, have %s", i, probe_words[rows[i].word], probe_words[v.word]);
        assert_int_equal(v.size, rows[i].n);
    }
    for (size_t n = 1; n < want.n; n += 9973) {
        struct probe_verdict v;
        probe_judge(&v, buf_bytes(&want), (struct bytes){want.p, n});
        assert_int_equal(v.word, PROBE_CUT);
        assert_int_equal(v.offset, n);
        assert_int_equal(v.nhave, 0);
    }
    buf_clear(&want);
}

/* The refusal names offset, both bytes and the kind; an exact one is none. */
static void test_check_says_where(void **state)
{
    (void)state;
    struct probe_name p;
    struct err e = {0};
    assert_int_equal(probe_name_parse(&p, "p-internet-" NONCE ".xml"), 0);
    struct buf want = made("internet", NONCE), other = made("intranet", NONCE);
    assert_int_equal(probe_check(NULL, &p, buf_bytes(&want), &e), 0);
    assert_error(probe_check(NULL, &p, buf_bytes(&other), &e), &e, ERR_CORRUPT, "probe changed on the way (rewritten): offset 55: want 6572");
    want.p[700] = (uint8_t)(want.p[700] ^ 1);
    assert_error(probe_check(NULL, &p, buf_bytes(&want), &e), &e, ERR_CORRUPT, "(damaged): offset 700: want ");
    buf_clear(&want), buf_clear(&other);
}

/* A name is written one way only; whatever else is no probe's and goes the way of every file. */
static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"p-internet-" NONCE ".xml", "p-intranet-" NONCE ".xml", "p-intranet-" NONCE "-fine-0-end-end-960391.xml",
                                       "p-internet-" NONCE "-bom-0-3c3f786d6c207665-efbbbf3c3f786d6c-960394.xml", "p-internet-" NONCE "-cut-4-6c-end-4.xml"};
    static const char *const bad[] = {"p-internet-" NONCE, "p-internet-" NONCE ".xml.xml", "p-police-" NONCE ".xml", "p-internet-0123456789ABCDEF.xml", "p-internet-0123.xml", "b-internet-" NONCE ".xml",
                                      "p-internet-" NONCE "-fine.xml", "p-internet-" NONCE "-best-0-end-end-0.xml", "p-internet-" NONCE "-bom-00-end-end-0.xml",
                                      "p-internet-" NONCE "-bom-0-3c3-end-0.xml", "p-internet-" NONCE "-bom-0-3C-end-0.xml", "p-internet-" NONCE "-bom-0-end-end-0-1.xml",
                                      "p-internet-" NONCE "-bom--end-end-0.xml", "p-internet-" NONCE "-bom-0-3c3f786d6c2076653c-end-0.xml", ".xml", "p-.xml", "p-internet-.xml", ""};
    struct probe_name p;
    char again[PROBE_NAME];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (probe_name_parse(&p, good[i]) < 0)
            fail_msg("%s: want a probe's name", good[i]);
        probe_name_print(again, &p);
        assert_string_equal(again, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (probe_name_parse(&p, bad[i]) == 0)
            fail_msg("%s: want no probe's name", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_follow_from_the_name), cmocka_unit_test(test_fry_10_each_filter_is_named), cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_check_says_where), cmocka_unit_test(test_names)};
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
