/* status.c - status.json: what `ferry status` and health checks read, also when the service is stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/lib/keys.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/quarantine.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/store_operate.h"

static int load_counts(struct db_conn *c, void *arg, struct err *e)
{
    struct delivery_state *s = arg;
    return store_counts(c, s, e) < 0 || reconcile_open(c, &s->differences, e) < 0 ? -1 : operate_crossing(c, clock_wall_ms(), &s->today, e);
}

/* Under the lock: what a thread met in its last round, the sender's first. */
static const char *first_trouble(const struct delivery *d)
{
    for (unsigned i = 0; i < THREAD__COUNT; i++)
        if (d->trouble[i][0])
            return d->trouble[i];
    return "";
}

static const char *judge(const struct delivery *d, const struct delivery_state *s, int64_t now_ms)
{
    int64_t age = s->oldest_ms ? now_ms - s->oldest_ms : 0, silence = s->beat_ms ? now_ms - s->beat_ms : 0;
    if (s->stopped[0] || s->journal[0] || age > d->opt.critical_s * 1000LL || silence > d->opt.critical_s * 1000LL)
        return "critical";
    if (age > d->opt.warn_s * 1000LL || silence > d->opt.warn_s * 1000LL || s->held || s->quarantined || *first_trouble(d) || s->peer_new || s->differences || s->today.late_5 || s->today.late_10 ||
        (s->waiting_ms && now_ms - s->waiting_ms > d->opt.warn_s * 1000LL) ||
        (d->gap_since_ms && now_ms - d->gap_since_ms > d->opt.warn_s * 1000LL))
        return "warning";
    return "fine";
}

static void put_json(struct buf *b, const struct delivery *d, const struct delivery_state *s, const char *trouble, const struct buf *keys, int64_t now_ms, bool running)
{
    char at[21], beat[21] = "", oldest[21] = "";
    clock_rfc3339(at, now_ms);
    if (s->beat_ms)
        clock_rfc3339(beat, s->beat_ms);
    if (s->oldest_ms)
        clock_rfc3339(oldest, s->oldest_ms);
    buf_fmt(b, "{\"program\":\"%s-side\",\"at\":\"%s\",\"at_ms\":%lld,\"pid\":%d,\"running\":%s,\"word\":\"%s\",\"incarnation\":\"%s\",", keys_public(d->opt.own)->name, at,
            (long long)now_ms, getpid(), running ? "true" : "false", s->word, d->incarnation);
    buf_fmt(b, "\"queued\":%llu,\"unacked\":%llu,\"unconfirmed\":%llu,\"held\":%llu,\"waiting\":%llu,\"refused\":%llu,\"quarantined\":%llu,\"gap\":%llu,",
            (unsigned long long)s->queued, (unsigned long long)s->unacked, (unsigned long long)s->unconfirmed, (unsigned long long)s->held,
            (unsigned long long)s->waiting, (unsigned long long)s->refused, (unsigned long long)s->quarantined, (unsigned long long)s->gap);
    buf_fmt(b, "\"oldest\":\"%s\",\"oldest_ms\":%lld,\"peer_beat\":\"%s\",\"peer_beat_ms\":%lld,\"peer_health\":\"%s\",\"peer_config\":%llu,\"config\":%llu,", oldest,
            (long long)s->oldest_ms, beat, (long long)s->beat_ms, s->peer_health, (unsigned long long)s->peer_config, (unsigned long long)d->config_version);
    buf_fmt(b, "\"drained\":%s,\"peer_new\":%s,\"today\":{\"records\":%llu,\"within_5\":%llu,\"within_10\":%llu,\"late_5\":%llu,\"late_10\":%llu,\"slowest_ms\":%lld},",
            s->drained ? "true" : "false", s->peer_new ? "true" : "false", (unsigned long long)s->today.records, (unsigned long long)s->today.within_5,
            (unsigned long long)s->today.within_10, (unsigned long long)s->today.late_5, (unsigned long long)s->today.late_10, (long long)s->today.slowest_ms);
    buf_fmt(b, "\"started_ms\":%lld,\"protocol\":%u,\"peer_protocol\":%u,\"peer_clock_ms\":%lld,", (long long)d->started_ms, BEAT_PROTOCOL, s->peer_protocol, (long long)s->peer_clock_ms);
    buf_put(b, keys->p, keys->n);
    since_put(b, &d->since);
    buf_fmt(b, ",\"journal\":\"%s\",\"differences\":%llu,", s->journal, (unsigned long long)s->differences);
    buf_fmt(b, "\"gap_since_ms\":%lld,\"waiting_ms\":%lld,\"warn_s\":%u,\"critical_s\":%u,\"stopped\":\"%s\",\"trouble\":\"", (long long)d->gap_since_ms, (long long)s->waiting_ms, d->opt.warn_s, d->opt.critical_s,
            s->stopped);
    for (const char *p = trouble; *p; p++)
        if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f)
            buf_put(b, p, 1);
    buf_str(b, "\"}\n");
}

