/* status.c - ferry status: is it fine, since when not, what is oldest, what to do. Reads status files and folders, nothing else. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"
#include "ferry/status.h"

const char *const words_en[] = {"fine", "warning", "critical", "unknown"};
const char *const words_zh[] = {"正常", "警告", "严重", "未知"};

struct part {
    const char *key, *en, *zh;    /* configuration key of its status file, names */
    json_t *status;               /* NULL: not configured or not readable */
    bool configured;
    enum word word;
    int64_t since_ms;             /* since when it is not fine, as far as can be told; 0 = fine */
    char note[200];               /* what is wrong and what to do, in the chosen language */
};

#define FILE_WARN_S 60
#define FILE_CRITICAL_S 150
struct folder_part { const char *key; uint64_t files; int64_t oldest_ms; bool readable; enum word word; };

struct report {
    bool zh;
    int64_t now_ms;
    struct part parts[3];
    struct folder_part folders[5];
    enum word word;
    int64_t since_ms;
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

json_t *status_read(const char *path)
{
    struct buf b;
    struct err e = {0};
    json_t *status = NULL;
    buf_init(&b, 65536);
    if (file_read_path(&b, path, 65535, &e) == 0)
        status = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    buf_clear(&b);
    return status;
}

bool status_runs(const json_t *status, int64_t now_ms)
{
    return now_ms - number(status, "at_ms") <= STATUS_STALE_MS && json_is_true(json_object_get(status, "running"));
}

static void load(struct part *p, const char *path)
{
    p->configured = *path != 0;
    if (p->configured)
        p->status = status_read(path);
}

/* The first fault found is the one that is told: callers go from the worst to the least. */
__attribute__((format(printf, 4, 5))) static void fault(struct part *p, enum word word, int64_t since_ms, const char *fmt, ...)
{
    va_list ap;
    if (p->word != WORD_FINE)
        return;
    p->word = word;
    p->since_ms = since_ms;
    va_start(ap, fmt);
    vsnprintf(p->note, sizeof p->note, fmt, ap);
    va_end(ap);
}

/* Critical or warning by age, nothing when younger. */
static enum word by_age(int64_t age_s, int64_t warn_s, int64_t critical_s)
{
    return age_s > critical_s ? WORD_CRITICAL : age_s > warn_s ? WORD_WARNING : WORD_FINE;
}

static void judge_waiting(const struct report *r, struct part *p, enum word at)
{
    int64_t oldest = number(p->status, "oldest_ms"), beat = number(p->status, "peer_beat_ms"), gap = number(p->status, "gap_since_ms");
    int64_t warn = number(p->status, "warn_s"), crit = number(p->status, "critical_s");
    int64_t waited = oldest ? (r->now_ms - oldest) / 1000 : 0, silent = beat ? (r->now_ms - beat) / 1000 : 0, gapped = gap ? (r->now_ms - gap) / 1000 : 0;
    if (by_age(waited, warn, crit) == at)
        fault(p, at, oldest, say(r, "oldest record unacknowledged for %lld s: look at mover and gateway", "最早一条已 %lld 秒未被对侧确认：请查摆渡程序和边界平台"),
              (long long)waited);
    if (by_age(silent, warn, crit) == at)
        fault(p, at, beat, say(r, "peer silent for %lld s: look at the other side and the gateway", "对侧已 %lld 秒没有消息：请查对侧服务和边界平台"), (long long)silent);
    if (at == WORD_WARNING && gapped > warn)
        fault(p, at, gap, say(r, "%lld files of the peer's sequence missing for %lld s: look at the gateway's losses", "对侧文件序号缺 %lld 个已 %lld 秒：请查边界平台是否丢文件"),
              (long long)number(p->status, "gap"), (long long)gapped);
}

/* Judge one program by its last words, worst first. */
static void judge_side(const struct report *r, struct part *p)
{
    int64_t at = number(p->status, "at_ms");
    if (!status_runs(p->status, r->now_ms))
        fault(p, WORD_CRITICAL, at, say(r, "stopped %lld s ago: start it", "已停止 %lld 秒：请启动该服务"), (long long)((r->now_ms - at) / 1000));
    if (*text(p->status, "stopped"))
        fault(p, WORD_CRITICAL, at, "%s%.150s", say(r, "sending stands: ", "发送已停："), text(p->status, "stopped"));
    if (*text(p->status, "journal"))
        fault(p, WORD_CRITICAL, at, "%s%.150s", say(r, "journals do not agree: ", "两侧日志链不符："), text(p->status, "journal"));
    judge_waiting(r, p, WORD_CRITICAL);
    if (*text(p->status, "trouble"))
        fault(p, WORD_WARNING, at, "%s%.150s", say(r, "sending fails: ", "发送出错："), text(p->status, "trouble"));
    if (number(p->status, "held"))
        fault(p, WORD_WARNING, at, say(r, "%lld records held: see the exceptions page for reason and retry", "%lld 条暂存未处理：请在“异常处理”查看原因并重试"),
              (long long)number(p->status, "held"));
    judge_waiting(r, p, WORD_WARNING);
    if (number(p->status, "differences"))
        fault(p, WORD_WARNING, at, say(r, "%lld differences between the two sides' lists: ferry list differences", "两侧对账有 %lld 条差异：请看 ferry list differences"),
              (long long)number(p->status, "differences"));
    if (number(p->status, "quarantined"))
        fault(p, WORD_WARNING, at, say(r, "%lld files in quarantine: read their .reason", "隔离区有 %lld 个文件：请看同名 .reason"),
              (long long)number(p->status, "quarantined"));
    if (number(p->status, "key_warning"))
        fault(p, WORD_WARNING, at, "%s", say(r, "a key expires: change it (ferry key generate)", "密钥即将到期：请更换（ferry key generate）"));
    if (*text(p->status, "key_trouble"))
        fault(p, WORD_WARNING, at, "%s%.150s", say(r, "keys: ", "密钥："), text(p->status, "key_trouble"));
    if (strcmp(text(p->status, "word"), "fine") != 0)
        fault(p, strcmp(text(p->status, "word"), "critical") == 0 ? WORD_CRITICAL : WORD_WARNING, at, "%s",
              say(r, "the service itself is not content: read its log", "服务自报异常：请看其日志"));
}

static void judge_mover(const struct report *r, struct part *p)
{
    int64_t at = number(p->status, "at_ms");
    if (!status_runs(p->status, r->now_ms))
        fault(p, WORD_CRITICAL, at, say(r, "stopped %lld s ago: start ferry run", "已停止 %lld 秒：请启动 ferry run"), (long long)((r->now_ms - at) / 1000));
    if (*text(p->status, "trouble"))
        fault(p, WORD_CRITICAL, at, "%.190s", text(p->status, "trouble"));
    if (r->folders[4].files)
        fault(p, WORD_WARNING, r->folders[4].oldest_ms, say(r, "%lld files in quarantine: read their .reason", "隔离区有 %lld 个文件：请看同名 .reason"),
              (long long)r->folders[4].files);
}

/* Files that lie: nobody fetches an outbox, or nobody reads an inbox. Tells without any status file, and of a gateway that is not ours. */
static void judge_folder(struct report *r, struct folder_part *f)
{
    int64_t age = f->oldest_ms ? (r->now_ms - f->oldest_ms) / 1000 : 0;
    f->word = f->readable && strcmp(f->key, "quarantine") != 0 ? by_age(age, FILE_WARN_S, FILE_CRITICAL_S) : WORD_FINE;
}

static void judge_part(struct report *r, struct part *p)
{
    if (!p->configured)
        return;
    if (!p->status) {
        fault(p, WORD_UNKNOWN, 0, "%s", say(r, "no status file: never started, or not readable here", "没有状态文件：尚未启动，或此处读不到"));
        return;
    }
    if (strcmp(p->key, "status_file") == 0)
        judge_mover(r, p);
    else
        judge_side(r, p);
}

static void add_up(struct report *r, enum word word, int64_t since_ms)
{
    if (word == WORD_FINE || word == WORD_UNKNOWN)
        return;
    if (word > r->word)
        r->word = word;
    if (since_ms && (!r->since_ms || since_ms < r->since_ms))
        r->since_ms = since_ms;
}

static void judge(struct report *r)
{
    bool known = false, unknown = false;
    for (int i = 0; i < 3; i++) {
        judge_part(r, &r->parts[i]);
        known = known || r->parts[i].status;
        unknown = unknown || r->parts[i].word == WORD_UNKNOWN;
        add_up(r, r->parts[i].word, r->parts[i].since_ms);
    }
    for (int i = 0; i < 5; i++) {
        judge_folder(r, &r->folders[i]);
        add_up(r, r->folders[i].word, r->folders[i].oldest_ms);
    }
    /* What cannot be seen is not fine, but a fault that is seen weighs more. */
    if ((unknown || !known) && r->word == WORD_FINE)
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
        size_t len = strlen(list[i].name);
        if (len > 7 && strcmp(list[i].name + len - 7, ".reason") == 0)
            continue;
        f->files++;
        if (!f->oldest_ms || list[i].mtime_ms < f->oldest_ms)
            f->oldest_ms = list[i].mtime_ms;
    }
    if (f->readable)
        free(list);
    close(fd);
}

