/* The writer thread: its queue, group commit, and its results.
 *
 *   waiting -> taken into a group -> committed -> done, notify -> drained
 *
 * All waiting batches (up to WRITER_GROUP_SIZE_MAX) go into one transaction. When the disk is full
 * the normal ones are refused and the releasing ones retried, after releasing the ballast if
 * needed. Between groups the thread takes a step of a rekey, and each minute it clears LMDB's table
 * of dead readers and restores the ballast. */
#ifndef CONSILIUM_STORE_WRITE_WRITER_H
#define CONSILIUM_STORE_WRITE_WRITER_H

#include "store/write/write_txn.h"

enum { WRITER_GROUP_SIZE_MAX = 4 * 1024 * 1024 };

struct writer;

/* Takes over `write_txn`, opened. */
MUST_USE err writer_start(struct store *store, struct write_txn *group, struct writer **ret_writer);
/* Finishes what waits, then ends the thread. NULL is allowed. */
void writer_stop(struct writer *writer);

/* Takes over `batch` when it returns OK. ERR_BUSY, ERR_IO. */
MUST_USE err writer_submit(struct writer *writer, struct batch *batch);
/* The same, and waits; the caller then owns the batch again. It waits for a full queue too. */
MUST_USE err writer_commit(struct writer *writer, struct batch *batch);

/* Adds a batch that never was in the queue to the done ones, with its `result` set. */
void writer_done(struct writer *writer, struct batch *batch);

/* What is done, oldest first, linked by `next`; the caller frees it. */
struct batch *writer_take_done(struct writer *writer);

MUST_USE err writer_rekey(struct writer *writer, uint64_t token);

struct writer_status {
    struct write_txn_state state; /* as committed */
    uint32_t epoch;
    bool rekeying;
    bool full;
};
struct writer_status writer_status(struct writer *writer);

#endif
