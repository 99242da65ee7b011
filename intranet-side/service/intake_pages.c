#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "intranet-side/domain/caseno.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/intake.h"
#include "intranet-side/service/intake_parts.h"
#include "intranet-side/service/outgoing.h"
#include "intranet-side/service/step.h"
#include "intranet-side/store/page.h"

enum { PART_CAP = 4 << 20 };

/* --- pages of a record --- */
static int link_part(struct db_conn *c, const struct incoming *in, const struct incoming_page *p, const struct incoming_part *q, struct err *e)
{
    struct part known, fresh = {.n = q->n, .size = q->size};
    struct err mine = {0};
    if (part_get(c, q->id, &known, &mine) == 0) {                     /* it came first */
        if (strcmp(known.hash, q->hash) != 0 || known.size != q->size || strcmp(known.case_no, in->case_no) != 0 || *known.page)
            return err_set(e, ERR_CORRUPT, "part %s: not the one the record names", q->id);
        return part_set_page(c, q->id, p->id, q->n, e);
    }
    if (mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    snprintf(fresh.uid, sizeof fresh.uid, "%s", q->id);
    snprintf(fresh.case_no, sizeof fresh.case_no, "%s", in->case_no);
    snprintf(fresh.page, sizeof fresh.page, "%s", p->id);
    snprintf(fresh.hash, sizeof fresh.hash, "%s", q->hash);
    return part_add(c, &fresh, e);
}

int intake_link_pages(struct db_conn *c, const struct incoming *in, const char *record, int64_t round, struct err *e)
{
    for (size_t i = 0; i < in->n_pages; i++) {
        const struct incoming_page *p = &in->pages[i];
        struct page row = {.round = round, .material = p->material, .alternative = p->alternative, .n = p->n, .size = p->size,
                           .parts = (int64_t)p->n_parts};
        snprintf(row.uid, sizeof row.uid, "%s", p->id);
        snprintf(row.case_no, sizeof row.case_no, "%s", in->case_no);
        snprintf(row.record, sizeof row.record, "%s", record);
        snprintf(row.type, sizeof row.type, "%s", p->type);
        if (page_add(c, &row, e) < 0)
            return -1;
        for (size_t k = 0; k < p->n_parts; k++)
            if (link_part(c, in, p, &in->parts[p->first_part + k], e) < 0)
                return -1;
        if (page_recount(c, p->id, e) < 0)
            return -1;
    }
    return 0;
}

/* --- received and confirmed --- */
struct named { struct answer_item *v; char (*text)[98]; size_t n, cap; };

static int name_part(const struct part *p, void *arg, struct err *e)
{
    struct named *a = arg;
    if (a->n == a->cap)
        return err_set(e, ERR_TOO_LARGE, "more parts than one answer can name");
    memcpy(a->text[a->n], p->uid, 33);
    memcpy(a->text[a->n] + 33, p->sealed_hash, 65);
    a->v[a->n] = (struct answer_item){a->text[a->n], a->text[a->n] + 33};
    a->n++;
    return 0;
}

static int answer(struct core *core, struct db_conn *c, const struct case_file *f, const struct intake_row *row, bool confirmed, int64_t now_ms, struct err *e)
{
    struct named a = {.cap = INCOMING_MAX_PARTS};
    a.v = calloc(a.cap, sizeof *a.v);
    a.text = calloc(a.cap, sizeof *a.text);
    int rc = a.v && a.text ? 0 : err_set(e, ERR_INTERNAL, "answer: out of memory");
    if (rc == 0) {
        a.v[a.n++] = (struct answer_item){row->record, row->sealed_hash};
        if (confirmed)
            rc = part_each_of_record(c, row->record, name_part, &a, e);
    }
    struct answer out = {.case_no = f->no, .to = row->kind, .record = row->record, .word = confirmed ? "confirmed" : "received",
                         .pages_done = f->pages_done, .pages_total = f->pages_total, .items = a.v, .n_items = a.n, .now_ms = now_ms};
    if (rc == 0)
        rc = outgoing_answer(core, c, &out, e);
    free(a.v);
    free(a.text);
    return rc;
}

int intake_progress(struct core *core, struct db_conn *c, struct case_file *f, const struct intake_row *row, bool say_received, int64_t now_ms, struct err *e)
{
    int64_t missing;
    if (page_missing(c, row->record, &missing, e) < 0 || page_count(c, f->no, &f->pages_done, &f->pages_total, e) < 0)
        return -1;
    bool whole = missing == 0 && row->confirmed == 0;
    if (whole && strcmp(row->kind, "application") == 0)
        f->confirmed = now_ms;
    if (case_touch(c, f, e) < 0)
        return -1;
    if (say_received && answer(core, c, f, row, false, now_ms, e) < 0)
        return -1;
    if (!whole)
        return 0;
    return intake_confirm(c, row->record, now_ms, e) < 0 ? -1 : answer(core, c, f, row, true, now_ms, e);
}

int intake_say_again(struct core *core, struct db_conn *c, const struct case_file *f, const struct intake_row *row, int64_t now_ms, struct err *e)
{
    return answer(core, c, f, row, row->confirmed != 0, now_ms, e);
}

/* --- one part --- */
struct arrived { struct core *c; char file[33], hash[65]; int64_t size; bool kept; };

struct key_job { struct core *c; const char *no; struct secret *key; };
static int key_make(struct db_conn *conn, void *arg, struct err *e)
{
    struct key_job *j = arg;
    return vault_case_key(&j->key, j->c->vault, conn, j->no, true, e);
}
static int key_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct key_job *j = arg;
    return vault_case_key(&j->key, j->c->vault, conn, j->no, false, e);
}

