#include "ferry/mover.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lane_keys.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/follow.h"
#include "ferry/lib/probe.h"
#include "ferry/lib/quarantine.h"
#include "ferry/lib/since.h"
#include "ferry/lib/temps.h"

struct lane {                            /* one direction */
    const char *name;
    int from, to;
    const char *from_path, *to_path;     /* borrowed from the configuration */
    struct lane_keys keys;               /* who may have signed */
    uint64_t carried, bytes, quarantined;
    int64_t last_ms;
};

struct mover {
    struct lane lanes[2];
    int quarantine, notify;
    int64_t rescan_ms, settle_ms;
    const char *status_file;             /* borrowed from the configuration */
    int64_t started_ms;
    struct since since;
    char trouble[200];                   /* last failure, "" after a round without one */
};

static int open_lane(struct lane *l, const char *name, const char *from, const char *to, const char *key, struct err *e)
{
    l->name = name;
    l->from_path = from;
    l->to_path = to;
    return lane_keys_load(&l->keys, key, e) < 0 || folder_open(&l->from, from, 0, e) < 0 || folder_open(&l->to, to, 0, e) < 0 ? -1 : 0;
}

/* A key came or went: both lanes look again. What they have stays when the folder cannot be read. */
static void follow_keys(struct mover *m, struct lane *l)
{
    struct err e = {0};
    bool changed;
    if (lane_keys_follow(&l->keys, &changed, &e) == 0) {
        if (changed)
            log_event(LOG_WARN, "keys_changed", "lane %s keys %zu", l->name, l->keys.n);
        return;
    }
    snprintf(m->trouble, sizeof m->trouble, "%s: %.150s", l->name, e.msg);
    log_error("keys", &e);
}

int mover_open(struct mover **out, const struct config *c, struct err *e)
{
    struct mover *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return err_set(e, ERR_FULL, "mover: no memory");
    m->quarantine = m->notify = m->lanes[0].from = m->lanes[0].to = m->lanes[1].from = m->lanes[1].to = -1;
    m->rescan_ms = (int64_t)config_number(c, "rescan_s") * 1000;
    m->settle_ms = (int64_t)config_number(c, "settle_s") * 1000;
    m->status_file = config_text(c, "status_file");
    m->started_ms = clock_wall_ms();
    since_take(&m->since, m->status_file, m->started_ms);
    if (open_lane(&m->lanes[0], "internet-to-intranet", config_text(c, "internet_outbox"), config_text(c, "intranet_inbox"), config_text(c, "internet_key"), e) < 0 ||
        open_lane(&m->lanes[1], "intranet-to-internet", config_text(c, "intranet_outbox"), config_text(c, "internet_inbox"), config_text(c, "intranet_key"), e) < 0 ||
        folder_make(config_text(c, "quarantine"), 0700, e) < 0 || folder_open(&m->quarantine, config_text(c, "quarantine"), 0, e) < 0) {
        mover_close(m);
        return -1;
    }
    /* Only a mover writes into the inboxes; a second one at work loses a copy at most, and its source is still there. */
    if (temps_sweep(m->lanes[0].to, NULL, e) < 0 || temps_sweep(m->lanes[1].to, NULL, e) < 0 || temps_sweep(m->quarantine, NULL, e) < 0 ||
        temps_sweep_file(m->status_file, e) < 0) {
        mover_close(m);
        return -1;
    }
    m->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (m->notify >= 0 && (inotify_add_watch(m->notify, config_text(c, "internet_outbox"), IN_MOVED_TO | IN_CLOSE_WRITE) < 0 ||
                           inotify_add_watch(m->notify, config_text(c, "intranet_outbox"), IN_MOVED_TO | IN_CLOSE_WRITE) < 0))
        log_event(LOG_WARN, "no_inotify", "rescan_ms %lld", (long long)m->rescan_ms);
    *out = m;
    return 0;
}

void mover_close(struct mover *m)
{
    if (!m)
        return;
    const int fds[] = {m->lanes[0].from, m->lanes[0].to, m->lanes[1].from, m->lanes[1].to, m->quarantine, m->notify};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(m);
}

/* The same name may lie there from before a crash: fine if it has the same bytes, else the new ones win, for they verify. */
static int put_over(struct lane *l, const char *name, struct bytes body, struct err *e)
{
    if (file_publish(l->to, name, body, PUBLISH_NEW | PUBLISH_SHARED, e) == 0)
        return 0;
    if (e->code != ERR_CONFLICT)
        return -1;
    err_clear(e);
    return file_publish(l->to, name, body, PUBLISH_REPLACE | PUBLISH_SHARED, e);
}

/* Signed by the lane's sender; or a probe of it, whose bytes can be nothing else than what its name says. */
static int verify(const struct lane *l, const char *name, struct bytes body, struct err *e)
{
    struct probe_name p;
    if (probe_name_parse(&p, name) < 0)
        return envelope_verify(body, l->keys.list, l->keys.n, NULL, e);
    if (strncmp(l->name, p.from, strlen(p.from)) != 0)
        return err_set(e, ERR_CORRUPT, "probe: want one of lane %s, have one of %s", l->name, p.from);
    return probe_check(NULL, &p, body, e);
}

