/* SEC-03: the algorithms of suite 2 against published answers, against OpenSSL's own high-level calls, and against what must be refused.
 * The module's files are included, so that the standards' fixed nonces can be given to it. */
#include "common/suite2/sm2.c"
#include "common/suite2/sm4.c"
#include "common/suite2/suite2.c"

#include <pthread.h>
#include <stdio.h>

#include "tests/unit/scratch.h"

static void from_hex(uint8_t *out, size_t n, const char *text)
{
    if (hex_get(out, n, text) < 0)
        fail_msg("not %zu bytes in hex: %s", n, text);
}

static void assert_hex(const uint8_t *have, size_t n, const char *want)
{
    char text[1025];
    assert_true(n <= 512);
    hex_put(text, have, n);
    assert_string_equal(text, want);
}

static bool good(const uint8_t sig[64], const uint8_t e[32], const uint8_t pk[64])
{
    return sm2_verify(sig, e, pk) == 0;
}

static bool on_curve(const uint8_t pk[64])
{
    return sm2_point(pk) == 0;
}

static bool checks(const uint8_t sig[64], struct bytes text, const uint8_t *pk)
{
    struct err e = {0};
    int rc = verify(sig, text, pk, &e);
    assert_int_equal(e.code, ERR_NONE);
    return rc == 0;
}

/* The key pair of GB/T 32918.5, annex A. */
#define D "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
#define P "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
#define K "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21"
#define SIG "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
#define N "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123"
#define CURVE_P "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff"

static struct pair { uint8_t d[32], pk[64]; } standard, other;

/* --- published answers --- */

