#include "intranet-side/service/access.h"

#include <string.h>

#include "intranet-side/domain/rules.h"
#include "intranet-side/service/flow.h"

enum access_scope access_case_scope(const struct actor *a)
{
    switch (a->role) {
    case ROLE_AUX:
    case ROLE_OFFICER:
        return ACCESS_STATION;
    case ROLE_SUB_BUREAU:
        return ACCESS_SENT_UP;
    default:
        return ACCESS_NOTHING;
    }
}

bool access_case_visible(const struct actor *a, const struct case_file *f)
{
    if (*a->unit == '\0')
        return false;
    switch (access_case_scope(a)) {
    case ACCESS_STATION:
        return strcmp(f->unit, a->unit) == 0;
    case ACCESS_SENT_UP:
        return strcmp(f->up_unit, a->unit) == 0;
    default:
        return false;
    }
}

bool access_case_unmasked(const struct actor *a, const struct case_file *f, const struct rules *rules)
{
    if (!access_case_visible(a, f) || f->final)
        return false;
    if (*f->holder)
        return strcmp(f->holder, a->id.s) == 0;
    return (flow_wait_roles(rules, f) & a->role) != 0 && f->up == (a->role == ROLE_SUB_BUREAU);
}

bool access_register_visible(const struct actor *a, const char *unit, const char *unit_parent)
{
    if (*a->unit == '\0')
        return false;
    if (a->role == ROLE_AUX || a->role == ROLE_OFFICER)
        return strcmp(unit, a->unit) == 0;
    return a->role == ROLE_SUB_BUREAU && strcmp(unit_parent, a->unit) == 0;
}

bool access_unit_below(const struct actor *a, const char *unit, const char *parent, const char *grandparent)
{
    return strcmp(a->unit, unit) == 0 || strcmp(a->unit, parent) == 0 || strcmp(a->unit, grandparent) == 0;
}

int access_case(struct db_conn *conn, const struct actor *a, const char *no, struct case_file *out, struct reply *r, struct err *e)
{
    struct err mine = {0};
    if (case_get(conn, no, out, &mine) == 0 && access_case_visible(a, out))
        return 0;
    if (mine.code && mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    return reply_refuse(r, e, ERR_MISSING, "case is not there or outside the officer's area", "没有这件，或不在您的范围");
}
