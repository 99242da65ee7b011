/* form.c - the walk over what was filled in; see form.h. The order of steps is the order of common/web/rules.ts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form_parts.h"
#include "common/text.h"

#define ENTRIES_CAP (64u << 10)
#define PINYIN "_pinyin"
#define PINYIN_MAX 60

int form_parse(json_t **out, struct bytes json, struct err *e)
{
    json_error_t je;
    if (json.n > ENTRIES_CAP)
        return err_set(e, ERR_TOO_LARGE, "entries: want at most %u bytes, have %zu", ENTRIES_CAP, json.n);
    json_t *j = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &je);
    if (!json_is_object(j)) {
        json_decref(j);
        return err_set(e, ERR_INPUT, "entries: want one JSON object without repeated keys, have an error in line %d column %d", je.line, je.column);
    }
    *out = j;
    return 0;
}

/* ---- values and conditions ---- */

bool form_present(const json_t *v)
{
    if (!v || json_is_null(v))
        return false;
    return json_is_string(v) ? json_string_length(v) > 0 : !json_is_array(v) || json_array_size(v) > 0;
}

bool judge_partial(const struct judge *j)
{
    return j->ctx->only != NULL;
}

static bool asked_for(const struct judge *j, const char *id)
{
    for (size_t i = 0; judge_partial(j) && j->ctx->only[i]; i++)
        if (strcmp(j->ctx->only[i], id) == 0)
            return true;
    return !judge_partial(j);
}

bool judge_visible(const struct judge *j, const struct field *f)
{
    return judge_partial(j) || judge_holds(j, &f->visible_when);
}

const json_t *judge_value(const struct judge *j, const char *id)
{
    const struct field *f = family_field(j->f, id);
    const json_t *v = json_object_get(j->vals, id);
    return form_present(v) && (!f || judge_visible(j, f)) ? v : NULL;
}

/* The loader has refused conditions in a circle, so this ends. */
bool judge_holds(const struct judge *j, const struct conditions *k)
{
    for (size_t i = 0; i < k->n; i++)
        if (!condition_accepts(&k->v[i], judge_value(j, k->v[i].field)))
            return false;
    return true;
}

bool form_holds(const struct conditions *c, const json_t *entries)
{
    for (size_t i = 0; i < c->n; i++) {
        const json_t *v = json_object_get(entries, c->v[i].field);
        if (!condition_accepts(&c->v[i], form_present(v) ? v : NULL))
            return false;
    }
    return true;
}

bool judge_id_checked(const struct judge *j, const struct field *f)
{
    return f->type == FIELD_ID_NUMBER || (f->type == FIELD_TEXT && f->id_number_when.n > 0 && judge_holds(j, &f->id_number_when));
}

/* ---- normal form ---- */

static json_t *normal_text(const json_t *v, enum text_kind kind)
{
    struct buf b;
    buf_init(&b, 0);
    text_normalise(&b, (struct bytes){ (const uint8_t *)json_string_value(v), json_string_length(v) }, kind);
    json_t *out = json_stringn_nocheck(buf_text(&b), b.n);
    buf_clear(&b);
    return out;
}

static json_t *normal_value(const struct field *f, const json_t *v, bool id_checked)
{
    enum text_kind kind = TEXT_PLAIN;
    if (!json_is_string(v) || f->type == FIELD_ENUM)
        return json_incref((json_t *)v);
    if (id_checked)
        kind = TEXT_ID;
    else if (f->type == FIELD_PHONE)
        kind = TEXT_PHONE;
    else if (f->type == FIELD_DATE)
        kind = TEXT_DATE;
    else if (f->type == FIELD_ADDRESS)
        kind = TEXT_ADDRESS;
    else if (f->pattern)
        kind = f->pattern->person_name ? TEXT_NAME : f->pattern->upper ? TEXT_NUMBER : TEXT_HALF;
    return normal_text(v, kind);
}

static const struct field *find_field(const struct field *v, size_t n, const char *id, size_t id_len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(v[i].id) == id_len && memcmp(v[i].id, id, id_len) == 0)
            return &v[i];
    return NULL;
}

/* The name field that `key` gives the pinyin for, or NULL. */
static const struct field *pinyin_owner(const struct field *v, size_t n, const char *key)
{
    const size_t len = strlen(key), tail = sizeof PINYIN - 1;
    if (len <= tail || strcmp(key + len - tail, PINYIN) != 0)
        return NULL;
    const struct field *f = find_field(v, n, key, len - tail);
    return f && f->pattern && f->pattern->person_name ? f : NULL;
}

