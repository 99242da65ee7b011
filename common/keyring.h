/* keyring.h - the keys of one side and their lives: announced -> current -> accepting -> retired; revoked from anywhere.
 *
 *   announced  made; the peer heard of it (ours), or we heard of it (the peer's). Verifies nothing until somebody here trusts it
 *   current    signs and seals (ours), is sealed to (the peer's). One on each side
 *   accepting  was current; still opens and verifies what was under way, up to the number with which its successor began
 *   retired    nothing is under way under it any more; what it signs is refused. The file stays, so that the vault can be read again
 *   revoked    it may be in other hands: no envelope under it is accepted; items sealed or signed under it are, in an envelope of another key, marked
 *
 * A ring is the folder of our private key: NAME-KEYID.key (0600), NAME-KEYID.pub, and keyring.json (0600), which says each key's state. Without
 * keyring.json the two configured files are a ring of one current key on each side; the first change writes it. Whether a key may sign a file is judged
 * by the file's incarnation and number, never by a clock: an expiry date only warns.
 * A ring may hold keys of several suites (seal.h): a side changes its suite by changing its key, each side when it likes. Never back: once a side's key is
 * of a newer suite no key of an older one is announced, heard or used on that side any more; what the old key signed and opens stays as its state says.
 * Owns:    struct keyring the present set; each struct key_set its private keys (locked memory, wiped) until its last reference goes.
 * Threads: all may be called from any thread; changes are serialised by a lock on keyring.lock, between processes too.
 * Errors:  ERR_DENIED a file that others can read, ERR_CORRUPT keyring.json does not fit its keys, ERR_HELD a suite or state that we do not know.
 * Source:  SEC-04, SEC-05, FRY-14. */
#ifndef COMMON_KEYRING_H
#define COMMON_KEYRING_H

#include "common/seal.h"

#define KEYRING_MAX 32                                    /* keys in a ring, both sides', retired ones too */
#define KEYRING_BYTES ((size_t)64 << 10)                  /* of keyring.json */
#define KEY_LIFE_MS ((int64_t)730 * 24 * 3600 * 1000)     /* two years */
#define KEY_FINGERPRINT 40                                /* eight groups of four digits and a NUL */

enum key_state { KEY_ANNOUNCED, KEY_CURRENT, KEY_ACCEPTING, KEY_RETIRED, KEY_REVOKED };
extern const char *const key_state_words[];
int key_state_parse(enum key_state *out, const char *word);      /* -1: no such state */

struct key_entry {
    struct key_public pub;
    const struct key_pair *pair;             /* ours; NULL for the peer's */
    char id[17];
    char file[600];                          /* below the ring's folder, or an absolute path before the first change */
    unsigned suite;                          /* of its key file */
    enum key_state state;
    bool own;
    bool trusted;                            /* the peer's: its fingerprint was compared here; ours: the peer said that it trusts it */
    int64_t created_ms, since_ms, expires_ms;    /* since: in this state */
    char incarnation[17];                    /* stream of its owner in which it became current, "" = before anything was counted */
    uint64_t from;                           /* first number that it signs there */
    char ended[17];                          /* stream in which its successor took over, "" = it did not */
    uint64_t until;                          /* first number that it does not sign there */
    char told[12];                           /* last word that the peer was told of it */
};
struct key_list { size_t n; struct key_entry key[KEYRING_MAX]; };

struct keyring;
struct key_set;                              /* a snapshot: constant */

/* own_path: our private key; its folder is the ring. peer_path: the peer's public key, not read when there is a keyring.json. */
int keyring_open(struct keyring **out, const char *own_path, const char *peer_path, struct err *e);
/* A ring of two keys that never changes; they are borrowed. */
int keyring_of(struct keyring **out, const struct key_pair *own, const struct key_public *peer, struct err *e);
void keyring_close(struct keyring *r);
/* The folder's ring whose files are named by convention, for `ferry key --keys DIR`. */
int keyring_open_dir(struct keyring **out, const char *dir, struct err *e);
/* ERR_INPUT: the ring is not this side's, e.g. the two files of the configuration are exchanged. */
int keyring_belongs(struct keyring *r, const char *own, const char *peer, struct err *e);
const char *keyring_dir(const struct keyring *r);        /* "" for a fixed one */

