/* fuzz_handlers.c - records that the delivery itself reads, as a peer gone mad could seal them: parser, schema, handler and its transaction. The first byte picks the kind:
 *   'k' key (announced, current, asking, …)   'a' resync-ask   'A' resync-answer, to a question that is open   'l' a reconciliation list
 * What must hold: a record is refused or held with a sentence, or applied; applied again in the same state it is applied again; never does one make its transaction fail in a
 * way that would be tried for ever. What was announced is a key whose halves make its id. Each transaction is rolled back. */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/parser/document.c"
#include "ferry/lib/builtin.h"
#include "ferry/lib/delivery.h"
#include "ferry/lib/store_operate.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/replay.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static struct delivery *d;
static struct db *db;

/* A line for each difference would be gigabytes. */
void log_open(const char *program, enum log_level least) { (void)program, (void)least; }
void log_event(enum log_level level, const char *event, const char *fields, ...) { (void)level, (void)event, (void)fields; }
void log_error(const char *event, const struct err *e) { (void)event, (void)e; }
uint64_t log_count(enum log_level level) { (void)level; return 0; }

/* In place of the child: the same code, called at once. */
int child_call(struct child_pool *p, struct bytes request, struct buf *answer, struct err *e)
{
    struct cursor c = {.in = request};
    char xsd[64] = "";
    (void)p;
    cur_u8(&c);
    struct bytes name = cur_take(&c, cur_u16(&c));
    assert(name.n < sizeof xsd);
    memcpy(xsd, name.p, name.n);
    return document_flatten(answer, xsd, cur_take(&c, request.n - c.at), e);
}

static void setup(void)
{
    static char path[4][80];
    static const char *const names[] = {"out", "in", "aside", "side.db"};
    struct err e = {0};
    struct key_pair *own, *peer;
    if (d)
        return;
    if (sodium_init() < 0 || keys_generate(&own, "internet", &e) < 0 || keys_generate(&peer, "intranet", &e) < 0 || document_setup("schemas/xsd", &e) < 0)
        abort();
    const char *base = fuzz_folder("handlers");
    for (int i = 0; i < 4; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", base, names[i]);
        assert(i == 3 || folder_make(path[i], 0700, &e) == 0);
    }
    struct db_options o = {.path = path[3], .application_id = 0x687a7402, .migrations_dir = "schemas/migrations/delivery", .readers = 1};
    struct delivery_options opt = {.own = own, .peer = keys_public(peer), .outbox = path[0], .inbox = path[1], .quarantine = path[2], .vault = "", .spool = "", .mirror = "",
                                   .commands = "", .status_file = ""};
    if (db_open(&db, &o, &e) < 0)
        abort();
    opt.db = db;
    if (delivery_open(&d, &opt, &e) < 0)
        abort();
}

struct job { const struct delivery_handler *h; const struct in_item *it; void *prepared; int rc; struct err why; };

static bool told(const struct err *e)
{
    return (e->code == ERR_INPUT || e->code == ERR_TOO_LARGE || e->code == ERR_CONFLICT || e->code == ERR_CORRUPT || e->code == ERR_HELD) && e->msg[0];
}

static int apply(struct db_conn *c, void *arg, struct err *e)
{
    struct job *j = arg;
    struct err again = {0};
    if (operate_set_state(c, "resync", TOKEN, 1, j->it->now_ms, e) < 0)
        abort();
    j->rc = j->h->apply(c, d, j->it, j->prepared, &j->why);
    if (j->rc == 0 && j->h->apply(c, d, j->it, j->prepared, &again) < 0)
        abort();
    return err_set(e, ERR_CONFLICT, "rolled back");
}

static void take(const char *kind, struct bytes text)
{
    struct manifest m = {.protocol = 1};
    struct in_item it = {.id = TOKEN, .kind = kind, .case_no = "", .manifest = &m, .now_ms = 1790000000000};
    struct job j = {.it = &it};
    struct err e = {0};
    memset(it.hash, 'a', 64);
    for (size_t i = 0; i < builtin_n_handlers; i++)
        if (strcmp(builtin_handlers[i].kind, kind) == 0)
            j.h = &builtin_handlers[i];
    assert(j.h);
    if (j.h->prepare(d, &it, text, &j.prepared, &e) < 0) {
        assert(told(&e) && !j.prepared);
        return;
    }
    assert(db_write(db, apply, &j, &e) < 0 && e.code == ERR_CONFLICT);
    assert(j.rc == 0 || told(&j.why));
    j.h->discard(j.prepared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    setup();
    switch (data[0]) {
    case 'k': take("key", rest); break;
    case 'a': take("resync-ask", rest); break;
    case 'A': take("resync-answer", rest); break;
    case 'l': take("reconciliation", rest); break;
    }
    return 0;
}
