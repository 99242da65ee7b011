/* drawing.h - pictures by the powerless image child.
 * Owns: nothing. Threads: the pool's. */
#ifndef INTRANET_WEB_DRAWING_H
#define INTRANET_WEB_DRAWING_H

#include "common/child.h"

struct drawing {
    bool thumb;
    uint32_t sheet;                      /* of a PDF, from 1 */
    const char *watermark;               /* of full pictures */
};
/* The child's answer: sheets, width, height, JPEG. ERR_INPUT, ERR_HELD: the bytes cannot be decoded. */
int drawing_make(struct child_pool *imaging, struct bytes bytes, struct drawing d, struct buf *answer, struct err *e);
/* Whether the child can decode it. Fails only when the child is away. */
int drawing_readable(struct child_pool *imaging, struct bytes bytes, bool *readable, struct err *e);

#endif
