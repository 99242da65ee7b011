#include "intranet-side/service/scans.h"

#include <stdio.h>
#include <string.h>

#include "common/filetype.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/caseview.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/step.h"
#include "intranet-side/store/page.h"

enum { MAX_OLD = 8 };
static const struct kind { const char *word, *name; int slot; enum wf_need need; } kinds[] = {
    {"permit", "准迁证", SCAN_SLOT_PERMIT, WF_NEED_SCAN_PERMIT},
    {"certificate", "迁移证", SCAN_SLOT_CERTIFICATE, WF_NEED_SCAN_CERTIFICATE},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const char *scan_name(int64_t slot)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].slot == slot)
            return kinds[i].name;
    return NULL;
}

int scan_missing(const char **name, struct db_conn *conn, const char *no, unsigned needs, struct err *e)
{
    *name = NULL;
    for (size_t i = 0; i < N_KINDS && *name == NULL; i++) {
        int64_t readable = 0;
        if (!(needs & kinds[i].need))
            continue;
        if (page_slot_count(conn, no, kinds[i].slot, &readable, e) < 0)
            return -1;
        if (readable == 0)
            *name = kinds[i].name;
    }
    return 0;
}

struct job {
    struct core *c;
    const struct actor *a;
    const char *no, *word, *type;
    const struct kind *kind;
    struct bytes bytes;
    int64_t now;
    struct reply *r;
    struct case_file f;
    struct secret *key;
    char file[33], hash[65], sealed_hash[65];
    char old[MAX_OLD][33];               /* files of the scan that is replaced: dropped once the new one is committed */
    size_t n_old;
};

static int read_kind(struct job *j, struct err *e)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i].word, j->word) == 0)
            j->kind = &kinds[i];
    if (j->kind)
        return 0;
    reply_finding(j->r, "kind", "code_value", "permit, certificate", j->word, "地址有误，请从页面重新打开");
    return reply_refuse(j->r, e, ERR_INPUT, "scan: unknown kind", "地址有误，请从页面重新打开");
}

/* Held by this officer, in a state out of which he has a step that asks for the paper. */
static int may_scan(struct db_conn *conn, struct job *j, struct err *e)
{
    const struct wf_transition *t[WF_MAX_TRANSITIONS];
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0 || read_kind(j, e) < 0)
        return -1;
    if (strcmp(j->f.holder, j->a->id.s) != 0)
        return reply_refuse(j->r, e, ERR_DENIED, "scan: not the holder", "请先领取这件");
    const struct workflow *w = flow_of(j->c->rules, &j->f);
    size_t n = w ? workflow_actions(t, WF_MAX_TRANSITIONS, w, j->f.state, j->a->role, j->f.originals_due) : 0;
    for (size_t i = 0; i < n; i++)
        if (t[i]->needs & j->kind->need)
            return 0;
    return reply_refuse(j->r, e, ERR_CONFLICT, "scan: the state asks for no such paper", "现在这一步不用补扫%s", j->kind->name);
}

static int look(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    return may_scan(conn, j, e) < 0 ? -1 : vault_case_key(&j->key, j->c->vault, conn, j->no, false, e);
}

static int remember_old(const struct part *p, void *arg, struct err *e)
{
    struct job *j = arg;
    (void)e;
    if (j->n_old < MAX_OLD)              /* the rest is found by the sweep at the next start */
        snprintf(j->old[j->n_old++], sizeof j->old[0], "%s", p->file);
    return 0;
}

