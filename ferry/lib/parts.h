/* parts.h - what the files of the delivery library share; nobody else includes it.
 * Locks: `lock` guards wake flags, `live` and the numbers below it; it is never held over a database call or file I/O. */
#ifndef FERRY_PARTS_H
#define FERRY_PARTS_H

#include <pthread.h>
#include <sys/inotify.h>

#include "ferry/lib/ahead.h"
#include "ferry/lib/delivery.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/journal.h"
#include "ferry/lib/since.h"

#define STOPPED_WHY "the peer knows more of us than this database: restored from a backup? ferry resync is needed"
#define INBOX_EVENTS (IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE)

enum { THREAD_SEND, THREAD_RECEIVE, THREAD_CLOCK, THREAD_COMMAND, THREAD__COUNT };

struct delivery {
    struct delivery_options opt;
    char *text[9];                       /* our copies of the option strings */
    int outbox, inbox, quarantine, vault, spool, mirror, commands;     /* folder descriptors, -1 = none */
    int notify;                          /* inotify on the inbox, -1 = rescan only */
    struct keyring *ring;                /* opt.keys, or a fixed one of ours */
    struct key_set *first_keys;          /* what opt.own and opt.peer point into when a ring was given: for their names */
    bool keys_seen;                      /* clock thread only: revoked keys of the ring stand in the database */
    char key_trouble[200];               /* why a word about a key cannot be taken up or said, "" = all could */
    struct { char key[17], token[33], word[12]; uint64_t open; int64_t asked_ms; } retire;      /* what the peer was asked, and said */
    struct ahead *ahead;                 /* receiver only: reads the next file of a round, NULL = it reads them itself */
    bool replaying;                      /* receiver only: the vault is read again, its files were judged when they came */
    char incarnation[17];
    char run[17];                        /* of this start (runs.h) */
    int64_t started_ms;                  /* constant after delivery_open */
    pthread_t threads[THREAD__COUNT];
    unsigned running;
    pthread_mutex_t lock;
    pthread_cond_t send_wake, clock_wake;
    bool stop, send_asked, beat_asked;
    bool answered;                       /* the peer spoke after this start: it knows no number that we do not know */
    uint64_t first_beat, last_beat;      /* counters of our first and newest beat since the start, 0 before */
    char trouble[THREAD__COUNT][160];    /* why the last round of a thread failed, "" = it did not */
    uint64_t gap_contiguous;             /* clock thread only: where the gap began, and since when it stands there */
    int64_t gap_since_ms;
    struct since since;                  /* whoever writes the status: the clock thread, and delivery_open and _stop without it */
    bool item_broken;                    /* sender only, this round: an item of ours cannot be read */
    int64_t broken_told_ms;              /* sender only, monotonic: last time the log said so */
    bool purged;                         /* sender only: deleted rows may still be readable in the WAL */
    int64_t purge_try_ms;                /* sender only, monotonic: not before */
    char stopped[160];                   /* outgoing direction stands, "" = it does not */
    int64_t rtt_ms;                      /* smoothed, of files acknowledged after one send */
    uint64_t beat_counter, beat_limit;   /* clock thread only; limit is what the database reserved */
    char beat_name[80];                  /* our last beat, removed before the next if it still lies in the outbox */
    uint64_t peer_beat;                  /* receiver only: highest counter heard */
    char peer_incarnation[17];
    unsigned peer_protocol;              /* that its beats name, 0 = never heard */
    char reconciled[11];                 /* clock thread only: the last day whose list went out */
    struct journal_head told;            /* newest head of ours that a beat of the peer names, size 0 = none */
    int64_t unshown_ms;                  /* receiver only, monotonic: since when its beats begin at no head that we keep (heads.h), 0 = they do */
    int64_t probe_ms;                    /* receiver only, monotonic: answers to probes are paid for until then (probe_answer.c) */
    uint64_t peer_sent;
    uint64_t peer_heard;                 /* receiver only: newest beat of ours that a beat of the peer names */
    bool peer_new;                       /* the peer's stream is another than the one we knew: emptied or restored, unless it resyncs */
    bool resync_asked;                   /* receiver: the stream's state wants work (resync.h) */
    bool drained;                        /* the operator wants nothing new accepted */
    int64_t window_until_ms;             /* monotonic: until then the limits of what may be under way are lifted */
    uint64_t config_version;
    char health[12];
    struct delivery_state live;
};

/* store.c: the SQL of the stream and of what leaves. All but store_prepare, which prepares both files' statements, run inside a closure. */
int store_prepare(struct db *db, struct err *e);
/* The first column of a statement's one row; ERR_INTERNAL when there is none. */
int store_one(struct db_conn *c, sqlite3_stmt *s, int64_t *out, struct err *e);
/* A number kept under a key (a case, an incarnation): 0 when there is none. */
int store_number_of(struct db_conn *c, sqlite3_stmt *s, const char *key, uint64_t *number, struct err *e);
int store_number_set(struct db_conn *c, sqlite3_stmt *s, const char *key, uint64_t number, int64_t now_ms, struct err *e);
int store_open_stream(struct db_conn *c, char incarnation[17], int64_t now_ms, struct err *e);
int store_reserve_beats(struct db_conn *c, uint64_t *from, struct err *e);

