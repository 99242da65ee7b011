/* beat.c - signs of life: what we received goes out, what the peer received comes in. The clock thread also writes the status. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/heads.h"
#include "ferry/lib/keys.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/runs.h"
#include "ferry/lib/store_operate.h"
#include "ferry/lib/vault.h"

struct beat_job { struct delivery *d; struct beat beat; uint64_t reserve; char incarnation[17]; unsigned peer_protocol; uint64_t told; };

static int load_beat(struct db_conn *c, void *arg, struct err *e)
{
    struct beat_job *j = arg;
    struct delivery_state counts = {0};
    if (j->beat.ack[0] && (store_ranges(c, j->beat.ack, &j->beat, e) < 0 || runs_say(c, j->beat.ack, &j->beat, e) < 0))
        return -1;
    if (store_highest(c, &j->beat.sent, e) < 0 || store_incoming_counts(c, &counts, e) < 0)
        return -1;
    j->beat.held = counts.held;
    return j->peer_protocol >= BEAT_PROTOCOL ? heads_say(c, j->incarnation, j->beat.ack, j->told, &j->beat, e) : 0;
}

static int reserve(struct db_conn *c, void *arg, struct err *e)
{
    struct beat_job *j = arg;
    return store_reserve_beats(c, &j->reserve, e);
}

/* Beat counters never go back, also not over a crash: the database stays 1000 ahead. */
static int next_counter(struct delivery *d, struct err *e)
{
    struct beat_job j = {0};
    if (d->beat_counter < d->beat_limit) {
        d->beat_counter++;
        return 0;
    }
    if (db_write(d->opt.db, reserve, &j, e) < 0)
        return -1;
    d->beat_counter = j.reserve;
    d->beat_limit = j.reserve + 999;
    return 0;
}

int beat_publish(struct delivery *d, struct err *e)
{
    struct beat_job j = {.d = d, .beat = {.protocol = BEAT_PROTOCOL}};
    struct envelope_head h = {.kind = ENVELOPE_BEAT, .created_ms = clock_wall_ms() / 1000 * 1000};
    struct buf body;
    pthread_mutex_lock(&d->lock);
    snprintf(h.incarnation, sizeof h.incarnation, "%s", d->incarnation);
    snprintf(j.beat.ack, sizeof j.beat.ack, "%s", d->peer_incarnation);
    memcpy(j.incarnation, d->incarnation, sizeof j.incarnation);
    j.peer_protocol = d->peer_protocol;
    j.told = d->told.size;
    j.beat.heard = d->peer_beat;
    snprintf(j.beat.health, sizeof j.beat.health, "%s", strcmp(d->live.word, "critical") == 0 ? "critical" : d->health);
    j.beat.config_version = d->config_version;
    pthread_mutex_unlock(&d->lock);
    if (db_read(d->opt.db, load_beat, &j, e) < 0 || next_counter(d, e) < 0)
        return -1;
    h.number = d->beat_counter;
    pthread_mutex_lock(&d->lock);
    if (!d->first_beat)
        d->first_beat = h.number;
    d->last_beat = h.number;
    pthread_mutex_unlock(&d->lock);
    snprintf(h.from, sizeof h.from, "%s", keys_public(d->opt.own)->name);
    snprintf(h.to, sizeof h.to, "%s", d->opt.peer->name);
    buf_init(&body, 65536);
    struct key_set *keys = keyring_take(d->ring);
    int rc = envelope_write_beat(&body, &h, &j.beat, key_set_own(keys), e);
    key_set_release(keys);
    if (rc == 0 && d->beat_name[0])
        rc = file_remove(d->outbox, d->beat_name, e);      /* still there: the gateway stands; one beat is enough */
    envelope_name(d->beat_name, &h);
    if (rc == 0)
        rc = file_publish(d->outbox, d->beat_name, buf_bytes(&body), PUBLISH_REPLACE | PUBLISH_SHARED, e);
    buf_clear(&body);
    return rc;
}

struct ack_job { struct delivery *d; const struct beat *b; int64_t now_ms, known_ms, rtt_ms; uint64_t last_beat; char back[160]; };

