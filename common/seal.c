/* seal.c - sealed items: manifest, signature, content key, stream. Keys are in seal_keys.c, secrets at rest in seal_secret.c. */
#include "common/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/seal_parts.h"

#define CHUNK ((size_t)64 << 10)
#define MANIFEST_CAP 1024u
#define CONTENT_CAP ((size_t)8 << 20)
#define IDS ((size_t)4 + 8 + 8)                         /* "HZ1", suite, recipient, sender */
static const char magic[3] = {'H', 'Z', '1'};

/* The manifest's fixed order. The hash of the content key commits to it: a ChaCha20-Poly1305 stream alone does not. */
static int write_manifest(struct buf *out, const struct manifest *m, const struct hash256 *key_hash, struct err *e)
{
    char content[65], key[65];
    hash_hex(content, &m->hash);
    hash_hex(key, key_hash);
    buf_fmt(out, "sender=%s\nrecipient=%s\nkind=%s\nid=%s\nsize=%llu\nhash=%s\nkey=%s\nconfig=%llu\nprotocol=%u\n", m->sender, m->recipient, m->kind, m->id.s,
            (unsigned long long)m->size, content, key, (unsigned long long)m->config_version, m->protocol);
    return buf_done(out, "manifest", e);
}

/* Take "name=value\n" off the front of *text into a field. */
static int take_line(const char **text, const char *name, char *out, size_t cap, struct err *e)
{
    size_t n = strlen(name);
    const char *end = strchr(*text, '\n');
    if (strncmp(*text, name, n) != 0 || (*text)[n] != '=' || !end || (size_t)(end - *text) - n - 1 >= cap)
        return err_set(e, ERR_CORRUPT, "manifest: want a line %s=", name);
    size_t len = (size_t)(end - *text) - n - 1;
    memcpy(out, *text + n + 1, len);
    out[len] = 0;
    *text = end + 1;
    return 0;
}

static int read_manifest(struct manifest *m, struct hash256 *key_hash, struct bytes text, struct err *e)
{
    char copy[MANIFEST_CAP + 1], size[24], hash[65], key[65], config[24], protocol[12];
    const char *at = copy;
    uint64_t v;
    if (text.n > MANIFEST_CAP || memchr(text.p, 0, text.n))
        return err_set(e, ERR_CORRUPT, "manifest: want text of at most %u bytes", MANIFEST_CAP);
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *m = (struct manifest){0};
    if (take_line(&at, "sender", m->sender, sizeof m->sender, e) < 0 || take_line(&at, "recipient", m->recipient, sizeof m->recipient, e) < 0 ||
        take_line(&at, "kind", m->kind, sizeof m->kind, e) < 0 || take_line(&at, "id", m->id.s, sizeof m->id.s, e) < 0 ||
        take_line(&at, "size", size, sizeof size, e) < 0 || take_line(&at, "hash", hash, sizeof hash, e) < 0 ||
        take_line(&at, "key", key, sizeof key, e) < 0 || take_line(&at, "config", config, sizeof config, e) < 0 ||
        take_line(&at, "protocol", protocol, sizeof protocol, e) < 0)
        return -1;
    struct err n = {0};
    if (*at || !id_valid(m->id.s) || hash_parse(&m->hash, hash) < 0 || hash_parse(key_hash, key) < 0 ||
        parse_u64(size, 0, CONTENT_CAP, &m->size, "size", &n) < 0 || parse_u64(config, 0, UINT32_MAX, &m->config_version, "config", &n) < 0 ||
        parse_u64(protocol, 1, 1000, &v, "protocol", &n) < 0)
        return err_set(e, ERR_CORRUPT, "manifest: malformed value%s%.100s", n.msg[0] ? ": " : "", n.msg);
    m->protocol = (unsigned)v;
    return 0;
}

static int seal_chunks(struct buf *out, struct bytes plain, const struct suite *su, struct suite_stream *st, uint8_t *sealed, struct err *e)
{
    size_t at = 0;
    do {
        size_t n = plain.n - at < CHUNK ? plain.n - at : CHUNK;
        if (su->seal_chunk(st, sealed, (struct bytes){plain.p + at, n}, at + n == plain.n) != 0)
            return err_set(e, ERR_INTERNAL, "sealed item: a chunk cannot be encrypted");
        buf_put(out, sealed, n + su->tag);
        at += n;
    } while (at < plain.n);
    return buf_done(out, "sealed item", e);
}

