/* flow_select.h - which flow type a case gets when it is taken in (WFL-02): from the item and where the person's household is now.
 * Format: schemas/workflows/README.md, selection.json.
 * Owns:    a selection keeps the JSON it was read from; its strings live as long as it.
 * Threads: constant once loaded. No clock, no register: where the household is comes in as an argument.
 * Fails:   ERR_INPUT "file: where: want X, have Y". */
#ifndef INTRANET_DOMAIN_FLOW_SELECT_H
#define INTRANET_DOMAIN_FLOW_SELECT_H

#include "common/catalogue.h"
#include "intranet-side/domain/workflow.h"

enum flow_where { FLOW_CITY, FLOW_PROVINCE, FLOW_OUTSIDE, FLOW_WHERES };
struct flow_rule { const char *flow_type, *why; };       /* why: words for the trail */
struct flow_select;

/* Refuses a rule whose flow type has not both variants for cases applied for online, and a rule that no case can reach. */
int flow_select_parse(struct flow_select **out, const char *name, json_t *json, const struct workflow_set *flows, struct err *e);
void flow_select_free(struct flow_select *s);            /* accepts NULL */
/* Whether every item has a flow wherever the household may be. ERR_INPUT names the item. */
int flow_select_covers(const struct flow_select *s, const struct catalogue *c, struct err *e);

/* First rule that fits; NULL when there is none. entries: the form, NULL for none. */
const struct flow_rule *flow_select(const struct flow_select *s, const struct item *item, enum flow_where where, const json_t *entries);
/* Why a case gets this flow type: the words of its rules, appended to an array. */
void flow_select_reasons(const struct flow_select *s, const char *flow_type, json_t *out);
/* A region that is not known (NULL, "") counts as outside: the flow with papers is right for everybody. */
enum flow_where flow_where(bool in_our_register, const char *region, const char *city_region, const char *province_region);

#endif
