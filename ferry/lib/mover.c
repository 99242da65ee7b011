#include "ferry/lib/mover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/mover_parts.h"

#define LIST_MAX ((size_t)65536)
#define STALE_TEMP_MS 60000              /* a temporary name of ours this old was left by a mover that was killed */
#define WATCHED (IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_ONLYDIR)

int mover_open(struct mover **out, const struct mover_options *opt, struct err *e)
{
    struct mover *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return err_set(e, ERR_FULL, "mover: no memory");
    m->opt = *opt;
    m->quarantine = m->notify = m->wake[0] = m->wake[1] = -1;
    m->ways[0] = (struct way){.state = {.from = "internet", .to = "intranet"}, .from_path = opt->internet_outbox, .to_path = opt->intranet_inbox, .key = opt->internet};
    m->ways[1] = (struct way){.state = {.from = "intranet", .to = "internet"}, .from_path = opt->intranet_outbox, .to_path = opt->internet_inbox, .key = opt->intranet};
    for (unsigned i = 0; i < 2; i++)
        m->ways[i].from_fd = m->ways[i].to_fd = m->ways[i].watch = -1;
    if (pipe2(m->wake, O_CLOEXEC | O_NONBLOCK) < 0) {
        err_sys(e, "mover: pipe");
        mover_close(m);
        return -1;
    }
    m->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);       /* without it the rescan does all */
    *out = m;
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void mover_close(struct mover *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&m->ways[i].from_fd);
        close_fd(&m->ways[i].to_fd);
        free(m->ways[i].seen);
    }
    close_fd(&m->quarantine);
    close_fd(&m->notify);
    close_fd(&m->wake[0]);
    close_fd(&m->wake[1]);
    free(m);
}

void mover_stop(struct mover *m)
{
    int kept = errno;
    m->stop = true;
    ssize_t n = write(m->wake[1], "", 1);
    (void)n;                             /* a full pipe wakes as well */
    errno = kept;
}

const struct mover_way *mover_way(const struct mover *m, unsigned i)
{
    return &m->ways[i].state;
}

/* Say once why a way is blocked, and once that it is free again. */
static void set_blocked(struct way *w, const struct err *e)
{
    const char *now = e ? e->msg : "";
    bool was = *w->state.blocked;
    snprintf(w->state.blocked, sizeof w->state.blocked, "%.199s", now);
    if (e && !was)
        log_event(LOG_ERROR, "way_blocked", "from %s to %s error %s", w->state.from, w->state.to, now);
    else if (!e && was)
        log_event(LOG_INFO, "way_open", "from %s to %s", w->state.from, w->state.to);
}

