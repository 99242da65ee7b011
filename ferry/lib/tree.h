/* tree.h - a list that only grows, as a hash tree: its root stands for every entry, a path of some twenty hashes shows that an entry is in it, and as
 * many show that a later root continues an earlier one. The tree of RFC 9162 with BLAKE2b-256: leaves are what the caller hashed under its own domain,
 * an inner node is BLAKE2b-256("hz-journal-node-1\n" || left || right); the root of a list that is no power of two joins its complete subtrees from the right.
 * Threads: no state. Errors: a check says false, a fetch says its own. */
#ifndef FERRY_TREE_H
#define FERRY_TREE_H

#include "common/bytes.h"

#define TREE_MOST 128                            /* hashes of a path or proof, at most */

/* The complete subtree of 2^height entries that ends with entry `end` (counted from 1). */
struct tree_at { uint64_t end; unsigned height; };

/* Complete subtrees of a list, from the left; what is pushed continues it. */
struct tree { struct hash256 peak[64]; unsigned height[64], n; uint64_t size; };

void tree_node(struct hash256 *out, const struct hash256 *left, const struct hash256 *right);
/* false: a subtree of this height cannot stand here. */
bool tree_push(struct tree *t, const struct hash256 *node, unsigned height);
void tree_root(struct hash256 *out, const struct tree *t);      /* of an empty one: the hash of nothing */
/* The subtrees that make up entries from+1 to `to` in a list; from = 0: its peaks. */
size_t tree_cover(struct tree_at out[TREE_MOST], uint64_t from, uint64_t to);

typedef int (*tree_fetch)(void *arg, struct tree_at at, struct hash256 *out, struct err *e);
/* 1 <= seq <= size. */
int tree_path(struct hash256 out[TREE_MOST], size_t *n, uint64_t seq, uint64_t size, tree_fetch fetch, void *arg, struct err *e);
bool tree_path_holds(const struct hash256 *leaf, uint64_t seq, uint64_t size, const struct hash256 *path, size_t n, const struct hash256 *root);
/* That the list of `to` entries begins with that of `from`. */
int tree_proof(struct hash256 out[TREE_MOST], size_t *n, uint64_t from, uint64_t to, tree_fetch fetch, void *arg, struct err *e);
bool tree_proof_holds(uint64_t from, const struct hash256 *from_root, uint64_t to, const struct hash256 *to_root, const struct hash256 *proof, size_t n);

#endif
