/* effect_check.c - refuses a wrong effect file at the start, with file, place, what was wanted and what was found. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

/* name: the file; at: where in it. */
struct checked { const json_t *rule; const char *name; char at[120]; json_t *used; };

#define LIST(n, ...) static const char *const n[] = {__VA_ARGS__, NULL}
LIST(person_columns, "id_no", "name", "former_name", "gender", "ethnicity", "birth_date", "birth_time", "birth_country", "birth_region", "birth_place",
     "native_region", "marital_status", "education", "military_status", "employer", "phone", "relation_to_head", "father_id_no", "father_name",
     "mother_id_no", "mother_name", "spouse_name", "spouse_id_no", "status", "cancel_kind", "cancel_date", "cancel_reason", "move_in_date",
     "move_in_region", "move_in_reason", "move_out_region", "move_out_place");
LIST(household_columns, "kind", "name", "collective_kind", "land_kind", "frozen", "address");
LIST(stages, "finish", "permit", "move_out", "move_in");
LIST(types, "text", "date", "enum", "book_no", "id_number", "phone");
LIST(paper_kinds, "booklet", "dispute_booklet", "migration_certificate", "permit", "e_permit", "certificate");
LIST(cancel_kinds, "death", "enlistment", "hk_macao", "taiwan", "abroad", "nationality", "moved_out", "duplicate", "missing", "short_exit", "long_absent",
     "marriage_away", "prison", "other");
LIST(rule_keys, "form", "title", "names", "completion", "guards", "ops", "by_hand", "result");
LIST(completion_keys, "id", "label", "hint", "type", "values", "code_table", "required", "when", "stage");
LIST(guard_keys, "check", "when", "stage", "for_each", "severity", "message", "person", "household", "other", "field", "of", "column", "kinds", "match",
     "address", "kind", "no", "of_case");
LIST(op_keys, "op", "when", "stage", "for_each", "of", "person", "household", "head", "set", "set_new", "kind", "no", "status", "of_case");
LIST(ways, "id_no", "element", "member_id_no", "book_no", "collective_name", "own", "new");
LIST(checks, "household_found", "household_not_found", "household_normal", "household_in_unit", "household_not_frozen", "land_is_state", "no_duplicate", "person_found",
     "person_not_found", "person_normal", "person_alive", "person_cancelled", "person_in_unit", "person_unlocked", "name_matches", "equals", "differs", "not_head_or_alone",
     "is_head", "same_household", "paper_valid", "something_changes");

/* What an op must have. */
static const struct { const char *op; bool person, household, set, kind; } ops[] = {
    {"add_person", false, true, true, false},    {"update_person", true, false, true, false},   {"cancel_person", true, false, true, false},
    {"restore_person", true, true, true, false}, {"admit_person", true, true, true, false},     {"move_person", true, true, true, false},
    {"form_household", false, false, true, false}, {"update_household", false, true, true, false}, {"set_head", true, true, false, false},
    {"lock_person", true, false, false, false},  {"unlock_person", true, false, false, false},  {"issue_paper", false, false, false, true},
    {"note_paper", false, false, false, true},   {"end_paper", false, false, false, true},
};

