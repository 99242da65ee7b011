/* query.h - a search as it may be kept: words, and nothing that points to a person.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTERNET_DOMAIN_QUERY_H
#define INTERNET_DOMAIN_QUERY_H

#include "common/bytes.h"

#define QUERY_MAX 40                     /* characters kept */

/* Puts the words of `text` behind `out`: letters, Han characters and short numbers, blanks between them. Left out: runs of six or more digits
 * (full-width and Chinese ones too, blanks and hyphens within them, an X behind), addresses with @, and what follows "我叫", "名叫", "姓名是".
 * False when fewer than two characters remain or the text is malformed: there is nothing worth keeping. */
bool query_clean(struct buf *out, struct bytes text);

#endif
