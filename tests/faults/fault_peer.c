/* fault_peer.c - one end of the ferry that goes on whatever happens to it, to be run under shim.c.
 *
 *   fault_peer SIDE DIR COUNT
 *
 * The internet side makes COUNT items in fours: two records of one case in order, a record of another case that the intranet refuses, and a slice
 * in the spool. All are retained until confirmed. The intranet side answers each with a confirmation and what it applied with a status. "done"
 * is said when nothing is open any more on this side, "made N ID HASH" after a commit, as a service answers a citizen. Runs until SIGTERM.
 * What cannot be done now is tried again, as a citizen would; what stops the start is said on standard error, exit 1.
 * DIR has keys, migrations (with the ledger's tables) and gateway folders: world.mjs makes it. */
#include <inttypes.h>
#include <signal.h>
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
#include "ferry/lib/temps.h"

#define SLICE_BYTES 30000u
#define MARKER "MARKER-OF-A-CITIZEN"

struct peer {
    const char *dir, *side;
    bool internet;
    uint64_t count;
    struct db *db;
    struct key_pair *own;
    struct key_public other;
    struct child_pool *parser;
    struct delivery *delivery;
    int spool, store;
};

enum { Q_MAKE, Q_APPLIED, Q_SPOOLED, Q_OPEN, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_MAKE] = "INSERT INTO made(n, item_id, hash) VALUES(?1, ?2, ?3)",
    [Q_APPLIED] = "INSERT INTO applied(item_id, kind, case_no, case_seq, hash, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_SPOOLED] = "SELECT (SELECT count(*) FROM out_item WHERE spool = ?1) + (SELECT count(*) FROM spool_trash WHERE name = ?1)",
    [Q_OPEN] = "SELECT (SELECT coalesce(max(n), 0) FROM made), (SELECT count(*) FROM in_item WHERE state IN ('applied', 'refused') AND kind IN ('application', 'slice', 'status', 'answer')), "
               "(SELECT count(*) FROM out_item WHERE acked_ms = 0) + (SELECT count(*) FROM out_item WHERE retain = 1) + "
               "(SELECT count(*) FROM out_file) + (SELECT count(*) FROM spool_trash) + (SELECT count(*) FROM in_item WHERE state IN ('held', 'waiting'))",
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
    fprintf(stderr, "fault_peer: %s: %s\n", what, e->msg);
    exit(1);
}

static const char *below(const struct peer *p, const char *name)
{
    static char paths[16][512];
    static unsigned at;
    char *path = paths[at++ % 16];
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
    if (!s)
        return err_set(e, ERR_FULL, "no memory");
    db_bind_text(s, 1, it->id);
    db_bind_text(s, 2, it->kind);
    db_bind_text(s, 3, it->case_no);
    db_bind_int(s, 4, (int64_t)it->case_seq);
    db_bind_text(s, 5, hash);
    db_bind_text(s, 6, text);
    struct err own = {0};
    if (db_run(c, s, &own) == 0)
        return 0;
    /* When the ledger's own unique index spoke, the library applied twice. Not a verdict on the item: let it show. */
    if (own.code == ERR_CONFLICT)
        fprintf(stderr, "APPLIED TWICE %s %s\n", it->id, own.msg);
    return err_set(e, ERR_INTERNAL, "ledger: %s", own.msg);
}

static int reply(struct db_conn *c, struct peer *p, const struct in_item *it, const char *kind, const char *text, struct err *e)
{
    uint64_t seq = 0;
    if (*it->case_no && delivery_next_seq(c, it->case_no, &seq, it->now_ms, e) < 0)
        return -1;
    return delivery_send_record(c, p->delivery, kind, it->case_no, seq, bytes_of(text), 1, NULL, it->now_ms, e);
}

/* Stored, or kept as evidence: so confirm. */
static int answer(struct db_conn *c, struct peer *p, const struct in_item *it, const char *word, struct err *e)
{
    char text[200];
    snprintf(text, sizeof text, "%s %s %s %s", MARKER, it->id, it->hash, word);
    return reply(c, p, it, "answer", text, e);
}

static int apply_at_intranet(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    char text[200];
    if (prepared && strstr(prepared, "refuse me"))
        return err_set(e, ERR_INPUT, "content: want something else");
    if (note(c, it, "", e) < 0 || answer(c, app, it, "stored", e) < 0)
        return -1;
    snprintf(text, sizeof text, "%s status of %s", MARKER, it->id);
    return prepared ? reply(c, app, it, "status", text, e) : 0;
}

