#include <sodium.h>
#include <stdio.h>

#include "common/record.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/payload.h"
#include "tests/unit/scratch.h"

static struct child_pool *parser;
static unsigned suite = 1;                       /* every test runs in each */
static struct key_pair *internet, *intranet, *stranger;

static int setup_all(void **state)
{
    static char schemas[4096];
    static const char *args[] = {schemas, NULL};
    struct err e = {0};
    (void)state;
    if (!realpath("schemas/xsd", schemas))
        return -1;
    struct child_options o = {.path = built("libexec/parser"), .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .clean_env = true};
    if (child_pool_open(&parser, &o, &e) < 0 || keys_generate_in(&internet, "internet", suite, &e) < 0 ||
        keys_generate_in(&intranet, "intranet", suite, &e) < 0 || keys_generate_in(&stranger, "internet", suite, &e) < 0) {
        print_error("%s\n", e.msg);
        return -1;
    }
    return 0;
}

static int teardown_all(void **state)
{
    (void)state;
    child_pool_close(parser);
    keys_free(internet);
    keys_free(intranet);
    keys_free(stranger);
    return 0;
}

static struct envelope_head head_of(enum envelope_kind kind, uint64_t number)
{
    return (struct envelope_head){.kind = kind, .from = "internet", .to = "intranet", .incarnation = "0123456789abcdef", .number = number,
                                  .created_ms = 1795426866000};
}

static struct envelope_item item_of(const char *id_digit, const char *kind, struct bytes sealed)
{
    struct envelope_item it = {.case_no = "3407261100000012", .case_seq = 3, .sealed = sealed};
    for (int i = 0; i < 32; i++)
        it.id.s[i] = id_digit[0];
    snprintf(it.kind, sizeof it.kind, "%s", kind);
    return it;
}

static void write_items(struct buf *out, uint64_t number, const struct envelope_item *items, size_t n)
{
    struct err e = {0};
    struct envelope_head h = head_of(ENVELOPE_BATCH, number);
    buf_init(out, ENVELOPE_MAX);
    if (envelope_write(out, &h, items, n, internet, &e) < 0)
        fail_msg("%s", e.msg);
}

static int verify(struct bytes file, struct err *e)
{
    const struct key_public *keys[] = {keys_public(intranet), keys_public(internet)}, *who = NULL;
    int rc = envelope_verify(file, keys, 2, &who, e);
    assert_ptr_equal(who, rc == 0 ? keys_public(internet) : NULL);
    return rc;
}

/* FRY-01, FRY-14: number, sizes, digest of each item and signature stand in the file, and all comes back. */
static void test_items_come_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 48, 49151, 49152, 49153, 98304, 524288 + 900};
    struct envelope_item items[9];
    struct buf content, file;
    struct envelope v;
    struct err e = {0};
    buf_init(&content, 0);
    for (size_t i = 0; i < 600000; i++)
        buf_u8(&content, (uint8_t)(i * 7919 >> 5));
    for (size_t i = 0; i < 9; i++)
        items[i] = item_of(&"123456789"[i], i % 2 ? "slice" : "supplement-request", (struct bytes){content.p + i, sizes[i]});
    items[8].case_no[0] = 0;
    items[8].case_seq = 0;
    write_items(&file, 17, items, 9);
    assert_int_equal(verify(buf_bytes(&file), &e), 0);
    assert_int_equal(envelope_read(&v, buf_bytes(&file), parser, &e), 0);
    assert_int_equal(v.head.kind, ENVELOPE_BATCH);
    assert_true(v.head.number == 17 && v.head.created_ms == 1795426866000 && v.nitems == 9);
    assert_string_equal(v.head.from, "internet");
    assert_string_equal(v.head.to, "intranet");
    assert_string_equal(v.head.incarnation, "0123456789abcdef");
    for (size_t i = 0; i < 9; i++) {
        assert_true(bytes_equal(v.items[i].sealed, items[i].sealed));
        assert_string_equal(v.items[i].id.s, items[i].id.s);
        assert_string_equal(v.items[i].kind, items[i].kind);
        assert_string_equal(v.items[i].case_no, items[i].case_no);
        assert_true(v.items[i].case_seq == items[i].case_seq);
    }
    envelope_free(&v);
    buf_clear(&content);
    buf_clear(&file);
}