static bool listed(const char *const *list, const char *word)
{
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static int wrong(const struct checked *k, struct err *e, const char *what, const char *have)
{
    return err_set(e, ERR_INPUT, "effects/%s: %s: %s %s", k->name, k->at, what, have);
}

static int keys_known(const struct checked *k, const json_t *o, const char *const *known, struct err *e)
{
    const char *key;
    json_t *v;
    if (!json_is_object(o))
        return wrong(k, e, "want", "an object");
    json_object_foreach((json_t *)o, key, v)
        if (!listed(known, key))
            return wrong(k, e, "unknown key", key);
    return 0;
}

static int stages_known(const struct checked *k, const json_t *part, struct err *e)
{
    const json_t *s = json_object_get(part, "stage");
    size_t i;
    json_t *v;
    if (s && json_is_string(s) && !listed(stages, json_string_value(s)))
        return wrong(k, e, "unknown stage", json_string_value(s));
    if (s && !json_is_string(s) && !json_is_array(s))
        return wrong(k, e, "stage: want", "a word or a list");
    if (json_is_array(s))
        json_array_foreach(s, i, v)
            if (!json_is_string(v) || !listed(stages, json_string_value(v)))
                return wrong(k, e, "unknown stage", json_is_string(v) ? json_string_value(v) : "?");
    return 0;
}

static int conditions_good(const struct checked *k, const json_t *when, struct err *e)
{
    size_t i;
    json_t *v;
    if (when && !json_is_array(when))
        return wrong(k, e, "when: want", "a list");
    json_array_foreach(when, i, v) {
        int n = (json_object_get(v, "in") != NULL) + (json_object_get(v, "not_in") != NULL) + (json_object_get(v, "prefix") != NULL) +
                json_is_true(json_object_get(v, "absent")) + (*effect_text(v, "gender") != '\0');
        if (*effect_text(v, "field") == '\0' || n != 1)
            return wrong(k, e, "condition: want a field and one of", "in, not_in, prefix, absent, gender");
    }
    return 0;
}

/* --- sources and sets --- */
static int source_good(const struct checked *k, const json_t *src, struct err *e)
{
    static const char *const kinds[] = {"field", "const", "label", "region", "append", "map", "of", "row", "from", "today", "plus_days", "case", "assign", "first",
                                        NULL};
    int n = 0;
    size_t i;
    json_t *v;
    for (i = 0; kinds[i]; i++)
        n += json_object_get(src, kinds[i]) != NULL;
    if (!json_is_object(src) || n != 1)
        return wrong(k, e, "source: want one of", "field, const, label, region, append, map, of, row, from, today, plus_days, case, assign, first");
    json_array_foreach(json_object_get(src, "first"), i, v)
        if (source_good(k, v, e) < 0)
            return -1;
    if (json_object_get(src, "map") && !json_is_object(json_object_get(src, "values")))
        return wrong(k, e, "map: want", "values");
    if (json_object_get(src, "assign") &&
        (source_good(k, json_object_get(src, "birth_date"), e) < 0 || source_good(k, json_object_get(src, "gender"), e) < 0))
        return -1;
    return 0;
}

static int set_good(struct checked *k, const json_t *set, const char *const *columns, struct err *e)
{
    const char *column;
    json_t *src;
    json_object_foreach((json_t *)set, column, src) {
        if (columns && !listed(columns, column))
            return wrong(k, e, "unknown column", column);
        if (source_good(k, src, e) < 0)
            return -1;
    }
    return 0;
}

/* --- operands --- */
static int way_good(struct checked *k, const json_t *way, bool of_person, struct err *e);
static int operand_good(struct checked *k, const json_t *operand, bool of_person, struct err *e)
{
    const char *name = json_string_value(operand);
    const json_t *o = name ? json_object_get(json_object_get(k->rule, "names"), name) : operand;
    size_t i;
    json_t *v;
    if (o == NULL)
        return wrong(k, e, "unknown name", name ? name : "(none)");
    if (name)
        json_object_set_new(k->used, name, json_true());
    if (json_is_object(o))
        return way_good(k, o, of_person, e);
    if (of_person || json_array_size(o) == 0)
        return wrong(k, e, "want a way to find", of_person ? "a person" : "a household");
    json_array_foreach(o, i, v)
        if (way_good(k, v, false, e) < 0)
            return -1;
    return 0;
}

static int way_good(struct checked *k, const json_t *way, bool of_person, struct err *e)
{
    const char *by = effect_text(way, "by");
    bool person_way = strcmp(by, "id_no") == 0 || strcmp(by, "element") == 0, either = strcmp(by, "new") == 0;
    if (!listed(ways, by) || (person_way != of_person && !either))
        return wrong(k, e, of_person ? "no way to a person:" : "no way to a household:", by);
    if (strcmp(by, "own") == 0)
        return operand_good(k, json_object_get(way, "person"), true, e);
    bool needs_field = strcmp(by, "element") != 0 && strcmp(by, "new") != 0;
    if (needs_field && *effect_text(way, "field") == '\0' && json_array_size(json_object_get(way, "field")) == 0)
        return wrong(k, e, by, "wants a field");
    return conditions_good(k, json_object_get(way, "when"), e);
}

static int operands_good(struct checked *k, const json_t *part, bool person, bool household, struct err *e)
{
    if ((person && !json_object_get(part, "person")) || (household && !json_object_get(part, "household")))
        return wrong(k, e, "want", person && !json_object_get(part, "person") ? "a person" : "a household");
    if (json_object_get(part, "person") && operand_good(k, json_object_get(part, "person"), true, e) < 0)
        return -1;
    if (json_object_get(part, "other") && operand_good(k, json_object_get(part, "other"), true, e) < 0)
        return -1;
    return json_object_get(part, "household") ? operand_good(k, json_object_get(part, "household"), false, e) : 0;
}

/* --- the parts --- */
static int op_good(struct checked *k, const json_t *op, struct err *e)
{
    const char *kind = effect_text(op, "op");
    size_t i = 0, n = sizeof ops / sizeof ops[0];
    while (i < n && strcmp(ops[i].op, kind) != 0)
        i++;
    if (i == n)
        return wrong(k, e, "unknown op", kind);
    if (keys_known(k, op, op_keys, e) < 0 || stages_known(k, op, e) < 0 || conditions_good(k, json_object_get(op, "when"), e) < 0 ||
        operands_good(k, op, ops[i].person, ops[i].household, e) < 0)
        return -1;
    if (ops[i].set && json_object_size(json_object_get(op, "set")) == 0)
        return wrong(k, e, kind, "changes nothing: want a set");
    if (ops[i].kind && !listed(paper_kinds, effect_text(op, "kind")))
        return wrong(k, e, "unknown kind of paper", effect_text(op, "kind"));
    if (strcmp(effect_text(op, "for_each"), "@members") == 0 && operand_good(k, json_object_get(op, "of"), false, e) < 0)
        return -1;
    const json_t *set = json_object_get(op, "set"), *cancel = json_object_get(json_object_get(set, "cancel_kind"), "const");
    if (strcmp(kind, "cancel_person") == 0 &&
        (!json_object_get(set, "cancel_kind") || !effect_is(json_object_get(set, "status"), "const", "cancelled") ||
         (json_is_string(cancel) && !listed(cancel_kinds, json_string_value(cancel)))))
        return wrong(k, e, "cancel_person wants", "status cancelled and a known cancel_kind");
    const char *const *columns = strstr(kind, "_paper") ? NULL : strstr(kind, "household") ? household_columns : person_columns;
    return set_good(k, set, columns, e) < 0 || set_good(k, json_object_get(op, "set_new"), person_columns, e) < 0 ? -1 : 0;
}

static int guard_good(struct checked *k, const json_t *g, struct err *e)
{
    const char *check = effect_text(g, "check"), *severity = effect_text(g, "severity");
    if (!listed(checks, check))
        return wrong(k, e, "unknown check", check);
    if (keys_known(k, g, guard_keys, e) < 0 || stages_known(k, g, e) < 0 || conditions_good(k, json_object_get(g, "when"), e) < 0)
        return -1;
    if (strcmp(severity, "refuse") != 0 && strcmp(severity, "warn") != 0)
        return wrong(k, e, "severity: want refuse or warn, have", severity);
    if (*effect_text(g, "message") == '\0')
        return wrong(k, e, check, "has no message");
    bool home = strncmp(check, "household_", 10) == 0 || strcmp(check, "no_duplicate") == 0 || (strcmp(check, "land_is_state") == 0 && !json_object_get(g, "address"));
    bool free_of_both = strcmp(check, "something_changes") == 0 || strcmp(check, "paper_valid") == 0 || strcmp(check, "land_is_state") == 0;
    if (strcmp(check, "paper_valid") == 0 && !listed(paper_kinds, effect_text(g, "kind")))
        return wrong(k, e, "unknown kind of paper", effect_text(g, "kind"));
    if ((strcmp(check, "name_matches") == 0 || strcmp(check, "differs") == 0 || strcmp(check, "equals") == 0) && !json_object_get(g, "field") &&
        !json_object_get(g, "of") && !json_object_get(g, "household"))
        return wrong(k, e, check, "wants a field");
    if (operands_good(k, g, !home && !free_of_both, home, e) < 0)
        return -1;
    return set_good(k, json_object_get(g, "match"), person_columns, e);
}

static int completion_good(struct checked *k, const json_t *f, struct err *e)
{
    const char *id = effect_text(f, "id"), *type = effect_text(f, "type");
    if (strncmp(id, "done_", 5) != 0)
        return wrong(k, e, "want an id that starts with done_, have", id);
    if (!listed(types, type))
        return wrong(k, e, "unknown type", type);
    if (keys_known(k, f, completion_keys, e) < 0 || stages_known(k, f, e) < 0 || conditions_good(k, json_object_get(f, "when"), e) < 0)
        return -1;
    if (*effect_text(f, "label") == '\0' || !json_is_boolean(json_object_get(f, "required")))
        return wrong(k, e, id, "wants a label, and required true or false");
    if (strcmp(type, "enum") == 0 && !json_array_size(json_object_get(f, "values")) && !*effect_text(f, "code_table"))
        return wrong(k, e, id, "wants values");
    return 0;
}

typedef int (*part_fn)(struct checked *k, const json_t *part, struct err *e);
static int each(struct checked *k, const char *key, part_fn fn, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(k->rule, key), i, v) {
        const char *what = *effect_text(v, "op") ? effect_text(v, "op") : *effect_text(v, "check") ? effect_text(v, "check") : effect_text(v, "id");
        snprintf(k->at, sizeof k->at, "%s[%zu] %.60s", key, i, what);
        if (fn(k, v, e) < 0)
            return -1;
    }
    return 0;
}

