/* fuzz_evidence.c - evidence that a side gives out after it changed its journal. The harness has an honest journal, whose heads the peer signed in two beats; the input is a
 * list of changes to the evidence file, six bytes each (what, which entry, which field, three of value); then the file is signed again, as only that side can, so that every
 * check behind the signature is reached.
 * What must hold: without a change every step holds; when after changes none fails, every entry that is said to be vouched for by the peer is, byte for byte, one of the
 * honest journal: its own side cannot change, invent or move what the peer has signed. */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/evidence.h"
#include "tests/fuzz/replay.h"

#define ENTRIES 9
#define AT 1790000000000
#define CASE "3407261100000017"
#define OURS "0123456789abcdef"
#define THEIRS "fedcba9876543210"
#define ITEM "11111111111111111111111111111111"
#define OTHER "22222222222222222222222222222222"

static struct key_pair *own, *peer;
static struct journal_entry honest[ENTRIES + 1];       /* from 1 */
static json_t *file;                                   /* unsigned */
static char *forged;                                   /* a beat that we signed in the peer's name */

/* The node over the 2^height entries that end with at.end. */
static int node(void *arg, struct tree_at at, struct hash256 *out, struct err *e)
{
    struct hash256 l, r;
    if (at.height == 0) {
        *out = honest[at.end].own;
        return 0;
    }
    const uint64_t half = (uint64_t)1 << (at.height - 1);
    node(arg, (struct tree_at){at.end - half, at.height - 1}, &l, e);
    node(arg, (struct tree_at){at.end, at.height - 1}, &r, e);
    tree_node(out, &l, &r);
    return 0;
}

static void root_of(struct hash256 *out, uint64_t size)
{
    struct tree t = {.n = 0};
    for (uint64_t i = 1; i <= size; i++)
        assert(tree_push(&t, &honest[i].own, 0));
    tree_root(out, &t);
}

static json_t *hex(const struct hash256 *h)
{
    char text[65];
    hash_hex(text, h);
    return json_string(text);
}

static json_t *path_of(uint64_t seq, uint64_t size)
{
    struct hash256 path[TREE_MOST];
    struct err e = {0};
    json_t *list = json_array();
    size_t n;
    assert(tree_path(path, &n, seq, size, node, NULL, &e) == 0);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, hex(&path[i]));
    return list;
}

static void write_journal(void)
{
    static const struct { const char *what, *incarnation; uint64_t number; const char *item; char hash; } steps[ENTRIES] = {
        {"sealed", "", 0, ITEM, 'a'}, {"placed", OURS, 1, ITEM, 'a'}, {"sent", OURS, 1, "", 'b'}, {"acked", OURS, 1, "", 'b'}, {"received", THEIRS, 7, "", 'c'},
        {"applied", THEIRS, 7, OTHER, 'd'}, {"confirmed", "", 0, ITEM, 'a'}, {"sealed", "", 0, "33333333333333333333333333333333", 'e'}, {"held", THEIRS, 7, "44444444444444444444444444444444", 'f'}};
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        struct journal_entry *x = &honest[i];
        x->seq = i;
        x->at_ms = AT + (int64_t)i * 1000;
        snprintf(x->what, sizeof x->what, "%s", steps[i - 1].what);
        snprintf(x->incarnation, sizeof x->incarnation, "%s", steps[i - 1].incarnation);
        snprintf(x->item, sizeof x->item, "%s", steps[i - 1].item);
        snprintf(x->kind, sizeof x->kind, "%s", *x->item ? "status" : "");
        snprintf(x->case_no, sizeof x->case_no, "%s", *x->item ? CASE : "");
        memset(x->hash, steps[i - 1].hash, 64);
        x->number = steps[i - 1].number;
        x->prev = honest[i - 1].own;
        journal_hash(&x->own, x);
    }
}

/* In base64, as it stands in the file. */
static char *beat(uint64_t known, const struct hash256 *head, const struct key_pair *key)
{
    struct envelope_head h = {.kind = ENVELOPE_BEAT, .from = "intranet", .to = "internet", .incarnation = THEIRS, .number = known, .created_ms = AT + 20000};
    struct beat b = {.ack = OURS, .contiguous = 1, .health = "fine", .protocol = BEAT_PROTOCOL, .journal = 1, .known = known};
    struct buf out, text;
    struct err e = {0};
    buf_init(&out, 0);
    buf_init(&text, 0);
    memset(b.head, '0', 64);
    hash_hex(b.known_head, head);
    assert(envelope_write_beat(&out, &h, &b, key, &e) == 0);
    base64_put(&text, buf_bytes(&out));
    char *copy = strdup(buf_text(&text));
    buf_clear(&out);
    buf_clear(&text);
    return copy;
}

