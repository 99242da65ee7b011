/* effect.h - what finishing a case does to the register, worked out from schemas/effects/<family>.json without touching anything.
 * The same plan is shown to the officer before he finishes and carried out by the store in the finishing transaction.
 * Persons, households and papers are JSON objects of the columns of schemas/effects/README.md (texts; empty columns absent), so that rules name
 * columns as data. What the register must keep in any case (one head, locks, frozen and ended households) is kept here, whatever the data says.
 * Owns:    struct effect_plan owns its JSON until effect_plan_clear.
 * Threads: no shared state. */
#ifndef INTRANET_DOMAIN_EFFECT_H
#define INTRANET_DOMAIN_EFFECT_H

#include "common/catalogue.h"

enum effect_kind { EFFECT_PERSON, EFFECT_HOUSEHOLD, EFFECT_PAPER };

/* Which valid papers: "" = any; of and case_no together narrow. */
struct paper_query { const char *kind, *household, *person, *no, *case_no; };

/* How the rules look into the register. Each gives a new reference or NULL with return 0 when there is none. */
struct effect_lookup {
    void *arg;
    int (*person)(void *arg, const char *id_no, json_t **person, struct err *e);               /* normal or cancelled */
    int (*household)(void *arg, const char *household_id, json_t **household, struct err *e);  /* with head_name, region and address beside its columns */
    int (*household_by)(void *arg, const char *column, const char *value, json_t **household, struct err *e);   /* "book_no"; "name": a normal one */
    int (*members)(void *arg, const char *household_id, json_t **array, struct err *e);        /* normal members */
    int (*at_address)(void *arg, const char *address, json_t **array, struct err *e);          /* households at this address, ended ones too */
    int (*papers)(void *arg, const struct paper_query *q, json_t **array, struct err *e);      /* valid ones */
    int (*number_used)(void *arg, const char *id_no, bool *used, struct err *e);               /* ever given */
    /* What a new row is called: "id" (32 digits), "book_no", or a kind of paper. nth: how many of it this plan has drawn before. */
    int (*draw)(void *arg, const char *what, unsigned nth, char out[40], struct err *e);
};
struct effect_context {
    const struct catalogue *catalogue;
    const struct family *family;
    const json_t *entries;               /* the form as clean, and what the officer added (done_*) */
    const char *unit;                    /* accepting station */
    const char *unit_region;             /* 6 digits: area of numbers it assigns */
    const char *case_no;
    const char *today;                   /* Beijing day */
    const char *stage;                   /* "finish", "permit", "move_out", "move_in" */
    struct effect_lookup look;
};
struct effect_change {
    enum effect_kind kind;
    const char *op;                      /* the op that touched the row first */
    json_t *before, *after;              /* before NULL for a new row; whole rows */
};
enum { EFFECT_MAX_CHANGES = 80 };        /* a household of 20 that moves, who stays behind, papers */
struct effect_plan {
    char title[64], result[512];
    struct effect_change v[EFFECT_MAX_CHANGES];
    size_t n;
    json_t *refusals, *warnings;         /* arrays of sentences */
    json_t *homes;                       /* household_id -> how it is shown, for each household that was looked at */
};

/* rule: the family's file. Guards that refuse leave the changes that can be worked out in the plan, for showing; a caller that carries it out
 * looks at refusals first. ERR_INPUT: the rule itself is wrong. The plan is to be cleared in any case. */
int effect_make(struct effect_plan *out, const json_t *rule, const struct effect_context *ctx, struct err *e);
void effect_plan_clear(struct effect_plan *p);
/* What the officer has to add in this stage, [{id, label, hint?, type, values?, code_table?, required, when?}]: without what the form already rules
 * out; a `when` that is left speaks of other such fields. New reference. */
json_t *effect_completion(const json_t *rule, const struct effect_context *ctx, struct err *e);
/* Whether a completion field is asked for, given everything else. */
bool effect_asked(const json_t *field, const json_t *entries);
/* One key of what a row of the plan is about, "person_id" "household_id" "paper_id". */
const char *effect_key(enum effect_kind kind);

/* Refuses a wrong file: unknown op, check, column, stage, source, name; a message that is missing; an effect of no use. */
int effect_rule_check(const json_t *rule, const char *name, struct err *e);
/* Every family has its file, and every field a file reads is the family's, its lists' or its own completion. */
int effect_fields_check(const json_t *effects, const struct catalogue *c, struct err *e);

/* [{who, what, before, after}] in words: labels of codes; numbers as they are. */
json_t *effect_in_words(const struct effect_plan *p, const struct catalogue *c);
/* Whom a row is about: a name, 户口簿 and its number, a paper and its number. */
void effect_who(char *out, size_t cap, enum effect_kind kind, const json_t *row);
/* i-th column in the order of the paper form; NULL behind the last. */
const char *register_column(enum effect_kind kind, size_t i);
/* 姓名, 公民身份号码 ... for a register column; the column itself when unknown. */
const char *register_label(const char *column);
/* Label of a coded column's value, or the value. */
const char *register_value(const struct catalogue *c, const char *column, const char *value);

#endif
