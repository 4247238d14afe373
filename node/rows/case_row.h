/* A case that left the engine's memory, or was erased. Table CASE (spec/storage.md, Cases at rest):
 *
 *   key    case_id 32
 *   value  as engine_case_export writes it, ENGINE_CASE_SIZE_MAX bytes at most */
#ifndef CONSILIUM_NODE_ROWS_CASE_ROW_H
#define CONSILIUM_NODE_ROWS_CASE_ROW_H

#include "protocol/base/ids.h"
#include "store/store.h"

/* `case_id` and `exported` are borrowed by the op. */
struct store_op case_row_put(const struct case_id *case_id, struct bytes exported);

/* Appends the row; as row_table_get. */
MUST_USE err case_row_get(struct store *store, const struct case_id *case_id,
                          struct buffer *ret_exported);

/* Calls `on_row` for each case until it says false. As row_table_scan. */
MUST_USE err case_row_scan(struct store *store, bool (*on_row)(void *arg, struct bytes exported),
                           void *arg);

#endif