static int carry(struct lane *l, const char *name, struct bytes body, struct err *e)
{
    if (verify(l, name, body, e) < 0 || put_over(l, name, body, e) < 0 || file_remove(l->from, name, e) < 0)
        return -1;
    l->carried++;
    l->bytes += body.n;
    l->last_ms = clock_wall_ms();
    return 0;
}

static void trouble(struct mover *m, struct lane *l, const struct dir_entry *f, struct err *why)
{
    struct err e = {0};
    bool junk = why->code == ERR_CORRUPT || why->code == ERR_HELD || why->code == ERR_INPUT || why->code == ERR_TOO_LARGE;
    if (why->code == ERR_MISSING)
        return;                          /* its writer took it back */
    if (!junk) {
        snprintf(m->trouble, sizeof m->trouble, "%s: %.150s", l->name, why->msg);
        log_error("carry", why);
        return;
    }
    if (llabs(clock_wall_ms() - f->mtime_ms) < m->settle_ms)
        return;                          /* perhaps still being written */
    if (quarantine_take(l->from, m->quarantine, f, why->msg, &e) < 0) {
        snprintf(m->trouble, sizeof m->trouble, "%s: %.150s", l->name, e.msg);
        log_error("quarantine", &e);
        return;
    }
    l->quarantined++;
    log_event(LOG_WARN, "quarantined", "lane %s file %s why %s", l->name, f->name, why->msg);
}

/* The gateway's folders may be made or mounted anew under us: what is carried must not go into one that nobody reads. */
static int follow_folders(struct mover *m, struct lane *l, struct err *e)
{
    bool changed;
    if (folder_follow(l->from, l->from_path, &changed, e) < 0 || folder_follow(l->to, l->to_path, NULL, e) < 0)
        return -1;
    if (changed && m->notify >= 0)
        inotify_add_watch(m->notify, l->from_path, IN_MOVED_TO | IN_CLOSE_WRITE);      /* without it the rescan finds everything */
    return 0;
}

static void round_of(struct mover *m, struct lane *l)
{
    struct err e = {0};
    struct dir_entry *list;
    size_t n;
    if (follow_folders(m, l, &e) < 0 || folder_list(&list, &n, l->from, 5000, &e) < 0) {
        snprintf(m->trouble, sizeof m->trouble, "%s: %.150s", l->name, e.msg);
        log_error("outbox", &e);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct buf body;
        struct err why = {0};
        buf_init(&body, ENVELOPE_MAX);
        if (file_read(&body, l->from, list[i].name, ENVELOPE_MAX, &why) < 0 || carry(l, list[i].name, buf_bytes(&body), &why) < 0)
            trouble(m, l, &list[i], &why);
        buf_clear(&body);
    }
    free(list);
}

static int write_status(struct mover *m, bool running, struct err *e)
{
    struct buf b;
    char at[21];
    clock_rfc3339(at, clock_wall_ms());
    if (!*m->status_file)
        return 0;
    since_note(&m->since, SINCE_TROUBLE, m->trouble[0], clock_wall_ms());
    buf_init(&b, 4096);
    buf_fmt(&b, "{\"program\":\"mover\",\"at\":\"%s\",\"at_ms\":%lld,\"pid\":%d,\"running\":%s,\"word\":\"%s\",\"trouble\":\"", at, (long long)clock_wall_ms(), getpid(),
            running ? "true" : "false", m->trouble[0] ? "critical" : "fine");
    for (const char *p = m->trouble; *p; p++)
        if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f)
            buf_put(&b, p, 1);
    buf_str(&b, "\",\"lanes\":[");
    for (int i = 0; i < 2; i++)
        buf_fmt(&b, "%s{\"name\":\"%s\",\"carried\":%llu,\"bytes\":%llu,\"quarantined\":%llu,\"last_ms\":%lld}", i ? "," : "", m->lanes[i].name,
                (unsigned long long)m->lanes[i].carried, (unsigned long long)m->lanes[i].bytes, (unsigned long long)m->lanes[i].quarantined, (long long)m->lanes[i].last_ms);
    buf_str(&b, "],");
    since_put(&b, &m->since);
    buf_str(&b, "}\n");
    int rc = buf_done(&b, "status", e) < 0 ? -1 : file_write_path(m->status_file, buf_bytes(&b), 0644, e);
    buf_clear(&b);
    return rc;
}

static void wait_for_files(struct mover *m, const volatile sig_atomic_t *stop, int64_t until)
{
    char events[4096];
    struct pollfd p = {m->notify, POLLIN, 0};
    while (!*stop && clock_mono_ms() < until)
        if (poll(&p, m->notify >= 0, 250) > 0) {
            while (read(m->notify, events, sizeof events) > 0)
                ;
            return;
        }
}

int mover_run(struct mover *m, const volatile sig_atomic_t *stop, struct err *e)
{
    int64_t next_status = 0;
    while (!*stop) {
        m->trouble[0] = 0;
        for (int i = 0; i < 2; i++) {
            follow_keys(m, &m->lanes[i]);
            round_of(m, &m->lanes[i]);
        }
        if (clock_mono_ms() >= next_status) {
            struct err own = {0};
            if (write_status(m, true, &own) < 0)
                log_error("status_write", &own);
            next_status = clock_mono_ms() + 2000;
        }
        int64_t wait = m->rescan_ms < 2000 ? m->rescan_ms : 2000;
        wait_for_files(m, stop, clock_mono_ms() + wait);
    }
    return write_status(m, false, e);
}
