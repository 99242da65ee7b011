#include "intranet-side/service/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/case.h"
#include "intranet-side/store/change.h"
#include "intranet-side/store/page.h"
#include "intranet-side/store/people.h"
#include "intranet-side/store/event.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"
#include "intranet-side/store/register.h"
#include "intranet-side/store/search_report.h"
#include "intranet-side/store/trail.h"

void reply_clear(struct reply *r)
{
    json_decref(r->body);
    json_decref(r->fields);
    memset(r, 0, sizeof *r);
}

int reply_refuse(struct reply *r, struct err *e, enum err_code code, const char *why, const char *zh_fmt, ...)
{
    va_list ap;
    va_start(ap, zh_fmt);
    if (r)
        vsnprintf(r->zh, sizeof r->zh, zh_fmt, ap);
    va_end(ap);
    if (r)
        text_mend(r->zh, '?');
    return err_set(e, code, "%s", why);
}

void reply_finding(struct reply *r, const char *field, const char *rule, const char *want, const char *have, const char *message)
{
    json_t *x = json_pack("{s:s, s:s, s:s}", "field", field, "rule", rule, "message", message);
    if (x && *want)
        json_object_set_new(x, "want", json_string(want));
    if (x && *have)
        json_object_set_new(x, "have", json_string(have));
    if (r->fields == NULL)
        r->fields = json_array();
    json_array_append_new(r->fields, x);
}

void reply_field(struct reply *r, const char *field, const char *rule, const char *message)
{
    reply_finding(r, field, rule, "", "", message);
}

int core_audit(struct core *c, struct db_conn *conn, const struct actor *a, int64_t now_ms, const char *act, const char *object,
               const char *result, struct err *e)
{
    struct audit_row r = {now_ms, "", "", "", "", "", act, object, result};
    if (a) {
        r.officer = a->id.s;
        r.login = a->login;
        r.role = role_word(a->role);
        r.unit = a->unit;
        r.address = a->address;
    }
    return audit_add(conn, c->vault, &r, e);
}

struct audit_job {
    struct core *c;
    const struct actor *a;
    int64_t now;
    const char *act, *object, *result;
};

static int audit_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct audit_job *j = arg;
    return core_audit(j->c, conn, j->a, j->now, j->act, j->object, j->result, e);
}

int core_audit_now(struct core *c, const struct actor *a, int64_t now_ms, const char *act, const char *object, const char *result, struct err *e)
{
    struct audit_job j = {c, a, now_ms, act, object, result};
    return db_write(c->db, audit_write, &j, e);
}

int core_prepare(struct db *db, struct err *e)
{
    const struct db_statements *const all[] = {&case_statements, &case_list_statements, &page_statements, &trail_statements,
                                               &people_statements, &register_statements, &household_statements,
                                               &event_statements, &paper_statements, &log_statements, &search_report_statements, &change_statements};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (db_prepare(db, all[i], e) < 0)
            return -1;
    return 0;
}

void time_text(char out[24], int64_t ms)
{
    char t[21];
    clock_rfc3339(t, ms);
    snprintf(out, 24, "%s", t);
}

json_t *json_time(int64_t ms)
{
    char t[24];
    if (ms == 0)
        return json_string("");
    time_text(t, ms);
    return json_string(t);
}

void today_text(char out[11], int64_t now_ms)
{
    date_text(out, clock_beijing_date(now_ms));
}

const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}