static json_t *entry_json(const struct journal_entry *x, int at, uint64_t size)
{
    return json_pack("{s:I, s:I, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:i, s:o}", "seq", (json_int_t)x->seq, "at_ms", (json_int_t)x->at_ms, "what", x->what, "incarnation",
                     x->incarnation, "number", (json_int_t)x->number, "item", x->item, "kind", x->kind, "case", x->case_no, "hash", x->hash, "prev", hex(&x->prev), "beat", at,
                     "path", path_of(x->seq, size));
}

static void setup(void)
{
    static const uint64_t known[] = {4, 8};
    struct err e = {0};
    struct hash256 h;
    char id[17];
    if (file)
        return;
    if (sodium_init() < 0 || keys_generate(&own, "internet", &e) < 0 || keys_generate(&peer, "intranet", &e) < 0)
        abort();
    write_journal();
    json_t *beats = json_array(), *entries = json_array();
    for (int i = 0; i < 2; i++) {
        root_of(&h, known[i]);
        char *text = beat(known[i], &h, peer);
        json_array_append_new(beats, json_string(text));
        free(text);
    }
    for (uint64_t i = 1; i <= ENTRIES; i++)
        json_array_append_new(entries, entry_json(&honest[i], i <= 4 ? 0 : i <= 8 ? 1 : -1, i <= 4 ? 4 : i <= 8 ? 8 : ENTRIES));
    memset(&h, 7, sizeof h);
    forged = beat(9, &h, own);
    hex_put(id, keys_public(own)->id.b, 8);
    root_of(&h, ENTRIES);
    file = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:s}", "format", "hz-evidence-1", "side", "internet", "peer", "intranet", "case", CASE, "at_ms",
                     (json_int_t)AT + 30000, "size", (json_int_t)ENTRIES, "head", hex(&h), "beats", beats, "entries", entries, "key", id);
    assert(file);
}

/* --- changes --- */

static void change_number(json_t *o, const char *key, const uint8_t v[3])
{
    static const json_int_t far[] = {INT64_MAX, (json_int_t)1 << 62, (json_int_t)1 << 32, -1};
    const json_int_t was = json_integer_value(json_object_get(o, key));
    json_object_set_new(o, key, json_integer(v[0] & 0x80 ? far[v[0] & 3] : v[0] & 0x40 ? (json_int_t)((uint64_t)was + (uint64_t)(int8_t)v[1]) : v[1]));
}

static void change_text(json_t *o, const char *key, const uint8_t v[3])
{
    static const char *const words[] = {"sealed", "placed", "sent", "acked", "confirmed", "received", "applied", "refused", "held", "waiting", OURS, THEIRS, ITEM, OTHER, CASE, "", "internet", "intranet"};
    char text[80];
    snprintf(text, sizeof text, "%s", json_is_string(json_object_get(o, key)) ? json_string_value(json_object_get(o, key)) : "");
    if (v[0] & 0x80)
        snprintf(text, sizeof text, "%s", words[v[1] % (sizeof words / sizeof *words)]);
    else if (*text)
        text[v[1] % strlen(text)] = (char)(v[2] & 0x7f ? v[2] & 0x7f : 'x');
    json_object_set_new(o, key, json_string(text));
}

static void change_path(json_t *o, const uint8_t v[3])
{
    json_t *path = json_object_get(o, "path"), *other = path_of(v[1] % ENTRIES + 1, v[2] % ENTRIES >= v[1] % ENTRIES ? v[2] % ENTRIES + 1 : ENTRIES);
    const size_t n = json_array_size(path);
    if ((v[0] & 3) == 0)
        json_object_set(o, "path", other);
    else if ((v[0] & 3) == 1 && n)
        json_array_remove(path, v[1] % n);
    else if ((v[0] & 3) == 2 && n)
        json_array_insert(path, v[1] % n, json_array_get(path, v[2] % n));
    else
        json_array_append_new(path, hex(&honest[v[1] % ENTRIES + 1].own));
    json_decref(other);
}

/* Chain each entry to the one before it anew, as who rewrites a journal would. */
static void chain(json_t *entries)
{
    struct hash256 before = {0};
    uint64_t last = 0;
    size_t i;
    json_t *o;
    json_array_foreach(entries, i, o) {
        struct journal_entry x = {.seq = (uint64_t)json_integer_value(json_object_get(o, "seq")), .at_ms = json_integer_value(json_object_get(o, "at_ms")),
                                  .number = (uint64_t)json_integer_value(json_object_get(o, "number"))};
#define COPY(to, key) snprintf(to, sizeof to, "%s", json_is_string(json_object_get(o, key)) ? json_string_value(json_object_get(o, key)) : "")
        COPY(x.what, "what"), COPY(x.incarnation, "incarnation"), COPY(x.item, "item"), COPY(x.kind, "kind"), COPY(x.case_no, "case"), COPY(x.hash, "hash");
        if (x.seq == last + 1)
            json_object_set_new(o, "prev", hex(&before));
        if (!json_is_string(json_object_get(o, "prev")) || hash_parse(&x.prev, json_string_value(json_object_get(o, "prev"))) < 0)
            return;
        journal_hash(&x.own, &x);
        before = x.own;
        last = x.seq;
    }
}

