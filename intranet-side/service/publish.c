#include "intranet-side/service/publish.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/domain/change.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/releases.h"

enum { AGAIN_MS = 15 * 60 * 1000 };

static int last_row(struct db_conn *conn, void *arg, struct err *e)
{
    struct err mine = {0};
    if (configuration_last(conn, arg, &mine) < 0 && mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    return 0;
}

int publish_catalogue_of(struct catalogue **out, struct db *db, const struct catalogue *base, struct err *e)
{
    struct configuration_row last = {0};
    json_t *overrides = NULL;
    char hex[65];
    *out = NULL;
    if (db_read(db, last_row, &last, e) < 0 || releases_overrides(&overrides, db, 0, e) < 0)
        return -1;
    const int64_t own = catalogue_version(base), number = own > last.version ? own : last.version;
    int rc = changes_apply(out, base, overrides, (uint32_t)number, e);
    if (rc == 0 && number == last.version) {
        hash_hex(hex, catalogue_hash(*out));
        if (strcmp(hex, last.hash) != 0) {
            catalogue_unref(*out);
            *out = NULL;
            rc = changes_apply(out, base, overrides, (uint32_t)number + 1, e);
        }
    }
    json_decref(overrides);
    return rc < 0 ? err_wrap(e, "released changes over the base") : 0;
}

int publish_catalogue(struct catalogue **out, struct db *db, const char *schema_dir, struct err *e)
{
    struct catalogue *base = NULL;
    *out = NULL;
    if (catalogue_load_dir(&base, schema_dir, e) < 0)
        return -1;
    int rc = publish_catalogue_of(out, db, base, e);
    catalogue_unref(base);
    return rc;
}

int publish_export(const struct catalogue *c, const char *path, struct err *e)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    int rc = catalogue_bundle(&b, c, e);
    if (rc == 0)
        rc = file_write_path(path, buf_bytes(&b), 0644, e);
    buf_clear(&b);
    return rc;
}

struct release { struct core *c; const struct catalogue *what; struct buf sealed; struct id128 id; char hex[65]; int64_t now; bool first; db_fn also; void *arg; };

static int release_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct release *r = arg;
    struct configuration_row row = {.version = catalogue_version(r->what), .published = r->now};
    struct out_item item = {.id = r->id, .kind = "configuration", .case_no = "", .bulk = true, .sealed = buf_bytes(&r->sealed)};
    snprintf(row.hash, sizeof row.hash, "%s", r->hex);
    snprintf(row.item, sizeof row.item, "%s", r->id.s);
    if (r->first && configuration_add(conn, &row, e) < 0)
        return -1;
    if (r->also && r->also(conn, r->arg, e) < 0)
        return -1;
    if (r->c->delivery && delivery_enqueue(conn, &item, r->now, e) < 0)
        return -1;
    return core_audit(r->c, conn, NULL, r->now, "publish", r->id.s, r->hex, e);
}

static int record_xml(struct buf *out, const struct release *r, struct bytes bundle, struct err *e)
{
    struct xml_out x;
    struct buf text;
    char at[21];
    clock_rfc3339(at, r->now);
    buf_init(&text, 64 << 20);
    base64_put(&text, bundle);
    xml_begin(&x, "configuration", "urn:hz:record:1");
    xml_attr_int(&x, "version", catalogue_version(r->what));
    xml_attr(&x, "hash", r->hex);
    xml_attr(&x, "published", at);
    xml_open(&x, "bundle");
    xml_text(&x, buf_text(&text));
    xml_close(&x);
    int rc = xml_end(&x, e);
    *out = x.out;
    buf_clear(&text);
    return rc;
}

/* The bundle is in its folder before its number is given: a record that names the number can be judged from the same instant. */
static int release(struct release *r, struct err *e)
{
    struct core *c = r->c;
    struct buf bundle, xml = {0};
    struct manifest m = {.config_version = catalogue_version(r->what), .protocol = 1};
    char path[700];
    snprintf(m.kind, sizeof m.kind, "configuration");
    id_random(&r->id);
    m.id = r->id;
    hash_hex(r->hex, catalogue_hash(r->what));
    buf_init(&bundle, 64 << 20);
    buf_init(&r->sealed, 64 << 20);
    int rc = catalogue_bundle(&bundle, r->what, e);
    if (rc == 0 && *c->bundle_dir && (rc = str_fmt(path, sizeof path, e, "%s/configuration-%u.json", c->bundle_dir, catalogue_version(r->what))) == 0)
        rc = file_write_path(path, buf_bytes(&bundle), 0600, e);
    if (rc == 0)
        rc = record_xml(&xml, r, buf_bytes(&bundle), e);
    if (rc == 0 && c->keys)
        rc = keyring_seal(&r->sealed, &m, buf_bytes(&xml), c->keys, e);
    if (rc == 0)
        rc = db_write(c->db, release_write, r, e);
    if (rc == 0) {
        log_event(LOG_INFO, "configuration_published", "version %u item %s", catalogue_version(r->what), r->id.s);
        if (c->delivery)
            delivery_wake(c->delivery);
    }
    buf_clear(&bundle);
    buf_clear(&xml);
    buf_clear(&r->sealed);
    return rc;
}

int publish_next(struct core *c, struct catalogue *next, db_fn also, void *arg, int64_t now_ms, struct err *e)
{
    struct release r = {.c = c, .what = next, .now = now_ms, .first = true, .also = also, .arg = arg};
    if (release(&r, e) < 0)
        return -1;
    releases_switch(c, next);
    if (c->delivery)
        delivery_say(c->delivery, catalogue_version(next), "fine");
    return 0;
}

int publish_if_due(struct core *c, int64_t now_ms, struct err *e)
{
    struct configuration_row last = {0};
    struct delivery_state s = {0};
    static int64_t sent_ms;              /* only the clock's thread comes here after the start */
    if (c->delivery == NULL)
        return 0;
    if (db_read(c->db, last_row, &last, e) < 0)
        return -1;
    int64_t ours = catalogue_version(c->catalogue);
    if (last.version < ours) {
        struct release r = {.c = c, .what = c->catalogue, .now = now_ms, .first = true};
        sent_ms = now_ms;
        return release(&r, e);
    }
    delivery_health(c->delivery, &s);
    bool behind = s.beat_ms != 0 && (int64_t)s.peer_config < ours;
    if (sent_ms < last.published)
        sent_ms = last.published;
    if (!behind || now_ms - sent_ms < AGAIN_MS)
        return 0;
    struct release again = {.c = c, .what = c->catalogue, .now = now_ms};
    sent_ms = now_ms;
    return release(&again, e);
}
