/* bytes.h - bytes with their length, growing text with a cap, hex and base64, 128-bit ids.
 * Owns:    struct buf owns its memory until buf_clear; struct bytes borrows.
 * Threads: no shared state. */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct bytes {
    const uint8_t *p;
    size_t n;
};

/* Borrow a C string without its NUL. NULL gives no bytes. */
struct bytes bytes_of(const char *s);
bool bytes_equal(struct bytes a, struct bytes b);

/* Growing bytes; always NUL-terminated behind `n` when p is not NULL, so text can be read as a C string.
 * `bad` is sticky: after a failed allocation or the cap further appends do nothing; test once at the end. */
struct buf {
    uint8_t *p;
    size_t n, have;
    size_t cap;      /* most bytes it may hold; 0 means 64 MiB */
    bool bad;
};

void buf_init(struct buf *b, size_t cap);
void buf_clear(struct buf *b);                    /* frees; the struct can be used again */
void buf_wipe(struct buf *b);                     /* zeroes the memory, then frees */
bool buf_room(struct buf *b, size_t n);           /* n bytes and a NUL more may be written behind b->n; false: past the cap, or no memory */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);          /* big endian, as the two below */
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
struct bytes buf_bytes(const struct buf *b);
const char *buf_text(const struct buf *b);        /* "" when empty, never NULL */
/* 0, or -1 with ERR_TOO_LARGE when anything that was appended did not fit. */
int buf_done(const struct buf *b, const char *what, struct err *e);

/* Reader over bytes: each get fails sticky when too short. */
struct cursor {
    struct bytes in;
    size_t at;
    bool bad;
};
uint8_t cur_u8(struct cursor *c);
uint16_t cur_u16(struct cursor *c);
uint32_t cur_u32(struct cursor *c);
uint64_t cur_u64(struct cursor *c);
struct bytes cur_take(struct cursor *c, size_t n);

/* Print into a fixed array; ERR_TOO_LARGE when it would be cut. */
int str_fmt(char *out, size_t cap, struct err *e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Decimal digits only, no sign or blank. `what` names the field in the message. */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char *what, struct err *e);

void hex_put(char *out, const uint8_t *p, size_t n);          /* 2n characters and a NUL */
int hex_get(uint8_t *out, size_t n, const char *hex);         /* exactly 2n lower-case digits, else -1 */
/* base64.c, by tables: for ciphertext and what is public, never for keys. Standard alphabet, padded, no line breaks. */
void base64_put(struct buf *out, struct bytes in);
/* Strict: padded, no blanks, no spare bits. -1 when malformed. */
int base64_get(struct buf *out, struct bytes in);

struct id128 { char s[33]; };                                 /* 32 lower-case hex digits and a NUL */
struct hash256 { uint8_t b[32]; };                            /* BLAKE2b-256 unless said otherwise */

void id_random(struct id128 *out);                            /* libsodium's generator; sodium_init must have run */
bool id_valid(const char *s);                                 /* 32 lower-case hex digits */
void hash_of(struct hash256 *out, struct bytes in);
/* The same over bytes that come in pieces. A started one may be copied: each copy goes its own way. */
struct hash_run { _Alignas(64) uint8_t state[384]; };
void hash_begin(struct hash_run *r);
void hash_more(struct hash_run *r, struct bytes in);
void hash_end(struct hash256 *out, struct hash_run *r);
void hash_hex(char out[65], const struct hash256 *h);
int hash_parse(struct hash256 *out, const char *hex);
bool hash_equal(const struct hash256 *a, const struct hash256 *b);   /* constant time */

#endif
