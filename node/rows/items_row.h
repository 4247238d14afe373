/* An item of a case file: whose it is, its key, and to whom it went. Table ITEM (spec/storage.md,
 * Rows):
 *
 *   key    item_id 32
 *   value  case_id 32 | item key 32 | size 8 | chunk count 4 | state 1 | count 1 | node_ids 16 each
 */
#ifndef CONSILIUM_NODE_ROWS_ITEMS_ROW_H
#define CONSILIUM_NODE_ROWS_ITEMS_ROW_H

#include "protocol/record/item.h"
#include "store/store.h"

enum items_row_state { ITEMS_ROW_PUTTING = 1, ITEMS_ROW_FETCHING, ITEMS_ROW_HERE };

enum {
    ITEMS_ROW_SERVED_MAX = PARTICIPANT_COUNT_MAX + 2, /* and the requester, and a successor */
    ITEMS_ROW_SIZE_MAX = 2 * HASH_SIZE + 8 + 4 + 1 + 1 + ITEMS_ROW_SERVED_MAX * NODE_ID_SIZE,
};

struct items_row {
    struct case_id case_id;
    struct item_key key; /* secret */
    struct item_shape shape;
    enum items_row_state state;
    struct node_id served[ITEMS_ROW_SERVED_MAX]; /* whom the audit log names */
    size_t served_count;
};

void items_row_write(const struct items_row *row, struct buffer *out);
/* ERR_CORRUPT. */
MUST_USE err items_row_read(struct bytes value, struct items_row *ret_row);

/* The op that keeps the row; `memory` outlives its submission, and holds a secret. */
struct store_op items_row_put(const struct items_row *row, const struct item_id *id,
                              uint8_t memory[static ITEMS_ROW_SIZE_MAX]);
/* `id` is borrowed by the op. */
struct store_op items_row_delete(const struct item_id *id);

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err items_row_get(struct store *store, const struct item_id *id,
                           struct items_row *ret_row);

/* Calls `on_row` for each item until it says false; a row that cannot be read has state 0, and no
 * more than its case. As row_table_scan. */
MUST_USE err items_row_scan(struct store *store,
                            bool (*on_row)(void *arg, const struct item_id *id,
                                           const struct items_row *row),
                            void *arg);

#endif
