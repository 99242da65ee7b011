/* suite.h - one set of algorithms behind keys, signatures and sealed items. Internal to seal*.c and the suites; everybody else uses seal.h.
 *
 *   suite   signature              content key to recipient     stream                                    hash
 *   1       Ed25519                X25519 sealed box            XChaCha20-Poly1305 secretstream           BLAKE2b-256      suite1.c, libsodium
 *   2       SM2 (deterministic)    SM2 encryption, C1 C3 C2     SM4-CTR, HMAC-SM3 of every chunk          SM3              suite2/, OpenSSL 3
 *
 * A key is of one suite, and the key alone decides: what is signed and hashed is so in the suite of the signer's key, what is encrypted in the suite of
 * the recipient's. The numbers in key file, ring, trailer and sealed item repeat it and must agree; nothing on the way can choose another.
 * Suite 2 is a module that is loaded when its first key is (libexec/suite2.so beside the programs): without it and its libcrypto keys of suite 2 are held
 * (ERR_HELD, in words), suite 1 does not notice. All lengths are fixed: a sealed item, a signature, a key have one encoding.
 * Threads: a suite is constant; everything may be called from any thread, one stream by one at a time.
 * Failures: -1. Where something is judged (verify, unwrap, open_chunk) e is set only when it could not be judged, for want of memory: that is no verdict.
 * sign and hash end the process when memory is short: a wrong one must not exist. */
#ifndef COMMON_SUITE_H
#define COMMON_SUITE_H

#include "common/bytes.h"

#define SUITE_ABI 1u                             /* of struct suite: a module of another build is refused */
#define SUITE_PK 64u                             /* most bytes of a public half */
#define SUITE_SK 64u                             /* of a secret half */
#define SUITE_WRAPPED 128u
#define SUITE_HEAD 24u
#define SUITE_TAG 32u

/* Both pairs, each half at the beginning of its array, zeroes behind it. */
struct suite_keys { uint8_t sign_pk[SUITE_PK], box_pk[SUITE_PK], sign_sk[SUITE_SK], box_sk[SUITE_SK]; };
struct suite_stream;                             /* of one item, in one direction */

struct suite {
    unsigned abi, number;
    const char *words;                           /* for people */
    size_t sign_pk, box_pk, sign_sk, box_sk;     /* bytes of each half */
    size_t wrapped;                              /* of a 32-byte content key for a recipient */
    size_t head, tag;                            /* of a stream: bytes before it, bytes more in each chunk */
    int (*start)(struct err *e);                 /* once, before anything else */

    int (*generate)(struct suite_keys *k, struct err *e);
    /* Public halves from the secret ones. ERR_INPUT: no secret key of this suite. */
    int (*derive)(struct suite_keys *k, struct err *e);
    /* ERR_INPUT: not points that a key can have. */
    int (*check)(const uint8_t *sign_pk, const uint8_t *box_pk, struct err *e);

    void (*hash)(struct hash256 *out, struct bytes in);
    /* The same text under the same key has one signature: a file that is built again has the same bytes. */
    void (*sign)(uint8_t sig[64], struct bytes text, const uint8_t *sign_sk, const uint8_t *sign_pk);
    int (*verify)(const uint8_t sig[64], struct bytes text, const uint8_t *sign_pk, struct err *e);

    int (*wrap)(uint8_t *out, const uint8_t key[32], const uint8_t *box_pk, struct err *e);
    /* -1: not sealed to this key, or changed. */
    int (*unwrap)(uint8_t key[32], const uint8_t *wrapped, const uint8_t *box_pk, const uint8_t *box_sk, struct err *e);

    /* Chunks in their order; every one but the last is of the same length, a multiple of 16. `last` is authenticated with each: cut, exchanged or
     * continued streams do not open. A stream seals or opens, never both; end wipes and frees it and accepts NULL. */
    int (*seal_begin)(struct suite_stream **out, uint8_t *head, const uint8_t key[32], struct err *e);
    int (*seal_chunk)(struct suite_stream *s, uint8_t *out, struct bytes plain, bool last);         /* out: plain.n + tag */
    int (*open_begin)(struct suite_stream **out, const uint8_t *head, const uint8_t key[32], struct err *e);
    int (*open_chunk)(struct suite_stream *s, uint8_t *out, struct bytes sealed, bool last, struct err *e);     /* out: sealed.n - tag; -1: not authentic */
    void (*end)(struct suite_stream *s);
};

extern const struct suite suite1;
/* The one with this number, loaded. NULL with ERR_HELD: not known, or its module cannot be loaded. */
const struct suite *suite_find(unsigned number, struct err *e);

#endif
