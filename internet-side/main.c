/* main.c - the citizens' service: reads its configuration, opens what the use cases work with, serves until SIGTERM.
 * Order matters and is the same backwards at the end: database, rules, helpers, delivery, upkeep, server. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/file.h"
#include "common/heap.h"
#include "common/http.h"
#include "common/log.h"
#include "ferry/lib/delivery.h"
#include "internet-side/service/configuration.h"
#include "internet-side/service/incoming.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/login.h"
#include "internet-side/service/numbers.h"
#include "internet-side/service/searches.h"
#include "internet-side/service/session.h"
#include "internet-side/service/upkeep.h"
#include "internet-side/service/wish.h"
#include "internet-side/service/uploads.h"
#include "internet-side/store/guard.h"
#include "internet-side/store/search_miss.h"
#include "internet-side/store/tracking.h"
#include "internet-side/store/upload.h"
#include "internet-side/web/web.h"

#ifndef VERSION
#define VERSION "unknown"
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PARSER_MEMORY 0                  /* a sanitizer maps terabytes it never touches */
#else
#define PARSER_MEMORY (1024ull << 20)
#endif
#define APPLICATION_ID 0x485A0001u       /* "HZ", internet side: neither side opens the other's database */

static const struct config_key keys[] = {
    { "port", CONFIG_NUMBER, NULL, 0, 65535, "port on 127.0.0.1; nginx stands in front" },
    { "public_origin", CONFIG_TEXT, NULL, 0, 0, "what citizens type, http://... or https://...; https adds Secure cookies and HSTS" },
    { "data_dir", CONFIG_PATH, NULL, 0, 0, "database and spool; 0700" },
    { "static_dir", CONFIG_PATH, "", 0, 0, "the built web app; empty: none is served" },
    { "schema_dir", CONFIG_PATH, NULL, 0, 0, "the folder schemas/: xsd and migrations" },
    { "base_configuration", CONFIG_PATH, "", 0, 0, "bundle of rules used until the first one arrives from the intranet" },
    { "outbox", CONFIG_PATH, NULL, 0, 0, "gateway folder we write" },
    { "inbox", CONFIG_PATH, NULL, 0, 0, "gateway folder we read and empty" },
    { "quarantine", CONFIG_PATH, NULL, 0, 0, "what cannot be verified, with its reason" },
    { "mirror_dir", CONFIG_PATH, "", 0, 0, "second volume: sealed bytes are durable there too before a citizen is answered" },
    { "own_key", CONFIG_PATH, NULL, 0, 0, "our private key, 0600" },
    { "peer_key", CONFIG_PATH, NULL, 0, 0, "the intranet's public key" },
    { "pepper", CONFIG_PATH, NULL, 0, 0, "32 secret bytes outside the database, made when missing; without it no account finds its cases" },
    { "parser", CONFIG_PATH, NULL, 0, 0, "program of the powerless parser" },
    { "caller", CONFIG_PATH, "", 0, 0, "program that alone calls out; empty: SMS and identity are off" },
    { "identity_url", CONFIG_TEXT, "", 0, 0, "identity provider; empty: off" },
    { "sms_url", CONFIG_TEXT, "", 0, 0, "SMS peer; empty: off" },
    { "sandbox", CONFIG_BOOL, "no", 0, 0, "identity and SMS come from a test environment; shown to everyone" },
    { "proxy_secret", CONFIG_TEXT, "", 0, 0, "X-Real-IP is believed when X-Proxy-Secret equals this" },
    { "status_file", CONFIG_PATH, "", 0, 0, "status.json for ferry status" },
    { "hotline", CONFIG_TEXT, "", 0, 0, "telephone number citizens can call" },
    { "idle_s", CONFIG_NUMBER, "1800", 60, 86400, "a session ends after so long without use" },
    { "session_s", CONFIG_NUMBER, "43200", 300, 604800, "and after so long in any case" },
    { "sessions", CONFIG_NUMBER, "20000", 10, 1000000, "most sessions at once" },
    { "threads", CONFIG_NUMBER, "64", 1, 256, "workers of the server" },
    { "readers", CONFIG_NUMBER, "16", 1, 64, "reading connections to the database" },
    { "min_free_mb", CONFIG_NUMBER, "64", 0, 1000000, "below so much free space nothing is accepted" },
    { "upkeep_s", CONFIG_NUMBER, "30", 1, 3600, "how often expired pages go and health is looked at" },
    { "rate_scale", CONFIG_NUMBER, "1", 1, 10000, "multiplies every rate limit, for load tests" },
    { "command_dir", CONFIG_PATH, "", 0, 0, "folder for what `ferry` asks of this service, its owner's alone; empty: it cannot be asked" },
    { "warn_s", CONFIG_NUMBER, "60", 1, 86400, "delivery: the oldest record waits so long: warning" },
    { "critical_s", CONFIG_NUMBER, "150", 1, 86400, "delivery: and so long: critical" },
    { "resend_min_s", CONFIG_NUMBER, "0", 0, 600, "delivery: earliest repeat; 0: its own default" },
    { "resend_max_s", CONFIG_NUMBER, "0", 0, 3600, "delivery: latest repeat; 0: its own default" },
    { "beat_s", CONFIG_NUMBER, "0", 0, 600, "delivery: beat; 0: its own default" },
    { "rescan_s", CONFIG_NUMBER, "0", 0, 600, "delivery: full look into the inbox; 0: its own default" },
    { "settle_s", CONFIG_NUMBER, "0", 0, 600, "delivery: how long a damaged file must stand still; 0: its own default" },
    { "batch_max", CONFIG_NUMBER, "0", 0, 1u << 30, "delivery: bytes of a batch file; 0: its own default" },
    { "slice_max", CONFIG_NUMBER, "0", 0, 1u << 30, "delivery: bytes of a slice file; 0: its own default" },
    { NULL, CONFIG_TEXT, NULL, 0, 0, NULL },
};

