/* Looking at everything that is stored, to find what a disk has lost or changed. */
#ifndef CONSILIUM_STORE_VERIFY_H
#define CONSILIUM_STORE_VERIFY_H

#include "store/env.h"

/* As store_verify. */
MUST_USE err verify_records(struct store *store, uint64_t number, size_t count,
                            uint64_t *ret_number);

/* Opens every stream, every row and every record. ERR_CORRUPT; `ret_what` then names the kind of
 * thing that was damaged (static storage). */
MUST_USE err verify_all(struct store *store, const char **ret_what);

#endif
