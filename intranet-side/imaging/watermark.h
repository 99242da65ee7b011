/* watermark.h - who looked, when, from where: drawn into the pixels, turned by 22 degrees, repeated over the whole picture.
 * Owns:    the font, loaded once before power is dropped; without a font watermark_setup fails and the child does not start.
 * Threads: one. */
#ifndef IMAGING_WATERMARK_H
#define IMAGING_WATERMARK_H

#include "intranet-side/imaging/picture.h"

int watermark_setup(const char *font_path, struct err *e);
/* text: UTF-8, at most 300 bytes; characters the font lacks are left out. Alpha is 15 %, dark on light and light on dark. */
int watermark_draw(struct picture *p, struct bytes text, struct err *e);

#endif
