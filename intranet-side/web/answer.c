#include "intranet-side/web/answer.h"

#include <stdarg.h>
#include <stdio.h>

const struct actor *web_actor(const struct request *rq)
{
    return request_session(rq);
}

int web_send(struct response *rs, struct request *rq, int status, int rc, struct reply *r, const struct err *e)
{
    int sent;
    if (rc == 0 && r->body) {
        sent = response_json(rs, status, r->body);
        r->body = NULL;
    } else if (rc == 0) {
        sent = response_empty(rs, 204);
    } else {
        char wait[16];
        if (r->retry_s && snprintf(wait, sizeof wait, "%u", r->retry_s) > 0)
            response_header(rs, "Retry-After", wait);
        json_t *fields = r->fields;
        r->fields = NULL;
        sent = response_error_zh(rs, rq, e, r->zh[0] ? r->zh : NULL, fields);
    }
    reply_clear(r);
    return sent;
}

static int refuse_member(struct request *rq, struct response *rs, const char *why)
{
    struct err e = {0};
    err_set(&e, ERR_INPUT, "body: %s", why);
    json_t *fields = json_pack("[{s:s, s:s, s:s, s:s}]", "field", "", "rule", "shape", "have", why, "message", "提交的内容不完整或多了内容");
    return response_error_zh(rs, rq, &e, "提交的内容不完整或多了内容，请刷新页面后重试", fields);
}

int web_unpack(struct request *rq, struct response *rs, const char *format, ...)
{
    json_error_t why;
    va_list ap;
    va_start(ap, format);
    int rc = json_vunpack_ex(request_json(rq), &why, JSON_STRICT, format, ap);
    va_end(ap);
    return rc < 0 ? refuse_member(rq, rs, why.text) : 0;
}

int web_query_number(struct request *rq, struct response *rs, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out)
{
    struct err e = {0};
    const char *text = request_query(rq, name);
    *out = fallback;
    if (!text || parse_u64(text, min, max, out, name, &e) == 0)
        return 0;
    return response_error_zh(rs, rq, &e, "地址里的数字不对，请从页面重新打开", NULL);
}

int web_case(struct request *rq, struct response *rs, struct web *w, case_use use)
{
    struct reply r = {0};
    struct err e = {0};
    int rc = use(w->core, web_actor(rq), request_path_arg(rq, "no"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
