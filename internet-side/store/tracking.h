/* tracking.h - what remains of a case on this side: number, item, state, time line, what a supplement asks for.
 * Owns:    struct tracking owns its texts (fixed arrays) and `values` until tracking_clear.
 * Threads: every function runs inside a db_write or db_read closure. */
#ifndef INTERNET_STORE_TRACKING_H
#define INTERNET_STORE_TRACKING_H

#include <jansson.h>

#include "common/db.h"
#include "internet-side/domain/case_no.h"

struct tracking {
    struct case_no no;
    struct hash256 account, last4;
    char item[6], unit[13];
    uint32_t config;
    int64_t submitted_ms, updated_ms;
    int pages_total, pages_done;
    char crossing[12];               /* crossing, held, received, confirmed, refused */
    char local_state[20];            /* withdraw_asked, supplement_sent or "" */
    char state[49], variant[24];     /* "" before the intranet spoke */
    json_t *values;                  /* object of texts, never NULL after a load */
    int stage;
    bool final;
    char deadline[11];               /* "" for none */
    char reason[4096];
};
void tracking_clear(struct tracking *t);

/* 1 found, 0 not there, -1 error. */
int tracking_load(struct tracking *out, struct db_conn *c, const char *no, struct err *e);
int tracking_add(struct db_conn *c, const struct tracking *t, int64_t now_ms, struct err *e);
/* Writes every column that may change after tracking_add. */
int tracking_save(struct db_conn *c, const struct tracking *t, int64_t now_ms, struct err *e);
/* Newest first, at most max; *out is malloc'ed, each wants tracking_clear. */
int tracking_of_account(struct tracking **out, size_t *n, struct db_conn *c, const struct hash256 *account, size_t max, struct err *e);

int tracking_event_add(struct db_conn *c, const char *no, int64_t at_ms, int stage, const char *text, int64_t now_ms, struct err *e);
/* [{"at_ms", "stage", "text"}] in time order; new reference. */
int tracking_events(json_t **out, struct db_conn *c, const char *no, struct err *e);

struct supplement_request {
    int round;
    char sentence[4096], deadline[11];
    bool sent;
    json_t *wanted;                  /* {"slots":[{"material","reason"}],"fields":[{"field","reason"}]}; owned, json_decref */
};
/* The newest round. 1, 0, -1. */
int supplement_load(struct supplement_request *out, struct db_conn *c, const char *no, struct err *e);
int supplement_add(struct db_conn *c, const char *no, const struct supplement_request *s, int64_t now_ms, struct err *e);
int supplement_set_sent(struct db_conn *c, const char *no, int round, bool sent, int64_t now_ms, struct err *e);

extern const struct db_statements tracking_statements;

#endif