static int refused_at_intranet(struct db_conn *c, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e)
{
    (void)why;
    return strcmp(word, "refused") == 0 ? answer(c, app, it, word, e) : 0;
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

/* --- the internet side makes items --- */

struct make { struct peer *p; uint64_t n; struct id128 id; struct hash256 hash; struct buf sealed; bool slice; char case_no[17]; int64_t now_ms; };

static int seal_one(struct make *m, struct err *e)
{
    struct manifest f = {.config_version = 1, .protocol = 1};
    struct buf content;
    buf_init(&content, 0);
    buf_fmt(&content, "%s %" PRIu64 "%s", MARKER, m->n, m->n % 4 == 3 ? " refuse me" : "");
    while (m->slice && content.n < SLICE_BYTES && !content.bad)
        buf_str(&content, MARKER);
    id_random(&f.id);
    snprintf(f.kind, sizeof f.kind, "%s", m->slice ? "slice" : "application");
    int rc = buf_done(&content, "content", e) < 0 ? -1 : seal_item(&m->sealed, &f, buf_bytes(&content), m->p->own, &m->p->other, e);
    buf_clear(&content);
    m->id = f.id;
    m->hash = f.hash;
    return rc;
}

static int make_one(struct db_conn *c, void *arg, struct err *e)
{
    struct make *m = arg;
    char hash[65];
    struct out_item it = {.id = m->id, .kind = m->slice ? "slice" : "application", .case_no = m->case_no, .bulk = m->slice, .retain = true, .sealed = buf_bytes(&m->sealed)};
    if (m->slice) {
        it.sealed = (struct bytes){0};
        it.spool = m->id.s;
        it.spool_size = m->sealed.n;
        hash_of(&it.spool_hash, buf_bytes(&m->sealed));
    } else if (delivery_next_seq(c, m->case_no, &it.case_seq, m->now_ms, e) < 0) {
        return -1;
    }
    hash_hex(hash, &m->hash);
    sqlite3_stmt *s = db_stmt(c, &st, Q_MAKE);
    if (!s)
        return err_set(e, ERR_FULL, "no memory");
    db_bind_int(s, 1, (int64_t)m->n);
    db_bind_text(s, 2, m->id.s);
    db_bind_text(s, 3, hash);
    return db_run(c, s, e) < 0 ? -1 : delivery_enqueue(c, &it, m->now_ms, e);
}

static int make_next(struct peer *p, uint64_t n, struct err *e)
{
    struct make m = {.p = p, .n = n, .slice = n % 4 == 0, .now_ms = clock_wall_ms()};
    char hash[65];
    snprintf(m.case_no, sizeof m.case_no, "340726%02u%08" PRIu32, n % 4 == 3 ? 12u : 11u, (uint32_t)((n - 1) / 4 % 100000000));
    buf_init(&m.sealed, 0);
    int rc = seal_one(&m, e);
    bool spooled = rc == 0 && m.slice;
    if (spooled)
        rc = file_publish(p->spool, m.id.s, buf_bytes(&m.sealed), PUBLISH_NEW, e);
    if (rc == 0)
        rc = db_write(p->db, make_one, &m, e);
    buf_clear(&m.sealed);
    if (rc == 0) {
        delivery_wake(p->delivery);
        hash_hex(hash, &m.hash);
        printf("made %" PRIu64 " %s %s\n", n, m.id.s, hash);
        fflush(stdout);
    } else if (spooled) {
        struct err own = {0};                /* what stays behind here, the next start sweeps */
        if (file_remove(p->spool, m.id.s, &own) < 0)
            log_error("spool_file_stays", &own);
    }
    return rc;
}

/* --- */

static void open_db(struct peer *p)
{
    struct err e = {0};
    struct db_options o = {.path = mine(p, "peer.db"), .application_id = 0x687a7465, .migrations_dir = below(p, "migrations"), .readers = 2};
    check(db_open(&p->db, &o, &e), &e, "database");
    check(db_prepare(p->db, &st, &e), &e, "statements");
}

static void open_keys(struct peer *p)
{
    struct err e = {0};
    char key[64], other[64];
    snprintf(key, sizeof key, "keys/%s.key", p->side);
    snprintf(other, sizeof other, "keys/%s.pub", p->internet ? "intranet" : "internet");
    check(keys_load(&p->own, below(p, key), &e), &e, "key");
    check(keys_load_public(&p->other, below(p, other), &e), &e, "key");
}

static void open_parser(struct peer *p)
{
    static const char *args[] = {SOURCE_DIR "/schemas/xsd", NULL};
    struct child_options o = {.path = BUILD_DIR "/libexec/parser", .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 200000, .clean_env = true};
    struct err e = {0};
    check(child_pool_open(&p->parser, &o, &e), &e, "parser");
}

static void open_all(struct peer *p)
{
    struct err e = {0};
    char outbox[64], inbox[64];
    snprintf(outbox, sizeof outbox, "gateway/%s-outbox", p->side);
    snprintf(inbox, sizeof inbox, "gateway/%s-inbox", p->side);
    open_keys(p);
    open_parser(p);
    check(folder_make(mine(p, "spool"), 0700, &e), &e, "spool");
    check(folder_make(mine(p, "store"), 0700, &e), &e, "store");
    check(folder_open(&p->spool, mine(p, "spool"), 0, &e), &e, "spool");
    check(folder_open(&p->store, mine(p, "store"), 0, &e), &e, "store");
    check(temps_sweep(p->store, NULL, &e), &e, "store");
    open_db(p);
    struct delivery_options d = {.db = p->db, .own = p->own, .peer = &p->other, .parser = p->parser, .outbox = below(p, outbox), .inbox = below(p, inbox),
                                 .quarantine = mine(p, "quarantine"), .vault = p->internet ? "" : mine(p, "vault"), .spool = mine(p, "spool"),
                                 .mirror = p->internet ? mine(p, "mirror") : "", .commands = mine(p, "commands"), .status_file = mine(p, "status.json"),
                                 .handlers = p->internet ? at_internet : at_intranet, .nhandlers = 2, .app = p, .outcome = p->internet ? NULL : refused_at_intranet,
                                 .batch_max = 60000, .resend_min_s = 1, .resend_max_s = 2, .beat_s = 1, .rescan_s = 1, .settle_s = 10, .keep_acked = !p->internet};
    check(delivery_open(&p->delivery, &d, &e), &e, "delivery");
}

struct look { const char *name; int64_t made, settled, open; };

static int count_spooled(struct db_conn *c, void *arg, struct err *e)
{
    struct look *j = arg;
    sqlite3_stmt *s = db_stmt(c, &st, Q_SPOOLED);
    if (!s)
        return err_set(e, ERR_FULL, "no memory");
    db_bind_text(s, 1, j->name);
    if (db_step(c, s, e) != 1)
        return -1;
    j->open = db_col_int(s, 0);
    return 0;
}

static int count_open(struct db_conn *c, void *arg, struct err *e)
{
    struct look *j = arg;
    sqlite3_stmt *s = db_stmt(c, &st, Q_OPEN);
    if (!s)
        return err_set(e, ERR_FULL, "no memory");
    if (db_step(c, s, e) != 1)
        return -1;
    j->made = db_col_int(s, 0);
    j->settled = db_col_int(s, 1);
    j->open = db_col_int(s, 2);
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
        struct look j = {.name = list[i].name};
        check(db_read(p->db, count_spooled, &j, &e), &e, "spool");
        if (j.open == 0)
            check(file_remove(p->spool, list[i].name, &e), &e, "spool");
    }
    free(list);
}

