/* status.c - ferry status: is it fine, since when not, what is oldest, what to do. Reads status files and folders, nothing else. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"

enum word { WORD_FINE, WORD_WARNING, WORD_CRITICAL, WORD_UNKNOWN };
static const char *const words_en[] = {"fine", "warning", "critical", "unknown"};
static const char *const words_zh[] = {"正常", "警告", "严重", "未知"};

#define STALE_MS 15000            /* a status older than this is of a program that does not run */

struct part {
    const char *key, *en, *zh;    /* configuration key of its status file, names */
    json_t *status;               /* NULL: not configured or not readable */
    bool configured;
    enum word word;
    char note[200];               /* what is wrong and what to do, in the chosen language */
};

struct folder_part { const char *key; uint64_t files; int64_t oldest_ms; bool readable; };

struct report {
    bool zh;
    int64_t now_ms;
    struct part parts[3];
    struct folder_part folders[5];
    enum word word;
};

static int64_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

__attribute__((format_arg(2), format_arg(3))) static const char *say(const struct report *r, const char *en, const char *zh)
{
    return r->zh ? zh : en;
}

static void load(struct part *p, const char *path)
{
    struct buf b;
    struct err e = {0};
    p->configured = *path != 0;
    if (!p->configured)
        return;
    buf_init(&b, 65536);
    if (file_read_path(&b, path, 65535, &e) == 0)
        p->status = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    buf_clear(&b);
}

/* Judge one program by its last words, worst first. */
static void judge_side(const struct report *r, struct part *p)
{
    int64_t age = r->now_ms - number(p->status, "at_ms"), oldest = number(p->status, "oldest_ms"), beat = number(p->status, "peer_beat_ms");
    int64_t warn = number(p->status, "warn_s"), crit = number(p->status, "critical_s"), waited = oldest ? (r->now_ms - oldest) / 1000 : 0;
    if (age > STALE_MS || !json_is_true(json_object_get(p->status, "running"))) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, say(r, "stopped %lld s ago: start it", "已停止 %lld 秒：请启动该服务"), (long long)(age / 1000));
    } else if (*text(p->status, "stopped")) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, "%s%.150s", say(r, "sending stands: ", "发送已停："), text(p->status, "stopped"));
    } else if (waited > crit) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, say(r, "oldest record unacknowledged for %lld s: look at mover and gateway", "最早一条已 %lld 秒未被对侧确认：请查摆渡程序和边界平台"),
                 (long long)waited);
    } else if (beat && (r->now_ms - beat) / 1000 > crit) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, say(r, "peer silent for %lld s: look at the other side and the gateway", "对侧已 %lld 秒没有消息：请查对侧服务和边界平台"),
                 (long long)((r->now_ms - beat) / 1000));
    } else if (number(p->status, "held")) {
        p->word = WORD_WARNING;
        snprintf(p->note, sizeof p->note, say(r, "%lld records held: see the exceptions page for reason and retry", "%lld 条暂存未处理：请在“异常处理”查看原因并重试"),
                 (long long)number(p->status, "held"));
    } else if (waited > warn) {
        p->word = WORD_WARNING;
        snprintf(p->note, sizeof p->note, say(r, "oldest record unacknowledged for %lld s", "最早一条已 %lld 秒未被对侧确认"), (long long)waited);
    } else if (number(p->status, "quarantined")) {
        p->word = WORD_WARNING;
        snprintf(p->note, sizeof p->note, say(r, "%lld files in quarantine: read their .reason", "隔离区有 %lld 个文件：请看同名 .reason"),
                 (long long)number(p->status, "quarantined"));
    }
}

static void judge_mover(const struct report *r, struct part *p)
{
    int64_t age = r->now_ms - number(p->status, "at_ms");
    if (age > STALE_MS || !json_is_true(json_object_get(p->status, "running"))) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, say(r, "stopped %lld s ago: start ferry run", "已停止 %lld 秒：请启动 ferry run"), (long long)(age / 1000));
    } else if (*text(p->status, "trouble")) {
        p->word = WORD_CRITICAL;
        snprintf(p->note, sizeof p->note, "%.190s", text(p->status, "trouble"));
    }
}

