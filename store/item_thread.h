/* The thread that writes item files: preallocate, write, sync, then have the bitmap committed. */
#ifndef CONSILIUM_STORE_ITEM_THREAD_H
#define CONSILIUM_STORE_ITEM_THREAD_H

#include "store/item_file.h"

struct item_thread;

/* Clears away what a crash left behind, and starts. The writer must run. */
MUST_USE err item_thread_start(struct store *store, struct item_thread **ret_thread);
/* Syncs and reports what waits, then ends. NULL is allowed. The writer must still run. */
void item_thread_stop(struct item_thread *thread);

/* Both copy. ERR_BUSY, ERR_IO (stopping), ERR_NO_MEMORY. */
MUST_USE err item_thread_create(struct item_thread *thread, const struct item_id *item,
                                const struct item_file_shape *shape, uint64_t token);
MUST_USE err item_thread_write(struct item_thread *thread, const struct item_id *item,
                               const struct item_file_chunk *chunk, uint64_t token);

#endif
