/* send.c - the sender: queued items become files, files are published until the peer acknowledges them, purged files are removed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/follow.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/runs.h"

#define DUE_MAX 64
#define SLICES_MOST 256
#define PURGE_AGAIN_MS 5000
#define WINDOW_WIDER 1000                /* while an export takes the files away, what may be under way is bounded by the medium */

struct form_job { struct delivery *d; int64_t now_ms; struct file_row files[4]; size_t n; bool more, window; };

static int form_one(struct db_conn *c, struct form_job *j, bool bulk, uint64_t max, bool *formed, struct err *e)
{
    struct file_row *f = &j->files[j->n];
    if (store_form(c, bulk, max, j->now_ms, f, formed, e) < 0)
        return -1;
    j->n += *formed;
    return *formed ? runs_gave(c, j->d->run, f->number, j->now_ms, e) : 0;
}

/* One transaction: as many new files as may be in flight, batches first. */
static int form(struct db_conn *c, void *arg, struct err *e)
{
    struct form_job *j = arg;
    const struct delivery_options *o = &j->d->opt;
    const uint64_t wider = j->window ? WINDOW_WIDER : 1;
    uint64_t batches, slices, slice_bytes;
    bool formed = true;
    j->n = 0;
    if (store_in_flight(c, &batches, &slices, &slice_bytes, e) < 0)
        return -1;
    while (formed && batches < o->batches_in_flight * wider && j->n < 4) {
        if (form_one(c, j, false, o->batch_max, &formed, e) < 0)
            return -1;
        batches += formed;
    }
    formed = true;
    /* Counted as well: many small items in files of their own would else be without a bound. */
    while (formed && slices < SLICES_MOST * wider && slice_bytes < o->slices_in_flight * wider && j->n < 4) {
        if (form_one(c, j, true, o->slice_max, &formed, e) < 0)
            return -1;
        slices += formed;
        slice_bytes += formed ? j->files[j->n - 1].size : 0;
    }
    j->more = j->n == 4;
    return 0;
}

/* A resync draws a new one while we run. */
static void our_stream(struct delivery *d, char incarnation[17])
{
    pthread_mutex_lock(&d->lock);
    memcpy(incarnation, d->incarnation, 17);
    pthread_mutex_unlock(&d->lock);
}

struct items_job { struct envelope_head *head; struct item_row *rows; size_t n; };

/* 0: the file is open no more: acknowledged, or of a stream that a resync ended. */
static int load_items(struct db_conn *c, void *arg, struct err *e)
{
    struct items_job *j = arg;
    int rc = runs_of_file(c, j->head->number, j->head->incarnation, j->head->run, e);
    return rc == 1 && store_items(c, j->head->number, &j->rows, &j->n, e) < 0 ? -1 : rc;
}

/* Each item must still be what was enqueued. */
static int check_item(struct item_row *r, struct err *e)
{
    struct hash256 h;
    char hex[65];
    r->item.sealed = buf_bytes(&r->sealed);
    hash_of(&h, r->item.sealed);
    hash_hex(hex, &h);
    return strcmp(hex, r->hash) == 0 ? 0 : err_set(e, ERR_CORRUPT, "item %s: sealed bytes are not those that were enqueued", r->item.id.s);
}

static int read_copy(int dirfd, struct item_row *r, struct err *e)
{
    r->sealed.n = 0;
    return file_read(&r->sealed, dirfd, r->spool, ENVELOPE_MAX, e) < 0 ? err_wrap(e, "item %s", r->item.id.s) : check_item(r, e);
}

/* Bytes of spooled items; where the spool's copy is gone or damaged, the mirror's. */
static int load_spool(const struct delivery *d, struct item_row *r, struct err *e)
{
    struct err second = {0};
    if (!*r->spool)
        return check_item(r, e);
    if (read_copy(d->spool, r, e) == 0)
        return 0;
    if (d->mirror < 0 || read_copy(d->mirror, r, &second) < 0)
        return -1;
    log_error("spool_damaged", e);
    err_clear(e);
    return 0;
}

/* The same rows give the same bytes, whenever: signatures are deterministic and the header stands in the row. Items that were confirmed meanwhile (they
 * crossed on another way) are not in it any more; it goes out even when none is left, for the peer waits for its number. 1: nothing to send. */
