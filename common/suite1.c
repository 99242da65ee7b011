/* suite1.c - libsodium: Ed25519, X25519 sealed boxes, XChaCha20-Poly1305 secretstream, BLAKE2b. */
#include <sodium.h>
#include <stdlib.h>

#include "common/suite.h"

#define TAG crypto_secretstream_xchacha20poly1305_ABYTES
#define FINAL crypto_secretstream_xchacha20poly1305_TAG_FINAL

struct suite_stream { crypto_secretstream_xchacha20poly1305_state st; };

static int start(struct err *e)
{
    return sodium_init() < 0 ? err_set(e, ERR_INTERNAL, "libsodium could not be started") : 0;
}

static int generate(struct suite_keys *k, struct err *e)
{
    (void)e;
    crypto_sign_keypair(k->sign_pk, k->sign_sk);
    crypto_box_keypair(k->box_pk, k->box_sk);
    return 0;
}

static int derive(struct suite_keys *k, struct err *e)
{
    (void)e;
    crypto_sign_ed25519_sk_to_pk(k->sign_pk, k->sign_sk);
    crypto_scalarmult_base(k->box_pk, k->box_sk);
    return 0;
}

/* Points of small order are refused where they are used: verifying and wrapping fail. */
static int check(const uint8_t *sign_pk, const uint8_t *box_pk, struct err *e)
{
    (void)sign_pk, (void)box_pk, (void)e;
    return 0;
}

static void sign(uint8_t sig[64], struct bytes text, const uint8_t *sign_sk, const uint8_t *sign_pk)
{
    (void)sign_pk;
    crypto_sign_detached(sig, NULL, text.p, text.n, sign_sk);
}

static int verify(const uint8_t sig[64], struct bytes text, const uint8_t *sign_pk, struct err *e)
{
    (void)e;
    return crypto_sign_verify_detached(sig, text.p, text.n, sign_pk);
}

static int wrap(uint8_t *out, const uint8_t key[32], const uint8_t *box_pk, struct err *e)
{
    return crypto_box_seal(out, key, 32, box_pk) == 0 ? 0 : err_set(e, ERR_INTERNAL, "seal: recipient's key is not usable");
}

static int unwrap(uint8_t key[32], const uint8_t *wrapped, const uint8_t *box_pk, const uint8_t *box_sk, struct err *e)
{
    (void)e;
    return crypto_box_seal_open(key, wrapped, crypto_box_SEALBYTES + 32, box_pk, box_sk);
}

static struct suite_stream *new_stream(struct err *e)
{
    struct suite_stream *s = malloc(sizeof *s);
    if (!s)
        err_set(e, ERR_FULL, "seal: no memory");
    return s;
}

static int seal_begin(struct suite_stream **out, uint8_t *head, const uint8_t key[32], struct err *e)
{
    *out = new_stream(e);
    return *out ? crypto_secretstream_xchacha20poly1305_init_push(&(*out)->st, head, key) : -1;
}

static int seal_chunk(struct suite_stream *s, uint8_t *out, struct bytes plain, bool last)
{
    return crypto_secretstream_xchacha20poly1305_push(&s->st, out, NULL, plain.p, plain.n, NULL, 0, last ? FINAL : 0);
}

static int open_begin(struct suite_stream **out, const uint8_t *head, const uint8_t key[32], struct err *e)
{
    *out = new_stream(e);
    return *out ? crypto_secretstream_xchacha20poly1305_init_pull(&(*out)->st, head, key) : -1;
}

static int open_chunk(struct suite_stream *s, uint8_t *out, struct bytes sealed, bool last, struct err *e)
{
    unsigned char tag = 0;
    (void)e;
    return crypto_secretstream_xchacha20poly1305_pull(&s->st, out, NULL, &tag, sealed.p, sealed.n, NULL, 0) == 0 && (tag == FINAL) == last ? 0 : -1;
}

static void end(struct suite_stream *s)
{
    if (s)
        sodium_memzero(s, sizeof *s);
    free(s);
}

const struct suite suite1 = {
    .abi = SUITE_ABI, .number = 1, .words = "suite 1 (libsodium)",
    .sign_pk = crypto_sign_PUBLICKEYBYTES, .box_pk = crypto_box_PUBLICKEYBYTES, .sign_sk = crypto_sign_SECRETKEYBYTES, .box_sk = crypto_box_SECRETKEYBYTES,
    .wrapped = crypto_box_SEALBYTES + 32, .head = crypto_secretstream_xchacha20poly1305_HEADERBYTES, .tag = TAG,
    .start = start, .generate = generate, .derive = derive, .check = check, .hash = hash_of, .sign = sign, .verify = verify, .wrap = wrap, .unwrap = unwrap,
    .seal_begin = seal_begin, .seal_chunk = seal_chunk, .open_begin = open_begin, .open_chunk = open_chunk, .end = end,
};
