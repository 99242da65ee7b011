/* rules.h - everything that is data on this side: flows, effects, working days, messages; read once at start.
 * Owns:    its parts until rules_free. Threads: constant once loaded. */
#ifndef INTRANET_DOMAIN_RULES_H
#define INTRANET_DOMAIN_RULES_H

#include "intranet-side/domain/deadline.h"
#include "intranet-side/domain/flow_select.h"
#include "intranet-side/domain/wordcheck.h"
#include "intranet-side/domain/workflow.h"

struct rules {
    struct workflow_set *flows;
    struct flow_select *select;                           /* workflows/selection.json */
    struct calendar *calendar;
    struct wordcheck *words;
    json_t *public_states, *sms, *reasons, *opinions;     /* files of schemas/messages, whole */
    json_t *effects;                                      /* form family -> schemas/effects/<family>.json */
};

/* schemas/: workflows/, effects/, messages/, calendar/. */
int rules_load(struct rules **out, const char *schema_dir, struct err *e);
void rules_free(struct rules *r);

/* Entry of public-states.json; NULL when unknown. */
const json_t *rules_public_state(const struct rules *r, const char *key);
/* The rules for refusing an item, the most fitting first: its own, its form family's (NULL: none), those for every item. A new array of the file's entries. */
json_t *rules_refusals(const struct rules *r, const char *item, const char *family);
const char *rules_sms(const struct rules *r, const char *id);          /* template text, NULL when unknown */
/* Copy a template, filling {name} from values (texts; numbers printed); a placeholder without a value stays visible as "". Returns false when
 * one was missing, so that the caller takes a variant. */
bool text_fill(char *out, size_t cap, const char *template, const json_t *values);
/* The sentence of a public state for these values: the named variant, else the main one; else the first variant whose placeholders all have values. */
void rules_sentence(char *out, size_t cap, const json_t *state, const char *variant, const json_t *values);

#endif
