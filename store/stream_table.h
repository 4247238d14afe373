/* Reads the rows of streams: the id and the caller's state bytes. */
#ifndef CONSILIUM_STORE_STREAM_TABLE_H
#define CONSILIUM_STORE_STREAM_TABLE_H

#include "store/store.h"

struct store_stream_row {
    struct stream_id stream;
    size_t state_size;
    uint8_t state[STORE_STREAM_STATE_SIZE_MAX];
};

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err stream_table_get(struct store *store, const struct stream_id *stream,
                              struct store_stream_row *ret_row);

/* Calls `on_row` with a copy of every stream's row, in arbitrary order, until it returns false. No
 * transaction is open during the call: it may read and submit. Streams made during the scan may be
 * missed. */
MUST_USE err stream_table_scan(struct store *store,
                               bool (*on_row)(void *arg, const struct store_stream_row *row),
                               void *arg);

#endif
