/* main.c - the helper that alone may call out: libcurl between two frames. Bases come on the command line ("identity=http://127.0.0.1:9001");
 * a request names one of them and a path. No redirects, no proxies, no other protocols, no cookies, nothing on disk. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/caller_frame.h"
#include "common/child.h"

#define CONNECT_MS 3000L

struct base { const char *name, *url; size_t name_n; };
struct state {
    struct base bases[CALLER_BASES_MAX];
    size_t n;
    CURL *curl;
    struct curl_slist *headers;
};

static int take_base(struct state *s, const char *arg, struct err *e)
{
    const char *url = strchr(arg, '=');
    if (s->n == CALLER_BASES_MAX || !url || url == arg)
        return err_set(e, ERR_INPUT, "base %zu: want name=url", s->n + 1);
    struct base b = {arg, url + 1, (size_t)(url - arg)};
    size_t scheme = strncmp(b.url, "http://", 7) == 0 ? 7 : strncmp(b.url, "https://", 8) == 0 ? 8 : 0;
    if (!scheme || !b.url[scheme] || strpbrk(b.url, "@?# \\") || b.url[strlen(b.url) - 1] == '/')
        return err_set(e, ERR_INPUT, "base %.*s: want http(s)://host[:port][/prefix], no name, query or last slash", (int)b.name_n, b.name);
    s->bases[s->n++] = b;
    return 0;
}

static const struct base *find_base(const struct state *s, struct bytes name)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->bases[i].name_n == name.n && memcmp(s->bases[i].name, name.p, name.n) == 0)
            return &s->bases[i];
    return NULL;
}

/* Nothing in it may change host, climb out of the prefix or break the line. */
static bool path_valid(struct bytes path)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.?=&%~";
    if (path.n == 0 || path.n > CALLER_PATH_MAX || path.p[0] != '/')
        return false;
    for (size_t i = 0; i < path.n; i++)
        if (!path.p[i] || !strchr(allowed, path.p[i]) || (i && path.p[i] == '.' && path.p[i - 1] == '.'))
            return false;
    return true;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct buf *b = arg;
    buf_put(b, p, size * n);
    return b->bad ? 0 : size * n;      /* 0 ends the transfer: the answer is over its bound */
}

static void set_options(CURL *c, const struct state *s, const char *url, struct bytes json, long deadline_ms, struct buf *body)
{
    curl_easy_reset(c);                /* keeps connections */
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, deadline_ms);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, deadline_ms < CONNECT_MS ? deadline_ms : CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, json.p ? (const char *)json.p : "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.n);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
}

static int call(struct state *s, const char *url, struct bytes json, long deadline_ms, struct buf *answer, struct err *e)
{
    struct buf body;
    long status = 0;
    buf_init(&body, CALLER_ANSWER_MAX);
    set_options(s->curl, s, url, json, deadline_ms, &body);
    CURLcode rc = curl_easy_perform(s->curl);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK)
        err_set(e, ERR_UNAVAILABLE, "%s", curl_easy_strerror(rc));      /* its words, never the url or an answer */
    else if (status < 100 || status > 999)
        err_set(e, ERR_UNAVAILABLE, "status %ld", status);
    else {
        buf_u16(answer, (uint16_t)status);
        buf_put(answer, body.p, body.n);
    }
    buf_wipe(&body);
    return e->code ? -1 : 0;
}

static int handle(struct bytes request, struct buf *answer, void *arg, struct err *e)
{
    struct state *s = arg;
    struct cursor cur = {.in = request};
    struct buf url;
    uint32_t deadline_ms = cur_u32(&cur);
    struct bytes name = cur_take(&cur, cur_u8(&cur)), path = cur_take(&cur, cur_u16(&cur));
    const struct base *base = cur.bad ? NULL : find_base(s, name);
    if (cur.bad || !path_valid(path) || deadline_ms == 0 || deadline_ms > CALLER_DEADLINE_MAX_MS)
        return err_set(e, ERR_INPUT, "frame: deadline, base or path is not valid");
    if (!base)
        return err_set(e, ERR_UNAVAILABLE, "switched off");
    struct bytes json = {request.p + cur.at, request.n - cur.at};
    buf_init(&url, 0);
    buf_str(&url, base->url);
    buf_put(&url, path.p, path.n);
    int rc = buf_done(&url, "url", e);
    if (rc == 0)
        rc = call(s, buf_text(&url), json, (long)deadline_ms, answer, e);
    buf_wipe(&url);
    return rc;
}

int main(int argc, char **argv)
{
    static struct state s;
    struct err e = {0};
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 1; i < argc; i++)
        if (take_base(&s, argv[i], &e) < 0)
            return 2;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(s.curl = curl_easy_init()))
        return 1;
    s.headers = curl_slist_append(NULL, "Content-Type: application/json");
    s.headers = curl_slist_append(s.headers, "Accept: application/json");
    s.headers = curl_slist_append(s.headers, "Expect:");      /* no pause before the body */
    if (!s.headers)
        return 1;
    int rc = child_serve(handle, &s, CALLER_REQUEST_MAX + 2048);
    curl_slist_free_all(s.headers);
    curl_easy_cleanup(s.curl);
    curl_global_cleanup();
    return rc < 0;
}
