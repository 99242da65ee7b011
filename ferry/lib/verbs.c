#include "ferry/lib/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/evidence.h"
#include "ferry/lib/keys.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/resync.h"
#include "ferry/lib/store_operate.h"

#define LIST_MOST 10000

struct rows_job { const char *what, *id; int64_t max, now_ms; json_t *rows; };

struct lying { uint64_t *number; size_t n; };      /* files of our stream in our outbox: the gateway did not fetch them yet */

static int look_at_outbox(struct delivery *d, struct lying *l, struct err *e)
{
    struct dir_entry *list;
    struct envelope_head h;
    size_t n;
    if (folder_list(&list, &n, d->outbox, LIST_MOST, e) < 0)
        return -1;
    l->n = 0;
    l->number = calloc(n ? n : 1, sizeof *l->number);
    for (size_t i = 0; l->number && i < n; i++)
        if (envelope_named(list[i].name, &h) && h.kind != ENVELOPE_BEAT && strcmp(h.incarnation, d->incarnation) == 0)
            l->number[l->n++] = h.number;
    free(list);
    return l->number ? 0 : err_set(e, ERR_FULL, "list: no memory");
}

/* What was sent and lies in our outbox no more is crossing: the gateway has it, or lost it, and the peer did not say that it came. */
static int tell_crossing(struct delivery *d, json_t *rows, struct err *e)
{
    struct lying l;
    size_t i;
    json_t *row;
    if (look_at_outbox(d, &l, e) < 0)
        return -1;
    json_array_foreach(rows, i, row) {
        const uint64_t number = (uint64_t)json_integer_value(json_object_get(row, "number"));
        bool lies = false;
        for (size_t k = 0; k < l.n && !lies; k++)
            lies = l.number[k] == number;
        if (!lies && strcmp(command_text(row, "state"), "sent") == 0)
            json_object_set_new(row, "state", json_string("crossing"));
    }
    free(l.number);
    return 0;
}

static int load_rows(struct db_conn *c, void *arg, struct err *e)
{
    struct rows_job *j = arg;
    json_array_clear(j->rows);
    if (!j->id && strcmp(j->what, "differences") == 0)
        return reconcile_list(c, j->max, j->rows, e);
    return j->id ? operate_show(c, j->id, j->now_ms, j->rows, e) : operate_list(c, j->what, j->max, j->now_ms, j->rows, e);
}

static int list(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app;
    struct rows_job j = {.what = command_text(args, "what"), .max = json_integer_value(json_object_get(args, "max")), .now_ms = clock_wall_ms(), .rows = json_array()};
    if (!*j.what)
        j.what = "open";
    if (j.max < 1 || j.max > LIST_MOST)
        j.max = LIST_MOST;
    int rc = db_read(d->opt.db, load_rows, &j, e);
    if (rc == 0)
        rc = tell_crossing(d, j.rows, e);
    json_object_set_new(answer, "rows", j.rows);
    return rc;
}

static int show(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app;
    struct rows_job j = {.now_ms = clock_wall_ms()};
    if (command_need(args, "id", &j.id, e) < 0)
        return -1;
    j.rows = json_array();
    int rc = db_read(d->opt.db, load_rows, &j, e);
    if (rc == 0 && json_array_size(j.rows) == 0)
        rc = err_set(e, ERR_MISSING, "show: want an item's id or a case number, have nothing of '%.40s'", j.id);
    if (rc == 0)
        rc = tell_crossing(d, j.rows, e);
    json_object_set_new(answer, "rows", j.rows);
    return rc;
}

/* One that is still held is no failure of the verb: its word says so. */
static int retry_one(struct delivery *d, const char *id, json_t *rows, struct err *e)
{
    char word[12] = "";
    if (delivery_retry(d, id, word, e) < 0)
        return -1;
    return json_array_append_new(rows, json_pack("{s:s, s:s}", "id", id, "word", word)) < 0 ? err_set(e, ERR_FULL, "retry: no memory") : 0;
}

