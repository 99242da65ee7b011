/* status.h - what `ferry status` knows and how it says it. status.c reads, status_judge.c judges, status_print.c and status_prometheus.c say it;
 * doctor reads the same files. Times are milliseconds since 1970. */
#ifndef FERRY_STATUS_H
#define FERRY_STATUS_H

#include <jansson.h>

#include "ferry/commands.h"

#define STATUS_STALE_MS 15000            /* a status older than this is of a program that does not run */
#define FILE_WARN_S 60                   /* a file that lies in a folder of the gateway */
#define FILE_CRITICAL_S 150
#define CONFIGURATION_WARN_S 300         /* the sides name different versions of the configuration for so long */
#define CONFIGURATION_CRITICAL_S 3600
#define FREE_WARN 5                      /* percent of a volume */
#define FREE_CRITICAL 2
enum word { WORD_FINE, WORD_WARNING, WORD_CRITICAL, WORD_UNKNOWN };
extern const char *const words_en[], *const words_zh[];

/* Every alarm there is; its word is what the runbook and the monitoring know it by (docs/operators.md has a section of that name). */
enum alarm {
    ALARM_NO_STATUS, ALARM_STOPPED, ALARM_STANDS, ALARM_JOURNAL, ALARM_UNACKNOWLEDGED, ALARM_SILENT, ALARM_TROUBLE, ALARM_OVERDUE, ALARM_HELD, ALARM_WAITING,
    ALARM_GAP, ALARM_PEER_NEW, ALARM_DIFFERENCES, ALARM_QUARANTINE, ALARM_KEY_EXPIRY, ALARM_KEY_TROUBLE, ALARM_DRAINED, ALARM_CONFIGURATION, ALARM_NOT_CONTENT, ALARM_FOLDER, ALARM_DISK, ALARM__COUNT
};
extern const char *const alarm_words[];

struct alarm_said {
    enum alarm alarm;
    enum word word;
    int64_t since_ms;                    /* as far as can be told, 0 = not */
    char says[240], type[140];           /* in the chosen language; what to type, "" = nothing */
};

struct part {
    const char *key, *side, *en, *zh;    /* configuration key of its status file; internet, intranet or "" for the mover; names */
    json_t *status;                      /* NULL: not configured or not readable */
    bool configured;
    enum word word;                      /* of the worst alarm */
    struct alarm_said alarms[ALARM__COUNT];
    size_t nalarms;
};
struct folder_part {
    const char *key;
    uint64_t files;
    int64_t oldest_ms;
    bool readable;
    enum word word;
};
struct volume_part { const char *key; double free; enum word word; };      /* space or file entries, the smaller: 0 to 1; -1 not on this host */

#define STATUS_PARTS 3
#define STATUS_FOLDERS 5
#define STATUS_VOLUMES 8
struct report {
    int64_t now_ms;
    struct part parts[STATUS_PARTS];
    struct folder_part folders[STATUS_FOLDERS];      /* the last is the mover's quarantine */
    struct volume_part volumes[STATUS_VOLUMES];
    enum word word;
    int64_t since_ms;
};

/* A program's status file. NULL: not there, or not readable, or no JSON. json_decref it. */
json_t *status_read(const char *path);
/* Its program runs: it says so, and not too long ago. */
bool status_runs(const json_t *status, int64_t now_ms);
long long status_number(const json_t *o, const char *key);       /* 0 when it is not there */
const char *status_text(const json_t *o, const char *key);       /* "" */
/* Key of the time since when the peer is silent: its last beat, or our start when it was never heard. */
const char *status_heard(const json_t *o);
bool status_true(const json_t *o, const char *key);

void status_judge(struct report *r);
void status_print(const struct report *r);
void status_print_json(const struct report *r);
void status_print_prometheus(const struct report *r);

#endif
