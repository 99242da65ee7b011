#include "intranet-side/web/drawing.h"

#include <string.h>

#define EDGE_FULL 2000u        /* pixels of the longer edge: small print stays legible at 200 % */
#define EDGE_THUMB 208u        /* twice the 104 pixels of the thumbnail column */
#define PICTURE_MAX ((size_t)8 << 20)

int drawing_make(struct child_pool *imaging, struct bytes bytes, struct drawing d, struct buf *answer, struct err *e)
{
    struct buf ask;
    buf_init(&ask, 0);
    size_t mark = d.thumb ? 0 : strlen(d.watermark);
    buf_u8(&ask, 'D');
    buf_u32(&ask, d.thumb ? EDGE_THUMB : EDGE_FULL);
    buf_u32(&ask, d.sheet);
    buf_u8(&ask, d.thumb ? 70 : 82);
    buf_u16(&ask, (uint16_t)mark);
    buf_put(&ask, d.watermark, mark);
    buf_put(&ask, bytes.p, bytes.n);
    int rc = buf_done(&ask, "page", e) < 0 ? -1 : child_call(imaging, buf_bytes(&ask), answer, e);
    buf_wipe(&ask);
    return rc;
}

int drawing_readable(struct child_pool *imaging, struct bytes bytes, bool *readable, struct err *e)
{
    struct buf answer;
    struct err mine = {0};
    buf_init(&answer, PICTURE_MAX);
    int rc = drawing_make(imaging, bytes, (struct drawing){true, 1, ""}, &answer, &mine);
    *readable = rc == 0 && answer.n >= 12;
    bool broken = mine.code == ERR_INPUT || mine.code == ERR_HELD;
    buf_wipe(&answer);
    return rc == 0 || broken ? 0 : err_set(e, ERR_UNAVAILABLE, "scan: %.200s", mine.msg);
}
