/* event.h - what happened to the rows of the register: each change with the row before and after. Only added.
 * Owns: nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_EVENT_H
#define INTRANET_STORE_EVENT_H

#include "intranet-side/store/register.h"

struct register_event {
    int64_t id;                                /* set when read */
    const char *kind, *subject;                /* "person" "household" "paper" and the row's uid */
    const char *case_no, *op, *business, *officer, *name, *unit, *text;
    int64_t at, undoes;                        /* undoes: id of the event that this one takes back, 0 */
    const json_t *before, *after;              /* NULL: there was no row, there is none now */
    bool undone;                               /* a later event takes it back; set when read */
};
int register_event_add(const struct register_store *s, const struct register_event *v, struct err *e);
typedef int (*register_event_fn)(const struct register_event *v, void *arg, struct err *e);
/* Of one row, newest first. */
int register_event_each(const struct register_store *s, const char *subject, register_event_fn fn, void *arg, struct err *e);
/* Of one case, newest first. */
int register_event_of_case(const struct register_store *s, const char *case_no, register_event_fn fn, void *arg, struct err *e);
/* All of them behind `after`, in order: the register can be made again from them. */
int register_event_replay(const struct register_store *s, int64_t after, register_event_fn fn, void *arg, struct err *e);
/* The case whose event, not taken back since, touched the row behind this one; "" when there is none. */
int register_event_later(const struct register_store *s, const char *subject, int64_t id, const char *case_no, char out[20], struct err *e);

/* How many events of the case stand, not taken back, and the officer of the last of them; "" when none. */
int register_event_standing(struct db_conn *c, const char *case_no, int64_t *n, char officer[33], struct err *e);

extern const struct db_statements event_statements;

#endif
