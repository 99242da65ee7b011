/* intranet_world.h - a whole intranet side in a scratch folder without network: database, keys, rules, register, officers of every role.
 * Records arrive as the ferry would bring them; what leaves is kept in w->sent. Included by tests/unit/test_intranet_*.c only. */
#ifndef TESTS_UNIT_INTRANET_WORLD_H
#define TESTS_UNIT_INTRANET_WORLD_H

#include <sodium.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/form.h"
#include "common/log.h"
#include "common/record.h"
#include "intranet-side/domain/rules.h"
#include "intranet-side/service/auth.h"
#include "intranet-side/service/caseview.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/decide.h"
#include "intranet-side/service/intake.h"
#include "intranet-side/service/pages.h"
#include "intranet-side/service/setup.h"
#include "intranet-side/service/upkeep.h"
#include "intranet-side/store/people.h"
#include "intranet-side/store/household.h"
#include "intranet-side/store/paper.h"
#include "intranet-side/store/register.h"
#include "tests/unit/scratch.h"

#define MAYBE __attribute__((unused)) static
#define STATION "340799510000"
#define OTHER_STATION "340799520000"
#define SUB_BUREAU "340799000000"
#define NOW 1795427000000LL              /* 2026-11-23 in Beijing, a Monday */

struct sent { char kind[24], no[17], *xml; uint64_t seq; };
struct world {
    struct scratch dir;
    struct core c;
    struct key_pair *provider;
    struct key_public provider_pub;
    struct actor aux, officer, colleague, neighbour, chief, other_chief, admin;
    struct sent sent[400];
    size_t n_sent;
    int64_t now;
    unsigned numbers;                    /* applications made so far */
};

MAYBE int world_sink(void *arg, const char *kind, const char *no, uint64_t seq, const char *xml)
{
    struct world *w = arg;
    assert_true(w->n_sent < 400);
    struct sent *s = &w->sent[w->n_sent++];
    snprintf(s->kind, sizeof s->kind, "%s", kind);
    snprintf(s->no, sizeof s->no, "%s", no);
    s->seq = seq;
    s->xml = strdup(xml);
    return 0;
}

MAYBE void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%s: %s", err_word(e->code), e->msg);
}

struct world_person { struct world *w; struct actor *a; const char *login, *name, *role, *unit; };
MAYBE int world_officer_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct world_person *p = arg;
    struct officer o = {.must_change = false};
    struct id128 id;
    struct unit u;
    id_random(&id);
    snprintf(o.uid, sizeof o.uid, "%s", id.s);
    snprintf(o.login, sizeof o.login, "%s", p->login);
    snprintf(o.name, sizeof o.name, "%s", p->name);
    snprintf(o.role, sizeof o.role, "%s", p->role);
    snprintf(o.unit, sizeof o.unit, "%s", p->unit);
    snprintf(o.password, sizeof o.password, "none");
    if (unit_get(conn, p->unit, &u, e) < 0)
        return -1;
    memset(p->a, 0, sizeof *p->a);
    memcpy(p->a->id.s, id.s, 33);
    snprintf(p->a->login, sizeof p->a->login, "%s", p->login);
    snprintf(p->a->name, sizeof p->a->name, "%s", p->name);
    p->a->role = role_parse(p->role);
    snprintf(p->a->unit, sizeof p->a->unit, "%s", p->unit);
    snprintf(p->a->unit_name, sizeof p->a->unit_name, "%s", u.short_name);
    snprintf(p->a->address, sizeof p->a->address, "10.1.2.3");
    return officer_add(conn, &o, e);
}