static void change(json_t *f, const uint8_t c[6])
{
    static const char *const numbers[] = {"seq", "at_ms", "number", "beat"}, *const texts[] = {"what", "incarnation", "item", "kind", "case", "hash", "prev"};
    static const char *const top[] = {"side", "peer", "case", "head", "key", "format"}, *const top_numbers[] = {"at_ms", "size"};
    json_t *entries = json_object_get(f, "entries"), *beats = json_object_get(f, "beats");
    const size_t n = json_array_size(entries), nb = json_array_size(beats);
    json_t *o = n ? json_array_get(entries, c[1] % n) : NULL;
    const uint8_t *v = c + 3;
    switch (c[0] % 12) {
    case 0: if (o) change_number(o, numbers[c[2] % 4], v); break;
    case 1: if (o) change_text(o, texts[c[2] % 7], v); break;
    case 2: if (o) change_path(o, v); break;
    case 3: if (o) json_array_remove(entries, c[1] % n); break;
    case 4: if (o && n < 20) json_array_insert_new(entries, c[2] % (n + 1), json_deep_copy(o)); break;
    case 5: chain(entries); break;
    case 6: change_text(f, top[c[2] % 6], v); break;
    case 7: change_number(f, top_numbers[c[2] % 2], v); break;
    case 8: if (nb) json_array_remove(beats, c[1] % nb); break;
    case 9: if (nb && nb < 5) json_array_insert(beats, c[2] % (nb + 1), json_array_get(beats, c[1] % nb)); break;
    case 10: if (nb < 5) json_array_append_new(beats, json_string(forged)); break;
    case 11: if (o) json_object_del(o, c[2] & 1 ? texts[v[0] % 7] : numbers[v[0] % 4]); break;
    }
}

/* --- judging --- */

struct heard { const struct journal_entry *vouched[40]; size_t n, failed; };

static void hear(void *arg, const struct evidence_step *s)
{
    struct heard *h = arg;
    assert(s->verdict == EVIDENCE_HOLDS || s->want[0]);
    h->failed += s->verdict == EVIDENCE_FAILS;
    if (s->entry && s->vouched_ms && h->n < 40)
        h->vouched[h->n++] = s->entry;
}

static bool same(const struct journal_entry *a, const struct journal_entry *b)
{
    return a->seq == b->seq && a->at_ms == b->at_ms && a->number == b->number && strcmp(a->what, b->what) == 0 && strcmp(a->incarnation, b->incarnation) == 0 &&
           strcmp(a->item, b->item) == 0 && strcmp(a->kind, b->kind) == 0 && strcmp(a->case_no, b->case_no) == 0 && strcmp(a->hash, b->hash) == 0 && hash_equal(&a->prev, &b->prev);
}

static void judge(struct bytes text, bool changed)
{
    const struct key_public *keys[] = {keys_public(own), keys_public(peer)};
    struct evidence v;
    struct err e = {0};
    struct heard h = {.n = 0};
    if (evidence_read(&v, text, &e) < 0) {
        assert(changed && e.code == ERR_INPUT && e.msg[0] && !v.entries && !v.beats);
        return;
    }
    assert(evidence_check(&v, keys, 2, hear, &h) == h.failed && (changed || h.failed == 0));
    assert(changed || h.n == 8);
    for (size_t i = 0; h.failed == 0 && i < h.n; i++)
        assert(h.vouched[i]->seq >= 1 && h.vouched[i]->seq <= ENTRIES && same(h.vouched[i], &honest[h.vouched[i]->seq]));
    evidence_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t sig[64];
    char text[129];
    setup();
    json_t *f = json_deep_copy(file);
    for (size_t i = 0; i + 6 <= size && i < 48; i += 6)
        change(f, data + i);
    char *body = json_dumps(f, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    assert(body);
    sign_bytes(sig, "hz-evidence-1", bytes_of(body), own);
    hex_put(text, sig, sizeof sig);
    json_object_set_new(f, "signature", json_string(text));
    free(body);
    body = json_dumps(f, JSON_COMPACT);
    judge(bytes_of(body), size >= 6);
    free(body);
    json_decref(f);
    return 0;
}
