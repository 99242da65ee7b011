/* fuzz_intranet_changes.c - changes of the configuration: what administrators send, and what the other side wishes. The first byte picks: 'p' a list of changes as
 * JSON, 't' changes (tree.h) of a real list that is good, 'd' 's' 'r' the body of a draft, of a submission, of a release, 'w' 'q' the XML of a configuration-wish and
 * of a search-report through the parser's code.
 * What must hold: findings can be said; a list without findings lies under keys of its own, each of them, and is refused by the loader with a finding or loads,
 * and then its words can be said and the way there and back is the same; a body that is taken is what it says; a record is taken whole or refused with a sentence, and
 * no text of a search-report that is taken carries a number. */
#include <assert.h>
#include <string.h>

#include "common/parser/document.c"
#include "common/record.h"
#include "common/text.h"
#include "intranet-side/domain/change.h"
#include "intranet-side/service/editing.c"
#include "intranet-side/service/searches.h"
#include "intranet-side/service/wish.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/small.h"
#include "tests/fuzz/tree.h"

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

static void said(const json_t *findings)
{
    size_t i;
    json_t *f;
    json_array_foreach(findings, i, f) {
        assert(*text_of(f, "field") && *text_of(f, "rule") && *text_of(f, "message"));
        assert(text_length(bytes_of(text_of(f, "message"))) > 0);
    }
}

static void between(const json_t *from, const json_t *to)
{
    json_t *way = changes_between(from, to), *there = changes_merge(from, way);
    assert(json_equal(there, (json_t *)to));
    json_decref(way);
    json_decref(there);
}

static void laid(const json_t *changes)
{
    struct catalogue *next = NULL;
    struct err e = {0};
    json_t *none = json_object(), *all = changes_merge(none, changes), *k;
    size_t i, values = 0;
    json_array_foreach(changes, i, k) values += json_object_get(k, "value") != NULL;
    assert(json_object_size(all) == values);
    between(none, all);
    between(all, none);
    if (changes_apply(&next, small_catalogue(), all, 2, &e) < 0) {
        json_t *list = json_array();
        assert(e.code == ERR_INPUT && e.msg[0]);
        json_array_append_new(list, changes_refusal(&e));
        assert(json_array_size(list) == 1);
        said(list);
        json_decref(list);
    } else {
        json_t *words = changes_words(changes, small_catalogue(), next);
        json_array_foreach(words, i, k) assert(*text_of(k, "label") && json_is_string(json_object_get(k, "before")) && json_is_string(json_object_get(k, "after")));
        json_decref(words);
        catalogue_unref(next);
    }
    json_decref(none);
    json_decref(all);
}

static void list(const json_t *changes)
{
    json_t *findings = changes_findings(changes, small_catalogue());
    assert(findings);
    said(findings);
    if (json_array_size(findings) == 0)
        laid(changes);
    json_decref(findings);
}

static const char real_list[] =
    "[{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"plain_name\",\"value\":\"新生儿落户\"},"
    "{\"region\":\"\",\"item\":\"HJ001\",\"path\":\"search\",\"value\":[\"宝宝\",\"上户口\"]},"
    "{\"region\":\"340797\",\"item\":\"HJ001\",\"path\":\"facts.fee\",\"value\":\"不收费\"},"
    "{\"region\":\"340797\",\"item\":\"HJ039\",\"path\":\"online_open\",\"value\":false},"
    "{\"region\":\"\",\"item\":\"HJ050\",\"path\":\"steps\",\"value\":[\"提交\",\"审核\"]},"
    "{\"region\":\"\",\"item\":\"form:birth\",\"path\":\"fields.child_name.ask\",\"value\":\"孩子叫什么？\"},"
    "{\"region\":\"\",\"item\":\"form:birth\",\"path\":\"fields.mother_name.visible_when\",\"value\":[{\"field\":\"settle_with\",\"in\":[\"mother\"]}]},"
    "{\"region\":\"\",\"item\":\"form:move_in_house\",\"path\":\"fields.applicant_relation.allow\",\"value\":[\"52\"]},"
    "{\"region\":\"\",\"item\":\"guide\",\"path\":\"nodes.other.question\",\"value\":\"要办哪一样？\"},"
    "{\"region\":\"\",\"item\":\"guide\",\"path\":\"nodes.birth.place.hint\",\"value\":null},"
    "{\"region\":\"\",\"item\":\"guide\",\"path\":\"nodes.other.answers.1.label\",\"value\":\"买房落户\"},"
    "{\"region\":\"\",\"item\":\"guide\",\"path\":\"events.birth.title\",\"value\":\"生孩子\"},"
    "{\"region\":\"\",\"item\":\"HJ039\",\"path\":\"closed_note\",\"reset\":true},"
    "{\"region\":\"\",\"item\":\"HJ050\",\"path\":\"materials\",\"value\":[{\"no\":1,\"name\":\"购房合同\",\"requirement\":\"conditional\",\"condition\":\"买房的\","
    "\"when\":[{\"field\":\"applicant_relation\",\"in\":[\"52\"]}]},{\"no\":2,\"name\":\"户口簿\",\"requirement\":\"required\"}]}]";

