/* draft.h - what a browser hands in: a draft of an application, or the pages and fields of a supplement. Shape only; the rules
 * engine judges the entries, the services judge the pages.
 * Owns:    struct draft owns its slots; entries are borrowed from the request's JSON.
 * Threads: no shared state.
 * Unknown members are refused by name: somebody who sends more than we asked for expects something that we would not do. */
#ifndef INTERNET_DOMAIN_DRAFT_H
#define INTERNET_DOMAIN_DRAFT_H

#include <jansson.h>

#include "common/bytes.h"

#define DRAFT_MAX_SLOTS 60
#define DRAFT_MAX_PAGES 40
#define DRAFT_MAX_UNTYPEABLE 10
#define DRAFT_CHARACTER_SLOT 0       /* photographs of characters that cannot be typed */

struct draft_slot {
    int no;
    int alternative;                 /* index in the material's alternatives, -1 for none */
    size_t n;
    struct id128 *pages;             /* completed uploads in order */
};

struct draft_untypeable {
    const char *field, *pinyin;      /* borrowed */
    struct id128 page;
};

struct draft {
    struct id128 id;
    char item[6];                    /* "" in a supplement */
    uint32_t config;                 /* 0 in a supplement */
    struct id128 evidence;           /* "" where none was sent */
    const json_t *entries;
    size_t n_slots, n_untypeable;
    struct draft_slot slots[DRAFT_MAX_SLOTS];
    struct draft_untypeable untypeable[DRAFT_MAX_UNTYPEABLE];
};

enum draft_shape { DRAFT_CHECK, DRAFT_SUBMIT, DRAFT_SUPPLEMENT };

/* ERR_INPUT names the member: want, have. *out always wants draft_clear. The message carries no personal data; `field` (48 bytes)
 * receives the member's name for the answer. */
int draft_parse(struct draft *out, const json_t *body, enum draft_shape shape, char field[48], struct err *e);
void draft_clear(struct draft *d);

#endif
