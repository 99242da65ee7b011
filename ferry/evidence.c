/* evidence.c - ferry evidence, verify and reconcile. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"
#include "ferry/lib/evidence.h"
#include "ferry/operate.h"

#define EVIDENCE_S 120
#define KEYS_MOST 64

int command_evidence(const struct config *c, const struct arguments *a)
{
    struct side s;
    json_t *answer;
    struct err e = {0};
    const char *out = arguments_option(a, "--out");
    int rc = operate_side(&s, c, a);
    if (rc || operate_ask(&s, "evidence", json_pack("{s:s}", "case", arguments_word(a, 0)), EVIDENCE_S, &answer))
        return rc ? rc : 1;
    char *text = json_dumps(json_object_get(answer, "evidence"), JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(answer);
    if (!text)
        return fprintf(stderr, "ferry evidence: %s\n", told("the answer has no evidence", "答复中没有证据")) < 0 ? 2 : 1;
    if (out && file_write_path(out, bytes_of(text), 0644, &e) < 0)
        rc = fprintf(stderr, "ferry evidence: %s\n", e.msg) < 0 ? 2 : 1;
    else if (out)
        printf("%s\n", out);
    else
        puts(text);
    free(text);
    return rc;
}

/* Asks for today's list or another day's, or settles a difference. */
int command_reconcile(const struct config *c, const struct arguments *a)
{
    struct side s;
    json_t *answer;
    const char *day = arguments_word(a, 0), *settle = arguments_option(a, "--settle"), *reason = arguments_option(a, "--reason");
    if (settle && (!reason || !*reason)) {
        fprintf(stderr, "ferry reconcile: %s\n", told("want --reason TEXT: what was found", "请用 --reason 写明核查结果"));
        return 2;
    }
    json_t *args = settle ? json_pack("{s:s, s:s}", "settle", settle, "reason", reason) : json_pack("{s:s}", "day", day ? day : "");
    int rc = operate_side(&s, c, a);
    if (rc) {
        json_decref(args);
        return rc;
    }
    if (operate_ask(&s, "reconcile", args, EVIDENCE_S, &answer))
        return 1;
    if (settle)
        printf(told("%lld differences settled\n", "已办结差异 %lld 条\n"), (long long)json_integer_value(json_object_get(answer, "settled")));
    else
        printf(told("list of %s sent: %lld rows\n", "%s 的对账清单已发出：%lld 条\n"), json_string_value(json_object_get(answer, "day")),
               (long long)json_integer_value(json_object_get(answer, "rows")));
    json_decref(answer);
    return 0;
}

/* --- verify --- */

struct ring { struct key_public keys[KEYS_MOST]; const struct key_public *list[KEYS_MOST]; size_t n; };

static int load_ring(struct ring *r, const char *dir, struct err *e)
{
    struct dir_entry *files;
    size_t n;
    int fd;
    if (folder_open(&fd, dir, 0, e) < 0)
        return -1;
    int rc = folder_list(&files, &n, fd, 1000, e);
    close(fd);
    if (rc < 0)
        return -1;
    for (size_t i = 0; i < n && r->n < KEYS_MOST; i++) {
        char path[1024];
        size_t len = strlen(files[i].name);
        struct err own = {0};
        if (len < 5 || strcmp(files[i].name + len - 4, ".pub") != 0 || str_fmt(path, sizeof path, &own, "%s/%s", dir, files[i].name) < 0 ||
            keys_load_public(&r->keys[r->n], path, &own) < 0)
            continue;
        r->list[r->n] = &r->keys[r->n];
        r->n++;
    }
    free(files);
    return r->n ? 0 : err_set(e, ERR_MISSING, "%s: %s", dir, told("no public keys (*.pub)", "没有公钥（*.pub）"));
}

static const char *side_told(const char *side)
{
    return strcmp(side, "internet") == 0 ? told("internet", "互联网侧") : strcmp(side, "intranet") == 0 ? told("intranet", "公安网侧") : side;
}

