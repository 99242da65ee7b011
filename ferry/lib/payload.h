/* payload.h - the letters of an envelope's chunks, kept away from the parser.
 *
 * Nearly all of a file is base64 between <Chunk> and </Chunk>. The parser is given the skeleton instead: the same text with the letters of each chunk
 * replaced by its number, eight digits, counted from 0. What stands in a chunk is letters alone (no '<', '&' or ']' can come of them, base64_get is strict),
 * so the skeleton has the file's elements and attributes. A chunk that is written otherwise (attributes, a blank in the tag, CDATA, a comment around it) stays
 * as it is or is counted where the parser sees none: envelope_read wants number after number, and every one, so either is refused.
 * Owns:    struct payload owns the skeleton and the list until payload_free; the parts borrow the file. Threads: none shared.
 * Source:  FRY-14; threats: a parser that is given megabytes of the peer's bytes. */
#ifndef FERRY_PAYLOAD_H
#define FERRY_PAYLOAD_H

#include "common/bytes.h"

#define PAYLOAD_PARTS 20000u                    /* most chunks of a file: the parser takes no more elements */
#define PAYLOAD_PART ((size_t)65536)            /* most letters of one: maxLength in the schema, which does not see them */

struct payload { struct buf skeleton; struct bytes *parts; size_t n, room; };

/* ERR_INPUT: a chunk too long, or too many; ERR_FULL. */
int payload_lift(struct payload *out, struct bytes file, struct err *e);
/* Letters of the chunk of which the skeleton says `text`, which must be number `i`. -1 without e: it is not. */
int payload_part(const struct payload *p, size_t i, const char *text, struct bytes *letters);
void payload_free(struct payload *p);

#endif