/* The present set with a reference. Never NULL. */
struct key_set *keyring_take(struct keyring *r);
void key_set_release(struct key_set *s);     /* NULL is fine */
/* Read keyring.json again when it is another file than before; *changed may be NULL. On an error the present set stays in use. */
int keyring_follow(struct keyring *r, bool *changed, struct err *e);

/* Under the lock: change gets what keyring.json says now and returns 1 to have it written and taken up, 0 to leave it, -1 with e. */
typedef int (*keyring_change)(struct key_list *keys, void *arg, struct err *e);
int keyring_edit(struct keyring *r, keyring_change change, void *arg, struct err *e);
/* A new pair of ours in state announced; *id gets its key id. Of the current one's suite, or of this one. ERR_DENIED: an older suite than the current one's. */
int keyring_generate(struct keyring *r, int64_t now_ms, char id[17], struct err *e);
int keyring_generate_in(struct keyring *r, unsigned suite, int64_t now_ms, char id[17], struct err *e);
/* A key of the peer, announced and not trusted. Known already: nothing changes. ERR_DENIED: it bears another name than the peer's, or is of an older suite. */
int keyring_heard(struct keyring *r, const struct key_public *pub, int64_t now_ms, struct err *e);
int keyring_parse(struct key_list *out, struct bytes json, struct err *e);
int keyring_print(struct buf *out, const struct key_list *keys, struct err *e);
struct key_entry *key_list_find(struct key_list *keys, const char *id);                       /* NULL: not there */
struct key_entry *key_list_current(struct key_list *keys, bool own);
/* `id` becomes current from `number` of `incarnation` on, what was current becomes accepting. 1 changed, 0 it was. ERR_CONFLICT in words,
 * ERR_DENIED: it is of an older suite than the current one. */
int key_list_use(struct key_list *keys, const char *id, const char *incarnation, uint64_t number, int64_t now_ms, struct err *e);
void key_list_set(struct key_entry *k, enum key_state state, int64_t now_ms);

/* --- a snapshot --- */
const struct key_list *key_set_list(const struct key_set *s);
const struct key_pair *key_set_own(const struct key_set *s);         /* current */
const struct key_public *key_set_peer(const struct key_set *s);      /* current */
/* Which of ours signs file `number` of our stream: the same file sent again has the same bytes. */
const struct key_pair *key_set_signer(const struct key_set *s, const char *incarnation, uint64_t number);
const struct key_entry *key_set_find(const struct key_set *s, const uint8_t id[8]);
/* The peer's keys, all states, for envelope_verify; then key_entry_may_sign judges. */
size_t key_set_peers(const struct key_set *s, const struct key_public *list[KEYRING_MAX]);
/* May this key of the peer sign that? number 0: a beat. kept: the file comes out of our own vault. ERR_HELD: nobody trusts it yet; ERR_CORRUPT: its time is over. */
int key_entry_may_sign(const struct key_entry *k, const char *incarnation, uint64_t number, bool kept, struct err *e);

int keyring_seal(struct buf *out, struct manifest *m, struct bytes content, struct keyring *r, struct err *e);
/* seal_open with the keys that its header names. *revoked: one of them is. ERR_HELD: a key that we do not have or do not trust. The envelope around it was
 * judged before: what a retired key sealed long ago may come again after a resync, in an envelope of the present key, and is not lost. */
int key_set_open(struct manifest *m, struct buf *content, struct bytes sealed, const struct key_set *s, bool *revoked, struct err *e);

void key_fingerprint(char out[KEY_FINGERPRINT], const struct key_public *k);
/* 0 none, else the limit that was passed: 60, 30, 7 days before expiry, 1 = it is over. Only announced, current and accepting keys warn. */
unsigned key_warning(const struct key_entry *k, int64_t now_ms);
long long key_days(const struct key_entry *k, int64_t now_ms);       /* to its expiry, negative afterwards */

#endif
