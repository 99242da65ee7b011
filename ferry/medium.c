/* medium.c - export and import: the gateway is down, files travel on a medium. They are the gateway's files, so that nothing on the medium can be read
 * or forged, and a medium that is lost loses nothing: what was not acknowledged is sent again.
 *   MEDIUM/to-intranet, MEDIUM/to-internet     one folder a direction */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/lane_keys.h"
#include "ferry/lib/envelope.h"
#include "ferry/operate.h"

#define EXPORT_S 3600
#define QUIET_ROUNDS 6                   /* half a second each without a new file: the sender has no more */

struct haul {
    struct lane_keys keys;
    const char *verb;
    uint64_t files, bytes, bad;
    uint64_t fresh;                      /* files that were not on the other side yet, beats aside */
    char beat[128];                      /* carried last: the next one says all it said */
};

static int only_newest_beat(struct haul *h, const char *name, int to, struct err *e)
{
    if (*h->beat && strcmp(h->beat, name) != 0 && file_remove(to, h->beat, e) < 0 && e->code != ERR_MISSING)
        return -1;
    err_clear(e);                        /* missing: its reader was quicker */
    h->files -= *h->beat != '\0';
    return str_fmt(h->beat, sizeof h->beat, e, "%s", name);
}

/* One file from folder to folder: verified, durable there, then gone here. What does not verify stays where it is. */
static int carry(struct haul *h, int from, const char *name, int to, struct err *e)
{
    struct buf body;
    struct err bad = {0};
    buf_init(&body, ENVELOPE_MAX);
    int rc = file_read(&body, from, name, ENVELOPE_MAX, e);
    if (rc == 0 && envelope_verify(buf_bytes(&body), h->keys.list, h->keys.n, NULL, &bad) < 0) {
        fprintf(stderr, "ferry %s: %s: %s\n", h->verb, name, bad.msg);
        h->bad++;
    } else if (rc == 0) {
        const bool beat = strncmp(name, "beat-", 5) == 0;
        h->fresh += !beat && faccessat(to, name, F_OK, 0) != 0;
        rc = file_publish(to, name, buf_bytes(&body), PUBLISH_REPLACE | PUBLISH_SHARED, e) < 0 || file_remove(from, name, e) < 0 || (beat && only_newest_beat(h, name, to, e) < 0) ? -1 : 0;
        h->files += rc == 0;
        h->bytes += rc == 0 ? body.n : 0;
    }
    buf_clear(&body);
    if (rc < 0 && (e->code == ERR_INPUT || e->code == ERR_TOO_LARGE)) {      /* none of ours by its name or size: the others go on */
        fprintf(stderr, "ferry %s: %s: %s\n", h->verb, name, e->msg);
        h->bad++;
        err_clear(e);
        return 0;
    }
    if (rc < 0 && e->code == ERR_MISSING) {          /* its writer took it back: an old beat */
        err_clear(e);
        return 0;
    }
    return rc;
}

static int carry_all(struct haul *h, int from, int to, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    int rc = 0;
    if (folder_list(&list, &n, from, 100000, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (list[i].regular)
            rc = carry(h, from, list[i].name, to, e);
    free(list);
    return rc;
}

static int open_both(int *from, int *to, const char *source, const char *target, struct err *e)
{
    *from = *to = -1;
    if (folder_open(from, source, 0, e) == 0 && folder_make(target, 0700, e) == 0 && folder_open(to, target, 0, e) == 0)
        return 0;
    if (*from >= 0)
        close(*from);
    return -1;
}

static int finish(const struct haul *h, int from, int to, const struct err *e, int rc)
{
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    if (e->code)
        fprintf(stderr, "ferry %s: %s\n", h->verb, e->msg);
    printf(told("%llu files, %llu bytes; %llu did not verify and were left\n", "%llu 个文件，%llu 字节；%llu 个验签不过，留在原处\n"), (unsigned long long)h->files,
           (unsigned long long)h->bytes, (unsigned long long)h->bad);
    return rc || e->code || h->bad ? 1 : 0;
}

/* While it goes on the service may have any number of files under way; asked anew each round, so that a killed export does not leave it so. */
static int window(const struct side *s, bool open, long long *queued)
{
    json_t *v;
    if (operate_ask(s, "window", json_pack("{s:b}", "open", open), 30, &v))
        return 1;
    *queued = json_integer_value(json_object_get(v, "queued"));
    json_decref(v);
    return 0;
}

/* A medium that is not mounted is no folder yet: made here, the files would go to this host's own disk and somebody would carry an empty medium. */
static int is_there(const char *verb, const char *medium)
{
    struct err e = {0};
    int fd;
    if (folder_open(&fd, medium, 0, &e) < 0) {
        fprintf(stderr, "ferry %s: %s: %s\n", verb, e.msg, told("want the folder of a medium that is mounted", "请指明已挂载介质的目录"));
        return 1;
    }
    close(fd);
    return 0;
}

int command_export(const struct config *c, const struct arguments *a)
{
    struct haul h = {.verb = "export"};
    struct side s;
    struct err e = {0};
    char target[1024];
    int from, to, quiet = 0, rc = operate_side(&s, c, a);
    if (rc || (rc = is_there("export", arguments_word(a, 0))) != 0)
        return rc;
    if (str_fmt(target, sizeof target, &e, "%s/to-%s", arguments_word(a, 0), strcmp(s.name, "internet") == 0 ? "intranet" : "internet") < 0 ||
        lane_keys_load(&h.keys, s.key, &e) < 0 || open_both(&from, &to, s.outbox, target, &e) < 0)
        return finish(&h, -1, -1, &e, 1);
    for (int64_t end = clock_mono_ms() + EXPORT_S * 1000LL; rc == 0 && quiet < QUIET_ROUNDS && clock_mono_ms() < end; usleep(500000)) {
        long long queued = 0;
        const uint64_t before = h.fresh;
        rc = window(&s, true, &queued);
        if (rc == 0 && carry_all(&h, from, to, &e) < 0)
            break;
        quiet = h.fresh > before || queued ? 0 : quiet + 1;
    }
    long long left;
    if (rc == 0)
        rc = window(&s, false, &left);
    return finish(&h, from, to, &e, rc);
}

int command_import(const struct config *c, const struct arguments *a)
{
    struct haul h = {.verb = "import"};
    struct side s;
    struct err e = {0};
    char source[1024];
    int from, to, rc = operate_side(&s, c, a);
    if (rc || (rc = is_there("import", arguments_word(a, 0))) != 0)
        return rc;
    if (str_fmt(source, sizeof source, &e, "%s/to-%s", arguments_word(a, 0), s.name) < 0 || lane_keys_load(&h.keys, s.peer_key, &e) < 0 ||
        open_both(&from, &to, source, s.inbox, &e) < 0)
        return finish(&h, -1, -1, &e, 1);
    carry_all(&h, from, to, &e);
    return finish(&h, from, to, &e, 0);
}
