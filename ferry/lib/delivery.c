/* delivery.c - opening, threads, the small public functions. The work is in send.c, receive.c, beat.c, status.c. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/command.h"
#include "ferry/lib/heads.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/runs.h"
#include "ferry/lib/store_keys.h"
#include "ferry/lib/store_operate.h"
#include "ferry/lib/temps.h"
#include "ferry/lib/vault.h"

static void defaults(struct delivery_options *o)
{
    if (!o->batch_max) o->batch_max = 1000000;
    if (!o->slice_max) o->slice_max = 6000000;
    if (!o->slices_in_flight) o->slices_in_flight = (uint64_t)32 << 20;
    if (!o->batches_in_flight) o->batches_in_flight = 64;
    if (!o->resend_min_s) o->resend_min_s = 2;
    if (!o->resend_max_s) o->resend_max_s = 30;
    if (!o->beat_s) o->beat_s = 15;
    if (!o->rescan_s) o->rescan_s = 10;
    if (!o->settle_s) o->settle_s = 10;
    if (!o->warn_s) o->warn_s = 60;
    if (!o->critical_s) o->critical_s = 150;
}

static int keep_text(struct delivery *d, size_t i, const char **field, struct err *e)
{
    d->text[i] = strdup(*field ? *field : "");
    if (!d->text[i])
        return err_set(e, ERR_FULL, "delivery: no memory");
    *field = d->text[i];
    return 0;
}

static int open_folder(int *fd, const char *path, bool needed, struct err *e)
{
    *fd = -1;
    if (!*path)
        return needed ? err_set(e, ERR_INPUT, "delivery: a folder is missing in the configuration") : 0;
    return folder_make(path, 0700, e) < 0 ? -1 : folder_open(fd, path, 0, e);
}

static int open_folders(struct delivery *d, struct err *e)
{
    struct delivery_options *o = &d->opt;
    if (keep_text(d, 0, &o->outbox, e) < 0 || keep_text(d, 1, &o->inbox, e) < 0 || keep_text(d, 2, &o->quarantine, e) < 0 || keep_text(d, 3, &o->vault, e) < 0 ||
        keep_text(d, 4, &o->spool, e) < 0 || keep_text(d, 5, &o->mirror, e) < 0 || keep_text(d, 6, &o->status_file, e) < 0 ||
        keep_text(d, 7, &o->commands, e) < 0)
        return -1;
    if (open_folder(&d->outbox, o->outbox, true, e) < 0 || open_folder(&d->inbox, o->inbox, true, e) < 0 || open_folder(&d->quarantine, o->quarantine, true, e) < 0 ||
        open_folder(&d->vault, o->vault, false, e) < 0 || open_folder(&d->spool, o->spool, false, e) < 0 || open_folder(&d->mirror, o->mirror, false, e) < 0 ||
        open_folder(&d->commands, o->commands, false, e) < 0)
        return -1;
    const int ours[] = {d->outbox, d->quarantine, d->vault, d->spool, d->mirror, d->commands};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (temps_sweep(ours[i], NULL, e) < 0)
            return -1;
    if (temps_sweep_file(o->status_file, e) < 0)
        return -1;
    d->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (d->notify >= 0 && inotify_add_watch(d->notify, o->inbox, INBOX_EVENTS) < 0) {
        close(d->notify);
        d->notify = -1;                  /* a network mount perhaps: the rescan finds everything */
    }
    return 0;
}

struct stream_job { struct delivery *d; int64_t now_ms; struct stream_state s; };

static int open_stream(struct db_conn *c, void *arg, struct err *e)
{
    struct stream_job *j = arg;
    return store_open_stream(c, j->d->incarnation, j->now_ms, e) < 0 ? -1 : operate_state(c, &j->s, e);
}

/* What a predecessor left: the direction stands, a resync is under way, the operator drains. */
static void take_up(struct delivery *d, const struct stream_state *s)
{
    d->drained = s->drained;
    d->resync_asked = strcmp(s->state, "resync") == 0;
    if (strcmp(s->state, "stopped") == 0)
        delivery_set_stopped(d, STOPPED_WHY);
}

/* Two constants are a ring as well. What a ring says at the start gives the two sides' names, which never change. */
static int open_keys(struct delivery *d, struct err *e)
{
    d->ring = d->opt.keys;
    if (!d->ring && keyring_of(&d->ring, d->opt.own, d->opt.peer, e) < 0)
        return -1;
    d->first_keys = keyring_take(d->ring);
    d->opt.own = key_set_own(d->first_keys);
    d->opt.peer = key_set_peer(d->first_keys);
    return 0;
}

