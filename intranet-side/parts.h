/* parts.h - the parts of the intranet service, built from its configuration file in order and taken down in reverse.
 * Owns:    struct parts everything it opened, until parts_close.
 * Threads: main's. */
#ifndef INTRANET_PARTS_H
#define INTRANET_PARTS_H

#include "common/config.h"
#include "common/http.h"
#include "ferry/lib/delivery.h"
#include "intranet-side/service/upkeep.h"
#include "intranet-side/web/web.h"

extern const struct config_key intranet_keys[];

struct parts {
    struct config *config;
    struct core core;
    struct key_public identity;
    struct child_pool *parser, *imaging;
    struct web web;
    struct upkeep *upkeep;
    struct http_server *http;
    char sms_base[600];
};
/* Database, keys, rules, catalogue: what the verbs need. create: make the folders, the database and the master key. */
int parts_open(struct parts *p, const char *config_path, bool create, struct err *e);
/* Children, ferry, clock, web server. */
int parts_start(struct parts *p, struct err *e);
void parts_close(struct parts *p);

#endif
