#include "intranet-side/store/household.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q_BY_UID, Q_BY_BOOK, Q_BY_NAME, Q_AT, Q_EACH, Q_LAST_BOOK, Q_ADD_ADDRESS, Q_ADD, Q_UPDATE, Q_DELETE, Q__COUNT };
#define HOUSEHOLD                                                                                                                         \
    "SELECT h.uid, h.book_no, h.kind, h.head, h.address, h.unit, h.status, h.name, h.collective_kind, h.land_kind, h.frozen, h.formed, "   \
    "h.ended, coalesce(p.name, ''), a.region, a.text FROM household AS h JOIN address AS a ON a.uid = h.address"                            \
    " LEFT JOIN person AS p ON p.uid = h.head "
static const char *const sql[Q__COUNT] = {
    [Q_BY_UID] = HOUSEHOLD "WHERE h.uid = ?1",
    [Q_BY_BOOK] = HOUSEHOLD "WHERE h.book_no = ?1",
    [Q_BY_NAME] = HOUSEHOLD "WHERE h.name = ?1 AND h.status = 'normal' ORDER BY h.unit <> ?2, h.id LIMIT 1",
    [Q_AT] = HOUSEHOLD "WHERE a.text = ?1 ORDER BY h.id",
    [Q_EACH] = HOUSEHOLD "ORDER BY h.id",
    [Q_LAST_BOOK] = "SELECT coalesce(max(substr(book_no, 9)), '0') FROM household"
                    " WHERE book_no > ?1 AND book_no < ?1 || ':' AND length(book_no) = 14 AND substr(book_no, 9) NOT GLOB '*[^0-9]*'",
    [Q_ADD_ADDRESS] = "INSERT INTO address(uid, region, text, unit) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (uid) DO NOTHING",
    [Q_ADD] = "INSERT INTO household(uid, book_no, kind, head, address, unit, status, name, collective_kind, land_kind, frozen, formed, ended)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [Q_UPDATE] = "UPDATE household SET book_no = ?2, kind = ?3, head = ?4, address = ?5, unit = ?6, status = ?7, name = ?8, collective_kind = ?9,"
                 " land_kind = ?10, frozen = ?11, formed = ?12, ended = ?13, gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
    [Q_DELETE] = "DELETE FROM household WHERE uid = ?1",
};
const struct db_statements household_statements = {sql, Q__COUNT};

static const char *const columns[] = {"household_id", "book_no", "kind", "head_person_id", "address_id", "unit_code", "status", "name", "collective_kind",
                                      "land_kind", "frozen", "formed", "ended", "head_name", "region", "address"};
enum { N_STORED = 13, N_READ = sizeof columns / sizeof columns[0] };

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static json_t *row_json(sqlite3_stmt *s)
{
    json_t *row = json_object();
    for (int i = 0; i < N_READ; i++)
        if (*db_col_text(s, i))
            json_object_set_new(row, columns[i], json_string(db_col_text(s, i)));
    return row;
}

static int one(const struct register_store *r, size_t q, const char *a, const char *b, json_t **out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, q);
    db_bind_text(s, 1, a);
    if (b)
        db_bind_text(s, 2, b);
    *out = NULL;
    int rc = db_step(r->c, s, e);
    if (rc == 1)
        *out = row_json(s);
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int register_household(const struct register_store *r, const char *uid, json_t **out, struct err *e)
{
    return one(r, Q_BY_UID, uid, NULL, out, e);
}

int register_household_by_book(const struct register_store *r, const char *book_no, json_t **out, struct err *e)
{
    return one(r, Q_BY_BOOK, book_no, NULL, out, e);
}

int register_household_by_name(const struct register_store *r, const char *name, const char *unit, json_t **out, struct err *e)
{
    return one(r, Q_BY_NAME, name, unit, out, e);
}

int register_households_at(const struct register_store *r, const char *address, json_t **array, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_AT);
    int rc;
    db_bind_text(s, 1, address);
    *array = json_array();
    while ((rc = db_step(r->c, s, e)) == 1)
        json_array_append_new(*array, row_json(s));
    return rc;
}

int register_household_each(const struct register_store *r, household_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_EACH);
    int rc;
    while ((rc = db_step(r->c, s, e)) == 1) {
        json_t *row = row_json(s);
        int bad = fn(row, arg, e);
        json_decref(row);
        if (bad < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

/* 8 digits of the unit and a serial that runs through the city. */
int register_next_book(const struct register_store *r, const char *unit, unsigned nth, char out[40], struct err *e)
{
    char station[9];
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_LAST_BOOK);
    snprintf(station, sizeof station, "%.8s", unit);
    db_bind_text(s, 1, station);
    if (db_step(r->c, s, e) != 1)
        return -1;
    unsigned long last = strtoul(db_col_text(s, 0), NULL, 10);
    sqlite3_reset(s);
    if (last + nth + 1 > 999999)
        return err_set(e, ERR_FULL, "household: no free book number");
    snprintf(out, 40, "%.8s%06lu", unit, last + nth + 1);
    return 0;
}

int register_add_address(const struct register_store *r, const json_t *row, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_ADD_ADDRESS);
    static const char *const keys[] = {"address_id", "region", "text", "unit_code"};
    for (int i = 0; i < 4; i++)
        db_bind_text(s, i + 1, str(row, keys[i]));
    return db_run(r->c, s, e);
}

static int write(const struct register_store *r, size_t q, const json_t *row, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, q);
    for (int i = 0; i < N_STORED; i++) {
        const char *v = str(row, columns[i]);
        if (strcmp(columns[i], "frozen") == 0)
            db_bind_int(s, i + 1, strcmp(v, "1") == 0);
        else
            db_bind_text(s, i + 1, strcmp(columns[i], "status") == 0 && !*v ? "normal" : v);
    }
    return db_run(r->c, s, e);
}

int register_add_household(const struct register_store *r, const json_t *row, struct err *e)
{
    if (*str(row, "address")) {
        sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_ADD_ADDRESS);
        db_bind_text(s, 1, str(row, "address_id"));
        db_bind_text(s, 2, str(row, "region"));
        db_bind_text(s, 3, str(row, "address"));
        db_bind_text(s, 4, str(row, "unit_code"));
        if (db_run(r->c, s, e) < 0)
            return -1;
    }
    return write(r, Q_ADD, row, e);
}

int register_update_household(const struct register_store *r, const json_t *row, struct err *e)
{
    if (write(r, Q_UPDATE, row, e) < 0)
        return -1;
    return db_changes(r->c) == 1 ? 0 : err_set(e, ERR_MISSING, "household %s is not known", str(row, "household_id"));
}

int register_delete_household(const struct register_store *r, const char *uid, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &household_statements, Q_DELETE);
    db_bind_text(s, 1, uid);
    return db_run(r->c, s, e);
}
