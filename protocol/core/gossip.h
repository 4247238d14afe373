/* What is durable goes out: pushes of our own records, notices, acknowledgements.
 *
 * The simple form, for audiences of at most 32: the writer sends to each directly. Nothing is
 * dropped because a queue is full: a peer that is not in step with a stream gets a notice of where
 * the stream stands, and fetches (catchup.h). */
#ifndef CONSILIUM_PROTOCOL_CORE_GOSSIP_H
#define CONSILIUM_PROTOCOL_CORE_GOSSIP_H

#include "protocol/core/core_state.h"

/* One of our own records is durable: push it to those who are in step, tell the others. */
void gossip_push(struct core *core, uint32_t slot, const struct record_claim *claim,
                 const struct step_record *record, struct step *step);

/* What came from `link` is durable: tell it, and the writer. `slots` may repeat. */
void gossip_acknowledge(struct core *core, struct link_id link, const uint32_t *slots,
                        size_t slot_count, struct step *step);

/* A peer says where it stands in a stream (FRAME_ACK, FRAME_STREAMS). */
void gossip_hear(struct core *core, struct peer *peer, uint32_t slot,
                 const struct frame_position *position, struct step *step);

/* Where a stream stands here, as peers are told. */
struct frame_position gossip_position(const struct core *core, uint32_t slot);

#endif
