#include "intranet-side/parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/domain/rules.h"
#include "intranet-side/service/auth.h"
#include "intranet-side/service/changes.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/intake.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/service/realign.h"
#include "intranet-side/service/releases.h"
#include "intranet-side/service/setup.h"
#include "intranet-side/store/vault.h"

#define APPLICATION_ID 0x485A494Eu       /* "HZIN" */

const struct config_key intranet_keys[] = {
    {"port", CONFIG_NUMBER, NULL, 0, 65535, "port on 127.0.0.1; nginx stands in front"},
    {"public_origin", CONFIG_TEXT, NULL, 0, 0, "address officers use, e.g. https://hz.gaw"},
    {"data_dir", CONFIG_PATH, NULL, 0, 0, "database, page files, released configurations; mode 0700"},
    {"vault_dir", CONFIG_PATH, NULL, 0, 0, "files as received, on another volume"},
    {"static_dir", CONFIG_PATH, "", 0, 0, "built web app of the officers; empty = none"},
    {"schema_dir", CONFIG_PATH, NULL, 0, 0, "catalogue, forms, flows, messages, migrations"},
    {"outbox", CONFIG_PATH, NULL, 0, 0, "gateway folder this side writes"},
    {"inbox", CONFIG_PATH, NULL, 0, 0, "gateway folder this side reads and empties"},
    {"quarantine", CONFIG_PATH, NULL, 0, 0, "files that cannot be verified, each with its reason"},
    {"own_key", CONFIG_PATH, NULL, 0, 0, "private key of this side, mode 0600"},
    {"peer_key", CONFIG_PATH, NULL, 0, 0, "public key of the internet side"},
    {"identity_key", CONFIG_PATH, "", 0, 0, "public key of the identity provider; empty = applications are held"},
    {"master_key", CONFIG_PATH, NULL, 0, 0, "key of the data at rest, outside the database, mode 0600"},
    {"parser", CONFIG_PATH, NULL, 0, 0, "program build/libexec/parser"},
    {"imaging", CONFIG_PATH, "", 0, 0, "program build/libexec/imaging; empty = images are not shown"},
    {"font", CONFIG_PATH, "", 0, 0, "font of the watermark"},
    {"caller", CONFIG_PATH, "", 0, 0, "program build/libexec/caller; empty = nothing goes out"},
    {"sms_url", CONFIG_TEXT, "", 0, 0, "base address of the SMS platform; empty = messages stay queued"},
    {"proxy_secret", CONFIG_TEXT, "", 0, 0, "shared with nginx; empty = client addresses are the socket's"},
    {"status_file", CONFIG_PATH, NULL, 0, 0, "status.json for ferry status"},
    {"idle_s", CONFIG_NUMBER, "1800", 60, 86400, "a session ends after so long without use"},
    {"session_s", CONFIG_NUMBER, "36000", 300, 86400, "a session ends in any case"},
    {"undo_s", CONFIG_NUMBER, "5", 1, 60, "status and message of a decision wait so long"},
    {"lock_s", CONFIG_NUMBER, "900", 1, 86400, "an account stays locked after five wrong passwords"},
    {"threads", CONFIG_NUMBER, "64", 2, 256, "workers of the web server"},
    {"command_dir", CONFIG_PATH, "", 0, 0, "folder for what `ferry` asks of this service, its owner's alone; empty = it cannot be asked"},
    {"vault_days", CONFIG_NUMBER, "35", 0, 3650, "files of the vault are removed after so many days; longer than the oldest backup; 0 = never"},
    {"warn_s", CONFIG_NUMBER, "60", 1, 86400, "the oldest record waits so long: warning"},
    {"critical_s", CONFIG_NUMBER, "150", 1, 86400, "and so long: critical"},
    {"rescan_s", CONFIG_NUMBER, "10", 1, 3600, "inbox is read again at least so often"},
    {"beat_s", CONFIG_NUMBER, "15", 1, 3600, "a sign of life to the internet side"},
    {"settle_s", CONFIG_NUMBER, "10", 1, 3600, "a file that fails its check is left alone until it stood still so long"},
    {"resend_min_s", CONFIG_NUMBER, "2", 1, 3600, "earliest resend"},
    {"resend_max_s", CONFIG_NUMBER, "30", 1, 3600, "latest resend"},
    {NULL, CONFIG_TEXT, NULL, 0, 0, NULL},
};

static const char *text(const struct parts *p, const char *key)
{
    return config_text(p->config, key);
}