static int seal_stream_all(struct buf *out, struct bytes plain, const uint8_t key[32], const struct suite *su, struct err *e)
{
    struct suite_stream *st = NULL;
    uint8_t head[SUITE_HEAD], *sealed = malloc(CHUNK + su->tag);
    if (!sealed)
        return err_set(e, ERR_FULL, "seal: no memory");
    int rc = su->seal_begin(&st, head, key, e);
    if (rc == 0) {
        buf_put(out, head, su->head);
        rc = seal_chunks(out, plain, su, st, sealed, e);
    }
    su->end(st);
    free(sealed);
    return rc;
}

static int build_plain(struct buf *plain, struct manifest *m, struct bytes content, const struct hash256 *key_hash, const struct key_pair *sender, struct err *e)
{
    struct buf text;
    uint8_t sig[64];
    buf_init(&text, MANIFEST_CAP);
    if (write_manifest(&text, m, key_hash, e) < 0) {
        buf_clear(&text);
        return -1;
    }
    sign_bytes(sig, "hz-manifest-1", buf_bytes(&text), sender);
    buf_u32(plain, (uint32_t)text.n);
    buf_put(plain, text.p, text.n);
    buf_put(plain, sig, sizeof sig);
    buf_put(plain, content.p, content.n);
    buf_clear(&text);
    return buf_done(plain, "item", e);
}

static int seal_to(struct buf *out, struct bytes plain, const uint8_t key[32], const struct key_id *from, const struct key_public *recipient, const struct suite *su, struct err *e)
{
    uint8_t wrapped[SUITE_WRAPPED];
    if (su->wrap(wrapped, key, recipient->box_pk, e) < 0)
        return -1;
    buf_put(out, magic, sizeof magic);
    buf_u8(out, (uint8_t)su->number);
    buf_put(out, recipient->id.b, 8);
    buf_put(out, from->b, 8);
    buf_put(out, wrapped, su->wrapped);
    return seal_stream_all(out, plain, key, su, e);
}

int seal_item(struct buf *out, struct manifest *m, struct bytes content, const struct key_pair *sender, const struct key_public *recipient, struct err *e)
{
    const struct suite *ours = suite_find(keys_public(sender)->suite, e), *theirs = ours ? suite_find(recipient->suite, e) : NULL;
    uint8_t key[32];
    struct hash256 key_hash;
    struct buf plain;
    if (!theirs)
        return -1;
    if (content.n > CONTENT_CAP)
        return err_set(e, ERR_TOO_LARGE, "item: want at most %zu bytes, have %zu", CONTENT_CAP, content.n);
    if (!id_valid(m->id.s) || !*m->kind || !m->protocol)
        return err_set(e, ERR_INTERNAL, "manifest: id, kind and protocol must be set");
    snprintf(m->sender, sizeof m->sender, "%s", keys_public(sender)->name);
    snprintf(m->recipient, sizeof m->recipient, "%s", recipient->name);
    m->size = content.n;
    ours->hash(&m->hash, content);
    randombytes_buf(key, sizeof key);
    ours->hash(&key_hash, (struct bytes){key, sizeof key});
    buf_init(&plain, CONTENT_CAP + MANIFEST_CAP + 128);
    int rc = build_plain(&plain, m, content, &key_hash, sender, e);
    if (rc == 0)
        rc = seal_to(out, buf_bytes(&plain), key, &keys_public(sender)->id, recipient, theirs, e);
    sodium_memzero(key, sizeof key);
    buf_wipe(&plain);
    return rc;
}

/* -1 without e: not authentic. What opened before the chunk that did not stays in plain, which the caller drops. */
static int open_chunks(struct buf *plain, struct bytes in, const struct suite *su, struct suite_stream *st, uint8_t *part, struct err *e)
{
    bool last = false;
    for (size_t at = su->head; at < in.n; at += CHUNK + su->tag) {
        size_t n = in.n - at < CHUNK + su->tag ? in.n - at : CHUNK + su->tag;
        last = at + n == in.n;
        if (n < su->tag || su->open_chunk(st, part, (struct bytes){in.p + at, n}, last, e) != 0)
            return -1;
        buf_put(plain, part, n - su->tag);
    }
    return last ? 0 : -1;
}

/* Insists on the final chunk exactly at the end of the bytes: a cut stream is not a short one. */
static int open_stream(struct buf *plain, struct bytes in, const uint8_t key[32], const struct suite *su, struct err *e)
{
    struct suite_stream *st = NULL;
    uint8_t *part = malloc(CHUNK);
    if (!part)
        return err_set(e, ERR_FULL, "seal: no memory");
    int rc = in.n < su->head || su->open_begin(&st, in.p, key, e) != 0 ? -1 : open_chunks(plain, in, su, st, part, e);
    su->end(st);
    sodium_memzero(part, CHUNK);
    free(part);
    return rc < 0 ? err_set(e, ERR_CORRUPT, "sealed item: cut, changed or with data behind its end") : buf_done(plain, "item", e);
}

