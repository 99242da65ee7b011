#include "internet-side/store/tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q_ADD, Q_LOAD, Q_SAVE, Q_OF_ACCOUNT, Q_EVENT_ADD, Q_EVENTS, Q_SUPPLEMENT, Q_SUPPLEMENT_ADD, Q_SUPPLEMENT_SENT, Q__COUNT };

#define COLUMNS "case_no, account, item, config_version, unit, last4, submitted_ms, updated_ms, pages_total, pages_done, crossing, " \
                "local_state, state, variant, state_values, stage, final, deadline, reason"

static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO tracking(" COLUMNS ", gmt_create, gmt_modified) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?20)",
    [Q_LOAD] = "SELECT " COLUMNS " FROM tracking WHERE case_no = ?1",
    [Q_SAVE] = "UPDATE tracking SET updated_ms = ?8, pages_total = ?9, pages_done = ?10, crossing = ?11, local_state = ?12, state = ?13, "
               "variant = ?14, state_values = ?15, stage = ?16, final = ?17, deadline = ?18, reason = ?19, "
               "gmt_modified = ?20 WHERE case_no = ?1",
    [Q_OF_ACCOUNT] = "SELECT " COLUMNS " FROM tracking WHERE account = ?1 ORDER BY submitted_ms DESC, id DESC LIMIT ?2",
    [Q_EVENT_ADD] = "INSERT INTO tracking_event(case_no, at_ms, stage, text, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
    [Q_EVENTS] = "SELECT at_ms, stage, text FROM tracking_event WHERE case_no = ?1 ORDER BY at_ms / 1000, id LIMIT 500",
    [Q_SUPPLEMENT] = "SELECT round, sentence, deadline, wanted, sent FROM supplement_request WHERE case_no = ?1 ORDER BY round DESC LIMIT 1",
    [Q_SUPPLEMENT_ADD] = "INSERT INTO supplement_request(case_no, round, sentence, deadline, wanted, gmt_create, gmt_modified) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    [Q_SUPPLEMENT_SENT] = "UPDATE supplement_request SET sent = ?3, gmt_modified = ?4 WHERE case_no = ?1 AND round = ?2",
};
const struct db_statements tracking_statements = { sql, Q__COUNT };

void tracking_clear(struct tracking *t)
{
    json_decref(t->values);
    t->values = NULL;
}

static void copy(char *out, size_t cap, sqlite3_stmt *s, int i)
{
    snprintf(out, cap, "%s", db_col_text(s, i));
}

static void copy_hash(struct hash256 *out, sqlite3_stmt *s, int i)
{
    const struct bytes b = db_col_blob(s, i);
    memset(out, 0, sizeof *out);
    if (b.n == sizeof out->b)
        memcpy(out->b, b.p, sizeof out->b);
}

static void from_row(struct tracking *t, sqlite3_stmt *s)
{
    memset(t, 0, sizeof *t);
    copy(t->no.s, sizeof t->no.s, s, 0);
    copy_hash(&t->account, s, 1);
    copy(t->item, sizeof t->item, s, 2);
    t->config = (uint32_t)db_col_int(s, 3);
    copy(t->unit, sizeof t->unit, s, 4);
    copy_hash(&t->last4, s, 5);
    t->submitted_ms = db_col_int(s, 6);
    t->updated_ms = db_col_int(s, 7);
    t->pages_total = (int)db_col_int(s, 8);
    t->pages_done = (int)db_col_int(s, 9);
    copy(t->crossing, sizeof t->crossing, s, 10);
    copy(t->local_state, sizeof t->local_state, s, 11);
    copy(t->state, sizeof t->state, s, 12);
    copy(t->variant, sizeof t->variant, s, 13);
    t->values = json_loads(db_col_text(s, 14), JSON_REJECT_DUPLICATES, NULL);
    if (!t->values)
        t->values = json_object();
    t->stage = (int)db_col_int(s, 15);
    t->final = db_col_int(s, 16) != 0;
    copy(t->deadline, sizeof t->deadline, s, 17);
    copy(t->reason, sizeof t->reason, s, 18);
}

