/* effect.h - what finishing a case does to the register, worked out from schemas/effects/<family>.json without touching anything.
 * The same plan is shown to the officer before he finishes and carried out by the store in the finishing transaction.
 * People are JSON objects of register columns (texts; empty columns absent), so that rules name columns as data.
 * Owns:    struct effect_plan owns its JSON until effect_plan_clear.
 * Threads: no shared state. */
#ifndef INTRANET_DOMAIN_EFFECT_H
#define INTRANET_DOMAIN_EFFECT_H

#include "common/catalogue.h"

/* How the rules look into the register. Each gives a new reference or NULL with return 0 when there is none. */
struct effect_lookup {
    void *arg;
    int (*person)(void *arg, const char *id_no, json_t **person, struct err *e);               /* normal or cancelled */
    int (*household)(void *arg, const char *household_id, json_t **household, struct err *e);  /* household_id, unit_code, head_person_id, head_name... */
    int (*members)(void *arg, const char *household_id, json_t **array, struct err *e);        /* normal members */
    int (*number_used)(void *arg, const char *id_no, bool *used, struct err *e);
};
struct effect_context {
    const struct catalogue *catalogue;
    const struct family *family;
    const json_t *entries;               /* the form as clean */
    const char *unit;                    /* accepting station */
    const char *unit_region;             /* 6 digits: area of numbers it assigns */
    struct effect_lookup look;
};
struct effect_change {
    const char *op;                      /* "add_person" "update_person" "cancel_person" */
    json_t *before, *after;              /* before NULL for add_person; whole rows */
};
enum { EFFECT_MAX_CHANGES = 16 };
struct effect_plan {
    char title[64], result[512];
    struct effect_change v[EFFECT_MAX_CHANGES];
    size_t n;
    json_t *refusals, *warnings;         /* arrays of sentences */
    char household[33];                  /* of add_person */
};

/* rule: the family's file. Guards that refuse leave the changes that can be worked out in the plan, for showing; a caller that carries it out
 * looks at refusals first. ERR_INPUT: the rule itself is wrong. */
int effect_make(struct effect_plan *out, const json_t *rule, const struct effect_context *ctx, struct err *e);
void effect_plan_clear(struct effect_plan *p);
/* [{what, before, after}] in words: labels of codes; numbers as they are. */
json_t *effect_in_words(const struct effect_plan *p, const struct catalogue *c);
/* 姓名, 公民身份号码 ... for a register column; the column itself when unknown. */
const char *register_label(const char *column);
/* Label of a coded column's value, or the value. */
const char *register_value(const struct catalogue *c, const char *column, const char *value);

#endif
