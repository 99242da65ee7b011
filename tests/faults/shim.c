/* shim.c - preloaded into one program of the ferry: counts its calls by class and makes the n-th one fail, or kills the program at it.
 * The orders stand in a file of one page that the test maps as well ($FAULT_CONTROL), so that they can be changed while the program runs:
 * armed or not, which call, for how long, how fast time goes, what the wall clock says. tests/faults/README.md has the layout in words.
 *
 * Only regular files and folders count as files; the log (descriptors 0 to 2) never fails. The calls are made by number, not through libc: nothing
 * here allocates, locks or needs to be resolved. A child that forks off is left alone (the parser has no environment, so no shim either). */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_RENAME, CALL_LINK, CALL_UNLINK, CALL_CLOSE, CALL_ALLOC, CALL_TRUNCATE, CALL_MAP, CALL_TALK, CALL__COUNT };
enum how { HOW_NOT, HOW_FAIL, HOW_DONE_THEN_FAIL, HOW_SHORT, HOW_KILL_BEFORE, HOW_KILL_AFTER };

struct control {                         /* the layout is repeated in sweep.mjs */
    _Atomic uint32_t armed, call, n, how, error, ever, lifted, hits;
    _Atomic uint32_t scale;              /* how many times faster time goes; 0 and 1: as it is */
    _Atomic uint32_t no_noreplace;       /* 1: a file system without RENAME_NOREPLACE */
    _Atomic int64_t epoch_ms;            /* wall clock at which the faster time began */
    _Atomic int64_t jump_ms;             /* added to the wall clock … */
    _Atomic int64_t jump_at_ms;          /* … and to the times of files written since (real ms) */
    _Atomic uint32_t count[16];
    char where[2048];                    /* the first call that was struck: name, file, return addresses */
};

static struct control *control;
static pid_t owner;
static int64_t mono_start_ns;
static __thread bool inside __attribute__((tls_model("initial-exec")));

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static int64_t raw_ns(clockid_t which)
{
    struct timespec t = {0};
    syscall(SYS_clock_gettime, which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    void *warm[4];
    backtrace(warm, 4);                  /* loads what it needs now, not in the middle of a failing call */
    if (fd < 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);    /* a test that is stopped leaves nothing running */
    void *p = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    owner = (pid_t)syscall(SYS_getpid);
    mono_start_ns = raw_ns(CLOCK_MONOTONIC);
    if (p != MAP_FAILED)
        control = p;
}

/* --- deciding --- */

static void note(const char *name, const char *path, int fd)
{
    void *at[14];
    char file[512] = "";
    int used = 0, n = backtrace(at, 14);
    if (fd >= 0) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t got = syscall(SYS_readlinkat, AT_FDCWD, link, file, sizeof file - 1);
        file[got > 0 ? got : 0] = 0;
    }
    used = snprintf(control->where, sizeof control->where, "%s %s", name, path ? path : *file ? file : "-");
    for (int i = 2; i < n && used > 0 && (size_t)used < sizeof control->where - 300; i++) {
        Dl_info in;
        if (dladdr(at[i], &in) && in.dli_fname) {
            const char *base = strrchr(in.dli_fname, '/');
            used += snprintf(control->where + used, sizeof control->where - (size_t)used, " %.60s+0x%lx", base ? base + 1 : in.dli_fname,
                             (unsigned long)((char *)at[i] - (char *)in.dli_fbase));
        }
    }
}

static void die(void)
{
    syscall(SYS_kill, owner, SIGKILL);
    for (;;)
        pause();
}

/* What shall happen to this call. Kills at once when it is to be killed before. */
static enum how strike(enum call call, const char *name, const char *path, int fd)
{
    if (!control || inside || !control->armed || syscall(SYS_getpid) != owner)
        return HOW_NOT;
    uint32_t n = atomic_fetch_add(&control->count[call], 1) + 1;
    if (!control->how || control->call != call || control->lifted || (control->ever ? n < control->n : n != control->n))
        return HOW_NOT;
    inside = true;
    int kept = errno;
    if (atomic_fetch_add(&control->hits, 1) == 0)
        note(name, path, fd);
    errno = kept;
    inside = false;
    if (control->how == HOW_KILL_BEFORE)
        die();
    return (enum how)control->how;
}

