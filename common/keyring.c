#include "common/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/file.h"
#include "common/keyring_parts.h"

struct stamp { dev_t dev; ino_t ino; off_t size; struct timespec mtime; bool there; };

struct keyring {
    pthread_mutex_t lock;                    /* guards now and seen; edit: one change of this process at a time */
    pthread_mutex_t edit;
    struct key_set *now;
    struct stamp seen;                       /* keyring.json as it was read last */
    char dir[600];                           /* "" for a fixed one */
    char own[600], peer[600];                /* the configured files */
};

static int path_of(char out[700], const struct keyring *r, const char *name, struct err *e)
{
    return str_fmt(out, 700, e, "%s/%s", r->dir, name);
}

static int look(struct stamp *out, const struct keyring *r, struct err *e)
{
    char path[700];
    struct stat st;
    *out = (struct stamp){.there = false};
    if (path_of(path, r, "keyring.json", e) < 0)
        return -1;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(e, "%s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) || (st.st_uid != geteuid() && geteuid() != 0))
        return err_set(e, ERR_DENIED, "%s: want a file of mode 0600 that is ours, have %04o of user %u", path, st.st_mode & 07777, st.st_uid);
    *out = (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim, true};
    return 0;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->there == b->there && a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* --- the two configured files as a ring --- */

static int64_t age_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 : 0;
}

static void put_single(struct key_list *out, const struct key_public *pub, const char *path, const char *dir, bool own)
{
    struct key_entry *k = &out->key[out->n++];
    const char *name = strrchr(path, '/');
    size_t n = strlen(dir);
    *k = (struct key_entry){.pub = *pub, .suite = pub->suite, .own = own, .state = KEY_CURRENT, .trusted = true, .created_ms = age_of(path)};
    hex_put(k->id, pub->id.b, 8);
    k->since_ms = k->created_ms;
    k->expires_ms = k->created_ms + KEY_LIFE_MS;
    bool below = name && (size_t)(name - path) == n && strncmp(path, dir, n) == 0;
    snprintf(k->file, sizeof k->file, "%s", below ? name + 1 : path);
    snprintf(k->told, sizeof k->told, "%s", own ? "current" : "trusted");
}

static int single(struct key_list *out, const struct keyring *r, struct err *e)
{
    struct key_pair *own = NULL;
    struct key_public peer;
    out->n = 0;
    if (keys_load(&own, r->own, e) < 0)
        return -1;
    int rc = keys_load_public(&peer, r->peer, e);
    if (rc == 0) {
        put_single(out, keys_public(own), r->own, r->dir, true);
        put_single(out, &peer, r->peer, r->dir, false);
    }
    keys_free(own);
    return rc;
}

/* What the ring says now, and which file said it. */
static int read_list(struct key_list *out, struct stamp *seen, const struct keyring *r, struct err *e)
{
    char path[700];
    struct buf text;
    if (look(seen, r, e) < 0)
        return -1;
    if (!seen->there)
        return single(out, r, e);
    buf_init(&text, KEYRING_BYTES + 1);
    int rc = path_of(path, r, "keyring.json", e) < 0 || file_read_path(&text, path, KEYRING_BYTES, e) < 0 ? -1 : keyring_parse(out, buf_bytes(&text), e);
    buf_clear(&text);
    return rc < 0 ? err_wrap(e, "%s", r->dir) : 0;
}

/* --- opening --- */

static struct keyring *new_ring(struct err *e)
{
    struct keyring *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(e, ERR_FULL, "keyring: no memory");
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->edit, NULL);
    return r;
}

