/* keys.c - the clock thread's part: the ring follows its file, the peer's words and the operator; the peer is told. */
#include "ferry/lib/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/keys_parts.h"

/* --- heard --- */

struct next_job { int64_t after; struct key_word w; int found; };

static int load_next(struct db_conn *c, void *arg, struct err *e)
{
    struct next_job *j = arg;
    j->found = store_key_word_next(c, j->after, &j->w, e);
    return j->found < 0 ? -1 : 0;
}

struct settle_job { const struct key_word *w; int64_t now_ms; };

static int settle_word(struct db_conn *c, void *arg, struct err *e)
{
    struct settle_job *j = arg;
    if (strcmp(j->w->word, "revoked") == 0 && store_key_revoked(c, j->w->key, j->now_ms, e) < 0)
        return -1;
    return store_key_word_drop(c, j->w->row, e);
}

/* What the peer says of its own key; `trusted` is said of ours. */
static int change_by_word(struct key_list *keys, void *arg, struct err *e)
{
    const struct settle_job *j = arg;
    const struct key_word *w = j->w;
    struct key_entry *k = key_list_find(keys, w->key);
    const bool ours = strcmp(w->word, "trusted") == 0;
    if (!k || k->own != ours) {
        log_event(LOG_WARN, "key_unknown", "key %s word %s", w->key, w->word);
        return 0;
    }
    if (ours) {
        bool news = !k->trusted;
        k->trusted = true;
        return news;
    }
    if (strcmp(w->word, "announced") == 0) {
        bool news = k->state == KEY_ANNOUNCED && k->expires_ms != w->expires_ms;
        k->expires_ms = news ? w->expires_ms : k->expires_ms;
        return news;
    }
    if (k->state == KEY_REVOKED || (k->state == KEY_RETIRED && strcmp(w->word, "revoked") != 0))
        return 0;                            /* an old word */
    if (strcmp(w->word, "current") == 0)
        return k->state == KEY_ACCEPTING ? 0 : key_list_use(keys, w->key, w->incarnation, w->number, j->now_ms, e);
    if (k->state == KEY_CURRENT)
        return err_set(e, ERR_BUSY, "key %s is %s by its owner's word, but its successor is not in use here: trust it (ferry key trust)", k->id, w->word);
    key_list_set(k, strcmp(w->word, "retired") == 0 ? KEY_RETIRED : KEY_REVOKED, j->now_ms);
    return 1;
}

static int take_up_word(struct delivery *d, const struct key_word *w, struct err *e)
{
    struct settle_job j = {w, clock_wall_ms()};
    struct key_public pub;
    if (strcmp(w->word, "announced") == 0) {
        char id[17];
        if (keys_public_of(&pub, w->name, w->sign, w->box, e) < 0)
            return -1;
        hex_put(id, pub.id.b, 8);
        if (strcmp(id, w->key) != 0)
            return err_set(e, ERR_CORRUPT, "key %s: its halves make %s", w->key, id);
        if (keyring_heard(d->ring, &pub, j.now_ms, e) < 0)
            return -1;
    }
    if (keyring_edit(d->ring, change_by_word, &j, e) < 0)
        return -1;
    log_event(LOG_WARN, "key_word", "key %s word %s", w->key, w->word);
    return db_write(d->opt.db, settle_word, &j, e);
}

/* A word that cannot be taken up now keeps its row, and nobody else waits for it; what makes no sense at all goes. */
static void take_up_words(struct delivery *d, struct err *trouble)
{
    struct next_job j = {.after = 0};
    struct err e = {0};
    while (db_read(d->opt.db, load_next, &j, &e) == 0 && j.found) {
        j.after = j.w.row;
        if (take_up_word(d, &j.w, &e) == 0)
            continue;
        struct err last = {0};
        struct settle_job s = {&j.w, clock_wall_ms()};
        if ((e.code == ERR_INPUT || e.code == ERR_CORRUPT || e.code == ERR_DENIED) && strcmp(j.w.word, "announced") == 0) {
            log_error("key_word_refused", &e);
            db_write(d->opt.db, settle_word, &s, &last);
        } else
            err_set(trouble, e.code, "%s", e.msg);
        err_clear(&e);
    }
    if (e.code)
        err_set(trouble, e.code, "%s", e.msg);
}

/* --- told --- */

/* "" when there is nothing to say. */
static const char *to_tell(const struct key_entry *k)
{
    const char *word = k->own ? key_state_words[k->state] : k->trusted ? "trusted" : "";
    if (k->own && k->state == KEY_ACCEPTING)
        return "";                           /* its successor's word says it */
    if (!k->own && k->state != KEY_ANNOUNCED)
        return "";
    return strcmp(word, k->told) == 0 ? "" : word;
}

struct tell_job { struct delivery *d; const struct key_entry *k; const char *word; int64_t now_ms; };

static int tell(struct db_conn *c, void *arg, struct err *e)
{
    struct tell_job *j = arg;
    struct key_said s = {.word = j->word, .k = j->k, .halves = strcmp(j->word, "announced") == 0, .numbers = strcmp(j->word, "current") == 0};
    return key_say(c, j->d, &s, j->now_ms, e);
}

