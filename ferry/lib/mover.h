/* mover.h - carries files from each side's outbox to the other side's inbox: what a border gateway does, and the stand-in for one.
 *
 * A file is read whole, its trailer verified with the sender's public key, published (fsynced) in the other inbox and only then removed here.
 * The mover holds no secret key: it cannot read an item, forge a file or answer for a side. Same bytes already there: fine, the copy here
 * goes. What does not verify is left alone until size and mtime stood still for settle_s, then set aside with NAME.reason; nothing is deleted.
 * Owns:    descriptors of the folders; reopened at each rescan, so that a remounted or new folder is found.
 * Threads: one; mover_stop may be called from a signal handler.
 * Crash:   killed at any moment, the next start carries on: a file is in one folder, the other, or (same bytes) in both. */
#ifndef FERRY_MOVER_H
#define FERRY_MOVER_H

#include "common/seal.h"

struct mover_options {
    const char *internet_outbox, *internet_inbox, *intranet_outbox, *intranet_inbox;
    const char *quarantine;
    const struct key_public *internet, *intranet;
    const char *status_file;             /* renamed into place every 2 s and at stop; "" = none */
    const char *version;
    unsigned rescan_s;                   /* inotify only shortens the wait */
    unsigned settle_s;
    unsigned warn_s, critical_s;         /* age of the oldest file in an outbox */
};

struct mover_way {                       /* from since start; waiting, oldest, stuck as of the last pass */
    const char *from, *to;
    uint64_t carried, bytes, set_aside;
    uint64_t waiting, stuck;             /* stuck: cannot be carried nor set aside */
    int64_t last_ms, oldest_ms;          /* last file carried; mtime of the oldest waiting; 0 = none */
    char blocked[200];                   /* why nothing can be carried now, "" = it can */
};

struct mover;
int mover_open(struct mover **out, const struct mover_options *opt, struct err *e);
void mover_close(struct mover *m);       /* accepts NULL */
/* One look at both outboxes. Never fails: what went wrong stands in the ways and the log. */
void mover_pass(struct mover *m);
const struct mover_way *mover_way(const struct mover *m, unsigned i);      /* 0: internet to intranet, 1: back */
/* Passes until mover_stop; then the last status is written. ERR_FULL: no descriptors to begin with. */
int mover_run(struct mover *m, struct err *e);
void mover_stop(struct mover *m);        /* async-signal-safe */

#endif