MAYBE int world_people_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct world *w = arg;
    struct register_store s = {conn, w->c.vault};
    json_t *all = json_load_file("schemas/org/demo-residents.json", 0, NULL), *v, *x;
    const char *key;
    size_t i;
    int rc = all ? 0 : -1;
    json_array_foreach(json_object_get(all, "addresses"), i, v)
        rc = rc < 0 ? rc : register_add_address(&s, v, e);
    json_array_foreach(json_object_get(all, "households"), i, v)
        rc = rc < 0 ? rc : register_add_household(&s, v, e);
    json_array_foreach(json_object_get(all, "persons"), i, v) {
        json_t *row = json_object();
        json_object_foreach(v, key, x)
            if (json_is_string(x))
                json_object_set(row, key, x);
        rc = rc < 0 ? rc : register_add_person(&s, row, e);
        json_decref(row);
    }
    json_array_foreach(json_object_get(all, "papers"), i, v)
        rc = rc < 0 ? rc : paper_add(&s, v, e);
    json_decref(all);
    return rc;
}

MAYBE struct world *world_open(void)
{
    static const char *xsd_args[] = {SOURCE_DIR "/schemas/xsd", NULL};
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    struct child_options parser = {.path = built("libexec/parser"), .argv = xsd_args, .n = 1, .max_answer = 32 << 20, .deadline_ms = 20000, .clean_env = true};
    scratch_open(&w->dir);
    w->now = NOW;
    char db[600], key[600], files[600];
    snprintf(db, sizeof db, "%s", scratch_path(&w->dir, "i.db"));
    snprintf(key, sizeof key, "%s", scratch_path(&w->dir, "master.key"));
    snprintf(files, sizeof files, "%s", scratch_path(&w->dir, "files"));
    struct db_options o = {.path = db, .application_id = 0x485A494Eu, .migrations_dir = SOURCE_DIR "/schemas/migrations/intranet", .readers = 4};
    must(folder_make(files, 0700, &e), &e);
    must(vault_open(&w->c.vault, key, files, true, &e), &e);
    must(rules_load(&w->c.rules, SOURCE_DIR "/schemas", &e), &e);
    must(db_open(&w->c.db, &o, &e), &e);
    must(core_prepare(w->c.db, &e), &e);
    struct catalogue *catalogue = NULL;
    must(catalogue_load_dir(&catalogue, SOURCE_DIR "/schemas", &e), &e);
    w->c.catalogue = catalogue;
    must(setup_units(&w->c, &e), &e);
    must(sessions_open(&w->c.sessions, &e), &e);
    must(changes_open(&w->c.changes, NOW, &e), &e);
    must(intake_open(&w->c.intake, &e), &e);
    must(child_pool_open(&w->c.parser, &parser, &e), &e);
    must(keys_generate(&w->provider, "identity", &e), &e);
    w->provider_pub = *keys_public(w->provider);
    w->c.identity = &w->provider_pub;
    w->c.idle_s = 1800;
    w->c.session_s = 36000;
    w->c.undo_s = 5;
    w->c.lock_s = 900;
    w->c.sink = world_sink;
    w->c.sink_arg = w;
    struct world_person people[] = {
        {w, &w->aux, "aux_a", "程小雨", "aux", STATION},          {w, &w->officer, "officer_a", "周建国", "officer", STATION},
        {w, &w->colleague, "officer_b", "庄明慧", "officer", STATION}, {w, &w->neighbour, "officer_c", "吴敏", "officer", OTHER_STATION},
        {w, &w->chief, "chief_a", "蒋正清", "sub_bureau", SUB_BUREAU}, {w, &w->other_chief, "chief_b", "沈玉兰", "sub_bureau", "340798000000"},
        {w, &w->admin, "admin_a", "陶文涛", "admin", "340700000000"},
    };
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        must(db_write(w->c.db, world_officer_write, &people[i], &e), &e);
    must(db_write(w->c.db, world_people_write, w, &e), &e);
    return w;
}

MAYBE void world_close(struct world *w)
{
    for (size_t i = 0; i < w->n_sent; i++)
        free(w->sent[i].xml);
    child_pool_close(w->c.parser);
    intake_close(w->c.intake);
    changes_close(w->c.changes);
    sessions_close(w->c.sessions);
    catalogue_unref(w->c.catalogue);
    db_close(w->c.db);
    rules_free(w->c.rules);
    vault_close(w->c.vault);
    keys_free(w->provider);
    scratch_close(&w->dir);
    free(w);
}

MAYBE int world_setup(void **state)
{
    *state = world_open();
    return 0;
}

