#include "intranet-side/store/case.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/store/case_columns.h"

enum { Q_GET, Q_ADD, Q_SAVE, Q_TOUCH, Q_SEALED, Q_PAYLOAD, Q_KEY, Q_KEY_ADD, Q_REVERSED, Q__COUNT };

#define SET_COLUMNS                                                                                                              \
    "workflow = ?2, state = ?3, previous = ?4, up_unit = ?5, up = ?6, holder = ?7, holder_name = ?8, held_since = ?9, "          \
    "transitions = ?10, wait_roles = ?11, final = ?12, archived = ?13, pre_archived = ?14, supplemented = ?15, "                 \
    "originals_due = ?16, confirmed = ?17, state_since = ?18, state_due = ?19, total_due = ?20, stopped_on = ?21, "              \
    "citizen_due = ?22, sort_due = ?23, round = ?24, pages_total = ?25, pages_done = ?26, undo_until = ?27, undo_officer = ?28, " \
    "gmt_modified = unixepoch() * 1000"

static const char *const sql[Q__COUNT] = {
    [Q_GET] = "SELECT " CASE_COLUMNS " FROM case_file AS f WHERE no = ?1",
    [Q_ADD] = "INSERT INTO case_file(no, item, flow, state, unit, channel, submitted, received, state_since, config_version, record, content,"
              " person, id_index, id_sealed, phone_sealed, payload, pages_total) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
              " ?14, ?15, ?16, ?17, ?18)",
    [Q_SAVE] = "UPDATE case_file SET version = version + 1, " SET_COLUMNS " WHERE no = ?1 AND version = ?29",
    [Q_TOUCH] = "UPDATE case_file SET " SET_COLUMNS " WHERE no = ?1 AND version = ?29",
    [Q_SEALED] = "SELECT id_sealed, phone_sealed, payload FROM case_file WHERE no = ?1",
    [Q_PAYLOAD] = "UPDATE case_file SET payload = ?2, gmt_modified = unixepoch() * 1000 WHERE no = ?1",
    [Q_KEY] = "SELECT wrapped FROM case_key WHERE case_no = ?1",
    [Q_REVERSED] = "UPDATE case_file SET reversed = ?2, version = version + 1, gmt_modified = unixepoch() * 1000 WHERE no = ?1",
    [Q_KEY_ADD] = "INSERT INTO case_key(case_no, wrapped) VALUES(?1, ?2)",
};
const struct db_statements case_statements = {sql, Q__COUNT};

#define TEXT(member, col) snprintf(f->member, sizeof f->member, "%s", db_col_text(s, col))
void case_read_row(struct case_file *f, sqlite3_stmt *s)
{
    memset(f, 0, sizeof *f);
    int i = 0;
    TEXT(no, i++);
    TEXT(item, i++);
    TEXT(flow, i++);
    TEXT(workflow, i++);
    TEXT(state, i++);
    TEXT(previous, i++);
    TEXT(unit, i++);
    TEXT(up_unit, i++);
    f->up = db_col_int(s, i++) != 0;
    TEXT(holder, i++);
    TEXT(holder_name, i++);
    f->held_since = db_col_int(s, i++);
    f->version = db_col_int(s, i++);
    f->transitions = db_col_int(s, i++);
    f->wait_roles = (unsigned)db_col_int(s, i++);
    f->final = db_col_int(s, i++) != 0;
    f->archived = db_col_int(s, i++) != 0;
    f->pre_archived = db_col_int(s, i++) != 0;
    f->supplemented = db_col_int(s, i++) != 0;
    f->originals_due = db_col_int(s, i++) != 0;
    TEXT(channel, i++);
    f->submitted = db_col_int(s, i++);
    f->received = db_col_int(s, i++);
    f->confirmed = db_col_int(s, i++);
    f->state_since = db_col_int(s, i++);
    TEXT(state_due, i++);
    TEXT(total_due, i++);
    TEXT(stopped_on, i++);
    TEXT(citizen_due, i++);
    TEXT(sort_due, i++);
    f->config_version = db_col_int(s, i++);
    TEXT(record, i++);
    TEXT(content, i++);
    TEXT(person, i++);
    f->round = db_col_int(s, i++);
    f->pages_total = db_col_int(s, i++);
    f->pages_done = db_col_int(s, i++);
    f->undo_until = db_col_int(s, i++);
    TEXT(undo_officer, i++);
    f->reversed = db_col_int(s, i++);
}

int case_get(struct db_conn *c, const char *no, struct case_file *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_GET);
    db_bind_text(s, 1, no);
    int rc = db_step(c, s, e);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_MISSING, "case %s is not known", no);
    case_read_row(out, s);
    sqlite3_reset(s);
    return 0;
}

