/* catalogue.c - the rules as browsers read them; answers are made once per edition and carry its hash as ETag. */
#include <string.h>

#include "internet-side/service/configuration.h"
#include "internet-side/web/handlers.h"

/* 304 when the browser has this edition's answer already. */
static int send_tagged(struct request *rq, struct response *rs, const struct edition *d, struct bytes body)
{
    const char *have = request_header(rq, "If-None-Match");
    response_header(rs, "ETag", edition_tag(d));
    response_header(rs, "Cache-Control", "no-cache");
    if (have && strcmp(have, edition_tag(d)) == 0)
        return response_empty(rs, 304);
    return response_bytes(rs, 200, "application/json; charset=utf-8", body);
}

int web_catalogue(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    struct edition *d = configuration_current(c->configuration);
    const int rc = send_tagged(rq, rs, d, edition_index(d));
    edition_release(d);
    return rc;
}

int web_search_words(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    struct edition *d = configuration_current(c->configuration);
    const int rc = send_tagged(rq, rs, d, edition_search(d));
    edition_release(d);
    return rc;
}

int web_item(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    struct edition *d = configuration_current(c->configuration);
    const char *region = request_query(rq, "region");
    struct bytes body;
    struct err e = {0};
    int rc = edition_item(&body, d, request_path_arg(rq, "code"), region ? region : "", &e);
    rc = rc == 0 ? send_tagged(rq, rs, d, body) : response_error_zh(rs, rq, &e, "没有这项业务", NULL);
    edition_release(d);
    return rc;
}

static json_t *table_json(const struct code_table *t)
{
    json_t *values = json_array();
    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(values, json_pack("{s:s, s:s}", "code", t->values[i].code, "label", t->values[i].label));
    return json_pack("{s:s, s:o}", "id", t->id, "values", values);
}

int web_table(struct request *rq, struct response *rs, void *app)
{
    struct core *c = app;
    const char *id = request_query(rq, "id");
    struct edition *d = configuration_current(c->configuration);
    const struct code_table *t = id ? catalogue_table(edition_catalogue(d), id) : NULL;
    struct reply r = { .body = t ? table_json(t) : NULL };
    struct err e = {0};
    if (!id)
        reply_refuse(&r, &e, ERR_INPUT, "tables: id: want text, have none", "没有说要哪一张代码表");
    else if (!t)
        reply_refuse(&r, &e, ERR_MISSING, "tables: id: unknown", "没有这张代码表");
    edition_release(d);
    return web_send(rs, rq, 200, e.code ? -1 : 0, &r, &e);
}