/* The case's key, made when the part is the first of its case. */
static int key_for(struct key_job *j, struct err *e)
{
    struct err mine = {0};
    if (db_read(j->c->db, key_read, j, &mine) == 0)
        return 0;
    return mine.code == ERR_MISSING ? db_write(j->c->db, key_make, j, e) : err_set(e, mine.code, "%s", mine.msg);
}

int part_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct core *c = app;
    struct hash256 h;
    struct key_job j = {c, it->case_no, NULL};
    if (!caseno_valid(it->case_no))
        return err_set(e, ERR_INPUT, "part %s: no case number", it->id);
    if (content.n == 0 || content.n > PART_CAP)
        return err_set(e, ERR_TOO_LARGE, "part %s: %zu bytes", it->id, content.n);
    struct arrived *a = calloc(1, sizeof *a);
    if (a == NULL)
        return err_set(e, ERR_INTERNAL, "part: out of memory");
    a->c = c;
    a->size = (int64_t)content.n;
    hash_of(&h, content);
    hash_hex(a->hash, &h);
    int rc = key_for(&j, e);
    if (rc == 0)
        rc = vault_file_put(a->file, c->vault, j.key, content, e);
    secret_free(j.key);
    if (rc < 0) {
        free(a);
        return -1;
    }
    *prepared = a;
    return 0;
}

/* A file whose row was not written goes again. After a failed commit kept is still set: the sweep at the next start finds such a file. */
void part_discard(void *prepared)
{
    struct arrived *a = prepared;
    if (!a->kept)
        vault_file_drop(a->c->vault, a->file);
    free(a);
}

static int orphan(struct db_conn *c, const struct in_item *it, struct arrived *a, struct err *e)
{
    struct part p = {.size = a->size};
    snprintf(p.uid, sizeof p.uid, "%s", it->id);
    snprintf(p.case_no, sizeof p.case_no, "%s", it->case_no);
    snprintf(p.hash, sizeof p.hash, "%s", a->hash);
    snprintf(p.file, sizeof p.file, "%s", a->file);
    snprintf(p.sealed_hash, sizeof p.sealed_hash, "%s", it->hash);
    a->kept = true;
    return part_add(c, &p, e);
}

/* The last part of a page: its record may be whole now, and what citizen and officer see changes. */
static int page_whole(struct core *core, struct db_conn *c, const struct page *pg, int64_t now_ms, struct err *e)
{
    struct case_file f;
    struct intake_row row;
    struct dossier d;
    if (case_get(c, pg->case_no, &f, e) < 0 || intake_get(c, pg->record, &row, e) < 0)
        return -1;
    if (intake_progress(core, c, &f, &row, f.pages_done + 1 < f.pages_total, now_ms, e) < 0)
        return -1;
    changes_hold(core->changes, &f, CHANGE_CHANGED);
    if (f.pages_done < f.pages_total || f.final)
        return 0;
    if (dossier_open(&d, core, c, &f, e) < 0)
        return -1;
    int rc = step_status_now(core, c, &d, now_ms, e);
    dossier_close(&d);
    return rc;
}

int part_apply(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct core *core = app;
    struct arrived *a = prepared;
    struct part known;
    struct page pg;
    struct err mine = {0};
    if (part_get(c, it->id, &known, &mine) < 0)
        return mine.code == ERR_MISSING ? orphan(c, it, a, e) : err_set(e, mine.code, "%s", mine.msg);
    if (strcmp(known.hash, a->hash) != 0 || known.size != a->size || strcmp(known.case_no, it->case_no) != 0)
        return err_set(e, ERR_CORRUPT, "part %s: not the one its record names", it->id);
    if (*known.file)
        return 0;                                                     /* came already */
    a->kept = true;
    if (part_set_file(c, it->id, a->file, it->hash, e) < 0 || page_recount(c, known.page, e) < 0 || page_get(c, known.page, "", &pg, e) < 0)
        return -1;
    return pg.parts_done == pg.parts ? page_whole(core, c, &pg, it->now_ms, e) : 0;
}

/* --- files left behind --- */
struct sweep { const char *name; bool known; };
static int known_file(struct db_conn *conn, void *arg, struct err *e)
{
    struct sweep *s = arg;
    return part_file_known(conn, s->name, &s->known, e);
}

int intake_sweep(struct core *c, int64_t now_ms, unsigned *dropped, struct err *e)
{
    struct dir_entry *v = NULL;
    size_t n = 0;
    *dropped = 0;
    int rc = vault_files(c->vault, &v, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct sweep s = {.name = v[i].name};
        if (!v[i].regular || now_ms - v[i].mtime_ms < 3600 * 1000)
            continue;
        rc = db_read(c->db, known_file, &s, e);
        if (rc == 0 && !s.known) {
            vault_file_drop(c->vault, v[i].name);
            ++*dropped;
        }
    }
    free(v);
    return rc;
}
