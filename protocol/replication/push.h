/* What is durable goes out: pushes of our own records, notices, acknowledgements.
 *
 * The simple form, for audiences of at most 32: the writer sends to each directly. Nothing is
 * dropped because a queue is full: a peer that is not in step with a stream gets a notice of where
 * the stream stands, and fetches (sync.h). */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_PUSH_H
#define CONSILIUM_PROTOCOL_REPLICATION_PUSH_H

#include "protocol/state/engine_state.h"

/* One of our own records is durable: push it to those who are in step, tell the others. */
void push_push(struct engine *engine, uint32_t slot, const struct record_claim *claim,
               const struct step_record *record, struct step *step);

/* What came from `link` is durable: tell it, and the writer. `slots` may repeat. */
void push_acknowledge(struct engine *engine, struct link_id link, const uint32_t *slots,
                      size_t slot_count, struct step *step);

/* A peer says where it stands in a stream (FRAME_ACK, FRAME_STREAMS). */
void push_hear(struct engine *engine, struct peer *peer, uint32_t slot,
               const struct frame_position *position, struct step *step);

/* Where a stream stands here, as peers are told. */
struct frame_position push_position(const struct engine *engine, uint32_t slot);

#endif
