/* seal_keys.c - key pairs, key files, signatures. A key file is text: "hz-key 1", then name=, sign=, box= in hex. */
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
    uint8_t sign_sk[crypto_sign_SECRETKEYBYTES];
    uint8_t box_sk[crypto_box_SECRETKEYBYTES];
};

int seal_init(struct err *e)
{
    struct rlimit none = {0, 0};
    if (sodium_init() < 0)
        return err_set(e, ERR_INTERNAL, "libsodium could not be started");
    setrlimit(RLIMIT_CORE, &none);           /* no keys, no citizens in a core file */
    prctl(PR_SET_DUMPABLE, 0);
    return 0;
}

static void name_key(struct key_public *k)
{
    uint8_t all[8 + 64];
    struct hash256 h;
    memcpy(all, "hz-key-1", 8);
    memcpy(all + 8, k->sign_pk, 32);
    memcpy(all + 40, k->box_pk, 32);
    hash_of(&h, (struct bytes){all, sizeof all});
    memcpy(k->id.b, h.b, sizeof k->id.b);
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

int keys_generate(struct key_pair **out, const char *name, struct err *e)
{
    if (!name_fits(name))
        return err_set(e, ERR_INPUT, "key name: want 1 to 15 lower-case letters, have '%.20s'", name);
    struct key_pair *k = new_pair(e);
    if (!k)
        return -1;
    snprintf(k->pub.name, sizeof k->pub.name, "%s", name);
    crypto_sign_keypair(k->pub.sign_pk, k->sign_sk);
    crypto_box_keypair(k->pub.box_pk, k->box_sk);
    name_key(&k->pub);
    *out = k;
    return 0;
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
    struct buf text;
    buf_init(&text, 4096);
    buf_fmt(&text, "hz-key 1 public\nname=%s\n", k->name);
    key_line(&text, "sign", k->sign_pk, 32);
    key_line(&text, "box", k->box_pk, 32);
    int rc = write_new(path, buf_bytes(&text), 0644, e);
    buf_clear(&text);
    return rc;
}

int keys_save(const struct key_pair *k, const char *private_path, const char *public_path, struct err *e)
{
    struct buf priv;
    buf_init(&priv, 4096);
    buf_fmt(&priv, "hz-key 1 private\nname=%s\n", k->pub.name);
    key_line(&priv, "sign", k->sign_sk, sizeof k->sign_sk);
    key_line(&priv, "box", k->box_sk, sizeof k->box_sk);
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

static int parse_key(const char *text, const char *kind, char name[16], uint8_t *sign, size_t sign_n, uint8_t *box, size_t box_n, const char *path, struct err *e)
{
    char head[40] = "", hex[2][2 * 64 + 1];
    int rc = take(&text, "", head, sizeof head) < 0 || take(&text, "name=", name, 16) < 0 || take(&text, "sign=", hex[0], sizeof hex[0]) < 0 ||
             take(&text, "box=", hex[1], sizeof hex[1]) < 0 || *text || strcmp(head, kind) != 0 || !name_fits(name) ||
             hex_get(sign, sign_n, hex[0]) < 0 || hex_get(box, box_n, hex[1]) < 0;
    sodium_memzero(hex, sizeof hex);
    if (strncmp(head, "hz-key ", 7) == 0 && head[7] >= '2' && head[7] <= '9')
        return err_set(e, ERR_HELD, "%s: key of suite %c: not known here", path, head[7]);
    return rc ? err_set(e, ERR_INPUT, "%s: want a key file beginning '%s'", path, kind) : 0;
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
    buf_init(&text, 4096);
    int rc = check_mode(private_path, e) < 0 || file_read_path(&text, private_path, 4095, e) < 0 || !(k = new_pair(e)) ? -1 : 0;
    if (rc == 0)
        rc = parse_key(buf_text(&text), "hz-key 1 private", k->pub.name, k->sign_sk, sizeof k->sign_sk, k->box_sk, sizeof k->box_sk, private_path, e);
    buf_wipe(&text);
    if (rc < 0) {
        keys_free(k);
        return -1;
    }
    crypto_sign_ed25519_sk_to_pk(k->pub.sign_pk, k->sign_sk);
    crypto_scalarmult_base(k->pub.box_pk, k->box_sk);
    name_key(&k->pub);
    *out = k;
    return 0;
}

int keys_load_public(struct key_public *out, const char *path, struct err *e)
{
    struct buf text;
    buf_init(&text, 4096);
    *out = (struct key_public){0};
    int rc = file_read_path(&text, path, 4095, e);
    if (rc == 0)
        rc = parse_key(buf_text(&text), "hz-key 1 public", out->name, out->sign_pk, 32, out->box_pk, 32, path, e);
    buf_clear(&text);
    if (rc == 0)
        name_key(out);
    return rc;
}

int keys_public_of(struct key_public *out, const char *name, const char *sign_hex, const char *box_hex, struct err *e)
{
    *out = (struct key_public){0};
    if (!name_fits(name) || hex_get(out->sign_pk, 32, sign_hex) < 0 || hex_get(out->box_pk, 32, box_hex) < 0)
        return err_set(e, ERR_INPUT, "key: want a name and two halves of 64 hex digits");
    snprintf(out->name, sizeof out->name, "%s", name);
    name_key(out);
    return 0;
}

const struct key_public *keys_public(const struct key_pair *k)
{
    return &k->pub;
}

const uint8_t *key_box_secret(const struct key_pair *k)
{
    return k->box_sk;
}

void keys_free(struct key_pair *k)
{
    sodium_free(k);          /* wipes; NULL is fine */
}

/* What is signed is domain || 0 || body, whole: any Ed25519 can do it. */
static int joined(struct buf *out, const char *domain, struct bytes body)
{
    buf_init(out, 0);
    buf_put(out, domain, strlen(domain) + 1);
    buf_put(out, body.p, body.n);
    return out->bad ? -1 : 0;
}

void sign_bytes(uint8_t sig[64], const char *domain, struct bytes body, const struct key_pair *k)
{
    struct buf all;
    if (joined(&all, domain, body) < 0)
        abort();                          /* bodies are bounded far below memory; a signature over nothing must not exist */
    crypto_sign_detached(sig, NULL, all.p, all.n, k->sign_sk);
    buf_clear(&all);
}

int sign_check(const uint8_t sig[64], const char *domain, struct bytes body, const struct key_public *k, struct err *e)
{
    struct buf all;
    int rc = joined(&all, domain, body);
    if (rc == 0)
        rc = crypto_sign_verify_detached(sig, all.p, all.n, k->sign_pk);
    buf_clear(&all);
    return rc == 0 ? 0 : err_set(e, ERR_CORRUPT, "%s: signature is not %s's", domain, k->name);
}
