#include "internet-side/service/configuration.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/file.h"
#include "common/log.h"
#include "internet-side/service/edition.h"
#include "internet-side/store/guard.h"

#define BUNDLE_MAX (32u << 20)

struct configuration {
    pthread_mutex_t lock;            /* guards the two pointers */
    pthread_mutex_t refreshing;      /* one refresh at a time */
    struct db *db;
    struct edition *current, *previous;      /* previous may be NULL */
};
struct stored { struct buf bundle; int nth, found; };

static int read_stored(struct db_conn *c, void *arg, struct err *e)
{
    struct stored *s = arg;
    s->found = configuration_load(&s->bundle, c, s->nth, e);
    return s->found < 0 ? -1 : 0;
}

static int edition_of_bytes(struct edition **out, struct bytes json, struct err *e)
{
    struct catalogue *c;
    if (catalogue_load_bundle(&c, json, e) < 0)
        return -1;
    const int rc = edition_new(out, c, e);
    if (rc < 0)
        catalogue_unref(c);
    return rc;
}

/* The nth newest of the database. 1, 0, -1. */
static int load_stored(struct edition **out, struct db *db, int nth, struct err *e)
{
    struct stored s = { .nth = nth };
    buf_init(&s.bundle, BUNDLE_MAX);
    int rc = db_read(db, read_stored, &s, e);
    if (rc == 0 && s.found)
        rc = edition_of_bytes(out, buf_bytes(&s.bundle), e) < 0 ? -1 : 1;
    buf_clear(&s.bundle);
    return rc;
}

static int load_base(struct edition **out, const char *base, struct err *e)
{
    struct buf b;
    if (!*base)
        return err_set(e, ERR_MISSING, "configuration: none in the database, and base_configuration is not set");
    buf_init(&b, BUNDLE_MAX);
    int rc = file_read_path(&b, base, BUNDLE_MAX, e);
    if (rc == 0)
        rc = edition_of_bytes(out, buf_bytes(&b), e);
    buf_clear(&b);
    return rc < 0 ? err_wrap(e, "base configuration %s", base) : 0;
}

int configuration_open(struct configuration **out, struct db *db, const char *base, struct err *e)
{
    struct configuration *c = calloc(1, sizeof *c);
    struct err none = {0};
    if (!c)
        return err_set(e, ERR_FULL, "configuration: no memory");
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->refreshing, NULL);
    c->db = db;
    int rc = load_stored(&c->current, db, 0, e);
    if (rc == 0)
        rc = load_base(&c->current, base, e);
    else if (rc == 1 && load_stored(&c->previous, db, 1, &none) < 1 && *base)
        load_base(&c->previous, base, &none);        /* welcome, not needed: it only keeps drafts that were begun under it */
    if (rc < 0) {
        configuration_close(c);
        return -1;
    }
    log_event(LOG_INFO, "configuration", "version %u", edition_version(c->current));
    *out = c;
    return 0;
}

void configuration_close(struct configuration *c)
{
    if (!c)
        return;
    edition_release(c->current);
    edition_release(c->previous);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->refreshing);
    free(c);
}

struct edition *configuration_current(struct configuration *c)
{
    pthread_mutex_lock(&c->lock);
    struct edition *d = edition_ref(c->current);
    pthread_mutex_unlock(&c->lock);
    return d;
}

struct edition *configuration_version(struct configuration *c, uint32_t version)
{
    pthread_mutex_lock(&c->lock);
    struct edition *d = edition_version(c->current) == version ? c->current
                      : c->previous && edition_version(c->previous) == version ? c->previous : NULL;
    if (d)
        edition_ref(d);
    pthread_mutex_unlock(&c->lock);
    return d;
}

static void switch_to(struct configuration *c, struct edition *fresh)
{
    pthread_mutex_lock(&c->lock);
    struct edition *old = c->previous;
    c->previous = c->current;
    c->current = fresh;
    pthread_mutex_unlock(&c->lock);
    edition_release(old);
    log_event(LOG_INFO, "configuration_switched", "version %u", edition_version(fresh));
}

int configuration_refresh(struct configuration *c, struct err *e)
{
    struct edition *fresh = NULL;
    pthread_mutex_lock(&c->refreshing);
    int rc = load_stored(&fresh, c->db, 0, e);
    if (rc == 1 && edition_version(fresh) > edition_version(c->current))
        switch_to(c, fresh);
    else if (rc == 1) {
        edition_release(fresh);
        rc = 0;
    }
    pthread_mutex_unlock(&c->refreshing);
    return rc;
}
