#include "internet-side/store/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry/lib/delivery.h"

enum { Q_LOAD, Q_ADD, Q_USE, Q_MOVE, Q_PART_ADD, Q_PART_AT, Q_PARTS, Q_SUBMIT, Q_DROP, Q_DROP_RECORD, Q_EXPIRED, Q_RECORD_PARTS, Q_KNOWN, Q__COUNT };

#define PART "item, start, size, sealed_size, hash, sealed_hash"

static const char *const sql[Q__COUNT] = {
    [Q_LOAD] = "SELECT upload, draft, account, material, type, size, offset, record, expires_ms FROM upload WHERE upload = ?1",
    [Q_ADD] = "INSERT INTO upload(upload, draft, account, material, type, size, expires_ms, gmt_create, gmt_modified) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    [Q_USE] = "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(draft = ?2 AND material = ?3), 0) FROM upload WHERE account = ?1 AND record = ''",
    [Q_MOVE] = "UPDATE upload SET offset = ?3, type = ?4, gmt_modified = ?5 WHERE upload = ?1 AND offset = ?2 AND record = ''",
    [Q_PART_ADD] = "INSERT INTO upload_part(upload, start, size, item, hash, sealed_size, sealed_hash, gmt_create, gmt_modified) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    [Q_PART_AT] = "SELECT " PART " FROM upload_part WHERE upload = ?1 AND start = ?2",
    [Q_PARTS] = "SELECT " PART " FROM upload_part WHERE upload = ?1 ORDER BY start",
    [Q_SUBMIT] = "UPDATE upload SET record = ?2, gmt_modified = ?3 WHERE upload = ?1 AND record = '' AND offset = size",
    [Q_DROP] = "DELETE FROM upload WHERE upload = ?1",
    [Q_DROP_RECORD] = "DELETE FROM upload WHERE record = ?1",
    [Q_EXPIRED] = "SELECT upload FROM upload WHERE record = '' AND expires_ms <= ?1 LIMIT 1",
    [Q_RECORD_PARTS] = "SELECT " PART " FROM upload_part WHERE upload IN (SELECT upload FROM upload WHERE record = ?1)",
    [Q_KNOWN] = "SELECT 1 FROM upload_part WHERE item = ?1 UNION ALL "       /* a record's copy in the mirror is named by the record */
                "SELECT 1 FROM outgoing_record WHERE record = ?1 AND word NOT IN ('confirmed', 'refused')",
};
const struct db_statements upload_statements = { sql, Q__COUNT };

static void copy_hash(struct hash256 *out, sqlite3_stmt *s, int i)
{
    const struct bytes b = db_col_blob(s, i);
    memset(out, 0, sizeof *out);
    if (b.n == sizeof out->b)
        memcpy(out->b, b.p, sizeof out->b);
}

int upload_load(struct upload *out, struct db_conn *c, const char *id, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_LOAD);
    db_bind_text(s, 1, id);
    const int rc = db_step(c, s, e);
    if (rc != 1)
        return rc;
    memset(out, 0, sizeof *out);
    snprintf(out->id.s, sizeof out->id.s, "%s", db_col_text(s, 0));
    snprintf(out->draft.s, sizeof out->draft.s, "%s", db_col_text(s, 1));
    copy_hash(&out->account, s, 2);
    out->material = (int)db_col_int(s, 3);
    snprintf(out->type, sizeof out->type, "%s", db_col_text(s, 4));
    out->size = db_col_int(s, 5);
    out->offset = db_col_int(s, 6);
    snprintf(out->record, sizeof out->record, "%s", db_col_text(s, 7));
    out->expires_ms = db_col_int(s, 8);
    return 1;
}

int upload_add(struct db_conn *c, const struct upload *u, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_ADD);
    db_bind_text(s, 1, u->id.s);
    db_bind_text(s, 2, u->draft.s);
    db_bind_blob(s, 3, (struct bytes){ u->account.b, 32 });
    db_bind_int(s, 4, u->material);
    db_bind_text(s, 5, u->type);
    db_bind_int(s, 6, u->size);
    db_bind_int(s, 7, u->expires_ms);
    db_bind_int(s, 8, now_ms);
    return db_run(c, s, e);
}

int upload_use_of(struct upload_use *out, struct db_conn *c, const struct hash256 *account, const char *draft, int material, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_USE);
    db_bind_blob(s, 1, (struct bytes){ account->b, 32 });
    db_bind_text(s, 2, draft);
    db_bind_int(s, 3, material);
    if (db_step(c, s, e) != 1)
        return -1;
    *out = (struct upload_use){ db_col_int(s, 0), db_col_int(s, 1), db_col_int(s, 2) };
    return 0;
}

