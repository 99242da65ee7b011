#include "intranet-side/service/searches.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/record.h"
#include "common/text.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/search_report.h"

#define KEEP_DAYS 400
#define USUAL_DAYS 30
#define LIST_MOST 500
#define CSV_MOST 100000
#define NUMBER 6                             /* digits in a row that may be somebody's */

/* --- taken in --- */

static bool has_number(const char *s)
{
    size_t run = 0;
    for (; *s; s++) {
        run = *s >= '0' && *s <= '9' ? run + 1 : 0;
        if (run == NUMBER)
            return true;
    }
    return false;
}

int search_report_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct core *c = app;
    struct record *r = calloc(1, sizeof *r);
    struct date day;
    if (!r)
        return err_set(e, ERR_FULL, "search-report: no memory");
    int rc = record_parse(r, c->parser, 'R', "search-report", content, e);
    if (rc == 0 && date_parse(&day, rec_attr(r->root, "day")) < 0)
        rc = err_set(e, ERR_INPUT, "search-report: day: want a day of the calendar, have another text");
    if (rc == 0 && date_compare(day, date_add_days(clock_beijing_date(it->now_ms), 1)) > 0)      /* would never be old enough to be dropped */
        rc = err_set(e, ERR_INPUT, "search-report: day: want one that has come, have a later one");
    for (const struct rec_node *n = rc == 0 ? rec_child(r->root, "search") : NULL; rc == 0 && n; n = rec_next(n, "search"))
        if (has_number(rec_attr(n, "text")) || text_fault_of(bytes_of(rec_attr(n, "text"))) != TEXT_OK)
            rc = err_set(e, ERR_INPUT, "search-report: text: want plain words without long numbers, have others");
    if (rc < 0) {
        search_report_discard(r);
        return -1;
    }
    *prepared = r;
    return 0;
}

int search_report_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    const struct record *r = prepared;
    char before[11];
    (void)app;
    date_text(before, date_add_days(clock_beijing_date(it->now_ms), -KEEP_DAYS));
    for (const struct rec_node *n = rec_child(r->root, "search"); n; n = rec_next(n, "search"))
        if (search_report_add(conn, rec_attr(r->root, "day"), rec_attr(n, "text"), rec_attr_int(n, "count", 1, 1000000), e) < 0)
            return -1;
    return search_report_prune(conn, before, e);
}

void search_report_discard(void *prepared)
{
    record_free(prepared);
    free(prepared);
}

/* --- shown --- */

struct listing { char from[11], to[11]; int64_t limit, total, times; json_t *list; struct buf *csv; };

static int days_of(struct listing *l, const char *from, const char *to, int64_t now_ms, struct reply *r, struct err *e)
{
    struct date a, b, today = clock_beijing_date(now_ms);
    const bool bad = (*from && date_parse(&a, from) < 0) || (*to && date_parse(&b, to) < 0);
    if (!bad && !*to)
        b = today;
    if (!bad && !*from)
        a = date_add_days(b, 1 - USUAL_DAYS);
    if (bad || date_compare(a, b) > 0)
        return reply_refuse(r, e, ERR_INPUT, "searches: from, to: want two days in order", "日期不对，请重新选择");
    date_text(l->from, a);
    date_text(l->to, b);
    return 0;
}

static int row_json(const struct search_report_row *r, void *arg, struct err *e)
{
    struct listing *l = arg;
    json_t *row = json_pack("{s:s, s:I, s:I, s:s}", "text", r->text, "count", (json_int_t)r->count, "days", (json_int_t)r->days, "last", r->last);
    return json_array_append_new(l->list, row) < 0 ? err_set(e, ERR_FULL, "searches: no memory") : 0;
}

/* What a spreadsheet would run as a formula, in full width too: that is how an input method writes it. */
static bool formula(const char *s)
{
    static const char *const starts[] = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};
    s += strspn(s, " ");
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(s, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* A cell in quotes; an apostrophe before a formula. */
static void csv_cell(struct buf *out, const char *s)
{
    buf_str(out, formula(s) ? "\"'" : "\"");
    for (; *s; s++) {
        if (*s == '"')
            buf_u8(out, '"');
        buf_u8(out, (uint8_t)*s);
    }
    buf_str(out, "\"");
}

static int row_csv(const struct search_report_row *r, void *arg, struct err *e)
{
    struct listing *l = arg;
    (void)e;
    csv_cell(l->csv, r->text);
    buf_fmt(l->csv, ",%lld,%lld,", (long long)r->count, (long long)r->days);
    csv_cell(l->csv, r->last);
    buf_str(l->csv, "\r\n");
    return 0;
}

static int list_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct listing *l = arg;
    return search_report_sum(conn, l->from, l->to, &l->total, &l->times, e) < 0 ? -1
           : search_report_each(conn, l->from, l->to, l->limit, l->csv ? row_csv : row_json, l, e);
}

int searches_list(struct core *c, const struct actor *a, const char *from, const char *to, int64_t now_ms, struct reply *r, struct err *e)
{
    struct listing l = {.limit = LIST_MOST, .list = json_array()};
    (void)a;
    int rc = days_of(&l, from, to, now_ms, r, e);
    if (rc == 0)
        rc = db_read(c->db, list_read, &l, e);
    if (rc == 0)
        r->body = json_pack("{s:s, s:s, s:I, s:I, s:O}", "from", l.from, "to", l.to, "total", (json_int_t)l.total, "times", (json_int_t)l.times, "searches", l.list);
    json_decref(l.list);
    return rc;
}

int searches_csv(struct buf *out, struct core *c, const struct actor *a, const char *from, const char *to, int64_t now_ms, struct reply *r, struct err *e)
{
    struct listing l = {.limit = CSV_MOST, .csv = out};
    if (days_of(&l, from, to, now_ms, r, e) < 0)
        return -1;
    buf_str(out, "\xef\xbb\xbf\"搜索词\",\"次数\",\"天数\",\"最近一天\"\r\n");
    if (db_read(c->db, list_read, &l, e) < 0 || buf_done(out, "searches", e) < 0)
        return -1;
    return core_audit_now(c, a, now_ms, "export", "searches", "ok", e);
}