static void judge(struct report *r)
{
    unsigned known = 0;
    for (int i = 0; i < 3; i++) {
        struct part *p = &r->parts[i];
        if (!p->configured)
            continue;
        if (!p->status) {
            p->word = WORD_UNKNOWN;
            snprintf(p->note, sizeof p->note, "%s", say(r, "no status file: never started, or not readable here", "没有状态文件：尚未启动，或此处读不到"));
            continue;
        }
        known++;
        if (strcmp(p->key, "status_file") == 0)
            judge_mover(r, p);
        else
            judge_side(r, p);
    }
    r->word = WORD_FINE;
    for (int i = 0; i < 3; i++)
        if (r->parts[i].configured && r->parts[i].word != WORD_UNKNOWN && r->parts[i].word > r->word)
            r->word = r->parts[i].word;
    for (int i = 0; i < 3; i++)                     /* what cannot be seen is not fine, but a seen fault weighs more */
        if (r->parts[i].configured && r->parts[i].word == WORD_UNKNOWN && r->word < WORD_WARNING)
            r->word = WORD_UNKNOWN;
    if (!known)
        r->word = WORD_UNKNOWN;
}

static void look_folder(struct folder_part *f, const char *path)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    int fd;
    if (folder_open(&fd, path, 0, &e) < 0)
        return;
    f->readable = folder_list(&list, &n, fd, 100000, &e) == 0;
    for (size_t i = 0; f->readable && i < n; i++) {
        f->files++;
        if (!f->oldest_ms || list[i].mtime_ms < f->oldest_ms)
            f->oldest_ms = list[i].mtime_ms;
    }
    if (f->readable)
        free(list);
    close(fd);
}

static void print_side(const struct report *r, const struct part *p)
{
    int64_t beat = number(p->status, "peer_beat_ms"), oldest = number(p->status, "oldest_ms");
    printf(say(r, "    queued %lld · files unacknowledged %lld · unconfirmed items %lld · held %lld · refused %lld · quarantined %lld\n",
               "    待发 %lld · 未确认文件 %lld · 待对侧入库 %lld · 暂存 %lld · 拒收 %lld · 隔离 %lld\n"),
           (long long)number(p->status, "queued"), (long long)number(p->status, "unacked"), (long long)number(p->status, "unconfirmed"),
           (long long)number(p->status, "held"), (long long)number(p->status, "refused"), (long long)number(p->status, "quarantined"));
    if (oldest)
        printf(say(r, "    oldest waits %lld s\n", "    最早一条已等 %lld 秒\n"), (long long)((r->now_ms - oldest) / 1000));
    if (beat)
        printf(say(r, "    heard of the peer %lld s ago\n", "    %lld 秒前收到对侧消息\n"), (long long)((r->now_ms - beat) / 1000));
    else
        printf("%s", say(r, "    never heard of the peer\n", "    从未收到对侧消息\n"));
}

static void print_people(const struct report *r)
{
    printf("%s%s\n", say(r, "Ferry: ", "摆渡："), r->zh ? words_zh[r->word] : words_en[r->word]);
    for (int i = 0; i < 3; i++) {
        const struct part *p = &r->parts[i];
        if (!p->configured) {
            printf("  %s  %s\n", r->zh ? p->zh : p->en, say(r, "not on this host", "不在本机"));
            continue;
        }
        printf("  %s  %s%s%s\n", r->zh ? p->zh : p->en, r->zh ? words_zh[p->word] : words_en[p->word], p->note[0] ? say(r, ": ", "：") : "", p->note);
        if (p->status && strcmp(p->key, "status_file") != 0)
            print_side(r, p);
    }
    for (int i = 0; i < 5; i++) {
        const struct folder_part *f = &r->folders[i];
        if (!f->readable)
            printf("  %s  %s\n", f->key, say(r, "not readable here", "此处读不到"));
        else if (f->files)
            printf(say(r, "  %s  %llu files, oldest %lld s\n", "  %s  %llu 个文件，最早 %lld 秒\n"), f->key, (unsigned long long)f->files,
                   (long long)((r->now_ms - f->oldest_ms) / 1000));
    }
}

