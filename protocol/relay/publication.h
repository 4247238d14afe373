/* A publication: what a publisher uploads to a relay. Signed heads ascending by epoch, and the
 * transport list of the last of them:
 *
 *     u32 count | count * (u16 size | signed head) | transport list
 *
 * A relay stores its own in the same format, with all heads from the founding one. */
#ifndef CONSILIUM_PROTOCOL_RELAY_PUBLICATION_H
#define CONSILIUM_PROTOCOL_RELAY_PUBLICATION_H

#include "protocol/member/transport_list.h"
#include "protocol/roster/chain.h"
#include "protocol/wire/relay_frame.h"

enum { PUBLICATION_HEAD_COUNT_MAX = 65536 };

/* Borrows from the bytes that were read. */
struct publication {
    uint32_t head_count;
    struct bytes heads; /* head_count * (u16 size | signed head) */
    struct bytes list;
};

/* Checks the format, and the list by transport_list_check; no signature. ERR_TRUNCATED,
 * ERR_TOO_LARGE, ERR_MALFORMED (no head at all) or as transport_list_check. */
MUST_USE err publication_read(struct bytes all, struct publication *ret_publication);

/* The heads in order: `reader` begins as reader_of(publication->heads). False after the last. */
bool publication_next(struct reader *reader, struct bytes *ret_signed_head);

/* Writing: the count, then each head, then the list unchanged. */
void publication_begin(struct buffer *buffer, uint32_t head_count);
void publication_put(struct buffer *buffer, struct bytes signed_head);

/* Learns the heads that `chain` does not have, and then checks that the list is that of its tip.
 * Unless OK the chain does not change. A healing head is accepted when its id is `split_recovery`,
 * which the operator of the relay has confirmed (zeros: any, for a publication that was accepted
 * before; NULL: none).
 *
 *   ERR_DUPLICATE  nothing newer than the chain
 *   ERR_MALFORMED  known heads come after new ones
 *   ERR_BAD_HASH   the list is not the one of the last head, or another federation
 *   ERR_FORKED     among others: a healing head without confirmation
 *   and as chain_learn */
MUST_USE err publication_learn(const struct publication *publication, struct chain *chain,
                               const struct head_id *split_recovery, struct wall received);

/* Writes PUBLISH frame number `index` (from 0) for these bytes, at most
 * RELAY_PART_SIZE_MAX + 9 bytes; false when there is no such part. */
bool publication_part(struct bytes all, uint32_t index, struct buffer *buffer);

#endif
