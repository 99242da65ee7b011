/* probe.h - a file that means nothing: `ferry doctor --gateway` sends it to learn what the gateway does to files on the way.
 *
 *   p-FROM-NONCE.xml                                 the probe; FROM internet or intranet, NONCE 16 hex digits
 *   p-FROM-NONCE-WORD-OFFSET-WANT-HAVE-SIZE.xml      the answer of the side that received NONCE's probe: what became of it; the bytes of an answer are a
 *                                                    probe, too, of the other direction
 *
 * The bytes follow from FROM and NONCE alone, so whoever sees the file can say what should be in it: nobody needs a key, and a changed one cannot carry
 * anything. They look like one of our batches (UTF-8, long base64 line, some 0.9 MB) and hold what filters like to change. The mover carries
 * an exact probe and sets any other aside; the receiver answers and lets an exact one go, and sets any other aside; nobody parses one.
 * Threads: none shared. Owns: nothing. */
#ifndef FERRY_PROBE_H
#define FERRY_PROBE_H

#include "common/bytes.h"

#define PROBE_NAME 128
#define PROBE_KEEP_S 120                 /* an answer lies in the inbox so long for the command that waits for it */

enum probe_word { PROBE_FINE, PROBE_EMPTY, PROBE_BOM, PROBE_CHARSET, PROBE_CUT, PROBE_ADDED, PROBE_DAMAGED, PROBE_CRLF, PROBE_BLANKS, PROBE_REPLACED, PROBE_REWRITTEN, PROBE__COUNT };
extern const char *const probe_words[];

struct probe_verdict {
    enum probe_word word;
    uint64_t offset, size;               /* first byte that differs; bytes of what arrived */
    uint8_t want[8], have[8];            /* from there on */
    size_t nwant, nhave;                 /* 0: the file ends there */
};
struct probe_name { char from[16], nonce[17]; bool answer; struct probe_verdict verdict; };

/* -1: no probe's name. */
int probe_name_parse(struct probe_name *out, const char *name);
void probe_name_print(char out[PROBE_NAME], const struct probe_name *p);
void probe_bytes(struct buf *out, const char *from, const char *nonce);
void probe_judge(struct probe_verdict *out, struct bytes want, struct bytes have);
/* probe_judge of what this name should hold. ERR_CORRUPT, in words, unless it is exact; *out may be NULL. */
int probe_check(struct probe_verdict *out, const struct probe_name *p, struct bytes have, struct err *e);
/* "offset 38: want 0a3c, have 0d0a" */
void probe_tell(char out[96], const struct probe_verdict *v);

struct delivery;
/* The receiver met a probe or an answer. 1: leave it where it lies, 0: done with it, -1: set it aside. */
int probe_arrived(struct delivery *d, const struct probe_name *p, struct bytes body, int64_t mtime_ms, struct err *e);

#endif