static bool is_file(int fd)
{
    struct stat st;
    int kept = errno;
    bool is = fd > 2 && syscall(SYS_fstat, fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    errno = kept;
    return is;
}

static long failed(void)
{
    errno = (int)control->error;
    return -1;
}

/* The rest of a struck call that may be made, was made (rc), and is told as the orders say. */
static long told(enum how how, long rc)
{
    if (how == HOW_KILL_AFTER)
        die();
    return how == HOW_DONE_THEN_FAIL && rc >= 0 ? failed() : rc;
}

/* --- files --- */

static int open_any(const char *name, int dirfd, const char *path, int flags, mode_t mode)
{
    enum how how = strike(CALL_OPEN, name, path, -1);
    if (how == HOW_FAIL)
        return (int)failed();
    long fd = syscall(SYS_openat, dirfd, path, flags, mode);
    return (int)told(how == HOW_DONE_THEN_FAIL ? HOW_NOT : how, fd);
}

#define MODE_OF(flags) mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list ap; va_start(ap, flags); mode = va_arg(ap, mode_t); va_end(ap); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_any("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_any("open", AT_FDCWD, path, flags, mode); }
int openat(int dirfd, const char *path, int flags, ...) { MODE_OF(flags) return open_any("openat", dirfd, path, flags, mode); }
int openat64(int dirfd, const char *path, int flags, ...) { MODE_OF(flags) return open_any("openat", dirfd, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any("creat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char *path, int flags) { return open_any("open", AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any("open", AT_FDCWD, path, flags, 0); }
int __openat_2(int dirfd, const char *path, int flags) { return open_any("openat", dirfd, path, flags, 0); }
int __openat64_2(int dirfd, const char *path, int flags) { return open_any("openat", dirfd, path, flags, 0); }

static ssize_t move_any(enum call call, const char *name, long number, int fd, void *p, size_t n, off_t at)
{
    enum how how = call == CALL_TALK || is_file(fd) ? strike(call, name, NULL, fd) : HOW_NOT;
    if (how == HOW_FAIL)
        return failed();
    if (how == HOW_SHORT && n > 1)
        n /= 2;
    return told(how, syscall(number, fd, p, n, at));
}

ssize_t read(int fd, void *p, size_t n) { return move_any(CALL_READ, "read", SYS_read, fd, p, n, 0); }
ssize_t pread(int fd, void *p, size_t n, off_t at) { return move_any(CALL_READ, "pread", SYS_pread64, fd, p, n, at); }
ssize_t pread64(int fd, void *p, size_t n, off_t at) { return move_any(CALL_READ, "pread", SYS_pread64, fd, p, n, at); }
ssize_t __read_chk(int fd, void *p, size_t n, size_t cap) { return n > cap ? (abort(), -1) : read(fd, p, n); }
ssize_t __pread64_chk(int fd, void *p, size_t n, off_t at, size_t cap) { return n > cap ? (abort(), -1) : pread(fd, p, n, at); }
ssize_t write(int fd, const void *p, size_t n) { return move_any(CALL_WRITE, "write", SYS_write, fd, (void *)(uintptr_t)p, n, 0); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return move_any(CALL_WRITE, "pwrite", SYS_pwrite64, fd, (void *)(uintptr_t)p, n, at); }
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) { return pwrite(fd, p, n, at); }

ssize_t writev(int fd, const struct iovec *v, int n)
{
    enum how how = is_file(fd) ? strike(CALL_WRITE, "writev", NULL, fd) : HOW_NOT;
    if (how == HOW_FAIL)
        return failed();
    return told(how, syscall(SYS_writev, fd, v, how == HOW_SHORT && n > 1 ? n / 2 : n));
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    enum how how = strike(CALL_TALK, "send", NULL, fd);
    if (how == HOW_FAIL)
        return failed();
    return told(how, syscall(SYS_sendto, fd, p, how == HOW_SHORT && n > 1 ? n / 2 : n, flags, NULL, 0));
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    enum how how = strike(CALL_TALK, "recv", NULL, fd);
    if (how == HOW_FAIL)
        return failed();
    return told(how, syscall(SYS_recvfrom, fd, p, how == HOW_SHORT && n > 1 ? n / 2 : n, flags, NULL, NULL));
}

static int plain_any(enum call call, const char *name, const char *path, int fd, long number, long a, long b, long c, long d, long f)
{
    enum how how = strike(call, name, path, fd);
    if (how == HOW_FAIL && call == CALL_CLOSE)
        how = HOW_DONE_THEN_FAIL;        /* Linux closes the descriptor whatever it says */
    if (how == HOW_FAIL)
        return (int)failed();
    return (int)told(how, syscall(number, a, b, c, d, f));
}

int fsync(int fd) { return plain_any(CALL_SYNC, "fsync", NULL, fd, SYS_fsync, fd, 0, 0, 0, 0); }
int fdatasync(int fd) { return plain_any(CALL_SYNC, "fdatasync", NULL, fd, SYS_fdatasync, fd, 0, 0, 0, 0); }
int close(int fd) { return is_file(fd) ? plain_any(CALL_CLOSE, "close", NULL, fd, SYS_close, fd, 0, 0, 0, 0) : (int)syscall(SYS_close, fd); }
int ftruncate(int fd, off_t n) { return plain_any(CALL_TRUNCATE, "ftruncate", NULL, fd, SYS_ftruncate, fd, n, 0, 0, 0); }
int ftruncate64(int fd, off_t n) { return ftruncate(fd, n); }

int renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
    if (control && control->no_noreplace && flags) {
        errno = EINVAL;
        return -1;
    }
    return plain_any(CALL_RENAME, "renameat2", b, -1, SYS_renameat2, from, (long)a, to, (long)b, flags);
}

int renameat(int from, const char *a, int to, const char *b) { return plain_any(CALL_RENAME, "renameat", b, -1, SYS_renameat2, from, (long)a, to, (long)b, 0); }
int rename(const char *a, const char *b) { return renameat(AT_FDCWD, a, AT_FDCWD, b); }
int linkat(int from, const char *a, int to, const char *b, int flags) { return plain_any(CALL_LINK, "linkat", b, -1, SYS_linkat, from, (long)a, to, (long)b, flags); }
int link(const char *a, const char *b) { return linkat(AT_FDCWD, a, AT_FDCWD, b, 0); }
int unlinkat(int dirfd, const char *path, int flags) { return plain_any(CALL_UNLINK, "unlinkat", path, -1, SYS_unlinkat, dirfd, (long)path, flags, 0, 0); }
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
    if (strike(CALL_MAP, "mmap", NULL, fd) == HOW_FAIL)
        return (void *)failed();
    return (void *)syscall(SYS_mmap, p, n, prot, flags, fd, at);
}
void *mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at) { return mmap(p, n, prot, flags, fd, at); }