#define OUTBOX_LOOK 1000000              /* a bound for a mistake, not for an outbox */

struct back_job { uint64_t highest; int64_t now_ms; };

static int look_highest(struct db_conn *c, void *arg, struct err *e)
{
    struct back_job *j = arg;
    return store_highest(c, &j->highest, e);
}

static int note_back(struct db_conn *c, void *arg, struct err *e)
{
    struct back_job *j = arg;
    return operate_stop(c, j->now_ms, e);
}

static int stop_if_back(struct delivery *d, const char *how, struct err *e)
{
    struct back_job j = {.now_ms = clock_wall_ms()};
    if (!*how || db_write(d->opt.db, note_back, &j, e) < 0)
        return *how ? -1 : 0;
    delivery_went_back(d, how);
    return 0;
}

/* A file of our stream lies in our outbox whose number we never gave out: our database was put back to an earlier day while it was under way. */
static int look_at_outbox(struct delivery *d, struct err *e)
{
    struct back_job j = {.highest = 0};
    struct dir_entry *list;
    struct envelope_head h;
    char how[160] = "";
    size_t n;
    if (db_read(d->opt.db, look_highest, &j, e) < 0 || folder_list(&list, &n, d->outbox, OUTBOX_LOOK, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (envelope_named(list[i].name, &h) && h.kind != ENVELOPE_BEAT && strcmp(h.from, keys_public(d->opt.own)->name) == 0 && strcmp(h.incarnation, d->incarnation) == 0 &&
            h.number > j.highest)
            snprintf(how, sizeof how, "%.79s lies in the outbox, we gave out %llu", list[i].name, (unsigned long long)j.highest);
    free(list);
    return stop_if_back(d, how, e);
}

/* A file of the peer's stream was kept in our vault that our database does not know: it was put back since, perhaps together with the peer's, and then nobody
 * else can tell. (One that still lies in the inbox was kept just before a crash, its commit is to come.) */
static int look_at_vault(struct delivery *d, struct err *e)
{
    char name[80] = "", how[160] = "";
    if (d->vault < 0)
        return 0;
    if (vault_unknown(d, name, e) < 0)
        return -1;
    if (*name)
        snprintf(how, sizeof how, "%s lies in the vault, this database never received it", name);
    return stop_if_back(d, how, e);
}

int delivery_open(struct delivery **out, const struct delivery_options *opt, struct err *e)
{
    struct delivery *d = calloc(1, sizeof *d);
    uint8_t run[8];
    *out = NULL;
    if (!d)
        return err_set(e, ERR_FULL, "delivery: no memory");
    d->started_ms = clock_wall_ms();
    d->opt = *opt;
    d->outbox = d->inbox = d->quarantine = d->vault = d->spool = d->mirror = d->commands = d->notify = -1;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&d->send_wake, &mono);
    pthread_cond_init(&d->clock_wake, &mono);
    pthread_condattr_destroy(&mono);
    snprintf(d->health, sizeof d->health, "fine");
    snprintf(d->live.word, sizeof d->live.word, "fine");
    defaults(&d->opt);
    randombytes_buf(run, sizeof run);
    hex_put(d->run, run, sizeof run);
    struct stream_job j = {.d = d, .now_ms = clock_wall_ms()};
    if (open_keys(d, e) < 0 || open_folders(d, e) < 0 || store_prepare(opt->db, e) < 0 || operate_prepare(opt->db, e) < 0 || keys_store_prepare(opt->db, e) < 0 || journal_prepare(opt->db, e) < 0 || heads_prepare(opt->db, e) < 0 || reconcile_prepare(opt->db, e) < 0 || runs_prepare(opt->db, e) < 0 || db_write(opt->db, open_stream, &j, e) < 0) {
        delivery_close(d);
        return -1;
    }
    take_up(d, &j.s);
    since_take(&d->since, d->opt.status_file, d->started_ms);
    if (look_at_outbox(d, e) < 0 || look_at_vault(d, e) < 0) {
        delivery_close(d);
        return -1;
    }
    *out = d;
    return 0;
}

int delivery_start(struct delivery *d, struct err *e)
{
    static void *(*const mains[THREAD__COUNT])(void *) = {send_main, receive_main, clock_main, command_main};
    for (d->running = 0; d->running < THREAD__COUNT; d->running++)
        if ((errno = pthread_create(&d->threads[d->running], NULL, mains[d->running], d)) != 0) {
            err_sys(e, "delivery: thread");
            delivery_stop(d);
            return -1;
        }
    return 0;
}

void delivery_stop(struct delivery *d)
{
    struct err e = {0};
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_broadcast(&d->send_wake);
    pthread_cond_broadcast(&d->clock_wake);
    pthread_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < d->running; i++)
        pthread_join(d->threads[i], NULL);
    d->running = 0;
    if (status_write(d, &e) < 0)
        log_error("status_write", &e);
}

