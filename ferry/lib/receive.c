/* receive.c - the receiver: verify, vault, open, prepare, apply in one transaction, then let the file go. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/builtin.h"
#include "ferry/lib/follow.h"
#include "ferry/lib/heads.h"
#include "ferry/lib/journal.h"
#include "ferry/lib/keys.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/probe.h"
#include "ferry/lib/quarantine.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/resync.h"
#include "ferry/lib/runs.h"
#include "ferry/lib/store_operate.h"
#include "ferry/lib/vault.h"

/* One item on its way through: verdict OK means prepared and to be applied. */
enum verdict { VERDICT_OK, VERDICT_REFUSED, VERDICT_HELD };

struct passing {
    struct in_item it;
    struct manifest manifest;
    const struct delivery_handler *handler;
    void *prepared;
    bool has_prepared;
    enum verdict verdict;
    struct err why;
    struct bytes sealed;
    const struct envelope_head *file;    /* it came in just now; NULL: it lay here */
    char result[12];                     /* what it became: applied refused held waiting known */
};

static bool is_final(enum err_code c)
{
    return c == ERR_INPUT || c == ERR_CORRUPT || c == ERR_TOO_LARGE || c == ERR_CONFLICT;
}

static bool is_hold(enum err_code c)
{
    return c == ERR_HELD || c == ERR_UNAVAILABLE;
}

static const struct delivery_handler *handler_of(const struct delivery *d, const char *kind)
{
    for (size_t i = 0; i < builtin_n_handlers; i++)
        if (strcmp(builtin_handlers[i].kind, kind) == 0)
            return &builtin_handlers[i];
    for (size_t i = 0; i < d->opt.nhandlers; i++)
        if (strcmp(d->opt.handlers[i].kind, kind) == 0)
            return &d->opt.handlers[i];
    return NULL;
}

/* Whose argument the handler wants: ours, or the application's. */
static void *app_of(struct delivery *d, const struct delivery_handler *h)
{
    bool ours = h >= builtin_handlers && h < builtin_handlers + builtin_n_handlers;
    return ours ? (void *)d : d->opt.app;
}

/* Open and prepare; the outcome is a verdict, or -1 when nothing can be said now. */
static int open_item(struct delivery *d, struct passing *p, struct buf *content, struct err *e)
{
    struct key_set *keys = keyring_take(d->ring);
    int opened = key_set_open(&p->manifest, content, p->sealed, keys, &p->it.revoked_key, e);
    key_set_release(keys);
    if (opened < 0)
        return -1;
    if (strcmp(p->manifest.id.s, p->it.id) != 0 || strcmp(p->manifest.kind, p->it.kind) != 0)
        return err_set(e, ERR_CORRUPT, "item %s: id or kind of envelope and manifest differ: re-wrapped", p->it.id);
    if (p->manifest.protocol > ENVELOPE_PROTOCOL)
        return err_set(e, ERR_HELD, "item %s: protocol %u is newer than ours", p->it.id, p->manifest.protocol);
    p->handler = handler_of(d, p->it.kind);
    if (!p->handler)
        return err_set(e, ERR_HELD, "item %s: kind '%s' has no handler here", p->it.id, p->it.kind);
    p->it.manifest = &p->manifest;
    if (p->handler->prepare && p->handler->prepare(app_of(d, p->handler), &p->it, buf_bytes(content), &p->prepared, e) < 0)
        return -1;
    p->has_prepared = true;
    return 0;
}

static int prepare_item(struct delivery *d, struct passing *p, int64_t now_ms, struct err *e)
{
    struct buf content;
    buf_init(&content, ENVELOPE_MAX);
    p->it.now_ms = now_ms;
    p->it.manifest = &p->manifest;
    int rc = open_item(d, p, &content, &p->why);
    buf_wipe(&content);
    if (rc == 0)
        return 0;
    p->verdict = is_final(p->why.code) ? VERDICT_REFUSED : VERDICT_HELD;
    if (is_final(p->why.code) || is_hold(p->why.code))
        return 0;
    return err_set(e, p->why.code, "%s", p->why.msg);
}

