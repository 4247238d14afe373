/* What happens to records in a write transaction: put, fill, mend, flag, destroy, drop. */
#ifndef CONSILIUM_STORE_RECORD_WRITE_H
#define CONSILIUM_STORE_RECORD_WRITE_H

#include "store/group.h"

/* Fills in the meta in front of op->plain. ERR_DUPLICATE, ERR_DESTROYED. */
MUST_USE err record_write_put(struct group *group, struct batch_op *op, uint64_t *ret_number);

/* ERR_NOT_FOUND, ERR_DESTROYED, ERR_INVALID, ERR_CORRUPT. */
MUST_USE err record_write_fill(struct group *group, const struct batch_op *op,
                               uint64_t *ret_number);
/* As STORE_MEND; fills in the meta in front of op->plain. */
MUST_USE err record_write_mend(struct group *group, struct batch_op *op, uint64_t *ret_number);
MUST_USE err record_write_flag(struct group *group, const struct batch_op *op,
                               uint64_t *ret_number);
MUST_USE err record_write_destroy(struct group *group, const struct batch_op *op,
                                  uint64_t *ret_number);
MUST_USE err record_write_drop(struct group *group, const struct batch_op *op,
                               uint64_t *ret_number);

#endif
