#include "common/bytes.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* By tables, for megabytes of ciphertext cross in this coding; libsodium's own takes no table so that secrets leave no trace in the caches, and six
 * times as long. Nothing secret goes through here. */
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
#define NONE 0x1000000u

static char two[4096][2];                /* letters of 12 bits */
static uint32_t place[4][256];           /* bits of a letter at its place of four, NONE: it is no letter */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (unsigned v = 0; v < 4096; v++) {
        two[v][0] = letters[v >> 6];
        two[v][1] = letters[v & 63];
    }
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned c = 0; c < 256; c++)
            place[k][c] = NONE;
        for (unsigned v = 0; v < 64; v++)
            place[k][(uint8_t)letters[v]] = v << (18 - 6 * k);
    }
}

void base64_put(struct buf *out, struct bytes in)
{
    const size_t n = (in.n + 2) / 3 * 4;
    char last[5];
    if (!buf_room(out, n + 1))
        return;
    pthread_once(&once, make_tables);
    char *o = (char *)out->p + out->n;
    size_t at = 0;
    for (; in.n - at >= 3; at += 3, o += 4) {
        const unsigned v = (unsigned)in.p[at] << 16 | (unsigned)in.p[at + 1] << 8 | in.p[at + 2];
        memcpy(o, two[v >> 12], 2);
        memcpy(o + 2, two[v & 4095], 2);
    }
    if (at < in.n) {
        sodium_bin2base64(last, sizeof last, in.p + at, in.n - at, sodium_base64_VARIANT_ORIGINAL);
        memcpy(o, last, 4);
    }
    out->n += n;
    out->p[out->n] = 0;
}

/* The last four letters, where padding and spare bits are judged. libsodium 1.0.18 takes 0xAF for '/'. */
static int get_last(uint8_t out[3], size_t *n, const uint8_t in[4])
{
    for (size_t i = 0; i < 4; i++)
        if (in[i] >= 0x80)
            return -1;
    return sodium_base642bin(out, 3, (const char *)in, 4, NULL, n, NULL, sodium_base64_VARIANT_ORIGINAL);
}

int base64_get(struct buf *out, struct bytes in)
{
    size_t last = 0;
    uint32_t bad = 0;
    if (in.n % 4 || !buf_room(out, in.n / 4 * 3 + 1))
        return -1;
    if (in.n == 0)
        return 0;
    pthread_once(&once, make_tables);
    uint8_t *o = out->p + out->n;
    for (size_t at = 0; at + 4 < in.n; at += 4, o += 3) {
        const uint8_t *p = in.p + at;
        const uint32_t v = place[0][p[0]] | place[1][p[1]] | place[2][p[2]] | place[3][p[3]];
        bad |= v;
        o[0] = (uint8_t)(v >> 16);
        o[1] = (uint8_t)(v >> 8);
        o[2] = (uint8_t)v;
    }
    if (bad & NONE || get_last(o, &last, in.p + in.n - 4) != 0)
        return -1;
    out->n = (size_t)(o - out->p) + last;
    out->p[out->n] = 0;
    return 0;
}
