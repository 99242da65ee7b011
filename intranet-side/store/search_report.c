#include "intranet-side/store/search_report.h"

enum { Q_ADD, Q_PRUNE, Q_EACH, Q_SUM, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO search_report(day, text, count) VALUES(?1, ?2, ?3)"
              " ON CONFLICT(day, text) DO UPDATE SET count = count + ?3, gmt_modified = unixepoch() * 1000",
    [Q_PRUNE] = "DELETE FROM search_report WHERE day < ?1",
    [Q_EACH] = "SELECT text, sum(count) AS n, count(*), max(day) AS last FROM search_report WHERE day BETWEEN ?1 AND ?2"
               " GROUP BY text ORDER BY n DESC, last DESC, text LIMIT ?3",
    [Q_SUM] = "SELECT count(DISTINCT text), coalesce(sum(count), 0) FROM search_report WHERE day BETWEEN ?1 AND ?2",
};
const struct db_statements search_report_statements = {sql, Q__COUNT};

int search_report_add(struct db_conn *c, const char *day, const char *text, int64_t count, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &search_report_statements, Q_ADD);
    db_bind_text(s, 1, day);
    db_bind_text(s, 2, text);
    db_bind_int(s, 3, count);
    return db_run(c, s, e);
}

int search_report_prune(struct db_conn *c, const char *before, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &search_report_statements, Q_PRUNE);
    db_bind_text(s, 1, before);
    return db_run(c, s, e);
}

int search_report_each(struct db_conn *c, const char *from, const char *to, int64_t limit, search_report_fn fn, void *arg, struct err *e)
{
    int rc;
    sqlite3_stmt *s = db_stmt(c, &search_report_statements, Q_EACH);
    db_bind_text(s, 1, from);
    db_bind_text(s, 2, to);
    db_bind_int(s, 3, limit);
    while ((rc = db_step(c, s, e)) == 1) {
        const struct search_report_row r = {db_col_text(s, 0), db_col_text(s, 3), db_col_int(s, 1), db_col_int(s, 2)};
        if (fn(&r, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int search_report_sum(struct db_conn *c, const char *from, const char *to, int64_t *total, int64_t *times, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &search_report_statements, Q_SUM);
    db_bind_text(s, 1, from);
    db_bind_text(s, 2, to);
    if (db_step(c, s, e) != 1)
        return -1;
    *total = db_col_int(s, 0);
    *times = db_col_int(s, 1);
    sqlite3_reset(s);
    return 0;
}
