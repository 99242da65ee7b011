/* ferry_peer.c - one end of the ferry as a program that a test may kill at any moment: the smallest application there is.
 *
 *   ferry_peer run SIDE DIR COUNT   the internet side makes COUNT records (three a case, every fourth with a slice in the spool), the intranet
 *                                   side answers each with a status and a confirmation. Runs until SIGTERM. "made N ID HASH" on standard output
 *                                   is said after the commit, as a service answers a citizen.
 *   ferry_peer ledger SIDE DIR      what the database holds, a line each: made, applied, open, state
 *
 * DIR holds keys (or DIR/SIDE/keys), gateway folders and schemas (made by test_ferry_kill.mjs). Every content begins with a marker that must not be seen outside. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"

#define SLICE_BYTES 60000u
#define MARKER "MARKER-OF-A-CITIZEN"

struct peer {
    const char *dir, *side;
    bool internet;
    struct db *db;
    struct keyring *ring;
    struct child_pool *parser;
    struct delivery *delivery;
    int spool, store;
};

enum { Q_MADE, Q_MAKE, Q_APPLIED, Q_SPOOLED, Q_LEDGER_MADE, Q_LEDGER_APPLIED, Q_LEDGER_OPEN, Q_LEDGER_STATE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_MADE] = "SELECT coalesce(max(n), 0) FROM made",
    [Q_MAKE] = "INSERT INTO made(n, item_id, hash) VALUES(?1, ?2, ?3)",
    [Q_APPLIED] = "INSERT INTO applied(item_id, kind, case_no, case_seq, hash, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_SPOOLED] = "SELECT (SELECT count(*) FROM out_item WHERE spool = ?1) + (SELECT count(*) FROM spool_trash WHERE name = ?1)",
    [Q_LEDGER_MADE] = "SELECT 'made', n, item_id, hash FROM made ORDER BY n",
    [Q_LEDGER_APPLIED] = "SELECT 'applied', id, kind, item_id, case_no, case_seq, hash, text FROM applied ORDER BY id",
    [Q_LEDGER_OPEN] = "SELECT 'open', state, kind, item_id, reason FROM in_item WHERE state <> 'applied'",
    [Q_LEDGER_STATE] = "SELECT 'state', (SELECT count(*) FROM out_item WHERE acked_ms = 0), (SELECT count(*) FROM out_item WHERE retain = 1), "
                       "(SELECT count(*) FROM out_file), (SELECT count(*) FROM spool_trash), (SELECT count(*) FROM applied), (SELECT coalesce(max(n), 0) FROM made)",
};
static const struct db_statements st = {sql, Q__COUNT};

static volatile sig_atomic_t stop_asked;
static void on_stop(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static void check(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "ferry_peer: %s: %s\n", what, e->msg);
    exit(1);
}

static const char *below(const struct peer *p, const char *name)
{
    static char paths[8][512];
    static unsigned at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", p->dir, name);
    return path;
}

static const char *mine(const struct peer *p, const char *name)
{
    char both[128];
    snprintf(both, sizeof both, "%s/%s", p->side, name);
    return below(p, both);
}

/* --- what both sides do with what comes in --- */

static int keep_text(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    (void)app; (void)it;
    *prepared = strndup((const char *)content.p, content.n);
    return *prepared ? 0 : err_set(e, ERR_FULL, "no memory");
}

/* A slice becomes a file named by its item; doing it twice is one file. */
static int keep_slice(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct peer *p = app;
    struct err own = {0};
    *prepared = NULL;
    if (file_publish(p->store, it->id, content, PUBLISH_NEW, &own) == 0 || own.code == ERR_CONFLICT)
        return 0;
    return err_set(e, own.code, "%s", own.msg);
}

