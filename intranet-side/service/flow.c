#include "intranet-side/service/flow.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/role.h"

static const char never[] = "9999-12-31";
static const char *const variants[] = {"officer", "aux"};

const struct workflow *flow_variant(const struct rules *r, const char *flow_type, const char *variant)
{
    return workflow_pick(r->flows, "online", flow_type, variant);
}

const struct workflow *flow_of(const struct rules *r, const struct case_file *f)
{
    return *f->workflow ? workflow_find(r->flows, f->workflow) : flow_variant(r, f->flow, variants[0]);
}

unsigned flow_wait_roles(const struct rules *r, const struct case_file *f)
{
    unsigned roles = 0;
    if (*f->workflow) {
        const struct workflow *w = flow_of(r, f);
        const struct wf_state *s = w ? workflow_state(w, f->state) : NULL;
        return s ? s->wait_roles : 0;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct workflow *w = flow_variant(r, f->flow, variants[i]);
        const struct wf_state *s = w ? workflow_state(w, f->state) : NULL;
        roles |= s ? s->wait_roles : 0;
    }
    return roles;
}

const char *flow_stage(const struct rules *r, const struct case_file *f)
{
    const struct workflow *w = flow_of(r, f);
    const struct wf_transition *t = w ? workflow_forward(w, f->state) : NULL;
    return t ? t->stage : NULL;
}

static int stage_of(const struct wf_state *s)
{
    static const char *const phases[] = {"review", "originals", "completion", "end"};
    for (int i = 0; i < 4; i++)
        if (strcmp(phases[i], s->phase) == 0)
            return i + 2;
    return 1;
}

void flow_show(struct flow_shown *out, const struct rules *r, const struct case_file *f)
{
    const struct workflow *w = flow_of(r, f);
    const struct wf_state *s = w ? workflow_state(w, f->state) : NULL;
    *out = (struct flow_shown){f->state, "reviewing", "◔", "work", 2};
    if (s == NULL)
        return;
    bool arriving = f->pages_done < f->pages_total;
    out->internal = arriving && s->internal_arriving ? s->internal_arriving : s->internal;
    out->public_key = arriving && s->public_arriving ? s->public_arriving : s->public_key;
    out->stage = stage_of(s);                                 /* it is at the station, whether or not every page is: a citizen's time line never goes back */
    const json_t *p = rules_public_state(r, out->public_key);
    if (json_object_get(p, "icon"))
        out->icon = json_string_value(json_object_get(p, "icon"));
    if (json_object_get(p, "tone"))
        out->tone = json_string_value(json_object_get(p, "tone"));
}

static void sort_by(struct case_file *f)
{
    const char *due = never;
    if (*f->stopped_on == '\0' && !f->final) {
        if (*f->state_due)
            due = f->state_due;
        if (*f->total_due && strcmp(f->total_due, due) < 0)
            due = f->total_due;
    }
    memcpy(f->sort_due, due, 11);
}

/* The days that waited for the citizen are added behind the promised day. */
static void clock_on(const struct rules *r, struct case_file *f, const struct wf_state *s, struct date today)
{
    struct date since, due;
    if (s->clock != WF_CLOCK_OURS) {
        if (*f->stopped_on == '\0')
            date_text(f->stopped_on, today);
        return;
    }
    if (*f->stopped_on && *f->total_due && date_parse(&since, f->stopped_on) == 0 && date_parse(&due, f->total_due) == 0) {
        int waited = calendar_between(r->calendar, since, today);
        date_text(f->total_due, calendar_add(r->calendar, due, waited > 0 ? waited : 0));
    }
    f->stopped_on[0] = '\0';
}

static void keep_holder(struct case_file *f, const struct wf_state *s, bool moved_between_houses, unsigned holder_role)
{
    unsigned who = s->forward_roles ? s->forward_roles : s->wait_roles;
    bool still_his = who == 0 || (who & holder_role);
    if (f->final || moved_between_houses || !still_his) {
        f->holder[0] = f->holder_name[0] = '\0';
        f->held_since = 0;
    }
}

