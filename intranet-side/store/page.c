#include "intranet-side/store/page.h"

#include <stdio.h>
#include <string.h>

enum {
    Q_ADD, Q_GET, Q_EACH, Q_COUNT, Q_MISSING, Q_MARK, Q_DECODED, Q_UNREADABLE, Q_PART, Q_PART_ADD, Q_PART_FILE, Q_PART_PAGE, Q_RECOUNT,
    Q_PARTS_OF_PAGE, Q_PARTS_OF_RECORD, Q_FILE, Q_SLOT_COUNT, Q_SLOT_PARTS, Q_SLOT_MARKS_DROP, Q_SLOT_PARTS_DROP, Q_SLOT_DROP, Q__COUNT
};
#define PAGE_COLUMNS                                                                                                     \
    "p.uid, p.case_no, p.record, p.round, p.material, p.alternative, p.n, p.type, p.size, p.parts, p.parts_done, p.sheets, p.unreadable, " \
    "coalesce(m.seen, 0), coalesce(m.verdict, '') FROM page AS p LEFT JOIN page_mark AS m ON m.page = p.uid AND m.officer = ?2"
#define PART_COLUMNS "a.uid, a.case_no, a.page, a.n, a.size, a.hash, a.file, a.sealed_hash FROM part AS a"
static const char *const sql[Q__COUNT] = {
    [Q_ADD] = "INSERT INTO page(uid, case_no, record, round, material, alternative, n, type, size, parts)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [Q_GET] = "SELECT " PAGE_COLUMNS " WHERE p.uid = ?1",
    [Q_EACH] = "SELECT " PAGE_COLUMNS " WHERE p.case_no = ?1 ORDER BY p.material, p.round, p.n",
    [Q_COUNT] = "SELECT coalesce(sum(parts_done = parts), 0), count(*) FROM page WHERE case_no = ?1",
    [Q_MISSING] = "SELECT coalesce(sum(parts - parts_done), 0) FROM page WHERE record = ?1",
    [Q_MARK] = "INSERT INTO page_mark(page, officer, seen, verdict) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(page, officer) DO UPDATE"
               " SET seen = max(seen, excluded.seen), verdict = CASE excluded.verdict WHEN '' THEN verdict WHEN 'none' THEN '' ELSE"
               " excluded.verdict END, gmt_modified = unixepoch() * 1000",
    [Q_DECODED] = "UPDATE page SET unreadable = ?2, sheets = ?3, gmt_modified = unixepoch() * 1000 WHERE uid = ?1"
                  " AND (unreadable <> ?2 OR sheets <> ?3)",
    [Q_UNREADABLE] = "SELECT count(*) FROM page WHERE case_no = ?1 AND unreadable = 1",
    [Q_PART] = "SELECT " PART_COLUMNS " WHERE a.uid = ?1",
    [Q_PART_ADD] = "INSERT INTO part(uid, case_no, page, n, size, hash, file, sealed_hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [Q_PART_FILE] = "UPDATE part SET file = ?2, sealed_hash = ?3, gmt_modified = unixepoch() * 1000 WHERE uid = ?1 AND file = ''",
    [Q_PART_PAGE] = "UPDATE part SET page = ?2, n = ?3, gmt_modified = unixepoch() * 1000 WHERE uid = ?1 AND page = ''",
    [Q_RECOUNT] = "UPDATE page SET parts_done = (SELECT count(*) FROM part WHERE part.page = page.uid AND part.file <> ''),"
                  " gmt_modified = unixepoch() * 1000 WHERE uid = ?1",
    [Q_PARTS_OF_PAGE] = "SELECT " PART_COLUMNS " WHERE a.page = ?1 ORDER BY a.n",
    [Q_PARTS_OF_RECORD] = "SELECT " PART_COLUMNS " JOIN page AS p ON p.uid = a.page WHERE p.record = ?1 ORDER BY p.id, a.n",
    [Q_FILE] = "SELECT 1 FROM part WHERE file = ?1 AND file <> ''",
    [Q_SLOT_COUNT] = "SELECT count(*) FROM page WHERE case_no = ?1 AND material = ?2 AND parts_done = parts AND unreadable = 0",
    [Q_SLOT_PARTS] = "SELECT " PART_COLUMNS " JOIN page AS p ON p.uid = a.page WHERE p.case_no = ?1 AND p.material = ?2 ORDER BY p.id, a.n",
    [Q_SLOT_MARKS_DROP] = "DELETE FROM page_mark WHERE page IN (SELECT uid FROM page WHERE case_no = ?1 AND material = ?2)",
    [Q_SLOT_PARTS_DROP] = "DELETE FROM part WHERE page IN (SELECT uid FROM page WHERE case_no = ?1 AND material = ?2)",
    [Q_SLOT_DROP] = "DELETE FROM page WHERE case_no = ?1 AND material = ?2",
};
const struct db_statements page_statements = {sql, Q__COUNT};

