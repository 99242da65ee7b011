#include "intranet-side/web/answer.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/service/core_parts.h"

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

/* --- the request's object --- */
static void wrong_kind(struct reply *r, const struct member *m, const json_t *v)
{
    if (v)
        reply_finding(r, m->name, "type", m->kind == MEMBER_FLAG ? "true, false" : "text", "", "内容的格式不对，请刷新后重试");
    else
        reply_finding(r, m->name, "required", m->kind == MEMBER_FLAG ? "true, false" : "text", "", "请填写后再试");
}

static void take_text(struct reply *r, const struct member *m, const char *s)
{
    char want[48], have[24], zh[96];
    long n = text_length(bytes_of(s));
    if (n > m->max) {
        snprintf(want, sizeof want, "at most %ld characters", m->max);
        snprintf(have, sizeof have, "%ld", n);
        snprintf(zh, sizeof zh, "内容太长，最多 %ld 个字", m->max);
        reply_finding(r, m->name, "length", want, have, zh);
    } else if (m->kind == MEMBER_TEXT && text_fault_of(bytes_of(s)) != TEXT_OK) {
        reply_finding(r, m->name, "xml_char", "", text_fault_word(text_fault_of(bytes_of(s))), "里面有不能保存的字符，请删掉后重填");
    } else {
        *m->text = s;
    }
}

static void take_member(struct reply *r, const struct member *m, const json_t *v)
{
    if (v == NULL && !m->needed)
        return;
    if (m->kind == MEMBER_FLAG ? !json_is_boolean(v) : !json_is_string(v))
        wrong_kind(r, m, v);
    else if (m->kind == MEMBER_FLAG)
        *m->flag = json_is_true(v);
    else
        take_text(r, m, json_string_value(v));
}

static void refuse_unknown(struct reply *r, const struct member *m, size_t n, json_t *body)
{
    const char *key;
    json_t *v;
    json_object_foreach(body, key, v) {
        size_t i = 0;
        while (i < n && strcmp(m[i].name, key) != 0)
            i++;
        if (i == n)
            reply_finding(r, key, "unknown", "", key, "多了一项不认识的内容，请刷新后重试");
    }
}

static int refuse_first(struct request *rq, struct response *rs, struct reply *r)
{
    struct err e = {0};
    const json_t *first = json_array_get(r->fields, 0);
    const char *field = json_string_value(json_object_get(first, "field"));
    snprintf(r->zh, sizeof r->zh, "%s", json_string_value(json_object_get(first, "message")));
    err_set(&e, ERR_INPUT, "%.40s: %.20s", *field ? field : "body", json_string_value(json_object_get(first, "rule")));
    return web_send(rs, rq, 400, -1, r, &e);
}

int web_members(struct request *rq, struct response *rs, const struct member *m, size_t n)
{
    json_t *body = request_json(rq);
    struct reply r = {0};
    if (!json_is_object(body))
        reply_finding(&r, "", "type", "object", "array", "内容的格式不对，请刷新后重试");
    for (size_t i = 0; json_is_object(body) && i < n; i++)
        take_member(&r, &m[i], json_object_get(body, m[i].name));
    refuse_unknown(&r, m, n, body);
    return r.fields ? refuse_first(rq, rs, &r) : 0;
}

/* --- the query --- */
int web_query_number(struct request *rq, struct response *rs, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out)
{
    struct reply r = {0};
    struct err ignored = {0};
    char want[64];
    const char *text = request_query(rq, name);
    *out = fallback;
    if (!text || parse_u64(text, min, max, out, name, &ignored) == 0)
        return 0;
    snprintf(want, sizeof want, "%llu to %llu", (unsigned long long)min, (unsigned long long)max);
    reply_finding(&r, name, "number", want, text, "地址里的数字不对，请从页面重新打开");
    return refuse_first(rq, rs, &r);
}

int web_query_needed(struct request *rq, struct response *rs, const char *name)
{
    struct reply r = {0};
    if (request_query(rq, name))
        return 0;
    reply_finding(&r, name, "required", "", "", "地址不完整，请从页面重新打开");
    return refuse_first(rq, rs, &r);
}

int web_case(struct request *rq, struct response *rs, struct web *w, case_use use)
{
    struct reply r = {0};
    struct err e = {0};
    int rc = use(w->core, web_actor(rq), request_path_arg(rq, "no"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
