/* log_books.h - the small tables: audit chain, SMS queue, records of intake, released configurations.
 * Owns: nothing. Threads: inside a closure; audit_add inside a write (the chain's end is read and written there). */
#ifndef INTRANET_STORE_LOG_BOOKS_H
#define INTRANET_STORE_LOG_BOOKS_H

#include "intranet-side/store/vault.h"

struct audit_row {
    int64_t at;
    const char *officer, *login, *role, *unit, *address, *act, *object, *result;
};
int audit_add(struct db_conn *c, const struct vault *v, const struct audit_row *r, struct err *e);
/* Recompute the chain. ERR_CORRUPT names the first row that does not hold. *rows: how many were checked. */
int audit_check(struct db_conn *c, const struct vault *v, int64_t *rows, struct err *e);
/* Acts of this officer and kind since a time, for limits. */
int audit_count(struct db_conn *c, const char *officer, const char *act, int64_t since, int64_t *n, struct err *e);

struct sms {
    int64_t id, attempts, next_at, sent_at, created;
    char uid[33], case_no[17], template_id[40], text[512], state[12];
    struct buf phone_sealed;                      /* empty: the case's own */
};
int sms_add(struct db_conn *c, const char *case_no, const char *template_id, const char *text, struct bytes phone_sealed, int64_t next_at,
            struct err *e);
/* The first one that is due; ERR_MISSING when none. sms_clear it. */
int sms_next(struct db_conn *c, int64_t now_ms, struct sms *out, struct err *e);
void sms_clear(struct sms *s);
int sms_result(struct db_conn *c, const char *uid, const char *state, int64_t next_at, int64_t sent_at, struct err *e);
typedef int (*sms_fn)(const struct sms *s, void *arg, struct err *e);
int sms_each(struct db_conn *c, const char *case_no, sms_fn fn, void *arg, struct err *e);

struct intake_row { char record[33], kind[16], case_no[17], sealed_hash[65]; int64_t round, confirmed; };
int intake_add(struct db_conn *c, const struct intake_row *r, struct err *e);        /* ERR_CONFLICT: known */
int intake_get(struct db_conn *c, const char *record, struct intake_row *out, struct err *e);
int intake_confirm(struct db_conn *c, const char *record, int64_t at, struct err *e);
typedef int (*intake_fn)(const struct intake_row *r, void *arg, struct err *e);
/* Every record of a case that came, oldest first, at most 100; the callback may write. */
int intake_each(struct db_conn *c, const char *case_no, intake_fn fn, void *arg, struct err *e);

struct configuration_row { int64_t version, published; char hash[65], item[33]; };
int configuration_add(struct db_conn *c, const struct configuration_row *r, struct err *e);
int configuration_last(struct db_conn *c, struct configuration_row *out, struct err *e);      /* ERR_MISSING */

extern const struct db_statements log_statements;

#endif
