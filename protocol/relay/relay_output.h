/* Output to a link: statuses, credit, presence and the rest. Pending output is state, not frames; a
 * frame is written when the link accepts it. So the memory is bounded by construction, and outdated
 * information is never sent. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_OUTPUT_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_OUTPUT_H

#include "protocol/relay/relay_links.h"

/* Writes the next control frame of this link; false when there is none. The buffer holds
 * RELAY_ENGINE_CONTROL_SIZE. */
bool relay_output_write(struct relay_engine *relay, uint32_t link, struct mono now,
                        struct buffer *buffer);

#endif
