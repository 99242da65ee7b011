/* cases.c - lists, the case page, decisions. */
#include "intranet-side/service/caselist.h"
#include "intranet-side/service/caseview.h"
#include "intranet-side/service/decide.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/web/answer.h"
#include "intranet-side/web/handlers.h"

int web_desk(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = caselist_desk(w->core, web_actor(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_changes(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    uint64_t since;
    struct reply r = {0};
    struct err e = {0};
    if (web_query_needed(rq, rs, "since") < 0 || web_query_number(rq, rs, "since", 0, INT64_MAX, 0, &since) < 0)
        return -1;
    int rc = caselist_changes(w->core, web_actor(rq), since, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_cases(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    uint64_t page, size;
    struct reply r = {0};
    struct err e = {0};
    if (web_query_number(rq, rs, "page", 1, 1000, 1, &page) < 0 || web_query_number(rq, rs, "size", 1, 100, 20, &size) < 0)
        return -1;
    struct case_query q = {
        .view = request_query(rq, "view"), .item = request_query(rq, "item"), .state = request_query(rq, "state"),
        .q = request_query(rq, "q"), .mine = request_query(rq, "mine"), .sort = request_query(rq, "sort"),
        .page = (unsigned)page, .size = (unsigned)size,
    };
    int rc = caselist_find(w->core, web_actor(rq), &q, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_cases_next(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = caselist_next(w->core, web_actor(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_get(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = caseview_get(w->core, web_actor(rq), request_path_arg(rq, "no"), false, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_claim(struct request *rq, struct response *rs, void *app)
{
    return web_case(rq, rs, app, decide_claim);
}

int web_case_release(struct request *rq, struct response *rs, void *app)
{
    return web_case(rq, rs, app, decide_release);
}

int web_case_undo(struct request *rq, struct response *rs, void *app)
{
    return web_case(rq, rs, app, decide_undo);
}

int web_case_effect(struct request *rq, struct response *rs, void *app)
{
    return web_case(rq, rs, app, caseview_effect);
}

int web_case_effect_with(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = caseview_effect_with(w->core, web_actor(rq), request_path_arg(rq, "no"), json_object_get(request_json(rq), "completion"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_reverse(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *reason = "", *confirm = "";
    const struct member m[] = {{"reason", MEMBER_TEXT, true, 300, &reason, NULL}, {"confirm_text", MEMBER_TEXT, true, 40, &confirm, NULL}};
    struct reply r = {0};
    struct err e = {0};
    if (web_members(rq, rs, m, 2) < 0)
        return -1;
    int rc = reversal_take(w->core, web_actor(rq), request_path_arg(rq, "no"), reason, confirm, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_preview(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = decide_preview(w->core, web_actor(rq), request_path_arg(rq, "no"), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_decide(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = decide_take(w->core, web_actor(rq), request_path_arg(rq, "no"), request_json(rq), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_case_note(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *field = "", *note = "";
    const struct member m[] = {{"field", MEMBER_TEXT, true, 64, &field, NULL}, {"note", MEMBER_TEXT, true, 200, &note, NULL}};
    struct reply r = {0};
    struct err e = {0};
    if (web_members(rq, rs, m, 2) < 0)
        return -1;
    int rc = decide_note(w->core, web_actor(rq), request_path_arg(rq, "no"), field, note, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_reasons(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    struct reply r = {0};
    struct err e = {0};
    int rc = caseview_reasons(w->core, web_actor(rq), request_path_arg(rq, "item"), request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}

int web_reveal(struct request *rq, struct response *rs, void *app)
{
    struct web *w = app;
    const char *no = NULL, *person = NULL, *field = "", *purpose = "";
    const struct member m[] = {{"no", MEMBER_TEXT, false, 16, &no, NULL}, {"person", MEMBER_TEXT, false, 32, &person, NULL},
                               {"field", MEMBER_TEXT, true, 64, &field, NULL}, {"purpose", MEMBER_TEXT, false, 100, &purpose, NULL}};
    struct reply r = {0};
    struct err e = {0};
    if (web_members(rq, rs, m, 4) < 0)
        return -1;
    int rc = caseview_reveal(w->core, web_actor(rq), no, person, field, purpose, request_now_ms(rq), &r, &e);
    return web_send(rs, rq, 200, rc, &r, &e);
}
