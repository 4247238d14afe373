/* Single values of this node. Table META (spec/storage.md, Rows), key and value:
 *
 *   "scrub"    last record number 8 | pass begun at 8 (wall clock, ms)
 *              | 1 when the process ended well and in no hurry, else 0
 *   "checked"  last record number 8
 *   "marker"   16 random bytes, shared with the marker
 *   "restored" when the backup was made 8 | when it was put back 8; there until the node knows what
 *              it wrote since
 *   "mailbox secret forgotten"  "1", until the rekey that follows is done */
#ifndef CONSILIUM_NODE_ROWS_NODE_ROW_H
#define CONSILIUM_NODE_ROWS_NODE_ROW_H

#include "store/store.h"

enum {
    NODE_ROW_SCRUB_SIZE = 8 + 8 + 1,
    NODE_ROW_MARKER_SIZE = 16,
    NODE_ROW_CHECKED_SIZE = 8,
    NODE_ROW_RESTORED_SIZE = 8 + 8
};

/* How far the scrub came. */
struct node_row_scrub {
    uint64_t number;
    struct wall began_at;
    bool is_complete; /* nothing has to be looked at again from the start */
};
struct store_op node_row_scrub_put(const struct node_row_scrub *scrub,
                                   uint8_t memory[static NODE_ROW_SCRUB_SIZE]);
/* ERR_NOT_FOUND, ERR_CORRUPT: begin at the start. */
MUST_USE err node_row_scrub_get(struct store *store, struct node_row_scrub *ret_scrub);

/* Up to which record all signatures are checked that can be (T-27). `memory` is borrowed by the op.
 * 0: none yet. */
struct store_op node_row_checked_put(uint64_t number, uint8_t memory[static NODE_ROW_CHECKED_SIZE]);
uint64_t node_row_checked_get(struct store *store);

/* `id` is borrowed by the op. */
struct store_op node_row_marker_put(const uint8_t id[static NODE_ROW_MARKER_SIZE]);
/* False: the store never had a marker. */
bool node_row_marker_get(struct store *store, uint8_t ret_id[static NODE_ROW_MARKER_SIZE]);

/* This store was put back from a backup. */
struct node_row_restored {
    struct wall made_at; /* the backup */
    struct wall restored_at;
};
struct store_op node_row_restored_put(const struct node_row_restored *restored,
                                      uint8_t memory[static NODE_ROW_RESTORED_SIZE]);
struct store_op node_row_restored_delete(void);
/* A row that cannot be read counts as one. */
bool node_row_restored_get(struct store *store, struct node_row_restored *ret_restored);

/* A secret was deleted, and old pages still hold it. */
struct store_op node_row_rekey_put(void);
struct store_op node_row_rekey_delete(void);
bool node_row_rekey_is_due(struct store *store);

/* Does nothing: batches keep their order, so all that was submitted before it is durable with it.
 */
struct store_op node_row_barrier(void);

#endif