MAYBE int world_teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* --- an application as the internet side makes it --- */
struct app_part { char id[33], hash[65]; uint8_t bytes[64]; };
struct app_page { char id[33]; int material; struct app_part part[2]; };
struct app {
    char no[17], item[8], content[65], record[33], hash[65];
    char name[64], id_no[19], phone[12];
    json_t *entries;
    struct app_page page[12];
    size_t n_pages;
    int64_t submitted, expires, config, round;
    char unit[13];
    bool forged;                         /* signed by somebody else */
    const char *stated_name, *bound;     /* NULL: the right ones */
};

MAYBE void app_number(struct world *w, char no[17])
{
    snprintf(no, 17, "34072611%07u0", ++w->numbers % 10000000);
    int sum = 0;
    for (int i = 0; i < 15; i++) {
        int d = no[i] - '0';
        if (i % 2 == 0 && (d *= 2) > 9)
            d -= 9;
        sum += d;
    }
    no[15] = (char)('0' + (10 - sum % 10) % 10);
}

MAYBE void hex_of(char out[65], struct bytes in)
{
    struct hash256 h;
    hash_of(&h, in);
    hash_hex(out, &h);
}

MAYBE void app_page_add(struct app *a, int material)
{
    struct app_page *p = &a->page[a->n_pages++];
    struct id128 id;
    id_random(&id);
    memcpy(p->id, id.s, 33);
    p->material = material;
    for (int i = 0; i < 2; i++) {
        id_random(&id);
        memcpy(p->part[i].id, id.s, 33);
        randombytes_buf(p->part[i].bytes, sizeof p->part[i].bytes);
        hex_of(p->part[i].hash, (struct bytes){p->part[i].bytes, sizeof p->part[i].bytes});
    }
}

/* What the identity provider signs and the intranet recomputes, written down from schemas/xsd/README.md and not from the code under test. */
MAYBE void app_content(struct app *a)
{
    json_t *materials = json_array();
    for (int m = 0; m < 30; m++) {
        json_t *pages = json_array();
        for (size_t i = 0; i < a->n_pages; i++)
            if (a->page[i].material == m)
                json_array_append_new(pages, json_pack("[s, s]", a->page[i].part[0].hash, a->page[i].part[1].hash));
        if (json_array_size(pages))
            json_array_append_new(materials, json_pack("{s:n, s:i, s:o}", "alternative", "no", m, "pages", pages));
        else
            json_decref(pages);
    }
    json_t *all = json_pack("{s:I, s:O, s:s, s:o, s:[]}", "config", (json_int_t)a->config, "entries", a->entries, "item", a->item, "materials", materials, "untypeable");
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    hex_of(a->content, bytes_of(text));
    free(text);
    json_decref(all);
}

/* entries: JSON with what the citizen typed; made clean as the internet side does. materials: slots, 0-terminated, one page of two parts each. */
MAYBE struct app *app_new(struct world *w, const char *item, const char *entries, const int *materials)
{
    struct app *a = calloc(1, sizeof *a);
    struct form_report report = {0};
    struct err e = {0};
    struct id128 id;
    json_t *typed = json_loads(entries, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(typed);
    app_number(w, a->no);
    snprintf(a->item, sizeof a->item, "%s", item);
    snprintf(a->name, sizeof a->name, "%s", text_of(typed, "applicant_name"));
    snprintf(a->id_no, sizeof a->id_no, "%s", text_of(typed, "applicant_id_no"));
    snprintf(a->phone, sizeof a->phone, "13905620001");
    snprintf(a->unit, sizeof a->unit, "%s", text_of(typed, "accept_unit"));
    struct form_identity who = {a->name, a->id_no, a->phone};
    struct form_context x = {clock_beijing_date(w->now), &who, NULL};
    must(form_check(&report, w->c.catalogue, item, typed, &x, &e), &e);
    if (report.n)
        fail_msg("%s: %s %s", item, report.v[0].field, report.v[0].rule);
    a->entries = json_incref(report.clean);
    form_report_clear(&report);
    json_decref(typed);
    for (; *materials; materials++)
        app_page_add(a, *materials);
    a->submitted = w->now;
    a->expires = w->now + 600 * 1000;
    a->config = catalogue_version(w->c.catalogue);
    id_random(&id);
    memcpy(a->record, id.s, 33);
    hex_of(a->hash, bytes_of(a->record));
    app_content(a);
    return a;
}

MAYBE void app_free(struct app *a)
{
    json_decref(a->entries);
    free(a);
}

MAYBE void put_entries(struct xml_out *x, const json_t *entries)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)entries, key, v) {
        xml_open(x, "entry");
        xml_attr(x, "field", key);
        char *list = json_is_array(v) ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        xml_text(x, list ? list : json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "true" : "false");
        free(list);
        xml_close(x);
    }
}

