/* doctor.c - ferry doctor: is everything as it must be, each line with what to type. Works while services are stopped, and on one side's host alone. */
#include "ferry/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "common/clock.h"
#include "ferry/lib/command.h"
#include "ferry/lib/envelope.h"
#include "ferry/status.h"

#define SKEW_WARN_S 30
#define SKEW_FAULT_S 240                 /* the five minutes are measured by these clocks */

static const char *const words[][2] = {{"ok", "正常"}, {"warning", "警告"}, {"fault", "故障"}};

void doctor_say(struct doctor *d, int word, const char *check, const char *type, const char *fmt, ...)
{
    char says[1200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(says, sizeof says, fmt, ap);
    va_end(ap);
    json_array_append_new(d->rows, json_pack("{s:s, s:s, s:s, s:s}", "check", check, "word", words[word][0], "says", says, "type", type));
    if (word > d->worst)
        d->worst = word;
}

struct doctor_side doctor_side(const struct doctor *d, bool intranet)
{
    static const struct doctor_side sides[] = {
        {.name = "internet", .status_key = "internet_status", .commands_key = "internet_commands", .data_key = "internet_data", .keys_key = "internet_keys", .vault_key = "",
         .quarantine_key = "internet_quarantine", .outbox_key = "internet_outbox", .inbox_key = "internet_inbox"},
        {.name = "intranet", .status_key = "intranet_status", .commands_key = "intranet_commands", .data_key = "intranet_data", .keys_key = "intranet_keys", .vault_key = "intranet_vault",
         .quarantine_key = "intranet_quarantine", .outbox_key = "intranet_outbox", .inbox_key = "intranet_inbox"}};
    struct doctor_side s = sides[intranet];
    const char *const keys[] = {s.status_key, s.commands_key, s.data_key, s.keys_key, s.vault_key};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        s.here = s.here || (*keys[i] && *config_text(d->c, keys[i]));
    return s;
}

/* --- programs --- */

static long long number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* Its file was replaced by a newer one while it ran. */
static bool old_program(long long pid)
{
    char path[64], exe[600];
    snprintf(path, sizeof path, "/proc/%lld/exe", pid);
    ssize_t n = readlink(path, exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    return n > 10 && strcmp(exe + n - 10, " (deleted)") == 0;
}

static void check_program(struct doctor *d, const char *name, const char *key)
{
    char check[40], type[80];
    const char *path = config_text(d->c, key);
    snprintf(check, sizeof check, "program %s", name);
    snprintf(type, sizeof type, "systemctl start huzheng-%s", strcmp(name, "mover") == 0 ? "ferry" : name);
    if (!*path)
        return;
    json_t *s = status_read(path);
    long long age_s = s ? (d->now_ms - number(s, "at_ms")) / 1000 : 0;
    if (!s)
        doctor_say(d, DOCTOR_WARNING, check, type, told("no status in %s: never started, or not readable for this user", "%s 中没有状态：尚未启动，或当前用户不可读"), path);
    else if (age_s < -5)
        doctor_say(d, DOCTOR_FAULT, check, "timedatectl", told("its status is of the future (%lld s): the clock was set back", "状态时间在未来（%lld 秒）：时钟被调回"), -age_s);
    else if (!status_runs(s, d->now_ms))
        doctor_say(d, DOCTOR_FAULT, check, type, told("stopped %lld s ago", "已停止 %lld 秒"), age_s);
    else if (old_program(number(s, "pid"))) {
        snprintf(type, sizeof type, "systemctl restart huzheng-%s", strcmp(name, "mover") == 0 ? "ferry" : name);
        doctor_say(d, DOCTOR_WARNING, check, type, "%s", told("runs, but its program file was replaced since: an older version is at work", "在运行，但程序文件已更新：仍是旧版本"));
    } else
        doctor_say(d, DOCTOR_OK, check, "", told("runs, status %lld s old", "在运行，状态 %lld 秒前"), age_s);
    json_decref(s);
}

static void check_peer(struct doctor *d, const struct doctor_side *side)
{
    char check[40];
    json_t *s = *config_text(d->c, side->status_key) ? status_read(config_text(d->c, side->status_key)) : NULL;
    snprintf(check, sizeof check, "protocol %s", side->name);
    long long own = number(s, "protocol"), peer = number(s, "peer_protocol"), skew_s = number(s, "peer_clock_ms") / 1000, beat = number(s, "peer_beat_ms");
    if (s && !peer)
        doctor_say(d, DOCTOR_WARNING, check, "ferry status", "%s", told("the peer was not heard since the start: its version is not known", "启动以来未收到对侧消息：不知其版本"));
    else if (s)
        doctor_say(d, own == peer ? DOCTOR_OK : DOCTOR_WARNING, check, own == peer ? "" : told("update the older side", "请升级较旧的一侧"), told("ours %lld, the peer's %lld", "本侧 %lld，对侧 %lld"), own, peer);
    snprintf(check, sizeof check, "clock %s", side->name);
    if (s && beat) {
        long long off = skew_s < 0 ? -skew_s : skew_s;
        doctor_say(d, off > SKEW_FAULT_S ? DOCTOR_FAULT : off > SKEW_WARN_S ? DOCTOR_WARNING : DOCTOR_OK, check, off > SKEW_WARN_S ? "timedatectl" : "",
                   told("the peer's last beat bears a time %lld s %s ours, its way included", "对侧最近一次心跳的时间比本机%lld 秒%s（含路上时间）"), off, skew_s > 0 ? told("ahead of", "快") : told("behind", "慢"));
    }
    json_decref(s);
}

static void check_sync(struct doctor *d)
{
    struct timex t = {.modes = 0};
    if (adjtimex(&t) < 0)
        doctor_say(d, DOCTOR_WARNING, "clock", "timedatectl", "%s", told("whether it is synchronised cannot be read here", "此处读不到时钟同步状态"));
    else if (t.status & STA_UNSYNC)
        doctor_say(d, DOCTOR_WARNING, "clock", "timedatectl set-ntp true", "%s", told("not synchronised (NTP)", "未与时间源（NTP）同步"));
    else
        doctor_say(d, DOCTOR_OK, "clock", "", told("synchronised, error at most %ld ms", "已同步，误差至多 %ld 毫秒"), t.maxerror / 1000);
}

/* --- output --- */

static void print(const struct doctor *d)
{
    size_t i;
    json_t *r;
    json_array_foreach(d->rows, i, r) {
        const char *word = json_string_value(json_object_get(r, "word")), *type = json_string_value(json_object_get(r, "type"));
        size_t w = 0;
        while (strcmp(words[w][0], word) != 0)
            w++;
        printf("%-8s %-24s %s\n", told(words[w][0], words[w][1]), json_string_value(json_object_get(r, "check")), json_string_value(json_object_get(r, "says")));
        if (type && *type)
            printf("         %s %s\n", told("->", "→"), type);
    }
    printf("%s%s\n", told("Doctor: ", "体检："), told(words[d->worst][0], words[d->worst][1]));
}

static void look(struct doctor *d)
{
    check_program(d, "internet", "internet_status");
    check_program(d, "intranet", "intranet_status");
    check_program(d, "mover", "status_file");
    for (int i = 0; i < 2; i++) {
        struct doctor_side s = doctor_side(d, i == 1);
        if (s.here) {
            check_peer(d, &s);
            doctor_modes(d, &s);
            doctor_keys(d, &s);
        }
        doctor_folders(d, &s);
    }
    doctor_lanes(d);
    doctor_space(d);
    check_sync(d);
}

int command_doctor(const struct config *c, const struct arguments *a)
{
    struct doctor d = {.c = c, .now_ms = clock_wall_ms(), .rows = json_array()};
    if (arguments_option(a, "--gateway"))
        doctor_gateway(&d, a);
    else
        look(&d);
    if (arguments_option(a, "--json")) {
        json_t *all = json_pack("{s:s, s:I, s:O}", "word", words[d.worst][0], "at_ms", (json_int_t)d.now_ms, "checks", d.rows);
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        putchar('\n');
        json_decref(all);
    } else
        print(&d);
    json_decref(d.rows);
    return d.worst;
}
