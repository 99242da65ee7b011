#include "intranet-side/service/scans.h"
#include "intranet-side/web/handlers.h"
#include "intranet-side/web/web.h"

#define KIB ((size_t)1024)
#define GET_(path, roles, handler, doc) {"GET", path, AUTH_ROLE, roles, CSRF_NONE, BODY_NONE, 0, handler, doc}
#define ACT_(path, roles, handler, doc) {"POST", path, AUTH_ROLE, roles, CSRF_TOKEN, BODY_NONE, 0, handler, doc}
#define POST_(path, roles, max, handler, doc) {"POST", path, AUTH_ROLE, roles, CSRF_TOKEN, BODY_JSON, max, handler, doc}

static const struct route routes[] = {
    {"GET", "/healthz", AUTH_NONE, 0, CSRF_NONE, BODY_NONE, 0, web_health, "can the service do its work"},
    {"POST", "/api/login", AUTH_NONE, 0, CSRF_HEADER, BODY_JSON, 1 * KIB, web_login, "sign in"},
    ACT_("/api/logout", ROLES_ALL, web_logout, "end the session"),
    POST_("/api/password", ROLES_ALL, 2 * KIB, web_password, "change one's own password"),
    GET_("/api/me", ROLES_ALL, web_me, "who am I"),

    GET_("/api/desk", ROLES_ALL, web_desk, "the work desk"),
    GET_("/api/changes", ROLES_ALL, web_changes, "what changed for me"),
    GET_("/api/cases", ROLES_CASE, web_cases, "a list of cases"),
    ACT_("/api/cases/next", ROLES_CASE, web_cases_next, "claim the next case"),
    GET_("/api/cases/{no}", ROLES_CASE, web_case_get, "the case page"),
    ACT_("/api/cases/{no}/claim", ROLES_CASE, web_case_claim, "take it"),
    ACT_("/api/cases/{no}/release", ROLES_CASE, web_case_release, "put it back"),
    POST_("/api/cases/{no}/preview", ROLES_CASE, 64 * KIB, web_case_preview, "what the citizen would read"),
    POST_("/api/cases/{no}/decide", ROLES_CASE, 64 * KIB, web_case_decide, "take a transition"),
    ACT_("/api/cases/{no}/undo", ROLES_CASE, web_case_undo, "back, while nothing has left"),
    POST_("/api/cases/{no}/notes", ROLES_CASE, 4 * KIB, web_case_note, "note a difference"),
    GET_("/api/cases/{no}/effect", ROLES_CASE, web_case_effect, "what finishing changes in the register"),
    GET_("/api/cases/{no}/flow", ROLES_CASE, web_case_flow, "its flow as a chart"),
    {"POST", "/api/cases/{no}/scans", AUTH_ROLE, ROLES_CASE, CSRF_TOKEN, BODY_RAW, SCAN_MAX, web_scan, "a paper scanned at the desk"},
    POST_("/api/cases/{no}/effect", ROLES_CASE, 8 * KIB, web_case_effect_with, "the same with what the officer has typed so far"),
    POST_("/api/cases/{no}/reverse", ROLES_CASE, 4 * KIB, web_case_reverse, "take a finished case back"),
    GET_("/api/cases/{no}/pages/{id}", ROLES_CASE, web_page_get, "a derivative of one page"),
    POST_("/api/cases/{no}/pages/{id}", ROLES_CASE, 1 * KIB, web_page_mark, "seen, and a verdict"),
    GET_("/api/reasons/{item}", ROLES_CASE, web_reasons, "reason templates of an item"),
    POST_("/api/reveal", ROLES_CASE, 2 * KIB, web_reveal, "one masked value in full, logged"),

    GET_("/api/register/persons", ROLES_CASE, web_persons, "look people up"),
    GET_("/api/register/persons/{id}", ROLES_CASE, web_person, "one person with household and history"),

    GET_("/api/flows", ROLE_ADMIN, web_flows, "flows in force"),
    GET_("/api/units", ROLES_ALL, web_units, "organisation tree"),
    GET_("/api/officers", ROLE_ADMIN, web_officers, "accounts"),
    POST_("/api/officers", ROLE_ADMIN, 4 * KIB, web_officer_add, "new account"),
    ACT_("/api/officers/{id}/{act}", ROLE_ADMIN, web_officer_act, "disable, enable, unlock, reset"),
    GET_("/api/exceptions", ROLE_ADMIN, web_exceptions, "held and refused records"),
    ACT_("/api/exceptions/{id}/retry", ROLE_ADMIN, web_exception_retry, "process a held record again"),
    GET_("/api/configuration", ROLES_ALL, web_configuration, "configuration in force on both sides"),
    GET_("/api/configuration/items", ROLES_ALL, web_configuration_items, "items for filters"),
    GET_("/api/reports/searches", ROLE_ADMIN, web_searches, "what citizens searched for and did not find"),
    GET_("/api/reports/searches.csv", ROLE_ADMIN, web_searches_csv, "the same as a table to take away"),
    GET_("/api/configuration/catalogue", ROLE_ADMIN, web_editing_items, "items to be edited"),
    GET_("/api/configuration/catalogue/{code}", ROLE_ADMIN, web_editing_item, "one item to be edited"),
    POST_("/api/configuration/preview", ROLE_ADMIN, 512 * KIB, web_editing_preview, "what changes would do"),
    GET_("/api/configuration/changes", ROLE_ADMIN, web_editing_list, "sets of changes, versions"),
    POST_("/api/configuration/changes", ROLE_ADMIN, 512 * KIB, web_editing_add, "a draft"),
    GET_("/api/configuration/changes/{id}", ROLE_ADMIN, web_editing_get, "one set"),
    POST_("/api/configuration/changes/{id}", ROLE_ADMIN, 512 * KIB, web_editing_save, "the draft's new content"),
    POST_("/api/configuration/changes/{id}/{act}", ROLE_ADMIN, 4 * KIB, web_editing_act, "submit, release, return, drop, decline"),
    ACT_("/api/configuration/versions/{version}/restore", ROLE_ADMIN, web_editing_restore, "a draft that brings a version back"),
};

const struct route *web_routes(size_t *n)
{
    *n = sizeof routes / sizeof routes[0];
    return routes;
}
