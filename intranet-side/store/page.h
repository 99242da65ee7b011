/* page.h - pages of materials and the parts they arrive in, in whatever order.
 * Owns: nothing. Threads: inside a closure. A part row without page came before its record; one without file is still expected. */
#ifndef INTRANET_STORE_PAGE_H
#define INTRANET_STORE_PAGE_H

#include "common/db.h"

struct page {
    char uid[33], case_no[17], record[33];
    int64_t round, material, alternative, n;      /* alternative -1: none named */
    char type[24];
    int64_t size, parts, parts_done, sheets;
    bool unreadable;
    bool seen;                                    /* by the officer asked for */
    char verdict[16];
};
struct part {
    char uid[33], case_no[17], page[33];
    int64_t n, size;
    char hash[65], file[33], sealed_hash[65];
};

int page_add(struct db_conn *c, const struct page *p, struct err *e);                  /* ERR_CONFLICT: id known */
/* officer "" : seen and verdict are those of nobody. ERR_MISSING. */
int page_get(struct db_conn *c, const char *uid, const char *officer, struct page *out, struct err *e);
typedef int (*page_fn)(const struct page *p, void *arg, struct err *e);
int page_each(struct db_conn *c, const char *case_no, const char *officer, page_fn fn, void *arg, struct err *e);
/* Pages of a case that are whole, and all of them. */
int page_count(struct db_conn *c, const char *case_no, int64_t *done, int64_t *total, struct err *e);
/* Parts still missing of the pages that a record names. */
int page_missing(struct db_conn *c, const char *record, int64_t *parts, struct err *e);
int page_mark_set(struct db_conn *c, const char *page, const char *officer, bool seen, const char *verdict, struct err *e);
int page_set_decoded(struct db_conn *c, const char *uid, bool unreadable, int64_t sheets, struct err *e);
int page_unreadable(struct db_conn *c, const char *case_no, int64_t *n, struct err *e);

/* Whole pages of a slot that can be decoded, as far as is known. */
int page_slot_count(struct db_conn *c, const char *case_no, int64_t material, int64_t *n, struct err *e);
typedef int (*part_fn)(const struct part *p, void *arg, struct err *e);
/* Take the pages of a slot away; each part is named first, so that the caller can drop its file. */
int page_slot_drop(struct db_conn *c, const char *case_no, int64_t material, part_fn fn, void *arg, struct err *e);

int part_get(struct db_conn *c, const char *uid, struct part *out, struct err *e);     /* ERR_MISSING */
int part_add(struct db_conn *c, const struct part *p, struct err *e);
int part_set_file(struct db_conn *c, const char *uid, const char *file, const char *sealed_hash, struct err *e);
int part_set_page(struct db_conn *c, const char *uid, const char *page, int64_t n, struct err *e);
/* Count again how many parts of a page have a file. */
int page_recount(struct db_conn *c, const char *page, struct err *e);
int part_each_of_page(struct db_conn *c, const char *page, part_fn fn, void *arg, struct err *e);
int part_each_of_record(struct db_conn *c, const char *record, part_fn fn, void *arg, struct err *e);

int part_file_known(struct db_conn *c, const char *file, bool *known, struct err *e);

extern const struct db_statements page_statements;

#endif
