#include "ferry/lib/envelope.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/record.h"
#include "ferry/lib/payload.h"

#define DOMAIN "hz-envelope-2"
#define CHUNK ((size_t)48 << 10)
#define SIG64 88u
#define PREFIX "<Trailer>HZT2 "
#define SUITE_AT (sizeof PREFIX - 1)                    /* "01 " */
#define KEY_AT (SUITE_AT + 3)
#define OFFSET_AT (KEY_AT + 17)
#define BEFORE_SIG (OFFSET_AT + 13)
static const char tail[] = "</Trailer></Envelope>\n";
static const char *const kind_words[] = {"batch", "slice", "beat"};

void envelope_name(char out[80], const struct envelope_head *h)
{
    static const char *const first[] = {"b", "s", "beat"};
    snprintf(out, 80, "%s-%s-%s-%012llu.xml", first[h->kind], h->from, h->incarnation, (unsigned long long)h->number);
}

bool envelope_named(const char *name, struct envelope_head *out)
{
    static const char *const first[] = {"b", "s", "beat"};
    char kind[5], again[80];
    unsigned long long number;
    *out = (struct envelope_head){.number = 0};
    if (sscanf(name, "%4[a-z]-%15[a-z]-%16[0-9a-f]-%12llu.xml", kind, out->from, out->incarnation, &number) != 4)
        return false;
    out->number = number;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (strcmp(kind, first[i]) == 0)
            out->kind = (enum envelope_kind)i;
    envelope_name(again, out);
    return strcmp(again, name) == 0;
}

size_t envelope_item_size(size_t sealed)
{
    return sealed / 3 * 4 + sealed / CHUNK * 16 + 256;
}

static void open_envelope(struct buf *out, const struct envelope_head *h, size_t n, size_t bytes)
{
    char at[21];
    clock_rfc3339(at, h->created_ms);
    buf_fmt(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope xmlns=\"urn:hz:envelope:1\" version=\"1\" kind=\"%s\" from=\"%s\" to=\"%s\" "
            "incarnation=\"%s\" ",
            kind_words[h->kind], h->from, h->to, h->incarnation);
    if (h->run[0])
        buf_fmt(out, "run=\"%s\" ", h->run);
    buf_fmt(out, "number=\"%llu\" created=\"%s\" items=\"%zu\" bytes=\"%zu\">\n", (unsigned long long)h->number, at, n, bytes);
}

static void put_item(struct buf *out, const struct envelope_item *it)
{
    buf_fmt(out, "<Item id=\"%s\" kind=\"%s\" case=\"%s\" seq=\"%llu\" bytes=\"%zu\">", it->id.s, it->kind, it->case_no, (unsigned long long)it->case_seq,
            it->sealed.n);
    for (size_t at = 0; at < it->sealed.n; at += CHUNK) {
        size_t n = it->sealed.n - at < CHUNK ? it->sealed.n - at : CHUNK;
        buf_str(out, "<Chunk>");
        base64_put(out, (struct bytes){it->sealed.p + at, n});
        buf_str(out, "</Chunk>");
    }
    buf_str(out, "</Item>\n");
}

/* Of `body`, in the suite, and of the whole file that goes on with it: in suite 1 they are one run. */
struct file_hash { unsigned suite; struct hash_run run; };

static int hash_body(struct hash256 *out, struct file_hash *f, struct bytes body, unsigned suite, struct err *e)
{
    f->suite = suite;
    if (suite != SUITE_FIRST)
        return suite_hash(out, body, suite, e);
    hash_begin(&f->run);
    hash_more(&f->run, body);
    struct hash_run here = f->run;
    hash_end(out, &here);
    return 0;
}

static void hash_whole(struct hash256 *out, struct file_hash *f, struct bytes file, size_t body)
{
    if (f->suite != SUITE_FIRST) {
        hash_of(out, file);
        return;
    }
    hash_more(&f->run, (struct bytes){file.p + body, file.n - body});
    hash_end(out, &f->run);
}

