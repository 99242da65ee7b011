#include "intranet-side/service/registerquery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/mask.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/event.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"
#include "intranet-side/store/people.h"
#include "intranet-side/store/register.h"

enum { WINDOW_MS = 60 * 1000, MOST_QUERIES = 30 };      /* more in a minute is no work at a desk */

struct job {
    struct core *c;
    const struct actor *a;
    const char *id_no, *name, *birth, *person;
    struct db_conn *conn;
    int64_t now, total;
    json_t *out;
    struct reply *r;
};

static json_t *person_row(struct job *j, const json_t *p, struct err *e)
{
    struct register_store s = {j->conn, j->c->vault};
    json_t *home = NULL;
    struct unit u = {.code = ""};
    char id_no[24];
    const char *status = text_of(p, "status"), *kind = text_of(p, "cancel_kind");
    if (register_household(&s, text_of(p, "household_id"), &home, e) < 0)
        return NULL;
    if (home && unit_get(j->conn, text_of(home, "unit_code"), &u, e) < 0) {
        json_decref(home);
        return NULL;
    }
    mask_value(id_no, sizeof id_no, "id", text_of(p, "id_no"));
    char shown[64] = "正常";
    if (strcmp(status, "normal") != 0)
        snprintf(shown, sizeof shown, "已注销(%s)", register_value(NULL, "cancel_kind", kind));
    json_t *row = access_register_visible(j->a, u.code, u.parent)
                      ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", text_of(p, "person_id"), "name", text_of(p, "name"), "former_name",
                                  text_of(p, "former_name"), "id_no", id_no, "gender", register_value(j->c->catalogue, "gender", text_of(p, "gender")),
                                  "birth_date", text_of(p, "birth_date"), "relation",
                                  register_value(j->c->catalogue, "relation_to_head", text_of(p, "relation_to_head")), "address", text_of(home, "address"),
                                  "unit", u.short_name, "status", shown)
                      : json_null();
    json_decref(home);
    return row;
}

static int rows_append(struct job *j, const json_t *people, struct err *e)
{
    size_t i;
    json_t *p;
    json_array_foreach(people, i, p) {
        json_t *row = person_row(j, p, e);
        if (row == NULL)
            return -1;
        if (json_is_object(row))
            json_array_append_new(j->out, row);
    }
    return 0;
}

static int find(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct register_store s = {conn, j->c->vault};
    bool up = j->a->role == ROLE_SUB_BUREAU;
    json_t *people = NULL, *one = NULL;
    int64_t n;
    j->conn = conn;
    if (audit_count(conn, j->a->id.s, "query_register", j->now - WINDOW_MS, &n, e) < 0)
        return -1;
    if (n >= MOST_QUERIES) {
        j->r->retry_s = WINDOW_MS / 1000;
        return reply_refuse(j->r, e, ERR_BUSY, "too many register queries in a minute", "查询太频繁，请稍后再查");
    }
    int rc;
    if (*j->id_no) {
        rc = register_by_id_no(&s, j->id_no, &one, e);
        people = json_array();
        bool fits = one && (!*j->name || strcmp(j->name, text_of(one, "name")) == 0) && (!*j->birth || strcmp(j->birth, text_of(one, "birth_date")) == 0);
        if (fits)
            json_array_append(people, one);
    } else {
        rc = register_find(&s, up ? "" : j->a->unit, up ? j->a->unit : "", j->name, j->birth, &people, &j->total, e);
    }
    if (rc == 0)
        rc = rows_append(j, people, e);
    if (*j->id_no)
        j->total = (int64_t)json_array_size(j->out);
    json_decref(one);
    json_decref(people);
    return rc;
}

