/* An envelope that this node holds for another member. Table HELD (spec/storage.md, Rows):
 *
 *   key    number 8, the engine's
 *   value  deposit_id 32 | depositor 16 | recipient 16 | until 8 (wall clock, ms) | the envelope */
#ifndef CONSILIUM_NODE_ROWS_HELD_ROW_H
#define CONSILIUM_NODE_ROWS_HELD_ROW_H

#include "protocol/step/step.h"
#include "store/store.h"

enum { HELD_ROW_HEAD_SIZE = HASH_SIZE + 2 * NODE_ID_SIZE + 8 }; /* before the envelope */

/* What an op's key points into; it outlives the submission. */
struct held_row_bytes {
    uint8_t key[8];
};

/* `value` has room for HELD_ROW_HEAD_SIZE and the envelope, and is borrowed by the op like
 * `memory`. */
struct store_op held_row_put(uint64_t number, const struct step_held *held, struct bytes envelope,
                             uint8_t *value, struct held_row_bytes *memory);
struct store_op held_row_delete(uint64_t number, struct held_row_bytes *memory);

/* Puts the envelope at the start of `memory`, which has room for HELD_ROW_HEAD_SIZE more; an
 * envelope of size 0 was never there. As row_table_get. */
MUST_USE err held_row_get(struct store *store, uint64_t number, struct buffer *memory);

/* Calls `on_row` for each envelope, in the order of their numbers, until it says false. As
 * row_table_scan. */
MUST_USE err held_row_scan(struct store *store,
                           bool (*on_row)(void *arg, uint64_t number, const struct step_held *held),
                           void *arg);

#endif
