/* admin.h - units, accounts, exceptions of intake, configuration in force.
 * Owns: nothing. Threads: safe. Accounts and exceptions are for ROLE_ADMIN; every act is logged. */
#ifndef INTRANET_SERVICE_ADMIN_H
#define INTRANET_SERVICE_ADMIN_H

#include "intranet-side/service/core.h"

int admin_units(struct core *c, const struct actor *a, struct reply *r, struct err *e);
int admin_officers(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);
/* Body: {"officer", "first_password"} (201). ERR_CONFLICT: the login exists. */
int admin_officer_add(struct core *c, const struct actor *a, const char *login, const char *name, const char *role, const char *unit,
                      int64_t now_ms, struct reply *r, struct err *e);
/* act: "disable" "enable" "unlock" "reset". Nobody acts on his own account. */
int admin_officer_act(struct core *c, const struct actor *a, const char *officer_id, const char *act, int64_t now_ms, struct reply *r,
                      struct err *e);
int admin_exceptions(struct core *c, const struct actor *a, struct reply *r, struct err *e);
int admin_exception_retry(struct core *c, const struct actor *a, const char *id, int64_t now_ms, struct reply *r, struct err *e);
int admin_configuration(struct core *c, const struct actor *a, struct reply *r, struct err *e);
int admin_items(struct core *c, const struct actor *a, struct reply *r, struct err *e);

/* The body of /healthz: ok, problems, config_version. Returns whether the service can do its work. */
bool admin_health(struct core *c, int64_t now_ms, struct reply *r);

#endif
