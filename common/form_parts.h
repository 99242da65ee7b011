/* form_parts.h - what the files of the form judge share. Not for others.
 * form.c walks the entries, form_value.c judges one value, form_rules.c the rules across fields, form_material.c the papers,
 * form_report.c writes findings. common/web/rules.ts has the same parts in the same order. */
#ifndef COMMON_FORM_PARTS_H
#define COMMON_FORM_PARTS_H

#include "common/form.h"

struct judge {
    const struct catalogue *c;
    const struct item *it;
    const struct family *f;
    const struct form_context *ctx;
    const json_t *raw;                     /* as sent */
    json_t *vals;                          /* normalised, filled in: becomes clean */
    struct form_report *out;
    bool bad[CATALOGUE_MAX_FIELDS];             /* by index in f->fields: has a finding of its own */
    struct err *e;
    int failed;                            /* -1 after out of memory */
};

/* Words for a sentence; NULL where not used. */
struct words { const char *ask, *label, *min, *max, *pattern, *material, *materials; };

/* Add a finding; the sentence is looked up under `sentence` (the rule when NULL). */
void form_find(struct form_report *out, const struct catalogue *c, const char *field, const char *rule, const char *sentence,
               const char *wanted, const char *have, const struct words *w, int *failed);
/* Add a finding with a ready sentence. */
void form_say(struct form_report *out, const char *field, const char *rule, const char *wanted, const char *have, const char *message,
              int *failed);

bool form_present(const json_t *v);                             /* not absent, not null, not "", not [] */
bool judge_visible(const struct judge *j, const struct field *f);
bool judge_holds(const struct judge *j, const struct conditions *k);
const json_t *judge_value(const struct judge *j, const char *id);   /* NULL when absent or not visible */
bool judge_id_checked(const struct judge *j, const struct field *f);
bool judge_partial(const struct judge *j);

/* One present value against everything its field says. True when it is good. path is the finding's field. */
bool judge_one(struct judge *j, const struct field *f, const char *path, const json_t *v);
/* What preset, identity or ID number give the field; new reference or NULL. */
json_t *judge_filled(const struct judge *j, const struct field *f);
void judge_rules(struct judge *j);

#endif
