#include "internet-side/service/session.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u
#define EVIDENCE 4u

struct session {
    struct session *next;            /* in its bucket */
    struct sessions *home;
    struct hash256 token;            /* of the cookie's value: memory shown by accident opens nothing */
    unsigned refs;                   /* the table's own counts as one */
    bool ended;
    int64_t created_ms, used_ms;
    char phone[16], csrf[65];
    struct hash256 account;
    struct evidence evidence[EVIDENCE];
    unsigned next_evidence;
};
struct sessions {
    pthread_mutex_t lock;
    size_t n, most;
    int64_t idle_ms, absolute_ms;
    unsigned sweep;                  /* bucket that is cleaned next */
    struct session *bucket[BUCKETS];
};

int sessions_open(struct sessions **out, size_t most, unsigned idle_s, unsigned absolute_s, struct err *e)
{
    struct sessions *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_FULL, "sessions: no memory");
    pthread_mutex_init(&s->lock, NULL);
    s->most = most;
    s->idle_ms = (int64_t)idle_s * 1000;
    s->absolute_ms = (int64_t)absolute_s * 1000;
    *out = s;
    return 0;
}

unsigned sessions_idle_s(const struct sessions *s)
{
    return (unsigned)(s->idle_ms / 1000);
}

/* Under the lock. */
static void drop_ref(struct session *s)
{
    if (--s->refs > 0)
        return;
    s->home->n--;
    explicit_bzero(s, sizeof *s);
    free(s);
}

static struct session **bucket_of(struct sessions *s, const struct hash256 *token)
{
    return &s->bucket[(token->b[0] | (unsigned)token->b[1] << 8) % BUCKETS];
}

static bool over(const struct session *v, int64_t now)
{
    return v->ended || now - v->used_ms >= v->home->idle_ms || now - v->created_ms >= v->home->absolute_ms;
}

/* Unlink what is over in one bucket. Under the lock. */
static void clean(struct session **at, int64_t now)
{
    while (*at) {
        struct session *v = *at;
        if (over(v, now)) {
            *at = v->next;
            v->ended = true;
            drop_ref(v);
        } else {
            at = &v->next;
        }
    }
}

void sessions_close(struct sessions *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        clean(&s->bucket[i], INT64_MAX);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void draw(char out[65])
{
    uint8_t raw[32];
    randombytes_buf(raw, sizeof raw);
    hex_put(out, raw, sizeof raw);
    explicit_bzero(raw, sizeof raw);
}

int session_begin(struct session **out, char token[65], struct sessions *s, const char *phone, const struct hash256 *account, int64_t now_ms, struct err *e)
{
    struct session *v = calloc(1, sizeof *v);
    if (!v)
        return err_set(e, ERR_FULL, "session: no memory");
    draw(token);
    draw(v->csrf);
    hash_of(&v->token, bytes_of(token));
    snprintf(v->phone, sizeof v->phone, "%s", phone);
    v->account = *account;
    v->home = s;
    v->refs = 2;
    v->created_ms = v->used_ms = now_ms;
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; s->n >= s->most && i < BUCKETS; i++)
        clean(&s->bucket[s->sweep++ % BUCKETS], now_ms);
    clean(&s->bucket[s->sweep++ % BUCKETS], now_ms);
    const bool room = s->n < s->most;
    if (room) {
        struct session **at = bucket_of(s, &v->token);
        v->next = *at;
        *at = v;
        s->n++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!room) {
        free(v);
        return err_set(e, ERR_FULL, "session: want at most %zu, have all", s->most);
    }
    *out = v;
    return 0;
}

struct session *session_find(struct sessions *s, const char *token, int64_t now_ms)
{
    struct hash256 h;
    struct session *v;
    if (!token || strlen(token) != 64)
        return NULL;
    hash_of(&h, bytes_of(token));
    pthread_mutex_lock(&s->lock);
    struct session **at = bucket_of(s, &h);
    clean(at, now_ms);
    for (v = *at; v && !hash_equal(&v->token, &h); v = v->next)
        ;
    if (v) {
        v->refs++;
        v->used_ms = now_ms;
    }
    pthread_mutex_unlock(&s->lock);
    return v;
}

void session_end(struct session *s)
{
    pthread_mutex_lock(&s->home->lock);
    s->ended = true;
    clean(bucket_of(s->home, &s->token), s->used_ms);
    pthread_mutex_unlock(&s->home->lock);
}

void session_release(void *session)
{
    struct session *s = session;
    if (!s)
        return;
    struct sessions *home = s->home;
    pthread_mutex_lock(&home->lock);
    drop_ref(s);
    pthread_mutex_unlock(&home->lock);
}

const char *session_phone(const struct session *s) { return s->phone; }
const struct hash256 *session_account(const struct session *s) { return &s->account; }
const char *session_csrf(const struct session *s) { return s->csrf; }

bool session_csrf_equal(const struct session *s, const char *token)
{
    return token && strlen(token) == 64 && sodium_memcmp(token, s->csrf, 64) == 0;
}

void session_put_evidence(struct session *s, const struct evidence *v)
{
    pthread_mutex_lock(&s->home->lock);
    s->evidence[s->next_evidence++ % EVIDENCE] = *v;
    pthread_mutex_unlock(&s->home->lock);
}

static struct evidence *find_evidence(struct session *s, const char *id)
{
    for (unsigned i = 0; i < EVIDENCE; i++)
        if (s->evidence[i].id.s[0] && strcmp(s->evidence[i].id.s, id) == 0)
            return &s->evidence[i];
    return NULL;
}

bool session_evidence(struct session *s, const char *id, struct evidence *out)
{
    pthread_mutex_lock(&s->home->lock);
    const struct evidence *v = find_evidence(s, id);
    if (v)
        *out = *v;
    pthread_mutex_unlock(&s->home->lock);
    return v != NULL;
}

void session_drop_evidence(struct session *s, const char *id)
{
    pthread_mutex_lock(&s->home->lock);
    struct evidence *v = find_evidence(s, id);
    if (v)
        explicit_bzero(v, sizeof *v);
    pthread_mutex_unlock(&s->home->lock);
}
