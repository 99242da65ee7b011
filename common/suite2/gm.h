/* gm.h - SM2, SM3, SM4 and HMAC-SM3 on OpenSSL 3's libcrypto, as fixed-length bytes. Shared by the files of this module; built into libexec/suite2.so.
 *
 * Numbers are 32 bytes, big endian; a point is x || y (64 bytes, never compressed, never infinity); a signature is r || s; a ciphertext is
 * C1 (a point) || C3 (32) || C2 (as long as the plaintext), the order of GM/T 0003.4-2012. The user id is GM/T 0009's 1234567812345678.
 * Works in a library context of its own: neither openssl.cnf nor other users of libcrypto in the process change what it does.
 * Owns:    what gm_start made, for the life of the process. Keys are the caller's memory; numbers made of them are cleared before they are freed
 *          (not in OpenSSL's secure heap: that is of fixed size, and a full one would fail a signature).
 * Threads: all but gm_start may be called from any thread; contexts live for one call or one stream.
 * Failures: -1; gm_error turns libcrypto's reason into words and empties its queue. What judges says 0 it is, 1 it is not, -1 it could not be found out. */
#ifndef COMMON_SUITE2_GM_H
#define COMMON_SUITE2_GM_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "common/suite.h"

struct gm {
    OSSL_LIB_CTX *lib;
    EVP_MD *sm3;
    EVP_CIPHER *sm4_ctr;
    EVP_MAC *hmac;
    EC_GROUP *group;
    BIGNUM *n, *n2;                              /* the group's order, and two less: the exponent of an inverse */
    uint8_t za[2 + 16 + 4 * 32];                 /* what ZA begins with: length of the id in bits, id, a, b, G */
};
extern struct gm gm;

int gm_start(struct err *e);
/* ERR_FULL when libcrypto says that memory was short, else `code`; not every failed allocation has a reason, so where nothing else can fail that is it, too. -1. */
int gm_error(struct err *e, enum err_code code, const char *what);
bool gm_short(void);                             /* libcrypto's queue says that memory was short; the queue is empty afterwards */

int gm_hash(uint8_t out[32], const struct bytes *parts, size_t n);
/* GM/T 0003.4's KDF: SM3(z || 1) || SM3(z || 2) || … */
int gm_kdf(uint8_t *out, size_t n, struct bytes z);

int sm2_generate(uint8_t d[32], uint8_t pk[64]);
/* The public point of d. 1: d is not within 1 … n - 2. */
int sm2_public(uint8_t pk[64], const uint8_t d[32]);
int sm2_point(const uint8_t pk[64]);             /* coordinates below p, on the curve */
/* SM3(ZA || text): what is signed. */
int sm2_digest(uint8_t e[32], struct bytes text, const uint8_t pk[64]);
/* The nonce is drawn from key and digest (RFC 6979 with HMAC-SM3): no two digests share one, whatever the state of any generator, and a text signed
 * again has the same bytes. */
int sm2_sign(uint8_t sig[64], const uint8_t e[32], const uint8_t d[32]);
int sm2_verify(const uint8_t sig[64], const uint8_t e[32], const uint8_t pk[64]);
/* out: 96 + in.n bytes. in: at least one byte. */
int sm2_encrypt(uint8_t *out, struct bytes in, const uint8_t pk[64]);
/* out: in.n - 96 bytes. 1: changed, or for another key. out is all zeroes unless 0. */
int sm2_decrypt(uint8_t *out, struct bytes in, const uint8_t d[32]);

/* The stream of suite.h: SM4-CTR, each chunk followed by HMAC-SM3("hz-chunk-2" || number u64 || last u8 || length u32 || ciphertext). Both keys are drawn by
 * the KDF from the content key and the stream's head, which is also the first counter block. */
#define GM_HEAD 16u
#define GM_TAG 32u
int gm_seal_begin(struct suite_stream **out, uint8_t *head, const uint8_t key[32], struct err *e);
int gm_seal_chunk(struct suite_stream *s, uint8_t *out, struct bytes plain, bool last);
int gm_open_begin(struct suite_stream **out, const uint8_t *head, const uint8_t key[32], struct err *e);
int gm_open_chunk(struct suite_stream *s, uint8_t *out, struct bytes sealed, bool last, struct err *e);
void gm_end(struct suite_stream *s);

#endif
