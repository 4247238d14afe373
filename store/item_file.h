/* The files of case items (documents, images): one preallocated file for each item. Chunks have
 * fixed places, so that they may come from any peer, in any order, and a transfer can resume.
 *
 * A chunk is ciphertext that the caller has checked against its leaf hash; the caller keeps the
 * item's keys (STORE_TABLE_ITEM). A thread of its own writes the chunks. It syncs every 4 MiB, or
 * 50 ms after a chunk when fewer follow. Only then the bitmap of chunks is committed and the write
 * reported. Deleting is an op of store_submit (STORE_ITEM_DELETE), so that it is atomic with the
 * erasure that requires it. */
#ifndef CONSILIUM_STORE_ITEM_FILE_H
#define CONSILIUM_STORE_ITEM_FILE_H

#include "store/store.h"

/* Creates the file at its full size, so that a full disk is reported now. The result comes with
 * `token` through store_drain: OK, ERR_EXISTS when it exists with another shape (with the same
 * shape: OK, continue where it stopped), ERR_FULL, ERR_IO. Returns ERR_BUSY when too much waits,
 * ERR_TOO_LARGE or ERR_INVALID for a bad shape. */
MUST_USE err item_file_create(struct store *store, const struct item_id *item,
                              const struct item_file_shape *shape, uint64_t token);

/* Copies one chunk into the queue. The result comes with `token` once it is durable: OK,
 * ERR_NOT_FOUND when the item was not created or was deleted meanwhile, ERR_INVALID when its size
 * does not match its place, ERR_IO. Returns ERR_BUSY when too much waits; ERR_INVALID when the
 * chunk is empty or too large. */
MUST_USE err item_file_write(struct store *store, const struct item_id *item,
                             const struct item_file_chunk *chunk, uint64_t token);

struct item_file_state {
    struct item_file_shape shape;
    uint32_t chunk_count;
    uint32_t chunks_here; /* durable */
};

/* ERR_NOT_FOUND when the item was never created, or was deleted. */
MUST_USE err item_file_state(struct store *store, const struct item_id *item,
                             struct item_file_state *ret_state);

/* The first durable (`here`) or missing chunk at or after `index`; chunk_count when there is none.
 * ERR_NOT_FOUND as above. */
MUST_USE err item_file_next(struct store *store, const struct item_id *item, bool here,
                            uint32_t index, uint32_t *ret_index);

/* Copies a durable chunk and its leaf hash out. ERR_NOT_FOUND when it is not here. The bytes come
 * unchecked from the disk: check them against the leaf hash. */
MUST_USE err item_file_read(struct store *store, const struct item_id *item, uint32_t index,
                            uint8_t memory[static CHUNK_SIZE_MAX],
                            struct item_file_chunk *ret_chunk);

/* `count` leaf hashes from `index` on, for proofs of chunks; zeros where none was written. */
MUST_USE err item_file_leaves(struct store *store, const struct item_id *item, uint32_t index,
                              uint32_t count, struct hash *ret_leaves);

#endif
