/* key_commands.c - ferry key …: the life of a side's keys, their copies in three shares, and the drill. What is asked here of a running service is in
 * ferry/lib/keys.h; list, generate, trust, backup, restore and drill work on the folder alone, while the service stands, too. */
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/keyring.h"
#include "common/shares.h"
#include "ferry/commands.h"
#include "ferry/operate.h"

#define ANSWER_S 30
#define RETIRE_S 120

static int fail(const struct arguments *a, const struct err *e)
{
    fprintf(stderr, "ferry key %s: %s\n", arguments_word(a, 0), e->msg);
    return e->code == ERR_INPUT ? 2 : 1;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* --- which ring --- */

/* The service of this host; its answer to `verb`. 0, or the exit code. */
static int ask_service(const struct arguments *a, const char *verb, json_t *args, json_t **answer)
{
    struct config *c = NULL;
    struct side side;
    int rc = command_config(&c, a);
    if (rc == 0)
        rc = operate_side(&side, c, a);
    if (rc == 0)
        rc = operate_ask(&side, verb, args, ANSWER_S, answer);
    else
        json_decref(args);
    config_free(c);
    return rc;
}

/* --keys DIR, else the folder that the service names. 0, or the exit code. */
static int ring_dir(const struct arguments *a, char dir[600])
{
    const char *given = arguments_option(a, "--keys");
    json_t *answer = NULL;
    if (given) {
        snprintf(dir, 600, "%s", given);
        return 0;
    }
    int rc = ask_service(a, "keys", json_object(), &answer);
    if (rc == 0) {
        snprintf(dir, 600, "%s", text(answer, "dir"));
        json_decref(answer);
    } else
        fprintf(stderr, "%s", told("or name the folder: --keys DIR\n", "或者直接指明密钥目录：--keys 目录\n"));
    return rc;
}

static int open_ring(const struct arguments *a, struct keyring **r)
{
    struct err e = {0};
    char dir[600];
    int rc = ring_dir(a, dir);
    return rc ? rc : keyring_open_dir(r, dir, &e) < 0 ? fail(a, &e) : 0;
}

static const struct key_entry *entry_in(const struct key_set *s, const char *id)
{
    const struct key_list *l = key_set_list(s);
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->key[i].id, id) == 0)
            return &l->key[i];
    return NULL;
}

/* --- list --- */

static const char *state_told(const struct key_entry *k)
{
    static const char *const zh[] = {"已公布", "使用中", "兼容期", "已退役", "已吊销"};
    if (k->state == KEY_ANNOUNCED && !k->own && !k->trusted)
        return told("announced, not trusted", "已公布，未信任");
    if (k->state == KEY_ANNOUNCED && k->own && k->trusted)
        return told("announced, trusted by the peer", "已公布，对侧已信任");
    return told(key_state_words[k->state], zh[k->state]);
}

static const char *suite_told(unsigned suite)
{
    return suite == 2 ? told("suite 2 (SM2/SM3/SM4)", "套件2（国密 SM2/SM3/SM4）") : told("suite 1", "套件1");
}

static void print_key(const struct key_entry *k, int64_t now_ms, bool json, bool first)
{
    char fingerprint[KEY_FINGERPRINT], expires[21];
    key_fingerprint(fingerprint, &k->pub);
    clock_rfc3339(expires, k->expires_ms);
    if (json) {
        printf("%s\n  {\"id\": \"%s\", \"name\": \"%s\", \"owner\": \"%s\", \"suite\": %u, \"state\": \"%s\", \"trusted\": %s, \"expires\": \"%s\", \"days\": %lld, \"fingerprint\": \"%s\", "
               "\"incarnation\": \"%s\", \"from\": %llu, \"ended\": \"%s\", \"until\": %llu, \"warning\": %u}",
               first ? "" : ",", k->id, k->pub.name, k->own ? "own" : "peer", k->suite, key_state_words[k->state], k->trusted ? "true" : "false", expires, key_days(k, now_ms),
               fingerprint, k->incarnation, (unsigned long long)k->from, k->ended, (unsigned long long)k->until, key_warning(k, now_ms));
        return;
    }
    printf("%s  %-9s %s  %s\n    %s\n    %s %.10s", k->id, k->pub.name, state_told(k), suite_told(k->suite), fingerprint, told("expires", "到期"), expires);
    if (key_warning(k, now_ms))
        printf(key_days(k, now_ms) < 0 ? told("  EXPIRED %lld days ago: change it", "  已过期 %lld 天：请更换") : told("  in %lld days: change it", "  还有 %lld 天：请更换"),
               llabs(key_days(k, now_ms)));
    if (*k->ended)
        printf(told("   signs below number %llu of %s", "   只签 %2$s 中小于 %1$llu 号的文件"), (unsigned long long)k->until, k->ended);
    putchar('\n');
}

