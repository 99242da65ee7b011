/* The ferry: mover and operator's commands. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/seal.h"
#include "ferry/commands.h"
#include "ferry/mover.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

const struct config_key ferry_keys[] = {
    {"internet_outbox", CONFIG_PATH, NULL, 0, 0, "gateway folder the internet side writes"},
    {"intranet_inbox", CONFIG_PATH, NULL, 0, 0, "gateway folder the intranet side reads"},
    {"intranet_outbox", CONFIG_PATH, NULL, 0, 0, "gateway folder the intranet side writes"},
    {"internet_inbox", CONFIG_PATH, NULL, 0, 0, "gateway folder the internet side reads"},
    {"quarantine", CONFIG_PATH, NULL, 0, 0, "where the mover puts what does not verify, with its reason"},
    {"internet_key", CONFIG_PATH, NULL, 0, 0, "public key file of the internet side"},
    {"intranet_key", CONFIG_PATH, NULL, 0, 0, "public key file of the intranet side"},
    {"status_file", CONFIG_PATH, "", 0, 0, "the mover's status, renamed into place every 2 s"},
    {"internet_status", CONFIG_PATH, "", 0, 0, "status file of the internet side; none on the intranet's host"},
    {"intranet_status", CONFIG_PATH, "", 0, 0, "status file of the intranet side; none on the internet's host"},
    {"internet_commands", CONFIG_PATH, "", 0, 0, "command folder of the internet side's service; none on the intranet's host"},
    {"intranet_commands", CONFIG_PATH, "", 0, 0, "command folder of the intranet side's service; none on the internet's host"},
    {"internet_quarantine", CONFIG_PATH, "", 0, 0, "quarantine folder of the internet side's service, for `ferry quarantine`"},
    {"intranet_quarantine", CONFIG_PATH, "", 0, 0, "quarantine folder of the intranet side's service, for `ferry quarantine`"},
    {"internet_data", CONFIG_PATH, "", 0, 0, "data folder (databases, spool) of the internet side's service, for `ferry doctor`"},
    {"intranet_data", CONFIG_PATH, "", 0, 0, "data folder of the intranet side's service, for `ferry doctor`"},
    {"intranet_vault", CONFIG_PATH, "", 0, 0, "vault folder of the intranet side's service, for `ferry doctor`"},
    {"internet_keys", CONFIG_PATH, "", 0, 0, "folder of the internet side's private key (its key ring), for `ferry doctor`"},
    {"intranet_keys", CONFIG_PATH, "", 0, 0, "folder of the intranet side's private key, for `ferry doctor`"},
    {"rescan_s", CONFIG_NUMBER, "10", 1, 60, "seconds between rescans (1 on network mounts); inotify only shortens the wait"},
    {"settle_s", CONFIG_NUMBER, "10", 1, 3600, "a file that fails its check is left alone until it stood still so long"},
    {NULL, CONFIG_TEXT, NULL, 0, 0, NULL},
};

static volatile sig_atomic_t stop_asked;

static void on_stop(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static int command_run(const struct config *c, const struct arguments *a)
{
    struct err e = {0};
    struct mover *m;
    (void)a;
    struct sigaction act = {.sa_handler = on_stop};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (mover_open(&m, c, &e) < 0) {
        log_error("start", &e);
        fprintf(stderr, "ferry: %s\n", e.msg);
        return 1;
    }
    log_event(LOG_INFO, "started", "version %s", VERSION);
    int rc = mover_run(m, &stop_asked, &e);
    if (rc < 0)
        log_error("stop", &e);
    mover_close(m);
    log_event(LOG_INFO, "stopped", NULL);
    return rc < 0 ? 1 : 0;
}

static const struct verb {
    const char *name, *words, *options;
    size_t least, most;                  /* words */
    bool config;                         /* wants the configuration */
    int (*run)(const struct config *c, const struct arguments *a);
    const char *says;
} verbs[] = {
    {"run", "", "--config=", 0, 0, true, command_run, "carry files between the four gateway folders"},
    {"status", "", "--config= --json --prometheus --watch", 0, 0, true, command_status, "is the crossing fine? exit 0 fine, 1 warning, 2 critical, 3 unknown"},
    {"doctor", "", "--config= --gateway --side= --wait= --json", 0, 0, true, command_doctor, "modes, keys, space, clock, folders, versions; --gateway sends a probe file and says what a filter changed; exit 0, 1 warning, 2 fault"},
    {"list", "[open|held|out|files|differences]", "--config= --side= --json", 0, 1, true, command_list, "what is open on a side; out: ours that is not confirmed"},
    {"show", "ID|CASE-NO", "--config= --side= --json", 1, 1, true, command_show, "one item, or all items of a case"},
    {"retry", "ID|all", "--config= --side= --json", 1, 1, true, command_retry, "process held items again"},
    {"discard", "ID", "--config= --side= --reason= --json", 1, 1, true, command_discard, "refuse a held item for good; --reason TEXT is told to its sender"},
    {"quarantine", "", "--config= --json", 0, 0, true, command_quarantine, "files that were set aside, with their reasons"},
    {"drain", "", "--config= --side= --wait= --json", 0, 0, true, command_drain, "accept nothing new, send what is left, wait for it"},
    {"resume", "", "--config= --side= --json", 0, 0, true, command_resume, "accept again"},
    {"resync", "", "--config= --side= --wait= --json", 0, 0, true, command_resync, "after a database was restored or emptied: align both sides"},
    {"export", "MEDIUM", "--config= --side= --json", 1, 1, true, command_export, "the gateway is down: take a side's outgoing files to a medium"},
    {"import", "MEDIUM", "--config= --side= --json", 1, 1, true, command_import, "put the files of a medium into this side's inbox"},
    {"evidence", "CASE-NO", "--config= --side= --out=", 1, 1, true, command_evidence, "what this side did and saw of a case, as a file that can be proved"},
    {"verify", "FILE [FILE2]", "--keys=", 1, 2, false, command_verify, "check evidence offline, one side's or both; exit 1: a step does not hold, 3: unreadable"},
    {"reconcile", "[DAY]", "--config= --side= --settle= --reason=", 0, 1, true, command_reconcile, "send our list of a day for comparison now; or settle a difference, --settle ID|all"},
    {"searches", "", "--config= --json", 0, 0, true, command_searches, "what citizens searched for and did not find: carry it to the intranet now (else once a day)"},
    {"keygen", "", "--dir= --name= --suite=", 0, 0, false, command_keygen, "make a key pair, DIR/NAME.key and DIR/NAME.pub; suite 1 libsodium (default), 2 SM2/SM3/SM4"},
    {"key", "WORD [KEYID|FILE]", "--config= --side= --keys= --suite= --public= --fingerprint= --confirmed --wait= --out= --share= --file= --master-key= --pepper= --json", 1, 2, false, command_key,
     "a side's keys: list, generate, trust, use, retire, revoke, backup, restore, drill"},
    {"inspect", "FILE", "--keys= --parser= --schemas=", 1, 1, false, command_inspect, "what a gateway file is, who signed it; opens nothing"},
};
#define WAIT_MOST_S 86400
#define NVERBS (sizeof verbs / sizeof verbs[0])

