#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/scratch.h"

/* --- the child: this program again, with one argument --- */

static int hungry(void)
{
    for (size_t n = 0; n < 64; n++) {
        volatile char *p = malloc((size_t)64 << 20);
        if (!p)
            return -1;
        p[0] = 1;
    }
    return 0;
}

/* What a child without power must not be able to do. */
static void try_power(const char *what)
{
    if (strcmp(what, "power-open") == 0)
        open("/etc/passwd", O_RDONLY);
    else if (strcmp(what, "power-socket") == 0)
        socket(AF_INET, SOCK_STREAM, 0);
    else if (strcmp(what, "power-fork") == 0)
        fork();
    else if (strcmp(what, "power-exec") == 0)
        execl("/bin/true", "true", (char *)NULL);
    else if (strcmp(what, "power-code") == 0)
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    else if (strcmp(what, "power-kill") == 0)
        kill(1, 0);
}

static int serve_one(struct bytes rq, struct buf *answer, void *arg, struct err *e)
{
    (void)arg;
    char word[32] = "";
    memcpy(word, rq.p, rq.n < 31 ? rq.n : 31);
    if (strcmp(word, "die") == 0)
        _exit(3);
    if (strcmp(word, "sleep") == 0)
        pause();
    if (strcmp(word, "nonsense") == 0 && write(STDOUT_FILENO, "\xff\xff\xff\xff!", 5))
        return 0;
    if (strcmp(word, "refuse") == 0)
        return err_set(e, ERR_INPUT, "line 3: want a, have b");
    if (strcmp(word, "hungry") == 0)
        return hungry() < 0 ? err_set(e, ERR_FULL, "no memory left") : 0;
    if (strcmp(word, "pid") == 0)
        buf_u32(answer, (uint32_t)getpid());
    else if (strcmp(word, "env") == 0)
        buf_fmt(answer, "%s|%s|%d", getenv("HOME") ? "env" : "no env", getcwd((char[64]){0}, 64), fcntl(3, F_GETFD) < 0 ? 0 : 3);
    else
        buf_put(answer, rq.p, rq.n);
    try_power(word);
    return 0;
}

static int child_main(const char *how)
{
    struct err e = {0};
    if (strcmp(how, "powerless") == 0 && child_drop_power(&e) < 0)
        return 1;
    return child_serve(serve_one, NULL, (size_t)4 << 20) < 0 ? 1 : 0;
}

/* --- the tests --- */

static struct child_pool *open_pool(const char *how, unsigned n, unsigned deadline_ms, unsigned max_calls, uint64_t memory)
{
    const char *const args[] = {how, NULL};
    struct child_options o = {.path = "/proc/self/exe", .argv = args, .n = n, .max_answer = (size_t)4 << 20, .deadline_ms = deadline_ms,
                              .max_calls = max_calls, .max_memory = memory, .clean_env = true};
    struct child_pool *p;
    struct err e = {0};
    if (child_pool_open(&p, &o, &e) < 0)
        fail_msg("%s", e.msg);
    return p;
}

static int ask(struct child_pool *p, const char *word, struct buf *answer, struct err *e)
{
    buf_init(answer, 0);
    return child_call(p, bytes_of(word), answer, e);
}

static uint32_t pid_of(struct child_pool *p)
{
    struct buf a;
    struct err e = {0};
    if (ask(p, "pid", &a, &e) < 0)
        fail_msg("%s", e.msg);
    struct cursor c = {.in = buf_bytes(&a)};
    uint32_t pid = cur_u32(&c);
    buf_clear(&a);
    return pid;
}

/* Bytes of any size up to the bound come back as they went. */
static void test_echo_of_every_size(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 10000, 0, 0);
    static uint8_t big[4 << 20];
    randombytes_buf(big, sizeof big);
    big[0] = 'x';
    static const size_t sizes[] = {0, 1, 5, 65535, 65536, 65537, 1000000, sizeof big};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf a;
        struct err e = {0};
        buf_init(&a, 0);
        if (child_call(p, (struct bytes){big, sizes[i]}, &a, &e) < 0)
            fail_msg("%zu bytes: %s", sizes[i], e.msg);
        assert_true(bytes_equal(buf_bytes(&a), (struct bytes){big, sizes[i]}));
        buf_clear(&a);
    }
    child_pool_close(p);
}

/* The child's own refusal arrives with code and sentence, and the child lives on. */
static void test_refusal_is_the_childs_own(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 5000, 0, 0);
    struct err e = {0};
    struct buf a;
    uint32_t pid = pid_of(p);
    assert_error(ask(p, "refuse", &a, &e), &e, ERR_INPUT, "line 3: want a, have b");
    assert_int_equal(a.n, 0);
    buf_clear(&a);
    assert_int_equal(pid_of(p), pid);
    child_pool_close(p);
}

/* Death, lateness and nonsense are ERR_HELD, and the next call finds a new child. */
static void test_a_lost_child_is_replaced(void **state)
{
    (void)state;
    static const char *const ways[] = {"die", "sleep", "nonsense"};
    struct child_pool *p = open_pool("serve", 1, 300, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        struct err e = {0};
        struct buf a;
        uint32_t pid = pid_of(p);
        int64_t begin = clock_mono_ms();
        assert_error(ask(p, ways[i], &a, &e), &e, ERR_HELD, "died, was late or answered nonsense");
        assert_true(clock_mono_ms() - begin < 3000);
        buf_clear(&a);
        assert_int_not_equal(pid_of(p), pid);
        assert_int_equal(kill((pid_t)pid, 0), -1);      /* gone, and buried */
    }
    child_pool_close(p);
}