/* From 60 days before its expiry on; an expired key goes on working until somebody changes it. */
static void print_keys(const struct report *r, const struct part *p)
{
    size_t i;
    json_t *k;
    json_array_foreach(json_object_get(p->status, "keys"), i, k) {
        const char *state = text(k, "state");
        const long long days = (long long)number(k, "days");
        if (days >= 60 || strcmp(state, "retired") == 0 || strcmp(state, "revoked") == 0)
            continue;
        if (days < 0)
            printf(say(r, "    key %s expired %lld days ago: change it\n", "    密钥 %s 已过期 %lld 天：请更换\n"), text(k, "id"), -days);
        else
            printf(say(r, "    key %s expires in %lld days: change it\n", "    密钥 %s 还有 %lld 天到期：请更换\n"), text(k, "id"), days);
    }
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
    print_keys(r, p);
}

static void print_people(const struct report *r)
{
    char at[21];
    printf("%s%s", say(r, "Ferry: ", "摆渡："), r->zh ? words_zh[r->word] : words_en[r->word]);
    if (r->since_ms) {
        clock_rfc3339(at, r->since_ms + 8 * 3600 * 1000);
        printf(say(r, " since %.10s %.8s (Beijing)", "，自 %.10s %.8s 起"), at, at + 11);
    }
    putchar('\n');
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
            printf(say(r, "  %s  %llu files, oldest %lld s%s\n", "  %s  %llu 个文件，最早 %lld 秒%s\n"), f->key, (unsigned long long)f->files,
                   (long long)((r->now_ms - f->oldest_ms) / 1000),
                   f->word == WORD_FINE ? "" : say(r, ": nobody fetches them: look at who reads this folder", "：无人取走，请查读取此目录的程序"));
    }
}

