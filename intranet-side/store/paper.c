#include "intranet-side/store/paper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q_VALID, Q_OF, Q_BY_UID, Q_LAST, Q_ADD, Q_UPDATE, Q__COUNT };
#define PAPER "SELECT uid, kind, no, ours, household, person, case_no, unit, issued, valid_until, status, reason, sealed FROM paper "
static const char *const sql[Q__COUNT] = {
    [Q_VALID] = PAPER "WHERE status = 'valid' AND kind = ?1 AND (?2 = '' OR household = ?2) AND (?3 = '' OR person = ?3) AND (?4 = '' OR no = ?4)"
                      " AND (?5 = '' OR case_no = ?5) ORDER BY id",
    [Q_OF] = PAPER "WHERE (household <> '' AND household = ?1 AND kind = 'booklet') OR (person <> '' AND person = ?2) ORDER BY id DESC",
    [Q_BY_UID] = PAPER "WHERE uid = ?1",
    [Q_LAST] = "SELECT coalesce(max(no), '') FROM paper WHERE kind = ?1 AND ours = 1 AND no >= ?2 || '00000000' AND no <= ?2 || '99999999'",
    [Q_ADD] = "INSERT INTO paper(uid, kind, no, ours, household, person, case_no, unit, issued, valid_until, status, reason, sealed)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [Q_UPDATE] = "UPDATE paper SET kind = ?2, no = ?3, ours = ?4, household = ?5, person = ?6, case_no = ?7, unit = ?8, issued = ?9, valid_until = ?10,"
                 " status = ?11, reason = ?12, sealed = ?13, gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
};
const struct db_statements paper_statements = {sql, Q__COUNT};

static const char *const columns[] = {"paper_id", "kind", "no", "ours", "household_id", "person_id", "case_no", "unit_code", "issued", "valid_until",
                                      "status", "reason"};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void place_of(char out[64], const char *uid)
{
    snprintf(out, 64, "paper/sealed/%.32s", uid);
}

static int row_json(const struct register_store *r, sqlite3_stmt *s, json_t **out, struct err *e)
{
    char place[64];
    struct buf plain;
    json_t *row = json_object();
    for (int i = 0; i < N_COLUMNS; i++)
        if (*db_col_text(s, i))
            json_object_set_new(row, columns[i], json_string(db_col_text(s, i)));
    buf_init(&plain, 1 << 16);
    place_of(place, db_col_text(s, 0));
    int rc = vault_unseal(&plain, r->v, place, db_col_blob(s, 12), e);
    json_t *content = rc == 0 ? json_loadb((const char *)plain.p, plain.n, 0, NULL) : NULL;
    buf_wipe(&plain);
    if (rc == 0 && content == NULL)
        rc = err_set(e, ERR_CORRUPT, "%s: not JSON", place);
    if (rc < 0) {
        json_decref(row);
        return -1;
    }
    json_object_set_new(row, "content", content);
    *out = row;
    return 0;
}

static int list(const struct register_store *r, sqlite3_stmt *s, json_t **array, struct err *e)
{
    int rc;
    *array = json_array();
    while ((rc = db_step(r->c, s, e)) == 1) {
        json_t *row = NULL;
        if (row_json(r, s, &row, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
        json_array_append_new(*array, row);
    }
    return rc;
}

int paper_valid(const struct register_store *r, const char *kind, const char *household, const char *person, const char *no, const char *case_no,
                json_t **array, struct err *e)
{
    const char *const v[] = {kind, household, person, no, case_no};
    sqlite3_stmt *s = db_stmt(r->c, &paper_statements, Q_VALID);
    for (int i = 0; i < 5; i++)
        db_bind_text(s, i + 1, v[i] ? v[i] : "");
    return list(r, s, array, e);
}

int paper_of(const struct register_store *r, const char *household, const char *person, json_t **array, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &paper_statements, Q_OF);
    db_bind_text(s, 1, household);
    db_bind_text(s, 2, person);
    return list(r, s, array, e);
}

int paper_by_uid(const struct register_store *r, const char *uid, json_t **out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &paper_statements, Q_BY_UID);
    db_bind_text(s, 1, uid);
    *out = NULL;
    int rc = db_step(r->c, s, e);
    if (rc == 1)
        rc = row_json(r, s, out, e);
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

/* 6 digits of the area and 8 of a serial that runs for each kind in each area: "34079900000017". The last one is read off the index. */
int paper_next(const struct register_store *r, const char *kind, const char *unit, unsigned nth, char out[40], struct err *e)
{
    char area[7];
    uint64_t last = 0;
    sqlite3_stmt *s = db_stmt(r->c, &paper_statements, Q_LAST);
    snprintf(area, sizeof area, "%.6s", unit);
    db_bind_text(s, 1, kind);
    db_bind_text(s, 2, area);
    if (db_step(r->c, s, e) != 1)
        return -1;
    const char *no = db_col_text(s, 0);
    int rc = strlen(no) == 14 ? parse_u64(no + 6, 0, 99999999, &last, "paper number", e) : 0;
    sqlite3_reset(s);
    if (rc == 0 && last + nth + 1 > 99999999)
        rc = err_set(e, ERR_FULL, "no free number for a %s in area %s", kind, area);
    if (rc == 0)
        snprintf(out, 40, "%s%08llu", area, (unsigned long long)(last + nth + 1));
    return rc;
}

static int write(const struct register_store *r, size_t q, const json_t *row, struct err *e)
{
    char place[64];
    struct buf sealed;
    json_t *content = json_object_get(row, "content");
    char *text = content ? json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS) : strdup("{}");
    buf_init(&sealed, 1 << 16);
    place_of(place, str(row, "paper_id"));
    int rc = text ? vault_seal(&sealed, r->v, place, bytes_of(text), e) : err_set(e, ERR_INTERNAL, "paper: out of memory");
    free(text);
    if (rc == 0) {
        sqlite3_stmt *s = db_stmt(r->c, &paper_statements, q);
        for (int i = 0; i < N_COLUMNS; i++)
            if (strcmp(columns[i], "ours") == 0)
                db_bind_int(s, i + 1, strcmp(str(row, "ours"), "0") != 0);
            else
                db_bind_text(s, i + 1, str(row, columns[i]));
        db_bind_blob(s, 13, buf_bytes(&sealed));
        rc = db_run(r->c, s, e);
    }
    buf_clear(&sealed);
    return rc;
}

int paper_add(const struct register_store *r, const json_t *row, struct err *e)
{
    return write(r, Q_ADD, row, e);
}

int paper_update(const struct register_store *r, const json_t *row, struct err *e)
{
    if (write(r, Q_UPDATE, row, e) < 0)
        return -1;
    return db_changes(r->c) == 1 ? 0 : err_set(e, ERR_MISSING, "paper %s is not known", str(row, "paper_id"));
}