struct program {
    struct config *config;
    struct core core;
    struct http_server *server;
    char db_path[4096], spool_path[4096], xsd_path[4096], migrations_path[4096];
    char identity_base[1024], sms_base[1024];
};

static int paths(struct program *p, struct err *e)
{
    const char *data = config_text(p->config, "data_dir"), *schema = config_text(p->config, "schema_dir");
    return str_fmt(p->db_path, sizeof p->db_path, e, "%s/internet.db", data) < 0 ||
           str_fmt(p->spool_path, sizeof p->spool_path, e, "%s/spool", data) < 0 ||
           str_fmt(p->xsd_path, sizeof p->xsd_path, e, "%s/xsd", schema) < 0 ||
           str_fmt(p->migrations_path, sizeof p->migrations_path, e, "%s/migrations/internet", schema) < 0 ||
           str_fmt(p->identity_base, sizeof p->identity_base, e, "identity=%s", config_text(p->config, "identity_url")) < 0 ||
           str_fmt(p->sms_base, sizeof p->sms_base, e, "sms=%s", config_text(p->config, "sms_url")) < 0 ? -1 : 0;
}

/* Whether owner and mode of the folders are ours, before anything is written. */
static int folders(struct program *p, struct err *e)
{
    const char *mirror = config_text(p->config, "mirror_dir");
    int data = -1;
    p->core.spool = p->core.mirror = -1;
    if (folder_make(config_text(p->config, "data_dir"), 0700, e) < 0 || folder_open(&data, config_text(p->config, "data_dir"), 0700, e) < 0)
        return err_wrap(e, "data_dir");
    close(data);
    if (folder_make(p->spool_path, 0700, e) < 0 || folder_open(&p->core.spool, p->spool_path, 0700, e) < 0)
        return err_wrap(e, "spool");
    if (folder_make(config_text(p->config, "quarantine"), 0700, e) < 0)
        return err_wrap(e, "quarantine");
    return *mirror && folder_open(&p->core.mirror, mirror, 0700, e) < 0 ? err_wrap(e, "mirror_dir") : 0;
}

static int secrets(struct program *p, struct err *e)
{
    return keyring_open(&p->core.keys, config_text(p->config, "own_key"), config_text(p->config, "peer_key"), e) < 0 ||
           keyring_belongs(p->core.keys, "internet", "intranet", e) < 0 || secret_load(&p->core.pepper, config_text(p->config, "pepper"), true, e) < 0 ? -1 : 0;
}

