#include "internet-side/service/incoming.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "internet-side/domain/public_state.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/incoming_parts.h"
#include "internet-side/service/numbers.h"
#include "internet-side/store/guard.h"
#include "internet-side/store/tracking.h"

struct incoming {
    struct core *core;
    struct record record;
    bool switched;                   /* configuration: the database holds a newer one */
    struct catalogue *catalogue;     /* configuration: judged */
    struct buf bundle;
};

static int prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct core *c = app;
    struct incoming *in = calloc(1, sizeof *in);
    if (!in)
        return err_set(e, ERR_FULL, "incoming: no memory");
    in->core = c;
    if (record_parse(&in->record, c->parser, 'R', it->kind, content, e) < 0) {
        free(in);
        return -1;
    }
    *prepared = in;
    return 0;
}

static void discard(void *prepared)
{
    struct incoming *in = prepared;
    struct err e = {0};
    const int fresh = in->switched ? configuration_refresh(in->core->configuration, &e) : 0;
    if (fresh < 0)
        log_error("configuration_refresh", &e);
    else if (fresh == 1 && in->core->delivery)       /* the beat that acknowledges this file names the version: both sides are in step at once */
        delivery_say_version(in->core->delivery, catalogue_version(in->catalogue));
    catalogue_unref(in->catalogue);
    buf_clear(&in->bundle);
    record_free(&in->record);
    free(in);
}

int incoming_time(int64_t *ms, const struct rec_node *n, const char *name, struct err *e)
{
    return clock_parse_rfc3339(ms, rec_attr(n, name), e);
}

