/* key_verbs.c - what the operator does with keys of a running service. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/keys_parts.h"
#include "ferry/lib/resync.h"

#define WORD_OLD_MS 60000                /* the peer's "clear" is not a word for ever */

static int need_ring(const struct delivery *d, struct err *e)
{
    return *keyring_dir(d->ring) ? 0 : err_set(e, ERR_CONFLICT, "keys: this service was given two keys that never change");
}

static json_t *row_of(const struct key_entry *k, int64_t now_ms)
{
    char fingerprint[KEY_FINGERPRINT], expires[21];
    key_fingerprint(fingerprint, &k->pub);
    clock_rfc3339(expires, k->expires_ms);
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:b, s:s, s:I, s:s, s:s, s:I, s:s, s:I, s:i}", "id", k->id, "name", k->pub.name, "owner", k->own ? "own" : "peer", "suite", (int)k->suite,
                     "state", key_state_words[k->state], "trusted", k->trusted, "expires", expires, "days", (json_int_t)key_days(k, now_ms), "fingerprint", fingerprint, "incarnation",
                     k->incarnation, "from", (json_int_t)k->from, "ended", k->ended, "until", (json_int_t)k->until, "warning", (int)key_warning(k, now_ms));
}

int keys_verb_list(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app, (void)args;
    if (keyring_follow(d->ring, NULL, e) < 0)
        return -1;
    struct key_set *s = keyring_take(d->ring);
    json_t *rows = json_array();
    for (size_t i = 0; i < key_set_list(s)->n; i++)
        json_array_append_new(rows, row_of(&key_set_list(s)->key[i], clock_wall_ms()));
    json_object_set_new(answer, "rows", rows);
    json_object_set_new(answer, "dir", json_string(keyring_dir(d->ring)));
    key_set_release(s);
    return 0;
}

/* Of the set in use now, by value. */
static int entry_of(struct delivery *d, const char *id, struct key_entry *out, struct err *e)
{
    if (keyring_follow(d->ring, NULL, e) < 0)
        return -1;
    struct key_set *s = keyring_take(d->ring);
    const struct key_list *l = key_set_list(s);
    int rc = -1;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->key[i].id, id) == 0) {
            *out = l->key[i];
            out->pair = NULL;
            rc = 0;
        }
    key_set_release(s);
    return rc == 0 ? 0 : err_set(e, ERR_MISSING, "key %.16s is not in this ring", id);
}

/* --- use --- */

struct change_job { struct delivery *d; const char *id, *successor; bool confirmed; char incarnation[17]; uint64_t number; int64_t now_ms; };

static int change_use(struct key_list *keys, void *arg, struct err *e)
{
    struct change_job *j = arg;
    struct key_entry *k = key_list_find(keys, j->id);
    if (k && !k->own)
        return err_set(e, ERR_CONFLICT, "key %s is the peer's: it becomes current when its owner uses it", k->id);
    if (k && j->confirmed)
        k->trusted = true;
    return key_list_use(keys, j->id, j->incarnation, j->number, j->now_ms, e);
}

/* On the writer thread, where file numbers are given out: every file from this number on is signed by the new key, every one below by the old. */
static int use_in_turn(struct db_conn *c, void *arg, struct err *e)
{
    struct change_job *j = arg;
    return store_key_next(c, j->incarnation, &j->number, e) < 0 ? -1 : keyring_edit(j->d->ring, change_use, j, e);
}

int keys_verb_use(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct change_job j = {.d = d, .confirmed = json_is_true(json_object_get(args, "confirmed")), .now_ms = clock_wall_ms()};
    (void)app;
    if (need_ring(d, e) < 0 || command_need(args, "id", &j.id, e) < 0 || db_write(d->opt.db, use_in_turn, &j, e) < 0)
        return -1;
    log_event(LOG_WARN, "key_use", "key %s from %llu", j.id, (unsigned long long)j.number);
    json_object_set_new(answer, "id", json_string(j.id));
    json_object_set_new(answer, "word", json_string("current"));
    json_object_set_new(answer, "from", json_integer((json_int_t)j.number));
    return 0;
}

