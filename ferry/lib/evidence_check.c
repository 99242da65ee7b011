/* evidence_check.c - whether the steps of an evidence file hold, alone and against the other side's. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ferry/lib/evidence.h"

__attribute__((format(printf, 3, 4))) static void judge(struct evidence_step *s, enum evidence_verdict verdict, const char *want, ...)
{
    va_list ap;
    if (s->verdict >= verdict)
        return;                          /* the worst is told, and of equals the first */
    s->verdict = verdict;
    va_start(ap, want);
    vsnprintf(s->want, sizeof s->want, want, ap);
    va_end(ap);
    s->have[0] = 0;
}

static void have(struct evidence_step *s, enum evidence_verdict verdict, const char *text)
{
    if (s->verdict == verdict && !s->have[0])
        snprintf(s->have, sizeof s->have, "%.159s", text);
}

static size_t tell(const struct evidence_step *s, evidence_say say, void *arg)
{
    if (say)
        say(arg, s);
    return s->verdict == EVIDENCE_FAILS;
}

static const struct key_public *key_of(const char *id, const struct key_public *const *keys, size_t n)
{
    char hex[17];
    for (size_t i = 0; i < n; i++) {
        hex_put(hex, keys[i]->id.b, 8);
        if (strcmp(hex, id) == 0)
            return keys[i];
    }
    return NULL;
}

static void check_file(const struct evidence *v, struct evidence_step *s, const struct key_public *const *keys, size_t n)
{
    struct err e = {0};
    const struct key_public *k = key_of(v->key, keys, n);
    bool sides = (strcmp(v->side, "internet") == 0 && strcmp(v->peer, "intranet") == 0) || (strcmp(v->side, "intranet") == 0 && strcmp(v->peer, "internet") == 0);
    if (!sides) {
        judge(s, EVIDENCE_FAILS, "side and peer: internet and intranet");
        have(s, EVIDENCE_FAILS, v->side);
    }
    if (!k) {
        judge(s, EVIDENCE_FAILS, "signed under one of the public keys given");
        have(s, EVIDENCE_FAILS, v->key);
    } else if (strcmp(k->name, v->side) != 0) {
        judge(s, EVIDENCE_FAILS, "signed by %s", v->side);
        have(s, EVIDENCE_FAILS, k->name);
    } else if (sign_check(v->signature, "hz-evidence-1", buf_bytes(&v->body), k, &e) < 0) {
        judge(s, EVIDENCE_FAILS, "a signature of key %s over this file", v->key);
        have(s, EVIDENCE_FAILS, "another: the file was changed");
    }
}

static void check_beat(const struct evidence *v, const struct evidence_beat *b, struct evidence_step *s, const struct key_public *const *keys, size_t n)
{
    const struct key_public *who = NULL;
    struct err e = {0};
    if (envelope_verify(buf_bytes(&b->file), keys, n, &who, &e) < 0) {
        judge(s, EVIDENCE_FAILS, "signed by %s", v->peer);
        have(s, EVIDENCE_FAILS, e.msg);
    } else if (strcmp(who->name, v->peer) != 0 || strcmp(b->from, v->peer) != 0 || strcmp(b->to, v->side) != 0) {
        judge(s, EVIDENCE_FAILS, "from %s to %s", v->peer, v->side);
        have(s, EVIDENCE_FAILS, b->from);
    }
}

static bool imported(const char *what)
{
    return strcmp(what, "applied") == 0 || strcmp(what, "refused") == 0 || strcmp(what, "held") == 0 || strcmp(what, "waiting") == 0;
}

/* The last entry below `before` (0 = any) with this word, about the same item, or the same file. */
static const struct journal_entry *find(const struct evidence *v, const char *what, const char *item, const char *incarnation, uint64_t number, uint64_t before)
{
    for (size_t i = v->nentries; i-- > 0;) {
        const struct journal_entry *x = &v->entries[i].x;
        if ((before && x->seq >= before) || (what ? strcmp(x->what, what) != 0 : !imported(x->what)) || (item && strcmp(x->item, item) != 0))
            continue;
        if (!incarnation || (x->number == number && strcmp(x->incarnation, incarnation) == 0))
            return x;
    }
    return NULL;
}

static bool acknowledges(const struct evidence_beat *b, const struct journal_entry *x)
{
    bool in = x->number <= b->contiguous;
    for (size_t i = 0; i < b->nranges; i++)
        in |= x->number >= b->ranges[i].from && x->number <= b->ranges[i].to;
    return in && strcmp(b->ack, x->incarnation) == 0;
}

