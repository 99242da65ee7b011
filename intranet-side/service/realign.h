/* realign.h - what this side says again when the ferry aligns both sides after one of them was restored or emptied (ferry/lib/resync.h).
 * Owns: nothing. Threads: inside the receiver's write closure. */
#ifndef INTRANET_SERVICE_REALIGN_H
#define INTRANET_SERVICE_REALIGN_H

#include "ferry/lib/delivery.h"

/* For delivery_options.resynced; app is the struct core. UNKNOWN: the tracking row, the state, an open request. AHEAD: every answer, the state, an open
 * request, for what we said last may have been lost with our database. 1 said, 0 no case of ours. */
int realign(struct db_conn *conn, void *core, const char *case_no, enum resync_why why, int64_t now_ms, struct err *e);

#endif
