/* http_router.c - the exact table of routes. A path is split at its slashes; a segment is a literal or {name}. Nothing is decoded:
 * an escape never matches, so there is one spelling of every path. */
#include <string.h>

#include "common/http_parts.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"};
#define NMETHODS (sizeof methods / sizeof methods[0])

static int method_index(const char *m)
{
    for (size_t i = 0; i < NMETHODS; i++)
        if (strcmp(m, methods[i]) == 0)
            return (int)i;
    return -1;
}

static size_t segment(const char *s) { return strcspn(s, "/"); }

/* 1..64 of [A-Za-z0-9_-]. */
static bool is_value(const char *s, size_t n)
{
    if (n == 0 || n > 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool is_param(const char *s, size_t n) { return n > 2 && s[0] == '{' && s[n - 1] == '}'; }

static bool matches(const char *pattern, const char *path, struct route_match *m)
{
    size_t nargs = 0;
    for (;;) {
        if (*pattern != '/' || *path != '/')
            return false;
        pattern++, path++;
        size_t a = segment(pattern), b = segment(path);
        if (is_param(pattern, a)) {
            if (!is_value(path, b) || nargs == ROUTE_ARGS_MAX)
                return false;
            m->args[nargs++] = (struct route_arg){pattern + 1, path, a - 2, b};
        } else if (a != b || memcmp(pattern, path, a) != 0)
            return false;
        pattern += a, path += b;
        if (!*pattern && !*path) {
            m->nargs = nargs;
            return true;
        }
    }
}

/* Of two patterns that match one path, the one that is literal where they first differ. */
static bool closer(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        a++, b++;
        size_t n = segment(a), k = segment(b);
        if (is_param(a, n) != is_param(b, k))
            return is_param(b, k);
        a += n, b += k;
    }
    return false;
}

static void write_allow(char out[ALLOW_CAP], unsigned mask)
{
    if (mask & 1u)
        mask |= 2u;              /* GET serves HEAD */
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < NMETHODS; i++)
        if (mask & 1u << i && str_fmt(out + n, ALLOW_CAP - n, NULL, "%s%s", n ? ", " : "", methods[i]) == 0)
            n += strlen(out + n);
}

bool router_find(const struct route *routes, size_t n, const char *method, const char *path, struct route_match *m)
{
    struct route_match one, best = {0};
    unsigned mask = 0;
    bool exact = false;
    for (size_t i = 0; i < n; i++) {
        if (!matches(routes[i].path, path, &one))
            continue;
        mask |= 1u << method_index(routes[i].method);
        bool same = strcmp(method, routes[i].method) == 0;
        bool head = strcmp(method, "HEAD") == 0 && strcmp(routes[i].method, "GET") == 0;
        if (!same && !(head && !exact))
            continue;
        if (best.route && exact == same && !closer(routes[i].path, best.route->path))
            continue;
        exact = same;
        best = one;
        best.route = &routes[i];
    }
    *m = best;
    write_allow(m->allow, mask);
    return m->route != NULL;
}

static int pattern_check(const char *p, struct err *e)
{
    size_t nsegments = 0, nargs = 0;
    for (const char *s = p; *s; nsegments++) {
        if (*s != '/')
            return err_set(e, ERR_INPUT, "route %s: want a slash at %td", p, s - p);
        size_t n = segment(++s);
        bool param = is_param(s, n);
        nargs += param;
        if (n && !(param ? is_value(s + 1, n - 2) : strcspn(s, "{}%") >= n))
            return err_set(e, ERR_INPUT, "route %s: bad segment at %td", p, s - p);
        if (n == 0 && s[0] == '/')
            return err_set(e, ERR_INPUT, "route %s: empty segment", p);
        s += n;
    }
    if (nsegments == 0 || nsegments > ROUTE_SEGMENTS_MAX || nargs > ROUTE_ARGS_MAX)
        return err_set(e, ERR_INPUT, "route %s: want 1..%d segments, at most %d of them named", p, ROUTE_SEGMENTS_MAX, ROUTE_ARGS_MAX);
    return 0;
}

/* Alike but for the names in braces. */
static bool same_shape(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        a++, b++;
        size_t n = segment(a), k = segment(b);
        bool pa = is_param(a, n), pb = is_param(b, k);
        if (pa != pb || (!pa && (n != k || memcmp(a, b, n) != 0)))
            return false;
        a += n, b += k;
    }
    return *a == *b;
}

int router_check(const struct route *routes, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const struct route *r = &routes[i];
        if (method_index(r->method) < 0)
            return err_set(e, ERR_INPUT, "route %s: unknown method %s", r->path, r->method);
        if (pattern_check(r->path, e) < 0)
            return -1;
        if (!r->handler || (r->body == BODY_NONE) != (r->body_max == 0))
            return err_set(e, ERR_INPUT, "route %s %s: want a handler, and a body bound exactly where there is a body", r->method, r->path);
        for (size_t k = 0; k < i; k++)
            if (strcmp(r->method, routes[k].method) == 0 && same_shape(r->path, routes[k].path))
                return err_set(e, ERR_CONFLICT, "route %s %s: is there twice", r->method, r->path);
    }
    return 0;
}
