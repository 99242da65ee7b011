/* bench_seal.c - what each suite does in a second on one core: signatures, records of 2 KB sealed and opened, slices of 4 MiB. Suite 1 is the measure of
 * suite 2: libsodium's curves are written for this processor, Debian's OpenSSL has plain C for SM4 and no special curve code for SM2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/seal.h"

#define RUN_MS 700

struct suite_bench { struct key_pair *a, *b; struct buf content, sealed, out; uint8_t sig[64]; };
typedef void (*work)(struct suite_bench *s);

static void must(int rc, const struct err *e)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_seal: %s\n", e->msg);
    exit(1);
}

static void sign_one(struct suite_bench *s)
{
    sign_bytes(s->sig, "hz-bench-1", buf_bytes(&s->content), s->a);
}

static void check_one(struct suite_bench *s)
{
    struct err e = {0};
    must(sign_check(s->sig, "hz-bench-1", buf_bytes(&s->content), keys_public(s->a), &e), &e);
}

static void seal_one(struct suite_bench *s)
{
    struct manifest m = {.kind = "slice", .protocol = 1};
    struct err e = {0};
    id_random(&m.id);
    s->sealed.n = 0;
    must(seal_item(&s->sealed, &m, buf_bytes(&s->content), s->a, keys_public(s->b), &e), &e);
}

static void open_one(struct suite_bench *s)
{
    struct manifest m;
    struct err e = {0};
    s->out.n = 0;
    must(seal_open(&m, &s->out, buf_bytes(&s->sealed), s->b, keys_public(s->a), &e), &e);
}

static double rate(work w, struct suite_bench *s)
{
    int64_t begin = clock_mono_ms(), ms = 0;
    unsigned n = 0;
    w(s);
    for (; (ms = clock_mono_ms() - begin) < RUN_MS; n++)
        w(s);
    return n * 1000.0 / (double)ms;
}

static void fill(struct suite_bench *s, size_t n)
{
    s->content.n = 0;
    for (size_t i = 0; i < n; i++)
        buf_u8(&s->content, (uint8_t)(i * 131 >> 3));
}

int main(void)
{
    static const struct { const char *words, *unit; work run; size_t size; double scale; } rows[] = {
        {"sign 2 KB", "/s", sign_one, 2048, 1},         {"check 2 KB", "/s", check_one, 2048, 1},       {"seal record 2 KB", "/s", seal_one, 2048, 1},
        {"open record 2 KB", "/s", open_one, 2048, 1},  {"seal slice 4 MiB", "MB/s", seal_one, 4 << 20, 4.194304}, {"open slice 4 MiB", "MB/s", open_one, 4 << 20, 4.194304},
    };
    struct suite_bench s[2];
    struct err e = {0};
    must(seal_init(&e), &e);
    for (unsigned i = 0; i < 2; i++) {
        must(keys_generate_in(&s[i].a, "internet", i + 1, &e), &e);
        must(keys_generate_in(&s[i].b, "intranet", i + 1, &e), &e);
        buf_init(&s[i].content, 0);
        buf_init(&s[i].sealed, 0);
        buf_init(&s[i].out, 0);
    }
    printf("%-20s %14s %14s %8s\n", "one core", "suite 1", "suite 2", "2 : 1");
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        double v[2];
        for (unsigned i = 0; i < 2; i++) {
            fill(&s[i], rows[r].size);
            v[i] = rate(rows[r].run, &s[i]) * rows[r].scale;
        }
        printf("%-20s %9.0f %-4s %9.0f %-4s %8.2f\n", rows[r].words, v[0], rows[r].unit, v[1], rows[r].unit, v[1] / v[0]);
    }
    for (unsigned i = 0; i < 2; i++) {
        keys_free(s[i].a);
        keys_free(s[i].b);
        buf_clear(&s[i].content);
        buf_clear(&s[i].sealed);
        buf_clear(&s[i].out);
    }
    return 0;
}
