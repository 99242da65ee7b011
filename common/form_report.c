/* form_report.c - findings: what was wanted, what was found, and the sentence to read. */
#include <stdlib.h>
#include <string.h>

#include "common/form_parts.h"

static void expand(struct buf *b, const char *t, const struct words *w)
{
    const struct { const char *name, *value; } all[] = {
        { "{ask}", w->ask ? w->ask : w->label }, { "{label}", w->label }, { "{min}", w->min }, { "{max}", w->max },
        { "{pattern}", w->pattern }, { "{materials}", w->materials }, { "{material}", w->material },
    };
    while (*t) {
        size_t used = 0;
        for (size_t i = 0; !used && i < sizeof all / sizeof *all; i++)
            if (strncmp(t, all[i].name, strlen(all[i].name)) == 0) {
                buf_str(b, all[i].value ? all[i].value : "");
                used = strlen(all[i].name);
            }
        if (!used)
            buf_put(b, t, used = 1);
        t += used;
    }
}

static bool room(struct form_report *out)
{
    if (out->n < out->have_room)
        return true;
    const size_t more = out->have_room ? out->have_room * 2 : 8;
    struct form_finding *v = realloc(out->v, more * sizeof *v);
    if (!v)
        return false;
    out->v = v;
    out->have_room = more;
    return true;
}

static void finding_clear(struct form_finding *f)
{
    free(f->field);
    free(f->rule);
    free(f->want);
    free(f->have);
    free(f->message);
}

void form_say(struct form_report *out, const char *field, const char *rule, const char *wanted, const char *have, const char *message, int *failed)
{
    struct form_finding f = { strdup(field), strdup(rule), strdup(wanted ? wanted : ""), strdup(have ? have : ""), strdup(message) };
    if (!f.field || !f.rule || !f.want || !f.have || !f.message || !room(out)) {
        finding_clear(&f);
        *failed = -1;
        return;
    }
    out->v[out->n++] = f;
}

void form_find(struct form_report *out, const struct catalogue *c, const char *field, const char *rule, const char *sentence,
               const char *wanted, const char *have, const struct words *w, int *failed)
{
    static const struct words none;
    struct buf b;
    const char *t = catalogue_sentence(c, sentence ? sentence : rule);
    buf_init(&b, 4096);
    expand(&b, t ? t : "", w ? w : &none);
    form_say(out, field, rule, wanted, have, buf_text(&b), failed);
    buf_clear(&b);
}

void form_report_clear(struct form_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        finding_clear(&r->v[i]);
    free(r->v);
    json_decref(r->clean);
    memset(r, 0, sizeof *r);
}

json_t *form_report_json(const struct form_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < r->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "field", r->v[i].field, "rule", r->v[i].rule, "want", r->v[i].want,
                                              "have", r->v[i].have, "message", r->v[i].message));
    return list;
}
