/* fuzz_journal.c - evidence files and lists of the day as somebody else made them. The first byte picks:
 *   'e' the rest is an evidence file     'r' the rest is the text of a list: parser, schema and the reader of rows
 *   'p' the rest is sizes, a leaf and hashes for the tree's checks
 * What must hold: no crash; a refusal has a code and a sentence; an unsigned evidence file never holds; a path that fits no tree is no proof. */
#include <assert.h>
#include <sodium.h>

#include "common/parser/document.c"
#include "common/record.h"
#include "ferry/lib/evidence.h"
#include "tests/fuzz/replay.h"

static struct key_pair *own, *peer;

/* In place of the child: the same code, called at once. */
int child_call(struct child_pool *p, struct bytes request, struct buf *answer, struct err *e)
{
    struct cursor c = {.in = request};
    char xsd[64] = "";
    (void)p;
    cur_u8(&c);
    struct bytes name = cur_take(&c, cur_u16(&c));
    assert(name.n < sizeof xsd);
    memcpy(xsd, name.p, name.n);
    return document_flatten(answer, xsd, cur_take(&c, request.n - c.at), e);
}

static void setup(void)
{
    struct err e = {0};
    if (own)
        return;
    if (sodium_init() < 0 || keys_generate(&own, "internet", &e) < 0 || keys_generate(&peer, "intranet", &e) < 0 || document_setup("schemas/xsd", &e) < 0)
        abort();
}

static void count(void *arg, const struct evidence_step *s)
{
    size_t *failed = arg;
    assert(s->verdict == EVIDENCE_HOLDS || s->want[0]);
    *failed += s->verdict == EVIDENCE_FAILS;
}

static void evidence(struct bytes file)
{
    const struct key_public *keys[] = {keys_public(own), keys_public(peer)};
    struct evidence v;
    struct err e = {0};
    size_t failed = 0;
    if (evidence_read(&v, file, &e) < 0) {
        assert(e.code == ERR_INPUT && e.msg[0] && !v.entries && !v.beats);
        return;
    }
    assert(evidence_check(&v, keys, 2, count, &failed) == failed && failed > 0);      /* nobody signed it */
    evidence_cross(&v, &v, count, &failed);
    evidence_free(&v);
}

static void list(struct bytes text)
{
    struct record r;
    struct err e = {0};
    if (record_parse(&r, NULL, 'R', "reconciliation", text, &e) < 0) {
        assert(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    for (const struct rec_node *n = r.root->child; n; n = n->next) {
        assert(strlen(rec_attr(n, "hash")) == 64 && strlen(rec_attr(n, "word")) <= 11);
        assert(strcmp(n->name, "file") == 0 ? rec_attr_int(n, "number", 1, 999999999999) > 0 : id_valid(rec_attr(n, "id")));
    }
    record_free(&r);
}

static void tree(struct bytes in)
{
    struct cursor c = {.in = in};
    struct hash256 h[TREE_MOST + 2] = {0};
    uint64_t a = cur_u64(&c), b = cur_u64(&c);
    size_t n = 0;
    while (n < TREE_MOST && in.n - c.at >= sizeof h[0].b)
        memcpy(h[n++].b, cur_take(&c, sizeof h[0].b).p, sizeof h[0].b);
    if (c.bad || n < 2)
        return;
    /* Whatever bytes: they are no hashes of each other. */
    assert(!(tree_path_holds(&h[0], a, b, h + 2, n - 2, &h[1]) && b > 1));
    assert(!(tree_proof_holds(a, &h[0], b, &h[1], h + 2, n - 2) && a != b && b > 1 && n > 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    setup();
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    switch (data[0]) {
    case 'e': evidence(rest); break;
    case 'r': list(rest); break;
    case 'p': tree(rest); break;
    }
    return 0;
}
