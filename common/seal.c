/* seal.c - sealed items: manifest, signature, content key, stream. Keys are in seal_keys.c, secrets at rest in seal_secret.c. */
#include "common/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/seal_parts.h"

#define CHUNK ((size_t)64 << 10)
#define MANIFEST_CAP 1024u
#define FRONT_CAP (4 + MANIFEST_CAP + 64)
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

/* Into `out` itself: no megabyte is copied on its way. */
static int seal_chunk(struct buf *out, struct bytes plain, bool last, const struct suite *su, struct suite_stream *st, struct err *e)
{
    if (!buf_room(out, plain.n + su->tag))
        return buf_done(out, "sealed item", e);
    if (su->seal_chunk(st, out->p + out->n, plain, last) != 0)
        return err_set(e, ERR_INTERNAL, "sealed item: a chunk cannot be encrypted");
    out->n += plain.n + su->tag;
    out->p[out->n] = 0;
    return 0;
}

/* first: room for one chunk, which the front and the content's beginning share. */
static int seal_chunks(struct buf *out, struct bytes front, struct bytes content, const struct suite *su, struct suite_stream *st, uint8_t *first, struct err *e)
{
    size_t at = content.n < CHUNK - front.n ? content.n : CHUNK - front.n;
    memcpy(first, front.p, front.n);
    if (at)
        memcpy(first + front.n, content.p, at);
    int rc = seal_chunk(out, (struct bytes){first, front.n + at}, at == content.n, su, st, e);
    for (size_t n; rc == 0 && at < content.n; at += n) {
        n = content.n - at < CHUNK ? content.n - at : CHUNK;
        rc = seal_chunk(out, (struct bytes){content.p + at, n}, at + n == content.n, su, st, e);
    }
    return rc;
}

static int seal_stream(struct buf *out, struct bytes front, struct bytes content, const uint8_t key[32], const struct suite *su, struct err *e)
{
    struct suite_stream *st = NULL;
    uint8_t head[SUITE_HEAD], *first = malloc(CHUNK);
    if (!first)
        return err_set(e, ERR_FULL, "seal: no memory");
    int rc = su->seal_begin(&st, head, key, e);
    if (rc == 0) {
        buf_put(out, head, su->head);
        rc = seal_chunks(out, front, content, su, st, first, e);
    }
    su->end(st);
    sodium_memzero(first, CHUNK);
    free(first);
    return rc;
}

/* What stands before the content: length, manifest, signature. */
static int build_front(struct buf *front, const struct manifest *m, const struct hash256 *key_hash, const struct key_pair *sender, struct err *e)
{
    struct buf text;
    uint8_t sig[64];
    buf_init(&text, MANIFEST_CAP);
    if (write_manifest(&text, m, key_hash, e) < 0) {
        buf_clear(&text);
        return -1;
    }
    sign_bytes(sig, "hz-manifest-1", buf_bytes(&text), sender);
    buf_u32(front, (uint32_t)text.n);
    buf_put(front, text.p, text.n);
    buf_put(front, sig, sizeof sig);
    buf_clear(&text);
    return buf_done(front, "manifest", e);
}

static int seal_to(struct buf *out, struct bytes front, struct bytes content, const uint8_t key[32], const struct key_id *from, const struct key_public *recipient,
                   const struct suite *su, struct err *e)
{
    const size_t plain = front.n + content.n;
    uint8_t wrapped[SUITE_WRAPPED];
    if (su->wrap(wrapped, key, recipient->box_pk, e) < 0)
        return -1;
    buf_room(out, IDS + su->wrapped + su->head + plain + (plain / CHUNK + 1) * su->tag);
    buf_put(out, magic, sizeof magic);
    buf_u8(out, (uint8_t)su->number);
    buf_put(out, recipient->id.b, 8);
    buf_put(out, from->b, 8);
    buf_put(out, wrapped, su->wrapped);
    return seal_stream(out, front, content, key, su, e);
}

int seal_item(struct buf *out, struct manifest *m, struct bytes content, const struct key_pair *sender, const struct key_public *recipient, struct err *e)
{
    const struct suite *ours = suite_find(keys_public(sender)->suite, e), *theirs = ours ? suite_find(recipient->suite, e) : NULL;
    uint8_t key[32];
    struct hash256 key_hash;
    struct buf front;
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
    buf_init(&front, FRONT_CAP);
    int rc = build_front(&front, m, &key_hash, sender, e);
    if (rc == 0)
        rc = seal_to(out, buf_bytes(&front), content, key, &keys_public(sender)->id, recipient, theirs, e);
    sodium_memzero(key, sizeof key);
    buf_wipe(&front);
    return rc;
}

/* An item that is being opened. first: its first chunk, which begins with the manifest; what follows is content. */
struct opening { struct buf first, *content; struct bytes text, sig; size_t start, plain; bool cut; };

