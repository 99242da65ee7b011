/* catalogue_build.c - the bundle document turned into structs; what is malformed by itself is refused with its place. */
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue_parts.h"

struct place place_of(const char *fmt, ...)
{
    struct place p;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p.s, sizeof p.s, fmt, ap);
    va_end(ap);
    return p;
}

int want(struct err *e, const struct place *at, const char *key, const char *wanted, const json_t *have)
{
    char *s = have ? json_dumps(have, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    err_set(e, ERR_INPUT, "%s: %s: want %s, have %.60s", at->s, key, wanted, s ? s : "none");
    free(s);
    return -1;
}

/* ---- single values; JSON null is the same as absent ---- */

int text_key(const char **out, const json_t *o, const char *key, bool required, const struct place *at, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    *out = json_string_value(v);
    if ((v && !json_is_null(v) && !*out) || (required && (!*out || !**out)))
        return want(e, at, key, "text", v);
    return 0;
}

int bool_key(bool *out, const json_t *o, const char *key, bool fallback, const struct place *at, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    *out = v && !json_is_null(v) ? json_is_true(v) : fallback;
    return v && !json_is_null(v) && !json_is_boolean(v) ? want(e, at, key, "true or false", v) : 0;
}

int number_key(long *out, const json_t *o, const char *key, long min, long max, long fallback, const struct place *at, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    *out = json_is_integer(v) ? (long)json_integer_value(v) : fallback;
    if ((v && !json_is_integer(v)) || *out < min || *out > max)
        return want(e, at, key, "a number in its bounds", v);
    return 0;
}

/* An array, or NULL when absent. */
int list_key(const json_t **out, const json_t *o, const char *key, bool required, const struct place *at, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    *out = json_is_array(v) ? v : NULL;
    return (v && !json_is_null(v) && !*out) || (required && json_array_size(v) == 0) ? want(e, at, key, "a list", v) : 0;
}

int word_key(int *out, const json_t *o, const char *key, const char *const *words, const struct place *at, struct err *e)
{
    const char *s = json_string_value(json_object_get(o, key));
    char list[200] = "one of";
    for (*out = 0; s && words[*out]; (*out)++)
        if (strcmp(words[*out], s) == 0)
            return 0;
    for (int i = 0; words[i]; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), " %s", words[i]);
    return want(e, at, key, list, json_object_get(o, key));
}

/* A misspelt key would silently switch a rule off. */
static int known_keys(const json_t *o, const char *words, const struct place *at, struct err *e)
{
    const char *key;
    json_t *v;
    char spaced[64];
    if (!json_is_object(o))
        return want(e, at, "definition", "an object", o);
    json_object_foreach((json_t *)o, key, v) {
        snprintf(spaced, sizeof spaced, " %s ", key);
        if (!strstr(words, spaced))
            return err_set(e, ERR_INPUT, "%s: key %.40s: want one of%s", at->s, key, words);
    }
    return 0;
}

static int only_texts(const json_t *list, const char *key, bool or_bool, const struct place *at, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v)
        if (!json_is_string(v) && !(or_bool && json_is_boolean(v)))
            return want(e, at, key, or_bool ? "texts or booleans" : "texts", v);
    return 0;
}

/* @province and @city became digits when the folder was read; what is left of that kind is a word nobody knows. */
static int places_known(const json_t *list, const char *key, const struct place *at, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v)
        if (json_is_string(v) && json_string_value(v)[0] == '@')
            return want(e, at, key, "@province or @city, and an organisation that has them", v);
    return 0;
}

int conditions_key(struct catalogue *c, struct conditions *out, const json_t *o, const char *key, const struct place *at, struct err *e)
{
    static const char *const ops[] = { "in", "not_in", "prefix", "not_prefix" };
    const json_t *list;
    size_t i;
    json_t *k;
    if (list_key(&list, o, key, false, at, e) < 0)
        return -1;
    out->n = json_array_size(list);
    struct condition *v = catalogue_alloc(c, out->n, sizeof *v);
    out->v = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, k) {
        if (known_keys(k, " field in not_in prefix not_prefix ", at, e) < 0 || text_key(&v[i].field, k, "field", true, at, e) < 0)
            return -1;
        for (int m = 0; m < 4; m++)
            if (json_object_get(k, ops[m])) {
                v[i].match = (enum match)m;
                v[i].values = json_object_get(k, ops[m]);
            }
        if (json_object_size(k) != 2 || !json_is_array(v[i].values) || json_array_size(v[i].values) == 0)
            return want(e, at, key, "a field and one list in, not_in, prefix or not_prefix", k);
        if (only_texts(v[i].values, key, v[i].match < MATCH_PREFIX, at, e) < 0 || places_known(v[i].values, key, at, e) < 0)
            return -1;
    }
    return 0;
}

