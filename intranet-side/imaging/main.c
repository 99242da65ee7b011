/* The image child. Arguments: the font for the watermark.
 * Request:  u8 'D' | u32 longest edge | u32 sheet | u8 quality | u16 length, watermark text | file bytes
 * Answer:   u32 sheets | u32 width | u32 height | JPEG bytes */
#include <stdio.h>

#include "common/child.h"
#include "intranet-side/imaging/jpeg.h"
#include "intranet-side/imaging/watermark.h"

#define MAX_REQUEST ((size_t)24 << 20)

static int serve_one(struct bytes request, struct buf *answer, void *arg, struct err *e)
{
    struct cursor c = {.in = request};
    struct picture p = {0};
    int rc = -1;
    (void)arg;
    uint8_t op = cur_u8(&c);
    uint32_t edge = cur_u32(&c), sheet = cur_u32(&c);
    uint8_t quality = cur_u8(&c);
    struct bytes mark = cur_take(&c, cur_u16(&c));
    if (c.bad || op != 'D' || quality < 30 || quality > 95)
        return err_set(e, ERR_INPUT, "imaging: malformed request");
    struct bytes file = cur_take(&c, request.n - c.at);
    if (picture_decode(&p, file, sheet, edge, e) < 0 || watermark_draw(&p, mark, e) < 0)
        goto out;
    buf_u32(answer, p.sheets);
    buf_u32(answer, p.w);
    buf_u32(answer, p.h);
    rc = jpeg_encode(answer, &p, quality, e);
out:
    picture_clear(&p);
    return rc;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: imaging FONT (started by intranet-side, speaks frames on standard input and output)\n");
        return 2;
    }
    if (picture_setup(&e) < 0 || watermark_setup(argv[1], &e) < 0 || child_drop_power(&e) < 0) {
        fprintf(stderr, "imaging: %s\n", e.msg);
        return 1;
    }
    return child_serve(serve_one, NULL, MAX_REQUEST) < 0 ? 1 : 0;
}
