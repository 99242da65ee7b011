#include "intranet-side/service/intake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/intake_parts.h"
#include "intranet-side/service/outgoing.h"
#include "intranet-side/service/searches.h"
#include "intranet-side/service/step.h"
#include "intranet-side/service/wish.h"
#include "intranet-side/store/register.h"

enum { SAID_MOST = 1024 };                   /* more than one batch holds: leftovers are of files that were read but not applied */

struct said { struct said *next; char item[33], zh[256], phone[16]; json_t *findings; };
struct intake {
    pthread_mutex_t lock;
    struct said *newest;                     /* a batch is prepared whole before its outcomes are asked for */
    unsigned n;
};

int intake_open(struct intake **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return err_set(e, ERR_INTERNAL, "intake: out of memory");
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

static void said_free(struct said *v)
{
    json_decref(v->findings);
    explicit_bzero(v, sizeof *v);
    free(v);
}

/* Under the lock: out of the list, NULL when nothing was said of this item; item NULL: the oldest. */
static struct said *said_take(struct intake *i, const char *item)
{
    struct said **at = &i->newest;
    while (*at && (item ? strcmp((*at)->item, item) != 0 : (*at)->next != NULL))
        at = &(*at)->next;
    struct said *v = *at;
    if (v) {
        *at = v->next;
        i->n--;
    }
    return v;
}

void intake_close(struct intake *i)
{
    if (i == NULL)
        return;
    for (struct said *v; (v = said_take(i, NULL)) != NULL;)
        said_free(v);
    pthread_mutex_destroy(&i->lock);
    free(i);
}

void intake_say(struct intake *i, const char *item, const char *zh, const json_t *findings, const char *phone)
{
    struct said *v = calloc(1, sizeof *v), *old;
    if (v == NULL)
        return;                              /* the general sentence stands in */
    snprintf(v->item, sizeof v->item, "%s", item);
    snprintf(v->zh, sizeof v->zh, "%s", zh);
    snprintf(v->phone, sizeof v->phone, "%s", phone ? phone : "");
    v->findings = json_incref((json_t *)findings);
    pthread_mutex_lock(&i->lock);
    old = said_take(i, item);                /* said anew: after a retry only the last word counts */
    if (old == NULL && i->n == SAID_MOST)
        old = said_take(i, NULL);
    v->next = i->newest;
    i->newest = v;
    i->n++;
    pthread_mutex_unlock(&i->lock);
    if (old)
        said_free(old);
}

bool intake_said(struct intake *i, const char *item, char zh[256], json_t **findings, char phone[16])
{
    pthread_mutex_lock(&i->lock);
    struct said *v = said_take(i, item);
    pthread_mutex_unlock(&i->lock);
    if (v == NULL)
        return false;
    memcpy(zh, v->zh, sizeof v->zh);
    memcpy(phone, v->phone, sizeof v->phone);
    *findings = json_incref(v->findings);
    said_free(v);
    return true;
}

/* --- application --- */
/* Where the person's household is now: our register knows better than the form. */
static int where_now(enum flow_where *out, struct core *c, struct db_conn *conn, const struct incoming *in, struct err *e)
{
    struct register_store s = {conn, c->vault};
    const char *id_no = text_of(in->entries, "subject_id_no");
    json_t *p = NULL;
    if (*id_no && register_by_id_no(&s, id_no, &p, e) < 0)
        return -1;
    *out = flow_where(p && strcmp(text_of(p, "status"), "normal") == 0, text_of(in->entries, "subject_region"), json_string_value(catalogue_part(c->catalogue, "city_region")),
                      json_string_value(catalogue_part(c->catalogue, "province_region")));
    json_decref(p);
    return 0;
}

/* The flow type by item and place (WFL-02); why: words for the trail. */
static int flow_fix(struct case_file *f, char *why, size_t cap, struct core *c, struct db_conn *conn, const struct incoming *in, struct err *e)
{
    enum flow_where where;
    if (where_now(&where, c, conn, in, e) < 0)
        return -1;
    const struct item *item = catalogue_item(in->catalogue, in->item);
    const struct flow_rule *rule = flow_select(c->rules->select, item, where, in->entries);
    if (rule == NULL)
        return err_set(e, ERR_HELD, "no rule of selection.json for flow %s", item->flow);
    snprintf(f->flow, sizeof f->flow, "%s", rule->flow_type);
    snprintf(why, cap, "%s", rule->why);
    return 0;
}

static int record_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct core *c = app;
    struct incoming *in = NULL;
    int rc = strcmp(it->kind, "application") == 0  ? incoming_application(&in, c, it->case_no, content, it->now_ms, e)
             : strcmp(it->kind, "supplement") == 0 ? incoming_supplement(&in, c, it->case_no, content, e)
                                                   : incoming_withdrawal(&in, c, it->case_no, content, e);
    if (rc < 0 && in)
        intake_say(c->intake, it->id, in->zh, in->findings, in->phone);
    if (rc < 0) {
        incoming_free(in);
        return -1;
    }
    *prepared = in;
    return 0;
}

