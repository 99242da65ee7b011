#include "intranet-side/domain/rules.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/text.h"
#include "intranet-side/domain/effect.h"

static json_t *load(const char *dir, const char *file, struct err *e)
{
    char path[1024];
    json_error_t je;
    if (str_fmt(path, sizeof path, e, "%s/%s", dir, file) < 0)
        return NULL;
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (j == NULL)
        err_set(e, ERR_INPUT, "%s:%d: %s", path, je.line, je.text);
    return j;
}

static int effects_load(struct rules *r, const char *schema_dir, struct err *e)
{
    char dir[1024];
    struct dirent *d;
    int rc = 0;
    if (str_fmt(dir, sizeof dir, e, "%s/effects", schema_dir) < 0)
        return -1;
    DIR *f = opendir(dir);
    if (f == NULL)
        return err_sys(e, "read folder %s", dir);
    r->effects = json_object();
    while (rc == 0 && (d = readdir(f))) {
        size_t n = strlen(d->d_name);
        if (n <= 5 || strcmp(d->d_name + n - 5, ".json") != 0)
            continue;
        json_t *j = load(dir, d->d_name, e);
        const char *form = json_string_value(json_object_get(j, "form"));
        if (j == NULL)
            rc = -1;
        else if (form == NULL || strlen(form) != n - 5 || strncmp(form, d->d_name, n - 5) != 0)
            rc = err_set(e, ERR_INPUT, "%s/%s: form: want the file's name, have %s", dir, d->d_name, form ? form : "none");
        else if ((rc = effect_rule_check(j, form, e)) == 0)
            json_object_set(r->effects, form, j);
        json_decref(j);
    }
    closedir(f);
    return rc;
}

static int parts_load(struct rules *r, const char *dir, struct err *e)
{
    char flows[1024];
    json_t *words = NULL, *days = NULL, *select = NULL;
    int rc = -1;
    if ((r->public_states = load(dir, "messages/public-states.json", e)) && (r->sms = load(dir, "messages/sms.json", e)) &&
        (r->reasons = load(dir, "messages/reasons.json", e)) && (r->opinions = load(dir, "messages/opinions.json", e)) &&
        (words = load(dir, "messages/word-check.json", e)) && (days = load(dir, "calendar/holidays.json", e)) &&
        (select = load(dir, "workflows/selection.json", e)) &&
        str_fmt(flows, sizeof flows, e, "%s/workflows", dir) == 0) {
        struct wf_words known = {json_object_get(r->public_states, "states"), json_object_get(r->sms, "templates")};
        rc = wordcheck_parse(&r->words, "word-check.json", words, e) < 0 || calendar_parse(&r->calendar, "holidays.json", days, e) < 0 ||
                     workflow_set_load(&r->flows, flows, &known, e) < 0 ||
                     flow_select_parse(&r->select, "selection.json", select, r->flows, e) < 0 || effects_load(r, dir, e) < 0
                 ? -1
                 : 0;
    }
    json_decref(words);
    json_decref(days);
    json_decref(select);
    return rc;
}

int rules_load(struct rules **out, const char *schema_dir, struct err *e)
{
    struct rules *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return err_set(e, ERR_INTERNAL, "rules: out of memory");
    if (parts_load(r, schema_dir, e) < 0) {
        rules_free(r);
        return -1;
    }
    *out = r;
    return 0;
}

void rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    flow_select_free(r->select);
    workflow_set_free(r->flows);
    calendar_free(r->calendar);
    wordcheck_free(r->words);
    json_decref(r->public_states);
    json_decref(r->sms);
    json_decref(r->reasons);
    json_decref(r->opinions);
    json_decref(r->effects);
    free(r);
}

json_t *rules_refusals(const struct rules *r, const char *item, const char *family)
{
    const json_t *lists = json_object_get(r->reasons, "refusal");
    const char *const keys[] = {item, family ? family : "", "*"};
    json_t *out = json_array();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_array_extend(out, json_object_get(lists, keys[i]));
    return out;
}

static const json_t *by(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *v;
    json_array_foreach(array, i, v) {
        const char *s = json_string_value(json_object_get(v, key));
        if (s && strcmp(s, value) == 0)
            return v;
    }
    return NULL;
}

const json_t *rules_public_state(const struct rules *r, const char *key)
{
    return by(json_object_get(r->public_states, "states"), "key", key);
}

const char *rules_sms(const struct rules *r, const char *id)
{
    return json_string_value(json_object_get(by(json_object_get(r->sms, "templates"), "id", id), "text"));
}

/* Put the value of a placeholder; false when there is none. */
static bool put_value(struct buf *b, const char *name, size_t n, const json_t *values)
{
    char key[64];
    if (n >= sizeof key)
        return false;
    memcpy(key, name, n);
    key[n] = '\0';
    const json_t *v = json_object_get(values, key);
    if (json_is_integer(v))
        buf_fmt(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_string(v) && *json_string_value(v))
        buf_str(b, json_string_value(v));
    else
        return false;
    return true;
}

bool text_fill(char *out, size_t cap, const char *template, const json_t *values)
{
    struct buf b;
    bool whole = true;
    buf_init(&b, 1 << 16);
    for (const char *p = template; *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (end) {
            whole &= put_value(&b, p + 1, (size_t)(end - p - 1), values);
            p = end + 1;
        } else {
            buf_put(&b, p++, 1);
        }
    }
    if (b.n >= cap)
        whole = false;
    snprintf(out, cap, "%s", buf_text(&b));
    text_mend(out, '?');
    buf_clear(&b);
    return whole;
}

void rules_sentence(char *out, size_t cap, const json_t *state, const char *variant, const json_t *values)
{
    const json_t *variants = json_object_get(state, "variants");
    const char *named = variant ? json_string_value(json_object_get(variants, variant)) : NULL, *key;
    json_t *v;
    if (named && text_fill(out, cap, named, values))
        return;
    const char *main_text = json_string_value(json_object_get(state, "sentence"));
    if (main_text && text_fill(out, cap, main_text, values))
        return;
    json_object_foreach((json_t *)variants, key, v)
        if (json_is_string(v) && text_fill(out, cap, json_string_value(v), values))
            return;
}
