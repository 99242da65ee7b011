#include "ferry/lib/resync.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/store_operate.h"
#include "ferry/lib/vault.h"

#define NS "urn:hz:record:1"
#define PAGE 1000                        /* cases of a question; the schema's bound */
#define GAPS 1000                        /* ranges of one case in an answer; the schema's bound */

struct begin_job { struct id128 token; int64_t now_ms; };

static int begin(struct db_conn *c, void *arg, struct err *e)
{
    struct begin_job *j = arg;
    return operate_set_state(c, "resync", j->token.s, 0, j->now_ms, e);
}

int resync_begin(struct delivery *d, json_t *answer, struct err *e)
{
    struct begin_job j = {.now_ms = clock_wall_ms()};
    id_random(&j.token);
    if (db_write(d->opt.db, begin, &j, e) < 0)
        return -1;
    pthread_mutex_lock(&d->lock);
    d->resync_asked = true;
    pthread_mutex_unlock(&d->lock);
    json_object_set_new(answer, "resync", json_string(j.token.s));
    json_object_set_new(answer, "vault", json_boolean(d->vault >= 0));
    return 0;
}

/* --- X: questions --- */

static int send_ask(struct db_conn *c, struct delivery *d, const char *token, uint64_t part, const char *from, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    size_t n = 0;
    struct case_places *list = calloc(PAGE, sizeof *list);
    if (!list)
        return err_set(e, ERR_FULL, "resync: no memory");
    int rc = operate_cases(c, from, "", list, PAGE, &n, e);
    xml_begin(&x, "resync-ask", NS);
    xml_attr(&x, "token", token);
    xml_attr_int(&x, "part", (int64_t)part);
    xml_attr(&x, "from", from);
    xml_attr(&x, "to", n == PAGE ? list[n - 1].no : "");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        xml_open(&x, "case");
        xml_attr(&x, "no", list[i].no);
        xml_attr_int(&x, "in", (int64_t)list[i].in);
        xml_attr_int(&x, "out", (int64_t)list[i].out);
        xml_close(&x);
    }
    free(list);
    int ended = xml_end(&x, e);
    if (rc == 0)
        rc = ended;
    if (rc == 0)
        rc = delivery_send_record(c, d, "resync-ask", "", 0, buf_bytes(&x.out), 0, NULL, now_ms, e);
    buf_clear(&x.out);
    return rc;
}

struct advance_job { struct delivery *d; char incarnation[17]; int64_t now_ms; struct stream_state s; struct journal_head lost; };

static int start_over(struct db_conn *c, void *arg, struct err *e)
{
    struct advance_job *j = arg;
    if (operate_new_stream(c, j->incarnation, j->now_ms, e) < 0 || journal_resync(c, "resync", j->incarnation, &j->lost, j->now_ms, e) < 0 || operate_set_state(c, "resync", j->s.token, 1, j->now_ms, e) < 0)
        return -1;
    return send_ask(c, j->d, j->s.token, 1, "", j->now_ms, e);
}

static int load_state(struct db_conn *c, void *arg, struct err *e)
{
    return operate_state(c, arg, e);
}

/* From here on we are another: what the peer says of the old stream does not concern us any more. */
static void become(struct delivery *d, const char *incarnation)
{
    pthread_mutex_lock(&d->lock);
    snprintf(d->incarnation, sizeof d->incarnation, "%s", incarnation);
    d->stopped[0] = 0;
    d->answered = false;
    d->first_beat = d->last_beat = 0;
    d->told = (struct journal_head){0};
    d->beat_asked = true;
    pthread_cond_signal(&d->clock_wake);
    pthread_mutex_unlock(&d->lock);
}

int resync_advance(struct delivery *d, struct err *e)
{
    struct advance_job j = {.d = d, .now_ms = clock_wall_ms()};
    uint8_t raw[8];
    uint64_t read = 0;
    pthread_mutex_lock(&d->lock);
    bool asked = d->resync_asked;
    j.lost = d->told;
    pthread_mutex_unlock(&d->lock);
    if (!asked)
        return 0;
    if (db_read(d->opt.db, load_state, &j.s, e) < 0)
        return -1;
    if (strcmp(j.s.state, "resync") == 0 && j.s.part == 0) {
        if (vault_replay(d, &read, e) < 0)
            return err_wrap(e, "vault");
        randombytes_buf(raw, sizeof raw);
        hex_put(j.incarnation, raw, sizeof raw);
        if (db_write(d->opt.db, start_over, &j, e) < 0)
            return -1;
        become(d, j.incarnation);
        log_event(LOG_WARN, "resync", "token %s incarnation %s vault_files %llu", j.s.token, j.incarnation, (unsigned long long)read);
    }
    pthread_mutex_lock(&d->lock);
    d->resync_asked = false;
    pthread_mutex_unlock(&d->lock);
    delivery_wake(d);
    return 0;
}

