/* doctor.h - what the files of `ferry doctor` share: one list of findings. Every check looks only; it mends nothing and asks no service. */
#ifndef FERRY_DOCTOR_H
#define FERRY_DOCTOR_H

#include <jansson.h>
#include <sys/stat.h>

#include "ferry/commands.h"

enum { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAULT };

struct doctor {
    const struct config *c;
    int64_t now_ms;
    json_t *rows;                        /* {check, word, says, type} */
    int worst;
};

/* What belongs to one side in the configuration; "" where this host has it not. */
struct doctor_side {
    const char *name;
    const char *status_key, *commands_key, *data_key, *keys_key, *vault_key, *quarantine_key, *outbox_key, *inbox_key;
    bool here;                           /* any of the first five is configured */
};
struct doctor_side doctor_side(const struct doctor *d, bool intranet);

/* type: what to type, "" when there is nothing to do. */
__attribute__((format(printf, 5, 6))) void doctor_say(struct doctor *d, int word, const char *check, const char *type, const char *fmt, ...);
void doctor_modes(struct doctor *d, const struct doctor_side *s);      /* doctor_files.c: data, databases, keys, command folder */
void doctor_space(struct doctor *d);
void doctor_keys(struct doctor *d, const struct doctor_side *s);       /* doctor_keys.c */
void doctor_lanes(struct doctor *d);                                   /* the mover's public keys */
void doctor_folders(struct doctor *d, const struct doctor_side *s);    /* doctor_folders.c: the gateway's */
/* doctor_gateway.c: --gateway */
void doctor_gateway(struct doctor *d, const struct arguments *a);

#endif
