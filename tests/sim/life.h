/* What people at hospitals do, at random: they ask, join, answer, decide, at good moments and bad
 * ones. */
#ifndef CONSILIUM_TESTS_SIM_LIFE_H
#define CONSILIUM_TESTS_SIM_LIFE_H

#include "tests/sim/world.h"

/* Somebody does something. */
void life_act(struct world *world);

#endif