/* What must have come before this step. */
static void check_order(const struct evidence *v, const struct journal_entry *x, struct evidence_step *s)
{
    const struct journal_entry *before = NULL;
    const char *want = NULL;
    if (strcmp(x->what, "placed") == 0 || strcmp(x->what, "confirmed") == 0)
        before = find(v, want = "sealed", x->item, NULL, 0, x->seq);
    else if (strcmp(x->what, "sent") == 0)
        before = find(v, want = "placed", NULL, x->incarnation, x->number, x->seq);
    else if (strcmp(x->what, "acked") == 0)
        before = find(v, want = "sent", NULL, x->incarnation, x->number, x->seq);
    else if (imported(x->what) && x->number)
        before = find(v, want = "received", NULL, x->incarnation, x->number, x->seq);
    if (!want)
        return;
    if (!before) {
        judge(s, EVIDENCE_FAILS, "%s before it", want);
        have(s, EVIDENCE_FAILS, "nothing");
    } else if (strcmp(want, "sealed") == 0 || strcmp(x->what, "acked") == 0) {
        if (strcmp(before->hash, x->hash) != 0) {
            judge(s, EVIDENCE_FAILS, "hash %s of %s", before->hash, want);
            have(s, EVIDENCE_FAILS, x->hash);
        }
    }
}

/* The path leads to a head that the peer signed, or for now to the one that this file tells. */
static void check_path(const struct evidence *v, const struct evidence_entry *y, struct evidence_step *s)
{
    struct hash256 root = v->head;
    uint64_t size = v->size;
    if (y->beat >= 0) {
        const struct evidence_beat *b = &v->beats[y->beat];
        size = b->known;
        s->vouched_ms = b->at_ms;
        if (hash_parse(&root, b->known_head) < 0) {
            judge(s, EVIDENCE_FAILS, "a beat of %s that names a head of %s", v->peer, v->side);
            have(s, EVIDENCE_FAILS, "a beat that names none");
            return;
        }
    }
    if (!tree_path_holds(&y->x.own, y->x.seq, size, y->path, y->npath, &root)) {
        judge(s, EVIDENCE_FAILS, "entry %llu under head of %llu entries", (unsigned long long)y->x.seq, (unsigned long long)size);
        have(s, EVIDENCE_FAILS, "another entry or path");
        s->vouched_ms = 0;
    } else if (y->beat < 0) {
        judge(s, EVIDENCE_OPEN, "a beat of %s whose head has this entry", v->peer);
        have(s, EVIDENCE_OPEN, "none at hand yet");
    }
}

static void check_entry(const struct evidence *v, size_t i, struct evidence_step *s)
{
    const struct journal_entry *x = &v->entries[i].x;
    check_path(v, &v->entries[i], s);
    if (i && x->seq <= v->entries[i - 1].x.seq)
        judge(s, EVIDENCE_FAILS, "entries in their order");
    if (i && x->seq == v->entries[i - 1].x.seq + 1 && !hash_equal(&x->prev, &v->entries[i - 1].x.own)) {
        judge(s, EVIDENCE_FAILS, "chained to entry %llu", (unsigned long long)x->seq - 1);
        have(s, EVIDENCE_FAILS, "chained to another");
    }
    if (*x->item && strcmp(x->case_no, v->case_no) != 0) {
        judge(s, EVIDENCE_FAILS, "case %s", v->case_no);
        have(s, EVIDENCE_FAILS, x->case_no);
    }
    check_order(v, x, s);
    if (strcmp(x->what, "acked") != 0)
        return;
    for (size_t k = 0; k < v->nbeats; k++)
        if (acknowledges(&v->beats[k], x))
            return;
    judge(s, EVIDENCE_OPEN, "a beat of %s that names file %llu as received", v->peer, (unsigned long long)x->number);
    have(s, EVIDENCE_OPEN, "none at hand");
}

size_t evidence_check(const struct evidence *v, const struct key_public *const *keys, size_t nkeys, evidence_say say, void *arg)
{
    size_t failed = 0;
    struct evidence_step s = {.side = v->side, .about = "file", .at_ms = v->at_ms};
    check_file(v, &s, keys, nkeys);
    failed += tell(&s, say, arg);
    for (size_t i = 0; i < v->nbeats; i++) {
        s = (struct evidence_step){.side = v->peer, .about = "beat", .at_ms = v->beats[i].at_ms};
        check_beat(v, &v->beats[i], &s, keys, nkeys);
        failed += tell(&s, say, arg);
    }
    for (size_t i = 0; i < v->nentries; i++) {
        const struct journal_entry *x = &v->entries[i].x;
        s = (struct evidence_step){.side = v->side, .about = x->what, .entry = x, .at_ms = x->at_ms};
        check_entry(v, i, &s);
        failed += tell(&s, say, arg);
    }
    return failed;
}

