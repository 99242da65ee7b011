/* guard.h - the rows that make a repeat harmless: idempotency keys, contents, devices, tries, serial numbers; and the records sent.
 * Owns:    results are the caller's.
 * Threads: every function runs inside a db_write or db_read closure. */
#ifndef INTERNET_STORE_GUARD_H
#define INTERNET_STORE_GUARD_H

#include "common/db.h"
#include "internet-side/domain/case_no.h"

struct submission {
    struct hash256 key, body;
    struct case_no no;
    struct id128 record;
    int pages;
    int64_t at_ms;
};
/* 1, 0, -1. */
int submission_load(struct submission *out, struct db_conn *c, const struct hash256 *key, struct err *e);
/* ERR_CONFLICT when the key is taken. */
int submission_add(struct db_conn *c, const struct submission *s, struct err *e);

/* Number of the case that had this content since `since_ms`. 1, 0, -1. */
int content_guard_find(struct case_no *out, struct db_conn *c, const struct hash256 *content, int64_t since_ms, struct err *e);
int content_guard_set(struct db_conn *c, const struct hash256 *content, const char *no, int64_t now_ms, struct err *e);
int content_guard_prune(struct db_conn *c, int64_t before_ms, struct err *e);
/* A refused application may be handed in again at once. */
int content_guard_forget(struct db_conn *c, const char *no, struct err *e);

/* 1 granted, 0 not, -1. */
int device_granted(struct db_conn *c, const char *no, const struct hash256 *device, struct err *e);
int device_grant(struct db_conn *c, const char *no, const struct hash256 *device, int64_t now_ms, struct err *e);

struct unlock_try { int tries; int64_t locked_until_ms; };
/* Zeros when there is no row. */
int unlock_load(struct unlock_try *out, struct db_conn *c, const char *no, struct err *e);
int unlock_save(struct db_conn *c, const char *no, const struct unlock_try *t, int64_t now_ms, struct err *e);

/* Serials (*last - n, *last] of the month are the caller's from now on. ERR_FULL when the month has none left. */
int serial_reserve(uint32_t *last, struct db_conn *c, int month, uint32_t n, int64_t now_ms, struct err *e);
/* No serial of the month up to this one is reserved any more. */
int serial_raise(struct db_conn *c, int month, uint32_t serial, int64_t now_ms, struct err *e);

struct outgoing {
    struct id128 record;
    struct case_no no;
    char kind[16], word[12];
    int64_t seq;
    struct hash256 hash;             /* of the sealed bytes */
};
int outgoing_add(struct db_conn *c, const struct outgoing *o, int64_t now_ms, struct err *e);
/* 1, 0, -1. */
int outgoing_load(struct outgoing *out, struct db_conn *c, const char *record, struct err *e);
int outgoing_answered(struct db_conn *c, const char *record, const char *word, int64_t now_ms, struct err *e);

/* Configurations that arrived. The bundle is the caller's buffer. 1, 0, -1. nth 0 is the newest. */
int configuration_load(struct buf *bundle, struct db_conn *c, int nth, struct err *e);
int configuration_add(struct db_conn *c, uint32_t version, const struct hash256 *hash, struct bytes bundle, int64_t published_ms, int64_t now_ms,
                      struct err *e);
/* Keep the two newest. */
int configuration_prune(struct db_conn *c, struct err *e);

extern const struct db_statements guard_statements;

#endif
