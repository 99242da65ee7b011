#include "intranet-side/service/publish.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/service/core_parts.h"

enum { AGAIN_MS = 15 * 60 * 1000 };

static int last_row(struct db_conn *conn, void *arg, struct err *e)
{
    struct err mine = {0};
    if (configuration_last(conn, arg, &mine) < 0 && mine.code != ERR_MISSING)
        return err_set(e, mine.code, "%s", mine.msg);
    return 0;
}

int publish_catalogue(struct catalogue **out, struct db *db, const char *schema_dir, struct err *e)
{
    struct configuration_row last = {0};
    struct catalogue *folder = NULL, *same = NULL;
    char hex[65];
    *out = NULL;
    if (db_read(db, last_row, &last, e) < 0 || catalogue_load_dir(&folder, schema_dir, e) < 0)
        return -1;
    if (last.version == 0 || catalogue_version(folder) > last.version) {
        *out = folder;
        return 0;
    }
    int rc = catalogue_renumbered(&same, folder, (uint32_t)last.version, e);
    if (rc == 0) {
        hash_hex(hex, catalogue_hash(same));
        if (strcmp(hex, last.hash) == 0)
            *out = catalogue_ref(same);
        else
            rc = catalogue_renumbered(out, folder, (uint32_t)last.version + 1, e);
    }
    catalogue_unref(same);
    catalogue_unref(folder);
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

struct release { struct core *c; struct buf sealed; struct id128 id; char hex[65]; int64_t now; bool first; };

static int release_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct release *r = arg;
    struct configuration_row row = {.version = catalogue_version(r->c->catalogue), .published = r->now};
    struct out_item item = {.id = r->id, .kind = "configuration", .case_no = "", .bulk = true, .sealed = buf_bytes(&r->sealed)};
    snprintf(row.hash, sizeof row.hash, "%s", r->hex);
    snprintf(row.item, sizeof row.item, "%s", r->id.s);
    if (r->first && configuration_add(conn, &row, e) < 0)
        return -1;
    if (delivery_enqueue(conn, &item, r->now, e) < 0)
        return -1;
    return core_audit(r->c, conn, NULL, r->now, "publish", r->id.s, r->hex, e);
}

static int record_xml(struct buf *out, struct core *c, const char *hex, struct bytes bundle, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    struct buf text;
    char at[21];
    clock_rfc3339(at, now_ms);
    buf_init(&text, 64 << 20);
    base64_put(&text, bundle);
    xml_begin(&x, "configuration", "urn:hz:record:1");
    xml_attr_int(&x, "version", catalogue_version(c->catalogue));
    xml_attr(&x, "hash", hex);
    xml_attr(&x, "published", at);
    xml_open(&x, "bundle");
    xml_text(&x, buf_text(&text));
    xml_close(&x);
    int rc = xml_end(&x, e);
    *out = x.out;
    buf_clear(&text);
    return rc;
}

static int release(struct core *c, bool first, int64_t now_ms, struct err *e)
{
    struct release r = {.c = c, .now = now_ms, .first = first};
    struct buf bundle, xml = {0};
    struct manifest m = {.config_version = catalogue_version(c->catalogue), .protocol = 1};
    char path[700];
    snprintf(m.kind, sizeof m.kind, "configuration");
    id_random(&r.id);
    m.id = r.id;
    hash_hex(r.hex, catalogue_hash(c->catalogue));
    buf_init(&bundle, 64 << 20);
    buf_init(&r.sealed, 64 << 20);
    int rc = catalogue_bundle(&bundle, c->catalogue, e);
    if (rc == 0 && *c->bundle_dir && (rc = str_fmt(path, sizeof path, e, "%s/configuration-%u.json", c->bundle_dir, catalogue_version(c->catalogue))) == 0)
        rc = file_write_path(path, buf_bytes(&bundle), 0600, e);
    if (rc == 0)
        rc = record_xml(&xml, c, r.hex, buf_bytes(&bundle), now_ms, e);
    if (rc == 0)
        rc = keyring_seal(&r.sealed, &m, buf_bytes(&xml), c->keys, e);
    if (rc == 0)
        rc = db_write(c->db, release_write, &r, e);
    if (rc == 0) {
        log_event(LOG_INFO, "configuration_published", "version %u item %s", catalogue_version(c->catalogue), r.id.s);
        delivery_wake(c->delivery);
    }
    buf_clear(&bundle);
    buf_clear(&xml);
    buf_clear(&r.sealed);
    return rc;
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
        sent_ms = now_ms;
        return release(c, true, now_ms, e);
    }
    delivery_health(c->delivery, &s);
    bool behind = s.beat_ms != 0 && (int64_t)s.peer_config < ours;
    if (sent_ms == 0)
        sent_ms = last.published;
    if (!behind || now_ms - sent_ms < AGAIN_MS)
        return 0;
    sent_ms = now_ms;
    return release(c, false, now_ms, e);
}
