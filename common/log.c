#include "common/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

#define LINE_MAX_BYTES 4096

static const char *const level_words[] = {"error", "warn", "info", "debug"};
static _Atomic uint64_t counts[4];
static enum log_level least_level = LOG_INFO;
static char program_name[32] = "?";

struct line { char s[LINE_MAX_BYTES]; size_t n; };

static void put(struct line *l, const char *s, size_t n)
{
    size_t room = sizeof l->s - 3 - l->n;      /* the brace, the line end, a spare */
    if (n > room)
        n = room;
    memcpy(l->s + l->n, s, n);
    l->n += n;
}

static void put_str(struct line *l, const char *s) { put(l, s, strlen(s)); }

/* Length of the character at s if it can stand in a line as it is, else 0: well-formed UTF-8 (shortest form, no surrogates), no control. */
static size_t plain_len(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (n == 1)
        return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '"' && s[0] != '\\';
    bool c1 = s[0] == 0xc2 && s[1] < 0xa0;                       /* a terminal obeys these like ESC [ */
    bool longer = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
    return n == 0 || c1 || longer || beyond ? 0 : n;
}

static void put_quoted(struct line *l, const char *s)
{
    put(l, "\"", 1);
    for (const unsigned char *p = (const unsigned char *)s; *p && l->n < sizeof l->s - 16;) {
        size_t n = plain_len(p);
        char esc[8];
        if (n == 0) {
            put(l, esc, (size_t)snprintf(esc, sizeof esc, "\\u%04x", *p));
            p++;
        } else {
            put(l, (const char *)p, n);
            p += n;
        }
    }
    put(l, "\"", 1);
}

/* "key %s key2 %u" and its values, in order. Only the conversions that log.h names. */
static void put_fields(struct line *l, const char *f, va_list ap)
{
    char number[32];
    while (*f) {
        f += strspn(f, " ");
        size_t n = strcspn(f, " %");
        if (n && l->n + n + sizeof number + 16 > sizeof l->s)
            return;                                              /* no room for a key and its value: the line ends here, well-formed */
        if (n) {
            put_str(l, ",\"");
            put(l, f, n);
            put_str(l, "\":");
            f += n;
            continue;
        }
        if (*f != '%')
            break;
        if (f[1] == 's') {
            const char *s = va_arg(ap, const char *);
            put_quoted(l, s ? s : "");
            f += 2;
            continue;
        }
        if (strncmp(f, "%d", 2) == 0) { snprintf(number, sizeof number, "%d", va_arg(ap, int)); f += 2; }
        else if (strncmp(f, "%u", 2) == 0) { snprintf(number, sizeof number, "%u", va_arg(ap, unsigned)); f += 2; }
        else if (strncmp(f, "%lld", 4) == 0) { snprintf(number, sizeof number, "%lld", va_arg(ap, long long)); f += 4; }
        else if (strncmp(f, "%llu", 4) == 0) { snprintf(number, sizeof number, "%llu", va_arg(ap, unsigned long long)); f += 4; }
        else if (strncmp(f, "%ld", 3) == 0) { snprintf(number, sizeof number, "%ld", va_arg(ap, long)); f += 3; }
        else if (strncmp(f, "%lu", 3) == 0) { snprintf(number, sizeof number, "%lu", va_arg(ap, unsigned long)); f += 3; }
        else if (strncmp(f, "%zu", 3) == 0) { snprintf(number, sizeof number, "%zu", va_arg(ap, size_t)); f += 3; }
        else break;
        put_str(l, number);
    }
}

static void begin(struct line *l, enum log_level level, const char *event)
{
    char t[21];
    clock_rfc3339(t, clock_wall_ms());
    l->n = 0;
    put_str(l, "{\"t\":\"");
    put_str(l, t);
    put_str(l, "\",\"program\":");
    put_quoted(l, program_name);
    put_str(l, ",\"level\":\"");
    put_str(l, level_words[level]);
    put_str(l, "\",\"event\":");
    put_quoted(l, event);
}

static void finish(struct line *l)
{
    l->s[l->n++] = '}';
    l->s[l->n++] = '\n';
    ssize_t rc = write(STDERR_FILENO, l->s, l->n);      /* one line, one write: lines of threads do not mix */
    (void)rc;                                           /* nowhere left to say it */
}

void log_open(const char *program, enum log_level least)
{
    snprintf(program_name, sizeof program_name, "%s", program);
    least_level = least;
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
    struct line l;
    va_list ap;
    atomic_fetch_add(&counts[level], 1);
    if (level > least_level)
        return;
    begin(&l, level, event);
    va_start(ap, fields);
    if (fields)
        put_fields(&l, fields, ap);
    va_end(ap);
    finish(&l);
}

void log_error(const char *event, const struct err *e)
{
    log_event(e->code == ERR_INTERNAL || e->code == ERR_FULL || e->code == ERR_HELD ? LOG_ERROR : LOG_WARN, event, "code %s error %s", err_word(e->code), e->msg);
}

uint64_t log_count(enum log_level level)
{
    return atomic_load(&counts[level]);
}
