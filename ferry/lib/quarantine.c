#include "ferry/lib/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

#define NUMBERED 9u           /* NAME, NAME.2 … NAME.9, then random endings: a flood of one name stays cheap */
#define TRIES 8u
#define COPY_MAX ((size_t)64 << 20)
#define HEAD 512u             /* bytes of a file that is let go */
#define LIST_END ((size_t)64 << 10)      /* of the list of what was let go, that is looked into */
#define LOOK_MAX 100000u      /* names of a folder that is full beyond doubt */

/* rename within a file system, else copy: a huge or odd file is never read into memory on its way aside. */
static int move_aside(int from, const struct dir_entry *f, int to, const char *to_name, struct err *e)
{
    if (renameat2(from, f->name, to, to_name, RENAME_NOREPLACE) == 0)
        return fsync(to) < 0 || fsync(from) < 0 ? err_sys(e, "quarantine folder") : 0;
    if (errno == EXDEV && f->regular)
        return file_move(from, f->name, to, to_name, COPY_MAX, e);
    return err_sys(e, "quarantine %s", f->name);
}

/* What is to be called `x.reason` would pass for a note, and could be overwritten by one: it gets another ending; what takes
 * the name of our own list another beginning. Odd bytes become '_': the
 * name will stand in logs and on screens. */
static void plain_name(char out[192], const char *name)
{
    static const char ours[] = "beyond-the-bound";
    snprintf(out, 192, "%s%.*s", strncmp(name, ours, sizeof ours - 1) == 0 ? "not-" : "", strncmp(name, ours, sizeof ours - 1) == 0 ? 176 : 180, name);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '_';
    text_mend(out, '_');                 /* no text, or cut within a character: JSON could not say it */
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

bool quarantine_is_note(const char *name)
{
    size_t n = strlen(name);
    return n > 7 && strcmp(name + n - 7, ".reason") == 0;
}

static int is_full(int quarantine, bool *full, struct err *e)
{
    struct dir_entry *list;
    size_t n, files = 0;
    int64_t bytes = 0;
    if (folder_list(&list, &n, quarantine, LOOK_MAX, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        files += !quarantine_is_note(list[i].name);
        bytes += list[i].size;
    }
    free(list);
    *full = files >= QUARANTINE_FILES || bytes >= QUARANTINE_BYTES;
    return 0;
}

/* In pieces: it may be larger than what we want to hold. */
static int read_through(int from, const char *name, char hash[65], struct buf *head, struct err *e)
{
    crypto_generichash_state st;
    struct hash256 h;
    uint8_t piece[65536];
    ssize_t n;
    int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "quarantine %s", name);
    crypto_generichash_init(&st, NULL, 0, sizeof h.b);
    while ((n = read(fd, piece, sizeof piece)) > 0) {
        crypto_generichash_update(&st, piece, (unsigned long long)n);
        if (head->n < HEAD)
            buf_put(head, piece, (size_t)n < HEAD - head->n ? (size_t)n : HEAD - head->n);
    }
    int rc = n < 0 ? err_sys(e, "quarantine %s", name) : 0;
    close(fd);
    crypto_generichash_final(&st, h.b, sizeof h.b);
    hash_hex(hash, &h);
    return rc;
}

/* The end of the list, from a line's beginning. Empty: there is none, or none that can be read. */
static void list_end(struct buf *out, int quarantine, const char *name)
{
    struct stat st;
    int fd = openat(quarantine, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    out->n = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && buf_room(out, LIST_END)) {
        ssize_t n = pread(fd, out->p, LIST_END, st.st_size > (off_t)LIST_END ? st.st_size - (off_t)LIST_END : 0);
        out->n = n > 0 ? (size_t)n : 0;
        out->p[out->n] = 0;
    }
    if (fd >= 0)
        close(fd);
}

/* The number of the last whole line: {"n":17,… No text within a line can look so, its quotation marks are escaped. */
static uint64_t last_number(const struct buf *end)
{
    static const char head[] = "{\"n\":";
    uint64_t n = 0;
    const char *at = buf_text(end), *next;
    while ((next = strstr(at, head)) != NULL) {
        at = next + sizeof head - 1;
        if (strchr(at, '\n'))
            n = strtoull(at, NULL, 10);
    }
    return n;
}

/* How many lines were ever written. end: of the list itself. */
static uint64_t lines_so_far(int quarantine, struct buf *end)
{
    struct buf before;
    list_end(end, quarantine, QUARANTINE_MORE);
    uint64_t n = last_number(end);
    if (n)
        return n;
    buf_init(&before, LIST_END + 1);
    list_end(&before, quarantine, QUARANTINE_MORE_BEFORE);
    n = last_number(&before);
    buf_clear(&before);
    return n;
}

uint64_t quarantine_count(int quarantine)
{
    struct dir_entry *list;
    struct buf end;
    struct err e = {0};
    size_t n = 0;
    if (quarantine < 0 || folder_list(&list, &n, quarantine, LOOK_MAX, &e) < 0)
        return 0;
    buf_init(&end, LIST_END + 1);
    uint64_t files = lines_so_far(quarantine, &end);
    for (size_t i = 0; i < n; i++)
        files += !quarantine_is_note(list[i].name);
    buf_clear(&end);
    free(list);
    return files;
}

/* line: empty when the list says the same of the same bytes already, which a crash between line and removal leaves, and a sender who does not give up. */
static int describe(struct buf *line, int from, int quarantine, const struct dir_entry *f, const char *reason, struct err *e)
{
    char hash[65] = "", at[21], plain[192], why[256];
    struct buf head, text, end;
    buf_init(&head, HEAD);
    buf_init(&text, 0);
    buf_init(&end, LIST_END + 1);
    clock_rfc3339(at, clock_wall_ms());
    plain_name(plain, f->name);
    snprintf(why, sizeof why, "%s", reason);
    text_mend(why, '?');
    int rc = f->regular ? read_through(from, f->name, hash, &head, e) : 0;      /* a link or a pipe has no bytes of its own */
    base64_put(&text, buf_bytes(&head));
    json_t *row = json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:s}", "n", (json_int_t)(lines_so_far(quarantine, &end) + 1), "at", at, "file", plain, "bytes", (json_int_t)f->size, "hash", hash, "head", buf_text(&text), "reason", why);
    char *json = row ? json_dumps(row, JSON_COMPACT) : NULL;
    const char *from_name = json ? strstr(json, "\"file\":") : NULL, *to_head = json ? strstr(json, "\"head\":") : NULL;
    if (from_name && to_head && !memmem(buf_text(&end), end.n, from_name, (size_t)(to_head - from_name)))
        buf_fmt(line, "%s\n", json);
    free(json);
    json_decref(row);
    buf_clear(&head);
    buf_clear(&text);
    buf_clear(&end);
    return rc < 0 ? -1 : !json ? err_set(e, ERR_FULL, "quarantine: no memory") : buf_done(line, "quarantine", e);
}

