/* releases.h - the catalogues this service works with: the base folder, the released changes over it, the version in force, the earlier ones.
 * Owns:    every catalogue that was in force since the start, or that a case needed, until releases_close: whoever read core->catalogue before a
 *          switch goes on with it, without counting references in a hundred places. Releases are rare (a few a day at most) and versions share
 *          what they have in common, so that one costs about a megabyte; a restart lets go of all.
 * Threads: safe, one lock for the list. core->catalogue is atomic: a reader sees the old version or the new one, whole. */
#ifndef INTRANET_SERVICE_RELEASES_H
#define INTRANET_SERVICE_RELEASES_H

#include "intranet-side/service/core.h"

struct releases;
/* Reads the folder, lays the released changes over it and puts the result in force. ERR_INPUT names a change that has no place in the base. */
int releases_open(struct releases **out, struct core *c, struct err *e);
void releases_close(struct releases *r);
const struct catalogue *releases_base(const struct releases *r);
/* Whether the flows and the effects of this house can carry it. ERR_INPUT says what is missing. */
int releases_fits(const struct core *c, const struct catalogue *next, struct err *e);
/* In force from now on. Takes the reference. */
void releases_switch(struct core *c, struct catalogue *next);
/* The catalogue of a version, valid until the service stops; NULL: not known here. Without releases (tests) only the one in force. */
const struct catalogue *releases_version(struct core *c, int64_t version);
/* What the changes released up to a version (0: all) come to. New reference. */
int releases_overrides(json_t **out, struct db *db, int64_t up_to, struct err *e);

/* One release at a time: between the two, core->catalogue does not change. */
void releases_hold(struct releases *r);
void releases_let_go(struct releases *r);

#endif
