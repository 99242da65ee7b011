/* http_static.c - the built web app, read into memory at start: no request ever names a file of the disk.
 * "x.br" and "x.gz" beside "x" are its smaller forms. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/file.h"
#include "common/http_parts.h"
#include "common/log.h"

#define FILES_MAX 2000
#define FILE_CAP (32u << 20)
#define DEPTH_MAX 8

enum { FORM_BR, FORM_GZIP, FORM_PLAIN, FORM__COUNT };
static const char *const form_suffix[] = {".br", ".gz", ""};
static const char *const form_coding[] = {"br", "gzip", NULL};

struct static_file {
    char *path;                  /* "/assets/x.js" */
    struct buf form[FORM__COUNT];
    bool has[FORM__COUNT];
    char etag[FORM__COUNT][40];  /* quoted, of the form's own bytes */
};
struct static_files { struct static_file *all; size_t n; };

static const char *type_of(const char *path)
{
    static const struct { const char *ending, *type; } known[] = {
        {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"}, {".json", "application/json; charset=utf-8"}, {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"}, {".png", "image/png"}, {".jpg", "image/jpeg"}, {".webp", "image/webp"}, {".ico", "image/x-icon"},
        {".woff2", "font/woff2"}, {".woff", "font/woff"}, {".txt", "text/plain; charset=utf-8"}, {".wasm", "application/wasm"},
        {".pdf", "application/pdf"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(dot, known[i].ending) == 0)
            return known[i].type;
    return "application/octet-stream";
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct static_file *)a)->path, ((const struct static_file *)b)->path);
}

static struct static_file *find(const struct static_files *s, const char *path)
{
    struct static_file key = {.path = (char *)(uintptr_t)path};
    return s && s->n ? bsearch(&key, s->all, s->n, sizeof *s->all, by_path) : NULL;
}

/* --- reading the folder --- */

static int add_file(struct static_files *s, int dirfd, const char *name, const char *prefix, struct err *e)
{
    if (s->n == FILES_MAX)
        return err_set(e, ERR_TOO_LARGE, "static: over %d files", FILES_MAX);
    struct static_file *f = &s->all[s->n];
    *f = (struct static_file){0};
    if (asprintf(&f->path, "%s/%s", prefix, name) < 0) {
        f->path = NULL;
        return err_set(e, ERR_INTERNAL, "static: out of memory");
    }
    s->n++;
    if (file_read(&f->form[FORM_PLAIN], dirfd, name, FILE_CAP, e) < 0)
        return err_wrap(e, "static %s", f->path);
    f->has[FORM_PLAIN] = true;
    return 0;
}

static int add_folder(struct static_files *s, int dirfd, const char *prefix, int depth, struct err *e);

static int add_subfolder(struct static_files *s, int dirfd, const char *name, const char *prefix, int depth, struct err *e)
{
    char deeper[512];
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "static folder %s/%s", prefix, name);
    int rc = str_fmt(deeper, sizeof deeper, e, "%s/%s", prefix, name);
    if (rc == 0)
        rc = add_folder(s, fd, deeper, depth + 1, e);
    close(fd);
    return rc;
}

