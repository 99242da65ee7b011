#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/record.h"
#include "tests/unit/scratch.h"

#define NS "urn:hz:record:1"
#define HEAD "<status xmlns=\"" NS "\" case=\"3407261100000012\" seq=\"2\" state=\"accepted\" stage=\"1\" final=\"false\" at=\"2026-11-23T09:41:06Z\">"
#define BODY "<value field=\"unit\">城关派出所</value><event>已受理</event>"
#define TAIL "</status>"

static struct child_pool *parser;

static int open_parser(void **state)
{
    (void)state;
    static char schemas[4096];
    static const char *args[] = {schemas, NULL};
    assert_non_null(realpath("schemas/xsd", schemas));
    struct child_options o = {.path = built("libexec/parser"), .argv = args, .n = 2, .max_answer = (size_t)32 << 20, .deadline_ms = 20000,
                              .clean_env = true};
    struct err e = {0};
    if (child_pool_open(&parser, &o, &e) < 0)
        fail_msg("%s", e.msg);
    return 0;
}

static int close_parser(void **state)
{
    (void)state;
    child_pool_close(parser);
    return 0;
}

static int parse(struct record *r, struct bytes xml, struct err *e)
{
    return record_parse(r, parser, 'R', "status", xml, e);
}

static void refuse(struct bytes xml, const char *words)
{
    struct record r;
    struct err e = {0};
    int rc = parse(&r, xml, &e);
    if (rc == 0)
        record_free(&r);
    assert_error(rc, &e, ERR_INPUT, words);
    assert_null(r.root);
    /* The child lives and serves the next one. */
    if (parse(&r, bytes_of(HEAD BODY TAIL), &e) < 0)
        fail_msg("after '%s': %s", words, e.msg);
    record_free(&r);
}

