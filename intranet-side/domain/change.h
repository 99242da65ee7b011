/* change.h - changes of the configuration: what may be changed, laid over the base, told in words. schemas/changes/README.md is the contract.
 * Owns:    nothing; JSON comes in borrowed and goes out as new references.
 * Threads: pure functions.
 * Overrides are what the released changes come to: an object "region/item/path" -> value, whose sorted order lays the city before its districts. */
#ifndef INTRANET_DOMAIN_CHANGE_H
#define INTRANET_DOMAIN_CHANGE_H

#include <jansson.h>

#include "common/catalogue.h"

#define CHANGES_MAX 400                  /* of one set */

/* Where and what, each a finding {field, rule, message} with field "item/path" ("changes" for the list itself). An empty array: well formed.
 * What does not fit together only the loader sees: changes_apply. */
json_t *changes_findings(const json_t *changes, const struct catalogue *c);
/* The overrides with these changes over them. */
json_t *changes_merge(const json_t *overrides, const json_t *changes);
/* Overrides over the base, checked and built under this number. ERR_INPUT: the loader's words. */
int changes_apply(struct catalogue **out, const struct catalogue *base, const json_t *overrides, uint32_t version, struct err *e);
/* The loader's refusal as a finding: place and a Chinese sentence. */
json_t *changes_refusal(const struct err *e);
/* The changes that lead from one set of overrides to another. */
json_t *changes_between(const json_t *from, const json_t *to);
/* What stands at a place of a document (catalogue_document); borrowed, NULL when there is nothing. In a district: its own, else the city's. */
const json_t *changes_value(const json_t *document, const char *region, const char *item, const char *path);

/* Each difference that the changes make, in words: [{region, region_name, item, name, path, label, before, after}]. Lists of materials are
 * compared paper by paper. before: the catalogue as it is; after: with the changes. */
json_t *changes_words(const json_t *changes, const struct catalogue *before, const struct catalogue *after);

#endif
