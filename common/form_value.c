/* form_value.c - one value against its field, in the order of schemas/forms/README.md; the first failure is the finding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form_parts.h"
#include "common/idnumber.h"
#include "common/text.h"

struct check {
    struct judge *j;
    const struct field *f;
    const char *path;
    const json_t *v;
    const char *s;            /* text of v, NULL for booleans */
    struct bytes b;
    struct words w;
};

/* Record the failure; false so that a check can end with it. */
static bool fail(const struct check *k, const char *rule, const char *wanted, const char *have)
{
    form_find(k->j->out, k->j->c, k->path, rule, NULL, wanted, have, &k->w, &k->j->failed);
    return false;
}

static const char *type_word(const json_t *v)
{
    return json_is_string(v) ? "text" : json_is_boolean(v) ? "boolean" : json_is_number(v) ? "number" : json_is_array(v) ? "list"
           : json_is_object(v) ? "object" : "null";
}

static bool good_type(const struct check *k)
{
    const bool text = k->f->type != FIELD_BOOLEAN;
    return (text ? json_is_string(k->v) : json_is_boolean(k->v)) || fail(k, "type", text ? "text" : "boolean", type_word(k->v));
}

static bool good_characters(const struct check *k)
{
    static const char *const rule[] = { "", "xml_char", "xml_char", "xml_char", "invisible_char", "private_char", "combining_char" };
    const enum text_fault fault = text_fault_of(k->b);
    return fault == TEXT_OK || fail(k, rule[fault], "plain text", text_fault_word(fault));
}

/* Six digits and a space stand before an address and do not count. */
#define REGION_LEN 7

static bool has_region(const char *s)
{
    return strspn(s, "0123456789") == REGION_LEN - 1 && s[REGION_LEN - 1] == ' ';
}

static bool good_length(struct check *k)
{
    char max[24], have[24];
    long n = text_length(k->b);
    if (k->f->type == FIELD_ADDRESS)
        n -= REGION_LEN;
    if ((k->f->type != FIELD_TEXT && k->f->type != FIELD_ADDRESS) || n <= k->f->max_length)
        return true;
    snprintf(max, sizeof max, "%ld", k->f->max_length);
    snprintf(have, sizeof have, "%ld", n);
    k->w.max = max;
    fail(k, "length", max, have);
    k->w.max = NULL;
    return false;
}

static bool good_code(const struct check *k)
{
    return k->f->type != FIELD_ENUM || field_allows(k->f, k->s) || fail(k, "code_value", k->f->table ? k->f->table->id : "values", "");
}

static bool good_preset(const struct check *k)
{
    const json_t *preset = family_preset(k->j->f, k->j->it->code, k->path);
    size_t i;
    json_t *v;
    json_array_foreach(preset, i, v)
        if (json_equal(v, k->v))
            return true;
    return !preset || fail(k, "preset", k->j->it->code, "");
}

static bool good_id(const struct check *k)
{
    char have[24];
    const enum id_fault fault = id_number_parse(NULL, k->s, k->b.n, k->j->ctx->today);
    snprintf(have, sizeof have, "%ld", text_length(k->b));
    return fault == ID_OK || fail(k, id_fault_rule(fault), "GB 11643", fault == ID_LENGTH || fault == ID_FIFTEEN ? have : "");
}

static int days_of_month(int y, int m)
{
    int d = 31;
    while (!date_valid((struct date){ y, m, d }))
        d--;
    return d;
}

/* The day a bound stands for. False when it is a field without a good value. words gets what people read. */
static bool bound_day(const struct check *k, const char *bound, struct date *day, char *words, size_t cap)
{
    const struct date today = k->j->ctx->today;
    const struct field *field = family_field(k->j->f, bound);
    char unit = 0;
    int n = 0;
    if (field) {
        const char *s = json_string_value(judge_value(k->j, bound));
        snprintf(words, cap, "“%s”", field->ask ? field->ask : field->label);
        return s && date_parse(day, s) == 0;
    }
    *day = today;
    if (strcmp(bound, "today") == 0) {
        snprintf(words, cap, "今天");
        return true;
    }
    if (date_parse(day, bound) < 0) {
        sscanf(bound, "%d%c", &n, &unit);
        *day = unit == 'd' ? date_add_days(today, n) : (struct date){ today.y + n, today.m, today.d };
        if (!date_valid(*day))
            day->d = days_of_month(day->y, day->m);
    }
    snprintf(words, cap, "%d年%d月%d日", day->y, day->m, day->d);
    return true;
}

static bool good_bound(struct check *k, struct date have, const char *bound, bool max)
{
    struct date day;
    char words[256], wanted[32];
    if (!bound || !bound_day(k, bound, &day, words, sizeof words))
        return true;
    if (max ? date_compare(have, day) <= 0 : date_compare(have, day) >= 0)
        return true;
    snprintf(wanted, sizeof wanted, "%s %04d-%02d-%02d", max ? "<=" : ">=", day.y, day.m, day.d);
    *(max ? &k->w.max : &k->w.min) = words;
    fail(k, max ? "date_max" : "date_min", wanted, "");
    k->w.max = k->w.min = NULL;
    return false;
}

static bool good_date(struct check *k)
{
    struct date d;
    if (date_parse(&d, k->s) < 0 || d.y < 1850)
        return fail(k, "date", "YYYY-MM-DD", "");
    return good_bound(k, d, k->f->date_min, false) && good_bound(k, d, k->f->date_max, true);
}

