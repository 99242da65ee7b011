/* suite_peer.c - keys, signatures and sealed items of one suite for a test in another language. Keys come from `ferry keygen`; bytes on standard input.
 *   suite_peer sign KEY DOMAIN            -> signature in hex
 *   suite_peer check PUB DOMAIN SIG       -> "good", or the refusal and exit 1
 *   suite_peer seal KEY PUB KIND ID       -> the sealed item in base64
 *   suite_peer open KEY PUB               (base64 in) -> "kind id hash", then the content; or the refusal and exit 1
 *   suite_peer name PUB                   -> key id, fingerprint */
#include <stdio.h>
#include <string.h>

#include "common/keyring.h"
#include "common/seal.h"

static int fail(const struct err *e)
{
    printf("%s: %s\n", err_word(e->code), e->msg);
    return 1;
}

static struct bytes input(struct buf *b)
{
    char part[4096];
    buf_init(b, 0);
    for (size_t n; (n = fread(part, 1, sizeof part, stdin)) > 0;)
        buf_put(b, part, n);
    return buf_bytes(b);
}

static int do_sign(char **a, struct err *e)
{
    struct key_pair *k;
    struct buf body;
    uint8_t sig[64];
    char hex[129];
    if (keys_load(&k, a[0], e) < 0)
        return fail(e);
    sign_bytes(sig, a[1], input(&body), k);
    hex_put(hex, sig, sizeof sig);
    puts(hex);
    keys_free(k);
    buf_clear(&body);
    return 0;
}

static int do_check(char **a, struct err *e)
{
    struct key_public k;
    struct buf body;
    uint8_t sig[64];
    if (keys_load_public(&k, a[0], e) < 0 || (hex_get(sig, 64, a[2]) < 0 && err_set(e, ERR_INPUT, "signature: want 128 hex digits") < 0))
        return fail(e);
    int rc = sign_check(sig, a[1], input(&body), &k, e);
    buf_clear(&body);
    return rc < 0 ? fail(e) : puts("good") < 0;
}

static int do_seal(char **a, struct err *e)
{
    struct manifest m = {.config_version = 7, .protocol = 1};
    struct key_pair *k;
    struct key_public to;
    struct buf body, out, text;
    if (keys_load(&k, a[0], e) < 0 || keys_load_public(&to, a[1], e) < 0)
        return fail(e);
    snprintf(m.kind, sizeof m.kind, "%s", a[2]);
    snprintf(m.id.s, sizeof m.id.s, "%s", a[3]);
    buf_init(&out, 0);
    buf_init(&text, 0);
    if (seal_item(&out, &m, input(&body), k, &to, e) < 0)
        return fail(e);
    base64_put(&text, buf_bytes(&out));
    puts(buf_text(&text));
    keys_free(k);
    buf_clear(&body);
    buf_clear(&out);
    buf_clear(&text);
    return 0;
}

static int do_open(char **a, struct err *e)
{
    struct manifest m;
    struct key_pair *k;
    struct key_public from;
    struct buf text, sealed, content;
    char hash[65];
    if (keys_load(&k, a[0], e) < 0 || keys_load_public(&from, a[1], e) < 0)
        return fail(e);
    buf_init(&sealed, 0);
    buf_init(&content, 0);
    input(&text);
    int rc = base64_get(&sealed, buf_bytes(&text)) < 0 ? err_set(e, ERR_INPUT, "want base64") : seal_open(&m, &content, buf_bytes(&sealed), k, &from, e);
    if (rc == 0) {
        hash_hex(hash, &m.hash);
        printf("%s %s %s\n", m.kind, m.id.s, hash);
        fwrite(content.p, 1, content.n, stdout);
    }
    keys_free(k);
    buf_clear(&text);
    buf_clear(&sealed);
    buf_wipe(&content);
    return rc < 0 ? fail(e) : 0;
}

static int do_name(char **a, struct err *e)
{
    struct key_public k;
    char id[17], fingerprint[KEY_FINGERPRINT];
    if (keys_load_public(&k, a[0], e) < 0)
        return fail(e);
    hex_put(id, k.id.b, 8);
    key_fingerprint(fingerprint, &k);
    printf("%s %s\n", id, fingerprint);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct { const char *word; int args, (*run)(char **a, struct err *e); } words[] = {
        {"sign", 2, do_sign}, {"check", 3, do_check}, {"seal", 4, do_seal}, {"open", 2, do_open}, {"name", 1, do_name},
    };
    struct err e = {0};
    if (seal_init(&e) < 0)
        return fail(&e);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (argc > 1 && strcmp(argv[1], words[i].word) == 0 && argc - 2 == words[i].args)
            return words[i].run(argv + 2, &e);
    fprintf(stderr, "suite_peer: want sign, check, seal, open or name\n");
    return 2;
}
