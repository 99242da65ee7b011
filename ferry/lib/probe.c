#include "ferry/lib/probe.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define RAW ((size_t)720000)
#define FEW 3u                /* so many bytes differ and the length does not: damage, no filter at work */

const char *const probe_words[] = {"fine", "empty", "bom", "charset", "cut", "added", "damaged", "crlf", "blanks", "replaced", "rewritten"};

static const char encoding[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
#define ENCODING_AT 30u       /* where UTF-8 stands in it */

void probe_bytes(struct buf *out, const char *from, const char *nonce)
{
    struct hash256 seed;
    char name[64];
    uint8_t *raw = malloc(RAW);
    snprintf(name, sizeof name, "hz-probe-1 %.15s %.16s", from, nonce);
    hash_of(&seed, bytes_of(name));
    _Static_assert(sizeof seed.b == randombytes_SEEDBYTES, "a hash is a seed");
    buf_str(out, encoding);
    buf_fmt(out, "<Probe from=\"%.15s\" nonce='%.16s'>\n  <Note>户政摆渡探针：只为检查边界平台，不含个人信息 &amp; ¥ é 𠮷</Note>\n", from, nonce);
    buf_str(out, "\t<Blank a=\"1\"   b='2'></Blank>  \n\n      <Chunk>");
    if (raw) {
        randombytes_buf_deterministic(raw, RAW, seed.b);
        base64_put(out, (struct bytes){raw, RAW});
    }
    buf_str(out, "</Chunk>\n</Probe>\n");
    if (!raw)
        out->bad = true;
    free(raw);
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The same apart from white space. */
static bool same_but_blanks(struct bytes a, struct bytes b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.n && blank(a.p[i]))
            i++;
        while (k < b.n && blank(b.p[k]))
            k++;
        if (i == a.n || k == b.n)
            return i == a.n && k == b.n;
        if (a.p[i++] != b.p[k++])
            return false;
    }
}

/* The same length, and a few bytes are others, or some are no text any more. What filters put in is text. */
static bool damaged(struct bytes want, struct bytes have)
{
    size_t differ = 0, odd = 0;
    for (size_t i = 0; want.n == have.n && i < want.n; i++) {
        differ += want.p[i] != have.p[i];
        odd += want.p[i] != have.p[i] && want.p[i] < 0x80 && (have.p[i] >= 0x7f || (have.p[i] < 0x20 && !blank(have.p[i])));
    }
    return want.n == have.n && (differ <= FEW || odd);
}

static bool starts(struct bytes have, const char *with, size_t n)
{
    return have.n >= n && memcmp(have.p, with, n) == 0;
}

static enum probe_word judge(struct bytes want, struct bytes have, size_t at)
{
    if (have.n == 0)
        return PROBE_EMPTY;
    if (starts(have, "\xef\xbb\xbf", 3))
        return PROBE_BOM;
    if (starts(have, "\xff\xfe", 2) || starts(have, "\xfe\xff", 2) || starts(have, "<\0", 2) || starts(have, "\0<", 2))
        return PROBE_CHARSET;
    if (at == have.n)
        return PROBE_CUT;
    if (at == want.n)
        return PROBE_ADDED;
    if (damaged(want, have))
        return PROBE_DAMAGED;
    if (want.p[at] == '\n' && have.p[at] == '\r')
        return PROBE_CRLF;
    if (want.p[at] >= 0x80 || (at >= ENCODING_AT && at < ENCODING_AT + 5))
        return PROBE_CHARSET;
    if (same_but_blanks(want, have))
        return PROBE_BLANKS;
    return memmem(have.p, have.n < 512 ? have.n : 512, "<Probe", 6) ? PROBE_REWRITTEN : PROBE_REPLACED;
}

static size_t take(uint8_t out[8], struct bytes from, size_t at)
{
    size_t n = from.n - at < 8 ? from.n - at : 8;
    if (n)
        memcpy(out, from.p + at, n);
    return n;
}

void probe_judge(struct probe_verdict *out, struct bytes want, struct bytes have)
{
    size_t at = 0;
    *out = (struct probe_verdict){.word = PROBE_FINE, .size = have.n};
    if (bytes_equal(want, have))
        return;
    while (at < want.n && at < have.n && want.p[at] == have.p[at])
        at++;
    out->offset = at;
    out->nwant = take(out->want, want, at);
    out->nhave = take(out->have, have, at);
    out->word = judge(want, have, at);
}