int page_add(struct db_conn *c, const struct page *p, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_ADD);
    db_bind_text(s, 1, p->uid);
    db_bind_text(s, 2, p->case_no);
    db_bind_text(s, 3, p->record);
    db_bind_int(s, 4, p->round);
    db_bind_int(s, 5, p->material);
    db_bind_int(s, 6, p->alternative);
    db_bind_int(s, 7, p->n);
    db_bind_text(s, 8, p->type);
    db_bind_int(s, 9, p->size);
    db_bind_int(s, 10, p->parts);
    return db_run(c, s, e);
}

#define TEXT(member, col) snprintf(out->member, sizeof out->member, "%s", db_col_text(s, col))
static void read_page(struct page *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof *out);
    TEXT(uid, 0);
    TEXT(case_no, 1);
    TEXT(record, 2);
    int64_t *const v[] = {&out->round, &out->material, &out->alternative, &out->n};
    for (int i = 0; i < 4; i++)
        *v[i] = db_col_int(s, 3 + i);
    TEXT(type, 7);
    out->size = db_col_int(s, 8);
    out->parts = db_col_int(s, 9);
    out->parts_done = db_col_int(s, 10);
    out->sheets = db_col_int(s, 11);
    out->unreadable = db_col_int(s, 12) != 0;
    out->seen = db_col_int(s, 13) != 0;
    TEXT(verdict, 14);
}

static void read_part(struct part *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof *out);
    TEXT(uid, 0);
    TEXT(case_no, 1);
    TEXT(page, 2);
    out->n = db_col_int(s, 3);
    out->size = db_col_int(s, 4);
    TEXT(hash, 5);
    TEXT(file, 6);
    TEXT(sealed_hash, 7);
}

int page_get(struct db_conn *c, const char *uid, const char *officer, struct page *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_GET);
    db_bind_text(s, 1, uid);
    db_bind_text(s, 2, officer);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        read_page(out, s);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "page %s is not known", uid) : -1;
}

int page_each(struct db_conn *c, const char *case_no, const char *officer, page_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_EACH);
    int rc;
    db_bind_text(s, 1, case_no);
    db_bind_text(s, 2, officer);
    while ((rc = db_step(c, s, e)) == 1) {
        struct page p;
        read_page(&p, s);
        if (fn(&p, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

/* One row of up to two numbers for a text. */
static int numbers(struct db_conn *c, size_t q, const char *key, int64_t *a, int64_t *b, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, q);
    db_bind_text(s, 1, key);
    if (db_step(c, s, e) != 1)
        return -1;
    *a = db_col_int(s, 0);
    if (b)
        *b = db_col_int(s, 1);
    sqlite3_reset(s);
    return 0;
}

int page_count(struct db_conn *c, const char *case_no, int64_t *done, int64_t *total, struct err *e)
{
    return numbers(c, Q_COUNT, case_no, done, total, e);
}

int page_missing(struct db_conn *c, const char *record, int64_t *parts, struct err *e)
{
    return numbers(c, Q_MISSING, record, parts, NULL, e);
}

int page_unreadable(struct db_conn *c, const char *case_no, int64_t *n, struct err *e)
{
    return numbers(c, Q_UNREADABLE, case_no, n, NULL, e);
}

int page_mark_set(struct db_conn *c, const char *page, const char *officer, bool seen, const char *verdict, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_MARK);
    db_bind_text(s, 1, page);
    db_bind_text(s, 2, officer);
    db_bind_int(s, 3, seen);
    db_bind_text(s, 4, verdict);
    return db_run(c, s, e);
}

int page_set_decoded(struct db_conn *c, const char *uid, bool unreadable, int64_t sheets, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_DECODED);
    db_bind_text(s, 1, uid);
    db_bind_int(s, 2, unreadable);
    db_bind_int(s, 3, sheets);
    return db_run(c, s, e);
}

