/* A position that is taken but not complete: its body or its key is missing (step_is_missing), or
 * the disk lost the whole record (RECORD_LOST). Table LACK (spec/storage.md, Rows):
 *
 *   key    stream id 53 | sequence 8
 *   value  record_id 32 | flags 4 (enum record_flags) | audience 1 */
#ifndef CONSILIUM_NODE_ROWS_MISSING_ROW_H
#define CONSILIUM_NODE_ROWS_MISSING_ROW_H

#include "protocol/step/step.h"
#include "store/store.h"

struct missing_row {
    struct stream_id stream;
    uint64_t sequence;
    struct record_id record;
    uint32_t flags;
    enum audience audience;
};

enum { MISSING_ROW_KEY_SIZE = STREAM_ID_SIZE + 8, MISSING_ROW_VALUE_SIZE = HASH_SIZE + 4 + 1 };

/* What an op points into; it outlives the submission. */
struct missing_row_bytes {
    uint8_t key[MISSING_ROW_KEY_SIZE];
    uint8_t value[MISSING_ROW_VALUE_SIZE];
};

struct store_op missing_row_put(const struct missing_row *row, struct missing_row_bytes *memory);
struct store_op missing_row_delete(const struct stream_id *stream, uint64_t sequence,
                                   struct missing_row_bytes *memory);

/* ERR_NOT_FOUND; ERR_CORRUPT: the row is there and cannot be read. */
MUST_USE err missing_row_get(struct store *store, const struct stream_id *stream, uint64_t sequence,
                             struct missing_row *ret_row);

/* Calls `on_row` for each row until it says false. ERR_CORRUPT: a row cannot be read; the scan ends
 * there. Else as row_table_scan. */
MUST_USE err missing_row_scan(struct store *store,
                              bool (*on_row)(void *arg, const struct missing_row *row), void *arg);

#endif
