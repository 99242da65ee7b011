/* envelope.h - the file that crosses: written whole, signed in its last 256 bytes, read whole.
 *
 *   <?xml …?><Envelope kind from to incarnation number created items bytes> items or one beat
 *   <Trailer>HZT2 01 KEYID(16) OFFSET(12 digits) SIGNATURE(base64, 88) …</Trailer></Envelope>\n     exactly 256 bytes
 *
 * 01 is the suite, two digits: that of the key, else the file is refused. OFFSET is where the trailer begins; the signature (64 bytes in each suite, domain
 * "hz-envelope-2") is over the hash, in the suite's, of every byte before itself: a file is read once to be signed, once to be verified.
 * Owns:    struct envelope owns its items until envelope_free. Threads: none shared.
 * Errors:  ERR_CORRUPT: does not verify, or lies about itself, or names another suite than its key's; ERR_HELD: another suite, version or key than we know. */
#ifndef FERRY_ENVELOPE_H
#define FERRY_ENVELOPE_H

#include "common/child.h"
#include "common/seal.h"
#include "ferry/lib/tree.h"

#define ENVELOPE_TRAILER 256u
#define ENVELOPE_MAX ((size_t)7 << 20)          /* no file is larger, whatever the configuration */
#define ENVELOPE_RANGES 64
#define ENVELOPE_RUNS 8
#define ENVELOPE_PROTOCOL 1u                    /* of items */
#define BEAT_PROTOCOL 2u                        /* of beats: 2 adds the journals' heads, for a peer whose own beats name 2 */

enum envelope_kind { ENVELOPE_BATCH, ENVELOPE_SLICE, ENVELOPE_BEAT };

struct envelope_head {
    enum envelope_kind kind;
    char from[16], to[16];
    char incarnation[17];
    char run[17];                               /* start that gave the number out (runs.h), "" in beats */
    uint64_t number;
    int64_t created_ms;                         /* whole seconds */
};

struct envelope_item {
    struct id128 id;
    char kind[24];
    char case_no[17];
    uint64_t case_seq;
    struct bytes sealed;
};

struct beat_range { uint64_t from, to; };
struct beat_run { char id[17]; uint64_t from, to; };
struct beat {
    char ack[17];                               /* incarnation of the peer that is spoken of, "" if none was heard */
    uint64_t contiguous;
    struct beat_range ranges[ENVELOPE_RANGES];
    size_t nranges;
    struct beat_run runs[ENVELOPE_RUNS];        /* of the peer's files that came, newest first (runs.h) */
    size_t nruns;
    uint64_t sent;                              /* highest number of ours */
    uint64_t heard;                             /* newest beat heard of the stream in ack: what follows was said after it */
    char health[12];                            /* fine warning critical */
    uint64_t held, config_version;
    unsigned protocol;
    uint64_t journal, since, known;             /* heads.h; head "": a beat of protocol 1 */
    char head[65], known_head[65];              /* known_head "": none was heard */
    struct hash256 proof[TREE_MOST];
    size_t nproof;
};

/* "b-internet-0123456789abcdef-000000000017.xml"; s- for slices, beat- for beats. */
void envelope_name(char out[80], const struct envelope_head *h);
/* What such a name says, without looking into the file: kind, from, incarnation, number. false: it is none. */
bool envelope_named(const char *name, struct envelope_head *out);
int envelope_write(struct buf *out, const struct envelope_head *h, const struct envelope_item *items, size_t n, const struct key_pair *key, struct err *e);
/* The same; *hash gets hash_of the whole file, for which nothing is read again. */
int envelope_write_hashed(struct buf *out, struct hash256 *hash, const struct envelope_head *h, const struct envelope_item *items, size_t n, const struct key_pair *key, struct err *e);
int envelope_write_beat(struct buf *out, const struct envelope_head *h, const struct beat *b, const struct key_pair *key, struct err *e);
/* What the bytes of a file hash to, without a key: before its trailer's signature in the suite that the trailer names, and whole by hash_of. Nothing is judged,
 * so that anybody can do it ahead. suite 0: too short, too long, not ending in a trailer, or of a suite that cannot be used here. */
struct envelope_digest { unsigned suite; struct hash256 part, whole; };
void envelope_digest(struct envelope_digest *out, struct bytes file);
/* Trailer only: position, magic, suite, key, signature over the exact bytes. No parser. keys: those that may sign; *who gets the one that did. */
int envelope_verify(struct bytes file, const struct key_public *const *keys, size_t nkeys, const struct key_public **who, struct err *e);
/* The same with the digest of these very bytes. */
int envelope_verify_digested(struct bytes file, const struct envelope_digest *d, const struct key_public *const *keys, size_t nkeys, const struct key_public **who, struct err *e);

struct envelope {
    struct envelope_head head;
    struct beat beat;                           /* kind beat */
    struct envelope_item *items;
    size_t nitems;
    struct buf bytes;                           /* behind the items */
    struct hash256 hash;                        /* of the file; for whoever verified it to fill in */
};
/* After envelope_verify. The parser sees the skeleton alone (payload.h). */
int envelope_read(struct envelope *out, struct bytes file, struct child_pool *parser, struct err *e);
void envelope_free(struct envelope *v);
/* How many bytes an item of this many sealed bytes takes in a file. */
size_t envelope_item_size(size_t sealed);

#endif