static void drop_prepared(struct passing *p)
{
    if (p->has_prepared && p->handler->discard)
        p->handler->discard(p->prepared);
    p->has_prepared = false;
}

/* The case goes on behind this place, and behind places that will never come. One that came out of order moves nothing. */
static int settle_place(struct db_conn *c, const struct in_item *it, struct err *e)
{
    uint64_t settled = 0;
    if (store_case_seq(c, it->case_no, &settled, e) < 0)
        return -1;
    if (it->case_seq != settled + 1)
        return 0;
    settled = it->case_seq;
    if (operate_skip_gone(c, it->case_no, &settled, e) < 0)
        return -1;
    return store_case_settle(c, it->case_no, settled, it->now_ms, e);
}

static int note_import(struct db_conn *c, const struct passing *p, const char *word, struct err *e)
{
    return journal_imported(c, word, p->file ? p->file->incarnation : "", p->file ? p->file->number : 0, p->it.id, p->it.kind, p->it.case_no, p->it.hash, p->it.now_ms, e);
}

static int settle(struct db_conn *c, struct delivery *d, struct passing *p, const char *word, struct err *e)
{
    bool applied = strcmp(word, "applied") == 0, held = strcmp(word, "held") == 0;
    snprintf(p->result, sizeof p->result, "%s", word);
    /* The original of a refused one stays: it is evidence, and the citizen was told. */
    if (store_item_put(c, &p->it, word, applied ? "" : p->why.msg, applied ? (struct bytes){0} : p->sealed, e) < 0 || note_import(c, p, word, e) < 0)
        return -1;
    if (!held && p->it.case_seq && settle_place(c, &p->it, e) < 0)
        return -1;
    if (d->opt.keep_acked && keys_note_case(c, p->it.case_no, p->sealed, p->it.now_ms, e) < 0)     /* the side of record: a key may be revoked later */
        return -1;
    return !applied && d->opt.outcome ? d->opt.outcome(c, d->opt.app, &p->it, word, &p->why, e) : 0;
}

/* Apply in a savepoint of its own: a refused item leaves nothing but its note. */
static int apply_one(struct db_conn *c, struct delivery *d, struct passing *p, struct err *e)
{
    if (p->verdict == VERDICT_OK) {
        err_clear(&p->why);
        if (db_exec(c, "SAVEPOINT item", e) < 0)
            return -1;
        if (p->handler->apply(c, app_of(d, p->handler), &p->it, p->prepared, &p->why) == 0)
            return db_exec(c, "RELEASE item", e) < 0 ? -1 : settle(c, d, p, "applied", e);
        if (db_exec(c, "ROLLBACK TO item", e) < 0 || db_exec(c, "RELEASE item", e) < 0)
            return -1;
        if (!is_final(p->why.code) && !is_hold(p->why.code))
            return err_set(e, p->why.code, "%s", p->why.msg);
        p->verdict = is_final(p->why.code) ? VERDICT_REFUSED : VERDICT_HELD;
    }
    return settle(c, d, p, p->verdict == VERDICT_REFUSED ? "refused" : "held", e);
}

/* Known already, waiting for its predecessor, or applied. Its id alone says whether it came before: a place that is taken was given out twice by a
 * side that was restored from a backup, and what stands in it now is something else. */
static int pass_item(struct db_conn *c, struct delivery *d, struct passing *p, struct err *e)
{
    char state[12];
    uint64_t settled = 0;
    if (store_item_state(c, p->it.id, state, e) < 0 || (p->it.case_seq && store_case_seq(c, p->it.case_no, &settled, e) < 0))
        return -1;
    if (*state && strcmp(state, "waiting") != 0 && strcmp(state, "held") != 0) {
        snprintf(p->result, sizeof p->result, "known");
        return 0;
    }
    if (p->it.case_seq > settled + 1) {
        snprintf(p->result, sizeof p->result, "waiting");
        return store_item_put(c, &p->it, "waiting", "", p->sealed, e) < 0 ? -1 : note_import(c, p, "waiting", e);
    }
    return apply_one(c, d, p, e);
}

