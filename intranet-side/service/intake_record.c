#include "intranet-side/service/intake_record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/form.h"
#include "common/record.h"
#include "intranet-side/domain/caseno.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/intake_identity.h"
#include "intranet-side/service/releases.h"

int incoming_refuse(struct incoming *in, struct err *e, enum err_code code, const char *why, const char *zh)
{
    snprintf(in->zh, sizeof in->zh, "%s", zh);
    return err_set(e, code, "%s", why);
}

void incoming_free(struct incoming *in)
{
    if (in == NULL)
        return;
    json_decref(in->entries);
    json_decref(in->materials);
    json_decref(in->untypeable);
    json_decref(in->identity);
    json_decref(in->findings);
    catalogue_unref(in->catalogue);
    free(in->pages);
    free(in->parts);
    explicit_bzero(in, sizeof *in);
    free(in);
}

int catalogue_for(struct catalogue **out, struct core *c, int64_t version, struct err *e)
{
    const struct catalogue *known = releases_version(c, version);
    *out = known ? catalogue_ref((struct catalogue *)known) : NULL;
    return known ? 0 : err_set(e, ERR_HELD, "configuration version %lld is not known here (ours is %u)", (long long)version, catalogue_version(c->catalogue));
}

#define COPY(to, from) snprintf(to, sizeof to, "%s", from)
/* Sizes were bounded by the schema (60 materials of 40 pages of 40 parts); ours are the smaller ones of what one answer can name. */
static int page_read(struct incoming *in, const struct rec_node *page, int material, int alternative, int n, struct err *e)
{
    if (in->n_pages == INCOMING_MAX_PAGES)
        return incoming_refuse(in, e, ERR_INPUT, "more pages than an application may have", "照片太多，请减少后再交");
    struct incoming_page *p = &in->pages[in->n_pages++];
    *p = (struct incoming_page){.material = material, .alternative = alternative, .n = n, .first_part = in->n_parts};
    COPY(p->id, rec_attr(page, "id"));
    COPY(p->type, rec_attr(page, "type"));
    p->size = strtoll(rec_attr(page, "size"), NULL, 10);
    int64_t sum = 0;
    for (const struct rec_node *x = rec_child(page, "part"); x; x = rec_next(x, "part")) {
        if (in->n_parts == INCOMING_MAX_PARTS - 1)
            return incoming_refuse(in, e, ERR_INPUT, "more parts than one answer can name", "照片太多，请减少后再交");
        struct incoming_part *q = &in->parts[in->n_parts++];
        COPY(q->id, rec_attr(x, "id"));
        COPY(q->hash, rec_attr(x, "hash"));
        q->size = strtoll(rec_attr(x, "size"), NULL, 10);
        q->n = (int)++p->n_parts;
        sum += q->size;
    }
    if (sum != p->size)
        return incoming_refuse(in, e, ERR_CORRUPT, "a page's size is not the sum of its parts", "材料在传送中损坏，请重新提交");
    return 0;
}

static int materials_read(struct incoming *in, const struct rec_node *root, struct err *e)
{
    in->pages = calloc(INCOMING_MAX_PAGES, sizeof *in->pages);
    in->parts = calloc(INCOMING_MAX_PARTS, sizeof *in->parts);
    in->materials = json_array();
    if (!in->pages || !in->parts)
        return err_set(e, ERR_INTERNAL, "record: out of memory");
    for (const struct rec_node *m = rec_child(root, "material"); m; m = rec_next(m, "material")) {
        int no = (int)rec_attr_int(m, "no", 0, INT_MAX), n = 0;
        int alternative = *rec_attr(m, "alternative") ? (int)rec_attr_int(m, "alternative", 0, INT_MAX) : -1;
        json_array_append_new(in->materials, json_pack("{s:i, s:i}", "no", no, "alternative", alternative));
        for (const struct rec_node *p = rec_child(m, "page"); p; p = rec_next(p, "page"))
            if (page_read(in, p, no, alternative, ++n, e) < 0)
                return -1;
    }
    return 0;
}

