/* text.h - what people type: UTF-8 checked, counted, normalised; names and patterns.
 * Owns:    nothing; results go into the caller's struct buf.
 * Threads: no shared state.
 * The TypeScript twin is common/web/rules.ts; tests/unit/rules-cases.json holds both to the same verdicts. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/bytes.h"

/* Next code point of well-formed UTF-8 (shortest form, no surrogates, at most U+10FFFF), *at moves behind it.
 * -1 at the end, -2 when malformed. */
int32_t text_next(struct bytes in, size_t *at);
void text_put(struct buf *out, uint32_t cp);      /* append one code point as UTF-8 */
/* Characters (code points), or -1 when malformed. */
long text_length(struct bytes in);

/* What a text field may not carry. 0 is TEXT_OK. */
enum text_fault {
    TEXT_OK = 0,
    TEXT_UTF8,       /* malformed, a lone surrogate among it */
    TEXT_CONTROL,    /* C0, DEL, C1, line breaks and tabs included: fields are one line */
    TEXT_XML,        /* U+FFFE, U+FFFF and the other noncharacters, U+FFFD: what XML 1.0 cannot or should not carry */
    TEXT_INVISIBLE,  /* bidi controls, zero-width, tags, soft hyphen: text that reads differently from its bytes */
    TEXT_PRIVATE,    /* private use: shows as something else on every machine */
    TEXT_NFC         /* a letter followed by a combining mark: not in composed form */
};
/* First fault of the text; *at (may be NULL) is the index of the character, counted from 0. */
enum text_fault text_fault_of(struct bytes in, long *at);

enum text_kind {
    TEXT_PLAIN,      /* trim; U+3000 and NBSP count as blanks at the ends */
    TEXT_NAME,       /* and the dots people mistype to U+00B7, no blanks around it, runs of blanks to one */
    TEXT_NUMBER,     /* document numbers: full-width letters, digits, signs to half-width; blanks dropped */
    TEXT_ID,         /* identity and credit numbers: as NUMBER, hyphens dropped, a-z to A-Z */
    TEXT_PHONE,      /* as NUMBER; hyphens dropped in mobile numbers, +86 and 0086 dropped */
    TEXT_ADDRESS,    /* trim; full-width ASCII letters, digits and the U+3000 behind the region code to half-width */
    TEXT_DATE        /* full-width digits; 20261120 and 2026/11/20 to 2026-11-20 */
};
/* Put the normal form of `in` behind `out`. Malformed bytes are copied as they are: text_fault_of refuses them. */
void text_normalise(struct buf *out, struct bytes in, enum text_kind kind);

/* Han ideograph of any block (URO, compatibility, extensions A to I) or U+3007. */
bool text_is_han(uint32_t cp);
/* A person's name as printed in the register: 1..50 characters; Han, U+3013 for a character that cannot be typed, U+00B7 only
 * between characters; or Latin letters (with marks), blank, hyphen, apostrophe, full stop between letters. Not both scripts at once. */
bool text_is_name(struct bytes in);
/* Mainland mobile 1[3-9] + 9 digits, or area code 0 + 2..3 digits, hyphen, 7..8 digits not starting with 0 or 1. */
bool text_is_phone(struct bytes in);

/* Match of the whole text against a pattern: literals, escapes \d \. \p{Han} \p{L}, classes [A-Z\u4e00-\u9fff], groups, |, ? * + {m,n}.
 * 1 match, 0 none, -1 the pattern is malformed or needs more than a bounded number of steps. */
int text_match(const char *pattern, struct bytes in);

#endif
