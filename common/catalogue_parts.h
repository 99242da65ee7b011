/* catalogue_parts.h - what the files of the catalogue share. Not for others.
 * catalogue_read.c gathers a folder into one JSON document; catalogue_build.c turns the document into structs and refuses what is
 * malformed by itself; catalogue_check.c refuses what does not fit together, catalogue_guide.c
 * what leads nowhere, catalogue_search.c words that no search can be built from; catalogue.c holds, finds and writes. */
#ifndef COMMON_CATALOGUE_PARTS_H
#define COMMON_CATALOGUE_PARTS_H

#include <stdatomic.h>

#include "common/catalogue.h"

#define CATALOGUE_FORMAT 1
#define CATALOGUE_SMALL_TABLE 500

struct chunk;

struct catalogue {
    atomic_uint refs;
    json_t *root;                /* the bundle; all strings point into it */
    json_t *sentences;           /* rule -> sentence */
    struct chunk *memory;        /* arrays of the structs below, freed together */
    uint32_t version;
    struct hash256 hash;
    struct code_table *tables; size_t n_tables;
    struct pattern *patterns; size_t n_patterns;
    struct family *families; size_t n_families;
    struct item *items; size_t n_items;
    struct variant *variants; size_t n_variants;
    json_t *variant_json;        /* their merged definitions */
};

/* An item as a district has it: the city's definition with the members of districts/<region>/<code> in place of its own. */
struct variant { const char *region; struct item item; };
/* What a district may have of its own. */
extern const char *const catalogue_district_keys[];

/* Zeroed memory that lives as long as the catalogue. NULL when there is none. n may be 0. */
void *catalogue_alloc(struct catalogue *c, size_t n, size_t size);

/* Bundle document of a folder. */
int catalogue_read_dir(json_t **out, const char *dir, struct err *e);
/* Fill tables, patterns, sentences, families, items from c->root. */
int catalogue_build(struct catalogue *c, struct err *e);
int catalogue_build_items(struct catalogue *c, struct err *e);
int catalogue_build_districts(struct catalogue *c, struct err *e);
/* One definition into one struct; file names it in errors. */
int catalogue_build_item(struct catalogue *c, struct item *it, const json_t *o, const char *file, bool enabled, struct err *e);
/* What a single struct cannot show: sections, presets, cycles, groups, openness, sentences. */
int catalogue_check(const struct catalogue *c, struct err *e);
/* Papers that people write themselves (catalogue/templates.json): well formed, and fitting the form of each item whose material names one. */
int catalogue_templates_check(const struct catalogue *c, struct err *e);
/* Those of an item, each with the number of its `material`. New reference. */
json_t *catalogue_templates_of(const struct catalogue *c, const struct item *it);
/* Where the bundle has a guide: every way through it. Called by catalogue_check. */
int catalogue_check_guide(const struct catalogue *c, struct err *e);
/* Where the bundle has words to search by: their shape, and that each names a service that there is. */
int catalogue_check_search(const struct catalogue *c, struct err *e);
/* Rules that form.c reports and that therefore need a sentence; ends with NULL. */
extern const char *const catalogue_rules[];

/* Where an error is: "forms/birth.json: field child_name". */
struct place { char s[160]; };
struct place place_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "place: key: want ..., have ..." as ERR_INPUT. */
int want(struct err *e, const struct place *at, const char *key, const char *wanted, const json_t *have);

/* One value of an object; JSON null is the same as absent. -1 with ERR_INPUT when missing or of another type. */
int text_key(const char **out, const json_t *o, const char *key, bool required, const struct place *at, struct err *e);
int bool_key(bool *out, const json_t *o, const char *key, bool fallback, const struct place *at, struct err *e);
int number_key(long *out, const json_t *o, const char *key, long min, long max, long fallback, const struct place *at, struct err *e);
int list_key(const json_t **out, const json_t *o, const char *key, bool required, const struct place *at, struct err *e);
/* Index of the text among words (NULL at the end). */
int word_key(int *out, const json_t *o, const char *key, const char *const *words, const struct place *at, struct err *e);
int conditions_key(struct catalogue *c, struct conditions *out, const json_t *o, const char *key, const struct place *at, struct err *e);

#define NO_MEMORY(e) err_set((e), ERR_INTERNAL, "catalogue: no memory")

#endif
