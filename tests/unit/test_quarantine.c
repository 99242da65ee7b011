/* What is set aside: nothing is lost, nothing is overwritten, a flood of repeats does not fill the folder. FRY-05 FRY-14 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "ferry/lib/quarantine.h"
#include "tests/unit/scratch.h"

struct world { struct scratch s; int in, aside; };

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    scratch_open(&w->s);
    *state = w;
    int *fds[] = {&w->in, &w->aside};
    static const char *const names[] = {"in", "aside"};
    for (int i = 0; i < 2; i++)
        if (folder_make(scratch_path(&w->s, names[i]), 0700, &e) < 0 || folder_open(fds[i], w->s.path, 0, &e) < 0)
            fail_msg("%s", e.msg);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    close(w->in);
    close(w->aside);
    scratch_close(&w->s);
    free(w);
    return 0;
}

static size_t count(int fd)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    assert_int_equal(folder_list(&list, &n, fd, 10000, &e), 0);
    free(list);
    return n;
}

/* The entry of `name` as the scan sees it. */
static struct dir_entry entry(const struct world *w, const char *name)
{
    struct stat st;
    struct dir_entry f = {.size = 0};
    assert_int_equal(fstatat(w->in, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    snprintf(f.name, sizeof f.name, "%s", name);
    f.size = st.st_size;
    f.regular = S_ISREG(st.st_mode);
    return f;
}

static void take(struct world *w, const char *name, const char *reason)
{
    struct dir_entry f = entry(w, name);
    struct err e = {0};
    if (quarantine_take(w->in, w->aside, &f, reason, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(faccessat(w->in, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0);
}

static void take_text(struct world *w, const char *name, const char *text, const char *reason)
{
    struct err e = {0};
    assert_int_equal(file_publish(w->in, name, bytes_of(text), PUBLISH_REPLACE, &e), 0);
    take(w, name, reason);
}

static void has(struct world *w, const char *name, const char *words)
{
    struct buf b;
    struct err e = {0};
    buf_init(&b, 1 << 16);
    if (file_read(&b, w->aside, name, 1 << 16, &e) < 0 || !strstr(buf_text(&b), words))
        fail_msg("%s: want '%s', have '%s' %s", name, words, buf_text(&b), e.msg);
    buf_clear(&b);
}

/* FRY-05: a sender repeats what is never accepted, for days: one copy is kept. Other bytes of that name are kept too. */
static void test_repeats_are_kept_once(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 50; i++)
        take_text(w, "b-1.xml", "the same", "key is not one that we trust");
    assert_int_equal(count(w->aside), 2);
    take_text(w, "b-1.xml", "other", "cut");
    take_text(w, "b-1.xml", "other", "cut");
    assert_int_equal(count(w->aside), 4);
    has(w, "b-1.xml", "the same");
    has(w, "b-1.xml.2", "other");
    has(w, "b-1.xml.2.reason", "cut");
}

/* FRY-05: one name with ever other bytes: each is kept, far beyond the numbered names. */
static void test_flood_of_one_name(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 60; i++) {
        char text[20];
        snprintf(text, sizeof text, "junk %d", i);
        take_text(w, "x", text, "not ours");
    }
    assert_int_equal(count(w->aside), 120);
}

/* FRY-14: junk that calls itself a reason is neither taken for one (it would not be counted) nor overwritten by one. */
static void test_junk_called_reason(void **state)
{
    struct world *w = *state;
    take_text(w, "a.xml.reason", "evidence", "no trailer");
    take_text(w, "a.xml", "junk", "cut");
    take_text(w, "B.REASON", "shouted", "no trailer");
    take_text(w, "beyond-the-bound", "takes our name", "cut");
    has(w, "not-beyond-the-bound", "takes our name");
    has(w, "a.xml.reason.junk", "evidence");
    has(w, "a.xml.reason.junk.reason", "no trailer");
    has(w, "a.xml.reason", "cut");
    has(w, "B.REASON.junk", "shouted");
}

/* Links, pipes and folders are moved, never followed or opened, also when their name is taken. */
static void test_odd_files(void **state)
{
    struct world *w = *state;
    struct stat st;
    take_text(w, "odd", "a file", "cut");
    assert_int_equal(symlinkat("/etc/passwd", w->in, "odd"), 0);
    take(w, "odd", "a link");
    assert_int_equal(fstatat(w->aside, "odd.2", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(mkfifoat(w->in, "odd", 0600), 0);
    take(w, "odd", "a pipe");
    assert_int_equal(mkdirat(w->in, "odd", 0700), 0);
    take(w, "odd", "a folder");
    assert_int_equal(count(w->aside), 8);
}

/* Names as long as the file system allows, with control characters in them. */
static void test_awkward_names(void **state)
{
    struct world *w = *state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    name[3] = '\n';
    int fd = openat(w->in, name, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
    take(w, name, "name too long");
    memset(name, 'n', 180);
    name[3] = '_';
    name[180] = 0;
    has(w, name, "");
}

static void fill(struct world *w, unsigned files, int64_t size)
{
    for (unsigned i = 0; i < files; i++) {
        char name[32];
        snprintf(name, sizeof name, "earlier-%04u", i);
        int fd = openat(w->aside, name, O_CREAT | O_WRONLY | O_EXCL, 0600);
        assert_true(fd >= 0 && ftruncate(fd, size) == 0);
        close(fd);
    }
}

static void let_go(struct world *w, const char *name, const char *text, const char *reason)
{
    size_t before = count(w->aside);
    struct stat st;
    bool first = fstatat(w->aside, QUARANTINE_MORE, &st, 0) < 0;
    take_text(w, name, text, reason);
    assert_int_equal(count(w->aside), before + first);
    has(w, QUARANTINE_MORE, name);
    has(w, QUARANTINE_MORE, reason);
}

/* FRY-05 FRY-14: a flood fills no volume: of what comes beyond the bound header, hash and reason are kept. */
static void test_flood_is_bounded_by_number(void **state)
{
    struct world *w = *state;
    fill(w, QUARANTINE_FILES - 1, 0);
    take_text(w, "the-last", "is kept", "cut");
    has(w, "the-last", "is kept");
    let_go(w, "beyond.xml", "hello", "key is not one that we trust");
    has(w, QUARANTINE_MORE, "\"hash\":\"324dcf027dd4a30a932c441f365a25e86b173defa4b8e58948253471b81b72cf\"");      /* b2sum -l 256 */
    has(w, QUARANTINE_MORE, "\"head\":\"aGVsbG8=\"");
    has(w, QUARANTINE_MORE, "\"bytes\":5");
    let_go(w, "another.xml", "hello again", "cut");
    take_text(w, "the-last", "is kept", "cut");                /* the same bytes again need no line */
    assert_int_equal(symlinkat("/etc/passwd", w->in, "a-link"), 0);
    take(w, "a-link", "a link");
    has(w, QUARANTINE_MORE, "a-link");
}

/* Beyond the bound a name that is longer than any of ours is let go like others: it stayed in the inbox, and had a line at every look. */
static void test_long_name_beyond_the_bound(void **state)
{
    struct world *w = *state;
    char name[256];
    fill(w, QUARANTINE_FILES, 0);
    memset(name, 'n', 255);
    name[255] = 0;
    int fd = openat(w->in, name, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    take(w, name, "name too long");
    has(w, QUARANTINE_MORE, "name too long");
    assert_int_equal(count(w->in), 0);
}

static void test_flood_is_bounded_by_size(void **state)
{
    struct world *w = *state;
    fill(w, 1, QUARANTINE_BYTES);
    let_go(w, "beyond.xml", "hello", "cut");
}

static int truncate_list(struct world *w)
{
    return renameat(w->aside, QUARANTINE_MORE, w->aside, QUARANTINE_MORE_BEFORE);
}

/* The status tells how many came in a flood, and not how many fit. A crash between line and removal, and a sender who sends it again, make no second line. */
static void test_flood_is_counted(void **state)
{
    struct world *w = *state;
    char name[32];
    fill(w, QUARANTINE_FILES, 0);
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "flood-%d.xml", i);
        take_text(w, name, name, "cut");
    }
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES + 300);
    take_text(w, "flood-299.xml", "flood-299.xml", "cut");
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES + 300);
    take_text(w, "flood-299.xml", "other bytes", "cut");
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES + 301);
    assert_int_equal(truncate_list(w), 0);
    take_text(w, "after.xml", "1", "cut");
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES + 302);         /* goes on where the list before ended */
    assert_int_equal(unlinkat(w->aside, QUARANTINE_MORE, 0) + unlinkat(w->aside, QUARANTINE_MORE_BEFORE, 0), 0);
    assert_int_equal(quarantine_count(w->aside), QUARANTINE_FILES);
    assert_int_equal(quarantine_count(-1), 0);
}

/* The lines are bounded too, and one that a crash cut short spoils no other. */
static void test_lines_about_a_flood_are_bounded(void **state)
{
    struct world *w = *state;
    struct stat st;
    fill(w, QUARANTINE_FILES, 0);
    int fd = openat(w->aside, QUARANTINE_MORE, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "{\"at\":\"2026", 11), 11);
    let_go(w, "first.xml", "1", "cut");
    has(w, QUARANTINE_MORE, "2026\n{\"n\":1,\"at\"");
    assert_int_equal(ftruncate(fd, QUARANTINE_MORE_BYTES), 0);
    close(fd);
    take_text(w, "third.xml", "3", "cut");
    has(w, QUARANTINE_MORE, "third.xml");
    assert_int_equal(fstatat(w->aside, QUARANTINE_MORE_BEFORE, &st, 0), 0);
    assert_int_equal(st.st_size, QUARANTINE_MORE_BYTES);
    assert_int_equal(fstatat(w->aside, QUARANTINE_MORE, &st, 0), 0);
    assert_true(st.st_size < 1000);
}

