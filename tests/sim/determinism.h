/* A hospital's twin: a second core that gets each event as bytes, and must leave the same. */
#ifndef CONSILIUM_TESTS_SIM_DETERMINISM_H
#define CONSILIUM_TESTS_SIM_DETERMINISM_H

#include "tests/sim/world.h"

/* At a start, when the world is `is_twinned`: a twin as new as the hospital's core. */
void determinism_begin(struct hospital *hospital);
/* After each step: the story fails when the twin leaves something else. */
void determinism_step(struct hospital *hospital, const struct event *event);
void determinism_end(struct hospital *hospital);

#endif
