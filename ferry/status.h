/* status.h - what `ferry status` knows and how it says it. status.c reads and judges, status_print.c prints; doctor reads the same files. */
#ifndef FERRY_STATUS_H
#define FERRY_STATUS_H

#include <jansson.h>

#include "ferry/commands.h"

#define STATUS_STALE_MS 15000            /* a status older than this is of a program that does not run */
enum word { WORD_FINE, WORD_WARNING, WORD_CRITICAL, WORD_UNKNOWN };
extern const char *const words_en[], *const words_zh[];

/* A program's status file. NULL: not there, or not readable, or no JSON. json_decref it. */
json_t *status_read(const char *path);
/* Its program runs: it says so, and not too long ago. */
bool status_runs(const json_t *status, int64_t now_ms);

#endif
