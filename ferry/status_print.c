/* status_print.c - one screen for people, and JSON. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/status.h"

static const char *word_told(enum word w)
{
    return told(words_en[w], words_zh[w]);
}

/* From 60 days before its expiry on; an expired key goes on working until somebody changes it. */
static void print_keys(const struct part *p)
{
    size_t i;
    json_t *k;
    json_array_foreach(json_object_get(p->status, "keys"), i, k) {
        const char *state = status_text(k, "state");
        const long long days = status_number(k, "days");
        if (days >= 60 || strcmp(state, "retired") == 0 || strcmp(state, "revoked") == 0)
            continue;
        if (days < 0)
            printf(told("    key %s expired %lld days ago: change it\n", "    密钥 %s 已过期 %lld 天：请更换\n"), status_text(k, "id"), -days);
        else
            printf(told("    key %s expires in %lld days: change it\n", "    密钥 %s 还有 %lld 天到期：请更换\n"), status_text(k, "id"), days);
    }
}

/* FRY-20: the five minutes of records, the ten of everything, as far as today went. */
static void print_today(const struct part *p)
{
    const json_t *t = json_object_get(p->status, "today");
    const long long records = status_number(t, "records"), in_5 = status_number(t, "within_5"), in_10 = status_number(t, "within_10"),
                    late_5 = status_number(t, "late_5"), late_10 = status_number(t, "late_10");
    if (!records)
        printf("%s", told("    today: no record confirmed yet\n", "    今日：尚无已确认的记录\n"));
    else
        printf(told("    today: %lld records · within 5 min %.1f %% · within 10 min %.1f %% · slowest %lld s · late and under way %lld\n",
                    "    今日：%lld 条 · 5 分钟内 %.1f%% · 10 分钟内 %.1f%% · 最慢 %lld 秒 · 超时在途 %lld\n"),
               records, 100.0 * (double)in_5 / (double)records, 100.0 * (double)in_10 / (double)records, status_number(t, "slowest_ms") / 1000, late_10 > late_5 ? late_10 : late_5);
}

static void print_side(const struct report *r, const struct part *p)
{
    const int64_t beat = status_number(p->status, "peer_beat_ms"), oldest = status_number(p->status, "oldest_ms");
    printf(told("    queued %lld · files unacknowledged %lld · unconfirmed items %lld · held %lld · waiting %lld · refused %lld · quarantined %lld\n",
                "    待发 %lld · 未确认文件 %lld · 待对侧入库 %lld · 暂存 %lld · 等前一条 %lld · 拒收 %lld · 隔离 %lld\n"),
           status_number(p->status, "queued"), status_number(p->status, "unacked"), status_number(p->status, "unconfirmed"), status_number(p->status, "held"), status_number(p->status, "waiting"),
           status_number(p->status, "refused"), status_number(p->status, "quarantined"));
    if (json_object_get(p->status, "today") && strcmp(p->side, "internet") == 0)       /* submitted to confirmed, on the internet side's clock */
        print_today(p);
    if (oldest)
        printf(told("    oldest waits %lld s\n", "    最早一条已等 %lld 秒\n"), (long long)((r->now_ms - oldest) / 1000));
    if (beat)
        printf(told("    heard of the peer %lld s ago\n", "    %lld 秒前收到对侧消息\n"), (long long)((r->now_ms - beat) / 1000));
    else
        printf("%s", told("    never heard of the peer\n", "    从未收到对侧消息\n"));
    print_keys(p);
}

static void print_lanes(const struct report *r, const struct part *p)
{
    size_t i;
    json_t *l;
    json_array_foreach(json_object_get(p->status, "lanes"), i, l) {
        const int64_t last = status_number(l, "last_ms");
        printf(told("    %s: %lld files carried", "    %s：已搬运 %lld 个文件"), status_text(l, "name"), status_number(l, "carried"));
        if (last)
            printf(told(", the last %lld s ago", "，最近一次 %lld 秒前"), (long long)((r->now_ms - last) / 1000));
        putchar('\n');
    }
}

static const struct alarm_said *worst(const struct part *p)
{
    for (size_t i = 0; i < p->nalarms; i++)
        if (p->alarms[i].word == p->word)
            return &p->alarms[i];
    return NULL;
}

