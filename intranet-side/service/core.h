/* core.h - what every use case of the intranet side works with, and how it answers.
 * Owns:    struct core is filled by main.c (or a test) and constant afterwards, but for the catalogue in force; the parts name their own locks.
 * Threads: safe to share; each use case takes the acting officer and the time as arguments.
 * A use case is one function: it checks access, does its work in one transaction and leaves a finished JSON body in `struct reply`,
 * shaped as schemas/openapi/intranet.yaml says. A handler parses arguments, calls it and sends the reply. */
#ifndef INTRANET_SERVICE_CORE_H
#define INTRANET_SERVICE_CORE_H

#include <jansson.h>

#include "common/caller.h"
#include "common/catalogue.h"
#include "common/child.h"
#include "common/db.h"
#include "common/keyring.h"
#include "intranet-side/domain/role.h"

struct rules;          /* domain/rules.h: workflows, effects, messages, working days */
struct vault;          /* store/vault.h: keys at rest and the folder of pages */
struct sessions;       /* service/auth.h */
struct changes;        /* service/changes.h */
struct delivery;       /* ferry/lib/delivery.h */
struct releases;       /* service/releases.h: the versions of the configuration */
struct intake;         /* service/intake.h: what the last refusal said */

struct core {
    struct db *db;
    struct catalogue *_Atomic catalogue;  /* in force; a version read here stays valid until the stop (releases.h) */
    struct releases *releases;            /* NULL in tests that release nothing */
    struct rules *rules;
    struct vault *vault;
    struct sessions *sessions;
    struct changes *changes;
    struct delivery *delivery;            /* NULL in tests: records then go to sink */
    int (*sink)(void *arg, const char *kind, const char *case_no, uint64_t seq, const char *xml);     /* tests only */
    void *sink_arg;
    struct keyring *keys;                 /* to seal what crosses: ours and the internet side's */
    struct child_pool *parser;
    struct intake *intake;
    struct caller *caller;                /* NULL: SMS stay queued */
    const struct key_public *identity;    /* of the identity provider */
    unsigned idle_s, session_s;           /* session ends after so long without use, and in any case */
    unsigned undo_s;                      /* 5: how long status and SMS wait */
    unsigned lock_s;                      /* 900: an account stays locked after five failures */
    char schema_dir[512];
    char bundle_dir[512];                 /* released bundles, so that records of an earlier version can be judged; "" = none kept */
};

/* Who acts. Filled by auth_session for each request; role and unit are those of now, not of the login. */
struct actor {
    struct id128 id;                      /* officer */
    char login[33], name[128];
    enum role role;
    char unit[13], unit_name[128];
    char address[64];                     /* client address */
    char csrf[65];
    char session[65];                     /* hex of the session's key in memory, not the cookie */
    bool must_change_password;
};

/* What a use case answers. On success `body` (NULL where the contract says 204). On failure `zh` may hold a sentence that can be shown
 * as it stands ("" = the usual one for the code), `fields` the findings, `retry_s` a wait (0 = none). */
struct reply {
    json_t *body;
    json_t *fields;
    char zh[384];
    unsigned retry_s;
};
void reply_clear(struct reply *r);        /* drops what was not taken over */
/* Set the sentence and the error in one line; returns -1. */
int reply_refuse(struct reply *r, struct err *e, enum err_code code, const char *why, const char *zh_fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
