/* Roster heads and the roster's content. Tables HEAD and ROSTER (spec/storage.md, Rows):
 *
 *   HEAD    a signed head of ours        key 'h' | epoch 8              value the signed head
 *           a refused one, as evidence   key 'p' | HEAD hash of it 32   value the signed head
 *           the healing head confirmed   key 'c'                        value head_id 32
 *   ROSTER  a piece of the export        key 'x' | number 8             value the piece; the last
 *                                                                       one is empty */
#ifndef CONSILIUM_NODE_ROWS_ROSTER_ROW_H
#define CONSILIUM_NODE_ROWS_ROSTER_ROW_H

#include "protocol/roster/roster_head.h"
#include "store/store.h"

/* What an op's key points into; it outlives the submission. */
struct roster_row_bytes {
    uint8_t key[1 + HASH_SIZE];
};

/* `signed_head`, `piece` and `id` are borrowed by the op. */
struct store_op roster_row_head_put(uint64_t epoch, struct bytes signed_head,
                                    struct roster_row_bytes *memory);
/* Appends the signed head; as row_table_get. */
MUST_USE err roster_row_head_get(struct store *store, uint64_t epoch,
                                 struct buffer *ret_signed_head);

struct store_op roster_row_refused_put(struct bytes signed_head, struct roster_row_bytes *memory);
bool roster_row_refused_is_here(struct store *store, struct bytes signed_head);
/* As row_table_scan. */
MUST_USE err roster_row_refused_count(struct store *store, uint32_t *ret_count);

struct store_op roster_row_confirmed_put(const struct head_id *id);
/* ERR_NOT_FOUND: none was confirmed. */
MUST_USE err roster_row_confirmed_get(struct store *store, struct head_id *ret_id);

struct store_op roster_row_piece_put(uint64_t number, struct bytes piece,
                                     struct roster_row_bytes *memory);
/* Appends the piece; nothing is appended for the last one. As row_table_get. */
MUST_USE err roster_row_piece_get(struct store *store, uint64_t number, struct buffer *ret_piece);

#endif
