/* trail.h - the steps of a case, its notes, what it will send, its undo: everything that hangs on a transition.
 * Owns: nothing. Threads: inside a closure. Rows of the trail are only added. */
#ifndef INTRANET_STORE_TRAIL_H
#define INTRANET_STORE_TRAIL_H

#include "common/db.h"

struct trail_step {
    char uid[33], case_no[17];
    int64_t at;
    char officer[33], name[128], unit[13], unit_name[128], role[16];
    char action[40], text[256], from[40], to[40];
    struct bytes sealed;             /* borrowed: from the caller, or until the callback returns */
};
typedef int (*trail_fn)(const struct trail_step *t, void *arg, struct err *e);
int trail_add(struct db_conn *c, const struct trail_step *t, struct err *e);
int trail_each(struct db_conn *c, const char *case_no, trail_fn fn, void *arg, struct err *e);      /* oldest first */
int trail_took_part(struct db_conn *c, const char *case_no, const char *officer, bool *yes, struct err *e);

int note_set(struct db_conn *c, const char *case_no, const char *field, const char *officer, struct bytes sealed, struct err *e);
typedef int (*note_fn)(const char *field, struct bytes sealed, void *arg, struct err *e);
int note_each(struct db_conn *c, const char *case_no, note_fn fn, void *arg, struct err *e);

struct pending {
    int64_t id, not_before;
    char case_no[17], trail[33], kind[24];
    struct bytes sealed;
};
typedef int (*pending_fn)(const struct pending *p, void *arg, struct err *e);
int pending_add(struct db_conn *c, const struct pending *p, struct err *e);
/* Due ones in order of id, at most 200. The callback must not change the table: remember ids, drop afterwards. */
int pending_due(struct db_conn *c, int64_t now_ms, pending_fn fn, void *arg, struct err *e);
int pending_drop(struct db_conn *c, int64_t id, struct err *e);
int pending_drop_case(struct db_conn *c, const char *case_no, struct err *e);
int pending_release_case(struct db_conn *c, const char *case_no, struct err *e);    /* due at once */
int pending_next(struct db_conn *c, int64_t *at, struct err *e);                    /* ms of the earliest, INT64_MAX = none */

/* JSON of the columns before the decision; "" = none. */
int undo_set(struct db_conn *c, const char *case_no, const char *json, struct err *e);
int undo_get(struct db_conn *c, const char *case_no, struct buf *json, struct err *e);

extern const struct db_statements trail_statements;

#endif
