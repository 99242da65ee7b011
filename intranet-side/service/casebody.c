#include "intranet-side/service/casebody.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/mask.h"
#include "intranet-side/service/casepeople.h"
#include "intranet-side/service/caserow.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/scans.h"
#include "intranet-side/store/page.h"
#include "intranet-side/store/trail.h"

/* --- form beside register --- */
static const char *const check_words[] = {"none", "ok", "differs", "none"};      /* by enum compare: what is to change is no difference */

static void untypeable_mark(const struct view *v, const char *field, json_t *row)
{
    size_t i;
    json_t *u;
    json_array_foreach(json_object_get(v->d->payload, "untypeable"), i, u)
        if (strcmp(text_of(u, "field"), field) == 0) {
            json_object_set(row, "untypeable", json_object_get(u, "pinyin"));
            json_object_set(row, "untypeable_page", json_object_get(u, "page"));
        }
}

static json_t *row_json(struct view *v, const struct field *f, json_t **people, const json_t *notes, struct err *e)
{
    struct compared k;
    char value[2000], shown[2000], reg[600];
    const json_t *entry = json_object_get(v->d->entries, f->id), *note = json_object_get(notes, f->id);
    bool sensitive = f->mask && strcmp(f->mask, "none") != 0;
    if (registry_compare(&k, v->c, v->conn, v->d, f, people, e) < 0)
        return NULL;
    registry_show(value, sizeof value, f, entry);
    mask_value(shown, sizeof shown, v->unmasked ? NULL : f->mask, value);
    mask_value(reg, sizeof reg, v->unmasked ? NULL : f->mask, k.value);
    json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:o, s:b, s:s}", "field", f->id, "label", f->label, "value", shown, "masked", sensitive && !v->unmasked, "register",
                            *reg ? json_string(reg) : json_null(), "differs", k.how == COMPARE_DIFFERS, "check", check_words[k.how]);
    if (note)
        json_object_set(row, "note", (json_t *)note);
    untypeable_mark(v, f->id, row);
    v->review.differences += k.how == COMPARE_DIFFERS;
    v->review.noted += k.how == COMPARE_DIFFERS && note;
    return row;
}

/* Each person of a list: his answers, and what the register has under his number. */
struct persons { struct view *v; json_t *rows, **people; const json_t *notes; };

static int person_row(const struct people_place *p, void *arg, struct err *e)
{
    struct persons *x = arg;
    struct view *v = x->v;
    struct compared k;
    char value[2000], shown[2000], reg[600], title[160];
    const json_t *note = json_object_get(x->notes, p->path);
    const char *mask = v->unmasked ? NULL : p->field->mask;
    if (casepeople_compare(&k, v->c, v->conn, v->d, p, x->people, e) < 0)
        return -1;
    registry_show(value, sizeof value, p->field, p->value);
    mask_value(shown, sizeof shown, mask, value);
    mask_value(reg, sizeof reg, k.how == COMPARE_NONE ? NULL : mask, k.value);      /* words, not a number */
    casepeople_title(title, sizeof title, p);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:b, s:s}", "field", p->path, "person", title, "label", p->field->label, "value", shown, "masked",
                            mask && strcmp(mask, "none") != 0, "register", *reg ? json_string(reg) : json_null(), "differs", k.how == COMPARE_DIFFERS,
                            "check", check_words[k.how]);
    char pinyin[80];
    snprintf(pinyin, sizeof pinyin, "%.60s_pinyin", p->field->id);
    if (*text_of(p->entries, pinyin))
        json_object_set_new(row, "untypeable", json_string(text_of(p->entries, pinyin)));
    if (note)
        json_object_set(row, "note", (json_t *)note);
    v->review.differences += k.how == COMPARE_DIFFERS;
    v->review.noted += k.how == COMPARE_DIFFERS && note;
    return json_array_append_new(x->rows, row) < 0 ? err_set(e, ERR_FULL, "case: no memory") : 0;
}

