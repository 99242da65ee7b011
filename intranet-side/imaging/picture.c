#include "intranet-side/imaging/picture.h"

#include <mupdf/fitz.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PIXELS 40000000.0        /* a 65535 x 65535 flood is refused from its header */
#define STORE_BYTES ((size_t)24 << 20)

static fz_context *ctx;

/* The decoder's own talk of a file would stand in the service's log, in words that the file chose; what fails is said in the answer. */
static void unheard(void *user, const char *message)
{
    (void)user;
    (void)message;
}

int picture_setup(struct err *e)
{
    ctx = fz_new_context(NULL, NULL, STORE_BYTES);
    if (!ctx)
        return err_set(e, ERR_INTERNAL, "decoder: no memory");
    fz_set_error_callback(ctx, unheard, NULL);
    fz_set_warning_callback(ctx, unheard, NULL);
    fz_try(ctx)
        fz_register_document_handlers(ctx);
    fz_catch(ctx)
        return err_set(e, ERR_INTERNAL, "decoder: %s", fz_caught_message(ctx));
    return 0;
}

void picture_clear(struct picture *p)
{
    free(p->rgb);
    *p = (struct picture){0};
}

static bool starts(struct bytes b, const char *magic, size_t n)
{
    return b.n > n && memcmp(b.p, magic, n) == 0;
}

/* Copy a pixmap (RGB, no alpha) into our own memory. */
static int take_pixels(struct picture *out, fz_pixmap *pix, struct err *e)
{
    size_t w = (size_t)pix->w, h = (size_t)pix->h, row = w * 3;
    out->rgb = malloc(row * h);
    if (!out->rgb)
        return err_set(e, ERR_INTERNAL, "picture: no memory for %zu x %zu", w, h);
    for (size_t y = 0; y < h; y++)
        memcpy(out->rgb + y * row, pix->samples + y * (size_t)pix->stride, row);
    out->w = (uint32_t)w;
    out->h = (uint32_t)h;
    return 0;
}

/* Draw with a matrix that scales (and turns) the unit picture or sheet into a box of max_edge. */
static fz_pixmap *blank(fz_irect box)
{
    fz_pixmap *pix = fz_new_pixmap_with_bbox(ctx, fz_device_rgb(ctx), box, NULL, 0);
    fz_clear_pixmap_with_value(ctx, pix, 255);
    return pix;
}

static fz_pixmap *draw_image(struct bytes file, uint32_t max_edge)
{
    fz_buffer *buf = NULL;
    fz_image *img = NULL;
    fz_pixmap *pix = NULL;
    fz_device *dev = NULL;
    fz_var(buf); fz_var(img); fz_var(pix); fz_var(dev);
    fz_try(ctx) {
        buf = fz_new_buffer_from_copied_data(ctx, file.p, file.n);
        img = fz_new_image_from_buffer(ctx, buf);
        if ((double)img->w * img->h > MAX_PIXELS)
            fz_throw(ctx, FZ_ERROR_GENERIC, "want at most 40 megapixels, have %d x %d", img->w, img->h);
        bool turned = fz_image_orientation(ctx, img) >= 5;
        float w = (float)(turned ? img->h : img->w), h = (float)(turned ? img->w : img->h);
        float edge = w > h ? w : h, k = edge > (float)max_edge ? (float)max_edge / edge : 1;
        fz_matrix m = fz_concat(fz_image_orientation_matrix(ctx, img), fz_scale(w * k, h * k));
        fz_rect r = {0, 0, w * k, h * k};
        pix = blank(fz_round_rect(r));
        dev = fz_new_draw_device(ctx, fz_identity, pix);
        fz_fill_image(ctx, dev, img, m, 1, fz_default_color_params);
        fz_close_device(ctx, dev);
    }
    fz_always(ctx) {
        fz_drop_device(ctx, dev);
        fz_drop_image(ctx, img);
        fz_drop_buffer(ctx, buf);
    }
    fz_catch(ctx) {
        fz_drop_pixmap(ctx, pix);
        fz_rethrow(ctx);
    }
    return pix;
}

