#include "ferry/lib/journal.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "id, at_ms, what, incarnation, number, item_id, kind, case_no, hash, own"

enum { Q_LAST, Q_ADD, Q_NODE, Q_SIZE, Q_STREAM, Q_PLACED, Q_FILE_HASH, Q_ACKED, Q_CONFIRMED, Q_CASE, Q_EACH, Q_ITEM, Q_FILE, Q_FILE_WAS, Q__COUNT };
static const char *const sql[Q__COUNT] = {
    [Q_LAST] = "SELECT id, own FROM journal ORDER BY id DESC LIMIT 1",
    [Q_ADD] = "INSERT INTO journal(" COLUMNS ", nodes, gmt_create, gmt_modified) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?2, ?2)",
    [Q_NODE] = "SELECT own, nodes FROM journal WHERE id = ?1",
    [Q_SIZE] = "SELECT coalesce(max(id), 0) FROM journal",
    [Q_STREAM] = "SELECT incarnation FROM delivery_stream WHERE id = 1",
    [Q_PLACED] = "SELECT id, item_id, kind, case_no, hash FROM out_item WHERE number = ?1 AND id > ?2 ORDER BY id LIMIT 1",
    [Q_FILE_HASH] = "SELECT hash FROM out_file WHERE id = ?1",
    [Q_ACKED] = "SELECT id, hash FROM out_file WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1",
    [Q_CONFIRMED] = "SELECT kind, case_no, hash FROM out_item WHERE item_id = ?1",
    [Q_CASE] = "SELECT " COLUMNS " FROM journal WHERE case_no = ?1 AND ?1 <> '' AND case_no <> '' UNION "
               "SELECT f.id, f.at_ms, f.what, f.incarnation, f.number, f.item_id, f.kind, f.case_no, f.hash, f.own FROM journal i JOIN journal f "
               "ON f.number > 0 AND f.number = i.number AND f.incarnation = i.incarnation AND f.item_id = '' AND f.what IN ('sent', 'acked', 'received') "
               "WHERE i.case_no = ?1 AND ?1 <> '' AND i.case_no <> '' AND i.number > 0 ORDER BY 1",
    [Q_EACH] = "SELECT " COLUMNS " FROM journal WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY id",
    [Q_ITEM] = "SELECT " COLUMNS " FROM journal WHERE item_id = ?1 AND item_id <> '' AND instr(' ' || ?2 || ' ', ' ' || what || ' ') ORDER BY id DESC LIMIT 1",
    [Q_FILE] = "SELECT " COLUMNS " FROM journal WHERE number = ?3 AND number > 0 AND incarnation = ?1 AND item_id = '' AND instr(' ' || ?2 || ' ', ' ' || what || ' ') "
               "ORDER BY id DESC LIMIT 1",
    [Q_FILE_WAS] = "SELECT 1 FROM journal WHERE number = ?2 AND number > 0 AND incarnation = ?1 AND item_id = '' AND what = ?3 AND hash = ?4 LIMIT 1",
};
static const struct db_statements st = {sql, Q__COUNT};

int journal_prepare(struct db *db, struct err *e)
{
    return db_prepare(db, &st, e);
}

void journal_hash(struct hash256 *out, const struct journal_entry *x)
{
    char text[512], prev[65];
    hash_hex(prev, &x->prev);
    int n = snprintf(text, sizeof text, "hz-journal-1\n%llu\n%lld\n%s\n%s\n%llu\n%s\n%s\n%s\n%s\n%s\n", (unsigned long long)x->seq, (long long)x->at_ms, x->what, x->incarnation,
                     (unsigned long long)x->number, x->item, x->kind, x->case_no, x->hash, prev);
    hash_of(out, (struct bytes){(const uint8_t *)text, (size_t)n});
}

static void copy_hash(struct hash256 *out, struct bytes b)
{
    memset(out, 0, sizeof *out);
    if (b.n)
        memcpy(out->b, b.p, b.n < sizeof out->b ? b.n : sizeof out->b);
}