int part_get(struct db_conn *c, const char *uid, struct part *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_PART);
    db_bind_text(s, 1, uid);
    int rc = db_step(c, s, e);
    if (rc == 1) {
        read_part(out, s);
        sqlite3_reset(s);
    }
    return rc == 1 ? 0 : rc == 0 ? err_set(e, ERR_MISSING, "part %s is not known", uid) : -1;
}

int part_add(struct db_conn *c, const struct part *p, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_PART_ADD);
    db_bind_text(s, 1, p->uid);
    db_bind_text(s, 2, p->case_no);
    db_bind_text(s, 3, p->page);
    db_bind_int(s, 4, p->n);
    db_bind_int(s, 5, p->size);
    db_bind_text(s, 6, p->hash);
    db_bind_text(s, 7, p->file);
    db_bind_text(s, 8, p->sealed_hash);
    return db_run(c, s, e);
}

int part_set_file(struct db_conn *c, const char *uid, const char *file, const char *sealed_hash, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_PART_FILE);
    db_bind_text(s, 1, uid);
    db_bind_text(s, 2, file);
    db_bind_text(s, 3, sealed_hash);
    return db_run(c, s, e);
}

int part_set_page(struct db_conn *c, const char *uid, const char *page, int64_t n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_PART_PAGE);
    db_bind_text(s, 1, uid);
    db_bind_text(s, 2, page);
    db_bind_int(s, 3, n);
    return db_run(c, s, e);
}

int page_recount(struct db_conn *c, const char *page, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_RECOUNT);
    db_bind_text(s, 1, page);
    return db_run(c, s, e);
}

/* slot 0: the statement has none. */
static int each_part(struct db_conn *c, size_t q, const char *key, int64_t slot, part_fn fn, void *arg, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, q);
    int rc;
    db_bind_text(s, 1, key);
    if (slot)
        db_bind_int(s, 2, slot);
    while ((rc = db_step(c, s, e)) == 1) {
        struct part p;
        read_part(&p, s);
        if (fn(&p, arg, e) < 0) {
            sqlite3_reset(s);
            return -1;
        }
    }
    return rc;
}

int part_each_of_page(struct db_conn *c, const char *page, part_fn fn, void *arg, struct err *e)
{
    return each_part(c, Q_PARTS_OF_PAGE, page, 0, fn, arg, e);
}

int part_each_of_record(struct db_conn *c, const char *record, part_fn fn, void *arg, struct err *e)
{
    return each_part(c, Q_PARTS_OF_RECORD, record, 0, fn, arg, e);
}

int page_slot_count(struct db_conn *c, const char *case_no, int64_t material, int64_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_SLOT_COUNT);
    db_bind_text(s, 1, case_no);
    db_bind_int(s, 2, material);
    if (db_step(c, s, e) != 1)
        return -1;
    *n = db_col_int(s, 0);
    sqlite3_reset(s);
    return 0;
}

int page_slot_drop(struct db_conn *c, const char *case_no, int64_t material, part_fn fn, void *arg, struct err *e)
{
    static const int in_order[] = {Q_SLOT_MARKS_DROP, Q_SLOT_PARTS_DROP, Q_SLOT_DROP};
    if (each_part(c, Q_SLOT_PARTS, case_no, material, fn, arg, e) < 0)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        sqlite3_stmt *s = db_stmt(c, &page_statements, (size_t)in_order[i]);
        db_bind_text(s, 1, case_no);
        db_bind_int(s, 2, material);
        if (db_run(c, s, e) < 0)
            return -1;
    }
    return 0;
}

int part_file_known(struct db_conn *c, const char *file, bool *known, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &page_statements, Q_FILE);
    db_bind_text(s, 1, file);
    int rc = db_step(c, s, e);
    *known = rc == 1;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}