static int below(char *out, size_t cap, const struct parts *p, const char *name, bool create, struct err *e)
{
    if (str_fmt(out, cap, e, "%s/%s", text(p, "data_dir"), name) < 0)
        return -1;
    return create ? folder_make(out, 0700, e) : 0;
}

static int keys_open(struct parts *p, struct err *e)
{
    if (keyring_open(&p->core.keys, text(p, "own_key"), text(p, "peer_key"), e) < 0 || keyring_belongs(p->core.keys, "intranet", "internet", e) < 0)
        return -1;
    if (*text(p, "identity_key") == '\0')
        return 0;
    if (keys_load_public(&p->identity, text(p, "identity_key"), e) < 0)
        return -1;
    p->core.identity = &p->identity;
    return 0;
}

static int database_open(struct parts *p, struct err *e)
{
    char path[700], migrations[700];
    struct db_options o = {.path = path, .application_id = APPLICATION_ID, .migrations_dir = migrations, .readers = 16};
    if (str_fmt(path, sizeof path, e, "%s/intranet.db", text(p, "data_dir")) < 0 ||
        str_fmt(migrations, sizeof migrations, e, "%s/migrations/intranet", text(p, "schema_dir")) < 0)
        return -1;
    return db_open(&p->core.db, &o, e) < 0 ? -1 : core_prepare(p->core.db, e);
}

static bool database_exists(const struct parts *p)
{
    char path[700];
    struct err ignored = {0};
    return str_fmt(path, sizeof path, &ignored, "%s/intranet.db", text(p, "data_dir")) == 0 && access(path, F_OK) == 0;
}

static void numbers(struct parts *p)
{
    p->core.idle_s = (unsigned)config_number(p->config, "idle_s");
    p->core.session_s = (unsigned)config_number(p->config, "session_s");
    p->core.undo_s = (unsigned)config_number(p->config, "undo_s");
    p->core.lock_s = (unsigned)config_number(p->config, "lock_s");
}

int parts_open(struct parts *p, const char *config_path, bool create, struct err *e)
{
    char files[700];
    struct core *c = &p->core;
    memset(p, 0, sizeof *p);
    if (config_load(&p->config, config_path, intranet_keys, e) < 0)
        return -1;
    numbers(p);
    if (str_fmt(c->schema_dir, sizeof c->schema_dir, e, "%s", text(p, "schema_dir")) < 0)
        return -1;
    if (create && (folder_make(text(p, "data_dir"), 0700, e) < 0 || folder_make(text(p, "vault_dir"), 0700, e) < 0 ||
                   folder_make(text(p, "quarantine"), 0700, e) < 0))
        return -1;
    if (below(files, sizeof files, p, "files", create, e) < 0 || below(c->bundle_dir, sizeof c->bundle_dir, p, "released", create, e) < 0)
        return -1;
    /* A lost key is never replaced beside a database that was sealed with it: that would look like success. */
    if (vault_open(&c->vault, text(p, "master_key"), files, create && !database_exists(p), e) < 0 || keys_open(p, e) < 0 || rules_load(&c->rules, c->schema_dir, e) < 0 ||
        database_open(p, e) < 0 || releases_open(&p->core.releases, c, e) < 0)
        return -1;
    return setup_units(c, e) < 0 || sessions_open(&c->sessions, e) < 0 || changes_open(&c->changes, clock_wall_ms(), e) < 0 || intake_open(&c->intake, e) < 0
               ? -1
               : 0;
}

/* --- start --- */
static int children_start(struct parts *p, struct err *e)
{
    char xsd[700];
    const char *parser_args[] = {xsd, NULL}, *imaging_args[] = {text(p, "font"), NULL};
    if (str_fmt(xsd, sizeof xsd, e, "%s/xsd", text(p, "schema_dir")) < 0)
        return -1;
    struct child_options parser = {.path = text(p, "parser"), .argv = parser_args, .n = 2, .max_answer = (size_t)32 << 20, .deadline_ms = 20000, .max_calls = 10000,
                                   .max_memory = 1ull << 30, .clean_env = true};
    struct child_options imaging = {.path = text(p, "imaging"), .argv = imaging_args, .n = 2, .max_answer = (size_t)16 << 20, .deadline_ms = 15000,
                                    .max_calls = 200, .max_memory = 1ull << 30, .clean_env = true};
    if (child_pool_open(&p->parser, &parser, e) < 0)
        return -1;
    p->core.parser = p->parser;
    if (*imaging.path && child_pool_open(&p->imaging, &imaging, e) < 0)
        return -1;
    if (*text(p, "caller") == '\0' || *text(p, "sms_url") == '\0')
        return 0;
    const char *const bases[] = {p->sms_base, NULL};
    if (str_fmt(p->sms_base, sizeof p->sms_base, e, "sms=%s", text(p, "sms_url")) < 0)
        return -1;
    return caller_open(&p->core.caller, text(p, "caller"), bases, 1, e);
}

