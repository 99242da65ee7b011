#include "common/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/file.h"

#define CONFIG_CAP ((size_t)64 << 10)

struct config {
    const struct config_key *keys;
    size_t n;
    char **values;       /* one per key, owned; NULL until set */
    char folder[512];    /* of the file, for relative paths */
};

static size_t key_count(const struct config_key *keys)
{
    size_t n = 0;
    while (keys[n].name)
        n++;
    return n;
}

static size_t key_index(const struct config *c, const char *name)
{
    size_t i = 0;
    while (i < c->n && strcmp(c->keys[i].name, name) != 0)
        i++;
    return i;
}

/* Cut blanks at both ends in place. */
static char *trimmed(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        s[--n] = 0;
    return s;
}

static int check_value(const struct config_key *k, const char *value, const char *where, struct err *e)
{
    uint64_t v;
    if (k->type == CONFIG_NUMBER && parse_u64(value, k->min, k->max, &v, k->name, e) < 0)
        return err_wrap(e, "%s", where);
    if (k->type == CONFIG_BOOL && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return err_set(e, ERR_INPUT, "%s: %s: want yes or no, have '%.40s'", where, k->name, value);
    if (k->type == CONFIG_PATH && !*value && !(k->fallback && !*k->fallback))
        return err_set(e, ERR_INPUT, "%s: %s: want a path, have nothing", where, k->name);
    return 0;
}

static int set_value(struct config *c, size_t i, const char *value, const char *where, struct err *e)
{
    const struct config_key *k = &c->keys[i];
    if (check_value(k, value, where, e) < 0)
        return -1;
    bool relative = k->type == CONFIG_PATH && *value && *value != '/';
    size_t n = strlen(value) + (relative ? strlen(c->folder) + 1 : 0) + 1;
    char *copy = malloc(n);
    if (!copy)
        return err_set(e, ERR_FULL, "%s: no memory", where);
    snprintf(copy, n, "%s%s%s", relative ? c->folder : "", relative ? "/" : "", value);
    free(c->values[i]);
    c->values[i] = copy;
    return 0;
}

static int read_line(struct config *c, char *line, const char *path, unsigned nr, struct err *e)
{
    char where[300];
    snprintf(where, sizeof where, "%.250s line %u", path, nr);
    line = trimmed(line);
    if (!*line || *line == '#')
        return 0;
    char *eq = strchr(line, '=');
    if (!eq)
        return err_set(e, ERR_INPUT, "%s: want 'key = value', have '%.60s'", where, line);
    *eq = 0;
    char *name = trimmed(line), *value = trimmed(eq + 1);
    size_t i = key_index(c, name);
    if (i == c->n)
        return err_set(e, ERR_INPUT, "%s: unknown key '%.60s' (see --help)", where, name);
    if (c->values[i])
        return err_set(e, ERR_INPUT, "%s: key '%s' stands twice", where, name);
    return set_value(c, i, value, where, e);
}

static int fill_in(struct config *c, const char *path, struct err *e)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->values[i])
            continue;
        if (!c->keys[i].fallback)
            return err_set(e, ERR_INPUT, "%s: key '%s' is missing (%s)", path, c->keys[i].name, c->keys[i].doc);
        if (set_value(c, i, c->keys[i].fallback, "default", e) < 0)
            return -1;
    }
    return 0;
}

static int read_text(struct config *c, char *text, const char *path, struct err *e)
{
    unsigned nr = 0;
    for (char *line = text, *end; line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        if (read_line(c, line, path, ++nr, e) < 0)
            return -1;
    }
    return fill_in(c, path, e);
}

int config_load(struct config **out, const char *path, const struct config_key *keys, struct err *e)
{
    struct buf text;
    int rc = -1;
    struct config *c = calloc(1, sizeof *c);
    buf_init(&text, CONFIG_CAP);
    if (!c || !(c->values = calloc(key_count(keys) + 1, sizeof *c->values))) {
        err_set(e, ERR_FULL, "%s: no memory", path);
        goto out;
    }
    c->keys = keys;
    c->n = key_count(keys);
    const char *slash = strrchr(path, '/');
    if (str_fmt(c->folder, sizeof c->folder, e, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".") < 0 ||
        file_read_path(&text, path, CONFIG_CAP, e) < 0)
        goto out;
    if (text.n && memchr(text.p, 0, text.n)) {
        err_set(e, ERR_INPUT, "%s: want text, have a NUL byte", path);
        goto out;
    }
    char empty[1] = "";
    rc = read_text(c, text.p ? (char *)text.p : empty, path, e);
out:
    buf_clear(&text);
    if (rc < 0)
        config_free(c);
    else
        *out = c;
    return rc;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->values && i < c->n; i++)
        free(c->values[i]);
    free(c->values);
    free(c);
}

const char *config_text(const struct config *c, const char *name)
{
    size_t i = key_index(c, name);
    assert(i < c->n);
    return c->values[i];
}

uint64_t config_number(const struct config *c, const char *name)
{
    return strtoull(config_text(c, name), NULL, 10);      /* checked when loaded */
}

bool config_bool(const struct config *c, const char *name)
{
    return strcmp(config_text(c, name), "yes") == 0;
}

void config_print_help(const struct config_key *keys)
{
    for (const struct config_key *k = keys; k->name; k++)
        printf("  %-22s %s%s%s%s\n", k->name, k->doc, k->fallback ? " (default: " : " (required)", k->fallback ? (*k->fallback ? k->fallback : "none") : "",
               k->fallback ? ")" : "");
}