static void test_reads_elements_attributes_text(void **state)
{
    (void)state;
    struct record r;
    struct err e = {0};
    if (parse(&r, bytes_of("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" HEAD "\n  <value field=\"a\">1 &lt; 2 &amp; &#20013;</value>\n"
                           "<value field=\"b\"/><event>已受理</event>" TAIL "\n"), &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(r.root->name, "status");
    assert_string_equal(rec_attr(r.root, "case"), "3407261100000012");
    assert_string_equal(rec_attr(r.root, "absent"), "");
    assert_int_equal(r.root->nattrs, 6);
    assert_true(rec_attr_int(r.root, "seq", 0, 9) == 2 && rec_attr_int(r.root, "seq", 3, 9) == 0 && rec_attr_int(r.root, "seq", 0, 1) == 0);
    assert_true(rec_attr_int(r.root, "case", 0, INT64_MAX) == 3407261100000012 && rec_attr_int(r.root, "state", 0, 9) == 0 && rec_attr_int(r.root, "absent", 0, 9) == 0);
    const struct rec_node *v = rec_child(r.root, "value");
    assert_string_equal(v->text, "1 < 2 & 中");
    assert_int_equal(v->text_len, strlen(v->text));
    assert_ptr_equal(v->parent, r.root);
    v = rec_next(v, "value");
    assert_string_equal(rec_attr(v, "field"), "b");
    assert_string_equal(v->text, "");
    assert_null(rec_next(v, "value"));
    assert_string_equal(rec_child_text(r.root, "event"), "已受理");
    assert_string_equal(rec_child_text(r.root, "absent"), "");
    record_free(&r);
    record_free(&r);
}

/* No document type, entity, comment, instruction or CDATA, wherever it stands. FRY-03 SEC-18 */
static void test_refuses_what_only_attackers_send(void **state)
{
    (void)state;
    static const struct { const char *xml, *words; } t[] = {
        {"<!DOCTYPE status>" HEAD BODY TAIL, "line 1: DOCTYPE is not allowed"},
        {"<!DOCTYPE status SYSTEM \"file:///etc/passwd\">" HEAD BODY TAIL, "DOCTYPE is not allowed"},
        {"<!DOCTYPE status PUBLIC \"a\" \"http://127.0.0.1:1/x.dtd\">" HEAD BODY TAIL, "DOCTYPE is not allowed"},
        {"<!DOCTYPE s [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" HEAD "<event>&b;</event>" TAIL, "DOCTYPE is not allowed"},
        {"<!DOCTYPE s [<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;]>" HEAD BODY TAIL, "DOCTYPE is not allowed"},
        {"<?xml version=\"1.0\"?>\n\n<!DOCTYPE status>" HEAD BODY TAIL, "line 3: DOCTYPE is not allowed"},
        {HEAD "<event>&undeclared;</event>" TAIL, "Entity 'undeclared' not defined"},
        {"<!-- c -->" HEAD BODY TAIL, "comments are not allowed"},
        {HEAD "<event>a<!-- splits -->b</event>" TAIL, "comments are not allowed"},
        {HEAD BODY TAIL "<!-- c -->", "comments are not allowed"},
        {"<?php x ?>" HEAD BODY TAIL, "processing instructions are not allowed"},
        {"<?xml-stylesheet href=\"http://x\"?>" HEAD BODY TAIL, "processing instructions are not allowed"},
        {HEAD "<event>a<?x y?></event>" TAIL, "processing instructions are not allowed"},
        {HEAD "<event><![CDATA[x]]></event>" TAIL, "CDATA is not allowed"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        refuse(bytes_of(t[i].xml), t[i].words);
}

static void test_refuses_what_is_not_well_formed(void **state)
{
    (void)state;
    static const char *const t[] = {HEAD BODY, HEAD BODY TAIL TAIL, HEAD BODY TAIL "x", HEAD "<event>a</evnt>" TAIL, HEAD "<event>a < b</event>" TAIL,
                                    HEAD "<event>\x01</event>" TAIL, HEAD "<event>&#0;</event>" TAIL, HEAD "<event>\xff\xfe</event>" TAIL,
                                    HEAD "<event>&#xFFFE;</event>" TAIL, HEAD "<event>\xed\xa0\x80</event>" TAIL, "<status case=\"1\" case=\"2\"/>", "<>", "<"};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        refuse(bytes_of(t[i]), "");
    refuse(bytes_of(""), "want 1 to");
    refuse(bytes_of(" " HEAD BODY TAIL), "want '<' as the first byte, have 0x20");
    refuse(bytes_of("\xef\xbb\xbf" HEAD BODY TAIL), "have 0xef");
    refuse((struct bytes){(const uint8_t *)"\x1f\x8b\x08", 3}, "have 0x1f");       /* gzip is not silently opened */
}

/* UTF-8 only, whatever the declaration says. */
static void test_refuses_other_encodings(void **state)
{
    (void)state;
    static const char *const names[] = {"UTF-16", "GB18030", "ISO-8859-1", "UTF-7", "EBCDIC-CP-US", "US-ASCII", "no-such"};
    char xml[1024];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(xml, sizeof xml, "<?xml version=\"1.0\" encoding=\"%s\"?>" HEAD "<event>a</event>" TAIL, names[i]);
        refuse(bytes_of(xml), "line 1: encoding: want UTF-8");
    }
    static const char *const odd[] = {"<?xml version='1.0' encoding = 'gb2312' ?>", "<?xml version='1.0'\nencoding\t=\n\"latin1\"?>", "<?xml version='1.0' encoding=UTF-8?>",
                                      "<?xml version='1.0' encoding='UTF-8\"?>", "<?xml version='1.0' encoding='UTF-8x'?>", "<?xml version='1.0' encoding=?>"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        snprintf(xml, sizeof xml, "%s" HEAD BODY TAIL, odd[i]);
        refuse(bytes_of(xml), "line 1: encoding: want UTF-8");
    }
    static const char *const fine[] = {"<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding='utf-8'?>", "<?xml version='1.0' encoding = \"UTF-8\" standalone='yes'?>"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct record r;
        struct err e = {0};
        snprintf(xml, sizeof xml, "%s" HEAD BODY TAIL, fine[i]);
        if (parse(&r, bytes_of(xml), &e) < 0)
            fail_msg("%s: %s", fine[i], e.msg);
        record_free(&r);
    }
    uint8_t wide[1200];
    size_t n = strlen(HEAD TAIL);
    for (size_t i = 0; i < n; i++) {
        wide[2 * i] = (uint8_t)(HEAD TAIL)[i];
        wide[2 * i + 1] = 0;
    }
    refuse((struct bytes){wide, 2 * n}, "NUL byte");                              /* UTF-16 little endian without a mark */
}

/* Depth, attributes, elements, bytes: each bound is refused by name, and just below it the schema decides. */
static void test_bounds(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, HEAD);
    for (int i = 0; i < 8; i++)
        buf_str(&b, "<a>");
    refuse(buf_bytes(&b), "elements nest deeper than 8");
    buf_clear(&b);
    buf_str(&b, "<status xmlns=\"" NS "\"");
    for (int i = 0; i < 33; i++)
        buf_fmt(&b, " a%d=\"1\"", i);
    buf_str(&b, "/>");
    refuse(buf_bytes(&b), "more than 32 attributes");
    buf_clear(&b);
    buf_str(&b, "<status xmlns=\"" NS "\" xmlns:a=\"a\" xmlns:b=\"b\"/>");
    refuse(buf_bytes(&b), "more than 32 attributes");
    buf_clear(&b);
    buf_str(&b, HEAD);
    for (int i = 0; i < 20001; i++)
        buf_str(&b, "<a/>");
    buf_str(&b, TAIL);
    refuse(buf_bytes(&b), "more than 20000 elements");
    buf_clear(&b);
    buf_str(&b, HEAD "<event>");
    while (b.n <= (size_t)8 << 20)
        buf_str(&b, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    buf_str(&b, "</event>" TAIL);
    refuse(buf_bytes(&b), "want 1 to 8388608 bytes");
    buf_clear(&b);
}

/* Schema violations name element and rule, never the value: it may be somebody's name. */
static void test_schema_violations_keep_values_to_themselves(void **state)
{
    (void)state;
    static const struct { const char *xml, *words; } t[] = {
        {HEAD TAIL, "Missing child element(s)"},
        {HEAD BODY "<event>again</event>" TAIL, "event"},
        {HEAD "<event>x</event><secret/>" TAIL, "secret"},
        {"<other xmlns=\"" NS "\"/>", "other"},
        {"<status/>", "status"},
        {"<status xmlns=\"urn:hz:record:2\"/>", "status"},
        {"<status xmlns=\"" NS "\" case=\"ZHANGSAN\" seq=\"1\" state=\"a\" stage=\"1\" final=\"false\" at=\"2026-11-23T09:41:06Z\"><event/></status>", "attribute 'case'"},
        {"<status xmlns=\"" NS "\" case=\"3407261100000012\" seq=\"ZHANGSAN\" state=\"a\" stage=\"1\" final=\"false\" at=\"2026-11-23T09:41:06Z\"><event/></status>", "attribute 'seq'"},
        {"<status xmlns=\"" NS "\" case=\"3407261100000012\" seq=\"1\" state=\"a\" stage=\"6\" final=\"false\" at=\"2026-11-23T09:41:06Z\"><event/></status>", "attribute 'stage'"},
        {HEAD "<value field=\"ZHANGSAN\">1</value><event/>" TAIL, "attribute 'field'"},
        {HEAD "ZHANGSAN<event/>" TAIL, "Character content"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct record r;
        struct err e = {0};
        assert_int_equal(parse(&r, bytes_of(t[i].xml), &e), -1);
        if (strstr(e.msg, "ZHANGSAN"))
            fail_msg("a value in the sentence: %s", e.msg);
        assert_error(-1, &e, ERR_INPUT, t[i].words);
    }
}

static void test_unknown_kind_is_held(void **state)
{
    (void)state;
    struct record r;
    struct err e = {0};
    assert_error(record_parse(&r, parser, 'R', "next-year", bytes_of("<a/>"), &e), &e, ERR_HELD, "'next-year' has no schema here");
    assert_error(record_parse(&r, parser, 'R', "../../etc/passwd", bytes_of("<a/>"), &e), &e, ERR_HELD, "no schema here");
    assert_error(record_parse(&r, parser, 'X', "status", bytes_of("<a/>"), &e), &e, ERR_HELD, "malformed request");
}

/* What the writer wrote, the reader reads: every character XML can carry. */
static void test_writer_and_reader_agree(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plain", "a&b<c>d\"e'f", "]]>", "张三·李四", "𠮷𪚥", "tab\tline\nreturn\r end", "&amp;", "\xf4\x8f\xbf\xbd", "\xee\x80\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct xml_out x;
        struct record r;
        struct err e = {0};
        xml_begin(&x, "status", NS);
        xml_attr(&x, "case", "3407261100000012");
        xml_attr_int(&x, "seq", 1);
        xml_attr(&x, "state", "a");
        xml_attr_int(&x, "stage", 5);
        xml_attr(&x, "final", "true");
        xml_attr(&x, "at", "2026-11-23T09:41:06Z");
        xml_open(&x, "value");
        xml_attr(&x, "field", "a");
        xml_text(&x, texts[i]);
        xml_close(&x);
        xml_open(&x, "event");
        if (xml_end(&x, &e) < 0 || parse(&r, buf_bytes(&x.out), &e) < 0)
            fail_msg("'%s': %s", texts[i], e.msg);
        assert_string_equal(rec_child_text(r.root, "value"), texts[i]);
        record_free(&r);
        buf_clear(&x.out);
    }
}

/* What XML cannot carry never leaves the house. */
static void test_writer_refuses_what_xml_cannot_carry(void **state)
{
    (void)state;
    static const char *const texts[] = {"\x01", "\x1b[0m", "a\x7f\x80", "\xc0\x80", "\xed\xa0\x80", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf4\x90\x80\x80", "\xe4\xba", "\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int attr = 0; attr < 2; attr++) {
            struct xml_out x;
            struct err e = {0};
            xml_begin(&x, "a", NS);
            if (attr)
                xml_attr(&x, "b", texts[i]);
            else
                xml_text(&x, texts[i]);
            assert_error(xml_end(&x, &e), &e, ERR_INPUT, "a character that XML cannot carry");
            buf_clear(&x.out);
        }
}

static void test_attribute_values_cannot_break_out(void **state)
{
    (void)state;
    struct xml_out x;
    struct err e = {0};
    xml_begin(&x, "a", "ns");
    xml_attr(&x, "b", "\"><x y='1'>&\n\t\r");
    xml_open(&x, "c");
    xml_close(&x);
    xml_text(&x, "\"'>");
    assert_int_equal(xml_end(&x, &e), 0);
    assert_string_equal(buf_text(&x.out), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"ns\" b=\"&quot;&gt;&lt;x y='1'&gt;&amp;&#10;&#9;&#13;\"><c/>\"'&gt;</a>\n");
    buf_clear(&x.out);
}

/* --- a parser that lies: whatever bytes come back, the decoder answers with a record or with ERR_HELD, and reads nothing beyond them --- */

static int lie(struct bytes request, struct buf *answer, void *arg, struct err *e)
{
    (void)arg; (void)e;
    struct cursor c = {.in = request};
    cur_u8(&c);
    cur_take(&c, cur_u16(&c));
    buf_put(answer, request.p + c.at, request.n - c.at);
    return 0;
}

static void test_decoder_trusts_nothing(void **state)
{
    (void)state;
    static const char *const args[] = {"lie", NULL};
    static const uint8_t good[] = "S\0\1a" "A\0\1b\0\0\0\1c" "T\0\0\0\2hi" "S\0\1d" "CC";
    struct child_options o = {.path = "/proc/self/exe", .argv = args, .n = 1, .max_answer = 1 << 20, .deadline_ms = 5000, .clean_env = true};
    struct child_pool *liar;
    struct err e = {0};
    struct record r;
    assert_int_equal(child_pool_open(&liar, &o, &e), 0);
    assert_int_equal(record_parse(&r, liar, 'R', "x", (struct bytes){good, sizeof good - 1}, &e), 0);
    assert_string_equal(r.root->text, "hi");
    assert_string_equal(rec_child(r.root, "d")->name, "d");
    record_free(&r);
    for (size_t n = 0; n < sizeof good - 1; n++)                                    /* every truncation */
        assert_error(record_parse(&r, liar, 'R', "x", (struct bytes){good, n}, &e), &e, ERR_HELD, "parser: answered nonsense");
    for (size_t at = 0; at < sizeof good - 1; at++)                                 /* every flipped bit */
        for (int bit = 0; bit < 8; bit++) {
            uint8_t flipped[sizeof good];
            memcpy(flipped, good, sizeof good);
            flipped[at] ^= (uint8_t)(1 << bit);
            if (record_parse(&r, liar, 'R', "x", (struct bytes){flipped, sizeof good - 1}, &e) == 0)
                record_free(&r);
            else
                assert_error(-1, &e, ERR_HELD, "parser:");
        }
    static const char *const odd[] = {"C", "CC", "S", "T", "A", "Q", "S\1", "SS"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_error(record_parse(&r, liar, 'R', "x", bytes_of(odd[i]), &e), &e, ERR_HELD, "parser:");
    static const uint8_t late[] = "S\0\1a" "S\0\1d" "C" "A\0\1b\0\0\0\1c" "C";      /* an attribute behind a child */
    assert_error(record_parse(&r, liar, 'R', "x", (struct bytes){late, sizeof late - 1}, &e), &e, ERR_HELD, "attribute in the wrong place");
    static const uint8_t two[] = "S\0\1a" "C" "S\0\1b" "C";                         /* two roots */
    assert_error(record_parse(&r, liar, 'R', "x", (struct bytes){two, sizeof two - 1}, &e), &e, ERR_HELD, "nonsense");
    struct buf deep;                                                                /* 9 levels, 1 more than allowed */
    buf_init(&deep, 0);
    for (int i = 0; i < 9; i++)
        buf_put(&deep, "S\0\1a", 4);
    buf_str(&deep, "CCCCCCCCC");
    assert_error(record_parse(&r, liar, 'R', "x", buf_bytes(&deep), &e), &e, ERR_HELD, "nonsense");
    assert_int_equal(record_parse(&r, liar, 'R', "x", (struct bytes){deep.p + 4, deep.n - 5}, &e), 0);
    record_free(&r);
    buf_clear(&deep);
    child_pool_close(liar);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_elements_attributes_text), cmocka_unit_test(test_refuses_what_only_attackers_send),
        cmocka_unit_test(test_refuses_what_is_not_well_formed), cmocka_unit_test(test_refuses_other_encodings), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_schema_violations_keep_values_to_themselves), cmocka_unit_test(test_unknown_kind_is_held),
        cmocka_unit_test(test_writer_and_reader_agree), cmocka_unit_test(test_writer_refuses_what_xml_cannot_carry),
        cmocka_unit_test(test_attribute_values_cannot_break_out), cmocka_unit_test(test_decoder_trusts_nothing),
    };
    if (argc > 1 && strcmp(argv[1], "lie") == 0)
        return child_serve(lie, NULL, 1 << 20) < 0 ? 1 : 0;
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, open_parser, close_parser);
}
