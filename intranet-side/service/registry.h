/* registry.h - a case and the register: the plan of what a stage changes, carried out or only shown; form values beside the register's.
 * Owns: nothing. Threads: inside a closure; registry_apply on the writer. */
#ifndef INTRANET_SERVICE_REGISTRY_H
#define INTRANET_SERVICE_REGISTRY_H

#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/workflow.h"
#include "intranet-side/service/dossier.h"

/* Work the plan of a stage out, with what the officers added so far. No rule for the item's family, or stage NULL: an empty plan. */
int registry_plan(struct effect_plan *out, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, int64_t now_ms, struct err *e);
/* Carry it out with before and after kept. ERR_CONFLICT with r->zh and fields: what stands against it. */
int registry_apply(struct core *c, struct db_conn *conn, struct dossier *d, const struct actor *a, const char *stage, int64_t now_ms, char *result,
                   size_t cap, struct reply *r, struct err *e);
/* What the officer adds in this stage (effect_completion), enums with their values. New reference. */
int registry_completion(json_t **fields, struct core *c, struct db_conn *conn, const struct dossier *d, const char *stage, struct err *e);

/* The register beside one field of the form. */
enum compare { COMPARE_NONE, COMPARE_SAME, COMPARE_DIFFERS, COMPARE_CHANGES };   /* CHANGES: the application wants another value there */
struct compared { enum compare how; char value[512]; };                           /* the register's value as shown, numbers in full */
/* people: cache for one dossier, starts as NULL, json_decref at the end. */
int registry_compare(struct compared *out, struct core *c, struct db_conn *conn, const struct dossier *d, const struct field *f, json_t **people,
                     struct err *e);
/* Form value as officers read it: labels of codes, 是/否, addresses without their region code. */
void registry_show(char *out, size_t cap, const struct field *f, const json_t *value);

#endif
