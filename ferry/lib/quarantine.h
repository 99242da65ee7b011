/* quarantine.h - what is not accepted is moved aside with its reason, never deleted. Used by both sides and the mover.
 * NAME goes to the quarantine folder as NAME (NAME.2, NAME.3… when taken) with NAME.reason beside it: one line, no personal data.
 * What is not a regular file (a link, a pipe, a folder) is left where it is and only noted: it cannot be moved without following it. */
#ifndef FERRY_QUARANTINE_H
#define FERRY_QUARANTINE_H

#include "common/file.h"

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e);

#endif
