/* keyring_list.c - keyring.json: reading it strictly, writing it, and the changes of state it knows. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/keyring_parts.h"
#include "common/seal_parts.h"

const char *const key_state_words[] = {"announced", "current", "accepting", "retired", "revoked"};
#define STATES (sizeof key_state_words / sizeof key_state_words[0])
#define TIME_MOST ((int64_t)1 << 53)

int key_state_parse(enum key_state *out, const char *word)
{
    for (size_t i = 0; i < STATES; i++)
        if (strcmp(word, key_state_words[i]) == 0) {
            *out = (enum key_state)i;
            return 0;
        }
    return -1;
}

struct key_entry *key_list_find(struct key_list *keys, const char *id)
{
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->key[i].id, id) == 0)
            return &keys->key[i];
    return NULL;
}

struct key_entry *key_list_current(struct key_list *keys, bool own)
{
    for (size_t i = 0; i < keys->n; i++)
        if (keys->key[i].own == own && keys->key[i].state == KEY_CURRENT)
            return &keys->key[i];
    return NULL;
}

void key_list_set(struct key_entry *k, enum key_state state, int64_t now_ms)
{
    k->state = state;
    k->since_ms = now_ms;
}

int key_list_use(struct key_list *keys, const char *id, const char *incarnation, uint64_t number, int64_t now_ms, struct err *e)
{
    struct key_entry *k = key_list_find(keys, id);
    if (!k)
        return err_set(e, ERR_MISSING, "key %.16s is not in this ring", id);
    struct key_entry *old = key_list_current(keys, k->own);
    if (k == old)
        return 0;
    if (k->state != KEY_ANNOUNCED)
        return err_set(e, ERR_CONFLICT, "key %s is %s: only an announced key becomes current", k->id, key_state_words[k->state]);
    if (!k->trusted)
        return err_set(e, ERR_CONFLICT, "key %s: %s", k->id, k->own ? "the peer has not said that it trusts it" : "nobody here compared its fingerprint (ferry key trust)");
    if (old && k->suite < old->suite)
        return err_set(e, ERR_DENIED, "key %s is of suite %u, the one in use of suite %u: a downgrade", k->id, k->suite, old->suite);
    if (old) {
        key_list_set(old, KEY_ACCEPTING, now_ms);
        memcpy(old->ended, incarnation, strnlen(incarnation, 16));
        old->ended[strnlen(incarnation, 16)] = 0;
        old->until = number;
    }
    key_list_set(k, KEY_CURRENT, now_ms);
    snprintf(k->incarnation, sizeof k->incarnation, "%.16s", incarnation);
    k->from = number;
    return 1;
}

/* --- reading --- */

