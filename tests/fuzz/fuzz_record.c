/* fuzz_record.c - both halves of reading a record. The first byte picks: 'x' the rest is XML for the parser child's code, whose answer the
 * decoder must accept; 'f' the rest is a flat answer of a parser that lies.
 * What must hold: no crash, no read outside, every refusal has a sentence, a decoded tree is within its bounds. */
#include <assert.h>

#define depth document_depth         /* both files in one unit, for their static parts */
#include "common/parser/document.c"
#undef depth
#undef DEPTH_MAX
#undef ATTRS_MAX
#include "common/record.c"
#include "tests/fuzz/replay.h"

static void walk(const struct rec_node *n, int level)
{
    assert(!n || level <= DEPTH_MAX);
    for (; n; n = n->next) {
        assert(strlen(n->text) <= n->text_len);
        for (size_t i = 0; i < n->nattrs; i++)
            assert(n->attrs[i].name && n->attrs[i].value);
        for (const struct rec_node *c = n->child; c; c = c->next)
            assert(c->parent == n);
        walk(n->child, level + 1);
    }
}

static void setup(void)
{
    struct err e = {0};
    if (nschemas == 0 && document_setup("schemas/xsd", &e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        abort();
    }
}

static void read_flat(struct bytes flat, bool honest)
{
    struct record r = {0};
    struct err e = {0};
    if (decode(&r, flat, &e) == 0)
        walk(r.root, 1);
    else
        assert(!honest && e.code == ERR_HELD && e.msg[0]);
    record_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"status", "application", "configuration"};
    struct err e = {0};
    setup();
    if (size && data[0] == 'f')
        read_flat((struct bytes){data + 1, size - 1}, false);
    for (size_t i = 0; size && data[0] == 'x' && i < 3; i++) {
        struct buf flat;
        buf_init(&flat, 0);
        err_clear(&e);
        if (document_flatten(&flat, kinds[i], (struct bytes){data + 1, size - 1}, &e) == 0)
            read_flat(buf_bytes(&flat), true);
        else
            assert(e.code != ERR_NONE && e.msg[0]);
        buf_clear(&flat);
    }
    return 0;
}
