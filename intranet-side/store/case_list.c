#include <string.h>

#include "intranet-side/store/case_columns.h"

/* Free conditions are parameters that are empty when they do not apply; values are bound, text is constant.
 * ?1 scope (1 station, 2 sent up, else nothing), ?2 unit, ?3 officer, ?4 role bit, ?5 today, ?15 states of 续办. */
#define SCOPE "((?1 = 1 AND f.unit = ?2) OR (?1 = 2 AND f.up_unit = ?2 AND f.up_unit <> ''))"
#define HERE "(f.up = (?1 = 2))"
#define MINE "(f.holder = ?3)"
#define CLAIMABLE "(f.final = 0 AND f.holder = '' AND (f.wait_roles & ?4) <> 0 AND " HERE ")"
#define TODO "(f.final = 0 AND ((" MINE " AND f.wait_roles <> 0) OR " CLAIMABLE "))"
#define DOING "(f.final = 0 AND " MINE ")"
#define DONE                                                                                                                     \
    "(EXISTS (SELECT 1 FROM trail AS t WHERE t.case_no = f.no AND t.officer = ?3 AND t.from_state <> '') AND NOT " MINE           \
    " AND NOT " CLAIMABLE ")"
#define GOING_ON "(f.final = 0 AND (" MINE " OR f.holder = '') AND " HERE " AND f.state IN (SELECT value FROM json_each(?15)))"
/* The day that counts: the clock's, or the citizen's last one once it has passed (WFL-14). */
#define DAY "CASE WHEN f.citizen_due <> '' AND f.citizen_due < ?5 THEN min(f.citizen_due, f.sort_due) ELSE f.sort_due END"
#define DUE "(" DAY " <= ?5)"
#define ORIGINALS "(f.state = 'originals_check')"

/* ?6 view, ?7 item, ?8 state, ?9 name, ?10 number, ?11 id index, ?12 quick filter. */
#define WHERE                                                                                                                    \
    " FROM case_file AS f WHERE " SCOPE " AND CASE ?6 WHEN 'todo' THEN " TODO " WHEN 'doing' THEN " DOING " WHEN 'done' THEN " DONE \
    " WHEN 'continue' THEN " GOING_ON " ELSE 0 END AND (?7 = '' OR f.item = ?7) AND (?8 = '' OR f.state = ?8)"                                                      \
    " AND ((?9 = '' AND ?10 = '' AND length(?11) = 0) OR (?9 <> '' AND instr(f.person, ?9) > 0) OR (?10 <> '' AND instr(f.no, ?10) > 0)" \
    " OR (length(?11) > 0 AND f.id_index = ?11))"                                                                                 \
    " AND CASE ?12 WHEN '' THEN 1 WHEN 'claimable' THEN " CLAIMABLE " WHEN 'supplemented' THEN f.supplemented = 1"                \
    " WHEN 'originals' THEN " ORIGINALS " WHEN 'due' THEN " DUE " ELSE 0 END"
#define PAGE " LIMIT ?13 OFFSET ?14"

enum { Q_TOTAL, Q_CLOCK, Q_SUBMITTED, Q_ITEM, Q_STATE, Q_COUNTS, Q_RELATED, Q_OVERDUE, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_TOTAL] = "SELECT count(*)" WHERE,
    [Q_CLOCK] = "SELECT " CASE_COLUMNS WHERE " ORDER BY " DAY ", f.submitted, f.id" PAGE,
    [Q_SUBMITTED] = "SELECT " CASE_COLUMNS WHERE " ORDER BY f.submitted DESC, f.id DESC" PAGE,
    [Q_ITEM] = "SELECT " CASE_COLUMNS WHERE " ORDER BY f.item, f.sort_due, f.id" PAGE,
    [Q_STATE] = "SELECT " CASE_COLUMNS WHERE " ORDER BY f.state, f.sort_due, f.id" PAGE,
    [Q_COUNTS] = "SELECT coalesce(sum(" TODO "), 0), coalesce(sum(" CLAIMABLE "), 0), coalesce(sum(" DOING "), 0), coalesce(sum(" DONE "), 0),"
                 " coalesce(sum(" TODO " AND f.supplemented = 1), 0), coalesce(sum(" TODO " AND " ORIGINALS "), 0),"
                 " coalesce(sum(" TODO " AND " DUE "), 0), coalesce(min(CASE WHEN " TODO " THEN f.state_since END), 0),"
                 " coalesce(min(CASE WHEN " DOING " THEN f.state_since END), 0), coalesce(sum(" GOING_ON "), 0) FROM case_file AS f WHERE " SCOPE,
    [Q_RELATED] = "SELECT " CASE_COLUMNS " FROM case_file AS f JOIN case_file AS g ON g.id_index = f.id_index"
                  " WHERE g.no = ?1 AND f.no <> ?1 AND length(g.id_index) > 0 ORDER BY f.submitted DESC LIMIT 20",
    [Q_OVERDUE] = "SELECT " CASE_COLUMNS " FROM case_file AS f WHERE f.final = 0 AND f.state = ?1 AND f.citizen_due <> '' AND f.citizen_due < ?2"
                  " ORDER BY f.id LIMIT 100",
};
const struct db_statements case_list_statements = {sql, Q__COUNT};

