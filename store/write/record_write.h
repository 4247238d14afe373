/* The ops on records in a write transaction: put, fill, repair, flag, destroy, drop. */
#ifndef CONSILIUM_STORE_WRITE_RECORD_WRITE_H
#define CONSILIUM_STORE_WRITE_RECORD_WRITE_H

#include "store/write/write_txn.h"

/* Fills in the prefix at the start of op->plain. ERR_DUPLICATE, ERR_DESTROYED. */
MUST_USE err record_write_put(struct write_txn *group, struct batch_op *op, uint64_t *ret_number);

/* ERR_NOT_FOUND, ERR_DESTROYED, ERR_INVALID, ERR_CORRUPT. */
MUST_USE err record_write_fill(struct write_txn *group, const struct batch_op *op,
                               uint64_t *ret_number);
/* As STORE_MEND; fills in the prefix at the start of op->plain. */
MUST_USE err record_write_mend(struct write_txn *group, struct batch_op *op, uint64_t *ret_number);
MUST_USE err record_write_flag(struct write_txn *group, const struct batch_op *op,
                               uint64_t *ret_number);
MUST_USE err record_write_destroy(struct write_txn *group, const struct batch_op *op,
                                  uint64_t *ret_number);
MUST_USE err record_write_drop(struct write_txn *group, const struct batch_op *op,
                               uint64_t *ret_number);

#endif
