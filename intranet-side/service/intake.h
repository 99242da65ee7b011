/* intake.h - what arrives from the internet side: applications, supplements, withdrawals and the parts of their pages.
 * Owns:    struct intake: what the last refusal said to the citizen, from prepare or apply to the outcome of the same item.
 * Threads: the ferry's receiver calls; the writer thread applies. A record and each page is whole or absent.
 * A part may come before or after its record; a case is readable while parts come, and confirmed when the last one is stored. */
#ifndef INTRANET_SERVICE_INTAKE_H
#define INTRANET_SERVICE_INTAKE_H

#include "ferry/lib/delivery.h"
#include "intranet-side/service/core.h"

int intake_open(struct intake **out, struct err *e);
void intake_close(struct intake *i);

/* For delivery_options: app is the struct core. */
extern const struct delivery_handler intake_handlers[];
extern const size_t intake_n_handlers;
/* Answer a refused or held record; the sealed original stays with the delivery. */
int intake_outcome(struct db_conn *c, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e);
/* Page files without a row that are older than an hour: left by a crash between file and commit. Called at start. */
int intake_sweep(struct core *c, int64_t now_ms, unsigned *dropped, struct err *e);

#endif
