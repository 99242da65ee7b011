/* sm4.c - the stream of suite 2: SM4-CTR, then HMAC-SM3 over each chunk's ciphertext, its place and whether it is the last. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/suite2/gm.h"

#define SM4_KEY 16u
#define MAC_KEY 32u

struct suite_stream {
    EVP_CIPHER_CTX *ctr;
    EVP_MAC_CTX *mac;
    uint64_t number;                             /* of the next chunk */
    bool done;                                   /* the last one went through */
};

void gm_end(struct suite_stream *s)
{
    if (!s)
        return;
    EVP_CIPHER_CTX_free(s->ctr);
    EVP_MAC_CTX_free(s->mac);
    free(s);
}

static int set_keys(struct suite_stream *s, const uint8_t *head, const uint8_t key[32])
{
    static const char label[] = "hz-stream-2";
    uint8_t z[32 + sizeof label - 1 + GM_HEAD], keys[SM4_KEY + MAC_KEY];
    OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SM3", 0), OSSL_PARAM_construct_end()};
    memcpy(z, key, 32);
    memcpy(z + 32, label, sizeof label - 1);
    memcpy(z + 32 + sizeof label - 1, head, GM_HEAD);
    s->ctr = EVP_CIPHER_CTX_new();
    s->mac = EVP_MAC_CTX_new(gm.hmac);
    int rc = s->ctr && s->mac && gm_kdf(keys, sizeof keys, (struct bytes){z, sizeof z}) == 0 && EVP_EncryptInit_ex2(s->ctr, gm.sm4_ctr, keys, head, NULL) &&
                     EVP_MAC_init(s->mac, keys + SM4_KEY, MAC_KEY, digest) ? 0 : -1;
    OPENSSL_cleanse(z, sizeof z);
    OPENSSL_cleanse(keys, sizeof keys);
    return rc;
}

/* Counter mode: opening is sealing. */
int gm_open_begin(struct suite_stream **out, const uint8_t *head, const uint8_t key[32], struct err *e)
{
    struct suite_stream *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_FULL, "seal: no memory");
    if (set_keys(s, head, key) < 0) {
        gm_end(s);
        return gm_error(e, ERR_FULL, "SM4-CTR and HMAC-SM3");
    }
    *out = s;
    return 0;
}

int gm_seal_begin(struct suite_stream **out, uint8_t *head, const uint8_t key[32], struct err *e)
{
    return RAND_bytes_ex(gm.lib, head, GM_HEAD, 0) == 1 ? gm_open_begin(out, head, key, e) : gm_error(e, ERR_INTERNAL, "random bytes");
}

static int tag_chunk(uint8_t tag[GM_TAG], struct suite_stream *s, struct bytes text, bool last)
{
    uint8_t place[10 + 8 + 1 + 4] = "hz-chunk-2";
    size_t n = 0;
    for (int i = 0; i < 8; i++)
        place[10 + i] = (uint8_t)(s->number >> (56 - 8 * i));
    place[18] = last;
    for (int i = 0; i < 4; i++)
        place[19 + i] = (uint8_t)(text.n >> (24 - 8 * i));
    return EVP_MAC_init(s->mac, NULL, 0, NULL) && EVP_MAC_update(s->mac, place, sizeof place) && EVP_MAC_update(s->mac, text.p, text.n) &&
                   EVP_MAC_final(s->mac, tag, &n, GM_TAG) && n == GM_TAG ? 0 : -1;
}

static int apply_ctr(struct suite_stream *s, uint8_t *out, struct bytes in)
{
    int n = 0;
    return in.n <= INT32_MAX && EVP_EncryptUpdate(s->ctr, out, &n, in.p, (int)in.n) && (size_t)n == in.n ? 0 : -1;
}

int gm_seal_chunk(struct suite_stream *s, uint8_t *out, struct bytes plain, bool last)
{
    if (s->done || apply_ctr(s, out, plain) < 0 || tag_chunk(out + plain.n, s, (struct bytes){out, plain.n}, last) < 0)
        return -1;
    s->number++;
    s->done = last;
    return 0;
}

/* The tag first: nothing is decrypted that was not sealed here, at this place. */
int gm_open_chunk(struct suite_stream *s, uint8_t *out, struct bytes sealed, bool last, struct err *e)
{
    uint8_t tag[GM_TAG];
    if (s->done || sealed.n < GM_TAG)
        return -1;
    struct bytes text = {sealed.p, sealed.n - GM_TAG};
    if (tag_chunk(tag, s, text, last) < 0)
        return gm_error(e, ERR_FULL, "HMAC-SM3");
    if (CRYPTO_memcmp(tag, text.p + text.n, GM_TAG) != 0)
        return -1;
    if (apply_ctr(s, out, text) < 0)
        return gm_error(e, ERR_FULL, "SM4-CTR");
    s->number++;
    s->done = last;
    return 0;
}