static int delivery_begin(struct parts *p, struct err *e)
{
    struct delivery_options o = {.db = p->core.db, .keys = p->core.keys, .parser = p->parser, .outbox = text(p, "outbox"), .inbox = text(p, "inbox"),
                                 .quarantine = text(p, "quarantine"), .vault = text(p, "vault_dir"), .spool = "", .mirror = "",
                                 .status_file = text(p, "status_file"), .handlers = intake_handlers, .nhandlers = intake_n_handlers, .app = &p->core,
                                 .outcome = intake_outcome, .beat_s = (unsigned)config_number(p->config, "beat_s"),
                                 .rescan_s = (unsigned)config_number(p->config, "rescan_s"), .settle_s = (unsigned)config_number(p->config, "settle_s"),
                                 .resend_min_s = (unsigned)config_number(p->config, "resend_min_s"),
                                 .resend_max_s = (unsigned)config_number(p->config, "resend_max_s"), .keep_acked = true,
                                 .commands = text(p, "command_dir"), .vault_days = (unsigned)config_number(p->config, "vault_days"), .resynced = realign,
                                 .warn_s = (unsigned)config_number(p->config, "warn_s"), .critical_s = (unsigned)config_number(p->config, "critical_s")};
    if (delivery_open(&p->core.delivery, &o, e) < 0)
        return -1;
    delivery_say(p->core.delivery, catalogue_version(p->core.catalogue), "fine");
    return delivery_start(p->core.delivery, e);
}

static int chain_check(struct db_conn *conn, void *arg, struct err *e)
{
    struct core *c = arg;
    int64_t rows = 0;
    int rc = audit_check(conn, c->vault, &rows, e);
    if (rc == 0)
        log_event(LOG_INFO, "audit_chain_whole", "rows %lld", (long long)rows);
    return rc;
}

static int web_begin(struct parts *p, struct err *e)
{
    size_t n = 0;
    const struct route *routes = web_routes(&n);
    p->web = (struct web){.core = &p->core, .imaging = p->imaging};
    struct http_options o = {.listen = "127.0.0.1", .port = (uint16_t)config_number(p->config, "port"), .threads = (unsigned)config_number(p->config, "threads"),
                             .routes = routes, .nroutes = n, .guard = web_guard, .app = &p->web, .static_dir = *text(p, "static_dir") ? text(p, "static_dir") : NULL,
                             .secure = strncmp(text(p, "public_origin"), "https://", 8) == 0, .proxy_secret = text(p, "proxy_secret")};
    return http_start(&p->http, &o, e);
}

int parts_start(struct parts *p, struct err *e)
{
    struct err broken = {0};
    unsigned dropped = 0;
    if (db_read(p->core.db, chain_check, &p->core, &broken) < 0)
        log_error("audit_chain_broken", &broken);        /* somebody must look; officers go on working, the row is kept as it is */
    if (children_start(p, e) < 0 || intake_sweep(&p->core, clock_wall_ms(), &dropped, e) < 0)
        return -1;
    if (dropped)
        log_event(LOG_WARN, "files_left_behind_dropped", "n %u", dropped);
    if (delivery_begin(p, e) < 0 || publish_if_due(&p->core, clock_wall_ms(), e) < 0 || upkeep_start(&p->upkeep, &p->core, e) < 0 || web_begin(p, e) < 0)
        return -1;
    log_event(LOG_INFO, "started", "port %u config_version %u", (unsigned)http_port(p->http), catalogue_version(p->core.catalogue));
    return 0;
}

void parts_close(struct parts *p)
{
    http_stop(p->http);
    upkeep_stop(p->upkeep);
    if (p->core.delivery) {
        delivery_stop(p->core.delivery);
        delivery_close(p->core.delivery);
    }
    if (p->core.caller)
        caller_close(p->core.caller);
    if (p->imaging)
        child_pool_close(p->imaging);
    if (p->parser)
        child_pool_close(p->parser);
    intake_close(p->core.intake);
    changes_close(p->core.changes);
    sessions_close(p->core.sessions);
    releases_close(p->core.releases);
    if (p->core.db)
        db_close(p->core.db);
    rules_free(p->core.rules);
    keyring_close(p->core.keys);
    vault_close(p->core.vault);
    config_free(p->config);
    memset(p, 0, sizeof *p);
}
