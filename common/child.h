/* child.h - a helper program on a socket pair: length-prefixed request in, length-prefixed answer out, one at a time per child.
 * Used for the powerless parser and image children and for the caller of outside systems.
 * Owns:    struct child_pool owns up to `n` processes; a dead one is started again at the next call.
 * Threads: child_call may be called from many threads; each call has one process to itself.
 * Frame:   u32 length (big endian), then bytes. The first byte of an answer is 0 (fine) or an enum err_code; then body or message. */
#ifndef COMMON_CHILD_H
#define COMMON_CHILD_H

#include "common/bytes.h"

struct child_pool;

struct child_options {
    const char *path;          /* program, e.g. build/libexec/parser */
    const char *const *argv;   /* further arguments, NULL-terminated; may be NULL */
    unsigned n;                /* most processes */
    size_t max_answer;         /* bytes; a longer answer kills the child */
    unsigned deadline_ms;      /* per call; a late child is killed */
    unsigned max_calls;        /* the child is replaced after this many calls; 0 = never */
    uint64_t max_memory;       /* RLIMIT_AS in bytes; 0 = no limit */
    bool clean_env;            /* no environment, no descriptors but 0..2, cwd "/" */
};

int child_pool_open(struct child_pool **out, const struct child_options *opt, struct err *e);
void child_pool_close(struct child_pool *p);
/* ERR_HELD when the child died, was late or answered nonsense (the caller holds the item); else the child's own code and sentence. */
int child_call(struct child_pool *p, struct bytes request, struct buf *answer, struct err *e);
/* In the child: serve until end of input. handle writes the answer body, or returns -1 with e set. */
int child_serve(int (*handle)(struct bytes request, struct buf *answer, void *arg, struct err *e), void *arg, size_t max_request);
/* In a powerless child, after it loaded all it needs: allow read, write, memory, exit, nothing else (seccomp, kill). Returns -1 if refused. */
int child_drop_power(struct err *e);

#endif
