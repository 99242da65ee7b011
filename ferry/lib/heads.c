#include "ferry/lib/heads.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/parts.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define HOURS_KEPT_MS (2 * DAY_MS)
#define BEIJING_MS (8 * HOUR_MS)

enum { Q_NEWEST, Q_OF_STREAM, Q_OF_SIZE, Q_TOLD, Q_ADD, Q_KEPT, Q_STAYS, Q_PRUNE, Q_WITH_ENTRY, Q_WITH_FILE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_NEWEST] = "SELECT id, size, head, our_size, our_head, heard_ms, incarnation, our_incarnation FROM journal_peer ORDER BY id DESC LIMIT 1",
    [Q_OF_STREAM] = "SELECT id, size, head, our_size, our_head, heard_ms, incarnation, our_incarnation FROM journal_peer WHERE incarnation = ?1 ORDER BY id DESC LIMIT 1",
    [Q_OF_SIZE] = "SELECT head FROM journal_peer WHERE incarnation = ?1 AND size = ?2 ORDER BY id DESC LIMIT 1",
    [Q_TOLD] = "SELECT our_size FROM journal_peer WHERE our_incarnation = ?1 ORDER BY id DESC LIMIT 1",
    [Q_ADD] = "INSERT INTO journal_peer(incarnation, size, head, our_incarnation, our_size, our_head, contiguous, heard_ms, keep, beat, gmt_create, gmt_modified) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?8, ?8)",
    [Q_KEPT] = "SELECT coalesce(max(CASE WHEN keep = 'day' THEN heard_ms END), 0), coalesce(max(heard_ms), 0) FROM journal_peer WHERE keep <> ''",
    [Q_STAYS] = "UPDATE journal_peer SET keep = 'day', gmt_modified = ?2 WHERE id = ?1",
    [Q_PRUNE] = "DELETE FROM journal_peer WHERE (keep = '' OR (keep = 'hour' AND heard_ms < ?1)) AND id NOT IN (SELECT id FROM journal_peer ORDER BY id DESC LIMIT 2)",
    [Q_WITH_ENTRY] = "SELECT id, our_size, beat FROM journal_peer WHERE our_size >= ?1 ORDER BY id LIMIT 1",
    [Q_WITH_FILE] = "SELECT id, our_size, beat FROM journal_peer WHERE our_incarnation = ?1 AND contiguous >= ?2 ORDER BY id LIMIT 1",
};
static const struct db_statements st = {sql, Q__COUNT};

int heads_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

struct head_row { int64_t id, heard_ms; struct journal_head head, ours; char incarnation[17], our_incarnation[17]; };

/* incarnation NULL: the newest of any. 1 one, 0 none. */
static int newest(struct db_conn *c, const char *incarnation, struct head_row *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, incarnation ? Q_OF_STREAM : Q_NEWEST);
    if (incarnation)
        db_bind_text(s, 1, incarnation);
    int rc = db_step(c, s, e);
    *out = (struct head_row){.id = 0};
    if (rc == 1) {
        *out = (struct head_row){.id = db_col_int(s, 0), .head.size = (uint64_t)db_col_int(s, 1), .ours.size = (uint64_t)db_col_int(s, 3), .heard_ms = db_col_int(s, 5)};
        snprintf(out->head.root, sizeof out->head.root, "%s", db_col_text(s, 2));
        snprintf(out->ours.root, sizeof out->ours.root, "%s", db_col_text(s, 4));
        snprintf(out->incarnation, sizeof out->incarnation, "%s", db_col_text(s, 6));
        snprintf(out->our_incarnation, sizeof out->our_incarnation, "%s", db_col_text(s, 7));
    }
    sqlite3_reset(s);
    return rc;
}

int heads_say(struct db_conn *c, const char *our, const char *peer, uint64_t told, struct beat *b, struct err *e)
{
    struct journal_head own;
    struct head_row known, any;
    sqlite3_stmt *s = db_stmt(c, &st, Q_TOLD);
    db_bind_text(s, 1, our);
    int rc = db_step(c, s, e);
    b->since = told ? told : rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    if (rc < 0 || journal_head(c, &own, e) < 0 || newest(c, peer, &known, e) < 0 || newest(c, NULL, &any, e) < 0)
        return -1;
    if (known.id && any.id > known.id)   /* it speaks from a stream that it left: its journal cannot give this head, which tells it so */
        known = any;
    b->journal = own.size;
    memcpy(b->head, own.root, sizeof b->head);
    b->known = known.head.size;
    memcpy(b->known_head, known.head.root, sizeof b->known_head);
    if (b->since > own.size)
        b->since = 0;
    return b->since ? journal_proof(c, b->since, own.size, b->proof, &b->nproof, e) : 0;
}