/* --- retire --- */

struct open_job { struct delivery *d; const struct key_entry *k; json_t *rows; uint64_t n; const char *token; int64_t now_ms; };

static int count_open(struct db_conn *c, void *arg, struct err *e)
{
    struct open_job *j = arg;
    char incarnation[17];
    uint64_t next, files = 0;
    if (store_key_open(c, j->k->pub.id.b, true, j->rows, &j->n, e) < 0 || store_key_next(c, incarnation, &next, e) < 0)
        return -1;
    if (strcmp(incarnation, j->k->ended) == 0 && store_key_files(c, j->k->until, &files, e) < 0)
        return -1;
    if (files && json_array_size(j->rows) < KEY_ROWS)
        json_array_append_new(j->rows, json_pack("{s:s, s:s, s:s, s:s}", "id", "", "kind", "file", "case_no", "", "what", "unacknowledged"));
    j->n += files;
    return 0;
}

static int ask_peer(struct db_conn *c, void *arg, struct err *e)
{
    struct open_job *j = arg;
    struct key_said s = {.word = "asking", .k = j->k, .token = j->token};
    return key_say(c, j->d, &s, j->now_ms, e);
}

static int change_retire(struct key_list *keys, void *arg, struct err *e)
{
    struct change_job *j = arg;
    struct key_entry *k = key_list_find(keys, j->id);
    if (!k || k->state != KEY_ACCEPTING)
        return err_set(e, ERR_CONFLICT, "key %s is not accepting any more", j->id);
    key_list_set(k, KEY_RETIRED, j->now_ms);
    return 1;
}

/* The peer's last word about this key, "" when there is none or it is old; taken, so that the next question is a new one. */
static void take_word(struct delivery *d, const char *id, char word[12], uint64_t *open)
{
    pthread_mutex_lock(&d->lock);
    bool fresh = strcmp(d->retire.key, id) == 0 && clock_mono_ms() - d->retire.asked_ms < WORD_OLD_MS;
    snprintf(word, 12, "%s", fresh && d->retire.word[0] ? d->retire.word : fresh ? "asked" : "");
    *open = d->retire.open;
    if (!fresh || d->retire.word[0])
        d->retire.key[0] = d->retire.word[0] = 0;
    pthread_mutex_unlock(&d->lock);
}

static int ask(struct delivery *d, struct open_job *j, struct err *e)
{
    struct id128 token;
    id_random(&token);
    j->token = token.s;
    pthread_mutex_lock(&d->lock);
    snprintf(d->retire.key, sizeof d->retire.key, "%s", j->k->id);
    snprintf(d->retire.token, sizeof d->retire.token, "%s", token.s);
    d->retire.word[0] = 0;
    d->retire.asked_ms = clock_mono_ms();
    pthread_mutex_unlock(&d->lock);
    if (db_write(d->opt.db, ask_peer, j, e) < 0)
        return -1;
    delivery_wake(d);
    return 0;
}

static int told_word(json_t *answer, const char *word, uint64_t open, const char *where)
{
    json_object_set_new(answer, "word", json_string(word));
    json_object_set_new(answer, "open", json_integer((json_int_t)open));
    json_object_set_new(answer, "where", json_string(where));
    return 0;
}

