/* idassign.h - a new citizen identity number (GB 11643): area, birth date, the lowest free sequence of the sex, check digit.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTRANET_DOMAIN_IDASSIGN_H
#define INTRANET_DOMAIN_IDASSIGN_H

#include "common/err.h"

/* *used tells whether the number exists already, living or cancelled. */
typedef int (*id_used_fn)(void *arg, const char *id_no, bool *used, struct err *e);
/* region: 6 digits; birth: 2026-11-02; gender '1' odd, '2' even. ERR_FULL: every sequence of that day is used. */
int id_assign(char out[19], const char *region, const char *birth, char gender, id_used_fn used, void *arg, struct err *e);

#endif