struct heard_job { struct delivery *d; const struct envelope *v; struct bytes body; int64_t now_ms; uint64_t unshown; char our[17]; char trouble[160]; };

int heads_ours(struct db_conn *c, const struct beat *b, char why[160], struct err *e)
{
    struct hash256 root;
    char hex[65];
    why[0] = 0;
    if (!b->known)
        return 0;
    if (journal_root(c, b->known, &root, e) < 0) {
        if (e->code != ERR_MISSING)
            return -1;
        err_clear(e);
        snprintf(why, 160, "our journal went back: the peer heard entry %llu: restored from a backup? ferry resync is needed", (unsigned long long)b->known);
        return 0;
    }
    hash_hex(hex, &root);
    if (strcmp(hex, b->known_head) != 0)
        snprintf(why, 160, "our journal is not the one that the peer heard at entry %llu: restored or rewritten? ferry resync is needed",
                 (unsigned long long)b->known);
    return 0;
}

static int known_head(struct db_conn *c, const char *incarnation, uint64_t size, char head[65], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_OF_SIZE);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)size);
    int rc = db_step(c, s, e);
    snprintf(head, 65, "%s", rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc;
}

/* 1 the proof holds, 0 it does not, 2 it begins at a head that we do not keep any more: a later beat will begin at a newer one. */
static int continues(struct db_conn *c, const struct envelope *v, struct err *e)
{
    const struct beat *b = &v->beat;
    struct hash256 from, to;
    char head[65];
    int rc = b->since ? known_head(c, v->head.incarnation, b->since, head, e) : 0;        /* 0: it did not hear yet which head we have */
    if (rc <= 0)
        return rc < 0 ? -1 : 2;
    return hash_parse(&from, head) == 0 && hash_parse(&to, b->head) == 0 && tree_proof_holds(b->since, &from, b->journal, &to, b->proof, b->nproof);
}

/* 1 its head is to be kept, 0 not. */
static int check_peer(struct db_conn *c, struct heard_job *j, const struct head_row *last, struct err *e)
{
    const struct beat *b = &j->v->beat;
    const unsigned long long had = last->head.size, has = b->journal;
    if (!last->id || (had == 0 && has > 0))      /* what continues an empty journal needs no proof */
        return 1;
    if (has < had)
        snprintf(j->trouble, sizeof j->trouble, "the peer's journal went back from entry %llu to %llu: restored or rewritten? it must resync", had, has);
    else if (has == had && strcmp(b->head, last->head.root) != 0)
        snprintf(j->trouble, sizeof j->trouble, "the peer's journal has another head at entry %llu: rewritten? it must resync", had);
    if (j->trouble[0] || has == had)
        return !j->trouble[0] && (b->known != last->ours.size || strcmp(b->ack, last->our_incarnation) != 0);
    int rc = continues(c, j->v, e);
    if (rc == 0)
        snprintf(j->trouble, sizeof j->trouble, "the peer's journal at entry %llu does not continue what we heard: rewritten? it must resync", has);
    if (rc == 2)
        j->unshown = had;
    return rc == 2 ? 0 : rc;
}

/* The first of a Beijing day stays for ever, the first of an hour for two days. */
static int why_kept(struct db_conn *c, int64_t now_ms, const char **keep, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_KEPT);
    int rc = db_step(c, s, e);
    int64_t day = rc == 1 ? db_col_int(s, 0) : 0, hour = rc == 1 ? db_col_int(s, 1) : 0;
    sqlite3_reset(s);
    *keep = (day + BEIJING_MS) / DAY_MS != (now_ms + BEIJING_MS) / DAY_MS ? "day" : hour / HOUR_MS != now_ms / HOUR_MS ? "hour" : "";
    return rc < 0 ? -1 : 0;
}

