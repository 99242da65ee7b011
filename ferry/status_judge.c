/* status_judge.c - from a program's last words and the folders to alarms, each with a sentence and what to type. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "ferry/status.h"

const char *const alarm_words[] = {"no-status", "stopped", "sending-stands", "journal", "unacknowledged", "peer-silent", "trouble", "overdue", "held", "waiting",
                                   "gap", "peer-new", "differences", "quarantine", "key-expiry", "key-trouble", "drained", "configuration", "not-content", "folder", "disk"};
_Static_assert(sizeof alarm_words / sizeof alarm_words[0] == ALARM__COUNT, "each alarm has a word");

/* Each "%s" of `type` becomes the side. */
__attribute__((format(printf, 6, 7))) static void say(struct part *p, enum alarm alarm, enum word word, int64_t since_ms, const char *type, const char *fmt, ...)
{
    struct alarm_said *s = &p->alarms[p->nalarms++];
    size_t n = 0;
    va_list ap;
    s->alarm = alarm;
    s->word = word;
    s->since_ms = since_ms;
    for (const char *at = type, *next; *at && n < sizeof s->type; at = next) {
        next = strstr(at, "%s");
        const int len = next ? (int)(next - at) : (int)strlen(at);
        n += (size_t)snprintf(s->type + n, sizeof s->type - n, "%.*s%s", len, at, next ? p->side : "");
        next = next ? next + 2 : at + len;
    }
    va_start(ap, fmt);
    vsnprintf(s->says, sizeof s->says, fmt, ap);
    va_end(ap);
    text_mend(s->says, '?');             /* what was cut within a character JSON could not say, and the alarm would be missing there */
    text_mend(s->type, '?');
}

/* Critical or warning by age, nothing when younger. */
static enum word by_age(int64_t age_s, int64_t warn_s, int64_t critical_s)
{
    return age_s > critical_s ? WORD_CRITICAL : age_s > warn_s ? WORD_WARNING : WORD_FINE;
}

static int64_t age_s(const struct report *r, const struct part *p, const char *key)
{
    const long long at = status_number(p->status, key);
    return at ? (r->now_ms - at) / 1000 : 0;
}

/* Since when a fault of its status file is there, 0 = it does not say. */
static int64_t since(const struct part *p, const char *what)
{
    return status_number(json_object_get(p->status, "since"), what);
}

/* What the programs say of themselves in English, where it is one of a few known sentences. */
static const char *in_words(const char *text)
{
    static const struct { const char *part, *zh; } known[] = {
        {"numbers that this database never gave out", "对侧确认过本库没有发过的编号，本库可能由旧备份恢复"},
        {"our journal went back", "本侧日志链变短，本库可能由旧备份恢复"},
        {"our journal is not the one", "本侧日志链与对侧所见不同，可能由备份恢复或被改动"},
        {"the peer's journal went back", "对侧日志链变短，对侧可能由旧备份恢复或被改动"},
        {"the peer's journal has another head", "对侧日志链与此前所见不同，可能被改动"},
        {"does not continue what we heard", "对侧日志链与此前所见不衔接，可能被改动"},
        {"was not shown to continue", "对侧日志链已一小时未能证明衔接，可能被改动"},
        {"No space left", "磁盘已满"},
        {"Read-only file system", "文件系统为只读"},
        {"Permission denied", "没有权限"},
        {"Too many open files", "打开的文件过多，请查 LimitNOFILE"},
        {"Input/output error", "磁盘读写错误，请查硬件"},
        {"database is locked", "数据库被其他程序锁住"},
        {"No such file or directory", "文件或目录不存在"},
    };
    for (size_t i = 0; speaks_chinese() && i < sizeof known / sizeof known[0]; i++)
        if (strstr(text, known[i].part))
            return known[i].zh;
    return text;
}

