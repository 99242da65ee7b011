/* shares.h - a secret in three pieces of which any two give it back, and one alone says nothing about it (Shamir over GF(256)).
 *
 * What is shared is the secret with its BLAKE2b-256 behind it, byte by byte: s + a·x with a fresh random a for each byte, x = 1, 2, 3. A share
 * file is text: "hz-share 1", then what=, key=, set=, number=, size=, share= (hex) and check=, the BLAKE2b-256 of all lines above, which finds
 * a slip of the pen; a share that was changed on purpose is found when two are joined, by the hash that was shared. Multiplication uses neither
 * tables nor branches, so that caches and time say nothing.
 * Owns:    a struct share holds key material: share_clear wipes it. Threads: no shared state. Source: SEC-05. */
#ifndef COMMON_SHARES_H
#define COMMON_SHARES_H

#include "common/bytes.h"

#define SHARES 3
#define SHARE_SECRET 4096u                       /* most bytes of a secret */

struct share {
    char what[64];                               /* what it is a share of, e.g. the file's name: letters, digits, '.', '-' */
    char key[17];                                /* key id, "" when it is no key pair */
    char set[17];                                /* random: shares of one splitting belong together */
    unsigned number;                             /* 1 to 3 */
    size_t n;
    uint8_t y[SHARE_SECRET + 32];
};

uint8_t gf256_mul(uint8_t a, uint8_t b);         /* modulo x^8 + x^4 + x^3 + x + 1 */
uint8_t gf256_inv(uint8_t a);                    /* 0 for 0 */

/* ERR_INPUT: no bytes, too many, or a name that does not fit. */
int shares_split(struct share out[SHARES], const char *what, const char *key, struct bytes secret, struct err *e);
/* ERR_INPUT: of different splittings, or twice the same. ERR_CORRUPT: one of them was changed. */
int shares_join(struct buf *secret, const struct share *a, const struct share *b, struct err *e);
int share_write(struct buf *out, const struct share *s, struct err *e);
/* ERR_CORRUPT: its check does not fit, or it is no share file. ERR_HELD: another version. */
int share_read(struct share *out, struct bytes text, struct err *e);
void share_clear(struct share *s);

#endif
