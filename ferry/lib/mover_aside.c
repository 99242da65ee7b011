/* mover_aside.c - files that cannot be carried: left alone while they may still grow, then moved aside with their reason. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/mover_parts.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool mover_name_fits(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= 120 && name[0] != '.' && strspn(name, plain) == n;
}

void mover_name_by_hash(char out[256], struct bytes file)
{
    struct hash256 h;
    char hex[65];
    hash_of(&h, file);
    hash_hex(hex, &h);
    snprintf(out, 256, "x-%.32s.xml", hex);
}

int folder_list_temps(struct dir_entry **out, size_t *n, int dirfd_)
{
    int fd = openat(dirfd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    *out = NULL;
    *n = 0;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    for (struct dirent *de; (de = readdir(dir)) != NULL && *n < 4096;) {
        size_t len = strlen(de->d_name);
        struct stat st;
        if (de->d_name[0] != '.' || len < 6 || strcmp(de->d_name + len - 4, ".tmp") != 0 || fstatat(dirfd_, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        struct dir_entry *more = realloc(*out, (*n + 1) * sizeof *more);
        if (!more)
            break;
        *out = more;
        more[*n] = (struct dir_entry){.size = st.st_size, .mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000, .regular = true};
        snprintf(more[(*n)++].name, sizeof more->name, "%.255s", de->d_name);
    }
    closedir(dir);
    return 0;
}

void mover_seen_begin(struct way *w)
{
    for (size_t i = 0; i < w->nseen; i++)
        w->seen[i].here = false;
}

void mover_seen_end(struct way *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->nseen; i++)
        if (w->seen[i].here)
            w->seen[kept++] = w->seen[i];
    w->nseen = kept;
}

/* The note about this file, made or renewed; NULL when there are too many. */
static struct seen *note(struct way *w, const struct dir_entry *d)
{
    struct seen *s = NULL;
    for (size_t i = 0; i < w->nseen && !s; i++)
        if (strcmp(w->seen[i].name, d->name) == 0)
            s = &w->seen[i];
    if (!s && w->nseen == w->have && w->have < MOVER_SEEN_MAX) {
        size_t have = w->have ? w->have * 2 : 16;
        struct seen *more = realloc(w->seen, have * sizeof *more);
        if (!more)
            return NULL;
        w->seen = more;
        w->have = have;
    }
    if (!s && w->nseen == w->have)
        return NULL;
    if (!s) {
        s = &w->seen[w->nseen++];
        *s = (struct seen){.size = -1};
        snprintf(s->name, sizeof s->name, "%s", d->name);
    }
    if (s->size != d->size || s->mtime_ms != d->mtime_ms) {
        s->size = d->size;
        s->mtime_ms = d->mtime_ms;
        s->since_mono_ms = clock_mono_ms();
    }
    s->here = true;
    return s;
}

/* The name in the quarantine folder: from which side, what it was called, and the inode, so that a repeat after a crash finds its reason. */
static int aside_name(char out[256], const struct way *w, const char *name, struct err *e)
{
    struct stat st;
    if (fstatat(w->from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(e, "set aside %s", name);
    int n = snprintf(out, 256, "%s-%.100s-%llx", w->state.from, name, (unsigned long long)st.st_ino);
    for (int i = 0; i < n; i++)
        if (!strchr(plain, out[i]))
            out[i] = '_';
    return 0;
}

static int move_aside(struct mover *m, struct way *w, const struct dir_entry *d, const char *to, struct err *e)
{
    if (renameat2(w->from_fd, d->name, m->quarantine, to, RENAME_NOREPLACE) == 0)
        return fsync(m->quarantine) < 0 || fsync(w->from_fd) < 0 ? err_sys(e, "sync folder after %s", to) : 0;
    if ((errno != EXDEV && errno != EINVAL && errno != ENOSYS) || !d->regular)
        return err_sys(e, "set aside %s", d->name);
    return file_move(w->from_fd, d->name, m->quarantine, to, ENVELOPE_MAX * 16, e);
}

/* The reason first: a file in quarantine always has one. */
static int set_aside(struct mover *m, struct way *w, const struct dir_entry *d, const char *why, struct err *e)
{
    char name[256], note_name[264], at[21], text[700];
    clock_rfc3339(at, clock_wall_ms());
    snprintf(text, sizeof text, "%s\nfrom=%s\nbytes=%lld\nat=%s\n", why, w->state.from, (long long)d->size, at);
    if (aside_name(name, w, d->name, e) < 0)
        return -1;
    snprintf(note_name, sizeof note_name, "%s.reason", name);
    if (file_publish(m->quarantine, note_name, bytes_of(text), PUBLISH_REPLACE, e) < 0 || move_aside(m, w, d, name, e) < 0)
        return -1;
    w->state.set_aside++;
    log_event(LOG_WARN, "quarantined", "from %s file %s as %s reason %s", w->state.from, d->name, name, why);
    return 0;
}

void mover_trouble(struct mover *m, struct way *w, const struct dir_entry *d, const char *why)
{
    struct err e = {0};
    struct seen *s = note(w, d);
    w->state.waiting++;
    if (!w->state.oldest_ms || d->mtime_ms < w->state.oldest_ms)
        w->state.oldest_ms = d->mtime_ms;
    if (!s || clock_mono_ms() - s->since_mono_ms < (int64_t)m->opt.settle_s * 1000)
        return;
    if (set_aside(m, w, d, why, &e) == 0) {
        s->here = false;
        w->state.waiting--;
        return;
    }
    w->state.stuck++;
    if (!s->told)
        log_event(LOG_ERROR, "quarantine_failed", "from %s file %s error %s", w->state.from, d->name, e.msg);
    s->told = true;
}
