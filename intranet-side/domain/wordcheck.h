/* wordcheck.h - what may not stand in a citizen's text: it rests on the internet side, so nobody's name or number, and no jargon.
 * Owns: struct wordcheck its compiled patterns. Threads: constant once made. */
#ifndef INTRANET_DOMAIN_WORDCHECK_H
#define INTRANET_DOMAIN_WORDCHECK_H

#include <jansson.h>

#include "common/err.h"

struct wordcheck;
/* schemas/messages/word-check.json */
int wordcheck_parse(struct wordcheck **out, const char *name, const json_t *json, struct err *e);
void wordcheck_free(struct wordcheck *w);
/* Append findings {field, rule, message} for text. rule "jargon" is advice; the others ("id_number" "phone" "case_name" "code") refuse.
 * names: array of texts (values of the case that are somebody's name), NULL for none. Returns how many refuse. */
unsigned wordcheck_text(const struct wordcheck *w, const char *field, const char *text, const json_t *names, json_t *findings);

#endif
