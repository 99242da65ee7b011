/* idnumber.h - citizen identity numbers of GB 11643-1999: 6 digits area, 8 digits birth date, 3 digits sequence, 1 check.
 * Owns:    nothing.
 * Threads: no shared state.
 * Input is expected in normal form (text_normalise, TEXT_ID). The area is checked for its province only: numbers keep the
 * code of the day they were issued, and districts come and go. */
#ifndef COMMON_IDNUMBER_H
#define COMMON_IDNUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

enum id_fault {
    ID_OK = 0,
    ID_LENGTH,       /* not 18 characters */
    ID_FIFTEEN,      /* a first-generation number of 15 digits: no longer valid since 2013, has its own message */
    ID_CHARACTERS,   /* something other than 17 digits and a digit or X */
    ID_REGION,       /* the first two digits are no province of GB/T 2260 */
    ID_BIRTH_DATE,   /* no such day, before 1850, or after today */
    ID_CHECK_DIGIT
};

struct id_number {
    char region[7];
    struct date birth;
    char sex;        /* '1' male, '2' female: GB/T 2261.1 */
};

/* *out (may be NULL) is filled only with ID_OK. today bounds the birth date. */
enum id_fault id_number_parse(struct id_number *out, const char *s, size_t n, struct date today);
/* Rule name as it stands in findings: "id_length", "id_fifteen", "id_characters", "id_region", "id_birth_date", "id_check_digit". */
const char *id_fault_rule(enum id_fault f);
/* Check character for the first 17 digits: '0'..'9' or 'X', 0 when one of them is no digit. */
char id_check_digit(const char *first17);
/* Two digits that are a province of GB/T 2260: 11-15, 21-23, 31-37, 41-46, 50-54, 61-65, 71, 81-83. */
bool id_province_valid(const char *two);
/* "340***********1234": first three, last four; numbers of 7 or fewer characters are stars alone. out_cap >= n + 1. */
void id_mask(char *out, size_t out_cap, const char *s, size_t n);

#endif
