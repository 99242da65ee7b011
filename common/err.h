/* err.h - one error type: a code to act on, a sentence to read.
 * Owns:    nothing; the caller holds the struct.
 * Threads: functions touch only their arguments.
 * Functions return 0 or -1; err_set and its kin return -1, so that raising is one line. The first error wins:
 * setting a struct that already carries a code keeps the old code and message. A NULL struct is accepted. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_INPUT,       /* what came from outside breaks a rule: reject it, do not retry */
    ERR_AUTH,        /* nobody is signed in, or the session ended */
    ERR_DENIED,      /* signed in, but not allowed; or owner/mode of a file is wrong */
    ERR_MISSING,     /* not there, or not visible to this caller */
    ERR_CONFLICT,    /* exists already, or changed in between */
    ERR_TOO_LARGE,   /* over a stated bound */
    ERR_BUSY,        /* try again until a deadline */
    ERR_FULL,        /* no space, no descriptors: stop accepting */
    ERR_CORRUPT,     /* signature, hash or structure does not hold: quarantine */
    ERR_HELD,        /* intact, but we cannot process it now: keep, alarm, retry on command */
    ERR_UNAVAILABLE, /* an outside system or child did not answer */
    ERR_INTERNAL     /* our own fault or the system's: see sys */
};

struct err {
    enum err_code code;
    int sys;         /* errno at the time, 0 if none */
    char msg[256];   /* where, which rule, wanted, found; never personal data */
};

int err_set(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As err_set with the system's reason for errno appended; ENOSPC, EDQUOT, EMFILE, ENFILE become ERR_FULL,
 * ENOENT ERR_MISSING, EEXIST ERR_CONFLICT, EACCES and EPERM ERR_DENIED, else ERR_INTERNAL. Keeps errno. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Put context in front of the message: "context: message". Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forget the error, for a caller that has dealt with it. */
void err_clear(struct err *e);
/* The stable English word of a code, as it stands in logs and JSON answers ("input", "auth"...). */
const char *err_word(enum err_code code);

#endif
