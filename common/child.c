/* child.c - the pool in the parent. The child's own half is child_serve.c. */
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define ARGS_MAX 32

struct worker { pid_t pid; int fd; unsigned calls; bool busy; };

struct child_pool {
    struct child_options opt;
    char *argv[ARGS_MAX + 2];
    pthread_mutex_t lock;          /* guards workers */
    pthread_cond_t freed;
    struct worker *workers;        /* opt.n of them */
    /* PR_SET_PDEATHSIG follows the thread that forked, not the process: one thread that lives as long as the pool starts them all. */
    pthread_t nurse;
    bool has_nurse;
    pthread_mutex_t turn;          /* one start at a time; taken before birth */
    pthread_mutex_t birth;         /* guards the four below */
    pthread_cond_t changed;
    struct worker *wanted;         /* NULL: nothing to do, or done */
    struct err *why;
    int started;
    bool stop;
};

static void kill_worker(struct worker *w)
{
    if (w->pid > 0) {
        kill(w->pid, SIGKILL);
        while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (w->fd >= 0)
        close(w->fd);
    w->pid = 0;
    w->fd = -1;
    w->calls = 0;
}

/* A child that ended while it was idle (killed from outside) is no fault of the next request: it is buried and a new one started. */
static void bury_if_dead(struct worker *w)
{
    if (w->pid > 0 && waitpid(w->pid, NULL, WNOHANG) == w->pid) {
        w->pid = 0;
        kill_worker(w);
    }
}

/* Between fork and exec: only async-signal-safe calls. */
static void become(const struct child_pool *p, int fd)
{
    static char *const no_env[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);      /* the nurse blocks everything */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        _exit(127);
    if (p->opt.max_memory) {
        struct rlimit r = {p->opt.max_memory, p->opt.max_memory};
        setrlimit(RLIMIT_AS, &r);
    }
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    close_range(3, ~0u, 0);
    if (p->opt.clean_env) {
        if (chdir("/") < 0)
            _exit(127);
        execve(p->argv[0], p->argv, no_env);
    } else {
        execv(p->argv[0], p->argv);
    }
    _exit(127);
}

static int spawn(struct child_pool *p, struct worker *w, struct err *e)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_sys(e, "child %s: socket pair", p->opt.path);
    pid_t pid = fork();
    if (pid == 0)
        become(p, fds[1]);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return err_sys(e, "child %s: fork", p->opt.path);
    }
    w->fd = fds[0];
    w->pid = pid;
    w->calls = 0;
    return 0;
}

static void *nurse_main(void *arg)
{
    struct child_pool *p = arg;
    pthread_mutex_lock(&p->birth);
    for (;;) {
        while (!p->wanted && !p->stop)
            pthread_cond_wait(&p->changed, &p->birth);
        if (p->stop)
            break;
        p->started = spawn(p, p->wanted, p->why);
        p->wanted = NULL;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->birth);
    return NULL;
}

static int start_worker(struct child_pool *p, struct worker *w, struct err *e)
{
    pthread_mutex_lock(&p->turn);
    pthread_mutex_lock(&p->birth);
    p->wanted = w;
    p->why = e;
    pthread_cond_broadcast(&p->changed);
    while (p->wanted)
        pthread_cond_wait(&p->changed, &p->birth);
    int rc = p->started;
    pthread_mutex_unlock(&p->birth);
    pthread_mutex_unlock(&p->turn);
    return rc;
}

/* Signals are for the program's own threads: the nurse takes none. */
static int hire_nurse(struct child_pool *p, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&p->nurse, NULL, nurse_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->has_nurse = rc == 0;
    return rc == 0 ? 0 : err_set(e, ERR_FULL, "child %s: no thread", p->opt.path);
}

int child_pool_open(struct child_pool **out, const struct child_options *opt, struct err *e)
{
    struct child_pool *p = calloc(1, sizeof *p);
    size_t n = 1;
    *out = NULL;
    if (p) {
        pthread_mutex_init(&p->lock, NULL);
        pthread_mutex_init(&p->turn, NULL);
        pthread_mutex_init(&p->birth, NULL);
        pthread_cond_init(&p->freed, NULL);
        pthread_cond_init(&p->changed, NULL);
    }
    if (!p || !(p->workers = calloc(opt->n, sizeof *p->workers)) || !(p->argv[0] = realpath(opt->path, NULL))) {
        err_sys(e, "child %s", opt->path);
        child_pool_close(p);
        return -1;
    }
    p->opt = *opt;
    p->opt.path = p->argv[0];          /* ours: the caller's strings may go */
    p->opt.argv = NULL;
    for (unsigned i = 0; i < opt->n; i++)
        p->workers[i].fd = -1;
    bool whole = true;
    for (size_t i = 0; whole && opt->argv && opt->argv[i]; i++)
        whole = n <= ARGS_MAX && (p->argv[n++] = strdup(opt->argv[i]));
    if (!whole) {
        err_set(e, ERR_FULL, "child %s: no memory, or more than %d arguments", opt->path, ARGS_MAX);
        child_pool_close(p);
        return -1;
    }
    if (hire_nurse(p, e) < 0) {
        child_pool_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

void child_pool_close(struct child_pool *p)
{
    if (!p)
        return;
    if (p->has_nurse) {
        pthread_mutex_lock(&p->birth);
        p->stop = true;
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->birth);
        pthread_join(p->nurse, NULL);      /* takes the children with it */
    }
    for (unsigned i = 0; p->workers && i < p->opt.n; i++)
        kill_worker(&p->workers[i]);
    for (size_t i = 0; i < ARGS_MAX + 2; i++)
        free(p->argv[i]);
    free(p->workers);
    pthread_cond_destroy(&p->freed);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->turn);
    pthread_mutex_destroy(&p->birth);
    free(p);
}