/* The worst stands in the program's own line, the others below it; each with what to type. */
static void print_alarms(const struct part *p)
{
    const struct alarm_said *first = worst(p);
    printf("  %s  %s%s%s\n", told(p->en, p->zh), word_told(p->word), first ? told(": ", "：") : "", first ? first->says : "");
    if (first && *first->type)
        printf("      -> %s\n", first->type);
    for (size_t i = 0; i < p->nalarms; i++) {
        const struct alarm_said *s = &p->alarms[i];
        if (s == first)
            continue;
        printf("    %s%s%s\n", word_told(s->word), told(": ", "："), s->says);
        if (*s->type)
            printf("      -> %s\n", s->type);
    }
}

static void print_folder(const struct report *r, const struct folder_part *f)
{
    if (!f->readable)
        printf("  %s  %s\n", f->key, told("not readable here", "此处读不到"));
    else if (f->files)
        printf(told("  %s  %llu files, oldest %lld s%s\n", "  %s  %llu 个文件，最早 %lld 秒%s\n"), f->key, (unsigned long long)f->files, (long long)((r->now_ms - f->oldest_ms) / 1000),
               f->word == WORD_FINE ? "" : told(": nobody fetches them: look at who reads this folder", "：无人取走，请查读取此目录的程序"));
    if (f->word != WORD_FINE)
        printf("      -> ferry doctor --gateway\n");
}

static void print_volume(const struct volume_part *v)
{
    if (v->word != WORD_FINE)
        printf(told("  %s  %s: %.1f %% of its volume free\n      -> ferry doctor\n", "  %s  %s：所在磁盘仅剩 %.1f%%\n      -> ferry doctor\n"), v->key, word_told(v->word), v->free * 100);
}

void status_print(const struct report *r)
{
    char at[21];
    printf("%s%s", told("Ferry: ", "摆渡："), word_told(r->word));
    if (r->since_ms) {
        clock_rfc3339(at, r->since_ms + 8 * 3600 * 1000);
        printf(told(" since %.10s %.8s (Beijing)", "，自 %.10s %.8s 起"), at, at + 11);
    }
    putchar('\n');
    for (int i = 0; i < STATUS_PARTS; i++) {
        const struct part *p = &r->parts[i];
        if (!p->configured) {
            printf("  %s  %s\n", told(p->en, p->zh), told("not on this host", "不在本机"));
            continue;
        }
        print_alarms(p);
        if (p->status && *p->side)
            print_side(r, p);
        else if (p->status)
            print_lanes(r, p);
    }
    for (int i = 0; i < STATUS_FOLDERS; i++)
        print_folder(r, &r->folders[i]);
    for (int i = 0; i < STATUS_VOLUMES; i++)
        print_volume(&r->volumes[i]);
}

static json_t *alarms_json(const struct part *p)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->nalarms; i++) {
        const struct alarm_said *s = &p->alarms[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:s, s:s}", "alarm", alarm_words[s->alarm], "word", words_en[s->word], "since_ms", (json_int_t)s->since_ms, "says", s->says, "type", s->type));
    }
    return all;
}

void status_print_json(const struct report *r)
{
    json_t *parts = json_object(), *folders = json_object(), *volumes = json_object();
    for (int i = 0; i < STATUS_PARTS; i++) {
        const struct part *p = &r->parts[i];
        const struct alarm_said *first = worst(p);
        json_object_set_new(parts, p->en, json_pack("{s:b, s:s, s:I, s:s, s:o, s:O?}", "configured", p->configured, "word", words_en[p->word], "since_ms", (json_int_t)(first ? first->since_ms : 0),
                                                    "note", first ? first->says : "", "alarms", alarms_json(p), "status", p->status));
    }
    for (int i = 0; i < STATUS_FOLDERS; i++)
        json_object_set_new(folders, r->folders[i].key, json_pack("{s:b, s:s, s:I, s:I}", "readable", r->folders[i].readable, "word", words_en[r->folders[i].word], "files",
                                                                  (json_int_t)r->folders[i].files, "oldest_ms", (json_int_t)r->folders[i].oldest_ms));
    for (int i = 0; i < STATUS_VOLUMES; i++)
        if (r->volumes[i].free >= 0)
            json_object_set_new(volumes, r->volumes[i].key, json_pack("{s:s, s:f}", "word", words_en[r->volumes[i].word], "free", r->volumes[i].free));
    json_t *all = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "word", words_en[r->word], "at_ms", (json_int_t)r->now_ms, "since_ms", (json_int_t)r->since_ms, "programs", parts, "folders", folders, "volumes", volumes);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(all);
}
