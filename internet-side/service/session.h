/* session.h - who is signed in: phone, verified names and identity evidence live here and nowhere else.
 * Owns:    every struct session until its last reference goes; then it is wiped.
 * Threads: safe, one lock; a session's members are read and changed only through this header.
 * A restart ends all sessions: drafts are in the browser, cases under the account. */
#ifndef INTERNET_SERVICE_SESSION_H
#define INTERNET_SERVICE_SESSION_H

#include "common/bytes.h"

struct sessions;
struct session;

int sessions_open(struct sessions **out, size_t most, unsigned idle_s, unsigned absolute_s, struct err *e);
void sessions_close(struct sessions *s);       /* accepts NULL; no reference may be out */
unsigned sessions_idle_s(const struct sessions *s);

/* A new session; its cookie value goes into token. The reference is the caller's. ERR_FULL: too many. */
int session_begin(struct session **out, char token[65], struct sessions *s, const char *phone, const struct hash256 *account, int64_t now_ms, struct err *e);
/* The session of a cookie, with a reference; NULL when unknown or over. Using it keeps it alive. token may be NULL. */
struct session *session_find(struct sessions *s, const char *token, int64_t now_ms);
void session_end(struct session *s);           /* signs out; the caller's reference stays */
void session_release(void *session);           /* accepts NULL; void so that it can be handed to request_set_session */

const char *session_phone(const struct session *s);            /* constant for its life */
const struct hash256 *session_account(const struct session *s);
const char *session_csrf(const struct session *s);
bool session_csrf_equal(const struct session *s, const char *token);   /* constant time; NULL is false */

/* What an identity provider said of the person behind this session. */
struct evidence {
    struct id128 id;
    struct hash256 bound;            /* content it was given for */
    char name[256], id_no[19];       /* as verified */
    char statement[2048], signature[128];      /* base64, as received */
    int64_t expires_ms;
};
void session_put_evidence(struct session *s, const struct evidence *v);        /* replaces the oldest of four */
bool session_evidence(struct session *s, const char *id, struct evidence *out);    /* wipe *out after use */
void session_drop_evidence(struct session *s, const char *id);

#endif