static int open_chunk(struct buf *out, struct bytes sealed, bool last, const struct suite *su, struct suite_stream *st, struct err *e)
{
    if (sealed.n < su->tag || !buf_room(out, sealed.n - su->tag) || su->open_chunk(st, out->p + out->n, sealed, last, e) != 0)
        return -1;
    out->n += sealed.n - su->tag;
    out->p[out->n] = 0;
    return 0;
}

/* Split the first chunk; room for all content at once, so that no copy of it stays behind in a smaller block. */
static void split_first(struct opening *o)
{
    struct cursor c = {.in = buf_bytes(&o->first)};
    o->text = cur_take(&c, cur_u32(&c));
    o->sig = cur_take(&c, 64);
    o->cut = c.bad;
    if (o->cut)
        return;
    struct bytes rest = cur_take(&c, c.in.n - c.at);
    buf_room(o->content, o->plain - (c.at - rest.n));
    buf_put(o->content, rest.p, rest.n);
}

/* -1 without e: not authentic. Insists on the final chunk exactly at the end of the bytes: a cut stream is not a short one. */
static int open_chunks(struct opening *o, struct bytes in, const struct suite *su, struct suite_stream *st, struct err *e)
{
    const size_t step = CHUNK + su->tag, body = in.n - su->head;
    bool last = false;
    o->plain = body - (body + step - 1) / step * su->tag;
    for (size_t at = su->head; at < in.n; at += step) {
        size_t n = in.n - at < step ? in.n - at : step;
        last = at + n == in.n;
        if (open_chunk(at == su->head ? &o->first : o->content, (struct bytes){in.p + at, n}, last, su, st, e) < 0)
            return -1;
        if (at == su->head)
            split_first(o);
    }
    return last ? 0 : -1;
}

static int open_stream(struct opening *o, struct bytes in, const uint8_t key[32], const struct suite *su, struct err *e)
{
    struct suite_stream *st = NULL;
    int rc = in.n < su->head || su->open_begin(&st, in.p, key, e) != 0 ? -1 : open_chunks(o, in, su, st, e);
    su->end(st);
    if (buf_done(&o->first, "item", e) < 0 || buf_done(o->content, "item", e) < 0)
        return -1;
    return rc < 0 ? err_set(e, ERR_CORRUPT, "sealed item: cut, changed or with data behind its end") : 0;
}

static int check_plain(struct manifest *m, const struct opening *o, const uint8_t key[32], const struct key_pair *recipient, const struct key_public *sender, struct err *e)
{
    const struct suite *su = suite_find(sender->suite, e);
    struct hash256 want, have;
    if (!su)
        return -1;
    if (o->cut)
        return err_set(e, ERR_CORRUPT, "sealed item: manifest is cut");
    const struct bytes body = {o->content->p + o->start, o->content->n - o->start};
    if (sign_check(o->sig.p, "hz-manifest-1", o->text, sender, e) < 0 || read_manifest(m, &want, o->text, e) < 0)
        return -1;
    su->hash(&have, (struct bytes){key, 32});
    if (!hash_equal(&want, &have))
        return err_set(e, ERR_CORRUPT, "manifest: content key is not the one that was signed");
    if (strcmp(m->sender, sender->name) != 0 || strcmp(m->recipient, keys_public(recipient)->name) != 0)
        return err_set(e, ERR_CORRUPT, "manifest: want %s to %s, have %s to %s", sender->name, keys_public(recipient)->name, m->sender, m->recipient);
    su->hash(&have, body);
    if (m->size != body.n || !hash_equal(&m->hash, &have))
        return err_set(e, ERR_CORRUPT, "manifest: size or hash of the content: want %llu bytes, have %zu", (unsigned long long)m->size, body.n);
    return 0;
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
    struct opening o = {.content = content, .start = content->n};
    const struct suite *su = read_ids(&to, &from, sealed, e);
    if (!su)
        return -1;
    if (memcmp(to.b, us->id.b, 8) != 0 || memcmp(from.b, sender->id.b, 8) != 0)
        return err_set(e, ERR_HELD, "sealed item: key id of recipient or sender is not one that we hold");
    if (su->number != us->suite)
        return err_set(e, ERR_CORRUPT, "sealed item: says suite %u, but the recipient's key is of suite %u: changed, or a downgrade", su->number, us->suite);
    if (su->unwrap(key, sealed.p + IDS, us->box_pk, key_box_secret(recipient), e) != 0)
        return err_set(e, ERR_CORRUPT, "sealed item: content key cannot be opened");
    buf_init(&o.first, CHUNK);
    buf_room(&o.first, CHUNK);
    const size_t head = IDS + su->wrapped;
    int rc = open_stream(&o, (struct bytes){sealed.p + head, sealed.n - head}, key, su, e);
    if (rc == 0)
        rc = check_plain(m, &o, key, recipient, sender, e);
    if (rc < 0 && content->n > o.start) {               /* nothing of an item that is not good leaves here */
        sodium_memzero(content->p + o.start, content->n - o.start);
        content->n = o.start;
    }
    sodium_memzero(key, sizeof key);
    buf_wipe(&o.first);
    return rc;
}
