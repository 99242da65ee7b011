/* login.h - signing in with a phone number and a code by SMS.
 * Owns:    codes (keyed hashes) and lock-outs of phones (keyed hashes), in memory only; a restart forgets both.
 * Threads: safe, one lock, never held during a call out. */
#ifndef INTERNET_SERVICE_LOGIN_H
#define INTERNET_SERVICE_LOGIN_H

#include "internet-side/service/core.h"

struct session;

int login_open(struct login **out, struct err *e);
void login_close(struct login *l);

/* Body: {wait_s, sandbox}. The answer is the same for every number. ERR_BUSY with a wait, ERR_UNAVAILABLE when the SMS could not be sent. */
int login_send_code(struct core *c, const char *phone, const char *address, int64_t now_ms, struct reply *r, struct err *e);
/* A session for phone and code: single use, five minutes, five wrong tries lock the phone for fifteen. Names and phones stay in the session. */
int login_enter(struct session **out, char token[65], struct core *c, const char *phone, const char *code, const char *address, int64_t now_ms,
                struct reply *r, struct err *e);
/* 1[3-9] and nine digits. */
bool login_phone_valid(const char *phone);
/* Body of GET /api/session; s may be NULL. */
int login_session_body(struct core *c, const struct session *s, int64_t now_ms, struct reply *r, struct err *e);

#endif
