/* Files of an insider: the peer's true key signed them, so the parser sees them. What each may cost the parser child, in time and in memory, is bounded;
 * the child lives and reads the next file. FRY-03 FRY-08 SEC-18 */
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "ferry/lib/envelope.h"
#include "tests/unit/scratch.h"

#define HEAD "<Envelope xmlns=\"urn:hz:envelope:1\" version=\"1\" kind=\"batch\" from=\"internet\" to=\"intranet\" incarnation=\"0123456789abcdef\" "
#define NUMBER "number=\"1\" created=\"2026-11-23T09:41:06Z\" items=\"0\" bytes=\"0\""
#define LARGE ((size_t)6 << 20)          /* near the most that a file may have */
#define MEMORY ((uint64_t)1 << 30)       /* as the services start it */
#define TIME_MS 2000
#define PEAK_KB (320 << 10)

static struct child_pool *parser;
static struct key_pair *peer;

/* The trailer of envelope.h, for any text: what somebody can do who has the peer's key and not its program. */
static void sign_any(struct buf *b)
{
    static const char end[] = "</Trailer></Envelope>\n";
    char id[17];
    uint8_t sig[64];
    struct hash256 digest;
    const size_t start = b->n;
    hex_put(id, keys_public(peer)->id.b, 8);
    buf_fmt(b, "<Trailer>HZT2 %02u %s %012zu ", keys_public(peer)->suite, id, start);
    if (suite_hash(&digest, buf_bytes(b), keys_public(peer)->suite, NULL) < 0)
        abort();
    sign_bytes(sig, "hz-envelope-2", (struct bytes){digest.b, sizeof digest.b}, peer);
    base64_put(b, (struct bytes){sig, sizeof sig});
    buf_str(b, " ");
    while (b->n < start + ENVELOPE_TRAILER - (sizeof end - 1))
        buf_str(b, ".");
    buf_str(b, end);
}

/* Highest resident memory of our children, KB, and how many there are. */
static long peak_of_children(unsigned *n)
{
    char path[300], line[200];
    DIR *proc = opendir("/proc");
    long most = 0;
    *n = 0;
    for (struct dirent *x; proc && (x = readdir(proc));) {
        long ppid = 0, peak = 0;
        snprintf(path, sizeof path, "/proc/%s/status", x->d_name);
        FILE *f = x->d_name[0] >= '1' && x->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        while (f && fgets(line, sizeof line, f)) {
            sscanf(line, "PPid: %ld", &ppid);
            sscanf(line, "VmHWM: %ld", &peak);
        }
        if (f)
            fclose(f);
        if (ppid != getpid())
            continue;
        ++*n;
        most = peak > most ? peak : most;
    }
    closedir(proc);
    return most;
}

static void fill(struct buf *b, size_t to, const char *piece)
{
    while (b->n < to && !b->bad)
        buf_str(b, piece);
}

static void laughs(struct buf *b)
{
    buf_str(b, "<!DOCTYPE Envelope [<!ENTITY e0 \"lol\">");
    for (int i = 1; i < 12; i++)
        buf_fmt(b, "<!ENTITY e%d \"&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;\">", i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    buf_str(b, "]>" HEAD NUMBER "><Item>&e11;</Item>");
}

/* One long entity, named very often: no nesting that a counter of levels would see. */
static void quadratic(struct buf *b)
{
    buf_str(b, "<!DOCTYPE Envelope [<!ENTITY a \"");
    fill(b, LARGE / 2, "0123456789abcdef");
    buf_str(b, "\">]>" HEAD NUMBER "><Item>");
    fill(b, LARGE, "&a;");
    buf_str(b, "</Item>");
}

static void in_an_attribute(struct buf *b)
{
    buf_str(b, "<!DOCTYPE Envelope [<!ENTITY a \"");
    fill(b, LARGE / 2, "0123456789abcdef");
    buf_str(b, "\">]>" HEAD NUMBER " run=\"");
    fill(b, LARGE, "&a;");
    buf_str(b, "\">");
}

static void parameter_entities(struct buf *b)
{
    buf_str(b, "<!DOCTYPE Envelope [<!ENTITY % a \"");
    fill(b, LARGE / 2, "<!ENTITY x 'y'>");
    buf_str(b, "\">");
    fill(b, LARGE, "%a;");
    buf_str(b, "]>" HEAD NUMBER ">");
}

static void element_name(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><");
    fill(b, LARGE, "name");
    buf_str(b, "/>");
}

static void attribute_name(struct buf *b)
{
    buf_str(b, HEAD NUMBER " ");
    fill(b, LARGE, "name");
    buf_str(b, "=\"1\">");
}

static void attribute_value(struct buf *b)
{
    buf_str(b, HEAD NUMBER " run=\"");
    fill(b, LARGE, "0123456789abcdef");
    buf_str(b, "\">");
}

static void proof_value(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><Beat proof=\"");
    fill(b, LARGE, "0123456789abcdef");
    buf_str(b, "\"/>");
}

static void attributes(struct buf *b)
{
    buf_str(b, HEAD NUMBER);
    for (unsigned i = 0; b->n < LARGE; i++)
        buf_fmt(b, " a%x=\"\"", i);
    buf_str(b, ">");
}

static void namespaces(struct buf *b)
{
    buf_str(b, HEAD NUMBER);
    for (unsigned i = 0; b->n < LARGE; i++)
        buf_fmt(b, " xmlns:a%x=\"u\"", i);
    buf_str(b, ">");
}