/* The size that the sender reckons with is never below the real one, else a file would grow over the gateway's limit. */
static void test_item_size_is_an_upper_bound(void **state)
{
    (void)state;
    struct buf content, one, none;
    buf_init(&content, 0);
    for (size_t i = 0; i < 1 << 20; i++)
        buf_u8(&content, 0xa5);
    struct envelope_item it = item_of("1", "supplement-request-xxxx", (struct bytes){content.p, 1});
    it.case_seq = 999999999999;
    write_items(&none, 1, &it, 0);
    for (size_t n = 1; n < 1 << 20; n = n < 200 ? n + 1 : n * 3 / 2) {
        it.sealed.n = n;
        write_items(&one, 1, &it, 1);
        assert_true(one.n - none.n <= envelope_item_size(n) + 20);      /* 20: the counts in the head grow, too */
        buf_clear(&one);
    }
    buf_clear(&none);
    buf_clear(&content);
}

static void test_beat_comes_back(void **state)
{
    (void)state;
    struct beat b = {.ack = "fedcba9876543210", .contiguous = 40, .sent = 99, .heard = 77, .health = "warning", .held = 2, .config_version = 12, .protocol = 1, .nranges = ENVELOPE_RANGES};
    struct envelope_head h = head_of(ENVELOPE_BEAT, 5001);
    struct envelope v;
    struct buf file;
    struct err e = {0};
    for (size_t i = 0; i < ENVELOPE_RANGES; i++)
        b.ranges[i] = (struct beat_range){42 + 3 * i, 43 + 3 * i};
    buf_init(&file, 0);
    assert_int_equal(envelope_write_beat(&file, &h, &b, internet, &e), 0);
    assert_int_equal(verify(buf_bytes(&file), &e), 0);
    assert_int_equal(envelope_read(&v, buf_bytes(&file), parser, &e), 0);
    assert_int_equal(v.head.kind, ENVELOPE_BEAT);
    assert_true(v.head.number == 5001 && v.nitems == 0 && v.beat.nranges == ENVELOPE_RANGES);
    assert_memory_equal(v.beat.ranges, b.ranges, sizeof b.ranges);
    assert_string_equal(v.beat.ack, b.ack);
    assert_string_equal(v.beat.health, "warning");
    assert_true(v.beat.contiguous == 40 && v.beat.sent == 99 && v.beat.heard == 77 && v.beat.held == 2 && v.beat.config_version == 12 && v.beat.protocol == 1);
    envelope_free(&v);
    buf_clear(&file);
}

static void test_names(void **state)
{
    (void)state;
    char name[80];
    struct envelope_head h = head_of(ENVELOPE_BATCH, 17);
    envelope_name(name, &h);
    assert_string_equal(name, "b-internet-0123456789abcdef-000000000017.xml");
    h = head_of(ENVELOPE_SLICE, 999999999999);
    envelope_name(name, &h);
    assert_string_equal(name, "s-internet-0123456789abcdef-999999999999.xml");
    h.kind = ENVELOPE_BEAT;
    envelope_name(name, &h);
    assert_string_equal(name, "beat-internet-0123456789abcdef-999999999999.xml");
}

/* FRY-14: the same rows give the same bytes: what is sent again is the same file. */
static void test_same_items_give_same_bytes(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct buf a, b;
    write_items(&a, 3, &it, 1);
    write_items(&b, 3, &it, 1);
    assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
    buf_clear(&a);
    buf_clear(&b);
}

/* FRY-08: cut anywhere the file is none. */
static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct buf file;
    struct err e = {0};
    write_items(&file, 3, &it, 1);
    for (size_t n = 0; n < file.n; n++) {
        assert_error(verify((struct bytes){file.p, n}, &e), &e, ERR_CORRUPT, "");
        assert_error(verify((struct bytes){file.p + n + 1, file.n - n - 1}, &e), &e, ERR_CORRUPT, "");
    }
    buf_clear(&file);
}

/* FRY-14: any flipped bit is found; in suite or key id it reads as one that we do not know. */
static void test_every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct buf file;
    struct err e = {0};
    write_items(&file, 3, &it, 1);
    const size_t says = file.n - ENVELOPE_TRAILER + 14, key = says + 3;
    for (size_t i = 0; i < file.n * 8; i++) {
        file.p[i / 8] ^= (uint8_t)(1u << i % 8);
        bool unknown = (i / 8 >= says && i / 8 < says + 3) || (i / 8 >= key && i / 8 < key + 16);
        assert_error(verify(buf_bytes(&file), &e), &e, unknown ? ERR_HELD : ERR_CORRUPT, "");
        file.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(verify(buf_bytes(&file), &e), 0);
    buf_clear(&file);
}

