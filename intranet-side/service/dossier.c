#include "intranet-side/service/dossier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/releases.h"

int dossier_seal(struct buf *out, const struct dossier *d, const char *place, const json_t *value, struct err *e)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = text ? vault_case_seal(out, d->key, place, bytes_of(text), e) : err_set(e, ERR_INTERNAL, "%s: out of memory", place);
    if (text) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
    return rc;
}

int dossier_unseal(json_t **out, const struct secret *key, const char *place, struct bytes sealed, struct err *e)
{
    struct buf plain;
    *out = NULL;
    if (sealed.n == 0)
        return 0;
    buf_init(&plain, 4 << 20);
    int rc = vault_case_unseal(&plain, key, place, sealed, e);
    if (rc == 0 && (*out = json_loadb((const char *)plain.p, plain.n, 0, NULL)) == NULL)
        rc = err_set(e, ERR_CORRUPT, "%s: not JSON", place);
    buf_wipe(&plain);
    return rc;
}

/* A short sealed column into a fixed array. */
static int column_open(char *out, size_t cap, struct core *c, const char *place, const char *no, struct bytes sealed, struct err *e)
{
    char where[96];
    struct buf plain;
    buf_init(&plain, 4096);
    out[0] = '\0';
    snprintf(where, sizeof where, "case_file/%s/%s", place, no);
    int rc = sealed.n ? vault_unseal(&plain, c->vault, where, sealed, e) : 0;
    if (rc == 0)
        rc = str_fmt(out, cap, e, "%s", buf_text(&plain));
    buf_wipe(&plain);
    return rc;
}

int dossier_open(struct dossier *d, struct core *c, struct db_conn *conn, const struct case_file *f, struct err *e)
{
    struct case_sealed s;
    char place[64];
    memset(d, 0, sizeof *d);
    d->f = *f;
    int rc = case_get_sealed(conn, f->no, &s, e);
    if (rc < 0)
        return -1;
    snprintf(place, sizeof place, "case_file/payload/%s", f->no);
    if ((rc = vault_case_key(&d->key, c->vault, conn, f->no, false, e)) == 0 &&
        (rc = dossier_unseal(&d->payload, d->key, place, buf_bytes(&s.payload), e)) == 0 &&
        (rc = column_open(d->id_no, sizeof d->id_no, c, "id_sealed", f->no, buf_bytes(&s.id_no), e)) == 0 &&
        (rc = column_open(d->phone, sizeof d->phone, c, "phone_sealed", f->no, buf_bytes(&s.phone), e)) == 0 &&
        (rc = unit_get(conn, f->unit, &d->unit, e)) == 0 && *d->unit.parent)
        rc = unit_get(conn, d->unit.parent, &d->up, e);
    case_sealed_clear(&s);
    d->entries = json_object_get(d->payload, "entries");
    d->catalogue = releases_version(c, f->config_version);
    if (d->catalogue == NULL)
        d->catalogue = c->catalogue;         /* its bundle is lost: better by the rules in force than not at all */
    d->item = catalogue_item_in(d->catalogue, f->item, catalogue_region_of(d->catalogue, f->unit));
    if (rc < 0)
        dossier_close(d);
    return rc;
}

void dossier_close(struct dossier *d)
{
    json_decref(d->payload);
    secret_free(d->key);
    explicit_bzero(d->id_no, sizeof d->id_no);
    explicit_bzero(d->phone, sizeof d->phone);
    d->payload = NULL;
    d->key = NULL;
}

int dossier_save_payload(struct dossier *d, struct db_conn *conn, struct err *e)
{
    char place[64];
    struct buf sealed;
    buf_init(&sealed, 4 << 20);
    snprintf(place, sizeof place, "case_file/payload/%s", d->f.no);
    int rc = dossier_seal(&sealed, d, place, d->payload, e);
    if (rc == 0)
        rc = case_set_payload(conn, d->f.no, buf_bytes(&sealed), e);
    buf_clear(&sealed);
    return rc;
}

static void names_of(json_t *out, const struct field *fields, size_t n, const json_t *entries)
{
    for (size_t i = 0; i < n; i++) {
        json_t *v = json_object_get(entries, fields[i].id);
        if (json_is_string(v) && fields[i].pattern && fields[i].pattern->person_name)
            json_array_append(out, v);
    }
}

json_t *dossier_names(const struct dossier *d)
{
    json_t *out = json_array(), *row;
    size_t i;
    const struct family *f = d->item ? d->item->family : NULL;
    if (f == NULL)
        return out;
    names_of(out, f->fields, f->n_fields, d->entries);
    for (size_t k = 0; k < f->n_repeats; k++)
        json_array_foreach(json_object_get(d->entries, f->repeats[k].id), i, row)
            names_of(out, f->repeats[k].fields, f->repeats[k].n_fields, row);
    return out;
}

void dossier_subject(const json_t *entries, const char **name, const char **id_no)
{
    static const char *const names[] = {"child_name", "subject_name", "applicant_name"}, *const numbers[] = {"", "subject_id_no", "applicant_id_no"};
    *name = *id_no = "";
    for (size_t i = 0; i < 3; i++)
        if (*text_of(entries, names[i])) {
            *name = text_of(entries, names[i]);
            *id_no = *numbers[i] ? text_of(entries, numbers[i]) : text_of(entries, "applicant_id_no");
            return;
        }
}