MAYBE void put_materials(struct xml_out *x, const struct app *a)
{
    for (int m = 0; m < 30; m++) {
        bool open = false;
        for (size_t i = 0; i < a->n_pages; i++) {
            if (a->page[i].material != m)
                continue;
            if (!open) {
                xml_open(x, "material");
                xml_attr_int(x, "no", m);
                open = true;
            }
            xml_open(x, "page");
            xml_attr(x, "id", a->page[i].id);
            xml_attr(x, "type", "image/jpeg");
            xml_attr_int(x, "size", 128);
            for (int k = 0; k < 2; k++) {
                xml_open(x, "part");
                xml_attr(x, "id", a->page[i].part[k].id);
                xml_attr_int(x, "size", 64);
                xml_attr(x, "hash", a->page[i].part[k].hash);
                xml_close(x);
            }
            xml_close(x);
        }
        if (open)
            xml_close(x);
    }
}

MAYBE void put_identity(struct xml_out *x, struct world *w, const struct app *a)
{
    char at[21], expires[21];
    uint8_t sig[64];
    struct buf statement, signature;
    struct key_pair *signer = w->provider, *stranger = NULL;
    struct err e = {0};
    clock_rfc3339(at, a->submitted - 1000);
    clock_rfc3339(expires, a->expires);
    json_t *s = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "provider", "sandbox", "name", a->stated_name ? a->stated_name : a->name, "id_no", a->id_no,
                          "result", "pass", "bound", a->bound ? a->bound : a->content, "at", at, "expires", expires, "nonce",
                          "00112233445566778899aabbccddeeff");
    char *text = json_dumps(s, JSON_COMPACT);
    if (a->forged) {
        must(keys_generate(&stranger, "identity", &e), &e);
        signer = stranger;
    }
    sign_bytes(sig, "hz-identity-1", bytes_of(text), signer);
    buf_init(&statement, 0);
    buf_init(&signature, 0);
    base64_put(&statement, bytes_of(text));
    base64_put(&signature, (struct bytes){sig, 64});
    xml_open(x, "identity");
    xml_open(x, "statement");
    xml_text(x, buf_text(&statement));
    xml_close(x);
    xml_open(x, "signature");
    xml_text(x, buf_text(&signature));
    xml_close(x);
    xml_close(x);
    keys_free(stranger);
    buf_clear(&statement);
    buf_clear(&signature);
    free(text);
    json_decref(s);
}

MAYBE void app_xml(struct buf *out, struct world *w, const struct app *a)
{
    struct xml_out x;
    struct err e = {0};
    char at[21];
    clock_rfc3339(at, a->submitted);
    xml_begin(&x, "application", "urn:hz:record:1");
    xml_attr(&x, "case", a->no);
    xml_attr_int(&x, "seq", 1);
    xml_attr(&x, "item", a->item);
    xml_attr_int(&x, "config", a->config);
    xml_attr(&x, "unit", a->unit);
    xml_attr(&x, "channel", "wechat");
    xml_attr(&x, "submitted", at);
    xml_attr(&x, "content", a->content);
    xml_attr(&x, "phone", a->phone);
    put_entries(&x, a->entries);
    put_materials(&x, a);
    put_identity(&x, w, a);
    must(xml_end(&x, &e), &e);
    *out = x.out;
}

