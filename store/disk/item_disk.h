/* Item files and their rows on the disk. */
#ifndef CONSILIUM_STORE_DISK_ITEM_DISK_H
#define CONSILIUM_STORE_DISK_ITEM_DISK_H

#include "store/disk/env.h"
#include "store/disk/item_row.h"

/* Creates the row's file at its full size, synced. ERR_FULL leaves nothing behind. */
MUST_USE err item_disk_make(const struct store *store, const struct item_row *row);

/* Deletes the file; OK when it does not exist. */
MUST_USE err item_disk_remove(const struct store *store,
                              const uint8_t file[static ITEM_ROW_FILE_SIZE]);

MUST_USE err item_disk_write(int fd, const uint8_t *data, size_t size, uint64_t offset);

/* Reads the item's row; `*ret_memory` (freed by the caller) is what row->bits borrows from.
 * ERR_NOT_FOUND, ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_USE err item_disk_row(struct store *store, const struct item_id *item,
                           struct item_row *ret_row, uint8_t **ret_memory);

/* Removes files without a row: a crash happened between the two changes of file and row. */
MUST_USE err item_disk_clean(struct store *store);

#endif
