/* people.h - units and officers' accounts.
 * Owns: nothing. Threads: inside a closure. */
#ifndef INTRANET_STORE_PEOPLE_H
#define INTRANET_STORE_PEOPLE_H

#include "common/db.h"

struct unit { char code[13], name[128], short_name[64], parent[13], level[16], region[8], address[256], phone[32]; bool accepting; };
struct officer {
    char uid[33], login[33], name[128], role[16], unit[13], badge[32], password[128];
    bool must_change, enabled;
    int64_t failures, locked_until, last_login;
    char unit_name[64];                           /* short name of the unit, when read */
};

int unit_put(struct db_conn *c, const struct unit *u, struct err *e);                       /* add, or change by code */
int unit_get(struct db_conn *c, const char *code, struct unit *out, struct err *e);         /* ERR_MISSING */
typedef int (*unit_fn)(const struct unit *u, void *arg, struct err *e);
int unit_each(struct db_conn *c, unit_fn fn, void *arg, struct err *e);                     /* by code */

int officer_add(struct db_conn *c, const struct officer *o, struct err *e);                 /* ERR_CONFLICT: login known */
int officer_by_login(struct db_conn *c, const char *login, struct officer *out, struct err *e);     /* ERR_MISSING */
int officer_by_uid(struct db_conn *c, const char *uid, struct officer *out, struct err *e);
typedef int (*officer_fn)(const struct officer *o, void *arg, struct err *e);
int officer_each(struct db_conn *c, officer_fn fn, void *arg, struct err *e);               /* by login */
/* Write failures, locked_until, last_login, enabled, must_change, password back. */
int officer_save(struct db_conn *c, const struct officer *o, struct err *e);
int officer_password_add(struct db_conn *c, const char *uid, const char *hash, struct err *e);
typedef int (*password_fn)(const char *hash, void *arg, struct err *e);
int officer_password_each(struct db_conn *c, const char *uid, password_fn fn, void *arg, struct err *e);     /* the last five, newest first */

extern const struct db_statements people_statements;

#endif