/* The rows are handed out only after the log has the query. */
static int find_logged(struct job *j, int64_t start, struct err *e)
{
    const char *how = *j->id_no ? "by id_no" : *j->name ? "by name" : "by birth date";
    j->out = json_array();
    if (db_read(j->c->db, find, j, e) < 0 || core_audit_now(j->c, j->a, j->now, "query_register", "", how, e) < 0) {
        json_decref(j->out);
        return -1;
    }
    j->r->body = json_pack("{s:o, s:I, s:I}", "persons", j->out, "total", (json_int_t)j->total, "took_ms", (json_int_t)(clock_mono_ms() - start));
    return 0;
}

static int refuse(struct reply *r, struct err *e, const char *field, const char *rule, const char *have, const char *why, const char *zh)
{
    reply_finding(r, field, rule, "", have, zh);
    return reply_refuse(r, e, ERR_INPUT, why, "%s", zh);
}

/* The conditions in their normal form: blanks alone are none. */
static int refuse_conditions(const struct job *j, struct reply *r, struct err *e)
{
    struct date d;
    if (!*j->id_no && !*j->name && !*j->birth)
        return refuse(r, e, "", "required", "", "no condition", "请至少填写一个条件");
    if (!*j->id_no && !*j->birth && text_length(bytes_of(j->name)) < 2)
        return refuse(r, e, "name", "length", "1", "a name of one character alone", "只有一个字不能查，请再加条件");
    if (*j->birth && date_parse(&d, j->birth) < 0)
        return refuse(r, e, "birth_date", "date", j->birth, "birth date is no day", "没有这一天，请核对，如 1990-01-01");
    return 0;
}

int registerquery_find(struct core *c, const struct actor *a, const char *id_no, const char *name, const char *birth_date, int64_t now_ms, struct reply *r,
                       struct err *e)
{
    struct job j = {.c = c, .a = a, .id_no = id_no ? id_no : "", .name = name ? name : "", .birth = birth_date ? birth_date : "", .now = now_ms, .r = r};
    int64_t start = clock_mono_ms();
    if (!(a->role & ROLES_CASE))
        return reply_refuse(r, e, ERR_DENIED, "role may not read the register", "您不能查询户籍登记");
    struct buf number, plain;
    buf_init(&number, 1024);
    buf_init(&plain, 1024);
    text_normalise(&number, bytes_of(j.id_no), TEXT_ID);
    text_normalise(&plain, bytes_of(j.name), TEXT_NAME);
    j.id_no = buf_text(&number);
    j.name = buf_text(&plain);
    int rc = number.bad || plain.bad ? refuse(r, e, number.bad ? "id_no" : "name", "length", "", "condition is too long", "查询内容太长")
                                     : refuse_conditions(&j, r, e);
    if (rc == 0)
        rc = find_logged(&j, start, e);
    buf_wipe(&number);
    buf_wipe(&plain);
    return rc;
}

/* --- one person --- */
static const struct { const char *column, *mask; } shown[] = {
    {"name", NULL}, {"former_name", NULL}, {"id_no", "id"}, {"gender", NULL}, {"ethnicity", NULL}, {"birth_date", NULL}, {"birth_time", NULL},
    {"birth_country", NULL}, {"birth_region", NULL}, {"birth_place", NULL}, {"native_region", NULL}, {"relation_to_head", NULL}, {"address", NULL},
    {"marital_status", NULL}, {"education", NULL}, {"military_status", NULL}, {"employer", NULL}, {"phone", "phone"}, {"father_name", NULL},
    {"father_id_no", "id"}, {"mother_name", NULL}, {"mother_id_no", "id"}, {"spouse_name", NULL}, {"spouse_id_no", "id"}, {"status", NULL},
    {"cancel_kind", NULL}, {"cancel_date", NULL}, {"cancel_reason", NULL}, {"lock_case", NULL}, {"move_in_date", NULL}, {"move_in_region", NULL},
    {"move_in_reason", NULL}, {"move_out_region", NULL}, {"move_out_place", NULL},
};
enum { N_SHOWN = sizeof shown / sizeof shown[0] };