/* What a mover that was killed left unfinished in the inbox: nobody but a mover writes there. */
static void remove_stale_temps(int dirfd_)
{
    struct dir_entry *list = NULL;
    size_t n = 0;
    if (folder_list_temps(&list, &n, dirfd_) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (clock_wall_ms() - list[i].mtime_ms > STALE_TEMP_MS && unlinkat(dirfd_, list[i].name, 0) == 0)
            log_event(LOG_INFO, "temp_removed", "name %s", list[i].name);
    free(list);
}

/* Hold the folder that the path names now: after a remount it is another one. */
static int reopen(int *fd, const char *path, bool *fresh, struct err *e)
{
    struct stat now, held;
    *fresh = *fd < 0;
    if (*fd >= 0 && stat(path, &now) == 0 && fstat(*fd, &held) == 0 && now.st_dev == held.st_dev && now.st_ino == held.st_ino)
        return 0;
    close_fd(fd);
    *fresh = true;
    return folder_open(fd, path, 0, e);
}

static int open_way(struct mover *m, struct way *w, struct err *e)
{
    bool fresh_from, fresh_to;
    if (reopen(&w->from_fd, w->from_path, &fresh_from, e) < 0 || reopen(&w->to_fd, w->to_path, &fresh_to, e) < 0)
        return -1;
    if (fresh_from && m->notify >= 0)
        w->watch = inotify_add_watch(m->notify, w->from_path, WATCHED);
    if (fresh_to)
        remove_stale_temps(w->to_fd);
    bool ignored;
    return reopen(&m->quarantine, m->opt.quarantine, &ignored, e);
}

/* The name is there already: fine when the bytes are the same (a repeat, or our own work before a crash). Other bytes get a name of
 * their own: both are signed, and names mean nothing to a receiver. */
static int publish_beside(struct way *w, const char *name, struct bytes file, struct err *e)
{
    struct buf there;
    struct err ignored = {0};
    char other[256];
    buf_init(&there, ENVELOPE_MAX + 1);
    int rc = file_read(&there, w->to_fd, name, ENVELOPE_MAX, &ignored);
    bool gone = rc < 0 && ignored.code == ERR_MISSING, same = rc == 0 && bytes_equal(buf_bytes(&there), file);
    buf_clear(&there);
    if (same)
        return fsync(w->to_fd) < 0 ? err_sys(e, "sync folder %s", w->to_path) : 0;
    if (gone)
        return file_publish(w->to_fd, name, file, PUBLISH_NEW, e);       /* its reader was faster */
    mover_name_by_hash(other, file);
    if (file_publish(w->to_fd, other, file, PUBLISH_NEW, &ignored) == 0 || ignored.code == ERR_CONFLICT)
        return 0;
    return err_set(e, ignored.code, "%s", ignored.msg);
}

static int publish(struct way *w, const char *name, struct bytes file, struct err *e)
{
    struct err first = {0};
    char plain[256];
    if (mover_name_fits(name))
        snprintf(plain, sizeof plain, "%s", name);
    else
        mover_name_by_hash(plain, file);
    if (file_publish(w->to_fd, plain, file, PUBLISH_NEW, &first) == 0)
        return 0;
    if (first.code == ERR_CONFLICT)
        return publish_beside(w, plain, file, e);
    return err_set(e, first.code, "%s", first.msg);
}

enum fate { CARRIED, TROUBLED, BLOCKED, GONE };

/* Whether an error tells about the file (and another file may do better) or about us. */
static enum fate fate_of(const struct err *e)
{
    return e->code == ERR_MISSING ? GONE
           : e->code == ERR_CORRUPT || e->code == ERR_TOO_LARGE || e->code == ERR_HELD || e->code == ERR_INPUT ? TROUBLED : BLOCKED;
}

static enum fate carry(struct way *w, const struct dir_entry *d, struct err *e)
{
    struct buf file;
    enum fate f = CARRIED;
    if (!d->regular) {
        err_set(e, ERR_CORRUPT, "want a regular file, have a link, folder, pipe or device");
        return TROUBLED;
    }
    buf_init(&file, ENVELOPE_MAX + 1);
    if (file_read(&file, w->from_fd, d->name, ENVELOPE_MAX, e) < 0 || envelope_verify(buf_bytes(&file), &w->key, 1, NULL, e) < 0)
        f = fate_of(e);
    else if (publish(w, d->name, buf_bytes(&file), e) < 0)
        f = BLOCKED;
    else if (file_remove(w->from_fd, d->name, e) < 0)
        f = BLOCKED;
    if (f == CARRIED) {
        w->state.carried++;
        w->state.bytes += file.n;
        w->state.last_ms = clock_wall_ms();
        log_event(LOG_INFO, "carried", "from %s file %s bytes %zu", w->state.from, d->name, file.n);
    }
    buf_clear(&file);
    return f;
}

static void handle(struct mover *m, struct way *w, const struct dir_entry *d, struct err *e)
{
    enum fate f = carry(w, d, e);
    if (f == TROUBLED) {
        mover_trouble(m, w, d, e->msg);
        err_clear(e);
    } else if (f == GONE) {
        err_clear(e);
    }
}

/* One look into one outbox. Batches ("b-") sort before beats and slices ("s-"), which is the order in which they should go. */
static void pass_way(struct mover *m, struct way *w)
{
    struct err e = {0};
    struct dir_entry *list = NULL;
    size_t n = 0, i = 0;
    w->state.waiting = w->state.stuck = 0;
    w->state.oldest_ms = 0;
    mover_seen_begin(w);
    if (open_way(m, w, &e) == 0 && folder_list(&list, &n, w->from_fd, LIST_MAX, &e) == 0)
        for (; i < n && e.code == ERR_NONE && !m->stop; i++) {
            handle(m, w, &list[i], &e);
            mover_status_tick(m);
        }
    if (e.code || m->stop) {
        size_t from = e.code && i > 0 ? i - 1 : i;           /* the one that was blocked still lies there */
        w->state.waiting = n - from;
        for (size_t k = from; k < n; k++)
            if (!w->state.oldest_ms || list[k].mtime_ms < w->state.oldest_ms)
                w->state.oldest_ms = list[k].mtime_ms;
    }
    if (!e.code && !m->stop)
        mover_seen_end(w);
    set_blocked(w, e.code ? &e : NULL);
    free(list);
}

void mover_pass(struct mover *m)
{
    for (unsigned i = 0; i < 2; i++)
        pass_way(m, &m->ways[i]);
}

/* Empty inotify's queue. True when a finished file may have come; temporary names begin with a dot. */
static bool news(struct mover *m)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool any = false;
    for (ssize_t n; (n = read(m->notify, events, sizeof events)) > 0;)
        for (char *p = events; p < events + n;) {
            struct inotify_event ev;
            memcpy(&ev, p, sizeof ev);
            any = any || (ev.mask & IN_Q_OVERFLOW) || (ev.len && p[sizeof ev] != '.');
            p += sizeof ev + ev.len;
        }
    return any;
}

/* How long to sleep: to the next rescan, status, or (with a file in trouble) the next look at it. */
static int sleep_ms(const struct mover *m, int64_t rescan_at)
{
    int64_t left = rescan_at - clock_mono_ms();
    bool trouble = m->ways[0].nseen || m->ways[1].nseen;
    int64_t most = trouble ? 1000 : MOVER_STATUS_MS;
    return (int)(left < 0 ? 0 : left < most ? left : most);
}

int mover_run(struct mover *m, struct err *e)
{
    int64_t rescan_at = 0;
    (void)e;
    log_event(LOG_INFO, "mover_started", "rescan_s %u", m->opt.rescan_s);
    while (!m->stop) {
        struct pollfd pf[2] = {{m->wake[0], POLLIN, 0}, {m->notify, POLLIN, 0}};
        int n = poll(pf, m->notify >= 0 ? 2 : 1, sleep_ms(m, rescan_at));
        bool asked = n > 0 && (pf[1].revents & POLLIN) && news(m);
        bool trouble = m->ways[0].nseen || m->ways[1].nseen;
        if (!m->stop && (asked || trouble || clock_mono_ms() >= rescan_at)) {
            mover_pass(m);
            rescan_at = clock_mono_ms() + (int64_t)m->opt.rescan_s * 1000;
        }
        mover_status_tick(m);
    }
    mover_status(m, "stopped");
    log_event(LOG_INFO, "mover_stopped", "carried %llu", (unsigned long long)(m->ways[0].state.carried + m->ways[1].state.carried));
    return 0;
}
