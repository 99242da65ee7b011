#include "ferry/lib/since.h"

#include <jansson.h>

#include "common/file.h"

#define STATUS_BYTES 65535
#define TAKEN_OVER_MS (60 * 1000LL)

static const char *const names[SINCE__COUNT] = {"stopped", "journal", "trouble", "overdue", "held", "peer_new", "differences", "quarantined", "key_warning", "key_trouble", "drained", "configuration"};

void since_take(struct since *s, const char *status_file, int64_t now_ms)
{
    struct buf b;
    struct err e = {0};
    *s = (struct since){.taken_over_until_ms = now_ms + TAKEN_OVER_MS};
    if (!*status_file)
        return;
    buf_init(&b, STATUS_BYTES + 1);
    json_t *last = file_read_path(&b, status_file, STATUS_BYTES, &e) == 0 ? json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    for (size_t i = 0; i < SINCE__COUNT; i++) {
        const int64_t at = json_integer_value(json_object_get(json_object_get(last, "since"), names[i]));
        s->at_ms[i] = at > 0 && at <= now_ms ? at : 0;
    }
    json_decref(last);
    buf_clear(&b);
}

void since_note(struct since *s, enum since_what what, bool there, int64_t now_ms)
{
    int64_t *at = &s->at_ms[what];
    if (there && (!*at || *at > now_ms))         /* the clock went back */
        *at = now_ms;
    else if (!there && now_ms >= s->taken_over_until_ms)
        *at = 0;
}

void since_put(struct buf *b, const struct since *s)
{
    const char *comma = "";
    buf_str(b, "\"since\":{");
    for (size_t i = 0; i < SINCE__COUNT; i++)
        if (s->at_ms[i]) {
            buf_fmt(b, "%s\"%s\":%lld", comma, names[i], (long long)s->at_ms[i]);
            comma = ",";
        }
    buf_str(b, "}");
}
