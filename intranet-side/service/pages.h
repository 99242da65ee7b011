/* pages.h - images and PDF files of a case as received.
 * Owns: nothing. Threads: safe. The original is handed out only to make a derivative in the powerless child; it is never sent to a browser. */
#ifndef INTRANET_SERVICE_PAGES_H
#define INTRANET_SERVICE_PAGES_H

#include "intranet-side/service/core.h"

struct page_original {
    struct buf bytes;               /* decrypted, checked against its hashes; wipe with page_original_clear */
    char type[24];                  /* "image/jpeg" "image/png" "application/pdf" */
    char hash[65];                  /* of the bytes: key for a cache of derivatives */
    char watermark[256];            /* "某派出所 某某 10.1.2.3 11-23 09:41" of this viewer */
};
/* ERR_MISSING: no such page in this case, or outside; ERR_UNAVAILABLE "这一页还在传": parts are still coming. The first full view of a page by
 * an officer is logged. */
int page_open(struct core *c, const struct actor *a, const char *no, const char *page_id, bool full, int64_t now_ms,
              struct page_original *out, struct reply *r, struct err *e);
void page_original_clear(struct page_original *p);
/* Seen, and a verdict (NULL = no change; "none" takes it back). Claims nothing. */
int page_mark(struct core *c, const struct actor *a, const char *no, const char *page_id, bool seen, const char *verdict, int64_t now_ms,
              struct reply *r, struct err *e);
/* What the imaging child said of a page: sheets of a PDF (1 for images), or not decodable (the case then offers 退回补正). */
int page_decoded(struct core *c, const char *page_id, bool decodable, unsigned sheets, int64_t now_ms, struct err *e);

#endif
