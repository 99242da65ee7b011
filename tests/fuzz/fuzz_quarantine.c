/* fuzz_quarantine.c - the input is names of files, a line each; the files are set aside, twice each, from one real folder into another.
 * What must hold: set aside means gone from where it lay, its bytes there once, its note beside it, nothing anywhere else, whatever the names look like. */
#include <assert.h>

#include "ferry/lib/quarantine.c"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/replay.h"

#define FILES_MOST 3u

static int from, aside, above;           /* folders: where files come from, the quarantine, the one around both */

static void setup(void)
{
    const char *base;
    struct err e = {0};
    char path[80];
    if (above)
        return;
    base = fuzz_folder("quarantine");
    assert(sodium_init() >= 0 && folder_open(&above, base, 0, &e) == 0);
    snprintf(path, sizeof path, "%s/from", base);
    assert(folder_make(path, 0700, &e) == 0 && folder_open(&from, path, 0, &e) == 0);
    snprintf(path, sizeof path, "%s/aside", base);
    assert(folder_make(path, 0700, &e) == 0 && folder_open(&aside, path, 0, &e) == 0);
}

/* A name that a folder can hold and folder_list tells. */
static bool name_of(char out[256], struct bytes in)
{
    if (in.n == 0 || in.n > 255 || in.p[0] == '.' || memchr(in.p, 0, in.n) || memchr(in.p, '/', in.n))
        return false;
    memcpy(out, in.p, in.n);
    out[in.n] = 0;
    return true;
}

static void empty(int dirfd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert(folder_list(&list, &n, dirfd, 1000, &e) == 0);
    for (size_t i = 0; i < n; i++)
        unlinkat(dirfd, list[i].name, 0);
    free(list);
}

static size_t count(int dirfd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert(folder_list(&list, &n, dirfd, 1000, &e) == 0);
    free(list);
    return n;
}

static void put(const char *name)
{
    int fd = openat(from, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name) && close(fd) == 0);
}

/* The file holds its own name, so that its bytes tell it. */
static void set_aside(const char *name)
{
    struct dir_entry f = {.regular = true, .size = (int64_t)strlen(name)};
    struct err e = {0};
    snprintf(f.name, sizeof f.name, "%s", name);
    put(name);
    assert(quarantine_take(from, aside, &f, "odd", &e) == 0 && faccessat(from, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0);
}

static void look(char names[][256], size_t want)
{
    struct dir_entry *list;
    size_t n, files = 0;
    struct err e = {0};
    char note[300];
    bool seen[FILES_MOST] = {false};
    assert(folder_list(&list, &n, aside, 1000, &e) == 0);
    for (size_t i = 0; i < n; i++) {
        struct buf b;
        if (quarantine_is_note(list[i].name))
            continue;
        files++;
        snprintf(note, sizeof note, "%s.reason", list[i].name);
        assert(list[i].regular && faccessat(aside, note, F_OK, 0) == 0);
        buf_init(&b, 300);
        assert(file_read(&b, aside, list[i].name, 300, &e) == 0);
        for (size_t k = 0; k < want; k++)
            seen[k] |= strcmp(buf_text(&b), names[k]) == 0;
        buf_clear(&b);
    }
    free(list);
    assert(files == want && n == 2 * want && count(from) == 0 && count(above) == 2);
    for (size_t k = 0; k < want; k++)
        assert(seen[k]);
}

static void folder(struct bytes in)
{
    char names[FILES_MOST][256];
    size_t n = 0;
    setup();
    for (size_t at = 0; at < in.n && n < FILES_MOST;) {
        const uint8_t *end = memchr(in.p + at, '\n', in.n - at);
        size_t len = end ? (size_t)(end - in.p) - at : in.n - at;
        bool fresh = name_of(names[n], (struct bytes){in.p + at, len});
        for (size_t k = 0; fresh && k < n; k++)
            fresh = strcmp(names[k], names[n]) != 0;
        n += fresh;
        at += len + 1;
    }
    for (size_t i = 0; i < n; i++) {
        set_aside(names[i]);
        set_aside(names[i]);
    }
    look(names, n);
    empty(aside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    folder((struct bytes){data, size});
    return 0;
}
