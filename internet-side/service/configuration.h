/* configuration.h - the rules in force: one bundle that came whole, replaced at once by the next one.
 * Owns:    the current edition and the one before it (a draft begun under it may still be handed in); each edition with the answers
 *          that are made of it alone. An edition lives until its last reference goes.
 * Threads: safe, one lock held only to take references; requests keep the edition they began with. */
#ifndef INTERNET_SERVICE_CONFIGURATION_H
#define INTERNET_SERVICE_CONFIGURATION_H

#include "common/catalogue.h"
#include "common/db.h"

struct edition;
const struct catalogue *edition_catalogue(const struct edition *d);
uint32_t edition_version(const struct edition *d);
/* City as it stands on screens. */
const char *edition_city(const struct edition *d);
/* Body of GET /api/catalogue and its ETag (quoted hash). Live as long as the edition. */
struct bytes edition_index(const struct edition *d);
/* Body of GET /api/catalogue/search, under the same ETag. */
struct bytes edition_search(const struct edition *d);
const char *edition_tag(const struct edition *d);
/* Body of one item as the city ("") or a district has it, made at the first wish. ERR_MISSING: unknown or switched off there. Lives as long
 * as the edition. */
int edition_item(struct bytes *out, struct edition *d, const char *code, const char *region, struct err *e);
/* The unit as the contract shows it; a new reference, with the code alone when it is unknown. */
json_t *edition_unit(const struct edition *d, const char *code);
/* Its short name, "派出所" when unknown. */
const char *edition_unit_short(const struct edition *d, const char *code);
/* Name citizens know the item by, "" when unknown. */
const char *edition_plain_name(const struct edition *d, const char *item);
void edition_release(struct edition *d);       /* accepts NULL */

struct configuration;
/* Loads the newest of the database, else the file base (a bundle); "" for none. ERR_MISSING: neither is there. */
int configuration_open(struct configuration **out, struct db *db, const char *base, struct err *e);
void configuration_close(struct configuration *c);
/* A reference to the current edition; never NULL after configuration_open. */
struct edition *configuration_current(struct configuration *c);
/* A reference to the edition of that version, NULL when it is neither the current one nor the one before. */
struct edition *configuration_version(struct configuration *c, uint32_t version);
/* Look whether the database holds a newer one and switch to it. Called after a configuration was applied. 1 switched, 0 not, -1. */
int configuration_refresh(struct configuration *c, struct err *e);

#endif
