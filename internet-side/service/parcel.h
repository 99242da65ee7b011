/* parcel.h - one record and its pages on their way inward: sealed outside the transaction, enqueued inside it.
 * Owns:    the sealed bytes until parcel_clear.
 * Threads: parcel_seal anywhere; parcel_put inside a db_write closure. */
#ifndef INTERNET_SERVICE_PARCEL_H
#define INTERNET_SERVICE_PARCEL_H

#include "internet-side/service/core.h"
#include "internet-side/service/pages.h"
#include "internet-side/store/guard.h"

struct parcel {
    struct outgoing record;              /* id, case, kind, seq, hash of the sealed bytes */
    struct buf sealed;
    const struct page_set *pages;        /* NULL: none */
};

/* Seals the record and, where there is a mirror, makes its bytes durable there before anything is promised. Wipes xml. */
int parcel_seal(struct parcel *p, struct core *c, const char *kind, const char *case_no, int64_t seq, struct buf *xml, uint32_t config,
                const struct page_set *pages, struct err *e);
/* Record, pages and their slices become the delivery's. ERR_BUSY: another record of the case came in between, seal again with the next seq.
 * ERR_CONFLICT: a page was handed in elsewhere in between. The tracking row must be there. */
int parcel_put(struct db_conn *c, const struct parcel *p, int64_t now_ms, struct err *e);
/* Frees; `sent` false also takes the copy out of the mirror. */
void parcel_clear(struct parcel *p, struct core *c, bool sent);

#endif
