/* mover_parts.h - what the mover*.c files share; nobody else includes it. */
#ifndef FERRY_MOVER_PARTS_H
#define FERRY_MOVER_PARTS_H

#include <stdatomic.h>

#include "common/file.h"
#include "ferry/lib/mover.h"

#define MOVER_STATUS_MS 2000
#define MOVER_SEEN_MAX 4096u

/* A file that fails, and since when it stands still. */
struct seen {
    char name[256];
    int64_t size, mtime_ms, since_mono_ms;
    bool here, told;                     /* met in this pass; its being stuck was logged */
};

struct way {
    struct mover_way state;
    const char *from_path, *to_path;
    const struct key_public *key;        /* of the side that writes this outbox: nobody else's signature counts */
    int from_fd, to_fd, watch;
    struct seen *seen;
    size_t nseen, have;
};

struct mover {
    struct mover_options opt;            /* strings borrowed */
    struct way ways[2];
    int quarantine, notify, wake[2];
    atomic_bool stop;
    int64_t status_at;                   /* monotonic: when the next is due */
};

/* mover_aside.c */
bool mover_name_fits(const char *name);                            /* letters, digits, "._-", at most 120 */
void mover_name_by_hash(char out[256], struct bytes file);
int folder_list_temps(struct dir_entry **out, size_t *n, int dirfd);      /* hidden names ending in .tmp; free(*out) */
void mover_seen_begin(struct way *w);
void mover_seen_end(struct way *w);                                /* forget what lies there no more */
/* A file failed with this reason: wait until it stood still, then set it aside. */
void mover_trouble(struct mover *m, struct way *w, const struct dir_entry *d, const char *why);

/* mover_status.c */
void mover_status_tick(struct mover *m);                           /* every 2 s */
void mover_status(struct mover *m, const char *state);             /* "running" or "stopped" */

#endif
