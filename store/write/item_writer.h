/* The thread that writes item files: preallocate, write, sync, then commit the bitmap. */
#ifndef CONSILIUM_STORE_WRITE_ITEM_WRITER_H
#define CONSILIUM_STORE_WRITE_ITEM_WRITER_H

#include "store/disk/store_types.h"

struct item_writer;

/* Removes what a crash left behind, and starts. The writer must run. */
MUST_USE err item_writer_start(struct store *store, struct item_writer **ret_thread);
/* Syncs and reports the waiting jobs, then ends. NULL is allowed. The writer must still run. */
void item_writer_stop(struct item_writer *thread);

/* Both copy. ERR_BUSY, ERR_IO (stopping), ERR_NO_MEMORY. */
MUST_USE err item_writer_create(struct item_writer *thread, const struct item_id *item,
                                const struct item_file_shape *shape, uint64_t token);
MUST_USE err item_writer_write(struct item_writer *thread, const struct item_id *item,
                               const struct item_file_chunk *chunk, uint64_t token);

#endif
