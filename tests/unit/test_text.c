/* test_text.c - UTF-8, characters that may not be there, normal forms, names, phones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

static void expect_normal(enum text_kind kind, const char *in, const char *out)
{
    struct buf b;
    buf_init(&b, 0);
    text_normalise(&b, bytes_of(in), kind);
    assert_string_equal(buf_text(&b), out);
    buf_clear(&b);
}

/* Every code point goes out and comes back; surrogates never come back. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        struct buf b;
        size_t at = 0;
        buf_init(&b, 0);
        text_put(&b, cp);
        const int32_t back = text_next(buf_bytes(&b), &at);
        if (cp >= 0xD800 && cp <= 0xDFFF)
            assert_int_equal(back, -2);
        else
            assert_true(back == (int32_t)cp && at == b.n && text_length(buf_bytes(&b)) == 1);
        buf_clear(&b);
    }
}

/* Overlong forms, stray tails, cut sequences, beyond Unicode: all malformed, and copied as they are by normalising. */
static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xfe", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe6\x9e", "\xe6", "\xf0\xa0\xae", "\xe6\x9e\x41", "a\xc3",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(text_length(bytes_of(bad[i])), -1);
        assert_int_equal(text_fault_of(bytes_of(bad[i])), TEXT_UTF8);
        assert_false(text_is_name(bytes_of(bad[i])));
        assert_false(text_is_pinyin(bytes_of(bad[i])));
        for (enum text_kind k = TEXT_PLAIN; k <= TEXT_DATE; k++)
            expect_normal(k, bad[i], bad[i]);
    }
    assert_int_equal(text_length(bytes_of("林a𠮷")), 3);
    assert_int_equal(text_length(bytes_of("")), 0);
}

/* CIT-06: what XML 1.0 cannot carry, and what cannot be seen, is found wherever it stands. */
static void test_faults(void **state)
{
    static const struct { uint32_t cp; enum text_fault fault; const char *word; } rows[] = {
        { 0x00, TEXT_CONTROL, "control" }, { 0x08, TEXT_CONTROL, "control" }, { 0x0A, TEXT_CONTROL, "control" }, { 0x7F, TEXT_CONTROL, "control" },
        { 0x9F, TEXT_CONTROL, "control" }, { 0xFFFE, TEXT_XML, "xml" }, { 0xFFFF, TEXT_XML, "xml" }, { 0x1FFFE, TEXT_XML, "xml" },
        { 0x10FFFF, TEXT_XML, "xml" }, { 0xFDD0, TEXT_XML, "xml" }, { 0xFDEF, TEXT_XML, "xml" }, { 0xFFFD, TEXT_XML, "xml" },
        { 0x200B, TEXT_INVISIBLE, "invisible" }, { 0x202A, TEXT_INVISIBLE, "invisible" }, { 0x202E, TEXT_INVISIBLE, "invisible" },
        { 0x2066, TEXT_INVISIBLE, "invisible" }, { 0x2069, TEXT_INVISIBLE, "invisible" }, { 0xFEFF, TEXT_INVISIBLE, "invisible" },
        { 0xE0041, TEXT_INVISIBLE, "invisible" }, { 0xFE0F, TEXT_INVISIBLE, "invisible" }, { 0x3164, TEXT_INVISIBLE, "invisible" },
        { 0xE000, TEXT_PRIVATE, "private" }, { 0xF8FF, TEXT_PRIVATE, "private" }, { 0x100000, TEXT_PRIVATE, "private" },
        { 0x301, TEXT_NFC, "combining" }, { 0x3099, TEXT_NFC, "combining" },
        { ' ', TEXT_OK, "" }, { 0xA0, TEXT_OK, "" }, { 0x4E00, TEXT_OK, "" }, { 0x20BB7, TEXT_OK, "" }, { 0x1F600, TEXT_OK, "" },
        { 0xB7, TEXT_OK, "" }, { 0x3013, TEXT_OK, "" }, { 0xFA0E, TEXT_OK, "" }, { 0x323AF, TEXT_OK, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 0);
        buf_str(&b, "林");
        text_put(&b, rows[i].cp);
        buf_str(&b, "禾");
        assert_int_equal(text_fault_of(buf_bytes(&b)), rows[i].fault);
        assert_string_equal(text_fault_word(rows[i].fault), rows[i].word);
        buf_clear(&b);
    }
}

