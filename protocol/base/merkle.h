/* Merkle roots over a list of leaves, and proofs that a leaf is in the list.
 *
 * A leaf is hash(MERKLE_LEAF; content). A tree over more than one leaf splits after the largest
 * power of two that is smaller than the number of leaves (the shape of RFC 6962, section 2.1); an
 * inner node is hash(MERKLE_NODE; left, right). The root is hash(MERKLE_NODE; count as u64, top),
 * so trees of different shape or count never have the same root. The top of zero leaves is 32 zero
 * bytes. Nothing here allocates; a root is built leaf by leaf. */
#ifndef CONSILIUM_PROTOCOL_BASE_MERKLE_H
#define CONSILIUM_PROTOCOL_BASE_MERKLE_H

#include "protocol/base/hash.h"
#include "protocol/base/pack.h"

enum { MERKLE_HEIGHT_MAX = 32 };

/* A root that is being built: the tops of the full subtrees so far, the largest first. */
struct merkle {
    struct hash tops[MERKLE_HEIGHT_MAX];
    uint32_t count; /* leaves so far */
};

struct hash merkle_leaf(struct bytes content);

void merkle_begin(struct merkle *merkle);
/* At most UINT32_MAX leaves. */
void merkle_add(struct merkle *merkle, const struct hash *leaf);
/* The root over the leaves so far; more leaves may be added afterwards. */
struct hash merkle_root(const struct merkle *merkle);

/* Proves that a leaf is at `index` of `count` leaves: the siblings on the path to the top, lowest
 * first. */
struct merkle_proof {
    uint32_t index;
    uint32_t count;
    uint32_t height; /* entries of `path` */
    struct hash path[MERKLE_HEIGHT_MAX];
};

/* The caller guarantees `index` < `count`. */
void merkle_prove(const struct hash *leaves, uint32_t count, uint32_t index,
                  struct merkle_proof *ret_proof);

/* OK when `leaf` is under `root` at the place that `proof` gives.
 *
 *   ERR_MALFORMED  the proof has a shape that its index and count do not allow
 *   ERR_BAD_HASH   it leads to another root */
MUST_USE err merkle_check(const struct hash *root, const struct hash *leaf,
                          const struct merkle_proof *proof);

/* Canonical msgpack: [index, count, [path...]]. */
void merkle_proof_write(struct buffer *buffer, const struct merkle_proof *proof);
/* Reads the array from an open reader; `pack` records a failure. */
void merkle_proof_read(struct pack *pack, struct merkle_proof *ret_proof);

#endif
