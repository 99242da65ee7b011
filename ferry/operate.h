/* operate.h - what verbs that ask a service share. */
#ifndef FERRY_OPERATE_H
#define FERRY_OPERATE_H

#include <jansson.h>

#include "ferry/commands.h"

struct side { const char *name, *commands, *outbox, *inbox, *key, *peer_key; };      /* texts of the configuration */

/* The side that --side names, or the only one of this host. 0, or the exit code, the reason told. */
int operate_side(struct side *out, const struct config *c, const struct arguments *a);
/* Takes `args`. 0 and *answer (json_decref it), or 1 with the reason told. */
int operate_ask(const struct side *s, const char *verb, json_t *args, unsigned wait_s, json_t **answer);

#endif
