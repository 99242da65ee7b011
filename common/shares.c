#include "common/shares.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

uint8_t gf256_mul(uint8_t a, uint8_t b)
{
    unsigned x = a, y = b, sum = 0;
    for (unsigned i = 0; i < 8; i++) {
        sum ^= x & (0u - (y >> i & 1u));
        x = (x << 1) ^ (0x11bu & (0u - (x >> 7 & 1u)));
    }
    return (uint8_t)sum;
}

uint8_t gf256_inv(uint8_t a)
{
    uint8_t power = a, out = 1;
    for (unsigned i = 1; i < 8; i++) {           /* a^254 = a^2 · a^4 · … · a^128 */
        power = gf256_mul(power, power);
        out = gf256_mul(out, power);
    }
    return out;
}

static bool name_fits(const char *s, size_t cap)
{
    size_t n = strlen(s);
    return n > 0 && n < cap && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

static bool id_fits(const char *s)
{
    return strlen(s) == 16 && strspn(s, "0123456789abcdef") == 16;
}

int shares_split(struct share out[SHARES], const char *what, const char *key, struct bytes secret, struct err *e)
{
    uint8_t raw[8], line[SHARE_SECRET + 32];
    struct hash256 h;
    if (secret.n == 0 || secret.n > SHARE_SECRET)
        return err_set(e, ERR_INPUT, "share: want a secret of 1 to %u bytes, have %zu", SHARE_SECRET, secret.n);
    if (!name_fits(what, sizeof out[0].what) || (*key && !id_fits(key)))
        return err_set(e, ERR_INPUT, "share: want a name of letters, digits, '.' and '-', have '%.60s'", what);
    const size_t n = secret.n + sizeof h.b;
    hash_of(&h, secret);
    randombytes_buf(raw, sizeof raw);
    randombytes_buf(line, n);
    for (unsigned x = 1; x <= SHARES; x++) {
        struct share *s = &out[x - 1];
        *s = (struct share){.number = x, .n = n};
        snprintf(s->what, sizeof s->what, "%s", what);
        snprintf(s->key, sizeof s->key, "%s", key);
        hex_put(s->set, raw, sizeof raw);
        for (size_t i = 0; i < n; i++)
            s->y[i] = (i < secret.n ? secret.p[i] : h.b[i - secret.n]) ^ gf256_mul(line[i], (uint8_t)x);
    }
    sodium_memzero(line, sizeof line);
    sodium_memzero(&h, sizeof h);
    return 0;
}

int shares_join(struct buf *secret, const struct share *a, const struct share *b, struct err *e)
{
    uint8_t both[SHARE_SECRET + 32];
    struct hash256 want, have;
    if (strcmp(a->set, b->set) != 0 || strcmp(a->what, b->what) != 0 || strcmp(a->key, b->key) != 0 || a->n != b->n || a->n <= sizeof want.b)
        return err_set(e, ERR_INPUT, "shares: want two of one splitting, have %s of set %s and %s of set %s", a->what, a->set, b->what, b->set);
    if (a->number == b->number)
        return err_set(e, ERR_INPUT, "shares: want two different ones, have number %u twice", a->number);
    const uint8_t x1 = (uint8_t)a->number, x2 = (uint8_t)b->number, over = gf256_inv(x1 ^ x2);
    for (size_t i = 0; i < a->n; i++)            /* the line through both points, at 0 */
        both[i] = gf256_mul(gf256_mul(a->y[i], x2) ^ gf256_mul(b->y[i], x1), over);
    const size_t n = a->n - sizeof want.b;
    memcpy(want.b, both + n, sizeof want.b);
    hash_of(&have, (struct bytes){both, n});
    int rc = hash_equal(&want, &have) ? 0 : err_set(e, ERR_CORRUPT, "shares: numbers %u and %u of %s do not give what was shared: one was changed", a->number, b->number, a->what);
    if (rc == 0) {
        buf_put(secret, both, n);
        rc = buf_done(secret, "secret", e);
    }
    sodium_memzero(both, sizeof both);
    sodium_memzero(&want, sizeof want);
    sodium_memzero(&have, sizeof have);
    return rc;
}

int share_write(struct buf *out, const struct share *s, struct err *e)
{
    char hex[2 * sizeof s->y + 1], check[65];
    struct hash256 h;
    size_t start = out->n;
    hex_put(hex, s->y, s->n);
    buf_fmt(out, "hz-share 1\nwhat=%s\nkey=%s\nset=%s\nnumber=%u\nsize=%zu\nshare=%s\n", s->what, s->key, s->set, s->number, s->n, hex);
    sodium_memzero(hex, sizeof hex);
    if (buf_done(out, "share", e) < 0)
        return -1;
    hash_of(&h, (struct bytes){out->p + start, out->n - start});
    hash_hex(check, &h);
    buf_fmt(out, "check=%s\n", check);
    return buf_done(out, "share", e);
}

/* "name=value\n" off the front; the value is borrowed. */
static int take(struct bytes *in, const char *name, struct bytes *value)
{
    size_t k = strlen(name);
    const uint8_t *end = in->n ? memchr(in->p, '\n', in->n) : NULL;
    if (!end || (size_t)(end - in->p) < k || memcmp(in->p, name, k) != 0)
        return -1;
    size_t line = (size_t)(end - in->p);
    *value = (struct bytes){in->p + k, line - k};
    in->p += line + 1;
    in->n -= line + 1;
    return 0;
}

static int take_text(struct bytes *in, const char *name, char *out, size_t cap)
{
    struct bytes v;
    if (take(in, name, &v) < 0 || v.n >= cap || memchr(v.p, 0, v.n))
        return -1;
    memcpy(out, v.p, v.n);
    out[v.n] = 0;
    return 0;
}

static int read_lines(struct share *s, struct bytes in)
{
    char number[4], size[8], check[65], hex[2 * sizeof s->y + 1];
    const struct bytes all = in;
    struct hash256 want, have;
    struct err none = {0};
    uint64_t x = 0, n = 0;
    int rc = take_text(&in, "what=", s->what, sizeof s->what) < 0 || take_text(&in, "key=", s->key, sizeof s->key) < 0 || take_text(&in, "set=", s->set, sizeof s->set) < 0 ||
             take_text(&in, "number=", number, sizeof number) < 0 || take_text(&in, "size=", size, sizeof size) < 0 || take_text(&in, "share=", hex, sizeof hex) < 0 ? -1 : 0;
    const size_t above = all.n - in.n + strlen("hz-share 1\n");
    if (rc == 0)
        rc = take_text(&in, "check=", check, sizeof check) < 0 || in.n || hash_parse(&want, check) < 0 || !name_fits(s->what, sizeof s->what) || (*s->key && !id_fits(s->key)) ||
             !id_fits(s->set) || parse_u64(number, 1, SHARES, &x, "number", &none) < 0 || parse_u64(size, 33, sizeof s->y, &n, "size", &none) < 0 ||
             hex_get(s->y, (size_t)n, hex) < 0 ? -1 : 0;
    sodium_memzero(hex, sizeof hex);
    if (rc < 0)
        return -1;
    s->number = (unsigned)x;
    s->n = (size_t)n;
    hash_of(&have, (struct bytes){all.p - strlen("hz-share 1\n"), above});
    return hash_equal(&want, &have) ? 0 : -1;
}

int share_read(struct share *out, struct bytes text, struct err *e)
{
    struct bytes in = text, version;
    *out = (struct share){.number = 0};
    if (take(&in, "hz-share ", &version) < 0)
        return err_set(e, ERR_CORRUPT, "share: want a file that begins with 'hz-share 1'");
    if (version.n != 1 || version.p[0] != '1')
        return err_set(e, ERR_HELD, "share: version %.*s is not known here", version.n < 8 ? (int)version.n : 8, (const char *)version.p);
    if (read_lines(out, in) == 0)
        return 0;
    share_clear(out);
    return err_set(e, ERR_CORRUPT, "share: a line is missing or its check does not fit: copied wrongly or changed");
}

void share_clear(struct share *s)
{
    sodium_memzero(s, sizeof *s);
}
