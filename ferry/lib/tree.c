#include "ferry/lib/tree.h"

#include <string.h>

#include <sodium.h>

void tree_node(struct hash256 *out, const struct hash256 *left, const struct hash256 *right)
{
    static const char domain[] = "hz-journal-node-1\n";
    crypto_generichash_state s;
    crypto_generichash_init(&s, NULL, 0, sizeof out->b);
    crypto_generichash_update(&s, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&s, left->b, sizeof left->b);
    crypto_generichash_update(&s, right->b, sizeof right->b);
    crypto_generichash_final(&s, out->b, sizeof out->b);
}

bool tree_push(struct tree *t, const struct hash256 *node, unsigned height)
{
    struct hash256 h = *node;
    if (height > 62 || t->size > UINT64_MAX / 2 || t->size & (((uint64_t)1 << height) - 1) || (t->n && t->height[t->n - 1] < height))
        return false;
    t->size += (uint64_t)1 << height;
    for (; t->n && t->height[t->n - 1] == height; t->n--, height++)
        tree_node(&h, &t->peak[t->n - 1], &h);
    t->peak[t->n] = h;
    t->height[t->n++] = height;
    return true;
}

static void join(struct hash256 *out, const struct hash256 *peaks, size_t n)
{
    *out = peaks[n - 1];
    for (size_t i = n - 1; i-- > 0;)
        tree_node(out, &peaks[i], out);
}

void tree_root(struct hash256 *out, const struct tree *t)
{
    if (t->n)
        join(out, t->peak, t->n);
    else
        hash_of(out, (struct bytes){0});
}

size_t tree_cover(struct tree_at out[TREE_MOST], uint64_t from, uint64_t to)
{
    size_t n = 0;
    while (from < to) {
        unsigned fits = 63u - (unsigned)__builtin_clzll(to - from), aligned = from ? (unsigned)__builtin_ctzll(from) : 63u;
        unsigned height = fits < aligned ? fits : aligned;
        from += (uint64_t)1 << height;
        out[n++] = (struct tree_at){from, height};
    }
    return n;
}

static int fetch_all(struct hash256 *out, const struct tree_at *at, size_t n, tree_fetch fetch, void *arg, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (fetch(arg, at[i], &out[i], e) < 0)
            return -1;
    return 0;
}

/* Inside its peak the siblings from below; then what lies right of the peak, joined; then the peaks left of it, the nearest first. */
int tree_path(struct hash256 out[TREE_MOST], size_t *n, uint64_t seq, uint64_t size, tree_fetch fetch, void *arg, struct err *e)
{
    struct tree_at peaks[TREE_MOST];
    struct hash256 right[TREE_MOST];
    size_t count = tree_cover(peaks, 0, size), mine = 0;
    *n = 0;
    while (mine + 1 < count && peaks[mine].end < seq)
        mine++;
    for (unsigned h = 0; h < peaks[mine].height; h++) {
        uint64_t block = (seq - 1) >> h;
        if (fetch(arg, (struct tree_at){((block ^ 1) + 1) << h, h}, &out[(*n)++], e) < 0)
            return -1;
    }
    if (mine + 1 < count) {
        if (fetch_all(right, peaks + mine + 1, count - mine - 1, fetch, arg, e) < 0)
            return -1;
        join(&out[(*n)++], right, count - mine - 1);
    }
    while (mine-- > 0)
        if (fetch(arg, peaks[mine], &out[(*n)++], e) < 0)
            return -1;
    return 0;
}

/* RFC 9162, 2.1.3.2. */
bool tree_path_holds(const struct hash256 *leaf, uint64_t seq, uint64_t size, const struct hash256 *path, size_t n, const struct hash256 *root)
{
    struct hash256 h = *leaf;
    if (seq < 1 || seq > size)
        return false;
    uint64_t at = seq - 1, last = size - 1;
    for (size_t i = 0; i < n; i++) {
        if (last == 0)
            return false;
        if (at & 1 || at == last) {
            tree_node(&h, &path[i], &h);
            for (; !(at & 1) && at; at >>= 1)
                last >>= 1;
        } else
            tree_node(&h, &h, &path[i]);
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && hash_equal(&h, root);
}

int tree_proof(struct hash256 out[TREE_MOST], size_t *n, uint64_t from, uint64_t to, tree_fetch fetch, void *arg, struct err *e)
{
    struct tree_at at[TREE_MOST];
    size_t first = tree_cover(at, 0, from);
    *n = first + tree_cover(at + first, from, to);
    return fetch_all(out, at, *n, fetch, arg, e);
}

bool tree_proof_holds(uint64_t from, const struct hash256 *from_root, uint64_t to, const struct hash256 *to_root, const struct hash256 *proof, size_t n)
{
    struct tree_at at[TREE_MOST];
    struct tree t = {.n = 0};
    struct hash256 root;
    if (from > to || to > UINT64_MAX / 4)
        return false;
    size_t first = tree_cover(at, 0, from), all = first + tree_cover(at + first, from, to);
    if (n != all)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!tree_push(&t, &proof[i], at[i].height))
            return false;
        tree_root(&root, &t);
        if (i + 1 == first && !hash_equal(&root, from_root))
            return false;
    }
    tree_root(&root, &t);
    return hash_equal(&root, to_root);
}
