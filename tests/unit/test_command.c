/* The command folder: whatever an ask holds, it is answered and goes. */
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

#include "ferry/lib/command.c"

static int refuse(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    (void)d, (void)app, (void)answer;
    return err_set(e, ERR_MISSING, "nothing of '%.4s'", command_text(args, "id"));
}

static const struct delivery_verb verbs[] = {{"refuse", refuse}};

/* Serves one ask in a folder of its own: what `ferry` gets to read. */
static void asked(const char *text, enum err_code code, const char *words)
{
    static struct delivery d;
    struct scratch s;
    struct err e = {0};
    json_t *answer = NULL;
    int fd;
    d.opt.verbs = verbs;
    d.opt.nverbs = 1;
    scratch_open(&s);
    scratch_write(&s, "1.ask", bytes_of(text));
    assert_int_equal(folder_open(&fd, s.dir, 0, &e), 0);
    if (look(&d, fd, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(faccessat(fd, "1.ask", F_OK, 0) < 0);
    assert_error(take_answer(fd, "1.answer", &answer, &e), &e, code, words);
    close(fd);
    scratch_close(&s);
}

static void at_now(char out[300], const char *verb, const char *id)
{
    snprintf(out, 300, "{\"verb\":\"%s\",\"args\":{\"id\":\"%s\"},\"at_ms\":%lld}", verb, id, (long long)clock_wall_ms());
}

/* A refusal may quote the asker up to the middle of a character: no JSON could say that. Such an ask stayed, and nothing behind it was heard. FRY-14 */
static void test_cut_quotation_is_answered(void **state)
{
    char ask[300];
    (void)state;
    at_now(ask, "refuse", "户政");
    asked(ask, ERR_MISSING, "nothing of '户?'");
    at_now(ask, "a户政户政户政户政户政户政", "");
    asked(ask, ERR_INPUT, "verb 'a户政户政户政户政户?" "?' is not one of this service");
}

/* The time of an ask is somebody's number. */
static void test_impossible_times_are_stale(void **state)
{
    (void)state;
    asked("{\"verb\":\"refuse\",\"at_ms\":-9223372036854775808}", ERR_INPUT, "given");
    asked("{\"verb\":\"refuse\",\"at_ms\":9223372036854775807}", ERR_INPUT, "given");
    asked("{\"verb\":\"refuse\"}", ERR_INPUT, "not run");
    asked("[", ERR_INPUT, "not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut_quotation_is_answered), cmocka_unit_test(test_impossible_times_are_stale)};
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