/* The name of something unknown goes into answers and logs only when it looks like a name. */
static void unknown(struct judge *j, const char *prefix, const char *key)
{
    char path[160];
    const bool tame = *key && strlen(key) <= 64 && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(key);
    snprintf(path, sizeof path, "%s%s", prefix, tame ? key : "?");
    form_find(j->out, j->c, path, "unknown", NULL, "", "", NULL, &j->failed);
}

static void keep(struct judge *j, json_t *into, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(into, key, value) < 0)
        j->failed = -1;
}

static json_t *normal_row(struct judge *j, const struct repeat *r, size_t row, const json_t *v)
{
    char prefix[96];
    const char *key;
    json_t *cell, *out = json_object();
    snprintf(prefix, sizeof prefix, "%s.%zu.", r->id, row);
    json_object_foreach((json_t *)v, key, cell) {
        const struct field *f = find_field(r->fields, r->n_fields, key, strlen(key));
        if (f)
            keep(j, out, key, normal_value(f, cell, f->type == FIELD_ID_NUMBER));
        else if (pinyin_owner(r->fields, r->n_fields, key))
            keep(j, out, key, json_is_string(cell) ? normal_text(cell, TEXT_PLAIN) : json_incref(cell));
        else
            unknown(j, prefix, key);
    }
    return out;
}

static json_t *normal_rows(struct judge *j, const struct repeat *r, const json_t *v)
{
    size_t i;
    json_t *row, *out;
    if (!json_is_array(v))
        return json_incref((json_t *)v);
    out = json_array();
    json_array_foreach(v, i, row)
        if (json_array_append_new(out, json_is_object(row) && i < r->max ? normal_row(j, r, i, row) : json_incref(row)) < 0)
            j->failed = -1;
    return out;
}

static void normalise_all(struct judge *j)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j->raw, key, v) {
        const struct field *f = family_field(j->f, key), *named = pinyin_owner(j->f->fields, j->f->n_fields, key);
        const struct repeat *r = family_repeat(j->f, key);
        if (!asked_for(j, named ? named->id : key))
            unknown(j, "", key);
        else if (f)
            keep(j, j->vals, key, normal_value(f, v, f->type == FIELD_ID_NUMBER || (f->id_number_when.n > 0 && form_holds(&f->id_number_when, j->raw))));
        else if (r)
            keep(j, j->vals, key, normal_rows(j, r, v));
        else if (named)
            keep(j, j->vals, key, json_is_string(v) ? normal_text(v, TEXT_PLAIN) : json_incref(v));
        else
            unknown(j, "", key);
    }
}

/* What need not be asked. One value can bring another into sight, so until nothing changes. */
static void fill_all(struct judge *j)
{
    bool changed = !judge_partial(j);
    while (changed) {
        changed = false;
        for (size_t i = 0; i < j->f->n_fields; i++) {
            const struct field *f = &j->f->fields[i];
            json_t *v = json_object_get(j->raw, f->id) || json_object_get(j->vals, f->id) || !judge_visible(j, f) ? NULL : judge_filled(j, f);
            if (v) {
                keep(j, j->vals, f->id, v);
                changed = j->failed == 0;
            }
        }
    }
}

/* ---- judging ---- */

static void find_at(struct judge *j, const char *path, const char *rule, const char *sentence, const char *ask, const char *label)
{
    const struct words w = { .ask = ask, .label = label };
    form_find(j->out, j->c, path, rule, sentence, "", "", &w, &j->failed);
}

static bool copied(const struct judge *j, const struct field *f)
{
    json_t *v = f->fill == FILL_FIELD ? judge_filled(j, f) : NULL;
    json_decref(v);
    return v != NULL;
}

/* U+3013 in a name wants the pinyin of the character beside it; without one there is nothing to spell. A copy is spelt where it comes from. */
static void judge_pinyin(struct judge *j, const struct field *f, const char *prefix, const json_t *in, bool visible)
{
    char key[96], path[200];
    snprintf(key, sizeof key, "%s%s", f->id, PINYIN);
    snprintf(path, sizeof path, "%s%s", prefix, key);
    const json_t *name = json_object_get(in, f->id), *v = json_object_get(in, key);
    const char *s = json_string_value(name), *p = json_string_value(v);
    const bool wanted = visible && s && text_has_untypeable(bytes_of(s)) && !copied(j, f);
    if (!wanted && v)
        find_at(j, path, "hidden", NULL, "拼音", "拼音");
    else if (wanted && (!p || text_length(bytes_of(p)) > PINYIN_MAX || !text_is_pinyin(bytes_of(p))))
        find_at(j, path, "pinyin", NULL, NULL, NULL);
}

static bool is_required(const struct judge *j, const struct field *f)
{
    return judge_partial(j) || f->required || (f->required_when.n > 0 && judge_holds(j, &f->required_when));
}