static void record_discard(void *prepared)
{
    incoming_free(prepared);
}

static void row_of(struct case_file *f, const struct incoming *in, const struct in_item *it)
{
    const char *name, *id_no;
    memset(f, 0, sizeof *f);
    snprintf(f->no, sizeof f->no, "%s", in->case_no);
    snprintf(f->item, sizeof f->item, "%s", in->item);
    snprintf(f->unit, sizeof f->unit, "%s", in->unit);
    snprintf(f->channel, sizeof f->channel, "%s", in->channel);
    snprintf(f->record, sizeof f->record, "%s", it->id);
    snprintf(f->content, sizeof f->content, "%s", in->content);
    dossier_subject(in->entries, &name, &id_no);
    snprintf(f->person, sizeof f->person, "%s", name);
    f->submitted = in->submitted;
    f->received = it->now_ms;
    f->config_version = in->config;
    f->pages_total = (int64_t)in->n_pages;
    f->originals_due = in->originals_due;
}

static int seal_column(struct buf *out, struct core *c, const char *place, const char *no, const char *value, struct err *e)
{
    char where[96];
    snprintf(where, sizeof where, "case_file/%s/%s", place, no);
    buf_init(out, 4096);
    return vault_seal(out, c->vault, where, bytes_of(value), e);
}

static int case_write(struct core *c, struct db_conn *conn, struct case_file *f, const struct incoming *in, struct err *e)
{
    struct buf id_no, phone, payload;
    struct hash256 index;
    struct dossier d = {.f = *f};
    const char *name, *number;
    char place[64];
    dossier_subject(in->entries, &name, &number);
    vault_index(&index, c->vault, number);
    buf_init(&id_no, 4096);
    buf_init(&phone, 4096);
    buf_init(&payload, 4 << 20);
    snprintf(place, sizeof place, "case_file/payload/%s", f->no);
    d.payload = json_pack("{s:O, s:O, s:O, s:O, s:[]}", "entries", in->entries, "materials", in->materials, "untypeable", in->untypeable, "identity",
                          in->identity, "requests");
    int rc = vault_case_key(&d.key, c->vault, conn, f->no, true, e);
    if (rc == 0)
        rc = seal_column(&id_no, c, "id_sealed", f->no, number, e) < 0 || seal_column(&phone, c, "phone_sealed", f->no, in->phone, e) < 0 ||
                     dossier_seal(&payload, &d, place, d.payload, e) < 0
                 ? -1
                 : 0;
    if (rc == 0)
        rc = case_add(conn, f, (struct bytes){index.b, sizeof index.b}, buf_bytes(&id_no), buf_bytes(&phone), buf_bytes(&payload), e);
    dossier_close(&d);
    buf_clear(&id_no);
    buf_clear(&phone);
    buf_clear(&payload);
    return rc;
}

static int case_announce(struct core *c, struct db_conn *conn, struct case_file *f, const char *why, int64_t now_ms, struct err *e)
{
    struct dossier d;
    if (dossier_open(&d, c, conn, f, e) < 0)
        return -1;
    json_t *detail = json_pack("{s:s}", "result", why);
    int rc = step_trail(c, conn, &d, NULL, "received", "网上申请送达", detail, now_ms, e);
    json_decref(detail);
    if (rc == 0)
        rc = step_status_now(c, conn, &d, now_ms, e);
    dossier_close(&d);
    return rc < 0 ? -1 : core_audit(c, conn, NULL, now_ms, "import", f->no, f->item, e);
}

