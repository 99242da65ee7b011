/* file.h - durable files below a folder descriptor.
 * Owns:     nothing that outlives a call, except the descriptor folder_open gives.
 * Threads:  calls do not share state.
 * Durable:  after file_publish returned 0 the file survives a power cut under its final name. A failed fsync is never
 *           retried here: the caller writes again from the source or stops.
 * Names:    a name never contains '/', never starts with '.'; everything else is ERR_INPUT. Symlinks, FIFOs, devices,
 *           directories are refused with ERR_CORRUPT (O_NOFOLLOW, O_NONBLOCK, fstat). */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <sys/stat.h>

#include "common/bytes.h"

/* Open an existing folder (O_DIRECTORY|O_CLOEXEC). want_mode 0 checks nothing, else group/other bits beyond it are ERR_DENIED
 * with "owner/mode: want, have". Returns the descriptor in *fd. */
int folder_open(int *fd, const char *path, mode_t want_mode, struct err *e);
int folder_make(const char *path, mode_t mode, struct err *e);                 /* with parents; existing is fine */
int fd_write_all(int fd, struct bytes body);                                   /* -1 and errno; restarts EINTR, short writes */
int fd_close(int *fd);                                                         /* checked close; sets *fd to -1 */

enum publish_how { PUBLISH_NEW, PUBLISH_REPLACE, PUBLISH_SHARED = 4 };
/* Temporary name in the same folder, O_EXCL, 0600, write, fsync, checked close, rename without replacing (PUBLISH_NEW: renameat2
 * RENAME_NOREPLACE, or link+unlink where that is missing) or over the old one (PUBLISH_REPLACE), fsync folder.
 * With | PUBLISH_SHARED 0640, whatever the umask: another program of the folder's group takes it up (the gateway's folders).
 * ERR_CONFLICT: the name exists (NEW). ERR_FULL: no space; nothing was left behind. */
int file_publish(int dirfd, const char *name, struct bytes body, enum publish_how how, struct err *e);
/* Read a whole regular file of at most cap bytes. ERR_TOO_LARGE, ERR_MISSING, ERR_CORRUPT (not a regular file). */
int file_read(struct buf *out, int dirfd, const char *name, size_t cap, struct err *e);
int file_read_path(struct buf *out, const char *path, size_t cap, struct err *e);
int file_write_path(const char *path, struct bytes body, mode_t mode, struct err *e);   /* publish-replace by path */
/* Move between folders, possibly on different file systems: publish a copy, then unlink the source. */
int file_move(int from_dirfd, const char *name, int to_dirfd, const char *to_name, size_t cap, struct err *e);
int file_remove(int dirfd, const char *name, struct err *e);                   /* missing is fine; fsyncs the folder */

struct dir_entry { char name[256]; int64_t size; int64_t mtime_ms; bool regular; };
/* Names of a folder sorted bytewise, at most max; hidden names are left out. *out is malloc'ed, free() it. */
int folder_list(struct dir_entry **out, size_t *n, int dirfd, size_t max, struct err *e);

#endif
