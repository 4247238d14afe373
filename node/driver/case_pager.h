/* Cases that leave the engine's memory: their rows are kept, and read again when something is about
 * them. */
#ifndef CONSILIUM_NODE_DRIVER_CASE_PAGER_H
#define CONSILIUM_NODE_DRIVER_CASE_PAGER_H

#include "node/runtime/runtime.h"

/* EFFECT_REST: keeps how a case stands; EVENT_RESTED follows. */
void case_pager_keep(struct runtime *runtime, const struct effect *effect);

/* Gives the engine an event, and again as long as it has to wake a case for it. */
struct step *case_pager_step(struct runtime *runtime, const struct event *event);
/* When the effects are carried out: wakes what the step left asleep. The step is used for it. */
void case_pager_wake(struct runtime *runtime, const struct step *step);

/* At the end: the next start need not put together what is awake. */
void case_pager_close(struct runtime *runtime);

#endif
