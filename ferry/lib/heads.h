/* heads.h - each side tells the head of its journal in every beat, with the proof that it continues the head which the other last heard, and says back
 * which head of the other's it has. So neither journal can be rewritten alone: what was heard is kept with the beat that the peer signed.
 *
 *   Beat/@journal, @head           our entries, and the root over them
 *   Beat/@since, @proof            the head that you said you have of us, and the hashes that lead from it to ours (tree.h)
 *   Beat/@known, @known-head       the head that we have of you
 * Sent only to a peer whose beats name protocol 2. Trouble (delivery_state.journal, critical) while a beat of the peer shows a journal that went back,
 * has another head at a known place or does not continue the head we have (or shows no proof from a head we have for an hour); and while the peer has a head of ours that our journal does not give.
 * An honest side that was restored ends it by a resync: its new incarnation's heads are a list of their own (journal.h). SEC-12, SEC-13, MON-03. */
#ifndef FERRY_HEADS_H
#define FERRY_HEADS_H

#include "ferry/lib/envelope.h"
#include "ferry/lib/journal.h"

struct delivery;

int heads_prepare(struct db *db, struct err *e);
/* In a closure: what our next beat says. our, peer: streams, "" = never heard. told: size of our head that the peer named last, 0 = none since the start. */
int heads_say(struct db_conn *c, const char *our, const char *peer, uint64_t told, struct beat *b, struct err *e);
/* In a closure, for a beat that speaks of our stream: does our journal give the head that the peer has of us? why: "" yes, else in words. */
int heads_ours(struct db_conn *c, const struct beat *b, char why[160], struct err *e);
/* Receiver thread, behind beat_heard: body is the signed file. */
int heads_heard(struct delivery *d, const struct envelope *v, struct bytes body, int64_t now_ms, struct err *e);

/* In a closure: signed beats of the peer for an evidence file. seq > 0: the oldest kept one that has a head of ours with this entry; else the oldest kept
 * one that says that file `number` of our `stream` was received. 1 one (row, its head of ours, the file appended), 0 none. */
struct kept_beat { int64_t row; uint64_t our_size; };
int heads_beat(struct db_conn *c, uint64_t seq, const char *stream, uint64_t number, struct kept_beat *out, struct buf *file, struct err *e);

#endif
