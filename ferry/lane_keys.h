/* lane_keys.h - who may have signed the files of one direction: the configured public key, and NAME-KEYID.pub of the same name beside it, where
 * `ferry key trust` puts the successors. No secret key, no states: the receiving side judges those.
 * Owns: nothing; the path is borrowed. Threads: none shared. */
#ifndef FERRY_LANE_KEYS_H
#define FERRY_LANE_KEYS_H

#include "common/keyring.h"

struct lane_keys {
    const char *path;                        /* of the configured key */
    struct key_public keys[KEYRING_MAX];
    const struct key_public *list[KEYRING_MAX];
    size_t n;
    int64_t seen_ms;                         /* the folder's time when it was read, 0 = read it again */
    size_t ignored;                          /* files of a fitting name that hold no such key */
};

/* ERR_MISSING and others: the configured key cannot be read; what was loaded before stays. */
int lane_keys_load(struct lane_keys *l, const char *path, struct err *e);
/* The same again when the folder changed. */
int lane_keys_follow(struct lane_keys *l, bool *changed, struct err *e);

#endif
