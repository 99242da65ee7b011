/* http_check.c - what civetweb lets through and we do not. Two readers of one request (nginx and we) must never disagree about where it
 * ends or which resource it names; so whatever has two readings is refused. */
#include <string.h>
#include <strings.h>

#include "common/http_parts.h"

#define PATH_MAX_BYTES 2048
#define LENGTH_DIGITS_MAX 12     /* a terabyte: far over any route's bound, far under overflow */

/* Headers that decide something here; two of them would be two opinions. */
static const char *const single[] = {
    "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Content-Encoding", "Expect", "X-CSRF-Token", "X-Requested-With", "X-Real-IP",
    "X-Proxy-Secret", "Idempotency-Key", "Authorization", "Content-Range", "Range", "If-None-Match", "If-Match", "Upload-Offset",
};

const char *head_value(const struct head *h, const char *name)
{
    for (int i = 0; i < h->nheaders; i++)
        if (strcasecmp(h->headers[i].name, name) == 0)
            return h->headers[i].value;
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Length of the dot at s, written as '.' or %2e; 0 if there is none. */
static size_t dot(const char *s)
{
    return s[0] == '.' ? 1 : s[0] == '%' && s[1] == '2' && (s[2] == 'e' || s[2] == 'E') ? 3 : 0;
}

static bool is_dot_segment(const char *s)
{
    size_t first = dot(s), second = first ? dot(s + first) : 0;
    return first && (s[first + second] == '/' || s[first + second] == 0);
}

int check_path(const char *path, struct err *e)
{
    if (path[0] != '/')
        return err_set(e, ERR_INPUT, "path: want a leading slash");
    if (strlen(path) > PATH_MAX_BYTES)
        return err_set(e, ERR_INPUT, "path: want at most %d bytes, have %zu", PATH_MAX_BYTES, strlen(path));
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c <= 0x20 || c >= 0x7f || strchr("\\\"<>^`{|}#", c))
            return err_set(e, ERR_INPUT, "path: byte 0x%02x at %td", c, p - path);
        if (c == '/' && is_dot_segment(p + 1))
            return err_set(e, ERR_INPUT, "path: dot segment at %td", p - path);
        if (c != '%')
            continue;
        int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);
        if (low < 0)
            return err_set(e, ERR_INPUT, "path: broken escape at %td", p - path);
        int v = high << 4 | low;
        if (v < 0x20 || v == 0x7f || v == '/' || v == '\\')
            return err_set(e, ERR_INPUT, "path: escape of 0x%02x at %td", (unsigned)v, p - path);
    }
    return 0;
}

static bool is_token(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *s))
            return false;
    return true;
}

static int check_headers(const struct head *h, struct err *e)
{
    for (int i = 0; i < h->nheaders; i++) {
        if (!is_token(h->headers[i].name))
            return err_set(e, ERR_INPUT, "header %d: name is not a token", i + 1);
        for (const char *v = h->headers[i].value; *v; v++)
            if ((unsigned char)*v < 0x20 || (unsigned char)*v == 0x7f)
                return err_set(e, ERR_INPUT, "header %d: control byte", i + 1);
    }
    for (size_t s = 0; s < sizeof single / sizeof single[0]; s++) {
        int n = 0;
        for (int i = 0; i < h->nheaders; i++)
            n += strcasecmp(h->headers[i].name, single[s]) == 0;
        if (n > 1)
            return err_set(e, ERR_INPUT, "header %s: want at most one, have %d", single[s], n);
    }
    return 0;
}

static int check_host(const struct head *h, struct err *e)
{
    const char *host = head_value(h, "Host");
    if (!host || !*host)
        return err_set(e, ERR_INPUT, "header Host: missing");
    if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") != strlen(host) || strlen(host) > 255)
        return err_set(e, ERR_INPUT, "header Host: not a host");
    return 0;
}

static int check_length(const struct head *h, struct framing *out, struct err *e)
{
    if (head_value(h, "Transfer-Encoding"))
        return err_set(e, ERR_INPUT, "header Transfer-Encoding: not taken, want Content-Length");
    const char *coding = head_value(h, "Content-Encoding");
    if (coding && strcasecmp(coding, "identity") != 0)
        return err_set(e, ERR_INPUT, "header Content-Encoding: not taken");
    const char *s = head_value(h, "Content-Length");
    out->length = -1;
    if (!s)
        return 0;
    size_t n = strlen(s);
    if (n == 0 || strspn(s, "0123456789") != n)
        return err_set(e, ERR_INPUT, "header Content-Length: want digits only");
    if (n > LENGTH_DIGITS_MAX)
        return err_set(e, ERR_INPUT, "header Content-Length: want at most %d digits, have %zu", LENGTH_DIGITS_MAX, n);
    int64_t v = 0;
    for (; *s; s++)
        v = v * 10 + (*s - '0');
    out->length = v;
    return 0;
}

int check_head(const struct head *h, struct framing *out, struct err *e)
{
    *out = (struct framing){.length = -1};
    if (strcmp(h->version, "1.1") != 0 && strcmp(h->version, "1.0") != 0)
        return err_set(e, ERR_INPUT, "version: want 1.1");
    if (check_path(h->path, e) < 0 || check_headers(h, e) < 0 || check_host(h, e) < 0 || check_length(h, out, e) < 0)
        return -1;
    const char *expect = head_value(h, "Expect"), *connection = head_value(h, "Connection");
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return err_set(e, ERR_INPUT, "header Expect: want 100-continue");
    out->expect = expect != NULL;
    out->close = strcmp(h->version, "1.0") == 0 || (connection && strcasecmp(connection, "keep-alive") != 0);
    return 0;
}

/* Behind a value that ended in CR LF stand two NULs; a bare LF leaves one. */
static bool ended_by_crlf(const char *end) { return end[0] == 0 && end[1] == 0; }

int check_layout(const struct mg_request_info *ri, struct err *e)
{
    const char *end = ri->http_version + strlen(ri->http_version);
    for (int i = 0; i < ri->num_headers; i++) {
        const struct mg_header *h = &ri->http_headers[i];
        if (!ended_by_crlf(end) || h->name != end + 2)
            return err_set(e, ERR_INPUT, "head: line %d does not end in one CR LF", i + 1);
        for (const char *p = h->name + strlen(h->name) + 1; p < h->value; p++)
            if (*p != ' ')
                return err_set(e, ERR_INPUT, "header %d: blank before the colon", i + 1);
        end = h->value + strlen(h->value);
    }
    /* The last line's CR LF, then the CR of the empty line, whose LF civetweb made a NUL. Anything else is a line that it dropped. */
    if (!ended_by_crlf(end) || end[2] != '\r' || end[3] != 0)
        return err_set(e, ERR_INPUT, "head: folded line, bare LF or more than %d headers", MG_MAX_HEADERS);
    return 0;
}
