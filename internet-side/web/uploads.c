/* uploads.c - pages going up. */
#include "internet-side/service/uploads.h"
#include "internet-side/web/handlers.h"

int web_upload_begin(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = uploads_begin(app, web_session(rq), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 201, rc, &r, &e);
}

int web_upload_get(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = uploads_state(app, web_session(rq), request_path_arg(rq, "id"), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_upload_put(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    uint64_t offset;
    const char *text = request_query(rq, "offset");
    int rc = parse_u64(text ? text : "", 0, UPLOAD_MAX, &offset, "offset", &e);
    if (rc < 0)
        reply_field(&r, "offset", "range", "上传接不上了，请重新拍照");
    else
        rc = uploads_part(app, web_session(rq), request_path_arg(rq, "id"), offset, request_body(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_upload_delete(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = uploads_drop(app, web_session(rq), request_path_arg(rq, "id"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 204, rc, &r, &e);
}
