/* publish.h - the configuration that both sides work with: numbered, kept, sent across, exported.
 * Owns: nothing. Threads: safe; called at start and from the clock.
 * A released number never changes its content: an edited schemas/ folder gets the next number by itself. */
#ifndef INTRANET_SERVICE_PUBLISH_H
#define INTRANET_SERVICE_PUBLISH_H

#include "intranet-side/service/core.h"

/* The catalogue of a folder with the released changes over it, under the number it has to have here: that of the last release when the content
 * is the same, else the next. */
int publish_catalogue(struct catalogue **out, struct db *db, const char *schema_dir, struct err *e);
/* The same of a base that is loaded already. */
int publish_catalogue_of(struct catalogue **out, struct db *db, const struct catalogue *base, struct err *e);
/* Release a catalogue under the next number: bundle kept, record to the ferry and what `also` writes, in one transaction. Then it is in force. Takes
 * the reference of next on success. Under releases_hold. */
int publish_next(struct core *c, struct catalogue *next, db_fn also, void *arg, int64_t now_ms, struct err *e);
/* Keep the bundle and hand it to the ferry when this version was not released yet, or when the peer still does not name it long after. */
int publish_if_due(struct core *c, int64_t now_ms, struct err *e);
/* Write the bundle to a file: what a new internet side starts from. */
int publish_export(const struct catalogue *c, const char *path, struct err *e);

#endif
