/* One write transaction: the batches that are committed together.
 *
 * Only the writer thread uses it. A failed op sets its error and leaves the transaction usable,
 * unless `broken`: then LMDB itself failed and the whole group must be aborted. `changed` is true
 * when the batch has changed something; then its failure also costs an abort and another round
 * without it, which keeps batches atomic without nested transactions. */
#ifndef CONSILIUM_STORE_WRITE_WRITE_TXN_H
#define CONSILIUM_STORE_WRITE_WRITE_TXN_H

#include "store/write/batch.h"
#include "store/write/stream_cache.h"

/* Stored in a row of its own; the same for every group that is aborted and retried. */
struct write_txn_state {
    uint64_t record_number_last;
    uint32_t stream_number_last;
    uint32_t scope_number_last;
    uint64_t audit_number_last;
    uint64_t tombstone_count;
    uint64_t item_bytes;
    uint64_t index_merged; /* index_buffer.h */
    uint32_t forgot_epoch; /* of the last destruction; 0: never */
};

struct write_txn {
    struct store *store;
    MDB_txn *txn; /* NULL between groups */
    MDB_cursor *records;
    MDB_cursor *cells;
    MDB_cursor *positions;
    MDB_cursor *scopes;
    struct stream_cache *streams;
    struct write_txn_state state;
    struct write_txn_state state_before;
    struct seal_nonces nonces;
    uint8_t *scratch[2]; /* a record's plaintext each */
    bool broken;
    bool changed;
    bool is_tight; /* the disk is full: a commit postpones what can wait */
};

/* Reads the state. `owner` is checked, or written with the state by the first commit. ERR_EXISTS
 * when the store is another owner's. */
MUST_USE err write_txn_open(struct store *store, bool create, struct write_txn *ret_group);
void write_txn_close(struct write_txn *group);

MUST_USE err write_txn_begin(struct write_txn *group);
/* Merges the rest of index_buffer.h into its tables, so that the next open need not read it
 * again. */
MUST_USE err write_txn_merge_index(struct write_txn *group);

/* Applies the ops of a batch in order; sets its numbers, and op_failed when one fails. */
MUST_USE err write_txn_apply(struct write_txn *group, struct batch *batch);
/* ERR_FULL leaves everything as it was before write_txn_begin; any other failure is the disk's. */
MUST_USE err write_txn_commit(struct write_txn *group);
void write_txn_abort(struct write_txn *group);

#endif
