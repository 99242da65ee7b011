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

static int usage(int code)
{
    fprintf(code ? stderr : stdout,
            "usage: ferry run     --config FILE                       carry files between the four gateway folders\n"
            "       ferry status [--config FILE] [--json|--prometheus] is the crossing fine? exit 0 fine, 1 warning, 2 critical, 3 unknown\n"
            "       ferry keygen  --dir DIR --name internet|intranet  make a key pair, DIR/NAME.key and DIR/NAME.pub\n"
            "       ferry inspect FILE [--keys DIR] [--parser P --schemas DIR]   what a gateway file is, who signed it; opens nothing\n"
            "       ferry --check-config --config FILE | --version | --help\n"
            "without --config: $HUZHENG_FERRY_CONF, /etc/huzheng/ferry.conf, or the last demonstration of this build\n\nconfiguration file, key = value a line:\n");
    if (!code)
        config_print_help(ferry_keys);
    return code;
}

struct arguments { const char *verb, *file, *config, *dir, *name, *keys, *parser, *schemas, *format; bool check; };

static int take(struct arguments *a, int argc, char **argv)
{
    static const char *const names[] = {"--config", "--dir", "--name", "--keys", "--parser", "--schemas"};
    const char **values[] = {&a->config, &a->dir, &a->name, &a->keys, &a->parser, &a->schemas};
    for (int i = 1; i < argc; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            if (strcmp(argv[i], names[k]) == 0) {
                if (++i == argc)
                    return -1;
                *values[k] = argv[i];
                found = true;
                break;
            }
        if (found)
            continue;
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--prometheus") == 0)
            a->format = argv[i] + 2;
        else if (strcmp(argv[i], "--check-config") == 0)
            a->check = true;
        else if (argv[i][0] == '-')
            return -1;
        else if (!a->verb)
            a->verb = argv[i];
        else if (!a->file)
            a->file = argv[i];
        else
            return -1;
    }
    return 0;
}

static int run(const struct config *c)
{
    struct err e = {0};
    struct mover *m;
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
    mover_close(m);
    log_event(LOG_INFO, "stopped", NULL);
    return rc < 0 ? 1 : 0;
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

static int with_config(struct arguments *a)
{
    struct err e = {0};
    struct config *c;
    char found[600];
    if (!a->config)
        a->config = usual_config(found);
    if (!a->config)
        return usage(a->verb && strcmp(a->verb, "status") == 0 ? 3 : 2);
    if (config_load(&c, a->config, ferry_keys, &e) < 0) {
        fprintf(stderr, "ferry: %s\n", e.msg);
        return a->verb && strcmp(a->verb, "status") == 0 ? 3 : 2;
    }
    int rc = a->check ? 0 : strcmp(a->verb, "run") == 0 ? run(c) : command_status(c, a->format);
    if (a->check)
        printf("%s: fine\n", a->config);
    config_free(c);
    return rc;
}

int main(int argc, char **argv)
{
    struct arguments a = {.format = ""};
    struct err e = {0};
    log_open("ferry", LOG_INFO);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0)
            return printf("ferry %s\n", VERSION) < 0;
        if (strcmp(argv[i], "--help") == 0)
            return usage(0);
    }
    if (take(&a, argc, argv) < 0 || (!a.verb && !a.check))
        return usage(a.verb && strcmp(a.verb, "status") == 0 ? 3 : 2);       /* 2 would tell a monitor "critical" */
    if (seal_init(&e) < 0) {
        fprintf(stderr, "ferry: %s\n", e.msg);
        return 3;
    }
    if (a.check || strcmp(a.verb, "run") == 0 || strcmp(a.verb, "status") == 0)
        return with_config(&a);
    if (strcmp(a.verb, "keygen") == 0 && a.dir && a.name)
        return command_keygen(a.dir, a.name);
    if (strcmp(a.verb, "inspect") == 0 && a.file)
        return command_inspect(a.file, a.keys, a.parser, a.schemas);
    return usage(2);
}