static struct worker *free_worker(struct child_pool *p)
{
    struct worker *cold = NULL;
    for (unsigned i = 0; i < p->opt.n; i++) {
        struct worker *w = &p->workers[i];
        if (w->busy)
            continue;
        if (w->pid)
            return w;
        cold = w;
    }
    return cold;
}

/* A worker to oneself, or ERR_BUSY at the deadline. */
static int take_worker(struct child_pool *p, struct worker **out, struct err *e)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += p->opt.deadline_ms / 1000 + 1;
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    while (!(*out = free_worker(p)) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&p->freed, &p->lock, &t);
    if (*out)
        (*out)->busy = true;
    pthread_mutex_unlock(&p->lock);
    return *out ? 0 : err_set(e, ERR_BUSY, "child %s: all %u are busy", p->opt.path, p->opt.n);
}

static void give_back(struct child_pool *p, struct worker *w)
{
    pthread_mutex_lock(&p->lock);
    w->busy = false;
    pthread_cond_signal(&p->freed);
    pthread_mutex_unlock(&p->lock);
}

/* Move n bytes, waiting at most until the deadline. */
static int move_bytes(int fd, uint8_t *into, const uint8_t *from, size_t n, int64_t deadline)
{
    size_t at = 0;
    while (at < n) {
        int64_t left = deadline - clock_mono_ms();
        struct pollfd pf = {fd, into ? POLLIN : POLLOUT, 0};
        if (left <= 0 || poll(&pf, 1, (int)left) <= 0) {
            if (left > 0 && errno == EINTR)
                continue;
            return -1;
        }
        ssize_t k = into ? recv(fd, into + at, n - at, MSG_DONTWAIT) : send(fd, from + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (k <= 0)
            return -1;
        at += (size_t)k;
    }
    return 0;
}

static uint32_t get_u32(const uint8_t b[4])
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* One exchange of frames. -1: the child is dead, late or talks nonsense. */
static int exchange(const struct child_pool *p, struct worker *w, struct bytes request, struct buf *answer, uint8_t *word)
{
    int64_t deadline = clock_mono_ms() + p->opt.deadline_ms;
    uint8_t head[4] = {(uint8_t)(request.n >> 24), (uint8_t)(request.n >> 16), (uint8_t)(request.n >> 8), (uint8_t)request.n};
    uint8_t part[16384];
    if (move_bytes(w->fd, NULL, head, 4, deadline) < 0 || move_bytes(w->fd, NULL, request.p, request.n, deadline) < 0 ||
        move_bytes(w->fd, head, NULL, 4, deadline) < 0)
        return -1;
    size_t n = get_u32(head);
    if (n < 1 || n - 1 > p->opt.max_answer || move_bytes(w->fd, word, NULL, 1, deadline) < 0)
        return -1;
    for (size_t left = n - 1; left;) {
        size_t k = left < sizeof part ? left : sizeof part;
        if (move_bytes(w->fd, part, NULL, k, deadline) < 0)
            return -1;
        buf_put(answer, part, k);
        left -= k;
    }
    return answer->bad ? -1 : 0;
}

int child_call(struct child_pool *p, struct bytes request, struct buf *answer, struct err *e)
{
    struct worker *w;
    uint8_t word = 0;
    size_t before = answer->n;
    if (take_worker(p, &w, e) < 0)
        return -1;
    bury_if_dead(w);
    int rc = w->pid ? 0 : start_worker(p, w, e);
    if (rc == 0 && exchange(p, w, request, answer, &word) < 0) {
        kill_worker(w);
        log_event(LOG_WARN, "child_lost", "path %s", p->opt.path);
        rc = err_set(e, ERR_HELD, "child %s: died, was late or answered nonsense", p->opt.path);
    }
    if (rc == 0 && p->opt.max_calls && ++w->calls >= p->opt.max_calls)
        kill_worker(w);
    give_back(p, w);
    if (rc == 0 && word) {
        rc = err_set(e, word <= ERR_INTERNAL ? (enum err_code)word : ERR_HELD, "%.*s", (int)(answer->n - before),
                     answer->p ? (const char *)answer->p + before : "");
        answer->n = before;
    }
    return rc;
}