/* --- the ferry's part: prepare, apply in one write, outcome --- */
struct world_apply { const struct delivery_handler *h; struct core *c; const struct in_item *it; void *prepared; const char *word; struct err *why; };
MAYBE int world_apply_fn(struct db_conn *conn, void *arg, struct err *e)
{
    struct world_apply *x = arg;
    return x->h->apply(conn, x->c, x->it, x->prepared, e);
}
MAYBE int world_outcome_fn(struct db_conn *conn, void *arg, struct err *e)
{
    struct world_apply *x = arg;
    return intake_outcome(conn, x->c, x->it, x->word, x->why, e);
}

/* "applied", "refused", "held", "again" (an error that is tried later); *why keeps the reason. */
MAYBE const char *arrive(struct world *w, const char *kind, const char *no, const char *id, const char *hash, struct bytes body, struct err *why)
{
    const struct delivery_handler *h = intake_handlers;
    struct manifest m = {.size = body.n};
    struct in_item it = {.id = id, .kind = kind, .case_no = no, .case_seq = 1, .manifest = &m, .now_ms = w->now};
    struct err e = {0};
    snprintf(it.hash, sizeof it.hash, "%s", hash);
    while (strcmp(h->kind, kind) != 0)
        h++;
    struct world_apply x = {h, &w->c, &it, NULL, "applied", why};
    memset(why, 0, sizeof *why);
    int rc = h->prepare(&w->c, &it, body, &x.prepared, why);
    if (rc == 0) {
        rc = db_write(w->c.db, world_apply_fn, &x, why);
        h->discard(x.prepared);
    }
    if (rc == 0)
        return "applied";
    bool held = why->code == ERR_HELD || why->code == ERR_UNAVAILABLE;
    bool refused = why->code == ERR_INPUT || why->code == ERR_CORRUPT || why->code == ERR_TOO_LARGE || why->code == ERR_CONFLICT;
    if (!held && !refused)
        return "again";
    x.word = held ? "held" : "refused";
    must(db_write(w->c.db, world_outcome_fn, &x, &e), &e);
    return x.word;
}

MAYBE const char *arrive_record(struct world *w, const struct app *a, struct err *why)
{
    struct buf xml;
    app_xml(&xml, w, a);
    const char *word = arrive(w, "application", a->no, a->record, a->hash, buf_bytes(&xml), why);
    buf_clear(&xml);
    return word;
}

MAYBE void arrive_part(struct world *w, const struct app *a, const struct app_part *p)
{
    struct err why;
    char sealed[65];
    hex_of(sealed, bytes_of(p->id));
    assert_string_equal(arrive(w, "slice", a->no, p->id, sealed, (struct bytes){p->bytes, sizeof p->bytes}, &why), "applied");
}

MAYBE void arrive_parts(struct world *w, const struct app *a)
{
    for (size_t i = 0; i < a->n_pages; i++)
        for (int k = 0; k < 2; k++)
            arrive_part(w, a, &a->page[i].part[k]);
}

MAYBE void world_tick(struct world *w, int64_t later_ms)
{
    struct err e = {0};
    w->now += later_ms;
    must(upkeep_tick(&w->c, w->now, &e), &e);
}

/* Last record of a kind that left for a case; NULL. */
MAYBE const char *last_sent(const struct world *w, const char *kind, const char *no)
{
    for (size_t i = w->n_sent; i-- > 0;)
        if (strcmp(w->sent[i].kind, kind) == 0 && strcmp(w->sent[i].no, no) == 0)
            return w->sent[i].xml;
    return NULL;
}

MAYBE unsigned count_sent(const struct world *w, const char *kind, const char *no, const char *words)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->n_sent; i++)
        n += strcmp(w->sent[i].kind, kind) == 0 && strcmp(w->sent[i].no, no) == 0 && strstr(w->sent[i].xml, words) != NULL;
    return n;
}

