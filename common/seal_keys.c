/* seal_keys.c - key pairs, key files, signatures. A key file is text: "hz-key 1 private" or "… public", 1 the suite, then name=, sign=, box= in hex. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/seal_parts.h"

struct key_pair {
    struct key_public pub;
    struct suite_keys k;
};

int seal_init(struct err *e)
{
    struct rlimit none = {0, 0};
    if (suite1.start(e) < 0)
        return -1;
    setrlimit(RLIMIT_CORE, &none);           /* no keys, no citizens in a core file */
    prctl(PR_SET_DUMPABLE, 0);
    return 0;
}

size_t keys_half(const struct key_public *k)
{
    const struct suite *su = suite_find(k->suite, NULL);
    return su ? su->sign_pk : 0;
}

/* hash(label suite || sign || box), the suite as one digit. */
void key_digest(struct hash256 *out, const char *label, const struct key_public *k, const struct suite *su)
{
    uint8_t all[32 + 2 * SUITE_PK];
    size_t n = strlen(label);
    memcpy(all, label, n);
    all[n++] = (uint8_t)('0' + su->number);
    memcpy(all + n, k->sign_pk, su->sign_pk);
    memcpy(all + n + su->sign_pk, k->box_pk, su->box_pk);
    su->hash(out, (struct bytes){all, n + su->sign_pk + su->box_pk});
}

static void name_key(struct key_public *k, const struct suite *su)
{
    struct hash256 h;
    k->suite = (uint8_t)su->number;
    key_digest(&h, "hz-key-", k, su);
    memcpy(k->id.b, h.b, sizeof k->id.b);
}

static void name_pair(struct key_pair *k, const struct suite *su)
{
    memcpy(k->pub.sign_pk, k->k.sign_pk, su->sign_pk);
    memcpy(k->pub.box_pk, k->k.box_pk, su->box_pk);
    name_key(&k->pub, su);
}

static bool name_fits(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n < sizeof((struct key_public *)0)->name && strspn(name, "abcdefghijklmnopqrstuvwxyz") == n;
}

static struct key_pair *new_pair(struct err *e)
{
    struct key_pair *k = sodium_malloc(sizeof *k);
    if (!k)
        err_set(e, ERR_FULL, "key: no locked memory");
    else
        memset(k, 0, sizeof *k);
    return k;
}

int keys_generate_in(struct key_pair **out, const char *name, unsigned suite, struct err *e)
{
    if (!name_fits(name))
        return err_set(e, ERR_INPUT, "key name: want 1 to 15 lower-case letters, have '%.20s'", name);
    const struct suite *su = suite_find(suite, e);
    struct key_pair *k = su ? new_pair(e) : NULL;
    if (!k || su->generate(&k->k, e) < 0) {
        keys_free(k);
        return -1;
    }
    snprintf(k->pub.name, sizeof k->pub.name, "%s", name);
    name_pair(k, su);
    *out = k;
    return 0;
}

int keys_generate(struct key_pair **out, const char *name, struct err *e)
{
    return keys_generate_in(out, name, SUITE_FIRST, e);
}

static void key_line(struct buf *out, const char *name, const uint8_t *p, size_t n)
{
    char hex[2 * 64 + 1];
    hex_put(hex, p, n);
    buf_fmt(out, "%s=%s\n", name, hex);
    sodium_memzero(hex, sizeof hex);
}

static int write_new(const char *path, struct bytes body, mode_t mode, struct err *e)
{
    if (access(path, F_OK) == 0)
        return err_set(e, ERR_CONFLICT, "%s exists already: a key is never overwritten", path);
    return file_write_path(path, body, mode, e);
}

int keys_save_public(const struct key_public *k, const char *path, struct err *e)
{
    const struct suite *su = suite_find(k->suite, e);
    struct buf text;
    if (!su)
        return -1;
    buf_init(&text, 4096);
    buf_fmt(&text, "hz-key %u public\nname=%s\n", k->suite, k->name);
    key_line(&text, "sign", k->sign_pk, su->sign_pk);
    key_line(&text, "box", k->box_pk, su->box_pk);
    int rc = write_new(path, buf_bytes(&text), 0644, e);
    buf_clear(&text);
    return rc;
}

