/* fuzz_config.c - a configuration file of any bytes. The first byte picks whose: 'i' internet-side, 'n' intranet-side, 'f' ferry, by the tables that stand in their sources;
 * anything else: a small table with a key of each type.
 * What must hold: no crash; refused with a sentence, or every key of the table has a value of its type and in its bounds. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/config.h"
#include "common/file.h"
#include "tests/fuzz/replay.h"

#define KEYS_MOST 80

static const struct config_key small[] = {
    {"port", CONFIG_NUMBER, "8080", 1, 65535, "number"},
    {"name", CONFIG_TEXT, "a", 0, 0, "text"},
    {"folder", CONFIG_PATH, "var", 0, 0, "path"},
    {"sandbox", CONFIG_BOOL, "no", 0, 0, "switch"},
    {NULL, CONFIG_TEXT, NULL, 0, 0, NULL},
};
static struct config_key internet[KEYS_MOST], intranet[KEYS_MOST], ferry[KEYS_MOST];

/* {"name", CONFIG_TYPE, NULL or "fallback", least, most, …: false when the line is none. */
static bool read_key(struct config_key *k, const char *line)
{
    static const char *const types[] = {"TEXT", "PATH", "NUMBER", "BOOL"};
    char name[40], type[12], fallback[80], most[20];
    unsigned long long least;
    if (sscanf(line, " { \"%39[a-z_]\", CONFIG_%11[A-Z], %79[^,], %llu, %19[^,],", name, type, fallback, &least, most) != 5)
        return false;
    *k = (struct config_key){.name = strdup(name), .min = least, .max = strstr(most, "<<") ? 1u << 30 : strtoull(most, NULL, 10), .doc = "of the source"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], type) == 0)
            k->type = (enum config_type)i;
    if (fallback[0] == '"') {
        fallback[strlen(fallback) - 1] = 0;
        k->fallback = strdup(fallback + 1);
    }
    return true;
}

static void read_table(struct config_key table[KEYS_MOST], const char *source, size_t want)
{
    char line[400];
    size_t n = 0;
    FILE *f = fopen(source, "r");
    while (f && n < KEYS_MOST - 1 && fgets(line, sizeof line, f))
        n += read_key(&table[n], line);
    if (!f || n < want || fclose(f) != 0)
        abort();
}

static const struct config_key *table_of(uint8_t whose)
{
    if (!ferry[0].name) {
        read_table(internet, "internet-side/main.c", 30);
        read_table(intranet, "intranet-side/parts.c", 30);
        read_table(ferry, "ferry/main.c", 20);
    }
    return whose == 'i' ? internet : whose == 'n' ? intranet : whose == 'f' ? ferry : small;
}

static void check(const struct config *c, const struct config_key *k)
{
    const char *v = config_text(c, k->name);
    assert(v && !strchr(v, '\n') && strlen(v) < 70000);
    if (k->type == CONFIG_NUMBER)
        assert(config_number(c, k->name) >= k->min && config_number(c, k->name) <= k->max && strspn(v, "0123456789") == strlen(v) && *v);
    else if (k->type == CONFIG_BOOL)
        assert(strcmp(v, "yes") == 0 || strcmp(v, "no") == 0);
    else if (k->type == CONFIG_PATH)
        assert(*v == '/' || (!*v && k->fallback && !*k->fallback));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct err e = {0};
    char path[64];
    if (size == 0)
        return 0;
    const struct config_key *keys = table_of(data[0]);
    int fd = memfd_create("config", MFD_CLOEXEC);
    assert(fd >= 0 && fd_write_all(fd, (struct bytes){data + 1, size - 1}) == 0);
    if (str_fmt(path, sizeof path, &e, "/proc/self/fd/%d", fd) == 0 && config_load(&c, path, keys, &e) == 0) {
        for (const struct config_key *k = keys; k->name; k++)
            check(c, k);
    } else {
        assert((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE) && e.msg[0] && !c);
    }
    config_free(c);
    close(fd);
    return 0;
}
