#include "ferry/lib/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char before[] = "<Chunk>", after[] = "</Chunk>";
#define BEFORE (sizeof before - 1)
#define AFTER (sizeof after - 1)

static bool stands(struct bytes in, size_t at, const char *text, size_t n)
{
    return in.n - at >= n && memcmp(in.p + at, text, n) == 0;
}

/* Next '<' at or behind `at`; in.n when there is none. */
static size_t next_tag(struct bytes in, size_t at)
{
    const uint8_t *p = at < in.n ? memchr(in.p + at, '<', in.n - at) : NULL;
    return p ? (size_t)(p - in.p) : in.n;
}

static int keep(struct payload *p, struct bytes letters, struct err *e)
{
    if (p->n == PAYLOAD_PARTS)
        return err_set(e, ERR_INPUT, "envelope: want at most %u chunks", PAYLOAD_PARTS);
    if (letters.n > PAYLOAD_PART)
        return err_set(e, ERR_INPUT, "chunk %zu: want at most %zu letters, have %zu", p->n, PAYLOAD_PART, letters.n);
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 128;
        struct bytes *parts = realloc(p->parts, room * sizeof *parts);
        if (!parts)
            return err_set(e, ERR_FULL, "envelope: no memory");
        p->parts = parts;
        p->room = room;
    }
    p->parts[p->n++] = letters;
    return 0;
}

static int lift(struct payload *p, struct bytes file, struct err *e)
{
    size_t from = 0, tag = next_tag(file, 0);
    while (tag < file.n) {
        size_t start = tag + BEFORE, end = tag + 1;
        if (stands(file, tag, before, BEFORE) && (end = next_tag(file, start)) < file.n && stands(file, end, after, AFTER)) {
            buf_put(&p->skeleton, file.p + from, start - from);
            buf_fmt(&p->skeleton, "%08zu", p->n);
            if (keep(p, (struct bytes){file.p + start, end - start}, e) < 0)
                return -1;
            from = end;
        }
        tag = next_tag(file, end);
    }
    buf_put(&p->skeleton, file.p + from, file.n - from);
    return buf_done(&p->skeleton, "envelope", e);
}

int payload_lift(struct payload *out, struct bytes file, struct err *e)
{
    *out = (struct payload){.n = 0};
    buf_init(&out->skeleton, 2 * file.n + 64);          /* eight digits may stand for no letter */
    if (lift(out, file, e) == 0)
        return 0;
    payload_free(out);
    return -1;
}

int payload_part(const struct payload *p, size_t i, const char *text, struct bytes *letters)
{
    char want[24];
    snprintf(want, sizeof want, "%08zu", i);
    if (i >= p->n || strcmp(text, want) != 0)
        return -1;
    *letters = p->parts[i];
    return 0;
}

void payload_free(struct payload *p)
{
    free(p->parts);
    buf_clear(&p->skeleton);
    *p = (struct payload){.n = 0};
}
