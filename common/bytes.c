#include "common/bytes.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_DEFAULT_CAP ((size_t)64 << 20)

struct bytes bytes_of(const char *s)
{
    return s ? (struct bytes){(const uint8_t *)s, strlen(s)} : (struct bytes){0};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_clear(struct buf *b)
{
    free(b->p);
    buf_init(b, b->cap);
}

void buf_wipe(struct buf *b)
{
    if (b->p)
        sodium_memzero(b->p, b->have);
    buf_clear(b);
}

/* Make room for n more bytes and the NUL. Growth copies and wipes nothing: secrets go into buffers reserved whole. */
bool buf_room(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : BUF_DEFAULT_CAP;
    if (b->bad || n > cap || b->n > cap - n) {
        b->bad = true;
        return false;
    }
    if (b->n + n + 1 <= b->have)
        return true;
    size_t want = b->have ? b->have * 2 : 64;
    if (want < b->n + n + 1)
        want = b->n + n + 1;
    uint8_t *p = realloc(b->p, want);
    if (!p) {
        b->bad = true;
        return false;
    }
    b->p = p;
    b->have = want;
    return true;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (!buf_room(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !buf_room(b, (size_t)n)) {
        b->bad = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

static void put_be(struct buf *b, uint64_t v, size_t n)
{
    uint8_t raw[8];
    for (size_t i = 0; i < n; i++)
        raw[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    buf_put(b, raw, n);
}

void buf_u8(struct buf *b, uint8_t v) { put_be(b, v, 1); }
void buf_u16(struct buf *b, uint16_t v) { put_be(b, v, 2); }
void buf_u32(struct buf *b, uint32_t v) { put_be(b, v, 4); }
void buf_u64(struct buf *b, uint64_t v) { put_be(b, v, 8); }

struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->p, b->n};
}

const char *buf_text(const struct buf *b)
{
    return b->p ? (const char *)b->p : "";
}

int buf_done(const struct buf *b, const char *what, struct err *e)
{
    size_t cap = b->cap ? b->cap : BUF_DEFAULT_CAP;
    return b->bad ? err_set(e, ERR_TOO_LARGE, "%s: want at most %zu bytes", what, cap) : 0;
}

struct bytes cur_take(struct cursor *c, size_t n)
{
    if (c->bad || n > c->in.n - c->at) {
        c->bad = true;
        return (struct bytes){0};
    }
    struct bytes out = {c->in.p + c->at, n};
    c->at += n;
    return out;
}

static uint64_t take_be(struct cursor *c, size_t n)
{
    struct bytes b = cur_take(c, n);
    uint64_t v = 0;
    for (size_t i = 0; i < b.n; i++)
        v = v << 8 | b.p[i];
    return v;
}

uint8_t cur_u8(struct cursor *c) { return (uint8_t)take_be(c, 1); }
uint16_t cur_u16(struct cursor *c) { return (uint16_t)take_be(c, 2); }
uint32_t cur_u32(struct cursor *c) { return (uint32_t)take_be(c, 4); }
uint64_t cur_u64(struct cursor *c) { return take_be(c, 8); }

int str_fmt(char *out, size_t cap, struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out, cap, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= cap)
        return err_set(e, ERR_TOO_LARGE, "text of %d bytes: want at most %zu", n, cap - 1);
    return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char *what, struct err *e)
{
    uint64_t v = 0;
    const char *p = s;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            break;
    if (p == s || *p || v < min || v > max)
        return err_set(e, ERR_INPUT, "%s: want a whole number from %llu to %llu, have '%.40s'", what,
                       (unsigned long long)min, (unsigned long long)max, s);
    *out = v;
    return 0;
}

void hex_put(char *out, const uint8_t *p, size_t n)
{
    sodium_bin2hex(out, 2 * n + 1, p, n);
}

int hex_get(uint8_t *out, size_t n, const char *hex)
{
    size_t len = 0;
    if (strlen(hex) != 2 * n || strspn(hex, "0123456789abcdef") != 2 * n)
        return -1;
    return sodium_hex2bin(out, n, hex, 2 * n, NULL, &len, NULL) == 0 && len == n ? 0 : -1;
}

void id_random(struct id128 *out)
{
    uint8_t raw[16];
    randombytes_buf(raw, sizeof raw);
    hex_put(out->s, raw, sizeof raw);
}

bool id_valid(const char *s)
{
    return s && strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

void hash_of(struct hash256 *out, struct bytes in)
{
    crypto_generichash(out->b, sizeof out->b, in.p, in.n, NULL, 0);
}

/* libsodium's state by value, so that its header is not everybody's. */
static crypto_generichash_state *state_of(struct hash_run *r)
{
    _Static_assert(sizeof(crypto_generichash_state) <= sizeof r->state && _Alignof(crypto_generichash_state) <= 64, "the state fits");
    return (crypto_generichash_state *)(void *)r->state;
}

void hash_begin(struct hash_run *r)
{
    crypto_generichash_init(state_of(r), NULL, 0, sizeof(struct hash256));
}

void hash_more(struct hash_run *r, struct bytes in)
{
    crypto_generichash_update(state_of(r), in.p, in.n);
}

void hash_end(struct hash256 *out, struct hash_run *r)
{
    crypto_generichash_final(state_of(r), out->b, sizeof out->b);
}

void hash_hex(char out[65], const struct hash256 *h)
{
    hex_put(out, h->b, sizeof h->b);
}

int hash_parse(struct hash256 *out, const char *hex)
{
    return hex_get(out->b, sizeof out->b, hex);
}

bool hash_equal(const struct hash256 *a, const struct hash256 *b)
{
    return sodium_memcmp(a->b, b->b, sizeof a->b) == 0;
}
