#include "internet-side/domain/public_state.h"

#include <stdio.h>
#include <string.h>

#include "common/bytes.h"

const json_t *public_state_find(const json_t *part, const char *key)
{
    size_t i;
    const json_t *s;
    json_array_foreach(json_object_get(part, "states"), i, s) {
        const char *have = json_string_value(json_object_get(s, "key"));
        if (have && strcmp(have, key) == 0)
            return s;
    }
    return NULL;
}

/* Fill "{name}" from values; false when one has no value or the text is malformed. */
static bool fill(struct buf *out, const char *text, const json_t *values)
{
    char name[48];
    for (const char *p = text; *p;) {
        const char *open = strchr(p, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buf_str(out, p);
            return !open;
        }
        const size_t n = (size_t)(close - open - 1);
        if (n == 0 || n >= sizeof name)
            return false;
        memcpy(name, open + 1, n);
        name[n] = 0;
        const char *value = json_string_value(json_object_get(values, name));
        if (!value || !*value)
            return false;
        buf_put(out, p, (size_t)(open - p));
        buf_str(out, value);
        p = close + 1;
    }
    return true;
}

static json_t *filled(const char *text, const json_t *values)
{
    struct buf b;
    buf_init(&b, 8192);
    json_t *out = text && fill(&b, text, values) && !b.bad ? json_string(buf_text(&b)) : NULL;
    buf_clear(&b);
    return out;
}

static json_t *sentence_of(const json_t *state, const json_t *values, const char *variant)
{
    const json_t *variants = json_object_get(state, "variants"), *v;
    const char *key;
    json_t *out = *variant ? filled(json_string_value(json_object_get(variants, variant)), values) : NULL;
    if (!out)
        out = filled(json_string_value(json_object_get(state, "sentence")), values);
    if (out)
        return out;
    /* Only variants that exist for want of a value may stand in; `mailed` or `slow` would claim something. */
    json_object_foreach((json_t *)variants, key, v)
        if (!out && (strncmp(key, "no_", 3) == 0 || strcmp(key, "nothing") == 0))
            out = filled(json_string_value(v), values);
    return out ? out : json_incref(json_object_get(state, "tag"));
}

/* "not_in" of a button: the sentences beside which it makes no sense. */
static bool excluded(const json_t *button, const char *variant)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_object_get(button, "not_in"), i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), variant) == 0)
            return true;
    return false;
}

static bool button_shown(const json_t *button, const char *variant, bool withdrawable)
{
    static const char *const known[] = { "fix", "withdraw", "mend", "again", "originals", "unit" };
    const char *action = json_string_value(json_object_get(button, "action"));
    if (!action || json_object_get(button, "feature") || excluded(button, variant))
        return false;
    if (strcmp(action, "withdraw") == 0)
        return withdrawable;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], action) == 0)
            return true;
    return false;
}

static json_t *buttons_of(const json_t *state, const json_t *values, const char *variant, bool withdrawable)
{
    json_t *out = json_array();
    size_t i;
    const json_t *b;
    json_array_foreach(json_object_get(state, "buttons"), i, b) {
        json_t *label = button_shown(b, variant, withdrawable) ? filled(json_string_value(json_object_get(b, "label")), values) : NULL;
        if (label)
            json_array_append_new(out, json_pack("{s:O, s:o}", "action", json_object_get(b, "action"), "label", label));
    }
    return out;
}

json_t *public_state_json(const json_t *part, const char *key, const json_t *values, const char *variant, bool withdrawable)
{
    const json_t *state = public_state_find(part, key);
    if (!state)
        return NULL;
    return json_pack("{s:s, s:O, s:O, s:O, s:o, s:o}", "key", key, "icon", json_object_get(state, "icon"), "tag",
                     json_object_get(state, "tag"), "tone", json_object_get(state, "tone"), "sentence",
                     sentence_of(state, values, variant), "buttons", buttons_of(state, values, variant, withdrawable));
}

const char *public_state_turn(const json_t *part, const char *key)
{
    const char *turn = json_string_value(json_object_get(public_state_find(part, key), "turn"));
    return turn ? turn : "none";
}

bool public_state_withdrawable(const json_t *part, const char *key)
{
    size_t i;
    const json_t *b;
    json_array_foreach(json_object_get(public_state_find(part, key), "buttons"), i, b) {
        const char *action = json_string_value(json_object_get(b, "action"));
        if (action && strcmp(action, "withdraw") == 0)
            return true;
    }
    return false;
}

void public_date(char out[32], struct date d)
{
    snprintf(out, 32, "%d月%d日", d.m, d.d);
}
