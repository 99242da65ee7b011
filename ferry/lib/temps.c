#include "ferry/lib/temps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"

static bool is_temp(const char *name)
{
    size_t n = strlen(name);
    return name[0] == '.' && n > 14 && strcmp(name + n - 4, ".tmp") == 0 && name[n - 13] == '.' && strspn(name + n - 12, "0123456789abcdef") == 8;
}

static bool is_of(const char *temp, const char *name)
{
    return strlen(temp) - 14 == strlen(name) && strncmp(temp + 1, name, strlen(name)) == 0;
}

static int sweep(int dirfd, const char *of, unsigned *removed, struct err *e)
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
        if (is_temp(de->d_name) && (!of || is_of(de->d_name, of)) && unlinkat(dirfd, de->d_name, 0) == 0)
            n++;
    int rc = n && fsync(dirfd) < 0 ? err_sys(e, "sync folder after sweep") : 0;
    closedir(dir);
    if (removed)
        *removed = n;
    return rc;
}

int temps_sweep(int dirfd, unsigned *removed, struct err *e)
{
    return sweep(dirfd, NULL, removed, e);
}

int temps_sweep_file(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    if (!slash || str_fmt(folder, sizeof folder, e, "%.*s", (int)(slash - path) + 1, path) < 0)
        return slash ? -1 : 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(e, "open folder %s", folder);
    int rc = sweep(fd, slash + 1, NULL, e);
    close(fd);
    return rc;
}
