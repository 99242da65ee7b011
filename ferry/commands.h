/* commands.h - the verbs of the ferry program. Each gets the command line and, where it asks for one, the configuration; each returns the exit code:
 * 0 done, 1 it could not be done (the reason on stderr), 2 wrong usage or configuration. status has codes of its own. */
#ifndef FERRY_COMMANDS_H
#define FERRY_COMMANDS_H

#include "common/config.h"
#include "ferry/arguments.h"

extern const struct config_key ferry_keys[];      /* the configuration file, one table for all verbs */

/* The configuration that --config names, or the usual one. 0, or the exit code, the reason told. */
int command_config(struct config **c, const struct arguments *a);

/* LC_ALL, else LANG, begins with zh. */
bool speaks_chinese(void);
/* What people read: the sentence in their language. */
__attribute__((format_arg(1), format_arg(2))) const char *told(const char *en, const char *zh);

/* 0 fine, 1 warning, 2 critical, 3 unknown. Reads files only: works while services are stopped. --watch repeats it every 2 s until interrupted. */
int command_status(const struct config *c, const struct arguments *a);
/* doctor.c: modes, keys, space, clock, folders, versions, each with what to type: 0 all fine, 1 a warning, 2 a fault, 3 no configuration. Looks only.
 * --gateway [--side SIDE] [--wait S]: a probe through the gateway (lib/probe.h), what came of it, byte for byte. */
int command_doctor(const struct config *c, const struct arguments *a);
/* Writes DIR/NAME.key (0600) and DIR/NAME.pub; never over an existing one. */
int command_keygen(const struct config *c, const struct arguments *a);
/* key_commands.c: list, generate [--public FILE], trust FILE|KEYID --fingerprint F, use KEYID [--confirmed], retire KEYID, revoke KEYID,
 * backup --out DIR [--master-key FILE] [--pepper FILE], restore --share A --share B --out FILE, drill --share A --share B [--share C] [--file FILE]. */
int command_key(const struct config *c, const struct arguments *a);
/* evidence.c: CASE-NO [--out FILE], one side's evidence of a case as a file */
int command_evidence(const struct config *c, const struct arguments *a);
/* FILE [FILE of the other side] --keys DIR: 0 every step holds, 1 one does not, 2 wrong usage, 3 unreadable. Asks nobody. */
int command_verify(const struct config *c, const struct arguments *a);
/* [DAY]: our list of the day (default: yesterday) to the other side, now. --settle ID|all --reason TEXT: a difference was looked into. */
int command_searches(const struct config *c, const struct arguments *a);
int command_reconcile(const struct config *c, const struct arguments *a);
/* Header, items and signature verdict of one file; --keys: folder with *.pub, without it the signature is not checked and said so. */
int command_inspect(const struct config *c, const struct arguments *a);

/* operate.c: what a running service is asked (ferry/lib/verbs.h), the service of --side, or the only one that this host has. */
int command_list(const struct config *c, const struct arguments *a);         /* [open|held|out|files|differences] */
int command_show(const struct config *c, const struct arguments *a);         /* ID | CASE-NO */
int command_retry(const struct config *c, const struct arguments *a);        /* ID | all */
int command_discard(const struct config *c, const struct arguments *a);      /* ID --reason TEXT */
int command_drain(const struct config *c, const struct arguments *a);        /* waits until nothing is left, at most --wait seconds */
int command_resume(const struct config *c, const struct arguments *a);
int command_resync(const struct config *c, const struct arguments *a);       /* waits for its end, at most --wait seconds */
/* medium.c: a gateway that is down for a day. Files are verified before they leave their folder and again before they enter the next. */
int command_export(const struct config *c, const struct arguments *a);       /* MEDIUM */
int command_import(const struct config *c, const struct arguments *a);       /* MEDIUM */
/* quarantine folders of this host with each file's reason */
int command_quarantine(const struct config *c, const struct arguments *a);

#endif
