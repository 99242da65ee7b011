/* household.h - households and their addresses.
 * Rows are JSON objects: household_id, book_no, kind, head_person_id, address_id, unit_code, status, name, collective_kind, land_kind, frozen,
 * formed, ended; read also head_name, region and address.
 * Owns: nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_HOUSEHOLD_H
#define INTRANET_STORE_HOUSEHOLD_H

#include "intranet-side/store/register.h"

/* New references; *out NULL and 0 when there is none. */
int register_household(const struct register_store *s, const char *uid, json_t **out, struct err *e);
int register_household_by_book(const struct register_store *s, const char *book_no, json_t **out, struct err *e);
/* A normal collective household of this name, one of the unit first. */
int register_household_by_name(const struct register_store *s, const char *name, const char *unit, json_t **out, struct err *e);
int register_households_at(const struct register_store *s, const char *address, json_t **array, struct err *e);      /* ended ones too */
/* The lowest book number of the unit that is behind all its others; nth: so many further. */
int register_next_book(const struct register_store *s, const char *unit, unsigned nth, char out[40], struct err *e);

int register_add_address(const struct register_store *s, const json_t *row, struct err *e);       /* address_id, region, text, unit_code */
/* With its address, when that is not known yet. */
int register_add_household(const struct register_store *s, const json_t *row, struct err *e);
int register_update_household(const struct register_store *s, const json_t *row, struct err *e);
int register_delete_household(const struct register_store *s, const char *uid, struct err *e);
typedef int (*household_fn)(const json_t *row, void *arg, struct err *e);
int register_household_each(const struct register_store *s, household_fn fn, void *arg, struct err *e);

extern const struct db_statements household_statements;

#endif