/* Append the trailer: key, offset, signature over the hash of all before it, filled up to 256 bytes. hash may be NULL. */
static int sign_hashed(struct buf *out, struct hash256 *hash, const struct key_pair *key, struct err *e)
{
    char id[17];
    uint8_t sig[64];
    struct file_hash f;
    struct hash256 part;
    size_t start = out->n;
    hex_put(id, keys_public(key)->id.b, 8);
    buf_fmt(out, PREFIX "%02u %s %012zu ", keys_public(key)->suite, id, start);
    if (buf_done(out, "envelope", e) < 0)
        return -1;
    const size_t body = out->n;
    if (hash_body(&part, &f, buf_bytes(out), keys_public(key)->suite, e) < 0)
        return -1;
    sign_bytes(sig, DOMAIN, (struct bytes){part.b, sizeof part.b}, key);
    base64_put(out, (struct bytes){sig, sizeof sig});
    buf_str(out, " ");
    while (out->n < start + ENVELOPE_TRAILER - (sizeof tail - 1) && !out->bad)
        buf_str(out, ".");
    buf_str(out, tail);
    if (buf_done(out, "envelope", e) < 0)
        return -1;
    if (hash)
        hash_whole(hash, &f, buf_bytes(out), body);
    return 0;
}

static int sign_it(struct buf *out, const struct key_pair *key, struct err *e)
{
    return sign_hashed(out, NULL, key, e);
}

int envelope_write_hashed(struct buf *out, struct hash256 *hash, const struct envelope_head *h, const struct envelope_item *items, size_t n, const struct key_pair *key, struct err *e)
{
    size_t bytes = 0, room = 1024;
    for (size_t i = 0; i < n; i++) {
        bytes += items[i].sealed.n;
        room += envelope_item_size(items[i].sealed.n);
    }
    if (buf_room(out, room)) {
        open_envelope(out, h, n, bytes);
        for (size_t i = 0; i < n; i++)
            put_item(out, &items[i]);
    }
    return sign_hashed(out, hash, key, e);
}

int envelope_write(struct buf *out, const struct envelope_head *h, const struct envelope_item *items, size_t n, const struct key_pair *key, struct err *e)
{
    return envelope_write_hashed(out, NULL, h, items, n, key, e);
}

static void put_heads(struct buf *out, const struct beat *b)
{
    char hex[65];
    if (!b->head[0])
        return;
    buf_fmt(out, " journal=\"%llu\" head=\"%s\" since=\"%llu\" known=\"%llu\" known-head=\"%s\" proof=\"", (unsigned long long)b->journal, b->head, (unsigned long long)b->since,
            (unsigned long long)b->known, b->known_head);
    for (size_t i = 0; i < b->nproof; i++) {
        hash_hex(hex, &b->proof[i]);
        buf_str(out, hex);
    }
    buf_str(out, "\"");
}

int envelope_write_beat(struct buf *out, const struct envelope_head *h, const struct beat *b, const struct key_pair *key, struct err *e)
{
    open_envelope(out, h, 0, 0);
    buf_fmt(out, "<Beat ack=\"%s\" contiguous=\"%llu\" sent=\"%llu\" heard=\"%llu\" health=\"%s\" held=\"%llu\" config=\"%llu\" protocol=\"%u\"", b->ack,
            (unsigned long long)b->contiguous, (unsigned long long)b->sent, (unsigned long long)b->heard, b->health, (unsigned long long)b->held, (unsigned long long)b->config_version,
            b->protocol);
    put_heads(out, b);
    buf_str(out, ">");
    for (size_t i = 0; i < b->nranges; i++)
        buf_fmt(out, "<Range from=\"%llu\" to=\"%llu\"/>", (unsigned long long)b->ranges[i].from, (unsigned long long)b->ranges[i].to);
    for (size_t i = 0; i < b->nruns; i++)
        buf_fmt(out, "<Run id=\"%s\" from=\"%llu\" to=\"%llu\"/>", b->runs[i].id, (unsigned long long)b->runs[i].from, (unsigned long long)b->runs[i].to);
    buf_str(out, "</Beat>\n");
    return sign_it(out, key, e);
}

static const struct key_public *key_named(const char *hex, const struct key_public *const *keys, size_t n)
{
    char id[17];
    for (size_t i = 0; i < n; i++) {
        hex_put(id, keys[i]->id.b, 8);
        if (memcmp(id, hex, 16) == 0)
            return keys[i];
    }
    return NULL;
}

/* Two digits of a suite that this build knows; 0 else. */
static unsigned suite_of(const char *t)
{
    unsigned n = t[0] == '0' && t[1] >= '1' && t[1] <= '9' && t[2] == ' ' ? (unsigned)(t[1] - '0') : 0;
    return n <= SUITE_LAST ? n : 0;
}

