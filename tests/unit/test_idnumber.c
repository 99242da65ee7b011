/* test_idnumber.c - identity numbers of GB 11643. The numbers are invented: area 340799 exists only here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/idnumber.h"

static const struct date today = { 2026, 11, 23 };

/* The first 17 digits with their check digit. */
static const char *made(const char *first17)
{
    static char out[19];
    snprintf(out, sizeof out, "%s%c", first17, id_check_digit(first17));
    return out;
}

/* The example of GB 11643-1999, annex: 11010519491231002X and 440524188001010014. */
static void test_examples_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(id_check_digit("11010519491231002"), 'X');
    assert_int_equal(id_check_digit("44052418800101001"), '4');
    assert_int_equal(id_number_parse(NULL, "11010519491231002X", 18, today), ID_OK);
    assert_int_equal(id_number_parse(NULL, "440524188001010014", 18, today), ID_OK);
    assert_int_equal(id_check_digit("1101051949123100X"), 0);
}

/* All eleven characters, reckoned by the recursive way of ISO 7064 and not by the weights. */
static void test_all_check_characters(void **state)
{
    static const struct { const char *first17; char check; } rows[] = {
        { "34079919900101100", '0' },
        { "34079919900101105", '1' },
        { "34079919900101118", '2' },
        { "34079919900101104", '3' },
        { "34079919900101109", '4' },
        { "34079919900101103", '5' },
        { "34079919900101108", '6' },
        { "34079919900101102", '7' },
        { "34079919900101107", '8' },
        { "34079919900101101", '9' },
        { "34079919900101106", 'X' },
    };
    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, 11);
    for (size_t i = 0; i < 11; i++)
        assert_int_equal(id_check_digit(rows[i].first17), rows[i].check);
}

/* CIT-06: area, birth date and sex come out of a good number. */
static void test_parts(void **state)
{
    struct id_number id;
    (void)state;
    assert_int_equal(id_number_parse(&id, made("34079920240229013"), 18, today), ID_OK);
    assert_string_equal(id.region, "340799");
    assert_int_equal(date_compare(id.birth, (struct date){ 2024, 2, 29 }), 0);
    assert_int_equal(id.sex, '1');
    assert_int_equal(id_number_parse(&id, made("34079920240229024"), 18, today), ID_OK);
    assert_int_equal(id.sex, '2');
}

/* Each fault has its own rule; the first in the order length, characters, region, date, check digit is told. */
static void test_refused(void **state)
{
    static const struct { const char *s; enum id_fault fault; const char *rule; } rows[] = {
        { "", ID_LENGTH, "id_length" },
        { "3", ID_LENGTH, "id_length" },
        { "34079919900101122", ID_LENGTH, "id_length" },
        { "3407991990010112251", ID_LENGTH, "id_length" },
        { "34079990010112X", ID_LENGTH, "id_length" },
        { "340799900101122", ID_FIFTEEN, "id_fifteen" },
        { "34079919900101122x", ID_CHARACTERS, "id_characters" },
        { "34079919900101122A", ID_CHARACTERS, "id_characters" },
        { "X40799199001011225", ID_CHARACTERS, "id_characters" },
        { "3407991990010112 5", ID_CHARACTERS, "id_characters" },
        { "340799199001011\xe4\xb8\x80", ID_CHARACTERS, "id_characters" },
        { "000799199001011225", ID_REGION, "id_region" },
        { "160799199001011225", ID_REGION, "id_region" },
        { "470799199001011225", ID_REGION, "id_region" },
        { "840799199001011225", ID_REGION, "id_region" },
        { "990799199001011225", ID_REGION, "id_region" },
        { "340799199013011225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799199000011225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799199001001225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799199002301225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799190002291225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799184912311225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799202611241225", ID_BIRTH_DATE, "id_birth_date" },
        { "340799999912311225", ID_BIRTH_DATE, "id_birth_date" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(id_number_parse(NULL, rows[i].s, strlen(rows[i].s), today), rows[i].fault);
        assert_string_equal(id_fault_rule(rows[i].fault), rows[i].rule);
    }
    assert_string_equal(id_fault_rule(ID_OK), "");
}

/* The check digit exists for two mistakes: one digit wrong, two neighbours exchanged. It finds every one of them. */
static void test_check_digit_finds_slips(void **state)
{
    char good[19], bad[19];
    (void)state;
    strcpy(good, made("34079919630407154"));
    for (int i = 0; i < 17; i++)
        for (char c = '0'; c <= '9'; c++) {
            strcpy(bad, good);
            bad[i] = c;
            if (c != good[i])
                assert_int_not_equal(id_number_parse(NULL, bad, 18, today), ID_OK);
        }
    for (int i = 0; i < 17; i++) {
        strcpy(bad, good);
        bad[i] = good[i + 1];
        bad[i + 1] = good[i];
        if (good[i] != good[i + 1])
            assert_int_not_equal(id_number_parse(NULL, bad, 18, today), ID_OK);
    }
}

/* Every other check character is refused, X among them. */
static void test_only_one_check_digit(void **state)
{
    char s[19];
    int good = 0;
    (void)state;
    for (const char *c = "0123456789X"; *c; c++) {
        snprintf(s, sizeof s, "34079919900101122%c", *c);
        const enum id_fault f = id_number_parse(NULL, s, 18, today);
        good += f == ID_OK;
        assert_true(f == ID_OK || f == ID_CHECK_DIGIT);
    }
    assert_int_equal(good, 1);
}

/* Provinces, and nothing else: 35 of 100. */
static void test_provinces(void **state)
{
    int n = 0;
    (void)state;
    for (int i = 0; i < 100; i++) {
        char two[3] = { (char)('0' + i / 10), (char)('0' + i % 10), 0 };
        n += id_province_valid(two);
    }
    assert_int_equal(n, 35);
    assert_false(id_province_valid("1 "));
    assert_false(id_province_valid(" 1"));
    assert_false(id_province_valid("a1"));
}

/* Three and four characters show; short things and too small buffers show nothing more. */
static void test_mask(void **state)
{
    char out[32], small[5];
    (void)state;
    id_mask(out, sizeof out, "34079919900101122X", 18);
    assert_string_equal(out, "340***********122X");
    id_mask(out, sizeof out, "12345678", 8);
    assert_string_equal(out, "123*5678");
    id_mask(out, sizeof out, "1234567", 7);
    assert_string_equal(out, "*******");
    id_mask(out, sizeof out, "", 0);
    assert_string_equal(out, "");
    id_mask(small, sizeof small, "34079919900101122X", 18);
    assert_string_equal(small, "****");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_standard), cmocka_unit_test(test_all_check_characters), cmocka_unit_test(test_parts), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_check_digit_finds_slips), cmocka_unit_test(test_only_one_check_digit), cmocka_unit_test(test_provinces),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests_name("idnumber", tests, NULL, NULL);
}