/* A node stands in the row of the entry that completed it. */
static int fetch_node(void *conn, struct tree_at at, struct hash256 *out, struct err *e)
{
    struct db_conn *c = conn;
    sqlite3_stmt *s = db_stmt(c, &st, Q_NODE);
    db_bind_int(s, 1, (int64_t)at.end);
    int rc = db_step(c, s, e);
    bool whole = false;
    if (rc == 1) {
        struct bytes b = db_col_blob(s, at.height ? 1 : 0);
        size_t from = at.height ? (at.height - 1) * sizeof out->b : 0;
        whole = b.n >= from + sizeof out->b;
        if (whole)
            copy_hash(out, (struct bytes){b.p + from, sizeof out->b});
    }
    sqlite3_reset(s);
    if (rc < 0)
        return -1;
    return whole ? 0 : err_set(e, rc ? ERR_CORRUPT : ERR_MISSING, "journal: entry %llu: its node of height %u is not there", (unsigned long long)at.end, at.height);
}

static int last_entry(struct db_conn *c, uint64_t *seq, struct hash256 *own, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_LAST);
    int rc = db_step(c, s, e);
    *seq = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    copy_hash(own, rc == 1 ? db_col_blob(s, 1) : (struct bytes){0});
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

/* The subtrees that end here, from the lowest inner node up. */
static int complete(struct db_conn *c, const struct journal_entry *x, struct hash256 *nodes, size_t *n, struct err *e)
{
    struct hash256 left, node = x->own;
    for (*n = 0; !(x->seq >> *n & 1); (*n)++) {
        if (fetch_node(c, (struct tree_at){x->seq - ((uint64_t)1 << *n), (unsigned)*n}, &left, e) < 0)
            return -1;
        tree_node(&node, &left, &node);
        nodes[*n] = node;
    }
    return 0;
}

int journal_put(struct db_conn *c, struct journal_entry *x, struct err *e)
{
    struct hash256 nodes[64];
    size_t n;
    if (last_entry(c, &x->seq, &x->prev, e) < 0)
        return -1;
    x->seq++;
    journal_hash(&x->own, x);
    if (complete(c, x, nodes, &n, e) < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &st, Q_ADD);
    db_bind_int(s, 1, (int64_t)x->seq);
    db_bind_int(s, 2, x->at_ms);
    db_bind_text(s, 3, x->what);
    db_bind_text(s, 4, x->incarnation);
    db_bind_int(s, 5, (int64_t)x->number);
    db_bind_text(s, 6, x->item);
    db_bind_text(s, 7, x->kind);
    db_bind_text(s, 8, x->case_no);
    db_bind_text(s, 9, x->hash);
    db_bind_blob(s, 10, (struct bytes){x->own.b, sizeof x->own.b});
    db_bind_blob(s, 11, (struct bytes){nodes[0].b, n * sizeof nodes[0].b});
    return db_run(c, s, e);
}

static void fill(char *out, size_t cap, const char *v)
{
    snprintf(out, cap, "%s", v ? v : "");
}

static struct journal_entry about_item(const char *what, const char *id, const char *kind, const char *case_no, const char *hash, int64_t now_ms)
{
    struct journal_entry x = {.at_ms = now_ms};
    fill(x.what, sizeof x.what, what);
    fill(x.item, sizeof x.item, id);
    fill(x.kind, sizeof x.kind, kind);
    fill(x.case_no, sizeof x.case_no, case_no);
    fill(x.hash, sizeof x.hash, hash);
    return x;
}

static struct journal_entry about_file(const char *what, const char *incarnation, uint64_t number, const char *hash, int64_t now_ms)
{
    struct journal_entry x = about_item(what, "", "", "", hash, now_ms);
    fill(x.incarnation, sizeof x.incarnation, incarnation);
    x.number = number;
    return x;
}

int journal_item(struct db_conn *c, const char *what, const char *id, const char *kind, const char *case_no, const char *hash, int64_t now_ms, struct err *e)
{
    struct journal_entry x = about_item(what, id, kind, case_no, hash, now_ms);
    return journal_put(c, &x, e);
}

