/* effect_work.h - the inside of effect.h: one plan being worked out. Included by effect*.c only.
 * Rows are read through here, so that an op sees what the ops before it made of them. */
#ifndef INTRANET_DOMAIN_EFFECT_WORK_H
#define INTRANET_DOMAIN_EFFECT_WORK_H

#include "intranet-side/domain/effect.h"

struct effect_work {
    struct effect_plan *p;
    const json_t *rule;
    const struct effect_context *x;
    const json_t *element;               /* inside for_each; NULL */
    const char *where;                   /* "city" "province" "outside": where the person's household is; NULL until asked */
    const char *formed;                  /* household_id of the newest household of this plan; NULL */
    const char *added;                   /* person_id of the newest person of this plan; NULL */
    unsigned drawn_ids, drawn_books, drawn_papers;
    json_t *refusals;                    /* where ops and invariants say what stands against them */
};

const char *effect_text(const json_t *o, const char *key);              /* "" when absent */
bool effect_is(const json_t *o, const char *key, const char *value);
void work_refuse(struct effect_work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));      /* each sentence once */

/* effect_source.c */
bool effect_holds(struct effect_work *w, const json_t *when);
bool effect_in_stage(const json_t *part, const char *stage, const char *usual);     /* usual NULL: a part without stage belongs to every one */
/* Text of a source; nothing is put when it has none. row: the one before any column is written; column: the target. */
int effect_source(struct effect_work *w, struct buf *out, const json_t *src, const char *column, const json_t *row, struct err *e);
int effect_set(struct effect_work *w, json_t *row, const json_t *set, struct err *e);

/* Number of whom an operand speaks; "" when the form and the element do not say it. */
const char *work_number(struct effect_work *w, const json_t *operand);

/* effect_row.c: new references; *out NULL and 0 when there is none */
int work_person(struct effect_work *w, const json_t *operand, json_t **out, struct err *e);
int work_household(struct effect_work *w, const json_t *operand, json_t **out, struct err *e);
int work_household_by_id(struct effect_work *w, const char *id, json_t **out, struct err *e);
int work_members(struct effect_work *w, const char *household_id, json_t **array, struct err *e);
struct effect_change *work_planned(struct effect_work *w, enum effect_kind kind, const char *id);         /* NULL */
/* Whether nobody else's move has locked him; says so when not. work_touch asks for every person. */
bool work_free(struct effect_work *w, const json_t *person);
/* The change of a row, begun with it when nothing touched it yet. NULL with ERR_INPUT: more than EFFECT_MAX_CHANGES. */
struct effect_change *work_touch(struct effect_work *w, enum effect_kind kind, const char *op, json_t *row, struct err *e);
struct effect_change *work_new(struct effect_work *w, enum effect_kind kind, const char *op, struct err *e);    /* with its key drawn */
bool household_collective(const json_t *household);

/* effect_op.c, effect_household.c, effect_paper.c */
int effect_ops(struct effect_work *w, struct err *e);
int op_person(struct effect_work *w, const json_t *op, const char *kind, struct err *e);
int op_household(struct effect_work *w, const json_t *op, const char *kind, struct err *e);
int op_paper(struct effect_work *w, const json_t *op, const char *kind, struct err *e);
int paper_find(struct effect_work *w, const json_t *op, json_t **array, struct err *e);

/* effect_guard.c, effect_keep.c */
int effect_guards(struct effect_work *w, bool after_ops, struct err *e);
int effect_keep(struct effect_work *w, struct err *e);       /* what the register keeps in any case */

#endif
