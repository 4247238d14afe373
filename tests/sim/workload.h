/* What people at hospitals do, at random: they ask, join, answer, decide, at good moments and bad
 * ones. */
#ifndef CONSILIUM_TESTS_SIM_WORKLOAD_H
#define CONSILIUM_TESTS_SIM_WORKLOAD_H

#include "tests/sim/world.h"

/* Somebody does something. */
void workload_act(struct world *world);

#endif
