#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct err *e, enum err_code code, int sys, const char *fmt, va_list ap)
{
    if (!e || e->code != ERR_NONE)
        return;
    e->code = code;
    e->sys = sys;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);   /* a cut message is still a message */
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(e, code, 0, fmt, ap);
    va_end(ap);
    return -1;
}

static enum err_code code_of(int sys)
{
    switch (sys) {
    case ENOSPC: case EDQUOT: case EMFILE: case ENFILE: case ENOMEM: return ERR_FULL;
    case ENOENT: return ERR_MISSING;
    case EEXIST: return ERR_CONFLICT;
    case EACCES: case EPERM: case EROFS: return ERR_DENIED;
    default: return ERR_INTERNAL;
    }
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int sys = errno;
    char why[128];
    va_list ap;
    if (!e || e->code != ERR_NONE)
        return -1;
    va_start(ap, fmt);
    put(e, code_of(sys), sys, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->msg);
    const char *reason = strerror_r(sys, why, sizeof why);
    snprintf(e->msg + n, sizeof e->msg - n, ": %s", reason);
    errno = sys;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char old[sizeof e->msg];
    va_list ap;
    if (!e)
        return -1;
    memcpy(old, e->msg, sizeof old);
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->msg);
    snprintf(e->msg + n, sizeof e->msg - n, ": %s", old);
    return -1;
}

void err_clear(struct err *e)
{
    if (e)
        *e = (struct err){0};
}

const char *err_word(enum err_code code)
{
    switch (code) {
    case ERR_NONE: return "none";
    case ERR_INPUT: return "input";
    case ERR_AUTH: return "auth";
    case ERR_DENIED: return "denied";
    case ERR_MISSING: return "missing";
    case ERR_CONFLICT: return "conflict";
    case ERR_TOO_LARGE: return "too_large";
    case ERR_BUSY: return "busy";
    case ERR_FULL: return "full";
    case ERR_CORRUPT: return "corrupt";
    case ERR_HELD: return "held";
    case ERR_UNAVAILABLE: return "unavailable";
    case ERR_INTERNAL: return "internal";
    }
    return "internal";
}
