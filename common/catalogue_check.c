/* catalogue_check.c - what no single definition can show by itself: names that must exist elsewhere, conditions in a circle, screens that
 * are too long, groups without a choice, rules without a sentence. An open item must be one that a person can really finish. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue_parts.h"
#include "common/clock.h"

#define MAX_ASKED 7

const char *const catalogue_rules[] = {
    "unknown", "hidden", "required", "required_choice", "type", "xml_char", "invisible_char", "private_char", "combining_char", "length",
    "code_value", "preset", "id_length", "id_fifteen", "id_characters", "id_region", "id_birth_date", "id_check_digit", "date", "date_min",
    "date_max", "phone", "address", "pattern", "derived", "derived_entered", "pinyin", "repeat_min", "repeat_max", "material_required", "material_group",
    "material_unknown", "material_hidden", "material_pages", "material_repeated", NULL
};

static bool known(const struct family *f, const char *id)
{
    return family_field(f, id) || family_repeat(f, id);
}

static int conditions_known(const struct family *f, const struct conditions *k, const char *key, const struct place *at, struct err *e)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct field *field = family_field(f, k->v[i].field);
        size_t n;
        json_t *v;
        if (!known(f, k->v[i].field))
            return err_set(e, ERR_INPUT, "%s: %s: want a field of the family, have \"%s\"", at->s, key, k->v[i].field);
        if (field && field->type == FIELD_ENUM && k->v[i].match < MATCH_PREFIX)
            json_array_foreach(k->v[i].values, n, v)
                if (!json_is_string(v) || !field_label_of(field, json_string_value(v)))
                    return want(e, at, key, "codes of the field it names", v);
        if (field && field->type == FIELD_BOOLEAN)
            json_array_foreach(k->v[i].values, n, v)
                if (!json_is_boolean(v))
                    return want(e, at, key, "true or false", v);
    }
    return 0;
}

/* Depth-first over visible_when: a field that depends on itself could never be decided. */
static bool circular(const struct family *f, const struct field *start, const struct field *at, size_t depth)
{
    if (depth > f->n_fields)
        return true;
    for (size_t i = 0; i < at->visible_when.n; i++) {
        const struct field *next = family_field(f, at->visible_when.v[i].field);
        if (next && (next == start || circular(f, start, next, depth + 1)))
            return true;
    }
    return false;
}

static int bound_known(const struct family *f, const char *s, const char *key, const struct place *at, struct err *e)
{
    struct date d;
    int n;
    char unit, end;
    const struct field *field = s ? family_field(f, s) : NULL;
    if (!s || strcmp(s, "today") == 0 || (field && field->type == FIELD_DATE) || date_parse(&d, s) == 0)
        return 0;
    if (sscanf(s, "%d%c%c", &n, &unit, &end) == 2 && ((unit == 'y' && abs(n) <= 200) || (unit == 'd' && abs(n) <= 40000)))
        return 0;
    return err_set(e, ERR_INPUT, "%s: %s: want today, a day, -150y, +30d or a date field, have \"%s\"", at->s, key, s);
}

/* A value taken over from another field must be one that this field could have. */
static int fill_known(const struct family *f, const struct field *field, const struct place *at, struct err *e)
{
    const struct field *from = family_field(f, field->fill_arg);
    const char *code;
    json_t *v;
    const bool fits = from && (from->type == field->type || (from->type == FIELD_ID_NUMBER && field->pattern && !field->pattern->person_name) ||
                               (from->type == FIELD_ADDRESS && field->table && strcmp(field->table->id, "GB/T 2260") == 0));
    if (!from)
        return err_set(e, ERR_INPUT, "%s: fill_from: want a field of the family, have \"%s\"", at->s, field->fill_arg);
    if (from == field || (!field->fill_map && (!fits || (from->fill == FILL_FIELD && !from->fill_map))))
        return err_set(e, ERR_INPUT, "%s: fill_from: want a field of the same type that is no copy itself, have \"%s\"", at->s, field->fill_arg);
    json_object_foreach((json_t *)field->fill_map, code, v)
        if (from->type != FIELD_ENUM || !field_label_of(from, code) || field->type != FIELD_ENUM || !json_is_string(v) ||
            !field_allows(field, json_string_value(v)))
            return want(e, at, "fill_map", "codes of the source and codes of the field", v);
    return 0;
}