static int append(int quarantine, struct bytes line, struct err *e)
{
    struct stat st;
    if (fstatat(quarantine, QUARANTINE_MORE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size >= QUARANTINE_MORE_BYTES && renameat(quarantine, QUARANTINE_MORE, quarantine, QUARANTINE_MORE_BEFORE) < 0)
        return err_sys(e, "quarantine " QUARANTINE_MORE);
    int fd = openat(quarantine, QUARANTINE_MORE, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, "quarantine " QUARANTINE_MORE);
    char last = '\n';
    errno = 0;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' && write(fd, "\n", 1) != 1)
        last = 0;                        /* a crash cut the line before short, and it cannot be ended */
    int rc = last && write(fd, line.p, line.n) == (ssize_t)line.n && fsync(fd) == 0 && fsync(quarantine) == 0 ? 0 : err_sys(e, "quarantine " QUARANTINE_MORE);
    close(fd);
    return rc;
}

static int let_go(int from, int quarantine, const struct dir_entry *f, const char *reason, struct err *e)
{
    struct buf line;
    buf_init(&line, 0);
    int rc = describe(&line, from, quarantine, f, reason, e);
    if (rc == 0 && line.n)
        rc = append(quarantine, buf_bytes(&line), e);
    buf_clear(&line);
    return rc < 0 ? -1 : file_remove(from, f->name, e);
}

int quarantine_take(int from_dirfd, int quarantine_dirfd, const struct dir_entry *f, const char *reason, struct err *e)
{
    char name[256], note[264], line[400], at[21];
    clock_rfc3339(at, clock_wall_ms());
    int rc = free_name(name, from_dirfd, quarantine_dirfd, f, e);
    if (rc != 0)
        return rc < 0 ? -1 : file_remove(from_dirfd, f->name, e);
    struct stat st;
    bool full = false, folder = fstatat(from_dirfd, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    if (!folder && is_full(quarantine_dirfd, &full, e) < 0)
        return -1;
    if (full)
        return let_go(from_dirfd, quarantine_dirfd, f, reason, e);
    if (str_fmt(note, sizeof note, e, "%s.reason", name) < 0 || str_fmt(line, sizeof line, e, "%s %lld bytes: %s\n", at, (long long)f->size, reason) < 0)
        return -1;
    return file_publish(quarantine_dirfd, note, bytes_of(line), PUBLISH_REPLACE, e) < 0 ? -1 : move_aside(from_dirfd, f, quarantine_dirfd, name, e);
}
