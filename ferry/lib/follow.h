/* follow.h - a folder that was replaced or mounted anew is used as it stands now: a descriptor alone would look into the old one for ever. */
#ifndef FERRY_FOLLOW_H
#define FERRY_FOLLOW_H

#include "common/err.h"

/* Points `fd` to what stands at `path` when that is another folder; the descriptor keeps its number. *changed may be NULL. ERR_MISSING: nothing
 * stands there, and `fd` stays as it is. */
int folder_follow(int fd, const char *path, bool *changed, struct err *e);

#endif
