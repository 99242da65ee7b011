/* auth_password.h - password hashes (argon2id, 19 MiB, 2 passes) and the rules of passwords.
 * Owns: a gate of two, so that a flood of logins costs 38 MiB and not the machine. Threads: safe. */
#ifndef INTRANET_SERVICE_AUTH_PASSWORD_H
#define INTRANET_SERVICE_AUTH_PASSWORD_H

#include <stdbool.h>

#include "common/err.h"

int password_hash(char out[128], const char *password, struct err *e);
/* ERR_BUSY after 5 s at the gate. */
int password_verify(const char *hash, const char *password, bool *right, struct err *e);
const char *password_dummy(void);            /* a hash of nothing anybody knows, for logins that do not exist */
/* NULL when good, else the sentence: 12 to 128 characters, three of four kinds, not containing the login. */
const char *password_rule(const char *password, const char *login);

#endif