/* Columns 8 and up are those Q_SAVE writes; the numbers are the same in both statements. */
static int bind_changing(sqlite3_stmt *s, const struct tracking *t, int64_t now_ms, struct err *e)
{
    char *values = t->values ? json_dumps(t->values, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (t->values && !values)
        return err_set(e, ERR_INTERNAL, "tracking: no memory");
    db_bind_text(s, 1, t->no.s);
    db_bind_int(s, 8, t->updated_ms);
    db_bind_int(s, 9, t->pages_total);
    db_bind_int(s, 10, t->pages_done);
    db_bind_text(s, 11, t->crossing);
    db_bind_text(s, 12, t->local_state);
    db_bind_text(s, 13, t->state);
    db_bind_text(s, 14, t->variant);
    db_bind_text(s, 15, values ? values : "{}");
    db_bind_int(s, 16, t->stage);
    db_bind_int(s, 17, t->final);
    db_bind_text(s, 18, t->deadline);
    db_bind_text(s, 19, t->reason);
    db_bind_int(s, 20, now_ms);
    free(values);
    return 0;
}

int tracking_load(struct tracking *out, struct db_conn *c, const char *no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_LOAD);
    db_bind_text(s, 1, no);
    const int rc = db_step(c, s, e);
    if (rc == 1)
        from_row(out, s);
    return rc;
}

int tracking_add(struct db_conn *c, const struct tracking *t, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_ADD);
    if (bind_changing(s, t, now_ms, e) < 0)
        return -1;
    db_bind_blob(s, 2, (struct bytes){ t->account.b, 32 });
    db_bind_text(s, 3, t->item);
    db_bind_int(s, 4, t->config);
    db_bind_text(s, 5, t->unit);
    db_bind_blob(s, 6, (struct bytes){ t->last4.b, 32 });
    db_bind_int(s, 7, t->submitted_ms);
    return db_run(c, s, e);
}

int tracking_save(struct db_conn *c, const struct tracking *t, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_SAVE);
    return bind_changing(s, t, now_ms, e) < 0 ? -1 : db_run(c, s, e);
}

int tracking_of_account(struct tracking **out, size_t *n, struct db_conn *c, const struct hash256 *account, size_t max, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_OF_ACCOUNT);
    size_t have = 0;
    int rc;
    *out = NULL;
    *n = 0;
    db_bind_blob(s, 1, (struct bytes){ account->b, 32 });
    db_bind_int(s, 2, (int64_t)max);
    while ((rc = db_step(c, s, e)) == 1) {
        if (*n == have) {                /* most people have one or two cases, not max */
            have = have ? 2 * have : 4;
            struct tracking *more = realloc(*out, have * sizeof *more);
            if (!more)
                return err_set(e, ERR_FULL, "tracking: no memory");
            *out = more;
        }
        from_row(&(*out)[(*n)++], s);
    }
    return rc;
}

int tracking_event_add(struct db_conn *c, const char *no, int64_t at_ms, int stage, const char *text, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_EVENT_ADD);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, at_ms);
    db_bind_int(s, 3, stage);
    db_bind_text(s, 4, text);
    db_bind_int(s, 5, now_ms);
    return db_run(c, s, e);
}

int tracking_events(json_t **out, struct db_conn *c, const char *no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_EVENTS);
    json_t *list = json_array();
    int rc;
    db_bind_text(s, 1, no);
    while ((rc = db_step(c, s, e)) == 1)
        json_array_append_new(list, json_pack("{s:I, s:I, s:s}", "at_ms", (json_int_t)db_col_int(s, 0), "stage",
                                              (json_int_t)db_col_int(s, 1), "text", db_col_text(s, 2)));
    if (rc < 0) {
        json_decref(list);
        return -1;
    }
    *out = list;
    return 0;
}

int supplement_load(struct supplement_request *out, struct db_conn *c, const char *no, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_SUPPLEMENT);
    memset(out, 0, sizeof *out);
    db_bind_text(s, 1, no);
    const int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    out->round = (int)db_col_int(s, 0);
    copy(out->sentence, sizeof out->sentence, s, 1);
    copy(out->deadline, sizeof out->deadline, s, 2);
    out->wanted = json_loads(db_col_text(s, 3), JSON_REJECT_DUPLICATES, NULL);
    out->sent = db_col_int(s, 4) != 0;
    return out->wanted ? 1 : err_set(e, ERR_CORRUPT, "supplement_request: wanted: no JSON");
}

int supplement_add(struct db_conn *c, const char *no, const struct supplement_request *r, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_SUPPLEMENT_ADD);
    char *wanted = json_dumps(r->wanted, JSON_COMPACT);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, r->round);
    db_bind_text(s, 3, r->sentence);
    db_bind_text(s, 4, r->deadline);
    db_bind_text(s, 5, wanted);
    db_bind_int(s, 6, now_ms);
    free(wanted);
    return db_run(c, s, e);
}

int supplement_set_sent(struct db_conn *c, const char *no, int round, bool sent, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &tracking_statements, Q_SUPPLEMENT_SENT);
    db_bind_text(s, 1, no);
    db_bind_int(s, 2, round);
    db_bind_int(s, 3, sent);
    db_bind_int(s, 4, now_ms);
    return db_run(c, s, e);
}
