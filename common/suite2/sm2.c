/* sm2.c - SM2 of GB/T 32918 (GM/T 0003-2012) over libcrypto's curve arithmetic: signature, public-key encryption, keys. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/suite2/gm.h"

/* Numbers and a point of one call; all of them are cleared with it. */
struct work { BN_CTX *ctx; EC_POINT *p, *q; };

static int work_begin(struct work *w)
{
    *w = (struct work){BN_CTX_new_ex(gm.lib), EC_POINT_new(gm.group), EC_POINT_new(gm.group)};
    if (!w->ctx || !w->p || !w->q)
        return -1;
    BN_CTX_start(w->ctx);
    return 0;
}

static int work_end(struct work *w, int rc)
{
    if (w->ctx && w->p && w->q)
        BN_CTX_end(w->ctx);
    EC_POINT_clear_free(w->p);
    EC_POINT_clear_free(w->q);
    BN_CTX_free(w->ctx);
    return rc;
}

/* NULL once memory is short, then for ever: test the last one. */
static BIGNUM *number(struct work *w)
{
    return BN_CTX_get(w->ctx);
}

static bool within(const BIGNUM *v, const BIGNUM *most)
{
    return !BN_is_zero(v) && BN_cmp(v, most) <= 0;
}

/* x || y of a point that is not infinity. */
static int put_point(uint8_t out[64], const EC_POINT *p, struct work *w)
{
    BIGNUM *x = number(w), *y = number(w);
    return y && EC_POINT_get_affine_coordinates(gm.group, p, x, y, w->ctx) && BN_bn2binpad(x, out, 32) == 32 && BN_bn2binpad(y, out + 32, 32) == 32 ? 0 : -1;
}

/* The curve's order is prime: a point on it is one of the group. Coordinates of p or more are refused, so that a point has one encoding. */
static int take_point(EC_POINT *p, const uint8_t in[64], struct work *w)
{
    uint8_t text[65] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(text + 1, in, 64);
    if (EC_POINT_oct2point(gm.group, p, text, sizeof text, w->ctx))
        return EC_POINT_is_at_infinity(gm.group, p);
    return gm_short() ? -1 : 1;
}

/* --- keys --- */

int sm2_public(uint8_t pk[64], const uint8_t d[32])
{
    struct work w;
    int rc = work_begin(&w);
    BIGNUM *k = rc == 0 ? number(&w) : NULL;
    if (!k || !BN_bin2bn(d, 32, k))
        rc = -1;
    else if (!within(k, gm.n2))
        rc = 1;
    else if (!EC_POINT_mul(gm.group, w.p, k, NULL, NULL, w.ctx) || put_point(pk, w.p, &w) < 0)
        rc = -1;
    return work_end(&w, rc);
}

int sm2_generate(uint8_t d[32], uint8_t pk[64])
{
    struct work w;
    int rc = work_begin(&w);
    BIGNUM *k = rc == 0 ? number(&w) : NULL;
    if (!k || !BN_priv_rand_range_ex(k, gm.n2, 0, w.ctx) || !BN_add_word(k, 1) || BN_bn2binpad(k, d, 32) != 32)      /* 0 … n - 3, and one */
        rc = -1;
    return work_end(&w, rc) < 0 ? -1 : sm2_public(pk, d);
}

int sm2_point(const uint8_t pk[64])
{
    struct work w;
    int rc = work_begin(&w) < 0 ? -1 : take_point(w.p, pk, &w);
    return work_end(&w, rc);
}

/* --- the nonce: RFC 6979, 3.2, for a digest and an order of 256 bits --- */

struct nonce { const char *digest; uint8_t k[32], v[32]; };

static int mac(uint8_t out[32], const char *digest, const uint8_t key[32], struct bytes in)
{
    size_t n = 0;
    return EVP_Q_mac(gm.lib, "HMAC", NULL, digest, NULL, key, 32, in.p, in.n, out, 32, &n) && n == 32 ? 0 : -1;
}

/* K = HMAC(K, V || byte || more), V = HMAC(K, V). */
static int nonce_turn(struct nonce *g, uint8_t byte, struct bytes more)
{
    uint8_t text[32 + 1 + 64];
    memcpy(text, g->v, 32);
    text[32] = byte;
    if (more.n)
        memcpy(text + 33, more.p, more.n);
    int rc = mac(g->k, g->digest, g->k, (struct bytes){text, 33 + more.n}) < 0 || mac(g->v, g->digest, g->k, (struct bytes){g->v, 32}) < 0 ? -1 : 0;
    OPENSSL_cleanse(text, sizeof text);
    return rc;
}