/* The key decides by which suite its signatures are checked; what the trailer says must be the same. */
static int check_signature(const char *t, const struct envelope_digest *d, const struct key_public *k, struct err *e)
{
    struct buf sig;
    if (suite_of(t + SUITE_AT) != k->suite)
        return err_set(e, ERR_CORRUPT, "trailer: says suite %.2s, but key %.16s is of suite %02u: changed, or a downgrade", t + SUITE_AT, t + KEY_AT, k->suite);
    buf_init(&sig, 128);
    int rc = base64_get(&sig, (struct bytes){(const uint8_t *)t + BEFORE_SIG, SIG64}) < 0 || sig.n != 64 ? err_set(e, ERR_CORRUPT, "trailer: signature is not base64") : 0;
    if (rc == 0)
        rc = d->suite == k->suite ? sign_check(sig.p, DOMAIN, (struct bytes){d->part.b, sizeof d->part.b}, k, e)
                                  : err_set(e, ERR_HELD, "trailer: suite %02u cannot be used here", k->suite);
    buf_clear(&sig);
    return rc;
}

/* Whether the file's last 256 bytes are a trailer. */
static const char *trailer_of(struct bytes file, struct err *e)
{
    if (file.n <= ENVELOPE_TRAILER || file.n > ENVELOPE_MAX) {
        err_set(e, ERR_CORRUPT, "file: want %u to %zu bytes, have %zu", ENVELOPE_TRAILER + 1, ENVELOPE_MAX, file.n);
        return NULL;
    }
    const char *t = (const char *)file.p + file.n - ENVELOPE_TRAILER;
    if (memcmp(t, PREFIX, SUITE_AT) == 0 && memcmp(t + ENVELOPE_TRAILER - (sizeof tail - 1), tail, sizeof tail - 1) == 0)
        return t;
    err_set(e, ERR_CORRUPT, "trailer: the last 256 bytes are not one: the file is cut, or a filter changed it");
    return NULL;
}

void envelope_digest(struct envelope_digest *out, struct bytes file)
{
    struct err none = {0};
    struct file_hash f;
    const char *t = trailer_of(file, &none);
    const size_t body = t ? file.n - ENVELOPE_TRAILER + BEFORE_SIG : 0;
    *out = (struct envelope_digest){.suite = t ? suite_of(t + SUITE_AT) : 0};
    if (out->suite && hash_body(&out->part, &f, (struct bytes){file.p, body}, out->suite, &none) < 0)
        out->suite = 0;
    if (out->suite)
        hash_whole(&out->whole, &f, file, body);
}

int envelope_verify_digested(struct bytes file, const struct envelope_digest *d, const struct key_public *const *keys, size_t nkeys, const struct key_public **who, struct err *e)
{
    char offset[13];
    const char *t = trailer_of(file, e);
    if (!t)
        return -1;
    size_t start = file.n - ENVELOPE_TRAILER;
    if (!suite_of(t + SUITE_AT))
        return err_set(e, ERR_HELD, "trailer: suite %.2s is not known here", t + SUITE_AT);
    snprintf(offset, sizeof offset, "%012zu", start);
    if (memcmp(t + OFFSET_AT, offset, 12) != 0)
        return err_set(e, ERR_CORRUPT, "trailer: offset: want %s, have %.12s: bytes were added or lost", offset, t + OFFSET_AT);
    const struct key_public *k = key_named(t + KEY_AT, keys, nkeys);
    if (!k)
        return err_set(e, ERR_HELD, "trailer: key %.16s is not one that we trust", t + KEY_AT);
    int rc = check_signature(t, d, k, e);
    /* What stands behind the signature is fixed too: nothing in the file is free to change. */
    for (size_t i = BEFORE_SIG + SIG64 + 1; rc == 0 && i < ENVELOPE_TRAILER - (sizeof tail - 1); i++)
        if (t[i] != '.')
            rc = err_set(e, ERR_CORRUPT, "trailer: byte %zu: want '.'", i);
    if (rc == 0 && t[BEFORE_SIG + SIG64] != ' ')
        rc = err_set(e, ERR_CORRUPT, "trailer: want a blank behind the signature");
    if (rc == 0 && who)
        *who = k;
    return rc;
}

