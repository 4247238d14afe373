/* One item of a case file (a document, an image), in sealed chunks that are checked one by one.
 *
 * An item of `size` bytes is cut into pieces of ITEM_PIECE_SIZE, the last one shorter (an item of
 * no bytes has one empty piece). Each piece is sealed alone, XChaCha20-Poly1305 by libsodium, with
 * a key and nonce derived from the item's key and the chunk's index; associated data binds size,
 * count and index. The leaves of a binary tree are the hashes of the sealed chunks; `item_id` is
 * the tree's root bound to size and count. A holder of the item_id can check each chunk without any
 * key; a holder of the key can read it.
 *
 *   leaf = hash(ITEM_LEAF; chunk)      inner = hash(ITEM; "node", left, right)
 *   item_id = hash(ITEM; "root", u64 size | u32 count, root)
 *
 * Where the number of nodes of a level is odd, the last one moves up unchanged (the tree of RFC
 * 9162, section 2.1.1, described from the bottom).
 *
 * Sealing: item_shape_of; for each index: item_seal_chunk, item_leaf, item_tree_add; then
 * item_tree_finish. Serving: item_nodes_fill once over the stored leaves, item_proof_make for each
 * requested chunk. Fetching: item_proof_verify for each received chunk, item_open_chunk. */
#ifndef CONSILIUM_PROTOCOL_RECORD_ITEM_H
#define CONSILIUM_PROTOCOL_RECORD_ITEM_H

#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

enum {
    ITEM_SEAL_SIZE = 16, /* a chunk is this much larger than its piece */
    ITEM_PIECE_SIZE = CHUNK_SIZE_MAX - ITEM_SEAL_SIZE,
};

/* Secret and random. One key for one content: two contents sealed under the same key would reveal
 * each other, so a changed item gets a new key. */
struct item_key {
    uint8_t bytes[KEY_SIZE];
};

struct item_shape {
    uint64_t size;        /* of the item, in bytes */
    uint32_t chunk_count; /* from 1 */
};

/* ERR_TOO_LARGE when `size` needs more than ITEM_CHUNK_COUNT_MAX chunks. */
MUST_USE err item_shape_of(uint64_t size, struct item_shape *ret_shape);

/* The size of the piece at `index`, which is below chunk_count. */
size_t item_piece_size(const struct item_shape *shape, uint32_t index);

/* ---- chunks ---- */

/* Seals `piece`, of exactly item_piece_size bytes, into `ret_chunk`, which holds ITEM_SEAL_SIZE
 * more; the two must not overlap. */
void item_seal_chunk(const struct item_key *key, const struct item_shape *shape, uint32_t index,
                     struct bytes piece, uint8_t *ret_chunk);

/* Opens `chunk` into `ret_piece`, which holds item_piece_size bytes (zeros on failure).
 *
 *   ERR_MALFORMED  no such index, or a wrong size for this chunk; drop it
 *   ERR_BAD_KEY    another key, item, shape or position, or altered bytes */
MUST_USE err item_open_chunk(const struct item_key *key, const struct item_shape *shape,
                             uint32_t index, struct bytes chunk, uint8_t *ret_piece);

struct hash item_leaf(struct bytes chunk);

/* ---- the tree, one leaf after another, in memory for one path ---- */

struct item_tree {
    struct hash roots[ITEM_PROOF_COUNT_MAX + 1]; /* of whole subtrees, the largest first */
    uint32_t count;                              /* leaves so far */
};

void item_tree_init(struct item_tree *tree);

/* Adds the leaf of the next index. ERR_TOO_LARGE after ITEM_CHUNK_COUNT_MAX leaves. */
MUST_USE err item_tree_add(struct item_tree *tree, const struct hash *leaf);

/* ERR_MALFORMED when the number of leaves is not that of the shape. */
MUST_USE err item_tree_finish(const struct item_tree *tree, const struct item_shape *shape,
                              struct item_id *ret_id);

/* ---- proofs ---- */

/* How many hashes a tree over `leaf_count` leaves holds, leaves included: less than 2 * leaf_count
 * + ITEM_PROOF_COUNT_MAX. */
size_t item_nodes_count(uint32_t leaf_count);

/* Fills the inner nodes of the tree whose leaves are the first `leaf_count` (at least 1) of
 * `nodes`, which holds item_nodes_count(leaf_count). */
void item_nodes_fill(struct hash *nodes, uint32_t leaf_count);

struct item_proof {
    struct hash steps[ITEM_PROOF_COUNT_MAX]; /* from the leaf up */
    uint8_t count;
};

/* The proof for the leaf at `index`, below `leaf_count`, from nodes that item_nodes_fill filled. */
void item_proof_make(const struct hash *nodes, uint32_t leaf_count, uint32_t index,
                     struct item_proof *ret_proof);

/* Checks that `leaf` is the one at `index` of the item `id`, in at most ITEM_PROOF_COUNT_MAX steps.
 *
 *   ERR_MALFORMED  no such index, or a wrong number of steps for this index; drop it
 *   ERR_BAD_HASH   another leaf, position, shape or item; drop it and count against the peer */
MUST_USE err item_proof_verify(const struct item_id *id, const struct item_shape *shape,
                               uint32_t index, const struct hash *leaf,
                               const struct item_proof *proof);

/* u8 count, then each step. Reading: ERR_TRUNCATED, or ERR_TOO_LARGE over ITEM_PROOF_COUNT_MAX. */
void item_proof_write(struct buffer *buffer, const struct item_proof *proof);
MUST_USE err item_proof_read(struct reader *reader, struct item_proof *ret_proof);

#endif