static int ack_range(struct db_conn *c, struct ack_job *j, uint64_t from, uint64_t to, struct err *e)
{
    int64_t rtt = j->known_ms;
    if (store_ack(c, from, to, j->d->opt.keep_acked, j->now_ms, &rtt, e) < 0)
        return -1;
    if (rtt > 0)
        j->rtt_ms = rtt;
    return 0;
}

/* A database that was put back to an earlier day gives its numbers out again: what the peer then acknowledges may be another file of that number.
 * Any of these shows it: a start, a number, a journal entry or a beat of ours that the peer knows and we do not. */
static int look_back(struct db_conn *c, struct ack_job *j, struct err *e)
{
    const struct beat *b = j->b;
    const uint64_t top = b->nranges ? b->ranges[b->nranges - 1].to : b->contiguous;
    uint64_t highest;
    if (store_highest(c, &highest, e) < 0 || runs_ours(c, b, j->back, e) < 0 || (!j->back[0] && heads_ours(c, b, j->back, e) < 0))
        return -1;
    if (top > highest)
        snprintf(j->back, sizeof j->back, "the peer acknowledges number %llu, we gave out %llu", (unsigned long long)top, (unsigned long long)highest);
    else if (j->last_beat && b->heard > j->last_beat)
        snprintf(j->back, sizeof j->back, "the peer heard beat %llu of this stream, our newest is %llu", (unsigned long long)b->heard, (unsigned long long)j->last_beat);
    return 0;
}

static int apply_ack(struct db_conn *c, void *arg, struct err *e)
{
    struct ack_job *j = arg;
    const struct beat *b = j->b;
    if (look_back(c, j, e) < 0)
        return -1;
    if (j->back[0])
        return operate_stop(c, j->now_ms, e);      /* it stays so over a restart */
    if (b->contiguous && ack_range(c, j, 1, b->contiguous, e) < 0)
        return -1;
    for (size_t i = 0; i < b->nranges; i++)
        if (ack_range(c, j, b->ranges[i].from, b->ranges[i].to, e) < 0)
            return -1;
    return 0;
}

struct meet_job { const char *incarnation; int64_t now_ms; bool newest, another; };

static int meet(struct db_conn *c, void *arg, struct err *e)
{
    struct meet_job *j = arg;
    uint64_t contiguous;
    char last[17];
    if (store_last_stream(c, last, e) < 0)
        return -1;
    j->another = *last && strcmp(last, j->incarnation) != 0;
    if (store_heard(c, j->incarnation, &contiguous, j->now_ms, e) < 0 || store_last_stream(c, last, e) < 0)
        return -1;
    j->newest = strcmp(last, j->incarnation) == 0;
    return 0;
}

/* A counter that does not follow the last: the peer started again, or beats were lost. Answer at once, it may be waiting for us.
 * (The answer's own counter does follow, so two sides do not keep answering each other.) */
static void note_beat(struct delivery *d, const struct envelope *v, int64_t now_ms)
{
    bool ours = strcmp(v->beat.ack, d->incarnation) == 0;
    pthread_mutex_lock(&d->lock);
    if (v->head.number != d->peer_beat + 1) {
        d->beat_asked = true;
        pthread_cond_signal(&d->clock_wake);
    }
    if (ours && d->first_beat && v->beat.heard >= d->first_beat)
        d->answered = true;
    d->peer_beat = v->head.number;
    d->peer_sent = v->beat.sent;
    snprintf(d->peer_incarnation, sizeof d->peer_incarnation, "%s", v->head.incarnation);
    d->live.beat_ms = now_ms;
    d->live.peer_clock_ms = v->head.created_ms - now_ms;
    d->live.peer_config = v->beat.config_version;
    snprintf(d->live.peer_health, sizeof d->live.peer_health, "%s", v->beat.health);
    pthread_mutex_unlock(&d->lock);
}

/* Its question clears this again (resync.c). */
static void note_new_peer(struct delivery *d, const char *incarnation)
{
    pthread_mutex_lock(&d->lock);
    d->peer_new = true;
    pthread_mutex_unlock(&d->lock);
    log_event(LOG_WARN, "peer_new_stream", "incarnation %s", incarnation);
}

