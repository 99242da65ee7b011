#include "intranet-side/service/releases.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/file.h"
#include "common/log.h"
#include "intranet-side/domain/change.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/store/change.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/flow_select.h"
#include "intranet-side/domain/rules.h"

enum { BUNDLE_CAP = 64 << 20 };

struct releases {
    pthread_mutex_t lock;                /* guards kept */
    pthread_mutex_t releasing;
    struct catalogue *base;
    struct catalogue **kept;
    size_t n, cap;
};

struct fold { json_t *overrides; int64_t up_to; };

static int fold_one(const struct change_set *s, void *arg, struct err *e)
{
    struct fold *f = arg;
    json_t *next = changes_merge(f->overrides, s->changes);
    json_decref(f->overrides);
    f->overrides = next;
    return next ? 0 : err_set(e, ERR_INTERNAL, "changes: no memory");
}

static int fold_all(struct db_conn *conn, void *arg, struct err *e)
{
    struct fold *f = arg;
    return change_each_released(conn, f->up_to, fold_one, f, e);
}

int releases_overrides(json_t **out, struct db *db, int64_t up_to, struct err *e)
{
    struct fold f = {.overrides = json_object(), .up_to = up_to};
    *out = NULL;
    if (db_read(db, fold_all, &f, e) < 0) {
        json_decref(f.overrides);
        return -1;
    }
    *out = f.overrides;
    return 0;
}

/* Takes the reference. Without room for it the catalogue stays where it is, referenced for ever: better than a pointer into nothing. */
static void keep(struct releases *r, struct catalogue *c)
{
    pthread_mutex_lock(&r->lock);
    if (r->n == r->cap) {
        const size_t cap = r->cap ? 2 * r->cap : 16;
        struct catalogue **grown = realloc(r->kept, cap * sizeof *grown);
        r->kept = grown ? grown : r->kept;
        r->cap = grown ? cap : r->cap;
    }
    if (r->n < r->cap)
        r->kept[r->n++] = c;
    pthread_mutex_unlock(&r->lock);
}

int releases_open(struct releases **out, struct core *c, struct err *e)
{
    struct releases *r = calloc(1, sizeof *r);
    struct catalogue *now = NULL;
    if (!r)
        return err_set(e, ERR_INTERNAL, "releases: no memory");
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->releasing, NULL);
    if (catalogue_load_dir(&r->base, c->schema_dir, e) < 0 || publish_catalogue_of(&now, c->db, r->base, e) < 0) {
        releases_close(r);
        return -1;
    }
    *out = r;
    c->releases = r;
    releases_switch(c, now);
    return releases_fits(c, now, e);     /* a failed start closes them with the rest */
}

int releases_fits(const struct core *c, const struct catalogue *next, struct err *e)
{
    return flow_select_covers(c->rules->select, next, e) < 0 ? -1 : effect_fields_check(c->rules->effects, next, e);
}

void releases_close(struct releases *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        catalogue_unref(r->kept[i]);
    free(r->kept);
    catalogue_unref(r->base);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->releasing);
    free(r);
}

const struct catalogue *releases_base(const struct releases *r)
{
    return r->base;
}

void releases_switch(struct core *c, struct catalogue *next)
{
    keep(c->releases, next);
    c->catalogue = next;
}

/* A released bundle of the folder; NULL. */
static struct catalogue *from_file(const struct core *c, int64_t version)
{
    char path[700];
    struct buf b;
    struct err mine = {0};
    struct catalogue *found = NULL;
    buf_init(&b, BUNDLE_CAP);
    if (*c->bundle_dir && str_fmt(path, sizeof path, &mine, "%s/configuration-%lld.json", c->bundle_dir, (long long)version) == 0 &&
        file_read_path(&b, path, BUNDLE_CAP, &mine) == 0)
        catalogue_load_bundle(&found, buf_bytes(&b), &mine);
    buf_clear(&b);
    return found;
}

static const struct catalogue *find(struct releases *r, int64_t version)
{
    const struct catalogue *found = NULL;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; !found && i < r->n; i++)
        if (catalogue_version(r->kept[i]) == version)
            found = r->kept[i];
    pthread_mutex_unlock(&r->lock);
    return found;
}

const struct catalogue *releases_version(struct core *c, int64_t version)
{
    const struct catalogue *now = c->catalogue;
    if (version == (int64_t)catalogue_version(now))
        return now;
    if (!c->releases)
        return NULL;
    const struct catalogue *found = find(c->releases, version);
    struct catalogue *loaded = found ? NULL : from_file(c, version);
    if (loaded)                              /* two at once keep it twice: no harm */
        keep(c->releases, loaded);
    return found ? found : loaded;
}

void releases_hold(struct releases *r)
{
    pthread_mutex_lock(&r->releasing);
}

void releases_let_go(struct releases *r)
{
    pthread_mutex_unlock(&r->releasing);
}