static int choices_of(struct catalogue *c, const struct choice **out, size_t *n, const json_t *list, const struct place *at, struct err *e)
{
    size_t i;
    json_t *k;
    *n = json_array_size(list);
    struct choice *v = catalogue_alloc(c, *n, sizeof *v);
    *out = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, k)
        if (text_key(&v[i].code, k, "code", true, at, e) < 0 || text_key(&v[i].label, k, "label", true, at, e) < 0)
            return -1;
    return 0;
}

/* ---- code tables, patterns, sentences ---- */

static int index_table(struct code_table *t, const struct place *at, struct err *e)
{
    json_t *index = json_object();
    t->index = index;
    for (size_t i = 0; i < t->n; i++) {
        if (json_object_get(index, t->values[i].code))
            return err_set(e, ERR_INPUT, "%s: code %s: want once, have twice", at->s, t->values[i].code);
        if (json_object_set_new(index, t->values[i].code, json_string(t->values[i].label)) < 0)
            return NO_MEMORY(e);
    }
    return 0;
}

/* Two tables come from the organisation tree: GA 380 are the units that accept applications, 村居 the committees below the stations. */
static bool of_tree(const struct code_table *t, const json_t *unit)
{
    const char *kind = json_string_value(json_object_get(unit, "kind"));
    return strcmp(t->id, "GA 380") == 0 ? json_is_true(json_object_get(unit, "accepting")) : kind && strcmp(kind, "committee") == 0;
}

static int units_table(struct catalogue *c, struct code_table *t, struct err *e)
{
    const json_t *units = json_object_get(c->root, "units");
    const struct place at = place_of("units");
    size_t i;
    json_t *u;
    struct choice *v = catalogue_alloc(c, json_array_size(units), sizeof *v);
    t->values = v;
    t->n = 0;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(units, i, u) {
        if (!of_tree(t, u))
            continue;
        if (text_key(&v[t->n].code, u, "code", true, &at, e) < 0 || text_key(&v[t->n].label, u, "name", true, &at, e) < 0)
            return -1;
        t->n++;
    }
    return 0;
}

static int build_tables(struct catalogue *c, struct err *e)
{
    json_t *all = json_object_get(c->root, "code_tables"), *o;
    const char *id;
    c->tables = catalogue_alloc(c, json_object_size(all), sizeof *c->tables);
    if (!c->tables)
        return NO_MEMORY(e);
    json_object_foreach(all, id, o) {
        struct code_table *t = &c->tables[c->n_tables++];
        const struct place at = place_of("code-tables/%s", id);
        const json_t *values;
        t->id = id;
        if (text_key(&t->name, o, "name", true, &at, e) < 0 || bool_key(&t->complete, o, "complete", false, &at, e) < 0 ||
            list_key(&values, o, "values", false, &at, e) < 0 || choices_of(c, &t->values, &t->n, values, &at, e) < 0 ||
            ((strcmp(id, "GA 380") == 0 || strcmp(id, "村居") == 0) && units_table(c, t, e) < 0) || index_table(t, &at, e) < 0)
            return -1;
    }
    return 0;
}

