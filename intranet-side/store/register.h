/* register.h - the register core: persons, households, addresses, and what happened to them.
 * People are JSON objects of the columns of schemas/effects/README.md (empty columns absent), plus nothing else; households have household_id,
 * book_no, kind, head_person_id, head_name, address_id, region, address, unit_code. Numbers and the phone are sealed in the row and opened here.
 * Owns:    nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_REGISTER_H
#define INTRANET_STORE_REGISTER_H

#include <jansson.h>

#include "intranet-side/store/vault.h"

struct register_store { struct db_conn *c; const struct vault *v; };

/* New references; *out NULL and 0 when there is nobody. */
int register_by_id_no(const struct register_store *s, const char *id_no, json_t **out, struct err *e);
int register_by_uid(const struct register_store *s, const char *uid, json_t **out, struct err *e);
int register_household(const struct register_store *s, const char *uid, json_t **out, struct err *e);
int register_members(const struct register_store *s, const char *household, bool only_normal, json_t **array, struct err *e);
/* unit: rows of this station; parent: rows of the stations below this sub-bureau; exactly one is not "". name, birth_date: "" = any. At most 50 and the total. */
int register_find(const struct register_store *s, const char *unit, const char *parent, const char *name, const char *birth_date,
                  json_t **array, int64_t *total, struct err *e);

int register_add_address(const struct register_store *s, const json_t *row, struct err *e);
int register_add_household(const struct register_store *s, const json_t *row, struct err *e);
int register_add_person(const struct register_store *s, const json_t *row, struct err *e);     /* ERR_CONFLICT: number known */
int register_update_person(const struct register_store *s, const json_t *row, struct err *e);

struct register_event {
    const char *person, *case_no, *op, *officer, *name, *unit, *text;
    int64_t at;
    const json_t *before, *after;              /* NULL */
};
int register_event_add(const struct register_store *s, const struct register_event *v, struct err *e);
typedef int (*register_event_fn)(const struct register_event *v, void *arg, struct err *e);
int register_event_each(const struct register_store *s, const char *person, register_event_fn fn, void *arg, struct err *e);   /* newest first */
int register_count(struct db_conn *c, int64_t *persons, struct err *e);

extern const struct db_statements register_statements;

#endif
