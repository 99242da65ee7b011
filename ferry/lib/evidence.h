/* evidence.h - one file that shows what one side did and saw of a case: sealed, sent, crossed, imported, acknowledged; each step with what is needed to
 * compute its hash anew and a path to a head of the journal that the other side signed in a beat. Anyone with the public keys can check it offline.
 *
 *   {"format": "hz-evidence-1", "side", "peer", "case", "at_ms",
 *    "size", "head"                                   the journal when the file was written
 *    "beats": [base64, …]                             files of the peer as they came, signed
 *    "entries": [{"seq", "at_ms", "what", "incarnation", "number", "item", "kind", "case", "hash", "prev", "beat", "path": [hex, …]}, …]
 *                                                     beat: which of the beats has the head that path leads to; -1: none yet, it leads to "head"
 *    "key", "signature"}                              hex, of the key's suite; domain hz-evidence-1, over the compact JSON, keys sorted, without "signature"
 *
 * Holds no content and names no person. Owns: struct evidence until evidence_free. Threads: none shared. SEC-12, SEC-13, FRY-14. */
#ifndef FERRY_EVIDENCE_H
#define FERRY_EVIDENCE_H

#include "ferry/lib/command.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/journal.h"

#define EVIDENCE_BYTES ((size_t)64 << 20)
#define EVIDENCE_ENTRIES 20000

/* Verb evidence {case}: the answer's "evidence" is the file. ERR_MISSING: the journal knows nothing of the case. */
int evidence_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);

/* --- reading and checking, without a delivery --- */
struct evidence_beat {
    struct buf file;
    char from[16], to[16], incarnation[17], ack[17], head[65], known_head[65];
    int64_t at_ms;
    uint64_t contiguous, journal, known;
    struct beat_range ranges[ENVELOPE_RANGES];
    size_t nranges;
};
struct evidence_entry { struct journal_entry x; int beat; struct hash256 path[TREE_MOST]; size_t npath; };
struct evidence {
    char side[16], peer[16], case_no[17], key[17];
    int64_t at_ms;
    uint64_t size;
    struct hash256 head;
    uint8_t signature[64];
    struct buf body;                     /* what was signed */
    struct evidence_beat *beats;
    struct evidence_entry *entries;
    size_t nbeats, nentries;
};
/* Form only: ERR_INPUT when it is none. Nothing is believed before evidence_check. */
int evidence_read(struct evidence *out, struct bytes file, struct err *e);
void evidence_free(struct evidence *v);

enum evidence_verdict { EVIDENCE_HOLDS, EVIDENCE_OPEN, EVIDENCE_FAILS };
/* One thing that was looked at. about: "file", "beat", a word of journal.h; or "crossed": something that the two files must agree on. */
struct evidence_step {
    enum evidence_verdict verdict;
    const char *side, *about;
    const struct journal_entry *entry;   /* NULL: of file and beat */
    int64_t at_ms;                       /* when it happened, by that side's clock */
    int64_t vouched_ms;                  /* when the other side signed a head with it, 0 = not shown */
    char want[160], have[160];           /* of a step that does not hold or is open */
};
typedef void (*evidence_say)(void *arg, const struct evidence_step *s);
/* How many steps do not hold. */
size_t evidence_check(const struct evidence *v, const struct key_public *const *keys, size_t nkeys, evidence_say say, void *arg);
/* Both sides' files of one case, each checked before. */
size_t evidence_cross(const struct evidence *a, const struct evidence *b, evidence_say say, void *arg);

#endif