static int key_list_all(const struct arguments *a)
{
    struct keyring *r;
    bool json = arguments_option(a, "--json") != NULL;
    int rc = open_ring(a, &r);
    if (rc)
        return rc;
    struct key_set *s = keyring_take(r);
    const struct key_list *l = key_set_list(s);
    if (json)
        printf("[");
    for (size_t i = 0; i < l->n; i++)
        print_key(&l->key[i], clock_wall_ms(), json, i == 0);
    if (json)
        printf("\n]\n");
    key_set_release(s);
    keyring_close(r);
    return 0;
}

/* --- generate --- */

static int key_generate(const struct arguments *a)
{
    const char *public_file = arguments_option(a, "--public"), *in = arguments_option(a, "--suite");
    struct keyring *r;
    struct err e = {0};
    uint64_t suite = 0;                  /* that of the one in use */
    char id[17], fingerprint[KEY_FINGERPRINT];
    if (in && parse_u64(in, SUITE_FIRST, SUITE_LAST, &suite, "--suite", &e) < 0)
        return fail(a, &e);
    int rc = open_ring(a, &r);
    if (rc)
        return rc;
    if (keyring_generate_in(r, (unsigned)suite, clock_wall_ms(), id, &e) < 0) {
        keyring_close(r);
        return fail(a, &e);
    }
    struct key_set *s = keyring_take(r);
    const struct key_public *pub = &entry_in(s, id)->pub;
    key_fingerprint(fingerprint, pub);
    if (public_file && keys_save_public(pub, public_file, &e) < 0)
        rc = fail(a, &e);
    printf("%s\n%s\n", id, fingerprint);
    fprintf(stderr, "%s", told("announced: the service tells the peer. There: ferry key trust KEYID --fingerprint …, compared by telephone. Then here: ferry key use KEYID\n",
                               "已公布：服务会告知对侧。请对侧电话核对指纹后执行 ferry key trust 密钥号 --fingerprint …，然后在本侧执行 ferry key use 密钥号\n"));
    key_set_release(s);
    keyring_close(r);
    return rc;
}

/* --- trust --- */

/* What was read out, without blanks, hyphens and case. */
static void plain(char out[KEY_FINGERPRINT], const char *in)
{
    size_t n = 0;
    for (; *in && n + 1 < KEY_FINGERPRINT; in++)
        if (isxdigit((unsigned char)*in))
            out[n++] = (char)tolower((unsigned char)*in);
    out[n] = 0;
}

/* Two people: one reads the fingerprint on the host where the key was made, one types it here. */
static int compare(const struct arguments *a, const struct key_public *pub)
{
    const char *given = arguments_option(a, "--fingerprint");
    char real[KEY_FINGERPRINT], want[KEY_FINGERPRINT], have[KEY_FINGERPRINT];
    key_fingerprint(real, pub);
    if (!given) {
        printf("%s  %s\n", pub->name, real);
        fprintf(stderr, "%s", told("Let the operator of the other side read the fingerprint of this key out of `ferry key list` there. If it is the same, type what you heard: "
                                   "--fingerprint …\n",
                                   "请对侧管理员在其主机上用 ferry key list 读出该密钥的指纹；核对一致后，把听到的指纹填入 --fingerprint …\n"));
        return 2;
    }
    plain(want, real);
    plain(have, given);
    if (strcmp(want, have) == 0)
        return 0;
    fprintf(stderr, "ferry key trust: %s\n", told("the fingerprint is another: do not trust this key, find out where it came from", "指纹不一致：请勿信任，先查明该密钥的来源"));
    return 1;
}

static int mark_trusted(struct key_list *keys, void *arg, struct err *e)
{
    struct key_entry *k = key_list_find(keys, arg);
    if (!k || k->own)
        return err_set(e, ERR_MISSING, "key %s is no key of the peer", (const char *)arg);
    if (k->state == KEY_RETIRED || k->state == KEY_REVOKED)
        return err_set(e, ERR_CONFLICT, "key %s is %s", k->id, key_state_words[k->state]);
    bool news = !k->trusted;
    k->trusted = true;
    return news;
}