static void judge_stopped(const struct report *r, struct part *p)
{
    const long long at = status_number(p->status, "at_ms");
    const char *unit = strcmp(p->side, "") == 0 ? "ferry" : p->side;
    char type[80];
    snprintf(type, sizeof type, "systemctl start huzheng-%s; journalctl -u huzheng-%s -n 20", unit, unit);
    if (!status_runs(p->status, r->now_ms))
        say(p, ALARM_STOPPED, WORD_CRITICAL, at, type, told("stopped %lld s ago: start it", "已停止 %lld 秒：请启动该服务"), (r->now_ms - at) / 1000);
}

static void judge_ages(const struct report *r, struct part *p)
{
    const int64_t warn = status_number(p->status, "warn_s"), crit = status_number(p->status, "critical_s");
    const int64_t oldest = age_s(r, p, "oldest_ms"), silent = age_s(r, p, status_heard(p->status)), gap = age_s(r, p, "gap_since_ms"), waits = age_s(r, p, "waiting_ms");
    if (by_age(oldest, warn, crit) != WORD_FINE)
        say(p, ALARM_UNACKNOWLEDGED, by_age(oldest, warn, crit), status_number(p->status, "oldest_ms"), "ferry list files --side %s; ferry doctor --gateway",
            told("oldest record unacknowledged for %lld s: look at mover and gateway", "最早一条已 %lld 秒未被对侧确认：请查摆渡程序和边界平台"), (long long)oldest);
    if (by_age(silent, warn, crit) != WORD_FINE)
        say(p, ALARM_SILENT, by_age(silent, warn, crit), status_number(p->status, status_heard(p->status)), "ferry doctor --gateway",
            told("peer silent for %lld s: look at the other side and the gateway", "对侧已 %lld 秒没有消息：请查对侧服务和边界平台"), (long long)silent);
    if (gap > warn)
        say(p, ALARM_GAP, WORD_WARNING, status_number(p->status, "gap_since_ms"), "ferry quarantine; ferry doctor --gateway",
            told("%lld files of the peer's sequence missing for %lld s: look at the gateway's losses", "对侧文件序号缺 %lld 个已 %lld 秒：请查边界平台是否丢文件"), status_number(p->status, "gap"), (long long)gap);
    if (waits > warn)
        say(p, ALARM_WAITING, WORD_WARNING, status_number(p->status, "waiting_ms"), "ferry list open --side %s",
            told("%lld records wait for %lld s for an earlier one of their case", "%lld 条等前一条到达已 %lld 秒"), status_number(p->status, "waiting"), (long long)waits);
}

