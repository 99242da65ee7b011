#include "internet-side/service/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/filetype.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"
#include "internet-side/service/upkeep.h"
#include "internet-side/store/upload.h"

#define ORPHAN_MS 3600000

struct begin { struct upload u; int64_t now_ms; struct reply *r; };
struct find { const char *id; const struct hash256 *account; struct upload u; int64_t start; struct upload_part at; int part_found; };
struct append { struct upload u; struct upload_part p; int64_t now_ms; };

static json_t *state_json(const struct upload *u)
{
    return json_pack("{s:s, s:I, s:I, s:b}", "id", u->id.s, "offset", (json_int_t)u->offset, "size", (json_int_t)u->size, "complete",
                     u->offset == u->size);
}

static int refuse_field(struct reply *r, struct err *e, enum err_code code, const char *field, const char *rule, const char *zh)
{
    reply_field(r, field, rule, zh);
    return reply_refuse(r, e, code, rule, "%s", zh);
}

/* Read and judge the members of the request. */
static int parse_begin(struct upload *u, const json_t *body, struct reply *r, struct err *e)
{
    const char *draft, *type, *key;
    json_t *v;
    json_int_t material, size;           /* jansson would fold a large number into an int */
    json_object_foreach((json_t *)body, key, v)
        if (strcmp(key, "draft") && strcmp(key, "material") && strcmp(key, "type") && strcmp(key, "size"))
            return refuse_field(r, e, ERR_INPUT, key, "unknown", "多了一项不认识的内容，请刷新后重试");
    if (json_unpack((json_t *)body, "{s:s, s:I, s:s, s:I}", "draft", &draft, "material", &material, "type", &type, "size", &size) < 0)
        return reply_refuse(r, e, ERR_INPUT, "upload: want draft, material, type, size", "上传没有开始，请重新拍照");
    if (!id_valid(draft))
        return refuse_field(r, e, ERR_INPUT, "draft", "pattern", "草稿编号不对，请刷新后重试");
    if (material < 0 || material > 99)
        return refuse_field(r, e, ERR_INPUT, "material", "range", "没有这份材料，请刷新后重试");
    if (!filetype_known(type))
        return refuse_field(r, e, ERR_INPUT, "type", "code_value", "这个文件不是图片或 PDF，请重新拍照");
    if (size < 1)
        return refuse_field(r, e, ERR_INPUT, "size", "range", "这个文件打不开，请重新拍照");
    if (size > UPLOAD_MAX)
        return refuse_field(r, e, ERR_TOO_LARGE, "size", "range", "这个文件超过 20 MB，请重新拍照");
    memcpy(u->draft.s, draft, sizeof u->draft.s);
    u->material = (int)material;
    u->size = size;
    snprintf(u->type, sizeof u->type, "%s", filetype_known(type));
    return 0;
}

static int begin_write(struct db_conn *c, void *arg, struct err *e)
{
    struct begin *b = arg;
    struct upload_use use;
    if (upload_use_of(&use, c, &b->u.account, b->u.draft.s, b->u.material, e) < 0)
        return -1;
    if (use.pages >= UPLOAD_ACCOUNT_PAGES || use.bytes + b->u.size > UPLOAD_ACCOUNT_MAX)
        return refuse_field(b->r, e, ERR_TOO_LARGE, "size", "account_limit", "没交的照片太多了，请先提交或删掉一些");
    if (use.in_slot >= UPLOAD_SLOT_PAGES)
        return refuse_field(b->r, e, ERR_TOO_LARGE, "material", "pages", "一份材料最多 40 页");
    return upload_add(c, &b->u, b->now_ms, e);
}

int uploads_begin(struct core *c, const struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    struct begin b = { .now_ms = now_ms, .r = r };
    const struct bytes account = { session_account(s)->b, 32 };
    if (parse_begin(&b.u, body, r, e) < 0)
        return -1;
    if (!upkeep_accepting(c->upkeep))
        return reply_refuse(r, e, ERR_FULL, "upload: not accepting", "系统暂停受理，请稍后再试，已传的照片还在");
    const unsigned wait = limiter_take(c->limiter, LIMIT_UPLOAD, account, now_ms);
    if (wait)
        return reply_busy(r, e, "upload: too many", wait);
    id_random(&b.u.id);
    b.u.account = *session_account(s);
    b.u.expires_ms = now_ms + UPLOAD_LIFE_MS;
    if (db_write(c->db, begin_write, &b, e) < 0)
        return -1;
    r->body = state_json(&b.u);
    return 0;
}