static void print_json(const struct report *r)
{
    json_t *parts = json_object(), *folders = json_object();
    for (int i = 0; i < 3; i++) {
        const struct part *p = &r->parts[i];
        json_object_set_new(parts, p->en, json_pack("{s:b, s:s, s:I, s:s, s:O?}", "configured", p->configured, "word", words_en[p->word], "since_ms", (json_int_t)p->since_ms, "note", p->note, "status", p->status));
    }
    for (int i = 0; i < 5; i++)
        json_object_set_new(folders, r->folders[i].key, json_pack("{s:b, s:s, s:I, s:I}", "readable", r->folders[i].readable, "word", words_en[r->folders[i].word], "files", (json_int_t)r->folders[i].files,
                                                                  "oldest_ms", (json_int_t)r->folders[i].oldest_ms));
    json_t *all = json_pack("{s:s, s:I, s:I, s:o, s:o}", "word", words_en[r->word], "at_ms", (json_int_t)r->now_ms, "since_ms", (json_int_t)r->since_ms, "programs", parts, "folders", folders);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(all);
}

static void print_prometheus(const struct report *r)
{
    static const char *const gauges[] = {"queued", "unacked", "unconfirmed", "held", "waiting", "refused", "quarantined", "gap", "key_warning", "differences"};
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

static int report(const struct config *c, const struct arguments *a)
{
    static const char *const folder_keys[] = {"internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine"};
    struct report r = {.zh = speaks_chinese(), .now_ms = clock_wall_ms(),
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
    if (arguments_option(a, "--json"))
        print_json(&r);
    else if (arguments_option(a, "--prometheus"))
        print_prometheus(&r);
    else
        print_people(&r);
    for (int i = 0; i < 3; i++)
        json_decref(r.parts[i].status);
    return (int)r.word;
}

int command_status(const struct config *c, const struct arguments *a)
{
    int word = report(c, a);
    while (arguments_option(a, "--watch") && fflush(stdout) == 0) {
        sleep(2);
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        word = report(c, a);
    }
    return word;
}