static int suggestion_known(const struct family *f, const struct field *field, const struct place *at, struct err *e)
{
    const json_t *list = json_object_get(field->json, "suggest_by");
    size_t i;
    json_t *v;
    if (list && !json_is_array(list))
        return want(e, at, "suggest_by", "a list of fields", list);
    json_array_foreach(list, i, v) {
        const struct field *by = json_is_string(v) ? family_field(f, json_string_value(v)) : NULL;
        if (!by || (by->type != FIELD_ADDRESS && by->type != FIELD_ENUM))
            return want(e, at, "suggest_by", "address or region fields of the family", v);
    }
    return 0;
}

static int check_field(const struct family *f, const struct field *field, struct err *e)
{
    const struct place at = place_of("forms/%s.json: field %s", f->id, field->id);
    if (conditions_known(f, &field->required_when, "required_when", &at, e) < 0 || conditions_known(f, &field->visible_when, "visible_when", &at, e) < 0 ||
        conditions_known(f, &field->fill_when, "fill_when", &at, e) < 0 || conditions_known(f, &field->id_number_when, "id_number_when", &at, e) < 0 ||
        bound_known(f, field->date_min, "date_min", &at, e) < 0 || bound_known(f, field->date_max, "date_max", &at, e) < 0)
        return -1;
    if ((field->fill == FILL_FIELD && fill_known(f, field, &at, e) < 0) || suggestion_known(f, field, &at, e) < 0)
        return -1;
    if (circular(f, field, field, 0))
        return err_set(e, ERR_INPUT, "%s: visible_when: want no circle, have one", at.s);
    if ((field->fill == FILL_BIRTH_DATE || field->fill == FILL_GENDER) && !family_field(f, field->fill_arg))
        return err_set(e, ERR_INPUT, "%s: fill_from: want a field of the family, have \"%s\"", at.s, field->fill_arg);
    if ((field->fill == FILL_BIRTH_DATE && field->type != FIELD_DATE) || (field->fill == FILL_GENDER && field->type != FIELD_ENUM))
        return err_set(e, ERR_INPUT, "%s: fill_from: want a date for birth_date, an enum for gender", at.s);
    return 0;
}

/* Fields of repeats are judged by themselves: conditions on other fields have no meaning there. */
static int check_repeat(const struct family *f, const struct repeat *r, struct err *e)
{
    const struct place at = place_of("forms/%s.json: repeat %s", f->id, r->id);
    if (family_field(f, r->id) || r->min > r->max)
        return err_set(e, ERR_INPUT, "%s: want a name of its own and min <= max", at.s);
    for (size_t i = 0; i < r->n_fields; i++) {
        const struct field *field = &r->fields[i];
        if (field->required_when.n + field->visible_when.n + field->fill_when.n + field->id_number_when.n > 0 || field->fill != FILL_NONE)
            return err_set(e, ERR_INPUT, "%s: field %s: want no conditions and no fill_from, have some", at.s, field->id);
        if (bound_known(f, field->date_min, "date_min", &at, e) < 0 || bound_known(f, field->date_max, "date_max", &at, e) < 0)
            return -1;
    }
    return conditions_known(f, &r->required_when, "required_when", &at, e) < 0 ? -1
           : conditions_known(f, &r->visible_when, "visible_when", &at, e);
}

/* Each field stands in exactly one section, and that section is the one it names. */
static int check_sections(const struct family *f, struct err *e)
{
    for (size_t s = 0; s < f->n_sections; s++) {
        const struct place at = place_of("forms/%s.json: section %s", f->id, f->sections[s].id);
        size_t i;
        json_t *id;
        json_array_foreach(json_object_get(f->sections[s].json, "fields"), i, id)
            if (!json_is_string(id) || !family_field(f, json_string_value(id)))
                return want(e, &at, "fields", "fields of the family", id);
        json_array_foreach(json_object_get(f->sections[s].json, "repeats"), i, id)
            if (!json_is_string(id) || !family_repeat(f, json_string_value(id)))
                return want(e, &at, "repeats", "repeats of the family", id);
    }
    for (size_t k = 0; f->n_sections > 0 && k < f->n_fields; k++) {
        size_t seen = 0, i;
        json_t *id;
        for (size_t s = 0; s < f->n_sections; s++)
            json_array_foreach(json_object_get(f->sections[s].json, "fields"), i, id)
                if (strcmp(json_string_value(id), f->fields[k].id) == 0)
                    seen += f->fields[k].section && strcmp(f->fields[k].section, f->sections[s].id) == 0 ? 1 : 100;
        if (seen != 1)
            return err_set(e, ERR_INPUT, "forms/%s.json: field %s: want it once in the section that it names", f->id, f->fields[k].id);
    }
    return 0;
}

