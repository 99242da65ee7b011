/* key_record.c - the record of kind `key`: written, read, noted, answered. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/keys_parts.h"

#define NS "urn:hz:record:1"
#define SPOOL_FILES 1000000

/* --- written --- */

/* The same word of the same key is the same item, however often it is said; a question and its answer are new each time. */
static void item_id(struct id128 *id, const struct key_said *s)
{
    struct hash256 h;
    char text[100];
    if (s->token) {
        id_random(id);
        return;
    }
    snprintf(text, sizeof text, "hz-key-record-1 %s %s", s->k->id, s->word);
    hash_of(&h, bytes_of(text));
    hex_put(id->s, h.b, 16);
}

int key_say(struct db_conn *c, struct delivery *d, const struct key_said *s, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    struct id128 id;
    struct err own = {0};
    char hex[2 * KEY_HALF + 1];
    item_id(&id, s);
    xml_begin(&x, "key", NS);
    xml_attr(&x, "word", s->word);
    xml_attr(&x, "id", s->k->id);
    if (s->halves) {
        xml_attr(&x, "name", s->k->pub.name);
        xml_attr_int(&x, "suite", s->k->suite);
        hex_put(hex, s->k->pub.sign_pk, keys_half(&s->k->pub));
        xml_attr(&x, "sign", hex);
        hex_put(hex, s->k->pub.box_pk, keys_half(&s->k->pub));
        xml_attr(&x, "box", hex);
        xml_attr_int(&x, "expires", s->k->expires_ms);
    }
    if (s->numbers) {
        xml_attr(&x, "incarnation", s->k->incarnation);
        xml_attr_int(&x, "number", (int64_t)s->k->from);
    }
    if (s->token)
        xml_attr(&x, "token", s->token);
    if (s->open)
        xml_attr_int(&x, "open", (int64_t)s->open);
    int rc = xml_end(&x, e);
    if (rc == 0 && delivery_send_record(c, d, "key", "", 0, buf_bytes(&x.out), 0, &id, now_ms, &own) < 0 && own.code != ERR_CONFLICT)
        rc = err_set(e, own.code, "%s", own.msg);
    buf_clear(&x.out);
    return rc;
}

/* --- what is open in the spool --- */

static int look_file(struct delivery *d, const char *name, uint8_t head[20], struct err *e)
{
    int fd = openat(d->spool, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return 0;                            /* confirmed meanwhile */
    ssize_t n = pread(fd, head, 20, 0);
    close(fd);
    return n < 0 ? err_sys(e, "spool file %s", name) : n == 20;
}

int key_open_spool(struct delivery *d, const uint8_t id[8], bool own, json_t *rows, uint64_t *n, struct err *e)
{
    struct dir_entry *list;
    size_t files;
    int rc = 0;
    if (d->spool < 0)
        return 0;
    if (folder_list(&list, &files, d->spool, SPOOL_FILES, e) < 0)
        return -1;
    for (size_t i = 0; rc >= 0 && i < files; i++) {
        uint8_t head[20];
        rc = look_file(d, list[i].name, head, e);
        if (rc != 1 || memcmp(head + (own ? 12 : 4), id, 8) != 0)
            continue;
        if (rows && json_array_size(rows) < KEY_ROWS)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "id", list[i].name, "kind", "slice", "case_no", "", "what", "upload"));
        (*n)++;
    }
    free(list);
    return rc < 0 ? -1 : 0;
}

/* --- read --- */

struct heard { struct key_word w; char token[33]; uint64_t open; };

/* The halves must be a key of the suite that the record says, and make the id. */
static int check_halves(const struct key_word *w, int64_t suite, struct err *e)
{
    struct key_public pub;
    char id[17];
    if (suite < SUITE_FIRST || suite > SUITE_LAST)
        return err_set(e, ERR_HELD, "key %s: its suite is not known here", w->key);
    if (keys_public_of(&pub, w->name, w->sign, w->box, e) < 0)
        return err_wrap(e, "key %s", w->key);
    if (pub.suite != suite)
        return err_set(e, ERR_INPUT, "key %s: says suite %u, its halves are of suite %u", w->key, (unsigned)suite, pub.suite);
    hex_put(id, pub.id.b, 8);
    return strcmp(id, w->key) == 0 ? 0 : err_set(e, ERR_INPUT, "key %s: its halves make %s", w->key, id);
}

