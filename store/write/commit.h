/* Commits a group of batches, also when there is no space for all of them.
 *
 * When the disk is full the normal batches are refused and the releasing ones retried, after
 * releasing the ballast if needed. A batch that fails for a reason of its own is taken out, and the
 * others are committed. */
#ifndef CONSILIUM_STORE_WRITE_COMMIT_H
#define CONSILIUM_STORE_WRITE_COMMIT_H

#include <time.h>

#include "store/write/write_txn.h"

struct commit {
    struct store *store;
    struct write_txn group;
    bool full;         /* records were or would be refused */
    time_t ballast_at; /* when to retry restoring the ballast, monotonic */
};

/* Sets the result of every batch. Any result but OK means that the disk failed (S-2). */
MUST_USE err commit_run(struct commit *commit, struct batch *first);

/* Checks whether records have space now; sets `full`. */
bool commit_refresh(struct commit *commit);

#endif