/* --- samples --- */
#define BIRTH                                                                                                                     \
    "{\"applicant_name\":\"吴雨桐\",\"applicant_id_no\":\"340799199710206943\",\"applicant_phone\":\"13905620001\",\"applicant_relation\":\"52\","  \
    "\"child_name\":\"柳小禾\",\"child_gender\":\"2\",\"child_ethnicity\":\"01\",\"child_birth_date\":\"2026-11-02\",\"has_birth_certificate\":true,"  \
    "\"birth_certificate_no\":\"T340123456\",\"child_birth_country\":\"CHN\",\"child_birth_region\":\"340799\",\"child_native_region\":\"340799\","   \
    "\"settle_with\":\"mother\",\"in_wedlock\":true,\"mother_name\":\"吴雨桐\",\"mother_id_type\":\"111\",\"mother_id_no\":\"340799199710206943\","    \
    "\"target_kind\":\"10\",\"target_address\":\"340799 江州市江州区状元巷180号14栋603室\",\"target_head_name\":\"柳长林\","                        \
    "\"target_head_id_no\":\"340799199502245374\",\"target_relation\":\"30\",\"accept_unit\":\"" STATION "\"}"
#define DEATH                                                                                                                     \
    "{\"applicant_name\":\"孔晓东\",\"applicant_id_no\":\"340799198102061555\",\"applicant_phone\":\"13905620001\",\"applicant_relation\":\"20\","  \
    "\"subject_name\":\"袁淑贞\",\"subject_id_no\":\"340799194703110844\",\"subject_region\":\"340799\",\"is_head\":false,\"accept_unit\":\"" STATION  \
    "\",\"death_date\":\"2026-11-01\",\"death_kind\":\"normal\",\"proof_kind\":\"medical\",\"proof_by\":\"江州市第一人民医院\"}"
#define RENAME                                                                                                                    \
    "{\"applicant_name\":\"蒋国庆\",\"applicant_id_no\":\"340799199902101476\",\"applicant_phone\":\"13905620001\",\"subject_name\":\"蒋国庆\","     \
    "\"subject_id_no\":\"340799199902101476\",\"subject_region\":\"340799\",\"accept_unit\":\"" STATION "\",\"new_name\":\"蒋望远\","               \
    "\"reason_text\":\"与同单位同事重名，多有不便\"}"
#define CHANGE                                                                                                                    \
    "{\"applicant_name\":\"方静怡\",\"applicant_id_no\":\"340799200204265823\",\"applicant_phone\":\"13905620001\",\"applicant_relation\":\"01\","  \
    "\"subject_name\":\"方静怡\",\"subject_id_no\":\"340799200204265823\",\"subject_region\":\"340799\",\"accept_unit\":\"" STATION "\","           \
    "\"change_item\":\"employer\",\"employer_after\":\"江州市第二中学\",\"promise\":true}"
static const int BIRTH_SLOTS[] = {1, 2, 0}, DEATH_SLOTS[] = {1, 2, 3, 0}, RENAME_SLOTS[] = {1, 2, 3, 0}, CHANGE_SLOTS[] = {1, 2, 3, 4, 0};

/* A case with all its pages here. */
MAYBE struct app *open_case(struct world *w, const char *item, const char *entries, const int *slots)
{
    struct err why;
    struct app *a = app_new(w, item, entries, slots);
    const char *word = arrive_record(w, a, &why);
    if (strcmp(word, "applied") != 0)
        fail_msg("%s: %s: %s", item, word, why.msg);
    arrive_parts(w, a);
    world_tick(w, 10);
    return a;
}

/* --- deciding --- */
MAYBE json_t *see(struct world *w, const struct actor *a, const char *no)
{
    struct reply r = {0};
    struct err e = {0};
    must(caseview_get(&w->c, a, no, false, w->now, &r, &e), &e);
    return r.body;
}

MAYBE void saw_all(struct world *w, const struct actor *a, const char *no)
{
    json_t *c = see(w, a, no), *m, *p;
    size_t i, k;
    struct err e = {0};
    struct reply r = {0};
    json_array_foreach(json_object_get(c, "materials"), i, m)
        json_array_foreach(json_object_get(m, "pages"), k, p)
            must(page_mark(&w->c, a, no, text_of(p, "id"), true, "good", w->now, &r, &e), &e);
    json_decref(c);
}

