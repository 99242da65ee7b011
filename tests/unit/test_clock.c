#include "common/clock.h"
#include "tests/unit/scratch.h"

static void test_rfc3339_both_ways(void **state)
{
    (void)state;
    static const struct { int64_t ms; const char *s; } good[] = {
        {0, "1970-01-01T00:00:00Z"}, {951782400000, "2000-02-29T00:00:00Z"}, {1795426866000, "2026-11-23T09:41:06Z"},
        {4107542399000, "2100-02-28T23:59:59Z"}, {-1000, "1969-12-31T23:59:59Z"}, {253402300799000, "9999-12-31T23:59:59Z"},
    };
    char text[21];
    int64_t ms;
    struct err e = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        clock_rfc3339(text, good[i].ms);
        assert_string_equal(text, good[i].s);
        assert_int_equal(clock_parse_rfc3339(&ms, good[i].s, &e), 0);
        assert_true(ms == good[i].ms);
    }
    clock_rfc3339(text, -1);                  /* floors, never "00.999" of the next second */
    assert_string_equal(text, "1969-12-31T23:59:59Z");
}

static void test_rfc3339_refuses_other_shapes(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "2026-11-23", "2026-11-23 09:41:06Z", "2026-11-23T09:41:06", "2026-11-23T09:41:06+08:00", "2026-11-23T24:00:00Z",
                                      "2026-11-23T09:60:06Z", "2026-11-23T09:41:60Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23t09:41:06z",
                                      "0000-01-01T00:00:00Z", "2026-11-23T09:41:06.5Z", "2026-11-23T-9:41:06Z"};
    struct err e = {0};
    int64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_error(clock_parse_rfc3339(&ms, bad[i], &e), &e, ERR_INPUT, "time: want 2026-11-23T09:41:06Z, have '");
}

/* A Beijing day begins at 16:00 UTC of the day before. */
static void test_beijing_day(void **state)
{
    (void)state;
    struct date d = clock_beijing_date(1795449599000);         /* 2026-11-23T15:59:59Z */
    assert_true(d.y == 2026 && d.m == 11 && d.d == 23);
    d = clock_beijing_date(1795449600000);
    assert_true(d.y == 2026 && d.m == 11 && d.d == 24);
}

static void test_date_parse_knows_the_calendar(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "2026-1-02", "2026/01/02", "2026-02-30", "1900-02-29", "2026-00-10", "2026-10-00", "2026-10-32", "202a-10-10",
                                      "2026-10-100", "0000-10-10"};
    struct date d = {0};
    assert_int_equal(date_parse(&d, "2000-02-29"), 0);
    assert_true(d.y == 2000 && d.m == 2 && d.d == 29);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(date_parse(&d, bad[i]), -1);
    assert_int_equal(d.y, 2000);
}

/* Whole years: the birthday counts, 29 February comes of age on 1 March in common years. */
static void test_age(void **state)
{
    (void)state;
    static const struct { const char *birth, *on; int age; } t[] = {
        {"2008-11-24", "2026-11-23", 17}, {"2008-11-23", "2026-11-23", 18}, {"2008-02-29", "2026-02-28", 17}, {"2008-02-29", "2026-03-01", 18},
        {"2026-11-23", "2026-11-23", 0},  {"2026-11-24", "2026-11-23", -1}, {"1900-01-01", "2026-11-23", 126},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct date b, on;
        assert_int_equal(date_parse(&b, t[i].birth) | date_parse(&on, t[i].on), 0);
        assert_int_equal(date_age_at(b, on), t[i].age);
    }
}

/* Walking day by day over four centuries visits each calendar day once. */
static void test_add_days_walks_the_calendar(void **state)
{
    (void)state;
    struct date d = {1800, 1, 1};
    for (int n = 1; n <= 146097; n++) {
        struct date next = date_add_days(d, 1);
        assert_true(date_valid(next) && date_compare(next, d) > 0);
        d = next;
    }
    assert_true(d.y == 2200 && d.m == 1 && d.d == 1);
    d = date_add_days(d, -146097);
    assert_true(d.y == 1800 && d.m == 1 && d.d == 1);
}

static void test_mono_does_not_go_back(void **state)
{
    (void)state;
    int64_t last = clock_mono_ms();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_ms();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339_both_ways), cmocka_unit_test(test_rfc3339_refuses_other_shapes), cmocka_unit_test(test_beijing_day),
        cmocka_unit_test(test_date_parse_knows_the_calendar), cmocka_unit_test(test_age), cmocka_unit_test(test_add_days_walks_the_calendar),
        cmocka_unit_test(test_mono_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