/* Each is a fact of the status file that is wrong as long as it is there. */
static void judge_counts(struct part *p)
{
    const json_t *s = p->status, *today = json_object_get(s, "today");
    if (status_number(today, "late_5"))
        say(p, ALARM_OVERDUE, WORD_WARNING, since(p, "overdue"), "ferry list out --side %s",
            told("%lld records of over 5 minutes are still under way (%lld of over 10)", "%lld 条已超 5 分钟仍在途（其中 %lld 条超 10 分钟）"), status_number(today, "late_5"), status_number(today, "late_10"));
    else if (status_number(today, "late_10"))       /* the records are there, what belongs to them is not: nothing else would say so */
        say(p, ALARM_OVERDUE, WORD_WARNING, since(p, "overdue"), "ferry list out --side %s; ferry doctor --gateway",
            told("%lld applications are not whole on the other side after 10 minutes: images under way, or held there", "%lld 件超 10 分钟仍未全部入库：图片在途，或对侧暂存"), status_number(today, "late_10"));
    if (status_number(s, "held"))
        say(p, ALARM_HELD, WORD_WARNING, since(p, "held"), "ferry list held --side %s; ferry retry all --side %s", told("%lld records held: read the reason, mend it, retry", "%lld 条暂存未处理：请看原因，排除后重试"), status_number(s, "held"));
    if (status_true(s, "peer_new"))
        say(p, ALARM_PEER_NEW, WORD_WARNING, since(p, "peer_new"), told("on the other side: ferry resync", "在对侧执行：ferry resync"), "%s",
            told("the peer began a new stream and did not resync: was it emptied or restored?", "对侧换了新的批次序列却未重新对齐：是否被清空或由备份恢复？"));
    if (status_number(s, "differences"))
        say(p, ALARM_DIFFERENCES, WORD_WARNING, since(p, "differences"), "ferry list differences --side %s", told("%lld differences between the two sides' lists", "两侧对账有 %lld 条差异"), status_number(s, "differences"));
    if (status_number(s, "quarantined"))
        say(p, ALARM_QUARANTINE, WORD_WARNING, since(p, "quarantined"), "ferry quarantine", told("%lld files in quarantine: read their .reason", "隔离区有 %lld 个文件：请看同名 .reason"), status_number(s, "quarantined"));
    if (status_number(s, "key_warning"))
        say(p, ALARM_KEY_EXPIRY, WORD_WARNING, since(p, "key_warning"), "ferry key list --side %s", "%s", told("a key expires: change it (ferry key generate)", "密钥即将到期：请更换（ferry key generate）"));
    if (*status_text(s, "key_trouble"))
        say(p, ALARM_KEY_TROUBLE, WORD_WARNING, since(p, "key_trouble"), "ferry key list --side %s", "%s%.150s", told("keys: ", "密钥："), status_text(s, "key_trouble"));
    if (status_true(s, "drained"))
        say(p, ALARM_DRAINED, WORD_WARNING, since(p, "drained"), "ferry resume --side %s", "%s", told("drained: nothing new is accepted until somebody resumes", "已停止受理新件（drain），恢复前群众无法提交"));
}

/* Only the intranet gives numbers out: an internet side ahead of it works by rules that nobody here released. */
static void judge_configuration(const struct report *r, struct part *p)
{
    const long long own = status_number(p->status, "config"), peer = status_number(p->status, "peer_config"), at = since(p, "configuration");
    const bool inner = strcmp(p->side, "intranet") == 0;
    const long long ours = inner ? own : peer, theirs = inner ? peer : own, age = at ? (r->now_ms - at) / 1000 : 0;
    if (!own || !peer || own == peer)
        return;
    if (theirs > ours)
        say(p, ALARM_CONFIGURATION, WORD_CRITICAL, at, "ferry list out --side intranet; ferry doctor",
            told("the internet side names configuration v%lld, the intranet's is v%lld: was the intranet restored?", "互联网侧用的配置 v%lld 公安网没有（公安网 v%lld）：公安网是否由备份恢复？"), theirs, ours);
    else if (by_age(age, CONFIGURATION_WARN_S, CONFIGURATION_CRITICAL_S) != WORD_FINE)
        say(p, ALARM_CONFIGURATION, by_age(age, CONFIGURATION_WARN_S, CONFIGURATION_CRITICAL_S), at, "ferry list out --side intranet; ferry list held --side internet",
            told("configurations differ for %lld s: intranet v%lld, internet v%lld", "两侧配置版本不一致已 %lld 秒：公安网 v%lld，互联网 v%lld"), age, ours, theirs);
}

