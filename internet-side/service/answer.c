/* answer.c - received, confirmed, held, refused: what each does to the case, and what is purged when.
 * The only licence to purge is an answer naming our own hashes: confirmed must name the record and every part, refused the record. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internet-side/service/configuration.h"
#include "internet-side/service/incoming_parts.h"
#include "internet-side/store/upload.h"

struct said { const struct rec_node *root; struct tracking *t; struct outgoing o; int64_t at, now; const char *unit; };

/* The hash the answer names for an item, "" when it does not name it. */
static const char *named_hash(const struct rec_node *root, const char *id)
{
    for (const struct rec_node *n = rec_child(root, "item"); n; n = rec_next(n, "item"))
        if (strcmp(rec_attr(n, "id"), id) == 0)
            return rec_attr(n, "hash");
    return "";
}

static bool names(const struct rec_node *root, const char *id, const struct hash256 *hash)
{
    char hex[65];
    hash_hex(hex, hash);
    return strcmp(named_hash(root, id), hex) == 0;
}

static int forget(struct db_conn *c, const char *id, const struct hash256 *hash, int64_t now, struct err *e)
{
    char hex[65];
    hash_hex(hex, hash);
    return delivery_confirm(c, id, hex, now, e) < 0 ? -1 : 0;
}

/* Everything of the record goes: item, slices, rows, and by the delivery the files in spool and mirror. */
static int purge(struct db_conn *c, const struct said *a, bool all_named, struct err *e)
{
    struct upload_part *parts = NULL;
    size_t n = 0;
    const char *record = a->o.record.s;
    if (upload_record_parts(&parts, &n, c, record, e) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && all_named && i < n; i++)
        if (!names(a->root, parts[i].item.s, &parts[i].sealed_hash))
            rc = err_set(e, ERR_CORRUPT, "answer: confirmed: want every part of record %s by its hash, have %zu of %zu: nothing is purged", record, i, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = forget(c, parts[i].item.s, &parts[i].sealed_hash, a->now, e);
    free(parts);
    if (rc == 0)
        rc = forget(c, record, &a->o.hash, a->now, e) < 0 || upload_drop_record(c, record, e) < 0 ||
             delivery_trash(c, record, a->now, e) < 0 ? -1 : 0;       /* the record's own copy in the mirror; also what makes the WAL be truncated */
    return rc;
}

static int event(struct db_conn *c, const struct said *a, const char *before, const char *value, struct err *e)
{
    char text[391];                      /* 130 characters of three bytes; the row takes 400 */
    struct buf whole;
    buf_init(&whole, 0);
    buf_str(&whole, before);
    buf_str(&whole, value);
    incoming_cut(text, sizeof text, buf_text(&whole));
    buf_clear(&whole);
    return tracking_event_add(c, a->t->no.s, a->at, a->t->stage, text, a->now, e);
}

static int arrived(struct db_conn *c, struct said *a, struct err *e)
{
    struct tracking *t = a->t;
    if (strcmp(a->o.kind, "application") == 0) {
        if (strcmp(t->crossing, "crossing") != 0 && strcmp(t->crossing, "held") != 0)
            return 0;
        snprintf(t->crossing, sizeof t->crossing, "received");
        if (t->stage < 2)
            t->stage = 2;
        return event(c, a, "已送达", a->unit, e);
    }
    if (strcmp(a->o.kind, "supplement") == 0 && !a->o.word[0])
        return event(c, a, "补交的材料已送达", a->unit, e);
    return 0;
}

static void take_pages(struct said *a)
{
    if (*rec_attr(a->root, "pages_total")) {
        a->t->pages_done = (int)rec_attr_int(a->root, "pages_done", 0, INT_MAX);
        a->t->pages_total = (int)rec_attr_int(a->root, "pages_total", 0, INT_MAX);
    }
}

static int confirmed(struct db_conn *c, struct said *a, struct err *e)
{
    if (purge(c, a, true, e) < 0 || arrived(c, a, e) < 0)
        return -1;
    if (strcmp(a->o.kind, "application") == 0)
        snprintf(a->t->crossing, sizeof a->t->crossing, "confirmed");
    a->t->pages_done = a->t->pages_total;
    return 0;
}

static int refused(struct db_conn *c, struct said *a, struct err *e)
{
    struct tracking *t = a->t;
    const char *reason = rec_child_text(a->root, "reason");
    reason = *reason ? reason : "提交的内容没能通过核对";
    if (purge(c, a, false, e) < 0)
        return -1;
    if (strcmp(a->o.kind, "application") == 0) {
        snprintf(t->crossing, sizeof t->crossing, "refused");
        incoming_cut(t->reason, sizeof t->reason, reason);
        t->final = true;
        t->local_state[0] = 0;
        return content_guard_forget(c, t->no.s, e) < 0 ? -1 : event(c, a, "没能受理：", reason, e);
    }
    t->local_state[0] = 0;
    if (strcmp(a->o.kind, "withdrawal") == 0)
        return event(c, a, "没有撤回：", reason, e);
    struct supplement_request s;
    const int rc = supplement_load(&s, c, t->no.s, e);
    const int round = rc == 1 ? s.round : 0;
    json_decref(s.wanted);
    if (rc < 0 || (round && supplement_set_sent(c, t->no.s, round, false, a->now, e) < 0))
        return -1;
    return event(c, a, "补交的材料没有收下：", reason, e);
}

static int held(struct said *a)
{
    if (strcmp(a->o.kind, "application") == 0 && (strcmp(a->t->crossing, "crossing") == 0 || strcmp(a->t->crossing, "received") == 0))
        snprintf(a->t->crossing, sizeof a->t->crossing, "held");
    return 0;
}

static int act(struct db_conn *c, struct said *a, const char *word, struct err *e)
{
    if (strcmp(word, "confirmed") == 0)
        return confirmed(c, a, e);
    if (strcmp(word, "refused") == 0)
        return refused(c, a, e);
    if (strcmp(word, "held") == 0)
        return held(a);
    take_pages(a);
    return arrived(c, a, e);
}

int incoming_answer(struct db_conn *c, struct core *core, const struct rec_node *root, struct tracking *t, const struct in_item *it, struct err *e)
{
    struct said a = { .root = root, .t = t, .now = it->now_ms };
    const char *word = rec_attr(root, "word");
    const int found = outgoing_load(&a.o, c, rec_attr(root, "record"), e);
    if (found < 0 || incoming_time(&a.at, root, "at", e) < 0)
        return -1;
    if (!found || strcmp(a.o.no.s, t->no.s) != 0 || strcmp(a.o.kind, rec_attr(root, "to")) != 0)
        return err_set(e, ERR_INPUT, "answer: record: want one that was sent of this case, have another");
    if (!names(root, a.o.record.s, &a.o.hash))
        return err_set(e, ERR_CORRUPT, "answer: %.12s: want the hash of record %s, have another: nothing is purged", word, a.o.record.s);
    if (strcmp(a.o.word, "confirmed") == 0 || strcmp(a.o.word, "refused") == 0)
        return 0;                        /* final was said: nothing takes it back */
    struct edition *d = configuration_current(core->configuration);
    a.unit = edition_unit_short(d, t->unit);
    int rc = act(c, &a, word, e);
    edition_release(d);
    t->updated_ms = a.at > t->updated_ms ? a.at : t->updated_ms;
    if (rc == 0)
        rc = outgoing_answered(c, a.o.record.s, word, it->now_ms, e) < 0 ? -1 : tracking_save(c, t, it->now_ms, e);
    return rc;
}
