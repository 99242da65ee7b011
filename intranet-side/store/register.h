/* register.h - the persons of the register core.
 * Rows are JSON objects of the columns of schemas/effects/README.md (empty columns absent), plus nothing else. Numbers and the phone are sealed in
 * the row and opened here. Households: household.h; papers: paper.h; what happened: event.h.
 * Owns:    nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_REGISTER_H
#define INTRANET_STORE_REGISTER_H

#include <jansson.h>

#include "intranet-side/store/vault.h"

struct register_store { struct db_conn *c; const struct vault *v; };

/* New references; *out NULL and 0 when there is nobody. */
int register_by_id_no(const struct register_store *s, const char *id_no, json_t **out, struct err *e);
int register_by_uid(const struct register_store *s, const char *uid, json_t **out, struct err *e);
int register_members(const struct register_store *s, const char *household, bool only_normal, json_t **array, struct err *e);
/* unit: rows of this station; parent: rows of the stations below this sub-bureau; exactly one is not "". name, birth_date: "" = any. At most 50 and the total. */
int register_find(const struct register_store *s, const char *unit, const char *parent, const char *name, const char *birth_date,
                  json_t **array, int64_t *total, struct err *e);

int register_add_person(const struct register_store *s, const json_t *row, struct err *e);     /* ERR_CONFLICT: number known */
int register_update_person(const struct register_store *s, const json_t *row, struct err *e);
int register_delete_person(const struct register_store *s, const char *uid, struct err *e);    /* of a row that a reversal takes back; its number stays given */
/* Whether a number was ever given, also one that was replaced since. */
int register_number_given(const struct register_store *s, const char *id_no, bool *given, struct err *e);
/* Somebody came with this number and his coming was taken back. */
int register_forget_number(const struct register_store *s, const char *id_no, struct err *e);
int register_count(struct db_conn *c, int64_t *persons, struct err *e);

extern const struct db_statements register_statements;

#endif
