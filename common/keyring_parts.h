/* keyring_parts.h - what the keyring_*.c files share; nobody else includes it. */
#ifndef COMMON_KEYRING_PARTS_H
#define COMMON_KEYRING_PARTS_H

#include "common/keyring.h"

/* Reads the key files that the list names; the list is copied. */
int key_set_load(struct key_set **out, const struct key_list *list, const char *dir, struct err *e);
/* The pairs in the list are somebody else's and stay so. NULL: no memory. */
struct key_set *key_set_borrow(const struct key_list *list, struct err *e);
void key_set_hold(struct key_set *s);

#endif