struct file_row {
    uint64_t number;
    enum envelope_kind kind;
    int64_t created_ms, first_ms, last_ms;
    char hash[65];
    uint64_t size;
    unsigned sends;
};
/* Take queued items into a new file: at most `max` bytes of file and 500 items. *formed is false when nothing was queued. */
int store_form(struct db_conn *c, bool bulk, uint64_t max, int64_t now_ms, struct file_row *out, bool *formed, struct err *e);
int store_in_flight(struct db_conn *c, uint64_t *batches, uint64_t *slices, uint64_t *slice_bytes, struct err *e);
/* Up to max files that were never published or last published before `before_ms` (or, the clock having gone back, after now), batches first. */
int store_due(struct db_conn *c, int64_t before_ms, int64_t now_ms, struct file_row *out, size_t max, size_t *n, struct err *e);

struct item_row { struct envelope_item item; char spool[80]; char hash[65]; struct buf sealed; };
int store_items(struct db_conn *c, uint64_t number, struct item_row **out, size_t *n, struct err *e);      /* free with store_items_free */
void store_items_free(struct item_row *rows, size_t n);
int store_published(struct db_conn *c, uint64_t number, const char *hash, uint64_t size, int64_t now_ms, struct err *e);
/* Mark one range of numbers acknowledged. *rtt_ms: in, what was measured so far (0 = nothing); out, the round trip that this range tells, or 0. */
int store_ack(struct db_conn *c, uint64_t from, uint64_t to, bool keep, int64_t now_ms, int64_t *rtt_ms, struct err *e);
int store_highest(struct db_conn *c, uint64_t *number, struct err *e);
int store_trash(struct db_conn *c, int64_t *id, char name[80], struct err *e);      /* the next after *id: 1 one, 0 none */
int store_trash_done(struct db_conn *c, int64_t id, struct err *e);

int store_counts(struct db_conn *c, struct delivery_state *out, struct err *e);      /* of both directions */

/* store_incoming.c: the SQL of what arrives. All but store_incoming_prepare run inside a closure. */
int store_incoming_prepare(struct db *db, struct err *e);
int store_incoming_counts(struct db_conn *c, struct delivery_state *out, struct err *e);
/* Whether any stream of the peer was ever heard. */
int store_met(struct db_conn *c, bool *met, struct err *e);
int store_heard(struct db_conn *c, const char *incarnation, uint64_t *contiguous, int64_t now_ms, struct err *e);
int store_file_known(struct db_conn *c, const char *incarnation, uint64_t number, bool *known, struct err *e);
int store_file_in(struct db_conn *c, const char *incarnation, uint64_t number, int64_t now_ms, struct err *e);
int store_ranges(struct db_conn *c, const char *incarnation, struct beat *b, struct err *e);
int store_item_state(struct db_conn *c, const char *id, char state[12], struct err *e);                     /* "" unknown */
int store_item_put(struct db_conn *c, const struct in_item *it, const char *state, const char *reason, struct bytes sealed, struct err *e);
int store_case_seq(struct db_conn *c, const char *case_no, uint64_t *settled, struct err *e);
int store_case_settle(struct db_conn *c, const char *case_no, uint64_t seq, int64_t now_ms, struct err *e);
/* A waiting item whose turn has come, the first with a row above *after, which gets its row. 1 one, 0 none. */
int store_ready(struct db_conn *c, int64_t *after, struct in_item *it, struct id128 *id, char kind[24], char case_no[17], struct buf *sealed, struct err *e);
int store_held(struct db_conn *c, const char *id, struct in_item *it, char kind[24], char case_no[17], struct buf *sealed, struct err *e);
int store_list(struct db_conn *c, struct delivery_open_item *out, size_t max, size_t *n, struct err *e);

/* A file of the vault, as if it came now; it is acknowledged by the next beat. h gets its head. */
int receive_again(struct delivery *d, struct bytes body, struct envelope_head *h, struct err *e);
/* The peer's stream that we met last, "" = none. */
int store_last_stream(struct db_conn *c, char incarnation[17], struct err *e);

/* send.c, receive.c, beat.c, status.c: what the threads run. */
void *send_main(void *delivery);
void *receive_main(void *delivery);
void *clock_main(void *delivery);
int beat_publish(struct delivery *d, struct err *e);
int beat_heard(struct delivery *d, const struct envelope *v, int64_t now_ms, struct err *e);
int status_write(struct delivery *d, struct err *e);
void delivery_set_stopped(struct delivery *d, const char *why);
void delivery_went_back(struct delivery *d, const char *how);      /* stopped, as this shows that our database was put back */
void delivery_trouble(struct delivery *d, unsigned thread, const char *why);      /* "" = none any more */

#endif
