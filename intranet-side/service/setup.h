/* setup.h - the administrator's verbs that run before the service: first administrator, demonstration data.
 * Owns: nothing. Threads: single. */
#ifndef INTRANET_SERVICE_SETUP_H
#define INTRANET_SERVICE_SETUP_H

#include "intranet-side/service/core.h"

/* Units of the configuration into the database: at every start. */
int setup_units(struct core *c, struct err *e);
/* First administrator "admin" of the city's bureau with a one-time password. ERR_CONFLICT when there is an account already. */
int setup_first_admin(struct core *c, int64_t now_ms, char password[17], struct err *e);
/* Officers and residents of a folder such as schemas/org (demo.json, demo-residents.json). Passwords are drawn and written to the file
 * `accounts` (0600) as {"accounts":[{login, password, name, role, unit, unit_name}]}; keep_passwords: they need no change at first login, which the
 * log says. Existing logins and persons are left as they are. */
int setup_demo(struct core *c, const char *dir, const char *accounts, bool keep_passwords, int64_t now_ms, struct err *e);

#endif