static void judge_side(const struct report *r, struct part *p)
{
    const json_t *s = p->status;
    const char *own = status_text(s, "word");
    judge_stopped(r, p);
    if (*status_text(s, "stopped"))
        say(p, ALARM_STANDS, WORD_CRITICAL, since(p, "stopped"), "ferry resync --side %s", "%s%.150s", told("sending stands: ", "发送已停："), in_words(status_text(s, "stopped")));
    if (*status_text(s, "journal"))
        say(p, ALARM_JOURNAL, WORD_CRITICAL, since(p, "journal"), told("restored: ferry resync --side %s; else keep everything as it is", "确系恢复：ferry resync --side %s；否则保持原样并报告"), "%s%.150s",
            told("journals do not agree: ", "两侧日志链不符："), in_words(status_text(s, "journal")));
    judge_ages(r, p);
    if (*status_text(s, "trouble"))
        say(p, ALARM_TROUBLE, WORD_WARNING, since(p, "trouble"), "ferry doctor; journalctl -u huzheng-%s -p err -n 20", "%s%.150s", told("sending fails: ", "收发出错："), in_words(status_text(s, "trouble")));
    judge_counts(p);
    judge_configuration(r, p);
    if (strcmp(own, "fine") != 0 && p->nalarms == 0)
        say(p, ALARM_NOT_CONTENT, strcmp(own, "critical") == 0 ? WORD_CRITICAL : WORD_WARNING, 0, "journalctl -u huzheng-%s -n 50", "%s", told("the service itself is not content: read its log", "服务自报异常：请看其日志"));
}

static void judge_mover(const struct report *r, struct part *p)
{
    const struct folder_part *aside = &r->folders[STATUS_FOLDERS - 1];
    judge_stopped(r, p);
    if (*status_text(p->status, "trouble"))
        say(p, ALARM_TROUBLE, WORD_CRITICAL, since(p, "trouble"), "ferry doctor", "%s%.190s", told("carrying fails: ", "搬运出错："), in_words(status_text(p->status, "trouble")));
    if (aside->files)
        say(p, ALARM_QUARANTINE, WORD_WARNING, aside->oldest_ms, "ferry quarantine", told("%lld files in quarantine: read their .reason", "隔离区有 %lld 个文件：请看同名 .reason"), (long long)aside->files);
}

static void judge_part(struct report *r, struct part *p)
{
    if (!p->configured)
        return;
    if (!p->status)
        say(p, ALARM_NO_STATUS, WORD_UNKNOWN, 0, "ferry doctor", "%s", told("no status file: never started, or not readable here", "没有状态文件：尚未启动，或此处读不到"));
    else if (strcmp(p->side, "") == 0)
        judge_mover(r, p);
    else
        judge_side(r, p);
    for (size_t i = 0; i < p->nalarms; i++)
        if (p->alarms[i].word > p->word)
            p->word = p->alarms[i].word;
}

/* Files that lie: nobody fetches an outbox, or nobody reads an inbox. Tells without any status file, and of a gateway that is not ours. */
static void judge_folder(struct report *r, struct folder_part *f)
{
    const int64_t age = f->oldest_ms ? (r->now_ms - f->oldest_ms) / 1000 : 0;
    f->word = f->readable && strcmp(f->key, "quarantine") != 0 ? by_age(age, FILE_WARN_S, FILE_CRITICAL_S) : WORD_FINE;
}

static void judge_volume(struct volume_part *v)
{
    v->word = v->free < 0 ? WORD_FINE : v->free * 100 < FREE_CRITICAL ? WORD_CRITICAL : v->free * 100 < FREE_WARN ? WORD_WARNING : WORD_FINE;
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

void status_judge(struct report *r)
{
    bool known = false, unknown = false;
    for (int i = 0; i < STATUS_PARTS; i++) {
        struct part *p = &r->parts[i];
        judge_part(r, p);
        known = known || p->status;
        unknown = unknown || p->word == WORD_UNKNOWN;
        for (size_t k = 0; k < p->nalarms; k++)
            add_up(r, p->alarms[k].word, p->alarms[k].since_ms);
    }
    for (int i = 0; i < STATUS_FOLDERS; i++) {
        judge_folder(r, &r->folders[i]);
        add_up(r, r->folders[i].word, r->folders[i].oldest_ms);
    }
    for (int i = 0; i < STATUS_VOLUMES; i++) {
        judge_volume(&r->volumes[i]);
        add_up(r, r->volumes[i].word, 0);
    }
    /* What cannot be seen is not fine, but a fault that is seen weighs more. */
    if ((unknown || !known) && r->word == WORD_FINE)
        r->word = WORD_UNKNOWN;
}