static bool good_phone(const struct check *k)
{
    return text_is_phone(k->b) || fail(k, "phone", "mobile or landline", "");
}

static bool good_address(const struct check *k)
{
    const struct code_table *t = catalogue_table(k->j->c, "GB/T 2260");
    char code[REGION_LEN] = "";
    const bool shape = has_region(k->s);
    if (shape)
        memcpy(code, k->s, REGION_LEN - 1);
    const bool region = shape && (t && t->complete ? json_object_get(t->index, code) != NULL : id_province_valid(code));
    return (region && text_length(k->b) >= REGION_LEN + 2) || fail(k, "address", "region code, space, 2 characters or more", "");
}

static bool good_pattern(struct check *k)
{
    if (!k->f->pattern || pattern_matches(k->f->pattern, k->s, k->b.n))
        return true;
    k->w.pattern = k->f->pattern->message;
    return fail(k, "pattern", k->f->pattern->name, "");
}

static bool good_derived(const struct check *k)
{
    if (k->f->fill == FILL_NONE || k->f->fill == FILL_IDENTITY_PHONE || k->f->fill == FILL_GUIDE || k->f->fill == FILL_REGISTER)
        return true;
    if (json_array_size(family_preset(k->j->f, k->j->it->code, k->f->id)) == 1)
        return true;
    json_t *is = judge_filled(k->j, k->f);
    const bool same = !is || json_equal(is, k->v), entered = k->f->fill == FILL_BIRTH_DATE || k->f->fill == FILL_GENDER || k->f->fill == FILL_FIELD;
    json_decref(is);
    if (!same)
        form_find(k->j->out, k->j->c, k->path, "derived", entered ? "derived_entered" : NULL, entered ? k->f->fill_arg : "identity", "", &k->w,
                  &k->j->failed);
    return same;
}

static bool good_form(struct check *k)
{
    if (judge_id_checked(k->j, k->f))
        return good_id(k);
    switch (k->f->type) {
    case FIELD_DATE: return good_date(k);
    case FIELD_PHONE: return good_phone(k);
    case FIELD_ADDRESS: return good_address(k);
    case FIELD_TEXT: return good_pattern(k);
    case FIELD_ID_NUMBER: case FIELD_ENUM: case FIELD_BOOLEAN: break;
    }
    return true;
}

bool judge_one(struct judge *j, const struct field *f, const char *path, const json_t *v)
{
    struct check k = { .j = j, .f = f, .path = path, .v = v, .w = { .ask = f->ask, .label = f->label } };
    if (!good_type(&k))
        return false;
    k.s = json_string_value(v);
    k.b = (struct bytes){ (const uint8_t *)k.s, json_string_length(v) };
    if (!k.s)
        return good_preset(&k);
    return good_characters(&k) && (judge_id_checked(j, f) || good_length(&k)) && good_code(&k) && good_preset(&k) && good_form(&k) &&
           good_derived(&k);
}

/* Birth date or gender out of the number in another field. */
static json_t *derived(const struct judge *j, const struct field *f)
{
    struct id_number id;
    char text[24];
    const json_t *v = judge_value(j, f->fill_arg);
    if (!json_is_string(v) || id_number_parse(&id, json_string_value(v), json_string_length(v), j->ctx->today) != ID_OK)
        return NULL;
    if (f->fill == FILL_GENDER)
        return json_sprintf("%c", id.sex);
    snprintf(text, sizeof text, "%04d-%02d-%02d", id.birth.y, id.birth.m, id.birth.d);
    return json_string(text);
}

/* Who signed in was verified by his resident identity card: GA/T 2000.156 calls that 111. */
static const char *verified(const struct form_identity *who, enum fill_kind what)
{
    switch (what) {
    case FILL_IDENTITY_NAME: return who->name;
    case FILL_IDENTITY_ID_NO: return who->id_no;
    case FILL_IDENTITY_PHONE: return who->phone;
    case FILL_IDENTITY_ID_TYPE: return who->id_no ? "111" : NULL;
    default: return NULL;
    }
}

/* The value of another field, the region an address lies in, or what stands beside it in the map. */
static json_t *copied(const struct judge *j, const struct field *f)
{
    const json_t *v = judge_value(j, f->fill_arg);
    if (f->fill_map)
        return json_incref(json_object_get(f->fill_map, json_is_string(v) ? json_string_value(v) : ""));
    if (f->type == FIELD_ENUM && family_field(j->f, f->fill_arg)->type == FIELD_ADDRESS)
        return json_is_string(v) && has_region(json_string_value(v)) ? json_stringn(json_string_value(v), REGION_LEN - 1) : NULL;
    return json_incref((json_t *)v);
}

json_t *judge_filled(const struct judge *j, const struct field *f)
{
    const json_t *preset = family_preset(j->f, j->it->code, f->id);
    const struct form_identity *who = j->ctx->identity;
    if (json_array_size(preset) == 1)
        return json_incref(json_array_get(preset, 0));
    if (!judge_holds(j, &f->fill_when))
        return NULL;
    if (f->fill == FILL_BIRTH_DATE || f->fill == FILL_GENDER)
        return derived(j, f);
    if (f->fill == FILL_FIELD)
        return copied(j, f);
    const char *s = who ? verified(who, f->fill) : NULL;
    return s ? json_string(s) : NULL;
}
