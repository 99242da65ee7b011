#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "common/file.h"

void scratch_open(struct scratch *s)
{
    strncpy(s->dir, "/tmp/hz-unit-XXXXXX", sizeof s->dir);
    assert_non_null(mkdtemp(s->dir));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st; (void)kind; (void)f;
    return remove(path);
}

void scratch_close(struct scratch *s)
{
    assert_int_equal(nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scratch_path(struct scratch *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", s->dir, name);
    return s->path;
}

void scratch_write(struct scratch *s, const char *name, struct bytes body)
{
    FILE *f = fopen(scratch_path(s, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(body.p, 1, body.n, f), body.n);
    assert_int_equal(fclose(f), 0);
}

void assert_error(int rc, struct err *e, enum err_code code, const char *words)
{
    if (rc != -1 || e->code != code || !strstr(e->msg, words))
        fail_msg("want -1, %s, '%s'; have %d, %s, '%s'", err_word(code), words, rc, err_word(e->code), e->msg);
    err_clear(e);
}

const char *built(const char *program)
{
    static char path[600];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = 0;
    for (int up = 0; up < 2; up++)
        *strrchr(path, '/') = 0;
    assert_true(strlen(path) + strlen(program) + 2 < sizeof path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", program);
    return path;
}

void capture_begin(struct capture *c)
{
    strncpy(c->path, "/tmp/hz-log-XXXXXX", sizeof c->path);
    int fd = mkstemp(c->path);
    assert_true(fd >= 0);
    fflush(stderr);
    c->kept = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

void capture_end(struct capture *c, struct buf *out)
{
    struct err e = {0};
    fflush(stderr);
    dup2(c->kept, STDERR_FILENO);
    close(c->kept);
    int rc = file_read_path(out, c->path, (size_t)1 << 20, &e);
    unlink(c->path);
    assert_int_equal(rc, 0);
}

unsigned scratch_suite(void)
{
    const char *s = getenv("HZ_SUITE");
    return s && strcmp(s, "2") == 0 ? 2 : 1;
}