static int nonce_begin(struct nonce *g, const char *digest, const BIGNUM *n, const uint8_t d[32], const uint8_t e[32], struct work *w)
{
    uint8_t seed[64];
    BIGNUM *h = number(w);
    *g = (struct nonce){.digest = digest};
    memset(g->v, 1, sizeof g->v);
    if (!h || !BN_bin2bn(e, 32, h) || !BN_nnmod(h, h, n, w->ctx) || BN_bn2binpad(h, seed + 32, 32) != 32)
        return -1;
    memcpy(seed, d, 32);
    struct bytes all = {seed, sizeof seed};
    int rc = nonce_turn(g, 0, all) < 0 || nonce_turn(g, 1, all) < 0 ? -1 : 0;
    OPENSSL_cleanse(seed, sizeof seed);
    return rc;
}

/* The next candidate within 1 … n - 1. */
static int nonce_next(BIGNUM *k, struct nonce *g, const BIGNUM *n)
{
    for (;;) {
        if (mac(g->v, g->digest, g->k, (struct bytes){g->v, 32}) < 0 || !BN_bin2bn(g->v, 32, k))
            return -1;
        if (!BN_is_zero(k) && BN_cmp(k, n) < 0)
            return 0;
        if (nonce_turn(g, 0, (struct bytes){0}) < 0)
            return -1;
    }
}

/* --- signature, GB/T 32918.2 --- */

int sm2_digest(uint8_t e[32], struct bytes text, const uint8_t pk[64])
{
    uint8_t z[32];
    const struct bytes who[] = {{gm.za, sizeof gm.za}, {pk, 64}}, what[] = {{z, sizeof z}, text};
    return gm_hash(z, who, 2) < 0 || gm_hash(e, what, 2) < 0 ? -1 : 0;
}

/* (1 + d)^-1 modulo n, by Fermat and in time that does not depend on d. */
static int inverse(BIGNUM *out, const BIGNUM *d, struct work *w)
{
    BIGNUM *t = number(w);
    if (!t || !BN_copy(t, d) || !BN_add_word(t, 1))
        return -1;
    BN_set_flags(t, BN_FLG_CONSTTIME);
    return BN_mod_exp_mont_consttime(out, t, gm.n2, gm.n, w->ctx, NULL) ? 0 : -1;
}

/* r = e + x1, s = (1 + d)^-1 (k + r) - r, which is the standard's (1 + d)^-1 (k - r d). 1: another k, please. */
static int sign_with(uint8_t sig[64], const BIGNUM *e, const BIGNUM *d, const BIGNUM *k, struct work *w)
{
    BIGNUM *x = number(w), *r = number(w), *s = number(w), *t = number(w);
    if (!t || !EC_POINT_mul(gm.group, w->p, k, NULL, NULL, w->ctx) || !EC_POINT_get_affine_coordinates(gm.group, w->p, x, NULL, w->ctx) ||
        !BN_mod_add(r, e, x, gm.n, w->ctx) || !BN_mod_add(t, k, r, gm.n, w->ctx))
        return -1;
    if (BN_is_zero(r) || BN_is_zero(t))
        return 1;
    if (inverse(s, d, w) < 0 || !BN_mod_mul(s, s, t, gm.n, w->ctx) || !BN_mod_sub(s, s, r, gm.n, w->ctx))
        return -1;
    if (BN_is_zero(s))
        return 1;
    return BN_bn2binpad(r, sig, 32) == 32 && BN_bn2binpad(s, sig + 32, 32) == 32 ? 0 : -1;
}

int sm2_sign(uint8_t sig[64], const uint8_t e[32], const uint8_t d[32])
{
    struct nonce g;
    struct work w;
    int rc = work_begin(&w);
    BIGNUM *h = rc == 0 ? number(&w) : NULL, *secret = rc == 0 ? number(&w) : NULL, *k = rc == 0 ? number(&w) : NULL;
    if (!k || !BN_bin2bn(e, 32, h) || !BN_bin2bn(d, 32, secret) || nonce_begin(&g, "SM3", gm.n, d, e, &w) < 0)
        rc = -1;
    while (rc == 0) {
        rc = nonce_next(k, &g, gm.n) < 0 ? -1 : sign_with(sig, h, secret, k, &w);
        if (rc <= 0)
            break;
        rc = nonce_turn(&g, 0, (struct bytes){0});
    }
    OPENSSL_cleanse(&g, sizeof g);
    return work_end(&w, rc);
}

