#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/scratch.h"

struct folder { struct scratch s; int fd; };

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    struct err e = {0};
    scratch_open(&f->s);
    *state = f;
    return folder_open(&f->fd, f->s.dir, 0700, &e);
}

static int teardown(void **state)
{
    struct folder *f = *state;
    close(f->fd);
    scratch_close(&f->s);
    free(f);
    return 0;
}

/* Every name in the folder, hidden ones too. */
static unsigned count_all(const char *dir)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *de; (de = readdir(d));)
        n += strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void expect_content(struct folder *f, const char *name, const char *want)
{
    struct buf b;
    struct err e = {0};
    buf_init(&b, 0);
    if (file_read(&b, f->fd, name, 4096, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(buf_text(&b), want);
    buf_clear(&b);
}

/* Published once, the name is taken; the first content stays and no temporary name is left. */
static void test_publish_new_never_replaces(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct stat st;
    assert_int_equal(file_publish(f->fd, "a.xml", bytes_of("one"), PUBLISH_NEW, &e), 0);
    assert_error(file_publish(f->fd, "a.xml", bytes_of("two"), PUBLISH_NEW, &e), &e, ERR_CONFLICT, "publish a.xml: File exists");
    expect_content(f, "a.xml", "one");
    assert_int_equal(count_all(f->s.dir), 1);
    assert_int_equal(fstatat(f->fd, "a.xml", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* OPS: each program runs as its own user; what lies in a gateway folder the next one of the group must be able to read, whatever the umask. */
static void test_publish_shared_is_for_the_group(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct stat st;
    const mode_t before = umask(0077);
    assert_int_equal(file_publish(f->fd, "b.xml", bytes_of("one"), PUBLISH_NEW | PUBLISH_SHARED, &e), 0);
    assert_error(file_publish(f->fd, "b.xml", bytes_of("two"), PUBLISH_NEW | PUBLISH_SHARED, &e), &e, ERR_CONFLICT, "File exists");
    assert_int_equal(file_publish(f->fd, "b.xml", bytes_of("two"), PUBLISH_REPLACE | PUBLISH_SHARED, &e), 0);
    umask(before);
    expect_content(f, "b.xml", "two");
    assert_int_equal(fstatat(f->fd, "b.xml", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_publish_replace_swaps_whole(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    assert_int_equal(file_publish(f->fd, "a", bytes_of("a longer old text"), PUBLISH_REPLACE, &e), 0);
    assert_int_equal(file_publish(f->fd, "a", bytes_of("new"), PUBLISH_REPLACE, &e), 0);
    expect_content(f, "a", "new");
    assert_int_equal(count_all(f->s.dir), 1);
}

/* A name is a plain name: nothing climbs, nothing hides, nothing is empty. */
static void test_names_never_become_paths(void **state)
{
    struct folder *f = *state;
    static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "/etc/passwd", "../x"};
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_error(file_publish(f->fd, bad[i], bytes_of("x"), PUBLISH_NEW, &e), &e, ERR_INPUT, "file name: want");
        assert_error(file_read(&b, f->fd, bad[i], 10, &e), &e, ERR_INPUT, "file name: want");
        assert_error(file_remove(f->fd, bad[i], &e), &e, ERR_INPUT, "file name: want");
    }
    assert_int_equal(count_all(f->s.dir), 0);
    buf_clear(&b);
}

/* A gateway folder may hold anything; only a regular file is read, and reading never waits. */
static void test_read_refuses_what_is_no_regular_file(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct buf b;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(un.sun_path, scratch_path(&f->s, "socket"), sizeof un.sun_path - 1);
    assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof un), 0);
    close(s);
    assert_int_equal(symlinkat("/etc/passwd", f->fd, "link"), 0);
    assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
    assert_int_equal(mkdirat(f->fd, "dir", 0700), 0);
    buf_init(&b, 0);
    static const char *const bad[] = {"link", "fifo", "dir", "socket"};
    for (size_t i = 0; i < 4; i++)
        assert_error(file_read(&b, f->fd, bad[i], 1 << 20, &e), &e, ERR_CORRUPT, "want a regular file");
    assert_error(file_read(&b, f->fd, "absent", 10, &e), &e, ERR_MISSING, "open absent");
    assert_int_equal(b.n, 0);
    buf_clear(&b);
}

static void test_read_is_bounded(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    scratch_write(&f->s, "five", bytes_of("12345"));
    assert_int_equal(file_read(&b, f->fd, "five", 5, &e), 0);
    assert_int_equal(b.n, 5);
    assert_error(file_read(&b, f->fd, "five", 4, &e), &e, ERR_TOO_LARGE, "five: want at most 4 bytes, have 5");
    int fd = openat(f->fd, "sparse", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    assert_error(file_read(&b, f->fd, "sparse", 1 << 20, &e), &e, ERR_TOO_LARGE, "sparse: want at most 1048576 bytes");
    buf_clear(&b);
}

/* The write fails half way (RLIMIT_FSIZE): an error, the old content stands, nothing is left behind. */
static void test_failed_write_leaves_nothing(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct rlimit old, small = {1000, 1000};
    static uint8_t big[5000];
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(file_publish(f->fd, "kept", bytes_of("old"), PUBLISH_REPLACE, &e), 0);
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = file_publish(f->fd, "kept", (struct bytes){big, sizeof big}, PUBLISH_REPLACE, &e);
    struct err e2 = {0};
    int rc2 = file_publish(f->fd, "other", (struct bytes){big, sizeof big}, PUBLISH_NEW, &e2);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_error(rc, &e, ERR_INTERNAL, "write kept (5000 bytes): File too large");
    assert_error(rc2, &e2, ERR_INTERNAL, "write other");
    expect_content(f, "kept", "old");
    assert_int_equal(count_all(f->s.dir), 1);
}

/* No descriptors left is ERR_FULL: stop accepting. */
static void test_no_descriptors_is_full(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct rlimit old, none;
    getrlimit(RLIMIT_NOFILE, &old);
    none = (struct rlimit){3, old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = file_publish(f->fd, "a", bytes_of("x"), PUBLISH_NEW, &e);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_error(rc, &e, ERR_FULL, "Too many open files");
    assert_int_equal(count_all(f->s.dir), 0);
}

static void test_move_between_folders(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    int to;
    assert_int_equal(folder_make(scratch_path(&f->s, "deep/er/still"), 0700, &e), 0);
    assert_int_equal(folder_make(scratch_path(&f->s, "deep/er/still"), 0700, &e), 0);
    assert_int_equal(folder_open(&to, f->s.path, 0700, &e), 0);
    scratch_write(&f->s, "a", bytes_of("text"));
    assert_int_equal(file_move(f->fd, "a", to, "b", 100, &e), 0);
    assert_int_equal(faccessat(f->fd, "a", F_OK, 0), -1);
    scratch_write(&f->s, "a", bytes_of("other"));
    assert_error(file_move(f->fd, "a", to, "b", 100, &e), &e, ERR_CONFLICT, "publish b");
    expect_content(f, "a", "other");              /* what could not be moved stays */
    assert_error(file_move(f->fd, "a", to, "c", 4, &e), &e, ERR_TOO_LARGE, "a: want at most 4");
    close(to);
}

static void test_remove_twice_is_fine(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    scratch_write(&f->s, "a", bytes_of("x"));
    assert_int_equal(file_remove(f->fd, "a", &e), 0);
    assert_int_equal(file_remove(f->fd, "a", &e), 0);
    assert_int_equal(count_all(f->s.dir), 0);
}

/* Sorted bytewise, hidden names left out, bounded, a repeat gives the same. */
static void test_list_is_sorted_and_bounded(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct dir_entry *list;
    size_t n;
    for (int i = 99; i >= 0; i--) {
        char name[16];
        snprintf(name, sizeof name, "n%02d", i);
        scratch_write(&f->s, name, (struct bytes){(const uint8_t *)name, (size_t)i % 3});
    }
    scratch_write(&f->s, ".hidden", bytes_of("x"));
    assert_int_equal(mkdirat(f->fd, "m", 0700), 0);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(folder_list(&list, &n, f->fd, 1000, &e), 0);
        assert_int_equal(n, 101);
        assert_string_equal(list[0].name, "m");
        assert_false(list[0].regular);
        assert_string_equal(list[100].name, "n99");
        assert_true(list[1].regular && list[2].size == 1 && list[3].size == 2 && list[3].mtime_ms > 0);
        free(list);
    }
    assert_int_equal(folder_list(&list, &n, f->fd, 10, &e), 0);
    assert_int_equal(n, 10);
    free(list);
}

/* A folder that others may write to is refused, and the sentence says what to set. */
static void test_folder_mode_is_checked(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    int fd;
    assert_int_equal(fchmod(f->fd, 0777), 0);
    assert_error(folder_open(&fd, f->s.dir, 0750, &e), &e, ERR_DENIED, "want mode 0750 or less, have 0777");
    assert_int_equal(fd, -1);
    assert_int_equal(fchmod(f->fd, 0700), 0);
    assert_int_equal(folder_open(&fd, f->s.dir, 0750, &e), 0);
    close(fd);
    scratch_write(&f->s, "file", bytes_of("x"));
    assert_error(folder_open(&fd, scratch_path(&f->s, "file"), 0, &e), &e, ERR_INTERNAL, "Not a directory");
    assert_error(folder_open(&fd, scratch_path(&f->s, "none"), 0, &e), &e, ERR_MISSING, "open folder");
}

static void test_write_path_sets_mode(void **state)
{
    struct folder *f = *state;
    struct err e = {0};
    struct stat st;
    assert_int_equal(file_write_path(scratch_path(&f->s, "public.key"), bytes_of("k"), 0644, &e), 0);
    assert_int_equal(stat(f->s.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_error(file_write_path(scratch_path(&f->s, "no/such/folder"), bytes_of("k"), 0600, &e), &e, ERR_MISSING, "open folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_publish_new_never_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_publish_shared_is_for_the_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_publish_replace_swaps_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_never_become_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_refuses_what_is_no_regular_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_write_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptors_is_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move_between_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove_twice_is_fine, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_is_sorted_and_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folder_mode_is_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_path_sets_mode, setup, teardown),
    };
    if (sodium_init() < 0)
        return 1;
    umask(0077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
