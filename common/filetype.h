/* filetype.h - what a file is, judged by its first bytes and never by its name or by what the sender says.
 * Owns:    nothing.
 * Threads: no shared state. */
#ifndef COMMON_FILETYPE_H
#define COMMON_FILETYPE_H

#include "common/bytes.h"

/* "image/jpeg", "image/png", "application/pdf", or NULL for everything else. */
const char *filetype_of(struct bytes first);
/* One of the three above, as the constant; NULL when the word is none of them. */
const char *filetype_known(const char *word);

#endif