/* Bytes in front, behind, or between two whole files: nothing rides along. */
static void test_nothing_rides_along(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct buf file, twice;
    struct err e = {0};
    write_items(&file, 3, &it, 1);
    buf_init(&twice, 0);
    buf_put(&twice, file.p, file.n);
    buf_put(&twice, file.p, file.n);
    assert_error(verify(buf_bytes(&twice), &e), &e, ERR_CORRUPT, "bytes were added or lost");
    twice.n = 0;
    buf_put(&twice, " ", 1);
    buf_put(&twice, file.p, file.n);
    assert_error(verify(buf_bytes(&twice), &e), &e, ERR_CORRUPT, "bytes were added or lost");
    buf_put(&file, "\n", 1);
    assert_error(verify(buf_bytes(&file), &e), &e, ERR_CORRUPT, "last 256 bytes");
    buf_clear(&file);
    buf_clear(&twice);
}

/* Right signature by a key that we do not trust, and a trusted key's id over a stranger's signature. */
static void test_wrong_key(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct envelope_head h = head_of(ENVELOPE_BATCH, 1);
    struct buf file;
    struct err e = {0};
    buf_init(&file, 0);
    assert_int_equal(envelope_write(&file, &h, &it, 1, stranger, &e), 0);
    assert_error(verify(buf_bytes(&file), &e), &e, ERR_HELD, "not one that we trust");
    char id[17];
    hex_put(id, keys_public(internet)->id.b, 8);
    memcpy(file.p + file.n - ENVELOPE_TRAILER + 17, id, 16);
    assert_error(verify(buf_bytes(&file), &e), &e, ERR_CORRUPT, "signature is not internet's");
    assert_error(envelope_verify(buf_bytes(&file), NULL, 0, NULL, &e), &e, ERR_HELD, "not one that we trust");
    buf_clear(&file);
}

/* FRY-14: a trailer that says another suite than its key's is refused by that name, whether the rest of it fits or not; one that nobody knows is held. */
static void test_suite_of_another_key_is_refused(void **state)
{
    (void)state;
    struct envelope_item it = item_of("a", "status", bytes_of("sealed bytes"));
    struct buf file;
    struct err e = {0};
    char words[80], id[17];
    const struct key_public *who;
    struct key_pair *other;
    assert_int_equal(keys_generate_in(&other, "internet", 3 - suite, &e), 0);
    write_items(&file, 3, &it, 1);
    char *says = (char *)file.p + file.n - ENVELOPE_TRAILER + 14;
    assert_int_equal(says[1], '0' + suite);
    says[1] = (char)('0' + 3 - suite);
    snprintf(words, sizeof words, "is of suite 0%u: changed, or a downgrade", suite);
    assert_error(verify(buf_bytes(&file), &e), &e, ERR_CORRUPT, words);
    hex_put(id, keys_public(other)->id.b, 8);            /* the other key is known, too: its suite, its id, and a signature of the first */
    memcpy(says + 3, id, 16);
    const struct key_public *both[] = {keys_public(internet), keys_public(other)};
    assert_error(envelope_verify(buf_bytes(&file), both, 2, &who, &e), &e, ERR_CORRUPT, "signature is not internet's");
    says[1] = '3';
    assert_error(envelope_verify(buf_bytes(&file), both, 2, &who, &e), &e, ERR_HELD, "suite 03 is not known here");
    says[1] = '0';
    assert_error(envelope_verify(buf_bytes(&file), both, 2, &who, &e), &e, ERR_HELD, "suite 00 is not known here");
    keys_free(other);
    buf_clear(&file);
}

/* Text behind a good signature that breaks the contract: each refused with the rule. The head's placeholders: version, kind, number, items, bytes. */
#define HEAD(v, k, n, i, b)                                                                                                                         \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope xmlns=\"urn:hz:envelope:1\" version=\"" v "\" kind=\"" k                                  \
    "\" from=\"internet\" to=\"intranet\" incarnation=\"0123456789abcdef\" number=\"" n "\" created=\"2026-11-23T09:41:06Z\" items=\"" i "\" bytes=\"" b "\">"
