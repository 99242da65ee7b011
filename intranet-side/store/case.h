/* case.h - the case file: one row that says where a case stands, and its secrets under the case's own key.
 * Owns:    nothing; rows are copied into the caller's struct.
 * Threads: functions run inside a db_read or db_write closure on its connection.
 * Plain:   what lists and clocks need (name of the subject among it). Sealed: ID number, phone (AEAD under a key derived from the
 *          master key, with a keyed blind index for equality), payload and opinions (AEAD under the case's key, wrapped by the master key). */
#ifndef INTRANET_STORE_CASE_H
#define INTRANET_STORE_CASE_H

#include "common/db.h"

struct case_file {
    char no[17], item[8], flow[32];
    char workflow[48];               /* "" until the first claim fixes the variant */
    char state[40], previous[40];    /* previous: "" or the state before this one, for @previous */
    char unit[13];                   /* accepting station */
    char up_unit[13];                /* sub-bureau it was sent up to at least once; "" */
    bool up;                         /* waits at up_unit now */
    char holder[33], holder_name[128];   /* officer id; "" = nobody */
    int64_t held_since;
    int64_t version;                 /* grows with every change that an officer must know of before he acts */
    int64_t transitions;             /* taken by people; 0: a release takes the variant away again */
    unsigned wait_roles;             /* roles for whom it is to do; 0: waits for the citizen, a courier, or nobody */
    bool final, archived, pre_archived, supplemented;
    bool originals_due;
    char channel[8];                 /* "wechat" "app" "pc" */
    int64_t submitted, received, confirmed;      /* ms; confirmed 0 until every page is stored */
    int64_t state_since;
    char state_due[11], total_due[11];           /* working-day deadlines; "" = none */
    char stopped_on[11];             /* day since which the citizen's time does not count; "" = running */
    char citizen_due[11];            /* date that applies to the citizen */
    char sort_due[11];               /* what lists sort by: the nearer of the two while the clock runs, else "9999-12-31" */
    int64_t config_version;
    char record[33], content[65];
    char person[256];                /* the subject's name, plain */
    int64_t round;                   /* supplement requests sent so far */
    int64_t pages_total, pages_done;
    int64_t undo_until;              /* ms; 0 = nothing to undo */
    char undo_officer[33];
};

struct case_page_query {             /* see service/caselist.h; every member set, "" = any */
    int scope;                       /* enum access_scope */
    const char *unit, *officer, *view, *item, *state, *name, *no, *mine, *sort, *today;
    struct bytes id_index;           /* blind index of an ID number; n 0 = any */
    const char *going_on;            /* JSON array of the states in which a case goes on after its originals (续办) */
    unsigned role;
    unsigned limit, offset;
};
struct case_counts { int64_t todo, claimable, doing, done, going_on, supplemented, originals, due, oldest_todo, oldest_doing; };      /* oldest: ms in its state, 0 = none */

int case_get(struct db_conn *c, const char *no, struct case_file *out, struct err *e);        /* ERR_MISSING */
int case_add(struct db_conn *c, const struct case_file *f, struct bytes id_index, struct bytes id_sealed, struct bytes phone_sealed,
             struct bytes payload, struct err *e);                                             /* ERR_CONFLICT: number or record known */
/* Write every changeable column back and raise the version. ERR_CONFLICT when the row's version is no longer f->version. */
int case_save(struct db_conn *c, struct case_file *f, struct err *e);
/* The same without raising the version: counters and clocks that no decision depends on. */
int case_touch(struct db_conn *c, const struct case_file *f, struct err *e);

struct case_sealed { struct buf id_no, phone, payload; };
void case_sealed_clear(struct case_sealed *s);
int case_get_sealed(struct db_conn *c, const char *no, struct case_sealed *out, struct err *e);
int case_set_payload(struct db_conn *c, const char *no, struct bytes payload, struct err *e);

/* Wrapped key of a case; made by whoever comes first, record or page. */
int case_key_get(struct db_conn *c, const char *no, struct buf *wrapped, struct err *e);       /* ERR_MISSING */
int case_key_add(struct db_conn *c, const char *no, struct bytes wrapped, struct err *e);

typedef int (*case_row_fn)(const struct case_file *f, void *arg, struct err *e);
int case_find(struct db_conn *c, const struct case_page_query *q, case_row_fn row, void *arg, int64_t *total, struct err *e);
int case_count(struct db_conn *c, const struct case_page_query *q, struct case_counts *out, struct err *e);
/* Other cases of the same person (blind index), newest first, at most 20. */
int case_related(struct db_conn *c, const char *no, case_row_fn row, void *arg, struct err *e);
/* Cases whose date for the citizen has passed while they are in `state`. */
int case_overdue(struct db_conn *c, const char *state, const char *today, case_row_fn row, void *arg, struct err *e);

extern const struct db_statements case_statements, case_list_statements;

#endif