/* Receiver thread. An old beat is not worse than a lost one: what it acknowledges was true. */
int beat_heard(struct delivery *d, const struct envelope *v, int64_t now_ms, struct err *e)
{
    struct ack_job j = {.d = d, .b = &v->beat, .now_ms = now_ms};
    bool same = strcmp(v->head.incarnation, d->peer_incarnation) == 0;
    struct meet_job m = {.incarnation = v->head.incarnation, .now_ms = now_ms, .newest = true};
    if (!same && db_write(d->opt.db, meet, &m, e) < 0)
        return -1;
    pthread_mutex_lock(&d->lock);
    bool ours = strcmp(v->beat.ack, d->incarnation) == 0;
    j.known_ms = d->rtt_ms;
    j.last_beat = d->last_beat;
    pthread_mutex_unlock(&d->lock);
    if (ours && db_write(d->opt.db, apply_ack, &j, e) < 0)
        return -1;
    if (j.back[0])                       /* before the beat counts as an answer: the sender must not start */
        delivery_went_back(d, j.back);
    /* An old stream speaks again: a beat from long ago, or a peer restored from a backup. The latter names beats of ours that nobody named yet. */
    bool live = m.newest || (ours && v->beat.heard > d->peer_heard);
    if (ours && v->beat.heard > d->peer_heard)
        d->peer_heard = v->beat.heard;
    if (!same && m.newest && m.another)
        note_new_peer(d, v->head.incarnation);
    if ((!same && live) || (same && v->head.number > d->peer_beat))
        note_beat(d, v, now_ms);
    if (!ours || j.back[0])
        return 0;
    if (j.rtt_ms > 0) {
        pthread_mutex_lock(&d->lock);
        d->rtt_ms = d->rtt_ms ? (d->rtt_ms * 7 + j.rtt_ms) / 8 : j.rtt_ms;
        pthread_mutex_unlock(&d->lock);
    }
    delivery_wake(d);
    return 0;
}

#define STATUS_MS 2000
#define EXPIRE_MS (3600 * 1000)
#define SOON_MS 50            /* acknowledgements that come together travel in one beat */

void *clock_main(void *arg)
{
    struct delivery *d = arg;
    int64_t next_beat = 0, next_status = 0, next_expire = 0;
    for (;;) {
        struct err e = {0};
        int64_t now = clock_mono_ms();
        pthread_mutex_lock(&d->lock);
        bool stop = d->stop, asked = d->beat_asked;
        d->beat_asked = false;
        pthread_mutex_unlock(&d->lock);
        if (stop)
            return NULL;
        if (asked || now >= next_beat) {
            if (beat_publish(d, &e) < 0)
                log_error("beat", &e);
            delivery_trouble(d, THREAD_CLOCK, e.msg);
            next_beat = now + d->opt.beat_s * 1000LL;
        }
        if (now >= next_status) {
            keys_tick(d);
            reconcile_tick(d, clock_wall_ms());
            err_clear(&e);
            if (status_write(d, &e) < 0)
                log_error("status_write", &e);
            next_status = now + STATUS_MS;
        }
        if (now >= next_expire) {
            err_clear(&e);
            if (vault_expire(d, NULL, &e) < 0)
                log_error("vault_expire", &e);
            next_expire = now + EXPIRE_MS;
        }
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t wait = (next_beat < next_status ? next_beat : next_status) - clock_mono_ms();
        if (wait < SOON_MS)
            wait = SOON_MS;
        t.tv_sec += wait / 1000;
        t.tv_nsec += wait % 1000 * 1000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        pthread_mutex_lock(&d->lock);
        while (!d->beat_asked && !d->stop && pthread_cond_timedwait(&d->clock_wake, &d->lock, &t) == 0)
            ;
        bool soon = d->beat_asked && !d->stop;
        pthread_mutex_unlock(&d->lock);
        if (soon)
            usleep(SOON_MS * 1000);
    }
}
