/* Input of a link: handles one frame, or counts it against the link. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_INPUT_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_INPUT_H

#include "protocol/relay/relay_links.h"

/* Handles a frame of a link that is not leaving. */
void relay_input_frame(struct relay_engine *relay, uint32_t link, struct bytes bytes,
                       struct mono now);

#endif
