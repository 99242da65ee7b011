/* internet_peer.c - who has got hold of the internet side's keys and database: sends the intranet whatever a test writes, past every check of the
 * service whose place it takes (which must not be running), and prints what comes back.
 *
 *   internet_peer DIR      DIR: a demonstration's folder
 *                          standard input, a line each: KIND CASE FILE     ends with its input
 *                          standard output, a JSON object a line: {"id", "kind", "case", "content" (base64)} */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"

#define APPLICATION_ID 0x485A0001u       /* as the internet side's database has it */

struct peer { struct db *db; struct delivery *delivery; };
struct order { struct peer *p; char kind[24], case_no[17]; struct buf xml; };

static void check(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "internet_peer: %s: %s\n", what, e->msg);
    exit(1);
}

static const char *below(const char *dir, const char *name)
{
    static char paths[16][512];
    static unsigned at;
    char *path = paths[at++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int show(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct buf text;
    (void)app;
    buf_init(&text, 16u << 20);
    base64_put(&text, content);
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "id", it->id, "kind", it->kind, "case", it->case_no, "content", buf_text(&text));
    *prepared = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    buf_clear(&text);
    return *prepared ? 0 : err_set(e, ERR_FULL, "no memory");
}

/* Said inside the transaction that notes the item: the test hears of it once. */
static int say(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    (void)c; (void)app; (void)it; (void)e;
    puts(prepared);
    fflush(stdout);
    return 0;
}

static int send_write(struct db_conn *c, void *arg, struct err *e)
{
    struct order *o = arg;
    uint64_t seq = 0;
    const int64_t now = clock_wall_ms();
    if (delivery_next_seq(c, o->case_no, &seq, now, e) < 0)
        return -1;
    return delivery_send_record(c, o->p->delivery, o->kind, o->case_no, seq, buf_bytes(&o->xml), 1, NULL, now, e);
}

static void obey(struct peer *p, char *line)
{
    struct err e = {0};
    struct order o = { .p = p };
    char file[512];
    if (sscanf(line, "%23s %16s %511s", o.kind, o.case_no, file) != 3) {
        fprintf(stderr, "internet_peer: want KIND CASE FILE, have %s", line);
        exit(2);
    }
    buf_init(&o.xml, 16u << 20);
    check(file_read_path(&o.xml, file, 16u << 20, &e), &e, "record");
    check(db_write(p->db, send_write, &o, &e), &e, "send");
    buf_clear(&o.xml);
    delivery_wake(p->delivery);
}

static void open_peer(struct peer *p, struct keyring **keys, struct child_pool **parser, const char *dir)
{
    static const struct delivery_handler handlers[] = {
        { "answer", show, say, free }, { "status", show, say, free }, { "supplement_request", show, say, free }, { "tracking", show, say, free },
        { "configuration", show, say, free },
    };
    static const char *argv[] = { SOURCE_DIR "/schemas/xsd", NULL };
    struct err e = {0};
    const struct db_options db = { below(dir, "internet/data/internet.db"), APPLICATION_ID, SOURCE_DIR "/schemas/migrations/internet", 4 };
    const struct child_options child = { .path = BUILD_DIR "/libexec/parser", .argv = argv, .n = 1, .max_answer = 64u << 20, .deadline_ms = 10000, .clean_env = true };
    check(keyring_open(keys, below(dir, "internet/keys/internet.key"), below(dir, "internet/keys/intranet.pub"), &e), &e, "keys");
    check(db_open(&p->db, &db, &e), &e, "database");
    check(child_pool_open(parser, &child, &e), &e, "parser");
    const struct delivery_options opt = {
        .db = p->db, .keys = *keys, .parser = *parser, .outbox = below(dir, "gateway/internet-outbox"), .inbox = below(dir, "gateway/internet-inbox"),
        .quarantine = below(dir, "internet/data/quarantine"), .vault = "", .spool = below(dir, "internet/data/spool"), .mirror = "", .status_file = "",
        .commands = "", .handlers = handlers, .nhandlers = sizeof handlers / sizeof *handlers, .app = p, .rescan_s = 1, .settle_s = 1, .beat_s = 1,
    };
    check(delivery_open(&p->delivery, &opt, &e), &e, "delivery");
    check(delivery_start(p->delivery, &e), &e, "delivery");
}

int main(int argc, char **argv)
{
    struct peer p = {0};
    struct keyring *keys = NULL;
    struct child_pool *parser = NULL;
    struct err e = {0};
    char line[1024];
    if (argc != 2) {
        fprintf(stderr, "usage: internet_peer DIR\n");
        return 2;
    }
    log_open("internet_peer", LOG_WARN);
    check(seal_init(&e), &e, "start");
    open_peer(&p, &keys, &parser, argv[1]);
    while (fgets(line, sizeof line, stdin))
        obey(&p, line);
    delivery_stop(p.delivery);
    delivery_close(p.delivery);
    child_pool_close(parser);
    db_close(p.db);
    keyring_close(keys);
    return 0;
}
