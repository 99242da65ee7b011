#include "intranet-side/service/review.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/service/access.h"
#include "intranet-side/service/casepeople.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/page.h"
#include "intranet-side/store/trail.h"

static int page_seen(const struct page *p, void *arg, struct err *e)
{
    struct review *v = arg;
    (void)e;
    v->pages++;
    v->seen += p->seen;
    v->unseen += !p->seen;
    return 0;
}

struct notes { const struct dossier *d; json_t *out; };
static int note_open(const char *field, struct bytes sealed, void *arg, struct err *e)
{
    struct notes *n = arg;
    char place[80];
    json_t *body = NULL;
    snprintf(place, sizeof place, "note/%.48s", field);
    if (dossier_unseal(&body, n->d->key, place, sealed, e) < 0)
        return -1;
    json_object_set(n->out, field, json_object_get(body, "note"));
    json_decref(body);
    return 0;
}

int review_notes(json_t **out, struct db_conn *conn, const struct dossier *d, struct err *e)
{
    struct notes n = {d, json_object()};
    *out = n.out;
    return note_each(conn, d->f.no, note_open, &n, e);
}

struct count { struct review *out; struct core *c; struct db_conn *conn; const struct dossier *d; json_t **people; const json_t *notes; };

static int person_count(const struct people_place *p, void *arg, struct err *e)
{
    struct count *x = arg;
    struct compared k;
    if (casepeople_compare(&k, x->c, x->conn, x->d, p, x->people, e) < 0)
        return -1;
    x->out->differences += k.how == COMPARE_DIFFERS;
    x->out->noted += k.how == COMPARE_DIFFERS && json_object_get(x->notes, p->path);
    return 0;
}

int review_count(struct review *out, struct core *c, struct db_conn *conn, const struct dossier *d, const char *officer, struct err *e)
{
    json_t *people = NULL, *notes = NULL;
    memset(out, 0, sizeof *out);
    int rc = page_each(conn, d->f.no, officer, page_seen, out, e) < 0 || review_notes(&notes, conn, d, e) < 0 ? -1 : 0;
    for (size_t i = 0; rc == 0 && d->item && i < d->item->family->n_fields; i++) {
        const struct field *f = &d->item->family->fields[i];
        struct compared k;
        rc = registry_compare(&k, c, conn, d, f, &people, e);
        if (rc == 0 && k.how == COMPARE_DIFFERS) {
            out->differences++;
            out->noted += json_object_get(notes, f->id) != NULL;
        }
    }
    struct count x = {out, c, conn, d, &people, notes};
    if (rc == 0)
        rc = casepeople_each(d, NULL, person_count, &x, e);
    json_decref(people);
    json_decref(notes);
    return rc;
}

struct next { struct core *c; const struct actor *a; const char *no; char day[11], *out; };
static int first_other(const struct case_file *f, void *arg, struct err *e)
{
    struct next *n = arg;
    (void)e;
    if (*n->out == '\0' && strcmp(f->no, n->no) != 0)
        memcpy(n->out, f->no, 17);
    return 0;
}

static int next_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct next *n = arg;
    int64_t total;
    struct case_page_query q = {.scope = access_case_scope(n->a), .unit = n->a->unit, .officer = n->a->id.s, .view = "todo", .item = "", .state = "",
                                .name = "", .no = "", .mine = "", .sort = "clock", .today = n->day, .role = n->a->role, .limit = 2};
    return case_find(conn, &q, first_other, n, &total, e);
}

int review_next(struct core *c, const struct actor *a, const char *no, int64_t now_ms, char out[17], struct err *e)
{
    struct next n = {.c = c, .a = a, .no = no, .out = out};
    out[0] = '\0';
    today_text(n.day, now_ms);
    return db_read(c->db, next_read, &n, e);
}
