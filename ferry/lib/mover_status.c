/* mover_status.c - what the mover says of itself: status.json for `ferry status`. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/mover_parts.h"

static json_t *way_json(const struct mover_way *w)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "from", w->from, "to", w->to, "carried", (json_int_t)w->carried, "bytes",
                     (json_int_t)w->bytes, "set_aside", (json_int_t)w->set_aside, "waiting", (json_int_t)w->waiting, "stuck", (json_int_t)w->stuck, "last_ms",
                     (json_int_t)w->last_ms, "oldest_ms", (json_int_t)w->oldest_ms, "blocked", w->blocked);
}

/* Files in quarantine, without their reasons. */
static json_int_t quarantined(const struct mover *m)
{
    struct dir_entry *list = NULL;
    size_t n = 0;
    json_int_t files = 0;
    struct err ignored = {0};
    if (m->quarantine < 0 || folder_list(&list, &n, m->quarantine, 65536, &ignored) < 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(list[i].name);
        files += len < 7 || strcmp(list[i].name + len - 7, ".reason") != 0;
    }
    free(list);
    return files;
}

static const char *judge(const struct mover *m, json_int_t in_quarantine, int64_t now_ms)
{
    const char *word = in_quarantine ? "warning" : "fine";
    for (unsigned i = 0; i < 2; i++) {
        const struct mover_way *w = &m->ways[i].state;
        int64_t age_s = w->oldest_ms ? (now_ms - w->oldest_ms) / 1000 : 0;
        if (*w->blocked || age_s >= m->opt.critical_s)
            return "critical";
        if (w->stuck || age_s >= m->opt.warn_s)
            word = "warning";
    }
    return word;
}

void mover_status(struct mover *m, const char *state)
{
    struct err e = {0};
    int64_t now_ms = clock_wall_ms();
    char at[21];
    if (!*m->opt.status_file)
        return;
    clock_rfc3339(at, now_ms);
    json_int_t aside = quarantined(m);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:I, s:s, s:[o, o]}", "program", "ferry", "version", m->opt.version, "state", state, "at", at, "at_ms",
                          (json_int_t)now_ms, "pid", (int)getpid(), "quarantined", aside, "word", judge(m, aside, now_ms), "ways", way_json(&m->ways[0].state),
                          way_json(&m->ways[1].state));
    char *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
    if (!text || file_write_path(m->opt.status_file, bytes_of(text), 0644, &e) < 0)
        log_event(LOG_ERROR, "status_not_written", "error %s", text ? e.msg : "no memory");
    free(text);
    json_decref(j);
}

void mover_status_tick(struct mover *m)
{
    if (clock_mono_ms() < m->status_at)
        return;
    m->status_at = clock_mono_ms() + MOVER_STATUS_MS;
    mover_status(m, "running");
}
