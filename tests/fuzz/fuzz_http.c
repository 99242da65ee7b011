/* Bytes as a request head: layout as civetweb leaves it, framing, route, query. Beyond "does not crash" it holds the results to what they
 * promise: an accepted path has no control byte or dot segment, an argument of a route is 1..64 harmless characters, a query repeats no name. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/file.h"
#include "common/http_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nothing(struct request *rq, struct response *rs, void *app)
{
    (void)rq;
    (void)rs;
    (void)app;
    return 0;
}

static const struct route routes[] = {
    {.method = "GET", .path = "/api/cases/{no}", .handler = nothing}, {.method = "GET", .path = "/api/cases/mine", .handler = nothing},
    {.method = "GET", .path = "/api/{a}/{b}/{c}/{d}", .handler = nothing}, {.method = "POST", .path = "/api/cases/{no}/pages/{id}", .handler = nothing},
    {.method = "PUT", .path = "/", .handler = nothing},
};

static void must(bool held, const char *what)
{
    if (!held) {
        fprintf(stderr, "broken promise: %s\n", what);
        abort();
    }
}

/* One "name: value" line, ended in place. */
static bool take_header(char *line, struct mg_header *h)
{
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon++ = 0;
    colon += strspn(colon, " \t");
    *h = (struct mg_header){line, colon};
    return true;
}

/* First line: method, target, version; then headers. */
static bool split(char *text, struct head *h, struct mg_header headers[MG_MAX_HEADERS])
{
    char *line = strsep(&text, "\n");
    h->method = strsep(&line, " ");
    h->path = line ? strsep(&line, " ") : NULL;
    h->version = line;
    h->headers = headers;
    if (!h->path || !h->version)
        return false;
    char *query = strchr(h->path, '?');
    if (query)
        *query++ = 0;
    h->query = query;
    while (text && *text && h->nheaders < MG_MAX_HEADERS)
        if (take_header(strsep(&text, "\n"), &headers[h->nheaders]))
            h->nheaders++;
    return true;
}

static void check_route(const struct head *h)
{
    struct route_match m;
    if (!router_find(routes, sizeof routes / sizeof routes[0], h->method, h->path, &m))
        return;
    for (size_t i = 0; i < m.nargs; i++) {
        must(m.args[i].value_n >= 1 && m.args[i].value_n <= 64, "length of an argument");
        for (size_t k = 0; k < m.args[i].value_n; k++)
            must(m.args[i].value[k] != '/' && m.args[i].value[k] != '%' && m.args[i].value[k] != '.', "character of an argument");
    }
    must(strstr(m.allow, m.route->method) != NULL, "the method that was found is allowed");
    if (strcmp(h->path, "/api/cases/mine") == 0 && strcmp(h->method, "GET") == 0)
        must(m.route == &routes[1], "a literal goes before an argument");
}

static void check_accepted(const struct head *h, const struct framing *f)
{
    must(h->path[0] == '/' && !strstr(h->path, "/../") && !strstr(h->path, "%00"), "path");
    must(f->length >= -1 && f->length <= 999999999999, "length");
    int hosts = 0, lengths = 0;
    for (int i = 0; i < h->nheaders; i++) {
        hosts += strcasecmp(h->headers[i].name, "host") == 0;
        lengths += strcasecmp(h->headers[i].name, "content-length") == 0;
        must(strcasecmp(h->headers[i].name, "transfer-encoding") != 0, "no transfer encoding");
    }
    must(hosts == 1 && lengths == (f->length >= 0), "one host, at most one length");
}

static void check_query(const char *query)
{
    struct query q;
    char *copy = strdup(query);
    if (copy && query_parse(&q, copy, NULL) == 0)
        for (size_t i = 0; i < q.n; i++)
            for (size_t k = 0; k < i; k++)
                must(strcmp(q.args[i].name, q.args[k].name) != 0, "no name twice");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mg_header headers[MG_MAX_HEADERS];
    struct head h = {0};
    struct framing f;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (split(text, &h, headers)) {
        check_route(&h);
        if (h.query)
            check_query(h.query);
        if (check_head(&h, &f, NULL) == 0)
            check_accepted(&h, &f);
    }
    free(text);
    return 0;
}

#ifdef REPLAY
/* Every file of the folder in argv[1], once. */
int main(int argc, char **argv)
{
    struct dirent **list = NULL;
    const int n = argc == 2 ? scandir(argv[1], &list, NULL, alphasort) : -1;
    int ran = 0;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct buf b;
        buf_init(&b, 0);
        snprintf(path, sizeof path, "%s/%s", argv[1], list[i]->d_name);
        if (list[i]->d_name[0] != '.' && file_read_path(&b, path, 1u << 20, NULL) == 0)
            ran += LLVMFuzzerTestOneInput(b.p ? b.p : (const uint8_t *)"", b.n) == 0;
        buf_clear(&b);
        free(list[i]);
    }
    free(list);
    printf("%d inputs replayed\n", ran);
    return ran > 0 ? 0 : 1;
}
#endif
