/* pages.h - the uploaded pages that a draft names, as parts with their hashes.
 * Owns:    struct page_set owns everything it points to until page_set_clear.
 * Threads: no shared state. */
#ifndef INTERNET_SERVICE_PAGES_H
#define INTERNET_SERVICE_PAGES_H

#include "internet-side/domain/content.h"
#include "internet-side/service/core.h"
#include "internet-side/store/upload.h"

#define UPLOAD_PAGES_MAX 200           /* of one application or supplement */

struct page_set {
    struct content_slot *slots;          /* as many as the draft has with at least one page, in its order */
    size_t n_slots;
    int pages;
    struct content_page *page;           /* all pages, slot after slot */
    struct content_part **parts;         /* per page */
    struct upload_part **rows;           /* per page: item, sealed hash and size */
};

/* Pages that are missing, unfinished, of another draft, slot or account, or named twice become findings ("material.N", page_...);
 * *findings is an array to append to. -1 only when the database fails. */
int page_set_load(struct page_set *out, struct core *c, const struct hash256 *account, const struct draft *d, json_t *findings, struct err *e);
void page_set_clear(struct page_set *s);

#endif
