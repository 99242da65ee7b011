/* since.h - since when each fault is there that a status file tells. A restart does not make an old fault a new one: what the predecessor's status
 * file says is taken over, and forgotten when the fault did not show again within the first minute. One thread at a time. */
#ifndef FERRY_SINCE_H
#define FERRY_SINCE_H

#include "common/bytes.h"

enum since_what {
    SINCE_STOPPED, SINCE_JOURNAL, SINCE_TROUBLE, SINCE_OVERDUE, SINCE_HELD, SINCE_PEER_NEW, SINCE_DIFFERENCES, SINCE_QUARANTINED, SINCE_KEY_EXPIRY, SINCE_KEY_TROUBLE,
    SINCE_DRAINED, SINCE_CONFIGURATION, SINCE__COUNT
};

struct since {
    int64_t at_ms[SINCE__COUNT];         /* 0 = not there */
    int64_t taken_over_until_ms;
};

/* From the status file that a predecessor left; none or not readable: nothing is known. "" as path is allowed. */
void since_take(struct since *s, const char *status_file, int64_t now_ms);
void since_note(struct since *s, enum since_what what, bool there, int64_t now_ms);
/* "since":{"held":1700000000000,…}: a member for each that is there. */
void since_put(struct buf *b, const struct since *s);

#endif
