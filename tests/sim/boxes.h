/* What left in boxes, so that what comes out of them can be told from what a relay made up: each
 * frame that a session opens is one that its peer sent into it, once, and in order. */
#ifndef CONSILIUM_TESTS_SIM_BOXES_H
#define CONSILIUM_TESTS_SIM_BOXES_H

#include "tests/sim/world.h"

struct boxes *boxes_new(void);
void boxes_free(struct boxes *boxes);

/* `from` seals a frame for `to`: the relay must not be able to read it. */
void boxes_sealed(struct hospital *from, const struct hospital *to, uint32_t relay,
                  struct bytes frame, struct bytes box);
/* `to` opened a frame of `from`. */
void boxes_opened(struct hospital *to, const struct hospital *from, uint32_t relay,
                  struct bytes frame);

#endif