/* Whether a regex is compiled and run in no time whatever the text: short, no count above 99, no repetition of what repeats (neither here nor in the browsers). */
static bool regex_bounded(const char *s)
{
    bool repeats[16] = {false};
    size_t depth = 0;
    for (const char *p = s; *p; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            continue;
        }
        if (*p == '[') {
            p += p[1] == '^' ? 1 : 0;
            p += p[1] == ']' ? 1 : 0;                    /* first, it is a member */
            while (p[1] && p[1] != ']')
                p++;
            if (!p[1])
                return false;
            p++;
        } else if (*p == '(') {
            if (++depth == 16)
                return false;
            repeats[depth] = false;
        } else if (*p == ')') {
            if (depth == 0 || (strchr("*+{", p[1]) && p[1] && repeats[depth]))
                return false;
            depth--;
            repeats[depth] |= repeats[depth + 1];
        } else if (strchr("*+{", *p)) {
            repeats[depth] = true;
        }
        if (*p == '{' && strspn(p + 1, "0123456789") > 2)
            return false;
        if (*p == '{' && p[1 + strspn(p + 1, "0123456789")] == ',' && strspn(p + 2 + strspn(p + 1, "0123456789"), "0123456789") > 2)
            return false;
    }
    return strlen(s) <= 200;
}

static int compile(struct pattern *p, const struct place *at, struct err *e)
{
    const size_t n = strlen(p->regex);
    regex_t *re = calloc(1, sizeof *re);
    if (!re)
        return NO_MEMORY(e);
    if (n < 2 || p->regex[0] != '^' || p->regex[n - 1] != '$' || !regex_bounded(p->regex) || regcomp(re, p->regex, REG_EXTENDED | REG_NOSUB) != 0) {
        free(re);
        return err_set(e, ERR_INPUT, "%s: regex: want an anchored POSIX ERE without repeated repetitions, have %.80s", at->s, p->regex);
    }
    p->compiled = re;
    return 0;
}

static int build_patterns(struct catalogue *c, struct err *e)
{
    json_t *all = json_object_get(c->root, "patterns"), *o;
    const char *builtin;
    size_t i;
    c->patterns = catalogue_alloc(c, json_array_size(all), sizeof *c->patterns);
    if (!c->patterns)
        return NO_MEMORY(e);
    json_array_foreach(all, i, o) {
        struct pattern *p = &c->patterns[c->n_patterns++];
        const struct place at = place_of("forms/patterns.json: pattern %zu", i);
        if (text_key(&p->name, o, "name", true, &at, e) < 0 || text_key(&p->message, o, "message", true, &at, e) < 0 ||
            bool_key(&p->upper, o, "upper", false, &at, e) < 0 || text_key(&builtin, o, "builtin", false, &at, e) < 0 ||
            text_key(&p->regex, o, "regex", !builtin, &at, e) < 0)
            return -1;
        p->person_name = builtin != NULL;
        if (builtin && (strcmp(builtin, "person_name") != 0 || p->regex))
            return want(e, &at, "builtin", "person_name and no regex", json_object_get(o, "builtin"));
        if (!builtin && compile(p, &at, e) < 0)
            return -1;
    }
    return 0;
}

static int build_sentences(struct catalogue *c, struct err *e)
{
    const json_t *list = json_object_get(json_object_get(json_object_get(c->root, "messages"), "form-errors"), "rules");
    const struct place at = place_of("messages/form-errors.json");
    const char *rule, *sentence;
    size_t i;
    json_t *o;
    c->sentences = json_object();
    json_array_foreach(list, i, o) {
        if (text_key(&rule, o, "rule", true, &at, e) < 0 || text_key(&sentence, o, "message", true, &at, e) < 0)
            return -1;
        if (json_object_set(c->sentences, rule, json_object_get(o, "message")) < 0)
            return NO_MEMORY(e);
    }
    return 0;
}

/* ---- fields ---- */

