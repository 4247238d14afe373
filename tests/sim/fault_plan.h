/* What befalls hospitals, relays and lines, at random; and how all is set right again. */
#ifndef CONSILIUM_TESTS_SIM_FAULT_PLAN_H
#define CONSILIUM_TESTS_SIM_FAULT_PLAN_H

#include "tests/sim/world.h"

/* Something goes wrong, or right again. */
void fault_plan_strike(struct world *world);
/* All run, are connected, have room, and know the time. */
void fault_plan_heal(struct world *world);

/* A copy of its disk as it is now; from then on it may be put back. */
void fault_plan_back_up(struct hospital *hospital);
/* The last copy takes the place of what is there: what it wrote since, others must tell it. */
void fault_plan_put_back(struct hospital *hospital);

#endif
