/* What happens to rows in a write transaction: put, delete, audit, tombstones, item rows. */
#ifndef CONSILIUM_STORE_WRITE_ROW_WRITE_H
#define CONSILIUM_STORE_WRITE_ROW_WRITE_H

#include "store/write/write_txn.h"

/* The row of op->table called op->name becomes op->plain. */
MUST_USE err row_write_put(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_delete(struct write_txn *group, const struct batch_op *op);

/* ERR_OUT_OF_ORDER when the number is not above the last one. */
MUST_USE err row_write_audit(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_tombstone(struct write_txn *group, const struct batch_op *op);

bool row_write_tombstoned(struct write_txn *group, const struct record_id *id);

/* ERR_EXISTS when the item is there; ERR_NOT_FOUND when it is not, or lies in another file now. The
 * delete says in the op which file is to go. */
MUST_USE err row_write_item_create(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_item_bits(struct write_txn *group, const struct batch_op *op);
MUST_USE err row_write_item_delete(struct write_txn *group, struct batch_op *op);

#endif
