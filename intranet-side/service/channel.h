/* channel.h - the way across the border as officers read it.
 * Owns: nothing. Threads: safe; from memory. */
#ifndef INTRANET_SERVICE_CHANNEL_H
#define INTRANET_SERVICE_CHANNEL_H

#include "intranet-side/service/core.h"

/* {ok, text, age_s}: "正常 · 12 秒前" / "自 09:41 中断，线上新件会晚到". */
json_t *channel_json(struct core *c, int64_t now_ms);

#endif
