/* mask.h - what is shown of numbers outside the case one holds.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTRANET_DOMAIN_MASK_H
#define INTRANET_DOMAIN_MASK_H

#include <stddef.h>

/* kind: "id" (340***********1234), "phone" (138****1234, 0562-***5678), anything else copies. Cuts to cap. */
void mask_value(char *out, size_t cap, const char *kind, const char *value);

#endif
