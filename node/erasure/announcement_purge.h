/* A requester says, by MIRROR, that it erased a case: what it had told a board, or the members whom
 * it asked, is destroyed here as well. (C-53)
 *
 *   1. With the mirror itself come a tombstone, so that nothing of it is accepted any more, and a
 *      row that says that it is still to be done.
 *   2. The requester's streams in that scope are read, a page at a time and not too often, and what
 *      a tombstone names is destroyed. One walk does it for all rows of that writer in that scope
 *      that were there when it began: many mirrors do not cause a walk each. (C-57)
 *   3. The rows go when the walk has come to the end: what a crash interrupted is done at the next
 *      start. When no row is left, a new store key is asked for, once for all. */
#ifndef CONSILIUM_NODE_ERASURE_ANNOUNCEMENT_PURGE_H
#define CONSILIUM_NODE_ERASURE_ANNOUNCEMENT_PURGE_H

#include "node/rows/purge_row.h"
#include "node/runtime/runtime.h"

struct announcement_purge;

/* NULL: no memory. */
struct announcement_purge *announcement_purge_new(struct runtime *runtime);
/* When nobody calls back any more. Accepts NULL. */
void announcement_purge_free(struct announcement_purge *purge);

/* Is this an announcement, or a request, of a case that its writer has erased? */
bool announcement_purge_is_done(struct store *store, const struct record_claim *claim,
                                struct bytes plaintext);
/* When this is the mirror that says so: the ops that are kept with it; else 0. They point into
 * `memory`. */
size_t announcement_purge_stage(const struct record_claim *claim, struct bytes plaintext,
                                struct purge_row_bytes *memory, struct store_op ops[static 2]);

/* There may be rows: one was kept, or the process has just begun. */
void announcement_purge_wake(struct announcement_purge *purge);
/* One page, or the new store key when all is done. */
void announcement_purge_tick(struct announcement_purge *purge);
bool announcement_purge_waits(const struct announcement_purge *purge);

#endif
