/* form_rules.c - rules across fields. A field that failed its own check, or is not visible, has no value here: one mistake is said once. */
#include <stdio.h>
#include <string.h>

#include "common/form_parts.h"
#include "common/idnumber.h"

static size_t index_of(const struct judge *j, const struct field *f)
{
    return (size_t)(f - j->f->fields);
}

static const json_t *good_value(const struct judge *j, const char *id)
{
    const struct field *f = family_field(j->f, id);
    const json_t *v = judge_value(j, id);
    return f && j->bad[index_of(j, f)] ? NULL : form_present(v) ? v : NULL;
}

static bool number_of(const struct judge *j, const char *id, struct id_number *out)
{
    const struct field *f = family_field(j->f, id);
    const json_t *v = good_value(j, id);
    return f && v && judge_id_checked(j, f) && id_number_parse(out, json_string_value(v), json_string_length(v), j->ctx->today) == ID_OK;
}

static bool day_of(const struct judge *j, const char *operand, struct date *out)
{
    struct id_number id;
    const struct field *f = family_field(j->f, operand);
    if (strcmp(operand, "today") == 0) {
        *out = j->ctx->today;
        return true;
    }
    if (f && f->type == FIELD_DATE) {
        const char *s = json_string_value(good_value(j, operand));
        return s && date_parse(out, s) == 0;
    }
    if (!number_of(j, operand, &id))
        return false;
    *out = id.birth;
    return true;
}

/* Here a field that was filled in badly still counts as filled in. */
static size_t given(const struct judge *j, const json_t *fields)
{
    size_t n = 0, i;
    json_t *id;
    json_array_foreach(fields, i, id)
        if (form_present(judge_value(j, json_string_value(id))))
            n++;
    return n;
}

static bool days_hold(const struct judge *j, const struct rule *r)
{
    struct date a, b = j->ctx->today;
    if (!day_of(j, r->a, &a) || (r->b && !day_of(j, r->b, &b)))
        return true;
    switch (r->op) {
    case RULE_NOT_AFTER: return date_compare(a, b) <= 0;
    case RULE_NOT_BEFORE: return date_compare(a, b) >= 0;
    case RULE_AGE_AT_LEAST: return date_age_at(a, j->ctx->today) >= r->n;
    default: return date_age_at(a, j->ctx->today) < r->n;
    }
}

static bool values_hold(const struct judge *j, const struct rule *r)
{
    const json_t *a = good_value(j, r->a), *b = r->b ? good_value(j, r->b) : NULL;
    size_t i;
    json_t *v;
    if (!a || (r->b && !b))
        return true;
    if (r->op == RULE_SAME || r->op == RULE_DIFFER)
        return (json_equal(a, b) != 0) == (r->op == RULE_SAME);
    json_array_foreach(r->values, i, v)
        if (json_equal(a, v))
            return true;
    return false;
}

static const char *cell(const json_t *row, const char *column)
{
    const json_t *v = json_object_get(row, column);
    return form_present(v) ? json_string_value(v) : NULL;
}

/* Then its absence has been said already. */
static bool column_required(const struct judge *j, const struct rule *r)
{
    const struct repeat *rows = family_repeat(j->f, r->a);
    for (size_t i = 0; rows && i < rows->n_fields; i++)
        if (strcmp(rows->fields[i].id, r->column) == 0)
            return rows->fields[i].required;
    return false;
}

/* Whether rows_differ and rows_have hold for row i. */
static bool row_holds(const struct judge *j, const struct rule *r, const json_t *rows, size_t i)
{
    const json_t *row = json_array_get(rows, i), *v = json_object_get(row, r->column);
    const char *have = cell(row, r->column), *other = r->b ? json_string_value(good_value(j, r->b)) : NULL;
    if (r->op == RULE_ROWS_HAVE)
        return form_present(v) ? !json_is_false(v) : column_required(j, r);
    if (!have)
        return true;
    if (r->b)
        return !other || strcmp(have, other) != 0;
    for (size_t k = 0; k < i; k++) {
        const char *before = cell(json_array_get(rows, k), r->column);
        if (before && strcmp(have, before) == 0)
            return false;
    }
    return true;
}

/* The first row that breaks the rule; as many as there are rows when none does. */
static size_t broken_row(const struct judge *j, const struct rule *r, const json_t *rows)
{
    size_t i = 0;
    while (i < json_array_size(rows) && row_holds(j, r, rows, i))
        i++;
    return i;
}

static bool row_included(const struct judge *j, const struct rule *r, const json_t *rows)
{
    const char *wanted = json_string_value(good_value(j, r->b));
    bool found = !wanted;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *have = cell(json_array_get(rows, i), r->column);
        found = found || (have && strcmp(have, wanted) == 0);
    }
    return found;
}

/* Said at the row itself where a row is to blame. */
static void judge_rows(struct judge *j, const struct rule *r)
{
    char path[200];
    const struct repeat *list = family_repeat(j->f, r->a);
    const json_t *rows = list && judge_holds(j, &list->visible_when) ? json_object_get(j->vals, r->a) : NULL;
    const size_t i = r->op == RULE_ROWS_INCLUDE ? 0 : broken_row(j, r, rows);
    snprintf(path, sizeof path, "%s.%zu.%s", r->a, i, r->column);
    if (r->op == RULE_ROWS_INCLUDE && !row_included(j, r, rows))
        form_say(j->out, r->at, r->id, "", "", r->message, &j->failed);
    else if (r->op != RULE_ROWS_INCLUDE && i < json_array_size(rows))
        form_say(j->out, path, r->id, "", "", r->message, &j->failed);
}

static bool rule_holds(const struct judge *j, const struct rule *r)
{
    struct id_number id;
    switch (r->op) {
    case RULE_REQUIRE_ANY: return given(j, r->fields) > 0;
    case RULE_TOGETHER: return given(j, r->fields) == 0 || given(j, r->fields) == json_array_size(r->fields);
    case RULE_NOT_AFTER: case RULE_NOT_BEFORE: case RULE_AGE_AT_LEAST: case RULE_AGE_BELOW: return days_hold(j, r);
    case RULE_DIFFER: case RULE_SAME: case RULE_IN: return values_hold(j, r);
    case RULE_GENDER_IS: return !number_of(j, r->a, &id) || id.sex == r->value[0];
    case RULE_REFUSE: return false;
    case RULE_ROWS_DIFFER: case RULE_ROWS_HAVE: case RULE_ROWS_INCLUDE: break;
    }
    return true;
}

static bool applies(const struct judge *j, const struct rule *r)
{
    const struct field *at = family_field(j->f, r->at);
    if (at && j->bad[index_of(j, at)])
        return false;
    for (size_t i = 0; i < r->when.n; i++)
        if (!condition_accepts(&r->when.v[i], good_value(j, r->when.v[i].field)))
            return false;
    return true;
}

void judge_rules(struct judge *j)
{
    for (size_t i = 0; i < j->f->n_rules; i++) {
        const struct rule *r = &j->f->rules[i];
        if (!applies(j, r))
            continue;
        if (r->op >= RULE_ROWS_DIFFER)
            judge_rows(j, r);
        else if (!rule_holds(j, r))
            form_say(j->out, r->at, r->id, "", "", r->message, &j->failed);
    }
}
