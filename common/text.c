/* text.c - see text.h. Ranges follow Unicode 15.1. */
#include "common/text.h"

#include <string.h>

struct range { uint32_t lo, hi; };

#define IN(cp, table) in_ranges(cp, table, sizeof(table) / sizeof((table)[0]))

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= r[i].lo && cp <= r[i].hi)
            return true;
    return false;
}

static const struct range han[] = {
    {0x3007, 0x3007}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAD9}, {0x20000, 0x2A6DF}, {0x2A700, 0x2EBE0},
    {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D}, {0x30000, 0x323AF},
};
static const struct range latin[] = {
    {'A', 'Z'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x24F}, {0x1E00, 0x1EFF},
};
static const struct range blanks[] = {
    {0x09, 0x0D}, {0x20, 0x20}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x202F, 0x202F}, {0x205F, 0x205F},
    {0x3000, 0x3000}, {0xFEFF, 0xFEFF},
};
static const struct range invisible[] = {
    {0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0x2800, 0x2800}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};
static const struct range private_use[] = { {0xE000, 0xF8FF}, {0xF0000, 0xFFFFD}, {0x100000, 0x10FFFD} };
static const struct range marks[] = {
    {0x300, 0x36F}, {0x483, 0x489}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x3099, 0x309A}, {0xFE20, 0xFE2F},
};

/* Letters of pinyin with their marks: the only decomposed text that ordinary input methods produce. */
static const struct { uint16_t base, mark, whole; } composed[] = {
    {'a', 0x300, 0xE0}, {'a', 0x301, 0xE1}, {'a', 0x304, 0x101}, {'a', 0x30C, 0x1CE},
    {'e', 0x300, 0xE8}, {'e', 0x301, 0xE9}, {'e', 0x304, 0x113}, {'e', 0x30C, 0x11B},
    {'i', 0x300, 0xEC}, {'i', 0x301, 0xED}, {'i', 0x304, 0x12B}, {'i', 0x30C, 0x1D0},
    {'o', 0x300, 0xF2}, {'o', 0x301, 0xF3}, {'o', 0x304, 0x14D}, {'o', 0x30C, 0x1D2},
    {'u', 0x300, 0xF9}, {'u', 0x301, 0xFA}, {'u', 0x304, 0x16B}, {'u', 0x30C, 0x1D4}, {'u', 0x308, 0xFC},
    {0xFC, 0x300, 0x1DC}, {0xFC, 0x301, 0x1D8}, {0xFC, 0x304, 0x1D6}, {0xFC, 0x30C, 0x1DA},
    {'n', 0x300, 0x1F9}, {'n', 0x301, 0x144}, {'n', 0x30C, 0x148}, {'m', 0x301, 0x1E3F},
    {'A', 0x300, 0xC0}, {'A', 0x301, 0xC1}, {'A', 0x304, 0x100}, {'A', 0x30C, 0x1CD},
    {'E', 0x300, 0xC8}, {'E', 0x301, 0xC9}, {'E', 0x304, 0x112}, {'E', 0x30C, 0x11A},
    {'I', 0x300, 0xCC}, {'I', 0x301, 0xCD}, {'I', 0x304, 0x12A}, {'I', 0x30C, 0x1CF},
    {'O', 0x300, 0xD2}, {'O', 0x301, 0xD3}, {'O', 0x304, 0x14C}, {'O', 0x30C, 0x1D1},
    {'U', 0x300, 0xD9}, {'U', 0x301, 0xDA}, {'U', 0x304, 0x16A}, {'U', 0x30C, 0x1D3}, {'U', 0x308, 0xDC},
};

/* ---- UTF-8 ---- */

static bool tail(struct bytes in, size_t at, size_t n)
{
    if (in.n - at <= n)
        return false;
    for (size_t i = 1; i <= n; i++)
        if ((in.p[at + i] & 0xC0) != 0x80)
            return false;
    return true;
}

int32_t text_next(struct bytes in, size_t *at)
{
    size_t i = *at;
    if (i >= in.n)
        return -1;
    uint32_t b = in.p[i], cp;
    size_t n = b < 0x80 ? 0 : b >= 0xC2 && b <= 0xDF ? 1 : (b & 0xF0) == 0xE0 ? 2 : b >= 0xF0 && b <= 0xF4 ? 3 : 9;
    if (n == 9 || !tail(in, i, n))
        return -2;
    cp = n == 0 ? b : n == 1 ? b & 0x1F : n == 2 ? b & 0x0F : b & 0x07;
    for (size_t k = 1; k <= n; k++)
        cp = cp << 6 | (in.p[i + k] & 0x3Fu);
    if ((n == 2 && cp < 0x800) || (n == 3 && (cp < 0x10000 || cp > 0x10FFFF)) || (cp >= 0xD800 && cp <= 0xDFFF))
        return -2;
    *at = i + n + 1;
    return (int32_t)cp;
}

