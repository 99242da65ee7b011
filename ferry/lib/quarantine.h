/* quarantine.h - what is not accepted is moved aside with its reason. Used by both sides and the mover.
 * NAME goes to the quarantine folder as NAME (NAME.2 … NAME.9, then random endings, when taken) with NAME.reason beside it: one line, no personal
 * data. The reason is written first, so that nothing lies there without one. The same bytes under the same name are kept once; what is itself
 * called x.reason gets another ending, so that it is neither mistaken for a note nor overwritten by one. Links, pipes and folders are renamed, never opened; across file systems that
 * is impossible: they stay where they are and the call fails.
 * A flood must not fill the volume: once QUARANTINE_FILES lie there, or QUARANTINE_BYTES, a further file is let go and a line about it stays in
 * QUARANTINE_MORE: {"n" (counted from 1),"at","file","bytes","hash" (BLAKE2b-256),"head" (its first bytes, base64),"reason"}, durable before the file goes, once for the same bytes under the same name (as
 * far as the list's end shows); at QUARANTINE_MORE_BYTES that
 * file becomes QUARANTINE_MORE_BEFORE, and the one before it is gone. What came here could not be verified, and whoever sent something true sends it again until it is
 * acknowledged; items that were verified and are held lie in the database, without a bound. FRY-05 FRY-14. */
#ifndef FERRY_QUARANTINE_H
#define FERRY_QUARANTINE_H

#include "common/file.h"

#define QUARANTINE_FILES 1000u
#define QUARANTINE_BYTES ((int64_t)1 << 30)
#define QUARANTINE_MORE "beyond-the-bound.reason"
#define QUARANTINE_MORE_BEFORE "beyond-the-bound.1.reason"
#define QUARANTINE_MORE_BYTES ((int64_t)16 << 20)

/* Is it the note beside a file? */
bool quarantine_is_note(const char *name);
/* Files that lie there and those that were let go since its list was begun; 0 when it cannot be read. */
uint64_t quarantine_count(int quarantine_dirfd);
int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e);

#endif