int envelope_verify(struct bytes file, const struct key_public *const *keys, size_t nkeys, const struct key_public **who, struct err *e)
{
    struct envelope_digest d;
    envelope_digest(&d, file);
    return envelope_verify_digested(file, &d, keys, nkeys, who, e);
}

static uint64_t number_of(const struct rec_node *n, const char *attr)
{
    return strtoull(rec_attr(n, attr), NULL, 10);       /* the schema says digits */
}

static int read_head(struct envelope_head *h, const struct rec_node *n, struct err *e)
{
    const char *kind = rec_attr(n, "kind");
    if (strcmp(rec_attr(n, "version"), "1") != 0)
        return err_set(e, ERR_HELD, "Envelope/@version: want 1, have %.8s", rec_attr(n, "version"));
    h->kind = strcmp(kind, "batch") == 0 ? ENVELOPE_BATCH : strcmp(kind, "slice") == 0 ? ENVELOPE_SLICE : ENVELOPE_BEAT;
    snprintf(h->from, sizeof h->from, "%s", rec_attr(n, "from"));
    snprintf(h->to, sizeof h->to, "%s", rec_attr(n, "to"));
    snprintf(h->incarnation, sizeof h->incarnation, "%s", rec_attr(n, "incarnation"));
    snprintf(h->run, sizeof h->run, "%s", rec_attr(n, "run"));
    h->number = number_of(n, "number");
    if (h->number == 0)
        return err_set(e, ERR_CORRUPT, "Envelope/@number: want 1 or more, have 0");
    return clock_parse_rfc3339(&h->created_ms, rec_attr(n, "created"), e);
}

/* part: the number of the item's first chunk; behind it on return. */
static int read_item(struct envelope *v, struct envelope_item *it, const struct rec_node *n, const struct payload *p, size_t *part, struct err *e)
{
    size_t start = v->bytes.n;
    struct bytes letters;
    snprintf(it->id.s, sizeof it->id.s, "%s", rec_attr(n, "id"));
    snprintf(it->kind, sizeof it->kind, "%s", rec_attr(n, "kind"));
    snprintf(it->case_no, sizeof it->case_no, "%s", rec_attr(n, "case"));
    it->case_seq = number_of(n, "seq");
    for (const struct rec_node *c = rec_child(n, "Chunk"); c; c = rec_next(c, "Chunk")) {
        if (payload_part(p, (*part)++, c->text, &letters) < 0)
            return err_set(e, ERR_CORRUPT, "item %s: chunk: want letters alone between <Chunk> and </Chunk>", it->id.s);
        if (base64_get(&v->bytes, letters) < 0)
            return err_set(e, ERR_CORRUPT, "item %s: chunk is not base64", it->id.s);
    }
    it->sealed.n = v->bytes.n - start;
    if (it->sealed.n != number_of(n, "bytes"))
        return err_set(e, ERR_CORRUPT, "item %s: bytes: want %s, have %zu", it->id.s, rec_attr(n, "bytes"), it->sealed.n);
    return 0;
}

static int read_items(struct envelope *v, const struct rec_node *root, const struct payload *p, struct err *e)
{
    size_t total = 0, part = 0, i = 0;
    for (const struct rec_node *n = rec_child(root, "Item"); n; n = rec_next(n, "Item"))
        v->nitems++;
    v->items = calloc(v->nitems + 1, sizeof *v->items);
    for (i = 0; i < p->n; i++)
        total += p->parts[i].n / 4 * 3;
    if (!v->items || !buf_room(&v->bytes, total))
        return err_set(e, ERR_FULL, "envelope: no memory");
    i = total = 0;
    for (const struct rec_node *n = rec_child(root, "Item"); n; n = rec_next(n, "Item"))
        if (read_item(v, &v->items[i++], n, p, &part, e) < 0)
            return -1;
    for (i = 0; i < v->nitems; i++) {                   /* the buffer stands still now */
        v->items[i].sealed.p = v->bytes.p + total;
        total += v->items[i].sealed.n;
    }
    if (part != p->n)
        return err_set(e, ERR_CORRUPT, "envelope: want every chunk in an item: %zu are written, %zu are read", p->n, part);
    if (v->nitems != number_of(root, "items") || total != number_of(root, "bytes"))
        return err_set(e, ERR_CORRUPT, "envelope: items or bytes: the header says %s and %s, have %zu and %zu", rec_attr(root, "items"), rec_attr(root, "bytes"),
                       v->nitems, total);
    return 0;
}

