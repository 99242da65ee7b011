#include "ferry/lib/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

#define TRIES 1000

/* rename within a file system, else copy: a huge or odd file is never read into memory on its way aside. */
static int move_aside(int from, const char *name, int to, const char *to_name, struct err *e)
{
    if (renameat2(from, name, to, to_name, RENAME_NOREPLACE) == 0)
        return fsync(to) < 0 || fsync(from) < 0 ? err_sys(e, "quarantine folder") : 0;
    if (errno == EXDEV)
        return file_move(from, name, to, to_name, (size_t)64 << 20, e);
    return err_sys(e, "quarantine %s", name);
}

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e)
{
    char name[256], note[256], line[400], at[21];
    if (!f->regular)
        return err_set(e, ERR_CORRUPT, "%.100s: not a regular file, left where it is: %.100s", f->name, reason);
    if (str_fmt(name, 200, e, "%s", f->name) < 0)
        return -1;
    for (int i = 2; i < TRIES; i++) {
        struct err own = {0};
        if (move_aside(from_dirfd, f->name, quarantine_dirfd, name, &own) == 0)
            break;
        if (own.code != ERR_CONFLICT)
            return err_set(e, own.code, "%s", own.msg);
        if (str_fmt(name, 200, e, "%.180s.%d", f->name, i) < 0)
            return -1;
    }
    clock_rfc3339(at, clock_wall_ms());
    if (str_fmt(note, sizeof note, e, "%s.reason", name) < 0 ||
        str_fmt(line, sizeof line, e, "%s %lld bytes: %s\n", at, (long long)f->size, reason) < 0)
        return -1;
    return file_publish(quarantine_dirfd, note, bytes_of(line), PUBLISH_REPLACE, e);
}
