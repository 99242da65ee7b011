#include "intranet-side/store/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q_ADD, Q_OF_ROW, Q_OF_CASE, Q_ALL, Q_LATER, Q_STANDING, Q__COUNT };
#define EVENT                                                                                                                               \
    "SELECT v.id, v.kind, v.subject, v.case_no, v.op, v.business, v.officer, v.name, v.unit, v.text, v.at, v.undoes, v.sealed,"             \
    " EXISTS (SELECT 1 FROM register_event AS u WHERE u.undoes = v.id AND u.undoes <> 0) FROM register_event AS v "
static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO register_event(kind, subject, case_no, op, business, officer, name, unit, text, at, undoes, sealed)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [Q_OF_ROW] = EVENT "WHERE v.subject = ?1 ORDER BY v.id DESC",
    [Q_OF_CASE] = EVENT "WHERE v.case_no = ?1 ORDER BY v.id DESC",
    [Q_ALL] = EVENT "WHERE v.id > ?1 ORDER BY v.id",
    [Q_LATER] = "SELECT v.case_no FROM register_event AS v WHERE v.subject = ?1 AND v.id > ?2 AND v.case_no <> ?3 AND v.undoes = 0"
                " AND NOT EXISTS (SELECT 1 FROM register_event AS u WHERE u.undoes = v.id AND u.undoes <> 0) ORDER BY v.id LIMIT 1",
    [Q_STANDING] = "SELECT count(*) OVER (), v.officer FROM register_event AS v WHERE v.case_no = ?1 AND v.undoes = 0"
                   " AND NOT EXISTS (SELECT 1 FROM register_event AS u WHERE u.undoes = v.id AND u.undoes <> 0) ORDER BY v.id DESC LIMIT 1",
};
const struct db_statements event_statements = {sql, Q__COUNT};

static void place_of(char out[80], const char *subject, int64_t at)
{
    snprintf(out, 80, "register_event/%.32s/%lld", subject, (long long)at);
}

int register_event_add(const struct register_store *r, const struct register_event *v, struct err *e)
{
    char place[80];
    struct buf sealed;
    json_t *both = json_pack("{s:O?, s:O?}", "before", (json_t *)v->before, "after", (json_t *)v->after);
    char *text = both ? json_dumps(both, JSON_COMPACT) : NULL;
    json_decref(both);
    buf_init(&sealed, 1 << 20);
    place_of(place, v->subject, v->at);
    int rc = text ? vault_seal(&sealed, r->v, place, bytes_of(text), e) : err_set(e, ERR_INTERNAL, "event: out of memory");
    free(text);
    if (rc == 0) {
        const char *const texts[] = {v->kind, v->subject, v->case_no, v->op, v->business, v->officer, v->name, v->unit, v->text};
        sqlite3_stmt *s = db_stmt(r->c, &event_statements, Q_ADD);
        for (int i = 0; i < 9; i++)
            db_bind_text(s, i + 1, texts[i] ? texts[i] : "");
        db_bind_int(s, 10, v->at);
        db_bind_int(s, 11, v->undoes);
        db_bind_blob(s, 12, buf_bytes(&sealed));
        rc = db_run(r->c, s, e);
    }
    buf_clear(&sealed);
    return rc;
}

static int row(const struct register_store *r, sqlite3_stmt *s, register_event_fn fn, void *arg, struct err *e)
{
    char place[80];
    struct buf plain;
    buf_init(&plain, 1 << 20);
    struct register_event v = {.id = db_col_int(s, 0), .kind = db_col_text(s, 1), .subject = db_col_text(s, 2), .case_no = db_col_text(s, 3),
                               .op = db_col_text(s, 4), .business = db_col_text(s, 5), .officer = db_col_text(s, 6), .name = db_col_text(s, 7),
                               .unit = db_col_text(s, 8), .text = db_col_text(s, 9), .at = db_col_int(s, 10), .undoes = db_col_int(s, 11),
                               .undone = db_col_int(s, 13) != 0};
    place_of(place, v.subject, v.at);
    int rc = vault_unseal(&plain, r->v, place, db_col_blob(s, 12), e);
    json_t *both = rc == 0 ? json_loadb((const char *)plain.p, plain.n, 0, NULL) : NULL;
    buf_wipe(&plain);
    if (rc == 0) {
        v.before = json_object_get(both, "before");
        v.after = json_object_get(both, "after");
        v.before = json_is_object(v.before) ? v.before : NULL;
        v.after = json_is_object(v.after) ? v.after : NULL;
        rc = fn(&v, arg, e);
    }
    json_decref(both);
    return rc;
}

static int each(const struct register_store *r, sqlite3_stmt *s, register_event_fn fn, void *arg, struct err *e)
{
    int rc;
    while ((rc = db_step(r->c, s, e)) == 1)
        if (row(r, s, fn, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    return rc;
}

int register_event_each(const struct register_store *r, const char *subject, register_event_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &event_statements, Q_OF_ROW);
    db_bind_text(s, 1, subject);
    return each(r, s, fn, arg, e);
}

int register_event_of_case(const struct register_store *r, const char *case_no, register_event_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &event_statements, Q_OF_CASE);
    db_bind_text(s, 1, case_no);
    return each(r, s, fn, arg, e);
}

int register_event_replay(const struct register_store *r, int64_t after, register_event_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &event_statements, Q_ALL);
    db_bind_int(s, 1, after);
    return each(r, s, fn, arg, e);
}

int register_event_later(const struct register_store *r, const char *subject, int64_t id, const char *case_no, char out[20], struct err *e)
{
    sqlite3_stmt *s = db_stmt(r->c, &event_statements, Q_LATER);
    db_bind_text(s, 1, subject);
    db_bind_int(s, 2, id);
    db_bind_text(s, 3, case_no);
    int rc = db_step(r->c, s, e);
    snprintf(out, 20, "%s", rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int register_event_standing(struct db_conn *c, const char *case_no, int64_t *n, char officer[33], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &event_statements, Q_STANDING);
    db_bind_text(s, 1, case_no);
    int rc = db_step(c, s, e);
    *n = rc == 1 ? db_col_int(s, 0) : 0;
    snprintf(officer, 33, "%s", rc == 1 ? db_col_text(s, 1) : "");
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
