/* core.h - what every use case of the internet side works with, and how it answers.
 * Owns:    struct core is filled by main.c (or a test) and constant afterwards; its parts name their own locks.
 * Threads: safe to share; each use case takes the session and the time as arguments.
 * A use case is one function: it judges, does its work in one transaction and leaves a finished JSON body in `struct reply`, shaped as
 * schemas/openapi/internet.yaml says. A handler parses arguments, calls it and sends the reply. */
#ifndef INTERNET_SERVICE_CORE_H
#define INTERNET_SERVICE_CORE_H

#include <jansson.h>

#include "common/caller.h"
#include "common/db.h"
#include "common/keyring.h"

struct configuration;      /* configuration.h */
struct delivery;           /* ferry/lib/delivery.h */
struct limiter;            /* limiter.h */
struct login;              /* login.h */
struct numbers;            /* numbers.h */
struct sessions;           /* session.h */
struct upkeep;             /* upkeep.h */

struct core {
    struct db *db;
    struct configuration *configuration;
    struct delivery *delivery;            /* NULL in tests that send nothing: items then lie in the delivery's tables */
    struct child_pool *parser;
    struct caller *caller;                /* NULL: SMS and identity answer "unavailable" */
    struct secret *pepper;                /* outside the database: accounts, devices and guards are hashes under it */
    struct keyring *keys;                 /* ours and the intranet's */
    struct sessions *sessions;
    struct limiter *limiter;
    struct login *login;
    struct numbers *numbers;
    struct upkeep *upkeep;                /* NULL: always fit to accept */
    int spool, mirror;                    /* folder descriptors; mirror -1: none */
    bool sandbox;                         /* identity and SMS come from a test environment */
    const char *hotline;                  /* "" for none */
};

/* What a use case answers. On success `body` (NULL where the contract says 204). On failure `zh` may hold a sentence that can be shown
 * as it stands ("" = the usual one for the code), `fields` the findings, `retry_s` a wait (0 = none). */
struct reply {
    json_t *body;
    json_t *fields;
    char zh[512];
    unsigned retry_s;
    bool has_tries;
    int tries_left;                       /* said when has_tries */
};
void reply_clear(struct reply *r);        /* drops what was not taken over */
/* Set the sentence and the error in one line; returns -1. */
int reply_refuse(struct reply *r, struct err *e, enum err_code code, const char *why, const char *zh_fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* ERR_BUSY with the wait in words. */
int reply_busy(struct reply *r, struct err *e, const char *why, unsigned retry_s);
/* One more finding in the answer's `fields`. */
void reply_field(struct reply *r, const char *field, const char *rule, const char *message);

/* Keyed hash under the pepper, for one purpose. */
void core_hash(struct hash256 *out, const struct core *c, const char *purpose, struct bytes in);
/* The same over an account and further bytes. */
void core_hash_account(struct hash256 *out, const struct core *c, const char *purpose, const struct hash256 *account, struct bytes in);

#endif