static void print_json(const struct report *r)
{
    json_t *parts = json_object(), *folders = json_object();
    for (int i = 0; i < 3; i++) {
        const struct part *p = &r->parts[i];
        json_object_set_new(parts, p->en, json_pack("{s:b, s:s, s:s, s:O?}", "configured", p->configured, "word", words_en[p->word], "note", p->note, "status", p->status));
    }
    for (int i = 0; i < 5; i++)
        json_object_set_new(folders, r->folders[i].key, json_pack("{s:b, s:I, s:I}", "readable", r->folders[i].readable, "files", (json_int_t)r->folders[i].files,
                                                                  "oldest_ms", (json_int_t)r->folders[i].oldest_ms));
    json_t *all = json_pack("{s:s, s:I, s:o, s:o}", "word", words_en[r->word], "at_ms", (json_int_t)r->now_ms, "programs", parts, "folders", folders);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(all);
}

static void print_prometheus(const struct report *r)
{
    static const char *const gauges[] = {"queued", "unacked", "unconfirmed", "held", "waiting", "refused", "quarantined", "gap"};
    printf("# HELP hz_ferry_state 0 fine, 1 warning, 2 critical, 3 unknown\n# TYPE hz_ferry_state gauge\nhz_ferry_state %d\n", r->word);
    for (int i = 0; i < 3; i++)
        if (r->parts[i].configured)
            printf("hz_ferry_program_state{program=\"%s\"} %d\n", r->parts[i].en, r->parts[i].word);
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; r->parts[i].status && k < sizeof gauges / sizeof gauges[0]; k++)
            printf("hz_ferry_%s{program=\"%s\"} %lld\n", gauges[k], r->parts[i].en, (long long)number(r->parts[i].status, gauges[k]));
    for (int i = 0; i < 2; i++) {
        int64_t oldest = number(r->parts[i].status, "oldest_ms"), beat = number(r->parts[i].status, "peer_beat_ms");
        if (!r->parts[i].status)
            continue;
        printf("hz_ferry_oldest_seconds{program=\"%s\"} %lld\n", r->parts[i].en, (long long)(oldest ? (r->now_ms - oldest) / 1000 : 0));
        printf("hz_ferry_peer_silence_seconds{program=\"%s\"} %lld\n", r->parts[i].en, (long long)(beat ? (r->now_ms - beat) / 1000 : -1));
    }
    for (int i = 0; i < 5; i++)
        if (r->folders[i].readable)
            printf("hz_ferry_folder_files{folder=\"%s\"} %llu\n", r->folders[i].key, (unsigned long long)r->folders[i].files);
}

static bool chinese(void)
{
    const char *lang = getenv("LC_ALL");
    if (!lang || !*lang)
        lang = getenv("LANG");
    return lang && strncmp(lang, "zh", 2) == 0;
}

int command_status(const struct config *c, const char *format)
{
    static const char *const folder_keys[] = {"internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine"};
    struct report r = {.zh = chinese(), .now_ms = clock_wall_ms(),
                       .parts = {{.key = "internet_status", .en = "internet-side", .zh = "互联网侧"},
                                 {.key = "intranet_status", .en = "intranet-side", .zh = "公安网侧"},
                                 {.key = "status_file", .en = "mover", .zh = "摆渡程序"}}};
    for (int i = 0; i < 3; i++)
        load(&r.parts[i], config_text(c, r.parts[i].key));
    for (int i = 0; i < 5; i++) {
        r.folders[i].key = folder_keys[i];
        look_folder(&r.folders[i], config_text(c, folder_keys[i]));
    }
    judge(&r);
    if (strcmp(format, "json") == 0)
        print_json(&r);
    else if (strcmp(format, "prometheus") == 0)
        print_prometheus(&r);
    else
        print_people(&r);
    for (int i = 0; i < 3; i++)
        json_decref(r.parts[i].status);
    return (int)r.word;
}