static int fill_of(struct catalogue *c, struct field *f, const struct place *at, struct err *e)
{
    static const struct { const char *start; enum fill_kind kind; } kinds[] = {
        { "identity.name", FILL_IDENTITY_NAME }, { "identity.id_no", FILL_IDENTITY_ID_NO }, { "identity.phone", FILL_IDENTITY_PHONE },
        { "identity.id_type", FILL_IDENTITY_ID_TYPE }, { "guide:", FILL_GUIDE }, { "register.", FILL_REGISTER },
        { "field:", FILL_FIELD },
    };
    const json_t *v = json_object_get(f->json, "fill_from");
    const char *s = json_string_value(v);
    f->fill_map = json_object_get(f->json, "fill_map");
    if (f->fill_map && (!json_is_object(f->fill_map) || !s || strncmp(s, "field:", 6) != 0))
        return want(e, at, "fill_map", "an object beside fill_from field:<id>", f->fill_map);
    if (!v)
        return 0;
    for (size_t i = 0; s && i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(s, kinds[i].start, strlen(kinds[i].start)) == 0) {
            f->fill = kinds[i].kind;
            f->fill_arg = s + strlen(kinds[i].start);
            return i < 4 && *f->fill_arg ? want(e, at, "fill_from", "identity.name, .id_no, .id_type or .phone", v) : 0;
        }
    if (!s || strncmp(s, "id_number:", 10) != 0 || !strchr(s + 10, ':'))
        return want(e, at, "fill_from", "identity.*, id_number:<field>:<what>, field:<field>, guide:<node> or register.<column>", v);
    const char *what = strchr(s + 10, ':') + 1;
    f->fill = strcmp(what, "birth_date") == 0 ? FILL_BIRTH_DATE : strcmp(what, "gender") == 0 ? FILL_GENDER : FILL_NONE;
    char *source = catalogue_alloc(c, strlen(s), 1);
    if (!source)
        return NO_MEMORY(e);
    memcpy(source, s + 10, (size_t)(what - 1 - (s + 10)));
    f->fill_arg = source;
    return f->fill == FILL_NONE ? want(e, at, "fill_from", "birth_date or gender", v) : 0;
}

static int values_of(struct catalogue *c, struct field *f, const struct place *at, struct err *e)
{
    const char *table;
    const json_t *own;
    size_t i;
    json_t *v;
    if (text_key(&table, f->json, "code_table", false, at, e) < 0 || list_key(&own, f->json, "values", false, at, e) < 0 ||
        list_key(&f->allow, f->json, "allow", false, at, e) < 0 || only_texts(f->allow, "allow", false, at, e) < 0)
        return -1;
    if ((f->type == FIELD_ENUM) != (table || own) || (table && own))
        return err_set(e, ERR_INPUT, "%s: want a code_table or values for an enum and only there", at->s);
    if (table && !(f->table = catalogue_table(c, table)))
        return want(e, at, "code_table", "a table of code-tables", json_object_get(f->json, "code_table"));
    if (choices_of(c, &f->values, &f->n_values, own, at, e) < 0)
        return -1;
    if (f->table) {
        f->values = f->table->values;
        f->n_values = f->table->n;
    }
    json_array_foreach(f->allow, i, v)
        if (!field_label_of(f, json_string_value(v)))
            return want(e, at, "allow", "codes of the table", v);
    return 0;
}

static int pattern_of(const struct catalogue *c, struct field *f, const struct place *at, struct err *e)
{
    const char *name;
    if (text_key(&name, f->json, "pattern_name", false, at, e) < 0)
        return -1;
    if (!name)
        return 0;
    for (size_t i = 0; i < c->n_patterns; i++)
        if (strcmp(c->patterns[i].name, name) == 0)
            f->pattern = &c->patterns[i];
    return f->pattern && f->type == FIELD_TEXT ? 0 : want(e, at, "pattern_name", "a text field and a pattern of forms/patterns.json",
                                                          json_object_get(f->json, "pattern_name"));
}

static int field_words(struct field *f, const struct place *at, struct err *e)
{
    const json_t *o = f->json;
    return text_key(&f->label, o, "label", true, at, e) < 0 || text_key(&f->ask, o, "ask", false, at, e) < 0 ||
           text_key(&f->hint, o, "hint", false, at, e) < 0 || text_key(&f->note, o, "note", false, at, e) < 0 ||
           text_key(&f->mask, o, "mask", false, at, e) < 0 || text_key(&f->section, o, "section", false, at, e) < 0 ||
           text_key(&f->date_min, o, "date_min", false, at, e) < 0 || text_key(&f->date_max, o, "date_max", false, at, e) < 0 ? -1 : 0;
}

static const char *const field_keys =
    " id label note block type required required_when visible_when code_table values allow section ask hint usual fill_from fill_when"
    " fill_map register mask max_length pattern_name date_min date_max id_number_when verify pilot suggest_by ";

