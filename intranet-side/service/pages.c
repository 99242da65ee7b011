#include "intranet-side/service/pages.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/service/access.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/store/page.h"

enum { PAGE_CAP = 64 << 20 };

struct job {
    struct core *c;
    const struct actor *a;
    const char *no, *page, *verdict;
    bool seen, first_view;
    int64_t now;
    struct page_original *out;
    struct reply *r;
    struct secret *key;
    struct case_file f;
    unsigned sheets;
    bool decodable;
};

/* A page that belongs to this case, of a case that the officer may see. */
static int find_page(struct db_conn *conn, struct job *j, struct page *pg, struct err *e)
{
    struct err mine = {0};
    if (access_case(conn, j->a, j->no, &j->f, j->r, e) < 0)
        return -1;
    if (page_get(conn, j->page, j->a->id.s, pg, &mine) == 0 && strcmp(pg->case_no, j->no) == 0)
        return 0;
    if (mine.code && mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    return reply_refuse(j->r, e, ERR_MISSING, "no such page in this case", "没有这一页");
}

static int part_append(const struct part *p, void *arg, struct err *e)
{
    struct job *j = arg;
    struct buf one;
    struct hash256 h;
    char hex[65];
    buf_init(&one, 8 << 20);
    int rc = vault_file_get(&one, j->c->vault, j->key, p->file, e);
    if (rc == 0) {
        hash_of(&h, buf_bytes(&one));
        hash_hex(hex, &h);
        rc = strcmp(hex, p->hash) == 0 ? 0 : err_set(e, ERR_CORRUPT, "part %s: the file is not what came", p->uid);
        buf_put(&j->out->bytes, one.p, one.n);
    }
    buf_wipe(&one);
    return rc;
}

static int open_page(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct page pg;
    struct hash256 h;
    if (find_page(conn, j, &pg, e) < 0)
        return -1;
    if (pg.parts_done < pg.parts)
        return reply_refuse(j->r, e, ERR_UNAVAILABLE, "parts of the page are still coming", "这一页还在传");
    buf_init(&j->out->bytes, PAGE_CAP);
    snprintf(j->out->type, sizeof j->out->type, "%s", pg.type);
    int rc = vault_case_key(&j->key, j->c->vault, conn, j->no, false, e);
    if (rc == 0)
        rc = part_each_of_page(conn, pg.uid, part_append, j, e);
    secret_free(j->key);
    if (rc == 0)
        rc = buf_done(&j->out->bytes, "page", e);
    hash_of(&h, buf_bytes(&j->out->bytes));
    hash_hex(j->out->hash, &h);
    j->first_view = !pg.seen;
    return rc;
}

static int seen_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    if (page_mark_set(conn, j->page, j->a->id.s, j->seen, j->verdict, e) < 0)
        return -1;
    return core_audit(j->c, conn, j->a, j->now, "read_page", j->page, *j->verdict ? j->verdict : "seen", e);
}

int page_open(struct core *c, const struct actor *a, const char *no, const char *page_id, bool full, int64_t now_ms, struct page_original *out,
              struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .page = page_id, .verdict = "", .seen = true, .now = now_ms, .out = out, .r = r};
    char t[24] = "";
    memset(out, 0, sizeof *out);
    if (db_read(c->db, open_page, &j, e) < 0 || (full && j.first_view && db_write(c->db, seen_write, &j, e) < 0)) {
        page_original_clear(out);
        return -1;
    }
    time_text(t, now_ms + 8 * 3600 * 1000);
    snprintf(out->watermark, sizeof out->watermark, "%.90s %.60s %.40s %.5s %.5s", a->unit_name, a->name, a->address, t + 5, t + 11);
    return 0;
}

void page_original_clear(struct page_original *p)
{
    buf_wipe(&p->bytes);
    memset(p, 0, sizeof *p);
}

static int mark(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct page pg;
    return find_page(conn, j, &pg, e) < 0 ? -1 : seen_write(conn, j, e);
}

int page_mark(struct core *c, const struct actor *a, const char *no, const char *page_id, bool seen, const char *verdict, int64_t now_ms, struct reply *r,
              struct err *e)
{
    static const char *const verdicts[] = {"good", "blurred", "incomplete", "mismatch", "expired", "none"};
    struct job j = {.c = c, .a = a, .no = no, .page = page_id, .verdict = verdict ? verdict : "", .seen = seen, .now = now_ms, .r = r};
    bool known = verdict == NULL;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        known |= strcmp(verdicts[i], j.verdict) == 0;
    if (known)
        return db_write(c->db, mark, &j, e);
    reply_finding(r, "verdict", "code_value", "good, blurred, incomplete, mismatch, expired, none", verdict, "没有这种判断，请刷新后重试");
    return reply_refuse(r, e, ERR_INPUT, "verdict: unknown", "没有这种判断，请刷新后重试");
}

static int decoded(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct page pg;
    if (page_get(conn, j->page, "", &pg, e) < 0 || page_set_decoded(conn, j->page, !j->decodable, j->sheets, e) < 0)
        return -1;
    return case_get(conn, pg.case_no, &j->f, e);
}

int page_decoded(struct core *c, const char *page_id, bool decodable, unsigned sheets, int64_t now_ms, struct err *e)
{
    struct job j = {.c = c, .page = page_id, .now = now_ms, .sheets = sheets ? sheets : 1, .decodable = decodable};
    if (db_write(c->db, decoded, &j, e) < 0)
        return -1;
    if (!decodable)
        changes_note(c->changes, &j.f, CHANGE_CHANGED);
    return 0;
}
