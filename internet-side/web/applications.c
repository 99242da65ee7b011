/* applications.c - from verdict to receipt, and the citizen's cases. */
#include <string.h>

#include "internet-side/service/ask.h"
#include "internet-side/service/cases.h"
#include "internet-side/service/identity.h"
#include "internet-side/service/judge.h"
#include "internet-side/web/handlers.h"

int web_check(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = judge_check(app, web_session(rq), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_verify(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = identity_verify(app, web_session(rq), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

/* By what the citizen applies; only statistics depend on it. */
static const char *channel_of(const struct request *rq)
{
    const char *agent = request_header(rq, "User-Agent");
    if (agent && strstr(agent, "MicroMessenger"))
        return "wechat";
    return agent && strstr(agent, "HuzhengApp") ? "app" : "pc";
}

static struct submit_request submit_of(struct request *rq)
{
    return (struct submit_request){ request_header(rq, "Idempotency-Key"), web_device(rq), channel_of(rq), request_json(rq) };
}

int web_submit(struct request *rq, struct response *rs, void *app)
{
    const struct submit_request q = submit_of(rq);
    struct reply r = {0};
    struct err e = {0};
    bool created = false;
    const int rc = submit_application(app, web_session(rq), &q, request_now_ms(rq), &created, &r, &e);
    return web_send(rs, rq, created ? 201 : 200, rc, &r, &e);
}

int web_supplement(struct request *rq, struct response *rs, void *app)
{
    const struct submit_request q = submit_of(rq);
    struct reply r = {0};
    struct err e = {0};
    bool created = false;
    const int rc = ask_supplement(app, web_session(rq), request_path_arg(rq, "no"), &q, request_now_ms(rq), &created, &r, &e);
    return web_send(rs, rq, created ? 201 : 200, rc, &r, &e);
}

int web_cases(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = cases_list(app, web_session(rq), web_device(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = cases_get(app, web_session(rq), web_device(rq), request_path_arg(rq, "no"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_unlock(struct request *rq, struct response *rs, void *app)
{
    static const char *const names[] = { "last4", NULL };
    const char *v[1];
    struct reply r = {0};
    struct err e = {0};
    if (web_texts(rq, rs, names, v) < 0)
        return -1;
    const int rc = cases_unlock(app, web_session(rq), web_device(rq), request_path_arg(rq, "no"), v[0], request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_withdraw(struct request *rq, struct response *rs, void *app)
{
    struct reply r = {0};
    struct err e = {0};
    const int rc = ask_withdraw(app, web_session(rq), web_device(rq), request_path_arg(rq, "no"), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 202, rc, &r, &e);
}