/* The mover's folder holds public keys only: every NAME-KEYID.pub there may sign. */
static int trust_for_mover(const struct arguments *a, const char *dir, const struct key_public *pub)
{
    char path[800], id[17];
    struct err e = {0};
    int rc = compare(a, pub);
    if (rc)
        return rc;
    hex_put(id, pub->id.b, 8);
    if (str_fmt(path, sizeof path, &e, "%s/%s-%s.pub", dir, pub->name, id) < 0 || keys_save_public(pub, path, &e) < 0)
        return fail(a, &e);
    printf("%s\n", path);
    return 0;
}

static int trust_in(const struct arguments *a, struct keyring *r, const struct key_public *pub)
{
    char id[17];
    struct err e = {0};
    int rc = compare(a, pub);
    if (rc)
        return rc;
    hex_put(id, pub->id.b, 8);
    if (keyring_heard(r, pub, clock_wall_ms(), &e) < 0 || keyring_edit(r, mark_trusted, id, &e) < 0)
        return fail(a, &e);
    printf("%s %s\n", id, told("trusted; the service tells the peer", "已信任；服务会告知对侧"));
    return 0;
}

static int key_trust(const struct arguments *a)
{
    const char *what = arguments_word(a, 1);
    struct key_public pub;
    struct keyring *r = NULL;
    struct err e = {0}, none = {0};
    char dir[600];
    if (!what)
        return fprintf(stderr, "ferry key trust: want FILE or KEYID\n"), 2;
    bool file = strlen(what) != 16 || strspn(what, "0123456789abcdef") != 16;
    int rc = ring_dir(a, dir);
    if (rc)
        return rc;
    if (file && keys_load_public(&pub, what, &e) < 0)
        return fail(a, &e);
    if (keyring_open_dir(&r, dir, &none) < 0)
        return file && none.code == ERR_MISSING ? trust_for_mover(a, dir, &pub) : fail(a, &none);
    if (!file) {
        struct key_set *s = keyring_take(r);
        const struct key_entry *k = entry_in(s, what);
        if (k && !k->own)
            pub = k->pub;
        else
            rc = (err_set(&e, ERR_MISSING, "no key %s of the peer was announced here", what), fail(a, &e));
        key_set_release(s);
    }
    if (rc == 0)
        rc = trust_in(a, r, &pub);
    keyring_close(r);
    return rc;
}

/* --- use, retire, revoke: asked of the service --- */

static json_t *id_args(const struct arguments *a)
{
    json_t *args = json_object();
    json_object_set_new(args, "id", json_string(arguments_word(a, 1) ? arguments_word(a, 1) : ""));
    if (arguments_option(a, "--confirmed"))
        json_object_set_new(args, "confirmed", json_true());
    return args;
}

static int key_use(const struct arguments *a)
{
    json_t *answer = NULL;
    int rc = ask_service(a, "key-use", id_args(a), &answer);
    if (rc == 0)
        printf(told("%s is current from number %lld on; the old one stays accepted until `ferry key retire`\n", "%s 已启用，自第 %lld 号文件起；旧密钥在 ferry key retire 之前继续有效\n"),
               text(answer, "id"), json_integer_value(json_object_get(answer, "from")));
    json_decref(answer);
    return rc;
}

static void tell_open(const json_t *answer)
{
    size_t i;
    json_t *row;
    bool here = strcmp(text(answer, "where"), "here") == 0;
    fprintf(stderr, told("not retired: %lld open under it %s\n", "未退役：%2$s仍有 %1$lld 项未确认\n"), json_integer_value(json_object_get(answer, "open")),
            here ? told("here", "本侧") : told("on the peer's side", "对侧"));
    json_array_foreach(json_object_get(answer, "rows"), i, row)
        fprintf(stderr, "  %s  %s  %s  %s\n", text(row, "id"), text(row, "kind"), text(row, "case_no"), text(row, "what"));
}

static int key_retire(const struct arguments *a)
{
    const char *wait = arguments_option(a, "--wait");
    uint64_t seconds = RETIRE_S;
    struct err e = {0};
    if (wait && parse_u64(wait, 1, 3600, &seconds, "--wait", &e) < 0)
        return fail(a, &e);
    int64_t end = clock_mono_ms() + (int64_t)seconds * 1000;
    for (;;) {
        json_t *answer = NULL;
        int rc = ask_service(a, "key-retire", id_args(a), &answer);
        if (rc)
            return rc;
        bool asked = strcmp(text(answer, "word"), "asked") == 0, done = strcmp(text(answer, "word"), "retired") == 0;
        if (done)
            printf(told("%s is retired\n", "%s 已退役\n"), text(answer, "id"));
        else if (!asked)
            tell_open(answer);
        json_decref(answer);
        if (!asked)
            return done ? 0 : 1;
        if (clock_mono_ms() > end)
            return fprintf(stderr, "%s", told("not retired: the peer did not answer; try again\n", "未退役：对侧没有答复，请稍后再试\n")), 1;
        usleep(1000000);
    }
}

