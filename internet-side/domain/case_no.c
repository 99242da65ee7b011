#include "internet-side/domain/case_no.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "3407"

/* Luhn over fifteen digits: every second digit from the right is doubled. Finds every single wrong digit and nearly every swap. */
static char check_digit(const char *first15)
{
    int sum = 0;
    for (int i = 0; i < 15; i++) {
        int d = first15[i] - '0';
        if (i % 2 == 0 && (d *= 2) > 9)
            d -= 9;
        sum += d;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

int case_no_month(struct date day)
{
    return day.y % 100 * 100 + day.m;
}

void case_no_make(struct case_no *out, int month, uint32_t serial)
{
    char digits[32];
    assert(serial >= 1 && serial <= CASE_NO_SERIAL_MAX && month >= 0 && month <= 9999);
    snprintf(digits, sizeof digits, PREFIX "%04d%07u", month, serial);
    memcpy(out->s, digits, 15);
    out->s[15] = check_digit(digits);
    out->s[16] = 0;
}

bool case_no_valid(const char *s)
{
    return strspn(s, "0123456789") == 16 && s[16] == 0 && strncmp(s, PREFIX, 4) == 0 && s[15] == check_digit(s);
}

static uint32_t digits(const char *s, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint32_t)(s[i] - '0');
    return v;
}

int case_no_month_of(const char *s)
{
    return (int)digits(s + 4, 4);
}

uint32_t case_no_serial_of(const char *s)
{
    return digits(s + 8, 7);
}
