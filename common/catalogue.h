/* catalogue.h - items, materials, form families and code tables: the rules as data.
 * Read from the folder schemas/ (intranet, tests) or from one JSON bundle (what the intranet publishes across the border).
 * Owns:    everything its accessors return; pointers live as long as the caller's reference.
 * Threads: immutable once loaded; references are counted atomically. A service that switches versions keeps serving
 *          requests that hold the old one.
 * Fails:   with ERR_INPUT and "file: where: want X, have Y". Nothing half-loaded is ever returned. */
#ifndef COMMON_CATALOGUE_H
#define COMMON_CATALOGUE_H

#include <jansson.h>
#include <stdint.h>

#include "common/bytes.h"

#define CATALOGUE_MAX_FIELDS 128     /* of a family; the loader refuses more */

enum field_type { FIELD_TEXT, FIELD_ID_NUMBER, FIELD_DATE, FIELD_ENUM, FIELD_ADDRESS, FIELD_PHONE, FIELD_BOOLEAN };
enum fill_kind { FILL_NONE, FILL_IDENTITY_NAME, FILL_IDENTITY_ID_NO, FILL_IDENTITY_PHONE, FILL_IDENTITY_ID_TYPE,
                 FILL_BIRTH_DATE, FILL_GENDER, FILL_FIELD, FILL_GUIDE, FILL_REGISTER };
enum need { NEED_REQUIRED, NEED_CONDITIONAL, NEED_ONE_OF };

/* All of n must hold; none at all holds. A field without a value satisfies no condition. */
/* One of; has a value and none of; text that starts with one of; text that starts with none of. */
enum match { MATCH_IN, MATCH_NOT_IN, MATCH_PREFIX, MATCH_NOT_PREFIX };
struct condition {
    const char *field;           /* field or repeat */
    enum match match;
    const json_t *values;        /* array of strings or booleans, compared by type */
};
struct conditions { const struct condition *v; size_t n; };

struct choice { const char *code, *label; };
struct code_table {
    const char *id, *name;
    bool complete;
    const struct choice *values; size_t n;     /* in the order of the standard */
    const json_t *index;                       /* code -> label */
};

struct pattern {
    const char *name, *message;
    bool person_name;                          /* built in: text_is_name; else regex */
    bool upper;                                /* the value is upper-cased, blanks dropped */
    const char *regex;                         /* POSIX ERE and ECMAScript alike, anchored, ASCII only; NULL when built in */
    const void *compiled;                      /* regex_t, for pattern_matches */
};

struct field {
    const char *id, *label, *section;          /* section NULL inside a repeat */
    const char *ask, *hint, *note, *mask;      /* NULL where absent; mask "none", "id", "phone" or NULL */
    enum field_type type;
    bool required;
    struct conditions required_when, visible_when, fill_when, id_number_when;
    const struct code_table *table;            /* NULL for own values */
    const struct choice *values; size_t n_values;   /* of the table or its own; before allow */
    const json_t *allow;                       /* NULL: all values */
    long max_length;                           /* code points; always set */
    const struct pattern *pattern;             /* NULL */
    const char *date_min, *date_max;           /* "today", "-150y", "+30d", "1900-01-01", a field id, NULL */
    enum fill_kind fill; const char *fill_arg; /* source field, guide node or register column */
    const json_t *fill_map;                    /* FILL_FIELD: value of the source -> value here; NULL: as it stands */
    const json_t *json;                        /* the definition as loaded, for keys not read here */
};
struct repeat {
    const char *id, *label;
    size_t min, max;
    struct conditions required_when, visible_when;
    const struct field *fields; size_t n_fields;
};
struct section { const char *id, *title; const json_t *json; };   /* json: fields, repeats, desk_title */

enum rule_op { RULE_REQUIRE_ANY, RULE_TOGETHER, RULE_NOT_AFTER, RULE_NOT_BEFORE, RULE_DIFFER, RULE_SAME, RULE_IN,
               RULE_AGE_AT_LEAST, RULE_AGE_BELOW, RULE_GENDER_IS, RULE_REFUSE, RULE_ROWS_DIFFER, RULE_ROWS_HAVE, RULE_ROWS_INCLUDE };
struct rule {
    const char *id, *at, *message;
    enum rule_op op;
    const char *a, *b, *value;                 /* NULL where the operator has none; dates may be "today" */
    const char *column;                        /* rows_*: field of the repeat a */
    int n;
    const json_t *fields;                      /* require_any, together: array of field ids */
    const json_t *values;                      /* in: array of strings or booleans */
    struct conditions when;
};
struct family {
    const char *id, *label;
    const struct field *fields; size_t n_fields;
    const struct repeat *repeats; size_t n_repeats;
    const struct section *sections; size_t n_sections;
    const struct rule *rules; size_t n_rules;
    const json_t *presets;                     /* item -> field -> [values]; never NULL */
    const json_t *json;
};

