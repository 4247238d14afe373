/* Checks all stored data, to find what a disk has lost or changed. */
#ifndef CONSILIUM_STORE_VERIFY_H
#define CONSILIUM_STORE_VERIFY_H

#include "store/store.h"

/* As store_verify. */
MUST_USE err verify_records(struct store *store, uint64_t number, size_t count,
                            uint64_t *ret_number);

/* As store_damage. */
MUST_USE err verify_damage(struct store *store, uint64_t number, struct store_damage *ret_damage);

/* Opens every stream and every row. ERR_CORRUPT; `ret_what` then names the kind of the damaged
 * value (static storage). */
MUST_USE err verify_rows(struct store *store, const char **ret_what);

/* Opens every stream, every row and every record. ERR_CORRUPT; `ret_what` as above. With
 * `spares_records` damaged records are skipped: they do not open, and can be repaired. */
MUST_USE err verify_all(struct store *store, bool spares_records, const char **ret_what);

#endif
