/* fuzz_status.c - files that the programs write for `ferry status` and `ferry doctor`, as a broken disk or somebody else left them: three texts parted by zero bytes
 * (internet, intranet, mover; the last byte of the input says what the folders look like, and how it is said, in Chinese or not).
 * What must hold: no crash; each of the three ways of saying it, of which the last byte picks one, is whole: the screen is text without control bytes, the JSON is read again and has the same word, and
 * each line for Prometheus is a comment or a name and a number. A program that is configured and unheard of is never fine. */
#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "ferry/status.c"
#include "ferry/status_judge.c"
#include "ferry/status_print.c"
#define print_lanes print_lane_figures   /* both have one */
#include "ferry/status_prometheus.c"
#undef print_lanes
#include "tests/fuzz/replay.h"

#define NOW 1790000000000

static bool chinese;
bool speaks_chinese(void) { return chinese; }
const char *told(const char *en, const char *zh) { return chinese ? zh : en; }
const char *arguments_option(const struct arguments *a, const char *name) { (void)a, (void)name; return NULL; }

static char *printed(void (*print)(const struct report *r), const struct report *r)
{
    char *text = NULL;
    size_t n = 0;
    FILE *real = stdout, *f = open_memstream(&text, &n);
    assert(f);
    stdout = f;
    print(r);
    stdout = real;
    assert(fclose(f) == 0 && strlen(text) == n);
    return text;
}

static void check_screen(const struct report *r)
{
    char *text = printed(status_print, r);
    assert(text_length(bytes_of(text)) > 0);
    for (const unsigned char *p = (unsigned char *)text; *p; p++)
        assert((*p >= 0x20 || *p == '\n') && *p != 0x7f);
    free(text);
}

static void check_json(const struct report *r)
{
    char *text = printed(status_print_json, r);
    json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert(v && strcmp(status_text(v, "word"), words_en[r->word]) == 0);
    json_decref(v);
    free(text);
}

static void check_prometheus(const struct report *r)
{
    char *text = printed(status_print_prometheus, r), *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && (rest || *line)) {
        char *blank = strrchr(line, ' '), *end;
        assert(blank && (strncmp(line, "# ", 2) == 0 || strncmp(line, "hz_ferry_", 9) == 0));
        if (*line != '#')
            assert((strtod(blank + 1, &end), end > blank + 1) && !*end);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report r = {.now_ms = NOW,
                       .parts = {{.key = "internet_status", .side = "internet", .en = "internet-side", .zh = "互联网侧"},
                                 {.key = "intranet_status", .side = "intranet", .en = "intranet-side", .zh = "公安网侧"},
                                 {.key = "status_file", .side = "", .en = "mover", .zh = "摆渡程序"}}};
    static const char *const keys[] = {"internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine", "internet_data", "intranet_data", "intranet_vault"};
    if (size == 0)
        return 0;
    const uint8_t how = data[size - 1];
    chinese = how & 1;
    size_t at = 0;
    for (int i = 0; i < STATUS_PARTS; i++) {
        const uint8_t *end = at < size - 1 ? memchr(data + at, 0, size - 1 - at) : NULL;
        size_t n = end ? (size_t)(end - data) - at : size - 1 - at;
        r.parts[i].configured = n > 0;
        r.parts[i].status = n ? parse((struct bytes){data + at, n}) : NULL;
        at = at + n + 1 < size - 1 ? at + n + 1 : size - 1;
    }
    for (int i = 0; i < STATUS_FOLDERS; i++)
        r.folders[i] = (struct folder_part){.key = keys[i], .files = how >> 2, .oldest_ms = how & 2 ? NOW - how * 1000 : 0, .readable = !(how & 4)};
    for (int i = 0; i < STATUS_VOLUMES; i++)
        r.volumes[i] = (struct volume_part){.key = keys[i], .free = (how & 8 ? how : 255) / 255.0};
    status_judge(&r);
    assert(r.word <= WORD_UNKNOWN);
    for (int i = 0; i < STATUS_PARTS; i++)
        assert(r.parts[i].nalarms <= ALARM__COUNT && !(r.parts[i].configured && !r.parts[i].status && r.parts[i].word == WORD_FINE));
    static void (*const checks[])(const struct report *) = {check_screen, check_json, check_prometheus};
    checks[(how >> 4) % 3](&r);
    for (int i = 0; i < STATUS_PARTS; i++)
        json_decref(r.parts[i].status);
    return 0;
}
