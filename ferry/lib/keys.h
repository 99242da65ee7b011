/* keys.h - the life of keys over the ferry: what is told to the peer, what is heard from it, and the operator's verbs.
 *
 *   ours                                    what crosses (record kind key, schemas/xsd/key.xsd)        the peer's ring
 *   ferry key generate   -> announced       announced, with the public halves      ->                  announced, not trusted
 *                                           <- trusted                             a person compared the fingerprint: ferry key trust
 *   ferry key use        -> current         current, from this number of this stream on ->             current; the old one accepting, up to that number
 *     the old one        -> accepting
 *   ferry key retire                        asking ->   <- open n | clear
 *                        -> retired         retired ->                                                 retired
 *   ferry key revoke     -> revoked         revoked ->, in a new incarnation (resync.h)                revoked; cases of it are marked
 *
 * What is heard is noted in the record's transaction (key_word) and carried into the ring by the clock thread; what must be told is told from the
 * ring's state (key_entry.told) by the same thread, under an id drawn from key and word, so that a crash in between says it once.
 * A word whose time has not come (current of a key that nobody trusts yet) waits in its row and is in the status. Source: SEC-04, SEC-05, FRY-14. */
#ifndef FERRY_KEYS_H
#define FERRY_KEYS_H

#include "ferry/lib/command.h"
#include "ferry/lib/delivery.h"

/* Clock thread: follow the ring, take up what was heard, tell what is to be told. */
void keys_tick(struct delivery *d);
/* Into status.json, with a comma behind: "keys":[…],"key_warning":n,"key_trouble":"…". *warning: 0, 60, 30, 7 or 1. */
void keys_status(struct buf *out, struct delivery *d, int64_t now_ms, unsigned *warning);
/* In the transaction that settles an item of a case: which keys it came under. */
int keys_note_case(struct db_conn *c, const char *case_no, struct bytes sealed, int64_t now_ms, struct err *e);

/* The handler of kind `key`; app is the struct delivery. */
int keys_prepare(void *delivery, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
int keys_apply(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e);
void keys_discard(void *prepared);

/* Verbs: keys {} lists the ring; keys-reload {}; key-use {id, confirmed?}; key-retire {id}, to be asked again while its word is "asked"; key-revoke {id}. */
int keys_verb_list(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);
int keys_verb_use(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);
int keys_verb_retire(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);
int keys_verb_revoke(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);

#endif
