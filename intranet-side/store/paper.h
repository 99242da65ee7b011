/* paper.h - what was issued on the register: booklets, migration certificates, permits, certificates.
 * Rows are JSON objects: paper_id, kind, no, ours ("0": issued elsewhere, seen here), household_id, person_id, case_no, unit_code, issued, valid_until,
 * status, reason, content (what stands on it; sealed in the row).
 * Owns: nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_PAPER_H
#define INTRANET_STORE_PAPER_H

#include "intranet-side/store/register.h"

/* Valid ones of a kind; "" = any of the others. New reference. */
int paper_valid(const struct register_store *s, const char *kind, const char *household, const char *person, const char *no, const char *case_no,
                json_t **array, struct err *e);
/* All of a person or his household, newest first. */
int paper_of(const struct register_store *s, const char *household, const char *person, json_t **array, struct err *e);
int paper_by_uid(const struct register_store *s, const char *uid, json_t **out, struct err *e);      /* NULL and 0: none */
/* Number of the next paper of a kind; nth: so many further. */
int paper_next(const struct register_store *s, const char *kind, const char *unit, unsigned nth, char out[40], struct err *e);
int paper_add(const struct register_store *s, const json_t *row, struct err *e);
int paper_update(const struct register_store *s, const json_t *row, struct err *e);      /* status, and what stands on it */

extern const struct db_statements paper_statements;

#endif
