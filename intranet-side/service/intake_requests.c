#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/intake_parts.h"
#include "intranet-side/service/outgoing.h"
#include "intranet-side/service/step.h"

/* A supplement or withdrawal crosses what the officer does meanwhile: the state of the case decides. */
static int refuse(struct core *c, const struct in_item *it, struct err *e, const char *why, const char *zh, const json_t *findings)
{
    intake_say(c->intake, it->id, zh, findings, "");
    return err_set(e, ERR_CONFLICT, "%s", why);
}

static int known_case(struct db_conn *conn, struct core *c, const struct in_item *it, const struct incoming *in, struct case_file *f, struct err *e)
{
    struct err mine = {0};
    if (case_get(conn, in->case_no, f, &mine) == 0)
        return 0;
    return mine.code == ERR_MISSING ? refuse(c, it, e, "no such case", "没有这份申请", NULL) : err_set(e, mine.code, "%s", mine.msg);
}

static int intake_row_add(struct db_conn *conn, const struct in_item *it, const char *no, int64_t round, struct intake_row *row, struct err *e)
{
    memset(row, 0, sizeof *row);
    row->round = round;
    snprintf(row->record, sizeof row->record, "%s", it->id);
    snprintf(row->kind, sizeof row->kind, "%s", it->kind);
    snprintf(row->case_no, sizeof row->case_no, "%s", no);
    snprintf(row->sealed_hash, sizeof row->sealed_hash, "%s", it->hash);
    return intake_add(conn, row, e);
}

static bool asked_material(const json_t *request, int no)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(request, "reasons"), i, v)
        if (json_is_integer(json_object_get(v, "material")) && json_integer_value(json_object_get(v, "material")) == no)
            return true;
    return false;
}

static bool asked_field(const json_t *request, const char *field)
{
    size_t i;
    json_t *v;
    char base[64];
    size_t n = strlen(field);
    snprintf(base, sizeof base, "%.*s", (int)(n > 7 && strcmp(field + n - 7, "_pinyin") == 0 ? n - 7 : n), field);
    json_array_foreach(json_object_get(request, "reasons"), i, v)
        if (strcmp(text_of(v, "field"), base) == 0)
            return true;
    return false;
}

/* Text of the record gets its type from the form it now joins. */
static json_t *merged(const struct dossier *d, const struct incoming *in)
{
    json_t *all = json_deep_copy(d->entries), *v;
    const char *key;
    json_object_foreach(in->entries, key, v) {
        const struct field *f = d->item ? family_field(d->item->family, key) : NULL;
        bool flag = f && f->type == FIELD_BOOLEAN && json_is_string(v);
        if (d->item && family_repeat(d->item->family, key) && json_is_string(v)) {
            json_t *list = json_loads(json_string_value(v), JSON_REJECT_DUPLICATES, NULL);
            json_object_set_new(all, key, list ? list : json_incref(v));      /* no list: the form refuses the text */
            continue;
        }
        json_object_set_new(all, key, flag ? json_boolean(strcmp(json_string_value(v), "true") == 0) : json_incref(v));
    }
    return all;
}

/* Only what was asked, and the whole form must pass with it. */
static int judge(struct core *c, const struct in_item *it, const struct incoming *in, struct dossier *d, const json_t *request, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach(in->entries, key, v)
        if (!asked_field(request, key))
            return refuse(c, it, e, "a field that was not asked for", "有没要求补的内容，请按要求重新提交", NULL);
    for (size_t i = 0; i < in->n_pages; i++)
        if (!asked_material(request, in->pages[i].material))
            return refuse(c, it, e, "a material that was not asked for", "有没要求补的材料，请按要求重新提交", NULL);
    if (d->item == NULL)
        return err_set(e, ERR_HELD, "item %s is not in the configuration of its case", d->f.item);
    struct form_report report = {0};
    struct form_context x = {clock_beijing_date(it->now_ms), NULL, NULL};
    json_t *all = merged(d, in);
    int rc = form_check(&report, d->catalogue, d->f.item, all, &x, e);
    if (rc == 0 && report.n) {
        json_t *findings = form_report_json(&report);
        rc = refuse(c, it, e, "the form does not pass with the supplement", report.v[0].message, findings);
        json_decref(findings);
    }
    if (rc == 0) {
        json_object_set(d->payload, "entries", report.clean);
        d->entries = json_object_get(d->payload, "entries");
    }
    form_report_clear(&report);
    json_decref(all);
    return rc;
}

static int supplement_take(struct db_conn *conn, struct core *c, const struct in_item *it, const struct incoming *in, struct dossier *d, struct err *e)
{
    const json_t *requests = json_object_get(d->payload, "requests"), *request = json_array_get(requests, json_array_size(requests) - 1);
    struct intake_row row;
    bool done = false;
    const struct workflow *w = flow_of(c->rules, &d->f);
    const struct wf_transition *t;
    struct err none = {0};
    if (in->round != d->f.round || request == NULL ||
        workflow_choose(&t, w, d->f.state, "supplement_arrived", ROLE_SYSTEM, d->f.originals_due, &none) < 0)
        return refuse(c, it, e, "the case does not wait for this round", "这次补材料已经结束，不用再交", NULL);
    if (judge(c, it, in, d, request, e) < 0 || dossier_save_payload(d, conn, e) < 0 || intake_row_add(conn, it, d->f.no, in->round, &row, e) < 0 ||
        intake_link_pages(conn, in, it->id, in->round, e) < 0)
        return -1;
    if (intake_progress(c, conn, &d->f, &row, true, it->now_ms, e) < 0 || step_system(c, conn, d, "supplement_arrived", "", it->now_ms, &done, e) < 0)
        return -1;
    changes_hold(c->changes, &d->f, CHANGE_CHANGED);
    return 0;
}

static int with_dossier(struct db_conn *conn, struct core *c, const struct in_item *it, const struct incoming *in,
                        int (*fn)(struct db_conn *, struct core *, const struct in_item *, const struct incoming *, struct dossier *, struct err *),
                        struct err *e)
{
    struct case_file f;
    struct intake_row known;
    struct dossier d;
    struct err none = {0};
    if (intake_get(conn, it->id, &known, &none) == 0)
        return 0;                                             /* the same record again changes nothing */
    if (known_case(conn, c, it, in, &f, e) < 0 || dossier_open(&d, c, conn, &f, e) < 0)
        return -1;
    int rc = fn(conn, c, it, in, &d, e);
    dossier_close(&d);
    return rc;
}

int supplement_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    return with_dossier(conn, app, it, prepared, supplement_take, e);
}

static int withdrawal_take(struct db_conn *conn, struct core *c, const struct in_item *it, const struct incoming *in, struct dossier *d, struct err *e)
{
    struct intake_row row;
    bool done = false;
    if (step_system(c, conn, d, "withdraw_requested", text_of(in->entries, "reason"), it->now_ms, &done, e) < 0)
        return -1;
    if (!done)
        return refuse(c, it, e, "the case cannot be withdrawn in this state", "这件申请已经作出决定，不能撤回", NULL);
    if (intake_row_add(conn, it, d->f.no, d->f.round, &row, e) < 0 || intake_progress(c, conn, &d->f, &row, false, it->now_ms, e) < 0)
        return -1;
    changes_hold(c->changes, &d->f, CHANGE_CHANGED);
    return 0;
}

int withdrawal_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    return with_dossier(conn, app, it, prepared, withdrawal_take, e);
}
