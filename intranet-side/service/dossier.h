/* dossier.h - one case opened: its row, its payload in clear, its numbers, its key. For the length of one closure.
 * Owns: what it holds until dossier_close, which wipes. Threads: the caller's. */
#ifndef INTRANET_SERVICE_DOSSIER_H
#define INTRANET_SERVICE_DOSSIER_H

#include "intranet-side/service/core.h"
#include "intranet-side/store/case.h"
#include "intranet-side/store/people.h"

struct dossier {
    struct case_file f;
    json_t *payload;                 /* {"entries", "materials":[{no, alternative, licence}], "untypeable":[...], "identity":{...}, "requests":[...]} */
    const json_t *entries;           /* of payload */
    const struct catalogue *catalogue;   /* the version the case was begun with (MAT-05), valid until the service stops */
    const struct item *item;         /* of it, as the district of the accepting unit has it; NULL when it does not know the code */
    struct unit unit, up;            /* accepting station and the unit above it */
    char id_no[24], phone[32];
    struct secret *key;
};

/* Inside a closure. f was read (and access was checked) by the caller. */
int dossier_open(struct dossier *d, struct core *c, struct db_conn *conn, const struct case_file *f, struct err *e);
void dossier_close(struct dossier *d);
/* Write the payload back (inside a write). */
int dossier_save_payload(struct dossier *d, struct db_conn *conn, struct err *e);
/* JSON under the case's key, bound to a place such as "trail/<uid>". */
int dossier_seal(struct buf *out, const struct dossier *d, const char *place, const json_t *value, struct err *e);
/* New reference; NULL for empty bytes. */
int dossier_unseal(json_t **out, const struct secret *key, const char *place, struct bytes sealed, struct err *e);
/* Values of the form that are somebody's name (fields with the pattern of a person's name). New reference. */
json_t *dossier_names(const struct dossier *d);
/* The subject's name and ID number out of the entries: subject_*, child_name, else the applicant. */
void dossier_subject(const json_t *entries, const char **name, const char **id_no);

#endif
