/* The society's publisher, when it is on a link: it brings roster heads and their content.
 *
 * It is no member. Of all that it says only signed heads and parts of their content are heard, and
 * they prove themselves. It is asked at once for what is newer than ours, and told by the same
 * question when we have it. */
#ifndef CONSILIUM_NODE_ROSTER_SYNC_PUBLISHER_H
#define CONSILIUM_NODE_ROSTER_SYNC_PUBLISHER_H

#include "node/runtime/runtime.h"

void publisher_up(struct runtime *runtime, struct link_id link);
void publisher_down(struct runtime *runtime, struct link_id link);
void publisher_frame(struct runtime *runtime, struct link_id link, struct bytes frame);

#endif
