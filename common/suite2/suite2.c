/* suite2.c - the module's table, its start with known answers, hash and KDF. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#include "common/suite2/gm.h"

struct gm gm;

int gm_error(struct err *e, enum err_code code, const char *what)
{
    const unsigned long why = ERR_peek_last_error();
    const char *words = why ? ERR_reason_error_string(why) : NULL;
    err_set(e, why && ERR_GET_REASON(why) == ERR_R_MALLOC_FAILURE ? ERR_FULL : code, "%s: libcrypto: %s", what, words ? words : "no reason given");
    ERR_clear_error();
    return -1;
}

bool gm_short(void)
{
    bool is = false;
    for (unsigned long why; (why = ERR_get_error()) != 0;)
        is |= ERR_GET_REASON(why) == ERR_R_MALLOC_FAILURE;
    return is;
}

int gm_hash(uint8_t out[32], const struct bytes *parts, size_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned len = 0;
    bool good = c && EVP_DigestInit_ex2(c, gm.sm3, NULL);
    for (size_t i = 0; good && i < n; i++)
        good = EVP_DigestUpdate(c, parts[i].p, parts[i].n);
    good = good && EVP_DigestFinal_ex(c, out, &len) && len == 32;
    EVP_MD_CTX_free(c);
    return good ? 0 : -1;
}

int gm_kdf(uint8_t *out, size_t n, struct bytes z)
{
    uint8_t block[32], count[4];
    const struct bytes parts[] = {z, {count, sizeof count}};
    int rc = n / sizeof block < UINT32_MAX ? 0 : -1;
    for (size_t at = 0, i = 1; rc == 0 && at < n; at += sizeof block, i++) {
        const size_t part = n - at < sizeof block ? n - at : sizeof block;
        for (int b = 0; b < 4; b++)
            count[b] = (uint8_t)(i >> (24 - 8 * b));
        rc = gm_hash(block, parts, 2);
        if (rc == 0)
            memcpy(out + at, block, part);
    }
    OPENSSL_cleanse(block, sizeof block);
    return rc;
}

/* --- start --- */

/* ENTL || ID || a || b || xG || yG, GB/T 32918.2, 5.5. */
static int fill_za(void)
{
    static const char id[] = "1234567812345678";
    BN_CTX *ctx = BN_CTX_new_ex(gm.lib);
    BIGNUM *v[4] = {BN_new(), BN_new(), BN_new(), BN_new()};
    uint8_t *at = gm.za;
    *at++ = 0;
    *at++ = 8 * (sizeof id - 1);
    memcpy(at, id, sizeof id - 1);
    at += sizeof id - 1;
    bool good = ctx && v[0] && v[1] && v[2] && v[3] && EC_GROUP_get_curve(gm.group, NULL, v[0], v[1], ctx) &&
                EC_POINT_get_affine_coordinates(gm.group, EC_GROUP_get0_generator(gm.group), v[2], v[3], ctx);
    for (int i = 0; i < 4; i++, at += 32) {
        good = good && BN_bn2binpad(v[i], at, 32) == 32;
        BN_free(v[i]);
    }
    BN_CTX_free(ctx);
    return good ? 0 : -1;
}

static int hex(uint8_t *out, size_t n, const char *text)
{
    size_t len = 0;
    return OPENSSL_hexstr2buf_ex(out, n, &len, text, 0) && len == n ? 0 : -1;
}