/* Missing numbers are normal while files are under way; a gap that stays where it is is not (FRY-14). */
static void note_gap(struct delivery *d, uint64_t gap, uint64_t contiguous, int64_t now_ms)
{
    if (!gap)
        d->gap_since_ms = 0;
    else if (!d->gap_since_ms || d->gap_contiguous != contiguous)
        d->gap_since_ms = now_ms;
    d->gap_contiguous = contiguous;
}

struct heard_job { char incarnation[17]; uint64_t contiguous; };

static int load_heard(struct db_conn *c, void *arg, struct err *e)
{
    struct heard_job *j = arg;
    struct beat b = {0};
    int rc = store_ranges(c, j->incarnation, &b, e);
    j->contiguous = b.contiguous;
    return rc;
}

/* Under the lock. */
static void note_since(struct delivery *d, const struct delivery_state *s, bool key_warning, int64_t now_ms)
{
    const bool there[SINCE__COUNT] = {[SINCE_STOPPED] = s->stopped[0], [SINCE_JOURNAL] = s->journal[0], [SINCE_TROUBLE] = *first_trouble(d), [SINCE_OVERDUE] = s->today.late_5 || s->today.late_10,
                                      [SINCE_HELD] = s->held, [SINCE_PEER_NEW] = s->peer_new, [SINCE_DIFFERENCES] = s->differences, [SINCE_QUARANTINED] = s->quarantined,
                                      [SINCE_KEY_EXPIRY] = key_warning, [SINCE_KEY_TROUBLE] = d->key_trouble[0], [SINCE_DRAINED] = s->drained,
                                      [SINCE_CONFIGURATION] = s->peer_config && d->config_version && s->peer_config != d->config_version};
    for (int i = 0; i < SINCE__COUNT; i++)
        since_note(&d->since, (enum since_what)i, there[i], now_ms);
}

int status_write(struct delivery *d, struct err *e)
{
    struct delivery_state s = {0};
    struct heard_job h = {.contiguous = 0};
    int64_t now = clock_wall_ms();
    pthread_mutex_lock(&d->lock);
    memcpy(h.incarnation, d->peer_incarnation, sizeof h.incarnation);
    pthread_mutex_unlock(&d->lock);
    if (db_read(d->opt.db, load_counts, &s, e) < 0 || (h.incarnation[0] && db_read(d->opt.db, load_heard, &h, e) < 0))
        return -1;
    s.quarantined = quarantine_count(d->quarantine);
    struct buf keys;
    unsigned key_warning = 0;
    buf_init(&keys, 32768);
    keys_status(&keys, d, now, &key_warning);
    pthread_mutex_lock(&d->lock);
    s.beat_ms = d->live.beat_ms;
    s.peer_clock_ms = d->live.peer_clock_ms;
    s.peer_protocol = d->peer_protocol;
    s.peer_config = d->live.peer_config;
    memcpy(s.peer_health, d->live.peer_health, sizeof s.peer_health);
    memcpy(s.stopped, d->stopped, sizeof s.stopped);
    memcpy(s.journal, d->live.journal, sizeof s.journal);
    s.gap = d->peer_sent > h.contiguous ? d->peer_sent - h.contiguous : 0;
    note_gap(d, s.gap, h.contiguous, now);
    s.drained = d->drained;
    s.peer_new = d->peer_new;
    snprintf(s.word, sizeof s.word, "%s", judge(d, &s, now));
    if ((key_warning || d->key_trouble[0]) && strcmp(s.word, "fine") == 0)
        snprintf(s.word, sizeof s.word, "warning");
    note_since(d, &s, key_warning, now);
    d->live = s;
    bool running = !d->stop;
    char trouble[sizeof d->trouble[0]];
    snprintf(trouble, sizeof trouble, "%s", first_trouble(d));
    pthread_mutex_unlock(&d->lock);
    if (!*d->opt.status_file) {
        buf_clear(&keys);
        return 0;
    }
    struct buf b;
    buf_init(&b, 65536);
    put_json(&b, d, &s, trouble, &keys, now, running);
    buf_clear(&keys);
    int rc = buf_done(&b, "status", e) < 0 ? -1 : file_write_path(d->opt.status_file, buf_bytes(&b), 0644, e);
    buf_clear(&b);
    return rc;
}
