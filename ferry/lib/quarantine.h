/* quarantine.h - what is not accepted is moved aside with its reason, never deleted. Used by both sides and the mover.
 * NAME goes to the quarantine folder as NAME (NAME.2 … NAME.9, then random endings, when taken) with NAME.reason beside it: one line, no personal
 * data. The reason is written first, so that nothing lies there without one. The same bytes under the same name are kept once; what is itself
 * called x.reason gets another ending, so that it is neither mistaken for a note nor overwritten by one. Links, pipes and folders are renamed, never opened; across file systems that
 * is impossible: they stay where they are and the call fails. */
#ifndef FERRY_QUARANTINE_H
#define FERRY_QUARANTINE_H

#include "common/file.h"

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e);

#endif
