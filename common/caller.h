/* caller.h - outgoing calls, made only by the helper program build/libexec/caller (libcurl), which alone may leave the host.
 * The helper is started with a list of named bases ("identity=http://127.0.0.1:9001"); a call names a base and a path, never a URL.
 * Data stays in memory. A base that is not configured answers ERR_UNAVAILABLE "switched off".
 * Threads: safe. */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "common/child.h"

struct caller;
/* bases: NULL-terminated "name=url" strings. */
int caller_open(struct caller **out, const char *program, const char *const *bases, unsigned n, struct err *e);
void caller_close(struct caller *c);
/* POST JSON, wait at most deadline_ms (<= 10000). ERR_UNAVAILABLE: off, unreachable, late, or status >= 500; *status is the HTTP status otherwise. */
int caller_post(struct caller *c, const char *base, const char *path, struct bytes json, unsigned deadline_ms, int *status,
                struct buf *answer, struct err *e);
#endif