/* The decision with the version put in; more: members as JSON text without braces, "" for none. Returns the use case's. */
MAYBE int act(struct world *w, const struct actor *a, const char *no, const char *action, const char *more, struct reply *r, struct err *e)
{
    char text[2000];
    struct reply seen = {0};
    struct err none = {0};
    caseview_get(&w->c, a, no, true, w->now, &seen, &none);      /* not theirs to see: version 0 */
    json_t *c = seen.body;
    snprintf(text, sizeof text, "{\"action\":\"%s\",\"version\":%lld%s%s}", action, (long long)json_integer_value(json_object_get(c, "version")), *more ? "," : "", more);
    json_decref(c);
    json_t *d = json_loads(text, 0, NULL);
    assert_non_null(d);
    memset(r, 0, sizeof *r);
    memset(e, 0, sizeof *e);
    int rc = decide_take(&w->c, a, no, d, w->now, r, e);
    json_decref(d);
    return rc;
}

/* Must succeed; then the held-back effects leave. */
MAYBE void takes(struct world *w, const struct actor *a, const char *no, const char *action, const char *more, const char *state)
{
    struct reply r;
    struct err e;
    if (act(w, a, no, action, more, &r, &e) < 0)
        fail_msg("%s: %s %s (%s)", action, err_word(e.code), e.msg, r.zh);
    assert_string_equal(text_of(r.body, "state"), state);
    reply_clear(&r);
    world_tick(w, 6000);
}

MAYBE void refused(struct world *w, const struct actor *a, const char *no, const char *action, const char *more, enum err_code code, const char *zh)
{
    struct reply r;
    struct err e;
    assert_int_equal(act(w, a, no, action, more, &r, &e), -1);
    if (e.code != code || !strstr(r.zh, zh))
        fail_msg("%s: want %s \"%s\", have %s \"%s\" (%s)", action, err_word(code), zh, err_word(e.code), r.zh, e.msg);
    reply_clear(&r);
}

MAYBE int world_person_read(struct db_conn *conn, void *arg, struct err *e);
struct person_query { struct world *w; const char *id_no; json_t *out, *home, *members; };
MAYBE int world_person_read(struct db_conn *conn, void *arg, struct err *e)
{
    struct person_query *q = arg;
    struct register_store s = {conn, q->w->c.vault};
    if (register_by_id_no(&s, q->id_no, &q->out, e) < 0 || q->out == NULL)
        return q->out ? -1 : 0;
    if (register_household(&s, text_of(q->out, "household_id"), &q->home, e) < 0)
        return -1;
    return register_members(&s, text_of(q->out, "household_id"), true, &q->members, e);
}

/* The register's row of a number, with "members" of the household; NULL. */
MAYBE json_t *registered(struct world *w, const char *id_no)
{
    struct person_query q = {w, id_no, NULL, NULL, NULL};
    struct err e = {0};
    must(db_read(w->c.db, world_person_read, &q, &e), &e);
    if (q.out)
        json_object_set(q.out, "members", q.members);
    json_decref(q.home);
    json_decref(q.members);
    return q.out;
}

/* The catalogue in force with one member of one item changed. */
__attribute__((unused)) static void reflow(struct world *w, const char *code, const char *key, const char *value)
{
    struct buf b, changed;
    struct err e = {0};
    size_t i;
    json_t *item;
    struct catalogue *fresh = NULL;
    buf_init(&b, 0);
    buf_init(&changed, 0);
    must(catalogue_bundle(&b, w->c.catalogue, &e), &e);
    json_t *all = json_loadb((const char *)b.p, b.n, 0, NULL);
    json_array_foreach(json_object_get(all, "items"), i, item)
        if (strcmp(text_of(item, "code"), code) == 0)
            json_object_set_new(item, key, json_string(value));
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    must(catalogue_load_bundle(&fresh, bytes_of(text), &e), &e);
    catalogue_unref(w->c.catalogue);
    w->c.catalogue = fresh;
    free(text);
    json_decref(all);
    buf_clear(&b);
    buf_clear(&changed);
}

#endif
