#include "intranet-side/service/changes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, VIEWERS = 512, UNITS = 512 };
struct entry { uint64_t seq; char no[17], unit[13], up_unit[13]; enum change_kind kind; };
struct viewer { char officer[33], day[11]; uint64_t seq; struct case_counts counts; };
struct changes {
    pthread_mutex_t lock;
    uint64_t seq, first;                 /* first: seq before the oldest entry that is still there */
    struct entry ring[RING];
    struct { char unit[13]; uint64_t seq; } last[UNITS];      /* newest change of a unit */
    size_t n_units;
    struct viewer viewers[VIEWERS];      /* by hash of the officer; a clash reads again */
    struct entry held[RING];             /* noted inside transactions that may not be committed yet */
    size_t n_held;
};

int changes_open(struct changes **out, int64_t now_ms, struct err *e)
{
    struct changes *c = calloc(1, sizeof *c);
    *out = c;
    if (c == NULL)
        return err_set(e, ERR_INTERNAL, "changes: out of memory");
    pthread_mutex_init(&c->lock, NULL);
    c->seq = c->first = (uint64_t)now_ms;
    return 0;
}

void changes_close(struct changes *c)
{
    if (c == NULL)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void unit_touched(struct changes *c, const char *unit, uint64_t seq)
{
    size_t i = 0;
    if (*unit == '\0')
        return;
    while (i < c->n_units && strcmp(c->last[i].unit, unit) != 0)
        i++;
    if (i == UNITS)
        return;                          /* unit_last then says "now": counts are read each time */
    if (i == c->n_units)
        snprintf(c->last[c->n_units++].unit, 13, "%s", unit);
    c->last[i].seq = seq;
}

static uint64_t unit_last(const struct changes *c, const char *unit)
{
    for (size_t i = 0; i < c->n_units; i++)
        if (strcmp(c->last[i].unit, unit) == 0)
            return c->last[i].seq;
    return c->n_units == UNITS ? c->seq : 0;
}

static struct entry entry_of(const struct case_file *f, enum change_kind kind)
{
    struct entry x = {.kind = kind};
    snprintf(x.no, sizeof x.no, "%s", f->no);
    snprintf(x.unit, sizeof x.unit, "%s", f->unit);
    snprintf(x.up_unit, sizeof x.up_unit, "%s", f->up_unit);
    return x;
}

/* With the lock held. */
static void append(struct changes *c, const struct entry *v)
{
    struct entry *x = &c->ring[++c->seq % RING];
    if (x->seq)
        c->first = x->seq;
    *x = *v;
    x->seq = c->seq;
    unit_touched(c, x->unit, c->seq);
    unit_touched(c, x->up_unit, c->seq);
}

void changes_note(struct changes *c, const struct case_file *f, enum change_kind kind)
{
    struct entry x = entry_of(f, kind);
    pthread_mutex_lock(&c->lock);
    append(c, &x);
    pthread_mutex_unlock(&c->lock);
}

void changes_hold(struct changes *c, const struct case_file *f, enum change_kind kind)
{
    pthread_mutex_lock(&c->lock);
    if (c->n_held < RING)                /* more than that within one tick: viewers are told by the others, and their lists read again */
        c->held[c->n_held++] = entry_of(f, kind);
    pthread_mutex_unlock(&c->lock);
}

static int barrier(struct db_conn *conn, void *arg, struct err *e)
{
    (void)conn, (void)arg, (void)e;
    return 0;
}

void changes_flush(struct changes *c, struct db *db)
{
    struct err ignored = {0};
    pthread_mutex_lock(&c->lock);
    size_t n = c->n_held;
    pthread_mutex_unlock(&c->lock);
    if (n == 0 || db_write(db, barrier, NULL, &ignored) < 0)
        return;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < n; i++)
        append(c, &c->held[i]);
    memmove(c->held, c->held + n, (c->n_held - n) * sizeof c->held[0]);
    c->n_held -= n;
    pthread_mutex_unlock(&c->lock);
}

uint64_t changes_seq(struct changes *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t s = c->seq;
    pthread_mutex_unlock(&c->lock);
    return s;
}

static bool repeated(const struct change *v, size_t n, const char *no)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].no, no) == 0)
            return true;
    return false;
}

size_t changes_since(struct changes *c, uint64_t since, int scope, const char *unit, struct change *out, size_t cap, bool *whole)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    *whole = since >= c->first && since <= c->seq;
    for (uint64_t s = c->seq; *whole && s > since && n < cap; s--) {
        const struct entry *x = &c->ring[s % RING];
        bool ours = (scope == 1 && strcmp(x->unit, unit) == 0) || (scope == 2 && strcmp(x->up_unit, unit) == 0);
        if (!ours || repeated(out, n, x->no))
            continue;
        out[n] = (struct change){.seq = s, .kind = x->kind};
        memcpy(out[n++].no, x->no, sizeof x->no);
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}

static struct viewer *slot(struct changes *c, const char *officer)
{
    uint32_t h = 2166136261u;
    for (const char *p = officer; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    return &c->viewers[h % VIEWERS];
}

bool changes_counts_get(struct changes *c, const char *officer, const char *unit, const char *day, struct case_counts *out)
{
    pthread_mutex_lock(&c->lock);
    const struct viewer *v = slot(c, officer);
    bool fresh = strcmp(v->officer, officer) == 0 && strcmp(v->day, day) == 0 && v->seq >= unit_last(c, unit);
    if (fresh)
        *out = v->counts;
    pthread_mutex_unlock(&c->lock);
    return fresh;
}

void changes_counts_put(struct changes *c, const char *officer, const char *day, uint64_t seq, const struct case_counts *v)
{
    pthread_mutex_lock(&c->lock);
    struct viewer *x = slot(c, officer);
    snprintf(x->officer, sizeof x->officer, "%s", officer);
    snprintf(x->day, sizeof x->day, "%s", day);
    x->seq = seq;
    x->counts = *v;
    pthread_mutex_unlock(&c->lock);
}
