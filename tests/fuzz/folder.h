/* folder.h - a folder of one's own for entries that need real files: in memory where that is possible, removed at the end. */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fuzz_base[64];

static int fuzz_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void fuzz_remove(void) { nftw(fuzz_base, fuzz_remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static const char *fuzz_folder(const char *name)
{
    snprintf(fuzz_base, sizeof fuzz_base, "%s/fuzz-%s-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
    if (!mkdtemp(fuzz_base) || atexit(fuzz_remove) != 0)
        abort();
    return fuzz_base;
}

#endif
