/* routes.c - the table of paths; a test walks it and schemas/openapi/internet.yaml together. */
#include "internet-side/web/handlers.h"

#define SMALL 4096
#define DRAFT 262144
#define FACE 524288
#define PART 524288                  /* one part of a page */

static const struct route routes[] = {
    { "GET", "/healthz", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_health, "can the service do its work" },
    { "GET", "/api/session", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_session_get, "who am I; sets the device cookie" },
    { "POST", "/api/login/code", AUTH_NONE, 0, CSRF_HEADER, BODY_JSON, SMALL, web_login_code, "send a code by SMS" },
    { "POST", "/api/login", AUTH_NONE, 0, CSRF_HEADER, BODY_JSON, SMALL, web_login, "sign in with the code" },
    { "POST", "/api/logout", AUTH_SESSION, 0, CSRF_TOKEN, BODY_NONE, 0, web_logout, "end the session" },
    { "GET", "/api/catalogue", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_catalogue, "items, guide, units" },
    { "GET", "/api/catalogue/search", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_search_words, "words, synonyms and sounds of the search" },
    { "POST", "/api/searches", AUTH_NONE, 0, CSRF_HEADER, BODY_JSON, 1024, web_search_missed, "a search that found nothing" },
    { "GET", "/api/catalogue/items/{code}", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_item, "one service with its form" },
    { "GET", "/api/catalogue/tables", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_table, "one code table" },
    { "POST", "/api/uploads", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, SMALL, web_upload_begin, "begin a page" },
    { "GET", "/api/uploads/{id}", AUTH_SESSION, 0, CSRF_NONE, BODY_NONE, 0, web_upload_get, "how far a page came" },
    { "PUT", "/api/uploads/{id}", AUTH_SESSION, 0, CSRF_TOKEN, BODY_RAW, PART, web_upload_put, "the next part" },
    { "DELETE", "/api/uploads/{id}", AUTH_SESSION, 0, CSRF_TOKEN, BODY_NONE, 0, web_upload_delete, "drop a page" },
    { "POST", "/api/applications/check", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, DRAFT, web_check, "verdict on a draft" },
    { "POST", "/api/identity/verify", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, FACE, web_verify, "identity and face" },
    { "GET", "/api/applications", AUTH_SESSION, 0, CSRF_NONE, BODY_NONE, 0, web_cases, "my business" },
    { "POST", "/api/applications", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, DRAFT, web_submit, "submit" },
    { "GET", "/api/applications/{no}", AUTH_SESSION, 0, CSRF_NONE, BODY_NONE, 0, web_case, "one case" },
    { "POST", "/api/applications/{no}/unlock", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, SMALL, web_unlock, "last four characters" },
    { "POST", "/api/applications/{no}/withdraw", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, SMALL, web_withdraw, "ask to withdraw" },
    { "POST", "/api/applications/{no}/supplement", AUTH_SESSION, 0, CSRF_TOKEN, BODY_JSON, DRAFT, web_supplement, "hand in what was asked" },
};

const struct route *web_routes(size_t *n)
{
    *n = sizeof routes / sizeof *routes;
    return routes;
}