static int retire(struct delivery *d, struct open_job *j, json_t *answer, struct err *e)
{
    char word[12];
    uint64_t open = 0;
    if (db_read(d->opt.db, count_open, j, e) < 0 || key_open_spool(d, j->k->pub.id.b, true, j->rows, &j->n, e) < 0)
        return -1;
    if (j->n)
        return told_word(answer, "open", j->n, "here");
    take_word(d, j->k->id, word, &open);
    if (strcmp(word, "open") == 0)
        return told_word(answer, "open", open, "peer");
    if (strcmp(word, "clear") != 0)
        return *word || ask(d, j, e) == 0 ? told_word(answer, "asked", 0, "peer") : -1;
    struct change_job c = {.d = d, .id = j->k->id, .now_ms = j->now_ms};
    if (keyring_edit(d->ring, change_retire, &c, e) < 0)
        return -1;
    log_event(LOG_WARN, "key_retired", "key %s", j->k->id);
    return told_word(answer, "retired", 0, "");
}

int keys_verb_retire(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct key_entry k;
    const char *id;
    (void)app;
    if (need_ring(d, e) < 0 || command_need(args, "id", &id, e) < 0 || entry_of(d, id, &k, e) < 0)
        return -1;
    if (!k.own)
        return err_set(e, ERR_CONFLICT, "key %s is the peer's: it is retired where it belongs", k.id);
    if (k.state != KEY_ACCEPTING)
        return err_set(e, ERR_CONFLICT, "key %s is %s: only an accepting key can be retired", k.id, key_state_words[k.state]);
    struct open_job j = {.d = d, .k = &k, .rows = json_array(), .now_ms = clock_wall_ms()};
    json_object_set_new(answer, "id", json_string(k.id));
    json_object_set_new(answer, "rows", j.rows);
    return retire(d, &j, answer, e);
}

/* --- revoke --- */

static struct key_entry *successor_of(struct key_list *keys, bool own)
{
    struct key_entry *best = NULL;
    for (size_t i = 0; i < keys->n; i++) {
        struct key_entry *k = &keys->key[i];
        if (k->own == own && k->state == KEY_ANNOUNCED && k->trusted && (!best || k->since_ms > best->since_ms))
            best = k;
    }
    return best;
}

static int change_revoke(struct key_list *keys, void *arg, struct err *e)
{
    struct change_job *j = arg;
    struct key_entry *k = key_list_find(keys, j->id), *next;
    if (!k)
        return err_set(e, ERR_MISSING, "key %.16s is not in this ring", j->id);
    if (k->state == KEY_REVOKED)
        return 0;
    if (k->state == KEY_CURRENT) {
        next = successor_of(keys, k->own);
        if (!next)
            return err_set(e, ERR_CONFLICT, "key %s is in use: first a successor that is trusted (%s)", k->id,
                           k->own ? "ferry key generate here, ferry key trust on the peer's host" : "ferry key trust for the peer's new key");
        if (key_list_use(keys, next->id, "", 0, j->now_ms, e) < 0)
            return -1;
    }
    key_list_set(k, KEY_REVOKED, j->now_ms);
    k->ended[0] = 0;
    k->until = 0;
    return 1;
}

static int revoke_in_turn(struct db_conn *c, void *arg, struct err *e)
{
    struct change_job *j = arg;
    return store_key_revoked(c, j->id, j->now_ms, e) < 0 ? -1 : keyring_edit(j->d->ring, change_revoke, j, e);
}

int keys_verb_revoke(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct change_job j = {.d = d, .now_ms = clock_wall_ms()};
    struct key_entry k;
    (void)app;
    if (need_ring(d, e) < 0 || command_need(args, "id", &j.id, e) < 0 || entry_of(d, j.id, &k, e) < 0 || db_write(d->opt.db, revoke_in_turn, &j, e) < 0)
        return -1;
    log_event(LOG_ERROR, "key_revoked", "key %s of %s was %s", k.id, k.pub.name, key_state_words[k.state]);
    json_object_set_new(answer, "id", json_string(k.id));
    json_object_set_new(answer, "word", json_string("revoked"));
    /* What it signed and is not confirmed travels again, in envelopes of another key and a stream that it never signed. */
    return k.own && (k.state == KEY_CURRENT || k.state == KEY_ACCEPTING) ? resync_begin(d, answer, e) : 0;
}
