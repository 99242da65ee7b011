/* keys.c - ferry keygen and ferry inspect. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"
#include "ferry/lib/envelope.h"

int command_keygen(const struct config *c, const struct arguments *a)
{
    const char *dir = arguments_option(a, "--dir"), *name = arguments_option(a, "--name"), *in = arguments_option(a, "--suite");
    uint64_t suite = SUITE_FIRST;
    char priv[512], pub[512], id[17];
    struct key_pair *k = NULL;
    struct err e = {0};
    (void)c;
    if (!dir || !name) {
        fprintf(stderr, "ferry keygen: want --dir DIR and --name internet|intranet, and maybe --suite 1|2\n");
        return 2;
    }
    if (str_fmt(priv, sizeof priv, &e, "%s/%s.key", dir, name) < 0 || str_fmt(pub, sizeof pub, &e, "%s/%s.pub", dir, name) < 0 ||
        (in && parse_u64(in, SUITE_FIRST, SUITE_LAST, &suite, "--suite", &e) < 0) || folder_make(dir, 0700, &e) < 0 ||
        keys_generate_in(&k, name, (unsigned)suite, &e) < 0 || keys_save(k, priv, pub, &e) < 0) {
        fprintf(stderr, "ferry keygen: %s\n", e.msg);
        keys_free(k);
        return 1;
    }
    hex_put(id, keys_public(k)->id.b, 8);
    printf("%s\n%s\nkey id %s\n", priv, pub, id);
    keys_free(k);
    return 0;
}

#define KEYS_MAX 16
struct key_ring { struct key_public keys[KEYS_MAX]; const struct key_public *list[KEYS_MAX]; size_t n; };

static int load_ring(struct key_ring *r, const char *dir, struct err *e)
{
    struct dir_entry *files;
    size_t n;
    int fd;
    if (folder_open(&fd, dir, 0, e) < 0)
        return -1;
    int rc = folder_list(&files, &n, fd, 1000, e);
    for (size_t i = 0; rc == 0 && i < n && r->n < KEYS_MAX; i++) {
        char path[800];
        size_t len = strlen(files[i].name);
        struct err own = {0};
        if (len < 5 || strcmp(files[i].name + len - 4, ".pub") != 0 || str_fmt(path, sizeof path, &own, "%s/%s", dir, files[i].name) < 0)
            continue;
        if (keys_load_public(&r->keys[r->n], path, &own) == 0) {
            r->list[r->n] = &r->keys[r->n];
            r->n++;
        }
    }
    if (rc == 0)
        free(files);
    close(fd);
    return rc;
}

static void print_items(const struct envelope *v)
{
    char at[21];
    clock_rfc3339(at, v->head.created_ms);
    printf("from %s to %s\nincarnation %s number %llu\ncreated %s\n", v->head.from, v->head.to, v->head.incarnation, (unsigned long long)v->head.number, at);
    if (v->head.kind == ENVELOPE_BEAT)
        printf("beat: acknowledges %s up to %llu and %zu ranges, sent %llu, health %s, held %llu, configuration %llu\n", v->beat.ack,
               (unsigned long long)v->beat.contiguous, v->beat.nranges, (unsigned long long)v->beat.sent, v->beat.health, (unsigned long long)v->beat.held,
               (unsigned long long)v->beat.config_version);
    for (size_t i = 0; i < v->nitems; i++)
        printf("item %s %s case %s seq %llu bytes %zu\n", v->items[i].id.s, v->items[i].kind, *v->items[i].case_no ? v->items[i].case_no : "-",
               (unsigned long long)v->items[i].case_seq, v->items[i].sealed.n);
}

static int print_content(struct bytes body, const char *parser, const char *schemas, struct err *e)
{
    const char *args[] = {schemas, NULL};
    struct child_options opt = {.path = parser, .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 10000, .clean_env = true};
    struct child_pool *pool;
    struct envelope v;
    if (child_pool_open(&pool, &opt, e) < 0)
        return -1;
    int rc = envelope_read(&v, body, pool, e);
    if (rc == 0) {
        print_items(&v);
        envelope_free(&v);
    }
    child_pool_close(pool);
    return rc;
}

/* What was given, else the first that exists beside this program: in a build folder, or installed. Absolute: the child leaves this folder. */
static void find(char out[PATH_MAX], const char *given, const char *const *tails)
{
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    if (given) {
        if (!realpath(given, out))
            snprintf(out, PATH_MAX, "%s", given);
        return;
    }
    snprintf(out, PATH_MAX, "%.4000s/%s", self, tails[0]);
    for (; *tails; tails++) {
        snprintf(path, sizeof path, "%s/%s", self, *tails);
        if (access(path, R_OK) == 0 && realpath(path, out))
            return;
    }
}

int command_inspect(const struct config *c, const struct arguments *a)
{
    const char *file = arguments_word(a, 0), *keys = arguments_option(a, "--keys"), *parser = arguments_option(a, "--parser"), *schemas = arguments_option(a, "--schemas");
    static const char *const parsers[] = {"../libexec/parser", "../lib/huzheng/parser", NULL};
    static const char *const folders[] = {"../../schemas/xsd", "../../../schemas/xsd", "../share/huzheng/schemas/xsd", NULL};
    char own_parser[PATH_MAX], own_schemas[PATH_MAX];
    struct key_ring ring = {.n = 0};
    const struct key_public *who = NULL;
    struct buf body;
    struct err e = {0};
    bool verified = false;
    (void)c;
    find(own_parser, parser, parsers);
    find(own_schemas, schemas, folders);
    buf_init(&body, ENVELOPE_MAX);
    if (file_read_path(&body, file, ENVELOPE_MAX, &e) < 0 || (keys && load_ring(&ring, keys, &e) < 0)) {
        fprintf(stderr, "ferry inspect: %s\n", e.msg);
        return 3;
    }
    if (!keys)
        printf("signature: not checked (give --keys DIR)\n");
    else if (envelope_verify(buf_bytes(&body), ring.list, ring.n, &who, &e) == 0)
        verified = printf("signature: good, by %s\n", who->name) > 0;
    else
        printf("signature: BAD: %s\n", e.msg);
    err_clear(&e);
    if (print_content(buf_bytes(&body), own_parser, own_schemas, &e) < 0)
        printf("content: cannot be read: %s\n", e.msg);
    buf_clear(&body);
    return keys && !verified ? 2 : 0;
}