/* --- both: reading --- */

int resync_prepare(void *delivery, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct delivery *d = delivery;
    struct record *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_FULL, "resync: no memory");
    if (record_parse(r, d->opt.parser, 'R', it->kind, content, e) < 0) {
        free(r);
        return -1;
    }
    *prepared = r;
    return 0;
}

void resync_discard(void *prepared)
{
    record_free(prepared);
    free(prepared);
}

/* --- Y: answers --- */

static void put_case(struct xml_out *x, const char *no, uint64_t out, const struct place_range *gone, size_t n)
{
    xml_open(x, "case");
    xml_attr(x, "no", no);
    xml_attr_int(x, "out", (int64_t)out);
    for (size_t i = 0; i < n; i++) {
        xml_open(x, "gone");
        xml_attr_int(x, "from", (int64_t)gone[i].from);
        xml_attr_int(x, "to", (int64_t)gone[i].to);
        xml_close(x);
    }
    xml_close(x);
}

struct told { struct delivery *d; struct db_conn *c; struct xml_out *x; int64_t now_ms; struct place_range *gaps; };

/* One case of ours, and what the asker remembers of it (listed NULL: nothing at all). */
static int tell_case(struct told *t, const struct case_places *own, const struct rec_node *listed, struct err *e)
{
    const struct delivery_options *o = &t->d->opt;
    uint64_t in = listed ? (uint64_t)rec_attr_int(listed, "in", 0, INT64_MAX) : 0, out = listed ? (uint64_t)rec_attr_int(listed, "out", 0, INT64_MAX) : 0;
    size_t n = 0;
    int told = !listed && o->resynced ? o->resynced(t->c, o->app, own->no, RESYNC_UNKNOWN, t->now_ms, e) : 0;
    if (told < 0)
        return -1;
    if (told && own->out)                /* said anew behind all that was said before */
        t->gaps[n++] = (struct place_range){1, own->out};
    else if (!told && (operate_requeue(t->c, own->no, in, t->now_ms, e) < 0 || operate_gaps(t->c, own->no, in, own->out, t->gaps, GAPS, &n, e) < 0))
        return -1;
    if (n || own->in > out)
        put_case(t->x, own->no, own->in, t->gaps, n);
    return 0;
}

/* Both lists are in order of the case numbers. */
static int tell_cases(struct told *t, const struct case_places *own, size_t n, const struct rec_node *ask, struct err *e)
{
    const struct rec_node *listed = rec_child(ask, "case");
    for (size_t i = 0; i < n; i++) {
        while (listed && strcmp(rec_attr(listed, "no"), own[i].no) < 0)
            listed = rec_next(listed, "case");
        if (tell_case(t, &own[i], listed && strcmp(rec_attr(listed, "no"), own[i].no) == 0 ? listed : NULL, e) < 0)
            return -1;
    }
    return 0;
}

static int answer_head(struct told *t, const struct rec_node *ask, const char *upto, struct err *e)
{
    char top[17], stream[17];
    uint64_t floor;
    if (operate_floor(t->c, &floor, e) < 0 || operate_top(t->c, top, e) < 0)
        return -1;
    pthread_mutex_lock(&t->d->lock);
    memcpy(stream, t->d->incarnation, sizeof stream);
    pthread_mutex_unlock(&t->d->lock);
    xml_begin(t->x, "resync-answer", NS);
    xml_attr(t->x, "token", rec_attr(ask, "token"));
    xml_attr(t->x, "part", rec_attr(ask, "part"));
    xml_attr(t->x, "upto", upto);
    xml_attr(t->x, "top", top);
    xml_attr(t->x, "stream", stream);
    xml_attr_int(t->x, "floor", (int64_t)floor);
    return 0;
}

static int answer_ask(struct told *t, const struct rec_node *ask, struct case_places *own, struct err *e)
{
    size_t n;
    if (operate_cases(t->c, rec_attr(ask, "from"), rec_attr(ask, "to"), own, PAGE, &n, e) < 0)
        return -1;
    /* Fewer than a page: all up to the question's end were looked at. */
    if (answer_head(t, ask, n == PAGE ? own[n - 1].no : rec_attr(ask, "to"), e) < 0)
        return -1;
    int rc = tell_cases(t, own, n, ask, e), ended = xml_end(t->x, e);
    if (rc == 0)
        rc = ended;
    if (rc == 0)
        rc = delivery_send_record(t->c, t->d, "resync-answer", "", 0, buf_bytes(&t->x->out), 0, NULL, t->now_ms, e);
    buf_clear(&t->x->out);
    return rc;
}