/* A child that died while nobody asked it anything fails no request. */
static void test_death_while_idle_is_nobodys_error(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 3000, 0, 0);
    uint32_t pid = pid_of(p);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    usleep(50000);
    assert_int_not_equal(pid_of(p), pid);
    child_pool_close(p);
}

static void test_answer_over_the_bound_kills(void **state)
{
    (void)state;
    const char *const args[] = {"serve", NULL};
    struct child_options o = {.path = "/proc/self/exe", .argv = args, .n = 1, .max_answer = 8, .deadline_ms = 3000};
    struct child_pool *p;
    struct err e = {0};
    struct buf a;
    assert_int_equal(child_pool_open(&p, &o, &e), 0);
    assert_int_equal(ask(p, "12345678", &a, &e), 0);
    buf_clear(&a);
    assert_error(ask(p, "123456789", &a, &e), &e, ERR_HELD, "nonsense");
    buf_clear(&a);
    child_pool_close(p);
}

static void test_replaced_after_so_many_calls(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 3000, 3, 0);
    uint32_t first = pid_of(p);
    assert_int_equal(pid_of(p), first);
    assert_int_equal(pid_of(p), first);
    assert_int_not_equal(pid_of(p), first);
    child_pool_close(p);
}

/* No environment, no descriptors of ours, no folder of ours. */
static void test_inherits_nothing(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 3000, 0, 0);
    struct err e = {0};
    struct buf a;
    int fd = open("/etc/passwd", O_RDONLY);             /* without O_CLOEXEC: the pool closes it */
    assert_int_equal(ask(p, "env", &a, &e), 0);
    assert_string_equal(buf_text(&a), "no env|/|0");
    buf_clear(&a);
    close(fd);
    child_pool_close(p);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Memory is bounded: the child says so, or dies; the caller lives. */
static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 5000, 0, (uint64_t)256 << 20);
    struct err e = {0};
    struct buf a;
    assert_error(ask(p, "hungry", &a, &e), &e, ERR_FULL, "no memory left");
    buf_clear(&a);
    child_pool_close(p);
}

/* After child_drop_power every step outside is death, while reading, computing and answering go on. */
static void test_powerless_child_can_do_nothing(void **state)
{
    (void)state;
    static const char *const ways[] = {"power-open", "power-socket", "power-fork", "power-exec", "power-code", "power-kill"};
    struct child_pool *p = open_pool("powerless", 1, 3000, 0, 0);
    struct err e = {0};
    struct buf a;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        assert_int_equal(ask(p, "fine", &a, &e), 0);
        assert_string_equal(buf_text(&a), "fine");
        buf_clear(&a);
        assert_error(ask(p, ways[i], &a, &e), &e, ERR_HELD, "died");
        buf_clear(&a);
    }
    child_pool_close(p);
    p = open_pool("serve", 1, 3000, 0, 0);              /* the same steps do not kill a child that kept its power */
    assert_int_equal(ask(p, "power-open", &a, &e), 0);
    buf_clear(&a);
    child_pool_close(p);
}
#endif

struct caller_job { struct child_pool *p; int failures; };

static void *call_often(void *arg)
{
    struct caller_job *j = arg;
    for (int i = 0; i < 100; i++) {
        struct buf a;
        struct err e = {0};
        char text[32];
        snprintf(text, sizeof text, "n%d", i);
        if (ask(j->p, i % 25 == 24 ? "die" : text, &a, &e) < 0 ? i % 25 != 24 || e.code != ERR_HELD : strcmp(buf_text(&a), text) != 0)
            j->failures++;
        buf_clear(&a);
    }
    return NULL;
}

/* More threads than children, some children dying: each thread gets its own answers. */
static void test_threads_share_the_pool(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 2, 10000, 7, 0);
    struct caller_job jobs[6];
    pthread_t t[6];
    for (int i = 0; i < 6; i++) {
        jobs[i] = (struct caller_job){p, 0};
        pthread_create(&t[i], NULL, call_often, &jobs[i]);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(jobs[i].failures, 0);
    }
    child_pool_close(p);
}

static void *ask_pid(void *arg)
{
    return (void *)(uintptr_t)pid_of(arg);
}

/* A child outlives the thread whose call started it: another may be speaking to it. */
static void test_child_outlives_the_calling_thread(void **state)
{
    (void)state;
    struct child_pool *p = open_pool("serve", 1, 3000, 0, 0);
    pthread_t t;
    void *pid;
    assert_int_equal(pthread_create(&t, NULL, ask_pid, p), 0);
    pthread_join(t, &pid);
    usleep(50000);
    assert_int_equal(pid_of(p), (uintptr_t)pid);
    child_pool_close(p);
}

static void test_missing_program_is_said_at_open(void **state)
{
    (void)state;
    struct child_pool *p;
    struct err e = {0};
    struct child_options o = {.path = "build/libexec/none", .n = 1, .deadline_ms = 100};
    assert_error(child_pool_open(&p, &o, &e), &e, ERR_MISSING, "child build/libexec/none");
    assert_null(p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_of_every_size), cmocka_unit_test(test_refusal_is_the_childs_own), cmocka_unit_test(test_a_lost_child_is_replaced),
        cmocka_unit_test(test_death_while_idle_is_nobodys_error), cmocka_unit_test(test_answer_over_the_bound_kills),
        cmocka_unit_test(test_replaced_after_so_many_calls), cmocka_unit_test(test_inherits_nothing),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_memory_is_bounded), cmocka_unit_test(test_powerless_child_can_do_nothing),
#endif
        cmocka_unit_test(test_threads_share_the_pool), cmocka_unit_test(test_child_outlives_the_calling_thread), cmocka_unit_test(test_missing_program_is_said_at_open),
    };
    if (argc > 1)
        return child_main(argv[1]);
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