static int note(struct db_conn *c, const struct in_item *it, const char *text, struct err *e)
{
    char hash[65];
    hash_hex(hash, &it->manifest->hash);
    sqlite3_stmt *s = db_stmt(c, &st, Q_APPLIED);
    db_bind_text(s, 1, it->id);
    db_bind_text(s, 2, it->kind);
    db_bind_text(s, 3, it->case_no);
    db_bind_int(s, 4, (int64_t)it->case_seq);
    db_bind_text(s, 5, hash);
    db_bind_text(s, 6, text);
    struct err own = {0};
    if (db_run(c, s, &own) == 0)
        return 0;
    /* The ledger's own unique index spoke: the library applied twice. Not a verdict on the item: let it show. */
    fprintf(stderr, "APPLIED TWICE %s %s\n", it->id, own.msg);
    return err_set(e, ERR_INTERNAL, "applied twice");
}

static int reply(struct db_conn *c, struct peer *p, const struct in_item *it, const char *kind, const char *text, struct err *e)
{
    uint64_t seq = 0;
    if (*it->case_no && delivery_next_seq(c, it->case_no, &seq, it->now_ms, e) < 0)
        return -1;
    return delivery_send_record(c, p->delivery, kind, it->case_no, seq, bytes_of(text), 1, NULL, it->now_ms, e);
}

/* Intranet: stored, so confirm; a record also gives a status. */
static int apply_at_intranet(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    char text[200];
    snprintf(text, sizeof text, "%s %s %s", MARKER, it->id, it->hash);
    if (note(c, it, "", e) < 0 || reply(c, app, it, "answer", text, e) < 0)
        return -1;
    snprintf(text, sizeof text, "%s status of %s", MARKER, it->id);
    return prepared ? reply(c, app, it, "status", text, e) : 0;
}

static int apply_status(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    (void)app;
    return note(c, it, (const char *)prepared + sizeof MARKER, e);
}

static int apply_answer(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    char id[33], hash[65];
    (void)app;
    if (sscanf((const char *)prepared + sizeof MARKER, "%32s %64s", id, hash) != 2)
        return err_set(e, ERR_INPUT, "answer: want an id and a hash");
    return note(c, it, id, e) < 0 || delivery_confirm(c, id, hash, it->now_ms, e) < 0 ? -1 : 0;
}

static const struct delivery_handler at_intranet[] = {
    {"application", keep_text, apply_at_intranet, free},
    {"slice", keep_slice, apply_at_intranet, NULL},
};
static const struct delivery_handler at_internet[] = {
    {"status", keep_text, apply_status, free},
    {"answer", keep_text, apply_answer, free},
};

/* --- the internet side makes records --- */

struct make { struct peer *p; uint64_t n; struct id128 id; struct hash256 hash; struct buf sealed; bool slice; char case_no[17]; int64_t now_ms; };

static void seal_one(struct make *m, const char *kind, struct bytes content)
{
    struct err e = {0};
    struct manifest f = {.config_version = 1, .protocol = 1};
    id_random(&f.id);
    snprintf(f.kind, sizeof f.kind, "%s", kind);
    buf_init(&m->sealed, 0);
    check(keyring_seal(&m->sealed, &f, content, m->p->ring, &e), &e, "seal");
    m->id = f.id;
    m->hash = f.hash;
}

static int make_one(struct db_conn *c, void *arg, struct err *e)
{
    struct make *m = arg;
    char hash[65];
    uint64_t seq = 0;
    struct out_item it = {.id = m->id, .kind = m->slice ? "slice" : "application", .case_no = m->case_no, .bulk = m->slice, .retain = true, .sealed = buf_bytes(&m->sealed)};
    if (m->slice) {
        it.sealed = (struct bytes){0};
        it.spool = m->id.s;
        it.spool_size = m->sealed.n;
        hash_of(&it.spool_hash, buf_bytes(&m->sealed));
    } else if (delivery_next_seq(c, m->case_no, &seq, m->now_ms, e) < 0) {
        return -1;
    }
    it.case_seq = seq;
    hash_hex(hash, &m->hash);
    sqlite3_stmt *s = db_stmt(c, &st, Q_MAKE);
    db_bind_int(s, 1, (int64_t)m->n);
    db_bind_text(s, 2, m->id.s);
    db_bind_text(s, 3, hash);
    return db_run(c, s, e) < 0 ? -1 : delivery_enqueue(c, &it, m->now_ms, e);
}

