/* http_watch.c - who is being served, and until when. civetweb bounds silence (5 s), not the whole of a slow body or a slow reader, and hands
 * out no descriptor; so one thread finds the connection of a late request by its addresses and shuts it down. A listed request is
 * alive under the lock, so its connection cannot have been closed or its descriptor reused. */
#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/http_parts.h"
#include "common/log.h"

#define TICK_MS 250

static bool is_connection_of(int fd, const struct mg_request_info *ri)
{
    struct sockaddr_in peer = {0}, own = {0};
    socklen_t n = sizeof peer, k = sizeof own;
    char text[INET_ADDRSTRLEN];
    if (getpeername(fd, (struct sockaddr *)&peer, &n) < 0 || peer.sin_family != AF_INET)
        return false;
    if (getsockname(fd, (struct sockaddr *)&own, &k) < 0 || ntohs(own.sin_port) != ri->server_port)
        return false;
    return ntohs(peer.sin_port) == ri->remote_port && inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text) &&
           strcmp(text, ri->remote_addr) == 0;
}

static void cut(const struct watched *it)
{
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        uint64_t nr;
        int fd = parse_u64(entry->d_name, 3, INT_MAX, &nr, "descriptor", NULL) == 0 ? (int)nr : -1;
        if (fd > 2 && fd != dirfd(d) && is_connection_of(fd, it->ri)) {
            shutdown(fd, it->writing ? SHUT_RDWR : SHUT_RD);
            break;
        }
    }
    closedir(d);
}

static void wait_ms(struct watch *w, int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&w->changed, &w->lock, &t);
}

static void *watch_run(void *arg)
{
    struct watch *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->ended) {
        int64_t now = clock_mono_ms();
        for (struct watched *it = w->list.next; it != &w->list; it = it->next)
            if (it->deadline_ms && now >= it->deadline_ms && !it->cut) {
                it->cut = true;
                cut(it);
            }
        wait_ms(w, TICK_MS);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int watch_start(struct watch *w, struct err *e)
{
    pthread_condattr_t attr;
    *w = (struct watch){0};
    w->list.prev = w->list.next = &w->list;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&w->thread, NULL, watch_run, w) != 0) {
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
        return err_set(e, ERR_INTERNAL, "http: no thread for the watch");
    }
    return 0;
}

void watch_drain(struct watch *w, int64_t most_ms)
{
    int64_t until = clock_mono_ms() + most_ms;
    pthread_mutex_lock(&w->lock);
    w->draining = true;
    while (w->running && clock_mono_ms() < until)
        wait_ms(w, TICK_MS);
    unsigned left = w->running;
    pthread_mutex_unlock(&w->lock);
    if (left)
        log_event(LOG_WARN, "http_stop", "cut %u", left);
}

void watch_stop(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

bool watch_enter(struct watch *w, struct watched *it, const struct mg_request_info *ri)
{
    *it = (struct watched){.ri = ri};
    pthread_mutex_lock(&w->lock);
    it->next = &w->list;
    it->prev = w->list.prev;
    it->prev->next = it;
    w->list.prev = it;
    w->running++;
    bool open = !w->draining;
    pthread_mutex_unlock(&w->lock);
    return open;
}

void watch_leave(struct watch *w, struct watched *it)
{
    pthread_mutex_lock(&w->lock);
    it->prev->next = it->next;
    it->next->prev = it->prev;
    w->running--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void watch_deadline(struct watch *w, struct watched *it, int64_t in_ms, bool writing)
{
    pthread_mutex_lock(&w->lock);
    it->deadline_ms = in_ms ? clock_mono_ms() + in_ms : 0;
    it->writing = writing;
    it->cut = false;
    pthread_mutex_unlock(&w->lock);
}
