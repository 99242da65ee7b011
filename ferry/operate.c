/* operate.c - verbs that a running service does: asked over its command folder, told as a table or as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"
#include "ferry/lib/command.h"
#include "ferry/operate.h"

#define ANSWER_S 30
#define RETRY_S 600                      /* each held record goes through the parser again */
#define WAIT_S 300

int operate_side(struct side *out, const struct config *c, const struct arguments *a)
{
    const char *internet = config_text(c, "internet_commands"), *intranet = config_text(c, "intranet_commands"), *side = arguments_option(a, "--side");
    if (!side && *internet && !*intranet)
        side = "internet";
    if (!side && *intranet && !*internet)
        side = "intranet";
    if (!side) {
        fprintf(stderr, "ferry %s: %s\n", a->verb, told("which side? --side internet or --side intranet", "请指明一侧：--side internet 或 --side intranet"));
        return 2;
    }
    bool inner = strcmp(side, "intranet") == 0;
    *out = (struct side){.name = side, .commands = inner ? intranet : internet, .outbox = config_text(c, inner ? "intranet_outbox" : "internet_outbox"),
                         .inbox = config_text(c, inner ? "intranet_inbox" : "internet_inbox"), .key = config_text(c, inner ? "intranet_key" : "internet_key"),
                         .peer_key = config_text(c, inner ? "internet_key" : "intranet_key")};
    if (*out->commands)
        return 0;
    fprintf(stderr, "ferry %s: %s_commands: %s\n", a->verb, side, told("not in the configuration of this host", "本机配置中没有"));
    return 2;
}

int operate_ask(const struct side *s, const char *verb, json_t *args, unsigned wait_s, json_t **answer)
{
    struct err e = {0};
    int rc = command_ask(s->commands, verb, args, wait_s, answer, &e);
    json_decref(args);
    if (rc < 0)
        fprintf(stderr, "ferry %s: %s\n", verb, e.msg);
    return rc < 0 ? 1 : 0;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static long long number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static int tell_json(const struct arguments *a, const json_t *answer)
{
    if (!arguments_option(a, "--json"))
        return 0;
    json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    return 1;
}

static const char *state_told(const char *state)
{
    static const char *const words[][2] = {{"sealed", "已封装待发"}, {"sent", "已发出"}, {"crossing", "过境中"}, {"received", "对侧已收"}, {"confirmed", "对侧已入库"}, {"held", "暂存"},
                                           {"refused", "拒收"}, {"waiting", "等前一条"}, {"applied", "已处理"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], state) == 0)
            return told(words[i][0], words[i][1]);
    return state;
}

static void print_row(const json_t *r)
{
    char at[21];
    clock_rfc3339(at, number(r, "at_ms") + 8 * 3600 * 1000);
    printf("%.10s %.8s  %s  %s  %-18s %s #%lld", at, at + 11, strcmp(text(r, "direction"), "out") == 0 ? told("out", "发") : told("in ", "收"), text(r, "id"), text(r, "kind"),
           *text(r, "case") ? text(r, "case") : "-", number(r, "seq"));
    printf("  %s%s", state_told(text(r, "state")), json_is_true(json_object_get(r, "overdue")) ? told(" OVERDUE", " 超时") : "");
    if (number(r, "number") && number(r, "sends"))
        printf(told("  file %lld sent %lld times", "  文件 %lld 发送 %lld 次"), number(r, "number"), number(r, "sends"));
    if (*text(r, "reason"))
        printf("\n    %s", text(r, "reason"));
    putchar('\n');
}

static void print_file(const json_t *r)
{
    char at[21] = "-";
    if (number(r, "first_ms"))
        clock_rfc3339(at, number(r, "first_ms") + 8 * 3600 * 1000);
    if (*at != '-')
        at[10] = ' ', at[19] = 0;        /* Beijing time: no Z */
    printf(told("file %lld  %s  %s%s  first sent %s  %lld times  %lld bytes\n", "文件 %lld  %s  %s%s  首发 %s  %lld 次  %lld 字节\n"), number(r, "number"), text(r, "kind"),
           state_told(text(r, "state")), json_is_true(json_object_get(r, "overdue")) ? told(" OVERDUE", " 超时") : "", at, number(r, "sends"), number(r, "bytes"));
}

static void print_rows(const json_t *answer)
{
    size_t i;
    json_t *r, *rows = json_object_get(answer, "rows");
    json_array_foreach(rows, i, r) {
        if (json_object_get(r, "direction"))
            print_row(r);
        else if (json_object_get(r, "difference"))
            printf(told("difference %lld  %s  %s %s  case %s\n    other side: %s\n    this side: %s\n", "差异 %lld  %s  %s %s  受理号 %s\n    对侧：%s\n    本侧：%s\n"), number(r, "difference"),
                   text(r, "day"), text(r, "kind"), text(r, "subject"), *text(r, "case") ? text(r, "case") : "-", text(r, "peer"), text(r, "own"));
        else if (json_object_get(r, "number"))
            print_file(r);
        else
            printf("%s  %s\n", text(r, "id"), state_told(text(r, "word")));
    }
    if (json_array_size(rows) == 0)
        printf("%s\n", told("nothing", "没有"));
}

