/* ferry_forge.c - a hostile sender: files that look like the internet side's but break one rule each.
 *
 *   ferry_forge KIND OWN.key PEER.pub NUMBER > FILE
 *
 * doctype   a declaration of document type and an entity, under a good signature      stranger  signed by a key that nobody knows
 * to-self   addressed to its own sender                                               rewrapped item's id differs from the one that was sealed
 * garbage   item's bytes are no sealed item                                           other     sealed for another recipient
 * unbound   item's kind has no handler                                                good      nothing is wrong with the envelope; its item is no XML */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/envelope.h"

#define TRAILER_BEFORE_SIGNATURE 47u      /* "<Trailer>HZT2 01 " key(16) " " offset(12) " " */

static void check(int rc, const struct err *e)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "ferry_forge: %s\n", e->msg);
    exit(1);
}

/* Put `text` behind the XML declaration and sign anew: only what a filter or parser must see is wrong. */
static void insert_signed(struct buf *out, struct bytes file, const char *text, const struct key_pair *key)
{
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    size_t at = sizeof declaration - 1, start = file.n - ENVELOPE_TRAILER + strlen(text);
    char offset[13];
    uint8_t sig[64];
    struct buf sig64;
    buf_init(out, 0);
    buf_init(&sig64, 0);
    buf_put(out, file.p, at);
    buf_str(out, text);
    buf_put(out, file.p + at, file.n - at);
    snprintf(offset, sizeof offset, "%012zu", start);
    memcpy(out->p + start + TRAILER_BEFORE_SIGNATURE - 13, offset, 12);
    struct hash256 digest;
    struct err e = {0};
    check(suite_hash(&digest, (struct bytes){out->p, start + TRAILER_BEFORE_SIGNATURE}, keys_public(key)->suite, &e), &e);
    sign_bytes(sig, "hz-envelope-2", (struct bytes){digest.b, sizeof digest.b}, key);
    base64_put(&sig64, (struct bytes){sig, sizeof sig});
    memcpy(out->p + start + TRAILER_BEFORE_SIGNATURE, sig64.p, sig64.n);
    buf_clear(&sig64);
}

static void forge_item(struct envelope_item *it, struct buf *sealed, const char *kind, const struct key_pair *own, const struct key_public *to)
{
    struct manifest m = {.kind = "application", .config_version = 1, .protocol = 1};
    struct err e = {0};
    buf_init(sealed, 0);
    id_random(&m.id);
    if (strcmp(kind, "unbound") == 0)
        snprintf(m.kind, sizeof m.kind, "coffee");
    if (strcmp(kind, "garbage") == 0)
        buf_str(sealed, "<script>alert(1)</script>");
    else
        check(seal_item(sealed, &m, bytes_of("no XML at all"), own, to, &e), &e);
    *it = (struct envelope_item){.id = m.id, .case_no = "", .case_seq = 0, .sealed = buf_bytes(sealed)};
    if (strcmp(kind, "rewrapped") == 0)
        id_random(&it->id);
    snprintf(it->kind, sizeof it->kind, "%s", m.kind);
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct key_pair *own = NULL, *stranger = NULL;
    struct key_public peer;
    struct envelope_item item;
    struct buf sealed, file, forged;
    uint64_t number = 0;
    if (argc != 5 || parse_u64(argv[4], 1, 999999999999, &number, "NUMBER", &e) < 0) {
        fprintf(stderr, "usage: ferry_forge KIND OWN.key PEER.pub NUMBER\n");
        return 2;
    }
    const char *kind = argv[1];
    bool strange = strcmp(kind, "stranger") == 0;
    check(seal_init(&e), &e);
    check(keys_load(&own, argv[2], &e), &e);
    check(keys_load_public(&peer, argv[3], &e), &e);
    check(keys_generate(&stranger, "internet", &e), &e);
    struct envelope_head h = {.kind = ENVELOPE_BATCH, .incarnation = "f0f0f0f0f0f0f0f0", .number = number, .created_ms = clock_wall_ms() / 1000 * 1000};
    snprintf(h.from, sizeof h.from, "%s", keys_public(own)->name);
    snprintf(h.to, sizeof h.to, "%s", strcmp(kind, "to-self") == 0 ? h.from : peer.name);
    forge_item(&item, &sealed, kind, own, strcmp(kind, "other") == 0 ? keys_public(stranger) : &peer);
    buf_init(&file, ENVELOPE_MAX);
    check(envelope_write(&file, &h, &item, 1, strange ? stranger : own, &e), &e);
    if (strcmp(kind, "doctype") == 0)
        insert_signed(&forged, buf_bytes(&file), "<!DOCTYPE Envelope [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b SYSTEM \"file:///etc/passwd\">]>\n", own);
    else {
        buf_init(&forged, 0);
        buf_put(&forged, file.p, file.n);
    }
    fwrite(forged.p, 1, forged.n, stdout);
    keys_free(own);
    keys_free(stranger);
    buf_clear(&sealed);
    buf_clear(&file);
    buf_clear(&forged);
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
