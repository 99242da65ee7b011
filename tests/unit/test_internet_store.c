/* The stores of the internet side on a real database: repeats, counters, and what a purge leaves. */
#include <stdio.h>

#include "common/db.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/numbers.h"
#include "internet-side/store/guard.h"
#include "internet-side/store/search_miss.h"
#include "internet-side/store/tracking.h"
#include "internet-side/store/upload.h"
#include "tests/unit/scratch.h"

#define NOW 1795425000000ll          /* 2026-11-23 in Beijing */

struct world { struct scratch s; struct db *db; };

static int setup(void **state)
{
    static struct world w;
    struct err e = {0};
    scratch_open(&w.s);
    const struct db_options opt = { scratch_path(&w.s, "internet.db"), 7, SOURCE_DIR "/schemas/migrations/internet", 2 };
    assert_int_equal(db_open(&w.db, &opt, &e), 0);
    assert_int_equal(db_prepare(w.db, &tracking_statements, &e), 0);
    assert_int_equal(db_prepare(w.db, &upload_statements, &e), 0);
    assert_int_equal(db_prepare(w.db, &guard_statements, &e), 0);
    assert_int_equal(db_prepare(w.db, &search_miss_statements, &e), 0);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    scratch_close(&w->s);
    return 0;
}

static int add_case(struct db_conn *c, void *arg, struct err *e)
{
    struct tracking t = { .config = 1, .submitted_ms = NOW, .updated_ms = NOW, .crossing = "crossing", .stage = 1, .item = "HJ001", .unit = "340799510000" };
    t.no = *(const struct case_no *)arg;
    return tracking_add(c, &t, NOW, e);
}

/* CIT-08 No number twice: not after a restart, and not over a database that was refilled without its counter. */
static void numbers(void **state)
{
    struct world *w = *state;
    struct numbers *n;
    struct case_no a, b, filled;
    struct err e = {0};
    assert_int_equal(numbers_open(&n, w->db, &e), 0);
    assert_int_equal(numbers_next(&a, n, NOW, &e), 0);
    assert_string_equal(a.s, "3407261100000018");
    assert_int_equal(numbers_next(&b, n, NOW, &e), 0);
    assert_true(strcmp(a.s, b.s) < 0);
    numbers_close(n);
    assert_int_equal(numbers_open(&n, w->db, &e), 0);
    assert_int_equal(numbers_next(&b, n, NOW, &e), 0);
    assert_memory_equal(b.s, "340726110000101", 15);
    numbers_close(n);
    case_no_make(&filled, 2612, 5000);
    assert_int_equal(db_write(w->db, add_case, &filled, &e), 0);
    assert_int_equal(numbers_open(&n, w->db, &e), 0);
    assert_int_equal(numbers_next(&b, n, NOW + 30ll * 86400000, &e), 0);
    assert_memory_equal(b.s, "340726120005001", 15);
    numbers_close(n);
}

static int misses_fill(struct db_conn *c, void *arg, struct err *e)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        if (search_miss_add(c, "2026-11-22", "披萨", 2, NOW, e) < 0)
            return -1;
    return search_miss_add(c, "2026-11-22", "外卖", 2, NOW, e) < 0 || search_miss_add(c, "2026-11-22", "第三种", 2, NOW, e) < 0 ||
           search_miss_add(c, "2026-11-23", "今天的", 2, NOW, e) < 0 ? -1 : 0;
}

static int misses_take(struct db_conn *c, void *arg, struct err *e)
{
    struct search_miss row[4];
    size_t n;
    char day[11];
    (void)arg;
    assert_int_equal(search_miss_oldest(day, c, "2026-11-21", e), 0);
    assert_int_equal(search_miss_oldest(day, c, "2026-11-22", e), 1);
    assert_string_equal(day, "2026-11-22");
    assert_int_equal(search_miss_take(row, 1, &n, c, day, e), 0);
    assert_int_equal(n, 1);
    assert_string_equal(row[0].text, "披萨");
    assert_int_equal(row[0].count, 3);
    assert_int_equal(search_miss_take(row, 4, &n, c, day, e), 0);
    assert_int_equal(n, 1);                          /* the third kind had no room */
    assert_string_equal(row[0].text, "外卖");
    assert_int_equal(search_miss_take(row, 4, &n, c, day, e), 0);
    assert_int_equal(n, 0);
    assert_int_equal(search_miss_oldest(day, c, "2026-11-23", e), 1);
    return 0;
}

/* CIT-04 Searches are counted by day and words, a day holds a bounded number of words, and what is taken is gone. */
static void misses(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    assert_int_equal(db_write(w->db, misses_fill, NULL, &e), 0);
    assert_int_equal(db_write(w->db, misses_take, NULL, &e), 0);
}

static int use_up(struct db_conn *c, void *arg, struct err *e)
{
    uint32_t last;
    (void)arg;
    return serial_reserve(&last, c, 2701, CASE_NO_SERIAL_MAX, NOW, e) < 0 ? -1 : serial_reserve(&last, c, 2701, 1, NOW, e);
}

