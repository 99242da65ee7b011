#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name that we give. */
static int check_name(const char *name, struct err *e)
{
    if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 200)
        return err_set(e, ERR_INPUT, "file name: want 1 to 200 characters without '/' and not beginning with '.', have '%.60s'", name);
    return 0;
}

int folder_open(int *fd, const char *path, mode_t want_mode, struct err *e)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return err_sys(e, "open folder %s", path);
    if (want_mode && fstat(*fd, &st) == 0 && (st.st_mode & 07777 & ~want_mode)) {
        close(*fd);
        *fd = -1;
        return err_set(e, ERR_DENIED, "folder %s: want mode %04o or less, have %04o", path, want_mode, st.st_mode & 07777);
    }
    return 0;
}

int folder_make(const char *path, mode_t mode, struct err *e)
{
    char part[PATH_MAX];
    if (str_fmt(part, sizeof part, e, "%s", path) < 0)
        return -1;
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char kept = *p;
        *p = 0;
        if (mkdir(part, mode) < 0 && errno != EEXIST)
            return err_sys(e, "make folder %s", part);
        if (!kept)
            return 0;
        *p = kept;
    }
}

int fd_write_all(int fd, struct bytes body)
{
    while (body.n) {
        ssize_t n = write(fd, body.p, body.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        body.p += n;
        body.n -= (size_t)n;
    }
    return 0;
}

int fd_close(int *fd)
{
    int rc = close(*fd);
    *fd = -1;
    return rc;
}

static int temp_name(char out[256], const char *name, struct err *e)
{
    return str_fmt(out, 256, e, ".%s.%08x.tmp", name, randombytes_random());
}

/* Give the temporary file its final name. RENAME_NOREPLACE is missing on some network file systems: link and unlink there. */
static int name_it(int dirfd, const char *tmp, const char *name, enum publish_how how)
{
    if (how == PUBLISH_REPLACE)
        return renameat(dirfd, tmp, dirfd, name);
    if (renameat2(dirfd, tmp, dirfd, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(dirfd, tmp, dirfd, name, 0) < 0)
        return -1;
    unlinkat(dirfd, tmp, 0);
    return 0;
}

int file_publish(int dirfd, const char *name, struct bytes body, enum publish_how how, struct err *e)
{
    char tmp[256];
    int fd = -1, rc = -1;
    bool made = false;
    if (check_name(name, e) < 0 || temp_name(tmp, name, e) < 0)
        return -1;
    fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_sys(e, "create %s", tmp);
        goto out;
    }
    made = true;
    if (fd_write_all(fd, body) < 0 || (how & PUBLISH_SHARED && fchmod(fd, 0640) < 0) || fsync(fd) < 0 || fd_close(&fd) < 0) {
        err_sys(e, "write %s (%zu bytes)", name, body.n);
        goto out;
    }
    if (name_it(dirfd, tmp, name, how & PUBLISH_REPLACE) < 0) {
        err_sys(e, "publish %s", name);
        goto out;
    }
    made = false;                       /* the name is the reader's now */
    rc = fsync(dirfd) < 0 ? err_sys(e, "sync folder after %s", name) : 0;
out:
    if (fd >= 0)
        close(fd);
    if (made)
        unlinkat(dirfd, tmp, 0);
    return rc;
}

static int read_fd(struct buf *out, int fd, const char *name, size_t cap, struct err *e)
{
    struct stat st;
    uint8_t part[65536];
    if (fstat(fd, &st) < 0)
        return err_sys(e, "stat %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_CORRUPT, "%s: want a regular file, have mode %06o", name, st.st_mode);
    if (st.st_size < 0 || (uint64_t)st.st_size > cap)
        return err_set(e, ERR_TOO_LARGE, "%s: want at most %zu bytes, have %lld", name, cap, (long long)st.st_size);
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "read %s", name);
        if (n == 0)
            return buf_done(out, name, e);
        total += (size_t)n;
        if (total > cap)
            return err_set(e, ERR_TOO_LARGE, "%s: grew over %zu bytes while it was read", name, cap);
        buf_put(out, part, (size_t)n);
    }
}