static const char *hex_or_end(char out[17], const uint8_t *p, size_t n)
{
    hex_put(out, p, n);
    return n ? out : "end";
}

void probe_tell(char out[96], const struct probe_verdict *v)
{
    char want[17], have[17];
    snprintf(out, 96, "offset %llu: want %s, have %s", (unsigned long long)v->offset, hex_or_end(want, v->want, v->nwant), hex_or_end(have, v->have, v->nhave));
}

int probe_check(struct probe_verdict *out, const struct probe_name *p, struct bytes have, struct err *e)
{
    struct probe_verdict v;
    struct buf want;
    char told[96];
    buf_init(&want, 0);
    probe_bytes(&want, p->from, p->nonce);
    int rc = buf_done(&want, "probe", e);
    if (rc == 0)
        probe_judge(&v, buf_bytes(&want), have);
    buf_clear(&want);
    if (rc < 0)
        return -1;
    if (out)
        *out = v;
    if (v.word == PROBE_FINE)
        return 0;
    probe_tell(told, &v);
    return err_set(e, ERR_CORRUPT, "probe changed on the way (%s): %s", probe_words[v.word], told);
}

/* --- names --- */

void probe_name_print(char out[PROBE_NAME], const struct probe_name *p)
{
    char want[17], have[17];
    if (!p->answer) {
        snprintf(out, PROBE_NAME, "p-%.15s-%.16s.xml", p->from, p->nonce);
        return;
    }
    snprintf(out, PROBE_NAME, "p-%.15s-%.16s-%s-%llu-%s-%s-%llu.xml", p->from, p->nonce, probe_words[p->verdict.word], (unsigned long long)p->verdict.offset,
             hex_or_end(want, p->verdict.want, p->verdict.nwant), hex_or_end(have, p->verdict.have, p->verdict.nhave), (unsigned long long)p->verdict.size);
}

static int parse_bytes(uint8_t out[8], size_t *n, const char *s)
{
    size_t len = strlen(s);
    *n = 0;
    if (strcmp(s, "end") == 0)
        return 0;
    if (!len || len > 16 || len % 2 || hex_get(out, len / 2, s) < 0)
        return -1;
    *n = len / 2;
    return 0;
}

static int parse_verdict(struct probe_verdict *v, char *const part[5])
{
    struct err e = {0};
    size_t w = 0;
    while (w < PROBE__COUNT && strcmp(probe_words[w], part[0]) != 0)
        w++;
    v->word = (enum probe_word)w;
    return w == PROBE__COUNT || parse_u64(part[1], 0, UINT32_MAX, &v->offset, "offset", &e) < 0 || parse_bytes(v->want, &v->nwant, part[2]) < 0 ||
                   parse_bytes(v->have, &v->nhave, part[3]) < 0 || parse_u64(part[4], 0, UINT32_MAX, &v->size, "size", &e) < 0
               ? -1
               : 0;
}

int probe_name_parse(struct probe_name *out, const char *name)
{
    char text[PROBE_NAME], *part[8] = {0}, again[PROBE_NAME], *p = text;
    uint8_t nonce[8];
    size_t n = 0, len = strlen(name);
    *out = (struct probe_name){.answer = false};
    if (len < 6 || len >= sizeof text || strncmp(name, "p-", 2) != 0 || strcmp(name + len - 4, ".xml") != 0)
        return -1;
    memcpy(text, name, len - 4);
    text[len - 4] = 0;
    while (p && n < 8)
        part[n++] = strsep(&p, "-");
    if (p || (n != 3 && n != 8) || (strcmp(part[1], "internet") != 0 && strcmp(part[1], "intranet") != 0) || hex_get(nonce, 8, part[2]) < 0)
        return -1;
    snprintf(out->from, sizeof out->from, "%.15s", part[1]);
    snprintf(out->nonce, sizeof out->nonce, "%.16s", part[2]);
    out->answer = n == 8;
    if (out->answer && parse_verdict(&out->verdict, part + 3) < 0)
        return -1;
    probe_name_print(again, out);
    return strcmp(again, name) == 0 ? 0 : -1;      /* one way to write it */
}
