/* Since when a fault is there: dated once, kept over a restart, forgotten when it is over. FRY-20 */
#include "ferry/lib/since.h"
#include "tests/unit/scratch.h"

#define NOW 1700000000000LL
#define MINUTE 60000LL

static void says(const struct since *s, const char *want)
{
    struct buf b;
    buf_init(&b, 1000);
    since_put(&b, s);
    assert_string_equal(buf_text(&b), want);
    buf_clear(&b);
}

/* FRY-20: the first look dates it, later ones leave it; a clock that went back dates it anew; its end forgets it. */
static void FRY_20_test_dated_once(void **state)
{
    struct since s;
    (void)state;
    since_take(&s, "", NOW - MINUTE);
    says(&s, "\"since\":{}");
    since_note(&s, SINCE_HELD, true, NOW);
    since_note(&s, SINCE_HELD, true, NOW + MINUTE);
    since_note(&s, SINCE_DRAINED, true, NOW + MINUTE);
    says(&s, "\"since\":{\"held\":1700000000000,\"drained\":1700000060000}");
    since_note(&s, SINCE_HELD, false, NOW + 2 * MINUTE);
    since_note(&s, SINCE_DRAINED, true, NOW - 1000);
    says(&s, "\"since\":{\"drained\":1699999999000}");
}

/* FRY-20: what the predecessor dated stays while it shows again within a minute, a date to come is none, and half a file says nothing. */
static void FRY_20_test_taken_over(void **state)
{
    struct scratch d;
    struct since s;
    (void)state;
    scratch_open(&d);
    scratch_write(&d, "status.json", bytes_of("{\"word\":\"warning\",\"since\":{\"held\":1600000000000,\"trouble\":1650000000000,\"journal\":1800000000000,\"other\":1}}"));
    since_take(&s, scratch_path(&d, "status.json"), NOW);
    says(&s, "\"since\":{\"trouble\":1650000000000,\"held\":1600000000000}");
    since_note(&s, SINCE_HELD, false, NOW + 1000);       /* not found yet */
    since_note(&s, SINCE_HELD, true, NOW + 2000);
    since_note(&s, SINCE_TROUBLE, false, NOW + MINUTE);
    says(&s, "\"since\":{\"held\":1600000000000}");
    scratch_write(&d, "status.json", bytes_of("{\"since\":{\"held\":16000"));
    since_take(&s, scratch_path(&d, "status.json"), NOW);
    says(&s, "\"since\":{}");
    scratch_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(FRY_20_test_dated_once), cmocka_unit_test(FRY_20_test_taken_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
