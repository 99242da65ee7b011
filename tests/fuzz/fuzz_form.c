/* fuzz_form.c - entries as they come from outside, through parser, judge and papers. The first byte picks the item, the rest is JSON.
 * Where the rest does not begin with '{' it is changes (tree.h) of an honest application of that item's form (tests/unit/rules-cases.json), lists of people in it.
 * What must hold: no crash, every finding has a sentence, what was judged good is good again and unchanged. */
#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/form.h"
#include "common/text.h"
#include "tests/fuzz/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct catalogue *rules(void)
{
    static struct catalogue *c;
    struct err e = {0};
    if (!c && (sodium_init() < 0 || catalogue_load_dir(&c, "schemas", &e) < 0)) {
        fprintf(stderr, "%s\n", e.msg);
        abort();
    }
    return c;
}

static void judge(const struct catalogue *c, const char *item, const json_t *entries)
{
    const struct form_context ctx = { .today = { 2026, 11, 23 } };
    const struct form_slot slots[] = { { 1, 1, false }, { 2, 0, true }, { 99, 1, false } };
    struct form_report r, again;
    struct err e = {0};
    assert(form_check(&r, c, item, entries, &ctx, &e) == 0);
    for (size_t i = 0; i < r.n; i++)
        assert(r.v[i].message[0] && r.v[i].field[0] && text_length(bytes_of(r.v[i].field)) >= 0);
    if (r.n == 0) {
        assert(form_check(&again, c, item, r.clean, &ctx, &e) == 0);
        assert(again.n == 0 && json_equal(r.clean, again.clean));
        form_report_clear(&again);
    }
    assert(form_check_materials(&r, c, item, r.clean, slots, 3, &e) == 0);
    form_report_clear(&r);
}

static json_t *honest(const struct catalogue *c, const struct family *f)
{
    static json_t *cases;
    const char *key;
    json_t *base, *found = NULL;
    if (!cases && !(cases = json_load_file("tests/unit/rules-cases.json", 0, NULL)))
        abort();
    json_object_foreach(json_object_get(cases, "bases"), key, base) {
        const struct item *it = catalogue_item(c, json_string_value(json_object_get(base, "item")));
        if (!found && it && it->family == f)
            found = json_object_get(base, "entries");
    }
    return found ? json_deep_copy(found) : json_object();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct catalogue *c = rules();
    json_t *entries = NULL;
    struct err e = {0};
    if (size < 1)
        return 0;
    const struct item *it = catalogue_item_at(c, data[0] % catalogue_item_count(c));
    if (size > 1 && data[1] != '{') {
        entries = honest(c, it->family);
        tree_changes(entries, data + 1, size - 1);
        judge(c, it->code, entries);
        json_decref(entries);
        return 0;
    }
    if (form_parse(&entries, (struct bytes){ data + 1, size - 1 }, &e) < 0) {
        assert(e.code == ERR_INPUT || e.code == ERR_TOO_LARGE);
        return 0;
    }
    judge(c, it->code, entries);
    json_decref(entries);
    return 0;
}

#ifdef REPLAY
/* Every file of the folder in argv[1], once. */
int main(int argc, char **argv)
{
    struct dirent **list = NULL;
    const int n = argc == 2 ? scandir(argv[1], &list, NULL, alphasort) : -1;
    int ran = 0;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct buf b;
        struct err e = {0};
        buf_init(&b, 0);
        snprintf(path, sizeof path, "%s/%s", argv[1], list[i]->d_name);
        if (list[i]->d_name[0] != '.' && file_read_path(&b, path, 1u << 20, &e) == 0)
            ran += LLVMFuzzerTestOneInput(b.p ? b.p : (const uint8_t *)"", b.n) == 0;
        buf_clear(&b);
        free(list[i]);
    }
    free(list);
    printf("%d inputs replayed\n", ran);
    return ran > 0 ? 0 : 1;
}
#endif
