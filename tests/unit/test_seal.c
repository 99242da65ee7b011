#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/seal.h"
#include "tests/unit/scratch.h"

/* Two sides, a stranger of the same name as one of them, and items between them. Every test runs in each suite. */
struct keys { struct scratch s; unsigned suite; struct key_pair *internet, *intranet, *stranger; };

/* Of a sealed item: where the chunks begin, and how long a whole one is. */
static const struct { size_t head, chunk, private, public; } shape[] = {{0}, {4 + 16 + 80 + 24, 65536 + 17, 64, 32}, {4 + 16 + 128 + 16, 65536 + 32, 32, 64}};

static int setup(void **state)
{
    struct keys *k = calloc(1, sizeof *k);
    struct err e = {0};
    scratch_open(&k->s);
    k->suite = *(const unsigned *)*state;
    *state = k;
    return keys_generate_in(&k->internet, "internet", k->suite, &e) < 0 || keys_generate_in(&k->intranet, "intranet", k->suite, &e) < 0 ||
           keys_generate_in(&k->stranger, "internet", k->suite, &e) < 0;
}

static int teardown(void **state)
{
    struct keys *k = *state;
    keys_free(k->internet);
    keys_free(k->intranet);
    keys_free(k->stranger);
    scratch_close(&k->s);
    free(k);
    return 0;
}

static struct manifest manifest_of(const char *kind)
{
    struct manifest m = {.config_version = 7, .protocol = 1};
    snprintf(m.kind, sizeof m.kind, "%s", kind);
    id_random(&m.id);
    return m;
}

static void fill(struct buf *b, size_t n)
{
    buf_init(b, n + 1);
    for (size_t i = 0; i < n; i++)
        buf_u8(b, (uint8_t)(i * 131 >> 3));
}

static void seal(struct buf *out, struct manifest *m, struct bytes content, const struct key_pair *from, const struct key_pair *to)
{
    struct err e = {0};
    buf_init(out, 0);
    if (seal_item(out, m, content, from, keys_public(to), &e) < 0)
        fail_msg("seal_item: %s", e.msg);
}

static int open_with(struct manifest *m, struct bytes sealed, const struct key_pair *who, const struct key_pair *from, struct err *e)
{
    struct buf content;
    buf_init(&content, 0);
    int rc = seal_open(m, &content, sealed, who, keys_public(from), e);
    if (rc < 0)
        assert_int_equal(content.n, 0);          /* a refusal gives away nothing */
    buf_wipe(&content);
    return rc;
}

/* FRY-08: content of every length around the chunk boundaries comes out as it went in, with its manifest. */
static void test_item_comes_out_as_it_went_in(void **state)
{
    struct keys *k = *state;
    static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 131072 - 400, 131072, 131073, 524288, 4 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf content, sealed, out;
        struct manifest m = manifest_of("application"), back;
        struct err e = {0};
        fill(&content, sizes[i]);
        seal(&sealed, &m, buf_bytes(&content), k->internet, k->intranet);
        buf_init(&out, 0);
        assert_int_equal(seal_open(&back, &out, buf_bytes(&sealed), k->intranet, keys_public(k->internet), &e), 0);
        assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&content)));
        assert_string_equal(back.sender, "internet");
        assert_string_equal(back.recipient, "intranet");
        assert_string_equal(back.kind, "application");
        assert_string_equal(back.id.s, m.id.s);
        assert_true(back.size == sizes[i] && back.config_version == 7 && back.protocol == 1 && hash_equal(&back.hash, &m.hash));
        buf_clear(&content);
        buf_clear(&sealed);
        buf_clear(&out);
    }
}

/* Sealing twice gives different bytes: equal applications do not show as equal. */
static void test_sealing_is_randomised(void **state)
{
    struct keys *k = *state;
    struct buf a, b;
    struct manifest m = manifest_of("status");
    seal(&a, &m, bytes_of("the same"), k->internet, k->intranet);
    seal(&b, &m, bytes_of("the same"), k->internet, k->intranet);
    assert_int_equal(a.n, b.n);
    assert_memory_not_equal(a.p + 20, b.p + 20, a.n - 20);
    buf_clear(&a);
    buf_clear(&b);
}

