#include "intranet-side/domain/effect.h"

#include <string.h>

#include "intranet-side/domain/idassign.h"
#include "intranet-side/domain/rules.h"

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static bool is(const json_t *o, const char *key, const char *value)
{
    return strcmp(str(o, key), value) == 0;
}

/* The conditions of forms, read from the rule where they stand. */
static bool holds(const json_t *when, const json_t *entries)
{
    size_t i;
    json_t *v;
    json_array_foreach(when, i, v) {
        const json_t *in = json_object_get(v, "in"), *not_in = json_object_get(v, "not_in"), *prefix = json_object_get(v, "prefix");
        struct condition k = {.field = str(v, "field"), .match = in ? MATCH_IN : not_in ? MATCH_NOT_IN : MATCH_PREFIX,
                              .values = in ? in : not_in ? not_in : prefix};
        if (!condition_accepts(&k, json_object_get(entries, k.field)))
            return false;
    }
    return true;
}

static int person_by(const json_t *where, const struct effect_context *x, json_t **out, struct err *e)
{
    const char *id_no = str(x->entries, str(where, "field"));
    *out = NULL;
    return *id_no ? x->look.person(x->look.arg, id_no, out, e) : 0;
}

/* First way that has a value and finds a household in which that person is a normal member. */
static int household_by(const json_t *ways, const struct effect_context *x, json_t **out, struct err *e)
{
    size_t i;
    json_t *v;
    *out = NULL;
    json_array_foreach(ways, i, v) {
        json_t *p = NULL;
        if (!holds(json_object_get(v, "when"), x->entries))
            continue;
        if (person_by(v, x, &p, e) < 0)
            return -1;
        int rc = p && is(p, "status", "normal") ? x->look.household(x->look.arg, str(p, "household_id"), out, e) : 0;
        json_decref(p);
        if (rc < 0 || *out)
            return rc;
    }
    return 0;
}

/* "name、name2": what was there, then the old value, unless it stands there already. */
static void append_to(struct buf *out, const char *old, const char *add, const char *separator)
{
    buf_str(out, old);
    if (*add == '\0' || strstr(old, add))
        return;
    if (*old)
        buf_str(out, separator);
    buf_str(out, add);
}

static int assign(struct buf *out, const json_t *src, const struct effect_context *x, struct err *e)
{
    char number[19];
    const char *birth = str(x->entries, str(json_object_get(src, "birth_date"), "field"));
    const char *gender = str(x->entries, str(json_object_get(src, "gender"), "field"));
    if (id_assign(number, x->unit_region, birth, *gender, x->look.number_used, x->look.arg, e) < 0)
        return -1;
    buf_str(out, number);
    return 0;
}

/* The text of a source; nothing put when it has none. row: the person before any column is written; column: the target. */
static int source(struct buf *out, const json_t *src, const char *column, const json_t *row, const struct effect_context *x, struct err *e)
{
    const char *f;
    if ((f = json_string_value(json_object_get(src, "field")))) {
        const json_t *v = json_object_get(x->entries, f);
        buf_str(out, json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "true" : json_is_false(v) ? "false" : "");
        return 0;
    }
    if (json_object_get(src, "const")) {
        buf_str(out, str(src, "const"));
        return 0;
    }
    if ((f = json_string_value(json_object_get(src, "label")))) {
        const struct field *field = family_field(x->family, f);
        const char *l = field ? field_label_of(field, str(x->entries, f)) : NULL;
        buf_str(out, l ? l : "");
        return 0;
    }
    if ((f = json_string_value(json_object_get(src, "append")))) {
        append_to(out, str(row, column), str(row, f), str(src, "separator"));
        return 0;
    }
    if (json_object_get(src, "assign"))
        return assign(out, src, x, e);
    size_t i, before = out->n;
    json_t *v;
    json_array_foreach(json_object_get(src, "first"), i, v)
        if (source(out, v, column, row, x, e) < 0)
            return -1;
        else if (out->n > before)
            return 0;
    return json_object_get(src, "first") ? 0 : err_set(e, ERR_INPUT, "effect: column %s: unknown source", column);
}

static int set_columns(json_t *row, const json_t *set, const struct effect_context *x, struct err *e)
{
    json_t *old = json_copy(row), *src;
    const char *column;
    int rc = 0;
    json_object_foreach((json_t *)set, column, src) {
        struct buf b;
        buf_init(&b, 1 << 16);
        rc = source(&b, src, column, old, x, e);
        if (rc == 0 && b.n)
            json_object_set_new(row, column, json_string(buf_text(&b)));
        else if (rc == 0)
            json_object_del(row, column);
        buf_clear(&b);
        if (rc < 0)
            break;
    }
    json_decref(old);
    return rc;
}

static struct effect_change *planned(struct effect_plan *p, const char *person_id)
{
    for (size_t i = 0; i < p->n; i++)
        if (is(p->v[i].after, "person_id", person_id))
            return &p->v[i];
    return NULL;
}