/* The caller's own page, and the part at `start` when one is asked for. Somebody else's is as if it were not there. */
static int find_read(struct db_conn *c, void *arg, struct err *e)
{
    struct find *f = arg;
    const int rc = upload_load(&f->u, c, f->id, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || !hash_equal(&f->u.account, f->account) || f->u.record[0])
        return err_set(e, ERR_MISSING, "upload: want an open one of this account, have another");
    f->part_found = f->start >= 0 ? upload_part_at(&f->at, c, f->id, f->start, e) : 0;
    return f->part_found < 0 ? -1 : 0;
}

static int find(struct find *f, struct core *c, const struct session *s, const char *id, int64_t start, struct reply *r, struct err *e)
{
    *f = (struct find){ .id = id, .account = session_account(s), .start = start };
    if (db_read(c->db, find_read, f, e) == 0)
        return 0;
    if (e->code == ERR_MISSING)
        snprintf(r->zh, sizeof r->zh, "这一页没有找到或已过期，请重新拍照");
    return -1;
}

int uploads_state(struct core *c, const struct session *s, const char *id, struct reply *r, struct err *e)
{
    struct find f;
    if (find(&f, c, s, id, -1, r, e) < 0)
        return -1;
    r->body = state_json(&f.u);
    return 0;
}

/* Seal one part and make it durable under its item's name. The plain bytes are the request's and go with it. */
static int seal_part(struct upload_part *p, struct core *c, struct bytes part, struct err *e)
{
    struct buf sealed;
    char name[33];
    struct edition *d = configuration_current(c->configuration);
    struct manifest m = { .kind = "slice", .config_version = edition_version(d), .protocol = 1 };
    edition_release(d);
    id_random(&p->item);
    m.id = p->item;
    memcpy(name, p->item.s, sizeof name);
    buf_init(&sealed, 2 * UPLOAD_PART);
    int rc = keyring_seal(&sealed, &m, part, c->keys, e);
    hash_of(&p->hash, part);                  /* as the other side computes it; the manifest's is of our key's suite */
    p->sealed_size = (int64_t)sealed.n;
    hash_of(&p->sealed_hash, buf_bytes(&sealed));
    if (rc == 0)
        rc = file_publish(c->spool, name, buf_bytes(&sealed), PUBLISH_NEW, e);
    if (rc == 0 && c->mirror >= 0)
        rc = file_publish(c->mirror, name, buf_bytes(&sealed), PUBLISH_NEW, e);
    buf_clear(&sealed);
    return rc;
}

static void remove_part(struct core *c, const char *name)
{
    struct err none = {0};
    file_remove(c->spool, name, &none);
    if (c->mirror >= 0)
        file_remove(c->mirror, name, &none);
}

static int append_write(struct db_conn *c, void *arg, struct err *e)
{
    struct append *a = arg;
    return upload_append(c, &a->u, &a->p, a->now_ms, e);
}

/* What a part at this place must look like; the type is judged when the first one comes. */
static int judge_part(struct upload *u, uint64_t offset, struct bytes part, struct reply *r, struct err *e)
{
    const int64_t rest = u->size - (int64_t)offset, want = rest < UPLOAD_PART ? rest : UPLOAD_PART;
    if (offset != (uint64_t)u->offset)
        return refuse_field(r, e, ERR_CONFLICT, "offset", "order", "上传接不上了，正在从断开的地方重传");
    if ((int64_t)part.n != want)
        return refuse_field(r, e, ERR_INPUT, "body", "size", "这一段没有传完整，请重试");
    const char *type = offset == 0 ? filetype_of(part) : u->type;
    if (!type)
        return refuse_field(r, e, ERR_INPUT, "body", "type", "这个文件打不开，不是图片或 PDF，请重新拍照");
    if (strcmp(type, u->type) != 0)
        return refuse_field(r, e, ERR_INPUT, "type", "type", "这个文件的内容和说的不一样，请重新拍照");
    return 0;
}

