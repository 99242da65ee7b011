#include "ferry/lib/temps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_temp(const char *name)
{
    size_t n = strlen(name);
    return name[0] == '.' && n > 14 && strcmp(name + n - 4, ".tmp") == 0 && name[n - 13] == '.' && strspn(name + n - 12, "0123456789abcdef") == 8;
}

int temps_sweep(int dirfd, unsigned *removed, struct err *e)
{
    unsigned n = 0;
    int fd = dirfd < 0 ? -1 : openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (removed)
        *removed = 0;
    if (dirfd < 0)
        return 0;
    if (!dir) {
        err_sys(e, "sweep folder");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    for (struct dirent *de; (de = readdir(dir)) != NULL;)
        if (is_temp(de->d_name) && unlinkat(dirfd, de->d_name, 0) == 0)
            n++;
    int rc = n && fsync(dirfd) < 0 ? err_sys(e, "sync folder after sweep") : 0;
    closedir(dir);
    if (removed)
        *removed = n;
    return rc;
}
