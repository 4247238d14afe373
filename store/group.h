/* One write transaction: the batches that are committed together.
 *
 * Only the writer thread uses it. An op that fails says why and leaves the transaction usable,
 * unless `broken`: then LMDB itself failed and the whole group must be aborted. `changed` tells
 * whether the batch has changed anything yet; if so, its failure also costs an abort and another
 * round without it, which keeps batches atomic without nested transactions. */
#ifndef CONSILIUM_STORE_GROUP_H
#define CONSILIUM_STORE_GROUP_H

#include "store/batch.h"
#include "store/stream_cache.h"

/* Kept in a row of its own; the same for every group that is aborted and tried again. */
struct group_state {
    uint64_t record_number_last;
    uint32_t stream_number_last;
    uint32_t scope_number_last;
    uint64_t audit_number_last;
    uint64_t tombstone_count;
    uint64_t item_bytes;
    uint64_t recent_merged; /* recent.h, fresh.h: what both have merged */
    uint32_t forgot_epoch;  /* in which something was destroyed last; 0: never */
};

struct group {
    struct store *store;
    MDB_txn *txn; /* NULL between groups */
    MDB_cursor *records;
    MDB_cursor *cells;
    MDB_cursor *positions;
    MDB_cursor *scopes;
    struct stream_cache *streams;
    struct group_state state;
    struct group_state state_before;
    struct seal_nonces nonces;
    uint8_t *scratch[2]; /* a record's plaintext each */
    bool broken;
    bool changed;
};

/* Reads the state; `owner` is checked, or written with the state by the first commit.
 * ERR_EXISTS when the store is another owner's. */
MUST_USE err group_open(struct store *store, bool create, struct group *ret_group);
void group_close(struct group *group);

MUST_USE err group_begin(struct group *group);
/* Puts what recent.h and fresh.h still hold into their tables, so that the next open need not read
 * it again. */
MUST_USE err group_merge_recent(struct group *group);

/* Applies the ops of a batch in order; sets its numbers, and op_failed when one fails. */
MUST_USE err group_apply(struct group *group, struct batch *batch);
/* ERR_FULL leaves everything as it was before group_begin; any other failure is the disk's. */
MUST_USE err group_commit(struct group *group);
void group_abort(struct group *group);

/* For the rooms that apply ops: turns a result of LMDB into an err, and marks the group broken when
 * it is one that an op cannot answer for. */
MUST_USE err group_check(struct group *group, int code);

#endif
