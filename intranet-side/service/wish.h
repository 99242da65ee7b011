/* wish.h - a change of the configuration that the internet side wants: imported as a draft, reviewed and released like any other (IMP-07).
 * Owns: what prepare leaves until discard. Threads: the ferry's receiver; applied on the writer thread. Repeating an item changes nothing. */
#ifndef INTRANET_SERVICE_WISH_H
#define INTRANET_SERVICE_WISH_H

#include "ferry/lib/delivery.h"
#include "intranet-side/service/core.h"

int wish_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
int wish_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e);
void wish_discard(void *prepared);

#endif