static bool hex_text(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static bool file_fits(const char *s)
{
    return strlen(s) < 200 && *s && *s != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(s);
}

static int read_key(struct key_entry *k, json_t *o, struct err *e)
{
    const char *id = "", *owner = "", *state = "", *file = "", *incarnation = "", *ended = "", *told = "";
    json_int_t suite = 0, created = 0, since = 0, expires = 0, from = 0, until = 0;
    int trusted = 0;
    json_error_t why;
    if (json_unpack_ex(o, &why, JSON_STRICT, "{s:s, s:s, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:s, s:I, s:s, s:I, s:s}", "id", &id, "owner", &owner, "suite", &suite,
                       "state", &state, "file", &file, "trusted", &trusted, "created_ms", &created, "since_ms", &since, "expires_ms", &expires, "incarnation", &incarnation,
                       "from", &from, "ended", &ended, "until", &until, "told", &told) < 0)
        return err_set(e, ERR_CORRUPT, "keyring.json: a key: %.120s", why.text);
    if (suite < SUITE_FIRST || suite > SUITE_LAST)
        return err_set(e, ERR_HELD, "keyring.json: key %.16s: suite %lld is not known here", id, (long long)suite);
    *k = (struct key_entry){.suite = (unsigned)suite, .own = strcmp(owner, "own") == 0, .trusted = trusted, .created_ms = created, .since_ms = since, .expires_ms = expires,
                            .from = (uint64_t)from, .until = (uint64_t)until};
    if (key_state_parse(&k->state, state) < 0)
        return err_set(e, ERR_HELD, "keyring.json: key %.16s: state '%.20s' is not known here", id, state);
    if (!hex_text(id, 16) || (!k->own && strcmp(owner, "peer") != 0) || !file_fits(file) || (*incarnation && !hex_text(incarnation, 16)) ||
        (*ended && !hex_text(ended, 16)) || strlen(told) >= sizeof k->told || strspn(told, "abcdefghijklmnopqrstuvwxyz") != strlen(told) || from < 0 || until < 0 || created < 0 || created > TIME_MOST || since < 0 || since > TIME_MOST ||
        expires < 0 || expires > TIME_MOST)
        return err_set(e, ERR_CORRUPT, "keyring.json: key %.16s: a malformed value", id);
    snprintf(k->id, sizeof k->id, "%s", id);
    snprintf(k->file, sizeof k->file, "%s", file);
    snprintf(k->incarnation, sizeof k->incarnation, "%s", incarnation);
    snprintf(k->ended, sizeof k->ended, "%s", ended);
    snprintf(k->told, sizeof k->told, "%s", told);
    return 0;
}

/* One current key on each side: without one nothing can be sealed, with two nobody knows by which. */
static int check_list(struct key_list *keys, struct err *e)
{
    unsigned current[2] = {0};
    for (size_t i = 0; i < keys->n; i++) {
        current[keys->key[i].own] += keys->key[i].state == KEY_CURRENT;
        for (size_t j = 0; j < i; j++)
            if (strcmp(keys->key[i].id, keys->key[j].id) == 0)
                return err_set(e, ERR_CORRUPT, "keyring.json: key %s stands there twice", keys->key[i].id);
    }
    return current[0] == 1 && current[1] == 1 ? 0 : err_set(e, ERR_CORRUPT, "keyring.json: want one current key of ours and one of the peer, have %u and %u", current[1], current[0]);
}

int keyring_parse(struct key_list *out, struct bytes json, struct err *e)
{
    json_error_t why;
    json_t *root = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &why), *keys = NULL, *one;
    json_int_t version = 0;
    size_t i;
    int rc = 0;
    out->n = 0;
    if (!root)
        return err_set(e, ERR_CORRUPT, "keyring.json: line %d: %.120s", why.line, why.text);
    if (json_unpack_ex(root, &why, JSON_STRICT, "{s:I, s:o}", "version", &version, "keys", &keys) < 0 || !json_is_array(keys) || json_array_size(keys) > KEYRING_MAX)
        rc = err_set(e, ERR_CORRUPT, "keyring.json: want a version and at most %d keys", KEYRING_MAX);
    else if (version != 1)
        rc = err_set(e, ERR_HELD, "keyring.json: version %lld is not known here", (long long)version);
    json_array_foreach(keys, i, one) {
        if (rc == 0)
            rc = read_key(&out->key[out->n], one, e);
        out->n += rc == 0;
    }
    json_decref(root);
    return rc < 0 ? -1 : check_list(out, e);
}

int keyring_print(struct buf *out, const struct key_list *keys, struct err *e)
{
    buf_str(out, "{\"version\": 1, \"keys\": [");
    for (size_t i = 0; i < keys->n; i++) {
        const struct key_entry *k = &keys->key[i];
        buf_fmt(out, "%s\n {\"id\": \"%s\", \"owner\": \"%s\", \"suite\": %u, \"state\": \"%s\", \"file\": \"%s\", \"trusted\": %s, \"created_ms\": %lld, \"since_ms\": %lld, "
                     "\"expires_ms\": %lld, \"incarnation\": \"%s\", \"from\": %llu, \"ended\": \"%s\", \"until\": %llu, \"told\": \"%s\"}",
                i ? "," : "", k->id, k->own ? "own" : "peer", k->suite, key_state_words[k->state], k->file, k->trusted ? "true" : "false", (long long)k->created_ms,
                (long long)k->since_ms, (long long)k->expires_ms, k->incarnation, (unsigned long long)k->from, k->ended, (unsigned long long)k->until, k->told);
    }
    buf_str(out, "\n]}\n");
    return buf_done(out, "keyring.json", e);
}

/* --- what a person compares --- */

void key_fingerprint(char out[KEY_FINGERPRINT], const struct key_public *k)
{
    const struct suite *su = suite_find(k->suite, NULL);
    char hex[33];
    struct hash256 h = {{0}};
    if (su)
        key_digest(&h, "hz-fingerprint-", k, su);
    hex_put(hex, h.b, 16);
    for (int i = 0; i < 8; i++)
        snprintf(out + (ptrdiff_t)i * 5, 6, "%.4s%s", hex + (ptrdiff_t)i * 4, i < 7 ? "-" : "");
}

long long key_days(const struct key_entry *k, int64_t now_ms)
{
    const int64_t day = 24LL * 3600 * 1000, left = k->expires_ms - now_ms;
    return left >= 0 ? left / day : -((-left + day - 1) / day);
}

unsigned key_warning(const struct key_entry *k, int64_t now_ms)
{
    if (k->state > KEY_ACCEPTING)
        return 0;
    const long long days = key_days(k, now_ms);
    return days < 0 ? 1 : days < 7 ? 7 : days < 30 ? 30 : days < 60 ? 60 : 0;
}
