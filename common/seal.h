/* seal.h - keys, signatures and sealed items, everything domain-separated. The algorithms are those of the keys' suite (suite.h): 1 libsodium
 * (Ed25519, X25519 sealed box for the content key, XChaCha20-Poly1305 secretstream to its final tag, BLAKE2b), 2 OpenSSL (SM2, SM4-CTR and HMAC-SM3, SM3).
 *
 * A sealed item is  "HZ1" suite(u8) | recipient key id 8 | sender key id 8 | wrapped content key | stream header | chunks,
 * where the stream's plaintext is  u32 length, manifest | signature 64 | content, cut into chunks of 64 KiB plaintext.
 * The manifest is text, one "key=value" a line in fixed order (see seal.c), signed by the sender over
 * "hz-manifest-1" 0 manifest. It names sender, recipient, direction, kind, id, content size and hash,
 * the hash of the content key, catalogue and protocol version. Sign, encrypt; the envelope signs again.
 * The suite in the header is that of the recipient's key, which wraps and encrypts; signature and both hashes are of the sender's suite. The two differ
 * only while one side has changed its suite and the other has not.
 * Owns:    struct key_pair is sodium_malloc'ed, wiped by keys_free. Threads: constant after load.
 * Errors:  ERR_CORRUPT for whatever does not verify, ERR_HELD for an unknown key id or suite (somebody must bring the key). */
#ifndef COMMON_SEAL_H
#define COMMON_SEAL_H

#include "common/bytes.h"

#define KEY_HALF 64u                             /* most bytes of a public half: hex digits are twice as many */
struct key_id { uint8_t b[8]; };                 /* first 8 bytes of hash("hz-key-1" || sign_pk || box_pk); the 1 is the suite, as in a key file's first line */
struct key_public { char name[16]; struct key_id id; uint8_t suite, sign_pk[KEY_HALF], box_pk[KEY_HALF]; };     /* zeroes behind shorter halves */
struct key_pair;                                 /* private */

/* sodium_init, no core dumps, mlock check. Call first in main. */
int seal_init(struct err *e);

#define SUITE_FIRST 1u
#define SUITE_LAST 2u                            /* the newest that this build knows */
int keys_generate(struct key_pair **out, const char *name, struct err *e);        /* of suite 1; name: "internet" or "intranet" or "identity" */
int keys_generate_in(struct key_pair **out, const char *name, unsigned suite, struct err *e);     /* ERR_HELD: a suite that is not known here */
int keys_save(const struct key_pair *k, const char *private_path, const char *public_path, struct err *e);   /* 0600 / 0644; ERR_CONFLICT if there */
int keys_load(struct key_pair **out, const char *private_path, struct err *e);    /* ERR_DENIED when mode is not 0600 */
int keys_load_public(struct key_public *out, const char *path, struct err *e);
int keys_save_public(const struct key_public *k, const char *path, struct err *e);        /* 0644; ERR_CONFLICT if there */
/* From its halves in hex, as a record carries them: their length tells the suite. ERR_INPUT; ERR_HELD: a suite that cannot be used here. */
int keys_public_of(struct key_public *out, const char *name, const char *sign_hex, const char *box_hex, struct err *e);
const struct key_public *keys_public(const struct key_pair *k);
size_t keys_half(const struct key_public *k);    /* bytes of each public half */
void keys_free(struct key_pair *k);

void sign_bytes(uint8_t sig[64], const char *domain, struct bytes body, const struct key_pair *k);      /* over domain || 0 || body */
int sign_check(const uint8_t sig[64], const char *domain, struct bytes body, const struct key_public *k, struct err *e);

/* The hash of a suite. Long bodies are signed by it: domain || 0 || hash, so that no signature reads megabytes twice. ERR_HELD: it cannot be used here. */
int suite_hash(struct hash256 *out, struct bytes in, unsigned suite, struct err *e);

struct manifest {
    char sender[16], recipient[16];              /* key names */
    char kind[24];                               /* "application", "slice", "status"... */
    struct id128 id;
    uint64_t size;                               /* bytes of content */
    struct hash256 hash;                         /* of content, in the sender's suite */
    uint64_t config_version;
    unsigned protocol;                           /* 1 */
};

/* Seal content. size, hash, sender and recipient of m are filled in from the arguments. ERR_HELD: the suite of a key cannot be used here. */
int seal_item(struct buf *out, struct manifest *m, struct bytes content, const struct key_pair *sender,
              const struct key_public *recipient, struct err *e);
/* Open: checks recipient is us, sender is `sender`, key commitment, signature, size, hash, final tag and end of bytes. content is wiped by the caller (buf_wipe). */
int seal_open(struct manifest *m, struct buf *content, struct bytes sealed, const struct key_pair *recipient,
              const struct key_public *sender, struct err *e);

/* Whose keys a sealed item names in its header, before anything is opened. ERR_CORRUPT, ERR_HELD: another suite. */
int seal_ids(struct key_id *recipient, struct key_id *sender, struct bytes sealed, struct err *e);

/* Small things at rest on the intranet and the internet side's secrets. */
struct secret;                                    /* a 32-byte key in locked memory, from a 0600 file */
int secret_load(struct secret **out, const char *path, bool create, struct err *e);
void secret_free(struct secret *s);
struct secret *secret_derive(const struct secret *s, const char *context);         /* subkey by BLAKE2b(key, context) */
void secret_hash(struct hash256 *out, const struct secret *s, const char *domain, struct bytes in);   /* keyed: blind index, account, guards */
/* XChaCha20-Poly1305: nonce 24 || ciphertext; `aad` binds the place (table, column, row id). */
int secret_seal(struct buf *out, const struct secret *s, struct bytes plain, struct bytes aad, struct err *e);
int secret_open(struct buf *out, const struct secret *s, struct bytes sealed, struct bytes aad, struct err *e);   /* ERR_CORRUPT */
int secret_new_wrapped(struct secret **key, struct buf *wrapped, const struct secret *master, struct bytes aad, struct err *e);  /* data key per case */
int secret_unwrap(struct secret **key, const struct secret *master, struct bytes wrapped, struct bytes aad, struct err *e);

#endif