static int key_revoke(const struct arguments *a)
{
    json_t *answer = NULL;
    int rc = ask_service(a, "key-revoke", id_args(a), &answer);
    if (rc == 0)
        printf(told("%s is revoked%s\n", "%s 已吊销%s\n"), text(answer, "id"),
               json_object_get(answer, "resync") ? told("; what was not confirmed travels again in a new stream, cases under it are marked", "；未确认的将以新批次重新发出，相关办件会标记") : "");
    json_decref(answer);
    return rc;
}

/* --- shares --- */

static int own_key_path(struct keyring *r, char path[1300], char id[17])
{
    struct key_set *s = keyring_take(r);
    const struct key_list *l = key_set_list(s);
    struct err e = {0};
    int rc = -1;
    for (size_t i = 0; i < l->n; i++)
        if (l->key[i].own && l->key[i].state == KEY_CURRENT) {
            rc = str_fmt(path, 1300, &e, "%s/%s", keyring_dir(r), l->key[i].file);
            snprintf(id, 17, "%s", l->key[i].id);
        }
    key_set_release(s);
    return rc;
}

static int backup_file(const char *dir, const char *path, const char *what, const char *id, struct err *e)
{
    struct share shares[SHARES];
    struct buf secret;
    buf_init(&secret, SHARE_SECRET + 1);
    int rc = file_read_path(&secret, path, SHARE_SECRET, e) < 0 ? -1 : shares_split(shares, what, id, buf_bytes(&secret), e);
    buf_wipe(&secret);
    for (int i = 0; rc == 0 && i < SHARES; i++) {
        char out[1300];
        struct buf body;
        buf_init(&body, 0);
        rc = share_write(&body, &shares[i], e) < 0 || str_fmt(out, sizeof out, e, "%s/%s.share-%d", dir, what, i + 1) < 0 ? -1 : 0;
        if (rc == 0)
            rc = access(out, F_OK) == 0 ? err_set(e, ERR_CONFLICT, "%s exists already", out) : file_write_path(out, buf_bytes(&body), 0600, e);
        buf_wipe(&body);
        if (rc == 0)
            printf("%s\n", out);
    }
    for (int i = 0; i < SHARES; i++)
        share_clear(&shares[i]);
    return rc;
}

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int key_backup(const struct arguments *a)
{
    const char *dir = arguments_option(a, "--out"), *more[] = {arguments_option(a, "--master-key"), arguments_option(a, "--pepper")};
    struct keyring *r;
    struct err e = {0};
    char path[1300], id[17], what[64];
    if (!dir)
        return fprintf(stderr, "ferry key backup: want --out DIR\n"), 2;
    int rc = open_ring(a, &r);
    if (rc)
        return rc;
    if (own_key_path(r, path, id) < 0)
        rc = 1;
    struct key_set *s = keyring_take(r);
    snprintf(what, sizeof what, "%s-%s.key", keys_public(key_set_own(s))->name, id);
    key_set_release(s);
    keyring_close(r);
    if (rc == 0 && (folder_make(dir, 0700, &e) < 0 || backup_file(dir, path, what, id, &e) < 0))
        return fail(a, &e);
    for (size_t i = 0; rc == 0 && i < 2; i++)
        if (more[i] && backup_file(dir, more[i], base(more[i]), "", &e) < 0)
            return fail(a, &e);
    fprintf(stderr, "%s", told("Three people, three places: any two shares give the key, one alone gives nothing. Then run the drill: ferry key drill\n",
                               "三份交三人、分三处保管：任意两份可恢复，单独一份毫无用处。随后请演练：ferry key drill\n"));
    return rc;
}

