/* access.h - the one place that decides which rows an officer sees and may act on.
 * Owns:    nothing. Threads: constant rules.
 *
 *   role         cases                                              register             accounts, exceptions
 *   aux          accepting station = own                            own station          -
 *   officer      accepting station = own                            own station          -
 *   sub_bureau   sent up to own sub-bureau at least once            stations below       -
 *   admin        none (no citizens' data)                           none                 those of the own unit and below
 *
 * What is outside answers ERR_MISSING, like what does not exist. Deny is the default: a role that is not named sees nothing. */
#ifndef INTRANET_SERVICE_ACCESS_H
#define INTRANET_SERVICE_ACCESS_H

#include "intranet-side/service/core.h"
#include "intranet-side/store/case.h"

/* Restriction that every list of cases binds: rows whose column equals the unit. "" and ACCESS_NOTHING: no rows. */
enum access_scope { ACCESS_NOTHING, ACCESS_STATION, ACCESS_SENT_UP };
enum access_scope access_case_scope(const struct actor *a);
bool access_case_visible(const struct actor *a, const struct case_file *f);
/* May see this case's personal values unmasked: the holder, or one who may decide its present state. */
bool access_case_unmasked(const struct actor *a, const struct case_file *f, const struct rules *rules);
/* unit_parent: parent of the person's station. */
bool access_register_visible(const struct actor *a, const char *unit, const char *unit_parent);
bool access_unit_below(const struct actor *a, const char *unit, const char *parent, const char *grandparent);

/* Read a case that the actor may see. ERR_MISSING with the sentence "没有这件，或不在您的范围". Inside a db closure. */
int access_case(struct db_conn *conn, const struct actor *a, const char *no, struct case_file *out, struct reply *r, struct err *e);

#endif
