/* What a relay has to tell a link: statuses, credit, presence and the rest. Nothing of it is kept
 * as a frame: it is remembered as a state, and spelled when the link takes it; so it is bounded by
 * construction, and what became untrue meanwhile is never said. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_CONTROL_H
#define CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_CONTROL_H

#include "protocol/relay/rendezvous_state.h"

/* Writes the next control frame of this link; false when there is none. The buffer holds
 * RENDEZVOUS_CONTROL_SIZE. */
bool rendezvous_control_write(struct rendezvous *relay, uint32_t link, struct mono now,
                              struct buffer *buffer);

#endif
