/* What left in boxes, so that what comes out of them can be told from what a relay made up: each
 * frame that a session opens is one that its peer sent into it, once, and in order. */
#ifndef CONSILIUM_TESTS_SIM_TUNNELS_H
#define CONSILIUM_TESTS_SIM_TUNNELS_H

#include "tests/sim/world.h"

struct tunnels *tunnels_new(void);
void tunnels_free(struct tunnels *tunnels);

/* `from` seals a frame for `to`: the relay must not be able to read it. */
void tunnels_sealed(struct hospital *from, const struct hospital *to, uint32_t relay,
                    struct bytes frame, struct bytes box);
/* `to` opened a frame of `from`. */
void tunnels_opened(struct hospital *to, const struct hospital *from, uint32_t relay,
                    struct bytes frame);

#endif