struct alternative { const char *name, *verify, *e_licence; struct conditions when; };     /* when: offered only while it holds */
struct material {
    int no;                                    /* slot, from 1 */
    const char *name, *plain, *condition, *group;      /* plain: what the citizen reads, never NULL; condition: words to show; group NULL outside one_of */
    enum need need;
    bool original;                             /* must be handed over when applying online */
    bool police;                               /* supplied by officers: never asked of the applicant */
    bool manual;                               /* no `when` decides it: shown with its condition, never demanded by the machine */
    const char *verify, *e_licence;
    struct conditions when;                    /* relevant only while it holds */
    const struct alternative *alternatives; size_t n_alternatives;
    const json_t *json;
};
struct item {
    const char *code, *name, *flow, *business;
    bool enabled;                              /* on the list citizens see */
    bool online_open;                          /* can be applied for online now: its form is complete */
    bool online, window, appointment;          /* channels */
    const struct family *family;
    const struct material *materials; size_t n_materials;
    const json_t *json;
};

struct catalogue;

/* Read and check schemas/: catalogue/, forms/, code-tables/, messages/, and where present guide/, org/. Of org/ only the units are
 * taken: accounts never enter the bundle. The version is `version` of catalogue/items.json, 1 when it has none. */
int catalogue_load_dir(struct catalogue **out, const char *dir, struct err *e);
/* Read and check a bundle. ERR_INPUT also for an unknown "format", repeated keys, bytes after the document. */
int catalogue_load_bundle(struct catalogue **out, struct bytes json, struct err *e);
/* Canonical bytes: keys sorted, no blanks, UTF-8. Loading them again gives the same bytes and hash. */
int catalogue_bundle(struct buf *out, const struct catalogue *c, struct err *e);

/* The same rules under another version number: what the intranet does when it publishes an edited folder. */
int catalogue_renumbered(struct catalogue **out, const struct catalogue *c, uint32_t version, struct err *e);

struct catalogue *catalogue_ref(struct catalogue *c);
void catalogue_unref(struct catalogue *c);     /* accepts NULL */

/* The document as loaded, to be edited: a new object with the members shared; copy what you change. */
json_t *catalogue_document(const struct catalogue *c);
/* Check and build an edited document. Takes the reference, also when it fails. */
int catalogue_load_document(struct catalogue **out, json_t *document, struct err *e);

uint32_t catalogue_version(const struct catalogue *c);
const struct hash256 *catalogue_hash(const struct catalogue *c);     /* BLAKE2b-256 of the canonical bytes */

size_t catalogue_item_count(const struct catalogue *c);
const struct item *catalogue_item_at(const struct catalogue *c, size_t i);     /* in order of code: HJ..., then HX... */
const struct item *catalogue_item(const struct catalogue *c, const char *code);   /* NULL when unknown */
/* The same in a district (GB/T 2260): texts, switches and materials may differ there; the city's where they do not. Region "" is the city. */
const struct item *catalogue_item_in(const struct catalogue *c, const char *code, const char *region);
/* The district a unit works for, "" when unknown: an application is judged by the lists of the district of its accepting unit. */
const char *catalogue_region_of(const struct catalogue *c, const char *unit);
/* The item as it stands where these entries are handed in (their accept_unit). */
const struct item *catalogue_item_for(const struct catalogue *c, const char *code, const json_t *entries);
const struct family *catalogue_family(const struct catalogue *c, const char *id);
const struct code_table *catalogue_table(const struct catalogue *c, const char *id);
/* Label of a code, NULL when the table or code is unknown. Accepting stations are the table "GA 380", committees "村居". */
const char *catalogue_label(const struct catalogue *c, const char *table, const char *code);
/* A part of the bundle as loaded: "city", "units", "guide", "search", "public_states", "messages", "families"... NULL when absent. */
const json_t *catalogue_part(const struct catalogue *c, const char *name);
/* What a browser needs to fill in one item, and common/web/rules.ts works on: {version, item, family, blocks, code_tables (id -> values,
 * tables over 500 values left out), patterns, messages (rule -> sentence), templates (of papers to write oneself)}. New reference; NULL when the item is unknown.
 * Where districts differ also {districts: {region: members that differ}, unit_regions: {unit: region}}. Region: whose item; "" the city's. */
json_t *catalogue_item_json(const struct catalogue *c, const char *code, const char *region);
/* Sentence for a rule, with {label}, {want}, {have}, {min}, {max} to be filled in. Never NULL for the rules of form.h. */
const char *catalogue_sentence(const struct catalogue *c, const char *rule);

const struct field *family_field(const struct family *f, const char *id);      /* NULL when unknown */
const struct repeat *family_repeat(const struct family *f, const char *id);
/* Values the field may take for this item, NULL when free. */
const json_t *family_preset(const struct family *f, const char *item, const char *field);
const char *field_label_of(const struct field *f, const char *code);           /* label of a code; NULL when unknown */
/* Whether the code is among the field's values and its allow list. */
bool field_allows(const struct field *f, const char *code);
bool pattern_matches(const struct pattern *p, const char *text, size_t n);      /* whole text; lengths are the field's affair */
/* Whether a value satisfies the condition; NULL (no value) satisfies none. */
bool condition_accepts(const struct condition *k, const json_t *value);
/* Most fields of a section that can be asked at once for this item: fields preset to one value or filled from identity, ID number or
 * guide are not asked, fields whose conditions exclude each other do not add up. What the check counts against 7. */
size_t section_asked(const struct family *f, const struct section *s, const char *item);

#endif
