/* catalogue_section.c - how long a screen can get: the most fields of a section that are asked at once. */
#include <string.h>

#include "common/catalogue_parts.h"

#define MAX_CONTROLS 8
#define MAX_TRIES 200000

/* The fields that decide what the section shows, and the values tried for each. */
struct controls {
    const struct family *f;
    const char *item;
    const struct field *field[MAX_CONTROLS];
    json_t *tries[MAX_CONTROLS];          /* values that make a difference */
    const json_t *now[MAX_CONTROLS];
    size_t n;
    bool many;                            /* more than we enumerate: every field counts */
};

static void add_values(json_t *tries, const json_t *values)
{
    size_t i, k;
    json_t *v, *t;
    json_array_foreach(values, i, v) {
        bool have = false;
        json_array_foreach(tries, k, t)
            have = have || json_equal(t, v);
        if (!have)
            json_array_append(tries, v);
    }
}

static size_t control_of(const struct controls *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->field[i]->id, id) == 0)
            return i;
    return MAX_CONTROLS;
}

/* Add what decides about `field`, and what decides about that. */
static void add_controls(struct controls *c, const struct field *field, size_t depth)
{
    for (size_t i = 0; i < field->visible_when.n && depth < MAX_CONTROLS; i++) {
        const struct condition *k = &field->visible_when.v[i];
        const struct field *by = family_field(c->f, k->field);
        size_t at = by ? control_of(c, by->id) : MAX_CONTROLS;
        if (!by)
            continue;
        if (at == MAX_CONTROLS) {
            if (c->n == MAX_CONTROLS) {
                c->many = true;
                return;
            }
            at = c->n++;
            c->field[at] = by;
            c->tries[at] = json_array();
            add_controls(c, by, depth + 1);
        }
        add_values(c->tries[at], k->values);
    }
}

/* An item's presets leave only their values; otherwise "some other value" is a possibility too. */
static void settle_tries(struct controls *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const json_t *preset = family_preset(c->f, c->item, c->field[i]->id);
        if (preset) {
            json_array_clear(c->tries[i]);
            add_values(c->tries[i], preset);
        } else {
            json_array_append_new(c->tries[i], json_string("\x01"));
        }
    }
}

static bool shown(const struct controls *c, const struct field *field, size_t depth)
{
    for (size_t i = 0; i < field->visible_when.n && depth < MAX_CONTROLS; i++) {
        const struct condition *k = &field->visible_when.v[i];
        const size_t at = control_of(c, k->field);
        if (at < c->n && (!condition_accepts(k, c->now[at]) || !shown(c, c->field[at], depth + 1)))
            return false;
    }
    return true;
}

static bool asked(const struct family *f, const struct field *field, const char *item)
{
    const bool filled = field->fill != FILL_NONE && field->fill != FILL_REGISTER && field->fill_when.n == 0 && !field->fill_map;
    return !filled && json_array_size(family_preset(f, item, field->id)) != 1;
}

static size_t count(const struct controls *c, const struct field **fields, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        if (c->many || shown(c, fields[i], 0))
            most++;
    return most;
}

static size_t try_all(struct controls *c, size_t at, const struct field **fields, size_t n)
{
    size_t most = 0, i;
    json_t *v;
    if (at == c->n)
        return count(c, fields, n);
    json_array_foreach(c->tries[at], i, v) {
        c->now[at] = v;
        const size_t m = try_all(c, at + 1, fields, n);
        most = m > most ? m : most;
    }
    return most;
}

size_t section_asked(const struct family *f, const struct section *s, const char *item)
{
    const struct field *fields[64];
    struct controls c = { .f = f, .item = item };
    size_t n = 0, i, product = 1;
    json_t *id;
    json_array_foreach(json_object_get(s->json, "fields"), i, id) {
        const struct field *field = family_field(f, json_string_value(id));
        if (field && n < 64 && asked(f, field, item))
            fields[n++] = field;
    }
    for (i = 0; i < n; i++)
        add_controls(&c, fields[i], 0);
    settle_tries(&c);
    for (i = 0; i < c.n; i++)
        product = product > MAX_TRIES ? product : product * json_array_size(c.tries[i]);
    c.many = c.many || product > MAX_TRIES;
    const size_t most = c.many ? count(&c, fields, n) : try_all(&c, 0, fields, n);
    for (i = 0; i < c.n; i++)
        json_decref(c.tries[i]);
    return most;
}