/* t = r + s; e + x(s G + t P) = r. */
static int verify_with(const uint8_t sig[64], const uint8_t e[32], const uint8_t pk[64], struct work *w)
{
    BIGNUM *r = number(w), *s = number(w), *t = number(w), *x = number(w), *h = number(w);
    if (!h || !BN_bin2bn(sig, 32, r) || !BN_bin2bn(sig + 32, 32, s) || !BN_bin2bn(e, 32, h))
        return -1;
    if (BN_is_zero(r) || BN_is_zero(s) || BN_cmp(r, gm.n) >= 0 || BN_cmp(s, gm.n) >= 0)
        return 1;
    if (!BN_mod_add(t, r, s, gm.n, w->ctx))
        return -1;
    int rc = BN_is_zero(t) ? 1 : take_point(w->q, pk, w);
    if (rc != 0)
        return rc;
    if (!EC_POINT_mul(gm.group, w->p, s, w->q, t, w->ctx))
        return -1;
    if (EC_POINT_is_at_infinity(gm.group, w->p))
        return 1;
    if (!EC_POINT_get_affine_coordinates(gm.group, w->p, x, NULL, w->ctx) || !BN_mod_add(x, x, h, gm.n, w->ctx))
        return -1;
    return BN_cmp(x, r) != 0;
}

int sm2_verify(const uint8_t sig[64], const uint8_t e[32], const uint8_t pk[64])
{
    struct work w;
    int rc = work_begin(&w) < 0 ? -1 : verify_with(sig, e, pk, &w);
    return work_end(&w, rc);
}

/* --- encryption, GB/T 32918.4 --- */

/* text ^= KDF(x2 || y2). 1: the key stream is all zeroes, which the standard refuses. */
static int mask(uint8_t *text, size_t n, const uint8_t shared[64])
{
    uint8_t *t = malloc(n), any = 0;
    int rc = t ? gm_kdf(t, n, (struct bytes){shared, 64}) : -1;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        any |= t[i];
        text[i] ^= t[i];
    }
    if (t)
        OPENSSL_cleanse(t, n);
    free(t);
    return rc < 0 ? -1 : !any;
}

static int tag_of(uint8_t out[32], struct bytes text, const uint8_t shared[64])
{
    const struct bytes parts[] = {{shared, 32}, text, {shared + 32, 32}};
    return gm_hash(out, parts, 3);
}

/* C1 = k G; (x2, y2) = k P. 1: another k, please. */
static int encrypt_with(uint8_t *out, struct bytes in, const uint8_t pk[64], const BIGNUM *k, struct work *w)
{
    uint8_t shared[64];
    int rc = take_point(w->q, pk, w) != 0 || !EC_POINT_mul(gm.group, w->p, k, NULL, NULL, w->ctx) || put_point(out, w->p, w) < 0 ||
                     !EC_POINT_mul(gm.group, w->p, NULL, w->q, k, w->ctx) || put_point(shared, w->p, w) < 0 || tag_of(out + 64, in, shared) < 0 ? -1 : 0;
    if (rc == 0) {
        memcpy(out + 96, in.p, in.n);
        rc = mask(out + 96, in.n, shared);
    }
    OPENSSL_cleanse(shared, sizeof shared);
    return rc;
}

int sm2_encrypt(uint8_t *out, struct bytes in, const uint8_t pk[64])
{
    struct work w;
    int rc = work_begin(&w) == 0 ? 1 : -1;
    BIGNUM *k = rc == 1 ? number(&w) : NULL;
    while (rc == 1)
        rc = !k || !BN_priv_rand_range_ex(k, gm.n2, 0, w.ctx) || !BN_add_word(k, 1) ? -1 : encrypt_with(out, in, pk, k, &w);
    return work_end(&w, rc);
}

/* (x2, y2) = d C1, which no other key finds. */
static int decrypt_with(uint8_t *out, struct bytes in, const BIGNUM *d, struct work *w)
{
    uint8_t shared[64], tag[32];
    int rc = take_point(w->q, in.p, w);
    if (rc != 0)
        return rc;
    if (!EC_POINT_mul(gm.group, w->p, NULL, w->q, d, w->ctx) || put_point(shared, w->p, w) < 0)
        return -1;
    memcpy(out, in.p + 96, in.n - 96);
    rc = mask(out, in.n - 96, shared);
    if (rc == 0)
        rc = tag_of(tag, (struct bytes){out, in.n - 96}, shared) < 0 ? -1 : CRYPTO_memcmp(tag, in.p + 64, sizeof tag) != 0;
    OPENSSL_cleanse(shared, sizeof shared);
    return rc;
}

int sm2_decrypt(uint8_t *out, struct bytes in, const uint8_t d[32])
{
    struct work w;
    if (in.n <= 96)
        return 1;
    int rc = work_begin(&w);
    BIGNUM *k = rc == 0 ? number(&w) : NULL;
    rc = !k || !BN_bin2bn(d, 32, k) ? -1 : decrypt_with(out, in, k, &w);
    if (rc != 0)
        OPENSSL_cleanse(out, in.n - 96);
    return work_end(&w, rc);
}