/* --- two files --- */

static void must_match(struct evidence_step *s, const struct journal_entry *there, bool certain, const char *what)
{
    if (!there) {
        judge(s, certain ? EVIDENCE_FAILS : EVIDENCE_OPEN, "%s on the other side", what);
        have(s, s->verdict, "nothing");
    } else if (strcmp(there->hash, s->entry->hash) != 0) {
        judge(s, EVIDENCE_FAILS, "%s with hash %s", what, s->entry->hash);
        have(s, EVIDENCE_FAILS, there->hash);
    }
}

/* A file is sent with other bytes when items of it were confirmed meanwhile: one of the sendings is the one that arrived. */
static const struct journal_entry *sent_of(const struct evidence *v, const struct journal_entry *received)
{
    const struct journal_entry *x = NULL, *last = NULL;
    uint64_t before = 0;
    while ((x = find(v, "sent", NULL, received->incarnation, received->number, before))) {
        last = last ? last : x;
        if (strcmp(x->hash, received->hash) == 0)
            return x;
        before = x->seq;
    }
    return last;
}

static const struct journal_entry *received_of(const struct evidence *a, const struct evidence *b, const struct journal_entry *sent)
{
    const struct journal_entry *there = find(b, "received", NULL, sent->incarnation, sent->number, 0), *that = there ? sent_of(a, there) : NULL;
    return that && that != sent && strcmp(that->hash, there->hash) == 0 ? sent : there;
}

/* What `a` did must be what `b` saw, and `b` saw nothing that `a` did not do. */
static size_t cross_one(const struct evidence *a, const struct evidence *b, evidence_say say, void *arg)
{
    size_t failed = 0;
    for (size_t i = 0; i < a->nentries; i++) {
        const struct journal_entry *x = &a->entries[i].x;
        struct evidence_step s = {.side = a->side, .about = "crossed", .entry = x, .at_ms = x->at_ms};
        if (strcmp(x->what, "sealed") == 0)
            must_match(&s, find(b, NULL, x->item, NULL, 0, 0), find(a, "confirmed", x->item, NULL, 0, 0) != NULL, "imported");
        else if (strcmp(x->what, "sent") == 0)
            must_match(&s, received_of(a, b, x), find(a, "acked", NULL, x->incarnation, x->number, 0) != NULL, "received");
        else if (strcmp(x->what, "received") == 0)
            must_match(&s, sent_of(b, x), true, "sent");
        else if (imported(x->what))
            must_match(&s, find(b, "sealed", x->item, NULL, 0, 0), true, "sealed");
        else
            continue;
        failed += tell(&s, say, arg);
    }
    return failed;
}

/* A head that b signed for itself, against the one that b's own file tells at the same size. */
static size_t cross_heads(const struct evidence *a, const struct evidence *b, evidence_say say, void *arg)
{
    size_t failed = 0;
    char head[65];
    hash_hex(head, &b->head);
    for (size_t i = 0; i < a->nbeats; i++) {
        const struct evidence_beat *t = &a->beats[i];
        struct evidence_step s = {.side = b->side, .about = "crossed", .at_ms = t->at_ms};
        if (t->journal != b->size || strcmp(t->head, head) == 0)
            continue;
        judge(&s, EVIDENCE_FAILS, "head %s at entry %llu, as it signed", t->head, (unsigned long long)t->journal);
        have(&s, EVIDENCE_FAILS, head);
        failed += tell(&s, say, arg);
    }
    return failed;
}

size_t evidence_cross(const struct evidence *a, const struct evidence *b, evidence_say say, void *arg)
{
    struct evidence_step s = {.side = a->side, .about = "crossed", .at_ms = a->at_ms};
    if (strcmp(a->side, b->peer) != 0 || strcmp(a->peer, b->side) != 0 || strcmp(a->case_no, b->case_no) != 0) {
        judge(&s, EVIDENCE_FAILS, "two sides' files of one case, %s", a->case_no);
        have(&s, EVIDENCE_FAILS, b->case_no);
        return tell(&s, say, arg);
    }
    return cross_one(a, b, say, arg) + cross_one(b, a, say, arg) + cross_heads(a, b, say, arg) + cross_heads(b, a, say, arg);
}
