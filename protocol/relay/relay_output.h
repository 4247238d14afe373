/* What a relay has to tell a link: statuses, credit, presence and the rest. Nothing of it is kept
 * as a frame: it is remembered as a state, and spelled when the link takes it; so it is bounded by
 * construction, and what became untrue meanwhile is never said. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_OUTPUT_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_OUTPUT_H

#include "protocol/relay/relay_state.h"

/* Writes the next control frame of this link; false when there is none. The buffer holds
 * RELAY_ENGINE_CONTROL_SIZE. */
bool relay_output_write(struct relay_engine *relay, uint32_t link, struct mono now,
                        struct buffer *buffer);

#endif