static fz_pixmap *draw_sheet(struct bytes file, uint32_t sheet, uint32_t max_edge, uint32_t *sheets)
{
    fz_buffer *buf = NULL;
    fz_stream *in = NULL;
    fz_document *doc = NULL;
    fz_page *page = NULL;
    fz_pixmap *pix = NULL;
    fz_device *dev = NULL;
    fz_var(buf); fz_var(in); fz_var(doc); fz_var(page); fz_var(pix); fz_var(dev);
    fz_try(ctx) {
        buf = fz_new_buffer_from_copied_data(ctx, file.p, file.n);
        in = fz_open_buffer(ctx, buf);
        doc = fz_open_document_with_stream(ctx, "application/pdf", in);
        if (fz_needs_password(ctx, doc))
            fz_throw(ctx, FZ_ERROR_GENERIC, "the PDF wants a password");
        int n = fz_count_pages(ctx, doc);
        if (n < 1 || n > 200 || sheet < 1 || sheet > (uint32_t)n)
            fz_throw(ctx, FZ_ERROR_GENERIC, "sheet %u: the PDF has %d, at most 200 are shown", sheet, n);
        *sheets = (uint32_t)n;
        page = fz_load_page(ctx, doc, (int)sheet - 1);
        fz_rect r = fz_bound_page(ctx, page);
        float w = r.x1 - r.x0, h = r.y1 - r.y0, edge = w > h ? w : h;
        if (!(edge >= 1) || edge > 20000)
            fz_throw(ctx, FZ_ERROR_GENERIC, "sheet size %.0f x %.0f points", (double)w, (double)h);
        fz_matrix m = fz_concat(fz_translate(-r.x0, -r.y0), fz_scale((float)max_edge / edge, (float)max_edge / edge));
        pix = blank(fz_round_rect(fz_transform_rect(r, m)));
        dev = fz_new_draw_device(ctx, fz_identity, pix);
        fz_run_page_contents(ctx, page, dev, m, NULL);
        fz_close_device(ctx, dev);
    }
    fz_always(ctx) {
        fz_drop_device(ctx, dev);
        fz_drop_page(ctx, page);
        fz_drop_document(ctx, doc);
        fz_drop_stream(ctx, in);
        fz_drop_buffer(ctx, buf);
    }
    fz_catch(ctx) {
        fz_drop_pixmap(ctx, pix);
        fz_rethrow(ctx);
    }
    return pix;
}

enum file_kind { KIND_NONE, KIND_PHOTO, KIND_PDF };

static enum file_kind kind_of(struct bytes file)
{
    if (starts(file, "\xff\xd8\xff", 3) || starts(file, "\x89PNG\r\n\x1a\n", 8))
        return KIND_PHOTO;
    return starts(file, "%PDF-", 5) ? KIND_PDF : KIND_NONE;
}

static fz_pixmap *draw(enum file_kind kind, struct bytes file, uint32_t sheet, uint32_t max_edge, uint32_t *sheets, struct err *e)
{
    fz_pixmap *pix = NULL;
    fz_var(pix);
    fz_try(ctx)
        pix = kind == KIND_PDF ? draw_sheet(file, sheet, max_edge, sheets) : draw_image(file, max_edge);
    fz_catch(ctx) {
        err_set(e, ERR_INPUT, "picture: %s", fz_caught_message(ctx));
        return NULL;
    }
    return pix;
}

int picture_decode(struct picture *out, struct bytes file, uint32_t sheet, uint32_t max_edge, struct err *e)
{
    enum file_kind kind = kind_of(file);
    *out = (struct picture){.sheets = 1};
    if (kind == KIND_NONE)
        return err_set(e, ERR_INPUT, "picture: want JPEG, PNG or PDF by content");
    if (max_edge < 16 || max_edge > 4000)
        return err_set(e, ERR_INPUT, "picture: edge want 16 to 4000, have %u", max_edge);
    if (kind == KIND_PHOTO && sheet != 1)
        return err_set(e, ERR_INPUT, "picture: a photograph has one sheet, asked for %u", sheet);
    fz_pixmap *pix = draw(kind, file, sheet, max_edge, &out->sheets, e);
    if (!pix)
        return -1;
    int rc = take_pixels(out, pix, e);
    fz_drop_pixmap(ctx, pix);
    fz_empty_store(ctx);
    return rc;
}
