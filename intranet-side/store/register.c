#include "intranet-side/store/register.h"

#include <stdio.h>
#include <string.h>

enum {
    Q_BY_INDEX, Q_BY_UID, Q_MEMBERS, Q_NORMAL, Q_FIND, Q_FIND_TOTAL, Q_ADD, Q_UPDATE, Q_DELETE, Q_GIVEN, Q_FORGET, Q_PERSONS, Q__COUNT
};
/* Plain columns in the order of `columns` below, behind uid, household, sealed. */
#define PLAIN                                                                                                                     \
    "name, former_name, gender, ethnicity, birth_date, birth_time, birth_country, birth_region, birth_place, native_region, "     \
    "marital_status, education, military_status, employer, relation_to_head, father_name, mother_name, spouse_name, status, "     \
    "cancel_kind, cancel_date, cancel_reason, lock_case, move_in_date, move_in_region, move_in_reason, move_out_region, move_out_place"
#define PERSON "SELECT uid, household, sealed, " PLAIN " FROM person"
#define FIND                                                                                                                      \
    " FROM person AS p JOIN household AS h ON h.uid = p.household JOIN unit AS u ON u.code = h.unit"                              \
    " WHERE ((?1 <> '' AND h.unit = ?1) OR (?2 <> '' AND u.parent = ?2)) AND (?3 = '' OR p.name = ?3) AND (?4 = '' OR p.birth_date = ?4)"
static const char *const sql[Q__COUNT] = {
    [Q_BY_INDEX] = PERSON " WHERE id_index = ?1",
    [Q_BY_UID] = PERSON " WHERE uid = ?1",
    [Q_MEMBERS] = PERSON " WHERE household = ?1 ORDER BY id",
    [Q_NORMAL] = PERSON " WHERE household = ?1 AND status = 'normal' ORDER BY id",
    [Q_FIND] = "SELECT p.uid" FIND " ORDER BY p.name, p.birth_date, p.id LIMIT 50",
    [Q_FIND_TOTAL] = "SELECT count(*)" FIND,
    [Q_ADD] = "INSERT INTO person(uid, household, sealed, id_index, " PLAIN ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
              " ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)",
    [Q_UPDATE] = "UPDATE person SET household = ?2, sealed = ?3, id_index = ?4, name = ?5, former_name = ?6, gender = ?7, ethnicity = ?8,"
                 " birth_date = ?9, birth_time = ?10, birth_country = ?11, birth_region = ?12, birth_place = ?13, native_region = ?14,"
                 " marital_status = ?15, education = ?16, military_status = ?17, employer = ?18, relation_to_head = ?19, father_name = ?20,"
                 " mother_name = ?21, spouse_name = ?22, status = ?23, cancel_kind = ?24, cancel_date = ?25, cancel_reason = ?26,"
                 " lock_case = ?27, move_in_date = ?28, move_in_region = ?29, move_in_reason = ?30, move_out_region = ?31, move_out_place = ?32,"
                 " gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
    [Q_DELETE] = "DELETE FROM person WHERE uid = ?1",
    [Q_GIVEN] = "SELECT 1 FROM id_given WHERE id_index = ?1",
    [Q_FORGET] = "DELETE FROM id_given WHERE id_index = ?1",
    [Q_PERSONS] = "SELECT count(*) FROM person",
};
const struct db_statements register_statements = {sql, Q__COUNT};

static const char *const columns[] = {
    "name", "former_name", "gender", "ethnicity", "birth_date", "birth_time", "birth_country", "birth_region", "birth_place", "native_region",
    "marital_status", "education", "military_status", "employer", "relation_to_head", "father_name", "mother_name", "spouse_name", "status",
    "cancel_kind", "cancel_date", "cancel_reason", "lock_case", "move_in_date", "move_in_region", "move_in_reason", "move_out_region", "move_out_place",
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };
static const char *const sealed_columns[] = {"id_no", "phone", "father_id_no", "mother_id_no", "spouse_id_no"};

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void place_of(char out[64], const char *uid)
{
    snprintf(out, 64, "person/sealed/%.32s", uid);
}

static int row_json(const struct register_store *r, sqlite3_stmt *s, json_t **out, struct err *e)
{
    char place[64];
    struct buf plain;
    buf_init(&plain, 1 << 16);
    place_of(place, db_col_text(s, 0));
    *out = NULL;
    int rc = vault_unseal(&plain, r->v, place, db_col_blob(s, 2), e);
    json_t *row = rc == 0 ? json_loadb((const char *)plain.p, plain.n, 0, NULL) : NULL;
    buf_wipe(&plain);
    if (row == NULL)
        return rc < 0 ? -1 : err_set(e, ERR_CORRUPT, "%s: not JSON", place);
    json_object_set_new(row, "person_id", json_string(db_col_text(s, 0)));
    json_object_set_new(row, "household_id", json_string(db_col_text(s, 1)));
    for (int i = 0; i < N_COLUMNS; i++)
        if (*db_col_text(s, 3 + i))
            json_object_set_new(row, columns[i], json_string(db_col_text(s, 3 + i)));
    *out = row;
    return 0;
}