void text_put(struct buf *out, uint32_t cp)
{
    if (cp < 0x80) {
        buf_u8(out, (uint8_t)cp);
    } else if (cp < 0x800) {
        buf_u8(out, (uint8_t)(0xC0 | cp >> 6));
        buf_u8(out, (uint8_t)(0x80 | (cp & 0x3F)));
    } else if (cp < 0x10000) {
        buf_u8(out, (uint8_t)(0xE0 | cp >> 12));
        buf_u8(out, (uint8_t)(0x80 | (cp >> 6 & 0x3F)));
        buf_u8(out, (uint8_t)(0x80 | (cp & 0x3F)));
    } else {
        buf_u8(out, (uint8_t)(0xF0 | cp >> 18));
        buf_u8(out, (uint8_t)(0x80 | (cp >> 12 & 0x3F)));
        buf_u8(out, (uint8_t)(0x80 | (cp >> 6 & 0x3F)));
        buf_u8(out, (uint8_t)(0x80 | (cp & 0x3F)));
    }
}

long text_length(struct bytes in)
{
    long n = 0;
    size_t at = 0;
    int32_t cp;
    while ((cp = text_next(in, &at)) >= 0)
        n++;
    return cp == -2 ? -1 : n;
}

void text_mend(char *s, char with)
{
    const struct bytes in = bytes_of(s);
    for (size_t at = 0, was = 0; at < in.n; was = at)
        if (text_next(in, &at) == -2) {
            s[was] = with;
            at = was + 1;
        }
}

/* ---- what may not be there ---- */

static enum text_fault fault_of(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7F && cp <= 0x9F))
        return TEXT_CONTROL;
    if ((cp & 0xFFFE) == 0xFFFE || (cp >= 0xFDD0 && cp <= 0xFDEF) || cp == 0xFFFD)
        return TEXT_XML;
    if (IN(cp, invisible))
        return TEXT_INVISIBLE;
    if (IN(cp, private_use))
        return TEXT_PRIVATE;
    return IN(cp, marks) ? TEXT_NFC : TEXT_OK;
}

enum text_fault text_fault_of(struct bytes in)
{
    size_t at = 0;
    int32_t cp;
    if (text_length(in) < 0)
        return TEXT_UTF8;
    while ((cp = text_next(in, &at)) >= 0) {
        enum text_fault f = fault_of((uint32_t)cp);
        if (f != TEXT_OK)
            return f;
    }
    return TEXT_OK;
}

const char *text_fault_word(enum text_fault f)
{
    static const char *const word[] = { "", "utf8", "control", "xml", "invisible", "private", "combining" };
    return word[f];
}

bool text_is_han(uint32_t cp)
{
    return IN(cp, han);
}

/* ---- alphabets ---- */

static bool is_separator(uint32_t cp)
{
    return cp == ' ' || cp == '-' || cp == '\'' || cp == '.' || cp == 0x2019 || cp == 0xB7;
}

/* Every character Han or U+3013; dots only between them. */
static bool han_name(struct bytes in)
{
    bool dot_ok = false;
    size_t at = 0;
    int32_t cp;
    while ((cp = text_next(in, &at)) >= 0) {
        if (cp == 0xB7) {
            if (!dot_ok)
                return false;
            dot_ok = false;
        } else if (text_is_han((uint32_t)cp) || cp == 0x3013) {
            dot_ok = true;
        } else {
            return false;
        }
    }
    return cp == -1 && dot_ok;
}

/* Letters, single separators between them; a full stop may be followed by a blank or end the name ("J. R. Ewing Jr."). */
static bool latin_name(struct bytes in)
{
    uint32_t before = ' ';
    size_t at = 0;
    int32_t cp;
    while ((cp = text_next(in, &at)) >= 0) {
        if (is_separator((uint32_t)cp)) {
            if (is_separator(before) && !(before == '.' && cp == ' '))
                return false;
        } else if (!IN((uint32_t)cp, latin)) {
            return false;
        }
        before = (uint32_t)cp;
    }
    return cp == -1 && in.n > 0 && (!is_separator(before) || before == '.');
}

bool text_is_name(struct bytes in)
{
    return han_name(in) || latin_name(in);
}

bool text_has_untypeable(struct bytes in)
{
    size_t at = 0;
    int32_t cp;
    while ((cp = text_next(in, &at)) >= 0)
        if (cp == 0x3013)
            return true;
    return false;
}

