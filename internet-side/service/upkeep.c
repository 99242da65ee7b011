#include "internet-side/service/upkeep.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/searches.h"
#include "internet-side/store/guard.h"
#include "internet-side/store/upload.h"

#define GUARD_MS (10 * 60000)

struct upkeep {
    struct upkeep_options opt;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;            /* guards what follows */
    pthread_cond_t wake;
    bool stop, full, broken;         /* broken: the last write failed */
};

struct round { int64_t now_ms, expired; };

static int round_write(struct db_conn *c, void *arg, struct err *e)
{
    struct round *r = arg;
    return upload_drop_expired(&r->expired, c, r->now_ms, e) < 0 ? -1 : content_guard_prune(c, r->now_ms - GUARD_MS, e);
}

static bool disk_full(const struct upkeep *u)
{
    struct statvfs v;
    if (statvfs(u->opt.data_dir, &v) < 0)
        return true;
    return (uint64_t)v.f_bavail * v.f_frsize < u->opt.min_free;
}

static void tell_delivery(struct core *c, bool fine)
{
    if (!c->delivery)
        return;
    struct edition *d = configuration_current(c->configuration);
    delivery_say(c->delivery, edition_version(d), fine ? "fine" : "critical");
    edition_release(d);
}

void upkeep_round(struct upkeep *u)
{
    struct round r = { .now_ms = clock_wall_ms() };
    struct err e = {0};
    const bool full = disk_full(u);
    const bool broken = db_write(u->opt.core->db, round_write, &r, &e) < 0;
    if (broken)
        log_error("upkeep", &e);
    if (r.expired > 0)
        log_event(LOG_INFO, "pages_expired", "n %lld", (long long)r.expired);
    pthread_mutex_lock(&u->lock);
    if (full != u->full)
        log_event(full ? LOG_ERROR : LOG_INFO, full ? "disk_full" : "disk_has_room", "accepting %d", !full);
    u->full = full;
    u->broken = broken;
    pthread_mutex_unlock(&u->lock);
    struct err unsent = {0};
    int64_t sent;
    if (!broken && searches_carry(u->opt.core, false, r.now_ms, &sent, &unsent) < 0)
        log_error("searches", &unsent);
    tell_delivery(u->opt.core, !full && !broken);
    /* Rows deleted since the last round must not stay readable in the WAL; busy readers only put it off to the next round. */
    struct err busy = {0};
    if (!broken && db_checkpoint(u->opt.core->db, &busy) < 0)
        log_error("checkpoint", &busy);
}

static void *main_loop(void *arg)
{
    struct upkeep *u = arg;
    pthread_mutex_lock(&u->lock);
    while (!u->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += u->opt.every_s;
        while (!u->stop && pthread_cond_timedwait(&u->wake, &u->lock, &until) != ETIMEDOUT)
            ;
        if (u->stop)
            break;
        pthread_mutex_unlock(&u->lock);
        upkeep_round(u);
        pthread_mutex_lock(&u->lock);
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

int upkeep_open(struct upkeep **out, const struct upkeep_options *opt, struct err *e)
{
    struct upkeep *u = calloc(1, sizeof *u);
    pthread_condattr_t attr;
    if (!u)
        return err_set(e, ERR_FULL, "upkeep: no memory");
    u->opt = *opt;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&u->wake, &attr);
    pthread_condattr_destroy(&attr);
    upkeep_round(u);
    if (pthread_create(&u->thread, NULL, main_loop, u) != 0) {
        upkeep_close(u);
        return err_set(e, ERR_FULL, "upkeep: thread could not be started");
    }
    u->running = true;
    *out = u;
    return 0;
}

void upkeep_close(struct upkeep *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    u->stop = true;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->lock);
    if (u->running)
        pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->wake);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

bool upkeep_accepting(struct upkeep *u)
{
    if (!u)
        return true;
    struct delivery_state state = {0};
    if (u->opt.core->delivery)
        delivery_health(u->opt.core->delivery, &state);
    pthread_mutex_lock(&u->lock);
    const bool fine = !u->full && !u->broken;
    pthread_mutex_unlock(&u->lock);
    /* A database that was restored would give places and numbers out a second time. */
    return fine && !state.drained && !state.stopped[0];
}

bool upkeep_health(struct core *c, struct upkeep *u, struct reply *r)
{
    json_t *problems = json_array();
    struct delivery_state state = {0};
    if (u) {
        pthread_mutex_lock(&u->lock);
        const bool full = u->full, broken = u->broken;
        pthread_mutex_unlock(&u->lock);
        if (full)
            json_array_append_new(problems, json_string("disk: less free space than min_free_mb"));
        if (broken)
            json_array_append_new(problems, json_string("database: the last write failed"));
    }
    if (c->delivery)
        delivery_health(c->delivery, &state);
    if (state.stopped[0])
        json_array_append_new(problems, json_sprintf("delivery: %s", state.stopped));
    struct edition *d = configuration_current(c->configuration);
    const bool fine = json_array_size(problems) == 0;
    r->body = json_pack("{s:b, s:o, s:I}", "ok", fine, "problems", problems, "config_version", (json_int_t)edition_version(d));
    edition_release(d);
    return fine;
}