static int usage(int code)
{
    FILE *f = code ? stderr : stdout;
    fprintf(f, "usage: ferry VERB …      ferry --version | --help | --check-config --config FILE\n\n");
    for (size_t i = 0; i < NVERBS; i++) {
        char head[80];
        snprintf(head, sizeof head, "ferry %s %s", verbs[i].name, verbs[i].words);
        fprintf(f, "  %-34s %s\n", head, verbs[i].says);
        fprintf(f, "  %-34s   %s\n", "", verbs[i].options);
    }
    fprintf(f, "\n--side internet|intranet: which service is asked, where this host has both.\n"
               "Without --config: $HUZHENG_FERRY_CONF, /etc/huzheng/ferry.conf, or the last demonstration of this build.\n\nconfiguration file, key = value a line:\n");
    if (!code)
        config_print_help(ferry_keys);
    return code;
}

bool speaks_chinese(void)
{
    const char *lang = getenv("LC_ALL");
    if (!lang || !*lang)
        lang = getenv("LANG");
    return lang && strncmp(lang, "zh", 2) == 0;
}

const char *told(const char *en, const char *zh)
{
    return speaks_chinese() ? zh : en;
}

/* Without --config: $HUZHENG_FERRY_CONF, the installed file, or the demonstration that this build tree started last (ops/demo leaves a link). */
static const char *usual_config(char found[600])
{
    const char *env = getenv("HUZHENG_FERRY_CONF");
    char self[512];
    if (env && *env)
        return env;
    if (access("/etc/huzheng/ferry.conf", R_OK) == 0)
        return "/etc/huzheng/ferry.conf";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 2 && strrchr(self, '/'); up++)
        *strrchr(self, '/') = 0;
    snprintf(found, 600, "%s/demo-ferry.conf", self);
    return access(found, R_OK) == 0 ? found : NULL;
}

int command_config(struct config **c, const struct arguments *a)
{
    struct err e = {0};
    char found[600];
    const char *path = arguments_option(a, "--config");
    if (!path)
        path = usual_config(found);
    if (!path) {
        fprintf(stderr, "ferry: %s\n", told("no configuration: want --config FILE, $HUZHENG_FERRY_CONF or /etc/huzheng/ferry.conf", "没有配置文件：请用 --config 文件、环境变量 HUZHENG_FERRY_CONF，或放置 /etc/huzheng/ferry.conf"));
        return 2;
    }
    if (config_load(c, path, ferry_keys, &e) == 0)
        return 0;
    fprintf(stderr, "ferry: %s\n", e.msg);
    return 2;
}