/* CIT-06: what people type, and what is judged and sent. */
static void test_normal_forms(void **state)
{
    static const struct { enum text_kind kind; const char *in, *out; } rows[] = {
        { TEXT_PLAIN, "", "" }, { TEXT_PLAIN, " \t\n ", "" }, { TEXT_PLAIN, "　a b　", "a b" }, { TEXT_PLAIN, "a\r\n\r\nb", "a b" },
        { TEXT_PLAIN, "a\n\tb", "a b" }, { TEXT_PLAIN, "\xef\xbb\xbf" "a", "a" }, { TEXT_PLAIN, "lu\u0308\u030C", "lǚ" }, { TEXT_PLAIN, "e\u0323", "e\u0323" },
        { TEXT_PLAIN, "１Ａ", "１Ａ" }, { TEXT_PLAIN, "豈", "豈" },
        { TEXT_NAME, " 林　小 禾 ", "林小禾" }, { TEXT_NAME, "阿依•买", "阿依·买" }, { TEXT_NAME, "阿依 ・ 买", "阿依·买" }, { TEXT_NAME, "阿依．买", "阿依·买" },
        { TEXT_NAME, "阿依.买", "阿依·买" }, { TEXT_NAME, "J. Smith", "J. Smith" }, { TEXT_NAME, "Ａｎｎａ  Li", "Anna Li" }, { TEXT_NAME, "〓 禾", "〓禾" },
        { TEXT_NAME, "林 Anna", "林Anna" },
        { TEXT_HALF, "０９：０５", "09:05" }, { TEXT_HALF, "a　b", "a b" },
        { TEXT_NUMBER, "ｅ12 34", "E1234" }, { TEXT_NUMBER, "a-1", "A-1" },
        { TEXT_ID, "34079919900101122x", "34079919900101122X" }, { TEXT_ID, "340799–1990－0101 122ｘ", "34079919900101122X" },
        { TEXT_PHONE, "+86 139-0562-0001", "13905620001" }, { TEXT_PHONE, "0086 13905620001", "13905620001" }, { TEXT_PHONE, "05622812345", "0562-2812345" },
        { TEXT_PHONE, "（0562）281 2345", "0562-2812345" }, { TEXT_PHONE, "02162345678", "021-62345678" }, { TEXT_PHONE, "not a phone", "notaphone" },
        { TEXT_ADDRESS, "340799　 路１号", "340799 路1号" }, { TEXT_ADDRESS, "340799 甲（乙）", "340799 甲（乙）" },
        { TEXT_DATE, "20261120", "2026-11-20" }, { TEXT_DATE, "2026-1-2", "2026-01-02" }, { TEXT_DATE, "2026年1月2日", "2026-01-02" },
        { TEXT_DATE, "２０２６／１／２", "2026-01-02" }, { TEXT_DATE, "202611201", "202611201" }, { TEXT_DATE, "2026-1", "2026-1" }, { TEXT_DATE, "2026-", "2026-" },
        { TEXT_DATE, "2026", "2026" }, { TEXT_DATE, "20261120日", "20261120日" }, { TEXT_DATE, "1.2.2026", "1.2.2026" }, { TEXT_DATE, "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_normal(rows[i].kind, rows[i].in, rows[i].out);
        expect_normal(rows[i].kind, rows[i].out, rows[i].out);
    }
}

/* Input beyond any field is left to the length check, untouched. */
static void test_huge_input(void **state)
{
    static char big[5001];
    (void)state;
    memset(big, 'x', 5000);
    expect_normal(TEXT_ID, big, big);
}

static void test_names(void **state)
{
    static const char *const good[] = { "林小禾", "林", "阿依古丽·买买提", "欧阳〓", "〇一", "𠮷田", "㐀林", "豈林", "Anna", "Anna Maria", "J. R. Ewing Jr.",
                                        "O'Brien", "O’Brien", "Jean-Luc", "Łukasz", "Ngô", "A·B" };
    static const char *const bad[] = { "", "·", "·林", "林·", "林··禾", "林 禾", "林Anna", "Anna林", "林1", "R2D2", " Anna", "Anna ", "Anna-", "-Anna", "A--B", "A  B",
                                       "A- B", "林-禾", "林,禾", "林，禾", "林(禾)", "😀", "ㄅ", "かな", "カ", "김", "Иван", "Ἀ", "⼀", "⺀", "々", "〆" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_is_name(bytes_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_is_name(bytes_of(bad[i])));
}

/* First and last ideograph of each block, and their neighbours outside. */
static void test_han(void **state)
{
    static const uint32_t in[] = { 0x3007, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xF900, 0xFAD9, 0x20000, 0x2A6DF, 0x2A700, 0x2EBE0, 0x2EBF0, 0x2EE5D,
                                   0x2F800, 0x2FA1D, 0x30000, 0x323AF };
    static const uint32_t out[] = { 0x3006, 0x3008, 0x33FF, 0x4DC0, 0xA000, 0xF8FF, 0xFADA, 0x1FFFF, 0x2A6E0, 0x2EE5E, 0x2FA1E, 0x323B0, 'a', 0 };
    (void)state;
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(text_is_han(in[i]));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_false(text_is_han(out[i]));
}

static void test_phones(void **state)
{
    static const char *const good[] = { "13905620001", "19999999999", "0562-2812345", "010-62345678", "021-6234567", "0999-8123456" };
    static const char *const bad[] = { "", "1", "12905620001", "11905620001", "1390562000", "139056200011", "1390562000a", "0562-1812345", "0562-0812345",
                                       "0562-281234", "0562-281234567", "05622812345", "0562 2812345", "011-62345678", "00-12345678", "000-12345678",
                                       "0562-", "0562-281234x", "x562-2812345", "10562-281234", "0562--812345" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_is_phone(bytes_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_is_phone(bytes_of(bad[i])));
}

static void test_pinyin(void **state)
{
    (void)state;
    assert_true(text_is_pinyin(bytes_of("hé")));
    assert_true(text_is_pinyin(bytes_of("lǚ shān")));
    assert_false(text_is_pinyin(bytes_of("")));
    assert_false(text_is_pinyin(bytes_of("he2")));
    assert_false(text_is_pinyin(bytes_of("a  b")));
    assert_false(text_is_pinyin(bytes_of(" a")));
    assert_false(text_is_pinyin(bytes_of("a ")));
    assert_false(text_is_pinyin(bytes_of("禾")));
    assert_true(text_has_untypeable(bytes_of("林〓")));
    assert_false(text_has_untypeable(bytes_of("林禾")));
}

/* What was cut within a character, or is no text at all, becomes text; whole characters stay. */
static void test_mended(void **state)
{
    static const struct { const char *from, *to; } cases[] = {{"", ""}, {"a户", "a户"}, {"a\xe6\x88", "a??"}, {"\xff户\x80", "?户?"}, {"\xed\xa0\x80", "???"}, {"户\xe6户", "户?户"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", cases[i].from);
        text_mend(text, '?');
        assert_string_equal(text, cases[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_malformed), cmocka_unit_test(test_faults), cmocka_unit_test(test_normal_forms),
        cmocka_unit_test(test_huge_input), cmocka_unit_test(test_names), cmocka_unit_test(test_han), cmocka_unit_test(test_phones),
        cmocka_unit_test(test_pinyin), cmocka_unit_test(test_mended),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
