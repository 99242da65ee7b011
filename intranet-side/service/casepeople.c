#include "intranet-side/service/casepeople.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intranet-side/service/core_parts.h"

static const json_t *row_of(const struct dossier *d, const struct repeat *r, size_t row)
{
    const json_t *v = json_array_get(json_object_get(d->entries, r->id), row);
    return json_is_object(v) ? v : NULL;
}

static bool place_make(struct people_place *out, const struct dossier *d, const struct repeat *r, size_t row, const struct field *f)
{
    const json_t *entries = row_of(d, r, row), *value = json_object_get(entries, f->id);
    *out = (struct people_place){.repeat = r, .field = f, .row = row, .entries = entries, .value = value};
    snprintf(out->path, sizeof out->path, "%.60s.%zu.%.48s", r->id, row, f->id);
    return value != NULL;
}

static bool section_has(const struct section *s, const char *repeat)
{
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(s->json, "repeats"), i, id)
        if (json_is_string(id) && strcmp(json_string_value(id), repeat) == 0)
            return true;
    return false;
}

static int each_row(const struct dossier *d, const struct repeat *r, people_fn fn, void *arg, struct err *e)
{
    struct people_place p;
    const size_t n = json_array_size(json_object_get(d->entries, r->id));
    for (size_t row = 0; row < n; row++)
        for (size_t i = 0; i < r->n_fields; i++)
            if (place_make(&p, d, r, row, &r->fields[i]) && fn(&p, arg, e) < 0)
                return -1;
    return 0;
}

int casepeople_each(const struct dossier *d, const struct section *s, people_fn fn, void *arg, struct err *e)
{
    const struct family *f = d->item ? d->item->family : NULL;
    for (size_t i = 0; f && i < f->n_repeats; i++)
        if ((!s || section_has(s, f->repeats[i].id)) && each_row(d, &f->repeats[i], fn, arg, e) < 0)
            return -1;
    return 0;
}

static bool shown(const struct dossier *d, const struct repeat *r)
{
    for (size_t i = 0; i < r->visible_when.n; i++)
        if (!condition_accepts(&r->visible_when.v[i], json_object_get(d->entries, r->visible_when.v[i].field)))
            return false;
    return true;
}

const struct repeat *casepeople_empty(const struct dossier *d, const struct section *s, size_t *at)
{
    const struct family *f = d->item ? d->item->family : NULL;
    while (f && *at < f->n_repeats) {
        const struct repeat *r = &f->repeats[(*at)++];
        if (section_has(s, r->id) && json_array_size(json_object_get(d->entries, r->id)) == 0 && shown(d, r))
            return r;
    }
    return NULL;
}

bool casepeople_find(struct people_place *out, const struct dossier *d, const char *path)
{
    char repeat[61], field[49], rest;
    unsigned row;
    if (!d->item || sscanf(path, "%60[a-z0-9_].%2u.%48[a-z0-9_]%c", repeat, &row, field, &rest) != 3)
        return false;
    const struct repeat *r = family_repeat(d->item->family, repeat);
    for (size_t i = 0; r && i < r->n_fields; i++)
        if (strcmp(r->fields[i].id, field) == 0)
            return place_make(out, d, r, row, &r->fields[i]) && strcmp(out->path, path) == 0;
    return false;
}

static const struct field *number_field(const struct repeat *r)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (r->fields[i].type == FIELD_ID_NUMBER)
            return &r->fields[i];
    return NULL;
}

static const char *usual_column(const struct field *f)
{
    if (f->type == FIELD_ID_NUMBER)
        return "id_no";
    if (f->pattern && f->pattern->person_name && strcmp(f->id, "name") == 0)
        return "name";
    if (f->type == FIELD_DATE && strcmp(f->id, "birth_date") == 0)
        return "birth_date";
    return f->table && strcmp(f->table->id, "GB/T 2261.1") == 0 ? "gender" : NULL;
}

int casepeople_compare(struct compared *out, struct core *c, struct db_conn *conn, const struct dossier *d, const struct people_place *p, json_t **people,
                       struct err *e)
{
    const struct field *by = number_field(p->repeat);
    const char *column = usual_column(p->field);
    struct dossier own = *d;                     /* the same case, with this person's answers as the form */
    struct field f = *p->field;
    json_t *made = NULL;
    *out = (struct compared){COMPARE_NONE, ""};
    own.entries = (json_t *)p->entries;
    if (!json_object_get(f.json, "register")) {
        if (!by || !column)
            return 0;
        made = json_pack("{s:{s:s, s:s}}", "register", "by", by->id, "column", column);
        f.json = made;
    }
    const int rc = registry_compare(out, c, conn, &own, &f, people, e);
    json_decref(made);
    if (rc == 0 && p->field == by && !*out->value)
        snprintf(out->value, sizeof out->value, "没有登记");
    return rc;
}

void casepeople_title(char *out, size_t cap, const struct people_place *p)
{
    snprintf(out, cap, "%s 第 %zu 人", p->repeat->label, p->row + 1);
}
