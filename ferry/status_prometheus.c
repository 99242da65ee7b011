/* status_prometheus.c - the same figures as text for Prometheus: of a file that node_exporter reads. ops/monitoring has the rules that use them. */
#include <stdio.h>

#include "ferry/status.h"

static void head(const char *name, const char *type, const char *help)
{
    printf("# HELP hz_ferry_%s %s\n# TYPE hz_ferry_%s %s\n", name, help, name, type);
}

/* A figure of each side's status file. */
static const struct gauge { const char *name, *key, *help; } gauges[] = {
    {"queued", "queued", "items accepted and in no file yet"},
    {"unacked", "unacked", "files sent and not acknowledged"},
    {"unconfirmed", "unconfirmed", "items kept until the other side confirms"},
    {"held", "held", "items that cannot be processed here now"},
    {"waiting", "waiting", "items that wait for an earlier one of their case"},
    {"refused", "refused", "items refused, ever"},
    {"quarantined", "quarantined", "files set aside"},
    {"gap", "gap", "numbers of the peer's stream that are missing"},
    {"differences", "differences", "open differences of the daily lists"},
    {"configuration", "config", "version of the configuration in force"},
    {"peer_configuration", "peer_config", "version that the peer's beats name, 0 not heard"},
    {"key_warning", "key_warning", "limit in days that the nearest expiry of a key has passed: 60, 30, 7, 1 = expired; 0 none"},
    {"protocol", "protocol", "protocol of our beats"},
    {"peer_protocol", "peer_protocol", "protocol that the peer's beats name, 0 not heard"},
    {"warn_seconds", "warn_s", "configured age of the oldest record for a warning"},
    {"critical_seconds", "critical_s", "configured age of the oldest record for an alarm"},
};
static const struct gauge today[] = {
    {"today_records", "records", "records confirmed today (Beijing)"},
    {"today_within_5", "within_5", "of them within 5 minutes of their submission"},
    {"today_within_10", "within_10", "of them within 10 minutes"},
    {"late_5", "late_5", "records under way for over 5 minutes"},
    {"late_10", "late_10", "records under way for over 10 minutes"},
};

static void print_gauges(const struct report *r, const struct gauge *list, size_t n, const char *below)
{
    for (size_t k = 0; k < n; k++) {
        head(list[k].name, "gauge", list[k].help);
        for (int i = 0; i < STATUS_PARTS - 1; i++) {
            const json_t *s = below ? json_object_get(r->parts[i].status, below) : r->parts[i].status;
            if (s)
                printf("hz_ferry_%s{program=\"%s\"} %lld\n", list[k].name, r->parts[i].en, status_number(s, list[k].key));
        }
    }
}

/* Seconds since a time of the status file, 0 when there is no such time. key NULL: since the peer is silent. */
static void print_age(const struct report *r, const char *name, const char *key, const char *help)
{
    head(name, "gauge", help);
    for (int i = 0; i < STATUS_PARTS - 1; i++) {
        const json_t *s = r->parts[i].status;
        const long long at = status_number(s, key ? key : status_heard(s));
        if (s)
            printf("hz_ferry_%s{program=\"%s\"} %lld\n", name, r->parts[i].en, at ? (r->now_ms - at) / 1000 : 0LL);
    }
}

static void print_states(const struct report *r)
{
    head("state", "gauge", "0 fine, 1 warning, 2 critical, 3 unknown");
    printf("hz_ferry_state %d\n", (int)r->word);
    head("report_timestamp_seconds", "gauge", "when this was written");
    printf("hz_ferry_report_timestamp_seconds %lld\n", (long long)r->now_ms / 1000);
    head("program_state", "gauge", "the same of each program");
    for (int i = 0; i < STATUS_PARTS; i++)
        if (r->parts[i].configured)
            printf("hz_ferry_program_state{program=\"%s\"} %d\n", r->parts[i].en, (int)r->parts[i].word);
    head("status_age_seconds", "gauge", "since the program wrote its status, -1 never");
    for (int i = 0; i < STATUS_PARTS; i++)
        if (r->parts[i].configured)
            printf("hz_ferry_status_age_seconds{program=\"%s\"} %lld\n", r->parts[i].en, r->parts[i].status ? (r->now_ms - status_number(r->parts[i].status, "at_ms")) / 1000 : -1LL);
    head("alarm", "gauge", "0 silent, 1 warning, 2 critical, 3 unknown; the words are those of the runbook");
    for (int i = 0; i < STATUS_PARTS; i++)
        for (int a = 0; r->parts[i].configured && a < ALARM__COUNT; a++) {
            enum word w = WORD_FINE;
            for (size_t k = 0; k < r->parts[i].nalarms; k++)
                if ((int)r->parts[i].alarms[k].alarm == a)
                    w = r->parts[i].alarms[k].word;
            if (a != ALARM_FOLDER && a != ALARM_DISK)      /* of folders: below */
                printf("hz_ferry_alarm{program=\"%s\",alarm=\"%s\"} %d\n", r->parts[i].en, alarm_words[a], (int)w);
        }
}

