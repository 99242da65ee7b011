/* probe_answer.c - the receiver's half of probe.h: say what arrived, in a file of the other direction. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/probe.h"

#define EVERY_MS 1000         /* who floods the inbox with probes gets one answer a second, after a few at once */
#define BURST_MS 8000

/* One more answer may go out now. probe_ms is the time that the answers given so far are paid for. */
static bool may_answer(struct delivery *d)
{
    const int64_t now = clock_mono_ms(), paid = d->probe_ms > now - BURST_MS ? d->probe_ms : now - BURST_MS;
    if (paid + EVERY_MS > now)
        return false;
    d->probe_ms = paid + EVERY_MS;
    return true;
}

static int answer(struct delivery *d, const struct probe_name *p, const struct probe_verdict *v, struct err *e)
{
    struct probe_name a = {.answer = true, .verdict = *v};
    char name[PROBE_NAME];
    struct buf body;
    if (!may_answer(d))
        return 0;
    snprintf(a.from, sizeof a.from, "%s", keys_public(d->opt.own)->name);
    memcpy(a.nonce, p->nonce, sizeof a.nonce);
    probe_name_print(name, &a);
    buf_init(&body, 0);
    probe_bytes(&body, a.from, a.nonce);
    int rc = buf_done(&body, "probe", e) < 0 ? -1 : file_publish(d->outbox, name, buf_bytes(&body), PUBLISH_REPLACE | PUBLISH_SHARED, e);
    buf_clear(&body);
    if (rc == 0)
        log_event(LOG_INFO, "probe", "nonce %s word %s", p->nonce, probe_words[v->word]);
    return rc;
}

/* Since the file came under this name, by this host's clock: its mtime may be the sender's. */
static int64_t lies_ms(const struct delivery *d, const struct probe_name *p)
{
    char name[PROBE_NAME];
    struct stat st;
    probe_name_print(name, p);
    return fstatat(d->inbox, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : llabs(clock_wall_ms() - (int64_t)st.st_ctim.tv_sec * 1000);
}

int probe_arrived(struct delivery *d, const struct probe_name *p, struct bytes body, int64_t mtime_ms, struct err *e)
{
    struct probe_verdict v;
    struct err changed = {0};
    int64_t age_ms = llabs(clock_wall_ms() - mtime_ms);
    if (strcmp(p->from, d->opt.peer->name) != 0)
        return err_set(e, ERR_CORRUPT, "probe: want one of %s, have one of %s: the gateway brings our own files back", d->opt.peer->name, p->from);
    if (p->answer)                       /* the command that waits for it judges its bytes */
        return lies_ms(d, p) < PROBE_KEEP_S * 1000LL ? 1 : 0;
    if (probe_check(&v, p, body, &changed) == 0)
        return answer(d, p, &v, e);
    if (changed.code != ERR_CORRUPT)
        return err_set(e, changed.code, "%s", changed.msg);
    if (age_ms < d->opt.settle_s * 1000LL)
        return 1;                        /* perhaps still being written */
    return answer(d, p, &v, e) < 0 ? -1 : err_set(e, changed.code, "%s", changed.msg);
}
