/* seal_secret.c - 32-byte keys of one side: keyed hashes, values at rest, wrapped data keys. */
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/seal.h"

struct secret { uint8_t b[32]; };

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES

static struct secret *new_secret(struct err *e)
{
    struct secret *s = sodium_malloc(sizeof *s);
    if (!s)
        err_set(e, ERR_FULL, "secret: no locked memory");
    return s;
}

static int create_file(const char *path, struct err *e)
{
    uint8_t raw[32];
    char hex[66];
    randombytes_buf(raw, sizeof raw);
    hex_put(hex, raw, sizeof raw);
    hex[64] = '\n';
    int rc = file_write_path(path, (struct bytes){(const uint8_t *)hex, 65}, 0600, e);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(hex, sizeof hex);
    return rc;
}

int secret_load(struct secret **out, const char *path, bool create, struct err *e)
{
    struct stat st;
    struct buf text;
    if (create && access(path, F_OK) < 0 && errno == ENOENT && create_file(path, e) < 0)
        return -1;
    if (stat(path, &st) < 0)
        return err_sys(e, "secret %s", path);
    if (st.st_mode & 077)
        return err_set(e, ERR_DENIED, "%s: want mode 0600, have %04o", path, st.st_mode & 07777);
    struct secret *s = new_secret(e);
    if (!s)
        return -1;
    buf_init(&text, 128);
    int rc = file_read_path(&text, path, 100, e);
    if (rc == 0 && text.n == 65 && text.p[64] == '\n')
        text.p[64] = 0;
    if (rc == 0 && hex_get(s->b, 32, buf_text(&text)) < 0)
        rc = err_set(e, ERR_INPUT, "%s: want 64 hex digits on one line", path);
    buf_wipe(&text);
    if (rc < 0)
        secret_free(s);
    else
        *out = s;
    return rc;
}

void secret_free(struct secret *s)
{
    sodium_free(s);
}

struct secret *secret_derive(const struct secret *s, const char *context)
{
    struct secret *d = new_secret(NULL);
    if (d)
        crypto_generichash(d->b, sizeof d->b, (const uint8_t *)context, strlen(context), s->b, sizeof s->b);
    return d;
}

void secret_hash(struct hash256 *out, const struct secret *s, const char *domain, struct bytes in)
{
    crypto_generichash_state st;
    crypto_generichash_init(&st, s->b, sizeof s->b, sizeof out->b);
    crypto_generichash_update(&st, (const uint8_t *)domain, strlen(domain) + 1);
    crypto_generichash_update(&st, in.p, in.n);
    crypto_generichash_final(&st, out->b, sizeof out->b);
}

int secret_seal(struct buf *out, const struct secret *s, struct bytes plain, struct bytes aad, struct err *e)
{
    uint8_t nonce[NONCE];
    randombytes_buf(nonce, sizeof nonce);
    buf_put(out, nonce, sizeof nonce);
    size_t at = out->n;
    buf_put(out, plain.p, plain.n);
    for (size_t i = 0; i < TAG; i++)
        buf_u8(out, 0);
    if (buf_done(out, "sealed value", e) < 0)
        return -1;
    unsigned long long n = 0;            /* in place: the ciphertext covers the copy of the plaintext */
    crypto_aead_xchacha20poly1305_ietf_encrypt(out->p + at, &n, out->p + at, plain.n, aad.p, aad.n, NULL, nonce, s->b);
    return 0;
}

int secret_open(struct buf *out, const struct secret *s, struct bytes sealed, struct bytes aad, struct err *e)
{
    if (sealed.n < NONCE + TAG)
        return err_set(e, ERR_CORRUPT, "sealed value: want at least %u bytes, have %zu", NONCE + TAG, sealed.n);
    size_t n = sealed.n - NONCE - TAG, at = out->n;
    buf_put(out, sealed.p + NONCE, sealed.n - NONCE);
    if (buf_done(out, "sealed value", e) < 0)
        return -1;
    unsigned long long len = 0;
    int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(out->p + at, &len, NULL, out->p + at, n + TAG, aad.p, aad.n, sealed.p, s->b);
    out->n = bad ? at : at + n;
    out->p[out->n] = 0;
    return bad ? err_set(e, ERR_CORRUPT, "sealed value: changed, or not of this place") : 0;
}

int secret_new_wrapped(struct secret **key, struct buf *wrapped, const struct secret *master, struct bytes aad, struct err *e)
{
    struct secret *s = new_secret(e);
    if (!s)
        return -1;
    randombytes_buf(s->b, sizeof s->b);
    if (secret_seal(wrapped, master, (struct bytes){s->b, sizeof s->b}, aad, e) < 0) {
        secret_free(s);
        return -1;
    }
    *key = s;
    return 0;
}

int secret_unwrap(struct secret **key, const struct secret *master, struct bytes wrapped, struct bytes aad, struct err *e)
{
    struct buf raw;
    buf_init(&raw, 128);
    int rc = secret_open(&raw, master, wrapped, aad, e);
    if (rc == 0 && raw.n != 32)
        rc = err_set(e, ERR_CORRUPT, "wrapped key: want 32 bytes, have %zu", raw.n);
    struct secret *s = rc == 0 ? new_secret(e) : NULL;
    if (s)
        memcpy(s->b, raw.p, 32);
    buf_wipe(&raw);
    *key = s;
    return s ? 0 : -1;
}
