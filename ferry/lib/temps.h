/* temps.h - temporary names (".NAME.xxxxxxxx.tmp", see file_publish) that a killed program left in a folder which it alone writes.
 * Call before the folder is used: a temporary name that is in use would go, too. */
#ifndef FERRY_TEMPS_H
#define FERRY_TEMPS_H

#include "common/err.h"

/* dirfd -1: nothing to do. *removed may be NULL. */
int temps_sweep(int dirfd, unsigned *removed, struct err *e);
/* Only those of one file, in a folder that may have other writers: what a killed predecessor left of its status. "" or no folder: nothing to do. */
int temps_sweep_file(const char *path, struct err *e);

#endif
