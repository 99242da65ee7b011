/* form_material.c - which papers this person needs, and whether they are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form_parts.h"
#include "common/text.h"

static bool same_group(const struct material *a, const struct material *b)
{
    return a->need == NEED_ONE_OF && b->need == NEED_ONE_OF && strcmp(a->group, b->group) == 0;
}

static enum form_need need_of(const struct material *m, const json_t *clean)
{
    if (m->manual)
        return FORM_OPTIONAL;
    if (!form_holds(&m->when, clean))
        return FORM_HIDDEN;
    return m->need == NEED_ONE_OF ? FORM_ONE_OF : FORM_REQUIRED;
}

/* When the answers leave one paper of a group, there is no choice: say "required". */
static void settle_groups(struct form_material *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t shown = 0;
        for (size_t k = 0; k < n && v[i].need == FORM_ONE_OF; k++)
            shown += same_group(v[i].m, v[k].m) && v[k].need != FORM_HIDDEN;
        if (shown == 1)
            v[i].need = FORM_REQUIRED;
    }
}

int form_materials(struct form_material **out, size_t *n, const struct catalogue *c, const char *item, const json_t *clean, struct err *e)
{
    const struct item *it = catalogue_item_for(c, item, clean);
    if (!it)
        return err_set(e, ERR_MISSING, "form: want a known item, have another");
    struct form_material *v = calloc(it->n_materials + 1, sizeof *v);
    if (!v)
        return err_set(e, ERR_INTERNAL, "form: no memory");
    *n = 0;
    for (size_t i = 0; i < it->n_materials; i++)
        if (!it->materials[i].police)
            v[(*n)++] = (struct form_material){ &it->materials[i], need_of(&it->materials[i], clean) };
    settle_groups(v, *n);
    *out = v;
    return 0;
}

struct papers {
    struct form_report *out;
    const struct catalogue *c;
    const struct form_material *v; size_t n;
    const struct form_slot *slots; size_t n_slots;
    int failed;
};

static void find(struct papers *p, const char *where, const char *rule, const char *wanted, const char *have, const struct words *w)
{
    char path[64];
    snprintf(path, sizeof path, "material.%.40s", where);
    form_find(p->out, p->c, path, rule, NULL, wanted, have, w, &p->failed);
}

static bool takes_licence(const struct material *m)
{
    bool any = m->e_licence != NULL;
    for (size_t i = 0; i < m->n_alternatives; i++)
        any = any || m->alternatives[i].e_licence;
    return any;
}

static bool given(const struct papers *p, const struct material *m)
{
    for (size_t i = 0; i < p->n_slots; i++)
        if (p->slots[i].no == m->no && (p->slots[i].pages > 0 || (p->slots[i].licence && takes_licence(m))))
            return true;
    return false;
}

static bool untypeable(const json_t *v)
{
    const char *key;
    json_t *x;
    size_t i;
    if (json_is_string(v))
        return text_has_untypeable(bytes_of(json_string_value(v)));
    json_array_foreach((json_t *)v, i, x)
        if (untypeable(x))
            return true;
    json_object_foreach((json_t *)v, key, x)
        if (untypeable(x))
            return true;
    return false;
}

static void check_slot(struct papers *p, size_t i, const json_t *clean)
{
    const struct form_slot *s = &p->slots[i];
    const struct form_material *m = NULL;
    char no[16], pages[16], most[16];
    snprintf(no, sizeof no, "%d", s->no);
    snprintf(pages, sizeof pages, "%d", s->pages);
    snprintf(most, sizeof most, "%d", FORM_MAX_PAGES);
    for (size_t k = 0; k < p->n; k++)
        if (p->v[k].m->no == s->no)
            m = &p->v[k];
    const struct words w = { .material = m ? m->m->plain : "打不出来的字", .max = most };
    for (size_t k = 0; k < i; k++)
        if (p->slots[k].no == s->no) {
            find(p, no, "material_repeated", "once", "twice", &w);
            return;
        }
    if (!m && !(s->no == FORM_SLOT_CHARACTER && untypeable(clean)))
        find(p, no, "material_unknown", "", no, &w);
    else if (m && m->need == FORM_HIDDEN && (s->pages > 0 || s->licence))
        find(p, no, "material_hidden", "0", pages, &w);
    else if (s->pages > FORM_MAX_PAGES || s->pages < 0)
        find(p, no, "material_pages", most, pages, &w);
}

/* Names of a group's papers that are shown, each in its marks. */
static void group_names(struct buf *b, const struct papers *p, const struct material *of)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!same_group(p->v[i].m, of) || p->v[i].need == FORM_HIDDEN)
            continue;
        buf_str(b, b->n ? "、" : "");
        buf_fmt(b, "“%s”", p->v[i].m->plain);
    }
}

static bool first_of_group(const struct papers *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_group(p->v[k].m, p->v[i].m) && p->v[k].need != FORM_HIDDEN)
            return false;
    return true;
}

static void check_group(struct papers *p, size_t i)
{
    struct buf b;
    if (!first_of_group(p, i))
        return;
    for (size_t k = 0; k < p->n; k++)
        if (same_group(p->v[k].m, p->v[i].m) && p->v[k].need != FORM_HIDDEN && given(p, p->v[k].m))
            return;
    buf_init(&b, 4096);
    group_names(&b, p, p->v[i].m);
    const struct words w = { .materials = buf_text(&b) };
    find(p, p->v[i].m->group, "material_group", "1", "0", &w);
    buf_clear(&b);
}

static void check_need(struct papers *p, size_t i)
{
    char no[16];
    const struct words w = { .material = p->v[i].m->plain };
    if (p->v[i].need == FORM_ONE_OF) {
        check_group(p, i);
    } else if (p->v[i].need == FORM_REQUIRED && !given(p, p->v[i].m)) {
        snprintf(no, sizeof no, "%d", p->v[i].m->no);
        find(p, no, "material_required", "1", "0", &w);
    }
}

int form_check_materials(struct form_report *out, const struct catalogue *c, const char *item, const json_t *clean,
                         const struct form_slot *slots, size_t n_slots, struct err *e)
{
    struct form_material *v = NULL;
    size_t n;
    if (form_materials(&v, &n, c, item, clean, e) < 0)
        return -1;
    struct papers p = { .out = out, .c = c, .v = v, .n = n, .slots = slots, .n_slots = n_slots };
    for (size_t i = 0; i < n_slots; i++)
        check_slot(&p, i, clean);
    for (size_t i = 0; i < n; i++)
        check_need(&p, i);
    free(v);
    return p.failed < 0 ? err_set(e, ERR_INTERNAL, "form: no memory") : 0;
}
