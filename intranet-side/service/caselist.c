#include "intranet-side/service/caselist.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/service/access.h"
#include "intranet-side/service/caserow.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/channel.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/decide.h"
#include "intranet-side/service/editing.h"
#include "intranet-side/service/review.h"

enum { DUE_ROWS = 8, CHANGES = 200, SEARCH_MAX = 50 };

struct list {
    struct core *c;
    const struct actor *a;
    struct case_page_query q;
    char day[11], text[64];
    int64_t now, total;
    struct hash256 index;
    struct db_conn *conn;
    json_t *rows;
    struct case_counts counts;
    bool want_rows;
    char going_on[1600];
};

static const char *set(const char *s)
{
    return s ? s : "";
}

/* The states of 续办 as the statement takes them. */
static void going_on_states(char *out, size_t cap, const struct rules *rules)
{
    const char *v[WF_MAX_STATES];
    size_t n = workflow_states_of(rules->flows, "completion", v, WF_MAX_STATES);
    struct buf b;
    buf_init(&b, cap - 1);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s\"%s\"", i ? "," : "[", v[i]);
    snprintf(out, cap, "%s%s", buf_text(&b), n ? "]" : "[]");
    buf_clear(&b);
}

static void list_init(struct list *l, struct core *c, const struct actor *a, int64_t now_ms)
{
    memset(l, 0, sizeof *l);
    l->c = c;
    l->a = a;
    l->now = now_ms;
    today_text(l->day, now_ms);
    going_on_states(l->going_on, sizeof l->going_on, c->rules);
    l->q = (struct case_page_query){.scope = access_case_scope(a), .unit = a->unit, .officer = a->id.s, .view = "todo", .item = "", .state = "", .name = "",
                                    .no = "", .mine = "", .sort = "clock", .today = l->day, .going_on = l->going_on, .role = a->role, .limit = 20};
}

static int row(const struct case_file *f, void *arg, struct err *e)
{
    struct list *l = arg;
    json_t *j = caserow_json(l->c, l->conn, l->a, f, l->now, e);
    return j ? json_array_append_new(l->rows, j) : -1;
}

static json_t *counts_json(const struct case_counts *v)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "continue", (json_int_t)v->going_on, "todo", (json_int_t)v->todo, "claimable", (json_int_t)v->claimable, "doing", (json_int_t)v->doing,
                     "done", (json_int_t)v->done, "supplemented", (json_int_t)v->supplemented, "originals", (json_int_t)v->originals, "due",
                     (json_int_t)v->due);
}

static int read_list(struct db_conn *conn, void *arg, struct err *e)
{
    struct list *l = arg;
    l->conn = conn;
    if (l->want_rows && case_find(conn, &l->q, row, l, &l->total, e) < 0)
        return -1;
    return case_count(conn, &l->q, &l->counts, e);
}

