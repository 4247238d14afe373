/* From a frame of records to what is to be checked: what is each, and where does it belong? Nothing
 * here is costly, for no signature is checked yet. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_RECEIVE_H
#define CONSILIUM_PROTOCOL_REPLICATION_RECEIVE_H

#include "protocol/state/engine_state.h"

/* A FRAME_RECORDS came. */
void receive_frame(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step);

/* Is this an ERASE that is to be obeyed, once its signature is found good? C-50: it proves itself.
 * Its stream may be forked, have a gap, or be frozen by a suspension; of a removed member only the
 * successor's word counts, and that is written in a stream of its own. */
bool receive_takes_erase(const struct engine *engine, const struct record_claim *claim);

/* A record came out of an envelope, from nobody: what is asked about it is asked of those who share
 * its stream. What becomes of it is told to custody_pickup_settled when the answer is ERR_BUSY.
 *
 *   ERR_BUSY       it is being checked
 *   OK             it is here already
 *   ERR_MALFORMED  it will never be accepted
 *   else           not now, for the reason that a link's record would be passed over */
MUST_USE err receive_enclosed(struct engine *engine, const struct frame_record *record,
                              struct step *step);

/* What is being checked or kept is charged to the peer that sent it. */
void receive_charge(struct peer *peer, const struct step_batch *batch);
void receive_discharge(struct peer *peer, const struct step_batch *batch);

#endif
