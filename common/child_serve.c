/* child_serve.c - the child's half: frames on standard input and output, and the giving up of all power. */
#include "common/child.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int read_all(uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = read(STDIN_FILENO, p + at, n - at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return at == 0 && k == 0 ? 1 : -1;
        at += (size_t)k;
    }
    return 0;
}

static int write_all(const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = write(STDOUT_FILENO, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int send_answer(uint8_t word, struct bytes body)
{
    size_t n = body.n + 1;
    uint8_t head[5] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, word};
    return write_all(head, 5) < 0 || write_all(body.p, body.n) < 0 ? -1 : 0;
}

int child_serve(int (*handle)(struct bytes request, struct buf *answer, void *arg, struct err *e), void *arg, size_t max_request)
{
    struct buf answer;
    buf_init(&answer, 0);
    for (;;) {
        uint8_t head[4];
        int end = read_all(head, 4);
        size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if (end || n > max_request)
            return end == 1 ? 0 : -1;
        uint8_t *body = malloc(n ? n : 1);
        if (!body || read_all(body, n) != 0)
            return -1;
        struct err e = {0};
        buf_wipe(&answer);
        int rc = handle((struct bytes){body, n}, &answer, arg, &e);
        if (rc == 0 && answer.bad)
            rc = err_set(&e, ERR_TOO_LARGE, "answer: over the bound");
        rc = rc == 0 ? send_answer(0, buf_bytes(&answer)) : send_answer((uint8_t)(e.code ? e.code : ERR_INTERNAL), bytes_of(e.msg));
        explicit_bzero(body, n);
        free(body);
        if (rc < 0)
            return -1;
    }
}

int child_drop_power(struct err *e)
{
    static const int allowed[] = {
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
        SCMP_SYS(rt_sigprocmask),
    };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)allowed;
    (void)e;
    return 0;                    /* the sanitizer needs more system calls; power is dropped in every other build */
#else
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(e, "no_new_privs");
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc = f ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    if (rc == 0)                 /* memory, but never memory that can be executed */
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0));
    if (rc == 0)                 /* glibc grows arenas with mprotect(PROT_READ|PROT_WRITE) */
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
    if (rc == 0)                 /* stdio asks once what its stream is; fail softly instead of dying */
        rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(newfstatat), 0);
    if (rc == 0)
        rc = seccomp_load(f);
    if (f)
        seccomp_release(f);
    return rc == 0 ? 0 : err_set(e, ERR_INTERNAL, "seccomp: %s", strerror(-rc));
#endif
}
