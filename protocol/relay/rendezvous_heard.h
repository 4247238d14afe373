/* What a link says to the relay: one frame, taken in or counted against it. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_HEARD_H
#define CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_HEARD_H

#include "protocol/relay/rendezvous_state.h"

/* A frame of a link that is not leaving. */
void rendezvous_heard_frame(struct rendezvous *relay, uint32_t link, struct bytes bytes,
                            struct mono now);

#endif