void delivery_close(struct delivery *d)
{
    if (!d)
        return;
    const int fds[] = {d->outbox, d->inbox, d->quarantine, d->vault, d->spool, d->mirror, d->commands, d->notify};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    for (size_t i = 0; i < sizeof d->text / sizeof d->text[0]; i++)
        free(d->text[i]);
    key_set_release(d->first_keys);
    if (!d->opt.keys)
        keyring_close(d->ring);
    pthread_cond_destroy(&d->send_wake);
    pthread_cond_destroy(&d->clock_wake);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void delivery_wake(struct delivery *d)
{
    pthread_mutex_lock(&d->lock);
    d->send_asked = true;
    pthread_cond_signal(&d->send_wake);
    pthread_mutex_unlock(&d->lock);
}

void delivery_set_stopped(struct delivery *d, const char *why)
{
    pthread_mutex_lock(&d->lock);
    bool first = !d->stopped[0];
    if (first)
        snprintf(d->stopped, sizeof d->stopped, "%s", why);
    pthread_mutex_unlock(&d->lock);
    if (first)
        log_event(LOG_ERROR, "delivery_stopped", "why %s", why);
}

void delivery_went_back(struct delivery *d, const char *how)
{
    pthread_mutex_lock(&d->lock);
    bool first = !d->stopped[0];
    pthread_mutex_unlock(&d->lock);
    if (first)
        log_event(LOG_ERROR, "database_went_back", "how %s", how);
    delivery_set_stopped(d, STOPPED_WHY);
}

void delivery_trouble(struct delivery *d, unsigned thread, const char *why)
{
    pthread_mutex_lock(&d->lock);
    snprintf(d->trouble[thread], sizeof d->trouble[thread], "%.159s", why);
    pthread_mutex_unlock(&d->lock);
}

int delivery_send_record(struct db_conn *c, struct delivery *d, const char *kind, const char *case_no, uint64_t case_seq, struct bytes xml, uint64_t config_version,
                         const struct id128 *id, int64_t now_ms, struct err *e)
{
    struct manifest m = {.config_version = config_version, .protocol = ENVELOPE_PROTOCOL};
    struct buf sealed;
    if (id)
        m.id = *id;
    else
        id_random(&m.id);
    snprintf(m.kind, sizeof m.kind, "%s", kind);
    buf_init(&sealed, ENVELOPE_MAX);
    int rc = keyring_seal(&sealed, &m, xml, d->ring, e);
    if (rc == 0) {
        struct out_item it = {.id = m.id, .kind = kind, .case_no = case_no, .case_seq = case_seq, .bulk = sealed.n > 200000, .sealed = buf_bytes(&sealed)};
        rc = delivery_enqueue(c, &it, now_ms, e);
    }
    buf_clear(&sealed);
    return rc;
}

void delivery_health(struct delivery *d, struct delivery_state *out)
{
    pthread_mutex_lock(&d->lock);
    *out = d->live;
    pthread_mutex_unlock(&d->lock);
}

void delivery_say(struct delivery *d, uint64_t config_version, const char *health)
{
    pthread_mutex_lock(&d->lock);
    d->config_version = config_version;
    snprintf(d->health, sizeof d->health, "%s", health);
    pthread_mutex_unlock(&d->lock);
}

void delivery_say_version(struct delivery *d, uint64_t config_version)
{
    pthread_mutex_lock(&d->lock);
    d->config_version = config_version;
    pthread_mutex_unlock(&d->lock);
}

struct list_job { struct delivery_open_item *out; size_t max, *n; };

static int list_open(struct db_conn *c, void *arg, struct err *e)
{
    struct list_job *j = arg;
    return store_list(c, j->out, j->max, j->n, e);
}

int delivery_list(struct delivery *d, struct delivery_open_item *out, size_t max, size_t *n, struct err *e)
{
    struct list_job j = {out, max, n};
    return db_read(d->opt.db, list_open, &j, e);
}
