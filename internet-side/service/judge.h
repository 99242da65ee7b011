/* judge.h - the server's verdict on a draft: rules engine, materials, pages, characters that cannot be typed, and its hash.
 * Owns:    struct judged owns what it points to until judged_clear; the draft must live as long.
 * Threads: no shared state. */
#ifndef INTERNET_SERVICE_JUDGE_H
#define INTERNET_SERVICE_JUDGE_H

#include "common/form.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/pages.h"

struct judged {
    struct edition *edition;             /* of the draft's version */
    const struct item *item;
    json_t *findings;                    /* empty: it may be handed in */
    json_t *clean;                       /* normalised entries */
    struct page_set pages;
    struct content content;
    struct hash256 hash;                 /* only without findings */
};

/* identity NULL before the face check. -1: the draft cannot be judged at all (version gone, item closed, database); the reply says so. */
int judge_application(struct judged *out, struct core *c, const struct hash256 *account, const struct draft *d,
                      const struct form_identity *identity, int64_t now_ms, struct reply *r, struct err *e);
void judged_clear(struct judged *j);

/* POST /api/applications/check: body is the verdict, ok or not. Stores nothing. */
struct session;
int judge_check(struct core *c, struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e);

/* Append a report's findings. */
void judge_add_findings(json_t *findings, const struct form_report *report);
/* draft_parse with the refusal in words. */
int judge_parse(struct draft *out, const json_t *body, enum draft_shape shape, struct reply *r, struct err *e);

#endif
