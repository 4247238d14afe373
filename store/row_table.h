/* Reads small rows, audit entries and tombstones. */
#ifndef CONSILIUM_STORE_ROW_TABLE_H
#define CONSILIUM_STORE_ROW_TABLE_H

#include "store/store.h"

/* Appends the row's value to `memory`.
 *
 *   ERR_NOT_FOUND
 *   ERR_TOO_LARGE  it does not fit (STORE_ROW_SIZE_MAX always does); `memory` does not change
 *   ERR_INVALID    no such table, or a key of a wrong size
 *   ERR_CORRUPT    it does not open */
MUST_USE err row_table_get(struct store *store, enum store_table table, struct bytes key,
                           struct buffer *memory);

/* Calls `on_row` with a copy of each row of `table` until it returns false; ordered tables in
 * ascending order of the key. No transaction is open during the call: it may read and submit. Rows
 * written during the scan may or may not be seen. */
MUST_USE err row_table_scan(struct store *store, enum store_table table,
                            bool (*on_row)(void *arg, const struct store_row *row), void *arg);

/* Audit entries from `number` on, ascending, under the same rules. */
MUST_USE err row_table_audit(struct store *store, uint64_t number,
                             bool (*on_entry)(void *arg, const struct store_audit *entry),
                             void *arg);

/* True when the record or case was erased; `ret_erased_at` may be NULL. */
bool row_table_tombstone(struct store *store, enum store_tombstone_kind kind,
                         const uint8_t id[static HASH_SIZE], struct wall *ret_erased_at);

#endif
