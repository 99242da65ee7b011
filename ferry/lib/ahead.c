#include "ferry/lib/ahead.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

struct ahead {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { IDLE, ASKED, DONE } state;            /* ASKED: the thread's, DONE: the caller's */
    bool stop;
    int dirfd, rc;
    char name[256];
    struct buf body;
    struct envelope_digest digest;
    struct err err;
};

static int read_now(struct buf *body, struct envelope_digest *d, int dirfd, const char *name, struct err *e)
{
    *d = (struct envelope_digest){.suite = 0};
    if (file_read(body, dirfd, name, ENVELOPE_MAX, e) < 0)
        return -1;
    envelope_digest(d, buf_bytes(body));
    return 0;
}

static void *ahead_main(void *arg)
{
    struct ahead *a = arg;
    pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        if (a->state != ASKED) {
            pthread_cond_wait(&a->changed, &a->lock);
            continue;
        }
        pthread_mutex_unlock(&a->lock);
        a->err = (struct err){0};
        a->rc = read_now(&a->body, &a->digest, a->dirfd, a->name, &a->err);
        pthread_mutex_lock(&a->lock);
        a->state = DONE;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

struct ahead *ahead_start(void)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    buf_init(&a->body, ENVELOPE_MAX);
    if (pthread_create(&a->thread, NULL, ahead_main, a) == 0)
        return a;
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

void ahead_stop(struct ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    buf_clear(&a->body);
    free(a);
}

void ahead_ask(struct ahead *a, int dirfd, const char *name)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    if (a->state != ASKED) {
        buf_clear(&a->body);                     /* of one that was not taken */
        a->dirfd = dirfd;
        snprintf(a->name, sizeof a->name, "%s", name);
        a->state = ASKED;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
}

int ahead_take(struct ahead *a, int dirfd, const char *name, struct buf *body, struct envelope_digest *d, struct err *e)
{
    if (!a)
        return read_now(body, d, dirfd, name, e);
    pthread_mutex_lock(&a->lock);
    bool asked = a->state != IDLE && a->dirfd == dirfd && strcmp(a->name, name) == 0;
    while (asked && a->state != DONE)
        pthread_cond_wait(&a->changed, &a->lock);
    int rc = a->rc;
    if (asked) {
        a->state = IDLE;
        *d = a->digest;
        *e = rc < 0 ? a->err : *e;
        buf_clear(body);
        *body = a->body;
        buf_init(&a->body, ENVELOPE_MAX);
    }
    pthread_mutex_unlock(&a->lock);
    return asked ? rc : read_now(body, d, dirfd, name, e);
}
