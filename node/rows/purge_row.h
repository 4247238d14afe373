/* An erased case of which a writer's announcements and requests in one scope are still to be
 * destroyed here. Table RETRACTION (spec/storage.md, Rows):
 *
 *   key    kind of the scope 1 | id of the scope 32 | node_id of the writer 16 | case_id 32
 *   value  empty */
#ifndef CONSILIUM_NODE_ROWS_PURGE_ROW_H
#define CONSILIUM_NODE_ROWS_PURGE_ROW_H

#include "protocol/base/scope.h"
#include "store/store.h"

struct purge_row {
    struct scope scope;
    struct node_id writer;
    struct case_id case_id;
};

enum { PURGE_ROW_KEY_SIZE = 1 + HASH_SIZE + NODE_ID_SIZE + HASH_SIZE };

/* What an op points into; it outlives the submission. */
struct purge_row_bytes {
    uint8_t key[PURGE_ROW_KEY_SIZE];
};

struct store_op purge_row_put(const struct purge_row *row, struct purge_row_bytes *memory);
struct store_op purge_row_delete(const struct purge_row *row, struct purge_row_bytes *memory);

/* The name of the tombstone (STORE_TOMBSTONE_RETRACTION) that stays when the row is gone. */
struct hash purge_row_tombstone(const struct purge_row *row);

/* Calls `on_row` for each row until it says false. As row_table_scan. */
MUST_USE err purge_row_scan(struct store *store,
                            bool (*on_row)(void *arg, const struct purge_row *row), void *arg);

#endif
