/* tree.h - a JSON document changed in many places, as the bytes of the input say: five bytes a change (where, what, from where). So that a document of
 * 100 KB is mutated where it hurts, and not in its quotes. */
#ifndef TESTS_FUZZ_TREE_H
#define TESTS_FUZZ_TREE_H

#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TREE_MOST = 60000, TREE_CHANGES = 12 };
struct tree_slot { json_t *in; const char *key; size_t i; };          /* member of an object or of an array */
struct tree { struct tree_slot *v; size_t n; };

static void tree_walk(struct tree *t, json_t *o)
{
    const char *key;
    size_t i;
    json_t *v;
    json_object_foreach(o, key, v) {
        if (t->n < TREE_MOST)
            t->v[t->n++] = (struct tree_slot){o, key, 0};
        tree_walk(t, v);
    }
    json_array_foreach(o, i, v) {
        if (t->n < TREE_MOST)
            t->v[t->n++] = (struct tree_slot){o, NULL, i};
        tree_walk(t, v);
    }
}

static json_t *tree_at(const struct tree_slot *s)
{
    return s->key ? json_object_get(s->in, s->key) : json_array_get(s->in, s->i);
}

static void tree_put(const struct tree_slot *s, json_t *v)
{
    if (!v)
        return;
    if (s->key)
        json_object_set_new(s->in, s->key, v);
    else
        json_array_set_new(s->in, s->i, v);
}

/* Values that are at home nowhere. */
static json_t *tree_odd(uint8_t b)
{
    static const char *const texts[] = {"", " ", "0", "1", "today", "-150y", "+30d", "1900-01-01", "2026-02-30", "9999-12-31", "{", "{child_name}", "}{", "HJ001", "HJ999", "@elem",
        "\xe5\xbc\xa0\xe4\xb8\x89", "\xf0\xa0\x80\x80", "\xe2\x80\xae", "34079919900101122X", "34079919900101123X", "13905620001", "a", "[", "(((((((((((((((((((((", "^(a{1,9}){1,9}$",
        "identity.name", "=1+1", "a/b/c", "answers.-1.label"};
    enum { N = sizeof texts / sizeof texts[0] };
    char longest[700];
    if (b < N)
        return json_string(texts[b]);
    switch (b - N) {
    case 0: return json_null();
    case 1: return json_true();
    case 2: return json_false();
    case 3: return json_integer(0);
    case 4: return json_integer(-1);
    case 5: return json_integer(INT64_MAX);
    case 6: return json_integer(INT64_MIN);
    case 7: return json_integer(50);
    case 8: return json_real(1e308);
    case 9: return json_array();
    case 10: return json_object();
    case 11: return json_pack("[s]", "a");
    case 12: return json_pack("[{}]");
    case 13: return json_pack("[[]]");
    case 14: return json_pack("{s:s}", "field", "a");
    }
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = "\xe5\xbc\xa0"[i % 3];
    const size_t n = 3 * (size_t)(b % 8 ? b : 230);
    longest[n < sizeof longest ? n : 690] = '\0';
    if (b % 2)
        longest[0] = longest[1] = longest[2] = 'x';
    return json_string(longest);
}


static void tree_change(const struct tree *t, const uint8_t *b)
{
    const struct tree_slot *to = &t->v[(b[0] | (size_t)b[1] << 8) % t->n], *from = &t->v[(b[3] | (size_t)b[4] << 8) % t->n];
    json_t *v = tree_at(to), *other = tree_at(from);
    char text[64];
    switch (b[2] % 8) {
    case 0:
        if (to->key)
            json_object_del(to->in, to->key);
        else
            json_array_remove(to->in, to->i);
        break;
    case 1: tree_put(to, tree_odd(b[3])); break;
    case 2: tree_put(to, json_deep_copy(other)); break;
    case 3:                                                            /* once more */
        if (json_is_array(v))
            json_array_append_new(v, json_deep_copy(json_array_get(v, b[3] % (json_array_size(v) + 1))));
        else if (to->key)
            json_object_set_new(to->in, from->key ? from->key : "odd", json_deep_copy(v));
        break;
    case 4:                                                            /* another key */
        snprintf(text, sizeof text, "%.50s%c", to->key ? to->key : "", 'a' + b[3] % 26);
        if (to->key)
            json_object_set(to->in, b[4] & 1 || !from->key ? text : from->key, v);
        break;
    case 5:
        if (json_is_string(v) && json_string_length(v)) {
            char *s = strdup(json_string_value(v));
            s[b[3] % strlen(s)] = (char)(b[4] % 94 + 33);
            tree_put(to, json_string(s));                              /* nothing, when it is no UTF-8 any more */
            free(s);
        }
        break;
    case 6: tree_put(to, json_integer((json_int_t)(int8_t)b[3] * (b[4] % 4 ? 1 : 100000))); break;
    case 7: {                                                          /* many of the same */
        for (int i = 0; json_is_array(v) && json_array_size(v) && i < 60; i++)
            json_array_append_new(v, json_deep_copy(json_array_get(v, 0)));
        break;
    }
    }
}

/* root: its own copy. The slots are gathered anew for each change: the one before may have taken them away. */
static void tree_changes(json_t *root, const uint8_t *data, size_t size)
{
    static struct tree_slot slots[TREE_MOST];
    for (size_t at = 0, k = 0; at + 5 <= size && k < TREE_CHANGES; at += 5, k++) {
        struct tree t = {slots, 0};
        tree_walk(&t, root);
        if (t.n == 0)
            return;
        tree_change(&t, data + at);
    }
}

#endif