static const char *about_told(const char *about)
{
    static const char *const words[][3] = {
        {"file", "signature of the file", "证据文件签名"}, {"beat", "signed sign of life", "对侧签名心跳"}, {"sealed", "sealed", "已封装"}, {"placed", "placed into a file", "已装入文件"},
        {"sent", "sent", "已发出"}, {"acked", "acknowledged by the other side", "对侧已签收"}, {"confirmed", "confirmed and purged", "对侧已入库，本侧已清除"},
        {"received", "received", "已收到"}, {"applied", "processed", "已处理"}, {"refused", "refused", "已拒收"}, {"held", "held", "暂存"}, {"waiting", "waits for the one before", "等前一条"},
        {"crossed", "both sides agree", "两侧相符"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], about) == 0)
            return told(words[i][1], words[i][2]);
    return about;
}

static void print_time(int64_t ms)
{
    char at[21];
    clock_rfc3339(at, ms + 8 * 3600 * 1000);
    printf("%.10s %.8s", at, at + 11);
}

static void print_step(void *arg, const struct evidence_step *s)
{
    static const char *const marks[][2] = {{"good", "成立"}, {"open", "未见"}, {"FAILS", "不成立"}};
    const struct journal_entry *x = s->entry;
    (void)arg;
    print_time(s->at_ms);
    printf("  %s  %s  %s", told(marks[s->verdict][0], marks[s->verdict][1]), side_told(s->side), about_told(s->about));
    if (x && strcmp(s->about, "crossed") == 0)
        printf("  %s", about_told(x->what));
    else if (x)
        printf("  #%llu", (unsigned long long)x->seq);
    if (x && *x->item)
        printf("  %s %s", x->kind, x->item);
    if (x && x->number)
        printf("  %s/%llu", x->incarnation, (unsigned long long)x->number);
    if (s->vouched_ms) {
        printf("  %s ", told("signed by the other side", "对侧签名于"));
        print_time(s->vouched_ms);
    }
    if (s->verdict != EVIDENCE_HOLDS)
        printf("\n    %s %s%s%s %s", told("want:", "应有："), s->want, told("; ", "；"), told("found:", "实有："), s->have);
    putchar('\n');
}

static int read_evidence(struct evidence *v, const char *path)
{
    struct buf body;
    struct err e = {0};
    buf_init(&body, EVIDENCE_BYTES + 1);
    int rc = file_read_path(&body, path, EVIDENCE_BYTES, &e);
    if (rc == 0)
        rc = evidence_read(v, buf_bytes(&body), &e);
    buf_clear(&body);
    if (rc < 0)
        fprintf(stderr, "ferry verify: %s: %s\n", path, e.msg);
    return rc;
}

static size_t verify_one(const struct evidence *v, const char *path, const struct ring *keys)
{
    printf("%s: %s %s, %s\n", path, told("case", "受理号"), v->case_no, side_told(v->side));
    return evidence_check(v, keys->list, keys->n, print_step, NULL);
}

int command_verify(const struct config *c, const struct arguments *a)
{
    const char *dir = arguments_option(a, "--keys"), *first = arguments_word(a, 0), *second = arguments_word(a, 1);
    struct ring keys = {.n = 0};
    struct evidence one, two;
    struct err e = {0};
    (void)c;
    if (!dir || load_ring(&keys, dir, &e) < 0) {
        fprintf(stderr, "ferry verify: %s\n", dir ? e.msg : told("want --keys DIR with the public keys of both sides", "请用 --keys 指明存放两侧公钥的目录"));
        return dir ? 3 : 2;
    }
    if (read_evidence(&one, first) < 0)
        return 3;
    if (second && read_evidence(&two, second) < 0) {
        evidence_free(&one);
        return 3;
    }
    size_t failed = verify_one(&one, first, &keys);
    if (second) {
        failed += verify_one(&two, second, &keys);
        printf("%s\n", told("both sides:", "两侧对照："));
        failed += evidence_cross(&one, &two, print_step, NULL);
        evidence_free(&two);
    }
    evidence_free(&one);
    if (failed)
        printf(told("%zu steps do NOT hold\n", "有 %zu 步不成立\n"), failed);
    else
        printf("%s\n", told("every step holds", "各步均成立"));
    return failed ? 1 : 0;
}
