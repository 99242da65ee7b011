/* casepeople.h - lists of people in a form (movers, members…) as the desk needs them: value by value, under paths like "movers.0.id_no".
 * Owns: nothing; places borrow from dossier and family. Threads: inside a closure where a db_conn is taken. */
#ifndef INTRANET_SERVICE_CASEPEOPLE_H
#define INTRANET_SERVICE_CASEPEOPLE_H

#include "intranet-side/service/registry.h"

struct people_place {
    const struct repeat *repeat;
    const struct field *field;
    size_t row;                      /* from 0 */
    const json_t *entries, *value;   /* the person's own answers; the answer at this field, never NULL */
    char path[128];                  /* "movers.0.id_no" */
};
typedef int (*people_fn)(const struct people_place *p, void *arg, struct err *e);

/* Every answer in the lists of a section (NULL: of the whole form), in the form's order. */
int casepeople_each(const struct dossier *d, const struct section *s, people_fn fn, void *arg, struct err *e);
/* The next list of the section, from *at on, that was asked and holds nobody; NULL when there is none. */
const struct repeat *casepeople_empty(const struct dossier *d, const struct section *s, size_t *at);
/* Whether the path leads to an answer that is there. */
bool casepeople_find(struct people_place *out, const struct dossier *d, const char *path);
/* The register beside it: the person is found by the first ID number among his answers. What a field's own `register` does not say is taken from
 * what it is: name, ID number, sex, birth date. */
int casepeople_compare(struct compared *out, struct core *c, struct db_conn *conn, const struct dossier *d, const struct people_place *p, json_t **people,
                       struct err *e);
/* "随迁人员 第 1 人" */
void casepeople_title(char *out, size_t cap, const struct people_place *p);

#endif
