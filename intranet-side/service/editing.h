/* editing.h - the configuration edited by administrators: drafted, submitted with a reason, released by another person (ADM-01, FRY-15).
 * Owns: nothing. Threads: safe; releases are made one at a time (releases.h).
 * Errors: ERR_CONFLICT when a set changed meanwhile (the sentence names who), or when its author wants to release it; ERR_INPUT with a finding
 * for each place that cannot stand. Every act has its row in the audit. Bodies: schemas/openapi/intranet.yaml. */
#ifndef INTRANET_SERVICE_EDITING_H
#define INTRANET_SERVICE_EDITING_H

#include "intranet-side/service/core.h"
#include "intranet-side/store/change.h"

/* All items with their switches and what waits; region "" is the whole city. */
int editing_items(struct core *c, const struct actor *a, const char *region, struct reply *r, struct err *e);
/* One item as it is in force there, its form, and the open sets that touch it. */
int editing_item(struct core *c, const struct actor *a, const char *code, const char *region, struct reply *r, struct err *e);
/* What these changes would do: findings, and before and after in words. Keeps nothing. */
int editing_preview(struct core *c, const struct actor *a, const json_t *body, struct reply *r, struct err *e);
int editing_list(struct core *c, const struct actor *a, struct reply *r, struct err *e);
int editing_get(struct core *c, const struct actor *a, const char *uid, struct reply *r, struct err *e);
int editing_add(struct core *c, const struct actor *a, const json_t *body, int64_t now_ms, struct reply *r, struct err *e);
int editing_save(struct core *c, const struct actor *a, const char *uid, const json_t *body, int64_t now_ms, struct reply *r, struct err *e);
/* act: submit, release, return, drop, decline. */
int editing_act(struct core *c, const struct actor *a, const char *uid, const char *act, const json_t *body, int64_t now_ms, struct reply *r,
                struct err *e);
/* A draft that brings back what was released up to this version. */
int editing_restore(struct core *c, const struct actor *a, const char *version, int64_t now_ms, struct reply *r, struct err *e);

/* For the desk of an administrator: what waits for him. Appends {at, text, to}. */
int editing_notices(struct core *c, const struct actor *a, json_t *notices, int64_t now_ms, struct err *e);

#endif
