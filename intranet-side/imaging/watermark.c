#include "intranet-side/imaging/watermark.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <math.h>

#include "common/file.h"

#define TURN (22.0 * M_PI / 180.0)      /* upwards to the right */
#define ALPHA 38                 /* of 255: 15 % */
#define FONT_CAP ((size_t)64 << 20)

static FT_Library library;
static FT_Face face;
static struct buf font;          /* lives as long as the process: the face points into it */

int watermark_setup(const char *font_path, struct err *e)
{
    buf_init(&font, FONT_CAP);
    if (file_read_path(&font, font_path, FONT_CAP, e) < 0)
        return err_wrap(e, "watermark font");
    if (FT_Init_FreeType(&library) || FT_New_Memory_Face(library, font.p, (FT_Long)font.n, 0, &face))
        return err_set(e, ERR_INTERNAL, "watermark font %s: cannot be read", font_path);
    return 0;
}

/* Next code point of UTF-8; 0xFFFD for a broken sequence, always moves on. */
static uint32_t next_char(struct bytes t, size_t *at)
{
    uint8_t c = t.p[(*at)++];
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t v = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
    for (; more && *at < t.n && (t.p[*at] & 0xc0) == 0x80; more--)
        v = v << 6 | (t.p[(*at)++] & 63u);
    return more ? 0xfffd : v;
}

static void blend(uint8_t *px, unsigned coverage)
{
    unsigned light = (px[0] * 3u + px[1] * 6u + px[2]) / 10;
    unsigned ink = light < 96 ? 255 : 0, a = coverage * ALPHA / 255;
    for (int i = 0; i < 3; i++)
        px[i] = (uint8_t)((px[i] * (255 - a) + ink * a) / 255);
}

static void draw_glyph(struct picture *p, const FT_GlyphSlot g, long x, long y)
{
    for (unsigned row = 0; row < g->bitmap.rows; row++)
        for (unsigned col = 0; col < g->bitmap.width; col++) {
            long px = x + g->bitmap_left + (long)col, py = y - g->bitmap_top + (long)row;
            unsigned c = g->bitmap.buffer[(long)row * g->bitmap.pitch + (long)col];
            if (c && px >= 0 && py >= 0 && px < (long)p->w && py < (long)p->h)
                blend(p->rgb + ((size_t)py * p->w + (size_t)px) * 3, c);
        }
}

/* One line from (x, y) along the turned axis. */
static void draw_line(struct picture *p, struct bytes text, double x, double y)
{
    for (size_t at = 0; at < text.n;) {
        FT_UInt glyph = FT_Get_Char_Index(face, next_char(text, &at));
        if (!glyph || FT_Load_Glyph(face, glyph, FT_LOAD_RENDER | FT_LOAD_NO_HINTING))
            continue;
        draw_glyph(p, face->glyph, lround(x), lround(y));
        x += (double)face->glyph->advance.x / 64.0;
        y -= (double)face->glyph->advance.y / 64.0;
    }
}

int watermark_draw(struct picture *p, struct bytes text, struct err *e)
{
    uint32_t edge = p->w > p->h ? p->w : p->h;
    FT_UInt size = edge / 90 < 12 ? 12 : edge / 90;
    if (text.n == 0)
        return 0;
    if (text.n > 300)
        return err_set(e, ERR_INPUT, "watermark: want at most 300 bytes, have %zu", text.n);
    FT_Fixed c = lround(cos(TURN) * 65536), s = lround(sin(TURN) * 65536);
    FT_Matrix turn = {c, -s, s, c};
    if (FT_Set_Pixel_Sizes(face, 0, size))
        return err_set(e, ERR_INTERNAL, "watermark: size %u", size);
    FT_Set_Transform(face, &turn, NULL);
    double down = size * 10.0, along = (double)text.n * size * 0.5 + size * 6.0;
    for (double y = down / 2; y < p->h + p->w * sin(TURN); y += down)
        for (double x = 0; x < p->w; x += along)
            draw_line(p, text, x, y - x * tan(TURN));
    return 0;
}