static void changed(const uint8_t *data, size_t size)
{
    static json_t *real;
    if (!real)
        real = json_loads(real_list, 0, NULL);
    assert(real);
    json_t *mine = json_deep_copy(real);
    tree_changes(mine, data, size);
    json_t *findings = size ? NULL : changes_findings(mine, small_catalogue());
    if (json_array_size(findings)) {
        fprintf(stderr, "the real list: %s\n", json_dumps(findings, 0));
        abort();
    }
    json_decref(findings);
    list(mine);
    json_decref(mine);
}

static void body(const json_t *v, const char *keys)
{
    struct body b;
    struct reply r = {0};
    struct err e = {0};
    if (body_take(&b, v, keys, &r, &e) < 0) {
        assert(e.code == ERR_INPUT && r.zh[0] && text_length(bytes_of(r.zh)) > 0);
        said(r.fields);
    } else {
        assert(text_length(bytes_of(b.title)) <= 60 && text_length(bytes_of(b.reason)) <= 300 && b.version >= 0 && b.base >= 0);
        assert(!strstr(keys, " changes ") || json_is_array(b.changes));
        assert(!strstr(keys, " reason ") || *b.reason);
    }
    reply_clear(&r);
}

static struct core *core_of(void)
{
    static struct core c;
    struct err e = {0};
    if (!c.catalogue && document_setup("schemas/xsd", &e) < 0)
        abort();
    c.catalogue = small_catalogue();
    return &c;
}

static void wish(struct bytes xml)
{
    struct in_item it = {.id = "0123456789abcdef0123456789abcdef", .kind = "configuration-wish", .case_no = "", .now_ms = 1790000000000};
    struct err e = {0};
    void *p = NULL;
    if (wish_prepare(core_of(), &it, xml, &p, &e) < 0) {
        assert(e.code != ERR_NONE && e.code != ERR_INTERNAL && e.msg[0] && !p);
        return;
    }
    const struct change_set *s = p;
    assert(*s->title && text_length(bytes_of(s->title)) > 0 && text_length(bytes_of(s->wish)) >= 0 && json_array_size(s->changes) <= CHANGES_MAX);
    list(s->changes);
    wish_discard(p);
}

static void report(struct bytes xml)
{
    struct in_item it = {.id = "0123456789abcdef0123456789abcdef", .kind = "search-report", .case_no = "", .now_ms = 1795400000000};
    struct err e = {0};
    void *p = NULL;
    if (search_report_prepare(core_of(), &it, xml, &p, &e) < 0) {
        assert(e.code != ERR_NONE && e.code != ERR_INTERNAL && e.msg[0] && !p);
        return;
    }
    for (const struct rec_node *n = rec_child(((struct record *)p)->root, "search"); n; n = rec_next(n, "search")) {
        const char *text = rec_attr(n, "text");
        assert(text_length(bytes_of(text)) >= 2 && text_length(bytes_of(text)) <= 40 && strspn(text, "0123456789") < 6);
    }
    search_report_discard(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct bytes rest = {data + 1, size - 1};
    if (data[0] == 't')
        changed(rest.p, rest.n);
    if (data[0] == 'w')
        wish(rest);
    if (data[0] == 'q')
        report(rest);
    json_t *v = strchr("pdsr", data[0]) ? json_loadb((const char *)rest.p, rest.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!v)
        return 0;
    switch (data[0]) {
    case 'p': list(v); break;
    case 'd': body(v, " title changes version "); break;
    case 's': body(v, " version reason "); break;
    case 'r': body(v, " version base "); break;
    }
    json_decref(v);
    return 0;
}
