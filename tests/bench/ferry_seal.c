/* ferry_seal.c - sealing and opening beside the sum of their parts, on the same bytes, in the same run.
 *
 *   ferry_seal DIR MIB ROUNDS     DIR: an empty folder on the disk that is measured; gets all.bin (the content, for the peers) and out/
 *
 * The content is pseudo-random (photographs do not compress), MIB in items of 4 MiB, as slices travel. Ours, outward, as the service does it: one thread
 * seals (there: those of the HTTP server), one writes envelopes and publishes them (the sender); inward: ahead_take (reads and hashes the next file),
 * envelope_verify_digested, envelope_read (the powerless parser child and the schema), seal_open. The parts: BLAKE2b of the content, secretstream, base64, write
 * and fsync (read); and "digest", BLAKE2b of the file's text, which the envelope's signature is over; each alone, in one thread, over all items.
 * The parser child is timed too, and stands beside. One JSON line a round: seconds of each; "cpu_seal" and "cpu_open": of ours, of all threads. */
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/lib/ahead.h"

#define ITEM ((size_t)4 << 20)
#define PIECE ((size_t)65536)
#define UNDER_WAY 4u

struct bench {
    int dir, out;
    size_t n;
    uint8_t *content;
    struct buf *cipher, *text;           /* of each item: encrypted alone; its base64 */
    struct key_pair *from, *to;
    struct child_pool *parser;
    struct { struct id128 id; struct buf bytes; } sealed[UNDER_WAY];     /* between the two threads */
    sem_t room, ready;
    crypto_secretstream_xchacha20poly1305_state st;
    uint8_t key[32], (*header)[24];
};

static void must(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "ferry_seal: %s: %s\n", what, e->msg);
    exit(1);
}

static struct bytes item(const struct bench *b, size_t i)
{
    return (struct bytes){b->content + i * ITEM, ITEM};
}

static void name_of(char out[32], size_t i)
{
    snprintf(out, 32, "part-%04zu", i);
}

static void do_hash(struct bench *b)
{
    struct hash256 h;
    for (size_t i = 0; i < b->n; i++)
        hash_of(&h, item(b, i));
}

static void do_encrypt(struct bench *b)
{
    uint8_t piece[PIECE + crypto_secretstream_xchacha20poly1305_ABYTES];
    for (size_t i = 0; i < b->n; i++) {
        b->cipher[i].n = 0;
        crypto_secretstream_xchacha20poly1305_init_push(&b->st, b->header[i], b->key);
        for (size_t at = 0; at < ITEM; at += PIECE) {
            crypto_secretstream_xchacha20poly1305_push(&b->st, piece, NULL, b->content + i * ITEM + at, PIECE, NULL, 0, 0);
            buf_put(&b->cipher[i], piece, sizeof piece);
        }
    }
}

static void do_decrypt(struct bench *b)
{
    uint8_t piece[PIECE];
    const size_t step = PIECE + crypto_secretstream_xchacha20poly1305_ABYTES;
    for (size_t i = 0; i < b->n; i++) {
        crypto_secretstream_xchacha20poly1305_init_pull(&b->st, b->header[i], b->key);
        for (size_t at = 0; at < b->cipher[i].n; at += step)
            if (crypto_secretstream_xchacha20poly1305_pull(&b->st, piece, NULL, NULL, b->cipher[i].p + at, step, NULL, 0) != 0)
                abort();
    }
}

static void do_base64(struct bench *b)
{
    for (size_t i = 0; i < b->n; i++) {
        b->text[i].n = 0;
        base64_put(&b->text[i], buf_bytes(&b->cipher[i]));
    }
}

static void do_unbase64(struct bench *b)
{
    struct buf back;
    buf_init(&back, 0);
    for (size_t i = 0; i < b->n; i++) {
        back.n = 0;
        if (base64_get(&back, buf_bytes(&b->text[i])) < 0)
            abort();
    }
    buf_clear(&back);
}

static void do_write(struct bench *b)
{
    struct err e = {0};
    char name[32];
    for (size_t i = 0; i < b->n; i++) {
        name_of(name, i);
        must(file_publish(b->out, name, buf_bytes(&b->text[i]), PUBLISH_REPLACE, &e), &e, "write");
    }
}

