#include "intranet-side/domain/flow_select.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RULES = 40, MAX_WHEN = 8, ALL_WHERE = (1 << FLOW_WHERES) - 1 };
struct rule_row {
    struct flow_rule out;
    const char *flow;
    const json_t *business;              /* NULL: any */
    unsigned where;                      /* bits */
    struct condition when[MAX_WHEN];
    size_t n_when;
};
struct flow_select { struct rule_row v[MAX_RULES]; size_t n; json_t *json; };

static const char *const where_words[FLOW_WHERES] = {"city", "province", "outside"};

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static int where_read(struct rule_row *r, const json_t *list, const char *at, struct err *e)
{
    size_t i, k;
    json_t *v;
    r->where = list ? 0 : ALL_WHERE;
    json_array_foreach(list, i, v) {
        const char *word = json_is_string(v) ? json_string_value(v) : "?";
        for (k = 0; k < FLOW_WHERES && strcmp(where_words[k], word) != 0; k++)
            ;
        if (k == FLOW_WHERES)
            return err_set(e, ERR_INPUT, "%s: where: want city, province or outside, have %s", at, word);
        r->where |= 1u << k;
    }
    return r->where ? 0 : err_set(e, ERR_INPUT, "%s: where: want at least one place, have none", at);
}

static int when_read(struct rule_row *r, const json_t *list, const char *at, struct err *e)
{
    static const char *const ops[] = {"in", "not_in", "prefix"};
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        if (r->n_when == MAX_WHEN)
            return err_set(e, ERR_INPUT, "%s: when: want at most %d conditions", at, MAX_WHEN);
        struct condition *k = &r->when[r->n_when++];
        k->field = text(v, "field");
        for (int m = 0; m < 3; m++)
            if (json_object_get(v, ops[m])) {
                k->match = (enum match)m;
                k->values = json_object_get(v, ops[m]);
            }
        if (!*k->field || json_object_size(v) != 2 || json_array_size(k->values) == 0)
            return err_set(e, ERR_INPUT, "%s: when: want a field and one list in, not_in or prefix", at);
    }
    return 0;
}

static int rule_read(struct rule_row *r, json_t *o, const char *at, const struct workflow_set *flows, struct err *e)
{
    static const char *const known[] = {"flow", "business", "where", "when", "flow_type", "why"};
    const char *key;
    json_t *v;
    json_object_foreach(o, key, v) {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(known[i], key) != 0)
            i++;
        if (i == sizeof known / sizeof known[0])
            return err_set(e, ERR_INPUT, "%s: unknown key %s", at, key);
    }
    r->flow = text(o, "flow");
    r->out = (struct flow_rule){text(o, "flow_type"), text(o, "why")};
    r->business = json_object_get(o, "business");
    if (!*r->flow || !*r->out.flow_type || !*r->out.why)
        return err_set(e, ERR_INPUT, "%s: want flow, flow_type and why", at);
    if (r->business && json_array_size(r->business) == 0)
        return err_set(e, ERR_INPUT, "%s: business: want a list of kinds", at);
    if (where_read(r, json_object_get(o, "where"), at, e) < 0 || when_read(r, json_object_get(o, "when"), at, e) < 0)
        return -1;
    if (!workflow_pick(flows, "online", r->out.flow_type, "officer") || !workflow_pick(flows, "online", r->out.flow_type, "aux"))
        return err_set(e, ERR_INPUT, "%s: flow_type: want one with the variants officer and aux, have %s", at, r->out.flow_type);
    return 0;
}

/* A rule that holds for whatever an earlier one left over is never reached behind one that leaves nothing. */
static int reached(const struct flow_select *s, size_t at, const char *name, struct err *e)
{
    unsigned taken = 0;
    for (size_t i = 0; i < at; i++)
        if (strcmp(s->v[i].flow, s->v[at].flow) == 0 && s->v[i].business == NULL && s->v[i].n_when == 0)
            taken |= s->v[i].where;
    return s->v[at].where & ~taken ? 0 : err_set(e, ERR_INPUT, "%s: rule %zu: never reached behind an earlier one", name, at + 1);
}

