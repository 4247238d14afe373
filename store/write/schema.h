/* The schema number of a store: how its tables are to be read. A store without one is of schema 1.
 *
 *   1  the releases before the number
 *   2  the number itself
 *
 * A change that an earlier release would misread gets the next number, and a step here. A store of
 * an earlier schema is copied first (env_copy_before), and all steps are
 * one commit. */
#ifndef CONSILIUM_STORE_WRITE_SCHEMA_H
#define CONSILIUM_STORE_WRITE_SCHEMA_H

#include "store/write/write_txn.h"

enum { SCHEMA_NUMBER = 2 };

/* Reads it; before anything else is read (S-19). ERR_CORRUPT. */
MUST_USE err schema_read(struct store *store, uint32_t *ret_number);

/* Within a transaction of `group`. */
MUST_USE err schema_write(struct write_txn *group, uint32_t number);

/* Gives a store that is being created today's number. */
MUST_USE err schema_create(struct write_txn *group);

/* Copies data.mdb, then goes from schema `number` to this release's, in a transaction of its own.
 * ERR_FULL: no room for the copy, and nothing was changed. */
MUST_USE err schema_upgrade(struct write_txn *group, uint32_t number);

#endif
