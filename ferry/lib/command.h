/* command.h - the operator's verbs reach a running service as files in its command folder, never through its database (design 3).
 *
 *   DIR/ID.ask     {"verb": "retry", "args": {...}, "at_ms": 1790000000000}     published by `ferry`; the folder is the owner's alone (0700)
 *   DIR/ID.answer  {"ok": true, "answer": {...}}  or  {"ok": false, "code": "missing", "message": "..."}
 *
 * The ask is removed after its answer is durable: killed between, the next start runs the verb again, and every verb may be repeated. An ask older
 * than COMMAND_STALE_S when it is found is refused: what an operator wanted while the service stood must not happen hours later. Answers that nobody
 * fetched go after a day.
 * Owns:    the thread behind command_main. Threads: verbs run on that thread alone, one after the other, beside sender, receiver and clock.
 * Errors:  a verb's error becomes code and message of its answer; an ask that is no JSON is ERR_INPUT to its asker. */
#ifndef FERRY_COMMAND_H
#define FERRY_COMMAND_H

#include <jansson.h>

#include "common/err.h"

#define COMMAND_STALE_S 60
#define COMMAND_BYTES ((size_t)1 << 20)          /* of an ask */
#define COMMAND_ANSWER_BYTES ((size_t)64 << 20)  /* of an answer: a list or an evidence file */

struct delivery;
/* args: the asker's object, borrowed. answer: an empty object to fill. */
struct delivery_verb { const char *name; int (*run)(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e); };

/* Text and number of an argument: "" and 0 when it is not there. */
const char *command_text(const json_t *args, const char *name);
/* ERR_INPUT when the argument is missing, names which. */
int command_need(const json_t *args, const char *name, const char **out, struct err *e);

void *command_main(void *delivery);              /* THREAD_COMMAND of delivery.c */

/* The asker's end, without a delivery: publishes the ask and waits for the answer. ERR_UNAVAILABLE: nobody answered in time, the ask was taken back.
 * The service's refusal comes as its own code and message. *answer is the caller's to json_decref. */
int command_ask(const char *dir, const char *verb, const json_t *args, unsigned wait_s, json_t **answer, struct err *e);

#endif
