/* catalogue_templates.c - papers that people write themselves: each template is well formed, and where a material names one its blanks
 * are fields of that form. Filling in happens on the citizen's device. */
#include <stdio.h>
#include <string.h>

#include "common/catalogue_parts.h"

static const json_t *template_of(const struct catalogue *c, const char *id)
{
    size_t i;
    json_t *t;
    json_array_foreach(json_object_get(c->root, "templates"), i, t) {
        const char *have = json_string_value(json_object_get(t, "id"));
        if (have && strcmp(have, id) == 0)
            return t;
    }
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

static int template_shape(const json_t *t, struct err *e)
{
    const struct place owner = place_of("catalogue/templates.json");
    const char *id, *text;
    const json_t *list;
    if (text_key(&id, t, "id", true, &owner, e) < 0)
        return -1;
    const struct place at = place_of("%s: %s", owner.s, id);
    return text_key(&text, t, "title", true, &at, e) < 0 || text_key(&text, t, "to", true, &at, e) < 0 ||
                   list_key(&list, t, "paragraphs", true, &at, e) < 0 || list_key(&list, t, "signers", true, &at, e) < 0
               ? -1
               : 0;
}

/* The template that a material names fits the item's form. */
static int use_check(const struct catalogue *c, const struct item *it, const struct material *m, struct err *e)
{
    const struct place owner = place_of("catalogue: %s: material %d", it->code, m->no);
    const char *id;
    size_t i;
    json_t *v;
    if (text_key(&id, m->json, "template", false, &owner, e) < 0)
        return -1;
    const json_t *t = id ? template_of(c, id) : NULL;
    if (id && (!t || m->police))
        return want(e, &owner, "template", "one of catalogue/templates.json, at a paper that the applicant supplies", json_object_get(m->json, "template"));
    if (!t)
        return 0;
    const struct place at = place_of("%s: template %s", owner.s, id);
    if (blanks_known(json_string_value(json_object_get(t, "to")), it->family, &at, e) < 0 || when_known(t, it->family, &at, e) < 0)
        return -1;
    json_array_foreach(json_object_get(t, "paragraphs"), i, v)
        if (paragraph_known(v, it->family, &at, e) < 0)
            return -1;
    return 0;
}

int catalogue_templates_check(const struct catalogue *c, struct err *e)
{
    size_t i;
    json_t *t;
    json_array_foreach(json_object_get(c->root, "templates"), i, t)
        if (template_shape(t, e) < 0)
            return -1;
    for (i = 0; i < c->n_items; i++)
        for (size_t k = 0; k < c->items[i].n_materials; k++)
            if (use_check(c, &c->items[i], &c->items[i].materials[k], e) < 0)
                return -1;
    return 0;
}

json_t *catalogue_templates_of(const struct catalogue *c, const struct item *it)
{
    json_t *out = json_array();
    for (size_t k = 0; k < it->n_materials; k++) {
        const char *id = json_string_value(json_object_get(it->materials[k].json, "template"));
        const json_t *t = id ? template_of(c, id) : NULL;
        json_t *copy = t ? json_copy((json_t *)t) : NULL;
        if (!copy)
            continue;
        json_object_set_new(copy, "material", json_integer(it->materials[k].no));
        json_array_append_new(out, copy);
    }
    return out;
}
