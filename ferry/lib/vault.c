#include "ferry/lib/vault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "ferry/lib/journal.h"
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

/* A number that only counts as received since a resync is none that was: the journal says which were. */
static int look_known(struct db_conn *c, void *arg, struct err *e)
{
    struct known_job *j = arg;
    struct journal_entry x;
    if (store_file_known(c, j->incarnation, j->number, &j->known, e) < 0)
        return -1;
    int rc = j->known ? journal_last(c, "received", NULL, j->incarnation, j->number, &x, e) : 0;
    j->known = rc == 1;
    return rc < 0 ? -1 : 0;
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

static int replay_file(struct delivery *d, const char *name, struct envelope_head *h, uint64_t *read, struct err *e)
{
    struct buf body;
    buf_init(&body, ENVELOPE_MAX);
    *h = (struct envelope_head){.number = 0};
    int rc = file_read(&body, d->vault, name, ENVELOPE_MAX, e);
    if (rc == 0)
        rc = receive_again(d, buf_bytes(&body), h, e);
    buf_clear(&body);
    *read += rc == 0;
    if (rc < 0 && (e->code == ERR_CORRUPT || e->code == ERR_INPUT || e->code == ERR_TOO_LARGE)) {
        log_error("vault_file", e);      /* damaged on its volume: said, kept, and the others are read */
        err_clear(e);
        return 0;
    }
    return rc < 0 ? err_wrap(e, "file %s", name) : 0;
}

/* One under its hash came under a number that was taken: the file that has the name may be the one that this database does not know. */
static int replay_one(struct delivery *d, const char *name, uint64_t *read, struct err *e)
{
    struct envelope_head h;
    char first[80];
    bool known;
    if (is_known(d, name, &known, e) < 0 || known)
        return e->code ? -1 : 0;
    bool named = envelope_named(name, &h);
    if (replay_file(d, name, &h, read, e) < 0 || named || !h.number)
        return e->code ? -1 : 0;
    envelope_name(first, &h);
    if (strcmp(first, name) == 0 || faccessat(d->vault, first, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return replay_file(d, first, &h, read, e);
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

struct stream_job { char incarnation[17]; uint64_t contiguous; };

static int load_stream(struct db_conn *c, void *arg, struct err *e)
{
    struct stream_job *j = arg;
    struct beat b;
    if (store_last_stream(c, j->incarnation, e) < 0 || store_ranges(c, j->incarnation, &b, e) < 0)
        return -1;
    j->contiguous = b.contiguous;
    return 0;
}

/* Above what came without a gap there are few: only these are looked up one by one. */
static int is_lost(struct delivery *d, const struct stream_job *j, const char *name, bool *lost, struct err *e)
{
    struct envelope_head h;
    bool known;
    *lost = false;
    if (!envelope_named(name, &h) || h.kind == ENVELOPE_BEAT || strcmp(h.incarnation, j->incarnation) != 0 || h.number <= j->contiguous)
        return 0;
    if (is_known(d, name, &known, e) < 0)
        return -1;
    *lost = !known && faccessat(d->inbox, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    return 0;
}

int vault_unknown(struct delivery *d, char name[80], struct err *e)
{
    struct stream_job j = {.contiguous = 0};
    struct dir_entry *list;
    size_t n;
    bool lost = false;
    int rc = 0;
    *name = 0;
    if (db_read(d->opt.db, load_stream, &j, e) < 0 || folder_list(&list, &n, d->vault, VAULT_FILES, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && !lost && *j.incarnation && i < n; i++)
        if ((rc = is_lost(d, &j, list[i].name, &lost, e)) == 0 && lost)
            snprintf(name, 80, "%.79s", list[i].name);
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
