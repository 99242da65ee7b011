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
/* Each byte that is no part of well-formed UTF-8 becomes `with`: of a sentence or a name that was cut within a character. */
void text_mend(char *s, char with);

/* What a text field may not carry. */
enum text_fault {
    TEXT_OK = 0,
    TEXT_UTF8,       /* malformed, a lone surrogate among it */
    TEXT_CONTROL,    /* C0, DEL, C1: fields are one line */
    TEXT_XML,        /* U+FFFE, U+FFFF, the other noncharacters, U+FFFD: what XML 1.0 cannot or should not carry */
    TEXT_INVISIBLE,  /* bidi controls, zero-width, tags, variation selectors: text that reads differently from its bytes */
    TEXT_PRIVATE,    /* private use: shows as something else on every machine */
    TEXT_NFC         /* a combining mark that text_normalise could not compose */
};
/* First fault of the text. */
enum text_fault text_fault_of(struct bytes in);
/* "utf8", "control", "xml", "invisible", "private", "combining"; "" for TEXT_OK. */
const char *text_fault_word(enum text_fault f);

/* Blanks are trimmed at both ends in every kind: white space of Unicode and U+FEFF. */
enum text_kind {
    TEXT_PLAIN,      /* line breaks and tabs become one space (people press Enter in long answers); letters followed by one of the
                        marks of pinyin are composed. Other decomposed text is left and refused by text_fault_of: composing
                        everything would also replace compatibility ideographs that are somebody's name. */
    TEXT_NAME,       /* PLAIN; mistyped dots to U+00B7, no blanks beside it or between Han, runs of blanks to one,
                        full-width letters to half-width */
    TEXT_HALF,       /* PLAIN; full-width ASCII forms to half-width */
    TEXT_NUMBER,     /* HALF; blanks dropped, a-z to A-Z: numbers of certificates and passports */
    TEXT_ID,         /* NUMBER; hyphens dropped too */
    TEXT_PHONE,      /* HALF; blanks, +86 and 0086 dropped; mobile numbers without, landlines with one hyphen */
    TEXT_ADDRESS,    /* PLAIN; full-width letters and digits to half-width, runs of blanks to one space */
    TEXT_DATE        /* HALF; 20261120, 2026/1/2, 2026.1.2, 2026年1月2日 to 2026-01-02 */
};
/* Put the normal form of `in` behind `out`. Malformed bytes are copied as they are: text_fault_of refuses them. */
void text_normalise(struct buf *out, struct bytes in, enum text_kind kind);

/* Han ideograph of any block (URO, compatibility, extensions A to I) or U+3007. */
bool text_is_han(uint32_t cp);
/* Characters of a person's name as printed in the register, at least one (the length is bounded by the field): Han, U+3013 for a
 * character that cannot be typed, U+00B7 only between characters; or Latin letters with blank, hyphen, apostrophe, full stop or
 * U+00B7 between them. Not both scripts at once. */
bool text_is_name(struct bytes in);
bool text_has_untypeable(struct bytes in);        /* contains U+3013 */
/* Pinyin: Latin letters with their tone marks and single spaces. */
bool text_is_pinyin(struct bytes in);
/* Mainland mobile 1[3-9] + 9 digits, or area code, hyphen, 7..8 digits not starting with 0 or 1. */
bool text_is_phone(struct bytes in);

#endif