static int read_heads(struct beat *b, const struct rec_node *n, struct err *e)
{
    const char *proof = rec_attr(n, "proof");
    size_t len = strlen(proof);
    char hex[65] = "";
    snprintf(b->head, sizeof b->head, "%s", rec_attr(n, "head"));
    snprintf(b->known_head, sizeof b->known_head, "%s", rec_attr(n, "known-head"));
    b->journal = number_of(n, "journal");
    b->since = number_of(n, "since");
    b->known = number_of(n, "known");
    if (len % 64 || len / 64 > TREE_MOST)
        return err_set(e, ERR_CORRUPT, "Beat/@proof: want hashes, at most %d, have %zu characters", TREE_MOST, len);
    for (b->nproof = 0; b->nproof < len / 64; b->nproof++) {
        memcpy(hex, proof + b->nproof * 64, 64);
        if (hash_parse(&b->proof[b->nproof], hex) < 0)
            return err_set(e, ERR_CORRUPT, "Beat/@proof: want hexadecimal digits");
    }
    return 0;
}

static int read_beat(struct beat *b, const struct rec_node *n, struct err *e)
{
    if (!n)
        return err_set(e, ERR_CORRUPT, "envelope of kind beat: want a Beat");
    snprintf(b->ack, sizeof b->ack, "%s", rec_attr(n, "ack"));
    snprintf(b->health, sizeof b->health, "%s", rec_attr(n, "health"));
    b->contiguous = number_of(n, "contiguous");
    b->sent = number_of(n, "sent");
    b->heard = number_of(n, "heard");
    b->held = number_of(n, "held");
    b->config_version = number_of(n, "config");
    b->protocol = (unsigned)number_of(n, "protocol");
    if (read_heads(b, n, e) < 0)
        return -1;
    for (const struct rec_node *r = rec_child(n, "Range"); r && b->nranges < ENVELOPE_RANGES; r = rec_next(r, "Range")) {
        struct beat_range x = {number_of(r, "from"), number_of(r, "to")};
        if (x.from > x.to || x.from <= b->contiguous)
            return err_set(e, ERR_CORRUPT, "Beat/Range: want from above contiguous and not above to");
        b->ranges[b->nranges++] = x;
    }
    for (const struct rec_node *r = rec_child(n, "Run"); r && b->nruns < ENVELOPE_RUNS; r = rec_next(r, "Run")) {
        struct beat_run x = {.from = number_of(r, "from"), .to = number_of(r, "to")};
        snprintf(x.id, sizeof x.id, "%s", rec_attr(r, "id"));
        if (x.from < 1 || x.from > x.to)
            return err_set(e, ERR_CORRUPT, "Beat/Run: want from 1 or more and not above to");
        b->runs[b->nruns++] = x;
    }
    return 0;
}

static int read_tree(struct envelope *out, const struct rec_node *root, const struct payload *p, struct err *e)
{
    const struct rec_node *beat = rec_child(root, "Beat");
    if (read_head(&out->head, root, e) < 0)
        return -1;
    if (beat && out->head.kind != ENVELOPE_BEAT)
        return err_set(e, ERR_CORRUPT, "envelope: want a Beat in a beat alone");
    return out->head.kind == ENVELOPE_BEAT ? read_beat(&out->beat, beat, e) : read_items(out, root, p, e);
}

int envelope_read(struct envelope *out, struct bytes file, struct child_pool *parser, struct err *e)
{
    struct record r;
    struct payload p;
    *out = (struct envelope){0};
    if (payload_lift(&p, file, e) < 0)
        return -1;
    int rc = record_parse(&r, parser, 'E', "envelope", buf_bytes(&p.skeleton), e);
    if (rc == 0) {
        buf_init(&out->bytes, ENVELOPE_MAX);
        rc = read_tree(out, r.root, &p, e);
        record_free(&r);
        if (rc < 0)
            envelope_free(out);
    }
    payload_free(&p);
    return rc;
}

void envelope_free(struct envelope *v)
{
    free(v->items);
    buf_clear(&v->bytes);
    *v = (struct envelope){0};
}
