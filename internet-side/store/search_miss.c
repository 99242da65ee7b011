#include "internet-side/store/search_miss.h"

#include <stdio.h>

enum { Q_ADD, Q_MORE, Q_OLDEST, Q_TAKE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_MORE] = "UPDATE search_miss SET count = count + 1, gmt_modified = ?3 WHERE day = ?1 AND text = ?2",
    [Q_ADD] = "INSERT INTO search_miss(day, text, count, gmt_create, gmt_modified) SELECT ?1, ?2, 1, ?3, ?3 "
              "WHERE (SELECT count(*) FROM search_miss WHERE day = ?1) < ?4",
    [Q_OLDEST] = "SELECT min(day) FROM search_miss WHERE day <= ?1",
    [Q_TAKE] = "DELETE FROM search_miss WHERE id IN (SELECT id FROM search_miss WHERE day = ?1 ORDER BY id LIMIT ?2) RETURNING text, count",
};
const struct db_statements search_miss_statements = { sql, Q__COUNT };

int search_miss_add(struct db_conn *c, const char *day, const char *text, int64_t most, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &search_miss_statements, Q_MORE);
    db_bind_text(s, 1, day);
    db_bind_text(s, 2, text);
    db_bind_int(s, 3, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    if (db_changes(c) > 0)
        return 0;
    s = db_stmt(c, &search_miss_statements, Q_ADD);
    db_bind_text(s, 1, day);
    db_bind_text(s, 2, text);
    db_bind_int(s, 3, now_ms);
    db_bind_int(s, 4, most);
    return db_run(c, s, e);
}

int search_miss_oldest(char day[11], struct db_conn *c, const char *upto, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &search_miss_statements, Q_OLDEST);
    db_bind_text(s, 1, upto);
    const int rc = db_step(c, s, e);
    day[0] = '\0';
    if (rc == 1)
        snprintf(day, 11, "%s", db_col_text(s, 0));
    sqlite3_reset(s);
    return rc < 0 ? -1 : day[0] != '\0';
}

int search_miss_take(struct search_miss *out, size_t max, size_t *n, struct db_conn *c, const char *day, struct err *e)
{
    int rc;
    sqlite3_stmt *s = db_stmt(c, &search_miss_statements, Q_TAKE);
    db_bind_text(s, 1, day);
    db_bind_int(s, 2, (int64_t)max);
    *n = 0;
    while ((rc = db_step(c, s, e)) == 1 && *n < max) {
        snprintf(out[*n].text, sizeof out[*n].text, "%s", db_col_text(s, 0));
        out[(*n)++].count = db_col_int(s, 1);
    }
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
