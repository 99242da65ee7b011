#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

#include "common/log.h"
#include "tests/unit/scratch.h"

/* The one line that was logged, as JSON. */
static json_t *one_line(const struct buf *out)
{
    json_error_t why;
    json_t *j = json_loadb((const char *)out->p, out->n, JSON_REJECT_DUPLICATES, &why);
    if (!j)
        fail_msg("%s in: %s", why.text, buf_text(out));
    assert_int_equal(out->p[out->n - 1], '\n');
    return j;
}

static const char *text_of(json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

/* Keys and values in order; numbers are numbers, text is quoted. */
static void test_fields_become_json(void **state)
{
    (void)state;
    struct capture c;
    struct buf out;
    buf_init(&out, 0);
    capture_begin(&c);
    log_event(LOG_INFO, "batch_sent", "batch %s n %u age %lld size %zu left %d", "b-1", 3u, -5LL, (size_t)7, -1);
    capture_end(&c, &out);
    json_t *j = one_line(&out);
    assert_string_equal(text_of(j, "event"), "batch_sent");
    assert_string_equal(text_of(j, "level"), "info");
    assert_string_equal(text_of(j, "program"), "test");
    assert_string_equal(text_of(j, "batch"), "b-1");
    assert_int_equal(json_integer_value(json_object_get(j, "n")), 3);
    assert_int_equal(json_integer_value(json_object_get(j, "age")), -5);
    assert_int_equal(json_integer_value(json_object_get(j, "size")), 7);
    assert_int_equal(json_integer_value(json_object_get(j, "left")), -1);
    assert_int_equal(strlen(text_of(j, "t")), 20);
    json_decref(j);
    buf_clear(&out);
}

/* Line breaks, terminal sequences, broken UTF-8 and endless values stay inside one well-formed line of at most 4 KiB. */
static void test_hostile_values_stay_in_their_line(void **state)
{
    (void)state;
    static char endless[9000];
    memset(endless, 'x', sizeof endless - 1);
    static const char *const hostile[] = {"a\nb", "\"},{\"level\":\"error", "\x1b[2J", "\x7f\x01\\", "\xff\xfe", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                          "\xf4\x90\x80\x80", "\xc2\x9b" "31m", "\xe4\xba", "张三", "𠮷", "", endless};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct capture c;
        struct buf out;
        buf_init(&out, 0);
        capture_begin(&c);
        log_event(LOG_INFO, "odd", "value %s and_a_rather_long_key_behind_it %s n %u", hostile[i], hostile[i], 1u);
        capture_end(&c, &out);
        json_t *j = one_line(&out);
        assert_true(out.n <= 4096);
        assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
        for (size_t k = 0; k + 1 < out.n; k++)
            assert_true(out.p[k] >= 0x20 && out.p[k] != 0x7f && !(out.p[k] == 0xc2 && out.p[k + 1] < 0xa0));
        assert_string_equal(text_of(j, "event"), "odd");
        json_decref(j);
        buf_clear(&out);
    }
}

static void test_levels_are_filtered_and_counted(void **state)
{
    (void)state;
    struct capture c;
    struct buf out;
    struct err refused = {ERR_INPUT, 0, "a: want b"}, full = {ERR_FULL, 0, "disk"};
    uint64_t warn = log_count(LOG_WARN), error = log_count(LOG_ERROR), debug = log_count(LOG_DEBUG);
    buf_init(&out, 0);
    capture_begin(&c);
    log_event(LOG_DEBUG, "detail", NULL);
    log_error("refused", &refused);
    log_error("stop", &full);
    capture_end(&c, &out);
    assert_null(strstr(buf_text(&out), "detail"));
    assert_non_null(strstr(buf_text(&out), "\"level\":\"warn\",\"event\":\"refused\",\"code\":\"input\",\"error\":\"a: want b\"}\n"));
    assert_non_null(strstr(buf_text(&out), "\"level\":\"error\",\"event\":\"stop\",\"code\":\"full\""));
    assert_int_equal(log_count(LOG_WARN) - warn, 1);
    assert_int_equal(log_count(LOG_ERROR) - error, 1);
    assert_int_equal(log_count(LOG_DEBUG) - debug, 1);
    buf_clear(&out);
}

static void *shout(void *arg)
{
    for (int i = 0; i < 500; i++)
        log_event(LOG_INFO, "shout", "who %s", (const char *)arg);
    return NULL;
}

/* Lines of threads do not mix. */
static void test_lines_of_threads_stay_whole(void **state)
{
    (void)state;
    struct capture c;
    struct buf out;
    pthread_t t[4];
    static char names[4][200];
    size_t lines = 0;
    buf_init(&out, 0);
    capture_begin(&c);
    for (int i = 0; i < 4; i++) {
        memset(names[i], 'a' + i, sizeof names[i] - 1);
        pthread_create(&t[i], NULL, shout, names[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    capture_end(&c, &out);
    for (const char *line = buf_text(&out), *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
        json_t *j = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(j);
        assert_int_equal(strlen(text_of(j, "who")), sizeof names[0] - 1);
        json_decref(j);
    }
    assert_int_equal(lines, 2000);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_become_json), cmocka_unit_test(test_hostile_values_stay_in_their_line),
        cmocka_unit_test(test_levels_are_filtered_and_counted), cmocka_unit_test(test_lines_of_threads_stay_whole),
    };
    log_open("test", LOG_INFO);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
