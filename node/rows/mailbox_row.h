/* The secret of a mailbox key of this node. Table MAILBOX (spec/storage.md, Rows):
 *
 *   key    mailbox key 32 (X25519, public)
 *   value  its secret 32 */
#ifndef CONSILIUM_NODE_ROWS_MAILBOX_ROW_H
#define CONSILIUM_NODE_ROWS_MAILBOX_ROW_H

#include "protocol/base/ids.h"
#include "store/store.h"

/* `key` and `secret` (KEY_SIZE bytes) are borrowed by the op. */
struct store_op mailbox_row_put(const struct mailbox_key *key, const uint8_t *secret);
struct store_op mailbox_row_delete(const struct mailbox_key *key);

/* Calls `on_row` for each key until it says false; `secret` is borrowed for the call. As
 * row_table_scan. */
MUST_USE err mailbox_row_scan(struct store *store,
                              bool (*on_row)(void *arg, const struct mailbox_key *key,
                                             const uint8_t *secret),
                              void *arg);

#endif
