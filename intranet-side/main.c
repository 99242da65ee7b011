/* intranet-side: the officers' service. Reads its configuration, builds the parts, runs until SIGTERM. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/heap.h"
#include "common/log.h"
#include "intranet-side/parts.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/service/setup.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

enum verb { VERB_RUN, VERB_CHECK, VERB_INIT, VERB_DEMO, VERB_EXPORT };
struct arguments { const char *config, *folder, *accounts, *file; enum verb verb; bool keep_passwords; };

static void usage(void)
{
    puts("usage: intranet-side --config FILE [verb]\n"
         "  (no verb)                      run until SIGTERM\n"
         "  --check-config                 read the configuration file and stop\n"
         "  --init                         make database, master key and the first administrator; prints his one-time password\n"
         "  --load-demo DIR --accounts FILE [--keep-passwords]\n"
         "                                 demonstration organisation and residents; passwords are written to FILE\n"
         "  --export-configuration FILE    the bundle that a new internet side starts from\n"
         "  --version, --help\n\nconfiguration keys:");
    config_print_help(intranet_keys);
}

/* -1: wrong arguments; 0: go on; 1: answered. */
static int arguments_read(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},  {"check-config", no_argument, NULL, 'k'},    {"init", no_argument, NULL, 'i'},
        {"load-demo", required_argument, NULL, 'd'}, {"accounts", required_argument, NULL, 'a'}, {"keep-passwords", no_argument, NULL, 'p'},
        {"export-configuration", required_argument, NULL, 'e'}, {"version", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (o) {
        case 'c': a->config = optarg; break;
        case 'k': a->verb = VERB_CHECK; break;
        case 'i': a->verb = VERB_INIT; break;
        case 'd': a->verb = VERB_DEMO; a->folder = optarg; break;
        case 'a': a->accounts = optarg; break;
        case 'p': a->keep_passwords = true; break;
        case 'e': a->verb = VERB_EXPORT; a->file = optarg; break;
        case 'v': puts("intranet-side " VERSION); return 1;
        case 'h': usage(); return 1;
        default: return -1;
        }
    return optind != argc || a->config == NULL || (a->verb == VERB_DEMO && a->accounts == NULL) ? -1 : 0;
}

static int init(struct parts *p, struct err *e)
{
    char password[17];
    if (setup_first_admin(&p->core, clock_wall_ms(), password, e) < 0)
        return -1;
    printf("{\"login\":\"admin\",\"first_password\":\"%s\"}\n", password);
    explicit_bzero(password, sizeof password);
    return 0;
}

static int run(struct parts *p, struct err *e)
{
    sigset_t stop;
    int got;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);         /* before any thread exists: only this one is told */
    if (parts_start(p, e) < 0)
        return -1;
    sigwait(&stop, &got);
    log_event(LOG_INFO, "stopping", "signal %d", got);
    return 0;
}

static int do_verb(struct parts *p, const struct arguments *a, struct err *e)
{
    switch (a->verb) {
    case VERB_INIT:
        return init(p, e);
    case VERB_DEMO:
        return setup_demo(&p->core, a->folder, a->accounts, a->keep_passwords, clock_wall_ms(), e);
    case VERB_EXPORT:
        return publish_export(p->core.catalogue, a->file, e);
    default:
        return run(p, e);
    }
}

static int check_config(const char *path, struct err *e)
{
    struct config *c = NULL;
    int rc = config_load(&c, path, intranet_keys, e);
    config_free(c);
    return rc;
}

int main(int argc, char **argv)
{
    struct arguments a = {.verb = VERB_RUN};
    struct parts p = {0};
    struct err e = {0};
    int known = arguments_read(&a, argc, argv);
    if (known) {
        if (known < 0)
            fputs("intranet-side: wrong arguments, see --help\n", stderr);
        return known < 0 ? 2 : 0;
    }
    heap_setup();
    log_open("intranet-side", LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    int rc = seal_init(&e);
    if (rc == 0)
        rc = a.verb == VERB_CHECK ? check_config(a.config, &e) : parts_open(&p, a.config, a.verb == VERB_INIT, &e);
    if (rc == 0 && a.verb != VERB_CHECK)
        rc = do_verb(&p, &a, &e);
    if (rc < 0)
        log_error("stopped", &e);
    parts_close(&p);
    return rc < 0 ? 1 : 0;
}