static int build_file(struct delivery *d, const struct file_row *f, struct buf *out, struct hash256 *hash, char name[80], struct err *e)
{
    struct envelope_head h = {.kind = f->kind, .number = f->number, .created_ms = f->created_ms};
    struct items_job j = {.head = &h};
    snprintf(h.from, sizeof h.from, "%s", keys_public(d->opt.own)->name);
    snprintf(h.to, sizeof h.to, "%s", d->opt.peer->name);
    int rc = db_read(d->opt.db, load_items, &j, e);
    if (rc == 0)
        return 1;
    rc = rc < 0 ? -1 : 0;
    envelope_name(name, &h);
    struct envelope_item *items = rc == 0 ? calloc(j.n + 1, sizeof *items) : NULL;
    for (size_t i = 0; rc == 0 && i < j.n; i++) {
        rc = load_spool(d, &j.rows[i], e);
        if (items)
            items[i] = j.rows[i].item;
    }
    if (rc == 0 && !items)
        rc = err_set(e, ERR_FULL, "file: no memory");
    if (rc == 0) {
        struct key_set *keys = keyring_take(d->ring);
        rc = envelope_write_hashed(out, hash, &h, items, j.n, key_set_signer(keys, h.incarnation, h.number), e);
        key_set_release(keys);
    }
    free(items);
    store_items_free(j.rows, j.n);
    return rc;
}

struct published_job { uint64_t number, size; char hash[65]; int64_t now_ms; };

static int note_published(struct db_conn *c, void *arg, struct err *e)
{
    struct published_job *j = arg;
    return store_published(c, j->number, j->hash, j->size, j->now_ms, e);
}

static int publish(struct delivery *d, struct file_row *f, struct err *e)
{
    struct published_job j = {.number = f->number, .now_ms = clock_wall_ms()};
    struct buf body;
    struct hash256 h;
    char name[80];
    buf_init(&body, ENVELOPE_MAX);
    int rc = build_file(d, f, &body, &h, name, e);
    if (rc == 1) {
        buf_clear(&body);
        return 0;
    }
    if (rc == 0) {
        hash_hex(j.hash, &h);
        j.size = body.n;
        rc = file_publish(d->outbox, name, buf_bytes(&body), PUBLISH_REPLACE | PUBLISH_SHARED, e);
    }
    buf_clear(&body);
    if (rc < 0)
        return err_wrap(e, "file %s", name);
    log_event(f->sends ? LOG_WARN : LOG_INFO, f->sends ? "file_resent" : "file_sent", "file %s bytes %llu sends %u", name, (unsigned long long)j.size, f->sends + 1);
    return db_write(d->opt.db, note_published, &j, e);
}

/* One file whose items cannot be read must not hold up the others: say so (once a minute), go on, try again next round. */
static int publish_or_skip(struct delivery *d, struct file_row *f, struct err *e)
{
    if (publish(d, f, e) == 0)
        return 0;
    if (e->code != ERR_CORRUPT && e->code != ERR_MISSING && e->code != ERR_TOO_LARGE)
        return -1;
    d->item_broken = true;
    delivery_trouble(d, THREAD_SEND, e->msg);
    if (!d->broken_told_ms || clock_mono_ms() - d->broken_told_ms > 60000) {
        log_error("item_broken", e);
        d->broken_told_ms = clock_mono_ms();
    }
    err_clear(e);
    return 0;
}

struct due_job { int64_t before_ms, now_ms; struct file_row files[DUE_MAX]; size_t n; };

static int load_due(struct db_conn *c, void *arg, struct err *e)
{
    struct due_job *j = arg;
    return store_due(c, j->before_ms, j->now_ms, j->files, DUE_MAX, &j->n, e);
}

