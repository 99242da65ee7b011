#include "internet-side/service/caseview.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "internet-side/domain/public_state.h"
#include "internet-side/service/cases.h"

static json_t *time_json(int64_t ms)
{
    char s[21];
    clock_rfc3339(s, ms);
    return json_string(s);
}

static const json_t *states_of(const struct edition *d)
{
    return catalogue_part(edition_catalogue(d), "public_states");
}

bool cases_overdue(const char *deadline, int64_t now_ms)
{
    struct date last;
    return date_parse(&last, deadline) == 0 && date_compare(clock_beijing_date(now_ms), last) > 0;
}

/* Before the intranet spoke of a state: how far the application came. */
static void crossing_state(struct shown *out, const struct tracking *t, int64_t now_ms)
{
    if (strcmp(t->crossing, "held") == 0)
        out->key = "held";
    else if (strcmp(t->crossing, "crossing") == 0) {
        out->key = "crossing";
        out->variant = now_ms - t->submitted_ms > CASES_SLOW_MS ? "slow" : "";
    } else if (strcmp(t->crossing, "received") == 0 && t->pages_done < t->pages_total)
        out->key = "received";
    else
        out->key = "reviewing";
}

static void choose(struct shown *out, const struct tracking *t, const struct supplement_request *s, int64_t now_ms)
{
    out->variant = "";
    if (strcmp(t->crossing, "refused") == 0)
        out->key = "import_refused";
    else if (strcmp(t->local_state, "withdraw_asked") == 0)
        out->key = "withdraw_asked";
    else if (strcmp(t->local_state, "supplement_sent") == 0) {
        out->key = "crossing";
        out->variant = now_ms - t->updated_ms > CASES_SLOW_MS ? "slow" : "";
    } else if (!t->state[0])
        crossing_state(out, t, now_ms);
    else if (strcmp(t->state, "supplement") == 0 && s->round && cases_overdue(s->deadline, now_ms))
        out->key = "supplement_overdue";
    else {
        out->key = t->state;
        out->variant = t->variant;
    }
}

static void set_text(json_t *values, const char *key, const char *text)
{
    if (*text && !json_object_get(values, key))
        json_object_set_new(values, key, json_string(text));
}

void caseview_shown(struct shown *out, const struct tracking *t, const struct supplement_request *s, const struct edition *d, int64_t now_ms)
{
    char text[32];
    struct date day;
    choose(out, t, s, now_ms);
    out->values = out->key == t->state ? json_copy(t->values) : json_object();
    set_text(out->values, "unit", edition_unit_short(d, t->unit));
    set_text(out->values, "reason", strcmp(out->key, "import_refused") == 0 ? t->reason : "");
    if (strcmp(out->key, "received") == 0) {
        snprintf(text, sizeof text, "%d", t->pages_done);
        set_text(out->values, "done", text);
        snprintf(text, sizeof text, "%d", t->pages_total);
        set_text(out->values, "total", text);
    }
    const bool asked = strcmp(out->key, "supplement") == 0 && s->round;
    if (asked) {
        const size_t n = json_array_size(json_object_get(s->wanted, "slots"));
        snprintf(text, sizeof text, "%zu", n);
        set_text(out->values, "total", n ? text : "");
        out->variant = n ? "" : "fields";
    }
    if (date_parse(&day, asked ? s->deadline : t->deadline) == 0) {
        public_date(text, day);
        set_text(out->values, "date", text);
    }
}

bool cases_withdrawable(const struct tracking *t, const struct edition *d, int64_t now_ms)
{
    struct shown w;
    const struct supplement_request none = {0};
    if (t->final || strcmp(t->crossing, "refused") == 0 || strcmp(t->local_state, "withdraw_asked") == 0)
        return false;
    choose(&w, t, &none, now_ms);
    return public_state_withdrawable(states_of(d), w.key);
}

static json_t *state_json(const struct shown *w, const struct tracking *t, const struct edition *d, int64_t now_ms)
{
    json_t *state = public_state_json(states_of(d), w->key, w->values, w->variant, cases_withdrawable(t, d, now_ms));
    /* A key that this configuration does not know is refused when it comes; after a step back of the configuration the tag must still stand. */
    return state ? state : json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "key", w->key, "icon", "◔", "tag", "办理中", "tone", "work", "sentence",
                                     "民警正在办理", "buttons");
}

static bool is_final(const struct tracking *t, const struct shown *w)
{
    return t->final || strcmp(t->crossing, "refused") == 0 || strcmp(w->key, "supplement_overdue") == 0;
}

static json_t *brief(const struct tracking *t, const struct supplement_request *s, const struct shown *w, const struct edition *d, int64_t now_ms)
{
    const bool final = is_final(t, w);
    const char *deadline = strcmp(w->key, "supplement") == 0 && s->round ? s->deadline : t->local_state[0] ? "" : t->deadline;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:s, s:o, s:o}", "no", t->no.s, "item", t->item, "plain_name", edition_plain_name(d, t->item),
                     "submitted", time_json(t->submitted_ms), "updated", time_json(t->updated_ms), "locked", false, "finished", final, "turn",
                     public_state_turn(states_of(d), w->key), "state", state_json(w, t, d, now_ms), "deadline",
                     final || !*deadline ? json_null() : json_string(deadline));
}

json_t *caseview_brief(const struct tracking *t, const struct supplement_request *s, const struct edition *d, int64_t now_ms)
{
    struct shown w;
    caseview_shown(&w, t, s, d, now_ms);
    json_t *out = brief(t, s, &w, d, now_ms);
    json_decref(w.values);
    return out;
}

