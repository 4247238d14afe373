/* Up to which sequence a peer reported a stream durable. Table ACK (spec/storage.md, Rows):
 *
 *   key    stream id 53 | node_id of the peer 16
 *   value  sequence 8 */
#ifndef CONSILIUM_NODE_ROWS_ACK_ROW_H
#define CONSILIUM_NODE_ROWS_ACK_ROW_H

#include "protocol/base/scope.h"
#include "store/store.h"

struct ack_row {
    struct stream_id stream;
    struct node_id peer;
    uint64_t durable; /* sequence */
};

enum { ACK_ROW_KEY_SIZE = STREAM_ID_SIZE + NODE_ID_SIZE, ACK_ROW_VALUE_SIZE = 8 };

/* What an op points into; it outlives the submission. */
struct ack_row_bytes {
    uint8_t key[ACK_ROW_KEY_SIZE];
    uint8_t value[ACK_ROW_VALUE_SIZE];
};

struct store_op ack_row_put(const struct ack_row *row, struct ack_row_bytes *memory);

/* 0 when there is no row, or none that can be read. */
uint64_t ack_row_get(struct store *store, const struct stream_id *stream,
                     const struct node_id *peer);

/* Calls `on_row` for each row that can be read until it says false. As row_table_scan. */
MUST_USE err ack_row_scan(struct store *store, bool (*on_row)(void *arg, const struct ack_row *row),
                          void *arg);

#endif
