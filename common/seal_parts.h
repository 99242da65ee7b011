/* seal_parts.h - what the seal_*.c files share; nobody else includes it. */
#ifndef COMMON_SEAL_PARTS_H
#define COMMON_SEAL_PARTS_H

#include "common/seal.h"
#include "common/suite.h"

_Static_assert(SUITE_PK == KEY_HALF, "a public half fits");
const uint8_t *key_box_secret(const struct key_pair *k);        /* in locked memory */
/* hash(label suite || sign || box) in the key's suite. label: at most 31 characters. */
void key_digest(struct hash256 *out, const char *label, const struct key_public *k, const struct suite *su);

#endif