static int application_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct core *c = app;
    struct incoming *in = prepared;
    struct case_file f, known;
    struct err none = {0};
    struct intake_row row = {.round = 0};
    char why[300];
    if (case_get(conn, in->case_no, &known, &none) == 0) {       /* applied once by case and place: the same record changes nothing */
        if (strcmp(known.record, it->id) == 0)
            return 0;
        intake_say(c->intake, it->id, "这个受理号已经用过，请重新提交", NULL, in->phone);
        return err_set(e, ERR_CONFLICT, "case %s exists with another record", in->case_no);
    }
    row_of(&f, in, it);
    if (flow_fix(&f, why, sizeof why, c, conn, in, e) < 0 || flow_open(c->rules, &f, it->now_ms, e) < 0 || case_write(c, conn, &f, in, e) < 0)
        return -1;
    f.version = 1;                               /* as the row was made */
    snprintf(row.record, sizeof row.record, "%s", it->id);
    snprintf(row.kind, sizeof row.kind, "application");
    snprintf(row.case_no, sizeof row.case_no, "%s", f.no);
    snprintf(row.sealed_hash, sizeof row.sealed_hash, "%s", it->hash);
    if (case_touch(conn, &f, e) < 0 || intake_add(conn, &row, e) < 0 || intake_link_pages(conn, in, it->id, 0, e) < 0 ||
        intake_progress(c, conn, &f, &row, true, it->now_ms, e) < 0 || case_announce(c, conn, &f, why, it->now_ms, e) < 0)
        return -1;
    changes_hold(c->changes, &f, CHANGE_NEW);
    return 0;
}

const struct delivery_handler intake_handlers[] = {
    {"application", record_prepare, application_apply, record_discard},
    {"supplement", record_prepare, supplement_apply, record_discard},
    {"withdrawal", record_prepare, withdrawal_apply, record_discard},
    {"configuration-wish", wish_prepare, wish_apply, wish_discard},
    {"slice", part_prepare, part_apply, part_discard},
    {"search-report", search_report_prepare, search_report_apply, search_report_discard},
};
const size_t intake_n_handlers = sizeof intake_handlers / sizeof intake_handlers[0];

/* --- refused and held --- */
static int refused_sms(struct core *c, struct db_conn *conn, const struct in_item *it, const char *phone, struct err *e)
{
    char text[600], where[96];
    struct buf sealed;
    json_t *values = json_pack("{s:s}", "tail", it->case_no + 12);
    int rc = step_sms_text(text, sizeof text, c->rules, "import_refused", values, e);
    json_decref(values);
    buf_init(&sealed, 4096);
    snprintf(where, sizeof where, "case_file/phone_sealed/%s", it->case_no);
    if (rc == 0)
        rc = vault_seal(&sealed, c->vault, where, bytes_of(phone), e);
    if (rc == 0)
        rc = sms_add(conn, it->case_no, "import_refused", text, buf_bytes(&sealed), it->now_ms, e);
    buf_clear(&sealed);
    return rc;
}

int intake_outcome(struct db_conn *conn, void *app, const struct in_item *it, const char *word, const struct err *why, struct err *e)
{
    struct core *c = app;
    char zh[256] = "申请没能受理，请重新提交", phone[16] = "";
    json_t *findings = NULL;
    bool refused = strcmp(word, "refused") == 0;
    struct answer_item item = {it->id, it->hash};
    log_event(LOG_WARN, "intake_outcome", "kind %s case %s word %s reason %s", it->kind, it->case_no, word, why->msg);
    if (core_audit(c, conn, NULL, it->now_ms, "import", *it->case_no ? it->case_no : it->id, word, e) < 0)
        return -1;
    if (strcmp(it->kind, "slice") == 0 || *it->case_no == '\0')       /* a part has no answer of its own: its record's confirmation waits */
        return 0;
    intake_said(c->intake, it->id, zh, &findings, phone);
    struct answer a = {.case_no = it->case_no, .to = it->kind, .record = it->id, .word = word, .reason = refused ? zh : "", .findings = refused ? findings : NULL,
                       .items = &item, .n_items = 1, .now_ms = it->now_ms};
    int rc = outgoing_answer(c, conn, &a, e);
    if (rc == 0 && refused && *phone && strcmp(it->kind, "application") == 0)
        rc = refused_sms(c, conn, it, phone, e);
    json_decref(findings);
    explicit_bzero(phone, sizeof phone);
    return rc;
}
