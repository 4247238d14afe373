/* How much of its share a writer has used. Table META (spec/storage.md, Rows):
 *
 *   key    "writer" | node_id 16
 *   value  KiB 8
 *
 * It is put in the batch that keeps records of the writer, so that a restart gives nothing back. */
#ifndef CONSILIUM_NODE_ROWS_WRITER_ROW_H
#define CONSILIUM_NODE_ROWS_WRITER_ROW_H

#include "store/store.h"

enum { WRITER_ROW_KEY_SIZE = 6 + NODE_ID_SIZE, WRITER_ROW_VALUE_SIZE = 8 };

/* What an op points into; it outlives the submission. */
struct writer_row_bytes {
    uint8_t key[WRITER_ROW_KEY_SIZE];
    uint8_t value[WRITER_ROW_VALUE_SIZE];
};

struct store_op writer_row_put(const struct node_id *writer, uint64_t used_kib,
                               struct writer_row_bytes *memory);
/* Calls `on_row` for each until it says false. As row_table_scan. */
MUST_USE err writer_row_scan(struct store *store,
                             bool (*on_row)(void *arg, const struct node_id *writer,
                                            uint64_t used_kib),
                             void *arg);

#endif