static void do_read(struct bench *b)
{
    struct err e = {0};
    char name[32];
    struct buf in;
    buf_init(&in, ENVELOPE_MAX);
    for (size_t i = 0; i < b->n; i++) {
        name_of(name, i);
        in.n = 0;
        must(file_read(&in, b->out, name, ENVELOPE_MAX, &e), &e, "read");
    }
    buf_clear(&in);
}

static void do_digest(struct bench *b)
{
    struct hash256 h;
    for (size_t i = 0; i < b->n; i++)
        hash_of(&h, buf_bytes(&b->text[i]));
}

static void head_of(struct envelope_head *h, size_t i)
{
    *h = (struct envelope_head){.kind = ENVELOPE_SLICE, .from = "internet", .to = "intranet", .incarnation = "0123456789abcdef", .number = i + 1, .created_ms = 1795426866000};
}

static void *seal_all(void *arg)
{
    struct bench *b = arg;
    struct err e = {0};
    for (size_t i = 0; i < b->n; i++) {
        struct manifest m = {.kind = "slice", .protocol = 1};
        sem_wait(&b->room);
        struct buf *out = &b->sealed[i % UNDER_WAY].bytes;
        out->n = 0;
        id_random(&m.id);
        b->sealed[i % UNDER_WAY].id = m.id;
        must(seal_item(out, &m, item(b, i), b->from, keys_public(b->to), &e), &e, "seal");
        sem_post(&b->ready);
    }
    return NULL;
}

static void publish_one(struct bench *b, size_t i, struct buf *file)
{
    struct err e = {0};
    struct envelope_head h;
    struct hash256 hash;
    char name[80];
    file->n = 0;
    head_of(&h, i);
    envelope_name(name, &h);
    struct envelope_item it = {.id = b->sealed[i % UNDER_WAY].id, .kind = "slice", .sealed = buf_bytes(&b->sealed[i % UNDER_WAY].bytes)};
    must(envelope_write_hashed(file, &hash, &h, &it, 1, b->from, &e), &e, "envelope");
    must(file_publish(b->out, name, buf_bytes(file), PUBLISH_REPLACE, &e), &e, "publish");
}

static void do_ours_out(struct bench *b)
{
    struct buf file;
    pthread_t sealer;
    buf_init(&file, 0);
    sem_init(&b->room, 0, UNDER_WAY);
    sem_init(&b->ready, 0, 0);
    if (pthread_create(&sealer, NULL, seal_all, b) != 0)
        abort();
    for (size_t i = 0; i < b->n; i++) {
        sem_wait(&b->ready);
        publish_one(b, i, &file);
        sem_post(&b->room);
    }
    pthread_join(sealer, NULL);
    for (size_t i = 0; i < UNDER_WAY; i++)
        buf_clear(&b->sealed[i].bytes);
    buf_clear(&file);
}

static void open_one(struct bench *b, struct bytes file, const struct envelope_digest *d, size_t i)
{
    const struct key_public *keys[] = {keys_public(b->from)};
    struct err e = {0};
    struct envelope v;
    struct manifest m;
    struct buf content;
    buf_init(&content, ENVELOPE_MAX);
    must(envelope_verify_digested(file, d, keys, 1, NULL, &e), &e, "verify");
    must(envelope_read(&v, file, b->parser, &e), &e, "read");
    must(seal_open(&m, &content, v.items[0].sealed, b->to, keys_public(b->from), &e), &e, "open");
    if (content.n != ITEM || memcmp(content.p, item(b, i).p, 4096) != 0)        /* all of it was held against its signed hash */
        abort();
    buf_clear(&content);
    envelope_free(&v);
}

static void do_ours_in(struct bench *b)
{
    struct err e = {0};
    struct ahead *ahead = ahead_start();
    struct envelope_head h;
    struct envelope_digest d;
    char name[80];
    struct buf file;
    for (size_t i = 0; i < b->n; i++) {
        buf_init(&file, ENVELOPE_MAX);
        head_of(&h, i);
        envelope_name(name, &h);
        must(ahead_take(ahead, b->out, name, &file, &d, &e), &e, "read");
        if (i + 1 < b->n) {
            head_of(&h, i + 1);
            envelope_name(name, &h);
            ahead_ask(ahead, b->out, name);
        }
        open_one(b, buf_bytes(&file), &d, i);
        buf_clear(&file);
    }
    ahead_stop(ahead);
}

