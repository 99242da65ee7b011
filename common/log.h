/* log.h - one JSON object a line to stderr: {"t":"…Z","level":"info","event":"batch_sent","batch":"…","n":3}
 * Levels: error = someone should act, warn = we refused or recovered, info = a fact of the day.
 * No personal content ever: values are ids, numbers, codes, durations, our own words.
 * Threads: safe; a line is one write(2) of at most 4 KiB. Control bytes and invalid UTF-8 are written as escapes. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>

#include "common/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_open(const char *program, enum log_level least);
/* Fields as format-and-values pairs in JSON order: log_event(LOG_INFO, "batch_sent", "batch %s n %u", name, n)
 * gives "batch":"…","n":3: words of the format are keys, conversions (%s %d %u %lld %llu %zu) their values. */
void log_event(enum log_level level, const char *event, const char *fields, ...) __attribute__((format(printf, 3, 4)));
/* The same for an error in hand: adds "code" and "error". */
void log_error(const char *event, const struct err *e);
uint64_t log_count(enum log_level level);          /* lines of this level since start; tests fail on unexpected warnings */

#endif