static int field_of(struct catalogue *c, struct field *f, const json_t *o, const struct place *owner, struct err *e)
{
    static const char *const types[] = { "text", "id_number", "date", "enum", "address", "phone", "boolean", NULL };
    static const long longest[] = { 200, 18, 10, 40, 100, 16, 0 };
    int type = 0;
    f->json = o;
    if (known_keys(o, field_keys, owner, e) < 0 || text_key(&f->id, o, "id", true, owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: field %s", owner->s, f->id);
    if (word_key(&type, o, "type", types, &at, e) < 0 || bool_key(&f->required, o, "required", false, &at, e) < 0)
        return -1;
    f->type = (enum field_type)type;
    if (field_words(f, &at, e) < 0 || number_key(&f->max_length, o, "max_length", 0, 2000, longest[type], &at, e) < 0 ||
        conditions_key(c, &f->required_when, o, "required_when", &at, e) < 0 || conditions_key(c, &f->visible_when, o, "visible_when", &at, e) < 0 ||
        conditions_key(c, &f->fill_when, o, "fill_when", &at, e) < 0 || conditions_key(c, &f->id_number_when, o, "id_number_when", &at, e) < 0)
        return -1;
    if (f->id_number_when.n > 0 && f->type != FIELD_TEXT)
        return want(e, &at, "id_number_when", "a text field", json_object_get(o, "type"));
    return values_of(c, f, &at, e) < 0 || pattern_of(c, f, &at, e) < 0 ? -1 : fill_of(c, f, &at, e);
}

static int fields_key(struct catalogue *c, const struct field **out, size_t *n, const json_t *o, const struct place *at, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *k;
    if (list_key(&list, o, "fields", true, at, e) < 0)
        return -1;
    struct field *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    *out = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, k) {
        if (field_of(c, &v[i], k, at, e) < 0)
            return -1;
        for (size_t j = 0; j < i; j++)
            if (strcmp(v[j].id, v[i].id) == 0)
                return err_set(e, ERR_INPUT, "%s: field %s: want once, have twice", at->s, v[i].id);
        *n = i + 1;
    }
    return 0;
}

/* ---- families ---- */

static int repeats_of(struct catalogue *c, struct family *f, const struct place *owner, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *o;
    if (list_key(&list, f->json, "repeats", false, owner, e) < 0)
        return -1;
    struct repeat *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    f->repeats = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, o) {
        long min, max;
        if (known_keys(o, " id label note section min max fields required_when visible_when ask hint ", owner, e) < 0 ||
            text_key(&v[i].id, o, "id", true, owner, e) < 0)
            return -1;
        const struct place at = place_of("%s: repeat %s", owner->s, v[i].id);
        if (text_key(&v[i].label, o, "label", true, &at, e) < 0 || number_key(&min, o, "min", 0, 50, 0, &at, e) < 0 ||
            number_key(&max, o, "max", 1, 50, 20, &at, e) < 0 || conditions_key(c, &v[i].required_when, o, "required_when", &at, e) < 0 ||
            conditions_key(c, &v[i].visible_when, o, "visible_when", &at, e) < 0 || fields_key(c, &v[i].fields, &v[i].n_fields, o, &at, e) < 0)
            return -1;
        v[i].min = (size_t)min;
        v[i].max = (size_t)max;
        f->n_repeats = i + 1;
    }
    return 0;
}

static int sections_of(struct catalogue *c, struct family *f, const struct place *at, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *o;
    if (list_key(&list, f->json, "sections", false, at, e) < 0)
        return -1;
    struct section *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    f->sections = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, o) {
        v[i].json = o;
        if (known_keys(o, " id title desk_title fields repeats note ", at, e) < 0 || text_key(&v[i].id, o, "id", true, at, e) < 0 ||
            text_key(&v[i].title, o, "title", true, at, e) < 0)
            return -1;
        f->n_sections = i + 1;
    }
    return 0;
}