static int our_stream(struct db_conn *c, char incarnation[17], struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_STREAM);
    int rc = db_step(c, s, e);
    fill(incarnation, 17, rc == 1 ? db_col_text(s, 0) : "");
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int journal_placed(struct db_conn *c, uint64_t number, int64_t now_ms, struct err *e)
{
    char incarnation[17];
    int64_t row = 0;
    if (our_stream(c, incarnation, e) < 0)
        return -1;
    for (;;) {
        sqlite3_stmt *s = db_stmt(c, &st, Q_PLACED);
        db_bind_int(s, 1, (int64_t)number);
        db_bind_int(s, 2, row);
        int rc = db_step(c, s, e);
        struct journal_entry x = {.seq = 0};
        if (rc == 1) {
            row = db_col_int(s, 0);
            x = about_item("placed", db_col_text(s, 1), db_col_text(s, 2), db_col_text(s, 3), db_col_text(s, 4), now_ms);
            x.number = number;
            memcpy(x.incarnation, incarnation, sizeof x.incarnation);
        }
        sqlite3_reset(s);
        if (rc <= 0)
            return rc;
        if (journal_put(c, &x, e) < 0)
            return -1;
    }
}

int journal_sent(struct db_conn *c, uint64_t number, const char *hash, int64_t now_ms, struct err *e)
{
    char incarnation[17];
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILE_HASH);
    db_bind_int(s, 1, (int64_t)number);
    int rc = db_step(c, s, e);
    bool known = rc == 1 && strcmp(db_col_text(s, 0), hash) == 0;
    sqlite3_reset(s);
    if (rc <= 0 || known)                /* 0: acknowledged while it was written again */
        return rc < 0 ? -1 : 0;
    if (our_stream(c, incarnation, e) < 0)
        return -1;
    struct journal_entry x = about_file("sent", incarnation, number, hash, now_ms);
    return journal_put(c, &x, e);
}

int journal_acked(struct db_conn *c, uint64_t from, uint64_t to, int64_t now_ms, struct err *e)
{
    char incarnation[17];
    if (our_stream(c, incarnation, e) < 0)
        return -1;
    for (uint64_t after = from - 1;;) {
        sqlite3_stmt *s = db_stmt(c, &st, Q_ACKED);
        db_bind_int(s, 1, (int64_t)after);
        db_bind_int(s, 2, (int64_t)to);
        int rc = db_step(c, s, e);
        struct journal_entry x = {.seq = 0};
        if (rc == 1) {
            after = (uint64_t)db_col_int(s, 0);
            x = about_file("acked", incarnation, after, db_col_text(s, 1), now_ms);
        }
        sqlite3_reset(s);
        if (rc <= 0)
            return rc;
        if (journal_put(c, &x, e) < 0)
            return -1;
    }
}

int journal_confirmed(struct db_conn *c, const char *id, int64_t now_ms, struct err *e)
{
    struct journal_entry x = {.seq = 0};
    sqlite3_stmt *s = db_stmt(c, &st, Q_CONFIRMED);
    db_bind_text(s, 1, id);
    int rc = db_step(c, s, e);
    if (rc == 1)
        x = about_item("confirmed", id, db_col_text(s, 0), db_col_text(s, 1), db_col_text(s, 2), now_ms);
    sqlite3_reset(s);
    return rc == 1 ? journal_put(c, &x, e) : rc;
}

int journal_received(struct db_conn *c, const char *incarnation, uint64_t number, const char *hash, int64_t now_ms, struct err *e)
{
    struct journal_entry x = about_file("received", incarnation, number, hash, now_ms);
    return journal_put(c, &x, e);
}

int journal_imported(struct db_conn *c, const char *what, const char *incarnation, uint64_t number, const char *id, const char *kind, const char *case_no, const char *hash,
                     int64_t now_ms, struct err *e)
{
    struct journal_entry x = about_item(what, id, kind, case_no, hash, now_ms);
    fill(x.incarnation, sizeof x.incarnation, incarnation);
    x.number = number;
    return journal_put(c, &x, e);
}

int journal_resync(struct db_conn *c, const char *what, const char *incarnation, const struct journal_head *lost, int64_t now_ms, struct err *e)
{
    struct journal_entry x = about_file(what, incarnation, lost->size, lost->size ? lost->root : "", now_ms);
    return journal_put(c, &x, e);
}

/* --- reading --- */

int journal_size(struct db_conn *c, uint64_t *size, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_SIZE);
    int rc = db_step(c, s, e);
    *size = rc == 1 ? (uint64_t)db_col_int(s, 0) : 0;
    sqlite3_reset(s);
    return rc < 0 ? -1 : 0;
}

