/* idnumber.c - see idnumber.h. */
#include "common/idnumber.h"

#include <string.h>

static bool all_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

/* GB 11643-1999, 4.5: weights 2^(18-i) mod 11, check character by ISO 7064 MOD 11-2. */
char id_check_digit(const char *first17)
{
    static const int weight[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
    int sum = 0;
    if (!all_digits(first17, 17))
        return 0;
    for (int i = 0; i < 17; i++)
        sum += (first17[i] - '0') * weight[i];
    return "10X98765432"[sum % 11];
}

bool id_province_valid(const char *two)
{
    static const char *const province = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83";
    char key[3] = { two[0], two[1], 0 };
    return all_digits(key, 2) && strstr(province, key) != NULL;
}

static int digits_value(const char *s, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++)
        v = v * 10 + (s[i] - '0');
    return v;
}

enum id_fault id_number_parse(struct id_number *out, const char *s, size_t n, struct date today)
{
    if (n == 15 && all_digits(s, 15))
        return ID_FIFTEEN;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return ID_CHARACTERS;
    if (n != 18)
        return ID_LENGTH;
    if (!all_digits(s, 17) || !((s[17] >= '0' && s[17] <= '9') || s[17] == 'X'))
        return ID_CHARACTERS;
    if (!id_province_valid(s))
        return ID_REGION;
    const struct date birth = { digits_value(s + 6, 4), digits_value(s + 10, 2), digits_value(s + 12, 2) };
    if (birth.y < 1850 || !date_valid(birth) || date_compare(birth, today) > 0)
        return ID_BIRTH_DATE;
    if (id_check_digit(s) != s[17])
        return ID_CHECK_DIGIT;
    if (out) {
        memcpy(out->region, s, 6);
        out->region[6] = 0;
        out->birth = birth;
        out->sex = (s[16] - '0') % 2 == 1 ? '1' : '2';
    }
    return ID_OK;
}

const char *id_fault_rule(enum id_fault f)
{
    static const char *const rule[] = { "", "id_length", "id_fifteen", "id_characters", "id_region", "id_birth_date", "id_check_digit" };
    return rule[f];
}

void id_mask(char *out, size_t out_cap, const char *s, size_t n)
{
    if (out_cap == 0)
        return;
    if (n >= out_cap)
        n = out_cap - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = n > 7 && (i < 3 || i >= n - 4) ? s[i] : '*';
    out[n] = 0;
}
