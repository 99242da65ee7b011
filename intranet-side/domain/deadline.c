#include "intranet-side/domain/deadline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DAYS = 600, MAX_YEARS = 40 };
struct calendar {
    struct date free[MAX_DAYS], working[MAX_DAYS];
    size_t n_free, n_working;
    int years[MAX_YEARS];                /* with a published arrangement */
    size_t n_years;
    int every[64];                       /* month * 100 + day */
    size_t n_every;
};

static int days_read(struct date *out, size_t *n, const char *name, const char *key, const json_t *json, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(json, key), i, v) {
        if (*n == MAX_DAYS || !json_is_string(v) || date_parse(&out[*n], json_string_value(v)) < 0)
            return err_set(e, ERR_INPUT, "%s: %s[%zu]: want a day such as 2026-10-01", name, key, i);
        ++*n;
    }
    return 0;
}

int calendar_parse(struct calendar **out, const char *name, const json_t *json, struct err *e)
{
    struct calendar *c = calloc(1, sizeof *c);
    size_t i;
    json_t *v;
    int rc = c ? 0 : err_set(e, ERR_INTERNAL, "%s: out of memory", name);
    *out = NULL;
    if (rc == 0)
        rc = days_read(c->free, &c->n_free, name, "free", json, e);
    if (rc == 0)
        rc = days_read(c->working, &c->n_working, name, "working", json, e);
    json_array_foreach(json_object_get(json, "years"), i, v)
        if (rc == 0 && c->n_years < MAX_YEARS)
            c->years[c->n_years++] = (int)json_integer_value(v);
    json_array_foreach(json_object_get(json, "every_year"), i, v) {
        int m = 0, d = 0;
        if (rc == 0 && (c->n_every == 64 || !json_is_string(v) || sscanf(json_string_value(v), "%2d-%2d", &m, &d) != 2))
            rc = err_set(e, ERR_INPUT, "%s: every_year[%zu]: want MM-DD", name, i);
        else if (rc == 0)
            c->every[c->n_every++] = m * 100 + d;
    }
    if (rc < 0) {
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void calendar_free(struct calendar *c)
{
    free(c);
}

/* Sakamoto's method. */
int date_weekday(struct date d)
{
    static const int t[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    int y = d.m < 3 ? d.y - 1 : d.y;
    return (y + y / 4 - y / 100 + y / 400 + t[d.m - 1] + d.d) % 7;
}

static bool among(const struct date *v, size_t n, struct date d)
{
    for (size_t i = 0; i < n; i++)
        if (date_compare(v[i], d) == 0)
            return true;
    return false;
}

bool calendar_knows(const struct calendar *c, int year)
{
    for (size_t i = 0; i < c->n_years; i++)
        if (c->years[i] == year)
            return true;
    return false;
}

bool calendar_is_working(const struct calendar *c, struct date d)
{
    if (among(c->working, c->n_working, d))
        return true;
    if (among(c->free, c->n_free, d))
        return false;
    for (size_t i = 0; !calendar_knows(c, d.y) && i < c->n_every; i++)
        if (c->every[i] == d.m * 100 + d.d)
            return false;
    int w = date_weekday(d);
    return w != 0 && w != 6;
}

struct date calendar_add(const struct calendar *c, struct date d, int n)
{
    while (n > 0) {
        d = date_add_days(d, 1);
        n -= calendar_is_working(c, d);
    }
    return d;
}

int calendar_between(const struct calendar *c, struct date from, struct date to)
{
    int n = 0;
    for (; date_compare(from, to) < 0; n += calendar_is_working(c, from))
        from = date_add_days(from, 1);
    for (; date_compare(from, to) > 0; from = date_add_days(from, -1))
        n -= calendar_is_working(c, from);
    return n;
}

void date_text(char out[11], struct date d)
{
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)d.y % 10000, (unsigned)d.m % 100, (unsigned)d.d % 100);
}

void date_words(char out[16], struct date d)
{
    snprintf(out, 16, "%u月%u日", (unsigned)d.m % 100, (unsigned)d.d % 100);
}