void flow_enter(const struct rules *r, struct case_file *f, const char *state, const char *date, unsigned holder_role, int64_t now_ms)
{
    const struct workflow *w = flow_of(r, f);
    const struct wf_state *s = workflow_state(w, state);
    struct date today = clock_beijing_date(now_ms);
    bool was_up = f->up;
    if (strcmp(f->state, state) != 0)
        snprintf(f->previous, sizeof f->previous, "%s", f->state);
    snprintf(f->state, sizeof f->state, "%s", s->id);
    f->state_since = now_ms;
    f->final = s->final;
    f->up = s->wait_up;
    f->wait_roles = s->wait_roles;
    clock_on(r, f, s, today);
    f->state_due[0] = f->citizen_due[0] = '\0';
    if (s->clock == WF_CLOCK_OURS && s->deadline_days)
        date_text(f->state_due, calendar_add(r->calendar, today, s->deadline_days));
    else if (*date)
        snprintf(f->citizen_due, sizeof f->citizen_due, "%s", date);
    else if (s->clock == WF_CLOCK_CITIZEN && s->deadline_days)
        date_text(f->citizen_due, calendar_add(r->calendar, today, s->deadline_days));
    keep_holder(f, s, was_up != f->up, holder_role);
    sort_by(f);
}

int flow_open(const struct rules *r, struct case_file *f, int64_t now_ms, struct err *e)
{
    const struct workflow *w = flow_variant(r, f->flow, variants[0]);
    struct date today = clock_beijing_date(now_ms);
    if (w == NULL)
        return err_set(e, ERR_HELD, "no flow of type %s is loaded", f->flow);
    snprintf(f->state, sizeof f->state, "%s", w->initial);
    f->workflow[0] = '\0';
    date_text(f->total_due, calendar_add(r->calendar, today, w->total_days));
    flow_enter(r, f, w->initial, "", 0, now_ms);
    f->previous[0] = '\0';
    f->wait_roles = flow_wait_roles(r, f);
    return 0;
}

json_t *flow_clock(const struct rules *r, const struct case_file *f, int64_t now_ms)
{
    struct date due;
    char text[48];
    int left;
    if (f->final)
        return json_pack("{s:s, s:s}", "text", "已结束", "tone", "neutral");
    if (*f->stopped_on && *f->citizen_due && date_parse(&due, f->citizen_due) == 0 &&
        (left = calendar_between(r->calendar, clock_beijing_date(now_ms), due)) < 0) {
        snprintf(text, sizeof text, "群众超 %d 日", -left);
        return json_pack("{s:s, s:s, s:i, s:s}", "text", text, "tone", "turn", "days", left, "deadline", f->citizen_due);
    }
    if (*f->stopped_on)
        return json_pack("{s:s, s:s, s:s}", "text", "暂停计时", "tone", "paused", "deadline", f->citizen_due);
    if (strcmp(f->sort_due, never) == 0 || date_parse(&due, f->sort_due) < 0)
        return json_pack("{s:s, s:s}", "text", "", "tone", "neutral");
    left = calendar_between(r->calendar, clock_beijing_date(now_ms), due);
    const char *tone = left < 0 ? "refused" : left <= 1 ? "turn" : "work";
    if (left < 0)
        snprintf(text, sizeof text, "超 %d 日", -left);
    else if (left == 0)
        snprintf(text, sizeof text, "今天到期");
    else
        snprintf(text, sizeof text, "剩 %d 日", left);
    return json_pack("{s:s, s:s, s:i, s:s}", "text", text, "tone", tone, "days", left, "deadline", f->sort_due);
}

const char *flow_public_day(const struct case_file *f)
{
    if (*f->citizen_due)
        return f->citizen_due;
    return f->final || strcmp(f->sort_due, never) == 0 ? "" : f->sort_due;
}

void day_words(char out[16], const char *day)
{
    struct date d;
    out[0] = '\0';
    if (*day && date_parse(&d, day) == 0)
        date_words(out, d);
}