static int retry(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    const char *id;
    size_t i;
    json_t *row, *rows = json_array();
    (void)app;
    json_object_set_new(answer, "rows", rows);
    if (command_need(args, "id", &id, e) < 0)
        return -1;
    if (strcmp(id, "all") != 0)
        return retry_one(d, id, rows, e);
    struct rows_job j = {.what = "held", .max = LIST_MOST, .now_ms = clock_wall_ms(), .rows = json_array()};
    int rc = db_read(d->opt.db, load_rows, &j, e);
    json_array_foreach(j.rows, i, row) {
        struct err one = {0};
        if (rc == 0 && retry_one(d, command_text(row, "id"), rows, &one) < 0 && one.code != ERR_MISSING)   /* settled meanwhile */
            rc = err_set(e, one.code, "%s", one.msg);
    }
    json_decref(j.rows);
    return rc;
}

static int discard(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    const char *id, *reason;
    (void)app;
    if (command_need(args, "id", &id, e) < 0 || command_need(args, "reason", &reason, e) < 0)
        return -1;
    if (delivery_discard(d, id, reason, e) < 0)
        return -1;
    json_object_set_new(answer, "id", json_string(id));
    json_object_set_new(answer, "word", json_string("refused"));
    return 0;
}

struct drain_job { bool on; int64_t now_ms; };

static int set_drained(struct db_conn *c, void *arg, struct err *e)
{
    struct drain_job *j = arg;
    return operate_drain(c, j->on, j->now_ms, e);
}

static int count_left(struct db_conn *c, void *arg, struct err *e)
{
    return store_counts(c, arg, e);
}

static int switch_drain(struct delivery *d, bool on, json_t *answer, struct err *e)
{
    struct drain_job j = {on, clock_wall_ms()};
    struct delivery_state s = {0};
    if (db_write(d->opt.db, set_drained, &j, e) < 0 || db_read(d->opt.db, count_left, &s, e) < 0)
        return -1;
    pthread_mutex_lock(&d->lock);
    d->drained = on;
    pthread_mutex_unlock(&d->lock);
    delivery_wake(d);
    json_object_set_new(answer, "drained", json_boolean(on));
    json_object_set_new(answer, "queued", json_integer((json_int_t)s.queued));
    json_object_set_new(answer, "unacked", json_integer((json_int_t)s.unacked));
    json_object_set_new(answer, "unconfirmed", json_integer((json_int_t)s.unconfirmed));
    return 0;
}

static int drain(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app, (void)args;
    return switch_drain(d, true, answer, e);
}

static int resume(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app, (void)args;
    return switch_drain(d, false, answer, e);
}

static int window(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct delivery_state s = {0};
    bool open = json_is_true(json_object_get(args, "open"));
    (void)app;
    pthread_mutex_lock(&d->lock);
    d->window_until_ms = open ? clock_mono_ms() + 60000 : 0;      /* asked again while the export goes on: a killed one does not leave it open */
    pthread_mutex_unlock(&d->lock);
    delivery_wake(d);
    if (db_read(d->opt.db, count_left, &s, e) < 0)
        return -1;
    json_object_set_new(answer, "queued", json_integer((json_int_t)s.queued));
    json_object_set_new(answer, "unacked", json_integer((json_int_t)s.unacked));
    return 0;
}

static int resync(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)app, (void)args;
    return resync_begin(d, answer, e);
}

static int load_state(struct db_conn *c, void *arg, struct err *e)
{
    return operate_state(c, arg, e);
}

static int resync_state(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct stream_state s;
    (void)app, (void)args;
    if (db_read(d->opt.db, load_state, &s, e) < 0)
        return -1;
    json_object_set_new(answer, "state", json_string(s.state));
    json_object_set_new(answer, "part", json_integer((json_int_t)s.part));
    json_object_set_new(answer, "since_ms", json_integer(s.since_ms));
    return 0;
}

const struct delivery_verb delivery_verbs[] = {
    {"list", list}, {"show", show}, {"retry", retry}, {"discard", discard}, {"drain", drain}, {"resume", resume}, {"window", window}, {"resync", resync},
    {"keys", keys_verb_list}, {"key-use", keys_verb_use}, {"key-retire", keys_verb_retire}, {"key-revoke", keys_verb_revoke},
    {"resync-state", resync_state}, {"evidence", evidence_verb}, {"reconcile", reconcile_verb},
};
const size_t delivery_n_verbs = sizeof delivery_verbs / sizeof delivery_verbs[0];
