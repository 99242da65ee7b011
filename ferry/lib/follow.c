#include "ferry/lib/follow.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/file.h"

int folder_follow(int fd, const char *path, bool *changed, struct err *e)
{
    struct stat there, ours;
    int now;
    if (changed)
        *changed = false;
    if (stat(path, &there) < 0 || fstat(fd, &ours) < 0)
        return err_sys(e, "folder %s", path);
    if (there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
        return 0;
    if (folder_open(&now, path, 0, e) < 0)
        return -1;
    int rc = dup3(now, fd, O_CLOEXEC) < 0 ? err_sys(e, "folder %s", path) : 0;
    close(now);
    if (changed)
        *changed = rc == 0;
    return rc;
}
