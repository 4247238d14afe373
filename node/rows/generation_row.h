/* When a generation of a stream was opened, and whether it was ended. Table GENERATION
 * (spec/storage.md, Rows):
 *
 *   key    stream id 53
 *   value  opened at 8 (wall clock, ms) | ended 1 (0 or 1) */
#ifndef CONSILIUM_NODE_ROWS_GENERATION_ROW_H
#define CONSILIUM_NODE_ROWS_GENERATION_ROW_H

#include "protocol/base/scope.h"
#include "store/store.h"

struct generation_row {
    struct stream_id stream;
    struct wall opened_at;
    bool is_ended;
};

/* What an op points into; it outlives the submission. */
struct generation_row_bytes {
    uint8_t key[STREAM_ID_SIZE];
    uint8_t value[8 + 1];
};

struct store_op generation_row_put(const struct generation_row *row,
                                   struct generation_row_bytes *memory);

/* Calls `on_row` for each row that can be read until it says false. As row_table_scan. */
MUST_USE err generation_row_scan(struct store *store,
                                 bool (*on_row)(void *arg, const struct generation_row *row),
                                 void *arg);

#endif
