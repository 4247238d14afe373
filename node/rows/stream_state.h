/* How far a stream came: the state bytes that the store keeps for it (spec/storage.md, Rows):
 *
 *   sequence of the tail 8 | its record_id 32 | epoch of the head that it names 8 | flags 4
 *
 * The tail comes first because the store compares it (store_put, `continues`). */
#ifndef CONSILIUM_NODE_ROWS_STREAM_STATE_H
#define CONSILIUM_NODE_ROWS_STREAM_STATE_H

#include "protocol/base/scope.h"
#include "store/stream_table.h"

struct stream_state {
    uint64_t tail;
    struct record_id tail_id;
    uint64_t epoch;
    uint32_t flags;
};

enum { STREAM_STATE_SIZE = 8 + HASH_SIZE + 8 + 4 };

/* Returns what was written into `memory`. */
struct bytes stream_state_write(const struct stream_state *state,
                                uint8_t memory[static STREAM_STATE_SIZE]);
/* ERR_CORRUPT. */
MUST_USE err stream_state_read(const struct store_stream_row *row, struct stream_state *ret_state);
/* The tail alone; 0 when the state cannot be read. */
uint64_t stream_state_tail(const struct store_stream_row *row);

#endif