#define ITEM(id, kind, no, seq, n, chunks) "<Item id=\"" id "\" kind=\"" kind "\" case=\"" no "\" seq=\"" seq "\" bytes=\"" n "\">" chunks "</Item>"
#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HELLO "<Chunk>aGVsbG8=</Chunk>"
#define GOOD ITEM(ID, "status", "3407261100000012", "1", "5", HELLO)
#define TAIL "<Trailer>x</Trailer></Envelope>"
#define BEAT(contiguous, body) "<Beat ack=\"\" contiguous=\"" contiguous "\" sent=\"9\" heard=\"0\" health=\"fine\" held=\"0\" config=\"1\" protocol=\"1\">" body "</Beat>"

static void test_text_that_breaks_the_contract(void **state)
{
    (void)state;
    static const struct { const char *text; enum err_code code; const char *words; } bad[] = {
        {HEAD("2", "batch", "1", "1", "5") GOOD TAIL, ERR_HELD, "version"},
        {HEAD("1", "batch", "0", "1", "5") GOOD TAIL, ERR_CORRUPT, "number"},
        {HEAD("1", "batch", "1000000000000", "1", "5") GOOD TAIL, ERR_INPUT, "number"},
        {HEAD("1", "batch", "-1", "1", "5") GOOD TAIL, ERR_INPUT, "number"},
        {HEAD("1", "parcel", "1", "1", "5") GOOD TAIL, ERR_INPUT, "kind"},
        {HEAD("1", "batch", "1", "2", "5") GOOD TAIL, ERR_CORRUPT, "the header says 2"},
        {HEAD("1", "batch", "1", "1", "6") GOOD TAIL, ERR_CORRUPT, "the header says 1 and 6"},
        {HEAD("1", "beat", "1", "0", "0") TAIL, ERR_CORRUPT, "want a Beat"},
        {HEAD("1", "batch", "1", "0", "0") BEAT("4", "") TAIL, ERR_CORRUPT, "in a beat alone"},
        {HEAD("1", "beat", "1", "1", "5") GOOD TAIL, ERR_CORRUPT, "want a Beat"},
        {HEAD("1", "beat", "1", "0", "0") BEAT("4", "<Range from=\"4\" to=\"5\"/>") TAIL, ERR_CORRUPT, "above contiguous"},
        {HEAD("1", "beat", "1", "0", "0") BEAT("4", "<Range from=\"7\" to=\"6\"/>") TAIL, ERR_CORRUPT, "Range"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "4", HELLO) TAIL, ERR_CORRUPT, "bytes: want 4, have 5"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk>aGVsbG8</Chunk>") TAIL, ERR_CORRUPT, "not base64"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk>aGVs\nbG8=</Chunk>") TAIL, ERR_CORRUPT, "not base64"},
        {HEAD("1", "batch", "1", "1", "5") ITEM("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "status", "", "0", "5", HELLO) TAIL, ERR_INPUT, "id"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "Status", "", "0", "5", HELLO) TAIL, ERR_INPUT, "kind"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "34072611000000", "1", "5", HELLO) TAIL, ERR_INPUT, "case"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "", "0", "5", "") TAIL, ERR_INPUT, ""},
        {HEAD("1", "batch", "1", "1", "5") GOOD, ERR_INPUT, ""},
        {HEAD("1", "batch", "1", "1", "5") "<!-- x -->" GOOD TAIL, ERR_INPUT, "omment"},
        {HEAD("1", "batch", "1", "1", "5") "<?x y?>" GOOD TAIL, ERR_INPUT, "rocessing"},
        {"<!DOCTYPE Envelope []>" HEAD("1", "batch", "1", "1", "5") GOOD TAIL, ERR_INPUT, ""},
        {"<?xml version=\"1.0\"?><!DOCTYPE Envelope SYSTEM \"file:///etc/passwd\"><Envelope/>", ERR_INPUT, "DOCTYPE"},
        {"", ERR_INPUT, ""},
        {"<Envelope", ERR_INPUT, ""},
        /* Signed by a peer that was taken over: a second trailer, one element twice, a schema or a part from elsewhere. */
        {HEAD("1", "batch", "1", "1", "5") GOOD "<Trailer>x</Trailer>" TAIL, ERR_INPUT, "Trailer"},
        {HEAD("1", "batch", "1", "1", "5") "<Trailer>x</Trailer>" GOOD TAIL, ERR_INPUT, "Item"},
        {HEAD("1", "batch", "1", "1", "5") "<Envelope>" GOOD "</Envelope>" TAIL, ERR_INPUT, "Envelope"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", HELLO HELLO) TAIL, ERR_CORRUPT, "bytes: want 5, have 10"},
        {HEAD("1", "batch", "1", "1", "5") GOOD GOOD TAIL, ERR_CORRUPT, "the header says 1"},
        {HEAD("1", "batch", "1", "1", "5") GOOD BEAT("4", "") TAIL, ERR_INPUT, "Beat"},
        {HEAD("1", "batch", "1", "1", "5") "<Item xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:x file:///etc/passwd\" id=\"" ID
         "\" kind=\"status\" case=\"\" seq=\"0\" bytes=\"5\">" HELLO "</Item>" TAIL, ERR_INPUT, "prefixes"},
        {HEAD("1", "batch", "1", "1", "5") "<Item xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Side\" id=\"" ID "\" kind=\"status\" case=\"\" seq=\"0\" bytes=\"5\">"
         HELLO "</Item>" TAIL, ERR_INPUT, "prefixes"},
        {HEAD("1", "batch", "1", "1", "5") "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\" parse=\"text\"/>" TAIL, ERR_INPUT, "prefixes"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk><xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"x\"/></Chunk>") TAIL, ERR_INPUT, "prefixes"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk>&lol;</Chunk>") TAIL, ERR_CORRUPT, "not base64"},
        /* Chunks that the parser would see and the payload would not, or the other way round; numbers as the skeleton has them, written by the peer. */
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk >00000000</Chunk>") TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk >00000000</Chunk>" HELLO) TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", HELLO "<Chunk >00000001</Chunk>") TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk ></Chunk>" HELLO) TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk/>") TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk>00000000</Chunk >") TAIL, ERR_CORRUPT, "letters alone"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk><![CDATA[aGVsbG8=]]></Chunk>") TAIL, ERR_INPUT, "CDATA"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<![CDATA[" HELLO "]]>" HELLO) TAIL, ERR_INPUT, "CDATA"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<!--" HELLO "-->" HELLO) TAIL, ERR_INPUT, "omment"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk>" HELLO "</Chunk>") TAIL, ERR_INPUT, "Chunk"},
        {HEAD("1", "batch", "1", "1", "5") GOOD "<Trailer>" HELLO "</Trailer></Envelope>", ERR_INPUT, "Trailer"},
        {HEAD("1", "batch", "1", "1", "5") ITEM(ID, "status", "3407261100000012", "1", "5", "<Chunk xmlns=\"urn:x\">aGVsbG8=</Chunk>") TAIL, ERR_INPUT, "Chunk"},
        {"<a><Chunk>", ERR_INPUT, ""},
        {"<Chunk>", ERR_INPUT, ""},
        {"<Chunk></Chunk", ERR_INPUT, ""},
    };
    struct envelope v;
    struct err e = {0};
    assert_int_equal(envelope_read(&v, bytes_of(HEAD("1", "batch", "1", "1", "5") GOOD TAIL), parser, &e), 0);     /* the frame itself is good */
    envelope_free(&v);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = envelope_read(&v, bytes_of(bad[i].text), parser, &e);
        if (rc == 0)
            fail_msg("accepted: %s", bad[i].text);
        if (e.code != bad[i].code || !strstr(e.msg, bad[i].words))
            print_error("%zu: %s\n", i, bad[i].text);
        assert_error(rc, &e, bad[i].code, bad[i].words);
        assert_null(v.items);
    }
}

