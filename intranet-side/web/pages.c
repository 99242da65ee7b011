/* pages.c - a page as the officer sees it: opened by the use case, made anew by the powerless image child, watermark burnt in. */
#include "intranet-side/service/pages.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/drawing.h"
#include "intranet-side/web/handlers.h"

#define PICTURE_MAX ((size_t)8 << 20)

/* Remember what the child said of the page; a failure to remember does not spoil the view. */
static void remember(struct web *w, const char *id, bool decodable, unsigned sheets, int64_t now_ms)
{
    struct err e = {0};
    if (page_decoded(w->core, id, decodable, sheets, now_ms, &e) < 0)
        log_error("page_decoded", &e);
}

/* What the sheet of a file cannot show is said of that sheet: only the first tells whether the page can be read at all. */
static int refuse_drawing(struct request *rq, struct response *rs, const struct err *e, bool broken, uint32_t sheet)
{
    struct reply r = {0};
    char have[16];
    snprintf(have, sizeof have, "%u", sheet);
    if (broken && sheet > 1)
        reply_finding(&r, "sheet", "number", "", have, "没有这一张，或这一张无法读取");
    const char *zh = !broken ? "图像处理暂时不可用，请稍后再试" : sheet > 1 ? "没有这一张，或这一张无法读取" : "这一页无法读取，可退回补正";
    snprintf(r.zh, sizeof r.zh, "%s", zh);
    return web_send(rs, rq, 400, -1, &r, e);
}

static int draw(struct request *rq, struct response *rs, struct web *w, const struct page_original *page, struct drawing d)
{
    struct err e = {0};
    struct buf answer;
    buf_init(&answer, PICTURE_MAX);
    const char *id = request_path_arg(rq, "id");
    int rc;
    if (drawing_make(w->imaging, buf_bytes(&page->bytes), d, &answer, &e) < 0 || answer.n < 12) {
        bool broken = e.code == ERR_INPUT || e.code == ERR_HELD;
        if (broken && d.sheet == 1)
            remember(w, id, false, 0, request_now_ms(rq));
        struct err shown = {0};
        err_set(&shown, broken ? ERR_INPUT : ERR_UNAVAILABLE, "page %s: %.160s", id, e.msg);
        rc = refuse_drawing(rq, rs, &shown, broken, d.sheet);
    } else {
        struct cursor c = {.in = buf_bytes(&answer)};
        uint32_t sheets = cur_u32(&c);
        remember(w, id, true, sheets, request_now_ms(rq));
        rc = response_bytes(rs, 200, "image/jpeg", (struct bytes){answer.p + 12, answer.n - 12});
    }
    buf_wipe(&answer);
    return rc;
}

int web_page_get(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct page_original page = {0};
    struct reply r = {0};
    struct err e = {0};
    uint64_t sheet;
    const char *size = request_query(rq, "size");
    bool thumb = size && strcmp(size, "thumb") == 0;
    if (size && !thumb && strcmp(size, "full") != 0) {
        err_set(&e, ERR_INPUT, "size: want thumb or full, have '%.20s'", size);
        reply_finding(&r, "size", "code_value", "thumb, full", size, "地址有误，请从页面重新打开");
        return web_send(rs, rq, 400, -1, &r, &e);
    }
    if (web_query_number(rq, rs, "sheet", 1, 200, 1, &sheet) < 0)
        return -1;
    if (!w->imaging)
        err_set(&e, ERR_UNAVAILABLE, "imaging is switched off");
    if (!w->imaging ||
        page_open(w->core, web_actor(rq), request_path_arg(rq, "no"), request_path_arg(rq, "id"), !thumb, request_now_ms(rq), &page, &r, &e) < 0)
        return web_send(rs, rq, 400, -1, &r, &e);
    reply_clear(&r);
    int rc = draw(rq, rs, w, &page, (struct drawing){thumb, (uint32_t)sheet, page.watermark});
    page_original_clear(&page);
    return rc;
}

int web_page_mark(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    bool seen = false;
    const char *verdict = NULL;
    const struct member m[] = {{"seen", MEMBER_FLAG, true, 0, NULL, &seen}, {"verdict", MEMBER_TEXT, false, 20, &verdict, NULL}};
    struct reply r = {0};
    struct err e = {0};
    if (web_members(rq, rs, m, 2) < 0)
        return -1;
    int rc = page_mark(w->core, web_actor(rq), request_path_arg(rq, "no"), request_path_arg(rq, "id"), seen, verdict, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 204, rc, &r, &e);
}
