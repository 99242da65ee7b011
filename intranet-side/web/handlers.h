/* handlers.h - one function per path of schemas/openapi/intranet.yaml; the route table is in routes.c. app is struct web. */
#ifndef INTRANET_WEB_HANDLERS_H
#define INTRANET_WEB_HANDLERS_H

#include "common/http.h"

#define HANDLER(name) int name(struct request *rq, struct response *rs, void *app)
HANDLER(web_health);
HANDLER(web_login);
HANDLER(web_logout);
HANDLER(web_password);
HANDLER(web_me);
HANDLER(web_desk);
HANDLER(web_changes);
HANDLER(web_cases);
HANDLER(web_cases_next);
HANDLER(web_case_get);
HANDLER(web_case_claim);
HANDLER(web_case_release);
HANDLER(web_case_preview);
HANDLER(web_case_decide);
HANDLER(web_case_undo);
HANDLER(web_case_note);
HANDLER(web_case_effect);
HANDLER(web_case_flow);
HANDLER(web_scan);
HANDLER(web_flows);
HANDLER(web_case_effect_with);
HANDLER(web_case_reverse);
HANDLER(web_page_get);
HANDLER(web_page_mark);
HANDLER(web_reasons);
HANDLER(web_reveal);
HANDLER(web_persons);
HANDLER(web_person);
HANDLER(web_units);
HANDLER(web_officers);
HANDLER(web_officer_add);
HANDLER(web_officer_act);
HANDLER(web_exceptions);
HANDLER(web_exception_retry);
HANDLER(web_configuration);
HANDLER(web_configuration_items);
HANDLER(web_searches);
HANDLER(web_searches_csv);
HANDLER(web_editing_items);
HANDLER(web_editing_item);
HANDLER(web_editing_preview);
HANDLER(web_editing_list);
HANDLER(web_editing_add);
HANDLER(web_editing_get);
HANDLER(web_editing_save);
HANDLER(web_editing_act);
HANDLER(web_editing_restore);
#undef HANDLER

#endif