static json_t *section_rows(struct view *v, const struct section *s, json_t **people, const json_t *notes, struct err *e)
{
    const struct family *fam = v->d->item->family;
    json_t *rows = json_array();
    for (size_t i = 0; i < fam->n_fields; i++) {
        const struct field *f = &fam->fields[i];
        if (strcmp(f->section, s->id) != 0 || !json_object_get(v->d->entries, f->id))
            continue;
        json_t *row = row_json(v, f, people, notes, e);
        if (row == NULL) {
            json_decref(rows);
            return NULL;
        }
        json_array_append_new(rows, row);
    }
    struct persons x = {v, rows, people, notes};
    if (casepeople_each(v->d, s, person_row, &x, e) < 0) {
        json_decref(rows);
        return NULL;
    }
    size_t at = 0;
    for (const struct repeat *r; (r = casepeople_empty(v->d, s, &at)) != NULL;)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b, s:n, s:b, s:s}", "field", r->id, "label", r->label, "value", "没有填", "masked", 0, "register",
                                              "differs", 0, "check", "none"));
    return rows;
}

json_t *casebody_sections(struct view *v, struct err *e)
{
    json_t *out = json_array(), *people = NULL, *notes = NULL;
    int rc = review_notes(&notes, v->conn, v->d, e);
    const struct family *fam = v->d->item ? v->d->item->family : NULL;
    for (size_t i = 0; rc == 0 && fam && i < fam->n_sections; i++) {
        const struct section *s = &fam->sections[i];
        json_t *rows = section_rows(v, s, &people, notes, e);
        const char *desk = text_of(s->json, "desk_title");
        if (rows == NULL)
            rc = -1;
        else if (json_array_size(rows))
            json_array_append_new(out, json_pack("{s:s, s:o}", "title", *desk ? desk : s->title, "rows", rows));
        else
            json_decref(rows);
    }
    json_decref(people);
    json_decref(notes);
    if (rc < 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* --- materials --- */
struct pages { struct view *v; json_t *out, *slot; int64_t no; };

static json_t *slot_json(const struct view *v, const struct page *p)
{
    const struct item *item = v->d->item;
    const char *scan = scan_name(p->material);
    json_t *s = json_pack("{s:I, s:s, s:I, s:[]}", "no", (json_int_t)p->material, "name", p->material == 0 ? "打不出来的字" : scan ? scan : "材料", "round",
                          (json_int_t)p->round, "pages");
    for (size_t i = 0; item && i < item->n_materials; i++) {
        const struct material *m = &item->materials[i];
        if (m->no != p->material)
            continue;
        json_object_set_new(s, "name", json_string(m->name));
        json_object_set_new(s, "original", json_boolean(m->original));
        json_object_set_new(s, "requirement", json_string(m->need == NEED_REQUIRED ? "required" : m->need == NEED_CONDITIONAL ? "conditional" : "one_of"));
        if (p->alternative >= 0 && (size_t)p->alternative < m->n_alternatives)
            json_object_set_new(s, "alternative", json_string(m->alternatives[p->alternative].name));
    }
    return s;
}

static int page_row(const struct page *p, void *arg, struct err *e)
{
    struct pages *x = arg;
    (void)e;
    if (x->slot == NULL || x->no != p->material) {
        x->slot = slot_json(x->v, p);
        x->no = p->material;
        json_array_append_new(x->out, x->slot);
    }
    json_object_set_new(x->slot, "round", json_integer(p->round));
    const char *state = p->parts_done < p->parts ? "coming" : p->unreadable ? "unreadable" : "here";
    json_array_append_new(json_object_get(x->slot, "pages"),
                          json_pack("{s:s, s:I, s:s, s:I, s:s, s:b, s:s}", "id", p->uid, "n", (json_int_t)(json_array_size(json_object_get(x->slot, "pages")) + 1),
                                    "type", p->type, "sheets", (json_int_t)p->sheets, "state", state, "seen", p->seen, "verdict", p->verdict));
    x->v->review.pages++;
    x->v->review.seen += p->seen;
    x->v->review.unseen += !p->seen;
    return 0;
}

json_t *casebody_materials(struct view *v, struct err *e)
{
    struct pages x = {v, json_array(), NULL, -1};
    if (page_each(v->conn, v->d->f.no, v->a->id.s, page_row, &x, e) < 0) {
        json_decref(x.out);
        return NULL;
    }
    return x.out;
}

/* --- actions --- */
static int why_not(const struct view *v, const struct wf_transition *t, int64_t unreadable, char *out, size_t cap, struct err *e)
{
    const char *paper;
    if (scan_missing(&paper, v->conn, v->d->f.no, t->needs, e) < 0)
        return -1;
    const struct case_file *f = &v->d->f;
    const char *unit = t->up ? v->d->unit.parent : f->unit;
    out[0] = '\0';
    if (strcmp(unit, v->a->unit) != 0)
        snprintf(out, cap, "这一步不由您的单位办理");
    else if (*f->holder && strcmp(f->holder, v->a->id.s) != 0)
        snprintf(out, cap, "%s 在办", f->holder_name);
    else if ((t->needs & WF_NEED_MATERIALS) && f->pages_done < f->pages_total)
        snprintf(out, cap, "材料还在传 %lld/%lld，传齐后才能决定", (long long)f->pages_done, (long long)f->pages_total);
    else if ((t->needs & WF_NEED_MATERIALS) && unreadable && strcmp(t->action, "refuse") != 0)
        snprintf(out, cap, "有 %lld 页无法读取，请退回补正", (long long)unreadable);
    else if (paper)
        snprintf(out, cap, "请先补扫%s", paper);
    return 0;
}

json_t *casebody_actions(struct view *v, struct err *e)
{
    const struct wf_transition *t[WF_MAX_TRANSITIONS];
    const struct case_file *f = &v->d->f;
    const struct workflow *w = *f->workflow ? flow_of(v->c->rules, f) : flow_variant(v->c->rules, f->flow, v->a->role == ROLE_AUX ? "aux" : "officer");
    int64_t unreadable = 0;
    if (page_unreadable(v->conn, f->no, &unreadable, e) < 0)
        return NULL;
    size_t n = w ? workflow_actions(t, WF_MAX_TRANSITIONS, w, f->state, v->a->role, f->originals_due) : 0;
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        char why[160];
        json_t *needs = json_array();
        for (unsigned bit = 1; bit <= WF_NEED_LAST; bit <<= 1)
            if (t[i]->needs & bit)
                json_array_append_new(needs, json_string(wf_need_word((enum wf_need)bit)));
        if (why_not(v, t[i], unreadable, why, sizeof why, e) < 0) {
            json_decref(needs);
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out, json_pack("{s:s, s:s, s:o, s:b, s:o, s:b, s:s, s:b, s:s*}", "action", t[i]->action, "label", t[i]->label, "key",
                                             t[i]->key ? json_string(t[i]->key) : json_null(), "main", t[i]->key && strcmp(t[i]->key, "F2") == 0, "needs",
                                             needs, "enabled", *why == '\0', "why_not", why, "undoable", !wf_touches_register(t[i]), "register", wf_asks_stage(t[i])));
    }
    return out;
}

/* --- trail --- */
struct steps { struct view *v; json_t *out; };

static void joined_reasons(const json_t *detail, json_t *event)
{
    char text[1800];
    size_t i, n = 0;
    json_t *r;
    n += (size_t)snprintf(text, sizeof text, "%s", text_of(detail, "sentence"));
    json_array_foreach(json_object_get(detail, "reasons"), i, r)
        if (n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? "；" : "", text_of(r, "text"));
    if (*text_of(detail, "result") && n < sizeof text)
        snprintf(text + n, sizeof text - n, "%s%s", n ? "；" : "", text_of(detail, "result"));
    if (*text)
        json_object_set_new(event, "after", json_string(text));
}

static int step_row(const struct trail_step *t, void *arg, struct err *e)
{
    struct steps *s = arg;
    json_t *detail = NULL;
    const struct workflow *w = flow_of(s->v->c->rules, &s->v->d->f);
    const struct wf_state *to = w && *t->to ? workflow_state(w, t->to) : NULL;
    if (dossier_unseal(&detail, s->v->d->key, t->uid, t->sealed, e) < 0)
        return -1;
    json_t *event = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s}", "at", json_time(t->at), "text", t->text, "who", *t->name ? t->name : "系统", "unit", t->unit_name,
                              "role", role_name(role_parse(t->role)), "action", t->action);
    if (*text_of(detail, "opinion"))
        json_object_set(event, "opinion", json_object_get(detail, "opinion"));
    if (to)
        json_object_set_new(event, "state", json_string(to->internal));
    joined_reasons(detail, event);
    json_decref(detail);
    json_array_append_new(s->out, event);
    return 0;
}

