/* catalogue_templates.c - papers that people write themselves: which template belongs to which material, and that its blanks are
 * fields of every form it is offered in. Filling in happens on the citizen's device. */
#include <stdio.h>
#include <string.h>

#include "common/catalogue_parts.h"

/* "HJ025:1" for this item: the material's number; 0 for another item. */
static int material_no(const char *ref, const struct item *it)
{
    const size_t n = strlen(it->code);
    struct err none = {0};
    uint64_t no = 0;
    return strncmp(ref, it->code, n) == 0 && ref[n] == ':' && parse_u64(ref + n + 1, 1, 90, &no, "material", &none) == 0 ? (int)no : 0;
}

static const struct item *item_of(const struct catalogue *c, const char *ref)
{
    for (size_t i = 0; i < c->n_items; i++)
        if (material_no(ref, &c->items[i]) > 0)
            return &c->items[i];
    return NULL;
}

/* Every {blank} of the text is a field of the family. */
static int blanks_known(const char *text, const struct family *f, const struct place *at, struct err *e)
{
    for (const char *p = text; (p = strchr(p, '{'));) {
        char id[64];
        const char *end = strchr(p, '}');
        if (!end || (size_t)(end - p) > sizeof id)
            return err_set(e, ERR_INPUT, "%s: want a closed {field}, have \"%.40s\"", at->s, p);
        snprintf(id, sizeof id, "%.*s", (int)(end - p - 1), p + 1);
        if (!family_field(f, id))
            return err_set(e, ERR_INPUT, "%s: want fields of forms/%s.json, have {%s}", at->s, f->id, id);
        p = end;
    }
    return 0;
}

/* `when` of a paragraph or of the whole template asks for fields of the family. */
static int when_known(const json_t *owner, const struct family *f, const struct place *at, struct err *e)
{
    size_t i;
    json_t *k;
    json_array_foreach(json_object_get(owner, "when"), i, k) {
        const char *field;
        if (text_key(&field, k, "field", true, at, e) < 0)
            return -1;
        if (!family_field(f, field))
            return want(e, at, "when", "fields of the family", k);
    }
    return 0;
}

static int paragraph_known(const json_t *v, const struct family *f, const struct place *at, struct err *e)
{
    const char *text = json_is_string(v) ? json_string_value(v) : NULL;
    if ((!text && text_key(&text, v, "text", true, at, e) < 0) || when_known(v, f, at, e) < 0)
        return -1;
    return blanks_known(text, f, at, e);
}

/* One line of `for`: an applicant's material of a known item, and the texts fit its form. */
static int offer_check(const struct catalogue *c, const json_t *t, const json_t *ref, const struct place *at, struct err *e)
{
    const struct item *it = json_is_string(ref) ? item_of(c, json_string_value(ref)) : NULL;
    const int no = it ? material_no(json_string_value(ref), it) : 0;
    const char *to;
    const json_t *paragraphs;
    size_t i;
    json_t *v;
    if (!it || (size_t)no > it->n_materials || it->materials[no - 1].police)
        return want(e, at, "for", "an item and a material that the applicant supplies", ref);
    if (text_key(&to, t, "to", true, at, e) < 0 || blanks_known(to, it->family, at, e) < 0 || when_known(t, it->family, at, e) < 0 ||
        list_key(&paragraphs, t, "paragraphs", true, at, e) < 0)
        return -1;
    json_array_foreach(paragraphs, i, v)
        if (paragraph_known(v, it->family, at, e) < 0)
            return -1;
    return 0;
}

static int template_check(const struct catalogue *c, const json_t *t, json_t *taken, struct err *e)
{
    const struct place owner = place_of("catalogue/templates.json");
    const char *id, *title;
    const json_t *refs, *signers;
    size_t i;
    json_t *ref;
    if (text_key(&id, t, "id", true, &owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: %s", owner.s, id);
    if (text_key(&title, t, "title", true, &at, e) < 0 || list_key(&refs, t, "for", true, &at, e) < 0 ||
        list_key(&signers, t, "signers", true, &at, e) < 0)
        return -1;
    json_array_foreach(refs, i, ref) {
        if (offer_check(c, t, ref, &at, e) < 0)
            return -1;
        if (json_object_get(taken, json_string_value(ref)))
            return want(e, &at, "for", "each material once", ref);
        json_object_set(taken, json_string_value(ref), ref);
    }
    return 0;
}

int catalogue_templates_check(const struct catalogue *c, struct err *e)
{
    const json_t *all = json_object_get(c->root, "templates");
    json_t *taken = json_object(), *t;
    size_t i;
    int rc = 0;
    json_array_foreach(all, i, t)
        if (rc == 0)
            rc = template_check(c, t, taken, e);
    json_decref(taken);
    return rc;
}

json_t *catalogue_templates_of(const struct catalogue *c, const struct item *it)
{
    json_t *out = json_array(), *t, *ref;
    size_t i, k;
    json_array_foreach(json_object_get(c->root, "templates"), i, t)
        json_array_foreach(json_object_get(t, "for"), k, ref) {
            const int no = material_no(json_string_value(ref), it);
            json_t *copy = no > 0 ? json_copy(t) : NULL;
            if (!copy)
                continue;
            json_object_del(copy, "for");
            json_object_set_new(copy, "material", json_integer(no));
            json_array_append_new(out, copy);
        }
    return out;
}
