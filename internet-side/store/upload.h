/* upload.h - pages going up and their sealed parts.
 * Owns:    results are the caller's.
 * Threads: every function runs inside a db_write or db_read closure. */
#ifndef INTERNET_STORE_UPLOAD_H
#define INTERNET_STORE_UPLOAD_H

#include "common/db.h"

struct upload {
    struct id128 id, draft;
    struct hash256 account;
    int material;
    char type[20];
    int64_t size, offset;
    char record[33];                 /* "" before submitting */
    int64_t expires_ms;
};
struct upload_part {
    struct id128 item;
    int64_t start, size, sealed_size;
    struct hash256 hash, sealed_hash;
};
struct upload_use { int64_t pages, bytes, in_slot; };    /* unsubmitted of an account; in_slot: of one draft's slot */

/* 1, 0, -1. */
int upload_load(struct upload *out, struct db_conn *c, const char *id, struct err *e);
int upload_add(struct db_conn *c, const struct upload *u, int64_t now_ms, struct err *e);
int upload_use_of(struct upload_use *out, struct db_conn *c, const struct hash256 *account, const char *draft, int material, struct err *e);
/* Append one part; ERR_CONFLICT when another request moved the offset in between. */
int upload_append(struct db_conn *c, const struct upload *u, const struct upload_part *p, int64_t now_ms, struct err *e);
/* The part that starts there. 1, 0, -1. */
int upload_part_at(struct upload_part *out, struct db_conn *c, const char *id, int64_t start, struct err *e);
/* All parts of a page in order; *out is malloc'ed. */
int upload_parts(struct upload_part **out, size_t *n, struct db_conn *c, const char *id, struct err *e);
/* The page belongs to an outgoing record from now on. ERR_CONFLICT when it is gone, incomplete or belongs to another. */
int upload_submit(struct db_conn *c, const char *id, const char *record, int64_t now_ms, struct err *e);
/* The page and its parts go; the delivery removes their files after the commit. */
int upload_drop(struct db_conn *c, const char *id, int64_t now_ms, struct err *e);
/* The rows of all pages of an outgoing record go; their files are the delivery's, as items. */
int upload_drop_record(struct db_conn *c, const char *record, struct err *e);
/* upload_drop for unsubmitted pages past their time; *n: how many. */
int upload_drop_expired(int64_t *n, struct db_conn *c, int64_t now_ms, struct err *e);
/* Parts of a record's pages: item and sealed hash; *out is malloc'ed. */
int upload_record_parts(struct upload_part **out, size_t *n, struct db_conn *c, const char *record, struct err *e);
/* Whether a file of the spool or the mirror is still spoken of. 1, 0, -1. */
int upload_file_known(struct db_conn *c, const char *name, struct err *e);

extern const struct db_statements upload_statements;

#endif
