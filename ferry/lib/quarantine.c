#include "ferry/lib/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"

#define NUMBERED 9u           /* NAME, NAME.2 … NAME.9, then random endings: a flood of one name stays cheap */
#define TRIES 8u
#define COPY_MAX ((size_t)64 << 20)

/* rename within a file system, else copy: a huge or odd file is never read into memory on its way aside. */
static int move_aside(int from, const struct dir_entry *f, int to, const char *to_name, struct err *e)
{
    if (renameat2(from, f->name, to, to_name, RENAME_NOREPLACE) == 0)
        return fsync(to) < 0 || fsync(from) < 0 ? err_sys(e, "quarantine folder") : 0;
    if (errno == EXDEV && f->regular)
        return file_move(from, f->name, to, to_name, COPY_MAX, e);
    return err_sys(e, "quarantine %s", f->name);
}

/* What is to be called `x.reason` would pass for a note, and could be overwritten by one: it gets another ending. Odd bytes become '_': the
 * name will stand in logs and on screens. */
static void plain_name(char out[192], const char *name)
{
    snprintf(out, 192, "%.180s", name);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '_';
    size_t n = strlen(out);
    if (n >= 7 && strcasecmp(out + n - 7, ".reason") == 0)
        memcpy(out + n, ".junk", 6);
}

/* The same bytes lie there already: a sender repeats what is never accepted, and one copy is evidence enough. */
static bool same_there(int from, const struct dir_entry *f, int to, const char *name)
{
    struct buf a, b;
    struct err e = {0};
    struct stat st;
    if (!f->regular || fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_size != f->size || f->size > (int64_t)COPY_MAX)
        return false;
    buf_init(&a, COPY_MAX);
    buf_init(&b, COPY_MAX);
    bool same = file_read(&a, from, f->name, COPY_MAX, &e) == 0 && file_read(&b, to, name, COPY_MAX, &e) == 0 && bytes_equal(buf_bytes(&a), buf_bytes(&b));
    buf_clear(&a);
    buf_clear(&b);
    return same;
}

/* A name that the quarantine folder does not have yet: 0, or the name under which these bytes lie there: 1. */
static int free_name(char out[256], int from, int quarantine, const struct dir_entry *f, struct err *e)
{
    char plain[192];
    struct stat st;
    plain_name(plain, f->name);
    for (unsigned i = 1; i < NUMBERED + TRIES; i++) {
        if ((i == 1          ? str_fmt(out, 256, e, "%s", plain)
             : i <= NUMBERED ? str_fmt(out, 256, e, "%s.%u", plain, i)
                             : str_fmt(out, 256, e, "%s.%08x", plain, randombytes_random())) < 0)
            return -1;
        if (fstatat(quarantine, out, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? 0 : err_sys(e, "quarantine %s", out);
        if (i <= NUMBERED && same_there(from, f, quarantine, out))
            return 1;
    }
    return err_set(e, ERR_FULL, "quarantine: no name is free for %.60s", plain);
}

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e)
{
    char name[256], note[264], line[400], at[21];
    clock_rfc3339(at, clock_wall_ms());
    int rc = free_name(name, from_dirfd, quarantine_dirfd, f, e);
    if (rc != 0)
        return rc < 0 ? -1 : file_remove(from_dirfd, f->name, e);
    if (str_fmt(note, sizeof note, e, "%s.reason", name) < 0 || str_fmt(line, sizeof line, e, "%s %lld bytes: %s\n", at, (long long)f->size, reason) < 0)
        return -1;
    return file_publish(quarantine_dirfd, note, bytes_of(line), PUBLISH_REPLACE, e) < 0 ? -1 : move_aside(from_dirfd, f, quarantine_dirfd, name, e);
}