/* XML carries text; booleans and lists get their type back from the form. */
static json_t *typed(const struct incoming *in, const char *field, const char *text)
{
    const struct item *item = in->catalogue ? catalogue_item(in->catalogue, in->item) : NULL;
    const struct field *f = item ? family_field(item->family, field) : NULL;
    if (f && f->type == FIELD_BOOLEAN && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return json_boolean(strcmp(text, "true") == 0);
    if (item && family_repeat(item->family, field))
        return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return json_string(text);
}

static int entries_read(struct incoming *in, const struct rec_node *root, struct err *e)
{
    in->entries = json_object();
    for (const struct rec_node *x = rec_child(root, "entry"); x; x = rec_next(x, "entry")) {
        const char *field = rec_attr(x, "field");
        json_t *v = json_object_get(in->entries, field) ? NULL : typed(in, field, x->text);
        if (v == NULL)
            return incoming_refuse(in, e, ERR_INPUT, "a field stands there twice or is not a value", "申请内容有误，请重新填写后提交");
        json_object_set_new(in->entries, field, v);
    }
    return 0;
}

static void untypeable_read(struct incoming *in, const struct rec_node *root)
{
    in->untypeable = json_array();
    for (const struct rec_node *x = rec_child(root, "untypeable"); x; x = rec_next(x, "untypeable"))
        json_array_append_new(in->untypeable, json_pack("{s:s, s:s, s:s}", "field", rec_attr(x, "field"), "pinyin", rec_attr(x, "pinyin"), "page",
                                                        rec_attr(x, "page")));
}

static json_t *content_materials(const struct incoming *in)
{
    json_t *list = json_array(), *m;
    size_t i;
    json_array_foreach(in->materials, i, m) {
        json_int_t no = json_integer_value(json_object_get(m, "no")), alt = json_integer_value(json_object_get(m, "alternative"));
        json_t *pages = json_array();
        for (size_t k = 0; k < in->n_pages; k++) {
            const struct incoming_page *p = &in->pages[k];
            if (p->material != no)
                continue;
            json_t *hashes = json_array();
            for (size_t j = 0; j < p->n_parts; j++)
                json_array_append_new(hashes, json_string(in->parts[p->first_part + j].hash));
            json_array_append_new(pages, hashes);
        }
        json_array_append_new(list, json_pack("{s:o, s:I, s:o}", "alternative", alt < 0 ? json_null() : json_integer(alt), "no", no, "pages", pages));
    }
    return list;
}

/* Index of a page within slot 0; -1. */
static int character_page(const struct incoming *in, const char *id)
{
    for (size_t i = 0; i < in->n_pages; i++)
        if (in->pages[i].material == 0 && strcmp(in->pages[i].id, id) == 0)
            return in->pages[i].n - 1;
    return -1;
}

int incoming_content(char out[65], const struct incoming *in, struct err *e)
{
    struct hash256 h;
    json_t *untypeable = json_array(), *u;
    size_t i;
    json_array_foreach(in->untypeable, i, u)
        json_array_append_new(untypeable, json_pack("{s:s, s:i, s:s}", "field", text_of(u, "field"), "page", character_page(in, text_of(u, "page")),
                                                    "pinyin", text_of(u, "pinyin")));
    json_t *all = json_pack("{s:I, s:O, s:s, s:o, s:o}", "config", (json_int_t)in->config, "entries", in->entries, "item", in->item, "materials",
                            content_materials(in), "untypeable", untypeable);
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(all);
    if (text == NULL)
        return err_set(e, ERR_INTERNAL, "content: out of memory");
    hash_of(&h, bytes_of(text));
    hash_hex(out, &h);
    explicit_bzero(text, strlen(text));
    free(text);
    return 0;
}

static int open_record(struct incoming **out, struct record *rec, struct core *c, const char *xsd, const char *case_no, struct bytes xml, struct err *e)
{
    struct incoming *in = calloc(1, sizeof *in);
    *out = in;
    memset(rec, 0, sizeof *rec);
    if (in == NULL)
        return err_set(e, ERR_INTERNAL, "record: out of memory");
    COPY(in->zh, "申请内容在传送中损坏，请重新提交");
    if (record_parse(rec, c->parser, 'R', xsd, xml, e) < 0)
        return -1;
    COPY(in->case_no, rec_attr(rec->root, "case"));
    in->seq = strtoll(rec_attr(rec->root, "seq"), NULL, 10);
    in->round = strtoll(rec_attr(rec->root, "round"), NULL, 10);
    if (strcmp(in->case_no, case_no) != 0 || !caseno_valid(in->case_no))
        return incoming_refuse(in, e, ERR_INPUT, "case number: its check digit or the one it travelled under does not fit", "受理号有误，请重新提交");
    return 0;
}

static int attributes(struct incoming *in, const struct rec_node *root, struct core *c, struct err *e)
{
    COPY(in->item, rec_attr(root, "item"));
    COPY(in->unit, rec_attr(root, "unit"));
    COPY(in->channel, rec_attr(root, "channel"));
    COPY(in->content, rec_attr(root, "content"));
    COPY(in->phone, rec_attr(root, "phone"));
    in->config = strtoll(rec_attr(root, "config"), NULL, 10);
    if (clock_parse_rfc3339(&in->submitted, rec_attr(root, "submitted"), e) < 0 || catalogue_for(&in->catalogue, c, in->config, e) < 0)
        return -1;
    const struct item *item = catalogue_item_in(in->catalogue, in->item, catalogue_region_of(in->catalogue, in->unit));
    if (item == NULL || !item->enabled || !item->online_open)
        return incoming_refuse(in, e, ERR_INPUT, "this item cannot be applied for online", "这项业务现在不能在网上办理，请到窗口办理");
    if (catalogue_label(in->catalogue, "GA 380", in->unit) == NULL || strcmp(in->unit, rec_attr(root, "unit")) != 0)
        return incoming_refuse(in, e, ERR_INPUT, "unit: not an accepting station", "受理单位有误，请重新选择受理派出所");
    return 0;
}

/* The same rules as in the browser and on the internet side, from the same data (IMP-04). */
static int judge(struct incoming *in, const struct form_identity *who, int64_t now_ms, struct err *e)
{
    struct form_report report = {0};
    struct form_slot slots[64];
    size_t n = 0, i;
    json_t *m;
    struct form_context x = {clock_beijing_date(in->submitted ? in->submitted : now_ms), who, NULL};
    int rc = form_check(&report, in->catalogue, in->item, in->entries, &x, e);
    json_array_foreach(in->materials, i, m) {
        int no = (int)json_integer_value(json_object_get(m, "no")), pages = 0;
        for (size_t k = 0; k < in->n_pages; k++)
            pages += in->pages[k].material == no;
        if (n < 64)
            slots[n++] = (struct form_slot){no == 0 ? FORM_SLOT_CHARACTER : no, pages, false};
    }
    if (rc == 0)
        rc = form_check_materials(&report, in->catalogue, in->item, report.clean ? report.clean : in->entries, slots, n, e);
    if (rc == 0 && report.n) {
        in->findings = form_report_json(&report);
        rc = incoming_refuse(in, e, ERR_INPUT, "the form does not pass", report.v[0].message);
        err_wrap(e, "%s %s", report.v[0].field, report.v[0].rule);
    } else if (rc == 0 && !json_equal(report.clean, in->entries)) {
        rc = incoming_refuse(in, e, ERR_INPUT, "entries are not in their clean form", "申请内容有误，请重新填写后提交");
    }
    form_report_clear(&report);
    return rc;
}

static bool originals(const struct incoming *in)
{
    const struct item *item = catalogue_item_in(in->catalogue, in->item, catalogue_region_of(in->catalogue, in->unit));
    for (size_t i = 0; i < item->n_materials; i++)
        for (size_t k = 0; item->materials[i].original && k < in->n_pages; k++)
            if (in->pages[k].material == item->materials[i].no)
                return true;
    return false;
}

static int application_checks(struct incoming *in, const struct record *rec, struct core *c, int64_t now_ms, struct err *e)
{
    char content[65];
    if (attributes(in, rec->root, c, e) < 0 || entries_read(in, rec->root, e) < 0 || materials_read(in, rec->root, e) < 0)
        return -1;
    untypeable_read(in, rec->root);
    if (strcmp(text_of(in->entries, "accept_unit"), in->unit) != 0)
        return incoming_refuse(in, e, ERR_INPUT, "unit: not the one the form names", "受理单位有误，请重新选择受理派出所");
    if (incoming_content(content, in, e) < 0)
        return -1;
    if (strcmp(content, in->content) != 0)
        return incoming_refuse(in, e, ERR_CORRUPT, "content: the hash is not that of what came", "申请内容在传送中损坏，请重新提交");
    if (identity_check(in, rec->root, c->identity, e) < 0)
        return -1;
    struct form_identity who = {text_of(in->identity, "name"), text_of(in->identity, "id_no"), in->phone};
    if (judge(in, &who, now_ms, e) < 0)
        return -1;
    in->originals_due = originals(in);
    return 0;
}

int incoming_application(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, int64_t now_ms, struct err *e)
{
    struct record rec;
    int rc = open_record(out, &rec, c, "application", case_no, xml, e);
    if (rc == 0)
        rc = application_checks(*out, &rec, c, now_ms, e);
    record_free(&rec);
    return rc;
}

int incoming_supplement(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, struct err *e)
{
    struct record rec;
    int rc = open_record(out, &rec, c, "supplement", case_no, xml, e);
    if (rc == 0)
        rc = clock_parse_rfc3339(&(*out)->submitted, rec_attr(rec.root, "submitted"), e);
    if (rc == 0)
        rc = entries_read(*out, rec.root, e) < 0 || materials_read(*out, rec.root, e) < 0 ? -1 : 0;
    record_free(&rec);
    return rc;
}

int incoming_withdrawal(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, struct err *e)
{
    struct record rec;
    int rc = open_record(out, &rec, c, "withdrawal", case_no, xml, e);
    if (rc == 0)
        rc = clock_parse_rfc3339(&(*out)->submitted, rec_attr(rec.root, "asked"), e);
    if (rc == 0)
        (*out)->entries = json_pack("{s:s}", "reason", rec_child_text(rec.root, "reason"));
    record_free(&rec);
    return rc;
}
