/* ahead.h - while one file is applied, the next of the round is read and hashed: half of the work on a photograph, and nothing of it judges.
 * Owns:    a thread and one file (at most ENVELOPE_MAX bytes) that was not taken yet.
 * Threads: all calls from one thread. Without a thread (NULL: none could be started) the same answers come, later. */
#ifndef FERRY_AHEAD_H
#define FERRY_AHEAD_H

#include "ferry/lib/envelope.h"

struct ahead;

struct ahead *ahead_start(void);
void ahead_stop(struct ahead *a);               /* accepts NULL */
/* name will be taken next. dirfd stays open until it was, or ahead_stop. While an older one is still being read this does nothing. */
void ahead_ask(struct ahead *a, int dirfd, const char *name);
/* Bytes and digest of a file, read now unless it was asked for. Errors of file_read. */
int ahead_take(struct ahead *a, int dirfd, const char *name, struct buf *body, struct envelope_digest *d, struct err *e);

#endif