static int names_used(struct checked *k, struct err *e)
{
    const char *name;
    json_t *v;
    snprintf(k->at, sizeof k->at, "names");
    json_object_foreach(json_object_get(k->rule, "names"), name, v)
        if (!json_object_get(k->used, name))
            return wrong(k, e, "nothing uses", name);
    return 0;
}

/* Every field named anywhere in the file: the members of the JSON that hold one. */
static void fields_of(const json_t *part, json_t *out)
{
    static const char *const holders[] = {"field", "label", "map", "address", "region", NULL};
    const char *key;
    json_t *v, *f;
    size_t i;
    if (json_is_array(part))
        json_array_foreach(part, i, v)
            fields_of(v, out);
    json_object_foreach((json_t *)part, key, v) {
        if (json_is_string(v) && listed(holders, key))
            json_object_set_new(out, json_string_value(v), json_true());
        if (json_is_array(v) && strcmp(key, "field") == 0)
            json_array_foreach(v, i, f)
                json_object_set_new(out, json_string_value(f), json_true());
        fields_of(v, out);
    }
}

static int completion_used(struct checked *k, struct err *e)
{
    json_t *fields = json_object(), *f;
    size_t i;
    int rc = 0;
    static const char *const parts[] = {"names", "guards", "ops"};
    for (i = 0; i < 3; i++)
        fields_of(json_object_get(k->rule, parts[i]), fields);
    snprintf(k->at, sizeof k->at, "completion");
    json_array_foreach(json_object_get(k->rule, "completion"), i, f)
        if (rc == 0 && !json_object_get(fields, effect_text(f, "id")))
            rc = wrong(k, e, "nothing reads", effect_text(f, "id"));
    json_decref(fields);
    return rc;
}

