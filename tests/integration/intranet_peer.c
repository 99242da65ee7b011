/* intranet_peer.c - the other side of the border as a program that a test speaks for: it prints what arrives and sends what it is told.
 *
 *   intranet_peer serve DIR               DIR: keys/intranet.key, keys/internet.pub, inbox, outbox, schemas -> xsd and migrations/delivery
 *                                         standard output, a JSON object a line: {"id","kind","case","seq","hash","content" (base64)}
 *                                         standard input, a line each: send KIND CASE|- FILE   (@SEQ@ in the file becomes the place in the case's order)
 *                                         ends with its input
 *   intranet_peer bundle SCHEMAS VERSION OUT   the configuration bundle of a folder of schemas */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/catalogue.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"

struct peer { struct db *db; struct delivery *delivery; };

static void check(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "intranet_peer: %s: %s\n", what, e->msg);
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
    json_t *line = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "id", it->id, "kind", it->kind, "case", it->case_no, "seq", (json_int_t)it->case_seq, "hash",
                             it->hash, "content", buf_text(&text));
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

struct order { struct peer *p; char kind[24], case_no[17]; struct buf *xml; };

static int send_write(struct db_conn *c, void *arg, struct err *e)
{
    struct order *o = arg;
    uint64_t seq = 0;
    const int64_t now = clock_wall_ms();
    struct buf out;
    if (*o->case_no && delivery_next_seq(c, o->case_no, &seq, now, e) < 0)
        return -1;
    const char *at = strstr(buf_text(o->xml), "@SEQ@");
    buf_init(&out, 16u << 20);
    buf_put(&out, o->xml->p, at ? (size_t)((const uint8_t *)at - o->xml->p) : o->xml->n);
    if (at) {
        buf_fmt(&out, "%llu", (unsigned long long)seq);
        buf_str(&out, at + 5);
    }
    const int rc = delivery_send_record(c, o->p->delivery, o->kind, o->case_no, seq, buf_bytes(&out), 1, NULL, now, e);
    buf_clear(&out);
    return rc;
}

static void obey(struct peer *p, char *line)
{
    struct err e = {0};
    struct buf xml;
    struct order o = { .p = p, .xml = &xml };
    char file[512], no[32];
    if (sscanf(line, "send %23s %31s %511s", o.kind, no, file) != 3) {
        fprintf(stderr, "intranet_peer: want send KIND CASE FILE, have %s", line);
        exit(2);
    }
    snprintf(o.case_no, sizeof o.case_no, "%.16s", strcmp(no, "-") ? no : "");
    buf_init(&xml, 16u << 20);
    check(file_read_path(&xml, file, 16u << 20, &e), &e, "record");
    check(db_write(p->db, send_write, &o, &e), &e, "send");
    buf_clear(&xml);
    delivery_wake(p->delivery);
}

static int serve(const char *dir)
{
    static const struct delivery_handler handlers[] = {
        { "application", show, say, free }, { "supplement", show, say, free }, { "withdrawal", show, say, free }, { "slice", show, say, free },
    };
    struct err e = {0};
    struct peer p = {0};
    struct key_pair *own = NULL;
    struct key_public other;
    struct child_pool *parser = NULL;
    char line[1024];
    log_open("intranet_peer", LOG_WARN);
    check(seal_init(&e), &e, "start");
    check(keys_load(&own, below(dir, "keys/intranet.key"), &e), &e, "own key");
    check(keys_load_public(&other, below(dir, "keys/internet.pub"), &e), &e, "peer key");
    const struct db_options db = { below(dir, "intranet.db"), 0x485A00F1u, below(dir, "schemas/migrations/delivery"), 4 };
    check(db_open(&p.db, &db, &e), &e, "database");
    const char *argv[] = { below(dir, "schemas/xsd"), NULL };
    const struct child_options child = { .path = BUILD_DIR "/libexec/parser", .argv = argv, .n = 1, .max_answer = 64u << 20, .deadline_ms = 10000, .clean_env = true };
    check(child_pool_open(&parser, &child, &e), &e, "parser");
    const struct delivery_options opt = {
        .db = p.db, .own = own, .peer = &other, .parser = parser, .outbox = below(dir, "outbox"), .inbox = below(dir, "inbox"),
        .quarantine = below(dir, "quarantine"), .vault = "", .spool = "", .mirror = "", .status_file = "", .handlers = handlers,
        .nhandlers = sizeof handlers / sizeof *handlers, .app = &p, .rescan_s = 1, .settle_s = 1, .beat_s = 1,
    };
    check(delivery_open(&p.delivery, &opt, &e), &e, "delivery");
    check(delivery_start(p.delivery, &e), &e, "delivery");
    while (fgets(line, sizeof line, stdin))
        obey(&p, line);
    delivery_stop(p.delivery);
    delivery_close(p.delivery);
    child_pool_close(parser);
    db_close(p.db);
    keys_free(own);
    return 0;
}

static int bundle(const char *schemas, const char *version, const char *out)
{
    struct err e = {0};
    struct catalogue *read = NULL, *c = NULL;
    struct buf b;
    check(seal_init(&e), &e, "start");
    check(catalogue_load_dir(&read, schemas, &e), &e, "schemas");
    check(catalogue_renumbered(&c, read, (uint32_t)strtoul(version, NULL, 10), &e), &e, "version");
    buf_init(&b, 64u << 20);
    check(catalogue_bundle(&b, c, &e), &e, "bundle");
    check(file_write_path(out, buf_bytes(&b), 0600, &e), &e, out);
    buf_clear(&b);
    catalogue_unref(c);
    catalogue_unref(read);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 5 && strcmp(argv[1], "bundle") == 0)
        return bundle(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: intranet_peer serve DIR | bundle SCHEMAS VERSION OUT\n");
    return 2;
}
