/* From a frame of records to what is to be checked: what is each, and where does it belong? Nothing
 * here is dear, for nothing is signed yet as far as anybody knows. */
#ifndef CONSILIUM_PROTOCOL_CORE_INTAKE_H
#define CONSILIUM_PROTOCOL_CORE_INTAKE_H

#include "protocol/core/core_state.h"

/* A FRAME_RECORDS came. */
void intake_frame(struct core *core, struct peer *peer, struct bytes frame, struct step *step);

/* Is this an ERASE that is to be obeyed, once its signature is found good? C-50: it proves itself.
 * Its stream may be forked, have a gap, or be frozen by a suspension; of a removed member only the
 * successor's word counts, and that is written in a stream of its own. */
bool intake_takes_erase(const struct core *core, const struct record_claim *claim);

/* A record came out of an envelope, from nobody: what is asked about it is asked of those who share
 * its stream. What becomes of it is told to collection_settled when the answer is ERR_BUSY.
 *
 *   ERR_BUSY       it is being checked
 *   OK             it is here already
 *   ERR_MALFORMED  it will never be accepted
 *   else           not now, for the reason that a link's record would be passed over */
MUST_USE err intake_enclosed(struct core *core, const struct frame_record *record,
                             struct step *step);

/* What is being checked or kept is charged to the peer that sent it. */
void intake_charge(struct peer *peer, const struct step_batch *batch);
void intake_discharge(struct peer *peer, const struct step_batch *batch);

#endif
