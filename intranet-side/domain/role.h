/* role.h - the roles of officers and what each may see and enter.
 * Owns:    nothing. Threads: constant tables.
 * The value is a bit so that a route's mask and a transition's list are one word. */
#ifndef INTRANET_DOMAIN_ROLE_H
#define INTRANET_DOMAIN_ROLE_H

#include <stdbool.h>

enum role { ROLE_NONE = 0, ROLE_AUX = 1, ROLE_OFFICER = 2, ROLE_SUB_BUREAU = 4, ROLE_ADMIN = 8, ROLE_SYSTEM = 16 };

#define ROLES_CASE (ROLE_AUX | ROLE_OFFICER | ROLE_SUB_BUREAU)      /* who works on cases and reads the register */
#define ROLES_ALL (ROLES_CASE | ROLE_ADMIN)

enum role role_parse(const char *word);      /* "aux" "officer" "sub_bureau" "admin" "system"; ROLE_NONE otherwise */
const char *role_word(enum role r);
const char *role_name(enum role r);          /* 辅警 民警 分局审批 管理员 系统 */
const char *role_level(enum role r);         /* level of unit it belongs to: "station" "sub_bureau" "city" */

#endif
