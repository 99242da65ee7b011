/* jpeg.h - pixels to a baseline JPEG without any metadata. Threads: safe. */
#ifndef IMAGING_JPEG_H
#define IMAGING_JPEG_H

#include "intranet-side/imaging/picture.h"

int jpeg_encode(struct buf *out, const struct picture *p, int quality, struct err *e);

#endif
