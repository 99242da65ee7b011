#include "ferry/lane_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"

static int folder_of(char dir[600], const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    return str_fmt(dir, 600, e, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
}

static int64_t time_of(const char *dir)
{
    struct stat st;
    return stat(dir, &st) < 0 ? 0 : (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

static void add(struct lane_keys *l, const struct key_public *k)
{
    for (size_t i = 0; i < l->n; i++)
        if (memcmp(l->keys[i].id.b, k->id.b, sizeof k->id.b) == 0)
            return;
    if (l->n == KEYRING_MAX)
        return;
    l->keys[l->n] = *k;
    l->list[l->n] = &l->keys[l->n];
    l->n++;
}

/* NAME-0123456789abcdef.pub */
static bool name_fits(const char *file, const char *name)
{
    size_t n = strlen(name);
    return strlen(file) == n + 1 + 16 + 4 && strncmp(file, name, n) == 0 && file[n] == '-' && strspn(file + n + 1, "0123456789abcdef") == 16 && strcmp(file + n + 17, ".pub") == 0;
}

static void add_beside(struct lane_keys *l, const char *dir, const struct dir_entry *files, size_t n, size_t ignored)
{
    const char *name = l->keys[0].name;
    l->ignored = 0;
    for (size_t i = 0; i < n; i++) {
        char path[900];
        struct key_public k;
        struct err e = {0};
        if (!name_fits(files[i].name, name))
            continue;
        if (str_fmt(path, sizeof path, &e, "%s/%s", dir, files[i].name) == 0 && keys_load_public(&k, path, &e) == 0 && strcmp(k.name, name) == 0)
            add(l, &k);
        else if (++l->ignored > ignored)
            log_event(LOG_WARN, "key_ignored", "file %s why %s", files[i].name, e.msg);
    }
}

int lane_keys_load(struct lane_keys *l, const char *path, struct err *e)
{
    struct key_public first;
    struct dir_entry *files = NULL;
    char dir[600];
    size_t n = 0;
    int fd = -1;
    l->path = path;
    if (folder_of(dir, path, e) < 0)
        return -1;
    int64_t seen = time_of(dir);
    if (keys_load_public(&first, path, e) < 0 || folder_open(&fd, dir, 0, e) < 0)
        return -1;
    int rc = folder_list(&files, &n, fd, 1000, e);
    close(fd);
    if (rc < 0)
        return -1;
    l->n = 0;
    add(l, &first);
    add_beside(l, dir, files, n, l->ignored);
    free(files);
    l->seen_ms = l->ignored ? 0 : seen;      /* one may still be on its way into the folder */
    return 0;
}

int lane_keys_follow(struct lane_keys *l, bool *changed, struct err *e)
{
    char dir[600];
    size_t before = l->n;
    struct key_id first = l->keys[0].id;
    *changed = false;
    if (folder_of(dir, l->path, e) < 0)
        return -1;
    if (l->seen_ms && time_of(dir) == l->seen_ms)
        return 0;
    if (lane_keys_load(l, l->path, e) < 0)
        return -1;
    *changed = l->n != before || memcmp(first.b, l->keys[0].id.b, sizeof first.b) != 0;
    return 0;
}
