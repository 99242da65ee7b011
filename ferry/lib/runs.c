#include "ferry/lib/runs.h"

#include <stdio.h>
#include <string.h>

#include "common/db.h"
#include "ferry/lib/parts.h"

enum { Q_GAVE, Q_OF_FILE, Q_LIMITS, Q_HEARD, Q_SAY, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_GAVE] = "INSERT INTO out_run(incarnation, run, first, gmt_create, gmt_modified) SELECT incarnation, ?1, ?2, ?3, ?3 FROM delivery_stream WHERE id = 1 "
               "ON CONFLICT(incarnation, run) DO NOTHING",
    [Q_OF_FILE] = "SELECT s.incarnation, coalesce((SELECT run FROM out_run r WHERE r.incarnation = s.incarnation AND r.first <= f.id ORDER BY r.first DESC LIMIT 1), '') "
                  "FROM out_file f, delivery_stream s WHERE f.id = ?1 AND s.id = 1",
    /* Its first number, and the last before the next run began. */
    [Q_LIMITS] = "SELECT r.first, coalesce((SELECT min(n.first) FROM out_run n WHERE n.incarnation = r.incarnation AND n.first > r.first), s.next_number) - 1 "
                 "FROM out_run r, delivery_stream s WHERE s.id = 1 AND r.incarnation = s.incarnation AND r.run = ?1",
    [Q_HEARD] = "INSERT INTO in_run(incarnation, run, low, high, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?3, ?4, ?4) "
                "ON CONFLICT(incarnation, run) DO UPDATE SET low = min(low, ?3), high = max(high, ?3), gmt_modified = ?4",
    /* The starts of a side that was never put back share no number: those that do come first, the oldest of them before all, however many followed. */
    [Q_SAY] = "SELECT run, low, high FROM (SELECT id, run, low, high, coalesce(lead(low) OVER byl <= high, 0) OR "
              "coalesce(max(high) OVER (ORDER BY low, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) >= low, 0) AS twice "
              "FROM in_run WHERE incarnation = ?1 WINDOW byl AS (ORDER BY low, id)) ORDER BY twice DESC, CASE WHEN twice THEN id ELSE -id END LIMIT ?2",
};
static const struct db_statements st = {sql, Q__COUNT};

int runs_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

int runs_gave(struct db_conn *c, const char *run, uint64_t number, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_GAVE);
    db_bind_text(s, 1, run);
    db_bind_int(s, 2, (int64_t)number);
    db_bind_int(s, 3, now_ms);
    return db_run(c, s, e);
}

int runs_of_file(struct db_conn *c, uint64_t number, char incarnation[17], char run[17], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_OF_FILE);
    db_bind_int(s, 1, (int64_t)number);
    int rc = db_step(c, s, e);
    snprintf(incarnation, 17, "%s", rc == 1 ? db_col_text(s, 0) : "");
    snprintf(run, 17, "%s", rc == 1 ? db_col_text(s, 1) : "");
    sqlite3_reset(s);
    return rc;
}

int runs_ours(struct db_conn *c, const struct beat *b, char why[160], struct err *e)
{
    why[0] = 0;
    for (size_t i = 0; i < b->nruns && !why[0]; i++) {
        const struct beat_run *r = &b->runs[i];
        sqlite3_stmt *s = db_stmt(c, &st, Q_LIMITS);
        db_bind_text(s, 1, r->id);
        int rc = db_step(c, s, e);
        const uint64_t first = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0, last = rc == 1 ? (uint64_t)db_col_int(s, 1) : 0;
        sqlite3_reset(s);
        if (rc < 0)
            return -1;
        if (rc == 0)
            snprintf(why, 160, "the peer received file %llu of a start (%s) that this database does not know", (unsigned long long)r->to, r->id);
        else if (r->from < first || r->to > last)
            snprintf(why, 160, "the peer received files %llu to %llu of start %s, this database knows %llu to %llu", (unsigned long long)r->from, (unsigned long long)r->to, r->id,
                     (unsigned long long)first, (unsigned long long)last);
    }
    return 0;
}

int runs_heard(struct db_conn *c, const struct envelope_head *h, int64_t now_ms, struct err *e)
{
    if (!h->run[0])
        return 0;
    sqlite3_stmt *s = db_stmt(c, &st, Q_HEARD);
    db_bind_text(s, 1, h->incarnation);
    db_bind_text(s, 2, h->run);
    db_bind_int(s, 3, (int64_t)h->number);
    db_bind_int(s, 4, now_ms);
    return db_run(c, s, e);
}

int runs_say(struct db_conn *c, const char *incarnation, struct beat *b, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_SAY);
    int rc = 0;
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, ENVELOPE_RUNS);
    for (b->nruns = 0; b->nruns < ENVELOPE_RUNS && (rc = db_step(c, s, e)) == 1; b->nruns++) {
        struct beat_run *r = &b->runs[b->nruns];
        *r = (struct beat_run){.from = (uint64_t)db_col_int(s, 1), .to = (uint64_t)db_col_int(s, 2)};
        snprintf(r->id, sizeof r->id, "%s", db_col_text(s, 0));
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