static bool day_operand(const struct family *f, const char *id)
{
    const struct field *field = family_field(f, id);
    return strcmp(id, "today") == 0 ||
           (field && (field->type == FIELD_DATE || field->type == FIELD_ID_NUMBER || (field->type == FIELD_TEXT && field->id_number_when.n > 0)));
}

/* Rules over the rows of a list. */
static int check_rows_rule(const struct family *f, const struct rule *r, const struct place *at, struct err *e)
{
    const struct repeat *rows = family_repeat(f, r->a);
    for (size_t i = 0; rows && i < rows->n_fields; i++)
        if (strcmp(rows->fields[i].id, r->column) == 0)
            return r->b && !family_field(f, r->b) ? err_set(e, ERR_INPUT, "%s: b: want a field, have \"%s\"", at->s, r->b) : 0;
    return err_set(e, ERR_INPUT, "%s: a, column: want a list of the family and one of its fields, have \"%s\", \"%s\"", at->s, r->a, r->column);
}

static int check_rule(const struct family *f, const struct rule *r, struct err *e)
{
    const struct place at = place_of("forms/%s.json: rule %s", f->id, r->id);
    const bool day = r->op == RULE_NOT_AFTER || r->op == RULE_NOT_BEFORE || r->op == RULE_AGE_AT_LEAST || r->op == RULE_AGE_BELOW;
    size_t i;
    json_t *v;
    json_array_foreach(r->fields, i, v)
        if (!known(f, json_string_value(v)))
            return want(e, &at, "fields", "fields of the family", v);
    if (!known(f, r->at))
        return err_set(e, ERR_INPUT, "%s: at: want a field of the family, have \"%s\"", at.s, r->at);
    if (r->op >= RULE_ROWS_DIFFER)
        return check_rows_rule(f, r, &at, e) < 0 ? -1 : conditions_known(f, &r->when, "when", &at, e);
    if (r->a && !(day ? day_operand(f, r->a) : family_field(f, r->a) != NULL))
        return err_set(e, ERR_INPUT, "%s: a: want %s, have \"%s\"", at.s, day ? "a date, an ID number or today" : "a field", r->a);
    if (r->b && !(day ? day_operand(f, r->b) : family_field(f, r->b) != NULL))
        return err_set(e, ERR_INPUT, "%s: b: want %s, have \"%s\"", at.s, day ? "a date, an ID number or today" : "a field", r->b);
    return conditions_known(f, &r->when, "when", &at, e);
}

static int check_presets(const struct family *f, const struct item *it, struct err *e)
{
    const struct place at = place_of("forms/%s.json: presets %s", f->id, it->code);
    const char *id;
    json_t *values, *v;
    size_t i;
    json_object_foreach(json_object_get(f->presets, it->code), id, values) {
        const struct field *field = family_field(f, id);
        if (!field || !json_is_array(values) || json_array_size(values) == 0)
            return want(e, &at, id, "a field of the family and a list of its values", values);
        json_array_foreach(values, i, v) {
            const char *s = json_string_value(v);
            if (field->type == FIELD_BOOLEAN ? !json_is_boolean(v) : !s || (field->type == FIELD_ENUM && !field_allows(field, s)))
                return want(e, &at, id, "values of the field", v);
        }
    }
    return 0;
}

static int check_family(const struct family *f, struct err *e)
{
    if (f->n_fields > CATALOGUE_MAX_FIELDS)
        return err_set(e, ERR_INPUT, "forms/%s.json: fields: want at most %d, have %zu", f->id, CATALOGUE_MAX_FIELDS, f->n_fields);
    for (size_t i = 0; i < f->n_fields; i++)
        if (check_field(f, &f->fields[i], e) < 0)
            return -1;
    for (size_t i = 0; i < f->n_repeats; i++)
        if (check_repeat(f, &f->repeats[i], e) < 0)
            return -1;
    for (size_t i = 0; i < f->n_rules; i++)
        if (check_rule(f, &f->rules[i], e) < 0)
            return -1;
    return check_sections(f, e);
}

