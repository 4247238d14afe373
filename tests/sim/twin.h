/* A hospital's twin: a second core that gets each event as bytes, and must leave the same. */
#ifndef CONSILIUM_TESTS_SIM_TWIN_H
#define CONSILIUM_TESTS_SIM_TWIN_H

#include "tests/sim/world.h"

/* At a start, when the world is `is_twinned`: a twin as new as the hospital's core. */
void twin_begin(struct hospital *hospital);
/* After each step: the story fails when the twin leaves something else. */
void twin_step(struct hospital *hospital, const struct event *event);
void twin_end(struct hospital *hospital);

#endif
