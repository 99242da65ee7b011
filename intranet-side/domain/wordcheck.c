#include "intranet-side/domain/wordcheck.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/text.h"

struct wordcheck {
    json_t *json;
    struct { regex_t re; const char *id, *message; } pattern[20];
    size_t n_patterns;
    const char *name_message;            /* NULL: names are not looked for */
};

int wordcheck_parse(struct wordcheck **out, const char *name, const json_t *json, struct err *e)
{
    struct wordcheck *w = calloc(1, sizeof *w);
    size_t i;
    json_t *v;
    *out = NULL;
    if (w == NULL)
        return err_set(e, ERR_INTERNAL, "%s: out of memory", name);
    w->json = json_deep_copy(json);
    json_array_foreach(json_object_get(w->json, "forbidden"), i, v) {
        const char *id = json_string_value(json_object_get(v, "id")), *re = json_string_value(json_object_get(v, "regex"));
        const char *msg = json_string_value(json_object_get(v, "message"));
        if (id && msg && !re) {
            w->name_message = msg;
            continue;
        }
        if (!id || !msg || w->n_patterns == 20 || regcomp(&w->pattern[w->n_patterns].re, re, REG_EXTENDED | REG_NOSUB) != 0) {
            wordcheck_free(w);
            return err_set(e, ERR_INPUT, "%s: forbidden[%zu]: want id, message and a pattern that compiles", name, i);
        }
        w->pattern[w->n_patterns].id = id;
        w->pattern[w->n_patterns++].message = msg;
    }
    *out = w;
    return 0;
}

void wordcheck_free(struct wordcheck *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n_patterns; i++)
        regfree(&w->pattern[i].re);
    json_decref(w->json);
    free(w);
}

static void finding(json_t *out, const char *field, const char *rule, const char *message)
{
    json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "field", field, "rule", rule, "message", message));
}

static void jargon(const struct wordcheck *w, const char *field, const char *text, json_t *out)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(w->json, "jargon"), i, v) {
        const char *word = json_string_value(json_object_get(v, "word")), *say = json_string_value(json_object_get(v, "say"));
        char m[200];
        if (!word || !strstr(text, word))
            continue;
        if (say && *say)
            snprintf(m, sizeof m, "“%s”群众不容易懂，建议写“%s”", word, say);
        else
            snprintf(m, sizeof m, "建议不写“%s”", word);
        finding(out, field, "jargon", m);
    }
}

/* Names are compared without the blanks and dots that an eye skips: "张 三" is found as well as 张三. */
static void squeeze(struct buf *out, const char *s)
{
    struct bytes in = bytes_of(s);
    size_t at = 0;
    for (int32_t cp; (cp = text_next(in, &at)) >= 0;)
        if (cp != ' ' && cp != 0x3000 && cp != 0xB7 && cp != 0x2022)
            text_put(out, (uint32_t)cp);
}

static bool name_inside(const char *text, const char *name)
{
    struct buf t, n;
    buf_init(&t, 1 << 16);
    buf_init(&n, 4096);
    squeeze(&t, text);
    squeeze(&n, name);
    bool inside = text_length(buf_bytes(&n)) >= 2 && strstr(buf_text(&t), buf_text(&n)) != NULL;
    buf_wipe(&t);
    buf_wipe(&n);
    return inside;
}

/* Full-width digits and blanks between digits are seen through: both are how a number slips past. */
static void digits_plain(struct buf *out, const char *s)
{
    struct bytes in = bytes_of(s);
    size_t at = 0;
    bool after_digit = false;
    for (int32_t cp; (cp = text_next(in, &at)) >= 0;) {
        if (cp >= 0xFF10 && cp <= 0xFF19)
            cp = cp - 0xFF10 + '0';
        if (after_digit && (cp == ' ' || cp == '-' || cp == 0x3000))
            continue;
        after_digit = cp >= '0' && cp <= '9';
        text_put(out, (uint32_t)cp);
    }
}

unsigned wordcheck_text(const struct wordcheck *w, const char *field, const char *text, const json_t *names, json_t *findings)
{
    unsigned refused = 0;
    struct buf plain;
    size_t i;
    json_t *v;
    buf_init(&plain, 1 << 16);
    digits_plain(&plain, text);
    for (size_t k = 0; k < w->n_patterns; k++)
        if (regexec(&w->pattern[k].re, buf_text(&plain), 0, NULL, 0) == 0 || regexec(&w->pattern[k].re, text, 0, NULL, 0) == 0) {
            finding(findings, field, w->pattern[k].id, w->pattern[k].message);
            refused++;
        }
    json_array_foreach(names, i, v)
        if (w->name_message && json_is_string(v) && name_inside(text, json_string_value(v))) {
            finding(findings, field, "case_name", w->name_message);
            refused++;
            break;
        }
    jargon(w, field, text, findings);
    buf_clear(&plain);
    return refused;
}
