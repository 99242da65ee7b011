#include "internet-side/domain/query.h"

#include <string.h>

#include "common/text.h"

#define TEXT_MAX 400                     /* characters looked at */
#define NUMBER 6                         /* digits in a row that may be somebody's */
#define NAME_MAX_HAN 4

static uint32_t narrow(uint32_t cp)
{
    if (cp >= 0xff01 && cp <= 0xff5e)
        cp -= 0xfee0;
    return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
}

static bool is_digit(uint32_t cp)
{
    static const uint32_t han[] = { 0x3007, 0x96f6, 0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d, 0x5e7a, 0x4e24 };
    for (size_t i = 0; i < sizeof han / sizeof *han; i++)
        if (cp == han[i])
            return true;
    return cp >= '0' && cp <= '9';
}

static bool is_gap(uint32_t cp)
{
    return cp == ' ' || cp == '-' || cp == '_' || cp == '.' || cp == 0x3000;
}

/* What is written, and not between. */
static bool is_latin(uint32_t cp) { return (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9'); }

/* Code points, narrowed; 0 when malformed. */
static size_t read_all(uint32_t *cp, struct bytes text)
{
    size_t n = 0, at = 0;
    int32_t c;
    while (n < TEXT_MAX && (c = text_next(text, &at)) >= 0)
        cp[n++] = narrow((uint32_t)c);
    return n < TEXT_MAX && c == -2 ? 0 : n;
}

/* Blanks out numbers that may be somebody's: digits with gaps between them. */
static void drop_numbers(uint32_t *cp, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t digits = 0, k = i, end = i;
        while (k < n && (is_digit(cp[k]) || (digits > 0 && !is_latin(cp[k]) && !text_is_han(cp[k])))) {
            if (is_digit(cp[k++])) {
                digits++;
                end = k;
            }
        }
        if (digits == 0)
            continue;
        if (digits >= NUMBER && end < n && cp[end] == 'x')
            end++;
        for (k = i; digits >= NUMBER && k < end; k++)
            cp[k] = ' ';
        i = end - 1;
    }
}

static void drop_addresses(uint32_t *cp, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cp[i] != '@')
            continue;
        for (size_t k = i; k > 0 && (is_latin(cp[k - 1]) || is_gap(cp[k - 1])) && cp[k - 1] != ' '; k--)
            cp[k - 1] = ' ';
        for (size_t k = i; k < n && cp[k] != ' ' && (is_latin(cp[k]) || cp[k] == '@' || is_gap(cp[k])); k++)
            cp[k] = ' ';
    }
}

/* "我叫某某": up to four Han characters behind such words are taken for a name. */
static void drop_names(uint32_t *cp, size_t n)
{
    static const uint32_t lead[][3] = { { 0x6211, 0x53eb, 0 }, { 0x540d, 0x53eb, 0 }, { 0x5b57, 0x53eb, 0 }, { 0x59d3, 0x540d, 0x662f } };
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < sizeof lead / sizeof *lead; l++) {
            const size_t len = lead[l][2] ? 3 : 2;
            if (i + len > n || cp[i] != lead[l][0] || cp[i + 1] != lead[l][1] || (len == 3 && cp[i + 2] != lead[l][2]))
                continue;
            for (size_t k = i + len; k < n && k < i + len + NAME_MAX_HAN && text_is_han(cp[k]); k++)
                cp[k] = ' ';
        }
}

bool query_clean(struct buf *out, struct bytes text)
{
    uint32_t cp[TEXT_MAX];
    const size_t n = read_all(cp, text);
    size_t kept = 0;
    bool blank = false;
    drop_numbers(cp, n);
    drop_addresses(cp, n);
    drop_names(cp, n);
    for (size_t i = 0; i < n && kept < QUERY_MAX; i++) {
        if (!is_latin(cp[i]) && !text_is_han(cp[i])) {
            blank = kept > 0;
            continue;
        }
        if (blank && kept + 1 < QUERY_MAX) {
            text_put(out, ' ');
            kept++;
        }
        blank = false;
        text_put(out, cp[i]);
        kept++;
    }
    return kept >= 2;
}
