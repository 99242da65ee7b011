#include "internet-side/domain/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static int refuse(char field[48], struct err *e, const char *name, const char *want, const char *have)
{
    snprintf(field, 48, "%.47s", name);
    text_mend(field, '?');               /* somebody's name of a member, cut within a character: the answer could not say it */
    return err_set(e, ERR_INPUT, "%.47s: want %s, have %s", name, want, have);
}

static const char *kind_of(const json_t *v)
{
    static const char *const names[] = { "object", "array", "text", "number", "number", "true", "false", "null" };
    return v ? names[json_typeof(v)] : "nothing";
}

/* Every member of the object is among the names (NULL at the end). */
static int only_known(const json_t *o, const char *const *names, char field[48], struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            return refuse(field, e, key, "no such member", kind_of(v));
    }
    return 0;
}

static int read_id(struct id128 *out, const json_t *v, const char *name, char field[48], struct err *e)
{
    const char *s = json_string_value(v);
    if (!s || !id_valid(s))
        return refuse(field, e, name, "32 lower-case hex digits", s ? "other text" : kind_of(v));
    memcpy(out->s, s, sizeof out->s);
    return 0;
}

static int read_number(long *out, const json_t *v, const char *name, long min, long max, char field[48], struct err *e)
{
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
        char want[64];
        snprintf(want, sizeof want, "a whole number from %ld to %ld", min, max);
        return refuse(field, e, name, want, json_is_integer(v) ? "another number" : kind_of(v));
    }
    *out = (long)json_integer_value(v);
    return 0;
}

static int read_slot(struct draft_slot *out, const json_t *v, char field[48], struct err *e)
{
    static const char *const names[] = { "material", "alternative", "pages", NULL };
    const json_t *pages = json_object_get(v, "pages"), *page, *alternative = json_object_get(v, "alternative");
    long no, which = -1;
    size_t i;
    if (!json_is_object(v))
        return refuse(field, e, "materials", "objects", kind_of(v));
    if (only_known(v, names, field, e) < 0 || read_number(&no, json_object_get(v, "material"), "material", 0, 99, field, e) < 0)
        return -1;
    if (alternative && read_number(&which, alternative, "alternative", 0, 99, field, e) < 0)
        return -1;
    if (!json_is_array(pages) || json_array_size(pages) > DRAFT_MAX_PAGES)
        return refuse(field, e, "pages", "a list of at most 40", json_is_array(pages) ? "more" : kind_of(pages));
    out->no = (int)no;
    out->alternative = (int)which;
    if (!(out->pages = calloc(json_array_size(pages) + 1, sizeof *out->pages)))
        return err_set(e, ERR_INTERNAL, "draft: no memory");
    json_array_foreach(pages, i, page)
        if (read_id(&out->pages[out->n++], page, "pages", field, e) < 0)
            return -1;
    return 0;
}

static int read_slots(struct draft *out, const json_t *list, char field[48], struct err *e)
{
    size_t i;
    const json_t *v;
    if (!json_is_array(list) || json_array_size(list) > DRAFT_MAX_SLOTS)
        return refuse(field, e, "materials", "a list of at most 60", json_is_array(list) ? "more" : kind_of(list));
    json_array_foreach(list, i, v) {
        struct draft_slot *slot = &out->slots[out->n_slots++];
        if (read_slot(slot, v, field, e) < 0)
            return -1;
        for (size_t k = 0; k + 1 < out->n_slots; k++)
            if (out->slots[k].no == slot->no)
                return refuse(field, e, "material", "each slot once", "one twice");
    }
    return 0;
}

static int read_untypeable(struct draft *out, const json_t *list, char field[48], struct err *e)
{
    static const char *const names[] = { "field", "pinyin", "page", NULL };
    size_t i;
    const json_t *v;
    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > DRAFT_MAX_UNTYPEABLE)
        return refuse(field, e, "untypeable", "a list of at most 10", json_is_array(list) ? "more" : kind_of(list));
    json_array_foreach(list, i, v) {
        struct draft_untypeable *u = &out->untypeable[out->n_untypeable++];
        if (!json_is_object(v))
            return refuse(field, e, "untypeable", "objects", kind_of(v));
        if (only_known(v, names, field, e) < 0 || read_id(&u->page, json_object_get(v, "page"), "page", field, e) < 0)
            return -1;
        u->field = json_string_value(json_object_get(v, "field"));
        u->pinyin = json_string_value(json_object_get(v, "pinyin"));
        if (!u->field || !u->pinyin)
            return refuse(field, e, u->field ? "pinyin" : "field", "text", "none");
    }
    return 0;
}

int draft_parse(struct draft *out, const json_t *body, enum draft_shape shape, char field[48], struct err *e)
{
    static const char *const known[][8] = {
        [DRAFT_CHECK] = { "draft", "item", "config_version", "entries", "materials", "untypeable", NULL },
        [DRAFT_SUBMIT] = { "draft", "item", "config_version", "entries", "materials", "untypeable", "evidence", NULL },
        [DRAFT_SUPPLEMENT] = { "draft", "entries", "materials", NULL },
    };
    memset(out, 0, sizeof *out);
    field[0] = 0;
    if (!json_is_object(body))
        return refuse(field, e, "body", "an object", kind_of(body));
    if (only_known(body, known[shape], field, e) < 0 || read_id(&out->id, json_object_get(body, "draft"), "draft", field, e) < 0)
        return -1;
    out->entries = json_object_get(body, "entries");
    if (!json_is_object(out->entries))
        return refuse(field, e, "entries", "an object", kind_of(out->entries));
    if (shape != DRAFT_SUPPLEMENT) {
        const char *item = json_string_value(json_object_get(body, "item"));
        long config;
        if (!item || strlen(item) != 5)
            return refuse(field, e, "item", "a code like HJ001", item ? "other text" : kind_of(json_object_get(body, "item")));
        memcpy(out->item, item, 6);
        if (read_number(&config, json_object_get(body, "config_version"), "config_version", 1, INT32_MAX, field, e) < 0)
            return -1;
        out->config = (uint32_t)config;
    }
    if (shape == DRAFT_SUBMIT && read_id(&out->evidence, json_object_get(body, "evidence"), "evidence", field, e) < 0)
        return -1;
    return read_slots(out, json_object_get(body, "materials"), field, e) < 0 ? -1
         : read_untypeable(out, json_object_get(body, "untypeable"), field, e);
}

void draft_clear(struct draft *d)
{
    for (size_t i = 0; i < d->n_slots; i++)
        free(d->slots[i].pages);
    d->n_slots = 0;
}
