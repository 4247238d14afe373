/* Committing a group of batches, and what to do when there is no room for all of them.
 *
 * When the disk is full the normal batches are refused and the releasing ones tried again, with the
 * ballast let go if need be. A batch that fails for a reason of its own is taken out, and the
 * others go through. */
#ifndef CONSILIUM_STORE_WRITE_COMMIT_H
#define CONSILIUM_STORE_WRITE_COMMIT_H

#include <time.h>

#include "store/write/write_txn.h"

struct commit {
    struct store *store;
    struct write_txn group;
    bool full;         /* records were or would be refused */
    time_t ballast_at; /* when to try next to put the ballast back, monotonic */
};

/* Sets the result of every batch. Anything but OK means that the disk failed (S-2). */
MUST_USE err commit_run(struct commit *commit, struct batch *first);

/* Looks whether records have room now; says `full`. */
bool commit_refresh(struct commit *commit);

#endif