static int ask_rows(const struct config *c, const struct arguments *a, const char *verb, json_t *args, unsigned wait_s)
{
    struct side s;
    json_t *answer;
    int rc = operate_side(&s, c, a);
    if (rc) {
        json_decref(args);
        return rc;
    }
    if (operate_ask(&s, verb, args, wait_s, &answer))
        return 1;
    if (!tell_json(a, answer))
        print_rows(answer);
    json_decref(answer);
    return 0;
}

int command_list(const struct config *c, const struct arguments *a)
{
    const char *what = arguments_word(a, 0);
    return ask_rows(c, a, "list", json_pack("{s:s}", "what", what ? what : "open"), ANSWER_S);
}

int command_show(const struct config *c, const struct arguments *a)
{
    return ask_rows(c, a, "show", json_pack("{s:s}", "id", arguments_word(a, 0)), ANSWER_S);
}

int command_retry(const struct config *c, const struct arguments *a)
{
    return ask_rows(c, a, "retry", json_pack("{s:s}", "id", arguments_word(a, 0)), RETRY_S);
}

int command_discard(const struct config *c, const struct arguments *a)
{
    const char *reason = arguments_option(a, "--reason");
    struct side s;
    json_t *answer;
    if (!reason || !*reason) {
        fprintf(stderr, "ferry discard: %s\n", told("want --reason TEXT: its sender is told", "请用 --reason 写明原因，会告知对侧"));
        return 2;
    }
    int rc = operate_side(&s, c, a);
    if (rc || operate_ask(&s, "discard", json_pack("{s:s, s:s}", "id", arguments_word(a, 0), "reason", reason), ANSWER_S, &answer))
        return rc ? rc : 1;
    if (!tell_json(a, answer))
        printf("%s  %s\n", text(answer, "id"), state_told(text(answer, "word")));
    json_decref(answer);
    return 0;
}

static unsigned wait_of(const struct arguments *a)
{
    const char *w = arguments_option(a, "--wait");
    return w ? (unsigned)strtoul(w, NULL, 10) : WAIT_S;
}

static void print_left(const json_t *v)
{
    printf(told("queued %lld · files unacknowledged %lld · unconfirmed items %lld\n", "待发 %lld · 未确认文件 %lld · 待对侧入库 %lld\n"), number(v, "queued"), number(v, "unacked"),
           number(v, "unconfirmed"));
    fflush(stdout);
}

int command_drain(const struct config *c, const struct arguments *a)
{
    struct side s;
    json_t *v;
    int64_t end = clock_mono_ms() + wait_of(a) * 1000LL;
    long long left = 1;
    int rc = operate_side(&s, c, a);
    while (rc == 0 && left) {
        if (operate_ask(&s, "drain", json_object(), ANSWER_S, &v))
            return 1;
        left = number(v, "queued") + number(v, "unacked") + number(v, "unconfirmed");
        if (!tell_json(a, v))
            print_left(v);
        json_decref(v);
        if (left && clock_mono_ms() >= end) {
            fprintf(stderr, "ferry drain: %s\n", told("not empty yet; nothing new is accepted, ask again", "尚未排空；已停止受理新件，请稍后再查"));
            return 1;
        }
        if (left)
            sleep(1);
    }
    return rc;
}

int command_resume(const struct config *c, const struct arguments *a)
{
    struct side s;
    json_t *v;
    int rc = operate_side(&s, c, a);
    if (rc || operate_ask(&s, "resume", json_object(), ANSWER_S, &v))
        return rc ? rc : 1;
    if (!tell_json(a, v))
        print_left(v);
    json_decref(v);
    return 0;
}

/* Only the internet side has citizens who search. */
int command_searches(const struct config *c, const struct arguments *a)
{
    const struct side s = {.name = "internet", .commands = config_text(c, "internet_commands")};
    json_t *v;
    if (!*s.commands) {
        fprintf(stderr, "ferry searches: %s\n", told("internet_commands: not in the configuration of this host", "本机配置中没有 internet_commands"));
        return 2;
    }
    if (operate_ask(&s, "searches", json_object(), ANSWER_S, &v))
        return 1;
    if (!tell_json(a, v))
        printf(told("%lld different searches sent\n", "已送出 %lld 种没有找到的搜索\n"), number(v, "sent"));
    json_decref(v);
    return 0;
}

int command_resync(const struct config *c, const struct arguments *a)
{
    struct side s;
    json_t *v;
    int64_t end = clock_mono_ms() + wait_of(a) * 1000LL;
    int rc = operate_side(&s, c, a);
    if (rc || operate_ask(&s, "resync", json_object(), ANSWER_S, &v))
        return rc ? rc : 1;
    json_decref(v);
    for (;;) {
        if (operate_ask(&s, "resync-state", json_object(), ANSWER_S, &v))
            return 1;
        bool done = !*text(v, "state");
        printf("%s %lld\n", done ? told("aligned, questions", "已对齐，询问次数") : told("under way, question", "进行中，第几次询问"), number(v, "part"));
        fflush(stdout);
        json_decref(v);
        if (done)
            return 0;
        if (clock_mono_ms() >= end)
            break;
        sleep(1);
    }
    fprintf(stderr, "ferry resync: %s\n", told("not finished yet: it goes on by itself; see ferry status", "尚未完成，会自动继续；请看 ferry status"));
    return 1;
}