/* Published answers before the first use: a library that gives others is not used. GB/T 32905 A.1, GB/T 32907 A.1, GB/T 32918.5 A.2. */
static bool known_answers(void)
{
    static const struct bytes abc = {(const uint8_t *)"abc", 3}, message = {(const uint8_t *)"message digest", 14};
    uint8_t want[32], have[32], key[16], block[16], pk[64], sig[64];
    int n = 0;
    if (hex(want, 32, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0") < 0 || gm_hash(have, &abc, 1) < 0 || memcmp(want, have, 32) != 0)
        return false;
    if (hex(key, 16, "0123456789abcdeffedcba9876543210") < 0 || hex(want, 16, "681edf34d206965e86b3e94f536e4246") < 0)
        return false;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    memset(block, 0, sizeof block);                  /* counter mode of zeroes is the cipher of the counter */
    bool good = c && EVP_EncryptInit_ex2(c, gm.sm4_ctr, key, key, NULL) && EVP_EncryptUpdate(c, have, &n, block, 16) && n == 16 && memcmp(want, have, 16) == 0;
    EVP_CIPHER_CTX_free(c);
    return good && hex(pk, 64, "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13") == 0 &&
           hex(sig, 64, "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa") == 0 &&
           sm2_digest(have, message, pk) == 0 && sm2_verify(sig, have, pk) == 0;
}

int gm_start(struct err *e)
{
    gm.lib = OSSL_LIB_CTX_new();
    if (!gm.lib || !OSSL_PROVIDER_load(gm.lib, "default"))
        return gm_error(e, ERR_HELD, "suite 2: the default provider");
    gm.sm3 = EVP_MD_fetch(gm.lib, "SM3", NULL);
    gm.sm4_ctr = EVP_CIPHER_fetch(gm.lib, "SM4-CTR", NULL);
    gm.hmac = EVP_MAC_fetch(gm.lib, "HMAC", NULL);
    gm.group = EC_GROUP_new_by_curve_name_ex(gm.lib, NULL, NID_sm2);
    if (!gm.sm3 || !gm.sm4_ctr || !gm.hmac || !gm.group)
        return gm_error(e, ERR_HELD, "suite 2: SM2, SM3 and SM4");
    gm.n = BN_dup(EC_GROUP_get0_order(gm.group));
    gm.n2 = BN_dup(gm.n);
    if (!gm.n || !gm.n2 || !BN_sub_word(gm.n2, 2) || fill_za() < 0)
        return gm_error(e, ERR_HELD, "suite 2: the curve");
    return known_answers() ? 0 : err_set(e, ERR_HELD, "suite 2: libcrypto gives other answers than the standards");
}

/* --- the table --- */

static int generate(struct suite_keys *k, struct err *e)
{
    return sm2_generate(k->sign_sk, k->sign_pk) != 0 || sm2_generate(k->box_sk, k->box_pk) != 0 ? gm_error(e, ERR_FULL, "SM2 key") : 0;
}

static int derive(struct suite_keys *k, struct err *e)
{
    const int a = sm2_public(k->sign_pk, k->sign_sk), b = sm2_public(k->box_pk, k->box_sk);
    if (a < 0 || b < 0)
        return gm_error(e, ERR_FULL, "SM2 key");
    return a == 0 && b == 0 ? 0 : err_set(e, ERR_INPUT, "SM2 key: want two numbers within 1 and the group's order less 2");
}

static int check(const uint8_t *sign_pk, const uint8_t *box_pk, struct err *e)
{
    const int a = sm2_point(sign_pk), b = sm2_point(box_pk);
    if (a < 0 || b < 0)
        return gm_error(e, ERR_FULL, "SM2 key");
    return a == 0 && b == 0 ? 0 : err_set(e, ERR_INPUT, "SM2 key: want two points of the curve");
}

static void hash(struct hash256 *out, struct bytes in)
{
    if (gm_hash(out->b, &in, 1) < 0)
        abort();                             /* no memory: a wrong hash must not exist */
}

static void sign(uint8_t sig[64], struct bytes text, const uint8_t *sign_sk, const uint8_t *sign_pk)
{
    uint8_t e[32];
    if (sm2_digest(e, text, sign_pk) < 0 || sm2_sign(sig, e, sign_sk) < 0)
        abort();
}

static int verify(const uint8_t sig[64], struct bytes text, const uint8_t *sign_pk, struct err *e)
{
    uint8_t digest[32];
    int rc = sm2_digest(digest, text, sign_pk) < 0 ? -1 : sm2_verify(sig, digest, sign_pk);
    return rc < 0 ? gm_error(e, ERR_FULL, "SM2 signature") : -rc;
}

static int wrap(uint8_t *out, const uint8_t key[32], const uint8_t *box_pk, struct err *e)
{
    if (sm2_encrypt(out, (struct bytes){key, 32}, box_pk) == 0)
        return 0;
    return sm2_point(box_pk) == 1 ? err_set(e, ERR_INTERNAL, "seal: recipient's key is not usable") : gm_error(e, ERR_FULL, "SM2 encryption");
}

static int unwrap(uint8_t key[32], const uint8_t *wrapped, const uint8_t *box_pk, const uint8_t *box_sk, struct err *e)
{
    (void)box_pk;
    int rc = sm2_decrypt(key, (struct bytes){wrapped, 96 + 32}, box_sk);
    return rc < 0 ? gm_error(e, ERR_FULL, "SM2 decryption") : -rc;
}

__attribute__((visibility("default"))) extern const struct suite hz_suite2;
const struct suite hz_suite2 = {
    .abi = SUITE_ABI, .number = 2, .words = "suite 2 (SM2, SM3, SM4)", .sign_pk = 64, .box_pk = 64, .sign_sk = 32, .box_sk = 32, .wrapped = 96 + 32,
    .head = GM_HEAD, .tag = GM_TAG, .start = gm_start, .generate = generate, .derive = derive, .check = check, .hash = hash, .sign = sign, .verify = verify,
    .wrap = wrap, .unwrap = unwrap, .seal_begin = gm_seal_begin, .seal_chunk = gm_seal_chunk, .open_begin = gm_open_begin, .open_chunk = gm_open_chunk, .end = gm_end,
};