int case_add(struct db_conn *c, const struct case_file *f, struct bytes id_index, struct bytes id_sealed, struct bytes phone_sealed,
             struct bytes payload, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_ADD);
    const char *const text[] = {f->no, f->item, f->flow, f->state, f->unit, f->channel};
    for (int i = 0; i < 6; i++)
        db_bind_text(s, i + 1, text[i]);
    db_bind_int(s, 7, f->submitted);
    db_bind_int(s, 8, f->received);
    db_bind_int(s, 9, f->state_since);
    db_bind_int(s, 10, f->config_version);
    db_bind_text(s, 11, f->record);
    db_bind_text(s, 12, f->content);
    db_bind_text(s, 13, f->person);
    db_bind_blob(s, 14, id_index);
    db_bind_blob(s, 15, id_sealed);
    db_bind_blob(s, 16, phone_sealed);
    db_bind_blob(s, 17, payload);
    db_bind_int(s, 18, f->pages_total);
    return db_run(c, s, e);
}

static void bind_changeable(sqlite3_stmt *s, const struct case_file *f)
{
    db_bind_text(s, 1, f->no);
    db_bind_text(s, 2, f->workflow);
    db_bind_text(s, 3, f->state);
    db_bind_text(s, 4, f->previous);
    db_bind_text(s, 5, f->up_unit);
    db_bind_int(s, 6, f->up);
    db_bind_text(s, 7, f->holder);
    db_bind_text(s, 8, f->holder_name);
    db_bind_int(s, 9, f->held_since);
    db_bind_int(s, 10, f->transitions);
    db_bind_int(s, 11, f->wait_roles);
    db_bind_int(s, 12, f->final);
    db_bind_int(s, 13, f->archived);
    db_bind_int(s, 14, f->pre_archived);
    db_bind_int(s, 15, f->supplemented);
    db_bind_int(s, 16, f->originals_due);
    db_bind_int(s, 17, f->confirmed);
    db_bind_int(s, 18, f->state_since);
    db_bind_text(s, 19, f->state_due);
    db_bind_text(s, 20, f->total_due);
    db_bind_text(s, 21, f->stopped_on);
    db_bind_text(s, 22, f->citizen_due);
    db_bind_text(s, 23, *f->sort_due ? f->sort_due : "9999-12-31");
    db_bind_int(s, 24, f->round);
    db_bind_int(s, 25, f->pages_total);
    db_bind_int(s, 26, f->pages_done);
    db_bind_int(s, 27, f->undo_until);
    db_bind_text(s, 28, f->undo_officer);
    db_bind_int(s, 29, f->version);
}

static int write_back(struct db_conn *c, size_t q, const struct case_file *f, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, q);
    bind_changeable(s, f);
    if (db_run(c, s, e) < 0)
        return -1;
    return db_changes(c) == 1 ? 0 : err_set(e, ERR_CONFLICT, "case %s changed in between: version is no longer %lld", f->no, (long long)f->version);
}

int case_save(struct db_conn *c, struct case_file *f, struct err *e)
{
    if (write_back(c, Q_SAVE, f, e) < 0)
        return -1;
    f->version++;
    return 0;
}

int case_touch(struct db_conn *c, const struct case_file *f, struct err *e)
{
    return write_back(c, Q_TOUCH, f, e);
}

void case_sealed_clear(struct case_sealed *s)
{
    buf_clear(&s->id_no);
    buf_clear(&s->phone);
    buf_clear(&s->payload);
}

static void put_blob(struct buf *out, sqlite3_stmt *s, int col)
{
    struct bytes b = db_col_blob(s, col);
    buf_init(out, 0);
    buf_put(out, b.p, b.n);
}

int case_get_sealed(struct db_conn *c, const char *no, struct case_sealed *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_SEALED);
    db_bind_text(s, 1, no);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        put_blob(&out->id_no, s, 0);
        put_blob(&out->phone, s, 1);
        put_blob(&out->payload, s, 2);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "case %s is not known", no) : -1;
}

int case_set_payload(struct db_conn *c, const char *no, struct bytes payload, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_PAYLOAD);
    db_bind_text(s, 1, no);
    db_bind_blob(s, 2, payload);
    return db_run(c, s, e);
}

int case_key_get(struct db_conn *c, const char *no, struct buf *wrapped, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_KEY);
    db_bind_text(s, 1, no);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        struct bytes b = db_col_blob(s, 0);
        buf_put(wrapped, b.p, b.n);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "case %s has no key", no) : -1;
}

int case_key_add(struct db_conn *c, const char *no, struct bytes wrapped, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_KEY_ADD);
    db_bind_text(s, 1, no);
    db_bind_blob(s, 2, wrapped);
    return db_run(c, s, e);
}

int case_set_reversed(struct db_conn *c, const char *no, int64_t at, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_statements, Q_REVERSED);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, at);
    return db_run(c, s, e);
}