json_t *casebody_trail(struct view *v, struct err *e)
{
    struct steps s = {v, json_array()};
    if (trail_each(v->conn, v->d->f.no, step_row, &s, e) < 0) {
        json_decref(s.out);
        return NULL;
    }
    return s.out;
}

/* --- checks, messages, related --- */
json_t *casebody_checks(struct view *v)
{
    const json_t *id = json_object_get(v->d->payload, "identity");
    const struct item *item = v->d->item;
    json_t *out = json_array();
    json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s}", "what", "申请人身份和刷脸", "source", text_of(id, "provider"), "at", text_of(id, "at"), "result",
                                         "passed", "text", "签名已验，与申请内容一致"));
    for (size_t i = 0; item && i < item->n_materials; i++)
        if (item->materials[i].verify)
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s}", "what", item->materials[i].name, "source", "", "result", "unchecked", "text",
                                                 "没有联网核验，请核对原件"));
    return out;
}

struct texts { json_t *out; };
static int sms_row(const struct sms *m, void *arg, struct err *e)
{
    struct texts *t = arg;
    (void)e;
    const char *state = strcmp(m->state, "sent") == 0 ? "已发送" : strcmp(m->state, "failed") == 0 ? "没发出" : "等待发送";
    json_array_append_new(t->out, json_pack("{s:o, s:s, s:s}", "at", json_time(m->sent_at ? m->sent_at : m->created), "text", m->text, "state", state));
    return 0;
}

