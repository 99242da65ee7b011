/* mover.h - carries files of both directions between the four gateway folders: verify the trailer, copy durably, let the source go.
 * Holds no decryption key; verifies with the configured public keys and with NAME-KEYID.pub beside them, which may come and go while it runs. Owns its folder descriptors. Threads: one; mover_run returns when *stop becomes true.
 * A crash at any point leaves the source, or both source and copy: the copy with the same bytes is then taken as carried. */
#ifndef FERRY_MOVER_H
#define FERRY_MOVER_H

#include <signal.h>

#include "common/config.h"
#include "common/seal.h"

struct mover;
int mover_open(struct mover **out, const struct config *c, struct err *e);
void mover_close(struct mover *m);
int mover_run(struct mover *m, const volatile sig_atomic_t *stop, struct err *e);

#endif
