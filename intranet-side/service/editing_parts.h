/* editing_parts.h - what the files of editing share. Not for others. */
#ifndef INTRANET_SERVICE_EDITING_PARTS_H
#define INTRANET_SERVICE_EDITING_PARTS_H

#include "intranet-side/domain/change.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/editing.h"
#include "intranet-side/service/releases.h"

int editing_admin(const struct actor *a, struct reply *r, struct err *e);
/* The catalogue that would be in force with these changes released over what is released. ERR_INPUT: findings (new reference) say why. */
int editing_try(struct catalogue **out, json_t **findings, struct core *c, const json_t *changes, uint32_t version, struct err *e);
/* A set as the contract shows it, with findings and words of now while it is open. */
json_t *editing_json(struct core *c, const struct actor *a, const struct change_set *s, bool author);

#endif
