/* fuzz_command.c - the command folder of a running service. The first byte picks:
 *   'a' the rest is an ask: the real verbs on a real, empty database      'e' the same, for verbs that quote what they were asked in their refusals
 *   'r' the rest is an answer, as `ferry` reads it
 * What must hold: every ask, whatever its bytes, is answered once and gone, and its asker can read the answer: so none stays and blocks those behind it. What is refused has
 * a code and a sentence; what is no JSON or too old was not run. */
#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"
#include "ferry/lib/verbs.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/replay.h"

#define NOW 1790000000000                /* asks of the corpus are of this moment */

static struct bytes asked;
static struct buf said;
static unsigned published, removed, ran;

static int64_t fixed_now(void) { return NOW; }
static int given(struct buf *out, int dirfd, const char *name, size_t max, struct err *e)
{
    struct bytes from = strstr(name, ".ask") ? asked : buf_bytes(&said);
    (void)dirfd;
    if (from.n > max)
        return err_set(e, ERR_TOO_LARGE, "%s: want at most %zu bytes", name, max);
    buf_put(out, from.p, from.n);
    return buf_done(out, "file", e);
}
static int kept(int dirfd, const char *name, struct bytes body, enum publish_how how, struct err *e)
{
    (void)dirfd, (void)how, (void)e;
    assert(strcmp(name, "0123.answer") == 0);
    buf_clear(&said);
    buf_init(&said, COMMAND_ANSWER_BYTES);
    buf_put(&said, body.p, body.n);
    published++;
    return 0;
}
static int gone(int dirfd, const char *name, struct err *e)
{
    (void)dirfd, (void)name, (void)e;
    removed++;
    return 0;
}
/* A line a run would be gigabytes. */
static void silent_event(enum log_level level, const char *event, const char *fields, ...) { (void)level, (void)event, (void)fields; }
static void silent_error(const char *event, const struct err *e) { (void)event, (void)e; }
#define log_event silent_event
#define log_error silent_error
#define clock_wall_ms fixed_now
#define file_read given
#define file_publish kept
#define file_remove gone
#include "ferry/lib/command.c"
#undef clock_wall_ms
#undef log_event
#undef log_error
#undef file_read
#undef file_publish
#undef file_remove

static int quote(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    const char *text;
    (void)d, (void)app;
    ran++;
    if (command_need(args, "text", &text, e) < 0)
        return -1;
    json_object_set_new(answer, "text", json_string(text));
    return json_is_true(json_object_get(args, "fine")) ? 0 : err_set(e, ERR_CONFLICT, "quote: want another, have '%.40s' of '%s'", text, text);
}

static const struct delivery_verb verbs[] = {{"quote", quote}};
static struct delivery *d;

static void setup(void)
{
    static char path[5][80];
    static const char *const names[] = {"out", "in", "aside", "commands", "side.db"};
    struct err e = {0};
    struct db *db;
    struct key_pair *own, *peer;
    if (d)
        return;
    assert(sodium_init() >= 0 && keys_generate(&own, "internet", &e) == 0 && keys_generate(&peer, "intranet", &e) == 0);
    const char *base = fuzz_folder("command");
    for (int i = 0; i < 5; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", base, names[i]);
        assert(i == 4 || folder_make(path[i], 0700, &e) == 0);
    }
    struct db_options o = {.path = path[4], .application_id = 0x687a7402, .migrations_dir = "schemas/migrations/delivery", .readers = 1};
    if (db_open(&db, &o, &e) < 0)
        abort();
    struct delivery_options opt = {.db = db, .own = own, .peer = keys_public(peer), .outbox = path[0], .inbox = path[1], .quarantine = path[2], .vault = "", .spool = "",
                                   .mirror = "", .commands = path[3], .status_file = "", .verbs = verbs, .nverbs = 1};
    if (delivery_open(&d, &opt, &e) < 0)
        abort();
}

static void read_answer(bool own)
{
    struct err e = {0};
    json_t *answer = NULL;
    if (take_answer(0, "0123.answer", &answer, &e) == 0)
        assert(!own || json_is_object(answer));
    else
        assert(e.code >= ERR_INPUT && e.code <= ERR_INTERNAL && (!own || e.msg[0]) && !answer);
    json_decref(answer);
}

/* resync and the changes of keys give each run a new stream or key: they would grow the database for ever. */
static bool grows(struct bytes ask)
{
    return memmem(ask.p, ask.n, "resync\"", 7) || memmem(ask.p, ask.n, "key-", 4) || memmem(ask.p, ask.n, "\\u", 2);
}

static void ask(struct bytes in)
{
    struct err e = {0};
    json_error_t why;
    asked = in;
    published = removed = ran = 0;
    assert(serve(d, 0, "0123.ask", &e) == 0 && published == 1 && removed == 1 && !e.code);
    json_t *all = json_loadb((const char *)said.p, said.n, JSON_REJECT_DUPLICATES, &why), *q = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, &why);
    const int64_t at = json_integer_value(json_object_get(q, "at_ms"));
    assert(all && json_is_boolean(json_object_get(all, "ok")));
    if (!q || at < NOW - COMMAND_STALE_S * 1000 || at > NOW + COMMAND_STALE_S * 1000)
        assert(ran == 0 && json_is_false(json_object_get(all, "ok")));
    json_decref(all);
    json_decref(q);
    read_answer(true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    setup();
    if (data[0] == 'r') {
        buf_clear(&said);
        buf_init(&said, COMMAND_ANSWER_BYTES);
        buf_put(&said, rest.p, rest.n);
        read_answer(false);
    } else if ((data[0] == 'a' && !grows(rest)) || (data[0] == 'e' && memmem(rest.p, rest.n, "quote", 5)))
        ask(rest);
    return 0;
}