static void children(struct buf *b)
{
    buf_str(b, HEAD NUMBER ">");
    fill(b, LARGE, "<a/>");
}

/* As many as are let through, each with as many attributes as are: the schema must see them all. */
static void children_with_attributes(struct buf *b)
{
    buf_str(b, HEAD NUMBER ">");
    for (unsigned i = 0; i < 19000 && b->n < LARGE; i++) {
        buf_str(b, "<a");
        for (unsigned k = 0; k < 32; k++)
            buf_fmt(b, " a%u=\"\"", k);
        buf_str(b, "/>");
    }
}

static void depth(struct buf *b)
{
    buf_str(b, HEAD NUMBER ">");
    fill(b, LARGE, "<a>");
}

static void character_references(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><Item>");
    fill(b, LARGE, "&#65;");
    buf_str(b, "</Item>");
}

static void long_text(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><Item id=\"\" kind=\"status\" case=\"\" seq=\"0\" bytes=\"0\"><Chunk>");
    fill(b, LARGE, "AAAAAAAAAAAAAAAA");
    buf_str(b, "</Chunk></Item>");
}

static void unclosed_instruction(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><?a ");
    fill(b, LARGE, "?????????????????");
}

static void unclosed_comment(struct buf *b)
{
    buf_str(b, HEAD NUMBER "><!-- ");
    fill(b, LARGE, "- - - - - - - -");
}

static const struct { const char *name; void (*make)(struct buf *); } attacks[] = {
    {"billion laughs", laughs}, {"quadratic blow-up", quadratic}, {"quadratic blow-up in an attribute", in_an_attribute}, {"parameter entities", parameter_entities},
    {"huge element name", element_name}, {"huge attribute name", attribute_name}, {"huge attribute value", attribute_value}, {"huge value of a pattern", proof_value},
    {"very many attributes", attributes}, {"very many namespaces", namespaces}, {"very many children", children}, {"children full of attributes", children_with_attributes},
    {"deep nesting", depth}, {"character references", character_references}, {"one long chunk", long_text}, {"instruction without end", unclosed_instruction},
    {"comment without end", unclosed_comment},
};

static void start_parser(void)
{
    static char schemas[4096];
    static const char *args[] = {schemas, NULL};
    struct err e = {0};
    assert_non_null(realpath("schemas/xsd", schemas));
    struct child_options o = {.path = built("libexec/parser"), .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .max_calls = 10000, .clean_env = true};
#if !defined(__SANITIZE_ADDRESS__)
    o.max_memory = MEMORY;
#endif
    if (child_pool_open(&parser, &o, &e) < 0)
        fail_msg("%s", e.msg);
}

static void good_file_is_read(const char *after)
{
    struct envelope_head h = {.kind = ENVELOPE_BATCH, .from = "internet", .to = "intranet", .incarnation = "0123456789abcdef", .number = 1, .created_ms = 1795426866000};
    struct envelope v;
    struct buf b;
    struct err e = {0};
    buf_init(&b, ENVELOPE_MAX);
    if (envelope_write(&b, &h, NULL, 0, peer, &e) < 0 || envelope_read(&v, buf_bytes(&b), parser, &e) < 0)
        fail_msg("after %s: %s", after, e.msg);
    envelope_free(&v);
    buf_clear(&b);
}

/* A child of its own for each, so that its peak is the peak of this file. */
static void attack(size_t i)
{
    const struct key_public *keys[] = {keys_public(peer)};
    struct envelope v;
    struct buf b;
    struct err e = {0};
    unsigned n;
    start_parser();
    good_file_is_read("the start");
    buf_init(&b, ENVELOPE_MAX);
    attacks[i].make(&b);
    sign_any(&b);
    if (b.bad || envelope_verify(buf_bytes(&b), keys, 1, NULL, &e) < 0)
        fail_msg("%s: the signature stops it: %s", attacks[i].name, e.msg);
    const int64_t start = clock_mono_ms();
    const int rc = envelope_read(&v, buf_bytes(&b), parser, &e);
    const int64_t took = clock_mono_ms() - start;
    const long peak = peak_of_children(&n);
    print_message("%-34s %5lld ms %7ld KB  %s\n", attacks[i].name, (long long)took, peak, e.msg);
    assert_error(rc, &e, ERR_INPUT, "");
    assert_int_equal(n, 1);
    assert_true(peak > 0);
#if !defined(__SANITIZE_ADDRESS__)
    if (took > TIME_MS || peak > PEAK_KB)
        fail_msg("%s: %lld ms (most %d), %ld KB (most %d)", attacks[i].name, (long long)took, TIME_MS, peak, PEAK_KB);
#endif
    good_file_is_read(attacks[i].name);
    buf_clear(&b);
    child_pool_close(parser);
}

/* FRY-03 SEC-18: signed by the peer's key, refused for what it is, cheaply, by a child that lives on. */
static void test_signed_attacks_are_cheap(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        attack(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signed_attacks_are_cheap)};
    struct err e = {0};
    if (seal_init(&e) < 0 || keys_generate_in(&peer, "internet", scratch_suite(), &e) < 0)
        return 1;
    log_open("test", LOG_ERROR);
    int rc = cmocka_run_group_tests_name("attack_parser", tests, NULL, NULL);
    keys_free(peer);
    return rc;
}
