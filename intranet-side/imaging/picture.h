/* picture.h - foreign image bytes to upright RGB pixels within bounds.
 * Owns:    a picture owns its pixels until picture_clear.
 * Threads: one; the MuPDF context belongs to the process.
 * Errors:  ERR_INPUT when the bytes are not a JPEG, PNG or PDF that can be decoded, or are over 40 megapixels. */
#ifndef IMAGING_PICTURE_H
#define IMAGING_PICTURE_H

#include "common/bytes.h"

struct picture {
    uint8_t *rgb;        /* w * h * 3, malloc'ed */
    uint32_t w, h;
    uint32_t sheets;     /* sheets of a PDF, else 1 */
};

/* Builds the decoder; call before power is dropped. */
int picture_setup(struct err *e);
/* sheet counts from 1. The longer edge of the result is at most max_edge (PDF sheets are drawn at that size, pictures only shrunk). */
int picture_decode(struct picture *out, struct bytes file, uint32_t sheet, uint32_t max_edge, struct err *e);
void picture_clear(struct picture *p);

#endif
