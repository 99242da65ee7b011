#include "intranet-side/imaging/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct failure { struct jpeg_error_mgr base; jmp_buf back; };

static void on_failure(j_common_ptr c)
{
    longjmp(((struct failure *)(void *)c->err)->back, 1);
}

int jpeg_encode(struct buf *out, const struct picture *p, int quality, struct err *e)
{
    struct jpeg_compress_struct c;
    struct failure f;
    unsigned char *mem = NULL;
    unsigned long n = 0;
    c.err = jpeg_std_error(&f.base);
    f.base.error_exit = on_failure;
    if (setjmp(f.back)) {
        jpeg_destroy_compress(&c);
        free(mem);
        return err_set(e, ERR_INTERNAL, "picture: cannot encode %u x %u", p->w, p->h);
    }
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &mem, &n);
    c.image_width = p->w;
    c.image_height = p->h;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = p->rgb + (size_t)c.next_scanline * p->w * 3;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    buf_put(out, mem, n);
    free(mem);
    return buf_done(out, "picture", e);
}