json_t *casebody_messages(struct view *v, struct err *e)
{
    struct texts t = {json_array()};
    if (sms_each(v->conn, v->d->f.no, sms_row, &t, e) < 0) {
        json_decref(t.out);
        return NULL;
    }
    return t.out;
}

enum { MAX_RELATED = 20 };
struct related { struct case_file v[MAX_RELATED]; size_t n; };
static int related_row(const struct case_file *f, void *arg, struct err *e)
{
    struct related *r = arg;
    (void)e;
    if (r->n < MAX_RELATED)
        r->v[r->n++] = *f;
    return 0;
}

/* Cases of the same person, as far as this officer may see them. */
json_t *casebody_related(struct view *v, struct err *e)
{
    struct related r = {.n = 0};
    json_t *out = json_array();
    int rc = case_related(v->conn, v->d->f.no, related_row, &r, e);
    for (size_t i = 0; rc == 0 && i < r.n; i++) {
        bool ours = strcmp(r.v[i].unit, v->a->unit) == 0 || strcmp(r.v[i].up_unit, v->a->unit) == 0;
        json_t *row = ours ? caserow_json(v->c, v->conn, v->a, &r.v[i], v->now_ms, e) : NULL;
        if (row)
            json_array_append_new(out, row);
        rc = ours && !row ? -1 : 0;
    }
    if (rc < 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *casebody_summary(struct view *v, const json_t *trail, struct err *e)
{
    struct effect_plan p;
    json_t *opinions = json_array(), *open = json_array(), *x;
    size_t i;
    char text[120];
    if (registry_plan(&p, v->c, v->conn, v->d, flow_stage(v->c->rules, &v->d->f), v->now_ms, e) < 0) {
        effect_plan_clear(&p);
        json_decref(opinions);
        json_decref(open);
        return NULL;
    }
    json_array_foreach(trail, i, x)
        if (json_object_get(x, "opinion"))
            json_array_append(opinions, x);
    json_array_extend(open, p.refusals);
    json_array_extend(open, p.warnings);
    if (v->review.differences > v->review.noted) {
        snprintf(text, sizeof text, "%d 处与登记不同，没有说明", v->review.differences - v->review.noted);
        json_array_append_new(open, json_string(text));
    }
    json_t *out = json_pack("{s:o, s:s, s:o, s:o, s:[s]}", "changes", effect_in_words(&p, v->d->catalogue), "rule",
                            v->d->item ? text_of(v->d->item->json, "flow_basis") : "", "opinions", opinions, "open_points", open, "verified",
                            "申请人身份和刷脸：通过");
    effect_plan_clear(&p);
    return out;
}

json_t *unit_json(const struct unit *u)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "code", u->code, "name", u->name, "short", u->short_name, "parent", u->parent, "level", u->level,
                     "address", u->address, "phone", u->phone);
}
