/* casebody.h - the pieces of the case page, one function each; caseview.c puts them together.
 * Owns: nothing; each gives a new reference or NULL with e set. Threads: inside a closure. */
#ifndef INTRANET_SERVICE_CASEBODY_H
#define INTRANET_SERVICE_CASEBODY_H

#include "intranet-side/service/dossier.h"
#include "intranet-side/service/review.h"

struct view {
    struct core *c;
    struct db_conn *conn;
    const struct actor *a;
    struct dossier *d;
    bool unmasked;
    int64_t now_ms;
    struct review review;            /* filled by casebody_sections */
};

json_t *casebody_sections(struct view *v, struct err *e);
json_t *casebody_materials(struct view *v, struct err *e);
json_t *casebody_actions(struct view *v, struct err *e);
json_t *casebody_trail(struct view *v, struct err *e);
json_t *casebody_checks(struct view *v);
json_t *casebody_messages(struct view *v, struct err *e);
json_t *casebody_related(struct view *v, struct err *e);
/* For the approver: before and after, rule, opinions, open points. */
json_t *casebody_summary(struct view *v, const json_t *trail, struct err *e);
json_t *unit_json(const struct unit *u);

#endif