/* What one verb wants, in three lines: who typed it wrong at night needs no list of all verbs. */
static int usage_of(const struct verb *v, const struct arguments *a, int code)
{
    if (a->nwords > v->most)
        fprintf(stderr, told("ferry %s: %s is too much\n", "ferry %s：多了 %s\n"), v->name, arguments_word(a, v->most));
    else
        fprintf(stderr, told("ferry %s: want %s\n", "ferry %s：请写明 %s\n"), v->name, v->words);
    fprintf(stderr, "  ferry %s %s\n    %s\n    %s\n", v->name, v->words, v->options, v->says);
    return code;
}

static int no_verb(const char *name)
{
    fprintf(stderr, told("ferry: there is no verb %s; want one of", "ferry：没有 %s 这个命令；可用的有"), name);
    for (size_t i = 0; i < NVERBS; i++)
        fprintf(stderr, " %s", verbs[i].name);
    fprintf(stderr, told("\n  ferry --help tells what each does\n", "\n  用法见 ferry --help\n"));
    for (const char *const *w = (const char *const[]){"status", "doctor", NULL}; *w; w++)
        if (strncmp(name, *w, 4) == 0)
            return 3;                    /* 2 would tell a monitor "critical" */
    return 2;
}

/* Options that mean the same for every verb. */
static bool common_options_fit(const struct verb *v, const struct arguments *a)
{
    const char *side = arguments_option(a, "--side"), *wait = arguments_option(a, "--wait");
    struct err e = {0};
    uint64_t s;
    if (side && strcmp(side, "internet") != 0 && strcmp(side, "intranet") != 0)
        return fprintf(stderr, told("ferry %s: --side: want internet or intranet, have '%.40s'\n", "ferry %s：--side 应为 internet 或 intranet，实为“%.40s”\n"), v->name, side) < 0;
    if (wait && parse_u64(wait, 0, WAIT_MOST_S, &s, "--wait", &e) < 0)
        return fprintf(stderr, told("ferry %s: --wait: want seconds, a whole number from 0 to %d, have '%.40s'\n", "ferry %s：--wait 应为 0 至 %d 之间的整数（秒），实为“%.40s”\n"), v->name,
                       WAIT_MOST_S, wait) < 0;
    return true;
}

static int run_verb(const struct verb *v, const struct arguments *a)
{
    struct config *c = NULL;
    const char *wrong;
    const int bad = v->run == command_status || v->run == command_doctor ? 3 : 2;            /* 2 would tell a monitor "critical" */
    if (a->nwords < v->least || a->nwords > v->most)
        return usage_of(v, a, bad);
    if (!arguments_allowed(a, v->options, &wrong)) {
        fprintf(stderr, told("ferry %s: %s is not an option of it, which are %s\n", "ferry %s：没有 %s 这个选项，可用的有 %s\n"), v->name, wrong, v->options);
        return bad;
    }
    if (!common_options_fit(v, a))
        return bad;
    int rc = v->config && command_config(&c, a) != 0 ? bad : v->run(c, a);
    config_free(c);
    return rc;
}

static int check_config(const struct arguments *a)
{
    struct config *c = NULL;
    int rc = command_config(&c, a);
    if (rc == 0)
        printf("%s: fine\n", arguments_option(a, "--config") ? arguments_option(a, "--config") : "configuration");
    config_free(c);
    return rc;
}

/* Every option of every verb, once or more often. */
static const char *all_options(char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < NVERBS && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s ", verbs[i].options);
    if (n < cap)
        snprintf(out + n, cap - n, "--check-config --version --help");
    return out;
}

static int dispatch(const struct arguments *a)
{
    for (size_t i = 0; a->verb && i < NVERBS; i++)
        if (strcmp(verbs[i].name, a->verb) == 0)
            return run_verb(&verbs[i], a);
    if (a->verb)
        return no_verb(a->verb);
    return arguments_option(a, "--check-config") ? check_config(a) : usage(2);
}

int main(int argc, char **argv)
{
    struct arguments a;
    struct err e = {0};
    char options[4096];
    const char *wrong = "";
    log_open("ferry", LOG_INFO);
    int rc = arguments_take(&a, argc, argv, all_options(options, sizeof options), &wrong);
    if (rc == 0 && arguments_option(&a, "--version"))
        return printf("ferry %s\n", VERSION) < 0;
    if (rc == 0 && arguments_option(&a, "--help"))
        return usage(0);
    if (rc < 0)
        fprintf(stderr, told("ferry: %s: unknown option, or its value is missing, or a word too many; usage: ferry --help\n", "ferry：%s：没有这个选项、缺少它的值，或多了一个词；用法见 ferry --help\n"), wrong);
    else if (seal_init(&e) < 0)
        fprintf(stderr, "ferry: %s\n", e.msg);
    else
        return dispatch(&a);
    return a.verb && (strcmp(a.verb, "status") == 0 || strcmp(a.verb, "doctor") == 0) ? 3 : 2;
}