/* First event of a stage, 0 when there is none. */
static int64_t stage_time(const json_t *events, int stage)
{
    size_t i;
    const json_t *v;
    json_array_foreach(events, i, v)
        if (json_integer_value(json_object_get(v, "stage")) == stage)
            return json_integer_value(json_object_get(v, "at_ms"));
    return 0;
}

static const char *stage_word(const struct tracking *t, int stage, int64_t at, bool final, bool done)
{
    if (stage > t->stage)
        return done ? (at ? "done" : "skipped") : final ? "skipped" : "todo";
    if (stage == t->stage)
        return final ? "done" : "now";
    return stage == 1 || at ? "done" : "skipped";
}

static json_t *stages_json(const struct tracking *t, const json_t *events, const json_t *state, bool final)
{
    static const char *const titles[] = { "提交申请", "审核材料", "交验原件", "正式办理", "办结领取" };
    const char *tone = json_string_value(json_object_get(state, "tone"));
    const bool done = final && tone && strcmp(tone, "done") == 0;
    json_t *list = json_array();
    for (int i = 1; i <= 5; i++) {
        const int64_t at = stage_time(events, i);
        const char *word = stage_word(t, i, at, final, done);
        json_t *stage = json_pack("{s:s, s:s}", "title", titles[i - 1], "state", word);
        if (at && strcmp(word, "todo") != 0)
            json_object_set_new(stage, "at", time_json(at));
        if (i == t->stage && json_object_get(state, "tag"))
            json_object_set(stage, "note", json_object_get(state, "tag"));
        else if (i == 3 && strcmp(word, "skipped") == 0 && t->stage > 3)
            json_object_set_new(stage, "note", json_string("已核验，不用交"));
        json_array_append_new(list, stage);
    }
    return list;
}

static json_t *events_json(const json_t *events)
{
    json_t *list = json_array();
    size_t i;
    const json_t *v;
    json_array_foreach(events, i, v)
        json_array_append_new(list, json_pack("{s:o, s:O}", "at", time_json(json_integer_value(json_object_get(v, "at_ms"))), "text",
                                              json_object_get(v, "text")));
    return list;
}

static const char *material_name(const struct edition *d, const char *item, const char *unit, int no)
{
    const struct item *it = catalogue_item_in(edition_catalogue(d), item, catalogue_region_of(edition_catalogue(d), unit));
    for (size_t i = 0; it && i < it->n_materials; i++)
        if (it->materials[i].no == no)
            return it->materials[i].plain;
    return no == 0 ? "打不出的字的照片" : "材料";
}

static const char *field_name(const struct edition *d, const char *item, const char *id)
{
    const struct item *it = catalogue_item(edition_catalogue(d), item);
    const struct field *f = it ? family_field(it->family, id) : NULL;
    const struct repeat *people = it ? family_repeat(it->family, id) : NULL;
    if (people)
        return people->label;
    return f ? (f->ask ? f->ask : f->label) : id;
}

static json_t *supplement_json(const struct tracking *t, const struct supplement_request *s, const struct edition *d)
{
    json_t *slots = json_array(), *fields = json_array();
    size_t i;
    const json_t *v;
    json_array_foreach(json_object_get(s->wanted, "slots"), i, v) {
        const int no = (int)json_integer_value(json_object_get(v, "material"));
        json_array_append_new(slots, json_pack("{s:i, s:s, s:O}", "material", no, "name", material_name(d, t->item, t->unit, no), "reason",
                                               json_object_get(v, "reason")));
    }
    json_array_foreach(json_object_get(s->wanted, "fields"), i, v) {
        const char *id = json_string_value(json_object_get(v, "field"));
        json_array_append_new(fields, json_pack("{s:s, s:s, s:O}", "field", id, "label", field_name(d, t->item, id), "reason",
                                                json_object_get(v, "reason")));
    }
    return json_pack("{s:i, s:s, s:s, s:o, s:o}", "round", s->round, "sentence", s->sentence, "deadline", s->deadline, "slots", slots, "fields", fields);
}

json_t *caseview_full(const struct tracking *t, const struct supplement_request *s, const json_t *events, const struct edition *d, int64_t now_ms)
{
    struct shown w;
    caseview_shown(&w, t, s, d, now_ms);
    json_t *out = brief(t, s, &w, d, now_ms);
    const bool refused = strcmp(t->crossing, "refused") == 0;
    json_object_set_new(out, "confirmed", json_boolean(strcmp(t->crossing, "confirmed") == 0));
    json_object_set_new(out, "refused_on_import", json_boolean(refused));
    json_object_set_new(out, "unit", edition_unit(d, t->unit));
    json_object_set_new(out, "pages", json_pack("{s:i, s:i}", "done", t->pages_done, "total", t->pages_total));
    json_object_set_new(out, "stages", stages_json(t, events, json_object_get(out, "state"), is_final(t, &w)));
    json_object_set_new(out, "events", events_json(events));
    json_object_set_new(out, "withdrawable", json_boolean(cases_withdrawable(t, d, now_ms)));
    if (s->round && !s->sent && strcmp(w.key, "supplement") == 0)
        json_object_set_new(out, "supplement", supplement_json(t, s, d));
    json_decref(w.values);
    return out;
}

json_t *caseview_locked(const struct tracking *t)
{
    return json_pack("{s:s, s:o, s:o, s:b}", "no", t->no.s, "submitted", time_json(t->submitted_ms), "updated", time_json(t->updated_ms), "locked", true);
}
