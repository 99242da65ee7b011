#include "internet-side/service/wish.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/configuration.h"

enum { WISH_BYTES = 128 << 10, MOST_CHANGES = 400, ASK_S = 30 };

struct wish { struct core *c; struct delivery *d; struct id128 id; struct buf xml; uint32_t version; int64_t now; };

static int put_change(struct xml_out *x, const json_t *change, struct err *e)
{
    const json_t *value = json_object_get(change, "value");
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    if (!text || !*command_text(change, "item") || !*command_text(change, "path")) {
        free(text);
        return err_set(e, ERR_INPUT, "wish: changes: want item, path and value in each");
    }
    xml_open(x, "change");
    xml_attr(x, "region", command_text(change, "region"));
    xml_attr(x, "item", command_text(change, "item"));
    xml_attr(x, "path", command_text(change, "path"));
    xml_text(x, text);
    xml_close(x);
    free(text);
    return 0;
}

static int text_fits(const char *text, const char *name, long max, struct err *e)
{
    if (*text == '\0' || text_length(bytes_of(text)) > max || text_fault_of(bytes_of(text)) != TEXT_OK)
        return err_set(e, ERR_INPUT, "wish: %s: want text of 1 to %ld characters", name, max);
    return 0;
}

static int wish_xml(struct wish *w, const json_t *args, struct err *e)
{
    struct xml_out x;
    char at[21];
    size_t i;
    const json_t *k, *changes = json_object_get(args, "changes");
    int rc = text_fits(command_text(args, "title"), "title", 60, e) < 0 || text_fits(command_text(args, "text"), "text", 1000, e) < 0 ? -1 : 0;
    if (rc == 0 && ((changes && !json_is_array(changes)) || json_array_size(changes) > MOST_CHANGES))
        rc = err_set(e, ERR_INPUT, "wish: changes: want a list of at most %d", MOST_CHANGES);
    if (rc < 0)
        return -1;
    clock_rfc3339(at, w->now);
    xml_begin(&x, "configuration-wish", "urn:hz:record:1");
    xml_attr(&x, "asked", at);
    xml_attr_int(&x, "config", w->version);
    xml_open(&x, "title");
    xml_text(&x, command_text(args, "title"));
    xml_close(&x);
    xml_open(&x, "text");
    xml_text(&x, command_text(args, "text"));
    xml_close(&x);
    json_array_foreach(changes, i, k)
        if (rc == 0)
            rc = put_change(&x, k, e);
    if (xml_end(&x, rc == 0 ? e : &(struct err){0}) < 0)
        rc = -1;
    w->xml = x.out;
    return rc;
}

static int send(struct db_conn *conn, void *arg, struct err *e)
{
    struct wish *w = arg;
    return delivery_send_record(conn, w->d, "configuration-wish", "", 0, buf_bytes(&w->xml), w->version, &w->id, w->now, e);
}

/* Repeated under the same id, when the service was ended between doing and answering, it changes nothing. */
int wish_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct core *c = app;
    struct wish w = {.c = c, .d = d, .now = clock_wall_ms()};
    const char *id;
    if (command_need(args, "id", &id, e) < 0)
        return -1;
    if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
        return err_set(e, ERR_INPUT, "wish: id: want 32 hex digits");
    memcpy(w.id.s, id, 33);
    struct edition *now = configuration_current(c->configuration);
    w.version = edition_version(now);
    edition_release(now);
    int rc = wish_xml(&w, args, e);
    if (rc == 0 && db_write(c->db, send, &w, e) < 0 && e->code == ERR_CONFLICT)
        err_clear(e);
    rc = e->code ? -1 : rc;
    buf_clear(&w.xml);
    if (rc == 0)
        delivery_wake(d);
    return rc < 0 ? -1 : json_object_set_new(answer, "id", json_string(id));
}

int wish_ask(const char *command_dir, const char *file, struct err *e)
{
    struct buf b;
    struct id128 id;
    json_error_t je;
    json_t *answer = NULL;
    buf_init(&b, WISH_BYTES);
    if (!*command_dir)
        return err_set(e, ERR_INPUT, "wish: command_dir is not set in the configuration");
    int rc = file_read_path(&b, file, WISH_BYTES, e);
    json_t *args = rc == 0 ? json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &je) : NULL;
    if (rc == 0 && !json_is_object(args))
        rc = err_set(e, ERR_INPUT, "wish: %.100s: line %d: want an object {title, text, changes}: %.60s", file, args ? 1 : je.line, args ? "" : je.text);
    id_random(&id);
    if (rc == 0)
        json_object_set_new(args, "id", json_string(id.s));
    if (rc == 0)
        rc = command_ask(command_dir, "wish", args, ASK_S, &answer, e);
    json_decref(answer);
    json_decref(args);
    buf_clear(&b);
    return rc;
}
