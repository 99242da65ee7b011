#include "intranet-side/service/upkeep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/messenger.h"
#include "intranet-side/service/outgoing.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/service/step.h"

enum { QUICK_MS = 200, SLOW_MS = 1000, EXPIRE_EVERY = 60, PUBLISH_EVERY = 10, MOST = 100, MOST_STATES = 16 };

struct upkeep {
    struct core *c;
    pthread_t quick, slow;
    pthread_mutex_t lock;
    pthread_cond_t stop_now;
    bool stop;
};

int upkeep_tick(struct core *c, int64_t now_ms, struct err *e)
{
    bool more;
    int rc = outgoing_release(c, now_ms, &more, e);
    changes_flush(c->changes, c->db);
    return rc;
}

/* --- expiry --- */
struct overdue { struct core *c; const char *state; char day[11]; char no[MOST][17]; size_t n; int64_t now; unsigned done; };

static int overdue_row(const struct case_file *f, void *arg, struct err *e)
{
    struct overdue *o = arg;
    (void)e;
    if (o->n < MOST)
        memcpy(o->no[o->n++], f->no, 17);
    return 0;
}

static int expire_one(struct overdue *o, struct db_conn *conn, const char *no, struct err *e)
{
    struct case_file f;
    struct dossier d;
    bool done = false;
    if (case_get(conn, no, &f, e) < 0 || dossier_open(&d, o->c, conn, &f, e) < 0)
        return -1;
    int rc = step_system(o->c, conn, &d, "supplement_expired", "", o->now, &done, e);
    if (rc == 0 && done) {
        o->done++;
        changes_hold(o->c->changes, &d.f, CHANGE_GONE);
    }
    dossier_close(&d);
    return rc;
}

static int expire(struct db_conn *conn, void *arg, struct err *e)
{
    struct overdue *o = arg;
    o->n = 0;
    if (case_overdue(conn, o->state, o->day, overdue_row, o, e) < 0)
        return -1;
    for (size_t i = 0; i < o->n; i++)
        if (expire_one(o, conn, o->no[i], e) < 0)
            return -1;
    return 0;
}

int upkeep_expire(struct core *c, int64_t now_ms, unsigned *n, struct err *e)
{
    const char *states[MOST_STATES];
    struct overdue o = {.c = c, .now = now_ms};
    size_t k = workflow_states_with(c->rules->flows, "supplement_expired", states, MOST_STATES);
    today_text(o.day, now_ms);
    for (size_t i = 0; i < k; i++) {
        o.state = states[i];
        if (db_write(c->db, expire, &o, e) < 0)
            return -1;
    }
    *n = o.done;
    return 0;
}

/* --- threads --- */
static bool wait_stopped(struct upkeep *u, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&u->lock);
    if (!u->stop)
        pthread_cond_timedwait(&u->stop_now, &u->lock, &until);
    bool stop = u->stop;
    pthread_mutex_unlock(&u->lock);
    return stop;
}

static void *quick_loop(void *arg)
{
    struct upkeep *u = arg;
    while (!wait_stopped(u, QUICK_MS)) {
        struct err e = {0};
        if (upkeep_tick(u->c, clock_wall_ms(), &e) < 0)
            log_error("release_failed", &e);
    }
    return NULL;
}

static void *slow_loop(void *arg)
{
    struct upkeep *u = arg;
    for (unsigned i = 0; !wait_stopped(u, SLOW_MS); i++) {
        struct err e = {0};
        unsigned n = 0;
        int64_t now = clock_wall_ms();
        if (messenger_once(u->c, now, &e) < 0)
            log_error("messenger_failed", &e);
        err_clear(&e);
        if (i % PUBLISH_EVERY == 0 && publish_if_due(u->c, now, &e) < 0)
            log_error("publish_failed", &e);
        err_clear(&e);
        if (i % EXPIRE_EVERY == 0 && upkeep_expire(u->c, now, &n, &e) < 0)
            log_error("expire_failed", &e);
        if (n)
            log_event(LOG_INFO, "supplements_expired", "n %u", n);
    }
    return NULL;
}

int upkeep_start(struct upkeep **out, struct core *c, struct err *e)
{
    struct upkeep *u = calloc(1, sizeof *u);
    *out = NULL;
    if (u == NULL)
        return err_set(e, ERR_INTERNAL, "upkeep: out of memory");
    u->c = c;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->stop_now, NULL);
    if (pthread_create(&u->quick, NULL, quick_loop, u) != 0) {
        free(u);
        return err_set(e, ERR_FULL, "upkeep: no thread");
    }
    if (pthread_create(&u->slow, NULL, slow_loop, u) != 0) {
        u->stop = true;
        pthread_join(u->quick, NULL);
        free(u);
        return err_set(e, ERR_FULL, "upkeep: no thread");
    }
    *out = u;
    return 0;
}

void upkeep_stop(struct upkeep *u)
{
    if (u == NULL)
        return;
    pthread_mutex_lock(&u->lock);
    u->stop = true;
    pthread_cond_broadcast(&u->stop_now);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->quick, NULL);
    pthread_join(u->slow, NULL);
    pthread_mutex_destroy(&u->lock);
    pthread_cond_destroy(&u->stop_now);
    free(u);
}