int journal_root(struct db_conn *c, uint64_t size, struct hash256 *root, struct err *e)
{
    struct tree_at at[TREE_MOST];
    struct tree t = {.n = 0};
    struct hash256 h;
    size_t n = tree_cover(at, 0, size);
    for (size_t i = 0; i < n; i++)
        if (fetch_node(c, at[i], &h, e) < 0 || !tree_push(&t, &h, at[i].height))
            return e->code ? -1 : err_set(e, ERR_INTERNAL, "journal: tree of %llu entries", (unsigned long long)size);
    tree_root(root, &t);
    return 0;
}

int journal_head(struct db_conn *c, struct journal_head *out, struct err *e)
{
    struct hash256 root;
    if (journal_size(c, &out->size, e) < 0 || journal_root(c, out->size, &root, e) < 0)
        return -1;
    hash_hex(out->root, &root);
    return 0;
}

int journal_path(struct db_conn *c, uint64_t seq, uint64_t size, struct hash256 out[TREE_MOST], size_t *n, struct err *e)
{
    return tree_path(out, n, seq, size, fetch_node, c, e);
}

int journal_proof(struct db_conn *c, uint64_t from, uint64_t to, struct hash256 out[TREE_MOST], size_t *n, struct err *e)
{
    return tree_proof(out, n, from, to, fetch_node, c, e);
}

static void read_entry(struct journal_entry *x, sqlite3_stmt *s)
{
    *x = about_item(db_col_text(s, 2), db_col_text(s, 5), db_col_text(s, 6), db_col_text(s, 7), db_col_text(s, 8), db_col_int(s, 1));
    x->seq = (uint64_t)db_col_int(s, 0);
    fill(x->incarnation, sizeof x->incarnation, db_col_text(s, 3));
    x->number = (uint64_t)db_col_int(s, 4);
    copy_hash(&x->own, db_col_blob(s, 9));
}

/* The own of the entry before stands in its row. */
static int read_prev(struct db_conn *c, struct journal_entry *x, struct err *e)
{
    memset(&x->prev, 0, sizeof x->prev);
    return x->seq > 1 ? fetch_node(c, (struct tree_at){x->seq - 1, 0}, &x->prev, e) : 0;
}

int journal_of_case(struct db_conn *c, const char *case_no, struct journal_entry *out, size_t max, size_t *n, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_CASE);
    int rc;
    db_bind_text(s, 1, case_no);
    for (*n = 0; (rc = db_step(c, s, e)) == 1 && *n < max; (*n)++)
        read_entry(&out[*n], s);
    sqlite3_reset(s);
    if (rc == 1)
        return err_set(e, ERR_TOO_LARGE, "journal: case %s has more than %zu entries", case_no, max);
    for (size_t i = 0; rc == 0 && i < *n; i++)
        rc = read_prev(c, &out[i], e);
    return rc;
}

static int one_entry(struct db_conn *c, sqlite3_stmt *s, struct journal_entry *out, struct err *e)
{
    int rc = db_step(c, s, e);
    if (rc == 1)
        read_entry(out, s);
    sqlite3_reset(s);
    return rc;
}

int journal_each(struct db_conn *c, int64_t from_ms, int64_t to_ms, journal_fn fn, void *arg, struct err *e)
{
    struct journal_entry x;
    sqlite3_stmt *s = db_stmt(c, &st, Q_EACH);
    int rc;
    db_bind_int(s, 1, from_ms);
    db_bind_int(s, 2, to_ms);
    while ((rc = db_step(c, s, e)) == 1) {
        read_entry(&x, s);
        if ((rc = fn(arg, &x, e)) < 0)
            break;
    }
    sqlite3_reset(s);
    return rc;
}

int journal_last(struct db_conn *c, const char *words, const char *item, const char *incarnation, uint64_t number, struct journal_entry *out, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, item ? Q_ITEM : Q_FILE);
    db_bind_text(s, 1, item ? item : incarnation);
    db_bind_text(s, 2, words);
    if (!item)
        db_bind_int(s, 3, (int64_t)number);
    return one_entry(c, s, out, e);
}

int journal_file_was(struct db_conn *c, const char *word, const char *incarnation, uint64_t number, const char *hash, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &st, Q_FILE_WAS);
    db_bind_text(s, 1, incarnation);
    db_bind_int(s, 2, (int64_t)number);
    db_bind_text(s, 3, word);
    db_bind_text(s, 4, hash);
    int rc = db_step(c, s, e);
    sqlite3_reset(s);
    return rc;
}
