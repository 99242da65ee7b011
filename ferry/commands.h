/* commands.h - the operator's verbs of the ferry program. Each returns the exit code. */
#ifndef FERRY_COMMANDS_H
#define FERRY_COMMANDS_H

#include "common/config.h"

extern const struct config_key ferry_keys[];      /* the configuration file, one table for all verbs */

/* 0 fine, 1 warning, 2 critical, 3 unknown. format: "" for people, "json", "prometheus". Reads files only: works while services are stopped. */
int command_status(const struct config *c, const char *format);
/* Writes DIR/NAME.key (0600) and DIR/NAME.pub; never over an existing one. */
int command_keygen(const char *dir, const char *name);
/* Header, items and signature verdict of one file; keys: folder with *.pub, NULL = signature is not checked and said so. */
int command_inspect(const char *file, const char *keys, const char *parser, const char *schemas);

#endif