static void do_parse(struct bench *b)
{
    struct err e = {0};
    char name[80];
    struct buf file;
    buf_init(&file, ENVELOPE_MAX);
    for (size_t i = 0; i < b->n; i++) {
        struct envelope_head h;
        struct envelope v;
        head_of(&h, i);
        envelope_name(name, &h);
        file.n = 0;
        must(file_read(&file, b->out, name, ENVELOPE_MAX, &e), &e, "read");
        must(envelope_read(&v, buf_bytes(&file), b->parser, &e), &e, "parse");
        envelope_free(&v);
    }
    buf_clear(&file);
}

static const struct { const char *name; void (*work)(struct bench *); } steps[] = {
    {"hash", do_hash}, {"encrypt", do_encrypt}, {"base64", do_base64}, {"write", do_write}, {"digest", do_digest}, {"ours_seal", do_ours_out},
    {"read", do_read}, {"unbase64", do_unbase64}, {"decrypt", do_decrypt}, {"ours_open", do_ours_in}, {"parse", do_parse},
};

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The first touch of pages and of the disk is nobody's. */
static void warm_up(struct bench *b)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        steps[i].work(b);
}

static void round_of(struct bench *b)
{
    printf("{");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        double began = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        steps[i].work(b);
        printf("%s\"%s\":%.4f", i ? "," : "", steps[i].name, now(CLOCK_MONOTONIC) - began);
        if (strncmp(steps[i].name, "ours_", 5) == 0)
            printf(",\"cpu_%s\":%.4f", steps[i].name + 5, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    printf("}\n");
    fflush(stdout);
}

static void setup(struct bench *b, const char *dir, size_t mib)
{
    static const uint8_t seed[randombytes_SEEDBYTES] = {7};
    static const char *args[] = {SOURCE_DIR "/schemas/xsd", NULL};
    struct child_options o = {.path = BUILD_DIR "/libexec/parser", .argv = args, .n = 1, .max_answer = (size_t)32 << 20, .deadline_ms = 60000, .clean_env = true};
    char out[4096];
    struct err e = {0};
    must(seal_init(&e), &e, "start");
    b->n = mib * ((size_t)1 << 20) / ITEM;
    b->content = malloc(b->n * ITEM);
    b->cipher = calloc(b->n, sizeof *b->cipher);
    b->text = calloc(b->n, sizeof *b->text);
    b->header = calloc(b->n, sizeof *b->header);
    if (!b->header || !b->content || !b->cipher || !b->text || b->n == 0)
        exit(2);
    randombytes_buf_deterministic(b->content, b->n * ITEM, seed);
    randombytes_buf(b->key, sizeof b->key);
    must(str_fmt(out, sizeof out, &e, "%s/out", dir), &e, "folder");
    must(folder_make(out, 0700, &e), &e, "folder");
    must(folder_open(&b->dir, dir, 0, &e), &e, "folder");
    must(folder_open(&b->out, out, 0, &e), &e, "folder");
    must(keys_generate(&b->from, "internet", &e), &e, "key");
    must(keys_generate(&b->to, "intranet", &e), &e, "key");
    must(child_pool_open(&b->parser, &o, &e), &e, "parser");
    must(file_publish(b->dir, "all.bin", (struct bytes){b->content, b->n * ITEM}, PUBLISH_REPLACE, &e), &e, "content");
}

int main(int argc, char **argv)
{
    struct bench b = {.n = 0};
    unsigned long rounds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (rounds == 0) {
        fprintf(stderr, "usage: ferry_seal DIR MIB ROUNDS\n");
        return 2;
    }
    setup(&b, argv[1], strtoul(argv[2], NULL, 10));
    for (size_t i = 0; i < b.n; i++) {
        buf_init(&b.cipher[i], 0);
        buf_init(&b.text[i], 0);
    }
    warm_up(&b);
    while (rounds-- > 0)
        round_of(&b);
    child_pool_close(b.parser);
    keys_free(b.from);
    keys_free(b.to);
    return 0;
}