/* The folder without links, the name as it stands: a file may be missing that keyring.json does not name. */
static int resolve(char out[600], const char *path, struct err *e)
{
    char dir[PATH_MAX], full[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (str_fmt(dir, sizeof dir, e, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".") < 0)
        return -1;
    if (!realpath(dir, full))
        return err_sys(e, "%s", dir);
    return str_fmt(out, 600, e, "%s/%s", full, slash ? slash + 1 : path);
}

int keyring_open(struct keyring **out, const char *own_path, const char *peer_path, struct err *e)
{
    struct key_list *list = calloc(1, sizeof *list);
    struct keyring *r = new_ring(e);
    *out = NULL;
    int rc = list && r ? 0 : err_set(e, ERR_FULL, "keyring: no memory");
    if (rc == 0 && (resolve(r->own, own_path, e) < 0 || str_fmt(r->dir, sizeof r->dir, e, "%s", r->own) < 0))
        rc = -1;
    if (rc == 0) {
        char *slash = strrchr(r->dir, '/');
        *slash = 0;
        struct err none = {0};
        if (resolve(r->peer, peer_path, &none) < 0)           /* its absence is told by whoever wants to read it */
            snprintf(r->peer, sizeof r->peer, "%s", peer_path);
        rc = read_list(list, &r->seen, r, e) < 0 || key_set_load(&r->now, list, r->dir, e) < 0 ? -1 : 0;
    }
    free(list);
    if (rc < 0) {
        keyring_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

int keyring_open_dir(struct keyring **out, const char *dir, struct err *e)
{
    static const char *const names[] = {"internet", "intranet"};
    char own[700], peer[700];
    *out = NULL;
    if (str_fmt(own, sizeof own, e, "%s/keyring.json", dir) < 0)
        return -1;
    bool listed = access(own, F_OK) == 0;
    for (int i = 0; i < 2; i++) {
        if (str_fmt(own, sizeof own, e, "%s/%s.key", dir, names[i]) < 0 || str_fmt(peer, sizeof peer, e, "%s/%s.pub", dir, names[!i]) < 0)
            return -1;
        if (listed || access(own, F_OK) == 0)
            return keyring_open(out, own, peer, e);
    }
    return err_set(e, ERR_MISSING, "%s: want the folder of internet.key or intranet.key", dir);
}

int keyring_of(struct keyring **out, const struct key_pair *own, const struct key_public *peer, struct err *e)
{
    struct key_list *list = calloc(1, sizeof *list);
    struct keyring *r = new_ring(e);
    *out = NULL;
    if (list && r) {
        put_single(list, keys_public(own), "", "-", true);
        put_single(list, peer, "", "-", false);
        list->key[0].pair = own;
        list->key[0].expires_ms = list->key[1].expires_ms = INT64_MAX / 2;
        r->now = key_set_borrow(list, e);
    }
    free(list);
    if (!r || !r->now) {
        keyring_close(r);
        return err_set(e, ERR_FULL, "keyring: no memory");
    }
    *out = r;
    return 0;
}

void keyring_close(struct keyring *r)
{
    if (!r)
        return;
    key_set_release(r->now);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->edit);
    free(r);
}

int keyring_belongs(struct keyring *r, const char *own, const char *peer, struct err *e)
{
    struct key_set *s = keyring_take(r);
    const char *ours = keys_public(key_set_own(s))->name, *theirs = key_set_peer(s)->name;
    int rc = strcmp(ours, own) == 0 && strcmp(theirs, peer) == 0 ? 0 : err_set(e, ERR_INPUT, "keys: want own %s and peer %s, have %s and %s", own, peer, ours, theirs);
    key_set_release(s);
    return rc;
}

const char *keyring_dir(const struct keyring *r)
{
    return r->dir;
}

struct key_set *keyring_take(struct keyring *r)
{
    pthread_mutex_lock(&r->lock);
    struct key_set *s = r->now;
    key_set_hold(s);
    pthread_mutex_unlock(&r->lock);
    return s;
}

static void take_up(struct keyring *r, struct key_set *s, const struct stamp *seen)
{
    pthread_mutex_lock(&r->lock);
    struct key_set *old = r->now;
    r->now = s;
    r->seen = *seen;
    pthread_mutex_unlock(&r->lock);
    key_set_release(old);
}

int keyring_follow(struct keyring *r, bool *changed, struct err *e)
{
    struct stamp seen;
    struct key_set *s = NULL;
    if (changed)
        *changed = false;
    if (!*r->dir)
        return 0;
    if (look(&seen, r, e) < 0)
        return -1;
    pthread_mutex_lock(&r->lock);
    bool same = same_stamp(&seen, &r->seen);
    pthread_mutex_unlock(&r->lock);
    if (same)
        return 0;
    struct key_list *list = malloc(sizeof *list);
    int rc = !list ? err_set(e, ERR_FULL, "keyring: no memory") : read_list(list, &seen, r, e) < 0 ? -1 : key_set_load(&s, list, r->dir, e);
    free(list);
    if (rc < 0)
        return -1;
    take_up(r, s, &seen);
    if (changed)
        *changed = true;
    return 0;
}

/* --- changing --- */

/* Root acts for the service, whose folder it is: what it makes there is the service's. */
static int give(const struct keyring *r, const char *path, struct err *e)
{
    struct stat st;
    if (geteuid() != 0)
        return 0;
    if (stat(r->dir, &st) < 0 || lchown(path, st.st_uid, st.st_gid) < 0)
        return err_sys(e, "%s: owner", path);
    return 0;
}

/* A key file outside the folder comes into it: keyring.json names files of its own folder only. */
static int gather(struct key_list *list, const struct keyring *r, struct err *e)
{
    for (size_t i = 0; i < list->n; i++) {
        struct key_entry *k = &list->key[i];
        struct key_public pub;
        char path[700], name[64];
        if (k->file[0] != '/')
            continue;
        if (k->own)
            return err_set(e, ERR_INTERNAL, "keyring: our key %s lies outside its folder", k->id);
        snprintf(name, sizeof name, "%s-%s.pub", k->pub.name, k->id);
        if (keys_load_public(&pub, k->file, e) < 0 || path_of(path, r, name, e) < 0 || (access(path, F_OK) < 0 && keys_save_public(&pub, path, e) < 0) || give(r, path, e) < 0)
            return -1;
        snprintf(k->file, sizeof k->file, "%s", name);
    }
    return 0;
}

static int write_list(const struct key_list *list, const struct keyring *r, struct err *e)
{
    char path[700];
    struct buf text;
    buf_init(&text, KEYRING_BYTES);
    int rc = keyring_print(&text, list, e) < 0 || path_of(path, r, "keyring.json", e) < 0 ? -1 : file_write_path(path, buf_bytes(&text), 0600, e);
    buf_clear(&text);
    return rc < 0 ? -1 : give(r, path, e);
}

static int change_locked(struct keyring *r, keyring_change change, void *arg, struct err *e)
{
    struct key_list *list = calloc(1, sizeof *list);
    struct key_set *s = NULL;
    struct stamp seen;
    if (!list)
        return err_set(e, ERR_FULL, "keyring: no memory");
    int rc = read_list(list, &seen, r, e) < 0 ? -1 : change(list, arg, e);
    /* Loaded before it is written: a list whose keys cannot be read must not become the ring. */
    if (rc == 1)
        rc = gather(list, r, e) < 0 || key_set_load(&s, list, r->dir, e) < 0 || write_list(list, r, e) < 0 || look(&seen, r, e) < 0 ? -1 : 0;
    if (rc == 0 && s)
        take_up(r, s, &seen);
    else
        key_set_release(s);
    free(list);
    return rc;
}

int keyring_edit(struct keyring *r, keyring_change change, void *arg, struct err *e)
{
    char path[700];
    if (!*r->dir)
        return err_set(e, ERR_CONFLICT, "keyring: this one is fixed");
    if (path_of(path, r, "keyring.lock", e) < 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "%s", path);
    pthread_mutex_lock(&r->edit);
    int rc = flock(fd, LOCK_EX) < 0 ? err_sys(e, "%s", path) : give(r, path, e) < 0 ? -1 : change_locked(r, change, arg, e);
    pthread_mutex_unlock(&r->edit);
    close(fd);
    return rc;
}

struct add { struct keyring *r; struct key_entry k; const struct key_public *pub; };

/* Old retired and revoked ones make room; the files stay. */
static int room(struct key_list *keys, struct err *e)
{
    if (keys->n < KEYRING_MAX)
        return 0;
    size_t oldest = keys->n;
    for (size_t i = 0; i < keys->n; i++)
        if (keys->key[i].state == KEY_RETIRED && (oldest == keys->n || keys->key[i].since_ms < keys->key[oldest].since_ms))
            oldest = i;
    if (oldest == keys->n)
        return err_set(e, ERR_FULL, "keyring: %d keys, none of them retired", KEYRING_MAX);
    memmove(&keys->key[oldest], &keys->key[oldest + 1], (keys->n - oldest - 1) * sizeof keys->key[0]);
    keys->n--;
    return 0;
}

static int append(struct key_list *keys, void *arg, struct err *e)
{
    struct add *a = arg;
    if (room(keys, e) < 0)
        return -1;
    keys->key[keys->n++] = a->k;
    return 1;
}

int keyring_generate(struct keyring *r, int64_t now_ms, char id[17], struct err *e)
{
    return keyring_generate_in(r, 0, now_ms, id, e);
}

int keyring_generate_in(struct keyring *r, unsigned suite, int64_t now_ms, char id[17], struct err *e)
{
    struct key_pair *pair = NULL;
    struct key_set *s = keyring_take(r);
    const unsigned now = keys_public(key_set_own(s))->suite;
    struct add a = {.r = r, .k = {.suite = suite ? suite : now, .own = true, .state = KEY_ANNOUNCED, .created_ms = now_ms, .since_ms = now_ms, .expires_ms = now_ms + KEY_LIFE_MS}};
    char name[16], private_path[700], public_path[700], file[64];
    snprintf(name, sizeof name, "%s", keys_public(key_set_own(s))->name);
    key_set_release(s);
    if (!*r->dir)
        return err_set(e, ERR_CONFLICT, "keyring: this one is fixed");
    if (a.k.suite < now)
        return err_set(e, ERR_DENIED, "key: our current one is of suite %u: one of suite %u would be a downgrade", now, a.k.suite);
    if (keys_generate_in(&pair, name, a.k.suite, e) < 0)
        return -1;
    hex_put(a.k.id, keys_public(pair)->id.b, 8);
    snprintf(a.k.file, sizeof a.k.file, "%s-%s.key", name, a.k.id);
    snprintf(file, sizeof file, "%s-%s.pub", name, a.k.id);
    int rc = path_of(private_path, r, a.k.file, e) < 0 || path_of(public_path, r, file, e) < 0 || keys_save(pair, private_path, public_path, e) < 0 ||
                     give(r, private_path, e) < 0 || give(r, public_path, e) < 0 ? -1 : 0;
    keys_free(pair);
    if (rc == 0)
        rc = keyring_edit(r, append, &a, e);
    snprintf(id, 17, "%s", a.k.id);
    return rc;
}

static int append_heard(struct key_list *keys, void *arg, struct err *e)
{
    struct add *a = arg;
    char path[700];
    const struct key_entry *now = key_list_current(keys, false);
    if (key_list_find(keys, a->k.id))
        return 0;
    if (now && a->k.suite < now->suite)
        return err_set(e, ERR_DENIED, "key %s: is of suite %u, the peer's current one of suite %u: a downgrade", a->k.id, a->k.suite, now->suite);
    if (path_of(path, a->r, a->k.file, e) < 0 || (access(path, F_OK) < 0 && keys_save_public(a->pub, path, e) < 0) || give(a->r, path, e) < 0)
        return -1;
    return append(keys, arg, e);
}

int keyring_heard(struct keyring *r, const struct key_public *pub, int64_t now_ms, struct err *e)
{
    struct add a = {.r = r, .pub = pub, .k = {.suite = pub->suite, .state = KEY_ANNOUNCED, .created_ms = now_ms, .since_ms = now_ms, .expires_ms = now_ms + KEY_LIFE_MS}};
    struct key_set *s = keyring_take(r);
    bool peer = strcmp(pub->name, key_set_peer(s)->name) == 0;
    char want[16];
    snprintf(want, sizeof want, "%s", key_set_peer(s)->name);
    key_set_release(s);
    if (!peer)
        return err_set(e, ERR_DENIED, "key: want one of %s, have one of %s", want, pub->name);
    hex_put(a.k.id, pub->id.b, 8);
    snprintf(a.k.file, sizeof a.k.file, "%s-%s.pub", pub->name, a.k.id);
    return keyring_edit(r, append_heard, &a, e);
}

int keyring_seal(struct buf *out, struct manifest *m, struct bytes content, struct keyring *r, struct err *e)
{
    struct key_set *s = keyring_take(r);
    int rc = seal_item(out, m, content, key_set_own(s), key_set_peer(s), e);
    key_set_release(s);
    return rc;
}