/* What this side must have settled: statuses of two of four and an answer each, or the items themselves. */
static int64_t expected(const struct peer *p)
{
    uint64_t statuses = p->count / 4 * 2 + (p->count % 4 > 2 ? 2 : p->count % 4);
    return (int64_t)(p->internet ? p->count + statuses : p->count);
}

static bool work(struct peer *p)
{
    struct look j = {0};
    struct err e = {0};
    if (db_read(p->db, count_open, &j, &e) == 0 && p->internet && (uint64_t)j.made < p->count)
        make_next(p, (uint64_t)j.made + 1, &e);
    if (e.code)
        log_error("peer", &e);
    return !e.code && (!p->internet || (uint64_t)j.made == p->count) && j.settled == expected(p) && j.open == 0;
}

static int run(struct peer *p)
{
    struct err e = {0};
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    open_all(p);
    sweep_spool(p);
    check(delivery_start(p->delivery, &e), &e, "start");
    puts("ready");
    fflush(stdout);
    for (bool said = false; !stop_asked; usleep(100000)) {
        bool done = work(p);
        if (done != said) {
            puts(done ? "done" : "open");
            fflush(stdout);
        }
        said = done;
    }
    delivery_stop(p->delivery);
    delivery_close(p->delivery);
    db_close(p->db);
    child_pool_close(p->parser);
    keys_free(p->own);
    close(p->spool);
    close(p->store);
    return 0;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    uint64_t count = 0;
    if (argc != 4 || parse_u64(argv[3], 0, 1000000, &count, "COUNT", &e) < 0) {
        fprintf(stderr, "usage: fault_peer SIDE DIR COUNT\n");
        return 2;
    }
    struct peer p = {.dir = argv[2], .side = argv[1], .internet = strcmp(argv[1], "internet") == 0, .count = count};
    umask(0077);
    log_open("fault_peer", LOG_INFO);
    check(seal_init(&e), &e, "libsodium");
    return run(&p);
}
