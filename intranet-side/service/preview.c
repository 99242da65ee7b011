#include <stdio.h>
#include <string.h>

#include "intranet-side/service/access.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/decide.h"
#include "intranet-side/service/decision.h"
#include "intranet-side/service/flow.h"
#include "intranet-side/service/step.h"
#include "intranet-side/store/page.h"

struct job { struct core *c; const struct actor *a; const char *no; struct decision x; int64_t now; struct reply *r; };

/* Material names beside their reasons, as the citizen's page lists them. */
static json_t *rows_of(const struct dossier *d, const json_t *reasons)
{
    json_t *rows = json_array(), *v;
    size_t i;
    json_array_foreach(reasons, i, v) {
        const json_t *m = json_object_get(v, "material");
        const char *name = "整件";
        const struct field *f = d->item ? family_field(d->item->family, text_of(v, "field")) : NULL;
        const struct repeat *people = d->item ? family_repeat(d->item->family, text_of(v, "field")) : NULL;
        if (f)
            name = f->ask ? f->ask : f->label;
        if (people)
            name = people->label;
        for (size_t k = 0; d->item && json_is_integer(m) && k < d->item->n_materials; k++)
            if (d->item->materials[k].no == json_integer_value(m))
                name = *text_of(d->item->materials[k].json, "plain_name") ? text_of(d->item->materials[k].json, "plain_name") : d->item->materials[k].name;
        json_array_append_new(rows, json_pack("{s:s, s:s}", "name", name, "reason", text_of(v, "text")));
    }
    return rows;
}

static json_t *citizen_json(struct job *j, const struct step *s)
{
    struct flow_shown shown;
    char sentence[600] = "";
    json_t *values = step_values(s);
    flow_show(&shown, j->c->rules, &s->d->f);
    const json_t *state = rules_public_state(j->c->rules, shown.public_key);
    rules_sentence(sentence, sizeof sentence, state, NULL, values);
    json_decref(values);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "icon", shown.icon, "tag", text_of(state, "tag"), "tone", shown.tone, "sentence", sentence, "rows",
                     rows_of(s->d, s->reasons), "deadline", flow_public_day(&s->d->f));
}

static json_t *sms_json(struct job *j, const struct step *s)
{
    char text[600];
    struct err ignored = {0};
    json_t *values = step_values(s), *out = NULL;
    for (size_t i = 0; i < s->t->n_effects && !out; i++) {
        const char *id = s->t->effects[i].arg;
        if (s->t->effects[i].kind != WF_SMS)
            continue;
        if (strcmp(id, "supplement") == 0 && json_object_get(values, "n") == NULL)
            id = "supplement_fields";
        if (step_sms_text(text, sizeof text, j->c->rules, id, values, &ignored) == 0)
            out = json_string(text);
    }
    json_decref(values);
    return out ? out : json_null();
}

/* The case as it would be: a copy that is thrown away. */
static int preview_case(struct job *j, struct dossier *d, const struct wf_transition *t, struct err *e)
{
    struct reply checked = {0};
    struct err mine = {0};
    decision_check(&j->x, j->c, d, t, 0, j->now, &checked, &mine);
    if (mine.code && mine.code != ERR_INPUT && mine.code != ERR_CONFLICT) {
        reply_clear(&checked);
        return err_set(e, mine.code, "%s", mine.msg);
    }
    json_t *findings = checked.fields ? json_incref(checked.fields) : json_array();
    if (mine.code && json_array_size(findings) == 0)
        json_array_append_new(findings, json_pack("{s:s, s:s, s:s}", "field", "", "rule", "conflict", "message", checked.zh));
    reply_clear(&checked);
    struct step s = {.c = j->c, .d = d, .a = j->a, .t = t, .sentence = j->x.sentence, .rule_text = j->x.rule_text, .remedy = j->x.remedy, .date = j->x.date,
                     .reasons = j->x.reasons, .now_ms = j->now};
    char to[40];
    snprintf(to, sizeof to, "%s", strcmp(t->to, "@previous") == 0 ? d->f.previous : t->to);
    bool told = wf_has_effect(t, WF_STATUS_OUT);
    flow_enter(j->c->rules, &d->f, to, j->x.date, 0, j->now);
    j->r->body = json_pack("{s:o, s:o, s:o}", "citizen", told ? citizen_json(j, &s) : json_null(), "sms", sms_json(j, &s), "findings", findings);
    return j->r->body ? 0 : err_set(e, ERR_INTERNAL, "preview: out of memory");
}

static int preview(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct case_file f;
    struct dossier d;
    const struct wf_transition *t = NULL;
    struct err mine = {0};
    if (access_case(conn, j->a, j->no, &f, j->r, e) < 0 || dossier_open(&d, j->c, conn, &f, e) < 0)
        return -1;
    const struct workflow *w = flow_of(j->c->rules, &d.f);
    if (*d.f.workflow == '\0')
        w = flow_variant(j->c->rules, d.f.flow, j->a->role == ROLE_AUX ? "aux" : "officer");
    snprintf(d.f.workflow, sizeof d.f.workflow, "%s", w->id);
    int rc = workflow_choose(&t, w, d.f.state, j->x.action, j->a->role, d.f.originals_due, &mine);
    if (rc < 0)
        rc = reply_refuse(j->r, e, mine.code, mine.msg, mine.code == ERR_DENIED ? "这一步不由您办理" : "现在的状态不能这样办，请刷新后再看");
    else
        rc = preview_case(j, &d, t, e);
    dossier_close(&d);
    return rc;
}

int decide_preview(struct core *c, const struct actor *a, const char *no, const json_t *decision, int64_t now_ms, struct reply *r, struct err *e)
{
    struct job j = {.c = c, .a = a, .no = no, .now = now_ms, .r = r};
    return decision_read(&j.x, decision, r, e) < 0 ? -1 : db_read(c->db, preview, &j, e);
}