void incoming_cut(char *out, size_t cap, const char *text)
{
    size_t n = strlen(text);
    if (n >= cap)
        for (n = cap - 1; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
            ;
    memcpy(out, text, n);
    out[n] = 0;
}

int incoming_case(struct tracking *t, struct db_conn *c, const struct rec_node *root, const struct in_item *it, struct err *e)
{
    const char *no = rec_attr(root, "case");
    if (strcmp(no, it->case_no) != 0)
        return err_set(e, ERR_INPUT, "%s: @case: want the one of its item, have another", it->kind);
    const int rc = tracking_load(t, c, no, e);
    return rc == 1 ? 0 : rc < 0 ? -1 : err_set(e, ERR_INPUT, "%s: @case: want one of ours, have another", it->kind);
}

static int apply_answer(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct incoming *in = prepared;
    struct tracking t = {0};
    (void)app;
    int rc = incoming_case(&t, c, in->record.root, it, e);
    if (rc == 0)
        rc = incoming_answer(c, in->core, in->record.root, &t, it, e);
    tracking_clear(&t);
    return rc;
}

/* Values become one object; `variant` names the sentence and is no placeholder. */
static void take_values(struct tracking *t, const struct rec_node *root)
{
    json_decref(t->values);
    t->values = json_object();
    t->variant[0] = 0;
    for (const struct rec_node *v = rec_child(root, "value"); v; v = rec_next(v, "value")) {
        if (strcmp(rec_attr(v, "field"), "variant") == 0)
            snprintf(t->variant, sizeof t->variant, "%.23s", v->text);
        else
            json_object_set_new(t->values, rec_attr(v, "field"), json_string(v->text));
    }
}

/* A withdrawal stays asked until the intranet speaks of it or of the end; a supplement is answered by any next step. */
static void settle_local(struct tracking *t)
{
    const bool withdrawal = strcmp(t->local_state, "withdraw_asked") == 0;
    if (!withdrawal || t->final || strcmp(t->state, "withdraw_asked") == 0)
        t->local_state[0] = 0;
}

static int take_status(struct db_conn *c, struct core *core, const struct rec_node *root, struct tracking *t, const struct in_item *it, struct err *e)
{
    const char *key = rec_attr(root, "state"), *event = rec_child_text(root, "event");
    int64_t at;
    struct edition *d = configuration_current(core->configuration);
    const bool known = public_state_find(catalogue_part(edition_catalogue(d), "public_states"), key) != NULL;
    edition_release(d);
    if (!known)
        return err_set(e, ERR_HELD, "status: state '%.40s': want one of this configuration", key);
    if (incoming_time(&at, root, "at", e) < 0)
        return -1;
    snprintf(t->state, sizeof t->state, "%s", key);
    take_values(t, root);
    t->stage = rec_attr(root, "stage")[0] - '0';
    t->final = rec_attr(root, "final")[0] == 't' || rec_attr(root, "final")[0] == '1';
    snprintf(t->deadline, sizeof t->deadline, "%.10s", rec_attr(root, "deadline"));
    t->updated_ms = at > t->updated_ms ? at : t->updated_ms;
    if (strcmp(t->crossing, "crossing") == 0 || strcmp(t->crossing, "held") == 0)
        snprintf(t->crossing, sizeof t->crossing, "received");
    settle_local(t);
    if (*event && tracking_event_add(c, t->no.s, at, t->stage, event, it->now_ms, e) < 0)
        return -1;
    return tracking_save(c, t, it->now_ms, e);
}

static int apply_status(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct incoming *in = prepared;
    struct tracking t = {0};
    int rc = incoming_case(&t, c, in->record.root, it, e);
    if (rc == 0)
        rc = take_status(c, app, in->record.root, &t, it, e);
    tracking_clear(&t);
    return rc;
}

static json_t *wanted_json(const struct rec_node *root)
{
    json_t *slots = json_array(), *fields = json_array();
    for (const struct rec_node *n = rec_child(root, "slot"); n; n = rec_next(n, "slot"))
        json_array_append_new(slots, json_pack("{s:i, s:s}", "material", (int)rec_attr_int(n, "material", 0, INT_MAX), "reason", n->text));
    for (const struct rec_node *n = rec_child(root, "field"); n; n = rec_next(n, "field"))
        json_array_append_new(fields, json_pack("{s:s, s:s}", "field", rec_attr(n, "field"), "reason", n->text));
    return json_pack("{s:o, s:o}", "slots", slots, "fields", fields);
}

/* The state comes with a status of its own, before or after; both ways the page is right at once. */
static int take_request(struct db_conn *c, const struct rec_node *root, struct tracking *t, const struct in_item *it, struct err *e)
{
    struct supplement_request s = { .round = (int)rec_attr_int(root, "round", 0, INT_MAX), .wanted = wanted_json(root) };
    int64_t at;
    int rc = incoming_time(&at, root, "at", e);
    incoming_cut(s.sentence, sizeof s.sentence, rec_child_text(root, "sentence"));
    snprintf(s.deadline, sizeof s.deadline, "%.10s", rec_attr(root, "deadline"));
    snprintf(t->state, sizeof t->state, "supplement");
    snprintf(t->deadline, sizeof t->deadline, "%s", s.deadline);
    t->updated_ms = rc == 0 && at > t->updated_ms ? at : t->updated_ms;
    if (strcmp(t->local_state, "supplement_sent") == 0)
        t->local_state[0] = 0;
    if (rc == 0)
        rc = supplement_add(c, t->no.s, &s, it->now_ms, e) < 0 || tracking_save(c, t, it->now_ms, e) < 0 ? -1 : 0;
    json_decref(s.wanted);
    return rc;
}

static int apply_request(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct incoming *in = prepared;
    struct tracking t = {0};
    (void)app;
    int rc = incoming_case(&t, c, in->record.root, it, e);
    if (rc == 0)
        rc = take_request(c, in->record.root, &t, it, e);
    tracking_clear(&t);
    return rc;
}

/* Decode and judge the whole bundle outside any transaction. */
static int prepare_configuration(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct hash256 want, have;
    if (prepare(app, it, content, prepared, e) < 0)
        return -1;
    struct incoming *in = *prepared;
    const struct rec_node *root = in->record.root;
    buf_init(&in->bundle, 32u << 20);
    int rc = -1;
    if (base64_get(&in->bundle, bytes_of(rec_child_text(root, "bundle"))) < 0 || in->bundle.bad)
        err_set(e, ERR_INPUT, "configuration: bundle: want base64");
    else if (hash_of(&have, buf_bytes(&in->bundle)), hash_parse(&want, rec_attr(root, "hash")) < 0 || !hash_equal(&want, &have))
        err_set(e, ERR_CORRUPT, "configuration: hash: want that of the bundle, have another");
    else if (catalogue_load_bundle(&in->catalogue, buf_bytes(&in->bundle), e) == 0)
        rc = strtoul(rec_attr(root, "version"), NULL, 10) == catalogue_version(in->catalogue) ? 0
           : err_set(e, ERR_INPUT, "configuration: version: want that of the bundle, have another");
    if (rc < 0)
        discard(in);
    return rc;
}

static int apply_configuration(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct core *core = app;
    struct incoming *in = prepared;
    struct hash256 hash;
    int64_t published;
    struct edition *d = configuration_current(core->configuration);
    const uint32_t current = edition_version(d), version = catalogue_version(in->catalogue);
    edition_release(d);
    if (version <= current) {
        log_event(LOG_INFO, "configuration_old", "version %u current %u", version, current);
        return 0;
    }
    hash_of(&hash, buf_bytes(&in->bundle));
    if (incoming_time(&published, in->record.root, "published", e) < 0 ||
        configuration_add(c, version, &hash, buf_bytes(&in->bundle), published, it->now_ms, e) < 0 || configuration_prune(c, e) < 0)
        return -1;
    in->switched = true;
    return 0;
}

/* A case that this side forgot. Phone and tail become hashes and are wiped with the record. */
static int apply_tracking(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    struct core *core = app;
    struct incoming *in = prepared;
    const struct rec_node *root = in->record.root;
    struct tracking t = {.stage = 1}, known = {0};
    char text[24];
    if (strcmp(rec_attr(root, "case"), it->case_no) != 0)
        return err_set(e, ERR_INPUT, "tracking: @case: want the one of its item, have another");
    int have = tracking_load(&known, c, it->case_no, e);
    tracking_clear(&known);
    if (have != 0 || incoming_time(&t.submitted_ms, root, "submitted", e) < 0)
        return have == 1 ? 0 : -1;
    snprintf(t.no.s, sizeof t.no.s, "%s", it->case_no);
    snprintf(t.item, sizeof t.item, "%.5s", rec_attr(root, "item"));
    snprintf(t.unit, sizeof t.unit, "%.12s", rec_attr(root, "unit"));
    snprintf(t.crossing, sizeof t.crossing, "%s", rec_attr(root, "whole")[0] == 't' || rec_attr(root, "whole")[0] == '1' ? "confirmed" : "received");
    t.config = (uint32_t)rec_attr_int(root, "config", 1, INT_MAX);
    t.pages_total = (int)rec_attr_int(root, "pages_total", 0, INT_MAX);
    t.pages_done = (int)rec_attr_int(root, "pages_done", 0, INT_MAX);
    t.updated_ms = it->now_ms;
    core_hash(&t.account, core, "account", bytes_of(rec_attr(root, "phone")));
    snprintf(text, sizeof text, "%.16s%.4s", it->case_no, rec_attr(root, "tail"));
    core_hash(&t.last4, core, "last4", bytes_of(text));
    explicit_bzero(text, sizeof text);
    if (tracking_add(c, &t, it->now_ms, e) < 0)
        return -1;
    return tracking_event_add(c, t.no.s, t.submitted_ms, 1, "已提交", it->now_ms, e);
}

int incoming_realign(struct db_conn *c, void *core, const char *case_no, enum resync_why why, int64_t now_ms, struct err *e)
{
    const struct core *k = core;
    if (why != RESYNC_TOP || !case_no_valid(case_no))
        return 0;
    numbers_forget(k->numbers);
    return serial_raise(c, case_no_month_of(case_no), case_no_serial_of(case_no), now_ms, e);
}

const struct delivery_handler *incoming_handlers(size_t *n)
{
    static const struct delivery_handler handlers[] = {
        { "answer", prepare, apply_answer, discard },
        { "status", prepare, apply_status, discard },
        { "supplement-request", prepare, apply_request, discard },
        { "tracking", prepare, apply_tracking, discard },
        { "configuration", prepare_configuration, apply_configuration, discard },
    };
    *n = sizeof handlers / sizeof *handlers;
    return handlers;
}