static size_t group_size(const struct item *it, const char *group)
{
    size_t n = 0;
    for (size_t i = 0; i < it->n_materials; i++)
        if (it->materials[i].need == NEED_ONE_OF && it->materials[i].group && strcmp(it->materials[i].group, group) == 0)
            n += it->materials[i].n_alternatives > 1 ? it->materials[i].n_alternatives : 1;
    return n;
}

static int check_material(const struct item *it, size_t i, struct err *e)
{
    const struct material *m = &it->materials[i];
    const struct place at = place_of("catalogue: %s: material %d", it->code, m->no);
    if (m->no != (int)i + 1)
        return err_set(e, ERR_INPUT, "%s: no: want %zu, have %d", at.s, i + 1, m->no);
    if (m->need == NEED_CONDITIONAL && !(m->condition && *m->condition))
        return err_set(e, ERR_INPUT, "%s: condition: want words to show beside a conditional material, have none", at.s);
    if (m->manual && it->online_open && !m->police)
        return err_set(e, ERR_INPUT, "%s: when: want conditions that decide it in an item that is open online, have none", at.s);
    if (m->need == NEED_ONE_OF ? !m->group : m->need == NEED_REQUIRED && m->group)
        return err_set(e, ERR_INPUT, "%s: group: want one for one_of, none for required, have %s", at.s, m->group ? m->group : "none");
    if (m->need == NEED_ONE_OF && group_size(it, m->group) < 2)
        return err_set(e, ERR_INPUT, "%s: group %s: want several papers or alternatives to choose from, have one", at.s, m->group);
    for (size_t k = 0; k < m->n_alternatives; k++)
        if (conditions_known(it->family, &m->alternatives[k].when, "alternatives: when", &at, e) < 0)
            return -1;
    return conditions_known(it->family, &m->when, "when", &at, e);
}

/* Nobody can answer a question that has no values: e.g. no accepting unit is configured. Tables may be empty while all is closed. */
static int check_open(const struct item *it, struct err *e)
{
    const struct family *f = it->family;
    if (f->n_sections == 0)
        return err_set(e, ERR_INPUT, "forms/%s.json: sections: want some, %s is open online", f->id, it->code);
    for (size_t i = 0; i < f->n_sections; i++) {
        const size_t n = section_asked(f, &f->sections[i], it->code);
        if (n > MAX_ASKED)
            return err_set(e, ERR_INPUT, "forms/%s.json: section %s: want at most %d asked fields for %s, have %zu", f->id, f->sections[i].id,
                           MAX_ASKED, it->code, n);
    }
    for (size_t i = 0; i < f->n_fields; i++) {
        const struct field *field = &f->fields[i];
        if (field->type == FIELD_ENUM && field->n_values == 0 && (field->required || field->required_when.n > 0))
            return err_set(e, ERR_INPUT, "forms/%s.json: field %s: want values for a required field, %s is open online and %s has none", f->id,
                           field->id, it->code, field->table ? field->table->id : "it");
    }
    return 0;
}

static int check_item(const struct item *it, struct err *e)
{
    if (check_presets(it->family, it, e) < 0)
        return -1;
    for (size_t i = 0; i < it->n_materials; i++)
        if (check_material(it, i, e) < 0)
            return -1;
    return it->online_open ? check_open(it, e) : 0;
}

static int check_sentences(const struct catalogue *c, struct err *e)
{
    for (size_t i = 0; catalogue_rules[i]; i++)
        if (!catalogue_sentence(c, catalogue_rules[i]))
            return err_set(e, ERR_INPUT, "messages/form-errors.json: rule %s: want a sentence, have none", catalogue_rules[i]);
    return 0;
}

int catalogue_check(const struct catalogue *c, struct err *e)
{
    if (check_sentences(c, e) < 0)
        return -1;
    for (size_t i = 0; i < c->n_families; i++)
        if (check_family(&c->families[i], e) < 0)
            return -1;
    for (size_t i = 0; i < c->n_items; i++)
        if (check_item(&c->items[i], e) < 0)
            return -1;
    for (size_t i = 0; i < c->n_variants; i++)
        if (check_item(&c->variants[i].item, e) < 0)
            return err_wrap(e, "districts/%s", c->variants[i].region);
    return catalogue_templates_check(c, e) < 0 || catalogue_check_guide(c, e) < 0 ? -1 : catalogue_check_search(c, e);
}
