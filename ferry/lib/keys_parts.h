/* keys_parts.h - what keys.c, key_record.c and key_verbs.c share; nobody else includes it. */
#ifndef FERRY_KEYS_PARTS_H
#define FERRY_KEYS_PARTS_H

#include "ferry/lib/keys.h"
#include "ferry/lib/parts.h"
#include "ferry/lib/store_keys.h"

#define KEY_ROWS 50

/* A record's attributes; "" and 0 are left out. */
struct key_said { const char *word; const struct key_entry *k; const char *token; uint64_t open; bool halves, numbers; };
/* Seal and enqueue it in this transaction. Said before under the same id: fine. */
int key_say(struct db_conn *c, struct delivery *d, const struct key_said *s, int64_t now_ms, struct err *e);
/* Spool files that are sealed under this key: uploads that were not submitted, slices that are not confirmed. rows may be NULL. */
int key_open_spool(struct delivery *d, const uint8_t id[8], bool own, json_t *rows, uint64_t *n, struct err *e);

#endif