static int database(struct program *p, struct err *e)
{
    const struct db_options opt = { p->db_path, APPLICATION_ID, p->migrations_path, (unsigned)config_number(p->config, "readers") };
    return db_open(&p->core.db, &opt, e) < 0 || db_prepare(p->core.db, &tracking_statements, e) < 0 ||
           db_prepare(p->core.db, &upload_statements, e) < 0 || db_prepare(p->core.db, &guard_statements, e) < 0 ||
                   db_prepare(p->core.db, &search_miss_statements, e) < 0 ? -1 : 0;
}

static int helpers(struct program *p, struct err *e)
{
    const char *const argv[] = { p->xsd_path, NULL };
    const char *const bases[] = { p->identity_base, p->sms_base, NULL };
    const char *caller = config_text(p->config, "caller");
    const struct child_options opt = { .path = config_text(p->config, "parser"), .argv = argv, .n = 2, .max_answer = 64u << 20, .deadline_ms = 10000,
                                       .max_calls = 1000, .max_memory = PARSER_MEMORY, .clean_env = true };
    if (child_pool_open(&p->core.parser, &opt, e) < 0)
        return err_wrap(e, "parser");
    return *caller && caller_open(&p->core.caller, caller, bases, 8, e) < 0 ? err_wrap(e, "caller") : 0;
}

static int in_memory(struct program *p, struct err *e)
{
    struct core *c = &p->core;
    c->sandbox = config_bool(p->config, "sandbox");
    c->hotline = config_text(p->config, "hotline");
    return sessions_open(&c->sessions, (size_t)config_number(p->config, "sessions"), (unsigned)config_number(p->config, "idle_s"),
                         (unsigned)config_number(p->config, "session_s"), e) < 0 ||
           limiter_open(&c->limiter, (unsigned)config_number(p->config, "rate_scale"), e) < 0 || login_open(&c->login, e) < 0 ||
           numbers_open(&c->numbers, c->db, e) < 0 || configuration_open(&c->configuration, c->db, config_text(p->config, "base_configuration"), e) < 0
           ? -1 : 0;
}

static int delivery(struct program *p, struct err *e)
{
    static const struct delivery_verb verbs[] = { { "searches", searches_verb }, { "wish", wish_verb } };
    const struct config *k = p->config;
    struct delivery_options opt = {
        .db = p->core.db, .keys = p->core.keys, .parser = p->core.parser, .outbox = config_text(k, "outbox"), .inbox = config_text(k, "inbox"),
        .quarantine = config_text(k, "quarantine"), .vault = "", .spool = p->spool_path, .mirror = config_text(k, "mirror_dir"),
        .status_file = config_text(k, "status_file"), .app = &p->core, .batch_max = config_number(k, "batch_max"), .slice_max = config_number(k, "slice_max"),
        .resend_min_s = (unsigned)config_number(k, "resend_min_s"), .resend_max_s = (unsigned)config_number(k, "resend_max_s"),
        .beat_s = (unsigned)config_number(k, "beat_s"), .rescan_s = (unsigned)config_number(k, "rescan_s"), .settle_s = (unsigned)config_number(k, "settle_s"),
    };
    opt.commands = config_text(k, "command_dir");
    opt.resynced = incoming_realign;
    opt.warn_s = (unsigned)config_number(k, "warn_s");
    opt.critical_s = (unsigned)config_number(k, "critical_s");
    opt.handlers = incoming_handlers(&opt.nhandlers);
    opt.verbs = verbs;
    opt.nverbs = sizeof verbs / sizeof verbs[0];
    return delivery_open(&p->core.delivery, &opt, e) < 0 ? err_wrap(e, "delivery") : delivery_start(p->core.delivery, e);
}

static int upkeep(struct program *p, struct err *e)
{
    const struct upkeep_options opt = { &p->core, config_text(p->config, "data_dir"), config_number(p->config, "min_free_mb") << 20,
                                        (unsigned)config_number(p->config, "upkeep_s") };
    unsigned removed;
    if (uploads_sweep(&p->core, clock_wall_ms(), &removed, e) < 0)
        return err_wrap(e, "spool");
    if (removed)
        log_event(LOG_WARN, "orphan_files", "removed %u", removed);
    return upkeep_open(&p->core.upkeep, &opt, e);
}