static size_t load_shares(const struct arguments *a, struct share out[SHARES], struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < a->noptions; i++) {
        struct buf body;
        if (strcmp(a->names[i], "--share") != 0)
            continue;
        if (n == SHARES) {
            err_set(e, ERR_INPUT, "want at most %d shares", SHARES);
            return 0;
        }
        buf_init(&body, 16384);
        int rc = file_read_path(&body, a->values[i], 16383, e) < 0 ? -1 : share_read(&out[n], buf_bytes(&body), e) < 0 ? err_wrap(e, "%s", a->values[i]) : 0;
        buf_wipe(&body);
        if (rc < 0)
            return 0;
        n++;
    }
    if (n < 2)
        err_set(e, ERR_INPUT, "want two shares: --share A --share B");
    return n < 2 ? 0 : n;
}

static int write_restored(const struct share *s, struct bytes secret, const char *out, struct err *e)
{
    struct key_pair *k = NULL;
    char id[17] = "";
    if (access(out, F_OK) == 0)
        return err_set(e, ERR_CONFLICT, "%s exists already: a key is never overwritten", out);
    if (file_write_path(out, secret, 0600, e) < 0)
        return -1;
    if (!*s->key)
        return 0;
    int rc = keys_load(&k, out, e);
    if (rc == 0)
        hex_put(id, keys_public(k)->id.b, 8);
    keys_free(k);
    return rc < 0 ? -1 : strcmp(id, s->key) == 0 ? 0 : err_set(e, ERR_CORRUPT, "%s: want key %s, have %s", out, s->key, id);
}

static int key_restore(const struct arguments *a)
{
    struct share shares[SHARES];
    struct buf secret;
    struct err e = {0};
    const char *out = arguments_option(a, "--out");
    if (!out)
        return fprintf(stderr, "ferry key restore: want --share A --share B --out FILE\n"), 2;
    memset(shares, 0, sizeof shares);
    buf_init(&secret, SHARE_SECRET);
    size_t n = load_shares(a, shares, &e);
    int rc = n && shares_join(&secret, &shares[0], &shares[1], &e) == 0 && write_restored(&shares[0], buf_bytes(&secret), out, &e) == 0 ? 0 : fail(a, &e);
    if (rc == 0)
        printf("%s  %s %s\n", out, shares[0].what, shares[0].key);
    buf_wipe(&secret);
    sodium_memzero(shares, sizeof shares);
    return rc;
}

/* Every pair of the given shares against what is in use; nothing is written. */
static int try_pairs(const struct share *shares, size_t n, struct bytes in_use, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            struct buf secret;
            buf_init(&secret, SHARE_SECRET);
            int rc = shares_join(&secret, &shares[i], &shares[j], e);
            if (rc == 0 && (secret.n != in_use.n || sodium_memcmp(secret.p, in_use.p, in_use.n) != 0))
                rc = err_set(e, ERR_CORRUPT, "shares %u and %u give another %s than the one in use: make a new backup", shares[i].number, shares[j].number, shares[i].what);
            buf_wipe(&secret);
            if (rc < 0)
                return -1;
            printf(told("shares %u and %u give %s in use\n", "第 %u、%u 份可恢复正在使用的 %s\n"), shares[i].number, shares[j].number, shares[i].what);
        }
    return 0;
}

static int key_drill(const struct arguments *a)
{
    struct share shares[SHARES];
    struct keyring *r;
    struct buf in_use;
    struct err e = {0};
    const char *file = arguments_option(a, "--file");
    char path[1300], id[17];
    int rc = 0;
    memset(shares, 0, sizeof shares);
    size_t n = load_shares(a, shares, &e);
    if (!n)
        return fail(a, &e);
    if (!file && (rc = open_ring(a, &r)) == 0) {
        rc = own_key_path(r, path, id) < 0;
        keyring_close(r);
    }
    buf_init(&in_use, SHARE_SECRET + 1);
    if (rc == 0 && (file_read_path(&in_use, file ? file : path, SHARE_SECRET, &e) < 0 || try_pairs(shares, n, buf_bytes(&in_use), &e) < 0))
        rc = fail(a, &e);
    buf_wipe(&in_use);
    sodium_memzero(shares, sizeof shares);
    return rc;
}

int command_key(const struct config *c, const struct arguments *a)
{
    static const struct { const char *word; int (*run)(const struct arguments *a); } words[] = {
        {"list", key_list_all}, {"generate", key_generate}, {"trust", key_trust}, {"use", key_use}, {"retire", key_retire}, {"revoke", key_revoke},
        {"backup", key_backup}, {"restore", key_restore}, {"drill", key_drill},
    };
    (void)c;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, arguments_word(a, 0)) == 0)
            return words[i].run(a);
    fprintf(stderr, "ferry key: want list, generate, trust, use, retire, revoke, backup, restore or drill\n");
    return 2;
}
