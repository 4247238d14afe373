/* Forks that are known. Table HEAD (spec/storage.md, Rows), in two kinds of row:
 *
 *   the list of those known by name    key    "forks"
 *                                      value  as EFFECT_FORKS gives it: 61 bytes each
 *   one that this node found itself    key    stream id 53 | sequence 8
 *                                      value  theirs 308 | ours 308 | 1 when the proof is posted
 *                                             (each header and signature; older stores: theirs
 *                                             alone) */
#ifndef CONSILIUM_NODE_ROWS_FORK_ROW_H
#define CONSILIUM_NODE_ROWS_FORK_ROW_H

#include "protocol/record/record.h"
#include "store/store.h"

enum {
    FORK_ROW_KEY_SIZE = STREAM_ID_SIZE + 8,
    FORK_ROW_VALUE_SIZE = 2 * RECORD_BARE_SIZE + 1,
};

struct fork_row {
    struct stream_id stream;
    uint64_t sequence;
    uint8_t theirs[RECORD_BARE_SIZE];
    uint8_t ours[RECORD_BARE_SIZE];
    bool has_ours; /* false: a row of an older store */
    bool is_posted;
};

/* What an op points into; it outlives the submission. */
struct fork_row_bytes {
    uint8_t key[FORK_ROW_KEY_SIZE];
    uint8_t value[FORK_ROW_VALUE_SIZE];
};

/* `row` has ours. */
struct store_op fork_row_put(const struct fork_row *row, struct fork_row_bytes *memory);
/* Calls `on_row` for each fork that this node found until it says false. As row_table_scan. */
MUST_USE err fork_row_scan(struct store *store,
                           bool (*on_row)(void *arg, const struct fork_row *row), void *arg);

/* `forks` is borrowed by the op. */
struct store_op fork_row_list_put(struct bytes forks);
/* Appends the list. ERR_NOT_FOUND: no fork is known by name. Else as row_table_get. */
MUST_USE err fork_row_list_get(struct store *store, struct buffer *ret_forks);

#endif