static int server(struct program *p, struct err *e)
{
    const char *files = config_text(p->config, "static_dir");
    struct http_options opt = {
        .listen = "127.0.0.1", .port = (uint16_t)config_number(p->config, "port"), .threads = (unsigned)config_number(p->config, "threads"),
        .guard = web_guard, .app = &p->core, .static_dir = *files ? files : NULL,
        .secure = strncmp(config_text(p->config, "public_origin"), "https://", 8) == 0, .proxy_secret = config_text(p->config, "proxy_secret"),
    };
    opt.routes = web_routes(&opt.nroutes);
    return http_start(&p->server, &opt, e);
}

static void stop(struct program *p)
{
    http_stop(p->server);
    upkeep_close(p->core.upkeep);
    if (p->core.delivery) {
        delivery_stop(p->core.delivery);
        delivery_close(p->core.delivery);
    }
    configuration_close(p->core.configuration);
    numbers_close(p->core.numbers);
    login_close(p->core.login);
    limiter_close(p->core.limiter);
    sessions_close(p->core.sessions);
    if (p->core.caller)
        caller_close(p->core.caller);
    if (p->core.parser)
        child_pool_close(p->core.parser);
    if (p->core.db)
        db_close(p->core.db);
    secret_free(p->core.pepper);
    keyring_close(p->core.keys);
    if (p->core.spool >= 0)
        close(p->core.spool);
    if (p->core.mirror >= 0)
        close(p->core.mirror);
}

static int serve(struct program *p, const sigset_t *ends, struct err *e)
{
    int signal_no;
    if (paths(p, e) < 0 || folders(p, e) < 0 || secrets(p, e) < 0 || database(p, e) < 0 || helpers(p, e) < 0 || in_memory(p, e) < 0 ||
        delivery(p, e) < 0 || upkeep(p, e) < 0 || server(p, e) < 0)
        return -1;
    log_event(LOG_INFO, "started", "version %s port %u", VERSION, (unsigned)http_port(p->server));
    sigwait(ends, &signal_no);
    log_event(LOG_INFO, "stopping", "signal %d", signal_no);
    return 0;
}

static void usage(void)
{
    puts("usage: internet-side --config FILE [--check-config | --wish WISH] | --version | --help\n"
         "  --wish WISH    ask the intranet for a change of the configuration: a file {title, text, changes}, see schemas/changes/README.md\n"
         "\nkeys of the configuration file:");
    config_print_help(keys);
}

static int fail(const struct err *e)
{
    fprintf(stderr, "internet-side: %s\n", e->msg);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "check-config", no_argument, NULL, 'k' }, { "wish", required_argument, NULL, 'w' },
                                             { "version", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    const char *file = NULL, *wish = NULL;
    bool check = false;
    struct program p = { .core = { .spool = -1, .mirror = -1 } };
    struct err e = {0};
    sigset_t ends;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'v')
            return puts("internet-side " VERSION) < 0;
        if (o == 'h')
            return usage(), 0;
        if (o == 'c')
            file = optarg;
        else if (o == 'k')
            check = true;
        else if (o == 'w')
            wish = optarg;
        else
            return usage(), 2;
    }
    if (!file || optind != argc)
        return usage(), 2;
    heap_setup();
    log_open("internet-side", LOG_INFO);
    if (config_load(&p.config, file, keys, &e) < 0)
        return fail(&e);
    if (check || wish) {
        const int asked = wish ? wish_ask(config_text(p.config, "command_dir"), wish, &e) : 0;
        config_free(p.config);
        return asked < 0 ? fail(&e) : 0;
    }
    /* Before any thread: all of them inherit the mask, sigwait gets the signal. A peer that hangs up is an error code, not a death. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    int rc = seal_init(&e);
    if (rc == 0)
        rc = serve(&p, &ends, &e);
    stop(&p);
    config_free(p.config);
    if (rc < 0)
        return fail(&e);
    log_event(LOG_INFO, "stopped", "version %s", VERSION);
    return 0;
}