static int op_add(struct effect_plan *p, const json_t *op, const struct effect_context *x, struct err *e)
{
    json_t *home = NULL;
    struct id128 id;
    if (household_by(json_object_get(op, "household"), x, &home, e) < 0)
        return -1;
    if (home == NULL)
        return 0;                        /* household_found says so */
    id_random(&id);
    json_t *row = json_pack("{s:s, s:s}", "person_id", id.s, "household_id", str(home, "household_id"));
    snprintf(p->household, sizeof p->household, "%s", str(home, "household_id"));
    p->v[p->n++] = (struct effect_change){"add_person", NULL, row};
    json_object_set_new(row, "head_name", json_string(str(home, "head_name")));
    int rc = set_columns(row, json_object_get(op, "set"), x, e);
    json_decref(home);
    return rc;
}

/* Several ops may touch one person: they go on from what the earlier ones made of him. */
static int op_change(struct effect_plan *p, const json_t *op, const char *kind, const struct effect_context *x, struct err *e)
{
    json_t *row = NULL;
    if (person_by(json_object_get(op, "person"), x, &row, e) < 0)
        return -1;
    if (row == NULL)
        return 0;                        /* person_found says so */
    struct effect_change *c = planned(p, str(row, "person_id"));
    if (c == NULL) {
        c = &p->v[p->n++];
        *c = (struct effect_change){kind, json_incref(row), json_copy(row)};
    }
    json_decref(row);
    return set_columns(c->after, json_object_get(op, "set"), x, e);
}

static int ops(struct effect_plan *p, const json_t *rule, const struct effect_context *x, struct err *e)
{
    size_t i;
    json_t *op;
    json_array_foreach(json_object_get(rule, "ops"), i, op) {
        const char *kind = str(op, "op");
        if (!holds(json_object_get(op, "when"), x->entries))
            continue;
        if (p->n == EFFECT_MAX_CHANGES)
            return err_set(e, ERR_INPUT, "effect: more than %d changes", EFFECT_MAX_CHANGES);
        int rc = strcmp(kind, "add_person") == 0      ? op_add(p, op, x, e)
                 : strcmp(kind, "update_person") == 0 ? op_change(p, op, "update_person", x, e)
                 : strcmp(kind, "cancel_person") == 0 ? op_change(p, op, "cancel_person", x, e)
                                                      : err_set(e, ERR_INPUT, "effect: unknown op %s", kind);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static bool something_changes(const struct effect_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].before == NULL || !json_equal(p->v[i].before, p->v[i].after))
            return true;
    return false;
}

static int duplicate(const struct effect_plan *p, const json_t *guard, const struct effect_context *x, bool *found, struct err *e)
{
    json_t *members = NULL, *m, *src;
    const char *column;
    size_t i;
    int rc = *p->household ? x->look.members(x->look.arg, p->household, &members, e) : 0;
    json_array_foreach(members, i, m) {
        bool all = true;
        json_object_foreach(json_object_get(guard, "match"), column, src) {
            struct buf b;
            buf_init(&b, 1 << 16);
            rc = rc < 0 ? rc : source(&b, src, column, m, x, e);
            all &= b.n == 0 || is(m, column, buf_text(&b));
            buf_clear(&b);
        }
        *found |= all;
    }
    json_decref(members);
    return rc;
}

/* A head may go only when nobody normal stays behind. */
static int head_with_others(const json_t *person, const struct effect_context *x, bool *broken, struct err *e)
{
    json_t *home = NULL, *members = NULL;
    if (x->look.household(x->look.arg, str(person, "household_id"), &home, e) < 0)
        return -1;
    int rc = home && is(home, "head_person_id", str(person, "person_id"))
                 ? x->look.members(x->look.arg, str(person, "household_id"), &members, e)
                 : 0;
    *broken = json_array_size(members) > 1;
    json_decref(home);
    json_decref(members);
    return rc;
}

static int person_guard(const json_t *g, const char *check, const struct effect_context *x, bool *broken, struct err *e)
{
    json_t *p = NULL, *home = NULL;
    int rc = person_by(json_object_get(g, "person"), x, &p, e);
    if (rc < 0 || p == NULL) {
        *broken = rc == 0 && strcmp(check, "person_found") == 0;      /* the others have nothing to say of nobody */
        return rc;
    }
    if (strcmp(check, "person_normal") == 0)
        *broken = !is(p, "status", "normal");
    else if (strcmp(check, "name_matches") == 0)
        *broken = strcmp(str(p, "name"), str(x->entries, str(g, "field"))) != 0;
    else if (strcmp(check, "not_head_or_alone") == 0)
        rc = head_with_others(p, x, broken, e);
    else if (strcmp(check, "person_in_unit") == 0) {
        rc = x->look.household(x->look.arg, str(p, "household_id"), &home, e);
        *broken = rc == 0 && (home == NULL || !is(home, "unit_code", x->unit));
    } else if (strcmp(check, "person_found") != 0)
        rc = err_set(e, ERR_INPUT, "effect: unknown check %s", check);
    json_decref(home);
    json_decref(p);
    return rc;
}

