/* A member that signs whatever it likes with its real keys: random bodies, unknown kinds, forged
 * references, other people's opinions; and floods. It takes part in cases as others do, so that its
 * nonsense stands where it may count. A puppet: its own core says nothing. */
#ifndef CONSILIUM_TESTS_SIM_NONSENSE_H
#define CONSILIUM_TESTS_SIM_NONSENSE_H

#include "tests/sim/world.h"

struct nonsense;

struct nonsense *nonsense_new(struct hospital *puppet);
void nonsense_free(struct nonsense *nonsense);
void nonsense_act(struct nonsense *nonsense);

#endif
