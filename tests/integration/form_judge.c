/* form_judge.c - the services' judge of forms over a pipe, for the browser's to be compared with.
 *
 *   form_judge SCHEMAS TODAY        a line each:  item CODE -> what GET /api/catalogue/items/{code} answers
 *                                                 judge CODE ENTRIES -> {"findings": [[field, rule, want, have, message]], "clean": …}, or {"error": …} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue.h"
#include "common/form.h"

enum { LINE_CAP = 1 << 20 };

static void print(json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    puts(text ? text : "null");
    fflush(stdout);
    free(text);
    json_decref(v);
}

static json_t *judged(const struct catalogue *c, const char *code, const char *text, struct date today)
{
    const struct form_context ctx = {.today = today};
    struct form_report r = {0};
    struct err e = {0};
    json_t *entries = NULL, *list = json_array();
    int rc = form_parse(&entries, bytes_of(text), &e);
    if (rc == 0)
        rc = form_check(&r, c, code, entries, &ctx, &e);
    for (size_t i = 0; rc == 0 && i < r.n; i++)
        json_array_append_new(list, json_pack("[s,s,s,s,s]", r.v[i].field, r.v[i].rule, r.v[i].want, r.v[i].have, r.v[i].message));
    json_t *out = rc == 0 ? json_pack("{s:o, s:O}", "findings", list, "clean", r.clean) : json_pack("{s:s}", "error", e.msg);
    if (rc < 0)
        json_decref(list);
    form_report_clear(&r);
    json_decref(entries);
    return out;
}

int main(int argc, char **argv)
{
    struct catalogue *c = NULL;
    struct err e = {0};
    struct date today;
    char *line = malloc(LINE_CAP);
    if (!line || argc != 3 || date_parse(&today, argv[2]) < 0 || catalogue_load_dir(&c, argv[1], &e) < 0) {
        fprintf(stderr, "usage: form_judge SCHEMAS TODAY; %s\n", e.msg);
        return 2;
    }
    while (fgets(line, LINE_CAP, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *code = strchr(line, ' '), *rest = code ? strchr(code + 1, ' ') : NULL;
        if (code)
            *code++ = '\0';
        if (rest)
            *rest++ = '\0';
        if (code && !rest && strcmp(line, "item") == 0)
            print(catalogue_item_json(c, code, ""));
        else if (rest && strcmp(line, "judge") == 0)
            print(judged(c, code, rest, today));
        else
            puts("null");
    }
    catalogue_unref(c);
    free(line);
    return 0;
}