bool text_is_pinyin(struct bytes in)
{
    uint32_t before = ' ';
    size_t at = 0;
    int32_t cp;
    while ((cp = text_next(in, &at)) >= 0) {
        if (cp == ' ' ? before == ' ' : !IN((uint32_t)cp, latin))
            return false;
        before = (uint32_t)cp;
    }
    return cp == -1 && before != ' ';
}

static bool digits(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* 010 and 02x are areas of three digits, all others of four. */
static size_t area_len(const uint8_t *p)
{
    return p[1] == '1' || p[1] == '2' ? 3 : 4;
}

bool text_is_phone(struct bytes in)
{
    const uint8_t *p = in.p;
    if (in.n == 11 && p[0] == '1')
        return digits(p, 11) && p[1] >= '3';
    if (in.n < 11 || p[0] != '0' || !digits(p, 3) || p[1] == '0' || (p[1] == '1' && p[2] != '0'))
        return false;
    size_t a = area_len(p);
    if (!digits(p, a) || p[a] != '-')
        return false;
    size_t rest = in.n - a - 1;
    return (rest == 7 || rest == 8) && digits(p + a + 1, rest) && p[a + 1] >= '2';
}

/* ---- normal form ---- */

static uint32_t half(uint32_t cp)
{
    return cp >= 0xFF01 && cp <= 0xFF5E ? cp - 0xFF01 + 0x21 : cp == 0x3000 ? ' ' : cp;
}

static uint32_t half_alnum(uint32_t cp)
{
    uint32_t h = half(cp);
    return (h >= '0' && h <= '9') || (h >= 'A' && h <= 'Z') || (h >= 'a' && h <= 'z') ? h : cp;
}

static uint32_t compose(uint32_t base, uint32_t mark)
{
    for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++)
        if (composed[i].base == base && composed[i].mark == mark)
            return composed[i].whole;
    return 0;
}

/* Decoded text of bounded length; longer input is not normalised, the length check refuses it. */
#define NORMAL_MAX 4096
struct chars { uint32_t v[NORMAL_MAX]; size_t n; };

static void trim(struct chars *t)
{
    size_t from = 0;
    while (from < t->n && IN(t->v[from], blanks))
        from++;
    while (t->n > from && IN(t->v[t->n - 1], blanks))
        t->n--;
    memmove(t->v, t->v + from, (t->n - from) * sizeof t->v[0]);
    t->n -= from;
}

/* Line breaks and tabs to one space, marks composed. */
static void plain(struct chars *t)
{
    size_t n = 0;
    bool line = false;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t cp = t->v[i], whole = n > 0 ? compose(t->v[n - 1], cp) : 0;
        bool brk = cp == '\t' || cp == '\n' || cp == '\r';
        if (whole)
            t->v[n - 1] = whole;
        else if (!brk)
            t->v[n++] = cp;
        else if (!line)
            t->v[n++] = ' ';
        line = brk;
    }
    t->n = n;
}

static void map(struct chars *t, uint32_t (*f)(uint32_t))
{
    for (size_t i = 0; i < t->n; i++)
        t->v[i] = f(t->v[i]);
}

static void drop(struct chars *t, bool hyphens)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (!IN(t->v[i], blanks) && !(hyphens && (t->v[i] == '-' || (t->v[i] >= 0x2010 && t->v[i] <= 0x2015))))
            t->v[n++] = t->v[i];
    t->n = n;
}

static uint32_t upper(uint32_t cp)
{
    return cp >= 'a' && cp <= 'z' ? cp - 'a' + 'A' : cp;
}

static void one_space(struct chars *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        bool blank = IN(t->v[i], blanks);
        if (!blank)
            t->v[n++] = t->v[i];
        else if (n > 0 && t->v[n - 1] != ' ')
            t->v[n++] = ' ';
    }
    t->n = n;
}

static bool name_char(uint32_t cp)
{
    return text_is_han(cp) || cp == 0x3013 || cp == 0xB7;
}

/* Dots that people type for U+00B7. A full stop only beside Han: "J. Smith" keeps its own. */
static void name_dots(struct chars *t)
{
    static const uint32_t dots[] = { 0x2022, 0x30FB, 0x2027, 0xFF65, 0x2219, 0x22C5, 0x387 };
    for (size_t i = 0; i < t->n; i++) {
        for (size_t k = 0; k < sizeof dots / sizeof dots[0]; k++)
            if (t->v[i] == dots[k])
                t->v[i] = 0xB7;
        if ((t->v[i] == '.' || t->v[i] == 0xFF0E) && ((i > 0 && text_is_han(t->v[i - 1])) || (i + 1 < t->n && text_is_han(t->v[i + 1]))))
            t->v[i] = 0xB7;
    }
}