static void bind_viewer(sqlite3_stmt *s, const struct case_page_query *q)
{
    db_bind_int(s, 1, q->scope);
    db_bind_text(s, 2, q->unit);
    db_bind_text(s, 3, q->officer);
    db_bind_int(s, 4, q->role);
    db_bind_text(s, 5, q->today);
    db_bind_text(s, 15, q->going_on);
}

static void bind_conditions(sqlite3_stmt *s, const struct case_page_query *q)
{
    bind_viewer(s, q);
    db_bind_text(s, 6, q->view);
    db_bind_text(s, 7, q->item);
    db_bind_text(s, 8, q->state);
    db_bind_text(s, 9, q->name);
    db_bind_text(s, 10, q->no);
    db_bind_blob(s, 11, q->id_index.p ? q->id_index : bytes_of(""));     /* an empty blob, not NULL */
    db_bind_text(s, 12, q->mine);
}

static int rows(struct db_conn *c, sqlite3_stmt *s, case_row_fn row, void *arg, struct err *e)
{
    int rc;
    while ((rc = db_step(c, s, e)) == 1) {
        struct case_file f;
        case_read_row(&f, s);
        if (row(&f, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int case_find(struct db_conn *c, const struct case_page_query *q, case_row_fn row, void *arg, int64_t *total, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_list_statements, Q_TOTAL);
    bind_conditions(s, q);
    if (db_step(c, s, e) != 1)
        return -1;
    *total = db_col_int(s, 0);
    sqlite3_reset(s);
    size_t order = strcmp(q->sort, "submitted") == 0 ? Q_SUBMITTED : strcmp(q->sort, "item") == 0 ? Q_ITEM
                 : strcmp(q->sort, "state") == 0     ? Q_STATE : Q_CLOCK;
    s = db_stmt(c, &case_list_statements, order);
    bind_conditions(s, q);
    db_bind_int(s, 13, q->limit);
    db_bind_int(s, 14, q->offset);
    return rows(c, s, row, arg, e);
}

int case_count(struct db_conn *c, const struct case_page_query *q, struct case_counts *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_list_statements, Q_COUNTS);
    bind_viewer(s, q);
    if (db_step(c, s, e) != 1)
        return -1;
    int64_t *const v[] = {&out->todo, &out->claimable, &out->doing, &out->done, &out->supplemented, &out->originals, &out->due, &out->oldest_todo,
                          &out->oldest_doing, &out->going_on};
    for (int i = 0; i < 10; i++)
        *v[i] = db_col_int(s, i);
    sqlite3_reset(s);
    return 0;
}

int case_related(struct db_conn *c, const char *no, case_row_fn row, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_list_statements, Q_RELATED);
    db_bind_text(s, 1, no);
    return rows(c, s, row, arg, e);
}

int case_overdue(struct db_conn *c, const char *state, const char *today, case_row_fn row, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &case_list_statements, Q_OVERDUE);
    db_bind_text(s, 1, state);
    db_bind_text(s, 2, today);
    return rows(c, s, row, arg, e);
}