/* Absent, blank, null, or a value to be judged. Blank and null are no answers: absent is how to leave a field open. */
static bool judge_presence(struct judge *j, const struct field *f, const char *path, const json_t *v, bool required)
{
    const bool choice = f->type == FIELD_ENUM || f->type == FIELD_BOOLEAN;
    if (json_is_null(v))
        return judge_one(j, f, path, v);
    if (form_present(v) || json_is_array(v))
        return judge_one(j, f, path, v);
    if (!required && !v)
        return true;
    find_at(j, path, "required", choice ? "required_choice" : NULL, f->ask, f->label);
    return false;
}

static void judge_field(struct judge *j, size_t i)
{
    const struct field *f = &j->f->fields[i];
    const json_t *v = json_object_get(j->vals, f->id);
    const bool visible = judge_visible(j, f);
    if (!asked_for(j, f->id))
        return;
    if (!visible && v) {
        find_at(j, f->id, "hidden", NULL, f->ask, f->label);
        j->bad[i] = true;
    } else if (visible) {
        j->bad[i] = !judge_presence(j, f, f->id, v, is_required(j, f));
    }
    if (f->pattern && f->pattern->person_name)
        judge_pinyin(j, f, "", j->vals, visible);
}

static void judge_row(struct judge *j, const struct repeat *r, size_t row, const json_t *v)
{
    char path[200], prefix[96];
    snprintf(prefix, sizeof prefix, "%s.%zu.", r->id, row);
    if (!json_is_object(v)) {
        snprintf(path, sizeof path, "%s.%zu", r->id, row);
        find_at(j, path, "type", NULL, r->label, r->label);
        return;
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        snprintf(path, sizeof path, "%s%s", prefix, f->id);
        judge_presence(j, f, path, json_object_get(v, f->id), f->required);
        if (f->pattern && f->pattern->person_name)
            judge_pinyin(j, f, prefix, v, true);
    }
}

static void judge_count(struct judge *j, const struct repeat *r, size_t n)
{
    char min[24], max[24], have[24];
    const bool must = judge_partial(j) || (r->required_when.n > 0 && judge_holds(j, &r->required_when));
    const size_t least = must && r->min == 0 ? 1 : r->min;
    snprintf(min, sizeof min, "%zu", least);
    snprintf(max, sizeof max, "%zu", r->max);
    snprintf(have, sizeof have, "%zu", n);
    const struct words w = { .ask = r->label, .label = r->label, .min = min, .max = max };
    if (n < least)
        form_find(j->out, j->c, r->id, "repeat_min", NULL, min, have, &w, &j->failed);
    else if (n > r->max)
        form_find(j->out, j->c, r->id, "repeat_max", NULL, max, have, &w, &j->failed);
}

static void judge_repeat(struct judge *j, const struct repeat *r)
{
    const json_t *v = json_object_get(j->vals, r->id);
    size_t i;
    json_t *row;
    if (!asked_for(j, r->id))
        return;
    if (!judge_partial(j) && !judge_holds(j, &r->visible_when)) {
        if (v)
            find_at(j, r->id, "hidden", NULL, r->label, r->label);
        return;
    }
    if (v && !json_is_array(v)) {
        find_at(j, r->id, "type", NULL, r->label, r->label);
        return;
    }
    judge_count(j, r, json_array_size(v));
    json_array_foreach(v, i, row)
        if (i < r->max)
            judge_row(j, r, i, row);
}

static void judge_all(struct judge *j)
{
    normalise_all(j);
    fill_all(j);
    for (size_t i = 0; i < j->f->n_fields; i++)
        judge_field(j, i);
    for (size_t i = 0; i < j->f->n_repeats; i++)
        judge_repeat(j, &j->f->repeats[i]);
    if (!judge_partial(j))
        judge_rules(j);
}

int form_check(struct form_report *out, const struct catalogue *c, const char *item, const json_t *entries,
               const struct form_context *ctx, struct err *e)
{
    const struct item *it = catalogue_item(c, item);
    memset(out, 0, sizeof *out);
    if (!it)
        return err_set(e, ERR_MISSING, "form: want a known item, have another");
    if (!json_is_object(entries))
        return err_set(e, ERR_INPUT, "form: want entries as an object");
    struct judge j = { .c = c, .it = it, .f = it->family, .ctx = ctx, .raw = entries, .out = out, .e = e };
    out->clean = j.vals = json_object();
    if (!j.vals)
        return err_set(e, ERR_INTERNAL, "form: no memory");
    judge_all(&j);
    return j.failed < 0 ? err_set(e, ERR_INTERNAL, "form: no memory") : 0;
}
