/* From a frame of records to what is to be checked: what is each, and where does it belong? Nothing
 * here is dear, for nothing is signed yet as far as anybody knows. */
#ifndef CONSILIUM_PROTOCOL_CORE_INTAKE_H
#define CONSILIUM_PROTOCOL_CORE_INTAKE_H

#include "protocol/core/core_state.h"

/* A FRAME_RECORDS came. */
void intake_frame(struct core *core, struct peer *peer, struct bytes frame, struct step *step);

/* What is being checked or kept is charged to the peer that sent it. */
void intake_charge(struct peer *peer, const struct step_batch *batch);
void intake_discharge(struct peer *peer, const struct step_batch *batch);

#endif
