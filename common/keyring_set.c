/* keyring_set.c - a snapshot of a ring with its keys loaded: which key signs, opens, may have signed. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyring_parts.h"

struct key_set {
    atomic_uint refs;
    bool borrowed;                           /* the pairs belong to somebody else */
    size_t own, peer;                        /* indexes of the current ones */
    struct key_list list;
};

static struct key_set *new_set(const struct key_list *list, struct err *e)
{
    struct key_set *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(e, ERR_FULL, "keyring: no memory");
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->list = *list;
    for (size_t i = 0; i < list->n; i++)
        if (list->key[i].state == KEY_CURRENT)
            *(list->key[i].own ? &s->own : &s->peer) = i;
    return s;
}

struct key_set *key_set_borrow(const struct key_list *list, struct err *e)
{
    struct key_set *s = new_set(list, e);
    if (s)
        s->borrowed = true;
    return s;
}

/* The file must hold the key that the list says. */
static int load_key(struct key_entry *k, const char *dir, struct err *e)
{
    char path[1300], id[17];
    struct key_pair *pair = NULL;
    if (str_fmt(path, sizeof path, e, "%s%s%s", k->file[0] == '/' ? "" : dir, k->file[0] == '/' ? "" : "/", k->file) < 0)
        return -1;
    if (k->own ? keys_load(&pair, path, e) < 0 : keys_load_public(&k->pub, path, e) < 0)
        return -1;
    if (k->own) {
        k->pair = pair;
        k->pub = *keys_public(pair);
    }
    hex_put(id, k->pub.id.b, 8);
    if (k->pub.suite != k->suite)
        return err_set(e, ERR_CORRUPT, "%s: want a key of suite %u, have one of suite %u", path, k->suite, k->pub.suite);
    return strcmp(id, k->id) == 0 ? 0 : err_set(e, ERR_CORRUPT, "%s: want key %s, have %s", path, k->id, id);
}

int key_set_load(struct key_set **out, const struct key_list *list, const char *dir, struct err *e)
{
    struct key_set *s = new_set(list, e);
    if (!s)
        return -1;
    for (size_t i = 0; i < s->list.n; i++)
        s->list.key[i].pair = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->list.n; i++)
        rc = load_key(&s->list.key[i], dir, e);
    const char *ours = s->list.key[s->own].pub.name, *theirs = s->list.key[s->peer].pub.name;
    for (size_t i = 0; rc == 0 && i < s->list.n; i++)
        if (strcmp(s->list.key[i].pub.name, s->list.key[i].own ? ours : theirs) != 0)
            rc = err_set(e, ERR_INPUT, "keys: want %s for %s, have key %s of %s", s->list.key[i].own ? ours : theirs, s->list.key[i].own ? "ours" : "the peer's",
                         s->list.key[i].id, s->list.key[i].pub.name);
    if (rc < 0) {
        key_set_release(s);
        return -1;
    }
    *out = s;
    return 0;
}

void key_set_hold(struct key_set *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void key_set_release(struct key_set *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; !s->borrowed && i < s->list.n; i++)
        keys_free((struct key_pair *)s->list.key[i].pair);
    free(s);
}

const struct key_list *key_set_list(const struct key_set *s)
{
    return &s->list;
}

const struct key_pair *key_set_own(const struct key_set *s)
{
    return s->list.key[s->own].pair;
}

const struct key_public *key_set_peer(const struct key_set *s)
{
    return &s->list.key[s->peer].pub;
}

const struct key_pair *key_set_signer(const struct key_set *s, const char *incarnation, uint64_t number)
{
    const struct key_entry *now = &s->list.key[s->own];
    if (strcmp(now->incarnation, incarnation) != 0 || number >= now->from)
        return now->pair;
    for (size_t i = 0; i < s->list.n; i++) {
        const struct key_entry *k = &s->list.key[i];
        if (k->own && k->state == KEY_ACCEPTING && strcmp(k->ended, incarnation) == 0 && number < k->until &&
            (strcmp(k->incarnation, incarnation) != 0 || number >= k->from))
            return k->pair;
    }
    return now->pair;
}

const struct key_entry *key_set_find(const struct key_set *s, const uint8_t id[8])
{
    for (size_t i = 0; i < s->list.n; i++)
        if (memcmp(s->list.key[i].pub.id.b, id, 8) == 0)
            return &s->list.key[i];
    return NULL;
}

size_t key_set_peers(const struct key_set *s, const struct key_public *list[KEYRING_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s->list.n; i++)
        if (!s->list.key[i].own)
            list[n++] = &s->list.key[i].pub;
    return n;
}

int key_entry_may_sign(const struct key_entry *k, const char *incarnation, uint64_t number, bool kept, struct err *e)
{
    if (k->state == KEY_ANNOUNCED && !k->trusted)
        return err_set(e, ERR_HELD, "key %s was announced, but nobody here trusts it yet (ferry key trust)", k->id);
    if (kept)
        return 0;                            /* it was judged when it came */
    if (k->state == KEY_RETIRED || k->state == KEY_REVOKED)
        return err_set(e, ERR_CORRUPT, "key %s of %s is %s: nothing signed by it is accepted", k->id, k->pub.name, key_state_words[k->state]);
    if (k->state != KEY_ACCEPTING || !number || !*k->ended || (strcmp(k->ended, incarnation) == 0 && number < k->until))
        return 0;
    return err_set(e, ERR_CORRUPT, "key %s of %s ended before number %llu of stream %s, and signs number %llu of %.16s", k->id, k->pub.name, (unsigned long long)k->until,
                   k->ended, (unsigned long long)number, incarnation);
}

/* A key that an item's header names. */
static int judge_item_key(const struct key_entry *k, const uint8_t id[8], bool own, bool *revoked, struct err *e)
{
    char hex[17];
    hex_put(hex, id, 8);
    if (!k || k->own != own)
        return err_set(e, ERR_HELD, "sealed item: key id %s of the %s is not one that we hold: somebody must bring it", hex, own ? "recipient" : "sender");
    if (!own && k->state == KEY_ANNOUNCED && !k->trusted)
        return err_set(e, ERR_HELD, "sealed item: sender key %s was announced, but nobody here trusts it yet (ferry key trust)", hex);
    *revoked |= k->state == KEY_REVOKED;
    return 0;
}

int key_set_open(struct manifest *m, struct buf *content, struct bytes sealed, const struct key_set *s, bool *revoked, struct err *e)
{
    struct key_id to, from;
    *revoked = false;
    if (seal_ids(&to, &from, sealed, e) < 0)
        return -1;
    const struct key_entry *recipient = key_set_find(s, to.b), *sender = key_set_find(s, from.b);
    if (judge_item_key(recipient, to.b, true, revoked, e) < 0 || judge_item_key(sender, from.b, false, revoked, e) < 0)
        return -1;
    return seal_open(m, content, sealed, recipient->pair, &sender->pub, e);
}
