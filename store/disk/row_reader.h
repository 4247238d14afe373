/* Reads rows of all tables, each call in transactions of its own. */
#ifndef CONSILIUM_STORE_DISK_ROW_READER_H
#define CONSILIUM_STORE_DISK_ROW_READER_H

#include "store/disk/row_codec.h"

/* Opens one row into heap memory, since a row may be large. `*ret_row` borrows from `*ret_plain`
 * (`*ret_size` bytes), which the caller wipes and frees. ERR_NOT_FOUND, ERR_CORRUPT,
 * ERR_NO_MEMORY. */
MUST_USE err row_reader_load(struct store *store, const struct row_codec_row_key *row_key,
                             uint8_t **ret_plain, size_t *ret_size, struct store_row *ret_row);

/* Calls `on_row` with a copy of each row of the table of `from`, ascending from that key on, until
 * it returns false. `from` is a row's key, or the number of a table in one byte. No transaction is
 * open during the call of `on_row`: it may read and submit. ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_USE err row_reader_scan(struct store *store, struct row_codec_row_key from,
                             bool (*on_row)(void *arg, const struct store_row *row), void *arg);

#endif