/* known: nothing of it is new; again: its number counts as received, but not its items; reused: another file of this number came before. */
struct file_job { struct delivery *d; const struct envelope *v; struct passing *items; size_t n; int64_t now_ms; bool known, again, reused; char hash[65]; };

/* A known number is no reason to let items go: a side that was put back to an earlier day gives its numbers out again, and acknowledges nothing by that;
 * and when it was we who were put back, a resync counts numbers as received whose files this database never saw. */
static int look_known(struct db_conn *c, void *arg, struct err *e)
{
    struct file_job *j = arg;
    const struct envelope_head *h = &j->v->head;
    struct journal_entry first;
    char state[12] = "known";
    j->again = j->reused = false;
    if (store_file_known(c, h->incarnation, h->number, &j->known, e) < 0)
        return -1;
    int was = j->known ? journal_file_was(c, "received", h->incarnation, h->number, j->hash, e) : 1;
    if (was)
        return was < 0 ? -1 : 0;
    for (size_t i = 0; i < j->v->nitems && *state; i++)
        if (store_item_state(c, j->v->items[i].id.s, state, e) < 0)
            return -1;
    j->again = !*state;
    j->known = !j->again;
    int before = j->again ? journal_last(c, "received", NULL, h->incarnation, h->number, &first, e) : 0;
    j->reused = before == 1;
    return before < 0 ? -1 : 0;
}

static int apply_file(struct db_conn *c, void *arg, struct err *e)
{
    struct file_job *j = arg;
    const struct envelope_head *h = &j->v->head;
    if (look_known(c, j, e) < 0)
        return -1;
    if (j->known)
        return 0;
    if (j->reused && reconcile_reused(c, h->incarnation, h->number, j->hash, j->now_ms, e) < 0)
        return -1;
    if (runs_heard(c, h, j->now_ms, e) < 0 || journal_received(c, h->incarnation, h->number, j->hash, j->now_ms, e) < 0)
        return -1;
    for (size_t i = 0; i < j->n; i++)
        if (pass_item(c, j->d, &j->items[i], e) < 0)
            return -1;
    return j->again ? 0 : store_file_in(c, h->incarnation, h->number, j->now_ms, e);
}

static void log_item(const struct passing *p)
{
    bool odd = strcmp(p->result, "refused") == 0 || strcmp(p->result, "held") == 0;
    log_event(odd ? LOG_WARN : LOG_INFO, "item", "id %s kind %s case %s seq %llu result %s why %s", p->it.id, p->it.kind, p->it.case_no,
              (unsigned long long)p->it.case_seq, p->result, odd ? p->why.msg : "");
}

static struct passing *passing_of(const struct envelope *v, int64_t now_ms)
{
    struct passing *all = calloc(v->nitems + 1, sizeof *all);
    for (size_t i = 0; all && i < v->nitems; i++) {
        const struct envelope_item *x = &v->items[i];
        struct hash256 h;
        all[i].it = (struct in_item){.id = x->id.s, .kind = x->kind, .case_no = x->case_no, .case_seq = x->case_seq, .now_ms = now_ms};
        all[i].sealed = x->sealed;
        all[i].file = &v->head;
        hash_of(&h, x->sealed);
        hash_hex(all[i].it.hash, &h);
    }
    return all;
}

static int receive_items(struct delivery *d, const struct envelope *v, struct bytes body, int64_t now_ms, struct err *e)
{
    struct file_job j = {.d = d, .v = v, .n = v->nitems, .now_ms = now_ms};
    hash_hex(j.hash, &v->hash);
    int rc = db_read(d->opt.db, look_known, &j, e);
    if (rc < 0 || j.known)
        return rc;
    if (vault_keep(d, &v->head, body, e) < 0)
        return -1;
    j.items = passing_of(v, now_ms);
    if (!j.items)
        return err_set(e, ERR_FULL, "receive: no memory");
    for (size_t i = 0; rc == 0 && i < j.n; i++)
        rc = prepare_item(d, &j.items[i], now_ms, e);
    if (rc == 0)
        rc = db_write(d->opt.db, apply_file, &j, e);
    for (size_t i = 0; i < j.n; i++) {
        if (rc == 0 && !j.known)
            log_item(&j.items[i]);
        drop_prepared(&j.items[i]);
    }
    free(j.items);
    return rc;
}

