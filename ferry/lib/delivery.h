/* delivery.h - both sides' end of the ferry: items out, items in, each applied once, nothing lost.
 *
 * Out:  a use case enqueues sealed items inside its own write transaction; after the commit they will arrive. The sender forms files,
 *       publishes them in the outbox and publishes the same bytes again until a beat of the peer acknowledges them.
 * In:   the receiver verifies, keeps the file in the vault, opens each item, lets the kind's handler prepare it outside and apply it inside one
 *       transaction together with the note that it came. Records of a case are applied in the order of their case_seq.
 * Owns: threads (sender, receiver, clock), the folder descriptors. The database, keys and child pool are borrowed and must outlive it.
 * Threads: every function may be called from any thread; those that take a struct db_conn run inside a closure of db.h.
 * Tables: schemas/migrations/delivery. Protocol and states: ferry/README.md. FRY-01..05, 08, 12..14, IMP-01, 04, 05. */
#ifndef FERRY_DELIVERY_H
#define FERRY_DELIVERY_H

#include "common/child.h"
#include "common/db.h"
#include "common/keyring.h"

struct delivery;

struct in_item {                         /* what a handler sees of an item; strings live as long as the call */
    const char *id, *kind, *case_no;     /* case_no "" when it belongs to none */
    uint64_t case_seq;
    char hash[65];                       /* of the sealed bytes: what an answer names */
    const struct manifest *manifest;     /* verified: sender, recipient, kind, id, size, hash, config_version */
    bool revoked_key;                    /* sealed or signed under a key that was revoked since: somebody must look */
    int64_t now_ms;
};

/* One per record kind. Errors of prepare and apply: ERR_INPUT, ERR_CORRUPT, ERR_TOO_LARGE, ERR_CONFLICT mean refused (final); ERR_HELD and ERR_UNAVAILABLE mean held
 * (kept sealed, alarm, delivery_retry); anything else: the file is tried again later and nothing of it was applied. */
