/* fuzz_seal.c - what comes out of an envelope and goes to seal_open. The first byte picks:
 *   'o' the rest is a sealed item        'm' the rest is a manifest
 *   'p' the rest is a decrypted item, whose manifest the harness signs: what a peer gone mad could send
 *   'k' the rest is a public key file    's' the rest is content to be sealed, opened, and opened changed
 *   'O' 'P' 'S' the same under keys of suite 2
 * What must hold: no crash, a refusal has a code and a sentence and gives no content, what is accepted says the truth about itself. */
#include <assert.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/seal.c"
#include "tests/fuzz/replay.h"

static struct key_pair *us, *peer, *of[3][2];     /* of the suite that is asked for; of each */

/* The same keys in every run, so that a corpus of sealed items stays valid. */
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

static struct key_pair *load(const char *name)
{
    char from[300], path[64];
    struct key_pair *k = NULL;
    struct buf text;
    struct err e = {0};
    int fd = memfd_create("key", MFD_CLOEXEC);
    buf_init(&text, 4096);
    snprintf(from, sizeof from, "tests/fixtures/suite2/%s", name);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (file_read_path(&text, from, 4000, &e) < 0 || fd < 0 || fchmod(fd, 0600) < 0 || write(fd, text.p, text.n) != (ssize_t)text.n || keys_load(&k, path, &e) < 0)
        abort();
    buf_wipe(&text);
    close(fd);
    return k;
}

static void setup(void)
{
    static struct randombytes_implementation fixed = {.implementation_name = fixed_name, .random = fixed_random, .buf = fixed_buf};
    struct err e = {0};
    if (of[1][0])
        return;
    randombytes_set_implementation(&fixed);
    if (sodium_init() < 0 || keys_generate(&of[1][0], "intranet", &e) < 0 || keys_generate(&of[1][1], "internet", &e) < 0)
        abort();
    of[2][0] = load("intranet.key");
    of[2][1] = load("internet.key");
}

static void open_raw(struct bytes sealed)
{
    struct manifest m;
    struct buf content;
    struct hash256 h;
    struct err e = {0};
    buf_init(&content, 0);
    if (seal_open(&m, &content, sealed, us, keys_public(peer), &e) == 0) {
        suite_find(keys_public(peer)->suite, &e)->hash(&h, buf_bytes(&content));
        assert(m.size == content.n && hash_equal(&h, &m.hash) && strcmp(m.sender, "internet") == 0 && strcmp(m.recipient, "intranet") == 0);
    } else {
        assert((e.code == ERR_CORRUPT || e.code == ERR_HELD) && e.msg[0] && content.n == 0);
    }
    buf_wipe(&content);
}

static void manifest(struct bytes text)
{
    struct manifest m, again;
    struct hash256 key, same;
    struct buf out;
    struct err e = {0};
    if (read_manifest(&m, &key, text, &e) < 0) {
        assert(e.code == ERR_CORRUPT && e.msg[0]);
        return;
    }
    buf_init(&out, MANIFEST_CAP);
    assert(id_valid(m.id.s) && m.protocol && write_manifest(&out, &m, &key, &e) == 0);
    assert(read_manifest(&again, &same, buf_bytes(&out), &e) == 0 && memcmp(&m, &again, sizeof m) == 0 && hash_equal(&key, &same));
    buf_clear(&out);
}

/* u32 length, manifest, room for the signature, content. */
static void plain(struct bytes in)
{
    static const uint8_t key[32] = {1, 2, 3};
    struct manifest m;
    struct buf content, copy;
    struct err e = {0};
    buf_init(&content, 0);
    buf_init(&copy, 0);
    buf_put(&copy, in.p, in.n);
    struct cursor c = {.in = buf_bytes(&copy)};
    struct bytes text = cur_take(&c, cur_u32(&c));
    if (!c.bad && copy.n - c.at >= 64)
        sign_bytes(copy.p + c.at, "hz-manifest-1", text, peer);
    struct opening o = {.first = copy, .content = &content, .plain = in.n};
    split_first(&o);
    assert(o.cut || o.text.n + o.sig.n + content.n + 4 == in.n);
    if (check_plain(&m, &o, key, us, keys_public(peer), &e) == 0)
        assert(m.size == content.n);
    else
        assert(e.code == ERR_CORRUPT && e.msg[0]);
    buf_clear(&content);
    buf_clear(&copy);
}

static void key_file(struct bytes text)
{
    char path[64];
    struct key_public k;
    struct err e = {0};
    int fd = memfd_create("key", MFD_CLOEXEC);
    assert(fd >= 0 && (text.n == 0 || write(fd, text.p, text.n) == (ssize_t)text.n));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (keys_load_public(&k, path, &e) == 0)
        assert(k.name[0] && strlen(k.name) < sizeof k.name);
    else
        assert((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE || e.code == ERR_HELD) && e.msg[0]);
    close(fd);
}

static void round_trip(struct bytes content)
{
    struct manifest m = {.kind = "slice", .protocol = 1, .id = {"0123456789abcdef0123456789abcdef"}}, back;
    struct buf sealed, out;
    struct err e = {0};
    buf_init(&sealed, 0);
    buf_init(&out, 0);
    assert(seal_item(&sealed, &m, content, peer, keys_public(us), &e) == 0);
    assert(seal_open(&back, &out, buf_bytes(&sealed), us, keys_public(peer), &e) == 0 && bytes_equal(buf_bytes(&out), content));
    size_t at = content.n ? content.p[0] * sealed.n / 256 : sealed.n / 2;
    sealed.p[at] ^= 0x40;
    buf_wipe(&out);
    assert(seal_open(&back, &out, buf_bytes(&sealed), us, keys_public(peer), &e) < 0 && out.n == 0);
    buf_clear(&sealed);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    setup();
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    const int suite = data[0] == 'O' || data[0] == 'P' || data[0] == 'S' ? 2 : 1;
    us = of[suite][0];
    peer = of[suite][1];
    switch (data[0]) {
    case 'o': case 'O': open_raw(rest); break;
    case 'm': manifest(rest); break;
    case 'p': case 'P': plain(rest); break;
    case 'k': key_file(rest); break;
    case 's': case 'S': round_trip(rest); break;
    }
    return 0;
}