static void print_slowest(const struct report *r)
{
    head("today_slowest_seconds", "gauge", "slowest record confirmed today, submission to confirmation");
    for (int i = 0; i < STATUS_PARTS - 1; i++)
        if (json_object_get(r->parts[i].status, "today"))
            printf("hz_ferry_today_slowest_seconds{program=\"%s\"} %.3f\n", r->parts[i].en, (double)status_number(json_object_get(r->parts[i].status, "today"), "slowest_ms") / 1000);
}

static void print_lanes(const struct report *r)
{
    static const struct gauge counters[] = {{"lane_carried_total", "carried", "files that the mover carried since its start"}, {"lane_bytes_total", "bytes", "bytes that it carried"},
                                            {"lane_quarantined_total", "quarantined", "files that it set aside"}};
    const json_t *lanes = json_object_get(r->parts[STATUS_PARTS - 1].status, "lanes");
    for (size_t k = 0; k < sizeof counters / sizeof counters[0]; k++) {
        size_t i;
        json_t *l;
        head(counters[k].name, "counter", counters[k].help);
        json_array_foreach(lanes, i, l)
            printf("hz_ferry_%s{lane=\"%s\"} %lld\n", counters[k].name, status_text(l, "name"), status_number(l, counters[k].key));
    }
}

static void print_folders(const struct report *r)
{
    head("folder_files", "gauge", "files that lie in a folder");
    for (int i = 0; i < STATUS_FOLDERS; i++)
        if (r->folders[i].readable)
            printf("hz_ferry_folder_files{folder=\"%s\"} %llu\n", r->folders[i].key, (unsigned long long)r->folders[i].files);
    head("folder_oldest_seconds", "gauge", "age of the oldest of them");
    for (int i = 0; i < STATUS_FOLDERS; i++)
        if (r->folders[i].readable)
            printf("hz_ferry_folder_oldest_seconds{folder=\"%s\"} %lld\n", r->folders[i].key, r->folders[i].oldest_ms ? (long long)(r->now_ms - r->folders[i].oldest_ms) / 1000 : 0);
    head("folder_alarm", "gauge", "nobody fetches the files of this folder: 0 silent, 1 warning, 2 critical");
    for (int i = 0; i < STATUS_FOLDERS; i++)
        if (r->folders[i].readable)
            printf("hz_ferry_folder_alarm{folder=\"%s\",alarm=\"%s\"} %d\n", r->folders[i].key, alarm_words[ALARM_FOLDER], (int)r->folders[i].word);
    head("volume_free_ratio", "gauge", "free space or free file entries of the volume of a folder, the smaller one; 0 when mounted read-only");
    for (int i = 0; i < STATUS_VOLUMES; i++)
        if (r->volumes[i].free >= 0)
            printf("hz_ferry_volume_free_ratio{folder=\"%s\",alarm=\"%s\"} %.4f\n", r->volumes[i].key, alarm_words[ALARM_DISK], r->volumes[i].free);
}

void status_print_prometheus(const struct report *r)
{
    print_states(r);
    print_gauges(r, gauges, sizeof gauges / sizeof gauges[0], NULL);
    print_gauges(r, today, sizeof today / sizeof today[0], "today");
    print_slowest(r);
    print_age(r, "oldest_seconds", "oldest_ms", "age of the oldest record that is not acknowledged");
    print_age(r, "peer_silence_seconds", NULL, "since the peer was heard, or since our start");
    print_age(r, "gap_seconds", "gap_since_ms", "since numbers of the peer are missing");
    print_age(r, "waiting_seconds", "waiting_ms", "since the oldest waiting item came");
    print_lanes(r);
    print_folders(r);
}
