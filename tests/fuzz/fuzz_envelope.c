/* fuzz_envelope.c - a file as the gateway gives it. The first byte picks:
 *   'v' the rest is a file for the trailer check     'x' the rest is a file's text behind a good signature, for parser and reader
 *   's' the rest is a body: signed it verifies, with any byte changed, added or lost it does not
 * What must hold: no crash, a refusal has a code and a sentence, what is accepted is what its header says. */
#include <assert.h>
#include <sodium.h>

#include "common/parser/document.c"
#include "ferry/lib/envelope.c"
#include "tests/fuzz/replay.h"

static struct key_pair *peer;

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

static uint8_t next_byte(void)
{
    static uint64_t x = 88172645463325252ull;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint8_t)(x >> 32);
}
static const char *fixed_name(void) { return "fixed"; }
static uint32_t fixed_random(void) { return (uint32_t)next_byte() << 24 | (uint32_t)next_byte() << 16 | (uint32_t)next_byte() << 8 | next_byte(); }
static void fixed_buf(void *p, size_t n)
{
    for (uint8_t *b = p; n; n--)
        *b++ = next_byte();
}

static void setup(void)
{
    static struct randombytes_implementation fixed = {.implementation_name = fixed_name, .random = fixed_random, .buf = fixed_buf};
    struct err e = {0};
    if (peer)
        return;
    randombytes_set_implementation(&fixed);
    if (sodium_init() < 0 || keys_generate(&peer, "internet", &e) < 0 || document_setup("schemas/xsd", &e) < 0)
        abort();
}

static int verify(struct bytes file, struct err *e)
{
    const struct key_public *keys[] = {keys_public(peer)};
    int rc = envelope_verify(file, keys, 1, NULL, e);
    assert(rc == 0 || ((e->code == ERR_CORRUPT || e->code == ERR_HELD) && e->msg[0]));
    return rc;
}

static void read_text(struct bytes file)
{
    struct envelope v;
    struct err e = {0};
    if (envelope_read(&v, file, NULL, &e) < 0) {
        assert(e.code != ERR_NONE && e.code != ERR_INTERNAL && e.msg[0]);
        assert(!v.items && v.nitems == 0);
        return;
    }
    size_t total = 0;
    for (size_t i = 0; i < v.nitems; i++) {
        assert(id_valid(v.items[i].id.s) && v.items[i].kind[0]);
        assert(v.items[i].sealed.p == v.bytes.p + total);
        total += v.items[i].sealed.n;
    }
    assert(total == v.bytes.n && (v.head.kind != ENVELOPE_BEAT || v.nitems == 0));
    for (size_t i = 0; i < v.beat.nranges; i++)
        assert(v.beat.ranges[i].from <= v.beat.ranges[i].to && v.beat.ranges[i].from > v.beat.contiguous);
    envelope_free(&v);
}

static void signed_body(struct bytes body)
{
    struct buf file;
    struct err e = {0};
    if (body.n == 0)
        return;
    buf_init(&file, 0);
    buf_put(&file, body.p, body.n);
    assert(sign_it(&file, peer, &e) == 0 && file.n == body.n + ENVELOPE_TRAILER && verify(buf_bytes(&file), &e) == 0);
    size_t at = (body.p[0] * 256u + body.p[body.n - 1]) * file.n / 65536;
    file.p[at] ^= (uint8_t)(1 + body.n % 255);
    assert(verify(buf_bytes(&file), &e) < 0);
    file.p[at] ^= (uint8_t)(1 + body.n % 255);
    err_clear(&e);
    assert(verify((struct bytes){file.p + 1, file.n - 1}, &e) < 0);
    err_clear(&e);
    buf_u8(&file, '\n');
    assert(verify(buf_bytes(&file), &e) < 0);
    buf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    setup();
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    switch (data[0]) {
    case 'v': verify(rest, &e); break;
    case 'x': read_text(rest); break;
    case 's': signed_body(rest); break;
    }
    return 0;
}
