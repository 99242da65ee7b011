/* review.h - what an officer still has to look at in a case, and which case comes next.
 * Owns: nothing. Threads: safe; review_count inside a closure. */
#ifndef INTRANET_SERVICE_REVIEW_H
#define INTRANET_SERVICE_REVIEW_H

#include "intranet-side/service/dossier.h"

struct review { int pages, seen, unseen, differences, noted; };
int review_count(struct review *out, struct core *c, struct db_conn *conn, const struct dossier *d, const char *officer, struct err *e);
/* The next case of this officer by clock, other than `no`; "" when there is none. */
int review_next(struct core *c, const struct actor *a, const char *no, int64_t now_ms, char out[17], struct err *e);
/* {field: note} of a case, opened. New reference. */
int review_notes(json_t **out, struct db_conn *conn, const struct dossier *d, struct err *e);

#endif
