/* What befalls hospitals, relays and lines, at random; and how all is set right again. */
#ifndef CONSILIUM_TESTS_SIM_FATE_H
#define CONSILIUM_TESTS_SIM_FATE_H

#include "tests/sim/world.h"

/* Something goes wrong, or right again. */
void fate_strike(struct world *world);
/* All run, are connected, have room, and know the time. */
void fate_heal(struct world *world);

/* A copy of its disk as it is now; from then on it may be put back. */
void fate_back_up(struct hospital *hospital);
/* The last copy takes the place of what is there: what it wrote since, others must tell it. */
void fate_put_back(struct hospital *hospital);

#endif