int upload_append(struct db_conn *c, const struct upload *u, const struct upload_part *p, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_MOVE);
    db_bind_text(s, 1, u->id.s);
    db_bind_int(s, 2, p->start);
    db_bind_int(s, 3, p->start + p->size);
    db_bind_text(s, 4, u->type);
    db_bind_int(s, 5, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    if (db_changes(c) != 1)
        return err_set(e, ERR_CONFLICT, "upload %s: want offset %lld, have another", u->id.s, (long long)p->start);
    s = db_stmt(c, &upload_statements, Q_PART_ADD);
    db_bind_text(s, 1, u->id.s);
    db_bind_int(s, 2, p->start);
    db_bind_int(s, 3, p->size);
    db_bind_text(s, 4, p->item.s);
    db_bind_blob(s, 5, (struct bytes){ p->hash.b, 32 });
    db_bind_int(s, 6, p->sealed_size);
    db_bind_blob(s, 7, (struct bytes){ p->sealed_hash.b, 32 });
    db_bind_int(s, 8, now_ms);
    return db_run(c, s, e);
}

static void part_row(struct upload_part *p, sqlite3_stmt *s)
{
    snprintf(p->item.s, sizeof p->item.s, "%s", db_col_text(s, 0));
    p->start = db_col_int(s, 1);
    p->size = db_col_int(s, 2);
    p->sealed_size = db_col_int(s, 3);
    copy_hash(&p->hash, s, 4);
    copy_hash(&p->sealed_hash, s, 5);
}

int upload_part_at(struct upload_part *out, struct db_conn *c, const char *id, int64_t start, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_PART_AT);
    db_bind_text(s, 1, id);
    db_bind_int(s, 2, start);
    const int rc = db_step(c, s, e);
    if (rc == 1)
        part_row(out, s);
    return rc;
}

static int part_list(struct upload_part **out, size_t *n, struct db_conn *c, sqlite3_stmt *s, struct err *e)
{
    struct upload_part *list = NULL;
    size_t have = 0;
    int rc;
    *n = 0;
    while ((rc = db_step(c, s, e)) == 1) {
        if (*n == have) {
            have = have ? have * 2 : 16;
            struct upload_part *more = realloc(list, have * sizeof *list);
            if (!more) {
                rc = err_set(e, ERR_INTERNAL, "upload: no memory");
                break;
            }
            list = more;
        }
        part_row(&list[(*n)++], s);
    }
    if (rc < 0) {
        free(list);
        return -1;
    }
    *out = list;
    return 0;
}

int upload_parts(struct upload_part **out, size_t *n, struct db_conn *c, const char *id, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_PARTS);
    db_bind_text(s, 1, id);
    return part_list(out, n, c, s, e);
}

int upload_record_parts(struct upload_part **out, size_t *n, struct db_conn *c, const char *record, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_RECORD_PARTS);
    db_bind_text(s, 1, record);
    return part_list(out, n, c, s, e);
}

int upload_submit(struct db_conn *c, const char *id, const char *record, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_SUBMIT);
    db_bind_text(s, 1, id);
    db_bind_text(s, 2, record);
    db_bind_int(s, 3, now_ms);
    if (db_run(c, s, e) < 0)
        return -1;
    return db_changes(c) == 1 ? 0 : err_set(e, ERR_CONFLICT, "upload %s: want complete and free, have another state", id);
}

int upload_drop(struct db_conn *c, const char *id, int64_t now_ms, struct err *e)
{
    struct upload_part *parts = NULL;
    size_t n;
    int rc = upload_parts(&parts, &n, c, id, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = delivery_trash(c, parts[i].item.s, now_ms, e);
    free(parts);
    if (rc < 0)
        return -1;
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_DROP);
    db_bind_text(s, 1, id);
    return db_run(c, s, e);
}

int upload_drop_record(struct db_conn *c, const char *record, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_DROP_RECORD);
    db_bind_text(s, 1, record);
    return db_run(c, s, e);
}

int upload_drop_expired(int64_t *n, struct db_conn *c, int64_t now_ms, struct err *e)
{
    for (*n = 0; *n < 500; ++*n) {       /* bounded: the writer thread serves everyone */
        char id[33];
        sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_EXPIRED);
        db_bind_int(s, 1, now_ms);
        const int rc = db_step(c, s, e);
        if (rc <= 0)
            return rc;
        snprintf(id, sizeof id, "%s", db_col_text(s, 0));
        if (upload_drop(c, id, now_ms, e) < 0)
            return -1;
    }
    return 0;
}

int upload_file_known(struct db_conn *c, const char *name, struct err *e)
{
    sqlite3_stmt *s = db_stmt(c, &upload_statements, Q_KNOWN);
    db_bind_text(s, 1, name);
    return db_step(c, s, e);
}
