/* outgoing.h - what leaves for the internet side and the applicant: status, supplement requests, answers, SMS rows.
 * Owns: nothing. Threads: inside write closures, except outgoing_release.
 * Every record takes the next place of its case in the transaction that causes it, so order per case is the order of the causes. */
#ifndef INTRANET_SERVICE_OUTGOING_H
#define INTRANET_SERVICE_OUTGOING_H

#include "intranet-side/service/core.h"
#include "intranet-side/store/case.h"

/* Release what can no longer be undone: one transaction. *more: something was released. */
int outgoing_release(struct core *c, int64_t now_ms, bool *more, struct err *e);

struct answer_item { const char *id, *hash; };
struct answer {
    const char *case_no, *to, *record, *word;    /* to: application supplement withdrawal; word: received confirmed held refused */
    const char *reason;                          /* citizen's for refused, operator's for held; "" = none */
    const json_t *findings;                      /* [{field, rule, message}]; NULL */
    int64_t pages_done, pages_total;
    const struct answer_item *items;
    size_t n_items;
    int64_t now_ms;
};
int outgoing_answer(struct core *c, struct db_conn *conn, const struct answer *a, struct err *e);

/* A supplement request as the case keeps it, said again; in the case's next place. */
int outgoing_request(struct core *c, struct db_conn *conn, const char *case_no, const json_t *request, int64_t now_ms, struct err *e);
/* What an emptied internet side must know of a case; tail: last four characters of the applicant's ID number. */
int outgoing_tracking(struct core *c, struct db_conn *conn, const struct case_file *f, const char *phone, const char *tail, int64_t now_ms, struct err *e);

#endif
