/* evidence_read.c - the form of an evidence file, and what a signed beat says. Believes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/evidence.h"

static int wrong(struct err *e, const char *what)
{
    return err_set(e, ERR_INPUT, "evidence: %s: missing or not of its form", what);
}

/* Text of at most cap - 1 printable characters; the entry's hash is over lines of such. */
static int take_text(char *out, size_t cap, const json_t *o, const char *key, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    const char *s = json_string_value(v);
    size_t n = json_string_length(v);
    if (!s || n >= cap)
        return wrong(e, key);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] <= 0x20 || (unsigned char)s[i] >= 0x7f)
            return wrong(e, key);
    memcpy(out, s, n + 1);
    return 0;
}

static int take_number(uint64_t *out, const json_t *o, const char *key, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return wrong(e, key);
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

static int take_hash(struct hash256 *out, const json_t *v, const char *what, struct err *e)
{
    const char *s = json_string_value(v);
    return s && json_string_length(v) == 64 && hash_parse(out, s) == 0 ? 0 : wrong(e, what);
}

static int take_entry(struct evidence_entry *out, const json_t *o, size_t nbeats, struct err *e)
{
    const json_t *path = json_object_get(o, "path"), *beat = json_object_get(o, "beat");
    struct journal_entry *x = &out->x;
    uint64_t at = 0;
    if (take_number(&x->seq, o, "seq", e) < 0 || take_number(&at, o, "at_ms", e) < 0 || take_text(x->what, sizeof x->what, o, "what", e) < 0 ||
        take_text(x->incarnation, sizeof x->incarnation, o, "incarnation", e) < 0 || take_number(&x->number, o, "number", e) < 0 ||
        take_text(x->item, sizeof x->item, o, "item", e) < 0 || take_text(x->kind, sizeof x->kind, o, "kind", e) < 0 ||
        take_text(x->case_no, sizeof x->case_no, o, "case", e) < 0 || take_text(x->hash, sizeof x->hash, o, "hash", e) < 0 ||
        take_hash(&x->prev, json_object_get(o, "prev"), "prev", e) < 0)
        return -1;
    x->at_ms = (int64_t)at;
    if (!json_is_integer(beat) || json_integer_value(beat) < -1 || json_integer_value(beat) >= (json_int_t)nbeats)
        return wrong(e, "beat");
    out->beat = (int)json_integer_value(beat);
    if (!json_is_array(path) || json_array_size(path) > TREE_MOST)
        return wrong(e, "path");
    for (out->npath = 0; out->npath < json_array_size(path); out->npath++)
        if (take_hash(&out->path[out->npath], json_array_get(path, out->npath), "path", e) < 0)
            return -1;
    journal_hash(&x->own, x);
    return 0;
}

/* An attribute of the tag that begins at `tag`. Our writer's form is fixed, and the signature is over these bytes. */
static bool attr(char *out, size_t cap, const char *tag, const char *name)
{
    char want[32];
    size_t n = (size_t)snprintf(want, sizeof want, " %s=\"", name);
    const char *end = strchr(tag, '>'), *at = strstr(tag, want);
    *out = 0;
    if (!end || !at || at > end)
        return false;
    at += n;
    const char *stop = strchr(at, '"');
    if (!stop || stop > end || (size_t)(stop - at) >= cap)
        return false;
    memcpy(out, at, (size_t)(stop - at));
    out[stop - at] = 0;
    return true;
}

static uint64_t attr_number(const char *tag, const char *name)
{
    char text[24];
    uint64_t v = 0;
    struct err e = {0};
    return attr(text, sizeof text, tag, name) && parse_u64(text, 0, UINT64_MAX / 4, &v, name, &e) == 0 ? v : 0;
}

static int read_signed_beat(struct evidence_beat *b, struct err *e)
{
    const char *text = buf_text(&b->file), *envelope = strstr(text, "<Envelope "), *beat = strstr(text, "<Beat ");
    char kind[8], at[24];
    if (strlen(text) != b->file.n || !envelope || !beat || beat < envelope || !attr(kind, sizeof kind, envelope, "kind") || strcmp(kind, "beat") != 0 ||
        !attr(b->from, sizeof b->from, envelope, "from") || !attr(b->to, sizeof b->to, envelope, "to") || !attr(b->incarnation, sizeof b->incarnation, envelope, "incarnation") ||
        !attr(at, sizeof at, envelope, "created") || clock_parse_rfc3339(&b->at_ms, at, e) < 0)
        return wrong(e, "beats");
    attr(b->ack, sizeof b->ack, beat, "ack");
    attr(b->head, sizeof b->head, beat, "head");
    attr(b->known_head, sizeof b->known_head, beat, "known-head");
    b->contiguous = attr_number(beat, "contiguous");
    b->journal = attr_number(beat, "journal");
    b->known = attr_number(beat, "known");
    for (const char *r = strstr(beat, "<Range "); r && b->nranges < ENVELOPE_RANGES; r = strstr(r + 1, "<Range "))
        b->ranges[b->nranges++] = (struct beat_range){attr_number(r, "from"), attr_number(r, "to")};
    return 0;
}

static int take_beat(struct evidence_beat *out, const json_t *v, struct err *e)
{
    const char *s = json_string_value(v);
    buf_init(&out->file, ENVELOPE_MAX);
    if (!s || base64_get(&out->file, (struct bytes){(const uint8_t *)s, json_string_length(v)}) < 0 || buf_done(&out->file, "beat", e) < 0)
        return wrong(e, "beats");
    return read_signed_beat(out, e);
}

static int take_lists(struct evidence *v, const json_t *o, struct err *e)
{
    const json_t *beats = json_object_get(o, "beats"), *entries = json_object_get(o, "entries");
    size_t nbeats = json_array_size(beats), nentries = json_array_size(entries);
    if (!json_is_array(beats) || !json_is_array(entries) || nentries < 1 || nentries > EVIDENCE_ENTRIES || nbeats > EVIDENCE_ENTRIES)
        return wrong(e, "beats or entries");
    v->beats = calloc(nbeats + 1, sizeof *v->beats);
    v->entries = calloc(nentries, sizeof *v->entries);
    if (!v->beats || !v->entries)
        return err_set(e, ERR_FULL, "evidence: no memory");
    for (; v->nbeats < nbeats; v->nbeats++)
        if (take_beat(&v->beats[v->nbeats], json_array_get(beats, v->nbeats), e) < 0) {
            buf_clear(&v->beats[v->nbeats].file);
            return -1;
        }
    for (; v->nentries < nentries; v->nentries++)
        if (take_entry(&v->entries[v->nentries], json_array_get(entries, v->nentries), nbeats, e) < 0)
            return -1;
    return 0;
}

static int take_all(struct evidence *v, json_t *o, struct err *e)
{
    char format[20], signature[129];
    uint64_t at = 0;
    if (take_text(format, sizeof format, o, "format", e) < 0 || strcmp(format, "hz-evidence-1") != 0)
        return err_set(e, ERR_INPUT, "evidence: format: want hz-evidence-1");
    if (take_text(v->side, sizeof v->side, o, "side", e) < 0 || take_text(v->peer, sizeof v->peer, o, "peer", e) < 0 || take_text(v->case_no, sizeof v->case_no, o, "case", e) < 0 ||
        take_text(v->key, sizeof v->key, o, "key", e) < 0 || take_number(&at, o, "at_ms", e) < 0 || take_number(&v->size, o, "size", e) < 0 ||
        take_hash(&v->head, json_object_get(o, "head"), "head", e) < 0 || take_text(signature, sizeof signature, o, "signature", e) < 0)
        return -1;
    if (strlen(signature) != 128 || hex_get(v->signature, sizeof v->signature, signature) < 0)
        return wrong(e, "signature");
    v->at_ms = (int64_t)at;
    if (take_lists(v, o, e) < 0)
        return -1;
    json_object_del(o, "signature");
    char *body = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    if (!body)
        return err_set(e, ERR_FULL, "evidence: no memory");
    buf_str(&v->body, body);
    free(body);
    return buf_done(&v->body, "evidence", e);
}

int evidence_read(struct evidence *out, struct bytes file, struct err *e)
{
    json_error_t why;
    *out = (struct evidence){.nbeats = 0};
    buf_init(&out->body, EVIDENCE_BYTES + 1);
    if (file.n == 0 || file.n > EVIDENCE_BYTES)
        return err_set(e, ERR_INPUT, "evidence: want 1 to %zu bytes, have %zu", EVIDENCE_BYTES, file.n);
    json_t *o = json_loadb((const char *)file.p, file.n, JSON_REJECT_DUPLICATES, &why);
    if (!o)
        return err_set(e, ERR_INPUT, "evidence: line %d: %.100s", why.line, why.text);
    int rc = take_all(out, o, e);
    json_decref(o);
    if (rc < 0)
        evidence_free(out);
    return rc;
}

void evidence_free(struct evidence *v)
{
    for (size_t i = 0; i < v->nbeats; i++)
        buf_clear(&v->beats[i].file);
    free(v->beats);
    free(v->entries);
    buf_clear(&v->body);
    *v = (struct evidence){.nbeats = 0};
}