/* --- items that waited or were held --- */

struct stored_job { struct delivery *d; const char *id; int64_t *after; struct passing p; struct id128 own_id; char kind[24], case_no[17]; struct buf sealed; int found; };

static int load_stored(struct db_conn *c, void *arg, struct err *e)
{
    struct stored_job *j = arg;
    j->found = j->id ? store_held(c, j->id, &j->p.it, j->kind, j->case_no, &j->sealed, e)
                     : store_ready(c, j->after, &j->p.it, &j->own_id, j->kind, j->case_no, &j->sealed, e);
    return j->found < 0 ? -1 : 0;
}

static int apply_stored(struct db_conn *c, void *arg, struct err *e)
{
    struct stored_job *j = arg;
    return pass_item(c, j->d, &j->p, e);
}

/* id: that held item; NULL: the next waiting one above *after. */
static int process_stored(struct delivery *d, const char *id, int64_t *after, char word[12], bool *any, struct err *e)
{
    struct stored_job j = {.d = d, .id = id, .after = after};
    buf_init(&j.sealed, ENVELOPE_MAX);
    int rc = db_read(d->opt.db, load_stored, &j, e);
    *any = rc == 0 && j.found == 1;
    if (*any) {
        j.p.sealed = buf_bytes(&j.sealed);
        rc = prepare_item(d, &j.p, clock_wall_ms(), e);
        if (rc == 0)
            rc = db_write(d->opt.db, apply_stored, &j, e);
        if (rc == 0)
            log_item(&j.p);
        drop_prepared(&j.p);
        snprintf(word, 12, "%s", j.p.result);
    }
    buf_clear(&j.sealed);
    return rc;
}

/* Waiting items whose predecessor was settled, in rounds until none moves any more: settling one makes the next of its case ready. One that
 * cannot be processed now is passed over, so that it does not hold up the other cases; its error is the answer. */
static int drain_waiting(struct delivery *d, struct err *e)
{
    char word[12];
    struct err one = {0};
    for (bool moved = true; moved;) {
        int64_t after = 0;
        bool any = true;
        moved = false;
        while (any) {
            err_clear(&one);
            int64_t before = after;
            if (process_stored(d, NULL, &after, word, &any, &one) == 0)
                moved |= any;
            else {
                err_set(e, one.code, "%s", one.msg);
                any = after > before;
            }
        }
    }
    return e->code ? -1 : 0;
}

int delivery_retry(struct delivery *d, const char *item_id, char word[12], struct err *e)
{
    bool any;
    if (process_stored(d, item_id, NULL, word, &any, e) < 0)
        return -1;
    if (!any)
        return err_set(e, ERR_MISSING, "item %.32s: nothing of that id is held", item_id);
    delivery_wake(d);
    return drain_waiting(d, e);
}

/* --- discard --- */

static int refuse_held(struct db_conn *c, void *arg, struct err *e)
{
    struct stored_job *j = arg;
    char state[12];
    if (store_item_state(c, j->p.it.id, state, e) < 0)
        return -1;
    if (strcmp(state, "held") != 0)
        return err_set(e, ERR_MISSING, "item %.32s: not held any more", j->p.it.id);
    return settle(c, j->d, &j->p, "refused", e);
}

int delivery_discard(struct delivery *d, const char *item_id, const char *reason, struct err *e)
{
    struct stored_job j = {.d = d, .id = item_id};
    buf_init(&j.sealed, ENVELOPE_MAX);
    int rc = db_read(d->opt.db, load_stored, &j, e);
    if (rc == 0 && j.found != 1)
        rc = err_set(e, ERR_MISSING, "item %.32s: nothing of that id is held", item_id);
    if (rc == 0) {
        j.p.sealed = buf_bytes(&j.sealed);
        j.p.it.now_ms = clock_wall_ms();
        j.p.it.manifest = &j.p.manifest;
        err_set(&j.p.why, ERR_INPUT, "discarded: %.180s", reason);
        rc = db_write(d->opt.db, refuse_held, &j, e);
    }
    if (rc == 0)
        log_item(&j.p);
    buf_clear(&j.sealed);
    return rc;
}