static int mark_told(struct key_list *keys, void *arg, struct err *e)
{
    struct tell_job *j = arg;
    struct key_entry *k = key_list_find(keys, j->k->id);
    (void)e;
    if (!k)
        return 0;
    snprintf(k->told, sizeof k->told, "%s", j->word);
    return 1;
}

static int tell_one(struct delivery *d, const struct key_entry *k, struct err *e)
{
    struct tell_job j = {d, k, to_tell(k), clock_wall_ms()};
    if (!*j.word)
        return 0;
    if (db_write(d->opt.db, tell, &j, e) < 0 || keyring_edit(d->ring, mark_told, &j, e) < 0)
        return -1;
    log_event(LOG_WARN, "key_told", "key %s word %s", k->id, j.word);
    delivery_wake(d);
    return 0;
}

/* The current one first: what the peer hears of its predecessor makes sense only then. */
static void tell_peer(struct delivery *d, struct err *trouble)
{
    struct key_set *s = keyring_take(d->ring);
    const struct key_list *l = key_set_list(s);
    for (int current = 1; current >= 0; current--)
        for (size_t i = 0; i < l->n; i++) {
            struct err e = {0};
            if ((l->key[i].state == KEY_CURRENT) == current && tell_one(d, &l->key[i], &e) < 0)
                err_set(trouble, e.code, "%s", e.msg);
        }
    key_set_release(s);
}

/* Revoked by hand while the service stood: the cases are marked all the same. */
static int note_revoked(struct db_conn *c, void *arg, struct err *e)
{
    const struct key_list *l = key_set_list(arg);
    for (size_t i = 0; i < l->n; i++)
        if (l->key[i].state == KEY_REVOKED && store_key_revoked(c, l->key[i].id, clock_wall_ms(), e) < 0)
            return -1;
    return 0;
}

static void follow(struct delivery *d, struct err *trouble)
{
    bool changed;
    if (keyring_follow(d->ring, &changed, trouble) < 0)
        return;
    if (!changed && d->keys_seen)
        return;
    struct key_set *s = keyring_take(d->ring);
    if (changed)
        log_event(LOG_WARN, "keys_changed", "keys %zu", key_set_list(s)->n);
    d->keys_seen = db_write(d->opt.db, note_revoked, s, trouble) == 0;
    key_set_release(s);
}

void keys_tick(struct delivery *d)
{
    struct err e = {0};
    if (!*keyring_dir(d->ring))
        return;
    follow(d, &e);
    take_up_words(d, &e);
    tell_peer(d, &e);
    pthread_mutex_lock(&d->lock);
    bool news = strcmp(d->key_trouble, e.msg) != 0;
    snprintf(d->key_trouble, sizeof d->key_trouble, "%.199s", e.msg);
    pthread_mutex_unlock(&d->lock);
    if (news && e.code)
        log_error("keys", &e);
}

/* --- status --- */

void keys_status(struct buf *out, struct delivery *d, int64_t now_ms, unsigned *warning)
{
    struct key_set *s = keyring_take(d->ring);
    const struct key_list *l = key_set_list(s);
    char trouble[sizeof d->key_trouble], fingerprint[KEY_FINGERPRINT];
    *warning = 0;
    pthread_mutex_lock(&d->lock);
    memcpy(trouble, d->key_trouble, sizeof trouble);
    pthread_mutex_unlock(&d->lock);
    buf_str(out, "\"keys\":[");
    for (size_t i = 0; i < l->n; i++) {
        const struct key_entry *k = &l->key[i];
        const unsigned w = *keyring_dir(d->ring) ? key_warning(k, now_ms) : 0;
        if (w && (!*warning || w < *warning))
            *warning = w;
        key_fingerprint(fingerprint, &k->pub);
        buf_fmt(out, "%s{\"id\":\"%s\",\"name\":\"%s\",\"suite\":%u,\"state\":\"%s\",\"trusted\":%s,\"days\":%lld,\"fingerprint\":\"%s\"}", i ? "," : "", k->id, k->pub.name, k->suite,
                key_state_words[k->state], k->trusted ? "true" : "false", key_days(k, now_ms), fingerprint);
    }
    buf_fmt(out, "],\"key_warning\":%u,\"key_trouble\":\"", *warning);
    for (const char *p = trouble; *p; p++)
        if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f)
            buf_put(out, p, 1);
    buf_str(out, "\",");
    key_set_release(s);
}

int keys_note_case(struct db_conn *c, const char *case_no, struct bytes sealed, int64_t now_ms, struct err *e)
{
    struct key_id to, from;
    struct err none = {0};
    char hex[17];
    if (!*case_no || seal_ids(&to, &from, sealed, &none) < 0)
        return 0;
    hex_put(hex, to.b, 8);
    if (store_key_case(c, case_no, hex, now_ms, e) < 0)
        return -1;
    hex_put(hex, from.b, 8);
    return store_key_case(c, case_no, hex, now_ms, e);
}
