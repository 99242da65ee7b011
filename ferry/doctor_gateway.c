/* doctor_gateway.c - ferry doctor --gateway: a probe out of each outbox of this host, and what became of it on the way there and back (lib/probe.h). */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/doctor.h"
#include "ferry/lib/probe.h"
#include "ferry/status.h"

#define WAIT_S 60
#define STILL_MS 3000                    /* a changed one may still be being written */
#define READ_MAX ((size_t)16 << 20)

static const char *const meaning[PROBE__COUNT][2] = {
    [PROBE_FINE] = {"unchanged", "未被改动"},
    [PROBE_EMPTY] = {"arrived empty: a filter wrote the name and dropped the content, or the volume was full", "到达时为空：过滤程序只留下文件名，或磁盘已满"},
    [PROBE_BOM] = {"a byte order mark was put in front: a filter that opens files as text and saves them \"as UTF-8 with BOM\"", "文件头被加上 BOM：过滤程序按文本打开并另存为“UTF-8 带 BOM”"},
    [PROBE_CHARSET] = {"written anew in another character set: a filter that converts text (UTF-16, GBK, GB18030, or ? for what it does not know)", "被转成其他字符集：过滤程序转换了编码（UTF-16、GBK、GB18030，或把不认识的字换成问号）"},
    [PROBE_CUT] = {"cut off: a limit of size, a time-out, or a reader that takes files before they are whole", "被截断：大小限制、超时，或文件未写完就被取走"},
    [PROBE_ADDED] = {"bytes were added at the end: a filter that writes its own mark or a line end behind the file", "末尾被追加内容：过滤程序在文件后写入标记或换行"},
    [PROBE_DAMAGED] = {"single bytes are wrong: damage by disk, memory or line, not a filter", "个别字节损坏：磁盘、内存或线路问题，不是过滤"},
    [PROBE_CRLF] = {"line ends were changed from LF to CR LF: carried in text mode (FTP ASCII) or through a Windows program", "换行由 LF 变成 CR LF：按文本模式（FTP ASCII）传输，或经过 Windows 程序"},
    [PROBE_BLANKS] = {"only white space differs: a filter that indents, trims or wraps lines", "只有空白不同：过滤程序重新缩进、去空格或折行"},
    [PROBE_REPLACED] = {"replaced by something else: a virus scanner's or content filter's notice instead of the file", "整个文件被替换：杀毒或内容过滤程序的提示代替了原文件"},
    [PROBE_REWRITTEN] = {"written anew: an XML parser read it and wrote it in its own way, or a filter replaced words", "被重写：XML 程序解析后重新输出，或过滤程序替换了内容"},
};

struct round {
    struct doctor *d;
    struct doctor_side from, to;
    int outbox, inbox, far, aside;       /* -1: not on this host */
    struct probe_name probe;
    char name[PROBE_NAME];
    bool there, back;                    /* said what came of it */
};

static void say_verdict(struct round *r, const char *way, const struct probe_verdict *v, const char *where)
{
    char told_bytes[96];
    probe_tell(told_bytes, v);
    if (v->word == PROBE_FINE)
        doctor_say(r->d, DOCTOR_OK, way, "", "%s", told(meaning[PROBE_FINE][0], meaning[PROBE_FINE][1]));
    else
        doctor_say(r->d, DOCTOR_FAULT, way, told("show the gateway's administrator this line; it must carry files byte for byte (an exception for *.xml of these folders)", "请把此行交给边界平台管理员：这些目录的 *.xml 必须逐字节原样传送（加入例外）"),
                   "%s: %s (%s)%s%s", probe_words[v->word], told(meaning[v->word][0], meaning[v->word][1]), told_bytes, *where ? told("; it lies in ", "；文件在 ") : "", where);
}