struct delivery_handler {
    const char *kind;
    /* Receiver thread, outside any transaction: parse, decode, write files. *prepared is handed to apply and discard. */
    int (*prepare)(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
    int (*apply)(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e);
    void (*discard)(void *prepared);     /* always called once after a prepare that gave 0; NULL: nothing to free */
};

struct delivery_verb;

/* What a resync wants of the application (resync.h). */
enum resync_why {
    RESYNC_UNKNOWN,                      /* the peer knows nothing of this case: say all that it must know, in the case's next place. 1 said, 0 not ours to say */
    RESYNC_AHEAD,                        /* our database was restored; the peer may have seen more of this case: say its present state anew */
    RESYNC_TOP                           /* the highest case number that the peer ever saw: give out none up to it */
};

struct delivery_options {
    struct db *db;
    struct keyring *keys;                /* ours, named internet or intranet, and the peer's; or NULL and the two that never change: */
    const struct key_pair *own;
    const struct key_public *peer;
    struct child_pool *parser;
    const char *outbox, *inbox;          /* the gateway's folders of this side */
    const char *quarantine;              /* what cannot be verified, each with NAME.reason */
    const char *vault;                   /* files as received, fsynced before they are applied; "" = none */
    const char *spool;                   /* folder of sealed items too large for the database; "" = none */
    const char *mirror;                  /* second copy of the spool, cleaned with it; "" = none */
    const char *commands;                /* the operator's command folder (command.h), "" = none */
    const char *status_file;             /* status.json, renamed into place every 2 s and at stop */
    const struct delivery_handler *handlers;
    size_t nhandlers;
    void *app;
    /* Inside the transaction that settles an item as "refused" or "held" (also when a held one is held again): enqueue the answer. May be NULL. */
    int (*outcome)(struct db_conn *c, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e);
    /* In the receiver's transaction; may be NULL. -1 fails the transaction. */
    int (*resynced)(struct db_conn *c, void *app, const char *case_no, enum resync_why why, int64_t now_ms, struct err *e);
    const struct delivery_verb *verbs;   /* the application's own (command.h), beside verbs.h */
    size_t nverbs;
    void (*after_purge)(void *app);      /* receiver or sender thread, after items were purged and the WAL was truncated; may be NULL */
    /* Numbers, 0 = default. */
    uint64_t batch_max, slice_max;       /* bytes of a file: 1 MB, 6 MB */
    uint64_t slices_in_flight;           /* bytes: 32 MB */
    unsigned batches_in_flight;          /* 64 */
    unsigned resend_min_s, resend_max_s; /* 2, 30 */
    unsigned beat_s;                     /* 15 */
    unsigned rescan_s;                   /* 10; inotify only shortens the wait */
    unsigned settle_s;                   /* 10: a file that fails is left alone until it stood still so long */
    unsigned warn_s, critical_s;         /* 60, 150: age of the oldest unacknowledged record */
    unsigned vault_days;                 /* files of the vault are removed when older, 0 = never */
    bool keep_acked;                     /* keep acknowledged items (the intranet, for a resync) */
};

/* Makes missing folders (0700) and removes temporary names (".….tmp") that a killed predecessor left in ours: open before anything else
 * writes into spool and mirror. */
int delivery_open(struct delivery **out, const struct delivery_options *opt, struct err *e);
int delivery_start(struct delivery *d, struct err *e);
void delivery_stop(struct delivery *d);  /* finishes what is under way, writes the last status, joins its threads */
void delivery_close(struct delivery *d);

/* --- out --- */
struct out_item {
    struct id128 id;
    const char *kind;
    const char *case_no;                 /* "" when none */
    uint64_t case_seq;                   /* from delivery_next_seq, 0 = no order */
    bool bulk;                           /* slice files, behind the batches */
    bool retain;                         /* kept until delivery_confirm */
    struct bytes sealed;                 /* the bytes, or empty and */
    const char *spool;                   /* the name of a file in the spool folder, with its size and hash */
    uint64_t spool_size;
    struct hash256 spool_hash;
};
/* In a write closure. ERR_CONFLICT: the id is known already. ERR_INPUT, ERR_TOO_LARGE: the peer's schema would refuse the file it travels in. */
int delivery_enqueue(struct db_conn *c, const struct out_item *it, int64_t now_ms, struct err *e);
/* The next outgoing place of a case, from 1 without gaps; in the closure that enqueues the record. */
int delivery_next_seq(struct db_conn *c, const char *case_no, uint64_t *seq, int64_t now_ms, struct err *e);
/* The place given last, 0 = none; after a resync the highest one the peer knows of. In any closure. */
int delivery_last_seq(struct db_conn *c, const char *case_no, uint64_t *seq, struct err *e);
/* Seal and enqueue a small record in one go (seals on the writer thread: for records of a few KB only). id NULL: drawn. */
int delivery_send_record(struct db_conn *c, struct delivery *d, const char *kind, const char *case_no, uint64_t case_seq, struct bytes xml, uint64_t config_version,
                         const struct id128 *id, int64_t now_ms, struct err *e);
void delivery_wake(struct delivery *d);  /* after the commit; never needed for correctness */
/* The peer confirmed this item: purge it. 1 purged, 0 not there (any more), -1: the hash is another (ERR_CORRUPT) or the database failed. In a write closure. */
int delivery_confirm(struct db_conn *c, const char *item_id, const char *sealed_hash, int64_t now_ms, struct err *e);
/* Drop an item that never was (a withdrawn upload's spool file): queue its file for removal. In a write closure. */
int delivery_trash(struct db_conn *c, const char *spool_name, int64_t now_ms, struct err *e);
/* Of a case: items not yet acknowledged / not yet confirmed, and when the oldest came into being (0 = none). In a closure. */
struct delivery_case { uint64_t unacked, unconfirmed; int64_t oldest_ms; };
int delivery_case_state(struct db_conn *c, const char *case_no, struct delivery_case *out, struct err *e);

/* Whether anything of this case was sealed or signed under a key that is revoked: an officer must verify it. In a closure; needs keep_acked. */
int delivery_case_revoked(struct db_conn *c, const char *case_no, bool *revoked, struct err *e);

/* --- in --- */
struct delivery_open_item { struct id128 id; char kind[24], case_no[17], word[12], reason[200]; int64_t at_ms; };   /* word: held waiting refused */
/* Newest first, at most max. */
int delivery_list(struct delivery *d, struct delivery_open_item *out, size_t max, size_t *n, struct err *e);
/* Process a held item again; *word becomes applied, refused or held. ERR_MISSING: no such held item. */
int delivery_retry(struct delivery *d, const char *item_id, char word[12], struct err *e);

/* A held item becomes refused, which is final: its sender is told the reason. ERR_MISSING: no such held item. */
int delivery_discard(struct delivery *d, const char *item_id, const char *reason, struct err *e);

/* --- health --- */
/* Today's records (Beijing): confirmed, how many in time, and how many are late and under way. FRY-20, PRF-06. */
struct crossing { uint64_t records, within_5, within_10, late_5, late_10; int64_t slowest_ms; };
struct delivery_state {
    uint64_t queued, unacked, unconfirmed;        /* items; files; items kept until confirmed */
    uint64_t held, waiting, refused, quarantined; /* items, files */
    int64_t oldest_ms;                            /* oldest record not acknowledged, 0 = none */
    int64_t beat_ms;                              /* last beat of the peer by our clock, 0 = never */
    int64_t peer_clock_ms;                        /* its clock minus ours when that beat came: includes the way, so it is behind by nature */
    unsigned peer_protocol;                       /* that its beats name, 0 = never heard */
    uint64_t peer_config;                         /* configuration version that its beat names */
    char peer_health[12];
    char stopped[160];                            /* why a direction stands, "" = it does not */
    int64_t waiting_ms;                           /* oldest item that waits for its predecessor in a case, 0 = none */
    uint64_t gap;                                 /* numbers of the peer's stream that are missing below the highest known */
    struct crossing today;
    char journal[160];                            /* why the two journals do not agree (heads.h), "" = they do */
    uint64_t differences;                         /* of the daily lists, open (reconcile.h) */
    bool drained;                                 /* the operator drains: accept nothing new */
    bool peer_new;                                /* the peer began a new stream and did not resync: was it emptied? */
    char word[12];                                /* fine warning critical */
};
void delivery_health(struct delivery *d, struct delivery_state *out);     /* from memory, at most 2 s old */
void delivery_say_version(struct delivery *d, uint64_t config_version);    /* the same, health as it was said last */
void delivery_say(struct delivery *d, uint64_t config_version, const char *health);   /* what our beats say of us */

#endif
