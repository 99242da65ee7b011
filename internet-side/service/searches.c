#include "internet-side/service/searches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/delivery.h"
#include "internet-side/domain/query.h"
#include "internet-side/service/limiter.h"
#include "internet-side/store/search_miss.h"

#define NS "urn:hz:record:1"
#define WORDS_A_DAY 5000
#define WORDS_A_RECORD 500
#define RECORDS_A_ROUND 40

struct note { const char *day, *text; int64_t now_ms; };
struct carry { struct core *c; const char *upto; int64_t now_ms; size_t n; struct search_miss *rows; };

static void day_text(char out[11], struct date d)
{
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)d.y % 10000, (unsigned)d.m % 100, (unsigned)d.d % 100);
}

static int note_write(struct db_conn *c, void *arg, struct err *e)
{
    const struct note *n = arg;
    return search_miss_add(c, n->day, n->text, WORDS_A_DAY, n->now_ms, e);
}

int searches_note(struct core *c, const char *query, const char *address, int64_t now_ms, struct reply *r, struct err *e)
{
    struct buf text;
    char day[11];
    unsigned wait = limiter_take(c->limiter, LIMIT_SEARCH, bytes_of(address), now_ms);
    if (!wait)
        wait = limiter_take(c->limiter, LIMIT_SEARCH_ALL, bytes_of("all"), now_ms);
    if (wait)
        return reply_busy(r, e, "search: too often", wait);
    buf_init(&text, SEARCH_MISS_TEXT);
    int rc = 0;
    day_text(day, clock_beijing_date(now_ms));
    if (query_clean(&text, bytes_of(query))) {
        struct note n = { day, buf_text(&text), now_ms };
        rc = db_write(c->db, note_write, &n, e);
    }
    buf_wipe(&text);
    return rc;
}

static int report_xml(struct buf *out, const char *day, const struct search_miss *rows, size_t n, struct err *e)
{
    struct xml_out x;
    xml_begin(&x, "search-report", NS);
    xml_attr(&x, "day", day);
    for (size_t i = 0; i < n; i++) {
        xml_open(&x, "search");
        xml_attr(&x, "text", rows[i].text);
        xml_attr_int(&x, "count", rows[i].count);
        xml_close(&x);
    }
    if (xml_end(&x, e) < 0) {
        buf_clear(&x.out);
        return -1;
    }
    *out = x.out;
    return 0;
}

/* The rows go in the transaction that enqueues their record: carried once, or still there. */
static int carry_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct carry *k = arg;
    char day[11];
    struct buf xml;
    k->n = 0;
    int rc = search_miss_oldest(day, conn, k->upto, e);
    if (rc <= 0)
        return rc;
    if (search_miss_take(k->rows, WORDS_A_RECORD, &k->n, conn, day, e) < 0 || report_xml(&xml, day, k->rows, k->n, e) < 0)
        return -1;
    rc = delivery_send_record(conn, k->c->delivery, "search-report", "", 0, buf_bytes(&xml), 0, NULL, k->now_ms, e);
    buf_clear(&xml);
    return rc;
}

int searches_carry(struct core *c, bool all, int64_t now_ms, int64_t *sent, struct err *e)
{
    char upto[11];
    struct date today = clock_beijing_date(now_ms);
    struct carry k = { .c = c, .upto = upto, .now_ms = now_ms, .n = 1 };
    int rc = 0;
    *sent = 0;
    if (!c->delivery)
        return 0;
    day_text(upto, all ? today : date_add_days(today, -1));
    if (!(k.rows = calloc(WORDS_A_RECORD, sizeof *k.rows)))
        return err_set(e, ERR_FULL, "searches: no memory");
    for (int i = 0; i < RECORDS_A_ROUND && rc == 0 && k.n > 0; i++) {
        rc = db_write(c->db, carry_write, &k, e);
        *sent += rc == 0 ? (int64_t)k.n : 0;
    }
    free(k.rows);
    if (*sent > 0) {
        log_event(LOG_INFO, "searches_carried", "words %lld", (long long)*sent);
        delivery_wake(c->delivery);
    }
    return rc;
}

int searches_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    int64_t sent;
    (void)d;
    (void)args;
    if (searches_carry(app, true, clock_wall_ms(), &sent, e) < 0)
        return -1;
    return json_object_set_new(answer, "sent", json_integer(sent)) < 0 ? err_set(e, ERR_FULL, "searches: no memory") : 0;
}
