/* effect_source.c - where a column's new value comes from, and whether a part of a rule applies. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "intranet-side/domain/effect_work.h"
#include "intranet-side/domain/deadline.h"
#include "intranet-side/domain/idassign.h"

/* Where the household of the person is: here, in this province, elsewhere. Decides between electronic and paper permit. */
static const char *where(struct effect_work *w)
{
    json_t *p = NULL;
    struct err ignored = {0};
    if (w->where)
        return w->where;
    const char *id_no = effect_text(w->x->entries, "subject_id_no"), *region = effect_text(w->x->entries, "subject_region");
    if (*id_no && w->x->look.person && w->x->look.person(w->x->look.arg, id_no, &p, &ignored) < 0)
        p = NULL;
    const char *unit = w->x->unit_region ? w->x->unit_region : "";
    w->where = (p && effect_is(p, "status", "normal")) || strncmp(region, unit, 4) == 0 ? "city" : strncmp(region, unit, 2) == 0 ? "province" : "outside";
    json_decref(p);
    return w->where;
}

bool effect_holds(struct effect_work *w, const json_t *when)
{
    size_t i;
    json_t *v;
    json_array_foreach(when, i, v) {
        const json_t *in = json_object_get(v, "in"), *not_in = json_object_get(v, "not_in"), *prefix = json_object_get(v, "prefix");
        const char *field = effect_text(v, "field");
        json_t *value = strcmp(field, "@where") == 0 ? json_string(where(w)) : json_incref(json_object_get(w->x->entries, field));
        struct condition k = {.field = field, .match = in ? MATCH_IN : not_in ? MATCH_NOT_IN : MATCH_PREFIX,
                              .values = in ? in : not_in ? not_in : prefix};
        const char *gender = effect_text(v, "gender"), *number = json_is_string(value) ? json_string_value(value) : "";
        bool good = json_is_true(json_object_get(v, "absent")) ? value == NULL
                    : *gender ? strlen(number) == 18 && ((number[16] - '0') % 2 == 1) == (*gender == '1')
                              : condition_accepts(&k, value);
        json_decref(value);
        if (!good)
            return false;
    }
    return true;
}

bool effect_in_stage(const json_t *part, const char *stage, const char *usual)
{
    const json_t *s = json_object_get(part, "stage");
    size_t i;
    json_t *v;
    if (s == NULL)
        return usual == NULL || strcmp(stage, usual) == 0;
    if (json_is_string(s))
        return strcmp(json_string_value(s), stage) == 0;
    json_array_foreach(s, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), stage) == 0)
            return true;
    return false;
}

/* "name、name2": what was there, then the old value, unless it stands there already. */
static void append_to(struct buf *out, const char *old, const char *add, const char *separator)
{
    size_t n = strlen(add);
    buf_str(out, old);
    for (const char *at = old; n && (at = strstr(at, add)); at += n) {
        bool begins = at == old || (size_t)(at - old) >= strlen(separator), ends = at[n] == '\0' || strncmp(at + n, separator, strlen(separator)) == 0;
        if (begins && ends && (at == old || strncmp(at - strlen(separator), separator, strlen(separator)) == 0))
            return;
    }
    if (n == 0)
        return;
    if (*old)
        buf_str(out, separator);
    buf_str(out, add);
}

/* A form's value; an address without the region code in front of it. */
static void field_text(struct effect_work *w, struct buf *out, const char *id)
{
    const json_t *v = json_object_get(w->x->entries, id);
    const char *s = json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "true" : json_is_false(v) ? "false" : "";
    const struct field *f = w->x->family ? family_field(w->x->family, id) : NULL;
    if (f && f->type == FIELD_ADDRESS && strspn(s, "0123456789") == 6 && s[6] == ' ')
        s += 7;
    buf_str(out, s);
}

/* The region code in front of an address. */
static void region_text(struct effect_work *w, struct buf *out, const char *id)
{
    const char *s = effect_text(w->x->entries, id);
    if (strspn(s, "0123456789") == 6 && s[6] == ' ')
        buf_put(out, s, 6);
}

static void label_text(struct effect_work *w, struct buf *out, const char *id)
{
    const struct field *f = w->x->family ? family_field(w->x->family, id) : NULL;
    const char *l = f ? field_label_of(f, effect_text(w->x->entries, id)) : NULL;
    buf_str(out, l ? l : "");
}

struct numbers { struct effect_work *w; };
static int number_used(void *arg, const char *id_no, bool *used, struct err *e)
{
    struct numbers *n = arg;
    for (size_t i = 0; i < n->w->p->n; i++)
        if (n->w->p->v[i].kind == EFFECT_PERSON && effect_is(n->w->p->v[i].after, "id_no", id_no)) {
            *used = true;
            return 0;
        }
    return n->w->x->look.number_used(n->w->x->look.arg, id_no, used, e);
}

