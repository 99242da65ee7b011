#include "intranet-side/store/vault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "intranet-side/store/case.h"

enum { FILE_CAP = 8 << 20 };
struct vault {
    struct secret *master, *index, *field, *audit;
    int files;
};

int vault_open(struct vault **out, const char *key_path, const char *files, bool create, struct err *e)
{
    struct vault *v = calloc(1, sizeof *v);
    *out = NULL;
    if (v == NULL)
        return err_set(e, ERR_INTERNAL, "vault: out of memory");
    v->files = -1;
    if (secret_load(&v->master, key_path, create, e) < 0 || folder_open(&v->files, files, 0700, e) < 0)
        goto fail;
    v->index = secret_derive(v->master, "hz-blind-index-1");
    v->field = secret_derive(v->master, "hz-field-1");
    v->audit = secret_derive(v->master, "hz-audit-1");
    if (!v->index || !v->field || !v->audit) {
        err_set(e, ERR_INTERNAL, "vault: keys could not be derived");
        goto fail;
    }
    *out = v;
    return 0;
fail:
    vault_close(v);
    return -1;
}

void vault_close(struct vault *v)
{
    if (v == NULL)
        return;
    secret_free(v->index);
    secret_free(v->field);
    secret_free(v->audit);
    secret_free(v->master);
    if (v->files >= 0)
        close(v->files);
    free(v);
}

void vault_index(struct hash256 *out, const struct vault *v, const char *id_no)
{
    secret_hash(out, v->index, "id_no", bytes_of(id_no));
}

int vault_seal(struct buf *out, const struct vault *v, const char *place, struct bytes plain, struct err *e)
{
    return secret_seal(out, v->field, plain, bytes_of(place), e);
}

int vault_unseal(struct buf *out, const struct vault *v, const char *place, struct bytes sealed, struct err *e)
{
    return secret_open(out, v->field, sealed, bytes_of(place), e) < 0 ? err_wrap(e, "%s", place) : 0;
}

void vault_mac(struct hash256 *out, const struct vault *v, struct bytes in)
{
    secret_hash(out, v->audit, "audit", in);
}

int vault_case_key(struct secret **out, const struct vault *v, struct db_conn *c, const char *no, bool create, struct err *e)
{
    struct buf wrapped;
    struct err mine = {0};
    int rc;
    *out = NULL;
    buf_init(&wrapped, 4096);
    if (case_key_get(c, no, &wrapped, &mine) == 0)
        rc = secret_unwrap(out, v->master, buf_bytes(&wrapped), bytes_of(no), e);
    else if (mine.code != ERR_MISSING || !create)
        rc = err_set(e, mine.code, "%s", mine.msg);
    else if ((rc = secret_new_wrapped(out, &wrapped, v->master, bytes_of(no), e)) == 0 && (rc = case_key_add(c, no, buf_bytes(&wrapped), e)) < 0) {
        secret_free(*out);
        *out = NULL;
    }
    buf_clear(&wrapped);
    return rc;
}

int vault_case_seal(struct buf *out, const struct secret *key, const char *place, struct bytes plain, struct err *e)
{
    return secret_seal(out, key, plain, bytes_of(place), e);
}

int vault_case_unseal(struct buf *out, const struct secret *key, const char *place, struct bytes sealed, struct err *e)
{
    return secret_open(out, key, sealed, bytes_of(place), e) < 0 ? err_wrap(e, "%s", place) : 0;
}

int vault_file_put(char name[33], const struct vault *v, const struct secret *key, struct bytes bytes, struct err *e)
{
    struct id128 id;
    struct buf sealed;
    buf_init(&sealed, FILE_CAP);
    id_random(&id);
    memcpy(name, id.s, 33);
    int rc = secret_seal(&sealed, key, bytes, bytes_of(name), e);
    if (rc == 0)
        rc = file_publish(v->files, name, buf_bytes(&sealed), PUBLISH_NEW, e);
    buf_clear(&sealed);
    return rc;
}

int vault_file_get(struct buf *out, const struct vault *v, const struct secret *key, const char *name, struct err *e)
{
    struct buf sealed;
    buf_init(&sealed, FILE_CAP);
    int rc = file_read(&sealed, v->files, name, FILE_CAP, e);
    if (rc == 0)
        rc = secret_open(out, key, buf_bytes(&sealed), bytes_of(name), e);
    buf_clear(&sealed);
    return rc;
}

void vault_file_drop(const struct vault *v, const char *name)
{
    struct err ignored = {0};
    file_remove(v->files, name, &ignored);
}

int vault_files(const struct vault *v, struct dir_entry **out, size_t *n, struct err *e)
{
    return folder_list(out, n, v->files, 10 * 1000 * 1000, e);
}
