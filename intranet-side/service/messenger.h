/* messenger.h - sends queued SMS through the SMS platform, one after the other; the platform refuses a repeat by the message's id.
 * Owns: nothing; messenger_once is called by the clock's thread. Threads: one caller at a time. */
#ifndef INTRANET_SERVICE_MESSENGER_H
#define INTRANET_SERVICE_MESSENGER_H

#include "intranet-side/service/core.h"

/* Send what is due, at most 20. A failed one waits 5 s, 30 s, 2 min, 10 min, then each hour for a day, then it is "failed" and an error in the log.
 * Phone numbers are opened in memory for the call. */
int messenger_once(struct core *c, int64_t now_ms, struct err *e);

#endif