static bool in_outbox(struct delivery *d, const struct file_row *f)
{
    struct envelope_head h = {.kind = f->kind, .number = f->number};
    char name[80];
    snprintf(h.from, sizeof h.from, "%s", keys_public(d->opt.own)->name);
    our_stream(d, h.incarnation);
    envelope_name(name, &h);
    return faccessat(d->outbox, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int64_t resend_after(struct delivery *d)
{
    pthread_mutex_lock(&d->lock);
    int64_t rtt = d->rtt_ms;
    pthread_mutex_unlock(&d->lock);
    int64_t least = d->opt.resend_min_s * 1000LL, most = d->opt.resend_max_s * 1000LL, twice = rtt * 2;
    return twice < least ? least : twice > most ? most : twice;
}

/* Files never published (a crash came between), and those unanswered for twice the round trip that left our outbox. */
static int publish_due(struct delivery *d, struct err *e)
{
    struct due_job j = {.now_ms = clock_wall_ms()};
    j.before_ms = j.now_ms - resend_after(d);
    if (db_read(d->opt.db, load_due, &j, e) < 0)
        return -1;
    for (size_t i = 0; i < j.n; i++)
        if (!(j.files[i].sends && in_outbox(d, &j.files[i])) && publish_or_skip(d, &j.files[i], e) < 0)
            return -1;
    return 0;
}

static bool stopped(struct delivery *d)
{
    pthread_mutex_lock(&d->lock);
    bool it_is = d->stopped[0] != 0;
    pthread_mutex_unlock(&d->lock);
    return it_is;
}

static int send_new(struct delivery *d, struct err *e)
{
    struct form_job j = {.d = d, .more = true};
    pthread_mutex_lock(&d->lock);
    j.window = clock_mono_ms() < d->window_until_ms;
    pthread_mutex_unlock(&d->lock);
    while (j.more && !stopped(d)) {
        j.now_ms = clock_wall_ms();
        if (db_write(d->opt.db, form, &j, e) < 0)
            return -1;
        for (size_t i = 0; i < j.n; i++)
            if (publish_or_skip(d, &j.files[i], e) < 0)
                return -1;
    }
    return 0;
}

/* A database restored from a backup would give numbers out a second time, and the peer would take the new files for old ones. So nothing
 * is sent after a start before a beat of the peer that was made after ours (it stops us when it knows numbers that we do not). When the peer
 * was never met there is nothing to ask; when it does not answer, its road back may be closed: then the wait is bounded. */
static bool may_send(struct delivery *d, bool met, int64_t started_ms)
{
    pthread_mutex_lock(&d->lock);
    bool may = !d->stopped[0] && (d->answered || !met);
    bool stopped = d->stopped[0] != 0;
    pthread_mutex_unlock(&d->lock);
    return may || (!stopped && clock_mono_ms() - started_ms > d->opt.beat_s * 4000LL);
}

static int load_met(struct db_conn *c, void *arg, struct err *e)
{
    return store_met(c, arg, e);
}

struct trash_job { int64_t id; char name[80]; int found; };

static int load_trash(struct db_conn *c, void *arg, struct err *e)
{
    struct trash_job *j = arg;
    j->found = store_trash(c, &j->id, j->name, e);
    return j->found < 0 ? -1 : 0;
}

static int drop_trash(struct db_conn *c, void *arg, struct err *e)
{
    struct trash_job *j = arg;
    return store_trash_done(c, j->id, e);
}

/* Deleted rows must not stay readable in the WAL (FRY-13). A reader that is in the way is asked again: the log is truncated or we know it is not. */
static void truncate_log(struct delivery *d)
{
    struct err e = {0};
    if (!d->purged || clock_mono_ms() < d->purge_try_ms)
        return;
    if (db_checkpoint(d->opt.db, &e) < 0) {
        log_error("checkpoint", &e);
        d->purge_try_ms = clock_mono_ms() + PURGE_AGAIN_MS;
        return;
    }
    d->purged = false;
    if (d->opt.after_purge)
        d->opt.after_purge(d->opt.app);
}

/* Remove the spool files of purged items. One that cannot be removed does not keep the others; it is tried again in the next round. */
static int empty_trash(struct delivery *d, struct err *e)
{
    struct trash_job j = {0};
    struct err one = {0};
    int rc;
    while ((rc = db_read(d->opt.db, load_trash, &j, e)) == 0 && j.found) {
        err_clear(&one);
        bool gone = !*j.name || ((d->spool < 0 || file_remove(d->spool, j.name, &one) == 0) && (d->mirror < 0 || file_remove(d->mirror, j.name, &one) == 0));
        if (gone && db_write(d->opt.db, drop_trash, &j, e) < 0)
            return -1;
        d->purged |= gone;
        if (!gone) {
            log_error("spool_file_stays", &one);
            delivery_trouble(d, THREAD_SEND, one.msg);
            d->item_broken = true;
        }
    }
    if (rc == 0)
        truncate_log(d);
    return rc;
}

static void wait_for_work(struct delivery *d, unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    pthread_mutex_lock(&d->lock);
    while (!d->send_asked && !d->stop && pthread_cond_timedwait(&d->send_wake, &d->lock, &t) == 0)
        ;
    d->send_asked = false;
    pthread_mutex_unlock(&d->lock);
}

/* The gateway's folders and the second volume may be mounted anew under us. */
static int follow_folders(const struct delivery *d, struct err *e)
{
    if (folder_follow(d->outbox, d->opt.outbox, NULL, e) < 0 || (d->spool >= 0 && folder_follow(d->spool, d->opt.spool, NULL, e) < 0))
        return -1;
    return d->mirror < 0 ? 0 : folder_follow(d->mirror, d->opt.mirror, NULL, e);
}

void *send_main(void *arg)
{
    struct delivery *d = arg;
    const int64_t started_ms = clock_mono_ms();
    struct err first = {0};
    bool met = true;
    d->purged = true;                    /* the predecessor may have been killed between a purge and its checkpoint */
    if (db_read(d->opt.db, load_met, &met, &first) < 0)
        log_error("send", &first);
    for (;;) {
        struct err e = {0};
        pthread_mutex_lock(&d->lock);
        bool stop = d->stop;
        pthread_mutex_unlock(&d->lock);
        if (stop)
            return NULL;
        d->item_broken = false;
        if (follow_folders(d, &e) == 0 && empty_trash(d, &e) == 0 && may_send(d, met, started_ms) && send_new(d, &e) == 0 && publish_due(d, &e) == 0 && !d->item_broken)
            d->broken_told_ms = 0;
        if (e.code)
            log_error("send", &e);
        if (e.code || !d->item_broken)
            delivery_trouble(d, THREAD_SEND, e.msg);
        wait_for_work(d, e.code ? 1000 : 500);
    }
}
