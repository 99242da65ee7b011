#include "ferry/lib/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/parts.h"

#define VAULT_FILES 4000000              /* a bound for a mistake, not for a vault */

int vault_keep(struct delivery *d, const struct envelope_head *h, struct bytes body, struct err *e)
{
    struct err first = {0};
    struct buf there;
    char name[80], other[160];
    struct hash256 hash;
    if (d->vault < 0)
        return 0;
    envelope_name(name, h);
    if (file_publish(d->vault, name, body, PUBLISH_NEW, &first) == 0)
        return 0;
    if (first.code != ERR_CONFLICT)
        return err_set(e, first.code, "vault: %.200s", first.msg);
    buf_init(&there, ENVELOPE_MAX + 1);
    int rc = file_read(&there, d->vault, name, ENVELOPE_MAX, e);
    bool same = rc == 0 && bytes_equal(buf_bytes(&there), body);
    buf_clear(&there);
    if (rc < 0)
        return -1;
    if (same)                            /* kept before a crash, perhaps without its name being durable yet */
        return fsync(d->vault) < 0 ? err_sys(e, "vault folder") : 0;
    hash_of(&hash, body);
    hash_hex(other, &hash);
    memcpy(other + 32, ".xml", 5);       /* two files of one number: both are evidence */
    log_event(LOG_ERROR, "number_twice", "file %s other %s", name, other);
    return file_publish(d->vault, other, body, PUBLISH_NEW, &first) == 0 || first.code == ERR_CONFLICT ? 0 : err_set(e, first.code, "vault: %.200s", first.msg);
}

struct known_job { char incarnation[17]; uint64_t number; bool known; };

static int look_known(struct db_conn *c, void *arg, struct err *e)
{
    struct known_job *j = arg;
    return store_file_known(c, j->incarnation, j->number, &j->known, e);
}

/* By its name alone: a month of files is not read to find a day of them. A name that says nothing is read. */
static int is_known(struct delivery *d, const char *name, bool *known, struct err *e)
{
    struct known_job j = {.known = false};
    struct envelope_head h;
    *known = false;
    if (!envelope_named(name, &h))
        return 0;
    memcpy(j.incarnation, h.incarnation, sizeof j.incarnation);
    j.number = h.number;
    if (db_read(d->opt.db, look_known, &j, e) < 0)
        return -1;
    *known = j.known;
    return 0;
}

static int replay_one(struct delivery *d, const char *name, uint64_t *read, struct err *e)
{
    struct buf body;
    bool known;
    if (is_known(d, name, &known, e) < 0 || known)
        return e->code ? -1 : 0;
    buf_init(&body, ENVELOPE_MAX);
    int rc = file_read(&body, d->vault, name, ENVELOPE_MAX, e);
    if (rc == 0)
        rc = receive_again(d, buf_bytes(&body), e);
    buf_clear(&body);
    *read += rc == 0;
    if (rc < 0 && (e->code == ERR_CORRUPT || e->code == ERR_INPUT || e->code == ERR_TOO_LARGE)) {
        log_error("vault_file", e);      /* damaged on its volume: said, kept, and the others are read */
        err_clear(e);
        return 0;
    }
    return rc < 0 ? err_wrap(e, "file %s", name) : 0;
}

int vault_replay(struct delivery *d, uint64_t *read, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    int rc = 0;
    *read = 0;
    if (d->vault < 0)
        return 0;
    if (folder_list(&list, &n, d->vault, VAULT_FILES, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (list[i].regular)
            rc = replay_one(d, list[i].name, read, e);
    free(list);
    return rc;
}

int vault_expire(struct delivery *d, uint64_t *removed, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    uint64_t gone = 0;
    int rc = 0;
    if (removed)
        *removed = 0;
    if (d->vault < 0 || !d->opt.vault_days)
        return 0;
    int64_t before = clock_wall_ms() - (int64_t)d->opt.vault_days * 24 * 3600 * 1000;
    if (folder_list(&list, &n, d->vault, VAULT_FILES, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (list[i].regular && list[i].mtime_ms < before && unlinkat(d->vault, list[i].name, 0) == 0)
            gone++;
    free(list);
    if (gone && fsync(d->vault) < 0)
        rc = err_sys(e, "vault folder");
    if (gone)
        log_event(LOG_INFO, "vault_expired", "files %llu days %u", (unsigned long long)gone, d->opt.vault_days);
    if (removed)
        *removed = gone;
    return rc;
}
