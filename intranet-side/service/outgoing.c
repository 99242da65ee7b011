#include "intranet-side/service/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/store/trail.h"

#define RECORD_NS "urn:hz:record:1"

static void attr_time(struct xml_out *x, const char *name, int64_t ms)
{
    char t[21];
    clock_rfc3339(t, ms);
    xml_attr(x, name, t);
}

/* Text cut to what the schema allows, never inside a character. */
static void text_cut(struct xml_out *x, const char *s, size_t max_chars)
{
    struct buf b;
    size_t n = 0, chars = 0;
    while (s[n] && chars < max_chars) {
        n++;
        while (((unsigned char)s[n] & 0xC0) == 0x80)
            n++;
        chars++;
    }
    buf_init(&b, n + 1);
    buf_put(&b, s, n);
    xml_text(x, buf_text(&b));
    buf_clear(&b);
}

static void element(struct xml_out *x, const char *name, const char *text, size_t max_chars)
{
    xml_open(x, name);
    text_cut(x, text, max_chars);
    xml_close(x);
}

/* Close the document and give it to the ferry (or to a test's sink) at this place of the case. */
static int send(struct core *c, struct db_conn *conn, const char *kind, const char *no, uint64_t seq, struct xml_out *x, int64_t now_ms, struct err *e)
{
    int rc = xml_end(x, e);
    if (rc == 0 && c->delivery)
        rc = delivery_send_record(conn, c->delivery, kind, no, seq, buf_bytes(&x->out), catalogue_version(c->catalogue), NULL, now_ms, e);
    else if (rc == 0 && c->sink)
        rc = c->sink(c->sink_arg, kind, no, seq, buf_text(&x->out));
    buf_wipe(&x->out);
    return rc;
}

static void head(struct xml_out *x, const char *root, const char *no, uint64_t seq)
{
    xml_begin(x, root, RECORD_NS);
    xml_attr(x, "case", no);
    xml_attr_int(x, "seq", (int64_t)seq);
}

static int status_send(struct core *c, struct db_conn *conn, const char *no, const json_t *b, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    uint64_t seq;
    const char *key;
    json_t *v;
    if (delivery_next_seq(conn, no, &seq, now_ms, e) < 0)
        return -1;
    head(&x, "status", no, seq);
    xml_attr(&x, "state", text_of(b, "state"));
    xml_attr_int(&x, "stage", json_integer_value(json_object_get(b, "stage")));
    xml_attr(&x, "final", json_is_true(json_object_get(b, "final")) ? "true" : "false");
    if (*text_of(b, "deadline"))
        xml_attr(&x, "deadline", text_of(b, "deadline"));
    attr_time(&x, "at", json_integer_value(json_object_get(b, "at")));
    json_object_foreach(json_object_get(b, "values"), key, v) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        xml_open(&x, "value");
        xml_attr(&x, "field", key);
        text_cut(&x, json_is_string(v) ? json_string_value(v) : number, 2000);
        xml_close(&x);
    }
    element(&x, "event", text_of(b, "event"), 200);
    return send(c, conn, "status", no, seq, &x, now_ms, e);
}

static int request_send(struct core *c, struct db_conn *conn, const char *no, const json_t *b, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    uint64_t seq;
    size_t i;
    json_t *v;
    if (delivery_next_seq(conn, no, &seq, now_ms, e) < 0)
        return -1;
    head(&x, "supplement-request", no, seq);
    xml_attr_int(&x, "round", json_integer_value(json_object_get(b, "round")));
    xml_attr(&x, "deadline", text_of(b, "deadline"));
    attr_time(&x, "at", json_integer_value(json_object_get(b, "at")));
    element(&x, "sentence", text_of(b, "sentence"), 2000);
    for (int pass = 0; pass < 2; pass++)             /* the schema wants slots first */
        json_array_foreach(json_object_get(b, "reasons"), i, v) {
            const json_t *m = json_object_get(v, "material");
            const char *field = text_of(v, "field");
            if (pass == 0 ? !json_is_integer(m) : *field == '\0')
                continue;
            xml_open(&x, pass == 0 ? "slot" : "field");
            if (pass == 0)
                xml_attr_int(&x, "material", json_integer_value(m));
            else
                xml_attr(&x, "field", field);
            text_cut(&x, text_of(v, "text"), 2000);
            xml_close(&x);
        }
    return send(c, conn, "supplement-request", no, seq, &x, now_ms, e);
}

