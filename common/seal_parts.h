/* seal_parts.h - what the seal_*.c files share; nobody else includes it. */
#ifndef COMMON_SEAL_PARTS_H
#define COMMON_SEAL_PARTS_H

#include "common/seal.h"

const uint8_t *key_box_secret(const struct key_pair *k);        /* 32 bytes in locked memory */

#endif
