/* The rules of the internet side that need neither server nor disk. */
#include <jansson.h>
#include <stdio.h>

#include "common/catalogue.h"
#include "internet-side/domain/case_no.h"
#include "internet-side/domain/content.h"
#include "common/filetype.h"
#include "internet-side/domain/public_state.h"
#include "internet-side/domain/query.h"
#include "tests/unit/scratch.h"

/* CIT-08 A number is 3407, month, serial and a digit that finds every single wrong digit. */
static void case_numbers(void **state)
{
    (void)state;
    struct case_no no;
    case_no_make(&no, case_no_month((struct date){ 2026, 11, 23 }), 123);
    assert_int_equal(strlen(no.s), 16);
    assert_memory_equal(no.s, "340726110000123", 15);
    assert_true(case_no_valid(no.s));
    for (int i = 0; i < 16; i++)
        for (char d = '0'; d <= '9'; d++) {
            struct case_no other = no;
            other.s[i] = d;
            assert_int_equal(case_no_valid(other.s), d == no.s[i]);
        }
    static const char *const bad[] = { "", "3407", "34072611000012", "34072611000012345", "340726110000123x", "1234261100001230" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(case_no_valid(bad[i]));
    case_no_make(&no, 2612, CASE_NO_SERIAL_MAX);
    assert_true(case_no_valid(no.s));
}

/* MAT-06 A file is what its first bytes say. */
static void file_types(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t n; const char *type; } cases[] = {
        { "\xff\xd8\xff\xe0", 4, "image/jpeg" }, { "\x89PNG\r\n\x1a\n....", 12, "image/png" }, { "%PDF-1.7", 8, "application/pdf" },
        { "", 0, NULL }, { "\xff\xd8", 2, NULL }, { "\x89PNG\r\n\x1a", 7, NULL }, { " %PDF-1.7", 9, NULL }, { "GIF89a", 6, NULL },
        { "<svg xmlns", 10, NULL }, { "<html>", 6, NULL }, { "PK\x03\x04", 4, NULL }, { "\x7f" "ELF", 4, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *type = filetype_of((struct bytes){ (const uint8_t *)cases[i].bytes, cases[i].n });
        if (cases[i].type)
            assert_string_equal(type, cases[i].type);
        else
            assert_null(type);
    }
    assert_non_null(filetype_known("image/png"));
    assert_null(filetype_known("image/gif"));
}

/* CIT-04 Of a search that found nothing the words are kept, and nothing that points to a person. */
static void queries(void **state)
{
    (void)state;
    static const struct { const char *typed, *kept; } rows[] = {
        { "丢了户口本", "丢了户口本" }, { "  户口本，丢了！ ", "户口本 丢了" }, { "hkb 丢了", "hkb 丢了" }, { "HKB", "hkb" }, { "18岁改名", "18岁改名" },
        { "ｈｋｂ１２", "hkb12" }, { "<script>alert(1)</script>", "script alert 1 script" }, { "=HYPERLINK(\"x\")", "hyperlink x" },
        { "迁户口12345", "迁户口12345" }, { "𠮷姓改名", "𠮷姓改名" },
        /* numbers */
        { "迁户口123456", "迁户口" }, { "身份证34079919900101123x怎么改", "身份证 怎么改" }, { "34079919900101123Ｘ", NULL }, { "13800001234", NULL },
        { "电话 138 0000 1234 改号", "电话 改号" }, { "138-0000-1234", NULL }, { "１３８００００１２３４改号码", "改号码" },
        { "一三八零零零零一二三四改号码", "改号码" }, { "0562-2812345", NULL }, { "1 2 3 4 5 6", NULL },
        /* names and addresses */
        { "我叫张三要改名", "我叫 名" }, { "孩子名叫李小明", "孩子名叫" }, { "姓名是王五", "姓名是" }, { "写信给zhang.san@example.com查", "写信给 查" },
        /* nothing worth keeping */
        { "", NULL }, { "户", NULL }, { "？？", NULL }, { "\xff\xfe", NULL }, { "户口\xff", NULL },
        { "一二三四五六七八九十户口本丢了一二三四五六七八九十户口本丢了户口本丢了户口本丢了户口本丢了户口本丢了", "十户口本丢了 十户口本丢了户口本丢了户口本丢了户口本丢了户口本丢了" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 4096);
        const bool kept = query_clean(&out, bytes_of(rows[i].typed));
        if (kept != (rows[i].kept != NULL) || (kept && strcmp(buf_text(&out), rows[i].kept) != 0))
            fail_msg("%s: want %s, have %s", rows[i].typed, rows[i].kept ? rows[i].kept : "nothing", kept ? buf_text(&out) : "nothing");
        buf_clear(&out);
    }
}

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"

static int parse(struct draft *d, const char *json, enum draft_shape shape, char field[48], struct err *e)
{
    json_t *body = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(body);
    const int rc = draft_parse(d, body, shape, field, e);
    json_decref(body);
    return rc;
}

/* CIT-06 The shape of a draft: everything in it is known, or it is refused by name. */
static void drafts(void **state)
{
    (void)state;
    struct draft d;
    struct err e = {0};
    char field[48];
    const char *good = "{\"draft\":\"" ID_A "\",\"item\":\"HJ001\",\"config_version\":1,\"entries\":{},\"materials\":[{\"material\":2,\"alternative\":1,\"pages\":[\"" ID_B "\"]}]}";
    assert_int_equal(parse(&d, good, DRAFT_CHECK, field, &e), 0);
    assert_int_equal(d.n_slots, 1);
    assert_int_equal(d.slots[0].alternative, 1);
    assert_string_equal(d.slots[0].pages[0].s, ID_B);
    draft_clear(&d);
    assert_error(parse(&d, good, DRAFT_SUBMIT, field, &e), &e, ERR_INPUT, "evidence: want 32");
    draft_clear(&d);
    assert_error(parse(&d, good, DRAFT_SUPPLEMENT, field, &e), &e, ERR_INPUT, "item: want no such member");
    draft_clear(&d);
    static const struct { const char *json, *field; } bad[] = {
        { "[]", "body" }, { "7", "body" }, { "{}", "draft" }, { "{\"draft\":\"" ID_A "\"}", "entries" }, { "{\"draft\":\"x\"}", "draft" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ1\"}", "item" }, { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\"}", "config_version" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":0}", "config_version" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":1}", "materials" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":1,\"materials\":[{\"material\":100,\"pages\":[]}]}", "material" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":1,\"materials\":[{\"material\":1,\"pages\":[\"../../etc\"]}]}", "pages" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":1,\"materials\":[{\"material\":1,\"pages\":[],\"name\":\"x\"}]}", "name" },
        { "{\"draft\":\"" ID_A "\",\"entries\":{},\"item\":\"HJ001\",\"config_version\":1,\"materials\":[],\"untypeable\":[{\"field\":\"a\",\"page\":\"" ID_A "\"}]}", "pinyin" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_error(parse(&d, bad[i].json, DRAFT_CHECK, field, &e), &e, ERR_INPUT, "want");
        assert_string_equal(field, bad[i].field);
        draft_clear(&d);
    }
    /* A name that is too long for the answer is cut, but not within a character: the answer could not name it. */
    assert_error(parse(&d, "{\"a户户户户户户户户户户户户户户户户户户\":1}", DRAFT_CHECK, field, &e), &e, ERR_INPUT, "want no such member");
    assert_string_equal(field, "a户户户户户户户户户户户户户户户?");
    draft_clear(&d);
}

/* The hash is that of the canonical JSON in schemas/xsd/README.md, and every part of the content moves it. */
static void content_hashes(void **state)
{
    (void)state;
    struct content_part part = { .id = { ID_A }, .size = 3 };
    hash_of(&part.hash, bytes_of("abc"));
    struct content_page page = { { ID_B }, "image/jpeg", 3, 1, &part };
    struct content_slot slot = { 0, -1, 1, &page };
    struct draft_untypeable u = { "child_name", "zhé", { ID_B } };
    json_t *entries = json_pack("{s:s, s:b}", "child_name", "陈〓", "married", 0);
    struct content c = { "HJ001", 7, entries, 1, 1, &slot, &u };
    struct hash256 have, want;
    struct err e = {0};
    char hex[65];
    struct buf text;
    buf_init(&text, 0);
    hash_hex(hex, &part.hash);
    buf_fmt(&text, "{\"config\":7,\"entries\":{\"child_name\":\"陈〓\",\"married\":false},\"item\":\"HJ001\",\"materials\":[{\"alternative\":null,\"no\":0,"
                   "\"pages\":[[\"%s\"]]}],\"untypeable\":[{\"field\":\"child_name\",\"page\":0,\"pinyin\":\"zhé\"}]}", hex);
    hash_of(&want, buf_bytes(&text));
    buf_clear(&text);
    assert_int_equal(content_hash(&have, &c, &e), 0);
    assert_true(hash_equal(&have, &want));
    slot.alternative = 2;
    assert_int_equal(content_hash(&have, &c, &e), 0);
    assert_false(hash_equal(&have, &want));
    slot.no = 1;
    assert_error(content_hash(&have, &c, &e), &e, ERR_INPUT, "untypeable 0: page");
    json_decref(entries);
}

static json_t *states_part(void)
{
    json_t *part = json_load_file(SOURCE_DIR "/schemas/messages/public-states.json", 0, NULL);
    assert_non_null(part);
    return part;
}

static const char *text_of(const json_t *state, const char *key) { return json_string_value(json_object_get(state, key)); }

/* CIT-11 A sentence whose placeholder has no value is never shown; buttons of features that are off neither. */
static void public_states(void **state)
{
    (void)state;
    json_t *part = states_part(), *values = json_pack("{s:s}", "unit", "长江路派出所");
    json_t *s = public_state_json(part, "crossing", values, "", true);
    assert_string_equal(text_of(s, "sentence"), "已加密收下，正在送往长江路派出所，一般 1 分钟内");
    assert_int_equal(json_array_size(json_object_get(s, "buttons")), 1);
    json_decref(s);
    s = public_state_json(part, "crossing", values, "slow", false);
    assert_string_equal(text_of(s, "sentence"), "比平时慢，不会丢，不用再交，送到后短信告诉您");
    assert_int_equal(json_array_size(json_object_get(s, "buttons")), 0);
    json_decref(s);
    s = public_state_json(part, "reviewing", values, "", true);
    assert_string_equal(text_of(s, "sentence"), "民警正在审核");
    json_decref(s);
    s = public_state_json(part, "refused", values, "", true);
    assert_string_equal(text_of(s, "sentence"), "不予办理");
    json_decref(s);
    s = public_state_json(part, "completed", values, "mailed", true);
    assert_string_equal(text_of(s, "sentence"), "新户口簿已寄出");
    json_decref(s);
    assert_null(public_state_json(part, "nothing_like_it", values, "", true));
    assert_string_equal(public_state_turn(part, "supplement"), "citizen");
    assert_string_equal(public_state_turn(part, "nothing_like_it"), "none");
    assert_true(public_state_withdrawable(part, "held"));
    assert_false(public_state_withdrawable(part, "completed"));
    json_decref(values);
    json_decref(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(case_numbers), cmocka_unit_test(file_types), cmocka_unit_test(queries), cmocka_unit_test(drafts),
                                        cmocka_unit_test(content_hashes), cmocka_unit_test(public_states) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
