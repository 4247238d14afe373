/* The ops on rows in a write transaction: put, delete, audit, tombstones, item rows. */
#ifndef CONSILIUM_STORE_WRITE_ROW_WRITE_H
#define CONSILIUM_STORE_WRITE_ROW_WRITE_H

#include "store/write/write_txn.h"

/* Writes op->plain as the row of op->table with the key op->name. */
MUST_USE err row_write_put(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_delete(struct write_txn *group, const struct batch_op *op);

/* ERR_OUT_OF_ORDER when the number is not above the last one. */
MUST_USE err row_write_audit(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_tombstone(struct write_txn *group, const struct batch_op *op);

bool row_write_tombstoned(struct write_txn *group, const struct record_id *id);

/* ERR_EXISTS when the item exists; ERR_NOT_FOUND when it does not, or has another file now. A
 * delete sets in the op which file to delete. */
MUST_USE err row_write_item_create(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_item_bits(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_item_delete(struct write_txn *group, struct batch_op *op);

#endif