/* 1: this file can be judged now, *v says how. 0: not there, or perhaps not whole yet. */
static int judge_file(struct probe_verdict *v, const struct probe_name *p, int dir, const char *name, int64_t now_ms)
{
    struct buf body;
    struct err e = {0};
    struct stat st;
    buf_init(&body, READ_MAX);
    int rc = dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && file_read(&body, dir, name, READ_MAX, &e) == 0;
    if (rc && probe_check(v, p, buf_bytes(&body), &e) < 0)
        rc = e.code == ERR_CORRUPT && llabs(now_ms - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000)) > STILL_MS;
    buf_clear(&body);
    return rc;
}

/* On a host that has the other inbox, too: with the service stopped nobody else says what lies there. */
static void look_far(struct round *r, int64_t now_ms)
{
    struct probe_verdict v;
    struct err e = {0};
    char way[64], where[700];
    snprintf(way, sizeof way, "%s -> %s", r->from.name, r->to.name);
    if (r->there)
        return;
    if (judge_file(&v, &r->probe, r->far, r->name, now_ms)) {
        snprintf(where, sizeof where, "%s/%s", config_text(r->d->c, r->to.inbox_key), r->name);
        say_verdict(r, way, &v, where);
        if (v.word == PROBE_FINE)
            (void)file_remove(r->far, r->name, &e);
        r->there = true;
    } else if (judge_file(&v, &r->probe, r->aside, r->name, now_ms)) {
        snprintf(where, sizeof where, "%s/%s", config_text(r->d->c, "quarantine"), r->name);
        say_verdict(r, way, &v, where);
        r->there = true;
    }
}

/* The other side's answer in our inbox: its name says what arrived there, its bytes what the way back does. */
static void look_answer(struct round *r, int64_t now_ms)
{
    struct dir_entry *list;
    struct err e = {0};
    size_t n;
    if (r->inbox < 0 || folder_list(&list, &n, r->inbox, 100000, &e) < 0)
        return;
    for (size_t i = 0; i < n && !r->back; i++) {
        struct probe_name p;
        struct probe_verdict v;
        char way[64];
        if (probe_name_parse(&p, list[i].name) < 0 || !p.answer || strcmp(p.nonce, r->probe.nonce) != 0 || strcmp(p.from, r->to.name) != 0)
            continue;
        snprintf(way, sizeof way, "%s -> %s", r->from.name, r->to.name);
        if (!r->there)
            say_verdict(r, way, &p.verdict, p.verdict.word == PROBE_FINE ? "" : told("the quarantine there", "对侧隔离区"));
        r->there = true;
        if (!judge_file(&v, &p, r->inbox, list[i].name, now_ms))
            continue;
        snprintf(way, sizeof way, "%s -> %s", r->to.name, r->from.name);
        say_verdict(r, way, &v, "");
        (void)file_remove(r->inbox, list[i].name, &e);
        r->back = true;
    }
    free(list);
}

static bool far_runs(const struct round *r)
{
    const char *path = config_text(r->d->c, r->to.status_key);
    json_t *s = *path ? status_read(path) : NULL;
    const bool runs = !*path || status_runs(s, clock_wall_ms());      /* not on this host: perhaps */
    json_decref(s);
    return runs;
}

