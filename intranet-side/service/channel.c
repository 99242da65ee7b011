#include "intranet-side/service/channel.h"

#include <stdio.h>
#include <string.h>

#include "ferry/lib/delivery.h"
#include "intranet-side/service/core_parts.h"

enum { SILENT_S = 60 };              /* four beats missing */

json_t *channel_json(struct core *c, int64_t now_ms)
{
    struct delivery_state s = {0};
    char text[128], at[24] = "", hm[6] = "";
    if (c->delivery == NULL)
        return json_pack("{s:b, s:s}", "ok", 0, "text", "没有接通");
    delivery_health(c->delivery, &s);
    if (s.beat_ms == 0)
        return json_pack("{s:b, s:s}", "ok", 0, "text", "还没有收到互联网侧的消息");
    int64_t age = (now_ms - s.beat_ms) / 1000;
    bool ok = age < SILENT_S && *s.stopped == '\0';
    time_text(at, s.beat_ms + 8 * 3600 * 1000);
    memcpy(hm, at + 11, 5);
    if (ok)
        snprintf(text, sizeof text, "正常 · %lld 秒前", (long long)(age < 0 ? 0 : age));
    else
        snprintf(text, sizeof text, "自 %s 中断，线上新件会晚到", hm);
    return json_pack("{s:b, s:s, s:I}", "ok", ok, "text", text, "age_s", (json_int_t)(age < 0 ? 0 : age));
}
