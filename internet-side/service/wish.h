/* wish.h - a change of the configuration that is wanted on this side: handed to the intranet, which decides (ADM-02, FRY-15, IMP-07).
 * Owns: nothing. Threads: the verb runs on the command thread.
 * Nothing is changed here: what the intranet releases comes back as a version. */
#ifndef INTERNET_SERVICE_WISH_H
#define INTERNET_SERVICE_WISH_H

#include "ferry/lib/command.h"
#include "internet-side/service/core.h"

/* Asker's end of `internet-side --wish FILE`: reads {title, text, changes} and gives it to the running service over its command folder.
 * ERR_INPUT: not such a file; ERR_UNAVAILABLE: the service does not run. */
int wish_ask(const char *command_dir, const char *file, struct err *e);
/* What a running service does with it: a delivery_verb (ferry/lib/command.h). */
int wish_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e);

#endif