int keys_save(const struct key_pair *k, const char *private_path, const char *public_path, struct err *e)
{
    const struct suite *su = suite_find(k->pub.suite, e);
    struct buf priv;
    if (!su)
        return -1;
    buf_init(&priv, 4096);
    buf_fmt(&priv, "hz-key %u private\nname=%s\n", k->pub.suite, k->pub.name);
    key_line(&priv, "sign", k->k.sign_sk, su->sign_sk);
    key_line(&priv, "box", k->k.box_sk, su->box_sk);
    int rc = write_new(private_path, buf_bytes(&priv), 0600, e);
    buf_wipe(&priv);
    return rc < 0 ? -1 : keys_save_public(&k->pub, public_path, e);
}

static int take(const char **at, const char *name, char *out, size_t cap)
{
    size_t n = strlen(name), len;
    const char *end = strchr(*at, '\n');
    if (!end || strncmp(*at, name, n) != 0 || (len = (size_t)(end - *at) - n) >= cap)
        return -1;
    memcpy(out, *at + n, len);
    out[len] = 0;
    *at = end + 1;
    return 0;
}

/* "hz-key N private" or "… public": which suite; 0 when the line is another. */
static unsigned head_suite(const char *head, const char *kind)
{
    if (strncmp(head, "hz-key ", 7) != 0 || head[7] < '1' || head[7] > '9' || head[8] != ' ' || strcmp(head + 9, kind) != 0)
        return 0;
    return (unsigned)(head[7] - '0');
}

static int read_halves(const char *text, char name[16], uint8_t *sign, size_t sign_n, uint8_t *box, size_t box_n)
{
    char hex[2][2 * SUITE_PK + 1];
    int rc = take(&text, "name=", name, 16) < 0 || take(&text, "sign=", hex[0], sizeof hex[0]) < 0 || take(&text, "box=", hex[1], sizeof hex[1]) < 0 || *text ||
                     !name_fits(name) || hex_get(sign, sign_n, hex[0]) < 0 || hex_get(box, box_n, hex[1]) < 0 ? -1 : 0;
    sodium_memzero(hex, sizeof hex);
    return rc;
}

/* The suite of a key file, with its halves in sign and box. NULL with e. */
static const struct suite *parse_key(const char *text, bool private, char name[16], uint8_t *sign, uint8_t *box, const char *path, struct err *e)
{
    const char *kind = private ? "private" : "public";
    char head[40] = "";
    unsigned number = take(&text, "", head, sizeof head) < 0 ? 0 : head_suite(head, kind);
    const struct suite *su = number ? suite_find(number, e) : NULL;
    if (number && !su)
        err_wrap(e, "%s: key of suite %u", path, number);
    else if (!su || read_halves(text, name, sign, private ? su->sign_sk : su->sign_pk, box, private ? su->box_sk : su->box_pk) < 0) {
        err_set(e, ERR_INPUT, "%s: want a key file beginning 'hz-key %u %s'", path, number ? number : SUITE_FIRST, kind);
        su = NULL;
    }
    return su;
}

static int check_mode(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_sys(e, "key %s", path);
    if ((st.st_mode & 077) || (st.st_uid != geteuid() && geteuid() != 0))
        return err_set(e, ERR_DENIED, "%s: want mode 0600 and our own file, have %04o of user %u", path, st.st_mode & 07777, st.st_uid);
    return 0;
}

int keys_load(struct key_pair **out, const char *private_path, struct err *e)
{
    struct buf text;
    struct key_pair *k = NULL;
    const struct suite *su = NULL;
    buf_init(&text, 4096);
    int rc = check_mode(private_path, e) < 0 || file_read_path(&text, private_path, 4095, e) < 0 || !(k = new_pair(e)) ? -1 : 0;
    if (rc == 0)
        su = parse_key(buf_text(&text), true, k->pub.name, k->k.sign_sk, k->k.box_sk, private_path, e);
    buf_wipe(&text);
    if (!su || su->derive(&k->k, e) < 0) {
        if (su)
            err_wrap(e, "%s", private_path);
        keys_free(k);
        return -1;
    }
    name_pair(k, su);
    *out = k;
    return 0;
}