/* --- files --- */

/* By a key whose state lets it sign at all, before any parser sees it; then by one that may sign this number. */
static int read_signed(struct envelope *v, const struct key_set *keys, const struct delivery *d, struct bytes body, const struct envelope_digest *digest, struct err *e)
{
    const struct key_public *list[KEYRING_MAX], *who;
    if (envelope_verify_digested(body, digest, list, key_set_peers(keys, list), &who, e) < 0)
        return -1;
    const struct key_entry *k = key_set_find(keys, who->id.b);
    if (key_entry_may_sign(k, "", 0, d->replaying, e) < 0 || envelope_read(v, body, d->opt.parser, e) < 0)
        return -1;
    v->hash = digest->whole;
    if (key_entry_may_sign(k, v->head.incarnation, v->head.kind == ENVELOPE_BEAT ? 0 : v->head.number, d->replaying, e) == 0)
        return 0;
    envelope_free(v);
    return -1;
}

/* Verified and meant for us. The caller frees it. */
static int read_file(struct delivery *d, struct envelope *v, struct bytes body, const struct envelope_digest *digest, struct err *e)
{
    struct key_set *keys = keyring_take(d->ring);
    int rc = read_signed(v, keys, d, body, digest, e);
    key_set_release(keys);
    if (rc < 0)
        return -1;
    if (strcmp(v->head.from, d->opt.peer->name) == 0 && strcmp(v->head.to, keys_public(d->opt.own)->name) == 0)
        return 0;
    err_set(e, ERR_CORRUPT, "envelope: want %s to %s, have %s to %s", d->opt.peer->name, keys_public(d->opt.own)->name, v->head.from, v->head.to);
    envelope_free(v);
    return -1;
}

int receive_again(struct delivery *d, struct bytes body, struct envelope_head *h, struct err *e)
{
    struct envelope v;
    struct envelope_digest digest;
    envelope_digest(&digest, body);
    d->replaying = true;
    int rc = read_file(d, &v, body, &digest, e);
    d->replaying = false;
    if (rc < 0)
        return -1;
    *h = v.head;
    rc = v.head.kind == ENVELOPE_BEAT ? 0 : receive_items(d, &v, body, clock_wall_ms(), e);
    envelope_free(&v);
    return rc;
}

/* Something to acknowledge; of a peer that was never heard this file tells the stream. */
static void ask_beat(struct delivery *d, const struct envelope *v)
{
    pthread_mutex_lock(&d->lock);
    if (!d->peer_incarnation[0])
        snprintf(d->peer_incarnation, sizeof d->peer_incarnation, "%s", v->head.incarnation);
    d->beat_asked = true;
    pthread_cond_signal(&d->clock_wake);
    pthread_mutex_unlock(&d->lock);
}

static int receive_bytes(struct delivery *d, struct bytes body, const struct envelope_digest *digest, struct err *e)
{
    struct envelope v;
    int64_t now_ms = clock_wall_ms();
    if (read_file(d, &v, body, digest, e) < 0)
        return -1;
    int rc = v.head.kind == ENVELOPE_BEAT ? beat_heard(d, &v, now_ms, e) : receive_items(d, &v, body, now_ms, e);
    if (rc == 0 && v.head.kind == ENVELOPE_BEAT)
        rc = heads_heard(d, &v, body, now_ms, e);
    else if (rc == 0)
        ask_beat(d, &v);
    envelope_free(&v);
    return rc;
}