static int assign(struct effect_work *w, struct buf *out, const json_t *src, const json_t *row, struct err *e)
{
    char number[19];
    struct buf birth, gender;
    struct date d;
    struct numbers n = {w};
    buf_init(&birth, 64);
    buf_init(&gender, 64);
    int rc = effect_source(w, &birth, json_object_get(src, "birth_date"), "birth_date", row, e) < 0 ||
                     effect_source(w, &gender, json_object_get(src, "gender"), "gender", row, e) < 0
                 ? -1
                 : 0;
    const char *g = buf_text(&gender);
    if (rc == 0 && (date_parse(&d, buf_text(&birth)) < 0 || (*g != '1' && *g != '2')))
        work_refuse(w, "缺出生日期或性别，不能编公民身份号码");
    else if (rc == 0 && (rc = id_assign(number, w->x->unit_region, buf_text(&birth), *g, number_used, &n, e)) == 0)
        buf_str(out, number);
    buf_clear(&birth);
    buf_clear(&gender);
    return rc;
}

static void from_number(struct buf *out, const char *id_no, const char *part)
{
    if (strlen(id_no) != 18)
        return;
    if (strcmp(part, "gender") == 0)
        buf_str(out, (id_no[16] - '0') % 2 ? "1" : "2");
    else
        buf_fmt(out, "%.4s-%.2s-%.2s", id_no + 6, id_no + 10, id_no + 12);
}

static void day_after(struct effect_work *w, struct buf *out, json_int_t days)
{
    struct date d;
    char text[11];
    if (date_parse(&d, w->x->today) < 0)
        return;
    date_text(text, date_add_days(d, (int)days));
    buf_str(out, text);
}

static int first_of(struct effect_work *w, struct buf *out, const json_t *list, const char *column, const json_t *row, struct err *e)
{
    size_t i, before = out->n;
    json_t *v;
    json_array_foreach(list, i, v)
        if (effect_source(w, out, v, column, row, e) < 0)
            return -1;
        else if (out->n > before)
            break;
    return 0;
}

static int append(struct effect_work *w, struct buf *out, const json_t *src, const char *column, const json_t *row, struct err *e)
{
    const json_t *what = json_object_get(src, "append");
    struct buf add;
    buf_init(&add, 1 << 16);
    int rc = 0;
    if (json_is_string(what))
        buf_str(&add, effect_text(row, json_string_value(what)));
    else
        rc = effect_source(w, &add, what, column, row, e);
    append_to(out, effect_text(row, column), buf_text(&add), effect_text(src, "separator"));
    buf_clear(&add);
    return rc;
}

int effect_source(struct effect_work *w, struct buf *out, const json_t *src, const char *column, const json_t *row, struct err *e)
{
    const char *f;
    if ((f = json_string_value(json_object_get(src, "field"))))
        field_text(w, out, f);
    else if (json_object_get(src, "const"))
        buf_str(out, effect_text(src, "const"));
    else if ((f = json_string_value(json_object_get(src, "region"))))
        region_text(w, out, f);
    else if ((f = json_string_value(json_object_get(src, "label"))))
        label_text(w, out, f);
    else if (json_object_get(src, "append"))
        return append(w, out, src, column, row, e);
    else if ((f = json_string_value(json_object_get(src, "map"))))
        buf_str(out, effect_text(json_object_get(src, "values"), effect_text(w->x->entries, f)));
    else if ((f = json_string_value(json_object_get(src, "of"))))
        buf_str(out, effect_text(w->element, f));
    else if ((f = json_string_value(json_object_get(src, "row"))))
        buf_str(out, effect_text(row, f));
    else if (json_object_get(src, "from"))
        from_number(out, effect_text(row, "id_no"), effect_text(src, "part"));
    else if (json_object_get(src, "today"))
        buf_str(out, w->x->today);
    else if (json_object_get(src, "plus_days"))
        day_after(w, out, json_integer_value(json_object_get(src, "plus_days")));
    else if ((f = json_string_value(json_object_get(src, "case"))))
        buf_str(out, strcmp(f, "no") == 0 ? w->x->case_no : w->x->unit);
    else if (json_object_get(src, "assign"))
        return assign(w, out, src, row, e);
    else if (json_object_get(src, "first"))
        return first_of(w, out, json_object_get(src, "first"), column, row, e);
    else
        return err_set(e, ERR_INPUT, "effect: column %s: unknown source", column);
    return 0;
}

int effect_set(struct effect_work *w, json_t *row, const json_t *set, struct err *e)
{
    json_t *old = json_copy(row), *src;
    const char *column;
    int rc = 0;
    json_object_foreach((json_t *)set, column, src) {
        struct buf b;
        buf_init(&b, 1 << 16);
        rc = effect_source(w, &b, src, column, old, e);
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