static int open_and_read(struct buf *out, int dirfd, const char *path, size_t cap, int follow, struct err *e)
{
    int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | follow);
    if (fd < 0 && (errno == ELOOP || errno == ENXIO))
        return err_set(e, ERR_CORRUPT, "%s: want a regular file, have a link or socket", path);
    if (fd < 0)
        return err_sys(e, "open %s", path);
    int rc = read_fd(out, fd, path, cap, e);
    close(fd);
    return rc;
}

/* Of what lies there already: others may give longer names than ours, which must leave room for a temporary one's ending. */
static int check_given(const char *name, struct err *e)
{
    if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > NAME_MAX)
        return err_set(e, ERR_INPUT, "file name: want 1 to %d bytes without '/' and not beginning with '.', have '%.60s'", NAME_MAX, name);
    return 0;
}

int file_read(struct buf *out, int dirfd, const char *name, size_t cap, struct err *e)
{
    return check_given(name, e) < 0 ? -1 : open_and_read(out, dirfd, name, cap, O_NOFOLLOW, e);
}

int file_read_path(struct buf *out, const char *path, size_t cap, struct err *e)
{
    return open_and_read(out, AT_FDCWD, path, cap, 0, e);
}

int file_write_path(const char *path, struct bytes body, mode_t mode, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int dirfd = -1;
    if (str_fmt(folder, sizeof folder, e, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") < 0 ||
        folder_open(&dirfd, folder, 0, e) < 0)
        return -1;
    const char *name = slash ? slash + 1 : path;
    int rc = file_publish(dirfd, name, body, PUBLISH_REPLACE, e);
    if (rc == 0 && mode != 0600 && fchmodat(dirfd, name, mode, 0) < 0)
        rc = err_sys(e, "mode of %s", path);
    close(dirfd);
    return rc;
}

int file_remove(int dirfd, const char *name, struct err *e)
{
    if (check_given(name, e) < 0)
        return -1;
    if (unlinkat(dirfd, name, 0) < 0)
        return errno == ENOENT ? 0 : err_sys(e, "remove %s", name);
    return fsync(dirfd) < 0 ? err_sys(e, "sync folder after %s", name) : 0;
}

int file_move(int from_dirfd, const char *name, int to_dirfd, const char *to_name, size_t cap, struct err *e)
{
    struct buf body;
    buf_init(&body, cap + 1);
    int rc = file_read(&body, from_dirfd, name, cap, e);
    if (rc == 0)
        rc = file_publish(to_dirfd, to_name, buf_bytes(&body), PUBLISH_NEW, e);
    if (rc == 0)
        rc = file_remove(from_dirfd, name, e);
    buf_clear(&body);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dir_entry *)a)->name, ((const struct dir_entry *)b)->name);
}

static void fill_entry(struct dir_entry *d, int dirfd, const char *name)
{
    struct stat st;
    *d = (struct dir_entry){0};
    snprintf(d->name, sizeof d->name, "%.255s", name);
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;                          /* gone in between: size 0, not regular */
    d->size = st.st_size;
    d->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    d->regular = S_ISREG(st.st_mode);
}

static int read_entries(DIR *dir, struct dir_entry **list, size_t *n, size_t max, struct err *e)
{
    size_t have = 0;
    for (struct dirent *de; (errno = 0, de = readdir(dir)) != NULL;) {
        if (de->d_name[0] == '.')
            continue;
        if (*n == max)
            return 0;
        if (*n == have) {
            have = have ? have * 2 : 64;
            struct dir_entry *more = realloc(*list, have * sizeof *more);
            if (!more)
                return err_set(e, ERR_FULL, "folder list: no memory for %zu names", have);
            *list = more;
        }
        fill_entry(&(*list)[(*n)++], dirfd(dir), de->d_name);
    }
    return errno ? err_sys(e, "read folder") : 0;
}

int folder_list(struct dir_entry **out, size_t *n, int dirfd, size_t max, struct err *e)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);      /* a position of our own */
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    *out = NULL;
    *n = 0;
    if (!dir) {
        err_sys(e, "list folder");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int rc = read_entries(dir, out, n, max, e);
    closedir(dir);
    if (rc < 0) {
        free(*out);
        *out = NULL;
        *n = 0;
        return -1;
    }
    if (*n)
        qsort(*out, *n, sizeof **out, by_name);
    return 0;
}
