/* handlers.h - the handlers that routes.c names, and what they share. Not for others. */
#ifndef INTERNET_WEB_HANDLERS_H
#define INTERNET_WEB_HANDLERS_H

#include "internet-side/service/session.h"
#include "internet-side/web/web.h"

#define WEB_DEVICE_COOKIE "hzd"

struct session *web_session(const struct request *rq);         /* never NULL behind a guard that wants one */
const char *web_device(const struct request *rq);              /* device cookie, NULL when absent or malformed */
/* Send what a use case left behind: rc 0 gives `status` with its body (204 when the body is NULL), -1 the error in words. Clears the reply. */
int web_send(struct response *rs, struct request *rq, int status, int rc, struct reply *r, const struct err *e);
/* Members of the request's JSON are exactly these texts (NULL at the end); -1 has sent 400 that names the member. */
int web_texts(struct request *rq, struct response *rs, const char *const *names, const char **values);

int web_health(struct request *rq, struct response *rs, void *app);
int web_session_get(struct request *rq, struct response *rs, void *app);
int web_login_code(struct request *rq, struct response *rs, void *app);
int web_login(struct request *rq, struct response *rs, void *app);
int web_logout(struct request *rq, struct response *rs, void *app);
int web_catalogue(struct request *rq, struct response *rs, void *app);
int web_search_missed(struct request *rq, struct response *rs, void *app);
int web_search_words(struct request *rq, struct response *rs, void *app);
int web_item(struct request *rq, struct response *rs, void *app);
int web_table(struct request *rq, struct response *rs, void *app);
int web_upload_begin(struct request *rq, struct response *rs, void *app);
int web_upload_get(struct request *rq, struct response *rs, void *app);
int web_upload_put(struct request *rq, struct response *rs, void *app);
int web_upload_delete(struct request *rq, struct response *rs, void *app);
int web_check(struct request *rq, struct response *rs, void *app);
int web_verify(struct request *rq, struct response *rs, void *app);
int web_cases(struct request *rq, struct response *rs, void *app);
int web_submit(struct request *rq, struct response *rs, void *app);
int web_case(struct request *rq, struct response *rs, void *app);
int web_unlock(struct request *rq, struct response *rs, void *app);
int web_withdraw(struct request *rq, struct response *rs, void *app);
int web_supplement(struct request *rq, struct response *rs, void *app);

#endif
