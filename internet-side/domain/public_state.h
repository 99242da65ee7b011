/* public_state.h - what a citizen reads about a case: key of schemas/messages/public-states.json and values in, complete texts out.
 * Owns:    nothing; results are new references.
 * Threads: no shared state.
 * A sentence with a placeholder that has no value is never shown: the state's variants are tried in a fixed order, and when all
 * of them want something that is not there the tag stands alone. */
#ifndef INTERNET_DOMAIN_PUBLIC_STATE_H
#define INTERNET_DOMAIN_PUBLIC_STATE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/clock.h"

/* The definition of a key within the part "public_states" of the catalogue; NULL when unknown. */
const json_t *public_state_find(const json_t *part, const char *key);

/* {key, icon, tag, tone, sentence, buttons}: `values` is an object of texts, NULL for none; `variant` names the sentence to take
 * first, "" for the usual one. Buttons are those whose feature is not listed as off (all with a `feature` are left out here: none of
 * these features is on yet), that do not exclude the variant (`not_in`) and whose action the contract knows; withdraw only when
 * `withdrawable`. NULL without memory. */
json_t *public_state_json(const json_t *part, const char *key, const json_t *values, const char *variant, bool withdrawable);

/* Whose turn a state is: "citizen", "police" or "none". */
const char *public_state_turn(const json_t *part, const char *key);
/* Whether the state lets the citizen ask to withdraw: its buttons say so. */
bool public_state_withdrawable(const json_t *part, const char *key);

/* "12月3日": how a date stands in a sentence. */
void public_date(char out[32], struct date d);

#endif