/* "material.3" becomes "material_3": names of the schema have no dots. */
static void finding_name(char out[48], const char *field)
{
    snprintf(out, 48, "%s", *field ? field : "form");
    for (char *p = out; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9'))
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : '_';
}

int outgoing_answer(struct core *c, struct db_conn *conn, const struct answer *a, struct err *e)
{
    struct xml_out x;
    uint64_t seq;
    size_t i;
    json_t *v;
    if (delivery_next_seq(conn, a->case_no, &seq, a->now_ms, e) < 0)
        return -1;
    head(&x, "answer", a->case_no, seq);
    xml_attr(&x, "to", a->to);
    xml_attr(&x, "record", a->record);
    xml_attr(&x, "word", a->word);
    xml_attr_int(&x, "pages_done", a->pages_done);
    xml_attr_int(&x, "pages_total", a->pages_total);
    attr_time(&x, "at", a->now_ms);
    for (i = 0; i < a->n_items; i++) {
        xml_open(&x, "item");
        xml_attr(&x, "id", a->items[i].id);
        xml_attr(&x, "hash", a->items[i].hash);
        xml_close(&x);
    }
    if (a->reason && *a->reason)
        element(&x, "reason", a->reason, 2000);
    json_array_foreach(a->findings, i, v) {
        char field[48];
        if (i == 60)
            break;
        finding_name(field, text_of(v, "field"));
        xml_open(&x, "finding");
        xml_attr(&x, "field", field);
        xml_attr(&x, "rule", text_of(v, "rule"));
        text_cut(&x, text_of(v, "message"), 200);
        xml_close(&x);
    }
    return send(c, conn, "answer", a->case_no, seq, &x, a->now_ms, e);
}

int outgoing_request(struct core *c, struct db_conn *conn, const char *case_no, const json_t *request, int64_t now_ms, struct err *e)
{
    return request_send(c, conn, case_no, request, now_ms, e);
}

int outgoing_tracking(struct core *c, struct db_conn *conn, const struct case_file *f, const char *phone, const char *tail, int64_t now_ms, struct err *e)
{
    struct xml_out x;
    uint64_t seq;
    if (delivery_next_seq(conn, f->no, &seq, now_ms, e) < 0)
        return -1;
    head(&x, "tracking", f->no, seq);
    xml_attr(&x, "item", f->item);
    xml_attr(&x, "unit", f->unit);
    xml_attr_int(&x, "config", f->config_version);
    attr_time(&x, "submitted", f->submitted);
    xml_attr_int(&x, "pages_done", f->pages_done);
    xml_attr_int(&x, "pages_total", f->pages_total);
    xml_attr(&x, "whole", f->confirmed ? "true" : "false");
    xml_attr(&x, "phone", phone);
    xml_attr(&x, "tail", tail);
    return send(c, conn, "tracking", f->no, seq, &x, now_ms, e);
}

/* --- release --- */
struct due { int64_t id; char no[17], kind[24]; struct buf sealed; };
struct release { struct core *c; int64_t now; struct due *v; size_t n; };

static int due_row(const struct pending *p, void *arg, struct err *e)
{
    struct release *r = arg;
    struct due *grown = realloc(r->v, (r->n + 1) * sizeof *grown);
    if (grown == NULL)
        return err_set(e, ERR_INTERNAL, "release: out of memory");
    r->v = grown;
    struct due *d = &grown[r->n++];
    *d = (struct due){.id = p->id};
    snprintf(d->no, sizeof d->no, "%s", p->case_no);
    snprintf(d->kind, sizeof d->kind, "%s", p->kind);
    buf_init(&d->sealed, 1 << 20);
    buf_put(&d->sealed, p->sealed.p, p->sealed.n);
    return buf_done(&d->sealed, "pending effect", e);
}

static int due_send(struct release *r, struct db_conn *conn, const struct due *d, struct err *e)
{
    struct secret *key = NULL;
    json_t *b = NULL;
    int rc = vault_case_key(&key, r->c->vault, conn, d->no, false, e);
    if (rc == 0)
        rc = dossier_unseal(&b, key, d->kind, buf_bytes(&d->sealed), e);
    secret_free(key);
    if (rc == 0 && strcmp(d->kind, "status") == 0)
        rc = status_send(r->c, conn, d->no, b, r->now, e);
    else if (rc == 0 && strcmp(d->kind, "supplement_request") == 0)
        rc = request_send(r->c, conn, d->no, b, r->now, e);
    else if (rc == 0)
        rc = sms_add(conn, d->no, text_of(b, "template"), text_of(b, "text"), bytes_of(""), r->now, e);
    json_decref(b);
    return rc < 0 ? err_wrap(e, "case %s, pending %s", d->no, d->kind) : pending_drop(conn, d->id, e);
}

static int release(struct db_conn *conn, void *arg, struct err *e)
{
    struct release *r = arg;
    int rc = pending_due(conn, r->now, due_row, r, e);
    for (size_t i = 0; rc == 0 && i < r->n; i++)
        rc = due_send(r, conn, &r->v[i], e);
    return rc;
}

static int next_due(struct db_conn *conn, void *arg, struct err *e)
{
    return pending_next(conn, arg, e);
}

int outgoing_release(struct core *c, int64_t now_ms, bool *more, struct err *e)
{
    struct release r = {c, now_ms, NULL, 0};
    int64_t next = -1;
    *more = false;
    if (db_read(c->db, next_due, &next, e) < 0)
        return -1;
    if (next > now_ms)
        return 0;
    int rc = db_write(c->db, release, &r, e);
    *more = rc == 0 && r.n > 0;
    for (size_t i = 0; i < r.n; i++)
        buf_wipe(&r.v[i].sealed);
    free(r.v);
    if (*more && c->delivery)
        delivery_wake(c->delivery);
    return rc;
}
