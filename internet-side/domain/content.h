/* content.h - the bytes an application consists of: what the face check is bound to, and the records that cross.
 * Owns:    struct content borrows everything it points to.
 * Threads: no shared state.
 * The hash is BLAKE2b-256 over canonical JSON as schemas/xsd/README.md defines it; the intranet recomputes it. */
#ifndef INTERNET_DOMAIN_CONTENT_H
#define INTERNET_DOMAIN_CONTENT_H

#include "internet-side/domain/draft.h"

struct content_part { struct id128 id; int64_t size; struct hash256 hash; };       /* hash of the plaintext */
struct content_page {
    struct id128 id;
    const char *type;
    int64_t size;
    size_t n;
    const struct content_part *parts;
};
struct content_slot {
    int no, alternative;             /* -1: none */
    size_t n;
    const struct content_page *pages;
};
struct content {
    const char *item;
    uint32_t config;
    const json_t *entries;           /* clean, after the rules engine */
    size_t n_slots, n_untypeable;
    const struct content_slot *slots;
    const struct draft_untypeable *untypeable;
};

/* ERR_INPUT when an untypeable character names a page that is not in slot 0. */
int content_hash(struct hash256 *out, const struct content *c, struct err *e);

/* What stands around the content in an application. All borrowed. */
struct application_head {
    const char *case_no, *unit, *channel, *submitted, *phone;
    const char *statement, *signature;      /* of the identity provider, base64 */
};
/* The record, by schemas/xsd/application.xsd. A value that is no text or boolean (a list of people) crosses as its compact JSON. */
int content_application_xml(struct buf *out, const struct content *c, const struct application_head *h, const struct hash256 *hash,
                            struct err *e);
/* By schemas/xsd/supplement.xsd. */
int content_supplement_xml(struct buf *out, const struct content *c, const char *case_no, int64_t seq, int round,
                           const char *submitted, struct err *e);
/* By schemas/xsd/withdrawal.xsd. */
int content_withdrawal_xml(struct buf *out, const char *case_no, int64_t seq, const char *reason, const char *asked, struct err *e);

#endif