static int one(const struct register_store *r, sqlite3_stmt *s, json_t **out, struct err *e)
{
    *out = NULL;
    int rc = db_step(r->c, s, e);
    if (rc == 1) {
        rc = row_json(r, s, out, e);
        sqlite3_reset(s);
    }
    return rc;
}

int register_by_id_no(const struct register_store *r, const char *id_no, json_t **out, struct err *e)
{
    struct hash256 h;
    vault_index(&h, r->v, id_no);
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, Q_BY_INDEX);
    db_bind_blob(s, 1, (struct bytes){h.b, sizeof h.b});
    return one(r, s, out, e);
}

int register_by_uid(const struct register_store *r, const char *uid, json_t **out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, Q_BY_UID);
    db_bind_text(s, 1, uid);
    return one(r, s, out, e);
}

int register_members(const struct register_store *r, const char *household, bool only_normal, json_t **array, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, only_normal ? Q_NORMAL : Q_MEMBERS);
    int rc;
    db_bind_text(s, 1, household);
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

int register_find(const struct register_store *r, const char *unit, const char *parent, const char *name, const char *birth_date,
                  json_t **array, int64_t *total, struct err *e)
{
    char uids[50][33];
    size_t n = 0;
    int rc;
    *array = json_array();
    for (size_t q = Q_FIND; q <= Q_FIND_TOTAL; q++) {
        sqlite3_stmt *s = db_stmt(r->c, &register_statements, q);
        db_bind_text(s, 1, unit);
        db_bind_text(s, 2, parent);
        db_bind_text(s, 3, name);
        db_bind_text(s, 4, birth_date);
        while ((rc = db_step(r->c, s, e)) == 1)
            if (q == Q_FIND_TOTAL)
                *total = db_col_int(s, 0);
            else if (n < 50)
                snprintf(uids[n++], 33, "%s", db_col_text(s, 0));
        if (rc < 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *row = NULL;
        if (register_by_uid(r, uids[i], &row, e) < 0)
            return -1;
        if (row)
            json_array_append_new(*array, row);
    }
    return 0;
}

static int person_write(const struct register_store *r, size_t q, const json_t *row, struct err *e)
{
    char place[64];
    struct hash256 h;
    struct buf sealed;
    json_t *secret = json_object();
    for (size_t i = 0; i < sizeof sealed_columns / sizeof sealed_columns[0]; i++)
        if (*str(row, sealed_columns[i]))
            json_object_set(secret, sealed_columns[i], json_object_get(row, sealed_columns[i]));
    char *text = json_dumps(secret, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(secret);
    buf_init(&sealed, 1 << 16);
    place_of(place, str(row, "person_id"));
    int rc = text ? vault_seal(&sealed, r->v, place, bytes_of(text), e) : err_set(e, ERR_INTERNAL, "person: out of memory");
    free(text);
    if (rc == 0) {
        sqlite3_stmt *s = db_stmt(r->c, &register_statements, q);
        vault_index(&h, r->v, str(row, "id_no"));
        db_bind_text(s, 1, str(row, "person_id"));
        db_bind_text(s, 2, str(row, "household_id"));
        db_bind_blob(s, 3, buf_bytes(&sealed));
        db_bind_blob(s, 4, (struct bytes){h.b, sizeof h.b});
        for (int i = 0; i < N_COLUMNS; i++)
            db_bind_text(s, 5 + i, str(row, columns[i]));
        rc = db_run(r->c, s, e);
    }
    buf_clear(&sealed);
    return rc;
}

int register_add_person(const struct register_store *r, const json_t *row, struct err *e)
{
    return person_write(r, Q_ADD, row, e);
}

int register_update_person(const struct register_store *r, const json_t *row, struct err *e)
{
    if (person_write(r, Q_UPDATE, row, e) < 0)
        return -1;
    return db_changes(r->c) == 1 ? 0 : err_set(e, ERR_MISSING, "person %s is not known", str(row, "person_id"));
}

int register_delete_person(const struct register_store *r, const char *uid, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, Q_DELETE);
    db_bind_text(s, 1, uid);
    return db_run(r->c, s, e);
}

int register_number_given(const struct register_store *r, const char *id_no, bool *given, struct err *e)
{
    struct hash256 h;
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, Q_GIVEN);
    vault_index(&h, r->v, id_no);
    db_bind_blob(s, 1, (struct bytes){h.b, sizeof h.b});
    int rc = db_step(r->c, s, e);
    *given = rc == 1;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int register_forget_number(const struct register_store *r, const char *id_no, struct err *e)
{
    struct hash256 h;
    sqlite3_stmt *s = db_stmt(r->c, &register_statements, Q_FORGET);
    vault_index(&h, r->v, id_no);
    db_bind_blob(s, 1, (struct bytes){h.b, sizeof h.b});
    return db_run(r->c, s, e);
}

int register_count(struct db_conn *c, int64_t *persons, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &register_statements, Q_PERSONS);
    if (db_step(c, s, e) != 1)
        return -1;
    *persons = db_col_int(s, 0);
    sqlite3_reset(s);
    return 0;
}
