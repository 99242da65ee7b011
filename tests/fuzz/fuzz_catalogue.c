/* fuzz_catalogue.c - a configuration bundle, as it crosses to the internet side. The first byte picks: 'b' the rest is the bundle as bytes, anything else the rest
 * are changes (tree.h) of a real bundle of few services (small.h): guide, search, templates, lists of people, fill_map, rules over rows, a district.
 * What must hold: refused with a sentence, or loaded; what loads is written and loads again as the same bytes; every service of it has what a browser
 * needs, and an application of it can be judged, the entries of an honest one and none at all. */
#include <assert.h>

#include "common/form.h"
#include "common/text.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/small.h"
#include "tests/fuzz/tree.h"

static void judged(const struct catalogue *c, const char *code, const json_t *entries)
{
    const struct form_context ctx = {.today = {2026, 11, 23}};
    struct form_report r;
    struct err e = {0};
    assert(form_check(&r, c, code, entries, &ctx, &e) == 0);
    for (size_t i = 0; i < r.n; i++)
        assert(r.v[i].message && r.v[i].message[0]);
    assert(form_check_materials(&r, c, code, r.clean, NULL, 0, &e) == 0);
    form_report_clear(&r);
}

static void used(const struct catalogue *c)
{
    static json_t *honest;
    if (!honest)
        honest = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}], s:b}", "child_birth_date", "2026-11-20", "applicant_id_no", "34079919900101122X", "target_address", "安徽省铜陵市铜官区", "movers", "name", "张三",
                           "id_no", "34079919900101122X", "has_birth_certificate", 1);
    for (size_t i = 0; i < catalogue_item_count(c); i++) {
        const char *code = catalogue_item_at(c, i)->code;
        json_t *none = json_object(), *shown = catalogue_item_json(c, code, "");
        assert(shown);
        json_decref(shown);
        assert((shown = catalogue_item_json(c, code, SMALL_REGION)));
        json_decref(shown);
        judged(c, code, none);
        judged(c, code, honest);
        json_decref(none);
    }
}

static void again(const struct catalogue *c)
{
    struct catalogue *same = NULL;
    struct err e = {0};
    struct buf text;
    buf_init(&text, 64 << 20);
    assert(catalogue_bundle(&text, c, &e) == 0 && catalogue_load_bundle(&same, buf_bytes(&text), &e) == 0);
    assert(memcmp(catalogue_hash(c), catalogue_hash(same), sizeof(struct hash256)) == 0);
    buf_clear(&text);
    catalogue_unref(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *base;
    struct catalogue *c = NULL;
    struct err e = {0};
    if (!base)
        base = catalogue_document(small_catalogue());
    if (size == 0)
        return 0;
    int rc;
    if (data[0] == 'b') {
        rc = catalogue_load_bundle(&c, (struct bytes){data + 1, size - 1}, &e);
    } else {
        json_t *changed = json_deep_copy(base);
        tree_changes(changed, data + 1, size - 1);
        char *text = json_dumps(changed, JSON_COMPACT);
        rc = catalogue_load_bundle(&c, bytes_of(text), &e);
        free(text);
        json_decref(changed);
    }
    if (rc < 0) {
        assert(e.code == ERR_INPUT && e.msg[0] && !c);
        return 0;
    }
    used(c);
    again(c);
    catalogue_unref(c);
    return 0;
}