/* The schema does not see how long a chunk is, and the parser not how many letters there are: payload_lift keeps both bounds. */
static void test_payload_bounds(void **state)
{
    (void)state;
    struct payload p;
    struct buf file;
    struct bytes letters;
    struct err e = {0};
    buf_init(&file, 0);
    for (size_t i = 0; i < PAYLOAD_PARTS; i++)
        buf_str(&file, "<Chunk>QQ==</Chunk>");
    assert_int_equal(payload_lift(&p, buf_bytes(&file), &e), 0);
    assert_int_equal(p.n, PAYLOAD_PARTS);
    assert_int_equal(payload_part(&p, 19999, "00019999", &letters), 0);
    assert_true(letters.n == 4 && letters.p == file.p + file.n - 4 - 8);
    assert_int_equal(payload_part(&p, 19999, "00019998", &letters), -1);
    assert_int_equal(payload_part(&p, 19999, "19999", &letters), -1);
    assert_int_equal(payload_part(&p, 20000, "00020000", &letters), -1);
    payload_free(&p);
    buf_str(&file, "<Chunk></Chunk>");
    assert_error(payload_lift(&p, buf_bytes(&file), &e), &e, ERR_INPUT, "want at most 20000 chunks");
    assert_null(p.parts);
    for (size_t i = 0; i < 2; i++) {
        file.n = 0;
        buf_str(&file, "<Chunk>");
        while (file.n < 7 + PAYLOAD_PART + i)
            buf_u8(&file, 'A');
        buf_str(&file, "</Chunk>");
        int rc = payload_lift(&p, buf_bytes(&file), &e);
        if (i)
            assert_error(rc, &e, ERR_INPUT, "want at most 65536 letters, have 65537");
        else {
            assert_int_equal(rc, 0);
            assert_string_equal(buf_text(&p.skeleton), "<Chunk>00000000</Chunk>");
        }
        payload_free(&p);
    }
    buf_clear(&file);
}