/* --- memory --- */

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t n) { return strike(CALL_ALLOC, "malloc", NULL, -1) == HOW_FAIL ? no_memory() : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return strike(CALL_ALLOC, "calloc", NULL, -1) == HOW_FAIL ? no_memory() : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return strike(CALL_ALLOC, "realloc", NULL, -1) == HOW_FAIL ? no_memory() : __libc_realloc(p, n); }

/* --- time: `scale` times faster since the epoch, so that hundreds of runs fit into a minute --- */

static int64_t scale(void)
{
    return control && control->scale > 1 ? (int64_t)control->scale : 1;
}

static struct timespec spec(int64_t ns)
{
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static int64_t faster_wall(int64_t real_ns)
{
    int64_t epoch = control->epoch_ms * 1000000;
    return real_ns > epoch ? epoch + (real_ns - epoch) * scale() : real_ns;
}

int clock_gettime(clockid_t which, struct timespec *t)
{
    int64_t now = raw_ns(which);
    if (control && which == CLOCK_REALTIME)
        now = faster_wall(now) + control->jump_ms * 1000000;
    else if (control && which == CLOCK_MONOTONIC)
        now = mono_start_ns + (now - mono_start_ns) * scale();
    *t = spec(now);
    return 0;
}

/* Times of files follow the same clock. */
int fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    int rc = (int)syscall(SYS_newfstatat, dirfd, path, st, flags);
    if (rc == 0 && control) {
        int64_t real = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
        st->st_mtim = spec(faster_wall(real) + (real / 1000000 >= control->jump_at_ms ? control->jump_ms * 1000000 : 0));
    }
    return rc;
}

int poll(struct pollfd *p, nfds_t n, int ms)
{
    struct timespec t = spec((int64_t)(ms > 0 ? ms : 0) * 1000000 / scale());
    return (int)syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, 0);
}
int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t cap) { (void)cap; return poll(p, n, ms); }

int nanosleep(const struct timespec *want, struct timespec *left)
{
    struct timespec t = spec(((int64_t)want->tv_sec * 1000000000 + want->tv_nsec) / scale());
    return (int)syscall(SYS_nanosleep, &t, left);
}
int usleep(useconds_t us) { struct timespec t = spec((int64_t)us * 1000); return nanosleep(&t, NULL); }
unsigned sleep(unsigned s) { struct timespec t = spec((int64_t)s * 1000000000); return nanosleep(&t, NULL) < 0; }

/* Only conditions on the monotonic clock are used with a time. */
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) {
        void *p = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        if (!p)
            p = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
        memcpy(&real, &p, sizeof p);
    }
    int64_t at = (int64_t)until->tv_sec * 1000000000 + until->tv_nsec;
    struct timespec t = spec(mono_start_ns + (at - mono_start_ns) / scale());
    return real(c, m, &t);
}
