#include "internet-side/domain/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

#define RECORD_NS "urn:hz:record:1"

static json_t *page_hashes(const struct content_page *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++) {
        char hex[65];
        hash_hex(hex, &p->parts[i].hash);
        json_array_append_new(list, json_string(hex));
    }
    return list;
}

static json_t *slots_json(const struct content *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_slots; i++) {
        const struct content_slot *s = &c->slots[i];
        json_t *pages = json_array();
        for (size_t k = 0; k < s->n; k++)
            json_array_append_new(pages, page_hashes(&s->pages[k]));
        json_array_append_new(list, json_pack("{s:o, s:i, s:o}", "alternative", s->alternative < 0 ? json_null() : json_integer(s->alternative),
                                              "no", s->no, "pages", pages));
    }
    return list;
}

/* Index of the page in slot 0, -1 when it is not there. */
static int character_page(const struct content *c, const char *id)
{
    for (size_t i = 0; i < c->n_slots; i++)
        for (size_t k = 0; c->slots[i].no == DRAFT_CHARACTER_SLOT && k < c->slots[i].n; k++)
            if (strcmp(c->slots[i].pages[k].id.s, id) == 0)
                return (int)k;
    return -1;
}

int content_hash(struct hash256 *out, const struct content *c, struct err *e)
{
    json_t *untypeable = json_array();
    for (size_t i = 0; i < c->n_untypeable; i++) {
        const struct draft_untypeable *u = &c->untypeable[i];
        const int page = character_page(c, u->page.s);
        if (page < 0) {
            json_decref(untypeable);
            return err_set(e, ERR_INPUT, "untypeable %zu: page: want one of slot 0, have another", i);
        }
        json_array_append_new(untypeable, json_pack("{s:s, s:i, s:s}", "field", u->field, "page", page, "pinyin", u->pinyin));
    }
    json_t *whole = json_pack("{s:I, s:O, s:s, s:o, s:o}", "config", (json_int_t)c->config, "entries", c->entries, "item", c->item,
                              "materials", slots_json(c), "untypeable", untypeable);
    char *text = whole ? json_dumps(whole, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(whole);
    if (!text)
        return err_set(e, ERR_INTERNAL, "content: no memory");
    hash_of(out, bytes_of(text));
    explicit_bzero(text, strlen(text));
    free(text);
    return 0;
}

static int put_entries(struct xml_out *x, const json_t *entries, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)entries, key, v) {
        char *list = json_is_string(v) || json_is_boolean(v) ? NULL : json_dumps(v, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
        const char *text = json_is_string(v) ? json_string_value(v) : json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : list;
        if (!text)
            return err_set(e, ERR_INTERNAL, "content: no memory");
        xml_open(x, "entry");
        xml_attr(x, "field", key);
        xml_text(x, text);
        xml_close(x);
        free(list);
    }
    return 0;
}

static void put_page(struct xml_out *x, const struct content_page *p)
{
    xml_open(x, "page");
    xml_attr(x, "id", p->id.s);
    xml_attr(x, "type", p->type);
    xml_attr_int(x, "size", p->size);
    for (size_t i = 0; i < p->n; i++) {
        char hex[65];
        hash_hex(hex, &p->parts[i].hash);
        xml_open(x, "part");
        xml_attr(x, "id", p->parts[i].id.s);
        xml_attr_int(x, "size", p->parts[i].size);
        xml_attr(x, "hash", hex);
        xml_close(x);
    }
    xml_close(x);
}

static void put_slots(struct xml_out *x, const struct content *c)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        xml_open(x, "material");
        xml_attr_int(x, "no", c->slots[i].no);
        if (c->slots[i].alternative >= 0)
            xml_attr_int(x, "alternative", c->slots[i].alternative);
        for (size_t k = 0; k < c->slots[i].n; k++)
            put_page(x, &c->slots[i].pages[k]);
        xml_close(x);
    }
}

static void put_untypeable(struct xml_out *x, const struct content *c)
{
    for (size_t i = 0; i < c->n_untypeable; i++) {
        xml_open(x, "untypeable");
        xml_attr(x, "field", c->untypeable[i].field);
        xml_attr(x, "pinyin", c->untypeable[i].pinyin);
        xml_attr(x, "page", c->untypeable[i].page.s);
        xml_close(x);
    }
}

/* Close the document and hand its bytes over. */
static int finish(struct buf *out, struct xml_out *x, int rc, struct err *e)
{
    if (rc == 0)
        rc = xml_end(x, e);
    if (rc == 0)
        *out = x->out;
    else
        buf_wipe(&x->out);
    return rc;
}

int content_application_xml(struct buf *out, const struct content *c, const struct application_head *h, const struct hash256 *hash,
                            struct err *e)
{
    struct xml_out x;
    char hex[65];
    hash_hex(hex, hash);
    xml_begin(&x, "application", RECORD_NS);
    xml_attr(&x, "case", h->case_no);
    xml_attr_int(&x, "seq", 1);
    xml_attr(&x, "item", c->item);
    xml_attr_int(&x, "config", c->config);
    xml_attr(&x, "unit", h->unit);
    xml_attr(&x, "channel", h->channel);
    xml_attr(&x, "submitted", h->submitted);
    xml_attr(&x, "content", hex);
    xml_attr(&x, "phone", h->phone);
    const int rc = put_entries(&x, c->entries, e);
    put_slots(&x, c);
    put_untypeable(&x, c);
    xml_open(&x, "identity");
    xml_open(&x, "statement");
    xml_text(&x, h->statement);
    xml_close(&x);
    xml_open(&x, "signature");
    xml_text(&x, h->signature);
    xml_close(&x);
    xml_close(&x);
    return finish(out, &x, rc, e);
}

int content_supplement_xml(struct buf *out, const struct content *c, const char *case_no, int64_t seq, int round,
                           const char *submitted, struct err *e)
{
    struct xml_out x;
    xml_begin(&x, "supplement", RECORD_NS);
    xml_attr(&x, "case", case_no);
    xml_attr_int(&x, "seq", seq);
    xml_attr_int(&x, "round", round);
    xml_attr(&x, "submitted", submitted);
    const int rc = put_entries(&x, c->entries, e);
    put_slots(&x, c);
    return finish(out, &x, rc, e);
}

int content_withdrawal_xml(struct buf *out, const char *case_no, int64_t seq, const char *reason, const char *asked, struct err *e)
{
    struct xml_out x;
    xml_begin(&x, "withdrawal", RECORD_NS);
    xml_attr(&x, "case", case_no);
    xml_attr_int(&x, "seq", seq);
    xml_attr(&x, "asked", asked);
    xml_open(&x, "reason");
    xml_text(&x, reason);
    xml_close(&x);
    return finish(out, &x, 0, e);
}