/* Puts what file_publish would refuse: a stranger's names may be as long as the folder allows. */
static void put_odd(struct world *w, const char *name)
{
    int fd = openat(w->in, name, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "odd", 3) == 3);
    close(fd);
}

/* FRY-05: a name that is longer than ours may be is kept once too. */
static void test_long_names_are_kept_once(void **state)
{
    struct world *w = *state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    for (int i = 0; i < 3; i++) {
        put_odd(w, name);
        take(w, name, "too long");
    }
    assert_int_equal(count(w->aside), 2);
}

/* FRY-05 FRY-14: beyond the bound a file of such a name goes too, and leaves one line, not one in each round; a name that is cut within a character, or is no
 * text, still has its reason beside it. */
static void test_odd_names_beyond_the_bound(void **state)
{
    struct world *w = *state;
    char name[256] = "a";
    fill(w, QUARANTINE_FILES, 0);
    for (int i = 0; i < 80; i++)
        memcpy(name + 1 + 3 * i, "户", 4);
    put_odd(w, name);
    take(w, name, "cut within a character");
    has(w, QUARANTINE_MORE, "cut within a character");
    has(w, QUARANTINE_MORE, "户");
    put_odd(w, "x\xff.xml");
    take(w, "x\xff.xml", "no text");
    has(w, QUARANTINE_MORE, "\"file\":\"x_.xml\"");
    has(w, QUARANTINE_MORE, "\"reason\":\"no text\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_repeats_are_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_of_one_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_junk_called_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_awkward_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_is_bounded_by_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_name_beyond_the_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_is_bounded_by_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_about_a_flood_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_names_are_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_names_beyond_the_bound, setup, teardown),
    };
    return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