static int guard_broken(const struct effect_plan *p, const json_t *g, const struct effect_context *x, bool *broken, struct err *e)
{
    const char *check = str(g, "check");
    *broken = false;
    if (strcmp(check, "household_found") == 0) {
        *broken = *p->household == '\0';
        return 0;
    }
    if (strcmp(check, "something_changes") == 0) {
        *broken = p->n > 0 && !something_changes(p);
        return 0;
    }
    if (strcmp(check, "no_duplicate") == 0)
        return duplicate(p, g, x, broken, e);
    if (strcmp(check, "household_in_unit") != 0)
        return person_guard(g, check, x, broken, e);
    json_t *home = NULL;
    int rc = *p->household ? x->look.household(x->look.arg, p->household, &home, e) : 0;
    *broken = home && !is(home, "unit_code", x->unit);
    json_decref(home);
    return rc;
}

static int guards(struct effect_plan *p, const json_t *rule, const struct effect_context *x, struct err *e)
{
    size_t i;
    json_t *g;
    json_array_foreach(json_object_get(rule, "guards"), i, g) {
        bool broken = false;
        if (guard_broken(p, g, x, &broken, e) < 0)
            return -1;
        if (broken)
            json_array_append_new(is(g, "severity", "warn") ? p->warnings : p->refusals, json_string(str(g, "message")));
    }
    return 0;
}

/* {column} after, {column_before} before, of the first change. */
static void result_text(struct effect_plan *p, const json_t *rule)
{
    if (p->n == 0)
        return;
    json_t *values = json_copy(p->v[0].after), *v;
    const char *column;
    json_object_foreach(p->v[0].before, column, v) {
        char key[64];
        snprintf(key, sizeof key, "%s_before", column);
        json_object_set(values, key, v);
    }
    text_fill(p->result, sizeof p->result, str(rule, "result"), values);
    json_decref(values);
}

int effect_make(struct effect_plan *out, const json_t *rule, const struct effect_context *ctx, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->refusals = json_array();
    out->warnings = json_array();
    snprintf(out->title, sizeof out->title, "%s", str(rule, "title"));
    if (ops(out, rule, ctx, e) < 0 || guards(out, rule, ctx, e) < 0)
        return -1;
    result_text(out, rule);
    for (size_t i = 0; i < out->n; i++)
        json_object_del(out->v[i].after, "head_name");
    return 0;
}

void effect_plan_clear(struct effect_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        json_decref(p->v[i].before);
        json_decref(p->v[i].after);
    }
    json_decref(p->refusals);
    json_decref(p->warnings);
    memset(p, 0, sizeof *p);
}

static const struct { const char *column, *label, *table; } columns[] = {
    {"id_no", "公民身份号码", NULL}, {"name", "姓名", NULL}, {"former_name", "曾用名", NULL}, {"gender", "性别", "GB/T 2261.1"},
    {"ethnicity", "民族", "GB/T 3304"}, {"birth_date", "出生日期", NULL}, {"birth_time", "出生时间", NULL},
    {"birth_country", "出生国家（地区）", "GB/T 2659"}, {"birth_region", "出生地", "GB/T 2260"}, {"birth_place", "出生地详址", NULL},
    {"native_region", "籍贯", "GB/T 2260"}, {"marital_status", "婚姻状况", "GB/T 2261.2"}, {"education", "文化程度", "GB/T 4658"},
    {"military_status", "兵役状况", "GA/T 2000.36"}, {"employer", "服务处所", NULL}, {"phone", "联系电话", NULL},
    {"relation_to_head", "与户主关系", "GB/T 4761"}, {"father_id_no", "父亲证件号码", NULL}, {"father_name", "父亲姓名", NULL},
    {"mother_id_no", "母亲证件号码", NULL}, {"mother_name", "母亲姓名", NULL}, {"spouse_name", "配偶姓名", NULL},
    {"spouse_id_no", "配偶证件号码", NULL}, {"status", "户口状态", NULL}, {"cancel_kind", "注销类别", NULL},
    {"cancel_date", "注销日期", NULL}, {"cancel_reason", "注销原因", NULL}, {"address", "户籍地址", NULL},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

const char *register_label(const char *column)
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (strcmp(columns[i].column, column) == 0)
            return columns[i].label;
    return column;
}

const char *register_value(const struct catalogue *c, const char *column, const char *value)
{
    if (strcmp(column, "status") == 0)
        return strcmp(value, "normal") == 0 ? "正常" : "已注销";
    if (strcmp(column, "cancel_kind") == 0)
        return strcmp(value, "death") == 0 ? "死亡" : value;
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (strcmp(columns[i].column, column) == 0 && columns[i].table) {
            const char *l = catalogue_label(c, columns[i].table, value);
            return l ? l : value;
        }
    return value;
}

json_t *effect_in_words(const struct effect_plan *p, const struct catalogue *c)
{
    json_t *out = json_array();
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < N_COLUMNS; k++) {
            const char *column = columns[k].column, *a = str(p->v[i].before, column), *b = str(p->v[i].after, column);
            if (strcmp(a, b) != 0)
                json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "what", columns[k].label, "before",
                                                     *a ? register_value(c, column, a) : "", "after",
                                                     *b ? register_value(c, column, b) : ""));
        }
    return out;
}
