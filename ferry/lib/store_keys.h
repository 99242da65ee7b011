/* store_keys.h - what the database holds of keys: words of the peer that the ring did not take up yet, which key touched which case, which are revoked.
 * All but keys_store_prepare run inside a closure. */
#ifndef FERRY_STORE_KEYS_H
#define FERRY_STORE_KEYS_H

#include <jansson.h>

#include "common/db.h"
#include "common/seal.h"

struct key_word {
    int64_t row;
    char key[17], word[12];              /* announced trusted current retired revoked */
    char name[16], sign[2 * KEY_HALF + 1], box[2 * KEY_HALF + 1];    /* announced only */
    int64_t expires_ms;
    char incarnation[17];                /* current only: where its numbers begin */
    uint64_t number;
};

int keys_store_prepare(struct db *db, struct err *e);
int store_key_word_put(struct db_conn *c, const struct key_word *w, int64_t now_ms, struct err *e);
/* The first with a row above `after`. 1 one, 0 none. */
int store_key_word_next(struct db_conn *c, int64_t after, struct key_word *out, struct err *e);
int store_key_word_drop(struct db_conn *c, int64_t row, struct err *e);

/* An item of this case was sealed or signed under this key. */
int store_key_case(struct db_conn *c, const char *case_no, const char *key, int64_t now_ms, struct err *e);
int store_key_revoked(struct db_conn *c, const char *key, int64_t now_ms, struct err *e);
/* The number that our next file gets, and in which stream. */
int store_key_next(struct db_conn *c, char incarnation[17], uint64_t *number, struct err *e);

/* What is still open under a key: ours (items that we signed by it and that are not confirmed; items sealed to it that wait here) or the peer's (the
 * other way round). rows gets at most 50 {id, kind, case_no, what}; *n counts all. Files in the spool are not looked at. */
int store_key_open(struct db_conn *c, const uint8_t id[8], bool own, json_t *rows, uint64_t *n, struct err *e);
/* Files of ours below this number that are not acknowledged. */
int store_key_files(struct db_conn *c, uint64_t below, uint64_t *n, struct err *e);

#endif
