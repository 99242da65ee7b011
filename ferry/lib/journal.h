/* journal.h - what this side did and saw at the crossing, each step in an entry that nobody can change afterwards without the other side noticing.
 *
 *   entry n   own = BLAKE2b-256("hz-journal-1\n" seq at_ms what incarnation number item kind case hash prev, a line each), prev the own of entry n-1
 *   head      the root of the tree (tree.h) over own 1..n; it travels with n in every beat, is signed with it and kept by the peer (heads.h)
 *
 *   what        incarnation, number        item  hash         when
 *   sealed      -                          yes   sealed item  enqueued
 *   placed      ours, file                 yes   sealed item  taken into a file
 *   sent        ours, file                 -     file         published; again only if its bytes changed
 *   acked       ours, file                 -     file         a beat of the peer named it as received
 *   confirmed   -                          yes   sealed item  the peer confirmed it: purged here
 *   received    the peer's, file           -     file         applied, with its items
 *   applied refused held waiting           yes   sealed item  what became of an item; the peer's file when it came just now
 *   resync      ours, new; size of a head  -     head         begun anew after a restore; the head is the last of our journal that the peer heard
 *   peer-resync the peer's, new; size      -     head         the peer began anew; the head is the last of its journal that we heard
 *
 * An entry is written in the transaction of what it records. A restored or emptied side's journal goes on from what it remembers: the peer alarms until
 * the operator's resync, after which the new incarnation's heads are a list of their own and both journals name the head that was lost.
 * Entries stay for ever and name no person. Those that put run inside a write closure, the others in any. SEC-12, SEC-13, FRY-14. */
#ifndef FERRY_JOURNAL_H
#define FERRY_JOURNAL_H

#include "common/db.h"
#include "ferry/lib/tree.h"

struct journal_entry {
    uint64_t seq;                        /* given by journal_put */
    int64_t at_ms;
    char what[12], incarnation[17];
    uint64_t number;
    char item[33], kind[24], case_no[17], hash[65];
    struct hash256 prev, own;            /* prev of the first entry: zeroes */
};

struct journal_head { uint64_t size; char root[65]; };

/* The bytes that own is made of, for verifiers too. */
void journal_hash(struct hash256 *out, const struct journal_entry *x);

int journal_prepare(struct db *db, struct err *e);
/* seq, prev and own are filled in. */
int journal_put(struct db_conn *c, struct journal_entry *x, struct err *e);

/* --- what the delivery records --- */
int journal_item(struct db_conn *c, const char *what, const char *id, const char *kind, const char *case_no, const char *hash, int64_t now_ms, struct err *e);
int journal_placed(struct db_conn *c, uint64_t number, int64_t now_ms, struct err *e);         /* after items got the number */
int journal_sent(struct db_conn *c, uint64_t number, const char *hash, int64_t now_ms, struct err *e);        /* before the file's row gets the hash */
int journal_acked(struct db_conn *c, uint64_t from, uint64_t to, int64_t now_ms, struct err *e);              /* before the files' rows go */
int journal_confirmed(struct db_conn *c, const char *id, int64_t now_ms, struct err *e);                      /* before the item's row goes */
int journal_received(struct db_conn *c, const char *incarnation, uint64_t number, const char *hash, int64_t now_ms, struct err *e);
/* what: applied refused held waiting. incarnation "", number 0: it lay here already. */
int journal_imported(struct db_conn *c, const char *what, const char *incarnation, uint64_t number, const char *id, const char *kind, const char *case_no, const char *hash,
                     int64_t now_ms, struct err *e);
int journal_resync(struct db_conn *c, const char *what, const char *incarnation, const struct journal_head *lost, int64_t now_ms, struct err *e);

/* --- reading --- */
int journal_size(struct db_conn *c, uint64_t *size, struct err *e);
/* ERR_MISSING: there are fewer entries. */
int journal_root(struct db_conn *c, uint64_t size, struct hash256 *root, struct err *e);
int journal_head(struct db_conn *c, struct journal_head *out, struct err *e);
int journal_path(struct db_conn *c, uint64_t seq, uint64_t size, struct hash256 out[TREE_MOST], size_t *n, struct err *e);
int journal_proof(struct db_conn *c, uint64_t from, uint64_t to, struct hash256 out[TREE_MOST], size_t *n, struct err *e);
/* Entries of a case and of the files that its items travelled in, by place; at most max. ERR_TOO_LARGE: more. */
int journal_of_case(struct db_conn *c, const char *case_no, struct journal_entry *out, size_t max, size_t *n, struct err *e);
/* Those made in [from_ms, to_ms), by place; prev is not filled in. fn: -1 ends it. */
typedef int (*journal_fn)(void *arg, const struct journal_entry *x, struct err *e);
int journal_each(struct db_conn *c, int64_t from_ms, int64_t to_ms, journal_fn fn, void *arg, struct err *e);
/* The last entry with one of these words about an item (stream NULL), or about a file. 1 one, 0 none. words: "applied refused …", separated by blanks. */
int journal_last(struct db_conn *c, const char *words, const char *item, const char *incarnation, uint64_t number, struct journal_entry *out, struct err *e);
/* Is there an entry with this word about a file with just these bytes? One number may stand for several: sent again under another key, or without the
 * items that were confirmed meanwhile. 1 yes, 0 no. */
int journal_file_was(struct db_conn *c, const char *word, const char *incarnation, uint64_t number, const char *hash, struct err *e);

#endif