static int add_folder(struct static_files *s, int dirfd, const char *prefix, int depth, struct err *e)
{
    struct dir_entry *list = NULL;
    size_t n = 0;
    if (depth > DEPTH_MAX)
        return err_set(e, ERR_TOO_LARGE, "static: folders deeper than %d", DEPTH_MAX);
    if (folder_list(&list, &n, dirfd, FILES_MAX, e) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = list[i].regular ? add_file(s, dirfd, list[i].name, prefix, e) : add_subfolder(s, dirfd, list[i].name, prefix, depth, e);
    free(list);
    return rc;
}

/* Hand the bytes of "x.br" and "x.gz" to "x". They stay reachable under their own name as well. */
static void pair_forms(struct static_files *s)
{
    char name[600];
    for (size_t i = 0; i < s->n; i++)
        for (int form = 0; form < FORM_PLAIN; form++) {
            if (str_fmt(name, sizeof name, NULL, "%s%s", s->all[i].path, form_suffix[form]) < 0)
                continue;
            const struct static_file *smaller = find(s, name);
            if (!smaller)
                continue;
            buf_init(&s->all[i].form[form], FILE_CAP + 1);
            buf_put(&s->all[i].form[form], smaller->form[FORM_PLAIN].p, smaller->form[FORM_PLAIN].n);
            s->all[i].has[form] = !s->all[i].form[form].bad;
        }
}

static void tag_forms(struct static_file *f)
{
    for (int form = 0; form < FORM__COUNT; form++)
        if (f->has[form]) {
            struct hash256 h;
            char hex[33];
            hash_of(&h, buf_bytes(&f->form[form]));
            hex_put(hex, h.b, 16);
            str_fmt(f->etag[form], sizeof f->etag[form], NULL, "\"%s\"", hex);
        }
}

int static_load(struct static_files **out, const char *dir, struct err *e)
{
    int fd = -1;
    *out = NULL;
    if (!dir || access(dir, F_OK) < 0) {
        log_event(LOG_INFO, "static_none", "dir %s", dir ? dir : "");
        return 0;
    }
    struct static_files *s = calloc(1, sizeof *s);
    if (s)
        s->all = calloc(FILES_MAX, sizeof *s->all);
    if (!s || !s->all) {
        free(s);
        return err_set(e, ERR_INTERNAL, "static: out of memory");
    }
    if (folder_open(&fd, dir, 0, e) < 0 || add_folder(s, fd, "", 0, e) < 0) {
        if (fd >= 0)
            close(fd);
        static_free(s);
        return -1;
    }
    close(fd);
    qsort(s->all, s->n, sizeof *s->all, by_path);
    pair_forms(s);
    for (size_t i = 0; i < s->n; i++)
        tag_forms(&s->all[i]);
    log_event(LOG_INFO, "static_loaded", "dir %s files %zu", dir, s->n);
    *out = s;
    return 0;
}

void static_free(struct static_files *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->all[i].path);
        for (int form = 0; form < FORM__COUNT; form++)
            buf_clear(&s->all[i].form[form]);
    }
    free(s->all);
    free(s);
}

/* --- answering --- */

/* Whether Accept-Encoding names the coding and does not forbid it with q=0. */
static bool accepts(const char *header, const char *coding)
{
    size_t n = strlen(coding);
    for (const char *p = header; *p;) {
        p += strspn(p, ", \t");
        size_t part = strcspn(p, ",");
        if (part >= n && strncasecmp(p, coding, n) == 0 && strchr(",; \t", p[n])) {
            const char *q = memmem(p, part, "q=", 2);
            return !q || strtod(q + 2, NULL) > 0;
        }
        p += part;
    }
    return false;
}

static int choose_form(const struct static_file *f, const struct request *rq)
{
    const char *header = request_header(rq, "Accept-Encoding");
    for (int form = 0; form < FORM_PLAIN; form++)
        if (f->has[form] && header && accepts(header, form_coding[form]))
            return form;
    return FORM_PLAIN;
}

static void send_file(const struct static_file *f, struct request *rq, struct response *rs)
{
    int form = choose_form(f, rq);
    const char *known = request_header(rq, "If-None-Match");
    bool asset = strncmp(f->path, "/assets/", 8) == 0;      /* named by their content */
    response_page_csp(rs);
    response_header(rs, "Cache-Control", asset ? "public, max-age=31536000, immutable" : "no-cache");
    response_header(rs, "ETag", f->etag[form]);
    if (f->has[FORM_BR] || f->has[FORM_GZIP])
        response_header(rs, "Vary", "Accept-Encoding");
    if (known && strstr(known, f->etag[form])) {
        response_empty(rs, 304);
        return;
    }
    if (form_coding[form])
        response_header(rs, "Content-Encoding", form_coding[form]);
    response_bytes(rs, 200, type_of(f->path), buf_bytes(&f->form[form]));
}

/* A page of the app has no dot in its path and is no API path; the app's own router knows what it is. */
static bool is_page(const char *path)
{
    return strncasecmp(path, "/api/", 5) != 0 && strcasecmp(path, "/api") != 0 && !strchr(path, '.') && !strstr(path, "//");
}

bool static_answer(const struct static_files *s, struct request *rq, struct response *rs, const char *path)
{
    const struct static_file *f = find(s, path);
    if (!f && is_page(path))
        f = find(s, "/index.html");
    if (!f)
        return false;
    send_file(f, rq, rs);
    return true;
}