/* GB/T 32905-2016, A.1 and A.2. */
static void test_sm3(void **state)
{
    struct hash256 h;
    (void)state;
    hash(&h, bytes_of("abc"));
    assert_hex(h.b, 32, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    hash(&h, bytes_of("abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"));
    assert_hex(h.b, 32, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
    const struct bytes parts[] = {bytes_of("a"), {NULL, 0}, bytes_of("bc")};
    uint8_t out[32];
    assert_int_equal(gm_hash(out, parts, 3), 0);
    assert_hex(out, 32, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

/* GM/T 0042-2015, annex D.3. */
static void test_hmac_sm3(void **state)
{
    static const struct { const char *key; size_t key_n; const char *text, *want; } rows[] = {
        {"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", 32,
         "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopqabcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", 32, "Hi There", "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e"},
        {"4a656665", 4, "what do ya want for nothing?", "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t key[32], out[32];
        size_t n = 0;
        from_hex(key, rows[i].key_n, rows[i].key);
        assert_non_null(EVP_Q_mac(gm.lib, "HMAC", NULL, "SM3", NULL, key, rows[i].key_n, (const uint8_t *)rows[i].text, strlen(rows[i].text), out, 32, &n));
        assert_hex(out, 32, rows[i].want);
        if (rows[i].key_n == 32) {               /* the way the nonce takes it */
            assert_int_equal(mac(out, "SM3", key, bytes_of(rows[i].text)), 0);
            assert_hex(out, 32, rows[i].want);
        }
    }
}

/* GB/T 32907-2016, A.1 and A.2 (a million times); draft-ribose-cfrg-sm4, A.2.5 (counter mode). */
static void test_sm4(void **state)
{
    uint8_t key[16], block[16], iv[16], text[64], out[64];
    int n = 0;
    (void)state;
    from_hex(key, 16, "0123456789abcdeffedcba9876543210");
    memcpy(block, key, 16);
    EVP_CIPHER *ecb = EVP_CIPHER_fetch(gm.lib, "SM4-ECB", NULL);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_true(EVP_EncryptInit_ex2(c, ecb, key, NULL, NULL) == 1);
    for (int i = 0; i < 1000000; i++) {
        EVP_EncryptUpdate(c, block, &n, block, 16);
        if (i == 0)
            assert_hex(block, 16, "681edf34d206965e86b3e94f536e4246");
    }
    assert_hex(block, 16, "595298c7c6fd271f0402f804c33d3f66");
    from_hex(iv, 16, "000102030405060708090a0b0c0d0e0f");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (const uint8_t[]){0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xaa, 0xbb}[i / 8];
    assert_true(EVP_EncryptInit_ex2(c, gm.sm4_ctr, key, iv, NULL) == 1 && EVP_EncryptUpdate(c, out, &n, text, sizeof text) == 1);
    assert_hex(out, 64, "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514");
    EVP_CIPHER_CTX_free(c);
    EVP_CIPHER_free(ecb);
}

/* GB/T 32918.5-2017, A.2: digest and signature of the standard, with the standard's nonce. */
static void test_signature_of_the_standard(void **state)
{
    uint8_t z[32], e[32], k[32], sig[64];
    struct work w;
    (void)state;
    const struct bytes who[] = {{gm.za, sizeof gm.za}, {standard.pk, 64}};
    assert_int_equal(gm_hash(z, who, 2), 0);
    assert_hex(z, 32, "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3");
    assert_int_equal(sm2_digest(e, bytes_of("message digest"), standard.pk), 0);
    assert_hex(e, 32, "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
    from_hex(k, 32, K);
    assert_int_equal(work_begin(&w), 0);
    BIGNUM *h = number(&w), *d = number(&w), *nonce = number(&w);
    assert_int_equal(sign_with(sig, BN_bin2bn(e, 32, h), BN_bin2bn(standard.d, 32, d), BN_bin2bn(k, 32, nonce), &w), 0);
    work_end(&w, 0);
    assert_hex(sig, 64, SIG);
    assert_true(good(sig, e, standard.pk));
    assert_false(good(sig, e, other.pk));
    uint8_t pk[64];
    assert_int_equal(sm2_public(pk, standard.d), 0);
    assert_hex(pk, 64, P);
}

/* GB/T 32918.5-2017, A.3: encryption of the standard, with the standard's nonce. */
static void test_encryption_of_the_standard(void **state)
{
    uint8_t k[32], out[96 + 19], back[19];
    struct work w;
    (void)state;
    from_hex(k, 32, K);
    assert_int_equal(work_begin(&w), 0);
    assert_int_equal(encrypt_with(out, bytes_of("encryption standard"), standard.pk, BN_bin2bn(k, 32, number(&w)), &w), 0);
    work_end(&w, 0);
    assert_hex(out, sizeof out,
               "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
               "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
               "21886ca989ca9c7d58087307ca93092d651efa");
    assert_int_equal(sm2_decrypt(back, (struct bytes){out, sizeof out}, standard.d), 0);
    assert_memory_equal(back, "encryption standard", 19);
}

/* RFC 6979, A.2.5: the nonces of P-256 with SHA-256, since nobody published any for SM3. */
static void test_nonces_of_rfc_6979(void **state)
{
    static const struct { const char *text, *want; } rows[] = {
        {"sample", "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60"}, {"test", "d16b6ae827f17175e040871a1c7ec3500192c4c92677336ec2537acaee0008e0"},
    };
    uint8_t d[32], e[32], out[32];
    (void)state;
    from_hex(d, 32, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    for (size_t i = 0; i < 2; i++) {
        struct nonce g;
        struct work w;
        BIGNUM *n = NULL;
        assert_true(BN_hex2bn(&n, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));
        assert_true(EVP_Q_digest(gm.lib, "SHA256", NULL, rows[i].text, strlen(rows[i].text), e, NULL));
        assert_int_equal(work_begin(&w), 0);
        BIGNUM *k = number(&w);
        assert_int_equal(nonce_begin(&g, "SHA256", n, d, e, &w), 0);
        assert_int_equal(nonce_next(k, &g, n), 0);
        assert_int_equal(BN_bn2binpad(k, out, 32), 32);
        assert_hex(out, 32, rows[i].want);
        work_end(&w, 0);
        BN_free(n);
    }
}

/* --- against OpenSSL's own calls --- */

static EVP_PKEY *pkey_of(const struct pair *k)
{
    uint8_t point[65] = {4}, d[32];
    EVP_PKEY *out = NULL;
    memcpy(point + 1, k->pk, 64);
    for (size_t i = 0; i < 32; i++)
        d[i] = k->d[31 - i];                     /* this parameter is in the machine's order */
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", (char *)"SM2", 0), OSSL_PARAM_construct_octet_string("pub", point, sizeof point),
                           OSSL_PARAM_construct_BN("priv", d, sizeof d), OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    assert_true(c && EVP_PKEY_fromdata_init(c) == 1 && EVP_PKEY_fromdata(c, &out, EVP_PKEY_KEYPAIR, params) == 1);
    EVP_PKEY_CTX_free(c);
    return out;
}

static EVP_MD_CTX *digest_sign(EVP_PKEY *key, bool verify_it)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    assert_true(EVP_PKEY_CTX_set1_id(p, "1234567812345678", 16) == 1);
    EVP_MD_CTX_set_pkey_ctx(c, p);
    assert_int_equal((verify_it ? EVP_DigestVerifyInit : EVP_DigestSignInit)(c, NULL, EVP_sm3(), NULL, key), 1);
    return c;
}

static void end_digest(EVP_MD_CTX *c)
{
    EVP_PKEY_CTX *p = EVP_MD_CTX_get_pkey_ctx(c);
    EVP_MD_CTX_free(c);
    EVP_PKEY_CTX_free(p);
}

/* What we sign OpenSSL verifies, and the other way round; the DER of the one is the r and s of the other. */
static void test_signatures_with_openssl(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct pair k;
        uint8_t text[50], sig[64], der[80], *at = der;
        size_t n = sizeof der;
        assert_int_equal(sm2_generate(k.d, k.pk), 0);
        memset(text, i, sizeof text);
        EVP_PKEY *key = pkey_of(&k);
        sign(sig, (struct bytes){text, sizeof text}, k.d, k.pk);
        ECDSA_SIG *s = ECDSA_SIG_new();
        assert_true(ECDSA_SIG_set0(s, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL)));
        int len = i2d_ECDSA_SIG(s, &at);
        EVP_MD_CTX *c = digest_sign(key, true);
        assert_int_equal(EVP_DigestVerify(c, der, (size_t)len, text, sizeof text), 1);
        end_digest(c);
        ECDSA_SIG_free(s);
        c = digest_sign(key, false);
        assert_int_equal(EVP_DigestSign(c, der, &n, text, sizeof text), 1);
        end_digest(c);
        const uint8_t *in = der;
        s = d2i_ECDSA_SIG(NULL, &in, (long)n);
        assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32);
        assert_true(checks(sig, (struct bytes){text, sizeof text}, k.pk));
        text[0] ^= 1;
        assert_false(checks(sig, (struct bytes){text, sizeof text}, k.pk));
        ECDSA_SIG_free(s);
        EVP_PKEY_free(key);
    }
}

/* OpenSSL's SEQUENCE { x, y, C3, C2 } for our fixed bytes, short lengths only. */
static size_t der_of(uint8_t *out, const uint8_t *in, size_t n)
{
    uint8_t body[300];
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        const uint8_t *p = in + (ptrdiff_t)i * 32;
        size_t len = 32;
        while (len > 1 && !*p)
            p++, len--;
        body[at++] = 2;
        body[at++] = (uint8_t)(len + (*p >> 7));
        if (*p >> 7)
            body[at++] = 0;
        memcpy(body + at, p, len);
        at += len;
    }
    body[at++] = 4;
    body[at++] = 32;
    memcpy(body + at, in + 64, 32);
    at += 32;
    body[at++] = 4;
    body[at++] = (uint8_t)(n - 96);
    memcpy(body + at, in + 96, n - 96);
    at += n - 96;
    *out++ = 0x30;
    if (at > 127)
        *out++ = 0x81;
    *out++ = (uint8_t)at;
    memcpy(out, body, at);
    return at + (at > 127 ? 3 : 2);
}

/* What we encrypt OpenSSL opens; what it encrypts is ours to open. */
static void test_encryption_with_openssl(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct pair k;
        uint8_t text[32], out[128], der[300], back[64];
        size_t n = sizeof back, len = sizeof der;
        assert_int_equal(sm2_generate(k.d, k.pk), 0);
        memset(text, i, sizeof text);
        EVP_PKEY *key = pkey_of(&k);
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        assert_int_equal(sm2_encrypt(out, (struct bytes){text, sizeof text}, k.pk), 0);
        assert_true(EVP_PKEY_decrypt_init(c) == 1 && EVP_PKEY_decrypt(c, back, &n, der, der_of(der, out, sizeof out)) == 1);
        assert_int_equal(n, sizeof text);
        assert_memory_equal(back, text, sizeof text);
        assert_true(EVP_PKEY_encrypt_init(c) == 1 && EVP_PKEY_encrypt(c, der, &len, text, sizeof text) == 1);
        memset(out, 0, sizeof out);              /* 30 len 02 xlen x 02 ylen y 04 32 C3 04 32 C2 */
        const uint8_t *p = der + (der[1] == 0x81 ? 3 : 2);
        for (int j = 0; j < 2; j++, p += 2 + p[1]) {
            const size_t have = p[1];
            if (have > 32)
                memcpy(out + (ptrdiff_t)j * 32, p + 2 + (have - 32), 32);
            else
                memcpy(out + (ptrdiff_t)j * 32 + (32 - have), p + 2, have);
        }
        memcpy(out + 64, p + 2, 32);
        memcpy(out + 96, p + 36, 32);
        assert_int_equal(sm2_decrypt(back, (struct bytes){out, sizeof out}, k.d), 0);
        assert_memory_equal(back, text, sizeof text);
        EVP_PKEY_CTX_free(c);
        EVP_PKEY_free(key);
    }
}

/* --- what must be refused --- */

/* Public points: on the curve, below p, not infinity. */
static void test_points_that_are_none(void **state)
{
    uint8_t pk[64], y[32];
    (void)state;
    assert_true(on_curve(standard.pk));
    for (size_t i = 0; i < 512; i++) {
        memcpy(pk, standard.pk, 64);
        pk[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(on_curve(pk));
    }
    memset(pk, 0, sizeof pk);
    assert_false(on_curve(pk));
    memset(pk, 0xff, sizeof pk);
    assert_false(on_curve(pk));
    /* y and p - y are both of the curve; p + y would be the same point written differently. */
    BIGNUM *p = NULL, *v = BN_bin2bn(standard.pk + 32, 32, NULL);
    BN_hex2bn(&p, CURVE_P);
    assert_true(BN_sub(v, p, v) && BN_bn2binpad(v, y, 32) == 32);
    memcpy(pk, standard.pk, 32);
    memcpy(pk + 32, y, 32);
    assert_true(on_curve(pk));
    from_hex(pk, 32, CURVE_P);                   /* x = p is x = 0 */
    assert_false(on_curve(pk));
    BN_free(p);
    BN_free(v);
    struct err e = {0};
    assert_error(check(standard.pk, pk, &e), &e, ERR_INPUT, "two points of the curve");
    assert_error(check(pk, standard.pk, &e), &e, ERR_INPUT, "two points of the curve");
}

/* Secret numbers: 1 to n - 2. With n - 1 a signature would divide by zero. */
static void test_numbers_that_are_no_keys(void **state)
{
    static const char zeroes[] = "0000000000000000000000000000000000000000000000000000000000000000", one[] = "0000000000000000000000000000000000000000000000000000000000000001";
    static const struct { const char *d; int want; } rows[] = {
        {zeroes, -1}, {one, 0}, {"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121", 0}, {"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122", -1},
        {N, -1}, {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct suite_keys k = {{0}, {0}, {0}, {0}};
        struct err e = {0};
        uint8_t sig[64];
        from_hex(k.sign_sk, 32, rows[i].d);
        memcpy(k.box_sk, standard.d, 32);
        if (rows[i].want < 0) {
            assert_error(derive(&k, &e), &e, ERR_INPUT, "less 2");
            continue;
        }
        assert_int_equal(derive(&k, &e), 0);
        assert_true(on_curve(k.sign_pk));
        sign(sig, bytes_of("x"), k.sign_sk, k.sign_pk);
        assert_true(checks(sig, bytes_of("x"), k.sign_pk));
    }
}

/* Not a bit of a signature or of what was signed may differ. */
static void test_signatures_that_are_none(void **state)
{
    uint8_t sig[64], e[32], bad[64];
    (void)state;
    from_hex(sig, 64, SIG);
    assert_int_equal(sm2_digest(e, bytes_of("message digest"), standard.pk), 0);
    assert_true(good(sig, e, standard.pk));
    for (size_t i = 0; i < 512; i++) {
        memcpy(bad, sig, 64);
        bad[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(good(bad, e, standard.pk));
    }
    for (size_t i = 0; i < 256; i++) {
        e[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(good(sig, e, standard.pk));
        e[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

/* The digest for which r and s fulfil the equation of the standard's key: anybody can compute that, and nobody its text. */
static void fit_digest(uint8_t e[32], const BIGNUM *r, const BIGNUM *s)
{
    struct work w;
    assert_int_equal(work_begin(&w), 0);
    BIGNUM *t = number(&w), *x = number(&w);
    assert_int_equal(take_point(w.q, standard.pk, &w), 0);
    assert_true(BN_mod_add(t, r, s, gm.n, w.ctx) && EC_POINT_mul(gm.group, w.p, s, w.q, t, w.ctx) && EC_POINT_get_affine_coordinates(gm.group, w.p, x, NULL, w.ctx));
    assert_true(BN_mod_sub(x, r, x, gm.n, w.ctx) && BN_bn2binpad(x, e, 32) == 32);
    work_end(&w, 0);
}

/* A signature has one encoding: r and s within 1 … n - 1 and their sum not n, though the equation holds for others, too. */
static void test_signatures_out_of_range(void **state)
{
    static const struct { const char *r, *s; int add_n; bool good; } rows[] = {
        {"123456789abcdef", "5", 0, true}, {"123456789abcdef", "5", 1, false}, {"7", "123456789abcdef", 0, true}, {"7", "123456789abcdef", 2, false},
        {"123456789abcdef", "0", 0, false}, {"0", "5", 0, false}, {"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d5411e", "5", 0, false},
        {"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d5411d", "5", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        BIGNUM *r = NULL, *s = NULL;
        uint8_t e[32], sig[64];
        assert_true(BN_hex2bn(&r, rows[i].r) && BN_hex2bn(&s, rows[i].s));
        fit_digest(e, r, s);
        assert_true((rows[i].add_n != 1 || BN_add(s, s, gm.n)) && (rows[i].add_n != 2 || BN_add(r, r, gm.n)));
        assert_true(BN_bn2binpad(r, sig, 32) == 32 && BN_bn2binpad(s, sig + 32, 32) == 32);
        assert_int_equal(good(sig, e, standard.pk), rows[i].good);
        BN_free(r);
        BN_free(s);
    }
}

/* x of k G, which everybody can compute from a signature: r - e. Two of one key that are alike give the key away. */
static void nonce_point(uint8_t out[32], const uint8_t sig[64], const uint8_t e[32])
{
    struct work w;
    assert_int_equal(work_begin(&w), 0);
    BIGNUM *r = number(&w), *h = number(&w);
    assert_true(BN_bin2bn(sig, 32, r) && BN_bin2bn(e, 32, h) && BN_mod_sub(r, r, h, gm.n, w.ctx) && BN_bn2binpad(r, out, 32) == 32);
    work_end(&w, 0);
}

/* FRY-14: the same text gives the same signature; other texts and other keys have other nonces. */
static void test_signing_is_deterministic(void **state)
{
    static uint8_t x[200][32];
    uint8_t sig[64], again[64], e[32];
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        const struct pair *k = i % 2 ? &standard : &other;
        memset(e, 0, sizeof e);
        e[31] = (uint8_t)(i / 2);                    /* digests of two keys that are alike, and neighbours */
        assert_int_equal(sm2_sign(sig, e, k->d), 0);
        assert_int_equal(sm2_sign(again, e, k->d), 0);
        assert_memory_equal(sig, again, 64);
        nonce_point(x[i], sig, e);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(x[i], x[j], 32);
    }
}

/* Every flipped bit, every cut and another key: the content key does not open, and nothing of it is left behind. */
static void test_ciphertexts_that_are_none(void **state)
{
    static const uint8_t zeroes[32];
    uint8_t out[128], key[32] = {1, 2, 3}, back[32];
    struct err e = {0};
    (void)state;
    assert_int_equal(wrap(out, key, standard.pk, &e), 0);
    assert_int_equal(unwrap(back, out, standard.pk, standard.d, &e), 0);
    assert_memory_equal(back, key, 32);
    for (size_t i = 0; i < 1024; i++) {
        out[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(unwrap(back, out, standard.pk, standard.d, &e), -1);
        assert_memory_equal(back, zeroes, 32);
        out[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(unwrap(back, out, other.pk, other.d, &e), -1);
    for (size_t n = 0; n <= 96; n++)
        assert_int_equal(sm2_decrypt(back, (struct bytes){out, n}, standard.d), 1);
    uint8_t again[128];
    assert_int_equal(wrap(again, key, standard.pk, &e), 0);
    assert_memory_not_equal(again, out, 32);
}

/* --- the stream --- */

struct streamed { uint8_t key[32], head[16], out[3][64 + 32]; };

static void stream3(struct streamed *s)
{
    struct suite_stream *st;
    struct err e = {0};
    uint8_t text[64];
    for (size_t i = 0; i < 32; i++)
        s->key[i] = (uint8_t)i;
    assert_int_equal(gm_seal_begin(&st, s->head, s->key, &e), 0);
    for (uint8_t i = 0; i < 3; i++) {
        memset(text, 'a' + i, sizeof text);
        assert_int_equal(gm_seal_chunk(st, s->out[i], (struct bytes){text, sizeof text}, i == 2), 0);
    }
    assert_int_equal(gm_seal_chunk(st, s->out[0], (struct bytes){text, 0}, true), -1);      /* nothing comes behind the last */
    gm_end(st);
}

/* Opens chunks in this order, the last of them as the last. How many opened? */
static int opened(const struct streamed *s, const uint8_t *head, const uint8_t *key, const int *order, int n, bool finish)
{
    struct suite_stream *st;
    struct err e = {0};
    uint8_t text[64];
    int good = 0;
    assert_int_equal(gm_open_begin(&st, head, key, &e), 0);
    for (int i = 0; i < n && gm_open_chunk(st, text, (struct bytes){s->out[order[i]], 96}, finish && i == n - 1, &e) == 0; i++, good++) {
        assert_int_equal(text[0], 'a' + order[i]);
        assert_int_equal(text[63], 'a' + order[i]);
    }
    gm_end(st);
    return good;
}

/* IMP-04: chunks open in their order only, the last as the last only, under their head and key only; any changed bit is found. */
static void test_stream_has_one_order_and_one_end(void **state)
{
    struct streamed s;
    uint8_t head[16], key[32], text[64];
    (void)state;
    stream3(&s);
    memcpy(head, s.head, 16);
    memcpy(key, s.key, 32);
    assert_int_equal(opened(&s, head, key, (int[]){0, 1, 2}, 3, true), 3);
    assert_int_equal(opened(&s, head, key, (int[]){0, 1, 2}, 3, false), 2);      /* the end was signed as one */
    assert_int_equal(opened(&s, head, key, (int[]){0, 1}, 2, true), 1);          /* cut */
    assert_int_equal(opened(&s, head, key, (int[]){0, 2}, 2, true), 1);          /* one left out */
    assert_int_equal(opened(&s, head, key, (int[]){1, 0, 2}, 3, true), 0);
    assert_int_equal(opened(&s, head, key, (int[]){0, 0, 2}, 3, true), 1);
    assert_int_equal(opened(&s, head, key, (int[]){0, 1, 2, 2}, 4, true), 2);
    head[3] ^= 1;
    assert_int_equal(opened(&s, head, key, (int[]){0}, 1, false), 0);
    head[3] ^= 1;
    key[31] ^= 1;
    assert_int_equal(opened(&s, head, key, (int[]){0}, 1, false), 0);
    key[31] ^= 1;
    for (size_t i = 0; i < sizeof s.out[0] * 8; i++) {
        s.out[0][i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(opened(&s, head, key, (int[]){0}, 1, false), 0);
        s.out[0][i / 8] ^= (uint8_t)(1u << i % 8);
    }
    struct suite_stream *st;
    struct err e = {0};
    assert_int_equal(gm_open_begin(&st, head, key, &e), 0);
    for (size_t n = 0; n < 96; n++)
        assert_int_equal(gm_open_chunk(st, text, (struct bytes){s.out[0], n}, false, &e), -1);
    assert_int_equal(gm_open_chunk(st, text, (struct bytes){s.out[0], 96}, false, &e), 0);
    gm_end(st);
    gm_end(NULL);
}

/* The stream's bytes from its own description: KDF, SM4-CTR and HMAC-SM3 called one by one. */
static void test_stream_is_what_its_header_says(void **state)
{
    struct streamed s;
    uint8_t z[32 + 11 + 16], keys[48], text[64], tag[32], made[23 + 64] = "hz-chunk-2";
    size_t len = 0;
    int n = 0;
    (void)state;
    stream3(&s);
    memcpy(z, s.key, 32);
    memcpy(z + 32, "hz-stream-2", 11);
    memcpy(z + 43, s.head, 16);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t block[sizeof z + 4] = {0}, h[32];
        memcpy(block, z, sizeof z);
        block[sizeof block - 1] = (uint8_t)(i + 1);
        assert_true(EVP_Q_digest(NULL, "SM3", NULL, block, sizeof block, h, NULL));
        memcpy(keys + (ptrdiff_t)i * 32, h, i ? 16 : 32);
    }
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(c, EVP_sm4_ctr(), NULL, keys, s.head), 1);
    for (uint8_t i = 0; i < 3; i++) {
        memset(text, 'a' + i, sizeof text);
        EVP_EncryptUpdate(c, made + 23, &n, text, sizeof text);
        assert_memory_equal(made + 23, s.out[i], 64);
        made[17] = i;
        made[18] = i == 2;
        made[22] = 64;
        assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SM3", NULL, keys + 16, 32, made, sizeof made, tag, 32, &len));
        assert_memory_equal(tag, s.out[i] + 64, 32);
    }
    EVP_CIPHER_CTX_free(c);
}

/* --- threads --- */

static void *work_alone(void *arg)
{
    size_t *bad = arg;
    for (int i = 0; i < 20; i++) {
        struct streamed s;
        uint8_t sig[64], out[128], back[32], key[32] = {7};
        struct suite_stream *st = NULL;
        struct err e = {0};
        sign(sig, bytes_of("thread"), standard.d, standard.pk);
        *bad += !checks(sig, bytes_of("thread"), standard.pk) || wrap(out, key, other.pk, &e) < 0 || unwrap(back, out, other.pk, other.d, &e) < 0 || memcmp(key, back, 32) != 0;
        *bad += gm_seal_begin(&st, s.head, key, &e) < 0 || gm_seal_chunk(st, s.out[0], (struct bytes){key, 32}, true) < 0;
        gm_end(st);
    }
    return NULL;
}

/* Many threads with the same keys do not disturb each other. */
static void test_threads_share_the_suite(void **state)
{
    pthread_t t[8];
    size_t bad[8] = {0};
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work_alone, &bad[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(bad[i], 0);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* libcrypto's reason becomes our sentence, and its queue is empty afterwards. */
static void test_reasons_are_told(void **state)
{
    uint8_t none[64] = {0}, key[32] = {1}, out[128];
    struct err e = {0};
    (void)state;
    assert_error(wrap(out, key, none, &e), &e, ERR_INTERNAL, "seal: recipient's key is not usable");
    assert_int_equal(ERR_peek_error(), 0);
    assert_null(EVP_CIPHER_fetch(gm.lib, "SM4-NONE", NULL));
    assert_error(gm_error(&e, ERR_HELD, "a cipher"), &e, ERR_HELD, "a cipher: libcrypto: unsupported");
    assert_error(gm_error(&e, ERR_HELD, "a cipher"), &e, ERR_HELD, "a cipher: libcrypto: no reason given");
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(unwrap(key, out, none, none, &e), -1);
    assert_int_equal(ERR_peek_error(), 0);
    assert_false(checks(out, bytes_of("x"), none));
    assert_int_equal(ERR_peek_error(), 0);
    from_hex(out, 64, SIG);
    assert_false(checks(out, bytes_of("x"), none));
    assert_int_equal(ERR_peek_error(), 0);
}

/* --- memory that is short --- */

static _Thread_local long allocations_left = -1;     /* -1: no limit */

static bool allowed(void)
{
    if (allocations_left == 0)
        return false;
    allocations_left -= allocations_left > 0;
    return true;
}

static void *limited_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return allowed() ? malloc(n) : NULL;
}

static void *limited_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return n == 0 || allowed() ? realloc(p, n) : NULL;
}

static void limited_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

struct sweep { uint8_t sig[64], wrapped[128], sealed[96], head[16], key[32]; bool bad; };

static int sweep_verify(struct sweep *s, struct err *e)
{
    return verify(s->sig, bytes_of(s->bad ? "no text" : "text"), standard.pk, e);
}

static int sweep_unwrap(struct sweep *s, struct err *e)
{
    uint8_t back[32];
    s->wrapped[70] ^= s->bad;
    int rc = unwrap(back, s->wrapped, standard.pk, standard.d, e);
    s->wrapped[70] ^= s->bad;
    return rc;
}

static int sweep_open(struct sweep *s, struct err *e)
{
    struct suite_stream *st = NULL;
    uint8_t text[64];
    s->sealed[0] ^= s->bad;
    int rc = gm_open_begin(&st, s->head, s->key, e) < 0 ? -1 : gm_open_chunk(st, text, (struct bytes){s->sealed, sizeof s->sealed}, true, e);
    s->sealed[0] ^= s->bad;
    gm_end(st);
    return rc;
}

static int sweep_check(struct sweep *s, struct err *e)
{
    uint8_t pk[64];
    memcpy(pk, standard.pk, 64);
    pk[0] ^= s->bad;
    return check(pk, standard.pk, e);
}

static int sweep_derive(struct sweep *s, struct err *e)
{
    struct suite_keys k = {{0}, {0}, {0}, {0}};
    memcpy(k.sign_sk, standard.d, 32);
    memcpy(k.box_sk, standard.d, s->bad ? 0 : 32);
    return derive(&k, e);
}

static int sweep_wrap(struct sweep *s, struct err *e)
{
    uint8_t out[128], back[32];
    if (s->bad)
        return -1;
    int rc = wrap(out, s->key, standard.pk, e);
    const long left = allocations_left;
    allocations_left = -1;
    if (rc == 0)
        assert_true(unwrap(back, out, standard.pk, standard.d, e) == 0 && memcmp(back, s->key, 32) == 0);
    allocations_left = left;
    return rc;
}

/* FRY-14: with every allocation failing in turn and for good: a verdict is the right one, or there is none and the error says that memory was short. What is
 * good is never called forged because memory was short: it would be set aside or refused for that. */
static void test_short_memory_is_no_verdict(void **state)
{
    static const struct { const char *name; int (*run)(struct sweep *s, struct err *e); enum err_code bad; } rows[] = {
        {"verify", sweep_verify, ERR_NONE}, {"unwrap", sweep_unwrap, ERR_NONE}, {"open", sweep_open, ERR_NONE},
        {"check", sweep_check, ERR_INPUT},  {"derive", sweep_derive, ERR_INPUT}, {"wrap", sweep_wrap, ERR_NONE},
    };
    struct sweep s = {.key = {9}};
    struct suite_stream *st = NULL;
    struct err e = {0};
    uint8_t text[64] = {1};
    (void)state;
    sign(s.sig, bytes_of("text"), standard.d, standard.pk);
    assert_int_equal(wrap(s.wrapped, s.key, standard.pk, &e), 0);
    assert_true(gm_seal_begin(&st, s.head, s.key, &e) == 0 && gm_seal_chunk(st, s.sealed, (struct bytes){text, sizeof text}, true) == 0);
    gm_end(st);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int bad = 0; bad < 2; bad++) {
            long n = 0;
            int rc;
            s.bad = bad;
            for (;; n++) {
                struct err found = {0};
                allocations_left = n;
                rc = rows[i].run(&s, &found);
                const bool enough = allocations_left > 0;
                allocations_left = -1;
                assert_int_equal(ERR_peek_error(), 0);
                if (rc == 0 || found.code == rows[i].bad) {
                    assert_int_equal(rc, bad ? -1 : 0);
                    if (enough)
                        break;
                } else if (found.code != ERR_FULL)
                    fail_msg("%s, allocation %ld: %s", rows[i].name, n, found.msg);
                assert_true(n < 5000);
            }
            assert_true(n > 3 || (bad && rows[i].run == sweep_wrap));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sm3),
        cmocka_unit_test(test_hmac_sm3),
        cmocka_unit_test(test_sm4),
        cmocka_unit_test(test_signature_of_the_standard),
        cmocka_unit_test(test_encryption_of_the_standard),
        cmocka_unit_test(test_nonces_of_rfc_6979),
        cmocka_unit_test(test_signatures_with_openssl),
        cmocka_unit_test(test_encryption_with_openssl),
        cmocka_unit_test(test_points_that_are_none),
        cmocka_unit_test(test_numbers_that_are_no_keys),
        cmocka_unit_test(test_signatures_that_are_none),
        cmocka_unit_test(test_signatures_out_of_range),
        cmocka_unit_test(test_signing_is_deterministic),
        cmocka_unit_test(test_ciphertexts_that_are_none),
        cmocka_unit_test(test_stream_has_one_order_and_one_end),
        cmocka_unit_test(test_stream_is_what_its_header_says),
        cmocka_unit_test(test_threads_share_the_suite),
        cmocka_unit_test(test_reasons_are_told),
        cmocka_unit_test(test_short_memory_is_no_verdict),
    };
    struct err e = {0};
    if (!CRYPTO_set_mem_functions(limited_malloc, limited_realloc, limited_free) || gm_start(&e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    from_hex(standard.d, 32, D);
    from_hex(standard.pk, 64, P);
    if (sm2_generate(other.d, other.pk) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