static void numbers_run_out(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    assert_error(db_write(w->db, use_up, NULL, &e), &e, ERR_FULL, "month 2701 has no serial numbers left");
}

struct page { struct upload u; struct upload_part p; int64_t dropped; };

static int add_page(struct db_conn *c, void *arg, struct err *e)
{
    struct page *g = arg;
    return upload_add(c, &g->u, NOW, e) < 0 ? -1 : upload_append(c, &g->u, &g->p, NOW, e);
}

static int append_again(struct db_conn *c, void *arg, struct err *e)
{
    struct page *g = arg;
    return upload_append(c, &g->u, &g->p, NOW, e);
}

static int drop_expired(struct db_conn *c, void *arg, struct err *e)
{
    struct page *g = arg;
    return upload_drop_expired(&g->dropped, c, g->u.expires_ms, e);
}

static int file_known(struct db_conn *c, void *arg, struct err *e) { return upload_file_known(c, arg, e); }

/* A page takes each part once, and goes with its parts when it was not submitted in time. */
static void pages(void **state)
{
    struct world *w = *state;
    struct page g = { .u = { .material = 1, .type = "image/jpeg", .size = 10, .expires_ms = NOW + 1000 }, .p = { .size = 10, .sealed_size = 300 } };
    struct err e = {0};
    id_random(&g.u.id);
    id_random(&g.u.draft);
    id_random(&g.p.item);
    assert_int_equal(db_write(w->db, add_page, &g, &e), 0);
    assert_error(db_write(w->db, append_again, &g, &e), &e, ERR_CONFLICT, "want offset 0, have another");
    assert_int_equal(db_write(w->db, drop_expired, &g, &e), 0);
    assert_int_equal(g.dropped, 1);
    assert_int_equal(db_read(w->db, file_known, g.p.item.s, &e), 0);
}

struct key { struct submission s; int have; };

static int add_submission(struct db_conn *c, void *arg, struct err *e) { return submission_add(c, &((struct key *)arg)->s, e); }

/* CIT-08 One key, one submission. */
static void keys(void **state)
{
    struct world *w = *state;
    struct key k = { .s = { .pages = 2, .at_ms = NOW } };
    struct err e = {0};
    case_no_make(&k.s.no, 2612, 5000);
    id_random(&k.s.record);
    assert_int_equal(db_write(w->db, add_submission, &k, &e), 0);
    assert_error(db_write(w->db, add_submission, &k, &e), &e, ERR_CONFLICT, "submission.key");
    k.s.key.b[0] = 1;
    case_no_make(&k.s.no, 2612, 4999);
    assert_error(db_write(w->db, add_submission, &k, &e), &e, ERR_CONFLICT, "FOREIGN KEY");
}

/* TEC-12 TEC-13 TEC-14 TEC-15 Every table has a growing id and its times, no column without a value, a comment each, and every update stamps it. */
static void tables(void **state)
{
    struct world *w = *state;
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open_v2(scratch_path(&w->s, "internet.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT t.name, sum(c.name = 'id' AND c.pk = 1), sum(c.name IN ('gmt_create', 'gmt_modified')), sum(c.\"notnull\" = 0 AND c.pk = 0) "
                     "FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' GROUP BY t.name", -1, &s, NULL), SQLITE_OK);
    int n = 0;
    for (; sqlite3_step(s) == SQLITE_ROW; n++)
        for (int i = 1; i < 4; i++)
            assert_int_equal(sqlite3_column_int(s, i), i == 1 ? 1 : i == 2 ? 2 : 0);
    assert_true(n >= 11);
    sqlite3_finalize(s);
    sqlite3_close(db);
    const struct db_statements *all[] = { &tracking_statements, &upload_statements, &guard_statements };
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < all[i]->n; k++)
            if (strstr(all[i]->sql[k], "UPDATE ") && strstr(all[i]->sql[k], " SET "))
                assert_non_null(strstr(all[i]->sql[k], "gmt_modified = "));
    FILE *f = fopen(SOURCE_DIR "/schemas/migrations/internet/0002_service.sql", "r");
    char line[512], before[512] = "";
    bool inside = false;
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "CREATE TABLE", 12) == 0) {
            assert_int_equal(strncmp(before, "-- ", 3), 0);
            inside = true;
        } else if (line[0] == ')')
            inside = false;
        else if (inside && strncmp(line, "    UNIQUE", 10) != 0 && !strstr(line, " id ") && !strstr(line, " gmt_"))
            assert_non_null(strstr(line, " -- "));
        snprintf(before, sizeof before, "%s", line);
    }
    assert_non_null(f);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers), cmocka_unit_test(numbers_run_out), cmocka_unit_test(pages), cmocka_unit_test(keys),
                                        cmocka_unit_test(tables), cmocka_unit_test(misses) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