int effect_rule_check(const json_t *rule, const char *name, struct err *e)
{
    struct checked k = {.rule = rule, .name = name, .at = "file", .used = json_object()};
    int rc = keys_known(&k, rule, rule_keys, e);
    if (rc == 0 && (*effect_text(rule, "title") == '\0' || *effect_text(rule, "result") == '\0'))
        rc = wrong(&k, e, "want", "a title and a result");
    if (rc == 0 && json_array_size(json_object_get(rule, "ops")) == 0)
        rc = wrong(&k, e, "an effect of no use:", "it has no ops");
    if (rc == 0)
        rc = each(&k, "completion", completion_good, e) < 0 || each(&k, "guards", guard_good, e) < 0 || each(&k, "ops", op_good, e) < 0 ||
                     names_used(&k, e) < 0 || completion_used(&k, e) < 0
                 ? -1
                 : 0;
    json_decref(k.used);
    return rc;
}

/* --- against the forms --- */
static bool completes(const json_t *rule, const char *id)
{
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(rule, "completion"), i, f)
        if (effect_is(f, "id", id))
            return true;
    return false;
}

static int lists_known(const json_t *rule, const struct family *f, struct err *e)
{
    static const char *const parts[] = {"guards", "ops"};
    size_t i;
    json_t *v;
    for (size_t k = 0; k < 2; k++)
        json_array_foreach(json_object_get(rule, parts[k]), i, v) {
            const char *over = effect_text(v, "for_each");
            if (*over && *over != '@' && !family_repeat(f, over))
                return err_set(e, ERR_INPUT, "effects/%s: for_each: unknown list %s", f->id, over);
        }
    return 0;
}

static int fields_known(const json_t *rule, const struct family *f, struct err *e)
{
    static const char *const parts[] = {"names", "guards", "ops"};
    json_t *fields = json_object(), *v;
    const char *id;
    size_t i;
    int rc = 0;
    for (i = 0; i < 3; i++)
        fields_of(json_object_get(rule, parts[i]), fields);
    json_array_foreach(json_object_get(rule, "completion"), i, v)
        fields_of(json_object_get(v, "when"), fields);
    json_object_foreach(fields, id, v)
        if (rc == 0 && *id != '@' && !family_field(f, id) && !family_repeat(f, id) && !completes(rule, id))
            rc = err_set(e, ERR_INPUT, "effects/%s: unknown field %s", f->id, id);
    json_decref(fields);
    return rc < 0 ? -1 : lists_known(rule, f, e);
}

int effect_fields_check(const json_t *effects, const struct catalogue *c, struct err *e)
{
    for (size_t i = 0; i < catalogue_item_count(c); i++) {
        const struct family *f = catalogue_item_at(c, i)->family;
        const json_t *rule = json_object_get(effects, f->id);
        if (rule == NULL)
            return err_set(e, ERR_INPUT, "effects: family %s has no file", f->id);
        if (fields_known(rule, f, e) < 0)
            return -1;
    }
    return 0;
}