int keys_prepare(void *delivery, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct delivery *d = delivery;
    struct record r;
    struct key_id id;
    int rc = 0;
    if (record_parse(&r, d->opt.parser, 'R', "key", content, e) < 0)
        return -1;
    struct heard *h = calloc(1, sizeof *h);
    if (!h)
        rc = err_set(e, ERR_FULL, "key: no memory");
    else {
        snprintf(h->w.key, sizeof h->w.key, "%s", rec_attr(r.root, "id"));
        snprintf(h->w.word, sizeof h->w.word, "%s", rec_attr(r.root, "word"));
        snprintf(h->w.name, sizeof h->w.name, "%s", rec_attr(r.root, "name"));
        snprintf(h->w.sign, sizeof h->w.sign, "%s", rec_attr(r.root, "sign"));
        snprintf(h->w.box, sizeof h->w.box, "%s", rec_attr(r.root, "box"));
        snprintf(h->w.incarnation, sizeof h->w.incarnation, "%s", rec_attr(r.root, "incarnation"));
        snprintf(h->token, sizeof h->token, "%s", rec_attr(r.root, "token"));
        h->w.expires_ms = rec_attr_int(r.root, "expires", 0, (int64_t)1 << 52);
        h->w.number = (uint64_t)rec_attr_int(r.root, "number", 0, (int64_t)1 << 52);
        h->open = (uint64_t)rec_attr_int(r.root, "open", 0, (int64_t)1 << 52);
        if (strcmp(h->w.word, "announced") == 0)
            rc = check_halves(&h->w, rec_attr_int(r.root, "suite", 1, 255), e);
        if (rc == 0 && strcmp(h->w.word, "asking") == 0 && hex_get(id.b, 8, h->w.key) == 0)
            rc = key_open_spool(d, id.b, false, NULL, &h->open, e);      /* files: here, outside the transaction */
    }
    (void)it;
    record_free(&r);
    if (rc < 0)
        free(h);
    else
        *prepared = h;
    return rc;
}

/* May the peer's key retire? Not while we seal to it, nor while anything of ours is under way to it or of its items waits here. */
static int answer_asking(struct db_conn *c, struct delivery *d, const struct heard *h, int64_t now_ms, struct err *e)
{
    struct key_set *keys = keyring_take(d->ring);
    struct key_id id;
    uint64_t open = h->open;
    json_t *rows = json_array();
    struct key_entry unknown = {.id = ""};
    const struct key_entry *k = hex_get(id.b, 8, h->w.key) == 0 ? key_set_find(keys, id.b) : NULL;
    snprintf(unknown.id, sizeof unknown.id, "%s", h->w.key);
    int rc = rows ? store_key_open(c, id.b, false, rows, &open, e) : err_set(e, ERR_FULL, "key: no memory");
    if (k && k->state == KEY_CURRENT)
        open++;
    struct key_said s = {.word = open ? "open" : "clear", .k = k ? k : &unknown, .token = h->token, .open = open};
    if (rc == 0)
        rc = key_say(c, d, &s, now_ms, e);
    json_decref(rows);
    key_set_release(keys);
    return rc;
}

static void note_answer(struct delivery *d, const struct heard *h)
{
    pthread_mutex_lock(&d->lock);
    if (strcmp(d->retire.token, h->token) == 0 && strcmp(d->retire.key, h->w.key) == 0) {
        snprintf(d->retire.word, sizeof d->retire.word, "%s", h->w.word);
        d->retire.open = h->open;
    }
    pthread_mutex_unlock(&d->lock);
}

int keys_apply(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e)
{
    struct delivery *d = delivery;
    const struct heard *h = prepared;
    if (strcmp(h->w.word, "asking") == 0)
        return answer_asking(c, d, h, it->now_ms, e);
    if (strcmp(h->w.word, "open") != 0 && strcmp(h->w.word, "clear") != 0)
        return store_key_word_put(c, &h->w, it->now_ms, e);
    note_answer(d, h);
    return 0;
}

void keys_discard(void *prepared)
{
    free(prepared);
}