static bool word_in(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

/* Numbers may be typed in groups. 18 characters are an ID number and go through its blind index; other digits are a case number; the
 * rest is a name. */
static int search(struct list *l, const char *q, struct err *e)
{
    struct buf number;
    buf_init(&number, 1024);
    text_normalise(&number, bytes_of(q), TEXT_ID);
    size_t digits = strspn(buf_text(&number), "0123456789X");
    if (number.n == 18 && digits == 18) {
        vault_index(&l->index, l->c->vault, buf_text(&number));
        l->q.id_index = (struct bytes){l->index.b, sizeof l->index.b};
    } else if (number.n && digits == number.n) {
        l->q.no = l->text;
        snprintf(l->text, sizeof l->text, "%s", buf_text(&number));
    } else {
        l->q.name = q;
    }
    int rc = buf_done(&number, "search", e);
    buf_wipe(&number);
    return rc;
}

/* "5 分钟" "2 小时" "3 天" */
static void age_put(json_t *o, const char *view, int64_t since, int64_t now)
{
    char text[32];
    int64_t minutes = (now - since) / 60000;
    if (since == 0)
        return;
    if (minutes < 60)
        snprintf(text, sizeof text, "%lld 分钟", (long long)(minutes < 0 ? 0 : minutes));
    else if (minutes < 48 * 60)
        snprintf(text, sizeof text, "%lld 小时", (long long)(minutes / 60));
    else
        snprintf(text, sizeof text, "%lld 天", (long long)(minutes / (24 * 60)));
    json_object_set_new(o, view, json_string(text));
}

/* Each word of the query against its list; what is absent or empty asks for nothing. -1: findings are in the reply. */
static int refuse_query(const struct case_query *q, struct reply *r, struct err *e)
{
    static const char *const views[] = {"todo", "doing", "done", "continue", NULL}, *const quick[] = {"", "claimable", "supplemented", "originals", "due", NULL},
                             *const sorts[] = {"", "clock", "submitted", "item", "state", NULL};
    if (!word_in(set(q->view), views))
        reply_finding(r, "view", "code_value", "todo, doing, done, continue", set(q->view), "没有这个列表");
    if (!word_in(set(q->mine), quick))
        reply_finding(r, "mine", "code_value", "claimable, supplemented, originals, due", q->mine, "没有这种筛选");
    if (!word_in(set(q->sort), sorts))
        reply_finding(r, "sort", "code_value", "clock, submitted, item, state", q->sort, "不能这样排序");
    if (text_length(bytes_of(set(q->q))) > SEARCH_MAX)
        reply_finding(r, "q", "length", "at most 50 characters", "", "查询内容太长，最多 50 个字");
    return r->fields ? err_set(e, ERR_INPUT, "list: view, mine, sort or q does not fit") : 0;
}

int caselist_find(struct core *c, const struct actor *a, const struct case_query *q, int64_t now_ms, struct reply *r, struct err *e)
{
    struct list l;
    unsigned size = q->size ? q->size : 20, page = q->page ? q->page : 1;
    uint64_t seq = changes_seq(c->changes);
    list_init(&l, c, a, now_ms);
    if (refuse_query(q, r, e) < 0 || size > 100 || page > 1000)
        return reply_refuse(r, e, ERR_INPUT, "list: a condition that does not fit", "查询条件有误");
    l.q.view = q->view;
    l.q.item = set(q->item);
    l.q.state = set(q->state);
    l.q.mine = set(q->mine);
    l.q.sort = set(q->sort);
    l.q.limit = size;
    l.q.offset = (page - 1) * size;
    if (search(&l, set(q->q), e) < 0)
        return reply_refuse(r, e, ERR_INPUT, "list: q is too long", "查询条件有误");
    l.want_rows = true;
    l.rows = json_array();
    if (db_read(c->db, read_list, &l, e) < 0 || (q->q && *q->q && core_audit_now(c, a, now_ms, "search_cases", "", "ok", e) < 0)) {
        json_decref(l.rows);
        return -1;
    }
    r->body = json_pack("{s:o, s:I, s:i, s:i, s:I, s:o}", "rows", l.rows, "total", (json_int_t)l.total, "page", (int)page, "size", (int)size, "seq",
                        (json_int_t)seq, "counts", counts_json(&l.counts));
    return 0;
}

int caselist_desk(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    struct list l;
    list_init(&l, c, a, now_ms);
    l.q.limit = DUE_ROWS;
    l.want_rows = true;
    l.rows = json_array();
    if (db_read(c->db, read_list, &l, e) < 0) {
        json_decref(l.rows);
        return -1;
    }
    json_t *oldest = json_object(), *notices = json_array();
    if (editing_notices(c, a, notices, now_ms, e) < 0) {
        json_decref(l.rows);
        json_decref(oldest);
        json_decref(notices);
        return -1;
    }
    age_put(oldest, "todo", l.counts.oldest_todo, now_ms);
    age_put(oldest, "doing", l.counts.oldest_doing, now_ms);
    r->body = json_pack("{s:o, s:o, s:o, s:o, s:o}", "counts", counts_json(&l.counts), "due", l.rows, "oldest", oldest, "notices", notices, "channel",
                        channel_json(c, now_ms));
    return 0;
}

int caselist_changes(struct core *c, const struct actor *a, uint64_t since, int64_t now_ms, struct reply *r, struct err *e)
{
    static const char *const kinds[] = {"new", "changed", "gone"};
    struct change v[CHANGES];
    struct list l;
    bool whole;
    uint64_t seq = changes_seq(c->changes);
    list_init(&l, c, a, now_ms);
    size_t n = changes_since(c->changes, since, l.q.scope, a->unit, v, CHANGES, &whole);
    if (!changes_counts_get(c->changes, a->id.s, a->unit, l.day, &l.counts)) {
        if (db_read(c->db, read_list, &l, e) < 0)
            return -1;
        changes_counts_put(c->changes, a->id.s, l.day, seq, &l.counts);
    }
    json_t *changed = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(changed, json_pack("{s:s, s:s}", "no", v[i].no, "kind", kinds[v[i].kind]));
    r->body = json_pack("{s:I, s:o, s:o, s:o}", "seq", (json_int_t)seq, "changed", changed, "counts", counts_json(&l.counts), "channel",
                        channel_json(c, now_ms));
    return 0;
}

/* --- next --- */
struct next { struct list l; char no[17]; };
static int first(const struct case_file *f, void *arg, struct err *e)
{
    struct next *n = arg;
    (void)e;
    memcpy(n->no, f->no, sizeof n->no);
    return 0;
}

static int find_next(struct db_conn *conn, void *arg, struct err *e)
{
    struct next *n = arg;
    return case_find(conn, &n->l.q, first, n, &n->l.total, e);
}

int caselist_next(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e)
{
    for (int tries = 0; tries < 5; tries++) {           /* somebody else may take it between the look and the claim */
        struct next n = {.no = ""};
        struct err mine = {0};
        list_init(&n.l, c, a, now_ms);
        n.l.q.mine = "claimable";
        n.l.q.limit = 1;
        if (db_read(c->db, find_next, &n, e) < 0)
            return -1;
        if (*n.no == '\0')
            return reply_refuse(r, e, ERR_MISSING, "nothing to claim", "没有可领取的件");
        struct reply claimed = {0};
        int rc = decide_claim(c, a, n.no, now_ms, &claimed, &mine);
        reply_clear(&claimed);
        if (rc == 0) {
            r->body = json_pack("{s:s}", "no", n.no);
            return 0;
        }
        if (mine.code != ERR_CONFLICT)
            return err_set(e, mine.code, "%s", mine.msg);
    }
    return reply_refuse(r, e, ERR_BUSY, "cases are taken faster than this", "领取的人多，请再试一次");
}