int resync_apply_ask(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e)
{
    struct record *r = prepared;
    struct xml_out x;
    struct told t = {.d = delivery, .c = c, .x = &x, .now_ms = it->now_ms, .gaps = calloc(GAPS, sizeof *t.gaps)};
    struct case_places *own = calloc(PAGE, sizeof *own);
    int rc = t.gaps && own ? answer_ask(&t, r->root, own, e) : err_set(e, ERR_FULL, "resync: no memory");
    free(t.gaps);
    free(own);
    pthread_mutex_lock(&t.d->lock);
    t.d->peer_new = t.d->peer_new && rc < 0;
    pthread_mutex_unlock(&t.d->lock);
    if (rc == 0)
        log_event(LOG_WARN, "resync_answered", "token %s part %s", rec_attr(r->root, "token"), rec_attr(r->root, "part"));
    return rc;
}

/* --- X: answers --- */

static int take_gone(struct db_conn *c, const char *no, const struct rec_node *n, int64_t now_ms, struct err *e)
{
    uint64_t settled = 0;
    for (const struct rec_node *g = rec_child(n, "gone"); g; g = rec_next(g, "gone")) {
        struct place_range r = {(uint64_t)rec_attr_int(g, "from", 1, INT64_MAX), (uint64_t)rec_attr_int(g, "to", 1, INT64_MAX)};
        if (r.from < 1 || r.to < r.from || r.to - r.from > 100000)
            return err_set(e, ERR_INPUT, "resync-answer: case %s: want places from low to high, have %llu to %llu", no, (unsigned long long)r.from, (unsigned long long)r.to);
        if (operate_gone(c, no, r, now_ms, e) < 0)
            return -1;
    }
    if (store_case_seq(c, no, &settled, e) < 0)
        return -1;
    uint64_t before = settled;
    if (operate_skip_gone(c, no, &settled, e) < 0)
        return -1;
    return settled > before ? store_case_settle(c, no, settled, now_ms, e) : 0;
}

static int take_case(struct db_conn *c, const struct rec_node *n, int64_t now_ms, struct err *e)
{
    const char *no = rec_attr(n, "no");
    bool raised;
    if (take_gone(c, no, n, now_ms, e) < 0 || operate_raise_out(c, no, (uint64_t)rec_attr_int(n, "out", 0, INT64_MAX), &raised, now_ms, e) < 0)
        return -1;
    return raised ? operate_ahead(c, no, now_ms, e) : 0;
}

/* The last page was answered: we go on, and say anew what the peer may believe otherwise. */
static int finish(struct db_conn *c, struct delivery *d, const char *top, int64_t now_ms, struct err *e)
{
    const struct delivery_options *o = &d->opt;
    char no[17];
    int rc;
    if (operate_set_state(c, "", "", 0, now_ms, e) < 0)
        return -1;
    if (o->resynced && *top && o->resynced(c, o->app, top, RESYNC_TOP, now_ms, e) < 0)
        return -1;
    while ((rc = operate_ahead_next(c, no, e)) == 1)
        if (o->resynced && o->resynced(c, o->app, no, RESYNC_AHEAD, now_ms, e) < 0)
            return -1;
    if (rc == 0)
        log_event(LOG_WARN, "resync_done", NULL);
    return rc;
}

static int take_answer(struct db_conn *c, struct delivery *d, const struct rec_node *root, const struct stream_state *s, int64_t now_ms, struct err *e)
{
    const char *upto = rec_attr(root, "upto"), *stream = rec_attr(root, "stream");
    uint64_t contiguous;
    for (const struct rec_node *n = rec_child(root, "case"); n; n = rec_next(n, "case"))
        if (take_case(c, n, now_ms, e) < 0)
            return -1;
    if (*upto)
        return operate_set_state(c, "resync", s->token, s->part + 1, now_ms, e) < 0 ? -1 : send_ask(c, d, s->token, s->part + 1, upto, now_ms, e);
    if (store_heard(c, stream, &contiguous, now_ms, e) < 0 || operate_raise_floor(c, stream, (uint64_t)rec_attr_int(root, "floor", 0, INT64_MAX), now_ms, e) < 0)
        return -1;
    return finish(c, d, rec_attr(root, "top"), now_ms, e);
}

int resync_apply_answer(struct db_conn *c, void *delivery, const struct in_item *it, void *prepared, struct err *e)
{
    struct record *r = prepared;
    struct stream_state s;
    if (operate_state(c, &s, e) < 0)
        return -1;
    /* Of a resync that was begun again meanwhile, or a page that was answered before. */
    if (strcmp(s.state, "resync") != 0 || strcmp(s.token, rec_attr(r->root, "token")) != 0 || s.part != (uint64_t)rec_attr_int(r->root, "part", 0, INT64_MAX)) {
        log_event(LOG_INFO, "resync_answer_old", "token %s part %s", rec_attr(r->root, "token"), rec_attr(r->root, "part"));
        return 0;
    }
    return take_answer(c, delivery, r->root, &s, it->now_ms, e);
}