int flow_select_parse(struct flow_select **out, const char *name, json_t *json, const struct workflow_set *flows, struct err *e)
{
    struct flow_select *s = calloc(1, sizeof *s);
    size_t i;
    json_t *v;
    char at[160];
    int rc = s ? 0 : err_set(e, ERR_INTERNAL, "%s: out of memory", name);
    *out = NULL;
    if (rc < 0)
        return -1;
    s->json = json_incref(json);
    if (!json_is_array(json_object_get(json, "rules")) || json_object_size(json) != 1 || json_array_size(json_object_get(json, "rules")) > MAX_RULES)
        rc = err_set(e, ERR_INPUT, "%s: want rules, a list of at most %d", name, MAX_RULES);
    json_array_foreach(json_object_get(json, "rules"), i, v) {
        snprintf(at, sizeof at, "%s: rule %zu", name, i + 1);
        if (rc == 0)
            rc = rule_read(&s->v[i], v, at, flows, e) < 0 || reached(s, i, name, e) < 0 ? -1 : 0;
        s->n++;
        if (rc < 0)
            break;
    }
    if (rc < 0) {
        flow_select_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void flow_select_free(struct flow_select *s)
{
    if (s == NULL)
        return;
    json_decref(s->json);
    free(s);
}

static bool of_business(const struct rule_row *r, const struct item *item)
{
    size_t i;
    json_t *v;
    if (r->business == NULL)
        return true;
    json_array_foreach(r->business, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), item->business) == 0)
            return true;
    return false;
}

static bool of_form(const struct rule_row *r, const json_t *entries)
{
    for (size_t i = 0; i < r->n_when; i++)
        if (!condition_accepts(&r->when[i], json_object_get(entries, r->when[i].field)))
            return false;
    return true;
}

const struct flow_rule *flow_select(const struct flow_select *s, const struct item *item, enum flow_where where, const json_t *entries)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct rule_row *r = &s->v[i];
        if (strcmp(r->flow, item->flow) == 0 && (r->where & (1u << where)) && of_business(r, item) && of_form(r, entries))
            return &r->out;
    }
    return NULL;
}

void flow_select_reasons(const struct flow_select *s, const char *flow_type, json_t *out)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].out.flow_type, flow_type) == 0)
            json_array_append_new(out, json_string(s->v[i].out.why));
}

int flow_select_covers(const struct flow_select *s, const struct catalogue *c, struct err *e)
{
    if (!json_is_string(catalogue_part(c, "city_region")) || !json_is_string(catalogue_part(c, "province_region")))
        return err_set(e, ERR_INPUT, "selection.json: the organisation names no city_region and province_region");
    for (size_t i = 0; i < catalogue_item_count(c); i++) {
        const struct item *item = catalogue_item_at(c, i);
        for (int w = 0; w < FLOW_WHERES; w++)
            if (flow_select(s, item, (enum flow_where)w, NULL) == NULL)       /* an empty form meets no condition: a rule without any must be there */
                return err_set(e, ERR_INPUT, "selection.json: item %s: flow %s: no rule for a household in %s", item->code, item->flow, where_words[w]);
    }
    return 0;
}

/* GB/T 2260 in pairs: 340700 holds what starts with 3407. */
static bool within(const char *region, const char *area)
{
    if (region == NULL || area == NULL)
        return false;
    size_t n = strlen(area);
    while (n > 2 && area[n - 1] == '0' && area[n - 2] == '0')
        n -= 2;
    return n >= 2 && strlen(region) >= n && strncmp(region, area, n) == 0;
}

enum flow_where flow_where(bool in_our_register, const char *region, const char *city_region, const char *province_region)
{
    if (in_our_register || within(region, city_region))
        return FLOW_CITY;
    return within(region, province_region) ? FLOW_PROVINCE : FLOW_OUTSIDE;
}