static const char *mask_of(const char *column)
{
    for (size_t i = 0; i < N_SHOWN; i++)
        if (strcmp(shown[i].column, column) == 0)
            return shown[i].mask;
    return NULL;
}

static json_t *person_rows(const struct job *j, const json_t *p)
{
    json_t *out = json_array();
    for (size_t i = 0; i < N_SHOWN; i++) {
        const char *v = text_of(p, shown[i].column);
        char text[512];
        if (!*v)
            continue;
        mask_value(text, sizeof text, shown[i].mask, shown[i].mask ? v : register_value(j->c->catalogue, shown[i].column, v));
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:b}", "field", shown[i].column, "label", register_label(shown[i].column), "value", text, "masked",
                                             shown[i].mask != NULL));
    }
    return out;
}

/* --- what happened --- */
struct events { struct job *j; struct register_store s; json_t *out; };

/* A household by its address and number, a person by his name; as things are now, since the past has no other name for them. */
static void named(const struct events *x, const char *column, const char *value, char *out, size_t cap)
{
    json_t *row = NULL;
    struct err ignored = {0};
    bool home = strcmp(column, "household_id") == 0;
    if ((home ? register_household(&x->s, value, &row, &ignored) : register_by_uid(&x->s, value, &row, &ignored)) < 0 || row == NULL)
        snprintf(out, cap, "（已撤销的登记）");
    else if (home)
        snprintf(out, cap, "%s（户号 %s）", text_of(row, "address"), text_of(row, "book_no"));
    else
        snprintf(out, cap, "%s", text_of(row, "name"));
    json_decref(row);
}

static void value_text(const struct events *x, const char *column, const char *value, char *out, size_t cap)
{
    const char *mask = mask_of(column);
    if (strcmp(column, "household_id") == 0 || strcmp(column, "head_person_id") == 0)
        named(x, column, value, out, cap);
    else
        mask_value(out, cap, mask, mask ? value : register_value(x->j->c->catalogue, column, value));
}

static void put_column(const struct events *x, struct buf *out, const char *column, const char *value)
{
    char text[512];
    value_text(x, column, value, text, sizeof text);
    buf_fmt(out, "%s%s：%s", out->n ? "；" : "", register_label(column), text);
}

/* "姓名：甲；…" before and after, of the columns that changed; numbers masked. */
static void changed_text(const struct events *x, enum effect_kind kind, const struct register_event *v, struct buf *before, struct buf *after)
{
    const char *column;
    for (size_t i = 0; (column = register_column(kind, i)); i++) {
        const char *b = text_of(v->before, column), *a = text_of(v->after, column);
        if (strcmp(a, b) == 0)
            continue;
        if (*b)
            put_column(x, before, column, b);
        if (*a || *b)
            put_column(x, after, column, a);
    }
}

static int event_row(const struct register_event *v, void *arg, struct err *e)
{
    struct events *x = arg;
    struct buf before, after;
    char who[200];
    enum effect_kind kind = strcmp(v->kind, "person") == 0 ? EFFECT_PERSON : strcmp(v->kind, "household") == 0 ? EFFECT_HOUSEHOLD : EFFECT_PAPER;
    (void)e;
    buf_init(&before, 4000);
    buf_init(&after, 4000);
    changed_text(x, kind, v, &before, &after);
    effect_who(who, sizeof who, kind, v->after ? v->after : v->before);
    json_array_append_new(x->out, json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "at", json_time(v->at), "text", v->text, "who", v->name,
                                            "unit", v->unit, "action", v->op, "before", buf_text(&before), "after", v->after ? buf_text(&after) : "（登记已撤销）",
                                            "no", v->case_no, "kind", v->kind, "subject", who, "undone", v->undone, "order", (json_int_t)v->id));
    buf_clear(&before);
    buf_clear(&after);
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "order")), y = json_integer_value(json_object_get(*(json_t *const *)b, "order"));
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The person's own events, his household's and those of their papers, newest first. */
static int history_of(struct events *x, const json_t *p, const json_t *home, struct err *e)
{
    json_t *papers = NULL, *v, *sorted[500];
    size_t i, n = 0;
    if (register_event_each(&x->s, text_of(p, "person_id"), event_row, x, e) < 0 ||
        register_event_each(&x->s, text_of(home, "household_id"), event_row, x, e) < 0 ||
        paper_of(&x->s, text_of(home, "household_id"), text_of(p, "person_id"), &papers, e) < 0) {
        json_decref(papers);
        return -1;
    }
    int rc = 0;
    json_array_foreach(papers, i, v)
        if (rc == 0)
            rc = register_event_each(&x->s, text_of(v, "paper_id"), event_row, x, e);
    json_decref(papers);
    json_array_foreach(x->out, i, v)
        if (n < sizeof sorted / sizeof sorted[0])
            sorted[n++] = json_incref(v);
    qsort(sorted, n, sizeof sorted[0], newest_first);
    json_array_clear(x->out);
    for (i = 0; i < n; i++) {
        json_object_del(sorted[i], "order");
        json_array_append_new(x->out, sorted[i]);
    }
    return rc;
}