static void make_next(struct peer *p, uint64_t n)
{
    struct make m = {.p = p, .n = n, .slice = n % 4 == 0, .now_ms = clock_wall_ms()};
    struct buf content;
    struct err e = {0};
    char hash[65];
    snprintf(m.case_no, sizeof m.case_no, "34072611%08" PRIu32, (uint32_t)(n / 3 % 100000000));
    buf_init(&content, 0);
    buf_fmt(&content, "%s %" PRIu64, MARKER, n);
    while (m.slice && content.n < SLICE_BYTES)
        buf_str(&content, MARKER);
    seal_one(&m, m.slice ? "slice" : "application", buf_bytes(&content));
    if (m.slice)
        check(file_publish(p->spool, m.id.s, buf_bytes(&m.sealed), PUBLISH_NEW, &e), &e, "spool");
    check(db_write(p->db, make_one, &m, &e), &e, "make");
    delivery_wake(p->delivery);
    hash_hex(hash, &m.hash);
    printf("made %" PRIu64 " %s %s\n", n, m.id.s, hash);
    fflush(stdout);
    buf_clear(&m.sealed);
    buf_clear(&content);
}

static int read_made(struct db_conn *c, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_MADE);
    if (db_step(c, s, e) != 1)
        return -1;
    *(uint64_t *)arg = (uint64_t)db_col_int(s, 0);
    return 0;
}

/* --- */

static void open_db(struct peer *p)
{
    struct err e = {0};
    struct db_options o = {.path = mine(p, "peer.db"), .application_id = 0x687a7465, .migrations_dir = below(p, "migrations"), .readers = 2};
    check(db_open(&p->db, &o, &e), &e, "database");
    check(db_prepare(p->db, &st, &e), &e, "statements");
}

static void open_all(struct peer *p)
{
    static char schemas[4096], parser[4096];
    static const char *args[] = {schemas, NULL};
    struct err e = {0};
    char key[64], other[64];
    const char *keys = access(mine(p, "keys"), F_OK) == 0 ? mine(p, "keys") + strlen(p->dir) + 1 : "keys";      /* a ring of its own, or one folder for both */
    snprintf(key, sizeof key, "%s/%s.key", keys, p->side);
    snprintf(other, sizeof other, "%s/%s.pub", keys, p->internet ? "intranet" : "internet");
    if (!realpath("schemas/xsd", schemas))
        exit(1);
    ssize_t n = readlink("/proc/self/exe", parser, sizeof parser - 32);
    parser[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 2; up++)
        *strrchr(parser, '/') = 0;
    memcpy(parser + strlen(parser), "/libexec/parser", 16);
    struct child_options o = {.path = parser, .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .clean_env = true};
    check(keyring_open(&p->ring, below(p, key), below(p, other), &e), &e, "key");
    check(child_pool_open(&p->parser, &o, &e), &e, "parser");
    check(folder_make(mine(p, "spool"), 0700, &e), &e, "spool");
    check(folder_make(mine(p, "store"), 0700, &e), &e, "store");
    check(folder_open(&p->spool, mine(p, "spool"), 0, &e), &e, "spool");
    check(folder_open(&p->store, mine(p, "store"), 0, &e), &e, "store");
    open_db(p);
    char outbox[64], inbox[64];
    snprintf(outbox, sizeof outbox, "gateway/%s-outbox", p->side);
    snprintf(inbox, sizeof inbox, "gateway/%s-inbox", p->side);
    struct delivery_options d = {.db = p->db, .keys = p->ring, .commands = mine(p, "commands"), .parser = p->parser, .outbox = below(p, outbox), .inbox = below(p, inbox),
                                 .quarantine = mine(p, "quarantine"), .vault = p->internet ? "" : mine(p, "vault"), .spool = mine(p, "spool"), .mirror = "",
                                 .status_file = mine(p, "status.json"), .handlers = p->internet ? at_internet : at_intranet, .nhandlers = 2, .app = p,
                                 .batch_max = 60000, .resend_min_s = 1, .resend_max_s = 2, .beat_s = 1, .rescan_s = 1, .settle_s = 3, .keep_acked = !p->internet};
    check(delivery_open(&p->delivery, &d, &e), &e, "delivery");
}