int keys_load_public(struct key_public *out, const char *path, struct err *e)
{
    struct buf text;
    buf_init(&text, 4096);
    *out = (struct key_public){0};
    const struct suite *su = file_read_path(&text, path, 4095, e) < 0 ? NULL : parse_key(buf_text(&text), false, out->name, out->sign_pk, out->box_pk, path, e);
    buf_clear(&text);
    if (!su)
        return -1;
    if (su->check(out->sign_pk, out->box_pk, e) < 0)
        return err_wrap(e, "%s", path);
    name_key(out, su);
    return 0;
}

/* The halves' length tells: 32 bytes are suite 1's, 64 suite 2's. */
static const struct suite *suite_of_half(size_t digits, struct err *e)
{
    if (digits == 64 || digits == 128)
        return suite_find(digits == 64 ? 1 : 2, e);
    err_set(e, ERR_INPUT, "key: want a name and two halves of 64 or 128 hex digits");
    return NULL;
}

int keys_public_of(struct key_public *out, const char *name, const char *sign_hex, const char *box_hex, struct err *e)
{
    const struct suite *su = suite_of_half(strlen(sign_hex), e);
    *out = (struct key_public){0};
    if (!su)
        return -1;
    if (!name_fits(name) || hex_get(out->sign_pk, su->sign_pk, sign_hex) < 0 || hex_get(out->box_pk, su->box_pk, box_hex) < 0)
        return err_set(e, ERR_INPUT, "key: want a name and two halves of %zu hex digits", su->sign_pk * 2);
    if (su->check(out->sign_pk, out->box_pk, e) < 0)
        return -1;
    snprintf(out->name, sizeof out->name, "%s", name);
    name_key(out, su);
    return 0;
}

int suite_hash(struct hash256 *out, struct bytes in, unsigned suite, struct err *e)
{
    const struct suite *su = suite_find(suite, e);
    if (su)
        su->hash(out, in);
    return su ? 0 : -1;
}

const struct key_public *keys_public(const struct key_pair *k)
{
    return &k->pub;
}

const uint8_t *key_box_secret(const struct key_pair *k)
{
    return k->k.box_sk;
}

void keys_free(struct key_pair *k)
{
    sodium_free(k);          /* wipes; NULL is fine */
}

/* What is signed is domain || 0 || body, whole: any implementation of the suite's signature can do it. */
static int joined(struct buf *out, const char *domain, struct bytes body)
{
    buf_init(out, 0);
    buf_put(out, domain, strlen(domain) + 1);
    buf_put(out, body.p, body.n);
    return out->bad ? -1 : 0;
}

void sign_bytes(uint8_t sig[64], const char *domain, struct bytes body, const struct key_pair *k)
{
    const struct suite *su = suite_find(k->pub.suite, NULL);
    struct buf all;
    if (!su || joined(&all, domain, body) < 0)
        abort();                          /* a pair has a suite that is loaded; bodies are bounded far below memory; a signature over nothing must not exist */
    su->sign(sig, buf_bytes(&all), k->k.sign_sk, k->k.sign_pk);
    buf_clear(&all);
}

int sign_check(const uint8_t sig[64], const char *domain, struct bytes body, const struct key_public *k, struct err *e)
{
    const struct suite *su = suite_find(k->suite, e);
    struct buf all;
    if (!su)
        return -1;
    int rc = joined(&all, domain, body) < 0 ? err_set(e, ERR_FULL, "%s: no memory for a signature's text", domain) : su->verify(sig, buf_bytes(&all), k->sign_pk, e);
    buf_clear(&all);
    return rc == 0 ? 0 : err_set(e, ERR_CORRUPT, "%s: signature is not %s's", domain, k->name);
}
