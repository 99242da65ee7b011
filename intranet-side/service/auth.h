/* auth.h - accounts of officers: password, lock-out, sessions.
 * Owns:    struct sessions holds live sessions in memory only: a restart signs everybody out and nothing of a session rests on disk.
 * Threads: safe. At most two password hashes (argon2id, 19 MiB) run at a time; more wait up to 5 s, then ERR_BUSY.
 * Failures look alike for unknown login, wrong password and disabled account (ERR_AUTH, same sentence, same work). */
#ifndef INTRANET_SERVICE_AUTH_H
#define INTRANET_SERVICE_AUTH_H

#include "intranet-side/service/core.h"

int sessions_open(struct sessions **out, struct err *e);
void sessions_close(struct sessions *s);

/* Body: Me. token is the cookie's value (64 hex). Five failures lock for core->lock_s: ERR_BUSY with retry_s. */
int auth_login(struct core *c, const char *login, const char *password, const char *address, int64_t now_ms, char token[65],
               struct reply *r, struct err *e);
/* Who belongs to the cookie. ERR_AUTH when the session is unknown, idle too long, too old, from another address, or the account
 * was disabled. Touches the session. Does not refuse must_change_password: auth_allowed does. */
int auth_session(struct core *c, const char *token, const char *address, int64_t now_ms, struct actor *out, struct err *e);
/* Until the first password change only GET /api/me, POST /api/password and POST /api/logout may go on: ERR_DENIED otherwise. */
int auth_allowed(const struct actor *a, const char *method, const char *path, struct err *e);
bool auth_csrf_equal(const struct actor *a, const char *header);        /* constant time; NULL is false */
int auth_logout(struct core *c, const struct actor *a, int64_t now_ms, struct err *e);
/* Change one's own password. Other sessions of the account end, token gets this session's new cookie value. Body: Me.
 * ERR_INPUT with fields when a rule is broken (12..128 characters, three of four kinds, not the last five, not the login). A wrong old password
 * counts like one at the login: the fifth locks the account and ends its sessions, ERR_BUSY with retry_s. */
int auth_password(struct core *c, const struct actor *a, const char *old, const char *new_password, int64_t now_ms, char token[65],
                  struct reply *r, struct err *e);
int auth_me(struct core *c, const struct actor *a, int64_t now_ms, struct reply *r, struct err *e);
void auth_end_sessions(struct core *c, const char *officer_id);          /* after disable, reset, change of role */

/* 16 characters out of an alphabet without look-alikes, of three kinds, from libsodium's generator. */
void password_first(char out[17]);

#endif
