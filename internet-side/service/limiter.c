#include "internet-side/service/limiter.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384u
#define NEIGHBOURS 8u
#define MINUTE 60000
#define HOUR (60 * MINUTE)

static const struct { unsigned n; int64_t window_ms; } limits[LIMIT__COUNT] = {
    [LIMIT_CODE_WAIT] = { 1, MINUTE },        /* per phone */
    [LIMIT_CODE_HOUR] = { 5, HOUR },          /* per phone */
    [LIMIT_CODE_ADDRESS] = { 30, HOUR },      /* per address */
    [LIMIT_CODE_ALL] = { 30, 6000 },          /* everybody together: what an SMS peer can take, and a bill that ends */
    [LIMIT_LOGIN_ADDRESS] = { 60, HOUR },
    [LIMIT_CHECK] = { 60, MINUTE },           /* from here on per account */
    [LIMIT_VERIFY] = { 12, HOUR },
    [LIMIT_VERIFY_FAILED] = { 3, 30 * MINUTE },
    [LIMIT_SUBMIT] = { 100, HOUR },
    [LIMIT_UPLOAD] = { 400, HOUR },
    [LIMIT_PART] = { 1200, HOUR },
    [LIMIT_VIEW] = { 240, MINUTE },
    [LIMIT_UNLOCK] = { 10, MINUTE },
    [LIMIT_SEARCH] = { 30, HOUR },            /* per address: what found nothing */
    [LIMIT_SEARCH_ALL] = { 600, MINUTE },     /* everybody together: rows written for nobody in particular */
};

struct entry {
    uint64_t key;                /* 0: free */
    int64_t touched;
    unsigned n, at;              /* ring: how many, next place; estimate: this window's and the last one's count */
    int64_t start;               /* estimate: start of this window */
    int64_t times[LIMITER_EXACT];
};
struct limiter {
    pthread_mutex_t lock;
    unsigned scale;
    uint8_t secret[crypto_shorthash_KEYBYTES];    /* so that nobody can aim at a slot */
    struct entry slots[SLOTS];
};

int limiter_open(struct limiter **out, unsigned scale, struct err *e)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return err_set(e, ERR_FULL, "limiter: no memory");
    pthread_mutex_init(&l->lock, NULL);
    l->scale = scale ? scale : 1;
    randombytes_buf(l->secret, sizeof l->secret);
    *out = l;
    return 0;
}

void limiter_close(struct limiter *l)
{
    if (l)
        pthread_mutex_destroy(&l->lock);
    free(l);
}

static unsigned most(const struct limiter *l, enum limit kind)
{
    return limits[kind].n * (kind == LIMIT_VERIFY_FAILED ? 1 : l->scale);      /* a lock-out is not a rate */
}

static uint64_t name_of(const struct limiter *l, enum limit kind, struct bytes key)
{
    uint8_t in[65] = { (uint8_t)kind };
    uint64_t h;
    const size_t n = key.n < 64 ? key.n : 64;
    memcpy(in + 1, key.p, n);
    crypto_shorthash((uint8_t *)&h, in, n + 1, l->secret);
    return h ? h : 1;
}

/* The entry of this name. Without one: with `make` a neighbour cleared for it (a free one, else the one longest untouched), else NULL. */
static struct entry *entry_of(struct limiter *l, uint64_t name, bool make)
{
    struct entry *best = NULL;
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        struct entry *s = &l->slots[(name + i) % SLOTS];
        if (s->key == name)
            return s;
        if (!best || (best->key && (!s->key || s->touched < best->touched)))
            best = s;
    }
    if (!make)
        return NULL;
    memset(best, 0, sizeof *best);
    return best;
}

/* Events within the window before now, and in *oldest when the first of them leaves it. */
static unsigned count(struct entry *s, unsigned n, int64_t window, int64_t now, int64_t *leaves)
{
    unsigned have = 0;
    *leaves = now + window;
    if (n <= LIMITER_EXACT) {
        for (unsigned i = 0; i < s->n; i++)
            if (s->times[i] > now - window && s->times[i] <= now) {
                have++;
                if (s->times[i] + window < *leaves)
                    *leaves = s->times[i] + window;
            }
        return have;
    }
    if (now - s->start >= window || now < s->start) {
        s->at = now - s->start < 2 * window && now >= s->start ? s->n : 0;
        s->n = 0;
        s->start = now - now % window;
    }
    *leaves = s->start + window;
    return s->n + (unsigned)((int64_t)s->at * (s->start + window - now) / window);
}

static void add(struct entry *s, unsigned n, int64_t now)
{
    if (n > LIMITER_EXACT) {
        s->n++;
        return;
    }
    s->times[s->at] = now;
    s->at = (s->at + 1) % LIMITER_EXACT;
    if (s->n < LIMITER_EXACT)
        s->n++;
}

static unsigned ask(struct limiter *l, enum limit kind, struct bytes key, int64_t now, bool take, unsigned *left)
{
    const unsigned n = most(l, kind);
    const int64_t window = limits[kind].window_ms;
    int64_t leaves = now;
    pthread_mutex_lock(&l->lock);
    const uint64_t name = name_of(l, kind, key);
    struct entry *s = entry_of(l, name, take);
    const unsigned have = s ? count(s, n, window, now, &leaves) : 0;
    if (have < n && take) {
        s->key = name;
        s->touched = now;
        add(s, n, now);
    }
    pthread_mutex_unlock(&l->lock);
    if (left)
        *left = have < n ? n - have : 0;
    return have < n ? 0 : (unsigned)((leaves - now + 999) / 1000);
}

unsigned limiter_take(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms)
{
    return ask(l, kind, key, now_ms, true, NULL);
}

unsigned limiter_wait(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms)
{
    return ask(l, kind, key, now_ms, false, NULL);
}

unsigned limiter_left(struct limiter *l, enum limit kind, struct bytes key, int64_t now_ms)
{
    unsigned left;
    ask(l, kind, key, now_ms, false, &left);
    return left;
}

void limiter_forget(struct limiter *l, enum limit kind, struct bytes key)
{
    pthread_mutex_lock(&l->lock);
    struct entry *s = entry_of(l, name_of(l, kind, key), false);
    if (s)
        memset(s, 0, sizeof *s);
    pthread_mutex_unlock(&l->lock);
}