static int page_put(struct db_conn *conn, struct job *j, struct err *e)
{
    struct page pg = {.round = j->f.round, .material = j->kind->slot, .alternative = -1, .n = 1, .size = (int64_t)j->bytes.n, .parts = 1};
    struct part pt = {.n = 1, .size = (int64_t)j->bytes.n};
    struct id128 id;
    id_random(&id);
    snprintf(pg.uid, sizeof pg.uid, "%s", id.s);
    snprintf(pg.case_no, sizeof pg.case_no, "%s", j->no);
    snprintf(pg.type, sizeof pg.type, "%s", j->type);
    snprintf(pt.page, sizeof pt.page, "%s", id.s);
    id_random(&id);
    snprintf(pt.uid, sizeof pt.uid, "%s", id.s);
    snprintf(pt.case_no, sizeof pt.case_no, "%s", j->no);
    snprintf(pt.hash, sizeof pt.hash, "%s", j->hash);
    snprintf(pt.file, sizeof pt.file, "%s", j->file);
    if (page_add(conn, &pg, e) < 0 || part_add(conn, &pt, e) < 0 || page_recount(conn, pg.uid, e) < 0 ||
        page_mark_set(conn, pg.uid, j->a->id.s, true, "", e) < 0)
        return -1;
    return page_count(conn, j->no, &j->f.pages_done, &j->f.pages_total, e);
}

static int keep(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct dossier d;
    char text[64];
    j->n_old = 0;
    if (may_scan(conn, j, e) < 0 || page_slot_drop(conn, j->no, j->kind->slot, remember_old, j, e) < 0 || page_put(conn, j, e) < 0 ||
        case_save(conn, &j->f, e) < 0 || dossier_open(&d, j->c, conn, &j->f, e) < 0)
        return -1;
    snprintf(text, sizeof text, "%s%s", j->n_old ? "重扫" : "扫入", j->kind->name);
    int rc = step_trail(j->c, conn, &d, j->a, "scan", text, NULL, j->now, e);
    dossier_close(&d);
    return rc < 0 ? -1 : core_audit(j->c, conn, j->a, j->now, "scan", j->no, j->kind->word, e);
}

static int read_type(struct job *j, const struct scan_probe *probe, struct err *e)
{
    bool readable = true;
    j->type = filetype_of(j->bytes);
    if (j->bytes.n > SCAN_MAX)
        return reply_refuse(j->r, e, ERR_TOO_LARGE, "scan: too large", "文件太大，最多 8 MB，请降低扫描精度");
    if (j->type && probe && probe->readable(probe->arg, j->bytes, &readable, e) < 0)
        return -1;
    if (!readable) {                     /* said while the paper still lies on the glass */
        reply_finding(j->r, "file", "unreadable", "", "", "这个文件打不开，请重新扫描");
        return reply_refuse(j->r, e, ERR_INPUT, "scan: cannot be decoded", "这个文件打不开，请重新扫描");
    }
    if (j->type)
        return 0;
    reply_finding(j->r, "file", "type", "image/jpeg, image/png, application/pdf", "", "只能用 JPG、PNG 或 PDF 文件");
    return reply_refuse(j->r, e, ERR_INPUT, "scan: neither JPEG nor PNG nor PDF", "只能用 JPG、PNG 或 PDF 文件");
}

int scan_add(struct core *c, const struct actor *a, const char *no, const char *kind, struct bytes bytes, const struct scan_probe *probe,
             int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .word = kind ? kind : "", .bytes = bytes, .now = now_ms, .r = r};
    struct hash256 h;
    if (db_read(c->db, look, &j, e) < 0)
        return -1;
    if (read_type(&j, probe, e) < 0) {
        secret_free(j.key);
        return -1;
    }
    hash_of(&h, bytes);
    hash_hex(j.hash, &h);
    int rc = vault_file_put(j.file, c->vault, j.key, bytes, e);
    secret_free(j.key);
    if (rc < 0)
        return -1;
    if (db_write(c->db, keep, &j, e) < 0) {
        vault_file_drop(c->vault, j.file);
        return -1;
    }
    for (size_t i = 0; i < j.n_old; i++)
        vault_file_drop(c->vault, j.old[i]);
    changes_note(c->changes, &j.f, CHANGE_CHANGED);
    return caseview_get(c, a, no, true, now_ms, r, e);
}