struct spooled { const char *name; int64_t n; };

static int count_spooled(struct db_conn *c, void *arg, struct err *e)
{
    struct spooled *j = arg;
    sqlite3_stmt *s = db_stmt(c, &st, Q_SPOOLED);
    db_bind_text(s, 1, j->name);
    if (db_step(c, s, e) != 1)
        return -1;
    j->n = db_col_int(s, 0);
    return 0;
}

/* A file is in the spool before its row is committed: killed between, it belongs to nobody. Who writes into the spool sweeps it. */
static void sweep_spool(struct peer *p)
{
    struct dir_entry *list = NULL;
    size_t n = 0;
    struct err e = {0};
    check(folder_list(&list, &n, p->spool, 100000, &e), &e, "spool");
    for (size_t i = 0; i < n; i++) {
        struct spooled j = {.name = list[i].name};
        check(db_read(p->db, count_spooled, &j, &e), &e, "spool");
        if (j.n == 0)
            check(file_remove(p->spool, list[i].name, &e), &e, "spool");
    }
    free(list);
}

static int run(struct peer *p, uint64_t count)
{
    struct err e = {0};
    struct sigaction stop = {.sa_handler = on_stop};
    uint64_t made = 0;
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    open_all(p);
    sweep_spool(p);
    check(delivery_start(p->delivery, &e), &e, "start");
    check(db_read(p->db, read_made, &made, &e), &e, "made");
    while (!stop_asked) {
        if (p->internet && made < count)
            make_next(p, ++made);
        usleep(p->internet && made < count ? 40000 : 100000);
    }
    delivery_stop(p->delivery);
    delivery_close(p->delivery);
    db_close(p->db);
    child_pool_close(p->parser);
    keyring_close(p->ring);
    close(p->spool);
    close(p->store);
    return 0;
}

/* The running peer owns its database, so this looks in as a guest: a plain connection that only reads. */
static int print_ledger(const struct peer *p)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_open_v2(mine(p, "peer.db"), &db, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_busy_timeout(db, 10000);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA query_only=ON; BEGIN", NULL, NULL, NULL);
    for (size_t q = Q_LEDGER_MADE; rc == SQLITE_OK && q < Q__COUNT; q++) {
        if ((rc = sqlite3_prepare_v2(db, sql[q], -1, &s, NULL)) != SQLITE_OK)
            break;
        while ((rc = sqlite3_step(s)) == SQLITE_ROW)
            for (int i = 0; i < sqlite3_column_count(s); i++)
                printf("%s%c", (const char *)sqlite3_column_text(s, i), i + 1 < sqlite3_column_count(s) ? '\t' : '\n');
        sqlite3_finalize(s);
        rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
    }
    if (rc != SQLITE_OK)
        fprintf(stderr, "ledger: %s\n", sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    uint64_t count = 0;
    if (argc < 4 || (strcmp(argv[1], "run") == 0 && (argc != 5 || parse_u64(argv[4], 0, 1000000, &count, "COUNT", &e) < 0))) {
        fprintf(stderr, "usage: ferry_peer run SIDE DIR COUNT | ledger SIDE DIR\n");
        return 2;
    }
    struct peer p = {.dir = argv[3], .side = argv[2], .internet = strcmp(argv[2], "internet") == 0};
    umask(0077);
    log_open("ferry_peer", LOG_INFO);
    check(seal_init(&e), &e, "libsodium");
    if (strcmp(argv[1], "run") == 0)
        return run(&p, count);
    return print_ledger(&p);
}