static void say_missing(struct round *r, unsigned waited_s)
{
    struct stat st;
    struct err e = {0};
    char way[64];
    snprintf(way, sizeof way, "%s -> %s", r->there ? r->to.name : r->from.name, r->there ? r->from.name : r->to.name);
    if (r->there)
        doctor_say(r->d, DOCTOR_FAULT, way, told("ferry doctor --gateway on the other side", "在对侧执行 ferry doctor --gateway"), told("no answer came back in %u s", "%u 秒内没有收到回音"), waited_s);
    else if (fstatat(r->outbox, r->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        doctor_say(r->d, DOCTOR_FAULT, way, "ferry status", told("lay in the outbox for %u s: neither mover nor gateway took it", "在发件目录停留 %u 秒：摆渡程序或边界平台没有取走"), waited_s);
        (void)file_remove(r->outbox, r->name, &e);
    } else
        doctor_say(r->d, DOCTOR_FAULT, way, told("look for its name in the gateway's log and quarantine; is the other side's service running?", "请在边界平台的日志和隔离区查这个文件名；对侧服务是否运行？"),
                   told("taken from the outbox, and nothing of %s in %u s", "已被取走，但 %2$u 秒内没有 %1$s 的任何回音"), r->name, waited_s);
}

static int publish(struct round *r, struct err *e)
{
    struct buf body;
    struct stat st;
    uint8_t nonce[8];
    randombytes_buf(nonce, sizeof nonce);
    hex_put(r->probe.nonce, nonce, sizeof nonce);
    snprintf(r->probe.from, sizeof r->probe.from, "%s", r->from.name);
    probe_name_print(r->name, &r->probe);
    buf_init(&body, 0);
    probe_bytes(&body, r->probe.from, r->probe.nonce);
    int rc = buf_done(&body, "probe", e) < 0 || file_publish(r->outbox, r->name, buf_bytes(&body), PUBLISH_NEW | PUBLISH_SHARED, e) < 0 ? -1 : 0;
    buf_clear(&body);
    /* Made by root in the service's folder, it must be the service's, like its other files. */
    if (rc == 0 && geteuid() == 0 && fstat(r->outbox, &st) == 0 && fchownat(r->outbox, r->name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        rc = err_sys(e, "owner of %s", r->name);
    return rc;
}

static void go_round(struct round *r, unsigned wait_s)
{
    struct err e = {0};
    char way[64];
    snprintf(way, sizeof way, "%s -> %s", r->from.name, r->to.name);
    if (publish(r, &e) < 0) {
        doctor_say(r->d, DOCTOR_FAULT, way, "ferry doctor", "%s", e.msg);
        return;
    }
    const int64_t end = clock_mono_ms() + wait_s * 1000LL;
    const bool answers = far_runs(r);
    while (!(r->there && (r->back || !answers)) && clock_mono_ms() < end) {
        usleep(100000);
        look_far(r, clock_wall_ms());
        look_answer(r, clock_wall_ms());
    }
    if (!r->there || (answers && !r->back))
        say_missing(r, wait_s);
    else if (!answers)
        doctor_say(r->d, DOCTOR_WARNING, "", "", told("the service of the %s side does not run: the way back was not tried", "%s 侧服务未运行：未试回程"), r->to.name);
}

static int open_or_none(const struct doctor *d, const char *key)
{
    struct err e = {0};
    int fd;
    return *config_text(d->c, key) && folder_open(&fd, config_text(d->c, key), 0, &e) == 0 ? fd : -1;
}

static void probe_side(struct doctor *d, bool intranet, unsigned wait_s)
{
    struct round r = {.d = d, .from = doctor_side(d, intranet), .to = doctor_side(d, !intranet)};
    r.outbox = open_or_none(d, r.from.outbox_key);
    r.inbox = open_or_none(d, r.from.inbox_key);
    r.far = open_or_none(d, r.to.inbox_key);
    r.aside = open_or_none(d, "quarantine");
    if (r.outbox < 0)
        doctor_say(d, DOCTOR_FAULT, r.from.outbox_key, "ferry doctor", told("%s cannot be opened here", "%s 在此处打不开"), config_text(d->c, r.from.outbox_key));
    else
        go_round(&r, wait_s);
    const int fds[] = {r.outbox, r.inbox, r.far, r.aside};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void doctor_gateway(struct doctor *d, const struct arguments *a)
{
    const char *side = arguments_option(a, "--side"), *wait = arguments_option(a, "--wait");
    uint64_t wait_s = WAIT_S;
    struct err e = {0};
    unsigned done = 0;
    if (wait && parse_u64(wait, 1, 3600, &wait_s, "--wait", &e) < 0) {
        doctor_say(d, DOCTOR_FAULT, "--wait", "ferry --help", "%s", e.msg);
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct doctor_side s = doctor_side(d, i == 1);
        if (side ? strcmp(side, s.name) == 0 : s.here) {
            probe_side(d, i == 1, (unsigned)wait_s);
            done++;
        }
    }
    if (!done)
        doctor_say(d, DOCTOR_FAULT, "--side", "ferry doctor --gateway --side internet", "%s", told("which side? none is configured on this host", "请指明一侧：本机未配置任何一侧"));
}