static int rule_of(struct catalogue *c, struct rule *r, const json_t *o, const struct place *owner, struct err *e)
{
    static const char *const ops[] = { "require_any", "together", "not_after", "not_before", "differ", "same", "in",
                                       "age_at_least", "age_below", "gender_is", "refuse", "rows_differ", "rows_have", "rows_include", NULL };
    int op = 0;
    long n;
    if (known_keys(o, " id op a b n value values fields column when at message ", owner, e) < 0 || text_key(&r->id, o, "id", true, owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: rule %s", owner->s, r->id);
    if (word_key(&op, o, "op", ops, &at, e) < 0)
        return -1;
    r->op = (enum rule_op)op;
    const bool many = op <= RULE_TOGETHER || op == RULE_REFUSE, pair = (op >= RULE_NOT_AFTER && op <= RULE_SAME) || op == RULE_ROWS_INCLUDE;
    if (text_key(&r->at, o, "at", true, &at, e) < 0 || text_key(&r->message, o, "message", true, &at, e) < 0 ||
        text_key(&r->a, o, "a", !many, &at, e) < 0 || text_key(&r->b, o, "b", pair, &at, e) < 0 ||
        text_key(&r->value, o, "value", op == RULE_GENDER_IS, &at, e) < 0 || list_key(&r->fields, o, "fields", op <= RULE_TOGETHER, &at, e) < 0 ||
        text_key(&r->column, o, "column", op >= RULE_ROWS_DIFFER, &at, e) < 0 ||
        list_key(&r->values, o, "values", op == RULE_IN, &at, e) < 0 || only_texts(r->fields, "fields", false, &at, e) < 0 ||
        only_texts(r->values, "values", true, &at, e) < 0 || conditions_key(c, &r->when, o, "when", &at, e) < 0 ||
        number_key(&n, o, "n", op == RULE_AGE_AT_LEAST || op == RULE_AGE_BELOW ? 0 : -1, 150, -1, &at, e) < 0)
        return -1;
    r->n = (int)n;
    if (op == RULE_REFUSE && r->when.n == 0)
        return want(e, &at, "when", "what is refused", NULL);
    return r->value && strcmp(r->value, "1") != 0 && strcmp(r->value, "2") != 0 ? want(e, &at, "value", "\"1\" or \"2\"", json_object_get(o, "value")) : 0;
}

static int rules_of(struct catalogue *c, struct family *f, const struct place *at, struct err *e)
{
    const json_t *list;
    size_t i;
    json_t *o;
    if (list_key(&list, f->json, "rules", false, at, e) < 0)
        return -1;
    struct rule *v = catalogue_alloc(c, json_array_size(list), sizeof *v);
    f->rules = v;
    if (!v)
        return NO_MEMORY(e);
    json_array_foreach(list, i, o) {
        if (rule_of(c, &v[i], o, at, e) < 0)
            return -1;
        f->n_rules = i + 1;
    }
    return 0;
}

static int build_families(struct catalogue *c, struct err *e)
{
    json_t *all = json_object_get(c->root, "families"), *o;
    const char *id;
    c->families = catalogue_alloc(c, json_object_size(all), sizeof *c->families);
    if (!c->families)
        return NO_MEMORY(e);
    json_object_foreach(all, id, o) {
        struct family *f = &c->families[c->n_families++];
        const struct place at = place_of("forms/%s.json", id);
        f->id = id;
        f->json = o;
        f->presets = json_object_get(o, "presets");
        if (known_keys(o, " id label note items extra_items blocks fields repeats presets sections rules ", &at, e) < 0 ||
            text_key(&f->label, o, "label", true, &at, e) < 0 || fields_key(c, &f->fields, &f->n_fields, o, &at, e) < 0 ||
            repeats_of(c, f, &at, e) < 0 || sections_of(c, f, &at, e) < 0 || rules_of(c, f, &at, e) < 0)
            return -1;
        if (!json_is_object(f->presets))
            return want(e, &at, "presets", "an object", f->presets);
    }
    return 0;
}

int catalogue_build(struct catalogue *c, struct err *e)
{
    return build_tables(c, e) < 0 || build_patterns(c, e) < 0 || build_sentences(c, e) < 0 || build_families(c, e) < 0 ? -1
           : catalogue_build_items(c, e) < 0 ? -1 : catalogue_build_districts(c, e);
}
