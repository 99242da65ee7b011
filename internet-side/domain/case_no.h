/* case_no.h - case numbers (受理号): 3407, yymm of the submission in Beijing, seven digits, one Luhn check digit.
 * Owns:    nothing.
 * Threads: no shared state. */
#ifndef INTERNET_DOMAIN_CASE_NO_H
#define INTERNET_DOMAIN_CASE_NO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

#define CASE_NO_SERIAL_MAX 9999999u

struct case_no { char s[17]; };

/* yymm as a number, the name of the month's counter: 2611 for November 2026. */
int case_no_month(struct date day);
/* serial 1..CASE_NO_SERIAL_MAX (asserted); month as case_no_month gives it. */
void case_no_make(struct case_no *out, int month, uint32_t serial);
/* Of a valid number. */
int case_no_month_of(const char *s);
uint32_t case_no_serial_of(const char *s);
/* Sixteen digits, our prefix and a right check digit. */
bool case_no_valid(const char *s);

#endif
