#include "ferry/lib/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

#define TRIES 1000
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

/* A name that the quarantine folder does not have yet. Odd bytes become '_': the name will stand in logs and on screens. */
static int free_name(char out[256], int quarantine, const char *name, struct err *e)
{
    char plain[181];
    struct stat st;
    snprintf(plain, sizeof plain, "%.180s", name);
    for (char *p = plain; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '_';
    for (int i = 1; i < TRIES; i++) {
        if ((i == 1 ? str_fmt(out, 256, e, "%s", plain) : str_fmt(out, 256, e, "%s.%d", plain, i)) < 0)
            return -1;
        if (fstatat(quarantine, out, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            return 0;
    }
    return err_set(e, ERR_FULL, "quarantine: %d files are called %.60s", TRIES, plain);
}

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e)
{
    char name[256], note[264], line[400], at[21];
    clock_rfc3339(at, clock_wall_ms());
    if (free_name(name, quarantine_dirfd, f->name, e) < 0 || str_fmt(note, sizeof note, e, "%s.reason", name) < 0 ||
        str_fmt(line, sizeof line, e, "%s %lld bytes: %s\n", at, (long long)f->size, reason) < 0)
        return -1;
    return file_publish(quarantine_dirfd, note, bytes_of(line), PUBLISH_REPLACE, e) < 0 ? -1 : move_aside(from_dirfd, f, quarantine_dirfd, name, e);
}
