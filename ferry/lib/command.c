/* command.c - both ends of the command folder. */
#include "ferry/lib/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/temps.h"
#include "ferry/lib/verbs.h"

#define LOOK_MS 100
#define ANSWER_KEPT_MS (24 * 3600 * 1000LL)

const char *command_text(const json_t *args, const char *name)
{
    const char *s = json_string_value(json_object_get(args, name));
    return s ? s : "";
}

int command_need(const json_t *args, const char *name, const char **out, struct err *e)
{
    *out = command_text(args, name);
    return **out ? 0 : err_set(e, ERR_INPUT, "command: argument '%s' is missing", name);
}

static const struct delivery_verb *verb_of(const struct delivery *d, const char *name)
{
    for (size_t i = 0; i < delivery_n_verbs; i++)
        if (strcmp(delivery_verbs[i].name, name) == 0)
            return &delivery_verbs[i];
    for (size_t i = 0; i < d->opt.nverbs; i++)
        if (strcmp(d->opt.verbs[i].name, name) == 0)
            return &d->opt.verbs[i];
    return NULL;
}

static int run_verb(struct delivery *d, const json_t *ask, json_t *answer, struct err *e)
{
    const char *name = command_text(ask, "verb");
    const struct delivery_verb *v = verb_of(d, name);
    int64_t at = json_integer_value(json_object_get(ask, "at_ms")), now = clock_wall_ms(), age = at > 0 && at < 2 * now ? now - at : now;
    if (age > COMMAND_STALE_S * 1000LL || age < -COMMAND_STALE_S * 1000LL)
        return err_set(e, ERR_INPUT, "command %.30s: given %lld s ago, not run: give it again", name, (long long)(age / 1000));
    if (!v)
        return err_set(e, ERR_INPUT, "command: verb '%.30s' is not one of this service", name);
    log_event(LOG_WARN, "command", "verb %s", name);     /* an operator acts: always in the log */
    return v->run(d, d->opt.app, json_object_get(ask, "args"), answer, e);
}

/* A sentence that quotes the asker may be cut within a character; JSON could not carry it, and the ask would stay for ever, before all others. */
static json_t *answered(int rc, json_t *answer, struct err *e)
{
    text_mend(e->msg, '?');
    return rc == 0 ? json_pack("{s:b, s:O}", "ok", 1, "answer", answer)
                   : json_pack("{s:b, s:s, s:s}", "ok", 0, "code", err_word(e->code), "message", e->msg);
}

static int publish_json(int dirfd, const char *name, const json_t *v, struct err *e)
{
    char *text = json_dumps(v, JSON_COMPACT);
    if (!text)
        return err_set(e, ERR_FULL, "command: no memory");
    int rc = file_publish(dirfd, name, (struct bytes){(const uint8_t *)text, strlen(text)}, PUBLISH_REPLACE, e);
    explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

static int serve(struct delivery *d, int dirfd, const char *name, struct err *e)
{
    struct err own = {0};
    struct buf b;
    json_t *ask = NULL, *answer = json_object();
    char reply[80];
    buf_init(&b, COMMAND_BYTES);
    int rc = file_read(&b, dirfd, name, COMMAND_BYTES, &own);
    if (rc == 0 && !(ask = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL)))
        rc = err_set(&own, ERR_INPUT, "command: not JSON");
    if (rc == 0)
        rc = run_verb(d, ask, answer, &own);
    if (rc < 0)
        log_error("command", &own);
    buf_wipe(&b);
    json_t *all = answered(rc, answer, &own);
    snprintf(reply, sizeof reply, "%.*s.answer", (int)(strlen(name) - 4), name);
    rc = all ? publish_json(dirfd, reply, all, e) : err_set(e, ERR_FULL, "command: no memory");
    json_decref(all);
    json_decref(answer);
    json_decref(ask);
    return rc < 0 ? -1 : file_remove(dirfd, name, e);
}

static bool ends(const char *name, const char *tail)
{
    size_t n = strlen(name), t = strlen(tail);
    return n > t && n < 64 && strcmp(name + n - t, tail) == 0;
}

static int look(struct delivery *d, int dirfd, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    int rc = 0;
    if (folder_list(&list, &n, dirfd, 1000, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (ends(list[i].name, ".ask"))
            rc = serve(d, dirfd, list[i].name, e);
        else if (ends(list[i].name, ".answer") && clock_wall_ms() - list[i].mtime_ms > ANSWER_KEPT_MS)
            rc = file_remove(dirfd, list[i].name, e);
    }
    free(list);
    return rc;
}

void *command_main(void *arg)
{
    struct delivery *d = arg;
    for (;;) {
        struct err e = {0};
        pthread_mutex_lock(&d->lock);
        bool stop = d->stop;
        pthread_mutex_unlock(&d->lock);
        if (stop)
            return NULL;
        if (d->commands >= 0 && look(d, d->commands, &e) < 0)
            log_error("command", &e);
        delivery_trouble(d, THREAD_COMMAND, e.msg);
        usleep(LOOK_MS * 1000);
    }
}

static enum err_code code_of(const char *word)
{
    for (int c = ERR_INPUT; c <= ERR_INTERNAL; c++)
        if (strcmp(err_word((enum err_code)c), word) == 0)
            return (enum err_code)c;
    return ERR_INTERNAL;
}

/* What came back: the verb's answer, or its refusal as our own. */
static int take_answer(int dirfd, const char *name, json_t **answer, struct err *e)
{
    struct buf b;
    buf_init(&b, COMMAND_ANSWER_BYTES);
    int rc = file_read(&b, dirfd, name, COMMAND_ANSWER_BYTES, e);
    json_t *all = rc == 0 ? json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    buf_wipe(&b);
    if (rc < 0)
        return -1;
    file_remove(dirfd, name, NULL);
    if (json_is_true(json_object_get(all, "ok")))
        *answer = json_incref(json_object_get(all, "answer"));
    else
        rc = err_set(e, code_of(command_text(all, "code")), "%s", command_text(all, "message"));
    json_decref(all);
    return rc;
}

int command_ask(const char *dir, const char *verb, const json_t *args, unsigned wait_s, json_t **answer, struct err *e)
{
    struct id128 id;
    char ask[80], reply[80];
    int fd;
    *answer = NULL;
    if (folder_open(&fd, dir, 0, e) < 0)
        return -1;
    id_random(&id);
    snprintf(ask, sizeof ask, "%s.ask", id.s);
    snprintf(reply, sizeof reply, "%s.answer", id.s);
    json_t *v = json_pack("{s:s, s:O, s:I}", "verb", verb, "args", args, "at_ms", (json_int_t)clock_wall_ms());
    int rc = v ? publish_json(fd, ask, v, e) : err_set(e, ERR_FULL, "command: no memory");
    if (rc < 0 && v && e->code == ERR_MISSING) {         /* a service that starts sweeps temporary names, ours too: once more */
        err_clear(e);
        rc = publish_json(fd, ask, v, e);
    }
    json_decref(v);
    int64_t end = clock_mono_ms() + wait_s * 1000LL;
    while (rc == 0 && faccessat(fd, reply, F_OK, 0) < 0 && clock_mono_ms() < end)
        usleep(20000);
    if (rc == 0 && faccessat(fd, reply, F_OK, 0) == 0)
        rc = take_answer(fd, reply, answer, e);
    else if (rc == 0) {
        file_remove(fd, ask, NULL);
        rc = err_set(e, ERR_UNAVAILABLE, "no answer in %u s: the service does not run, or watches another folder than %.100s", wait_s, dir);
    }
    close(fd);
    return rc;
}