/* FRY-08: nothing of the content stands readable in the sealed bytes. */
static void test_content_and_manifest_are_not_readable(void **state)
{
    struct keys *k = *state;
    struct buf sealed;
    struct manifest m = manifest_of("application");
    seal(&sealed, &m, bytes_of("张三 340799200001011234 13800000000"), k->internet, k->intranet);
    assert_null(memmem(sealed.p, sealed.n, "340799", 6));
    assert_null(memmem(sealed.p, sealed.n, "application", 11));
    assert_null(memmem(sealed.p, sealed.n, m.id.s, 32));
    buf_clear(&sealed);
}

/* IMP-04: cut at any length is refused. The bytes end at a page that cannot be read, so reading over the end would crash. */
static void test_every_truncation_is_refused(void **state)
{
    struct keys *k = *state;
    struct buf content, sealed;
    struct manifest m = manifest_of("slice");
    fill(&content, 1500);
    seal(&sealed, &m, buf_bytes(&content), k->internet, k->intranet);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), span = (sealed.n + page - 1) / page * page;
    uint8_t *guard = mmap(NULL, span + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(guard, MAP_FAILED);
    assert_int_equal(mprotect(guard + span, page, PROT_NONE), 0);
    for (size_t n = 0; n < sealed.n; n++) {
        struct manifest back;
        struct err e = {0};
        uint8_t *at = guard + span - n;
        memcpy(at, sealed.p, n);
        assert_error(open_with(&back, (struct bytes){at, n}, k->intranet, k->internet, &e), &e, ERR_CORRUPT, "sealed item");
    }
    munmap(guard, span + page);
    buf_clear(&content);
    buf_clear(&sealed);
}

/* Cut exactly at a chunk: what is left is intact chunks without the final tag. */
static void test_cut_at_a_chunk_is_refused(void **state)
{
    struct keys *k = *state;
    struct buf content, sealed;
    struct manifest m = manifest_of("slice"), back;
    struct err e = {0};
    fill(&content, 200000);
    seal(&sealed, &m, buf_bytes(&content), k->internet, k->intranet);
    const size_t head = shape[k->suite].head, chunk = shape[k->suite].chunk;
    for (size_t n = 0; n < 3; n++)
        assert_error(open_with(&back, (struct bytes){sealed.p, head + n * chunk}, k->intranet, k->internet, &e), &e, ERR_CORRUPT, "cut");
    buf_put(&sealed, "x", 1);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "sealed item");
    buf_clear(&content);
    buf_clear(&sealed);
}

/* Two chunks exchanged: each is authentic, their order is not. */
static void test_swapped_chunks_are_refused(void **state)
{
    struct keys *k = *state;
    struct buf content, sealed;
    struct manifest m = manifest_of("slice"), back;
    struct err e = {0};
    const size_t head = shape[k->suite].head, chunk = shape[k->suite].chunk;
    uint8_t *kept = malloc(chunk);
    fill(&content, 200000);
    seal(&sealed, &m, buf_bytes(&content), k->internet, k->intranet);
    memcpy(kept, sealed.p + head, chunk);
    memcpy(sealed.p + head, sealed.p + head + chunk, chunk);
    memcpy(sealed.p + head + chunk, kept, chunk);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "sealed item");
    free(kept);
    buf_clear(&content);
    buf_clear(&sealed);
}

/* FRY-14: every flipped bit is found; in suite or key id it reads as an unknown one, which is held and not refused. */
static void test_every_flipped_bit_is_found(void **state)
{
    struct keys *k = *state;
    struct buf sealed;
    struct manifest m = manifest_of("status");
    seal(&sealed, &m, bytes_of("<status/>"), k->internet, k->intranet);
    for (size_t i = 0; i < sealed.n * 8; i++) {
        struct manifest back;
        struct err e = {0};
        sealed.p[i / 8] ^= (uint8_t)(1u << i % 8);
        bool key_or_suite = i / 8 >= 3 && i / 8 < 20;
        assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, key_or_suite ? ERR_HELD : ERR_CORRUPT, "sealed item");
        sealed.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    buf_clear(&sealed);
}