static int check_plain(struct manifest *m, struct buf *content, struct bytes plain, const uint8_t key[32], const struct key_pair *recipient,
                       const struct key_public *sender, struct err *e)
{
    const struct suite *su = suite_find(sender->suite, e);
    struct cursor c = {.in = plain};
    struct hash256 want, have;
    if (!su)
        return -1;
    struct bytes text = cur_take(&c, cur_u32(&c)), sig = cur_take(&c, 64);
    if (c.bad)
        return err_set(e, ERR_CORRUPT, "sealed item: manifest is cut");
    struct bytes body = cur_take(&c, plain.n - c.at);
    if (sign_check(sig.p, "hz-manifest-1", text, sender, e) < 0 || read_manifest(m, &want, text, e) < 0)
        return -1;
    su->hash(&have, (struct bytes){key, 32});
    if (!hash_equal(&want, &have))
        return err_set(e, ERR_CORRUPT, "manifest: content key is not the one that was signed");
    if (strcmp(m->sender, sender->name) != 0 || strcmp(m->recipient, keys_public(recipient)->name) != 0)
        return err_set(e, ERR_CORRUPT, "manifest: want %s to %s, have %s to %s", sender->name, keys_public(recipient)->name, m->sender, m->recipient);
    su->hash(&have, body);
    if (m->size != body.n || !hash_equal(&m->hash, &have))
        return err_set(e, ERR_CORRUPT, "manifest: size or hash of the content: want %llu bytes, have %zu", (unsigned long long)m->size, body.n);
    buf_put(content, body.p, body.n);
    return buf_done(content, "item", e);
}

/* The suite of a sealed item whose header is whole. */
static const struct suite *read_ids(struct key_id *recipient, struct key_id *sender, struct bytes sealed, struct err *e)
{
    if (sealed.n < IDS || memcmp(sealed.p, magic, sizeof magic) != 0) {
        err_set(e, ERR_CORRUPT, "sealed item: want at least %zu bytes beginning with HZ1, have %zu", IDS, sealed.n);
        return NULL;
    }
    const struct suite *su = suite_find(sealed.p[3], e);
    if (!su) {
        err_wrap(e, "sealed item");
        return NULL;
    }
    if (sealed.n < IDS + su->wrapped + su->head) {
        err_set(e, ERR_CORRUPT, "sealed item: want at least %zu bytes in suite %u, have %zu", IDS + su->wrapped + su->head, su->number, sealed.n);
        return NULL;
    }
    memcpy(recipient->b, sealed.p + 4, 8);
    memcpy(sender->b, sealed.p + 12, 8);
    return su;
}

int seal_ids(struct key_id *recipient, struct key_id *sender, struct bytes sealed, struct err *e)
{
    return read_ids(recipient, sender, sealed, e) ? 0 : -1;
}

int seal_open(struct manifest *m, struct buf *content, struct bytes sealed, const struct key_pair *recipient, const struct key_public *sender, struct err *e)
{
    const struct key_public *us = keys_public(recipient);
    uint8_t key[32];
    struct key_id to, from;
    struct buf plain;
    const struct suite *su = read_ids(&to, &from, sealed, e);
    if (!su)
        return -1;
    if (memcmp(to.b, us->id.b, 8) != 0 || memcmp(from.b, sender->id.b, 8) != 0)
        return err_set(e, ERR_HELD, "sealed item: key id of recipient or sender is not one that we hold");
    if (su->number != us->suite)
        return err_set(e, ERR_CORRUPT, "sealed item: says suite %u, but the recipient's key is of suite %u: changed, or a downgrade", su->number, us->suite);
    if (su->unwrap(key, sealed.p + IDS, us->box_pk, key_box_secret(recipient), e) != 0)
        return err_set(e, ERR_CORRUPT, "sealed item: content key cannot be opened");
    buf_init(&plain, CONTENT_CAP + MANIFEST_CAP + 128);
    const size_t head = IDS + su->wrapped;
    int rc = open_stream(&plain, (struct bytes){sealed.p + head, sealed.n - head}, key, su, e);
    if (rc == 0)
        rc = check_plain(m, content, buf_bytes(&plain), key, recipient, sender, e);
    sodium_memzero(key, sizeof key);
    buf_wipe(&plain);
    return rc;
}
