/* config.h - one text file "key = value" a line, '#' comments, no sections. Unknown or repeated keys and bad values stop the
 * start with file, line, want and have.
 * Owns: struct config owns its strings until config_free. Threads: constant after config_load. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdint.h>

#include "common/err.h"

enum config_type { CONFIG_TEXT, CONFIG_PATH, CONFIG_NUMBER, CONFIG_BOOL };

struct config_key {
    const char *name;
    enum config_type type;
    const char *fallback;    /* NULL: the key is required. "" for text: absent */
    uint64_t min, max;       /* CONFIG_NUMBER only */
    const char *doc;         /* one line, printed by --help */
};

struct config;
/* Relative CONFIG_PATH values are resolved against the file's own folder. keys ends with a NULL name. */
int config_load(struct config **out, const char *path, const struct config_key *keys, struct err *e);
void config_free(struct config *c);
const char *config_text(const struct config *c, const char *name);   /* asserts that the key is in the table */
uint64_t config_number(const struct config *c, const char *name);
bool config_bool(const struct config *c, const char *name);
void config_print_help(const struct config_key *keys);

#endif