/* Wrong recipient, wrong sender, and a stranger who claims the sender's key id. */
static void test_other_peoples_items(void **state)
{
    struct keys *k = *state;
    struct buf sealed;
    struct manifest m = manifest_of("status"), back;
    struct err e = {0};
    seal(&sealed, &m, bytes_of("x"), k->internet, k->intranet);
    assert_error(open_with(&back, buf_bytes(&sealed), k->stranger, k->internet, &e), &e, ERR_HELD, "key id");
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->stranger, &e), &e, ERR_HELD, "key id");
    buf_clear(&sealed);
    seal(&sealed, &m, bytes_of("x"), k->stranger, k->intranet);
    memcpy(sealed.p + 12, keys_public(k->internet)->id.b, 8);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "signature");
    buf_clear(&sealed);
}

/* An item for somebody else, wrapped again for us with its inner signature intact: the manifest names its recipient. */
static void test_rewrapped_item_is_refused(void **state)
{
    struct keys *k = *state;
    struct buf sealed;
    struct manifest m = manifest_of("status"), back;
    struct err e = {0};
    struct key_public lie = *keys_public(k->intranet);
    snprintf(lie.name, sizeof lie.name, "archive");          /* signed for "archive", wrapped for our key */
    buf_init(&sealed, 0);
    assert_int_equal(seal_item(&sealed, &m, bytes_of("x"), k->internet, &lie, &e), 0);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "manifest: want internet to intranet");
    buf_clear(&sealed);
}

/* Our own item sent back to us is not the peer's. */
static void test_reflected_item_is_refused(void **state)
{
    struct keys *k = *state;
    struct buf sealed;
    struct manifest m = manifest_of("status"), back;
    struct err e = {0};
    seal(&sealed, &m, bytes_of("x"), k->intranet, k->intranet);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_HELD, "key id");
    buf_clear(&sealed);
}

static void test_item_bounds(void **state)
{
    struct keys *k = *state;
    struct buf content, sealed;
    struct manifest m = manifest_of("slice"), none = {.protocol = 1};
    struct err e = {0};
    fill(&content, ((size_t)8 << 20) + 1);
    buf_init(&sealed, 0);
    assert_error(seal_item(&sealed, &m, buf_bytes(&content), k->internet, keys_public(k->intranet), &e), &e, ERR_TOO_LARGE, "at most 8388608 bytes");
    assert_error(seal_item(&sealed, &none, bytes_of("x"), k->internet, keys_public(k->intranet), &e), &e, ERR_INTERNAL, "id, kind and protocol");
    buf_clear(&content);
    buf_clear(&sealed);
}

/* A signature counts for one domain only, and for one body. */
static void test_signatures_are_domain_separated(void **state)
{
    struct keys *k = *state;
    uint8_t sig[64];
    struct err e = {0};
    sign_bytes(sig, "hz-envelope-1", bytes_of("body"), k->internet);
    assert_int_equal(sign_check(sig, "hz-envelope-1", bytes_of("body"), keys_public(k->internet), &e), 0);
    assert_error(sign_check(sig, "hz-manifest-1", bytes_of("body"), keys_public(k->internet), &e), &e, ERR_CORRUPT, "hz-manifest-1: signature is not internet's");
    assert_error(sign_check(sig, "hz-envelope-1", bytes_of("bodY"), keys_public(k->internet), &e), &e, ERR_CORRUPT, "signature");
    assert_error(sign_check(sig, "hz-envelope-1", bytes_of("body"), keys_public(k->stranger), &e), &e, ERR_CORRUPT, "signature");
    assert_error(sign_check(sig, "hz-envelope", (struct bytes){(const uint8_t *)"-1body", 6}, keys_public(k->internet), &e), &e, ERR_CORRUPT, "signature");
    /* Deterministic: the same file can be made again from its rows. */
    uint8_t again[64];
    sign_bytes(again, "hz-envelope-1", bytes_of("body"), k->internet);
    assert_memory_equal(sig, again, 64);
}

static void copy_fixture(struct keys *k, const char *name, struct buf *body)
{
    char path[300];
    struct err e = {0};
    snprintf(path, sizeof path, SOURCE_DIR "/tests/fixtures/suite%u/%s", k->suite, name);
    buf_init(body, 4096);
    if (file_read_path(body, path, 4000, &e) < 0)
        fail_msg("%s", e.msg);
    scratch_write(&k->s, name, buf_bytes(body));
    chmod(k->s.path, 0600);
}