/* A repeat after a lost answer: the same bytes are here already. */
static int repeated(const struct find *f, struct bytes part, struct reply *r, struct err *e)
{
    struct hash256 h;
    hash_of(&h, part);
    if ((int64_t)part.n != f->at.size || !hash_equal(&h, &f->at.hash))
        return refuse_field(r, e, ERR_CONFLICT, "offset", "order", "这一段已经传过别的内容，请删掉这一页重新拍照");
    r->body = state_json(&f->u);
    return 0;
}

int uploads_part(struct core *c, const struct session *s, const char *id, uint64_t offset, struct bytes part, int64_t now_ms, struct reply *r,
                 struct err *e)
{
    struct find f;
    struct append a = { .now_ms = now_ms };
    const unsigned wait = limiter_take(c->limiter, LIMIT_PART, (struct bytes){ session_account(s)->b, 32 }, now_ms);
    if (wait)
        return reply_busy(r, e, "upload: too many parts", wait);
    if (offset > UPLOAD_MAX)
        return refuse_field(r, e, ERR_INPUT, "offset", "range", "上传接不上了，请重新拍照");
    if (find(&f, c, s, id, (int64_t)offset, r, e) < 0)
        return -1;
    if (f.part_found)
        return repeated(&f, part, r, e);
    if (judge_part(&f.u, offset, part, r, e) < 0)
        return -1;
    if (!upkeep_accepting(c->upkeep))
        return reply_refuse(r, e, ERR_FULL, "upload: not accepting", "系统暂停受理，请稍后再试，已传的照片还在");
    a.u = f.u;
    a.p.start = (int64_t)offset;
    a.p.size = (int64_t)part.n;
    if (seal_part(&a.p, c, part, e) < 0 || db_write(c->db, append_write, &a, e) < 0) {
        remove_part(c, a.p.item.s);
        return -1;
    }
    a.u.offset += a.p.size;
    r->body = state_json(&a.u);
    return 0;
}

struct drop { const char *id; const struct hash256 *account; int64_t now_ms; };

static int drop_write(struct db_conn *c, void *arg, struct err *e)
{
    struct drop *d = arg;
    struct find f = { .id = d->id, .account = d->account, .start = -1 };
    return find_read(c, &f, e) < 0 ? -1 : upload_drop(c, d->id, d->now_ms, e);
}

int uploads_drop(struct core *c, const struct session *s, const char *id, int64_t now_ms, struct reply *r, struct err *e)
{
    struct drop d = { id, session_account(s), now_ms };
    (void)r;
    return db_write(c->db, drop_write, &d, e);
}

struct known { const char *name; int found; };

static int known_read(struct db_conn *c, void *arg, struct err *e)
{
    struct known *k = arg;
    k->found = upload_file_known(c, k->name, e);
    return k->found < 0 ? -1 : 0;
}

/* Only our own names (32 hex digits) and only old ones: a file that is being written has no row yet. */
static int sweep_folder(struct core *c, int folder, int64_t now_ms, unsigned *removed, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    if (folder_list(&list, &n, folder, 1000000, e) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct known k = { list[i].name, 1 };
        if (!list[i].regular || !id_valid(list[i].name) || now_ms - list[i].mtime_ms < ORPHAN_MS)
            continue;
        rc = db_read(c->db, known_read, &k, e);
        if (rc == 0 && !k.found) {
            rc = file_remove(folder, list[i].name, e);
            ++*removed;
        }
    }
    free(list);
    return rc;
}

int uploads_sweep(struct core *c, int64_t now_ms, unsigned *removed, struct err *e)
{
    *removed = 0;
    return sweep_folder(c, c->spool, now_ms, removed, e) < 0 ? -1 : c->mirror < 0 ? 0 : sweep_folder(c, c->mirror, now_ms, removed, e);
}