/* FRY-14: what the journals note of a file is the hash of all its bytes, though nothing is read twice for it. */
static void test_hash_is_of_the_whole_file(void **state)
{
    (void)state;
    const struct key_public *keys[] = {keys_public(internet)};
    struct envelope_head h = head_of(ENVELOPE_BATCH, 5);
    struct envelope_item it = item_of("a", "status", bytes_of("hello"));
    struct hash256 want, written;
    struct envelope_digest d;
    struct buf file;
    struct err e = {0};
    buf_init(&file, 0);
    assert_int_equal(envelope_write_hashed(&file, &written, &h, &it, 1, internet, &e), 0);
    envelope_digest(&d, buf_bytes(&file));
    assert_int_equal(envelope_verify_digested(buf_bytes(&file), &d, keys, 1, NULL, &e), 0);
    hash_of(&want, buf_bytes(&file));
    assert_true(hash_equal(&want, &written));
    assert_true(hash_equal(&want, &d.whole));
    d.part.b[31] ^= 1;
    assert_error(envelope_verify_digested(buf_bytes(&file), &d, keys, 1, NULL, &e), &e, ERR_CORRUPT, "signature is not internet's");
    envelope_digest(&d, (struct bytes){file.p, file.n - 1});
    assert_true(d.suite == 0);
    assert_error(envelope_verify_digested(buf_bytes(&file), &d, keys, 1, NULL, &e), &e, ERR_HELD, "cannot be used here");
    buf_clear(&file);
}

/* A file over the bound is not even looked at; an envelope that would be larger is not written. */
static void test_size_bound(void **state)
{
    (void)state;
    struct buf big, file;
    struct err e = {0};
    struct envelope_head h = head_of(ENVELOPE_SLICE, 1);
    buf_init(&big, 0);
    for (size_t i = 0; i < ENVELOPE_MAX + 1; i += 64)
        buf_put(&big, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64);
    assert_error(verify((struct bytes){big.p, ENVELOPE_MAX + 1}, &e), &e, ERR_CORRUPT, "7340032 bytes");
    buf_init(&file, ENVELOPE_MAX);
    struct envelope_item it = item_of("a", "slice", (struct bytes){big.p, (size_t)6 << 20});
    assert_error(envelope_write(&file, &h, &it, 1, internet, &e), &e, ERR_TOO_LARGE, "envelope");
    buf_clear(&big);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_back),
        cmocka_unit_test(test_item_size_is_an_upper_bound),
        cmocka_unit_test(test_beat_comes_back),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_same_items_give_same_bytes),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_found),
        cmocka_unit_test(test_nothing_rides_along),
        cmocka_unit_test(test_wrong_key),
        cmocka_unit_test(test_suite_of_another_key_is_refused),
        cmocka_unit_test(test_text_that_breaks_the_contract),
        cmocka_unit_test(test_payload_bounds),
        cmocka_unit_test(test_hash_is_of_the_whole_file),
        cmocka_unit_test(test_size_bound),
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return 1;
    int bad = cmocka_run_group_tests_name("suite 1", tests, setup_all, teardown_all);
    suite = 2;
    return bad + cmocka_run_group_tests_name("suite 2", tests, setup_all, teardown_all);
}