static int keep_head(struct db_conn *c, struct heard_job *j, struct err *e)
{
    const struct beat *b = &j->v->beat;
    const char *keep;
    if (why_kept(c, j->now_ms, &keep, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_ADD);
    db_bind_text(s, 1, j->v->head.incarnation);
    db_bind_int(s, 2, (int64_t)b->journal);
    db_bind_text(s, 3, b->head);
    db_bind_text(s, 4, b->ack);
    db_bind_int(s, 5, strcmp(b->ack, j->our) == 0 ? (int64_t)b->known : 0);
    db_bind_text(s, 6, b->known_head);
    db_bind_int(s, 7, (int64_t)b->contiguous);
    db_bind_int(s, 8, j->now_ms);
    db_bind_text(s, 9, keep);
    db_bind_blob(s, 10, j->body);
    if (db_run(c, s, e) < 0)
        return -1;
    s = db_stmt(c, &st, Q_PRUNE);
    db_bind_int(s, 1, j->now_ms - HOURS_KEPT_MS);
    return db_run(c, s, e);
}

/* Another stream of either side: the last head of the old one stays, and our journal names it. */
static int note_change(struct db_conn *c, struct heard_job *j, const struct head_row *any, struct err *e)
{
    bool peer = strcmp(any->incarnation, j->v->head.incarnation) != 0;
    if (!any->id || (!peer && strcmp(any->our_incarnation, j->v->beat.ack) == 0))
        return 0;
    sqlite3_stmt *s = db_stmt(c, &st, Q_STAYS);
    db_bind_int(s, 1, any->id);
    db_bind_int(s, 2, j->now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    return peer ? journal_resync(c, "peer-resync", j->v->head.incarnation, &any->head, j->now_ms, e) : 0;
}

static int hear(struct db_conn *c, void *arg, struct err *e)
{
    struct heard_job *j = arg;
    struct head_row last, any;
    if (newest(c, j->v->head.incarnation, &last, e) < 0 || newest(c, NULL, &any, e) < 0 || (strcmp(j->v->beat.ack, j->our) == 0 && heads_ours(c, &j->v->beat, j->trouble, e) < 0))
        return -1;
    if (!j->trouble[0] && last.id && any.id > last.id)
        snprintf(j->trouble, sizeof j->trouble, "the peer speaks from a stream that it left by a resync: put back to an earlier day? it must resync");
    int keep = j->trouble[0] ? 0 : check_peer(c, j, &last, e);
    if (keep <= 0)
        return keep;
    return note_change(c, j, &any, e) < 0 ? -1 : keep_head(c, j, e);
}

/* A beat from before ours arrived begins at an older head: that passes. By our own clock's running, for a wall clock may be set. */
static void note_unshown(struct delivery *d, struct heard_job *j)
{
    const int64_t now = clock_mono_ms();
    if (!j->unshown)
        d->unshown_ms = 0;
    else if (!d->unshown_ms)
        d->unshown_ms = now;
    else if (now - d->unshown_ms > HOUR_MS)
        snprintf(j->trouble, sizeof j->trouble, "the peer's journal was not shown to continue entry %llu for an hour: rewritten?", (unsigned long long)j->unshown);
}

int heads_heard(struct delivery *d, const struct envelope *v, struct bytes body, int64_t now_ms, struct err *e)
{
    struct heard_job j = {.d = d, .v = v, .body = body, .now_ms = now_ms};
    pthread_mutex_lock(&d->lock);
    bool present = strcmp(v->head.incarnation, d->peer_incarnation) == 0 && v->head.number == d->peer_beat;
    memcpy(j.our, d->incarnation, sizeof j.our);
    if (present)
        d->peer_protocol = v->beat.protocol;
    if (present && v->beat.known && strcmp(v->beat.ack, d->incarnation) == 0) {
        d->told.size = v->beat.known;
        memcpy(d->told.root, v->beat.known_head, sizeof d->told.root);
    }
    pthread_mutex_unlock(&d->lock);
    if (!present || !v->beat.head[0])
        return 0;
    if (db_write(d->opt.db, hear, &j, e) < 0)
        return -1;
    note_unshown(d, &j);
    pthread_mutex_lock(&d->lock);
    bool changed = strcmp(d->live.journal, j.trouble) != 0;
    memcpy(d->live.journal, j.trouble, sizeof d->live.journal);
    pthread_mutex_unlock(&d->lock);
    if (changed)
        log_event(j.trouble[0] ? LOG_ERROR : LOG_INFO, "journal", "why %s", j.trouble[0] ? j.trouble : "both journals continue what was heard");
    return 0;
}

int heads_beat(struct db_conn *c, uint64_t seq, const char *stream, uint64_t number, struct kept_beat *out, struct buf *file, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, seq ? Q_WITH_ENTRY : Q_WITH_FILE);
    if (seq)
        db_bind_int(s, 1, (int64_t)seq);
    else {
        db_bind_text(s, 1, stream);
        db_bind_int(s, 2, (int64_t)number);
    }
    int rc = db_step(c, s, e);
    if (rc == 1) {
        struct bytes b = db_col_blob(s, 2);
        *out = (struct kept_beat){db_col_int(s, 0), (uint64_t)db_col_int(s, 1)};
        buf_put(file, b.p, b.n);
        if (buf_done(file, "beat", e) < 0)
            rc = -1;
    }
    sqlite3_reset(s);
    return rc;
}