static bool changed_since(int inbox, const struct dir_entry *f)
{
    struct stat st;
    return fstatat(inbox, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (st.st_size != f->size || (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 != f->mtime_ms);
}

/* A file that cannot be verified or read is somebody else's or still being written: left alone until it stood still. */
static void refuse_file(struct delivery *d, const struct dir_entry *f, const struct err *why)
{
    struct err e = {0};
    if (llabs(clock_wall_ms() - f->mtime_ms) < d->opt.settle_s * 1000LL)       /* a time in the future is no reason to wait for it */
        return;
    if (changed_since(d->inbox, f))
        return;                          /* what was read is not what lies there now: it is read again */
    if (quarantine_take(d->inbox, d->quarantine, f, why->msg, &e) < 0)
        log_error("quarantine", &e);
    else
        log_event(LOG_WARN, "quarantined", "file %s bytes %lld why %s", f->name, (long long)f->size, why->msg);
}

/* What goes wrong with one file is in *round; the others are read. next: the one behind it, or NULL. */
static void receive_file(struct delivery *d, const struct dir_entry *f, const struct dir_entry *next, struct err *round)
{
    struct err e = {0};
    struct buf body;
    struct probe_name p;
    struct envelope_digest digest;
    buf_init(&body, ENVELOPE_MAX);
    int rc = ahead_take(d->ahead, d->inbox, f->name, &body, &digest, &e);
    if (next)
        ahead_ask(d->ahead, d->inbox, next->name);
    if (rc == 0)
        rc = probe_name_parse(&p, f->name) == 0 ? probe_arrived(d, &p, buf_bytes(&body), f->mtime_ms, &e) : receive_bytes(d, buf_bytes(&body), &digest, &e);
    buf_clear(&body);
    if (rc == 1 || (rc == 0 && file_remove(d->inbox, f->name, &e) == 0))
        return;
    if (e.code == ERR_MISSING)
        return;                          /* the gateway took it back */
    if (is_final(e.code) || e.code == ERR_HELD)
        refuse_file(d, f, &e);
    else {
        log_error("receive", &e);
        err_set(round, e.code, "%s", e.msg);
    }
}

static bool stopping(struct delivery *d)
{
    pthread_mutex_lock(&d->lock);
    bool stop = d->stop;
    pthread_mutex_unlock(&d->lock);
    return stop;
}

/* The gateway's folders may be mounted anew under us. */
static int follow_folders(struct delivery *d, struct err *e)
{
    bool changed;
    if (folder_follow(d->inbox, d->opt.inbox, &changed, e) < 0 || folder_follow(d->quarantine, d->opt.quarantine, NULL, e) < 0 ||
        (d->vault >= 0 && folder_follow(d->vault, d->opt.vault, NULL, e) < 0))
        return -1;
    if (changed && d->notify >= 0)
        inotify_add_watch(d->notify, d->opt.inbox, INBOX_EVENTS);      /* without it the rescan finds everything */
    return 0;
}

static void scan(struct delivery *d)
{
    struct err e = {0}, drain = {0};
    struct dir_entry *list = NULL;
    size_t n = 0;
    if (follow_folders(d, &e) == 0 && resync_advance(d, &e) == 0 && folder_list(&list, &n, d->inbox, 5000, &e) == 0) {
        for (size_t i = 0; i < n && !stopping(d); i++)
            receive_file(d, &list[i], i + 1 < n ? &list[i + 1] : NULL, &e);
        free(list);
    } else
        log_error("inbox", &e);
    if (drain_waiting(d, &drain) < 0) {
        log_error("receive", &drain);
        err_set(&e, drain.code, "%s", drain.msg);
    }
    delivery_trouble(d, THREAD_RECEIVE, e.msg);
}

/* Until something appears, at most the rescan time; looks at the stop flag every 250 ms. */
static void wait_for_files(struct delivery *d)
{
    char events[4096];
    int64_t end = clock_mono_ms() + d->opt.rescan_s * 1000LL;
    while (!stopping(d) && clock_mono_ms() < end) {
        struct pollfd p = {d->notify, POLLIN, 0};
        if (d->notify < 0) {
            usleep(250000);
            continue;
        }
        if (poll(&p, 1, 250) > 0) {
            while (read(d->notify, events, sizeof events) > 0)
                ;
            return;
        }
    }
}

void *receive_main(void *arg)
{
    struct delivery *d = arg;
    d->ahead = ahead_start();
    while (!stopping(d)) {
        scan(d);
        wait_for_files(d);
    }
    ahead_stop(d->ahead);
    d->ahead = NULL;
    return NULL;
}