static void name(struct chars *t)
{
    size_t n = 0;
    one_space(t);
    name_dots(t);
    map(t, half_alnum);
    for (size_t i = 0; i < t->n; i++) {
        bool beside = t->v[i] == ' ' && ((n > 0 && name_char(t->v[n - 1])) || (i + 1 < t->n && name_char(t->v[i + 1])));
        if (!beside)
            t->v[n++] = t->v[i];
    }
    t->n = n;
}

static void cut_front(struct chars *t, size_t n)
{
    memmove(t->v, t->v + n, (t->n - n) * sizeof t->v[0]);
    t->n -= n;
}

static bool starts(const struct chars *t, const char *s)
{
    size_t n = strlen(s);
    if (t->n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (t->v[i] != (uint32_t)s[i])
            return false;
    return true;
}

static void phone(struct chars *t)
{
    struct chars bare;
    map(t, half);
    drop(t, false);
    if (starts(t, "+86") || starts(t, "0086"))
        cut_front(t, t->v[0] == '+' ? 3 : 4);
    if (starts(t, "-"))
        cut_front(t, 1);
    bare = *t;
    drop(&bare, true);
    size_t n = 0;
    for (size_t i = 0; i < bare.n; i++) {
        if (bare.v[i] == '(' || bare.v[i] == ')')
            continue;
        if (bare.v[i] < '0' || bare.v[i] > '9')
            return;
        bare.v[n++] = bare.v[i];
    }
    bare.n = n;
    if (n == 11 && bare.v[0] == '1') {
        *t = bare;
    } else if (n >= 10 && n <= 12 && bare.v[0] == '0') {
        size_t a = bare.v[1] == '1' || bare.v[1] == '2' ? 3 : 4;
        memmove(bare.v + a + 1, bare.v + a, (n - a) * sizeof bare.v[0]);
        bare.v[a] = '-';
        bare.n = n + 1;
        *t = bare;
    }
}

/* Up to `max` digits from *i; their count. */
static size_t number(const struct chars *t, size_t *i, size_t max, unsigned *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < max && *i < t->n && t->v[*i] >= '0' && t->v[*i] <= '9'; n++)
        *out = *out * 10 + (t->v[(*i)++] - '0');
    return n;
}

static bool date_sign(uint32_t cp, uint32_t word)
{
    return cp == '-' || cp == '/' || cp == '.' || cp == word;
}

static void date(struct chars *t)
{
    unsigned y, m, d;
    size_t i = 0;
    map(t, half);
    drop(t, false);
    if (number(t, &i, 4, &y) != 4 || i == t->n)
        return;
    bool bare = t->n == 8 && t->v[4] >= '0' && t->v[4] <= '9';
    if (!bare && !date_sign(t->v[i++], 0x5E74))
        return;
    size_t want = bare ? 2 : 1;
    if (number(t, &i, 2, &m) < want || (!bare && (i == t->n || !date_sign(t->v[i++], 0x6708))))
        return;
    if (number(t, &i, 2, &d) < want || (i < t->n && !(i + 1 == t->n && t->v[i] == 0x65E5)))
        return;
    const unsigned part[8] = { y / 1000, y / 100 % 10, y / 10 % 10, y % 10, m / 10, m % 10, d / 10, d % 10 };
    t->n = 0;
    for (size_t k = 0; k < 8; k++) {
        if (k == 4 || k == 6)
            t->v[t->n++] = '-';
        t->v[t->n++] = '0' + part[k];
    }
}

static void apply(struct chars *t, enum text_kind kind)
{
    trim(t);
    plain(t);
    switch (kind) {
    case TEXT_PLAIN: break;
    case TEXT_NAME: name(t); break;
    case TEXT_HALF: map(t, half); break;
    case TEXT_NUMBER:
    case TEXT_ID: map(t, half); drop(t, kind == TEXT_ID); map(t, upper); break;
    case TEXT_PHONE: phone(t); break;
    case TEXT_ADDRESS: map(t, half_alnum); one_space(t); break;
    case TEXT_DATE: date(t); break;
    }
}

void text_normalise(struct buf *out, struct bytes in, enum text_kind kind)
{
    struct chars t;
    size_t at = 0;
    int32_t cp;
    t.n = 0;
    while ((cp = text_next(in, &at)) >= 0 && t.n < NORMAL_MAX)
        t.v[t.n++] = (uint32_t)cp;
    if (cp != -1) {
        buf_put(out, in.p, in.n);
        return;
    }
    apply(&t, kind);
    for (size_t i = 0; i < t.n; i++)
        text_put(out, t.v[i]);
}