static int papers_of(struct events *x, const json_t *p, json_t *out, struct err *e)
{
    json_t *papers = NULL, *v;
    size_t i;
    int rc = paper_of(&x->s, text_of(p, "household_id"), text_of(p, "person_id"), &papers, e);
    json_array_foreach(papers, i, v)
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", register_value(NULL, "paper", text_of(v, "kind")), "no", text_of(v, "no"),
                                             "issued", text_of(v, "issued"), "valid_until", text_of(v, "valid_until"), "status",
                                             strcmp(text_of(v, "status"), "cancelled") == 0 ? "已作废" : register_value(NULL, "status", text_of(v, "status")),
                                             "reason", text_of(v, "reason")));
    json_decref(papers);
    return rc;
}

static int person_body(struct job *j, const struct register_store *s, json_t *p, json_t *home, struct err *e)
{
    json_t *members = NULL, *history = json_array(), *papers = json_array();
    struct events x = {j, *s, history};
    j->out = json_array();
    if (register_members(s, text_of(p, "household_id"), false, &members, e) < 0 || rows_append(j, members, e) < 0 || history_of(&x, p, home, e) < 0 ||
        papers_of(&x, p, papers, e) < 0) {
        json_decref(members);
        json_decref(history);
        json_decref(papers);
        json_decref(j->out);
        return -1;
    }
    json_decref(members);
    json_object_set(p, "address", json_object_get(home, "address"));
    j->r->body = json_pack("{s:o, s:o, s:o, s:o}", "person", person_rows(j, p), "household", j->out, "history", history, "papers", papers);
    return 0;
}

static int person(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct register_store s = {conn, j->c->vault};
    json_t *p = NULL, *home = NULL;
    struct unit u = {.code = ""};
    j->conn = conn;
    int rc = register_by_uid(&s, j->person, &p, e);
    if (rc == 0 && p)
        rc = register_household(&s, text_of(p, "household_id"), &home, e);
    if (rc == 0 && home)
        rc = unit_get(conn, text_of(home, "unit_code"), &u, e);
    if (rc == 0 && (p == NULL || !access_register_visible(j->a, u.code, u.parent)))
        rc = reply_refuse(j->r, e, ERR_MISSING, "person is not there or outside the officer's area", "没有这个人，或不在您的范围");
    if (rc == 0)
        rc = person_body(j, &s, p, home, e);
    json_decref(p);
    json_decref(home);
    return rc;
}

int registerquery_person(struct core *c, const struct actor *a, const char *person_id, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .person = person_id, .now = now_ms, .r = r};
    if (db_read(c->db, person, &j, e) < 0)
        return -1;
    if (core_audit_now(c, a, now_ms, "read_person", person_id, "ok", e) == 0)
        return 0;
    json_decref(r->body);
    r->body = NULL;
    return -1;
}