/* What was sealed once opens for ever: keys and an item that lie in the tree, byte for byte. */
static void test_known_item_still_opens(void **state)
{
    struct keys *k = *state;
    struct key_pair *us;
    struct key_public peer;
    struct manifest m;
    struct buf text, sealed, content;
    struct err e = {0};
    copy_fixture(k, "intranet.key", &text);
    buf_clear(&text);
    assert_int_equal(keys_load(&us, scratch_path(&k->s, "intranet.key"), &e), 0);
    copy_fixture(k, "internet.pub", &text);
    buf_clear(&text);
    assert_int_equal(keys_load_public(&peer, scratch_path(&k->s, "internet.pub"), &e), 0);
    copy_fixture(k, "item.b64", &text);
    buf_init(&sealed, 0);
    buf_init(&content, 0);
    assert_int_equal(base64_get(&sealed, (struct bytes){text.p, text.n - 1}), 0);
    if (seal_open(&m, &content, buf_bytes(&sealed), us, &peer, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(buf_text(&content), "an item of the first day");
    assert_string_equal(m.id.s, "0123456789abcdef0123456789abcdef");
    keys_free(us);
    buf_clear(&text);
    buf_clear(&sealed);
    buf_clear(&content);
}

static void test_key_files_round_trip(void **state)
{
    struct keys *k = *state;
    struct key_pair *back;
    struct key_public pub;
    struct stat st;
    struct err e = {0};
    char priv[128];
    snprintf(priv, sizeof priv, "%s/a.key", k->s.dir);
    assert_int_equal(keys_save(k->internet, priv, scratch_path(&k->s, "a.pub"), &e), 0);
    assert_int_equal(stat(priv, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(k->s.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(keys_load(&back, priv, &e), 0);
    assert_int_equal(keys_load_public(&pub, k->s.path, &e), 0);
    assert_memory_equal(keys_public(back), keys_public(k->internet), sizeof pub);
    assert_memory_equal(&pub, keys_public(k->internet), sizeof pub);
    keys_free(back);
    assert_error(keys_save(k->intranet, priv, k->s.path, &e), &e, ERR_CONFLICT, "never overwritten");
    assert_int_equal(chmod(priv, 0640), 0);
    assert_error(keys_load(&back, priv, &e), &e, ERR_DENIED, "want mode 0600");
}

/* Key files that are none: code, and the file is named. */
static void test_broken_key_files_are_refused(void **state)
{
    struct keys *k = *state;
    static const char x64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct { const char *head, *name, *sign, *box, *tail; } bad[] = {
        {"hz-key 1 private", "internet", x64, x64, ""}, {"hz-key 1 public", "", x64, x64, ""},
        {"hz-key 1 public", "Internet", x64, x64, ""},  {"hz-key 1 public", "internet-side-x", x64, x64, ""}, {"hz-key 1 public", "abcdefghijklmnop", x64, x64, ""},
        {"hz-key 1 public", "internet", "", x64, ""},   {"hz-key 1 public", "internet", x64 + 2, x64, ""}, {"hz-key 1 public", "internet", x64, "zz", ""},
        {"hz-key 1 public", "internet", x64, x64, "more\n"}, {"", "internet", x64, x64, ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[400];
        struct key_public pub;
        struct err e = {0};
        snprintf(text, sizeof text, "%s\nname=%s\nsign=%s\nbox=%s\n%s", bad[i].head, bad[i].name, bad[i].sign, bad[i].box, bad[i].tail);
        scratch_write(&k->s, "bad.pub", bytes_of(text));
        assert_error(keys_load_public(&pub, k->s.path, &e), &e, ERR_INPUT, "bad.pub: want a key file");
    }
    struct key_public other;
    struct err held = {0};
    scratch_write(&k->s, "bad.pub", bytes_of("hz-key 3 public\nname=internet\nsign=00\nbox=00\n"));
    assert_error(keys_load_public(&other, k->s.path, &held), &held, ERR_HELD, "key of suite 3");
    struct key_public pub;
    struct err e = {0};
    assert_error(keys_load_public(&pub, scratch_path(&k->s, "none.pub"), &e), &e, ERR_MISSING, "none.pub");
    struct key_pair *p;
    assert_error(keys_generate(&p, "Internet", &e), &e, ERR_INPUT, "lower-case letters");
    assert_error(keys_generate(&p, "", &e), &e, ERR_INPUT, "lower-case letters");
    assert_error(keys_generate(&p, "../x", &e), &e, ERR_INPUT, "lower-case letters");
}

static void key_text(char out[600], unsigned suite, const char *kind, const char *sign, const char *box)
{
    snprintf(out, 600, "hz-key %u %s\nname=internet\nsign=%s\nbox=%s\n", suite, kind, sign, box);
}

/* SEC-04: a public key of suite 2 is two points of the curve, a private one two numbers that can be keys. */
static void test_broken_key_files_of_suite_2(void **state)
{
    struct keys *k = *state;
    static const char d[] = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8", n[] = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
                      point[] = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
                      beside[] = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad12";
    static const char zero[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const struct { const char *kind, *sign, *box, *words; } rows[] = {
        {"public", point, beside, "two points of the curve"}, {"public", beside, point, "two points of the curve"}, {"public", point, d, "want a key file"},
        {"public", point, "", "want a key file"}, {"private", d, n, "two numbers"}, {"private", zero, d, "two numbers"}, {"private", d, point, "want a key file"},
        {"private", d, "zz", "want a key file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[600];
        struct key_public pub;
        struct key_pair *pair;
        struct err e = {0};
        key_text(text, 2, rows[i].kind, rows[i].sign, rows[i].box);
        scratch_write(&k->s, "bad", bytes_of(text));
        chmod(k->s.path, 0600);
        assert_error(rows[i].kind[1] == 'u' ? keys_load_public(&pub, k->s.path, &e) : keys_load(&pair, k->s.path, &e), &e, ERR_INPUT, rows[i].words);
        assert_error(rows[i].kind[1] == 'u' ? keys_load_public(&pub, k->s.path, &e) : keys_load(&pair, k->s.path, &e), &e, ERR_INPUT, "/bad: ");
    }
}

/* SEC-04: the first line alone says the suite; the halves of the other do not fit it. */
static void test_key_of_one_suite_in_the_file_of_another(void **state)
{
    struct keys *k = *state;
    struct key_pair *pair;
    struct key_public pub;
    struct buf text;
    struct err e = {0};
    char priv[128];
    snprintf(priv, sizeof priv, "%s/a.key", k->s.dir);
    assert_int_equal(keys_save(k->internet, priv, scratch_path(&k->s, "a.pub"), &e), 0);
    const char *names[] = {"a.key", "a.pub"};
    for (int i = 0; i < 2; i++) {
        buf_init(&text, 4096);
        assert_int_equal(file_read_path(&text, scratch_path(&k->s, names[i]), 4000, &e), 0);
        assert_int_equal(text.p[7], '0' + k->suite);
        text.p[7] = (uint8_t)('0' + 3 - k->suite);
        scratch_write(&k->s, names[i], buf_bytes(&text));
        chmod(k->s.path, 0600);
        assert_error(i ? keys_load_public(&pub, k->s.path, &e) : keys_load(&pair, k->s.path, &e), &e, ERR_INPUT, "want a key file beginning");
        buf_wipe(&text);
    }
}

/* What a record carries: the length of the halves is the suite's, both of one. */
static void test_public_keys_from_hex(void **state)
{
    struct keys *k = *state;
    struct key_pair *other;
    struct key_public back;
    struct err e = {0};
    char sign[129], box[129], short_sign[65];
    assert_int_equal(keys_generate(&other, "internet", &e), 0);
    const struct key_public *p = keys_public(k->internet), *q = keys_public(other);
    hex_put(sign, p->sign_pk, keys_half(p));
    hex_put(box, p->box_pk, keys_half(p));
    hex_put(short_sign, q->sign_pk, keys_half(q));
    assert_int_equal(keys_public_of(&back, "internet", sign, box, &e), 0);
    assert_memory_equal(&back, p, sizeof back);
    assert_int_equal(back.suite, 2);
    assert_error(keys_public_of(&back, "internet", short_sign, box, &e), &e, ERR_INPUT, "two halves of 64 hex digits");
    assert_error(keys_public_of(&back, "internet", sign, short_sign, &e), &e, ERR_INPUT, "two halves of 128 hex digits");
    assert_error(keys_public_of(&back, "internet", "00", box, &e), &e, ERR_INPUT, "64 or 128");
    sign[0] = sign[0] == '0' ? '1' : '0';
    assert_error(keys_public_of(&back, "internet", sign, box, &e), &e, ERR_INPUT, "two points of the curve");
    keys_free(other);
}

/* SEC-04: while one side has changed its suite and the other has not: each key works in its own, the header says the recipient's. */
static void test_sides_of_different_suites(void **state)
{
    struct keys *k = *state;
    struct key_pair *old;
    struct err e = {0};
    assert_int_equal(keys_generate(&old, "internet", &e), 0);
    for (int i = 0; i < 2; i++) {
        const struct key_pair *from = i ? old : k->intranet, *to = i ? k->intranet : old;
        struct manifest m = manifest_of("status"), back;
        struct buf sealed;
        seal(&sealed, &m, bytes_of("x"), from, to);
        assert_int_equal(sealed.p[3], keys_public(to)->suite);
        assert_int_equal(open_with(&back, buf_bytes(&sealed), to, from, &e), 0);
        assert_true(hash_equal(&m.hash, &back.hash));
        for (size_t n = sealed.n - 40; n < sealed.n; n++) {
            sealed.p[n] ^= 1;
            assert_error(open_with(&back, buf_bytes(&sealed), to, from, &e), &e, ERR_CORRUPT, "sealed item");
            sealed.p[n] ^= 1;
        }
        buf_clear(&sealed);
    }
    keys_free(old);
}

/* FRY-14: an item that says another suite than its recipient's key is refused by that name, whatever stands behind it. */
static void test_downgrade_of_an_item_is_refused(void **state)
{
    struct keys *k = *state;
    struct key_pair *old;
    struct manifest m = manifest_of("status"), back;
    struct buf sealed;
    struct err e = {0};
    assert_int_equal(keys_generate(&old, "intranet", &e), 0);
    seal(&sealed, &m, bytes_of("x"), k->internet, k->intranet);
    sealed.p[3] = 1;
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "says suite 1, but the recipient's key is of suite 2");
    buf_clear(&sealed);
    seal(&sealed, &m, bytes_of("x"), k->internet, old);          /* made in suite 1, to a key of ours in suite 1, renamed to our new one */
    memcpy(sealed.p + 4, keys_public(k->intranet)->id.b, 8);
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "a downgrade");
    sealed.p[3] = 2;
    assert_error(open_with(&back, buf_bytes(&sealed), k->intranet, k->internet, &e), &e, ERR_CORRUPT, "sealed item");
    memcpy(sealed.p + 4, keys_public(old)->id.b, 8);
    assert_error(open_with(&back, buf_bytes(&sealed), old, k->internet, &e), &e, ERR_CORRUPT, "says suite 2, but the recipient's key is of suite 1");
    buf_clear(&sealed);
    keys_free(old);
}

static void test_secret_file(void **state)
{
    struct keys *k = *state;
    struct secret *a, *b;
    struct hash256 ha, hb;
    struct stat st;
    struct err e = {0};
    const char *path = scratch_path(&k->s, "pepper");
    assert_error(secret_load(&a, path, false, &e), &e, ERR_MISSING, "pepper");
    assert_int_equal(secret_load(&a, path, true, &e), 0);
    assert_int_equal(secret_load(&b, path, true, &e), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    secret_hash(&ha, a, "account", bytes_of("13800000000"));
    secret_hash(&hb, b, "account", bytes_of("13800000000"));
    assert_true(hash_equal(&ha, &hb));
    secret_hash(&hb, b, "guard", bytes_of("13800000000"));
    assert_false(hash_equal(&ha, &hb));
    secret_hash(&hb, b, "accoun", bytes_of("t13800000000"));
    assert_false(hash_equal(&ha, &hb));
    secret_free(b);
    assert_int_equal(chmod(path, 0644), 0);
    assert_error(secret_load(&b, path, false, &e), &e, ERR_DENIED, "want mode 0600");
    scratch_write(&k->s, "short", bytes_of("abcd\n"));
    chmod(scratch_path(&k->s, "short"), 0600);
    assert_error(secret_load(&b, k->s.path, false, &e), &e, ERR_INPUT, "64 hex digits");
    struct secret *c = secret_derive(a, "one"), *d = secret_derive(a, "two");
    secret_hash(&ha, c, "x", bytes_of("y"));
    secret_hash(&hb, d, "x", bytes_of("y"));
    assert_false(hash_equal(&ha, &hb));
    secret_free(a);
    secret_free(c);
    secret_free(d);
}

/* A value sealed for one row does not open in another, nor changed, nor cut. */
static void test_value_at_rest_is_bound_to_its_place(void **state)
{
    struct keys *k = *state;
    struct secret *s, *data, *again;
    struct buf sealed, out, wrapped;
    struct err e = {0};
    assert_int_equal(secret_load(&s, scratch_path(&k->s, "master"), true, &e), 0);
    buf_init(&sealed, 0);
    buf_init(&out, 0);
    buf_init(&wrapped, 0);
    assert_int_equal(secret_seal(&sealed, s, bytes_of("340799200001011234"), bytes_of("person/id_no/1"), &e), 0);
    assert_int_equal(sealed.n, 24 + 18 + 16);
    assert_int_equal(secret_open(&out, s, buf_bytes(&sealed), bytes_of("person/id_no/1"), &e), 0);
    assert_string_equal(buf_text(&out), "340799200001011234");
    assert_error(secret_open(&out, s, buf_bytes(&sealed), bytes_of("person/id_no/2"), &e), &e, ERR_CORRUPT, "not of this place");
    for (size_t n = 0; n < sealed.n; n++)
        assert_error(secret_open(&out, s, (struct bytes){sealed.p, n}, bytes_of("person/id_no/1"), &e), &e, ERR_CORRUPT, "sealed value");
    for (size_t i = 0; i < sealed.n; i++) {
        sealed.p[i] ^= 1;
        assert_error(secret_open(&out, s, buf_bytes(&sealed), bytes_of("person/id_no/1"), &e), &e, ERR_CORRUPT, "sealed value");
        sealed.p[i] ^= 1;
    }
    assert_string_equal(buf_text(&out), "340799200001011234");      /* failures added nothing */
    assert_int_equal(secret_new_wrapped(&data, &wrapped, s, bytes_of("case/1"), &e), 0);
    assert_int_equal(secret_unwrap(&again, s, buf_bytes(&wrapped), bytes_of("case/1"), &e), 0);
    struct hash256 a, b;
    secret_hash(&a, data, "x", bytes_of("y"));
    secret_hash(&b, again, "x", bytes_of("y"));
    assert_true(hash_equal(&a, &b));
    secret_free(again);
    assert_error(secret_unwrap(&again, s, buf_bytes(&wrapped), bytes_of("case/2"), &e), &e, ERR_CORRUPT, "not of this place");
    assert_null(again);
    assert_error(secret_unwrap(&again, s, buf_bytes(&sealed), bytes_of("person/id_no/1"), &e), &e, ERR_CORRUPT, "want 32 bytes");
    secret_free(data);
    secret_free(s);
    buf_clear(&sealed);
    buf_wipe(&out);
    buf_clear(&wrapped);
}

/* No core file of a process that holds keys. */
static void test_no_core_files(void **state)
{
    (void)state;
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_CORE, &r), 0);
    assert_int_equal(r.rlim_max, 0);
}

int main(void)
{
    static unsigned one = 1, two = 2;
#define IN(suite, test) {#test " in suite " #suite, test, setup, teardown, &suite}
#define EACH(test) IN(one, test), IN(two, test)
    const struct CMUnitTest tests[] = {
        EACH(test_item_comes_out_as_it_went_in),
        EACH(test_sealing_is_randomised),
        EACH(test_content_and_manifest_are_not_readable),
        EACH(test_every_truncation_is_refused),
        EACH(test_cut_at_a_chunk_is_refused),
        EACH(test_swapped_chunks_are_refused),
        EACH(test_every_flipped_bit_is_found),
        EACH(test_other_peoples_items),
        EACH(test_rewrapped_item_is_refused),
        EACH(test_reflected_item_is_refused),
        EACH(test_item_bounds),
        EACH(test_signatures_are_domain_separated),
        EACH(test_known_item_still_opens),
        EACH(test_key_files_round_trip),
        IN(one, test_broken_key_files_are_refused),
        IN(two, test_broken_key_files_of_suite_2),
        EACH(test_key_of_one_suite_in_the_file_of_another),
        IN(two, test_public_keys_from_hex),
        IN(two, test_sides_of_different_suites),
        IN(two, test_downgrade_of_an_item_is_refused),
        IN(one, test_secret_file),
        IN(one, test_value_at_rest_is_bound_to_its_place),
        cmocka_unit_test(test_no_core_files),
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
