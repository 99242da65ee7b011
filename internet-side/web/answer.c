/* answer.c - what every handler shares: the session, the device, the request's JSON, sending a reply. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "internet-side/web/handlers.h"

struct session *web_session(const struct request *rq)
{
    return request_session(rq);
}

const char *web_device(const struct request *rq)
{
    const char *v = request_cookie_named(rq, WEB_DEVICE_COOKIE);
    return v && id_valid(v) ? v : NULL;
}

/* An error that also says how many tries are left. */
static int send_tries(struct response *rs, struct request *rq, struct reply *r, const struct err *e)
{
    json_t *error = json_pack("{s:s, s:s, s:s, s:i}", "code", err_word(e->code), "message", r->zh, "request", request_id(rq), "tries_left", r->tries_left);
    if (r->fields)
        json_object_set(error, "fields", r->fields);
    if (r->retry_s)
        json_object_set_new(error, "retry_s", json_integer(r->retry_s));
    log_event(LOG_INFO, "request_error", "id %s code %s error %s", request_id(rq), err_word(e->code), e->msg);
    response_json(rs, http_status_of(e->code), json_pack("{s:o}", "error", error));
    return -1;
}

static int send_error(struct response *rs, struct request *rq, struct reply *r, const struct err *e)
{
    char seconds[16];
    if (r->retry_s) {
        snprintf(seconds, sizeof seconds, "%u", r->retry_s);
        response_header(rs, "Retry-After", seconds);
    }
    return r->has_tries ? send_tries(rs, rq, r, e) : response_error_zh(rs, rq, e, r->zh[0] ? r->zh : NULL, json_incref(r->fields));
}

int web_send(struct response *rs, struct request *rq, int status, int rc, struct reply *r, const struct err *e)
{
    struct err none = {0};
    if (rc == 0 && !r->body && status != 204) {
        err_set(&none, ERR_FULL, "answer: no memory");
        e = &none;
        rc = -1;
    }
    if (rc < 0)
        rc = send_error(rs, rq, r, e);
    else if (r->body)
        rc = response_json(rs, status, json_incref(r->body));
    else
        rc = response_empty(rs, 204);
    reply_clear(r);
    return rc;
}

int web_texts(struct request *rq, struct response *rs, const char *const *names, const char **values)
{
    const json_t *body = request_json(rq);
    struct reply r = {0};
    struct err e = {0};
    const char *key;
    json_t *v;
    for (size_t i = 0; names[i]; i++)
        if (!(values[i] = json_string_value(json_object_get(body, names[i])))) {
            reply_field(&r, names[i], "required", "请填写后再试");
            err_set(&e, ERR_INPUT, "%s: want text, have none", names[i]);
        }
    json_object_foreach((json_t *)body, key, v) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i]) {
            reply_field(&r, key, "unknown", "多了一项不认识的内容，请刷新后重试");
            err_set(&e, ERR_INPUT, "%.40s: want no such member, have one", key);
        }
    }
    if (!json_is_object(body))
        err_set(&e, ERR_INPUT, "body: want an object, have another kind");
    return e.code ? web_send(rs, rq, 0, -1, &r, &e) : 0;
}
