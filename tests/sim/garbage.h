/* A member that signs whatever it likes with its real keys: random bodies, unknown kinds, forged
 * references, other people's opinions; and floods. It takes part in cases as others do, so that its
 * nonsense stands where it may count. A puppet: its own core says nothing. */
#ifndef CONSILIUM_TESTS_SIM_GARBAGE_H
#define CONSILIUM_TESTS_SIM_GARBAGE_H

#include "tests/sim/world.h"

struct garbage;

struct garbage *garbage_new(struct hospital *puppet);
void garbage_free(struct garbage *garbage);
void garbage_act(struct garbage *garbage);

#endif
